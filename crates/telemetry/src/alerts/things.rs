//! What a rule of somebody's own is about, in plain words that fit into "… is over 20".

use super::rule::{Aggregate, Rule};
use crate::metric::Metric;

/// The thing whose value is over or under the limit.
pub(super) fn thing(rule: &Rule) -> &'static str {
    match (rule.metric, rule.aggregate) {
        (Metric::Requests, Aggregate::P50) => "the time of the middle answer (p50)",
        (Metric::Requests, Aggregate::P99) => "the time of the slowest answers (p99)",
        (Metric::Requests, Aggregate::Share) => "the part of answers that fail",
        (Metric::Requests, Aggregate::Rate) => "the number of requests a minute",
        (Metric::Requests, Aggregate::Count) => "the number of requests",
        (Metric::Requests, _) => "the time of slow answers (p95)",
        (Metric::SyncOps, Aggregate::Rate) => "the number of entries from phones a minute",
        (Metric::SyncOps, _) => "the number of entries from phones",
        (Metric::Deliveries, Aggregate::Rate) => "the number of messages to phones a minute",
        (Metric::Deliveries, _) => "the number of messages to phones",
        (Metric::CacheHits, _) => "the number of answers found ready",
        (Metric::CacheMisses, _) => "the number of answers that had to be made",
        (Metric::ConflictsOpened, _) => "the number of entries that came to need checking",
        (Metric::ConflictsDecided, _) => "the number of entries that were decided",
        (Metric::TelemetryDropped, _) => "the number of measurements that found no room",
        (metric, _) => of_gauge(metric),
    }
}

fn of_gauge(metric: Metric) -> &'static str {
    match metric {
        Metric::QueueDepth => "the number of entries that wait on the laptop",
        Metric::QueueAge => "the time an entry waits on the laptop",
        Metric::ConflictsOpen => "the number of entries that need checking",
        Metric::ConflictAge => "the time an entry has needed checking",
        Metric::PhonesConnected => "the number of phones connected",
        Metric::PhoneUnsent => "the number of entries a phone has not sent",
        Metric::PhoneAwayUnsent => "the time a phone is away with unsent work",
        Metric::PhoneLag => "the number of changes a phone has not fetched",
        Metric::ClockSkew => "the error of a phone's clock",
        Metric::ProviderOpen => "a message service that does not answer",
        Metric::CacheBytes => "the memory of the cache",
        Metric::EventStreams => "the number of open pages and phones that listen",
        Metric::DatabaseBytes => "the size of the database",
        Metric::WalBytes => "the size of the database's log",
        Metric::DiskFree => "the room left on the disk",
        Metric::BackupAge => "the age of the last backup",
        Metric::BackupStickMissing => "the missing backup stick",
        Metric::OnBattery => "running on the battery",
        Metric::Battery => "the laptop's battery",
        Metric::Processor => "Showdesk's share of the processor",
        Metric::Memory => "the memory Showdesk uses",
        Metric::ProblemBack => "a problem that is back",
        Metric::Downtime => "the time Showdesk was off",
        Metric::Requests
        | Metric::TelemetryDropped
        | Metric::SyncOps
        | Metric::Deliveries
        | Metric::CacheHits
        | Metric::CacheMisses
        | Metric::ConflictsOpened
        | Metric::ConflictsDecided => "what is counted",
    }
}
