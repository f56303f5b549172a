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

#[derive(Debug, Default)]
struct Unwritten {
    notes: HashMap<DeviceId, SeenNote>,
    absences: Vec<AbsenceRow>,
}

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

    /// Takes all notes and writes them. Other desks of the database write theirs: what is none stays as it is there.
    pub(crate) async fn save(&self, tx: &mut Tx) -> Result<()> {
        let Unwritten { notes, absences } = std::mem::take(&mut *self.unwritten());
        for absence in &absences {
            absences::add(tx, absence).await?;
        }
        let sightings = notes.into_iter().map(|(device, note)| {
            let SeenNote { at, unsent, skew_ms, pulled_seq, cursor_seq, oldest_unsent_at, level } = note;
            Sighting { device, at, unsent, skew_ms, pulled_seq, cursor_seq, oldest_unsent_at, level }
        });
        people::note_seen(tx, &sightings.collect::<Vec<_>>()).await
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.unwritten().notes.is_empty()
    }

    fn unwritten(&self) -> MutexGuard<'_, Unwritten> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
