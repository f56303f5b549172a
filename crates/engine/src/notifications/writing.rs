//! A message that somebody writes at the desk: what was asked is checked and becomes a row.

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::RecordId;
use showdesk_domain::notices::Priority;
use showdesk_domain::notices::audience::Audience;
use showdesk_domain::schema::known_table;
use showdesk_store::notifications::{NotificationRow, Source};
use showdesk_store::{Tx, notifications as rows, records};
use uuid::Uuid;

use super::tell::{data_of, empty};
use super::texts::{clean, filled, filling, invalid, manner};
use crate::api::notifications::{AudienceInput, BeforeClass, Ends, NewMessage, RawText};
use crate::{Engine, EngineError, Result};

/// What an audience may list of one kind.
const LIST_MAX: usize = 500;
/// Longest type of a message.
const TYPE_CHARS_MAX: usize = 40;
/// Longest time to take a message back unseen.
const UNDO_SECONDS_MAX: i64 = 60;
/// A week: longest time before a class, and longest life after going out.
const MINUTES_MAX: i64 = 7 * 24 * 60;
/// How far ahead a message is scheduled.
const AHEAD_MAX: TimeDelta = TimeDelta::days(366);
/// A moment that has just passed is now: two clocks never agree.
const JUST_NOW: TimeDelta = TimeDelta::seconds(60);
pub(super) const SPECIES: [&str; 6] = ["cattle", "swine", "sheep", "goat", "poultry", "rabbit"];

impl Engine {
    /// The row of what was asked. It goes out now if it has `released_at`.
    pub(super) async fn message_row(&self, actor: &Actor, asked: NewMessage, id: Uuid) -> Result<NotificationRow> {
        let now = self.now();
        let kind = kind(asked.kind.as_deref())?;
        let raw = clean(&asked.title, asked.body.as_deref())?;
        let mut tx = self.begin_read_as(actor).await?;
        let is_test = asked.test == Some(true);
        // A test goes to its sender, whomever the message will be for.
        let audience = audience(&mut tx, &asked.audience, is_test).await?;
        let undo = undo(&asked)?.unwrap_or_default();
        let planned = planned(&mut tx, asked.send_at, asked.before_class, now).await?;
        let end = end(&mut tx, asked.expires_at, asked.ends).await?;
        // A test goes out at once, whatever was planned.
        let send_at = if is_test { now } else { planned.unwrap_or(now).max(now + undo) };
        let goes_now = send_at <= now;
        let expires_at = match end {
            End::Never | End::WithClass(_) => None,
            End::At(at) => Some(at),
            End::After(minutes) => Some(send_at + TimeDelta::minutes(minutes)),
        };
        if expires_at.is_some_and(|at| at <= send_at) {
            return Err(invalid("expires_too_early", "expires_at", "it would be over before it goes out"));
        }
        let before = asked.before_class.map(|before| before.class_id);
        let manner = manner(&mut tx, self.inner.show_id).await?;
        let words = filling(&mut tx, &manner, &audience, before, expires_at).await?;
        let text = filled(&raw, &words)?;
        let has_changed = (&text.title, &text.body) != (&raw.title, &raw.body);
        let priority = asked.priority.unwrap_or(Priority::Normal);
        let sender = super::tell::sender(&mut tx, Some(actor.person), Some(actor.device)).await?;
        Ok(NotificationRow {
            id,
            user: is_test.then_some(actor.person),
            kind,
            title: text.title,
            body: text.body,
            data: data_of(&audience),
            audience,
            priority,
            needs_ack: asked.needs_ack.unwrap_or(priority != Priority::Normal),
            send_at: Some(send_at),
            expires_at,
            template_id: known_template(&mut tx, asked.template_id).await?,
            created_by: Some(actor.person),
            source: Source::Person,
            announcement_id: None,
            before_class_id: before.filter(|_| !goes_now),
            before_minutes: asked.before_class.filter(|_| !goes_now).map(|before| before.minutes),
            ends_class_id: if let End::WithClass(class) = end { Some(class) } else { None },
            ends_after_minutes: if let End::After(minutes) = end { Some(minutes) } else { None },
            sender,
            raw: has_changed.then(|| serde_json::to_value(&raw).expect("two texts are JSON")),
            released_at: goes_now.then_some(now),
            ..empty(now)
        })
    }
}

/// A template that was removed since somebody began to write is none: it only says where the text came from.
async fn known_template(tx: &mut Tx, asked: Option<Uuid>) -> Result<Option<Uuid>> {
    let Some(asked) = asked else { return Ok(None) };
    Ok(rows::templates::all(tx).await?.into_iter().map(|row| row.id).find(|id| *id == asked))
}

/// How long a message can be taken back unseen; none if it cannot.
pub(super) fn undo(asked: &NewMessage) -> Result<Option<TimeDelta>> {
    match asked.undo_seconds.unwrap_or(0) {
        0 => Ok(None),
        seconds @ 1..=UNDO_SECONDS_MAX => Ok(Some(TimeDelta::seconds(seconds))),
        _ => Err(invalid("out_of_range", "undo_seconds", "0 to 60 seconds are possible")),
    }
}

/// The type of a message: a word of its own making.
pub(super) fn kind(asked: Option<&str>) -> Result<String> {
    let kind = asked.unwrap_or("message");
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if kind.is_empty() || kind.len() > TYPE_CHARS_MAX || !kind.chars().all(is_word) {
        return Err(invalid("invalid_type", "type", "small letters, digits and _ make a type, at most 40"));
    }
    Ok(kind.to_owned())
}

/// The audience that was asked for; everything it names must be there. `may_be_nobody`: it is only looked at.
pub(super) async fn audience(tx: &mut Tx, asked: &AudienceInput, may_be_nobody: bool) -> Result<Audience> {
    let refuse = |code, list: &str, detail: &str| Err(invalid(code, &format!("audience.{list}"), detail));
    let lengths = [
        ("functions", asked.functions.len()),
        ("rings", asked.rings.len()),
        ("departments", asked.departments.len()),
        ("class_ids", asked.class_ids.len()),
        ("exhibitor_ids", asked.exhibitor_ids.len()),
    ];
    if let Some((list, _)) = lengths.iter().find(|(_, length)| *length > LIST_MAX) {
        return refuse("too_large", list, "at most 500 can be named");
    }
    if asked.departments.iter().any(|name| !SPECIES.contains(&name.as_str())) {
        return refuse("unknown_audience", "departments", "there is no such department");
    }
    for (list, table, ids) in [
        ("rings", "rings", &asked.rings),
        ("class_ids", "classes", &asked.class_ids),
        ("exhibitor_ids", "exhibitors", &asked.exhibitor_ids),
    ] {
        let ids: Vec<RecordId> = ids.iter().map(|id| RecordId(*id)).collect();
        let found = records::load(tx, known_table(table), &ids).await?;
        let is_here = |id: &RecordId| found.iter().any(|row| row.id == *id && row.is_live());
        if !ids.iter().all(is_here) {
            return refuse("unknown_audience", list, "one of them is not in this show");
        }
    }
    let named = Audience {
        everybody: asked.everybody == Some(true),
        functions: unique(&asked.functions),
        rings: unique(&asked.rings),
        departments: unique(&asked.departments),
        class_ids: unique(&asked.class_ids),
        exhibitor_ids: unique(&asked.exhibitor_ids),
        ..Audience::default()
    };
    if named.is_empty() && !may_be_nobody {
        return Err(invalid("required", "audience", "somebody must be named"));
    }
    Ok(named)
}

fn unique<T: Clone + PartialEq>(items: &[T]) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(item) {
            kept.push(item.clone());
        }
    }
    kept
}

/// When it is to go out; none for now.
pub(super) async fn planned(
    tx: &mut Tx,
    send_at: Option<DateTime<Utc>>,
    before_class: Option<BeforeClass>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let past = |field: &str| Err(invalid("send_at_past", field, "that moment has passed"));
    match (send_at, before_class) {
        (Some(_), Some(_)) => Err(invalid("invalid_value", "send_at", "choose a time, or a class, not both")),
        (None, None) => Ok(None),
        (Some(at), None) if at > now + AHEAD_MAX => {
            Err(invalid("out_of_range", "send_at", "at most a year ahead can be planned"))
        }
        (Some(at), None) if at < now - JUST_NOW => past("send_at"),
        (Some(at), None) => Ok(Some(at)),
        (None, Some(BeforeClass { class_id, minutes })) => {
            if !(0..=MINUTES_MAX).contains(&minutes) {
                return Err(invalid("out_of_range", "before_class.minutes", "0 to 10,080 minutes are possible"));
            }
            let class = records::load(tx, known_table("classes"), &[RecordId(class_id)]).await?;
            let Some(class) = class.first().filter(|class| class.is_live()) else {
                return Err(invalid("unknown_audience", "before_class.class_id", "this class is not in this show"));
            };
            let Some(planned) = class.value("planned_at").as_instant() else {
                return Err(invalid("class_without_time", "before_class.class_id", "this class has no time yet"));
            };
            let at = planned.checked_sub_signed(TimeDelta::minutes(minutes)).unwrap_or(planned);
            if at < now - JUST_NOW { past("before_class.minutes") } else { Ok(Some(at)) }
        }
    }
}

/// With what a message is over.
enum End {
    Never,
    At(DateTime<Utc>),
    After(i64),
    WithClass(Uuid),
}

async fn end(tx: &mut Tx, expires_at: Option<DateTime<Utc>>, ends: Option<Ends>) -> Result<End> {
    match (expires_at, ends) {
        (Some(_), Some(_)) => Err(invalid("invalid_value", "expires_at", "choose a moment, or an event, not both")),
        (None, None) => Ok(End::Never),
        (Some(at), None) => Ok(End::At(at)),
        (None, Some(Ends::AfterMinutes(minutes))) if (1..=MINUTES_MAX).contains(&minutes) => Ok(End::After(minutes)),
        (None, Some(Ends::AfterMinutes(_))) => {
            Err(invalid("out_of_range", "ends.after_minutes", "1 to 10,080 minutes are possible"))
        }
        (None, Some(Ends::ClassStarts(class))) => {
            let found = records::load(tx, known_table("classes"), &[RecordId(class)]).await?;
            if found.first().is_some_and(showdesk_domain::record::Record::is_live) {
                return Ok(End::WithClass(class));
            }
            Err(invalid("unknown_audience", "ends.class_starts", "this class is not in this show"))
        }
    }
}

/// The texts of a row as they were typed.
pub(super) fn typed(row: &NotificationRow) -> RawText {
    let raw = row.raw.clone().and_then(|raw| serde_json::from_value(raw).ok());
    raw.unwrap_or_else(|| RawText { title: row.title.clone(), body: row.body.clone() })
}

/// It has gone out: it cannot be changed any more.
pub(super) fn already_sent() -> EngineError {
    let detail = "this message has gone out already".to_owned();
    EngineError::Stale { code: "already_sent", detail, fresh: None }
}
