//! How much of phones' bodies the desk holds while they arrive (SECURITY.md §5).
//!
//! A body takes no handler while it comes, and one connection may bring many at once, so what has come of all of them
//! is bounded by itself: for each device, so that no phone takes it from the others, and for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// Bytes held of all phones' bodies that are not whole yet …
pub(crate) const ARRIVING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// … and of one device's among them. Who shows no pass counts as one device.
pub(crate) const ARRIVING_BYTES_OF_DEVICE_MAX: usize = 8 * 1024 * 1024;

/// What has come of bodies that are not whole yet.
#[derive(Default)]
pub(crate) struct Bodies {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    in_all: usize,
    of_device: HashMap<Option<Uuid>, usize>,
}

/// There is no room for more at the moment.
#[derive(Debug)]
pub(crate) struct Full;

/// One body, as long as it arrives.
pub(crate) struct Arriving {
    bodies: Arc<Bodies>,
    device: Option<Uuid>,
    bytes: usize,
}

impl Bodies {
    /// A body of this device begins to arrive; nothing of it is there yet.
    pub(crate) fn begin(self: &Arc<Self>, device: Option<Uuid>) -> Arriving {
        Arriving { bodies: Arc::clone(self), device, bytes: 0 }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arriving {
    /// So many more bytes of it have come.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Full> {
        let mut held = self.bodies.held();
        let of_device = held.of_device.get(&self.device).copied().unwrap_or(0);
        if held.in_all + bytes > ARRIVING_BYTES_MAX || of_device + bytes > ARRIVING_BYTES_OF_DEVICE_MAX {
            return Err(Full);
        }
        held.in_all += bytes;
        held.of_device.insert(self.device, of_device + bytes);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let mut held = self.bodies.held();
        held.in_all -= self.bytes;
        if let Some(of_device) = held.of_device.get_mut(&self.device) {
            *of_device -= self.bytes;
            if *of_device == 0 {
                held.of_device.remove(&self.device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUSH: usize = 1024 * 1024;

    #[test]
    fn no_phone_takes_the_room_of_the_others_and_what_ends_gives_it_back() {
        let bodies = Arc::new(Bodies::default());
        let begin = |device: u128| bodies.begin(Some(Uuid::from_u128(device)));
        let mut greedy: Vec<Arriving> = (0..9).map(|_| begin(1)).collect();
        let taken = greedy.iter_mut().filter_map(|body| body.take(PUSH).ok()).count();
        assert_eq!(taken, ARRIVING_BYTES_OF_DEVICE_MAX / PUSH);
        let mut others: Vec<Arriving> = (2..=60).map(begin).collect();
        let room = (ARRIVING_BYTES_MAX - ARRIVING_BYTES_OF_DEVICE_MAX) / PUSH;
        assert_eq!(others.iter_mut().filter_map(|body| body.take(PUSH).ok()).count(), room);
        assert!(others[59 - 1].take(1).is_err(), "nobody's more");
        drop(greedy);
        others[58].take(PUSH).expect("room again");
        drop(others);
        let held = bodies.held();
        assert!(held.in_all == 0 && held.of_device.is_empty());
    }
}
