//! Quiet hours: when phones that are far from the show are left alone, unless it is an emergency.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::local_day::first_moment_at;

/// From when to when it is quiet, by the clock on the show's wall. `from` may be later than `to`: over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// `HH:MM`.
    #[serde(with = "hour")]
    pub from: NaiveTime,
    /// `HH:MM`; never the same as `from`.
    #[serde(with = "hour")]
    pub to: NaiveTime,
}

/// `21:00`.
mod hour {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands every field over by reference")]
    pub(super) fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.format("%H:%M").to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_hour(&text).ok_or_else(|| D::Error::custom("a time as HH:MM is expected"))
    }
}

/// Reads `HH:MM`, two digits each.
pub fn parse_hour(text: &str) -> Option<NaiveTime> {
    (text.len() == 5).then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten()
}

impl Quiet {
    /// When the quiet hours end in which this moment lies; none if it lies in none.
    pub fn ends_after(&self, now: DateTime<Utc>, timezone: &str) -> Option<DateTime<Utc>> {
        let zone: Tz = timezone.parse().unwrap_or(Tz::UTC);
        let today = now.with_timezone(&zone).date_naive();
        // Hours over midnight belong to the day on which they begin.
        [today.pred_opt(), Some(today)].into_iter().flatten().find_map(|day| {
            let last_day = if self.from < self.to { day } else { day.succ_opt()? };
            let (begin, end) = (first_moment_at(&zone, day, self.from), first_moment_at(&zone, last_day, self.to));
            (begin <= now && now < end).then_some(end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, to: &str) -> Quiet {
        Quiet { from: parse_hour(from).expect("a time"), to: parse_hour(to).expect("a time") }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    #[test]
    fn hours_over_midnight_end_in_the_morning() {
        let night = quiet("21:00", "06:30");
        for (now, end) in [
            ("2026-08-07T01:59:00Z", None),
            ("2026-08-07T02:00:00Z", Some("2026-08-07T11:30:00Z")),
            ("2026-08-07T11:29:59Z", Some("2026-08-07T11:30:00Z")),
            ("2026-08-07T11:30:00Z", None),
        ] {
            assert_eq!(night.ends_after(utc(now), "America/Chicago"), end.map(utc), "{now}");
        }
    }

    #[test]
    fn hours_within_a_day_end_on_it() {
        let noon = quiet("12:00", "13:00");
        assert_eq!(noon.ends_after(utc("2026-08-07T12:30:00Z"), "UTC"), Some(utc("2026-08-07T13:00:00Z")));
        assert_eq!(noon.ends_after(utc("2026-08-07T13:00:00Z"), "UTC"), None);
        assert_eq!(noon.ends_after(utc("2026-08-07T12:30:00Z"), "Not/AZone"), Some(utc("2026-08-07T13:00:00Z")));
    }

    #[test]
    fn the_clock_on_the_wall_counts_when_it_is_changed() {
        let night = quiet("21:00", "06:30");
        let ends = |now: &str| night.ends_after(utc(now), "America/Chicago");
        // The night of 8 March 2026 has an hour less, that of 1 November one more.
        assert_eq!(ends("2026-03-08T04:00:00Z"), Some(utc("2026-03-08T11:30:00Z")));
        assert_eq!(ends("2026-11-01T04:00:00Z"), Some(utc("2026-11-01T12:30:00Z")));
        // 02:30 does not exist on 8 March: quiet hours that end then end when the clock has jumped.
        let short = quiet("22:00", "02:30");
        let end = short.ends_after(utc("2026-03-08T07:00:00Z"), "America/Chicago");
        assert_eq!(end, Some(utc("2026-03-08T08:00:00Z")));
    }

    #[test]
    fn only_hours_and_minutes_are_read() {
        for text in ["7:00", "24:00", "12:60", "12-00", "12:00 ", ""] {
            assert_eq!(parse_hour(text), None, "{text}");
        }
        let json = serde_json::json!({"from": "21:00", "to": "06:30"});
        assert_eq!(serde_json::to_value(quiet("21:00", "06:30")).expect("JSON"), json);
        assert!(serde_json::from_value::<Quiet>(serde_json::json!({"from": "21", "to": "06:30"})).is_err());
    }
}
