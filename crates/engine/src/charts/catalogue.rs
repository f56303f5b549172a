//! All charts of a time, from what was measured.

use serde_json::Value as Json;
use showdesk_charts::catalogue::{self, Deliveries, EntriesIn, NeedsChecking, ResponseTime, Storage};
use showdesk_charts::{Chart, Steps as ChartSteps};
use showdesk_store::Tx;
use showdesk_telemetry::metric::Metric;
use showdesk_telemetry::rollup::{Rollup, Step, Steps};

use super::figures::{Measures, a_minute, added_up, by_task, counted, day_before, divided, quantile, requests};
use super::range::{ShowTime, Span};
use crate::{Engine, Result};

/// The rule whose limit stands in the chart of response times, in milliseconds.
const SLOW_ANSWERS: &str = "slow_answers";
/// The rule whose limit stands in the chart of the disk, in bytes.
const DISK_LOW: &str = "disk_low";

const MIB: f64 = 1024.0 * 1024.0;
const GIB: f64 = 1024.0 * MIB;

/// Providers of messages, as people know them.
const PROVIDERS: [(&str, &str); 3] = [("fcm", "Firebase"), ("apns", "Apple"), ("web", "Browsers")];

/// The limits of alerts that stand in charts.
pub(super) struct Limits {
    slow_answers_ms: Option<f64>,
    disk_low_bytes: Option<f64>,
}

impl Limits {
    /// As the rules are now. Asked before anything of the drawing holds a connection: there are few, and two drawings
    /// that each hold one would wait for the other's.
    pub(super) async fn of(engine: &Engine) -> Self {
        Self {
            slow_answers_ms: engine.alert_limit(SLOW_ANSWERS).await,
            disk_low_bytes: engine.alert_limit(DISK_LOW).await,
        }
    }
}

/// Who draws.
pub(super) struct Drawing<'a> {
    pub limits: Limits,
    pub tx: &'a mut Tx,
    pub show: ShowTime,
    pub span: Span,
    pub now: chrono::DateTime<chrono::Utc>,
    pub compare: bool,
}

impl Drawing<'_> {
    /// All charts, in the order of the page.
    pub(super) async fn charts(&mut self) -> Result<Vec<Chart>> {
        let (step, steps) = self.span.line_steps(self.show.zone);
        // Phones are counted every few seconds: where they were, the desk ran.
        let connected = Measures::of(self.tx, Metric::PhonesConnected, step, self.span).await?;
        let ran = connected.ran(&steps);
        let asked = requests(self.tx, step, self.span).await?;
        let rollups = added_up(steps.starts().len(), asked.iter(), |at| steps.of(at));
        let before = if self.compare { Some(day_before(self.tx, step, &steps, self.show.zone).await?) } else { None };
        let unsent = Measures::of(self.tx, Metric::PhoneUnsent, step, self.span).await?;
        Ok(vec![
            self.response_time(&steps, &rollups, before.as_deref(), &ran),
            self.entries_in().await?,
            catalogue::phones(chart_steps(&steps), connected.last(&steps), unsent.most(&steps)),
            self.slow_spots().await?,
            self.requests(&steps, &rollups, before.as_deref(), &ran),
            self.needs_checking(step, &steps, &ran).await?,
            self.deliveries().await?,
            self.cache(step, &steps).await?,
            self.storage(step, &steps).await?,
        ])
    }

    fn response_time(&self, steps: &Steps, rollups: &[Rollup], before: Option<&[Rollup]>, ran: &[bool]) -> Chart {
        let errors = |(rollup, ran): (&Rollup, &bool)| (rollup.count() > 0 || *ran).then(|| counted(rollup.errors));
        let values = ResponseTime {
            p50: quantile(rollups, 0.5),
            p95: quantile(rollups, 0.95),
            p99: quantile(rollups, 0.99),
            errors: rollups.iter().zip(ran).map(errors).collect(),
            alert_ms: self.limits.slow_answers_ms,
            p95_before: before.map(|before| quantile(before, 0.95)),
        };
        catalogue::response_time(chart_steps(steps), values)
    }

    fn requests(&self, steps: &Steps, rollups: &[Rollup], before: Option<&[Rollup]>, ran: &[bool]) -> Chart {
        let before = before.map(|before| a_minute(before, steps, steps.until(), &[]));
        catalogue::requests_beside(chart_steps(steps), a_minute(rollups, steps, self.now, ran), before)
    }

    async fn entries_in(&mut self) -> Result<Chart> {
        let (step, steps) = self.span.column_steps(self.show.zone);
        let ops = Measures::of(self.tx, Metric::SyncOps, step, self.span).await?;
        let ran = Measures::of(self.tx, Metric::PhonesConnected, step, self.span).await?.ran(&steps);
        let of = |verdicts: &'static [&'static str]| {
            ops.grown(&steps, &ran, |labels| verdicts.iter().any(|verdict| labels["verdict"] == *verdict))
        };
        let values = EntriesIn {
            saved: of(&["applied", "noop"]),
            joined: of(&["merged"]),
            needs_checking: of(&["conflict", "held"]),
            refused: of(&["rejected"]),
        };
        Ok(catalogue::entries_in(chart_steps(&steps), values))
    }

    async fn slow_spots(&mut self) -> Result<Chart> {
        let (step, steps) = self.span.heat_steps(self.show.zone);
        let asked = requests(self.tx, step, self.span).await?;
        Ok(catalogue::slow_spots(chart_steps(&steps), by_task(&asked, &steps)))
    }

    async fn needs_checking(&mut self, step: Step, steps: &Steps, ran: &[bool]) -> Result<Chart> {
        let [opened, decided, open] = [Metric::ConflictsOpened, Metric::ConflictsDecided, Metric::ConflictsOpen];
        let values = NeedsChecking {
            opened: Measures::of(self.tx, opened, step, self.span).await?.grown(steps, ran, |_| true),
            decided: Measures::of(self.tx, decided, step, self.span).await?.grown(steps, ran, |_| true),
            open: Measures::of(self.tx, open, step, self.span).await?.last(steps),
        };
        Ok(catalogue::needs_checking(chart_steps(steps), values))
    }

    async fn deliveries(&mut self) -> Result<Chart> {
        let (step, steps) = self.span.column_steps(self.show.zone);
        let sent = Measures::of(self.tx, Metric::Deliveries, step, self.span).await?;
        let ran = Measures::of(self.tx, Metric::PhonesConnected, step, self.span).await?.ran(&steps);
        let is = |labels: &Json, channel: &str, results: &[&str]| {
            labels["channel"] == channel && results.iter().any(|result| labels["result"] == *result)
        };
        let used = PROVIDERS.into_iter().filter(|(channel, _)| sent.has(|labels| labels["channel"] == *channel));
        let provider = |(channel, name): (&str, &str)| {
            (name.to_owned(), sent.grown(&steps, &ran, |labels| is(labels, channel, &["accepted"])))
        };
        let failed = |labels: &Json| ["failed", "expired"].iter().any(|result| labels["result"] == *result);
        let values = Deliveries {
            here: sent.grown(&steps, &ran, |labels| is(labels, "local", &["delivered"])),
            providers: used.map(provider).collect(),
            failed: sent.grown(&steps, &ran, failed),
        };
        Ok(catalogue::deliveries(chart_steps(&steps), values))
    }

    async fn cache(&mut self, step: Step, steps: &Steps) -> Result<Chart> {
        let nothing = vec![false; steps.starts().len()];
        let hits = Measures::of(self.tx, Metric::CacheHits, step, self.span).await?.grown(steps, &nothing, |_| true);
        let misses =
            Measures::of(self.tx, Metric::CacheMisses, step, self.span).await?.grown(steps, &nothing, |_| true);
        let share = |(hits, misses): (Option<f64>, Option<f64>)| {
            let (hits, misses) = (hits.unwrap_or(0.0), misses.unwrap_or(0.0));
            (hits + misses > 0.0).then(|| 100.0 * hits / (hits + misses))
        };
        Ok(catalogue::cache(chart_steps(steps), hits.into_iter().zip(misses).map(share).collect()))
    }

    async fn storage(&mut self, step: Step, steps: &Steps) -> Result<Chart> {
        let [database, log, free] = [Metric::DatabaseBytes, Metric::WalBytes, Metric::DiskFree];
        let values = Storage {
            database_mb: divided(Measures::of(self.tx, database, step, self.span).await?.last(steps), MIB),
            log_mb: divided(Measures::of(self.tx, log, step, self.span).await?.last(steps), MIB),
            free_gb: divided(Measures::of(self.tx, free, step, self.span).await?.least(steps), GIB),
            alert_gb: self.limits.disk_low_bytes.map(|bytes| bytes / GIB),
        };
        Ok(catalogue::storage(chart_steps(steps), values))
    }
}

fn chart_steps(steps: &Steps) -> ChartSteps {
    ChartSteps { starts: steps.starts().to_vec(), until: steps.until() }
}
