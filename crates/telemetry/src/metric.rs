//! What the desk measures: one line each, used by rules, charts and the text for scrapers.

use serde::{Deserialize, Serialize};

/// What a value of a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// How many.
    Count,
    /// Of a hundred.
    Percent,
    /// Bytes.
    Bytes,
    /// 1 for yes, 0 for no.
    Flag,
}

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from 0 at the start of the program.
    Counter,
    /// How it stands now.
    Gauge,
    /// A distribution.
    Histogram,
}

macro_rules! metrics {
    ($($name:ident $key:literal $kind:ident $unit:ident $help:literal;)*) => {
        /// Something the desk measures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Metric {
            $(#[doc = $help] #[serde(rename = $key)] $name,)*
        }

        impl Metric {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in rules, rows and addresses.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// How it behaves.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// What its values are.
            pub const fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit,)* }
            }

            /// One sentence about it.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)* }
            }
        }
    };
}

metrics! {
    Requests "requests" Histogram Milliseconds "How long requests took, by route, method and result.";
    TelemetryDropped "telemetry_dropped" Counter Count "Measurements dropped because the channel was full.";
    SyncOps "sync_ops" Counter Count "Entries from phones, by verdict.";
    QueueDepth "queue_depth" Gauge Count "Entries that wait to be worked on.";
    QueueAge "queue_age" Gauge Seconds "How long the oldest of them has waited.";
    ConflictsOpen "conflicts_open" Gauge Count "Clashes that nobody has decided, by kind.";
    ConflictAge "conflict_age" Gauge Seconds "How long the oldest undecided clash has waited.";
    ConflictsOpened "conflicts_opened" Counter Count "Clashes that came up.";
    ConflictsDecided "conflicts_decided" Counter Count "Clashes that were decided.";
    PhonesConnected "phones_connected" Gauge Count "Phones that are here.";
    PhoneUnsent "phone_unsent" Gauge Count "Entries a phone holds that the laptop has not got.";
    PhoneAwayUnsent "phone_away_unsent" Gauge Seconds "How long a phone with unsent entries has been away.";
    PhoneLag "phone_lag" Gauge Count "Changes a phone has not fetched.";
    ClockSkew "clock_skew" Gauge Seconds "How far a phone's clock is from the laptop's, either way.";
    Deliveries "deliveries" Counter Count "Messages to phones, by channel and result.";
    ProviderOpen "provider_circuit_open" Gauge Flag "A message provider that is not tried for the moment.";
    CacheHits "cache_hits" Counter Count "Answers found in the cache.";
    CacheMisses "cache_misses" Counter Count "Answers that had to be made.";
    CacheBytes "cache_bytes" Gauge Bytes "Memory the cache uses.";
    EventStreams "event_streams" Gauge Count "Event streams that are open.";
    DatabaseBytes "database_bytes" Gauge Bytes "The size of the show's database.";
    WalBytes "wal_bytes" Gauge Bytes "The size of the database's log.";
    DiskFree "disk_free" Gauge Bytes "Room on the disk of the show's data.";
    BackupAge "backup_age" Gauge Seconds "How old the last good copy is.";
    BackupStickMissing "backup_stick_missing" Gauge Flag "The stick for copies is not in the laptop.";
    OnBattery "on_battery" Gauge Flag "The laptop runs on its battery.";
    Battery "battery" Gauge Percent "How full the laptop's battery is.";
    Processor "processor" Gauge Percent "How busy the program keeps the processor.";
    Memory "memory" Gauge Bytes "Memory the program uses.";
    ProblemBack "problem_back" Gauge Flag "A problem that somebody solved and that has come back.";
    Downtime "downtime" Gauge Seconds "How long the program did not run before this start, if it had not been closed.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_are_what_is_stored() {
        let keys: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.key()).collect();
        assert_eq!(keys.len(), Metric::ALL.len());
        for metric in Metric::ALL {
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.key());
        }
    }
}
