//! Messages on their way to phones that are not on the show's network: `send-push-notification`.
//!
//! Local first. A phone that does not say within ten seconds that it has a message is asked for through its providers.
//! What is due is claimed with a lease, a bounded number at a time, the oldest first; what a provider answers is
//! written down in a transaction of its own. So a desk that dies holds nothing for long, and nothing is called
//! accepted that no provider took. If it dies between the provider's answer and that transaction, the message is sent
//! again under the same key, and takes the first one's place on the phone.

mod backoff;
mod breaker;
mod circuits;
mod contents;
#[cfg(test)]
mod fixtures;
mod providers;
mod rulings;
mod sending;
mod settings;
mod steps;
mod streams;
mod tokens;
mod words;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::ids::DeviceId;
use showdesk_store::deliveries::claims::{self, Change};
use showdesk_store::deliveries::{self, Channel, DeliveryRow, DeliveryStatus, Errand};
use showdesk_store::{Tx, push_tokens};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::{Engine, EngineError, Result, Wake};
pub use streams::{ClashNews, News, ToldNotice};

use circuits::{Circuit, Circuits, Claimable};
use providers::Ready;
use rulings::unchanged;
use steps::{KEPT_FOR, Step, step};

/// Deliveries by one service that are under way at once, waiting for their turn included.
const CLAIMED_MAX: usize = 100;
/// For each that is sent to a service, so many are claimed: the next one waits when a place is free.
const CLAIMED_FOR_EACH: usize = 4;
/// Phones that one transaction looks for through their providers.
const LOCAL_MAX: i64 = 500;
/// A delivery ended because its message was taken back.
const RETRACTED: &str = "retracted";
/// How long a claim lasts. Nothing is sent under it whose answer might come after its end.
const LEASE: TimeDelta = TimeDelta::minutes(3);

/// What is known while the program runs.
#[derive(Default)]
pub(crate) struct Delivery {
    ready: Mutex<Option<Arc<Ready>>>,
    circuits: Circuits,
}

/// Deliveries that are this program's until their lease ends.
struct Claimed {
    errands: Vec<Errand>,
    /// When it ends, by the clock that nobody sets.
    until: DateTime<Utc>,
    /// As many as there are errands: each is given back when its delivery is no longer under way.
    in_hand: Vec<OwnedSemaphorePermit>,
}

/// How many more of each service this worker may have in hand. A service that is slow fills its own hands only.
#[derive(Default)]
struct Hands(HashMap<String, Arc<Semaphore>>);

impl Hands {
    /// Those for a service.
    fn of(&mut self, circuit: &Circuit) -> Arc<Semaphore> {
        // Who has nothing under way needs no memory.
        self.0.retain(|_, free| Arc::strong_count(free) > 1);
        let most = (circuit.at_once() * CLAIMED_FOR_EACH).min(CLAIMED_MAX);
        let own = self.0.entry(circuit.service().to_owned());
        Arc::clone(own.or_insert_with(|| Arc::new(Semaphore::new(most))))
    }
}

impl Engine {
    /// The providers that are set up, and whether one is left alone for the moment.
    pub(crate) async fn provider_circuits(&self) -> Result<Vec<(&'static str, bool)>> {
        let ready = self.ready().await?;
        let circuits = &self.inner.delivery.circuits;
        let in_use = Channel::PROVIDERS.into_iter().filter(|channel| ready.has(*channel));
        Ok(in_use.map(|channel| (channel.as_str(), circuits.is_open(channel, ready.since(channel)))).collect())
    }

    /// The services by which something is due.
    async fn due_services(&self) -> Result<Vec<String>> {
        let mut tx = self.begin_read_work().await?;
        Ok(claims::due_services(&mut tx, self.worker_moment()).await?)
    }

    /// Takes up the phones whose ten seconds are over; answers how many there were.
    async fn look_for_phones(&self) -> Result<usize> {
        let ready = self.ready().await?;
        let quiet_until = self.quiet_until().await?;
        let at = self.moment();
        let now = at.now;
        let mut tx = self.begin_write_work().await?;
        let due = claims::hold_due_local(&mut tx, now, LOCAL_MAX).await?;
        let errands = deliveries::load(&mut tx, &due).await?;
        let mut changes = Vec::new();
        let mut wanted = Vec::new();
        for errand in &errands {
            let step = step(errand, at, quiet_until);
            if let Step::Escalate(_) = step {
                wanted.push(errand);
            }
            changes.push(after_step(errand, step));
        }
        let ways = self.ways_to(&mut tx, &ready, &wanted, now).await?;
        claims::add_or_repeat(&mut tx, &ways).await?;
        claims::settle(&mut tx, &changes, now).await?;
        self.commit_deliveries(tx, &errands, &changes, now).await?;
        Ok(errands.len())
    }

    /// The deliveries through providers that stand for these local ones. A provider that is not ready has what waits for
    /// it once it is.
    async fn ways_to(
        &self,
        tx: &mut Tx,
        ready: &Ready,
        wanted: &[&Errand],
        now: DateTime<Utc>,
    ) -> Result<Vec<DeliveryRow>> {
        let mut devices: Vec<DeviceId> = wanted.iter().filter_map(|errand| errand.row.device).collect();
        devices.sort_unstable_by_key(|device| device.0);
        devices.dedup();
        let tokens = push_tokens::active_of_devices(tx, &devices).await?;
        let mut ways = Vec::new();
        for errand in wanted {
            let own = tokens.iter().filter(|token| Some(token.device) == errand.row.device);
            ways.extend(own.map(|token| DeliveryRow {
                id: self.fresh_id(),
                target: token.id,
                channel: token.channel(),
                service: ready.circuit(token).service().to_owned(),
                status: DeliveryStatus::Waiting,
                attempts: 0,
                repeats: 0,
                next_attempt_at: Some(now),
                lease_until: None,
                provider_message_id: None,
                error_code: None,
                reason: None,
                created_at: now,
                accepted_at: None,
                updated_at: now,
                ..errand.row.clone()
            }));
        }
        Ok(ways)
    }

    /// Claims deliveries through providers that are due: of each service as many as there are free hands for, its
    /// emergencies and then its oldest. What waits for a provider by which nothing goes out is left alone, and nothing is
    /// written for it.
    async fn claim_deliveries(&self, ready: &Ready, hands: &mut Hands) -> Result<Vec<Claimed>> {
        let mut wanted = Vec::new();
        for service in self.due_services().await?.into_iter().filter(|service| service != Channel::Local.as_str()) {
            let circuit = Circuit::named(&service);
            let free = hands.of(&circuit);
            let claimable = self.claimable(ready, &circuit);
            let limit = match claimable {
                Claimable::All => free.available_permits(),
                Claimable::One => free.available_permits().min(1),
                Claimable::Nothing => 0,
            };
            if limit > 0 {
                wanted.push((circuit, free, claimable, limit));
            }
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (at, until) = (self.worker_moment(), self.steady() + LEASE);
        let mut tx = self.begin_write_work().await?;
        let mut claimed = Vec::new();
        for (circuit, free, claimable, limit) in wanted {
            let service = circuit.service();
            let claim = if claimable == Claimable::One {
                claims::claim_try(&mut tx, at, LEASE, service).await?
            } else {
                claims::claim(&mut tx, at, LEASE, service, i64::try_from(limit).unwrap_or(i64::MAX)).await?
            };
            let ids = claim.ids;
            let errands = deliveries::load(&mut tx, &ids).await?;
            let hand = || Arc::clone(&free).try_acquire_owned().ok();
            let in_hand = errands.iter().filter_map(|_| hand()).collect();
            claimed.push(Claimed { errands, until, in_hand });
        }
        claimed.retain(|claimed| !claimed.errands.is_empty());
        self.commit_work(tx, Vec::new()).await?;
        tracing::debug!(count = count_of(&claimed), "messages are claimed");
        Ok(claimed)
    }

    fn claimable(&self, ready: &Ready, circuit: &Circuit) -> Claimable {
        let channel = circuit.channel();
        if !ready.has(channel) {
            return Claimable::Nothing;
        }
        self.inner.delivery.circuits.claimable(circuit, ready.since(channel), self.now())
    }

    /// What waits for a provider by which nothing goes out is not claimed; its end comes all the same. Answers how many
    /// came to their end.
    async fn end_what_is_over(&self) -> Result<usize> {
        let at = self.moment();
        let now = at.now;
        let mut tx = self.begin_write_work().await?;
        let ids = claims::hold_over(&mut tx, self.worker_moment(), now - KEPT_FOR, LOCAL_MAX).await?;
        let (mut over, mut changes) = (Vec::new(), Vec::new());
        for errand in deliveries::load(&mut tx, &ids).await? {
            let step = step(&errand, at, None);
            if matches!(step, Step::Expire(_) | Step::Fail(_) | Step::Wait(None)) {
                changes.push(after_step(&errand, step));
                over.push(errand);
            }
        }
        claims::settle(&mut tx, &changes, now).await?;
        self.commit_deliveries(tx, &over, &changes, now).await?;
        Ok(over.len())
    }

    /// Ends a transaction of the worker; messages whose state follows from these changes get it.
    ///
    /// Unlike [`Engine::commit`] it leaves the passes alone: the worker writes nobody's rights.
    async fn commit_deliveries(
        &self,
        mut tx: Tx,
        errands: &[Errand],
        changes: &[Change],
        now: DateTime<Utc>,
    ) -> Result<()> {
        deliveries::roll_up(&mut tx, &changed_messages(errands, changes), now).await?;
        let wakes = if changes.is_empty() { Vec::new() } else { vec![Wake::Messages] };
        self.commit_work(tx, wakes).await?;
        self.count_results(errands, changes);
        Ok(())
    }

    /// Counts what became of deliveries, for the charts.
    fn count_results(&self, errands: &[Errand], changes: &[Change]) {
        let before: HashMap<Uuid, &Errand> = errands.iter().map(|errand| (errand.row.id, errand)).collect();
        for change in changes {
            let Some(errand) = before.get(&change.id).filter(|errand| errand.row.status != change.status) else {
                continue;
            };
            let (counters, channel) = (&self.inner.telemetry.counters, errand.row.channel);
            if change.status == DeliveryStatus::Expired && is_needless(change.error_code.as_deref()) {
                counters.needless(channel, 1);
            } else {
                counters.deliveries(channel, change.status, 1);
            }
        }
    }

    fn worker_moment(&self) -> claims::Moment {
        let at = self.moment();
        claims::Moment { now: at.now, steady: at.steady }
    }

    async fn commit_work(&self, mut tx: Tx, wakes: Vec<Wake>) -> Result<()> {
        self.tell_neighbours(&mut tx, &wakes).await?;
        self.inner.disk.settled(tx.commit().await.map_err(EngineError::from))?;
        for wake in wakes {
            self.wake(wake);
        }
        Ok(())
    }
}

/// Whether a delivery ended because nobody wanted it any more: that is no failure.
fn is_needless(code: Option<&str>) -> bool {
    matches!(code, Some("not_needed" | "superseded" | RETRACTED))
}

fn count_of(claimed: &[Claimed]) -> usize {
    claimed.iter().map(|claimed| claimed.errands.len()).sum()
}

/// The messages of which a delivery came further, or to its end.
fn changed_messages(errands: &[Errand], changes: &[Change]) -> Vec<Uuid> {
    let status: HashMap<Uuid, DeliveryStatus> = changes.iter().map(|change| (change.id, change.status)).collect();
    let has_changed = |errand: &&Errand| status.get(&errand.row.id).is_some_and(|status| *status != errand.row.status);
    let mut messages: Vec<Uuid> = errands.iter().filter(has_changed).map(|errand| errand.row.notification).collect();
    messages.sort_unstable();
    messages.dedup();
    messages
}

/// A provider's name, by the word of its way.
pub(crate) fn provider_name(word: &str) -> String {
    Channel::parse(word).map_or_else(|| "A message service".to_owned(), |channel| words::name_of(channel).to_owned())
}

/// Why a delivery ended whose message was taken back.
pub(crate) fn taken_back() -> String {
    words::of_delivery(Channel::Local, RETRACTED)
}

/// What a step that asks no provider writes down.
fn after_step(errand: &Errand, step: Step) -> Change {
    let row = &errand.row;
    let ended = |status, code: &str| Change {
        status,
        next_attempt_at: None,
        error_code: Some(code.to_owned()),
        reason: Some(words::of_delivery(row.channel, code)),
        ..unchanged(errand)
    };
    match step {
        Step::Expire(code) => ended(DeliveryStatus::Expired, code),
        Step::Fail(code) => ended(DeliveryStatus::Failed, code),
        Step::Wait(next) | Step::Escalate(next) => Change { next_attempt_at: next, ..unchanged(errand) },
        Step::Forget | Step::Send => unchanged(errand),
    }
}

#[cfg(test)]
mod tests;
