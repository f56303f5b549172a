//! When messages are looked at: whenever somebody committed something, and from time to time.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use showdesk_store::deliveries::{Channel, claims};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{Hands, count_of};
use crate::open::Inner;
use crate::{Engine, EngineError, Result};

/// How often it is looked at what is due, if nothing wakes the worker.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Wake-ups that come closer together than this are one.
const LOOK_PAUSE: Duration = Duration::from_millis(200);
/// What goes by the clock counts in minutes.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// What waits for a provider by which nothing goes out has its end looked at so often.
const END_EVERY: Duration = Duration::from_mins(1);

/// What a worker goes on with from look to look.
#[derive(Default)]
struct Rounds {
    /// Claims that are being sent. Dropped with the worker: what is on its way then is sent again after its lease.
    claims: JoinSet<()>,
    /// What of each service may still be claimed.
    hands: Hands,
    /// When something was told by the clock, last.
    told_at: Option<Instant>,
    /// When it was looked for what is over, last.
    ended_at: Option<Instant>,
}

/// What one look did.
#[derive(Default)]
struct Look {
    count: usize,
    failures: Vec<EngineError>,
}

impl Look {
    fn add(&mut self, step: Result<usize>) {
        match step {
            Ok(count) => self.count += count,
            Err(error) => self.failures.push(error),
        }
    }
}

impl Engine {
    /// Starts the worker. A desk that has its database for itself knows that nobody else can hold a claim.
    pub(crate) async fn start_delivering(&self) -> Result<()> {
        if !self.db().is_shared() {
            match self.end_leases().await {
                // The desk can be read; the leases end by their time.
                Ok(()) | Err(EngineError::DiskFull) => {}
                Err(error) => return Err(error),
            }
        }
        let delivering = tokio::spawn(deliver_for_ever(Arc::downgrade(&self.inner), self.wakes()));
        self.background().push(delivering.abort_handle());
        Ok(())
    }

    async fn end_leases(&self) -> Result<()> {
        let mut tx = self.begin_write_work().await?;
        claims::end_leases(&mut tx).await?;
        self.commit_work(tx, Vec::new()).await
    }

    /// Does once what the worker does, and waits until it is done; answers how much there was.
    pub(crate) async fn send_push_notification(&self) -> Result<usize> {
        let mut rounds = Rounds::default();
        let Look { count, failures } = self.take_up_due(&mut rounds).await;
        while rounds.claims.join_next().await.is_some() {}
        failures.into_iter().next().map_or(Ok(count), Err)
    }

    /// Takes up all that is due now, as far as there are hands for it. A step that fails holds up no other.
    async fn take_up_due(&self, rounds: &mut Rounds) -> Look {
        let mut look = Look::default();
        if is_up(&mut rounds.told_at, TELL_EVERY) {
            look.add(self.tell_timed().await);
        }
        look.add(self.release_due().await);
        let due = match self.due_services().await {
            Ok(due) => due,
            Err(error) => {
                look.failures.push(error);
                return look;
            }
        };
        if due.is_empty() {
            return look;
        }
        if due.iter().any(|service| service == Channel::Local.as_str()) {
            look.add(self.look_for_phones().await);
        }
        look.add(self.hand_out_claims(rounds).await);
        if is_up(&mut rounds.ended_at, END_EVERY) {
            look.add(self.end_what_is_over().await);
        }
        look
    }

    /// Claims what is due and has it sent, each service's by itself: one that answers slowly holds up no other. Answers
    /// how much it claimed.
    async fn hand_out_claims(&self, rounds: &mut Rounds) -> Result<usize> {
        while rounds.claims.try_join_next().is_some() {}
        let ready = self.ready().await?;
        let all = self.claim_deliveries(&ready, &mut rounds.hands).await?;
        let count = count_of(&all);
        for claimed in all {
            let (engine, ready) = (self.clone(), Arc::clone(&ready));
            rounds.claims.spawn(async move {
                if let Err(error) = engine.deliver(&ready, claimed).await {
                    // It is taken up again when the lease is over.
                    tracing::warn!(%error, "messages that were claimed could not be sent");
                }
            });
        }
        Ok(count)
    }
}

/// Whether so much time has passed since something was done; then it counts as done now.
fn is_up(done_at: &mut Option<Instant>, every: Duration) -> bool {
    let now = Instant::now();
    let is_up = done_at.is_none_or(|done_at| now.duration_since(done_at) >= every);
    if is_up {
        *done_at = Some(now);
    }
    is_up
}

async fn deliver_for_ever(inner: Weak<Inner>, mut wakes: tokio::sync::broadcast::Receiver<crate::Wake>) {
    let mut rounds = Rounds::default();
    loop {
        // Missing wake-ups is fine, and so is one that tells of something else: looking costs little.
        let woken = timeout(LOOK_EVERY, wakes.recv()).await;
        if matches!(woken, Ok(Err(RecvError::Closed))) {
            return;
        }
        sleep(LOOK_PAUSE).await;
        wakes = wakes.resubscribe();
        let Some(engine) = inner.upgrade().map(|inner| Engine { inner }) else { return };
        // A mistake of ours in one look must not be the end of all messages: its transaction is rolled back.
        let Ok(look) = AssertUnwindSafe(engine.take_up_due(&mut rounds)).catch_unwind().await else {
            tracing::error!("a look at what is due could not be finished");
            continue;
        };
        for error in look.failures {
            tracing::warn!(%error, "messages could not be sent on");
        }
    }
}
