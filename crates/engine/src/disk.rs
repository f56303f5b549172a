//! Whether the desk may write: is there room on the disk, and has the disk never failed under us?
//!
//! A full disk mends itself when somebody makes room. A failed write or `fsync` does not: the system may
//! have forgotten what it could not write, and the same `fsync` asked again would succeed without it. So
//! after the first fault nothing is written, and nothing acknowledged, until the desk is started again and
//! reads what is really there. Reads go on in both cases.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use showdesk_store::{StoreError, Tx};

use crate::{Engine, EngineError, Result};

/// Below this the log warns.
const LOW_BYTES: u64 = 1024 * 1024 * 1024;
/// Below this nothing is written, unless another reserve was asked for.
pub const DISK_RESERVE_BYTES: u64 = 200 * 1024 * 1024;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    Enough,
    Low,
    Reserve,
}

impl Room {
    fn of(free_bytes: u64, reserve_bytes: u64) -> Self {
        if free_bytes < reserve_bytes {
            Self::Reserve
        } else if free_bytes < LOW_BYTES {
            Self::Low
        } else {
            Self::Enough
        }
    }
}

/// The disk of the data folder, as far as writing is concerned.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    reserve_bytes: AtomicU64,
    failed: AtomicBool,
    /// The room there was when it was last looked at, so that the log hears of changes only.
    told: AtomicU8,
}

impl Disk {
    pub(crate) fn new(folder: PathBuf, reserve_bytes: u64) -> Self {
        let (reserve_bytes, told) = (AtomicU64::new(reserve_bytes), AtomicU8::new(Room::Enough as u8));
        Self { folder, reserve_bytes, failed: AtomicBool::new(false), told }
    }

    /// From now on so much stays free: a test fills no disk.
    #[cfg(test)]
    pub(crate) fn reserve(&self, bytes: u64) {
        self.reserve_bytes.store(bytes, Ordering::Release);
    }

    /// Whether a transaction that writes may begin.
    pub(crate) fn may_write(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(EngineError::ReadOnly);
        }
        match fs4::available_space(&self.folder) {
            Ok(free_bytes) if self.look(free_bytes) == Room::Reserve => Err(EngineError::DiskFull),
            Ok(_) => Ok(()),
            Err(error) => {
                // The write itself will tell what is wrong with the folder.
                tracing::warn!(%error, "how much room the disk has cannot be read");
                Ok(())
            }
        }
    }

    /// How much room there is; none if the system does not tell.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        fs4::available_space(&self.folder).ok()
    }

    fn look(&self, free_bytes: u64) -> Room {
        let room = Room::of(free_bytes, self.reserve_bytes.load(Ordering::Acquire));
        if self.told.swap(room as u8, Ordering::AcqRel) != room as u8 {
            let free_mib = free_bytes / (1024 * 1024);
            match room {
                Room::Enough => tracing::info!(free_mib, "the disk has room again"),
                Room::Low => tracing::warn!(free_mib, "the disk is getting full"),
                Room::Reserve => tracing::error!(free_mib, "the disk is full: the desk can be read and saves nothing"),
            }
        }
        room
    }

    /// What became of a transaction that wrote: a fault of the disk ends all writing.
    pub(crate) fn settled<T>(&self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Err(EngineError::Store(cause @ StoreError::DiskFault(_))) => Err(self.fail(&cause)),
            other => other,
        }
    }

    /// The mark beside the database could not be written after a commit: nothing of it is acknowledged. Where only room
    /// is lacking, sending it again finds it done.
    pub(crate) fn mark_failed(&self, cause: &io::Error) -> EngineError {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => EngineError::DiskFull,
            _ => self.fail(cause),
        }
    }

    /// The disk failed: nothing is written any more.
    pub(crate) fn fail(&self, cause: &dyn std::error::Error) -> EngineError {
        if !self.failed.swap(true, Ordering::AcqRel) {
            let why = cause.source().unwrap_or(cause);
            tracing::error!(%cause, %why, "the disk failed: the desk saves nothing until it is started again");
        }
        EngineError::ReadOnly
    }
}

#[cfg(test)]
impl Disk {
    /// As if it had never failed.
    pub(crate) fn mend(&self) {
        self.failed.store(false, Ordering::Release);
    }
}

impl Engine {
    /// Ends a transaction that wrote beside the writer. It may have written who may do what: tokens are looked up again.
    pub(crate) async fn commit(&self, tx: Tx) -> Result<()> {
        let committed = self.inner.disk.settled(tx.commit().await.map_err(EngineError::from));
        self.inner.tokens.forget();
        committed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn the_log_warns_below_a_gibibyte_and_the_reserve_stays_free() {
        for (free_mib, reserve_mib, room) in [
            (1_024, 200, Room::Enough),
            (1_023, 200, Room::Low),
            (200, 200, Room::Low),
            (199, 200, Room::Reserve),
            (0, 0, Room::Low),
        ] {
            assert_eq!(Room::of(free_mib * MIB, reserve_mib * MIB), room, "{free_mib} of {reserve_mib}");
        }
    }

    #[test]
    fn a_full_disk_recovers_and_a_failed_one_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let full = Disk::new(folder.path().to_owned(), u64::MAX);
        assert!(matches!(full.may_write(), Err(EngineError::DiskFull)));
        let disk = Disk::new(folder.path().to_owned(), 0);
        assert!(disk.may_write().is_ok());
        assert!(matches!(disk.settled::<()>(Err(EngineError::DiskFull)), Err(EngineError::DiskFull)));
        assert!(matches!(disk.mark_failed(&io::ErrorKind::StorageFull.into()), EngineError::DiskFull));
        assert!(disk.may_write().is_ok(), "room may come back");
        assert!(matches!(disk.fail(&std::io::Error::other("EIO")), EngineError::ReadOnly));
        assert!(matches!(disk.may_write(), Err(EngineError::ReadOnly)));
    }
}
