//! The axis of time: round times on the show's own clock, and how moments are written.

use std::ops::Range;

use chrono::{DateTime, Datelike, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged};

use crate::text::{Weight, width};

/// The size of the axis' words.
const SIZE: f64 = 12.0;

/// The least room between two words of the axis.
const APART: f64 = 14.0;

/// Steps from word to word in minutes; above an hour they count from midnight.
const STEPS: [i64; 17] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 4_320, 10_080, 20_160, 40_320];

const DAY: i64 = 1_440;

/// Within so many minutes an hour's number alone tells which hour is meant.
const HALF_A_DAY: i64 = 12 * 60;

/// Where the show is, and how it reads its clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clock {
    pub(crate) zone: Tz,
    pub(crate) hours_24: bool,
}

impl Clock {
    /// A moment of today: `9:05`, `1:05 pm`.
    pub(crate) fn time(self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        if self.hours_24 {
            return format!("{}:{:02}", local.hour(), local.minute());
        }
        let (pm, hour) = local.hour12();
        let half = match (pm, hour) {
            (true, _) => " pm",
            (false, 12) => " am",
            (false, _) => "",
        };
        format!("{hour}:{:02}{half}", local.minute())
    }

    /// A moment of some day: `Fri 9:05`.
    pub(crate) fn day_and_time(self, at: DateTime<Utc>) -> String {
        format!("{} {}", at.with_timezone(&self.zone).format("%a"), self.time(at))
    }

    /// A day: `Fri 14 Aug`.
    pub(crate) fn day(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%a %-d %b").to_string()
    }

    /// For files: `2026-08-14 09:05 -05:00`.
    pub(crate) fn exact(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M %:z").to_string()
    }
}

/// An axis of time, for plotters.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    range: Range<DateTime<Utc>>,
    clock: Clock,
    step: i64,
}

impl Moments {
    /// The axis over a range, drawn so many pixels wide.
    pub(crate) fn over(range: Range<DateTime<Utc>>, clock: Clock, pixels: f64) -> Self {
        let mut axis = Self { range, clock, step: STEPS[STEPS.len() - 1] };
        let minutes = axis.minutes();
        #[expect(clippy::cast_precision_loss, reason = "minutes of a chart are few")]
        let room = |step: i64| pixels * step as f64 / minutes.max(1) as f64;
        for step in STEPS {
            axis.step = step;
            // Cheap first: the words are only made for a step that could have room.
            if room(step) < APART + 4.0 {
                continue;
            }
            let widest =
                axis.ticks().iter().map(|at| width(&axis.word(*at), SIZE, Weight::Regular)).fold(0.0, f64::max);
            if room(step) >= widest + APART {
                break;
            }
        }
        axis
    }

    /// The moments that have a word.
    pub(crate) fn ticks(&self) -> Vec<DateTime<Utc>> {
        let grain = TimeDelta::minutes(self.step.min(30));
        let mut at = self.first(grain);
        let mut ticks = Vec::new();
        while at <= self.range.end {
            if at >= self.range.start && self.is_round(at) {
                ticks.push(at);
            }
            at += grain;
        }
        ticks
    }

    /// The word of a moment.
    pub(crate) fn word(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.clock.zone);
        if self.step >= DAY {
            return local.format(if self.minutes() > 7 * DAY { "%-d %b" } else { "%a %-d" }).to_string();
        }
        if local.hour() == 0 && local.minute() == 0 && self.minutes() > HALF_A_DAY {
            return local.format("%a").to_string();
        }
        if self.step < 60 {
            return self.clock.time(at).trim_end_matches(" pm").trim_end_matches(" am").to_owned();
        }
        if self.clock.hours_24 {
            return format!("{}:00", local.hour());
        }
        let (pm, hour) = local.hour12();
        if self.minutes() <= HALF_A_DAY {
            return hour.to_string();
        }
        if pm && hour == 12 { "noon".to_owned() } else { format!("{hour} {}", if pm { "pm" } else { "am" }) }
    }

    fn minutes(&self) -> i64 {
        (self.range.end - self.range.start).num_minutes()
    }

    /// The last moment before the range that is whole on the wall's clock.
    fn first(&self, grain: TimeDelta) -> DateTime<Utc> {
        let start = self.range.start;
        let offset = self.clock.zone.offset_from_utc_datetime(&start.naive_utc()).fix().local_minus_utc();
        let wall_ms = start.timestamp_millis() + i64::from(offset) * 1_000;
        start - TimeDelta::milliseconds(wall_ms.rem_euclid(grain.num_milliseconds()))
    }

    fn is_round(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.clock.zone);
        let minute = i64::from(local.hour() * 60 + local.minute());
        if self.step < DAY {
            return minute % self.step == 0;
        }
        // The first moment of a day, which is not midnight where clocks jump over it.
        let before = (at - TimeDelta::minutes(30)).with_timezone(&self.clock.zone);
        let days = i64::from(local.num_days_from_ce());
        before.date_naive() != local.date_naive() && days % (self.step / DAY) == 0
    }
}

impl Ranged for Moments {
    type FormatOption = NoDefaultFormatting;
    type ValueType = DateTime<Utc>;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "milliseconds of a chart and places on the paper are small"
    )]
    fn map(&self, value: &Self::ValueType, limit: (i32, i32)) -> i32 {
        let all = (self.range.end - self.range.start).num_milliseconds().max(1) as f64;
        let part = (*value - self.range.start).num_milliseconds() as f64 / all;
        f64::from(limit.0) as i32 + (part * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<Self::ValueType> {
        self.ticks()
    }

    fn range(&self) -> Range<Self::ValueType> {
        self.range.clone()
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::Chicago;
    use chrono_tz::Asia::Kolkata;

    use super::*;

    fn words(zone: Tz, from: &str, minutes: i64, pixels: f64) -> Vec<String> {
        let from: DateTime<Utc> = from.parse().unwrap();
        let clock = Clock { zone, hours_24: false };
        let axis = Moments::over(from..from + TimeDelta::minutes(minutes), clock, pixels);
        axis.ticks().into_iter().map(|at| axis.word(at)).collect()
    }

    #[test]
    fn a_morning_has_its_hours_by_their_number() {
        let hours = words(Chicago, "2026-08-14T11:00:00Z", 585, 444.0);
        assert_eq!(hours, ["6", "7", "8", "9", "10", "11", "12", "1", "2", "3"]);
    }

    #[test]
    fn longer_ranges_say_the_half_of_the_day_and_the_day() {
        assert_eq!(
            words(Chicago, "2026-08-14T05:00:00Z", 1_440, 444.0),
            ["Fri", "3 am", "6 am", "9 am", "noon", "3 pm", "6 pm", "9 pm", "Sat"]
        );
        let show = words(Chicago, "2026-08-13T05:00:00Z", 4 * 1_440, 444.0);
        assert_eq!(show, ["Thu", "noon", "Fri", "noon", "Sat", "noon", "Sun", "noon", "Mon"]);
        assert_eq!(words(Chicago, "2026-08-01T05:00:00Z", 30 * 1_440, 444.0)[..2], ["2 Aug", "9 Aug"]);
    }

    #[test]
    fn an_hour_has_minutes() {
        assert_eq!(words(Chicago, "2026-08-14T18:02:00Z", 60, 444.0)[..3], ["1:10", "1:20", "1:30"]);
        assert_eq!(words(Kolkata, "2026-08-14T04:00:00Z", 300, 444.0), ["10", "11", "12", "1", "2"]);
    }

    #[test]
    fn the_day_on_which_clocks_go_back_has_an_hour_twice_and_still_its_noon() {
        let hours = words(Chicago, "2026-11-01T05:00:00Z", 25 * 60, 1_600.0);
        assert_eq!(hours[..4], ["Sun", "1 am", "1 am", "2 am"]);
        let few = words(Chicago, "2026-11-01T05:00:00Z", 25 * 60, 300.0);
        assert!(few.contains(&"noon".to_owned()), "{few:?}");
        let spring = words(Chicago, "2026-03-08T06:00:00Z", 23 * 60, 1_600.0);
        assert_eq!(spring[..4], ["Sun", "1 am", "3 am", "4 am"]);
    }

    #[test]
    fn moments_are_said_as_the_desk_says_them() {
        let clock = Clock { zone: Chicago, hours_24: false };
        let said = |text: &str| clock.day_and_time(text.parse().unwrap());
        assert_eq!(said("2026-08-14T14:05:00Z"), "Fri 9:05");
        assert_eq!(said("2026-08-14T18:05:00Z"), "Fri 1:05 pm");
        assert_eq!(said("2026-08-14T05:05:00Z"), "Fri 12:05 am");
        let exact = Clock { hours_24: true, ..clock };
        assert_eq!(exact.time("2026-08-14T18:05:00Z".parse().unwrap()), "13:05");
        assert_eq!(exact.exact("2026-08-14T18:05:00Z".parse().unwrap()), "2026-08-14 13:05 -05:00");
    }
}
