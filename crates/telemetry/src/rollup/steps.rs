//! The steps of a chart: equal lengths on the show's own clock, or its days.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::Resolution;

/// How far a day's first moment may lie behind midnight, where clocks jump at midnight.
const JUMP_HOURS_MAX: i64 = 3;

/// How long a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many minutes, at most 60 of them.
    Minutes(u8),
    /// A day of the show: 23, 24 or 25 hours.
    Day,
}

impl Step {
    /// All, the finest first.
    pub const ALL: [Self; 6] =
        [Self::Minutes(1), Self::Minutes(5), Self::Minutes(15), Self::Minutes(30), Self::Minutes(60), Self::Day];

    /// The finest that cuts a range into no more than so many; days if none does.
    pub fn for_range(from: DateTime<Utc>, until: DateTime<Utc>, steps_max: u16) -> Self {
        let fits = |step: &Self| until - from <= step.length() * i32::from(steps_max);
        Self::ALL.into_iter().find(fits).unwrap_or(Self::Day)
    }

    /// The rollups that such steps are added from.
    pub const fn resolution(self) -> Resolution {
        match self {
            Self::Minutes(60) | Self::Day => Resolution::Hour,
            Self::Minutes(_) => Resolution::Minute,
        }
    }

    /// How long, for a day without a change of clocks.
    pub const fn length(self) -> TimeDelta {
        match self {
            Self::Minutes(minutes) => TimeDelta::minutes(minutes as i64),
            Self::Day => TimeDelta::days(1),
        }
    }
}

/// A range cut into steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// Where each begins, and where the last one ends.
    edges: Vec<DateTime<Utc>>,
}

impl Steps {
    /// Cuts a range, so that the first step holds `from` and the last one what is just before `until`.
    pub fn cut(from: DateTime<Utc>, until: DateTime<Utc>, step: Step, zone: Tz) -> Self {
        let mut edges = vec![start_of(from, step, zone)];
        let mut last = edges[0];
        while last < until {
            last = after(last, step, zone);
            edges.push(last);
        }
        Self { edges }
    }

    /// Where each step begins.
    pub fn starts(&self) -> &[DateTime<Utc>] {
        &self.edges[..self.edges.len() - 1]
    }

    /// Where the last one ends.
    pub fn until(&self) -> DateTime<Utc> {
        self.edges[self.edges.len() - 1]
    }

    /// The step that a moment belongs to.
    pub fn of(&self, at: DateTime<Utc>) -> Option<usize> {
        let begun = self.edges.partition_point(|edge| *edge <= at);
        begun.checked_sub(1).filter(|step| *step < self.starts().len())
    }
}

/// Where the step begins that a moment belongs to.
fn start_of(at: DateTime<Utc>, step: Step, zone: Tz) -> DateTime<Utc> {
    match step {
        Step::Day => first_moment(zone, at.with_timezone(&zone).date_naive()),
        Step::Minutes(_) => {
            // Zones are not all whole hours from UTC: the clock on the wall tells what a whole step is.
            let offset_ms = i64::from(offset_seconds(at, zone)) * 1_000;
            let wall_ms = at.timestamp_millis() + offset_ms;
            let start_ms = wall_ms - wall_ms.rem_euclid(step.length().num_milliseconds()) - offset_ms;
            DateTime::from_timestamp_millis(start_ms).unwrap_or(at)
        }
    }
}

fn after(start: DateTime<Utc>, step: Step, zone: Tz) -> DateTime<Utc> {
    match step {
        Step::Minutes(_) => start + step.length(),
        Step::Day => {
            let date = start.with_timezone(&zone).date_naive();
            date.checked_add_days(Days::new(1)).map_or(start + step.length(), |next| first_moment(zone, next))
        }
    }
}

fn offset_seconds(at: DateTime<Utc>, zone: Tz) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

/// Midnight, or where there is none because clocks jump over it, the first hour there is.
fn first_moment(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    let moments = (0..=JUMP_HOURS_MAX).map(|hours| midnight + TimeDelta::hours(hours));
    let mut known = moments.filter_map(|moment| zone.from_local_datetime(&moment).earliest());
    known.next().map_or_else(|| midnight.and_utc(), |moment| moment.to_utc())
}

#[cfg(test)]
mod tests {
    use chrono_tz::{America, Asia};
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_finest_step_that_fits_is_taken() {
        let from = at("2026-08-14T11:00:00Z");
        let table = [
            (TimeDelta::hours(1), Step::Minutes(1)),
            (TimeDelta::hours(10), Step::Minutes(5)),
            (TimeDelta::hours(24), Step::Minutes(15)),
            (TimeDelta::days(4), Step::Minutes(60)),
            (TimeDelta::days(30), Step::Day),
            (TimeDelta::days(900), Step::Day),
        ];
        for (length, step) in table {
            assert_eq!(Step::for_range(from, from + length, 120), step, "{length}");
        }
    }

    #[test]
    fn days_are_the_shows_days_when_the_clocks_change() {
        let steps = Steps::cut(at("2026-10-31T12:00:00Z"), at("2026-11-02T12:00:00Z"), Step::Day, America::Chicago);
        let hours: Vec<_> = steps.edges.windows(2).map(|pair| (pair[1] - pair[0]).num_hours()).collect();
        assert_eq!(steps.starts()[0], at("2026-10-31T05:00:00Z"));
        assert_eq!(hours, [24, 25, 24]);
    }

    #[test]
    fn a_day_without_midnight_begins_with_its_first_hour() {
        let steps = Steps::cut(at("2026-09-06T15:00:00Z"), at("2026-09-06T16:00:00Z"), Step::Day, America::Santiago);
        assert_eq!(steps.starts(), [at("2026-09-06T04:00:00Z")]);
    }

    #[test]
    fn steps_of_minutes_are_whole_on_the_wall_clock() {
        let steps =
            Steps::cut(at("2026-08-14T10:07:00Z"), at("2026-08-14T11:07:00Z"), Step::Minutes(60), Asia::Kolkata);
        assert_eq!(steps.starts(), [at("2026-08-14T09:30:00Z"), at("2026-08-14T10:30:00Z")]);
    }

    proptest! {
        #[test]
        fn every_moment_of_the_range_has_its_step(
            start in 1_700_000_000_i64..1_800_000_000, minutes in 1..20_000_i64, inside in 0.0..1.0_f64, step in 0..6_usize,
        ) {
            let from = DateTime::from_timestamp(start, 0).unwrap();
            let until = from + TimeDelta::minutes(minutes);
            let steps = Steps::cut(from, until, Step::ALL[step], America::Chicago);
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a place inside the range")]
            let moment = from + TimeDelta::seconds((minutes as f64 * 60.0 * inside) as i64);
            let index = steps.of(moment).unwrap();
            prop_assert!(steps.edges[index] <= moment && moment < steps.edges[index + 1]);
            prop_assert!(steps.edges[0] <= from && steps.until() >= until);
            prop_assert_eq!(steps.of(steps.until()), None);
        }
    }
}
