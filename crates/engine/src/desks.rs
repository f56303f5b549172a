//! The desk of a data folder, and where phones reach the other desks of the same database.
//!
//! Each data folder is a desk with a device of its own. Desks of one Postgres say every few seconds that
//! they live; whether another one lives is told by its beat moving on, never by comparing two clocks.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_store::desks::DeskRow;
use showdesk_store::people::DeviceRow;
use showdesk_store::{Tx, desks, people};
use uuid::Uuid;

use crate::ids::fresh_id;
use crate::sidecar::sync_folder;
use crate::{Engine, EngineError, Result};

/// The file of the data folder that names its desk.
const FILE: &str = "desk.id";
/// How often a desk says that it lives.
const BEAT_EVERY: Duration = Duration::from_secs(3);
/// A desk whose beat has not moved for so long is not offered to phones.
const SILENT_AFTER: Duration = Duration::from_secs(12);

/// The other desks, as they were last seen. Bounded by the number of desks.
#[derive(Debug, Default)]
pub(crate) struct LiveDesks(Mutex<HashMap<DeviceId, LiveDesk>>);

#[derive(Debug)]
struct LiveDesk {
    beat: i64,
    moved_at: Instant,
    addresses: Vec<String>,
}

impl LiveDesks {
    /// Takes what the table says now. A desk seen for the first time counts as live until it stays silent.
    fn note(&self, own: DeviceId, rows: Vec<DeskRow>, now: Instant) {
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = std::mem::take(&mut *live);
        for row in rows.into_iter().filter(|row| row.device_id != own) {
            let before = known.remove(&row.device_id).filter(|before| before.beat == row.beat);
            let moved_at = before.map_or(now, |before| before.moved_at);
            live.insert(row.device_id, LiveDesk { beat: row.beat, moved_at, addresses: row.addresses });
        }
    }

    fn addresses(&self, now: Instant) -> Vec<String> {
        let live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lives = |desk: &&LiveDesk| now.saturating_duration_since(desk.moved_at) < SILENT_AFTER;
        let mut addresses: Vec<String> = live.values().filter(lives).flat_map(|desk| desk.addresses.clone()).collect();
        addresses.sort();
        addresses.dedup();
        addresses
    }
}

impl Engine {
    /// This data folder's own device.
    pub fn desk_device_id(&self) -> Uuid {
        self.inner.desk_device.0
    }

    /// Tells the other desks of the database where phones reach this one, as long as the engine is open.
    pub fn share_addresses(&self, addresses: impl Fn() -> Vec<String> + Send + Sync + 'static) {
        if !self.db().is_shared() {
            return;
        }
        let inner = std::sync::Arc::downgrade(&self.inner);
        let beating = tokio::spawn(async move {
            loop {
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                if let Err(error) = engine.beat(&addresses()).await {
                    tracing::debug!(%error, "the other desks could not be told that this one lives");
                }
                drop(engine);
                tokio::time::sleep(BEAT_EVERY).await;
            }
        });
        self.background().push(beating.abort_handle());
    }

    /// Where phones reach the other live desks of the database.
    pub fn neighbour_addresses(&self) -> Vec<String> {
        self.inner.live_desks.addresses(Instant::now())
    }

    async fn beat(&self, addresses: &[String]) -> Result<()> {
        let mut tx = self.begin_write_work().await?;
        desks::note_beat(&mut tx, self.inner.desk_device, addresses, self.now()).await?;
        let rows = desks::list(&mut tx).await?;
        self.commit(tx).await?;
        self.inner.live_desks.note(self.inner.desk_device, rows, Instant::now());
        Ok(())
    }

    /// Phones are no longer sent here.
    pub(crate) async fn say_goodbye(&self) {
        let goodbye = async {
            let mut tx = self.begin_write_work().await?;
            desks::remove(&mut tx, self.inner.desk_device).await?;
            self.commit(tx).await
        };
        if let Err(error) = goodbye.await {
            tracing::warn!(%error, "the other desks could not be told that this one stops");
        }
    }
}

/// The device of this folder's desk. The folder of the database itself has the database's first desk; another folder
/// makes its own when it comes for the first time, or when its device was removed.
pub(crate) async fn device_of_folder(
    tx: &mut Tx,
    folder: &Path,
    first: DeviceId,
    is_first: bool,
    now: DateTime<Utc>,
) -> Result<DeviceId> {
    let kept = match read(folder).map_err(|error| in_folder(&error))? {
        Some(id) => people::device(tx, id).await?,
        None => None,
    };
    if let Some(device) = kept.filter(|device| device.kind == DeviceKind::Desk && device.revoked_at.is_none()) {
        return Ok(device.id);
    }
    if is_first {
        return Ok(first);
    }
    let owner = people::device(tx, first).await?.ok_or(EngineError::NotFound("the first desk's device"))?;
    let number = people::count_desks(tx).await? + 1;
    let device = desk_device(owner.person, format!("Laptop {number}"), now);
    people::add_device(tx, &device).await?;
    Ok(device.id)
}

/// A desk's device that has not been seen yet.
pub(crate) fn desk_device(person: PersonId, name: String, now: DateTime<Utc>) -> DeviceRow {
    let id = DeviceId(fresh_id(now));
    DeviceRow::joining(id, person, DeviceKind::Desk, name, now)
}

/// Remembers the folder's desk for the next start.
pub(crate) fn keep(folder: &Path, device: DeviceId) -> Result<()> {
    if read(folder).ok().flatten() == Some(device) {
        return Ok(());
    }
    let beside = folder.join(format!("{FILE}.new"));
    let write = || {
        std::fs::write(&beside, device.0.to_string())?;
        std::fs::File::open(&beside)?.sync_all()?;
        std::fs::rename(&beside, folder.join(FILE))?;
        sync_folder(folder)
    };
    write().map_err(|error| in_folder(&error))
}

/// None if there is no file, or none of ours.
fn read(folder: &Path) -> io::Result<Option<DeviceId>> {
    match std::fs::read_to_string(folder.join(FILE)) {
        Ok(text) => Ok(Uuid::try_parse(text.trim()).ok().map(DeviceId)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn in_folder(error: &io::Error) -> EngineError {
    EngineError::Folder(format!("{FILE}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(desk: u128, beat: i64) -> DeskRow {
        DeskRow {
            device_id: DeviceId(Uuid::from_u128(desk)),
            addresses: vec![format!("http://192.168.1.{desk}:7420")],
            beat,
            last_seen: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_desk_is_live_while_its_beat_moves_whatever_its_clock_says() {
        let (live, start) = (LiveDesks::default(), Instant::now());
        let own = DeviceId(Uuid::from_u128(1));
        live.note(own, vec![row(1, 5), row(2, 8)], start);
        assert_eq!(live.addresses(start), ["http://192.168.1.2:7420"], "never its own");
        let later = start + SILENT_AFTER;
        live.note(own, vec![row(1, 9), row(2, 8)], later);
        assert!(live.addresses(later).is_empty(), "it did not move");
        live.note(own, vec![row(1, 9), row(2, 9)], later);
        assert_eq!(live.addresses(later).len(), 1, "it lives again");
        live.note(own, vec![row(1, 9)], later);
        assert!(live.addresses(later).is_empty(), "it said goodbye");
    }

    #[test]
    fn a_folder_remembers_its_desk() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()).expect("readable"), None);
        let device = DeviceId(Uuid::from_u128(7));
        keep(folder.path(), device).expect("kept");
        assert_eq!(read(folder.path()).expect("readable"), Some(device));
        std::fs::write(folder.path().join(FILE), "no id").expect("written");
        assert_eq!(read(folder.path()).expect("readable"), None, "a damaged file names nobody");
    }
}
