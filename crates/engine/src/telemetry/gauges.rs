//! How all stands at this moment: the queue, clashes, phones, providers, streams, files and the machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::conflict::ConflictKind;
use showdesk_store::{conflicts, queue};
use showdesk_telemetry::metric::Metric;

use super::history::{Labels, Measured, labels};
use super::machine::MachineFacts;
use crate::api::devices::DeviceView;
use crate::{Engine, Result};

/// How long it is told that the program was down.
const DOWNTIME_TOLD: TimeDelta = TimeDelta::minutes(10);

#[expect(clippy::cast_precision_loss, reason = "52 bits are far more than a figure on a screen shows")]
pub(super) const fn as_f64(value: u64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "52 bits are far more than a figure on a screen shows")]
const fn signed(value: i64) -> f64 {
    value as f64
}

fn seconds(time: TimeDelta) -> f64 {
    signed(time.num_milliseconds().max(0)) / 1_000.0
}

/// Readings of one moment.
struct Readings {
    at: DateTime<Utc>,
    all: Vec<Measured>,
}

impl Readings {
    /// Of the laptop or of the show.
    fn add(&mut self, metric: Metric, value: f64) {
        self.add_of(metric, "", Labels::new(), value);
    }

    fn add_of(&mut self, metric: Metric, subject: &str, labels: Labels, value: f64) {
        self.push(metric, subject, Arc::new(labels), value);
    }

    fn push(&mut self, metric: Metric, subject: &str, labels: Arc<Labels>, value: f64) {
        self.all.push(Measured { metric, subject: subject.to_owned(), labels, value, at: self.at });
    }

    fn phone(&mut self, phone: &DeviceView) {
        let id = phone.id.to_string();
        let labels = Arc::new(labels([("device", &id)]));
        let unheard = phone.last_seen.filter(|_| phone.unsent > 0).map(|seen| self.at - seen);
        for (metric, value) in [
            (Metric::PhoneUnsent, signed(phone.unsent)),
            (Metric::PhoneAwayUnsent, unheard.map_or(0.0, seconds)),
            (Metric::PhoneLag, signed(phone.lag)),
            (Metric::ClockSkew, signed(phone.skew_ms.saturating_abs()) / 1_000.0),
        ] {
            self.push(metric, &id, Arc::clone(&labels), value);
        }
    }

    fn machine(&mut self, facts: MachineFacts) {
        let battery = facts.battery;
        for (metric, value) in [
            (Metric::Processor, facts.processor),
            (Metric::Memory, facts.memory.map(as_f64)),
            (Metric::Battery, battery.map(|battery| battery.full)),
            (Metric::OnBattery, battery.map(|battery| f64::from(u8::from(battery.in_use)))),
        ] {
            if let Some(value) = value {
                self.add(metric, value);
            }
        }
    }
}

/// What is kept of readings: of phones only the whole, because a line for each phone and minute would be the largest
/// part of all that is kept, and nobody looks at it; of clashes all, and the kinds that there are.
pub(super) fn kept(readings: &[Measured]) -> Vec<(Metric, Labels, f64)> {
    let mut kept = Vec::new();
    let mut wholes: BTreeMap<Metric, f64> = BTreeMap::new();
    for reading in readings {
        match reading.metric {
            Metric::PhoneUnsent | Metric::ConflictsOpen => *wholes.entry(reading.metric).or_default() += reading.value,
            Metric::PhoneAwayUnsent | Metric::PhoneLag | Metric::ClockSkew => {
                let worst = wholes.entry(reading.metric).or_default();
                *worst = worst.max(reading.value);
            }
            _ => {}
        }
        let of_a_phone = reading.labels.contains_key("device");
        if !of_a_phone && (reading.metric != Metric::ConflictsOpen || reading.value > 0.0) {
            kept.push((reading.metric, Labels::clone(&reading.labels), reading.value));
        }
    }
    kept.extend(wholes.into_iter().map(|(metric, value)| (metric, Labels::new(), value)));
    kept
}

impl Engine {
    /// Reads all gauges. What cannot be read is absent.
    pub(super) async fn read_gauges(&self) -> Result<Vec<Measured>> {
        let mut readings = Readings { at: self.now(), all: Vec::new() };
        self.read_show(&mut readings).await?;
        for (provider, is_open) in self.provider_circuits().await? {
            let of = labels([("provider", provider)]);
            readings.add_of(Metric::ProviderOpen, provider, of, f64::from(u8::from(is_open)));
        }
        if let Ok((data, log)) = self.db().sizes().await {
            readings.add(Metric::DatabaseBytes, as_f64(data));
            if let Some(log) = log {
                readings.add(Metric::WalBytes, as_f64(log));
            }
        }
        if let Some(free) = self.inner.disk.free_bytes() {
            readings.add(Metric::DiskFree, as_f64(free));
        }
        readings.add(Metric::CacheBytes, as_f64(self.cache_figures().bytes));
        let telemetry = &self.inner.telemetry;
        if let Some(streams) = telemetry.streams.get() {
            readings.add(Metric::EventStreams, as_f64(streams() as u64));
        }
        let down = telemetry.down().filter(|(_, since)| readings.at - *since < DOWNTIME_TOLD);
        readings.add(Metric::Downtime, down.map_or(0.0, |(down, _)| seconds(down)));
        readings.machine(telemetry.machine.look().await);
        Ok(readings.all)
    }

    async fn read_show(&self, readings: &mut Readings) -> Result<()> {
        let at = readings.at;
        let mut tx = self.begin_read_desk().await?;
        let waiting = queue::waiting(&mut tx, at).await?;
        let open = conflicts::open_by_kind(&mut tx).await?;
        let phones = self.phones_as_they_are(&mut tx).await?;
        drop(tx);
        readings.add(Metric::QueueDepth, signed(waiting.count));
        readings.add(Metric::QueueAge, waiting.due_since.map_or(0.0, |since| seconds(at - since)));
        for kind in ConflictKind::ALL {
            let count = open.iter().find(|of_kind| of_kind.kind == *kind).map_or(0, |of_kind| of_kind.count);
            readings.add_of(Metric::ConflictsOpen, "", labels([("kind", kind.as_str())]), signed(count));
        }
        let oldest = open.iter().map(|of_kind| of_kind.oldest).min();
        readings.add(Metric::ConflictAge, oldest.map_or(0.0, |oldest| seconds(at - oldest)));
        let here = phones.iter().filter(|phone| phone.connected).count();
        readings.add(Metric::PhonesConnected, as_f64(here as u64));
        for phone in &phones {
            readings.phone(phone);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_and_clashes_are_kept_as_a_whole_and_only_what_there_is_beside() {
        let mut readings = Readings { at: DateTime::UNIX_EPOCH, all: Vec::new() };
        for (phone, unsent, lag) in [("a", 3.0, 10.0), ("b", 4.0, 2.0)] {
            readings.add_of(Metric::PhoneUnsent, phone, labels([("device", phone)]), unsent);
            readings.add_of(Metric::PhoneLag, phone, labels([("device", phone)]), lag);
        }
        for (kind, count) in [("rule", 2.0), ("update_update", 1.0), ("insert_insert", 0.0)] {
            readings.add_of(Metric::ConflictsOpen, "", labels([("kind", kind)]), count);
        }
        let expected = [
            (Metric::ConflictsOpen, labels([("kind", "rule")]), 2.0),
            (Metric::ConflictsOpen, labels([("kind", "update_update")]), 1.0),
            (Metric::ConflictsOpen, Labels::new(), 3.0),
            (Metric::PhoneUnsent, Labels::new(), 7.0),
            (Metric::PhoneLag, Labels::new(), 10.0),
        ];
        assert_eq!(kept(&readings.all), expected);
    }
}
