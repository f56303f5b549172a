//! Who may be at work: the handlers of a listener, and how few of them strangers get (SECURITY.md §5).
//!
//! A request that shows a pass which was good a moment ago takes a handler at once. Every other one is a stranger's: it
//! first takes one of the strangers' places, and gives it back when its pass turns out to be good. So those who have no
//! pass wait for each other, and those who have one wait for nobody else. The desk's own listener has its own handlers.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::bodies::Bodies;

/// Requests at work at once, on each kind of listener.
pub(crate) const HANDLERS_MAX: usize = 256;
/// Those of strangers among them.
pub(crate) const STRANGERS_MAX: usize = 64;
/// Strangers that wait for one of their places …
const WAITING_MAX: usize = 2_048;
/// … those of one address among them …
const WAITING_OF_ADDRESS_MAX: usize = 1_024;
/// … and for how long.
const WAITING_TIME: Duration = Duration::from_secs(5);
/// Look-ups at once for addresses that were wrong too often.
const DOUBTFUL_MAX: usize = 4;
/// Passes that are remembered as good; more than a show has phones.
const PASSES_MAX: usize = 8_192;

/// The handlers of one kind of listener.
pub(crate) struct Handlers {
    all: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    doubtful: Semaphore,
    passes: GoodPasses,
    bodies: Arc<Bodies>,
}

/// A request at work.
pub(crate) struct AtWork {
    _handler: OwnedSemaphorePermit,
    stranger: Option<OwnedSemaphorePermit>,
}

/// Too much is asked for at once.
#[derive(Debug)]
pub(crate) struct Full;

impl Default for Handlers {
    fn default() -> Self {
        Self::new(HANDLERS_MAX, STRANGERS_MAX)
    }
}

impl Handlers {
    /// So many at once, and so many strangers among them.
    pub(crate) fn new(all: usize, strangers: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            strangers: Arc::new(Semaphore::new(strangers)),
            waiting: Mutex::default(),
            doubtful: Semaphore::new(DOUBTFUL_MAX),
            passes: GoodPasses::default(),
            bodies: Arc::default(),
        }
    }

    /// A handler for somebody with a pass.
    pub(crate) fn take(&self) -> Result<AtWork, Full> {
        let handler = Arc::clone(&self.all).try_acquire_owned().map_err(|_| Full)?;
        Ok(AtWork { _handler: handler, stranger: None })
    }

    /// A handler for somebody of whom nothing is known but the address. Waits for a while where many strangers ask.
    pub(crate) async fn take_for_stranger(&self, address: IpAddr) -> Result<AtWork, Full> {
        let free = Arc::clone(&self.strangers).try_acquire_owned();
        let place = if let Ok(place) = free {
            place
        } else {
            let _waiting = self.wait_in_line(address)?;
            let place = timeout(WAITING_TIME, Arc::clone(&self.strangers).acquire_owned()).await;
            place.map_err(|_| Full)?.map_err(|_| Full)?
        };
        self.take().map(|at_work| AtWork { stranger: Some(place), ..at_work })
    }

    fn wait_in_line(&self, address: IpAddr) -> Result<InLine<'_>, Full> {
        let mut waiting = self.waiting();
        let of_address = waiting.of_address.get(&address).copied().unwrap_or(0);
        if waiting.in_all >= WAITING_MAX || of_address >= WAITING_OF_ADDRESS_MAX {
            return Err(Full);
        }
        waiting.in_all += 1;
        waiting.of_address.insert(address, of_address + 1);
        drop(waiting);
        Ok(InLine { handlers: self, address })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for one of the few look-ups of a pass or a code from addresses that were wrong too often: what they ask
    /// for is looked up all the same, and takes the database from nobody.
    pub(crate) async fn look_up_in_doubt(&self) -> Option<SemaphorePermit<'_>> {
        self.doubtful.acquire().await.ok()
    }

    /// What of requests is arriving.
    pub(crate) fn bodies(&self) -> &Arc<Bodies> {
        &self.bodies
    }

    /// Whether the pass was good when it was last shown. That decides who waits, and nothing else.
    pub(crate) fn has_seen(&self, pass: &str) -> bool {
        self.passes.has(pass)
    }

    /// Remembers how the look-up of a pass ended.
    pub(crate) fn looked_up(&self, pass: &str, is_good: bool) {
        self.passes.note(pass, is_good);
    }
}

impl AtWork {
    /// It showed a good pass: another stranger may come.
    pub(crate) fn is_no_stranger(&mut self) {
        self.stranger = None;
    }
}

#[derive(Default)]
struct Waiting {
    in_all: usize,
    of_address: HashMap<IpAddr, usize>,
}

/// A stranger that waits, as long as this lives.
struct InLine<'a> {
    handlers: &'a Handlers,
    address: IpAddr,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        let mut waiting = self.handlers.waiting();
        waiting.in_all -= 1;
        if let Some(count) = waiting.of_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                waiting.of_address.remove(&self.address);
            }
        }
    }
}

/// Passes that were good when they were last shown, as numbers that only this program can make of them.
#[derive(Default)]
struct GoodPasses {
    numbered_by: RandomState,
    good: Mutex<HashSet<u64>>,
}

impl GoodPasses {
    fn has(&self, pass: &str) -> bool {
        self.good().contains(&self.numbered_by.hash_one(pass))
    }

    fn note(&self, pass: &str, is_good: bool) {
        let number = self.numbered_by.hash_one(pass);
        let mut good = self.good();
        if !is_good {
            good.remove(&number);
        } else if !good.contains(&number) {
            if good.len() >= PASSES_MAX {
                good.clear();
            }
            good.insert(number);
        }
    }

    fn good(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::FutureExt;

    use super::*;

    fn address(last: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + last))
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_wait_for_each_other_and_nobody_with_a_pass_waits_for_them() {
        let handlers = Handlers::new(4, 2);
        let mut first = handlers.take_for_stranger(address(1)).await.expect("a place");
        let second = handlers.take_for_stranger(address(1)).await.expect("a place");
        let waiting = handlers.take_for_stranger(address(2));
        tokio::pin!(waiting);
        assert!((&mut waiting).now_or_never().is_none(), "both places are taken");
        let known = [handlers.take().expect("a handler"), handlers.take().expect("a handler")];
        assert!(handlers.take().is_err(), "four handlers are at work");
        drop(known);
        first.is_no_stranger();
        let third = waiting.await.expect("the first one had a pass");
        let late = handlers.take_for_stranger(address(2));
        assert!(late.await.is_err(), "nobody waits for ever");
        drop((first, second, third));
        assert_eq!((handlers.all.available_permits(), handlers.strangers.available_permits()), (4, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn the_line_is_bounded_for_an_address_and_for_all_and_forgets_who_left() {
        let handlers = Handlers::new(4, 0);
        let line = |address: IpAddr| (0..WAITING_OF_ADDRESS_MAX).map(move |_| address);
        let waiting: Vec<_> = line(address(1)).map(|address| handlers.wait_in_line(address).expect("room")).collect();
        assert!(handlers.wait_in_line(address(1)).is_err(), "no address fills the line alone");
        let others = (2..).map(address).flat_map(line).take(WAITING_MAX - WAITING_OF_ADDRESS_MAX);
        let others: Vec<_> = others.map(|address| handlers.wait_in_line(address).expect("room")).collect();
        assert!(handlers.wait_in_line(IpAddr::from([192, 168, 1, 1])).is_err(), "the line is full");
        drop((waiting, others));
        let left = handlers.waiting();
        assert!(left.in_all == 0 && left.of_address.is_empty());
    }

    #[test]
    fn a_pass_is_remembered_until_it_is_wrong_once() {
        let handlers = Handlers::default();
        assert!(!handlers.has_seen("lsd_a"));
        handlers.looked_up("lsd_a", true);
        assert!(handlers.has_seen("lsd_a") && !handlers.has_seen("lsd_b"));
        handlers.looked_up("lsd_a", false);
        assert!(!handlers.has_seen("lsd_a"));
        for number in 0..=PASSES_MAX {
            handlers.looked_up(&format!("lsd_{number}"), true);
        }
        assert!(handlers.passes.good().len() <= PASSES_MAX);
    }
}
