//! What only grows, counted where it happens: one addition without a lock.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_store::deliveries::{Channel, DeliveryStatus};
use showdesk_telemetry::metric::Metric;

use super::history::{Labels, labels};
use crate::api::sync::{OpResult, VerdictName};

/// The words under which verdicts are counted; an op that was answered before is none of them.
const VERDICTS: [(VerdictName, &str); 7] = [
    (VerdictName::Applied, "applied"),
    (VerdictName::Merged, "merged"),
    (VerdictName::Noop, "noop"),
    (VerdictName::Conflict, "conflict"),
    (VerdictName::Held, "held"),
    (VerdictName::Rejected, "rejected"),
    (VerdictName::Retry, "retry"),
];
const REPLAYED: &str = "replayed";
const NEEDLESS: &str = "needless";
const CHANNELS: [Channel; 4] = [Channel::Local, Channel::Fcm, Channel::Apns, Channel::Web];
const RESULTS: [DeliveryStatus; 6] = [
    DeliveryStatus::Delivered,
    DeliveryStatus::Seen,
    DeliveryStatus::Confirmed,
    DeliveryStatus::Accepted,
    DeliveryStatus::Failed,
    DeliveryStatus::Expired,
];

/// All that is counted since the start of the program.
#[derive(Debug)]
pub(crate) struct Counters {
    verdicts: [AtomicU64; VERDICTS.len()],
    replayed: AtomicU64,
    opened: AtomicU64,
    decided: AtomicU64,
    deliveries: [[AtomicU64; RESULTS.len()]; CHANNELS.len()],
    needless: [AtomicU64; CHANNELS.len()],
}

impl Default for Counters {
    fn default() -> Self {
        let zero = |_| AtomicU64::new(0);
        Self {
            verdicts: array::from_fn(zero),
            replayed: zero(0),
            opened: zero(0),
            decided: zero(0),
            deliveries: array::from_fn(|_| array::from_fn(zero)),
            needless: array::from_fn(zero),
        }
    }
}

impl Counters {
    /// Counts what a phone was answered.
    pub(crate) fn verdicts(&self, results: &[OpResult]) {
        // A push of 500 is eight additions.
        let mut counts = [0_u64; VERDICTS.len()];
        let mut replayed = 0;
        for result in results {
            if result.replayed {
                replayed += 1;
            } else if let Some(at) = VERDICTS.iter().position(|(verdict, _)| *verdict == result.verdict) {
                counts[at] += 1;
            }
        }
        for (counter, count) in self.verdicts.iter().zip(counts).chain([(&self.replayed, replayed)]) {
            if count > 0 {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    /// Counts the clashes that a transaction changed.
    pub(crate) fn clashes<'a>(&self, changed: impl Iterator<Item = &'a Conflict>, now: chrono::DateTime<chrono::Utc>) {
        for clash in changed {
            let counter = match clash.status {
                ConflictStatus::Open if clash.rev == 1 && clash.created_at == now => &self.opened,
                ConflictStatus::Resolved if clash.resolved_at == Some(now) => &self.decided,
                _ => continue,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts what became of messages on a way.
    pub(crate) fn deliveries(&self, channel: Channel, result: DeliveryStatus, count: u64) {
        let way = CHANNELS.iter().position(|known| *known == channel);
        let end = RESULTS.iter().position(|known| *known == result);
        if let (Some(way), Some(end)) = (way, end) {
            self.deliveries[way][end].fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Counts messages that came to no phone on a way because nobody wanted that any more: they were taken back, a newer
    /// one took their place, or the phone had them. They expired, and are no failures.
    pub(crate) fn needless(&self, channel: Channel, count: u64) {
        if let Some(way) = CHANNELS.iter().position(|known| *known == channel) {
            self.needless[way].fetch_add(count, Ordering::Relaxed);
        }
    }

    /// How far all are.
    pub(crate) fn read(&self) -> Vec<(Metric, Labels, u64)> {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let verdicts = VERDICTS.iter().map(|(_, word)| *word).zip(&self.verdicts);
        let verdicts = verdicts.chain([(REPLAYED, &self.replayed)]);
        let mut read: Vec<_> =
            verdicts.map(|(word, counter)| (Metric::SyncOps, labels([("verdict", word)]), value(counter))).collect();
        read.push((Metric::ConflictsOpened, Labels::new(), value(&self.opened)));
        read.push((Metric::ConflictsDecided, Labels::new(), value(&self.decided)));
        for (channel, ends) in CHANNELS.iter().zip(&self.deliveries) {
            for (result, counter) in RESULTS.iter().zip(ends) {
                let of = labels([("channel", channel.as_str()), ("result", result.as_str())]);
                // What never happened on a way that nobody uses is not told.
                if value(counter) > 0 {
                    read.push((Metric::Deliveries, of, value(counter)));
                }
            }
        }
        for (channel, counter) in CHANNELS.iter().zip(&self.needless) {
            if value(counter) > 0 {
                let of = labels([("channel", channel.as_str()), ("result", NEEDLESS)]);
                read.push((Metric::Deliveries, of, value(counter)));
            }
        }
        read
    }
}
