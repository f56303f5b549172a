//! Messages that go out before a class follow it when it is moved.

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::ids::RecordId;
use showdesk_domain::notices::facts::{Facts, takes_place};
use showdesk_domain::record::Record;
use showdesk_domain::schema::known_table;
use showdesk_domain::world::World;
use showdesk_store::notifications::{self as rows, NotificationRow};
use showdesk_store::{Result, Tx, records};

use super::Outbox;

/// Classes have another time, or take place no more: what is to go out before them has another time, too; without one
/// it waits.
pub(super) async fn follow_classes(tx: &mut Tx, world: &World, facts: &Facts, outbox: &mut Outbox) -> Result<()> {
    for mut row in rows::before_classes(tx, &facts.followed).await? {
        let class = row.before_class_id.and_then(|id| world.record(("classes", RecordId(id))));
        let send_at = time_of(&row, class);
        if row.send_at != send_at {
            row.send_at = send_at;
            rows::rewrite(tx, &row).await?;
            outbox.changed();
        }
    }
    Ok(())
}

/// When a message goes out, by the class as it stands in this transaction: it may have been moved since somebody wrote
/// the message. Until `undo_until` it can be taken back, if it can.
pub(super) async fn time_now(
    tx: &mut Tx,
    row: &NotificationRow,
    undo_until: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>> {
    let Some(id) = row.before_class_id else { return Ok(row.send_at) };
    let class = records::load(tx, known_table("classes"), &[RecordId(id)]).await?;
    Ok(time_of(row, class.first()).map(|at| undo_until.map_or(at, |until| at.max(until))))
}

fn time_of(row: &NotificationRow, class: Option<&Record>) -> Option<DateTime<Utc>> {
    let class = class.filter(|class| class.is_live() && takes_place(class.value("status")))?;
    let planned = class.value("planned_at").as_instant()?;
    planned.checked_sub_signed(TimeDelta::minutes(row.before_minutes.unwrap_or(0)))
}
