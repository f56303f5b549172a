//! Who may be connected, and who gives way when the house is full (SECURITY.md §5).
//!
//! A connection begins as a stranger's and counts against its address. When a request on it shows a valid pass it
//! counts against the device. A stranger's connection costs little, so the oldest of them is closed for a new one:
//! whoever only holds connections open loses them, and an honest phone gets in. A thousand phones behind one address
//! that come back at once lose nothing to each other: a new connection has a moment to show its pass, and one whose
//! request is being worked on is spared. How many are spared is bounded by the handlers at once. It knows nothing of
//! HTTP.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use showdesk_engine::counted_as;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

/// Connections of one address that have not shown a pass.
pub(crate) const STRANGERS_OF_ADDRESS_MAX: usize = 512;
/// Those that are new may be more: together no more than this.
pub(crate) const NEWCOMERS_OF_ADDRESS_MAX: usize = 1_536;
/// How long a connection is new.
const NEW_FOR: Duration = Duration::from_secs(1);
/// Connections of one device: a browser has few, each tab some more.
pub(crate) const OF_DEVICE_MAX: usize = 64;

/// Whose a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Stranger(IpAddr),
    Device(Uuid),
}

impl Whose {
    fn most(self) -> usize {
        match self {
            Self::Stranger(_) => STRANGERS_OF_ADDRESS_MAX,
            Self::Device(_) => OF_DEVICE_MAX,
        }
    }

    fn most_with_newcomers(self) -> usize {
        match self {
            Self::Stranger(_) => NEWCOMERS_OF_ADDRESS_MAX,
            Self::Device(_) => OF_DEVICE_MAX,
        }
    }
}

/// All places, for one or several listeners.
pub(crate) struct Places {
    most: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    next: u64,
    open: HashMap<u64, Open>,
    /// The connections of each, the oldest first.
    groups: HashMap<Whose, VecDeque<u64>>,
}

struct Open {
    whose: Whose,
    since: Instant,
    /// How many of its requests the desk works on.
    served: usize,
    #[expect(dead_code, reason = "it is never used to send: its end tells the connection to go")]
    stays: oneshot::Sender<()>,
}

/// A place that is held as long as this lives.
pub(crate) struct Place {
    id: u64,
    places: Arc<Places>,
    goes: oneshot::Receiver<()>,
}

/// The desk works on a request of a connection as long as this lives.
pub(crate) struct Served(Standing);

/// Names a connection to whoever finds out whose it is.
#[derive(Clone)]
pub(crate) struct Standing {
    id: u64,
    places: Arc<Places>,
}

impl Places {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default(), freed: Notify::new() })
    }

    /// Waits until another connection can be taken: a place is free, or a stranger's could be.
    pub(crate) async fn have_room(&self) {
        loop {
            let freed = self.freed.notified();
            {
                let taken = self.lock();
                if taken.open.len() < self.most || taken.largest_strangers().is_some() {
                    return;
                }
            }
            freed.await;
        }
    }

    /// A place for a new connection from there. Who had to go for it is told so.
    pub(crate) fn enter(self: &Arc<Self>, peer: IpAddr) -> Place {
        let (stays, goes) = oneshot::channel();
        let whose = Whose::Stranger(counted_as(peer));
        let mut taken = self.lock();
        if taken.open.len() >= self.most
            && let Some(largest) = taken.largest_strangers()
        {
            taken.close_oldest(largest);
        }
        let id = taken.next;
        taken.next += 1;
        taken.open.insert(id, Open { whose, since: Instant::now(), served: 0, stays });
        taken.join(id, whose);
        drop(taken);
        Place { id, places: Arc::clone(self), goes }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Adds a connection to a group. The oldest that can go do, while there are too many that are no longer new, or
    /// too many at all.
    fn join(&mut self, id: u64, whose: Whose) {
        self.groups.entry(whose).or_default().push_back(id);
        let now = Instant::now();
        while let Some(oldest) = self.one_too_many(whose, now) {
            self.close(oldest, whose);
        }
    }

    fn one_too_many(&self, whose: Whose, now: Instant) -> Option<u64> {
        let group = self.groups.get(&whose).filter(|group| group.len() > whose.most())?;
        let oldest = self.oldest_to_go(group)?;
        let is_new = self.open.get(&oldest).is_some_and(|open| now - open.since < NEW_FOR);
        (!is_new || group.len() > whose.most_with_newcomers()).then_some(oldest)
    }

    fn leave(&mut self, id: u64, whose: Whose) {
        let Some(group) = self.groups.get_mut(&whose) else { return };
        group.retain(|other| *other != id);
        if group.is_empty() {
            self.groups.remove(&whose);
        }
    }

    fn close_oldest(&mut self, whose: Whose) {
        if let Some(oldest) = self.groups.get(&whose).and_then(|group| self.oldest_to_go(group)) {
            self.close(oldest, whose);
        }
    }

    fn close(&mut self, id: u64, whose: Whose) {
        self.leave(id, whose);
        // Its task hears that the sender is gone.
        self.open.remove(&id);
    }

    fn oldest_to_go(&self, group: &VecDeque<u64>) -> Option<u64> {
        group.iter().copied().find(|id| self.open.get(id).is_some_and(|open| open.served == 0))
    }

    /// The largest group of strangers of whom one can go.
    fn largest_strangers(&self) -> Option<Whose> {
        let strangers = self.groups.iter().filter(|(whose, _)| matches!(whose, Whose::Stranger(_)));
        let can_shrink = strangers.filter(|(_, group)| self.oldest_to_go(group).is_some());
        can_shrink.max_by_key(|(_, group)| group.len()).map(|(whose, _)| *whose)
    }
}

impl Place {
    pub(crate) fn standing(&self) -> Standing {
        Standing { id: self.id, places: Arc::clone(&self.places) }
    }

    /// Waits until the connection has to go.
    pub(crate) async fn closed(&mut self) {
        // Nothing is ever sent: the other side is dropped.
        let _ = (&mut self.goes).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(open) = taken.open.remove(&self.id) {
            taken.leave(self.id, open.whose);
        }
        drop(taken);
        self.places.freed.notify_waiters();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let Self(Standing { id, places }) = self;
        let mut taken = places.lock();
        let Some(open) = taken.open.get_mut(id) else { return };
        open.served -= 1;
        if open.served == 0 {
            drop(taken);
            // It could go now.
            places.freed.notify_waiters();
        }
    }
}

impl Standing {
    /// The desk works on a request of this connection from now on, and does not wait for more of it.
    pub(crate) fn serve(&self) -> Served {
        if let Some(open) = self.places.lock().open.get_mut(&self.id) {
            open.served += 1;
        }
        Served(self.clone())
    }

    /// A request on this connection has shown a valid pass of that device.
    pub(crate) fn is_of(&self, device: Uuid) {
        let whose = Whose::Device(device);
        let mut taken = self.places.lock();
        let Some(open) = taken.open.get_mut(&self.id) else { return };
        if open.whose != whose {
            let before = std::mem::replace(&mut open.whose, whose);
            taken.leave(self.id, before);
            taken.join(self.id, whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    fn address(last: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + last))
    }

    fn is_closed(place: &mut Place) -> bool {
        place.closed().now_or_never().is_some()
    }

    fn open(places: &Arc<Places>) -> usize {
        places.lock().open.len()
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_loses_its_oldest_stranger_for_a_new_one_and_no_other_address_does() {
        let places = Places::new(10_000);
        let mut honest = places.enter(address(1));
        let mut slow: Vec<Place> = (0..STRANGERS_OF_ADDRESS_MAX).map(|_| places.enter(address(2))).collect();
        advance(NEW_FOR).await;
        let _new = places.enter(address(2));
        assert!(is_closed(&mut slow[0]) && !is_closed(&mut slow[1]) && !is_closed(&mut honest));
        assert_eq!(open(&places), STRANGERS_OF_ADDRESS_MAX + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_come_together_have_a_moment_to_show_their_passes() {
        let places = Places::new(10_000);
        let mut crowd: Vec<Place> = (0..NEWCOMERS_OF_ADDRESS_MAX).map(|_| places.enter(address(1))).collect();
        assert!(crowd.iter_mut().all(|place| !is_closed(place)));
        let _one_more = places.enter(address(1));
        assert!(is_closed(&mut crowd[0]) && !is_closed(&mut crowd[1]));
        for (number, place) in (1..).zip(&crowd[1..1_000]) {
            place.standing().is_of(Uuid::from_u128(number));
        }
        advance(NEW_FOR).await;
        let _new = places.enter(address(1));
        let strangers = NEWCOMERS_OF_ADDRESS_MAX - 1_000;
        assert_eq!(open(&places), 999 + STRANGERS_OF_ADDRESS_MAX.min(strangers + 2));
        assert!(crowd[1..1_000].iter_mut().all(|place| !is_closed(place)) && is_closed(&mut crowd[1_000]));
    }

    #[test]
    fn a_full_house_takes_the_place_of_whoever_has_most() {
        let places = Places::new(6);
        let mut few = places.enter(address(1));
        let mut many: Vec<Place> = (0..5).map(|_| places.enter(address(2))).collect();
        let mut new = places.enter(address(3));
        assert!(is_closed(&mut many[0]) && !is_closed(&mut few) && !is_closed(&mut new));
        assert_eq!(open(&places), 6);
    }

    #[test]
    fn who_has_shown_a_pass_gives_way_to_no_stranger() {
        let places = Places::new(2);
        let mut phone = places.enter(address(1));
        phone.standing().is_of(Uuid::from_u128(1));
        let other = places.enter(address(1));
        other.standing().is_of(Uuid::from_u128(2));
        assert!(places.have_room().now_or_never().is_none(), "nobody can be sent away");
        drop(other);
        assert!(places.have_room().now_or_never().is_some());
        let mut strangers: Vec<Place> = (0..5).map(|_| places.enter(address(1))).collect();
        assert!(!is_closed(&mut phone) && is_closed(&mut strangers[3]) && !is_closed(&mut strangers[4]));
    }

    #[test]
    fn a_device_loses_its_own_oldest_connection() {
        let places = Places::new(10_000);
        let device = Uuid::from_u128(1);
        let mut first = places.enter(address(1));
        first.standing().is_of(device);
        first.standing().is_of(device);
        let others: Vec<Place> = (1..OF_DEVICE_MAX).map(|_| places.enter(address(1))).collect();
        for place in &others {
            place.standing().is_of(device);
        }
        assert!(!is_closed(&mut first));
        let mut last = places.enter(address(1));
        last.standing().is_of(device);
        assert!(is_closed(&mut first) && !is_closed(&mut last));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_the_desk_is_spared() {
        let places = Places::new(10_000);
        let mut asking: Vec<Place> = (0..STRANGERS_OF_ADDRESS_MAX).map(|_| places.enter(address(1))).collect();
        let served: Vec<Served> = asking.iter().map(|place| place.standing().serve()).collect();
        let mut idle = places.enter(address(1));
        advance(NEW_FOR).await;
        let _next = places.enter(address(1));
        assert!(asking.iter_mut().all(|place| !is_closed(place)) && is_closed(&mut idle));
        drop(served);
        let _new = places.enter(address(1));
        assert!(is_closed(&mut asking[0]) && is_closed(&mut asking[1]) && !is_closed(&mut asking[2]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_house_waits_for_whoever_is_served() {
        let places = Places::new(1);
        let mut asking = places.enter(address(1));
        let served = asking.standing().serve();
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.have_room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(served);
        waiting.await.expect("no panic");
        let _new = places.enter(address(1));
        assert!(is_closed(&mut asking));
    }

    #[test]
    fn nothing_is_remembered_of_who_has_gone() {
        let places = Places::new(10);
        let place = places.enter(address(1));
        let standing = place.standing();
        drop(place);
        standing.is_of(Uuid::from_u128(1));
        let taken = places.lock();
        assert!(taken.open.is_empty() && taken.groups.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_room_hears_of_it() {
        let places = Places::new(1);
        let phone = places.enter(address(1));
        phone.standing().is_of(Uuid::from_u128(1));
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.have_room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(phone);
        waiting.await.expect("no panic");
    }
}
