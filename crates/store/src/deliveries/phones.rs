//! Deliveries to phones themselves, on the show's network: a message waits for them, they say how far it came.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::notices::Receipt;
use uuid::Uuid;

use super::{ADD, Channel, DeliveryRow, DeliveryStatus, TABLE, add, bind, roll_up};
use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql;
use crate::{Result, Tx};

/// A phone that is there has so long to take a message before it is sent by a provider, too.
const LOCAL_FIRST: TimeDelta = TimeDelta::seconds(10);
/// What a phone has before it says anything.
const NOT_THERE: &str = "'waiting', 'accepted', 'failed', 'expired'";
/// What seen and confirmed rise from on a phone that has the message.
const BELOW: [&str; 2] = ["'delivered'", "'delivered', 'seen'"];

static ARRIVE: LazyLock<&str> = LazyLock::new(|| sql::keep(rise_from(NOT_THERE)));
static RISE: LazyLock<[&str; 2]> = LazyLock::new(|| BELOW.map(|below| sql::keep(rise_from(below))));

fn rise_from(below: &str) -> String {
    format!(
        "UPDATE notification_deliveries SET status = $4, updated_at = $5 WHERE notification_id = $1 \
         AND user_id = $2 AND target = $3 AND status IN ({below})"
    )
}

/// What a phone's word about a message was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rise {
    /// It had said as much before.
    None,
    /// It had the message, and is further with it now.
    Further,
    /// The first word that it has the message, however far it is with it.
    Arrived,
}

/// A phone that a message goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTarget {
    /// The delivery's own id.
    pub id: Uuid,
    /// Whose phone.
    pub person: PersonId,
    /// The phone.
    pub device: DeviceId,
    /// Whether a provider can be asked to wake it.
    pub has_token: bool,
}

impl LocalTarget {
    fn row(&self, notification: Uuid, status: DeliveryStatus, now: DateTime<Utc>) -> DeliveryRow {
        DeliveryRow {
            id: self.id,
            notification,
            person: self.person,
            target: self.device.0,
            channel: Channel::Local,
            service: Channel::Local.as_str().to_owned(),
            device: Some(self.device),
            status,
            attempts: 0,
            repeats: 0,
            next_attempt_at: None,
            lease_until: None,
            provider_message_id: None,
            error_code: None,
            reason: None,
            created_at: now,
            accepted_at: None,
            updated_at: now,
        }
    }
}

/// Has a message wait for these phones.
pub async fn add_local(
    tx: &mut Tx,
    notification: Uuid,
    targets: &[LocalTarget],
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = |target: &LocalTarget| DeliveryRow {
        next_attempt_at: if target.has_token { Some(now + LOCAL_FIRST) } else { expires_at },
        ..target.row(notification, DeliveryStatus::Waiting, now)
    };
    add(tx, &targets.iter().map(row).collect::<Vec<_>>()).await
}

/// It came this far on one phone. A phone that joined since gets its row now.
pub async fn rise_on_phone(
    tx: &mut Tx,
    notification: Uuid,
    target: LocalTarget,
    state: Receipt,
    now: DateTime<Utc>,
) -> Result<Rise> {
    let (further, status) = match state {
        Receipt::Waiting => return Ok(Rise::None),
        Receipt::Delivered => (None, DeliveryStatus::Delivered),
        Receipt::Seen => (Some(RISE[0]), DeliveryStatus::Seen),
        Receipt::Confirmed => (Some(RISE[1]), DeliveryStatus::Confirmed),
    };
    let values = || values![notification, target.person, target.device.to_string(), status.as_str(), now];
    if tx.execute(*ARRIVE, values()).await? > 0 {
        return Ok(Rise::Arrived);
    }
    if let Some(further) = further
        && tx.execute(further, values()).await? > 0
    {
        return Ok(Rise::Further);
    }
    let (sql, _) = ADD.cut(&[()]).next().expect("one row is one chunk");
    let is_new = tx.execute(sql, bind(&target.row(notification, status, now))).await? > 0;
    Ok(if is_new { Rise::Arrived } else { Rise::None })
}

/// Somebody is reminded: phones of who was reminded in this moment, and that a provider can wake, are woken again.
pub async fn wake_again(tx: &mut Tx, notification: Uuid, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE notification_deliveries SET next_attempt_at = $2 WHERE notification_id = $1 \
               AND channel = 'local' AND user_id IN (SELECT r.user_id FROM notification_recipients r \
               WHERE r.notification_id = $1 AND r.reminded_at = $2) \
               AND device_id IN (SELECT t.device_id FROM push_tokens t WHERE t.disabled_at IS NULL)";
    tx.execute(sql, values![notification, now]).await?;
    Ok(())
}

/// A message was taken back: what waits for a phone or a provider waits no more, and says `reason` why. Answers by which
/// ways it had waited, one for each delivery.
pub async fn take_back(tx: &mut Tx, notification: Uuid, reason: &str, now: DateTime<Utc>) -> Result<Vec<Channel>> {
    let sql = "UPDATE notification_deliveries SET status = 'expired', next_attempt_at = NULL, lease_until = NULL, \
               error_code = 'retracted', reason = $3, updated_at = $2 \
               WHERE notification_id = $1 AND status = 'waiting' RETURNING channel";
    let rows = tx.rows(sql, values![notification, now, reason]).await?;
    roll_up(tx, &[notification], now).await?;
    rows.iter().map(|row| Cells::new(row, TABLE, &["channel"]).word(Channel::parse)).collect()
}

/// A message ends at another time: the worker looks at what waits of it.
pub async fn look_again(tx: &mut Tx, notification: Uuid, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE notification_deliveries SET next_attempt_at = $2 WHERE notification_id = $1 \
               AND status = 'waiting' AND (next_attempt_at IS NULL OR next_attempt_at > $2)";
    tx.execute(sql, values![notification, now]).await?;
    Ok(())
}

/// A phone was removed, or is another person's: the worker looks at what waits for it.
pub async fn look_again_at(tx: &mut Tx, device: DeviceId, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE notification_deliveries SET next_attempt_at = $2 WHERE device_id = $1 \
               AND status = 'waiting' AND (next_attempt_at IS NULL OR next_attempt_at > $2)";
    tx.execute(sql, values![device, now]).await?;
    Ok(())
}
