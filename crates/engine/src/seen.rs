//! What devices were last seen doing, kept in memory and written with the next commit.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{DeviceId, Seq};
use showdesk_store::absences::AbsenceRow;
use showdesk_store::people::Sighting;
use showdesk_store::{Result, Tx, absences, people};

/// A phone that says that it holds more entries is not believed: the numbers of all phones are added up.
pub(crate) const UNSENT_MAX: i64 = 1_000_000;
/// Absences that wait for the next commit; more are not kept.
const ABSENCES_MAX: usize = 4_096;

/// What a device's requests told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeenNote {
    pub at: DateTime<Utc>,
    pub unsent: Option<i64>,
    pub skew_ms: Option<i64>,
    pub pulled_seq: Option<Seq>,
    /// The oldest cursor the device may still hold.
    pub cursor_seq: Option<Seq>,
    /// Since when the oldest entry that it still holds waits.
    pub oldest_unsent_at: Option<DateTime<Utc>>,
    /// How it shows its page.
    pub level: Option<&'static str>,
}

impl SeenNote {
    /// A request at that moment, and nothing more.
    pub(crate) fn at(at: DateTime<Utc>) -> Self {
        Self {
            at,
            unsent: None,
            skew_ms: None,
            pulled_seq: None,
            cursor_seq: None,
            oldest_unsent_at: None,
            level: None,
        }
    }
}

/// The newest note a device that is not on disk yet. Bounded by the number of devices.
#[derive(Debug, Default)]
pub(crate) struct SeenMap(Mutex<Unwritten>);

#[derive(Debug, Default, Clone)]
struct Unwritten {
    notes: HashMap<DeviceId, SeenNote>,
    absences: Vec<AbsenceRow>,
}

/// What [`SeenMap::save`] wrote into a transaction. Only the one writer saves.
pub(crate) struct Written(Unwritten);

impl SeenMap {
    /// Notes a request; what it does not tell stays as it was.
    pub(crate) fn note(&self, device: DeviceId, note: SeenNote) {
        let mut unwritten = self.unwritten();
        let known = unwritten.notes.entry(device).or_insert(note);
        known.at = note.at;
        known.unsent = note.unsent.or(known.unsent);
        known.skew_ms = note.skew_ms.or(known.skew_ms);
        known.pulled_seq = note.pulled_seq.or(known.pulled_seq);
        known.cursor_seq = note.cursor_seq.or(known.cursor_seq);
        known.oldest_unsent_at = note.oldest_unsent_at.or(known.oldest_unsent_at);
        known.level = note.level.or(known.level);
    }

    /// Notes that a device was away and is back.
    pub(crate) fn note_absence(&self, absence: AbsenceRow) {
        let mut unwritten = self.unwritten();
        if unwritten.absences.len() < ABSENCES_MAX {
            unwritten.absences.push(absence);
        }
    }

    /// What is not written yet of a device.
    pub(crate) fn peek(&self, device: DeviceId) -> Option<SeenNote> {
        self.unwritten().notes.get(&device).copied()
    }

    /// Writes all notes, and tells which these are. Other desks of the database write theirs: what is none stays as it
    /// is there.
    pub(crate) async fn save(&self, tx: &mut Tx) -> Result<Written> {
        let unwritten = self.unwritten().clone();
        for absence in &unwritten.absences {
            absences::add(tx, absence).await?;
        }
        let sightings = unwritten.notes.iter().map(|(device, note)| {
            let SeenNote { at, unsent, skew_ms, pulled_seq, cursor_seq, oldest_unsent_at, level } = *note;
            Sighting { device: *device, at, unsent, skew_ms, pulled_seq, cursor_seq, oldest_unsent_at, level }
        });
        people::note_seen(tx, &sightings.collect::<Vec<_>>()).await?;
        Ok(Written(unwritten))
    }

    /// Forgets what is on disk now. A device that was heard of meanwhile keeps its newer note, and if the transaction was
    /// not committed all of it is written again by the next.
    pub(crate) fn forget(&self, Written(written): Written) {
        let mut unwritten = self.unwritten();
        unwritten.notes.retain(|device, note| written.notes.get(device) != Some(note));
        unwritten.absences.drain(..written.absences.len());
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.unwritten().notes.is_empty()
    }

    fn unwritten(&self) -> MutexGuard<'_, Unwritten> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn absence(device: DeviceId, second: i64) -> AbsenceRow {
        AbsenceRow { device, away_from: at(second), back_at: at(second + 60) }
    }

    #[test]
    fn only_what_was_written_is_forgotten() {
        let [quiet, busy] = [1, 2].map(|number| DeviceId(Uuid::from_u128(number)));
        let seen = SeenMap::default();
        seen.note(quiet, SeenNote { unsent: Some(3), ..SeenNote::at(at(0)) });
        seen.note(busy, SeenNote::at(at(0)));
        seen.note_absence(absence(quiet, 0));
        let written = Written(seen.unwritten().clone());
        assert_eq!(seen.peek(quiet).unwrap().unsent, Some(3), "while it is written it is still known");
        seen.note(busy, SeenNote::at(at(5)));
        seen.note_absence(absence(busy, 1));
        seen.forget(written);
        assert_eq!(seen.peek(quiet), None);
        assert_eq!(seen.peek(busy), Some(SeenNote::at(at(5))));
        assert_eq!(seen.unwritten().absences, [absence(busy, 1)]);
    }
}
