//! What open streams are told: read once for all of them, whoever listens.

use std::collections::HashMap;
use std::sync::Arc;

use showdesk_domain::actor::Actor;
use showdesk_domain::conflict::ConflictStatus;
use showdesk_domain::ids::ConflictId;
use showdesk_domain::permit::Action;
use showdesk_store::notifications::notices::{self, NoticeRow};
use showdesk_store::{Tx, conflicts};
use uuid::Uuid;

use crate::api::notifications::Notice;
use crate::rights::require;
use crate::{Engine, Result};

/// Events that are read at once: one event may be in a thousand streams.
const EVENTS_MAX: i64 = 16;

/// What happened since a look at all streams together.
#[derive(Debug, Default)]
pub struct News {
    /// The last event of it.
    pub event: i64,
    /// By person, in the order of their streams.
    pub notices: HashMap<Uuid, Vec<ToldNotice>>,
    /// Clashes that were opened, changed or closed.
    pub clashes: Vec<ClashNews>,
}

/// A message as a stream tells it. All but its number is one text for everybody who has it alike.
#[derive(Debug, Clone)]
pub struct ToldNotice {
    /// Its number in the person's stream.
    pub seq: i64,
    rest: Arc<str>,
}

impl ToldNotice {
    /// The message in JSON, with its number.
    pub fn json(&self) -> String {
        format!("{{\"seq\":{}{}", self.seq, self.rest)
    }
}

/// Whom a clash concerns, beside the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClashNews {
    /// Which.
    pub id: Uuid,
    /// The phone whose entry it is about.
    pub device: Uuid,
    /// Who wrote the value it clashed with.
    pub server_person: Option<Uuid>,
}

impl Engine {
    /// The last event of all streams.
    pub async fn last_event(&self) -> Result<i64> {
        let mut tx = self.begin_read_desk().await?;
        Ok(notices::latest_event(&mut tx).await?)
    }

    /// What was put into streams after an event, and whom these clashes concern.
    pub async fn news(&self, after: i64, clashes: &[Uuid]) -> Result<News> {
        let mut tx = self.begin_read_desk().await?;
        let latest = notices::latest_event(&mut tx).await?;
        let mut news = News { event: latest, ..News::default() };
        let mut texts = Texts::default();
        // A desk that was put back counts from a lower event on: its phones come anew.
        let mut read = after.min(latest);
        while read < latest {
            for row in notices::since_event(&mut tx, read, EVENTS_MAX).await? {
                news.notices.entry(row.user.0).or_default().push(texts.told(row));
            }
            read = latest.min(read + EVENTS_MAX);
        }
        news.clashes = concerned(&mut tx, clashes).await?;
        Ok(news)
    }

    /// The actor's messages after a number in the actor's own stream, ascending.
    pub async fn notices_after(&self, actor: &Actor, seq: i64, limit: i64) -> Result<Vec<ToldNotice>> {
        require(actor, Action::SeeOwnMessages)?;
        let mut tx = self.begin_read_as(actor).await?;
        let rows = notices::of_person(&mut tx, actor.person, seq, self.now(), limit).await?;
        let mut texts = Texts::default();
        Ok(rows.into_iter().map(|row| texts.told(row)).collect())
    }

    /// What is new for whom the laptop belongs to, after a number, ascending.
    pub async fn notices_for_desk(&self, seq: i64, limit: i64) -> Result<Vec<Notice>> {
        let mut tx = self.begin_read_desk().await?;
        let rows = notices::of_person(&mut tx, self.inner.desk_person, seq, self.now(), limit).await?;
        Ok(rows.into_iter().map(Notice::from).collect())
    }

    /// The last number of the stream of whom the laptop belongs to.
    pub async fn last_notice_for_desk(&self) -> Result<i64> {
        let mut tx = self.begin_read_desk().await?;
        Ok(notices::latest(&mut tx, self.inner.desk_person).await?)
    }

    /// The last number of the actor's stream.
    pub async fn last_notice(&self, actor: &Actor) -> Result<i64> {
        let mut tx = self.begin_read_as(actor).await?;
        Ok(notices::latest(&mut tx, actor.person).await?)
    }
}

async fn concerned(tx: &mut Tx, clashes: &[Uuid]) -> Result<Vec<ClashNews>> {
    if clashes.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<ConflictId> = clashes.iter().map(|id| ConflictId(*id)).collect();
    let found = conflicts::load(tx, &ids).await?;
    let told = found.into_iter().filter(|clash| clash.status != ConflictStatus::MergedAutomatically);
    Ok(told
        .map(|clash| ClashNews {
            id: clash.id.0,
            device: clash.device_id.0,
            server_person: clash.server_user_id.map(|person| person.0),
        })
        .collect())
}

/// Texts that were made: people who have a message alike share one.
#[derive(Default)]
struct Texts(HashMap<(Uuid, &'static str, Option<i64>), Arc<str>>);

impl Texts {
    fn told(&mut self, row: NoticeRow) -> ToldNotice {
        let key = (row.notification, row.state.as_str(), row.reminded_at.map(|at| at.timestamp_millis()));
        let seq = row.seq;
        let rest = self.0.entry(key).or_insert_with(|| {
            let text = serde_json::to_string(&Notice::from(row)).expect("a message is plain data");
            // Its number comes first.
            let rest = text.find(',').map_or("}", |comma| &text[comma..]);
            rest.into()
        });
        ToldNotice { seq, rest: Arc::clone(rest) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::json;
    use showdesk_domain::ids::PersonId;
    use showdesk_domain::notices::{Priority, Receipt};

    use super::*;

    fn row(seq: i64, state: Receipt) -> NoticeRow {
        let at: DateTime<Utc> = DateTime::from_timestamp(1_795_348_800, 0).expect("a time");
        NoticeRow {
            notification: Uuid::from_u128(7),
            user: PersonId(Uuid::from_u128(1)),
            seq,
            event: 3,
            state,
            reminded_at: None,
            kind: "message".to_owned(),
            title: "a, b".to_owned(),
            body: None,
            data: json!({"open": "#/messages"}),
            priority: Priority::High,
            needs_ack: true,
            sender: None,
            created_at: at,
            released_at: Some(at),
            expires_at: None,
            retracted_at: None,
            collapse_key: None,
        }
    }

    #[test]
    fn people_who_have_a_message_alike_share_its_text_and_each_has_a_number() {
        let mut texts = Texts::default();
        let (one, other) = (texts.told(row(5, Receipt::Waiting)), texts.told(row(900, Receipt::Waiting)));
        assert!(Arc::ptr_eq(&one.rest, &other.rest));
        for (told, seq) in [(&one, 5), (&other, 900)] {
            let json: serde_json::Value = serde_json::from_str(&told.json()).expect("JSON");
            assert_eq!(json, serde_json::to_value(Notice::from(row(seq, Receipt::Waiting))).expect("JSON"));
        }
        let confirmed = texts.told(row(6, Receipt::Confirmed));
        assert!(confirmed.json().contains("\"state\":\"confirmed\""), "{}", confirmed.json());
    }
}
