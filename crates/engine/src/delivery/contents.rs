//! A message as it goes to a provider.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json};
use showdesk_domain::ids::PersonId;
use showdesk_domain::notices::Priority;
use showdesk_push::Outgoing;
use showdesk_store::Tx;
use showdesk_store::deliveries::Errand;
use showdesk_store::notifications::notices::{self, NoticeRow};
use uuid::Uuid;

use super::steps::end_of;
use crate::api::notifications::Notice;

/// What each delivery carries, by its id.
pub(super) async fn load(tx: &mut Tx, errands: &[Errand]) -> showdesk_store::Result<HashMap<Uuid, Outgoing>> {
    let mut keys: Vec<(Uuid, PersonId)> =
        errands.iter().map(|errand| (errand.row.notification, errand.row.person)).collect();
    keys.sort_unstable_by_key(|(message, person)| (*message, person.0));
    keys.dedup();
    let rows = notices::of_recipients(tx, &keys).await?;
    let rows: HashMap<(Uuid, PersonId), NoticeRow> =
        rows.into_iter().map(|row| ((row.notification, row.user), row)).collect();
    let found = errands.iter().filter_map(|errand| {
        let row = rows.get(&(errand.row.notification, errand.row.person))?;
        Some((errand.row.id, outgoing(errand, row.clone())))
    });
    Ok(found.collect())
}

fn outgoing(errand: &Errand, row: NoticeRow) -> Outgoing {
    // Where no key is given the message is its own: sent again after a crash, it takes the first one's place.
    let collapse_key = row.collapse_key.clone().unwrap_or_else(|| row.notification.to_string());
    let notice = as_it_leaves(Notice::from(row));
    let priority = match notice.priority {
        Priority::Normal => showdesk_push::Priority::Normal,
        Priority::High => showdesk_push::Priority::High,
        Priority::Urgent => showdesk_push::Priority::Urgent,
    };
    Outgoing {
        id: notice.id,
        title: notice.title.clone(),
        body: notice.body.clone().unwrap_or_default(),
        data: data_of(&notice),
        notice: fields_of(&notice),
        priority,
        expires_at: end_of(errand),
        collapse_key: Some(collapse_key),
    }
}

/// A message passes other people's computers on its way: what names somebody in the show has other words for that.
fn as_it_leaves(mut notice: Notice) -> Notice {
    let words = notice.data.as_object_mut().and_then(|data| data.remove("outside"));
    let word = |name: &str| words.as_ref()?.get(name)?.as_str().map(str::to_owned);
    notice.title = word("title").unwrap_or(notice.title);
    notice.body = word("body").or(notice.body).filter(|body| !body.is_empty());
    notice
}

/// What an app gets beside title and text: words only.
fn data_of(notice: &Notice) -> BTreeMap<String, String> {
    let mut data = BTreeMap::from([
        ("seq".to_owned(), notice.seq.to_string()),
        ("type".to_owned(), notice.kind.clone()),
        ("needs_ack".to_owned(), notice.needs_ack.to_string()),
    ]);
    if let Some(open) = notice.data.get("open").and_then(Json::as_str) {
        data.insert("open".to_owned(), open.to_owned());
    }
    data
}

/// What the show's own page gets: the message as its stream would tell it. How far it came is not told: it may come
/// further before the page reads it.
fn fields_of(notice: &Notice) -> Map<String, Json> {
    match serde_json::to_value(notice) {
        Ok(Json::Object(mut fields)) => {
            fields.remove("state");
            fields
        }
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use showdesk_domain::notices::Receipt;

    use super::*;

    #[test]
    fn what_passes_other_peoples_computers_names_nobody() {
        let said = |data: Json| Notice {
            seq: 1,
            id: Uuid::nil(),
            kind: "sync".to_owned(),
            title: "Maria has 9 unsent changes".to_owned(),
            body: Some("Maria's phone".to_owned()),
            priority: Priority::Normal,
            needs_ack: false,
            data,
            from: None,
            created_at: chrono::DateTime::UNIX_EPOCH,
            sent_at: chrono::DateTime::UNIX_EPOCH,
            expires_at: None,
            retracted_at: None,
            reminded_at: None,
            state: Receipt::Waiting,
        };
        let left = as_it_leaves(said(json!({"open": "#/phones", "outside": {"title": "A phone has 9", "body": ""}})));
        assert_eq!((left.title.as_str(), left.body, left.data), ("A phone has 9", None, json!({"open": "#/phones"})));
        let plain = as_it_leaves(said(json!({"open": "#/phones"})));
        assert_eq!(plain.body.as_deref(), Some("Maria's phone"), "what has no other words leaves as it is");
    }
}
