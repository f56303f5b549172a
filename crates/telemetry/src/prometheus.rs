//! Prometheus' text format, version 0.0.4.
//!
//! Durations are seconds there. The fine buckets of a [`Histogram`] are added up to the usual coarse ones.

use std::fmt::Write as _;

use crate::histogram::{Histogram, as_f64};
use crate::metric::{Kind, Metric, Unit};

/// The content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The upper ends of the buckets of durations, in microseconds, and as they are written.
const DURATIONS: [(u64, &str); 12] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// Labels of one line, in the order in which they are written.
pub type Labels<'a> = [(&'a str, &'a str)];

/// The text, metric by metric. Each metric is written once, with all its lines.
#[derive(Debug, Default)]
pub struct Text {
    text: String,
}

impl Text {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a counter or a gauge with one line for each set of labels.
    pub fn values<'a>(&mut self, metric: Metric, lines: impl IntoIterator<Item = (&'a Labels<'a>, f64)>) {
        let name = name_of(metric);
        let scale = if metric.unit() == Unit::Milliseconds { 1_000.0 } else { 1.0 };
        self.begin(metric, &name);
        for (labels, value) in lines {
            self.line(&name, "", labels, None, &number(value / scale));
        }
    }

    /// Writes durations, counted in microseconds, with one set of buckets for each set of labels.
    pub fn durations<'a>(&mut self, metric: Metric, lines: impl IntoIterator<Item = (&'a Labels<'a>, &'a Histogram)>) {
        let name = name_of(metric);
        self.begin(metric, &name);
        for (labels, histogram) in lines {
            for (end, written) in DURATIONS {
                self.line(&name, "_bucket", labels, Some(written), &histogram.count_up_to(end).to_string());
            }
            let count = histogram.count().to_string();
            self.line(&name, "_bucket", labels, Some("+Inf"), &count);
            self.line(&name, "_sum", labels, None, &number(as_f64(histogram.sum()) / 1_000_000.0));
            self.line(&name, "_count", labels, None, &count);
        }
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.text
    }

    fn begin(&mut self, metric: Metric, name: &str) {
        let kind = match metric.kind() {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = metric.help().replace('\\', r"\\").replace('\n', r"\n");
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, suffix: &str, labels: &Labels<'_>, le: Option<&str>, value: &str) {
        self.write(format_args!("{name}{suffix}"));
        let ends = le.map(|end| ("le", end));
        for (index, (key, text)) in labels.iter().copied().chain(ends).enumerate() {
            let opens = if index == 0 { '{' } else { ',' };
            self.write(format_args!("{opens}{}=\"{}\"", label_name(key), escaped(text)));
        }
        let closes = if labels.is_empty() && ends.is_none() { "" } else { "}" };
        self.write(format_args!("{closes} {value}\n"));
    }

    fn write(&mut self, words: std::fmt::Arguments<'_>) {
        self.text.write_fmt(words).expect("a String takes every text");
    }
}

/// The metric's name with its unit, and `_total` for what only grows.
fn name_of(metric: Metric) -> String {
    let unit = match metric.unit() {
        Unit::Milliseconds | Unit::Seconds => "_seconds",
        Unit::Percent => "_percent",
        Unit::Bytes if !metric.key().ends_with("_bytes") => "_bytes",
        Unit::Bytes | Unit::Count | Unit::Flag => "",
    };
    let total = if metric.kind() == Kind::Counter { "_total" } else { "" };
    format!("showdesk_{}{unit}{total}", metric.key())
}

fn label_name(key: &str) -> String {
    let sign_of = |sign: char| if sign.is_ascii_alphanumeric() { sign } else { '_' };
    let name: String = key.chars().map(sign_of).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() { format!("_{name}") } else { name }
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_with_their_unit_and_kind() {
        let mut text = Text::new();
        text.values(Metric::SyncOps, [(&[("verdict", "applied")][..], 12.0), (&[("verdict", "merged")], 3.5)]);
        text.values(Metric::DiskFree, [(&[][..], 1_024.0)]);
        let expected = "# HELP showdesk_sync_ops_total Entries from phones, by verdict.\n\
            # TYPE showdesk_sync_ops_total counter\n\
            showdesk_sync_ops_total{verdict=\"applied\"} 12\n\
            showdesk_sync_ops_total{verdict=\"merged\"} 3.5\n\
            # HELP showdesk_disk_free_bytes Room on the disk of the show's data.\n\
            # TYPE showdesk_disk_free_bytes gauge\n\
            showdesk_disk_free_bytes 1024\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn durations_are_seconds_in_growing_buckets() {
        let mut histogram = Histogram::new();
        for micros in [900, 4_000, 240_000, 30_000_000] {
            histogram.record(micros, 10);
        }
        let mut text = Text::new();
        text.durations(Metric::Requests, [(&[("endpoint", "/api/v1/me")][..], &histogram)]);
        let text = text.finish();
        let counts: Vec<u64> = text
            .lines()
            .filter(|line| line.contains("_bucket{"))
            .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
            .collect();
        assert_eq!(counts, [10, 10, 20, 20, 20, 20, 20, 30, 30, 30, 30, 30, 40]);
        assert!(text.contains("_bucket{endpoint=\"/api/v1/me\",le=\"0.25\"} 30\n"), "{text}");
        assert!(
            text.ends_with(
                "_sum{endpoint=\"/api/v1/me\"} 302.449\nshowdesk_requests_seconds_count{endpoint=\"/api/v1/me\"} 40\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_label_cannot_break_its_line() {
        let mut text = Text::new();
        text.values(
            Metric::PhoneUnsent,
            [(&[("9 phone-name", "Ma\"ria\\\n")][..], f64::NAN), (&[("", "")], f64::INFINITY)],
        );
        let text = text.finish();
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [r#"showdesk_phone_unsent{_9_phone_name="Ma\"ria\\\n"} NaN"#, r#"showdesk_phone_unsent{_=""} +Inf"#]
        );
    }
}
