//! Puts messages into people's streams, and notes how far they came with them. The writer's part.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::PersonId;
use showdesk_domain::notices::Receipt;
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

/// A person's next number: the last one and one more. Rows are never deleted, so none is used again.
const NEXT_SEQ: &str = "(SELECT MAX(o.seq) + 1 FROM notification_recipients o \
                        WHERE o.user_id = notification_recipients.user_id)";

static ADD_RECIPIENTS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!(
            "INSERT INTO notification_recipients (notification_id, user_id, seq, event, state, state_at) \
             SELECT $1, w.column1, COALESCE((SELECT MAX(o.seq) FROM notification_recipients o \
             WHERE o.user_id = w.column1), 0) + 1, $2, $3, $4 FROM (VALUES {}) AS w WHERE TRUE \
             ON CONFLICT DO NOTHING",
            sql::rows_from(5, count, 1)
        )
    })
});
static TELL_AGAIN: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!("UPDATE notification_recipients SET seq = {NEXT_SEQ}, event = $2 WHERE notification_id = $1"))
});
static TELL_PERSON_AGAIN: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "UPDATE notification_recipients SET seq = {NEXT_SEQ}, event = $3 WHERE notification_id = $1 AND user_id = $2"
    ))
});
static REMIND: LazyLock<[&str; 2]> = LazyLock::new(|| {
    ["'waiting', 'delivered'", "'waiting', 'delivered', 'seen'"].map(|states| {
        sql::keep(format!(
            "UPDATE notification_recipients SET seq = {NEXT_SEQ}, event = $2, reminded_at = $3 \
             WHERE notification_id = $1 AND state IN ({states})"
        ))
    })
});
static RISE: LazyLock<[&str; 3]> = LazyLock::new(|| {
    BELOW.map(|below| {
        sql::keep(format!(
            "UPDATE notification_recipients SET state = $3, state_at = $4 \
             WHERE notification_id = $1 AND user_id = $2 AND state IN ({below})"
        ))
    })
});
/// What delivered, seen and confirmed rise from.
const BELOW: [&str; 3] = ["'waiting'", "'waiting', 'delivered'", "'waiting', 'delivered', 'seen'"];

/// The next event: one number for each thing that is put into streams.
pub async fn next_event(tx: &mut Tx) -> Result<i64> {
    let row = tx.row("UPDATE notification_clock SET event = event + 1 RETURNING event", Vec::new()).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, "notification_clock", &["event"]).int())
}

/// Puts a message at the end of people's streams; who has it keeps it as it is.
pub async fn add_recipients(
    tx: &mut Tx,
    (notification, event): (Uuid, i64),
    people: &[PersonId],
    state: Receipt,
    now: DateTime<Utc>,
) -> Result<()> {
    for (sql, chunk) in ADD_RECIPIENTS.cut(people) {
        let mut bound = values![notification, event, state.as_str(), now];
        bound.extend(chunk.iter().map(|person| Value::from(*person)));
        tx.execute(sql, bound).await?;
    }
    Ok(())
}

/// Puts a message at the end of all its people's streams again: something about it has changed.
pub async fn tell_again(tx: &mut Tx, notification: Uuid, event: i64) -> Result<u64> {
    tx.execute(*TELL_AGAIN, values![notification, event]).await
}

/// The same for who has not seen it, or not confirmed it; answers how many that are.
pub async fn remind(tx: &mut Tx, notification: Uuid, event: i64, needs_ack: bool, now: DateTime<Utc>) -> Result<u64> {
    let reminded = tx.execute(REMIND[usize::from(needs_ack)], values![notification, event, now]).await?;
    tx.execute("UPDATE notifications SET reminded_at = $2 WHERE id = $1", values![notification, now]).await?;
    Ok(reminded)
}

/// Which of these messages are in the person's stream, each with how far it came.
pub async fn own(tx: &mut Tx, person: PersonId, ids: &[Uuid]) -> Result<Vec<(Uuid, Receipt)>> {
    let mut found = Vec::new();
    for (sql, chunk) in OWN.cut(ids) {
        let mut bound = values![person];
        bound.extend(chunk.iter().map(|id| Value::from(*id)));
        for row in tx.rows(sql, bound).await? {
            let mut cells = Cells::new(&row, "notification_recipients", &["notification_id", "state"]);
            found.push((cells.uuid()?, cells.word(Receipt::parse)?));
        }
    }
    Ok(found)
}

static OWN: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!(
            "SELECT notification_id, state FROM notification_recipients WHERE user_id = $1 \
             AND notification_id IN ({})",
            sql::placeholders(2, count)
        )
    })
});

/// A person's message came this far; false if it had before.
pub async fn rise(
    tx: &mut Tx,
    notification: Uuid,
    person: PersonId,
    state: Receipt,
    now: DateTime<Utc>,
) -> Result<bool> {
    let sql = match state {
        Receipt::Waiting => return Ok(false),
        Receipt::Delivered => RISE[0],
        Receipt::Seen => RISE[1],
        Receipt::Confirmed => RISE[2],
    };
    Ok(tx.execute(sql, values![notification, person, state.as_str(), now]).await? > 0)
}

/// Puts a message at the end of one person's stream again.
pub async fn tell_person_again(tx: &mut Tx, notification: Uuid, person: PersonId, event: i64) -> Result<()> {
    tx.execute(*TELL_PERSON_AGAIN, values![notification, person, event]).await?;
    Ok(())
}
