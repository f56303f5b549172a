//! All figures as text for a scraper (Prometheus).

use std::collections::BTreeMap;

use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_telemetry::histogram::Histogram;
use showdesk_telemetry::metric::{Kind, Metric};
use showdesk_telemetry::prometheus::{CONTENT_TYPE, Text};

use super::history::Labels;
use super::tasks;
use crate::rights::require;
use crate::{Engine, Result};

impl Engine {
    /// What kind of text [`Self::scraped`] is.
    pub const SCRAPED_TYPE: &'static str = CONTENT_TYPE;

    /// All figures since the start of the program, and how all stands now.
    pub fn scraped(&self, actor: &Actor) -> Result<String> {
        require(actor, Action::SeeHealth)?;
        self.note_counters();
        let telemetry = &self.inner.telemetry;
        let mut values: BTreeMap<Metric, Vec<(Labels, f64)>> = BTreeMap::new();
        let history = telemetry.history();
        for (metric, labels, value) in history.counters() {
            values.entry(metric).or_default().push((labels.clone(), super::gauges::as_f64(value)));
        }
        for reading in history.gauges() {
            values.entry(reading.metric).or_default().push((Labels::clone(&reading.labels), reading.value));
        }
        let mut durations: BTreeMap<[String; 4], Histogram> = BTreeMap::new();
        for (key, rollup) in history.totals() {
            let (by, route) = match key.endpoint.strip_prefix(tasks::OF_PHONES) {
                Some(route) => ("phone", route),
                None => ("laptop", key.endpoint.as_ref()),
            };
            let status = format!("{}xx", key.status_class);
            let labels = [by.to_owned(), route.to_owned(), key.method.clone().into_owned(), status];
            durations.entry(labels).or_default().merge(&rollup.histogram);
        }
        drop(history);
        Ok(written(values, &durations))
    }
}

fn written(mut values: BTreeMap<Metric, Vec<(Labels, f64)>>, durations: &BTreeMap<[String; 4], Histogram>) -> String {
    let mut text = Text::new();
    let lines: Vec<([(&str, &str); 4], &Histogram)> = durations
        .iter()
        .map(|([by, route, method, status], histogram)| {
            let labels = [("measured_by", by.as_str()), ("endpoint", route), ("method", method), ("status", status)];
            (labels, histogram)
        })
        .collect();
    for metric in Metric::ALL {
        if metric.kind() == Kind::Histogram {
            text.durations(*metric, lines.iter().map(|(labels, histogram)| (&labels[..], *histogram)));
            continue;
        }
        // What nobody measures is not told: 0 would be a lie.
        let Some(mut lines) = values.remove(metric) else { continue };
        lines.sort_by(|(one, _), (other, _)| one.cmp(other));
        let lines: Vec<(Vec<(&str, &str)>, f64)> = lines
            .iter()
            .map(|(labels, value)| (labels.iter().map(|(key, word)| (key.as_str(), word.as_str())).collect(), *value))
            .collect();
        text.values(*metric, lines.iter().map(|(labels, value)| (labels.as_slice(), *value)));
    }
    text.finish()
}
