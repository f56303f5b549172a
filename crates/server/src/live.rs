//! Event streams: they say that something changed and carry no data of the show.
//!
//! A stream is drawn by its client: what piles up while nobody reads is joined into one `poke` by
//! the wake-ups' own bound. Losing an event delays a reader and never loses a row.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_engine::{Engine, EngineError, Standing, Wake};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use uuid::Uuid;

use crate::accept::stopped;
use crate::app::{App, Listener};
use crate::auth::Caller;
use crate::error::Problem;

/// A stream says at least so often that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Streams of one device.
const STREAMS_OF_DEVICE_MAX: usize = 2;
/// Streams in all.
const STREAMS_MAX: usize = 1_200;
/// Events that wait for their reader; the oldest are dropped first.
const WAITING_MAX: usize = 64;

/// Wake-ups for this device: what changed is pulled, never streamed.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "sync", security(("token" = [])),
    responses((
        status = 200, content_type = "text/event-stream", body = String,
        description = "Events `poke {clock}`, `conflict {id, rev, status}` (own; all at the desk), `pairings {}` (desk), \
            `me {}` (what this device may do or is asked for has changed: ask /me and pull), \
            `bye {reason: stopping|removed|expired|rights|epoch|error}`; a comment every 15 s. The first event is a `poke`. A third stream of a device is 429.",
    )),
)]
pub(crate) async fn live(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let place = Streams::open(&app.shared.streams, caller.actor.device.0).ok_or_else(Problem::too_many_streams)?;
    let wakes = app.engine().wakes();
    // Asked again after listening began: a removal in between would not be heard.
    let standing = app.engine().standing(&caller.token).await?;
    let first = poke(app.engine().clock().await?);

    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let is_desk = app.listener == Listener::Admin && caller.actor.device_kind == DeviceKind::Desk;
    let live = Live {
        engine: app.engine().clone(),
        actor: caller.actor,
        token: caller.token,
        ends_at: end_of(&standing),
        is_desk,
        wakes,
        stop: app.shared.stop.clone(),
        heartbeat,
        waiting: VecDeque::from([first]),
        ended: false,
        _place: place,
    };
    let events = stream::unfold(live, |mut live| async move {
        let event = live.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(event)), live))
    });
    Ok(([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response())
}

/// One open stream.
struct Live {
    engine: Engine,
    actor: Actor,
    token: String,
    /// When its token is over.
    ends_at: Option<Instant>,
    is_desk: bool,
    wakes: broadcast::Receiver<Wake>,
    stop: watch::Receiver<bool>,
    heartbeat: Interval,
    waiting: VecDeque<String>,
    ended: bool,
    _place: StreamPlace,
}

impl Live {
    /// The next piece of the stream; none when it has ended.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => self.end("stopping"),
                () = at(self.ends_at) => self.end("expired"),
                wake = self.wakes.recv() => self.take(wake).await,
                _ = self.heartbeat.tick() => return Some(": still here\n\n".to_owned()),
            }
        }
    }

    /// Joins a wake-up with all that wait behind it and makes events of them.
    async fn take(&mut self, first: Result<Wake, RecvError>) {
        let mut batch = Batch::default();
        let mut wake = first.map_err(|error| match error {
            RecvError::Closed => TryRecvError::Closed,
            RecvError::Lagged(lost) => TryRecvError::Lagged(lost),
        });
        loop {
            match wake {
                Ok(Wake::DeviceRevoked(device)) if device == self.actor.device.0 => return self.end("removed"),
                Ok(Wake::DeviceChanged { device, person }) if self.is_about(device, person) => batch.rights = true,
                // The clock may be lower now: a poke would not make every phone ask.
                Ok(Wake::Epoch(_)) => return self.end("epoch"),
                Ok(wake) => batch.add(wake),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Lagged(_)) => batch.lagged = true,
                Err(TryRecvError::Closed) => return self.end("stopping"),
            }
            wake = self.wakes.try_recv();
        }
        if batch.rights && !self.look_at_rights().await {
            return;
        }
        if let Err(error) = self.announce(batch).await {
            tracing::warn!(%error, "a stream could not read what changed");
            self.end("error");
        }
    }

    fn is_about(&self, device: Uuid, person: Uuid) -> bool {
        self.actor.device.0 == device || self.actor.person.0 == person
    }

    /// Somebody changed what this device or its person may do; false if the stream ends by it.
    async fn look_at_rights(&mut self) -> bool {
        match self.engine.standing(&self.token).await {
            // The person at the desk is named with each request, and asked for again.
            Ok(_) if self.is_desk => self.end("rights"),
            Ok(standing) => {
                self.ends_at = end_of(&standing);
                self.actor = standing.actor;
                self.push(event("me", &json!({})));
            }
            Err(EngineError::DeviceRemoved) => self.end("removed"),
            Err(EngineError::DeviceExpired) => self.end("expired"),
            // The token was renewed since; who has the new one comes back with it.
            Err(EngineError::UnknownToken) => self.end("rights"),
            Err(error) => {
                tracing::warn!(%error, "a stream could not read what its device may do");
                self.end("error");
            }
        }
        !self.ended
    }

    async fn announce(&mut self, batch: Batch) -> Result<(), EngineError> {
        // After a change of rights even an unchanged clock is told: the cursor may not hold any more.
        let clock = if batch.lagged || batch.rights { Some(self.engine.clock().await?) } else { batch.clock };
        if let Some(clock) = clock {
            self.push(poke(clock));
        }
        if !batch.conflicts.is_empty() {
            for (id, rev, status) in self.own(batch.conflicts).await? {
                self.push(event("conflict", &json!({"id": id, "rev": rev, "status": status})));
            }
        }
        if self.is_desk && (batch.pairings || batch.lagged) {
            self.push(event("pairings", &json!({})));
        }
        Ok(())
    }

    /// The clashes this device may hear of: all at the desk, its own on a phone.
    async fn own(&self, conflicts: Conflicts) -> Result<Vec<(Uuid, i64, String)>, EngineError> {
        let visible = if self.is_desk { None } else { Some(self.engine.my_conflicts(&self.actor).await?.items) };
        let is_visible = |id: &Uuid| visible.as_ref().is_none_or(|items| items.iter().any(|item| item.id == *id));
        let heard = conflicts.into_iter().filter(|(id, _)| is_visible(id));
        Ok(heard.map(|(id, (rev, status))| (id, rev, status)).collect())
    }

    fn push(&mut self, event: String) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(event);
    }

    /// Says why and ends; what still waited is dropped.
    fn end(&mut self, reason: &str) {
        self.waiting.clear();
        self.waiting.push_back(event("bye", &json!({"reason": reason})));
        self.ended = true;
    }
}

/// By id: the newest state's number and status.
type Conflicts = HashMap<Uuid, (i64, String)>;

/// Wake-ups joined.
#[derive(Default)]
struct Batch {
    clock: Option<i64>,
    conflicts: Conflicts,
    pairings: bool,
    rights: bool,
    lagged: bool,
}

impl Batch {
    fn add(&mut self, wake: Wake) {
        match wake {
            Wake::Clock(clock) => self.clock = self.clock.max(Some(clock)),
            Wake::Conflict { id, rev, status } => {
                self.conflicts.insert(id, (rev, status));
            }
            Wake::Pairings => self.pairings = true,
            Wake::DeviceRevoked(_) | Wake::DeviceChanged { .. } | Wake::Epoch(_) => {}
        }
    }
}

/// When a token that is good now is over.
fn end_of(standing: &Standing) -> Option<Instant> {
    standing.good_for.and_then(|good_for| Instant::now().checked_add(good_for))
}

/// Waits for that moment, or for ever.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn poke(clock: i64) -> String {
    event("poke", &json!({"clock": clock}))
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// How many streams are open, by device.
#[derive(Default)]
pub(crate) struct Streams(Mutex<HashMap<Uuid, usize>>);

impl Streams {
    /// A place for one more stream of the device; none if there is none left.
    fn open(streams: &Arc<Self>, device: Uuid) -> Option<StreamPlace> {
        let mut open = streams.0.lock().expect("nobody panics while holding it");
        let own = open.get(&device).copied().unwrap_or(0);
        if own == STREAMS_OF_DEVICE_MAX || open.values().sum::<usize>() == STREAMS_MAX {
            return None;
        }
        open.insert(device, own + 1);
        Some(StreamPlace { streams: Arc::clone(streams), device })
    }
}

/// Held by an open stream.
struct StreamPlace {
    streams: Arc<Streams>,
    device: Uuid,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().expect("nobody panics while holding it");
        if let Some(own) = open.get_mut(&self.device) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_two_streams_and_gets_another_when_one_ends() {
        let streams = Arc::new(Streams::default());
        let device = Uuid::from_u128(1);
        let first = Streams::open(&streams, device).expect("the first");
        let _second = Streams::open(&streams, device).expect("the second");
        assert!(Streams::open(&streams, device).is_none());
        assert!(Streams::open(&streams, Uuid::from_u128(2)).is_some());
        drop(first);
        assert!(Streams::open(&streams, device).is_some());
    }

    #[test]
    fn streams_are_bounded_in_all() {
        let streams = Arc::new(Streams::default());
        let open: Vec<_> = (0..1_200).filter_map(|number| Streams::open(&streams, Uuid::from_u128(number))).collect();
        assert_eq!(open.len(), STREAMS_MAX);
        assert!(Streams::open(&streams, Uuid::from_u128(5_000)).is_none());
    }

    #[test]
    fn wake_ups_are_joined() {
        let mut batch = Batch::default();
        for wake in [Wake::Clock(7), Wake::Clock(9), Wake::Clock(8), Wake::Pairings] {
            batch.add(wake);
        }
        let id = Uuid::from_u128(1);
        for (rev, status) in [(1, "open"), (2, "resolved")] {
            batch.add(Wake::Conflict { id, rev, status: status.to_owned() });
        }
        assert_eq!((batch.clock, batch.pairings), (Some(9), true));
        assert_eq!(batch.conflicts, HashMap::from([(id, (2, "resolved".to_owned()))]));
    }

    #[test]
    fn an_event_has_the_form_of_the_standard() {
        assert_eq!(poke(90_211), "event: poke\ndata: {\"clock\":90211}\n\n");
    }
}
