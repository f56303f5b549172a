//! Messages as the desk follows them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use showdesk_domain::actor::Actor;
use showdesk_domain::notices::audience::Audience;
use showdesk_domain::permit::Action;
use showdesk_store::notifications::{self as rows, NotificationRow, desk};
use showdesk_store::{Tx, people};
use uuid::Uuid;

use super::reach::Labels;
use super::texts::{clean, filled, filling, manner};
use super::writing::{audience, planned};
use crate::api::attention::NamedRef;
use crate::api::notifications::{
    AskPreview, AudienceInput, BeforeClass, Counts, DeliveryView, Ends, MessageDetail, MessageItem, MessagePage,
    Preview, Reach,
};
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// Which messages the desk lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// Those that wait, the next first.
    Scheduled,
    /// Those that went out, the newest first.
    Sent,
}

impl Engine {
    /// A page of the desk's messages.
    pub async fn messages(
        &self,
        actor: &Actor,
        state: MessageState,
        cursor: Option<String>,
        limit: i64,
    ) -> Result<MessagePage> {
        require(actor, Action::Message)?;
        let after = cursor.map(|text| read_cursor(&text)).transpose()?;
        let mut tx = self.begin_read_as(actor).await?;
        let mut found = match state {
            MessageState::Scheduled => desk::scheduled(&mut tx, after, limit + 1).await?,
            MessageState::Sent => desk::sent(&mut tx, after.map(|(_, at, id)| (at, id)), limit + 1).await?,
        };
        let has_more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
        if has_more {
            found.pop();
        }
        let place = |row: &NotificationRow| match state {
            MessageState::Scheduled => (row.send_at.is_none(), row.send_at.unwrap_or(row.created_at)),
            MessageState::Sent => (false, row.released_at.unwrap_or(row.created_at)),
        };
        let cursor = found.last().filter(|_| has_more).map(|row| {
            let (is_timeless, at) = place(row);
            format!("{}.{}.{}", u8::from(is_timeless), at.timestamp_millis(), row.id.simple())
        });
        Ok(MessagePage { items: items(&mut tx, found).await?, cursor })
    }

    /// One message with what became of it everywhere.
    pub async fn message(&self, actor: &Actor, id: Uuid) -> Result<MessageDetail> {
        require(actor, Action::Message)?;
        let mut tx = self.begin_read_as(actor).await?;
        let lines = desk::deliveries(&mut tx, id).await?;
        drop(tx);
        // Read after its lines: what they say has come through is not called pending.
        let message = self.message_item(actor, id).await?;
        let view = |line: desk::DeliveryLine| DeliveryView {
            id: line.id,
            person: NamedRef { id: line.person.0, name: line.person_name },
            device: line.device.map(|id| NamedRef { id: id.0, name: line.device_name.unwrap_or_default() }),
            channel: line.channel,
            status: line.status,
            attempts: line.attempts,
            error_code: line.error_code,
            reason: line.reason,
            next_attempt_at: line.next_attempt_at,
            updated_at: line.updated_at,
        };
        Ok(MessageDetail { message, deliveries: lines.into_iter().map(view).collect() })
    }

    /// A message as phones will show it.
    pub async fn message_preview(&self, actor: &Actor, asked: AskPreview) -> Result<Preview> {
        require(actor, Action::Message)?;
        let raw = clean(&asked.title, asked.body.as_deref())?;
        let mut tx = self.begin_read_as(actor).await?;
        let audience = audience(&mut tx, &asked.audience, true).await?;
        let send_at = planned(&mut tx, None, asked.before_class, self.now()).await?;
        let manner = manner(&mut tx, self.inner.show_id).await?;
        let before = asked.before_class.map(|before| before.class_id);
        let words = filling(&mut tx, &manner, &audience, before, None).await?;
        let text = filled(&raw, &words)?;
        Ok(Preview { title: text.title, body: text.body, send_at })
    }

    /// One message of the list.
    pub(super) async fn message_item(&self, actor: &Actor, id: Uuid) -> Result<MessageItem> {
        require(actor, Action::Message)?;
        let mut tx = self.begin_read_as(actor).await?;
        let found = rows::load(&mut tx, &[id]).await?;
        let item = items(&mut tx, found).await?.pop();
        item.ok_or(EngineError::NotFound("the message"))
    }

    /// Whom a message reaches, as things stand.
    pub(super) async fn message_reach_of(&self, actor: &Actor, row: &NotificationRow) -> Result<Reach> {
        let mut tx = self.begin_read_as(actor).await?;
        let reachable = self.reachable(&mut tx, &row.audience).await?;
        let people = match row.user {
            Some(person) => reachable.only(person),
            None => reachable.people(&row.audience),
        };
        Ok(self.reach_of(&reachable, &people))
    }
}

async fn items(tx: &mut Tx, found: Vec<NotificationRow>) -> Result<Vec<MessageItem>> {
    let ids: Vec<Uuid> = found.iter().map(|row| row.id).collect();
    let mut counts: HashMap<Uuid, Counts> = HashMap::new();
    for (id, state, people) in desk::counts(tx, &ids).await? {
        count(counts.entry(id).or_default(), &state, people);
    }
    let audiences: Vec<&Audience> = found.iter().map(|row| &row.audience).collect();
    let labels = Labels::load(tx, &audiences).await?;
    let mut writers: Vec<_> = found.iter().filter_map(|row| row.created_by).collect();
    writers.sort_unstable();
    writers.dedup();
    let names: HashMap<_, _> =
        people::profiles(tx, &writers).await?.into_iter().map(|person| (person.id, person.name)).collect();
    let item = |row: NotificationRow| {
        let counts = counts.get(&row.id).copied().unwrap_or_default();
        let by = row.created_by.map(|id| NamedRef { id: id.0, name: names.get(&id).cloned().unwrap_or_default() });
        item(row, &labels, counts, by)
    };
    Ok(found.into_iter().map(item).collect())
}

fn item(row: NotificationRow, labels: &Labels, counts: Counts, by: Option<NamedRef>) -> MessageItem {
    let Counts { waiting, delivered, seen, confirmed, accepted, failed, expired } = counts;
    let audience_text = match (row.user, &by) {
        (Some(_), Some(by)) => format!("Test to {}", by.name),
        _ => labels.of(&row.audience).join(", "),
    };
    let ends = match (row.ends_class_id, row.ends_after_minutes) {
        (Some(class), _) => Some(Ends::ClassStarts(class)),
        (None, Some(minutes)) => Some(Ends::AfterMinutes(minutes)),
        (None, None) => None,
    };
    let waits = row.released_at.is_none() && row.cancelled_at.is_none();
    let people = waiting + delivered + seen + confirmed + accepted + failed + expired;
    let reason = reason(&row, waits, people).map(str::to_owned);
    MessageItem {
        id: row.id,
        kind: row.kind,
        source: row.source.as_str().to_owned(),
        title: row.title,
        body: row.body,
        raw: row.raw.and_then(|raw| serde_json::from_value(raw).ok()),
        priority: row.priority,
        needs_ack: row.needs_ack,
        audience: AudienceInput::from(&row.audience),
        audience_text,
        send_at: row.send_at,
        before_class: row
            .before_class_id
            .map(|class_id| BeforeClass { class_id, minutes: row.before_minutes.unwrap_or(0) }),
        ends,
        undo_until: row.send_at.filter(|_| waits),
        released_at: row.released_at,
        sent_at: row.sent_at,
        expires_at: row.expires_at,
        created_at: row.created_at,
        cancelled_at: row.cancelled_at,
        retracted_at: row.retracted_at,
        reminded_at: row.reminded_at,
        by,
        status: row.status,
        reason,
        people,
        counts,
    }
}

/// Why a message as a whole did not come, or will not as it stands; none if its phones tell, or nothing is wrong.
fn reason(row: &NotificationRow, waits: bool, people: i64) -> Option<&'static str> {
    let is_over_by = |at: Option<DateTime<Utc>>| row.expires_at.zip(at).is_some_and(|(end, at)| end <= at);
    if waits {
        // An end that is counted from going out moves with it.
        let is_too_late = row.ends_after_minutes.is_none() && is_over_by(row.send_at);
        return is_too_late.then_some("It will be over before it goes out. Change its end, or send it now.");
    }
    let has_failed = row.status == "failed" && row.retracted_at.is_none() && people == 0;
    has_failed
        .then(|| if is_over_by(row.released_at) { "It was over before it could go out." } else { "It reaches nobody." })
}

fn count(counts: &mut Counts, state: &str, people: i64) {
    let place = match state {
        "delivered" => &mut counts.delivered,
        "seen" => &mut counts.seen,
        "confirmed" => &mut counts.confirmed,
        "accepted" => &mut counts.accepted,
        "failed" => &mut counts.failed,
        "expired" => &mut counts.expired,
        _ => &mut counts.waiting,
    };
    *place += people;
}

fn read_cursor(text: &str) -> Result<(bool, DateTime<Utc>, Uuid)> {
    let read = || {
        let mut parts = text.splitn(3, '.');
        let is_timeless = parts.next()? == "1";
        let at = crate::cursor::moment(parts.next()?)?;
        Some((is_timeless, at, Uuid::try_parse(parts.next()?).ok()?))
    };
    read().ok_or_else(|| EngineError::BadQuery { code: "bad_filter", detail: "cursor is not known here".to_owned() })
}
