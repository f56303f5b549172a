//! The charts of the desk: which figures, which colours, which words.
//!
//! All words of the charts stand here, in [`crate::moments`] and in [`crate::table`].

use crate::ink::Role;
use crate::model::{Body, Chart, Heat, HeatRow, Panel, Series, Shape, Steps, Threshold, Unit};

/// The names of all charts, in the order of the page.
pub const KEYS: [&str; 9] = [
    "response-time",
    "entries-in",
    "phones",
    "slow-spots",
    "requests",
    "needs-checking",
    "deliveries",
    "cache",
    "storage",
];

/// A value for each step; None where nothing was measured.
pub type Values = Vec<Option<f64>>;

/// What the slowest task must take for the heat map's full colour, in milliseconds.
const HOT_MS: f64 = 250.0;

/// Nothing that a laptop measures is more.
const AMOUNT_MAX: f64 = 1e15;

/// Lines of the heat map at most: what is slowest.
const HEAT_ROWS_MAX: usize = 6;

/// How long answers took, in milliseconds, and how many failed.
#[derive(Debug, Clone, Default)]
pub struct ResponseTime {
    /// Half of all took at most this.
    pub p50: Values,
    /// 95 of a hundred took at most this.
    pub p95: Values,
    /// 99 of a hundred took at most this.
    pub p99: Values,
    /// How many failed.
    pub errors: Values,
    /// The alert's limit for p95.
    pub alert_ms: Option<f64>,
    /// p95 a day earlier.
    pub p95_before: Option<Values>,
}

/// Response time: p50, p95, p99 and errors.
pub fn response_time(steps: Steps, values: ResponseTime) -> Chart {
    let mut series = vec![
        line("p99", "p99", Role::P99, Shape::Line(12), values.p99),
        line("p95", "p95", Role::P95, Shape::Band(2), values.p95),
        line("p50", "p50", Role::P50, Shape::Line(20), values.p50),
        line("errors", "Errors", Role::Failed, Shape::Mark, values.errors),
    ];
    add_before(&mut series, values.p95_before);
    let threshold = values.alert_ms.map(|value| Threshold { value, name: format!("Alert at {value} ms") });
    let panel = Panel { unit: Unit::Milliseconds, series, threshold };
    chart("response-time", "Response time", steps, vec![panel], |step| format!("ms, {step} steps, p95 is the slow 5 %"))
}

/// Requests a minute.
pub fn requests(steps: Steps, a_minute: Values) -> Chart {
    requests_beside(steps, a_minute, None)
}

/// Requests a minute, beside those of a day earlier.
pub fn requests_beside(steps: Steps, a_minute: Values, before: Option<Values>) -> Chart {
    let mut series = vec![line("requests", "Requests", Role::Desk, Shape::Area, a_minute)];
    add_before(&mut series, before);
    chart("requests", "Requests", steps, vec![counts(series)], |step| format!("count a minute, {step} steps"))
}

/// What became of entries from phones.
#[derive(Debug, Clone, Default)]
pub struct EntriesIn {
    /// Saved as they came.
    pub saved: Values,
    /// Joined with what somebody else wrote.
    pub joined: Values,
    /// A person must look.
    pub needs_checking: Values,
    /// Not taken.
    pub refused: Values,
}

/// Entries by verdict.
pub fn entries_in(steps: Steps, values: EntriesIn) -> Chart {
    let series = vec![
        line("saved", "Saved", Role::Saved, Shape::Column, values.saved),
        line("joined", "Joined", Role::Joined, Shape::Column, values.joined),
        line("needs-checking", "Needs checking", Role::Look, Shape::Column, values.needs_checking),
        line("refused", "Refused", Role::Failed, Shape::Column, values.refused),
    ];
    chart("entries-in", "Entries in", steps, vec![counts(series)], |step| format!("count by result, {step} steps"))
}

/// Clashes that came up and were decided in each step, and those open at its end.
#[derive(Debug, Clone, Default)]
pub struct NeedsChecking {
    /// Came up.
    pub opened: Values,
    /// Were decided.
    pub decided: Values,
    /// Open at the end of the step.
    pub open: Values,
}

/// Clashes that came up and were decided.
pub fn needs_checking(steps: Steps, values: NeedsChecking) -> Chart {
    let series = vec![
        line("open", "Still to check", Role::Look, Shape::Area, values.open),
        line("opened", "Came up", Role::Phone, Shape::Line(15), values.opened),
        line("decided", "Decided", Role::Good, Shape::Line(15), values.decided),
    ];
    chart("needs-checking", "Needs checking", steps, vec![counts(series)], |step| format!("count, {step} steps"))
}

/// Phones that are here, and entries they hold that the laptop has not got.
pub fn phones(steps: Steps, connected: Values, unsent: Values) -> Chart {
    let series = vec![
        line("unsent", "Waiting on phones", Role::Phone, Shape::Area, unsent),
        line("connected", "Connected", Role::Good, Shape::Levels, connected),
    ];
    chart("phones", "Phones and unsent work", steps, vec![counts(series)], |step| format!("count, {step} steps"))
}

/// What became of messages to phones.
#[derive(Debug, Clone, Default)]
pub struct Deliveries {
    /// Reached the phone over the show's own network.
    pub here: Values,
    /// Taken by a provider, each with its name.
    pub providers: Vec<(String, Values)>,
    /// Not delivered.
    pub failed: Values,
}

/// Messages to phones, by channel and result.
pub fn deliveries(steps: Steps, values: Deliveries) -> Chart {
    const PROVIDERS: [(&str, Role); 3] =
        [("provider-1", Role::Joined), ("provider-2", Role::Phone), ("provider-3", Role::Away)];
    let mut series = vec![line("here", "Show's network", Role::Saved, Shape::Column, values.here)];
    for ((key, role), (name, sent)) in PROVIDERS.into_iter().zip(values.providers) {
        series.push(line(key, &name, role, Shape::Column, sent));
    }
    series.push(line("failed", "Failed", Role::Failed, Shape::Column, values.failed));
    chart("deliveries", "Messages", steps, vec![counts(series)], |step| format!("count by way, {step} steps"))
}

/// Which task was slow at which hour: p95 in milliseconds. The slowest lines, the busiest moment first.
pub fn slow_spots(steps: Steps, rows: Vec<(String, Values)>) -> Chart {
    let hottest = |values: &Values| values.iter().flatten().copied().fold(0.0, f64::max);
    let row = |(name, mut values): (String, Values)| {
        whole(&mut values, steps.starts.len());
        HeatRow { name, values }
    };
    let mut rows: Vec<HeatRow> = rows.into_iter().map(row).collect();
    rows.sort_by(|a, b| hottest(&b.values).total_cmp(&hottest(&a.values)));
    rows.truncate(HEAT_ROWS_MAX);
    let subtitle = format!("p95 in ms, by task and {}", if step_of(&steps) == "1 h" { "hour" } else { "time" });
    let heat = Heat { unit: Unit::Milliseconds, rows, full_min: HOT_MS };
    Chart { key: "slow-spots", title: "Slow spots", subtitle, steps, body: Body::Heat(heat) }
}

/// Answers found in the cache, of a hundred.
pub fn cache(steps: Steps, hit_percent: Values) -> Chart {
    let series = vec![line("hits", "From memory", Role::Good, Shape::Area, hit_percent)];
    let panel = Panel { unit: Unit::Percent, series, threshold: None };
    chart("cache", "Served from memory", steps, vec![panel], |step| format!("% of answers, {step} steps"))
}

/// How large the database is and how much room is left.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    /// The database in megabytes.
    pub database_mb: Values,
    /// Its log in megabytes.
    pub log_mb: Values,
    /// Room on its disk in gigabytes.
    pub free_gb: Values,
    /// The alert's limit for the room.
    pub alert_gb: Option<f64>,
}

/// Database and disk: two plots, since megabytes and gigabytes have no axis in common.
pub fn storage(steps: Steps, values: Storage) -> Chart {
    let database = vec![
        line("log", "Log", Role::Look, Shape::Line(15), values.log_mb),
        line("database", "Database", Role::Desk, Shape::Area, values.database_mb),
    ];
    let free = vec![line("free", "Disk free", Role::Good, Shape::Area, values.free_gb)];
    let threshold = values.alert_gb.map(|value| Threshold { value, name: format!("Alert at {value} GB") });
    let panels = vec![
        Panel { unit: Unit::Megabytes, series: database, threshold: None },
        Panel { unit: Unit::Gigabytes, series: free, threshold },
    ];
    chart("storage", "Database and disk", steps, panels, |step| format!("MB above, GB free below, {step} steps"))
}

fn chart(
    key: &'static str,
    title: &'static str,
    steps: Steps,
    panels: Vec<Panel>,
    subtitle: impl FnOnce(&str) -> String,
) -> Chart {
    let subtitle = subtitle(&step_of(&steps));
    let mut panels = panels;
    for series in panels.iter_mut().flat_map(|panel| &mut panel.series) {
        whole(&mut series.values, steps.starts.len());
    }
    Chart { key, title, subtitle, steps, body: Body::Panels(panels) }
}

/// One value for each step; what is no amount was not measured.
fn whole(values: &mut Values, steps: usize) {
    values.resize(steps, None);
    for value in values {
        *value = value.filter(|value| (0.0..AMOUNT_MAX).contains(value));
    }
}

fn counts(series: Vec<Series>) -> Panel {
    Panel { unit: Unit::Count, series, threshold: None }
}

fn line(key: &'static str, name: &str, role: Role, shape: Shape, values: Values) -> Series {
    Series { key, name: name.to_owned(), role, shape, values }
}

fn add_before(series: &mut Vec<Series>, before: Option<Values>) {
    if let Some(values) = before {
        series.push(line("before", "Day before", Role::Line, Shape::Before, values));
    }
}

/// How long the first step is, in words.
fn step_of(steps: &Steps) -> String {
    let minutes = (steps.end(0) - steps.from()).num_minutes();
    match minutes {
        ..60 => format!("{minutes} min"),
        60..1_380 => format!("{} h", minutes / 60),
        _ => "1 day".to_owned(),
    }
}
