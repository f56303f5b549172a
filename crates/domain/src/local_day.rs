//! When the clock on the show's wall shows a time. Clocks that are put forward jump over some.

use chrono::{DateTime, DurationRound, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};

/// Clocks are moved by whole quarters of an hour.
const STEP: TimeDelta = TimeDelta::minutes(15);
/// The longest jump there was: an island that went over the date line left out a day.
const STEPS_MAX: i32 = 24 * 4;

/// The first moment of a day by the clocks of a zone: midnight, the earlier one where there are two, and the end of the
/// jump where clocks jump over it.
pub fn first_moment<Z: TimeZone>(zone: &Z, date: NaiveDate) -> DateTime<Utc> {
    first_moment_at(zone, date, NaiveTime::MIN)
}

/// When the clocks of a zone first show that time of a day; where they jump over it, when they have jumped.
pub fn first_moment_at<Z: TimeZone>(zone: &Z, date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let wanted = date.and_time(time);
    let quarter = wanted.duration_trunc(STEP).unwrap_or(wanted);
    let after_the_jump = (1..=STEPS_MAX).map(|step| quarter + STEP * step);
    let mut known = std::iter::once(wanted).chain(after_the_jump);
    let found = known.find_map(|shown| zone.from_local_datetime(&shown).earliest());
    found.map_or_else(|| wanted.and_utc(), |at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    #[test]
    fn a_day_begins_at_midnight_or_where_the_clocks_have_jumped_to() {
        let table = [
            ("America/Chicago", "2026-08-14", "2026-08-14T05:00:00Z"),
            // Put forward at two: midnight is there.
            ("America/Chicago", "2026-03-08", "2026-03-08T06:00:00Z"),
            // Put forward at midnight: the day begins at one.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z"),
            ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00Z"),
            // Put back at midnight or over it: of two midnights the earlier.
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
            // There was no such day.
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
        ];
        for (zone, date, begins) in table {
            let zone: Tz = zone.parse().unwrap();
            assert_eq!(first_moment(&zone, date.parse().unwrap()), begins.parse::<DateTime<Utc>>().unwrap(), "{zone}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_jump_over_comes_when_they_have_jumped() {
        let table = [
            ("America/Chicago", "2026-08-14", "06:30", "2026-08-14T11:30:00Z"),
            // From two to three: 02:20 is never shown.
            ("America/Chicago", "2026-03-08", "02:20", "2026-03-08T08:00:00Z"),
            ("America/Chicago", "2026-03-08", "02:30", "2026-03-08T08:00:00Z"),
            ("America/Chicago", "2026-03-08", "03:01", "2026-03-08T08:01:00Z"),
            // From two to half past two.
            ("Australia/Lord_Howe", "2026-10-04", "02:07", "2026-10-03T15:30:00Z"),
            // Shown twice: the first time counts.
            ("America/Chicago", "2026-11-01", "01:30", "2026-11-01T06:30:00Z"),
        ];
        for (zone, date, time, begins) in table {
            let zone: Tz = zone.parse().unwrap();
            let time = format!("{time}:00").parse().unwrap();
            let at = first_moment_at(&zone, date.parse().unwrap(), time);
            assert_eq!(at, begins.parse::<DateTime<Utc>>().unwrap(), "{zone} {time}");
        }
    }
}
