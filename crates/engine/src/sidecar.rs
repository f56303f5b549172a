//! The mark beside the database: which epochs this desk has seen, and how far the present one had come.
//!
//! Two slots in one small file, written in turn, each with its number and a checksum: a write that was
//! cut short leaves the other slot. The file has its full size from the start, so that a mark costs one
//! write in place and one `fdatasync`. It decides nothing; `epoch` compares it with the database.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use showdesk_domain::ids::Seq;
use uuid::Uuid;

/// The file in the data folder.
const FILE: &str = "epoch.mark";
/// What a slot begins with; the digit is the version of its form.
const MAGIC: &[u8; 8] = b"SHOWDSK1";
/// Each slot lies in a page of its own, so that a torn write cannot reach the other.
const SLOT_BYTES: usize = 4_096;
const SLOTS: usize = 2;
/// Magic, number, epoch, clock, count of epochs.
const HEAD_BYTES: usize = 8 + 8 + 16 + 8 + 8;
const CHECKSUM_BYTES: usize = 32;
/// Epochs that are remembered, newest kept; one more for each time the show was restored.
pub(crate) const EPOCHS_MAX: usize = 200;

const _: () = assert!(HEAD_BYTES + EPOCHS_MAX * 16 + CHECKSUM_BYTES <= SLOT_BYTES, "a full slot fits its page");

/// What is known of the database beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Every epoch this desk has seen, oldest first, the present one included.
    pub epochs: Vec<Uuid>,
    /// The present one.
    pub epoch: Uuid,
    /// The newest change number that was committed in it.
    pub clock: Seq,
}

impl Mark {
    /// The mark after this epoch was seen at this clock.
    pub(crate) fn after(previous: Option<&Self>, epoch: Uuid, clock: Seq) -> Self {
        let mut epochs = previous.map(|mark| mark.epochs.clone()).unwrap_or_default();
        if !epochs.contains(&epoch) {
            epochs.push(epoch);
        }
        let surplus = epochs.len().saturating_sub(EPOCHS_MAX);
        epochs.drain(..surplus);
        Self { epochs, epoch, clock }
    }

    fn encode(&self, number: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.epochs.len() * 16 + CHECKSUM_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(self.epoch.as_bytes());
        bytes.extend_from_slice(&self.clock.0.to_le_bytes());
        let count = u64::try_from(self.epochs.len()).expect("a few epochs");
        bytes.extend_from_slice(&count.to_le_bytes());
        self.epochs.iter().for_each(|epoch| bytes.extend_from_slice(epoch.as_bytes()));
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// The mark of a slot and its number; none if the slot was never written, or not to its end.
    fn decode(slot: &[u8]) -> Option<(u64, Self)> {
        let number = |at: usize| slot.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let id = |at: usize| slot.get(at..at + 16).and_then(|bytes| Uuid::from_slice(bytes).ok());
        let count = usize::try_from(number(40)?).ok().filter(|count| *count <= EPOCHS_MAX)?;
        let end = HEAD_BYTES + count * 16;
        let checksum = slot.get(end..end + CHECKSUM_BYTES)?;
        if !slot.starts_with(MAGIC) || Sha256::digest(&slot[..end]).as_slice() != checksum {
            return None;
        }
        let epochs = (0..count).map(|index| id(HEAD_BYTES + index * 16)).collect::<Option<Vec<_>>>()?;
        let clock = Seq(i64::from_le_bytes(slot.get(32..40)?.try_into().ok()?));
        Some((number(8)?, Self { epochs, epoch: id(16)?, clock }))
    }
}

/// The opened file.
#[derive(Debug)]
pub(crate) struct Sidecar {
    file: File,
    /// How many marks were written since the file was made.
    number: u64,
}

impl Sidecar {
    /// Opens the folder's file, making it if it is missing, and reads its newest whole mark.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Option<Mark>)> {
        let path = folder.join(FILE);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        (&mut file).take(u64::try_from(SLOTS * SLOT_BYTES).expect("a small file")).read_to_end(&mut bytes)?;
        if bytes.len() < SLOTS * SLOT_BYTES {
            let missing = vec![0; SLOTS * SLOT_BYTES - bytes.len()];
            file.write_all(&missing)?;
            file.sync_all()?;
            sync_folder(folder)?;
        }
        let slots = bytes.chunks(SLOT_BYTES).filter_map(Mark::decode);
        let newest = slots.max_by_key(|(number, _)| *number);
        let number = newest.as_ref().map_or(0, |(number, _)| *number);
        Ok((Self { file, number }, newest.map(|(_, mark)| mark)))
    }

    /// Writes a mark over the older one; it is on disk when this returns. After an error the newer one still stands.
    pub(crate) fn write(&mut self, mark: &Mark) -> io::Result<()> {
        let number = self.number + 1;
        let slot = number % u64::try_from(SLOTS).expect("two");
        self.file.seek(SeekFrom::Start(slot * u64::try_from(SLOT_BYTES).expect("a page")))?;
        self.file.write_all(&mark.encode(number))?;
        self.file.sync_data()?;
        self.number = number;
        Ok(())
    }
}

/// The new file's name is on disk, too.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be opened as files here; the system writes names through by itself.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(clock: i64) -> Mark {
        Mark::after(None, Uuid::from_u128(1), Seq(clock))
    }

    fn read(folder: &Path) -> Option<Mark> {
        Sidecar::open(folder).expect("it opens").1
    }

    #[test]
    fn the_newest_mark_is_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut sidecar, none) = Sidecar::open(folder.path()).expect("it opens");
        assert_eq!(none, None);
        for clock in 1..=5 {
            sidecar.write(&mark(clock)).expect("it is written");
            assert_eq!(read(folder.path()), Some(mark(clock)));
        }
        drop(sidecar);
        let (mut again, newest) = Sidecar::open(folder.path()).expect("it opens");
        assert_eq!(newest, Some(mark(5)));
        again.write(&mark(6)).expect("it is written");
        assert_eq!(read(folder.path()), Some(mark(6)));
    }

    #[test]
    fn a_write_that_was_cut_short_leaves_the_mark_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut sidecar, _) = Sidecar::open(folder.path()).expect("it opens");
        sidecar.write(&mark(7)).expect("it is written");
        let before = std::fs::read(folder.path().join(FILE)).expect("the file");
        sidecar.write(&mark(8)).expect("it is written");
        let after = std::fs::read(folder.path().join(FILE)).expect("the file");
        let written = HEAD_BYTES + 16 + CHECKSUM_BYTES;
        // The second mark lies in the first page.
        for cut in 0..written {
            let mut torn = before.clone();
            torn[..cut].copy_from_slice(&after[..cut]);
            std::fs::write(folder.path().join(FILE), &torn).expect("the file");
            assert_eq!(read(folder.path()), Some(mark(7)), "cut after {cut} bytes");
        }
        std::fs::write(folder.path().join(FILE), &after).expect("the file");
        assert_eq!(read(folder.path()), Some(mark(8)));
    }

    #[test]
    fn a_flipped_bit_anywhere_in_a_mark_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut sidecar, _) = Sidecar::open(folder.path()).expect("it opens");
        sidecar.write(&mark(7)).expect("it is written");
        sidecar.write(&mark(8)).expect("it is written");
        let whole = std::fs::read(folder.path().join(FILE)).expect("the file");
        for byte in 0..HEAD_BYTES + 16 + CHECKSUM_BYTES {
            let mut damaged = whole.clone();
            damaged[byte] ^= 0x10;
            std::fs::write(folder.path().join(FILE), &damaged).expect("the file");
            assert_eq!(read(folder.path()), Some(mark(7)), "byte {byte}");
            damaged[SLOT_BYTES + byte] ^= 0x10;
            std::fs::write(folder.path().join(FILE), &damaged).expect("the file");
            assert_eq!(read(folder.path()), None, "byte {byte} of both");
        }
    }

    #[test]
    fn the_list_of_epochs_is_bounded_and_keeps_the_newest() {
        let mut known = None;
        for number in 0..300 {
            known = Some(Mark::after(known.as_ref(), Uuid::from_u128(number), Seq(0)));
        }
        let known = known.expect("a mark");
        assert_eq!(known.epochs.len(), EPOCHS_MAX);
        assert_eq!(known.epochs.last(), Some(&Uuid::from_u128(299)));
        let folder = tempfile::tempdir().expect("a folder");
        let (mut sidecar, _) = Sidecar::open(folder.path()).expect("it opens");
        sidecar.write(&known).expect("it is written");
        assert_eq!(read(folder.path()), Some(known));
    }
}
