//! What devices were last seen doing, kept in memory and written with the next commit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{DeviceId, Seq};
use showdesk_store::people::Sighting;
use showdesk_store::{Result, Tx, people};

/// What a device's requests told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeenNote {
    pub at: DateTime<Utc>,
    pub unsent: Option<i64>,
    pub skew_ms: Option<i64>,
    pub pulled_seq: Option<Seq>,
    /// The oldest cursor the device may still hold.
    pub cursor_seq: Option<Seq>,
}

impl SeenNote {
    /// A request at that moment, and nothing more.
    pub(crate) fn at(at: DateTime<Utc>) -> Self {
        Self { at, unsent: None, skew_ms: None, pulled_seq: None, cursor_seq: None }
    }
}

/// The newest note a device that is not on disk yet. Bounded by the number of devices.
#[derive(Debug, Default)]
pub(crate) struct SeenMap(Mutex<HashMap<DeviceId, SeenNote>>);

impl SeenMap {
    /// Notes a request; what it does not tell stays as it was.
    pub(crate) fn note(&self, device: DeviceId, note: SeenNote) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = notes.entry(device).or_insert(note);
        known.at = note.at;
        known.unsent = note.unsent.or(known.unsent);
        known.skew_ms = note.skew_ms.or(known.skew_ms);
        known.pulled_seq = note.pulled_seq.or(known.pulled_seq);
        known.cursor_seq = note.cursor_seq.or(known.cursor_seq);
    }

    /// What is not written yet of a device.
    pub(crate) fn peek(&self, device: DeviceId) -> Option<SeenNote> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&device).copied()
    }

    /// Takes all notes and writes them. Other desks of the database write theirs: what is none stays as it is there.
    pub(crate) async fn save(&self, tx: &mut Tx) -> Result<()> {
        let notes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let sightings = notes.into_iter().map(|(device, note)| {
            let SeenNote { at, unsent, skew_ms, pulled_seq, cursor_seq } = note;
            Sighting { device, at, unsent, skew_ms, pulled_seq, cursor_seq }
        });
        people::note_seen(tx, &sightings.collect::<Vec<_>>()).await
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
