//! What desks of one Postgres tell each other: that something changed, never what.
//!
//! A transaction tells its wake-ups when it commits (`NOTIFY`); the other desks pass them on to their own
//! streams. Where nothing is heard, the database is looked at from time to time: a message that is lost
//! delays a reader and never loses a row. A show in a file has no neighbours, and nothing happens here.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use showdesk_domain::actor::{Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId, Seq};
use showdesk_store::notifications::notices;
use showdesk_store::people::DeviceListRow;
use showdesk_store::{Listener, Tx, meta, pairings, people};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::open::Inner;
use crate::{Engine, Result, Wake};

/// How often the database is looked at while the desk listens and hears nothing.
const LOOK_WHILE_LISTENING: Duration = Duration::from_secs(15);
/// How often it is looked at while nothing can be heard.
const LOOK_WHILE_DEAF: Duration = Duration::from_secs(1);
/// Wake-ups of one message, which has to stay below 8,000 bytes. Those of single clashes come last: there may be many.
const WAKES_TOLD_MAX: usize = 50;

/// Where this desk tells the others.
#[derive(Debug)]
pub(crate) struct Neighbours {
    /// None if there cannot be any.
    channel: Option<String>,
    /// This program; what it tells itself is not heard twice.
    own: Uuid,
}

/// One message.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    from: Uuid,
    epoch: Uuid,
    wakes: Vec<Wake>,
}

impl Neighbours {
    /// Those of a show; `shared` if the database can have several desks.
    pub(crate) fn new(installation_id: Uuid, shared: bool) -> Self {
        Self { channel: shared.then(|| format!("showdesk_{}", installation_id.simple())), own: Uuid::new_v4() }
    }

    /// Tells the wake-ups to the other desks when the transaction commits.
    pub(crate) async fn tell(&self, tx: &mut Tx, epoch: Uuid, wakes: &[Wake]) -> showdesk_store::Result<()> {
        let Some(channel) = self.channel.as_ref().filter(|_| !wakes.is_empty()) else { return Ok(()) };
        tx.notify(channel, &self.message(epoch, wakes)).await
    }

    fn message(&self, epoch: Uuid, wakes: &[Wake]) -> String {
        let is_one_of_many = |wake: &&Wake| matches!(wake, Wake::Conflict { .. });
        let first = wakes.iter().filter(|wake| !is_one_of_many(wake));
        let wakes = first.chain(wakes.iter().filter(is_one_of_many)).take(WAKES_TOLD_MAX).cloned().collect();
        serde_json::to_string(&Told { from: self.own, epoch, wakes }).expect("a wake-up is plain data")
    }

    /// What another desk has told; none if it was this one, or a program that speaks otherwise.
    fn heard(&self, text: &str) -> Option<Told> {
        serde_json::from_str::<Told>(text).ok().filter(|told| told.from != self.own)
    }
}

/// What is compared when nothing was heard.
#[derive(Debug, Clone, PartialEq)]
struct Glance {
    clock: Seq,
    /// The last event of all streams.
    event: i64,
    devices: HashMap<DeviceId, DeviceGlance>,
    waiting: Vec<Uuid>,
}

/// What of a device its streams must hear.
#[derive(Debug, Clone, PartialEq)]
struct DeviceGlance {
    person: PersonId,
    removed: bool,
    name: String,
    person_name: String,
    rights: (Role, Vec<Function>, Scope, Permissions),
    expires_at: Option<DateTime<Utc>>,
    file_asked_at: Option<DateTime<Utc>>,
}

impl DeviceGlance {
    fn of(row: DeviceListRow) -> (DeviceId, Self) {
        let DeviceListRow { device, person_name, role, functions, scope, permissions } = row;
        let glance = Self {
            person: device.person,
            removed: device.revoked_at.is_some(),
            name: device.name,
            person_name,
            rights: (role, functions, scope, permissions),
            expires_at: device.expires_at,
            file_asked_at: device.file_asked_at,
        };
        (device.id, glance)
    }
}

impl Engine {
    /// Tells wake-ups about something beside the synced rows to the other desks, when the transaction commits.
    pub(crate) async fn tell_neighbours(&self, tx: &mut Tx, wakes: &[Wake]) -> Result<()> {
        let epoch = self.inner.epoch.present().unwrap_or_default();
        Ok(self.inner.neighbours.tell(tx, epoch, wakes).await?)
    }

    /// Passes on what the other desks tell, until the handle is aborted or the engine is gone.
    pub(crate) fn follow_neighbours(&self) -> Option<AbortHandle> {
        let following = follow(Arc::downgrade(&self.inner));
        self.db().is_shared().then(|| tokio::spawn(following).abort_handle())
    }

    async fn listen(&self) -> Option<Listener> {
        let channel = self.inner.neighbours.channel.as_ref()?;
        match self.db().listen(channel).await {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(%error, "the other desks cannot be heard; the database is looked at instead");
                None
            }
        }
    }

    fn take(&self, told: Told) {
        for wake in told.wakes {
            match wake {
                // The writer compares and takes it over; then the streams hear of it.
                Wake::Epoch(epoch) => self.look_at_epoch(epoch),
                wake => {
                    if let Wake::Clock(clock) = wake {
                        self.inner.epoch.saw(told.epoch, Seq(clock));
                    }
                    self.wake(wake);
                }
            }
        }
    }

    fn look_at_epoch(&self, epoch: Uuid) {
        if self.inner.epoch.present() != Some(epoch) {
            self.inner.writer.flush();
        }
    }

    /// Looks at what changed since the last look, and wakes whom it concerns.
    async fn look(&self, last: &mut Option<Glance>) -> Result<()> {
        let mut tx = self.begin_read_desk().await?;
        let meta = meta::read(&mut tx).await?;
        let event = notices::latest_event(&mut tx).await?;
        let devices = people::devices(&mut tx).await?.into_iter().map(DeviceGlance::of).collect();
        let waiting = pairings::waiting(&mut tx, crate::pairing::LISTED_MAX)
            .await?
            .iter()
            .map(|waiting| waiting.claim.id)
            .collect();
        drop(tx);
        self.look_at_epoch(meta.epoch);
        self.inner.epoch.saw(meta.epoch, meta.clock);
        let now = Glance { clock: meta.clock, event, devices, waiting };
        if let Some(before) = last.replace(now.clone()) {
            if now.clock != before.clock {
                self.wake(Wake::Clock(now.clock.0));
            }
            if now.event != before.event {
                self.wake(Wake::Notified);
                self.wake(Wake::Messages);
            }
            for (id, device) in &now.devices {
                match before.devices.get(id) {
                    Some(same) if same == device => {}
                    Some(known) if !known.removed && device.removed => self.wake(Wake::DeviceRevoked(id.0)),
                    Some(_) => self.wake(Wake::DeviceChanged { device: id.0, person: device.person.0 }),
                    None => {}
                }
            }
            if now.waiting != before.waiting {
                self.wake(Wake::Pairings);
            }
        }
        Ok(())
    }

    /// Wakes those of this desk.
    pub(crate) fn wake(&self, wake: Wake) {
        if matches!(wake, Wake::DeviceRevoked(_) | Wake::DeviceChanged { .. }) {
            self.inner.tokens.forget();
        }
        // Nobody listening is fine: a wake-up carries no data.
        let _ = self.inner.wakes.send(wake);
    }
}

async fn follow(inner: Weak<Inner>) {
    let (mut listener, mut last) = (None, None);
    loop {
        let Some(engine) = inner.upgrade().map(|inner| Engine { inner }) else { return };
        if listener.is_none() {
            listener = engine.listen().await;
        }
        // After listening began: what was told in between is seen here.
        if let Err(error) = engine.look(&mut last).await {
            tracing::debug!(%error, "the database cannot be looked at");
        }
        drop(engine);
        let is_open = match &mut listener {
            Some(listener) => hear(listener, &inner).await,
            None => false,
        };
        if !is_open {
            listener = None;
            sleep(LOOK_WHILE_DEAF).await;
        }
    }
}

/// Passes on what is told until it is time to look: after a silence, or when something may have been missed.
/// False if nothing can be heard any more.
async fn hear(listener: &mut Listener, inner: &Weak<Inner>) -> bool {
    loop {
        match timeout(LOOK_WHILE_LISTENING, listener.next()).await {
            Ok(Ok(Some(text))) => {
                let Some(engine) = inner.upgrade().map(|inner| Engine { inner }) else { return false };
                if let Some(told) = engine.inner.neighbours.heard(&text) {
                    engine.take(told);
                }
            }
            Ok(Ok(None)) | Err(_) => return true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the other desks cannot be heard any more");
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_fits_its_channel_and_is_not_heard_by_its_teller() {
        let (one, other) = (Neighbours::new(Uuid::from_u128(1), true), Neighbours::new(Uuid::from_u128(1), true));
        assert_eq!(one.channel, other.channel);
        let status = "merged_automatically".to_owned();
        let clash = Wake::Conflict { id: Uuid::from_u128(u128::MAX), rev: i64::MAX, status };
        let text = one.message(Uuid::from_u128(u128::MAX), &vec![clash; WAKES_TOLD_MAX]);
        assert!(text.len() < 8_000, "{}", text.len());
        assert!(one.heard(&text).is_none());
        assert_eq!(other.heard(&text).map(|told| told.wakes.len()), Some(WAKES_TOLD_MAX));
        assert!(other.heard("{}").is_none() && other.heard("poke").is_none());
    }

    #[test]
    fn many_clashes_leave_room_for_what_else_happened() {
        let (one, other) = (Neighbours::new(Uuid::from_u128(1), true), Neighbours::new(Uuid::from_u128(1), true));
        let clash = |rev| Wake::Conflict { id: Uuid::from_u128(7), rev, status: "open".to_owned() };
        let mut wakes: Vec<Wake> = (0..200).map(clash).collect();
        wakes.insert(0, Wake::Clock(9));
        wakes.extend([Wake::Notified, Wake::Messages]);
        let told = other.heard(&one.message(Uuid::nil(), &wakes)).expect("a message").wakes;
        assert_eq!(told.len(), WAKES_TOLD_MAX);
        assert_eq!(told[..4], [Wake::Clock(9), Wake::Notified, Wake::Messages, clash(0)]);
    }
}
