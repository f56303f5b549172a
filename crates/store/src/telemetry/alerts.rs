//! `alert_rules`, `alert_states`, `alert_events`, `alert_numbers`, `alert_settings`, `alert_turn`: which rules differ from
//! the built-in ones, where each stands, and what was said.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql;
use crate::{Result, StoreError, Tx};

const EVENTS: &str = "alert_events";
const NUMBERS: &str = "alert_numbers";
const EVENT: &[&str] = &[
    "id",
    "desk_id",
    "rule_id",
    "kind",
    "severity",
    "headline",
    "detail",
    "subjects",
    "quiet",
    "desktop",
    "push",
    "webhook",
    "attempts",
    "next_attempt_at",
    "created_at",
    "outside",
    "number",
];

/// The row is held until the transaction ends: who takes the next number waits, so numbers are read in their order.
const NEXT_NUMBER: &str = "UPDATE alert_numbers SET last = last + 1 WHERE only_row = 1 RETURNING last";

static ADD_EVENT: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} ON CONFLICT (id) DO NOTHING", sql::insert(EVENTS, EVENT, 1))));
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "{} WHERE ($1 IS NULL OR created_at < $1 OR created_at = $1 AND id < $2) \
         ORDER BY created_at DESC, id DESC LIMIT $3",
        sql::select(EVENTS, EVENT)
    ))
});
static BETWEEN: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(EVENTS, EVENT);
    sql::keep(format!("{select} WHERE created_at >= $1 AND created_at < $2 ORDER BY created_at DESC, id DESC LIMIT $3"))
});
static DUE: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(EVENTS, EVENT);
    sql::keep(format!(
        "{select} WHERE next_attempt_at <= $1 AND ($2 OR push = 'waiting' OR created_at < $3) \
         ORDER BY next_attempt_at, id LIMIT $4"
    ))
});
static CLAIM: LazyLock<&str> = LazyLock::new(|| {
    let columns = sql::names(EVENT.iter().copied());
    sql::keep(format!(
        "UPDATE alert_events SET next_attempt_at = $3 WHERE id = $1 AND next_attempt_at <= $2 RETURNING {columns}"
    ))
});
static FOR_DESKTOP: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "{} WHERE number > $1 AND desktop AND NOT quiet ORDER BY number LIMIT $2",
        sql::select(EVENTS, EVENT)
    ))
});

/// A row of `alert_rules`: the rule is JSON, whose form is not known here.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRow {
    /// Its name.
    pub id: String,
    /// The rule.
    pub rule: Json,
}

/// A row of `alert_states`.
#[derive(Debug, Clone, PartialEq)]
pub struct StateRow {
    /// Whose laptop it is about; nil for the show.
    pub desk: DeviceId,
    /// The rule.
    pub rule_id: String,
    /// How it stands for each subject.
    pub states: Json,
    /// What people know.
    pub told: Json,
}

/// How far a message came on a way that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    /// Somebody has to take it up.
    Waiting,
    /// It was taken.
    Sent,
    /// It will not get there.
    Failed,
}

impl Outgoing {
    /// The word of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Sent, Self::Failed].into_iter().find(|outgoing| outgoing.as_str() == word)
    }
}

/// A row of `alert_events`.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// The row.
    pub id: Uuid,
    /// The desk that said it.
    pub desk: DeviceId,
    /// The rule.
    pub rule_id: String,
    /// `firing`, `still_firing`, `resolved`.
    pub kind: String,
    /// notice, warning, critical.
    pub severity: String,
    /// What stands on top.
    pub headline: String,
    /// What stands below.
    pub detail: Option<String>,
    /// Whom it is about: `[{subject, name, since, value}]`.
    pub subjects: Json,
    /// Nobody was told: the rule was silenced, or the hours were quiet.
    pub quiet: bool,
    /// Whether the desktop shows it.
    pub desktop: bool,
    /// To the phones of admins; none if it does not go there.
    pub push: Option<Outgoing>,
    /// To the webhook; none if it does not go there.
    pub webhook: Option<Outgoing>,
    /// How often the webhook was tried.
    pub attempts: i64,
    /// When somebody has to take it up.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was said.
    pub at: DateTime<Utc>,
    /// The second line as it leaves the show: without names.
    pub outside: Option<String>,
    /// Its place among all that was said; [`add_event`] gives it.
    pub number: i64,
}

/// What a desk can do with what is due.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    /// Whether it has the key to the webhook's address.
    pub webhook: bool,
    /// What was said before is only to be given up: that takes no key.
    pub over_before: DateTime<Utc>,
}

/// All stored rules.
pub async fn rules(tx: &mut Tx) -> Result<Vec<RuleRow>> {
    let rows = tx.rows("SELECT id, rule FROM alert_rules ORDER BY id", Vec::new()).await?;
    let read = |row| {
        let mut cells = Cells::new(row, "alert_rules", &["id", "rule"]);
        Ok(RuleRow { id: cells.text()?, rule: cells.json()? })
    };
    rows.iter().map(read).collect()
}

/// Stores a rule, in the place of the one of that name.
pub async fn set_rule(tx: &mut Tx, row: &RuleRow, by: Option<PersonId>, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO alert_rules (id, rule, updated_at, updated_by) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (id) DO UPDATE SET rule = excluded.rule, updated_at = excluded.updated_at, \
               updated_by = excluded.updated_by";
    tx.execute(sql, values![row.id.as_str(), row.rule.clone(), now, by]).await?;
    Ok(())
}

/// Forgets a stored rule. False if there was none.
pub async fn remove_rule(tx: &mut Tx, id: &str) -> Result<bool> {
    Ok(tx.execute("DELETE FROM alert_rules WHERE id = $1", values![id]).await? == 1)
}

/// Where the rules of these desks stand.
pub async fn states(tx: &mut Tx, desks: [DeviceId; 2]) -> Result<Vec<StateRow>> {
    let columns = &["desk_id", "rule_id", "states", "told"];
    let sql = "SELECT desk_id, rule_id, states, told FROM alert_states WHERE desk_id = $1 OR desk_id = $2 \
               ORDER BY desk_id, rule_id";
    let rows = tx.rows(sql, values![desks[0], desks[1]]).await?;
    let read = |row| {
        let mut cells = Cells::new(row, "alert_states", columns);
        Ok(StateRow { desk: cells.uuid()?.into(), rule_id: cells.text()?, states: cells.json()?, told: cells.json()? })
    };
    rows.iter().map(read).collect()
}

/// Notes where a rule stands.
pub async fn set_state(tx: &mut Tx, row: &StateRow, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO alert_states (desk_id, rule_id, states, told, updated_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (desk_id, rule_id) DO UPDATE SET states = excluded.states, told = excluded.told, \
               updated_at = excluded.updated_at";
    tx.execute(sql, values![row.desk, row.rule_id.as_str(), row.states.clone(), row.told.clone(), now]).await?;
    Ok(())
}

/// Forgets where a rule stood, for all desks.
pub async fn remove_states(tx: &mut Tx, rule_id: &str) -> Result<()> {
    tx.execute("DELETE FROM alert_states WHERE rule_id = $1", values![rule_id]).await?;
    Ok(())
}

/// Takes the turn of looking after the rules about the show, or keeps it. False while another desk has it.
pub async fn take_turn(tx: &mut Tx, desk: DeviceId, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool> {
    let sql = "INSERT INTO alert_turn (only_row, desk_id, until) VALUES (1, $1, $2) \
               ON CONFLICT (only_row) DO UPDATE SET desk_id = excluded.desk_id, until = excluded.until \
               WHERE alert_turn.desk_id = $1 OR alert_turn.until <= $3";
    Ok(tx.execute(sql, values![desk, until, now]).await? == 1)
}

/// Gives the turn back.
pub async fn give_turn_up(tx: &mut Tx, desk: DeviceId) -> Result<()> {
    tx.execute("DELETE FROM alert_turn WHERE desk_id = $1", values![desk]).await?;
    Ok(())
}

/// Notes what was said, under the next number. What is there already stays as it is: the first attempt to note it was
/// one after all.
pub async fn add_event(tx: &mut Tx, row: &EventRow) -> Result<()> {
    let taken = tx.row(NEXT_NUMBER, Vec::new()).await?.ok_or_else(lost_numbers)?;
    let number = Cells::new(&taken, NUMBERS, &["last"]).int()?;
    let values = values![
        row.id,
        row.desk,
        row.rule_id.as_str(),
        row.kind.as_str(),
        row.severity.as_str(),
        row.headline.as_str(),
        row.detail.clone(),
        row.subjects.clone(),
        row.quiet,
        row.desktop,
        row.push.map(Outgoing::as_str),
        row.webhook.map(Outgoing::as_str),
        row.attempts,
        row.next_attempt_at,
        row.at,
        row.outside.clone(),
        number,
    ];
    tx.execute(*ADD_EVENT, values).await?;
    Ok(())
}

/// The number of what was said last.
pub async fn last_number(tx: &mut Tx) -> Result<i64> {
    let row = tx.row("SELECT last FROM alert_numbers", Vec::new()).await?.ok_or_else(lost_numbers)?;
    Cells::new(&row, NUMBERS, &["last"]).int()
}

fn lost_numbers() -> StoreError {
    StoreError::Corrupt { table: NUMBERS.to_owned(), column: "last".to_owned(), id: "1".to_owned() }
}

/// What was said, the newest first, after a place of the list.
pub async fn events(tx: &mut Tx, after: Option<(DateTime<Utc>, Uuid)>, limit: i64) -> Result<Vec<EventRow>> {
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at), Some(id)));
    tx.rows(*PAGE, values![at, id, limit]).await?.iter().map(read_event).collect()
}

/// What was said from a moment on and before another, the oldest first; the newest of it, if it is more than `limit`.
pub async fn events_between(tx: &mut Tx, from: DateTime<Utc>, to: DateTime<Utc>, limit: i64) -> Result<Vec<EventRow>> {
    tx.rows(*BETWEEN, values![from, to, limit]).await?.iter().rev().map(read_event).collect()
}

/// What the desktop shows of what was said after that number, the oldest first.
pub async fn events_for_desktop(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<EventRow>> {
    tx.rows(*FOR_DESKTOP, values![after, limit]).await?.iter().map(read_event).collect()
}

/// What this desk has to take up, the longest due first.
pub async fn due_events(tx: &mut Tx, now: DateTime<Utc>, ready: Ready, limit: i64) -> Result<Vec<EventRow>> {
    tx.rows(*DUE, values![now, ready.webhook, ready.over_before, limit]).await?.iter().map(read_event).collect()
}

/// Takes an event that is due for so long, and reads it as it stands now. None if somebody else has it. Until it is
/// settled, `next_attempt_at` is the end of this lease.
pub async fn claim_event(tx: &mut Tx, id: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<Option<EventRow>> {
    tx.row(*CLAIM, values![id, now, until]).await?.as_ref().map(read_event).transpose()
}

/// Notes how far an event came, and gives it back. False if the lease was over and somebody else has it: then nothing
/// is noted.
pub async fn settle_event(tx: &mut Tx, row: &EventRow, lease_until: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE alert_events SET push = $2, webhook = $3, attempts = $4, next_attempt_at = $5 \
               WHERE id = $1 AND next_attempt_at = $6";
    let (push, webhook) = (row.push.map(Outgoing::as_str), row.webhook.map(Outgoing::as_str));
    let values = values![row.id, push, webhook, row.attempts, row.next_attempt_at, lease_until];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Ends all leases and pauses: for a desk that has its database for itself and was just started.
pub async fn end_waits(tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE alert_events SET next_attempt_at = $1 WHERE next_attempt_at IS NOT NULL";
    tx.execute(sql, values![now]).await?;
    Ok(())
}

/// Removes what was said before that moment, at most so many; answers how many.
pub async fn remove_old_events(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM alert_events WHERE id IN (SELECT id FROM alert_events WHERE created_at < $1 LIMIT $2)";
    tx.execute(sql, values![before, limit]).await
}

/// What was chosen, by name.
pub async fn setting(tx: &mut Tx, name: &str) -> Result<Option<Json>> {
    let row = tx.row("SELECT value FROM alert_settings WHERE name = $1", values![name]).await?;
    row.map(|row| Cells::new(&row, "alert_settings", &["value"]).json()).transpose()
}

/// Chooses.
pub async fn set_setting(
    tx: &mut Tx,
    name: &str,
    value: &Json,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "INSERT INTO alert_settings (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, \
               updated_by = excluded.updated_by";
    tx.execute(sql, values![name, value.clone(), now, by]).await?;
    Ok(())
}

fn read_event(row: &Row) -> Result<EventRow> {
    let mut cells = Cells::new(row, EVENTS, EVENT);
    Ok(EventRow {
        id: cells.uuid()?,
        desk: cells.uuid()?.into(),
        rule_id: cells.text()?,
        kind: cells.text()?,
        severity: cells.text()?,
        headline: cells.text()?,
        detail: cells.text_option()?,
        subjects: cells.json()?,
        quiet: cells.flag()?,
        desktop: cells.flag()?,
        push: outgoing(&mut cells)?,
        webhook: outgoing(&mut cells)?,
        attempts: cells.int()?,
        next_attempt_at: cells.instant_option()?,
        at: cells.instant()?,
        outside: cells.text_option()?,
        number: cells.int()?,
    })
}

fn outgoing(cells: &mut Cells<'_>) -> Result<Option<Outgoing>> {
    let word = cells.text_option()?;
    word.map(|word| Outgoing::parse(&word).ok_or_else(|| cells.corrupt_last())).transpose()
}
