//! Who may be connected, and who gives way when the house is full (SECURITY.md §5).
//!
//! A connection begins as a stranger's and counts against its address. When a request on it shows a valid pass it
//! counts against the device. A stranger's connection costs little, so the oldest of them is closed for a new one:
//! whoever only holds connections open loses them, and an honest phone gets in. It knows nothing of HTTP.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

/// Connections of one address that have not shown a pass.
const STRANGERS_OF_ADDRESS_MAX: usize = 512;
/// Connections of one device: a browser has few, each tab some more.
const OF_DEVICE_MAX: usize = 64;

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
    #[expect(dead_code, reason = "it is never used to send: its end tells the connection to go")]
    stays: oneshot::Sender<()>,
}

/// A place that is held as long as this lives.
pub(crate) struct Place {
    id: u64,
    places: Arc<Places>,
    goes: oneshot::Receiver<()>,
}

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
        let whose = Whose::Stranger(peer.to_canonical());
        let mut taken = self.lock();
        if taken.open.len() >= self.most
            && let Some(largest) = taken.largest_strangers()
        {
            taken.close_oldest(largest);
        }
        let id = taken.next;
        taken.next += 1;
        taken.open.insert(id, Open { whose, stays });
        taken.join(id, whose);
        drop(taken);
        Place { id, places: Arc::clone(self), goes }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Adds a connection to a group; the group's oldest goes if it is one too many.
    fn join(&mut self, id: u64, whose: Whose) {
        let group = self.groups.entry(whose).or_default();
        group.push_back(id);
        if group.len() > whose.most() {
            self.close_oldest(whose);
        }
    }

    fn leave(&mut self, id: u64, whose: Whose) {
        let Some(group) = self.groups.get_mut(&whose) else { return };
        group.retain(|other| *other != id);
        if group.is_empty() {
            self.groups.remove(&whose);
        }
    }

    fn close_oldest(&mut self, whose: Whose) {
        let Some(oldest) = self.groups.get(&whose).and_then(|group| group.front().copied()) else { return };
        self.leave(oldest, whose);
        // Its task hears that the sender is gone.
        self.open.remove(&oldest);
    }

    fn largest_strangers(&self) -> Option<Whose> {
        let strangers = self.groups.iter().filter(|(whose, _)| matches!(whose, Whose::Stranger(_)));
        strangers.max_by_key(|(_, group)| group.len()).map(|(whose, _)| *whose)
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

impl Standing {
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

    #[test]
    fn an_address_loses_its_oldest_stranger_for_a_new_one_and_no_other_address_does() {
        let places = Places::new(10_000);
        let mut honest = places.enter(address(1));
        let mut slow: Vec<Place> = (0..=STRANGERS_OF_ADDRESS_MAX).map(|_| places.enter(address(2))).collect();
        assert!(is_closed(&mut slow[0]) && !is_closed(&mut slow[1]) && !is_closed(&mut honest));
        assert_eq!(open(&places), STRANGERS_OF_ADDRESS_MAX + 1);
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
