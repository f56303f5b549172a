//! The time that charts show, in steps on the show's own clock.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use showdesk_domain::local_day::first_moment;
use showdesk_telemetry::rollup::{Step, Steps};

/// Steps of a line, at most: a tile has 444 pixels for them.
const LINE_STEPS_MAX: u16 = 120;
/// Columns, and cells of a heat map.
const COLUMN_STEPS_MAX: u16 = 100;
const HEAT_STEPS_MAX: u16 = 24;
/// Measurements are kept so long.
const KEPT_DAYS: i64 = 30;
/// Looking for the time that a gap of the clocks has left out.
const QUARTER: TimeDelta = TimeDelta::minutes(15);
const QUARTERS_MAX: i32 = 96;

/// Which time somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    /// The last hour.
    Hour,
    /// Since this morning.
    Today,
    /// The whole show so far.
    Show,
}

impl Range {
    /// By its word in addresses.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "1h" => Some(Self::Hour),
            "today" => Some(Self::Today),
            "show" => Some(Self::Show),
            _ => None,
        }
    }

    /// Its word in addresses.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Today => "today",
            Self::Show => "show",
        }
    }

    /// For so long the same is drawn for all who ask.
    pub(super) fn drawn_for(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::seconds(15),
            Self::Today | Self::Show => TimeDelta::seconds(60),
        }
    }

    /// Whether a day earlier is something to compare with.
    pub(super) fn has_day_before(self) -> bool {
        self != Self::Show
    }
}

/// What is known of the show's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShowTime {
    pub zone: Tz,
    pub starts_on: Option<NaiveDate>,
    pub ends_on: Option<NaiveDate>,
    /// When the show was made on this laptop.
    pub made_at: DateTime<Utc>,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl Span {
    /// All that a range could show.
    pub(crate) fn of(range: Range, show: ShowTime, now: DateTime<Utc>) -> Self {
        let today = now.with_timezone(&show.zone).date_naive();
        let begins = |date: NaiveDate| first_moment(&show.zone, date);
        match range {
            Range::Hour => Self { from: now - TimeDelta::minutes(59), until: now },
            Range::Today => Self { from: begins(today), until: now },
            Range::Show => {
                // Until the first day the days of setting up are what there is; later the show's own days count.
                let first = show.starts_on.map(begins).filter(|at| *at <= now).unwrap_or(show.made_at);
                let over = show.ends_on.and_then(|date| date.checked_add_days(Days::new(1))).map(begins);
                let until = over.map_or(now, |over| over.min(now));
                Self { from: first.max(now - TimeDelta::days(KEPT_DAYS)).min(until - TimeDelta::hours(1)), until }
            }
        }
    }

    /// The same without the time before anything was measured, from a whole hour on; an hour at least.
    pub(super) fn since_first(self, first: Option<DateTime<Utc>>, zone: Tz) -> Self {
        let hour =
            first.map(|first| Steps::cut(first, first + TimeDelta::seconds(1), Step::Minutes(60), zone).starts()[0]);
        let from = hour.map_or(self.from, |hour| hour.max(self.from));
        Self { from: from.min((self.until - TimeDelta::hours(1)).max(self.from)), ..self }
    }

    pub(super) fn line_steps(self, zone: Tz) -> (Step, Steps) {
        self.cut(LINE_STEPS_MAX, zone)
    }

    pub(super) fn column_steps(self, zone: Tz) -> (Step, Steps) {
        self.cut(COLUMN_STEPS_MAX, zone)
    }

    pub(super) fn heat_steps(self, zone: Tz) -> (Step, Steps) {
        self.cut(HEAT_STEPS_MAX, zone)
    }

    fn cut(self, steps_max: u16, zone: Tz) -> (Step, Steps) {
        let step = Step::for_range(self.from, self.until, steps_max);
        (step, Steps::cut(self.from, self.until, step, zone))
    }
}

/// The same steps a day earlier by the clock on the wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DayBefore {
    edges: Vec<DateTime<Utc>>,
}

impl DayBefore {
    pub(super) fn of(steps: &Steps, zone: Tz) -> Self {
        let edges = steps.starts().iter().chain([&steps.until()]).map(|at| day_earlier(*at, zone)).collect();
        Self { edges }
    }

    pub(super) fn span(&self) -> Span {
        let edge = |at: Option<&DateTime<Utc>>| at.copied().unwrap_or_default();
        Span { from: edge(self.edges.first()), until: edge(self.edges.last()) }
    }

    /// The step that a moment of that day belongs to.
    pub(super) fn step_of(&self, at: DateTime<Utc>) -> Option<usize> {
        let begun = self.edges.partition_point(|edge| *edge <= at);
        begun.checked_sub(1).filter(|step| *step + 1 < self.edges.len())
    }
}

fn day_earlier(at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let wall = at.with_timezone(&zone).naive_local() - TimeDelta::days(1);
    let shown = (0..QUARTERS_MAX).map(|quarter| wall + QUARTER * quarter);
    let mut known = shown.filter_map(|shown| zone.from_local_datetime(&shown).earliest());
    known.next().map_or(at - TimeDelta::days(1), |at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::Chicago;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    fn show(starts: Option<&str>, ends: Option<&str>) -> ShowTime {
        let date = |text: Option<&str>| text.map(|text| text.parse().expect("a date"));
        ShowTime { zone: Chicago, starts_on: date(starts), ends_on: date(ends), made_at: at("2026-08-10T15:00:00Z") }
    }

    #[test]
    fn today_begins_at_the_shows_midnight_and_is_shown_from_the_first_hour_with_anything() {
        let span = Span::of(Range::Today, show(None, None), at("2026-08-15T01:42:00Z"));
        assert_eq!(span.from, at("2026-08-14T05:00:00Z"));
        assert_eq!(span.since_first(Some(at("2026-08-14T11:12:00Z")), Chicago).from, at("2026-08-14T11:00:00Z"));
        assert_eq!(span.since_first(Some(at("2026-08-15T01:40:00Z")), Chicago).from, at("2026-08-15T00:42:00Z"));
        assert_eq!(span.since_first(None, Chicago), span);
        // In the first minutes of a day there is no hour of it yet.
        let young = Span::of(Range::Today, show(None, None), at("2026-08-14T05:10:00Z"));
        assert_eq!(young.since_first(Some(at("2026-08-14T05:01:00Z")), Chicago).from, at("2026-08-14T05:00:00Z"));
    }

    #[test]
    fn the_show_is_its_days_so_far() {
        let dated = show(Some("2026-08-13"), Some("2026-08-16"));
        let during = Span::of(Range::Show, dated, at("2026-08-14T15:00:00Z"));
        assert_eq!((during.from, during.until), (at("2026-08-13T05:00:00Z"), at("2026-08-14T15:00:00Z")));
        let after = Span::of(Range::Show, dated, at("2026-08-20T15:00:00Z"));
        assert_eq!((after.from, after.until), (at("2026-08-13T05:00:00Z"), at("2026-08-17T05:00:00Z")));
        let before = Span::of(Range::Show, dated, at("2026-08-12T15:00:00Z"));
        assert_eq!(before.from, at("2026-08-10T15:00:00Z"));
        let undated = Span::of(Range::Show, show(None, None), at("2026-10-14T15:00:00Z"));
        assert_eq!(undated.from, at("2026-09-14T15:00:00Z"));
    }

    #[test]
    fn a_show_that_was_over_before_it_was_made_here_still_has_a_range() {
        let span = Span::of(Range::Show, show(Some("2026-01-01"), Some("2026-01-02")), at("2026-08-14T15:00:00Z"));
        assert!(span.from < span.until, "{span:?}");
        assert!(!span.line_steps(Chicago).1.starts().is_empty());
    }

    #[test]
    fn yesterday_is_the_same_time_on_the_wall_when_the_clocks_change() {
        let morning = |date: &str, hour: &str| at(&format!("{date}T{hour}:00:00Z"));
        // 6 to 8 in the morning after the clocks went back: 25 hours lie between.
        let steps = Steps::cut(morning("2026-11-01", "12"), morning("2026-11-01", "14"), Step::Minutes(60), Chicago);
        let before = DayBefore::of(&steps, Chicago);
        assert_eq!(before.span(), Span { from: morning("2026-10-31", "11"), until: morning("2026-10-31", "13") });
        assert_eq!(before.step_of(at("2026-10-31T12:30:00Z")), Some(1));
        assert_eq!(before.step_of(at("2026-10-31T13:00:00Z")), None);
        assert_eq!(before.step_of(at("2026-10-31T10:59:00Z")), None);
    }

    #[test]
    fn ranges_have_words() {
        for range in [Range::Hour, Range::Today, Range::Show] {
            assert_eq!(Range::of(range.word()), Some(range));
        }
        assert_eq!(Range::of("2h"), None);
    }
}
