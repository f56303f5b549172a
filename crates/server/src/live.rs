//! Event streams: they say that something changed and carry no data of the show, but for messages to their reader.
//!
//! A stream is drawn by its client: what piles up while nobody reads is joined into one `poke` by the wake-ups' own
//! bound. Losing an event delays a reader and never loses a row. Messages have numbers: a stream subscribes first, then
//! reads what came after the number its phone told, then passes over what it told already; a reader too slow for what
//! is told reads from the database again.

mod hub;
mod notices;
mod places;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use showdesk_domain::actor::{Actor, DeviceKind, ReadClass};
use showdesk_engine::{Engine, EngineError, Standing, Wake};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use uuid::Uuid;

use crate::accept::stopped;
use crate::app::{App, Listener};
use crate::auth::Caller;
use crate::error::Problem;
use hub::Told;
use notices::{Notices, heard_up_to};
use places::StreamPlace;

pub(crate) use hub::Hub;
pub(crate) use places::{STREAMS_MAX, STREAMS_OF_DEVICE_MAX, Streams};

/// A stream says at least so often that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that wait for their reader; the oldest are dropped first.
const WAITING_MAX: usize = 64;
/// What the desk's page is told by these names: somebody asks to join; what became of messages has changed.
const PAIRINGS: &str = "pairings";
const MESSAGES: &str = "messages";
/// The same for what an alert said, and for the list of problems.
const ALERTS: &str = "alerts";
const ERRORS: &str = "errors";

/// Wake-ups for this device: what changed is pulled, never streamed. Messages to its person come whole.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "sync", security(("token" = [])),
    params(("Last-Event-ID" = Option<i64>, Header,
        description = "The number of the last message that was heard; without it only new ones are told.")),
    responses((
        status = 200, content_type = "text/event-stream", body = String,
        description = "Events `poke {clock}`, `conflict {id, rev, status}` (own; all at the desk), `pairings {}` (desk), \
            `messages {}` (desk: what became of messages or of a push provider has changed), \
            `alerts {}` (desk: an alert was said, or where a rule stands has changed), \
            `errors {}` (desk: the list of problems has changed), \
            `notification` (a message as /me/notifications tells it, with its `seq` as the event's id), \
            `me {}` (what this device may do or is asked for has changed: ask /me and pull), \
            `bye {reason: stopping|removed|expired|rights|epoch|error}`; a comment every 15 s. The first event is a `poke`. A third stream of a device is 429.",
    )),
)]
pub(crate) async fn live(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let heard = heard_up_to(&headers);
    let place = Streams::open(&app.shared.streams, caller.actor.device.0).ok_or_else(Problem::too_many_streams)?;
    let (wakes, news) = (app.engine().wakes(), app.shared.hub.listen());
    // Asked again after listening began: a removal in between would not be heard.
    let standing = app.engine().standing(&caller.token).await?;
    let epoch = app.engine().installation().await?.epoch;
    let first = poke(app.engine().clock().await?);
    let is_desk = app.listener == Listener::Admin && caller.actor.device_kind == DeviceKind::Desk;
    let latest = app.engine().last_notice(&caller.actor).await?;
    // The desk's own page reads its messages by another call.
    let notices = Notices::after(heard.filter(|_| !is_desk), latest);

    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let live = Live {
        engine: app.engine().clone(),
        actor: caller.actor,
        token: caller.token,
        ends_at: end_of(&standing),
        is_desk,
        epoch,
        wakes,
        news,
        stop: app.shared.stop.clone(),
        heartbeat,
        waiting: VecDeque::from([first]),
        notices,
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
    /// The database's when the stream began.
    epoch: Uuid,
    wakes: broadcast::Receiver<Wake>,
    news: broadcast::Receiver<Arc<Told>>,
    stop: watch::Receiver<bool>,
    heartbeat: Interval,
    waiting: VecDeque<String>,
    notices: Notices,
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
            if self.notices.has_more() {
                // A reader that takes its time may have been removed since the one before.
                self.look_up().await;
                if self.ended || !self.waiting.is_empty() {
                    continue;
                }
                if let Some(notice) = self.notices.next() {
                    return Some(notice);
                }
                if let Err(error) = self.notices.catch_up(&self.engine, &self.actor).await {
                    tracing::warn!(%error, "a stream could not read its messages");
                    self.end("error");
                }
                continue;
            }
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => self.end("stopping"),
                () = at(self.ends_at) => self.end("expired"),
                wake = self.wakes.recv() => self.take(wake).await,
                told = self.news.recv() => self.hear(told).await,
                _ = self.heartbeat.tick() => return Some(": still here\n\n".to_owned()),
            }
        }
    }

    /// Takes in what has come by now, without waiting for more.
    async fn look_up(&mut self) {
        if *self.stop.borrow() {
            return self.end("stopping");
        }
        if self.ends_at.is_some_and(|ends_at| ends_at <= Instant::now()) {
            return self.end("expired");
        }
        let wake = match self.wakes.try_recv() {
            Ok(wake) => Ok(wake),
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Lagged(lost)) => Err(RecvError::Lagged(lost)),
            Err(TryRecvError::Closed) => Err(RecvError::Closed),
        };
        self.take(wake).await;
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
        if batch.lagged && !self.look_at_epoch().await {
            return;
        }
        // Among what was lost may have been a removal, or a change of rights.
        if (batch.rights || batch.lagged) && !self.look_at_rights(batch.rights).await {
            return;
        }
        if let Err(error) = self.announce(batch).await {
            tracing::warn!(%error, "a stream could not read what changed");
            self.end("error");
        }
    }

    /// Takes in what all phones are told.
    async fn hear(&mut self, told: Result<Arc<Told>, RecvError>) {
        match told {
            Ok(_) if self.is_desk => {}
            Ok(told) => {
                for notice in told.notices.get(&self.actor.person.0).into_iter().flatten() {
                    self.notices.hear(notice);
                }
                if let Err(error) = self.hear_of_clashes(&told).await {
                    tracing::warn!(%error, "a stream could not read what changed");
                    self.end("error");
                }
            }
            Err(RecvError::Lagged(_)) => {
                if !self.is_desk {
                    self.notices.fall_behind();
                }
                // A clash may have been among it: the phone asks for everything that is its own.
                self.push(event("me", &json!({})));
            }
            Err(RecvError::Closed) => self.end("stopping"),
        }
    }

    async fn hear_of_clashes(&mut self, told: &Told) -> Result<(), EngineError> {
        let (device, person) = (self.actor.device.0, self.actor.person.0);
        let is_own = |clash: &&hub::Clash| clash.device == device || clash.server_person == Some(person);
        let mut own: Vec<hub::Clash> = told.clashes.iter().filter(is_own).cloned().collect();
        if !own.is_empty() && self.actor.read_class() == ReadClass::Public {
            // Who has become a viewer hears of no clash about a row that viewers do not see.
            let visible = self.engine.my_conflicts(&self.actor).await?.items;
            own.retain(|clash| visible.iter().any(|item| item.id == clash.id));
        }
        for clash in own {
            self.push(conflict(clash.id, clash.rev, &clash.status));
        }
        Ok(())
    }

    fn is_about(&self, device: Uuid, person: Uuid) -> bool {
        self.actor.device.0 == device || self.actor.person.0 == person
    }

    /// Whether the database is still the one of the beginning; the stream ends if not.
    async fn look_at_epoch(&mut self) -> bool {
        match self.engine.installation().await {
            Ok(installation) if installation.epoch == self.epoch => {}
            Ok(_) => self.end("epoch"),
            Err(error) => {
                tracing::warn!(%error, "a stream could not read whose it is");
                self.end("error");
            }
        }
        !self.ended
    }

    /// Looks at what this device or its person may do; false if the stream ends by it. `is_changed` if somebody
    /// changed it.
    async fn look_at_rights(&mut self, is_changed: bool) -> bool {
        match self.engine.standing(&self.token).await {
            // The person at the desk is named with each request, and asked for again.
            Ok(_) if self.is_desk => {
                if is_changed {
                    self.end("rights");
                }
            }
            // Its messages are another person's now: the phone begins anew.
            Ok(standing) if standing.actor.person != self.actor.person => self.end("rights"),
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
        if self.is_desk {
            for (id, (rev, status)) in batch.conflicts {
                self.push(conflict(id, rev, &status));
            }
            let lost =
                if batch.lagged { BTreeSet::from([PAIRINGS, MESSAGES, ALERTS, ERRORS]) } else { BTreeSet::new() };
            for name in batch.at_desk.union(&lost) {
                self.push(event(name, &json!({})));
            }
        }
        Ok(())
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
        self.notices.end();
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
    /// Events for the desk's page, by name.
    at_desk: BTreeSet<&'static str>,
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
            Wake::Pairings => {
                self.at_desk.insert(PAIRINGS);
            }
            Wake::Messages | Wake::Providers => {
                self.at_desk.insert(MESSAGES);
            }
            Wake::Alerts => {
                self.at_desk.insert(ALERTS);
            }
            Wake::Problems => {
                self.at_desk.insert(ERRORS);
            }
            Wake::DeviceRevoked(_) | Wake::DeviceChanged { .. } | Wake::Epoch(_) | Wake::Notified => {}
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

fn conflict(id: Uuid, rev: i64, status: &str) -> String {
    event("conflict", &json!({"id": id, "rev": rev, "status": status}))
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests;
