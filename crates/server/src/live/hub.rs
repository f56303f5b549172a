//! Reads what streams are told once for all of them: a thousand phones are one look at the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use showdesk_engine::{ClashNews, Engine, EngineError, News, ToldNotice, Wake};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::accept::stopped;

/// What a stream may fall behind before it reads for itself.
const NEWS_KEPT: usize = 256;
/// How often it looks if nothing wakes it: another desk may have said something that was not heard.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A clash, and whom it concerns beside the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) id: Uuid,
    pub(super) rev: i64,
    pub(super) status: String,
    pub(super) device: Uuid,
    pub(super) server_person: Option<Uuid>,
}

/// What happened, for all phones.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// By person, in the order of their streams.
    pub(super) notices: HashMap<Uuid, Vec<ToldNotice>>,
    pub(super) clashes: Vec<Clash>,
}

/// Where streams hear it.
#[derive(Clone)]
pub(crate) struct Hub(broadcast::Sender<Arc<Told>>);

impl Hub {
    /// Listens for the engine's wake-ups until the desk stops. It has begun when this returns: what is committed from
    /// then on is told.
    pub(crate) async fn start(engine: Engine, stop: watch::Receiver<bool>) -> Result<Self, EngineError> {
        let (sender, _) = broadcast::channel(NEWS_KEPT);
        let wakes = engine.wakes();
        let event = engine.last_event().await?;
        tokio::spawn(tell_for_ever(engine, event, wakes, stop, sender.clone()));
        Ok(Self(sender))
    }

    /// Hears all that is told from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.0.subscribe()
    }
}

async fn tell_for_ever(
    engine: Engine,
    mut event: i64,
    mut wakes: broadcast::Receiver<Wake>,
    mut stop: watch::Receiver<bool>,
    sender: broadcast::Sender<Arc<Told>>,
) {
    let mut waiting = Waiting::default();
    // Wake-ups of other things do not put it off.
    let mut look_at = Instant::now() + LOOK_EVERY;
    loop {
        let woken = tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            woken = timeout_at(look_at, wakes.recv()) => woken,
        };
        match woken {
            Ok(Err(RecvError::Closed)) => return,
            Ok(Err(RecvError::Lagged(_))) | Err(_) => waiting.is_called = true,
            Ok(Ok(wake)) => waiting.add(wake),
        }
        loop {
            match wakes.try_recv() {
                Ok(wake) => waiting.add(wake),
                Err(TryRecvError::Lagged(_)) => waiting.is_called = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if !waiting.is_called && waiting.clashes.is_empty() {
            continue;
        }
        look_at = Instant::now() + LOOK_EVERY;
        let clashes: Vec<Uuid> = waiting.clashes.keys().copied().collect();
        match engine.news(event, &clashes).await {
            Ok(news) => {
                event = news.event;
                let told = std::mem::take(&mut waiting).told(news);
                if !told.notices.is_empty() || !told.clashes.is_empty() {
                    // Nobody listening is fine.
                    let _ = sender.send(Arc::new(told));
                }
            }
            // What was called for is looked at with the next wake-up, or after the pause without one.
            Err(error) => tracing::warn!(%error, "what streams are to be told could not be read"),
        }
    }
}

/// Wake-ups joined.
#[derive(Debug, Default)]
struct Waiting {
    is_called: bool,
    /// By id: the newest state's number and status.
    clashes: HashMap<Uuid, (i64, String)>,
}

impl Waiting {
    fn add(&mut self, wake: Wake) {
        match wake {
            Wake::Notified | Wake::Epoch(_) => self.is_called = true,
            Wake::Conflict { id, rev, status } => {
                self.clashes.insert(id, (rev, status));
            }
            _ => {}
        }
    }

    fn told(mut self, news: News) -> Told {
        let clashes = news.clashes.into_iter().filter_map(|ClashNews { id, device, server_person }| {
            let (rev, status) = self.clashes.remove(&id)?;
            Some(Clash { id, rev, status, device, server_person })
        });
        Told { clashes: clashes.collect(), notices: news.notices }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_ups_are_joined_and_clashes_keep_their_newest_state() {
        let mut waiting = Waiting::default();
        let id = Uuid::from_u128(1);
        for wake in [
            Wake::Clock(7),
            Wake::Conflict { id, rev: 1, status: "open".to_owned() },
            Wake::Conflict { id, rev: 2, status: "resolved".to_owned() },
            Wake::Pairings,
        ] {
            waiting.add(wake);
        }
        assert!(!waiting.is_called);
        let concerned = ClashNews { id, device: Uuid::from_u128(2), server_person: None };
        let stranger = ClashNews { id: Uuid::from_u128(9), ..concerned.clone() };
        let told = waiting.told(News { clashes: vec![concerned, stranger], ..News::default() });
        let expected =
            Clash { id, rev: 2, status: "resolved".to_owned(), device: Uuid::from_u128(2), server_person: None };
        assert_eq!(told.clashes, [expected]);
    }
}
