//! The one way in for requests: a bounded letter box. Who is too fast for it is counted and not waited for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::PersonId;
use tokio::sync::mpsc;

/// Requests that wait to be counted: many seconds of all that two processors can answer.
pub(super) const WAITING_MAX: usize = 16_384;

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// When.
    pub at: DateTime<Utc>,
    /// The matched route, as [`super::tasks::endpoint_of`] has it.
    pub endpoint: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The status of the answer; 0 if a phone got none.
    pub status: u16,
    /// How long it took, without the time that its body was on its way.
    pub took: Duration,
    /// Who asked, if a valid pass was shown.
    pub person: Option<PersonId>,
}

impl Taken {
    /// Whether the laptop failed, or did not answer.
    pub(super) fn failed(&self) -> bool {
        self.status == 0 || self.status >= 500
    }
}

/// The letter box.
#[derive(Debug)]
pub(crate) struct Intake {
    sender: Option<mpsc::Sender<Taken>>,
    taken: AtomicU64,
    dropped: AtomicU64,
    /// What phones told beyond what one phone may tell.
    dropped_of_phones: AtomicU64,
}

impl Intake {
    /// An empty one, and where it is emptied. A closed one takes nothing and counts nothing.
    pub(super) fn new(is_open: bool) -> (Self, mpsc::Receiver<Taken>) {
        let (sender, taken) = mpsc::channel(WAITING_MAX);
        let intake = Self {
            sender: is_open.then_some(sender),
            taken: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            dropped_of_phones: AtomicU64::new(0),
        };
        (intake, taken)
    }

    pub(super) fn is_open(&self) -> bool {
        self.sender.is_some()
    }

    /// Takes a request, or drops and counts it if there is no room.
    pub(super) fn take(&self, taken: Taken) {
        let Some(sender) = &self.sender else { return };
        let counter = if sender.try_send(taken).is_ok() { &self.taken } else { &self.dropped };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what is not even offered.
    pub(super) fn drop_of_phone(&self, rows: u64) {
        self.dropped_of_phones.fetch_add(rows, Ordering::Relaxed);
    }

    /// Counts what was taken and could not be kept.
    pub(super) fn lose(&self, rows: u64) {
        self.dropped.fetch_add(rows, Ordering::Relaxed);
    }

    /// How many were taken since the start.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// How many were dropped since the start: all, and those of phones that told too much.
    pub(super) fn dropped(&self) -> (u64, u64) {
        let of_phones = self.dropped_of_phones.load(Ordering::Relaxed);
        (self.dropped.load(Ordering::Relaxed) + of_phones, of_phones)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_letter_box_drops_and_counts_and_never_waits() {
        let (intake, mut letters) = Intake::new(true);
        let taken = Taken {
            at: DateTime::UNIX_EPOCH,
            endpoint: super::super::tasks::UNMATCHED,
            method: "GET",
            status: 200,
            took: Duration::ZERO,
            person: None,
        };
        // Outside of any runtime: something that waited would panic.
        for _ in 0..WAITING_MAX + 7 {
            intake.take(taken);
        }
        assert_eq!((intake.taken(), intake.dropped()), (WAITING_MAX as u64, (7, 0)));
        assert!(letters.try_recv().is_ok());
        intake.take(taken);
        assert_eq!((intake.taken(), intake.dropped()), (WAITING_MAX as u64 + 1, (7, 0)), "there is room again");
        drop(letters);
        intake.take(taken);
        assert_eq!(intake.dropped(), (8, 0), "nobody empties it any more");
    }
}
