//! What is known of alerts while the program runs: where rules stand, and what was said and could not be written down.
//!
//! A full disk takes no event that says so. It is told all the same, from here, to the desk's page and to the desktop,
//! and written as soon as that can be done; pushes and webhooks wait for that.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use showdesk_domain::ids::DeviceId;
use showdesk_push::webhook::WebhookSender;
use showdesk_store::telemetry::alerts::EventRow;
use showdesk_telemetry::alerts::Settings;
use tokio::sync::{Mutex as AsyncMutex, Notify};
use uuid::Uuid;

use super::round::Stand;
use super::rules::{self, KnownRule};

/// Events that wait to be written; beyond them the oldest goes.
pub(super) const UNWRITTEN_MAX: usize = 200;

/// The rules as they are followed.
#[derive(Clone)]
pub(super) struct Following {
    pub(super) rules: Vec<KnownRule>,
    pub(super) settings: Settings,
}

impl Default for Following {
    fn default() -> Self {
        Self { rules: rules::as_they_came(), settings: Settings::default() }
    }
}

/// Where a rule stood at the last look, with what is not worth a row: the last values.
#[derive(Clone)]
pub(super) struct Remembered {
    pub(super) stand: Stand,
    /// Whether it is what was last written.
    pub(super) is_written: bool,
}

impl Remembered {
    /// Whether it holds although that is what is stored: it says the same, or could not be written. Else another desk
    /// had the turn.
    pub(super) fn counts_beside(&self, stored: &Stand) -> bool {
        !self.is_written || self.stand.is_same(stored)
    }
}

/// What is known while the program runs.
#[derive(Default)]
pub(crate) struct Alerts {
    /// Something has happened that a rule may be about.
    pub(super) hurry: Arc<Notify>,
    /// Something waits to go out.
    pub(super) goes_out: Arc<Notify>,
    /// One look at a time: two at once would both tell the same.
    pub(super) looking: AsyncMutex<()>,
    stands: Mutex<HashMap<(DeviceId, String), Remembered>>,
    /// As they were last read: they are followed also while nothing can be read.
    following: Mutex<Following>,
    unwritten: Mutex<VecDeque<EventRow>>,
    /// Made with the first message to a webhook.
    pub(super) sender: AsyncMutex<Option<Arc<WebhookSender>>>,
}

impl Alerts {
    /// Looks at the rules soon.
    pub(crate) fn hurry(&self) {
        self.hurry.notify_one();
    }

    pub(super) fn stand(&self, desk: DeviceId, rule: &str) -> Option<Remembered> {
        locked(&self.stands).get(&(desk, rule.to_owned())).cloned()
    }

    pub(super) fn keep(&self, desk: DeviceId, rule: &str, stand: Stand, is_written: bool) {
        locked(&self.stands).insert((desk, rule.to_owned()), Remembered { stand, is_written });
    }

    pub(super) fn forget(&self, rule: &str) {
        locked(&self.stands).retain(|(_, known), _| known != rule);
    }

    pub(super) fn following(&self) -> Following {
        locked(&self.following).clone()
    }

    pub(super) fn follow(&self, following: &Following) {
        locked(&self.following).clone_from(following);
    }

    /// What was said and is not written, the oldest first.
    pub(super) fn unwritten(&self) -> Vec<EventRow> {
        locked(&self.unwritten).iter().cloned().collect()
    }

    pub(super) fn hold(&self, rows: impl IntoIterator<Item = EventRow>) {
        let mut unwritten = locked(&self.unwritten);
        unwritten.extend(rows);
        while unwritten.len() > UNWRITTEN_MAX {
            unwritten.pop_front();
        }
    }

    /// These are written now.
    pub(super) fn let_go(&self, written: &[EventRow]) {
        let is_written = |id: Uuid| written.iter().any(|row| row.id == id);
        locked(&self.unwritten).retain(|row| !is_written(row.id));
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
