//! Errors on their way into the record of problems.
//!
//! Whoever meets an error hands it to [`Faults`] and goes on: the channel is bounded, handing over never waits, and what
//! finds it full is dropped and counted. The intake groups what gathered and writes it in one transaction. Secrets and
//! people are taken out before anything is stored. The intake's own troubles never come back to it.

mod intake;
mod keeping;
mod problems;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_store::people;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::Engine;
use crate::api::errors::ErrorReport;
pub(crate) use intake::Intake;

/// Errors that wait to be written.
const WAITING_MAX: usize = 1_024;
/// Letters of a text that are handed over; most of them are cut later.
const TEXT_BYTES_MAX: usize = 32 * 1024;
/// Letters of a kind, a route.
const WORD_CHARS_MAX: usize = 120;
/// Errors that one phone may tell in a minute: a page that fails in a circle says nothing new.
const OF_DEVICE_MAX: u32 = 100;
/// Phones whose errors of this minute are counted; there are no more places than for phones.
const DEVICES_MAX: usize = 4_096;

tokio::task_local! {
    /// Set while errors are being written: whatever fails there is no error to be written.
    static WRITING: ();
}

/// An error.
#[derive(Debug, Clone, Default)]
pub struct Fault {
    /// Said by who meets it, where one place of the code is one problem.
    pub key: Option<String>,
    /// `panic`, `TypeError`, `internal`: what kind of error it is.
    pub kind: String,
    /// Its text.
    pub message: String,
    /// Its stack, as the runtime wrote it.
    pub stack: Option<String>,
    /// The matched path with its method, or the page.
    pub route: Option<String>,
    /// What was around it.
    pub context: Map<String, Json>,
    /// On whose phone; none at the desk.
    pub device: Option<Uuid>,
    /// Whom it met.
    pub person: Option<Uuid>,
    /// The number that the person was shown.
    pub request_id: Option<Uuid>,
    /// Whether a phone's page met it.
    pub is_phones: bool,
    /// When, by the laptop's clock; none is now.
    pub at: Option<DateTime<Utc>>,
}

/// Where errors are handed over. Cloning it is cheap. It is there before a show is opened and after it is closed; what
/// comes then waits.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    sender: mpsc::Sender<Fault>,
    receiver: Arc<tokio::sync::Mutex<mpsc::Receiver<Fault>>>,
    dropped: AtomicU64,
    of_devices: Mutex<Minute>,
}

/// How many errors each device told in a minute.
#[derive(Default)]
struct Minute {
    at: i64,
    told: HashMap<Uuid, u32>,
}

impl Default for Faults {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
        Self(Arc::new(Shared { sender, receiver, dropped: AtomicU64::new(0), of_devices: Mutex::default() }))
    }
}

impl Faults {
    /// Hands an error over. Never waits.
    pub fn note(&self, fault: Fault) {
        if is_writing() {
            return;
        }
        if self.0.sender.try_send(fault.bounded()).is_err() {
            self.drop_some(1);
        }
    }

    /// How many errors found no place, since the start of the program.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Takes what waits while no show is open to take it.
    pub fn take_waiting(&self) -> Vec<Fault> {
        let Ok(mut waiting) = self.0.receiver.try_lock() else { return Vec::new() };
        std::iter::from_fn(|| waiting.try_recv().ok()).collect()
    }

    fn drop_some(&self, count: usize) {
        self.0.dropped.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether a device may tell one more error in this minute.
    fn may_tell(&self, device: Uuid, now: DateTime<Utc>) -> bool {
        let mut minute = self.0.of_devices.lock().unwrap_or_else(PoisonError::into_inner);
        let at = now.timestamp().div_euclid(60);
        if minute.at != at {
            *minute = Minute { at, told: HashMap::new() };
        }
        if minute.told.len() >= DEVICES_MAX && !minute.told.contains_key(&device) {
            return false;
        }
        let told = minute.told.entry(device).or_default();
        *told = told.saturating_add(1);
        *told <= OF_DEVICE_MAX
    }
}

/// Whether the present task writes errors down: what fails there must not come back.
pub fn is_writing() -> bool {
    WRITING.try_with(|()| ()).is_ok()
}

impl Fault {
    fn bounded(mut self) -> Self {
        cut_bytes(&mut self.message, TEXT_BYTES_MAX);
        if let Some(stack) = &mut self.stack {
            cut_bytes(stack, TEXT_BYTES_MAX);
        }
        for word in [Some(&mut self.kind), self.route.as_mut(), self.key.as_mut()].into_iter().flatten() {
            if let Some((end, _)) = word.char_indices().nth(WORD_CHARS_MAX) {
                word.truncate(end);
            }
        }
        self
    }
}

fn cut_bytes(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        let mut end = bytes_max;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

/// How old an error may be that a page tells of.
const OLDEST_TOLD: chrono::TimeDelta = chrono::TimeDelta::days(30);

impl Engine {
    /// Notes an error of the desk. Never waits.
    #[cfg(test)]
    pub(crate) fn note_fault(&self, fault: Fault) {
        self.inner.faults.note(fault);
    }

    /// Takes the errors that a page tells of. What is too much is dropped and counted.
    pub async fn take_errors(&self, actor: &Actor, errors: Vec<ErrorReport>) {
        let now = self.now();
        let skew_ms = self.skew_ms(actor.device).await;
        let by_laptop = |at: DateTime<Utc>| {
            let at = at.checked_sub_signed(chrono::TimeDelta::milliseconds(skew_ms)).unwrap_or(now);
            // What is older would be cleaned up at once.
            at.clamp(now - OLDEST_TOLD, now)
        };
        for error in errors {
            if !self.inner.faults.may_tell(actor.device.0, now) {
                self.inner.faults.drop_some(1);
                continue;
            }
            let context = error.context.unwrap_or_default();
            let place = ["route", "page"].iter().find_map(|name| context.get(*name)?.as_str());
            self.inner.faults.note(Fault {
                key: None,
                kind: if error.error_type.trim().is_empty() { "error".to_owned() } else { error.error_type },
                message: error.message,
                stack: error.stack_trace,
                route: place.map(str::to_owned),
                context,
                device: Some(actor.device.0),
                person: Some(actor.person.0),
                request_id: None,
                is_phones: actor.device_kind == DeviceKind::Phone,
                at: error.at.map(by_laptop),
            });
        }
    }

    /// How far a device's clock is ahead, as it was told last; none if that is not known.
    async fn skew_ms(&self, device: DeviceId) -> i64 {
        if let Some(skew_ms) = self.inner.seen.peek(device).and_then(|note| note.skew_ms) {
            return skew_ms;
        }
        let stored = async {
            let mut tx = self.begin_read_desk().await?;
            crate::Result::Ok(people::device(&mut tx, device).await?.map(|row| row.skew_ms))
        };
        // An error at the wrong minute is better than none.
        stored.await.ok().flatten().unwrap_or(0)
    }

    /// How many errors found no place, since the start of the program.
    pub fn faults_dropped(&self) -> u64 {
        self.inner.faults.dropped()
    }
}

/// Whom an error met.
fn met(fault: &Fault) -> (Option<PersonId>, Option<DeviceId>) {
    (fault.person.map(PersonId), fault.device.map(DeviceId))
}

#[cfg(test)]
pub(crate) mod tests;
