//! How many streams are open, and for whom there is room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use uuid::Uuid;

/// Streams of one device.
pub(crate) const STREAMS_OF_DEVICE_MAX: usize = 2;
/// Streams in all.
pub(crate) const STREAMS_MAX: usize = 1_200;

/// How many streams are open, by device.
#[derive(Default)]
pub(crate) struct Streams(Mutex<HashMap<Uuid, usize>>);

impl Streams {
    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().expect("nobody panics while holding it").values().sum()
    }

    /// A place for one more stream of the device; none if there is none left.
    pub(super) fn open(streams: &Arc<Self>, device: Uuid) -> Option<StreamPlace> {
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
pub(super) struct StreamPlace {
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
}
