//! How long measurements are kept, and cleaning up in steps that never hold a database long.
//!
//! A sweep names one bounded deletion after the other; the engine carries each out, pauses, and says how many rows went.

use chrono::{DateTime, TimeDelta, Utc};

use crate::rollup::Resolution;

/// Rows that one deletion may take away.
pub const STEP_ROWS_MAX: u32 = 1_000;

/// How long after a sweep the next is due. There is one at each start, too.
const SWEEP_EVERY: TimeDelta = TimeDelta::days(1);

/// What is kept for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kept {
    /// `performance_metrics`: rows of single requests.
    Requests,
    /// `metric_rollups` of one resolution.
    Rollups(Resolution),
    /// `measures` of one resolution.
    Measures(Resolution),
    /// `markers`.
    Markers,
    /// `error_logs`: the samples of the groups.
    Errors,
    /// `error_groups`, by when they were last seen.
    ErrorGroups,
    /// `alert_events`.
    AlertEvents,
}

impl Kept {
    /// All, in the order in which they are swept: the most rows first.
    pub const ALL: [Self; 11] = [
        Self::Requests,
        Self::Rollups(Resolution::Minute),
        Self::Rollups(Resolution::Hour),
        Self::Rollups(Resolution::Day),
        Self::Measures(Resolution::Minute),
        Self::Measures(Resolution::Hour),
        Self::Measures(Resolution::Day),
        Self::Markers,
        Self::Errors,
        Self::ErrorGroups,
        Self::AlertEvents,
    ];

    /// For how many days.
    ///
    /// Minutes go after a week, the longest show with the days around it; the hours made of them stay.
    pub const fn days(self) -> i64 {
        match self {
            Self::Rollups(Resolution::Minute) | Self::Measures(Resolution::Minute) => 7,
            Self::Requests | Self::Rollups(_) | Self::Measures(_) | Self::Markers => 30,
            Self::Errors | Self::ErrorGroups | Self::AlertEvents => 90,
        }
    }

    /// How long a time one row stands for.
    fn length(self) -> TimeDelta {
        match self {
            Self::Rollups(resolution) | Self::Measures(resolution) => resolution.length(),
            _ => TimeDelta::zero(),
        }
    }

    /// Rows from before this moment go. A rollup is dated by its start and goes when all of it is too old.
    pub fn cutoff(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::days(self.days()) - self.length()
    }
}

/// One deletion: at most so many rows, the oldest first, from before a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What to delete from.
    pub kept: Kept,
    /// Rows dated before this go.
    pub before: DateTime<Utc>,
    /// At most so many.
    pub rows_max: u32,
}

/// A clean-up on its way.
#[derive(Debug, Clone)]
pub struct Sweep {
    now: DateTime<Utc>,
    at: usize,
    removed: [u64; Kept::ALL.len()],
}

impl Sweep {
    /// Begins one. The moment stays the same for all of it, so it comes to an end while new rows grow old.
    pub const fn begin(now: DateTime<Utc>) -> Self {
        Self { now, at: 0, removed: [0; Kept::ALL.len()] }
    }

    /// The next deletion; None when all is swept.
    pub fn step(&self) -> Option<Step> {
        let kept = *Kept::ALL.get(self.at)?;
        Some(Step { kept, before: kept.cutoff(self.now), rows_max: STEP_ROWS_MAX })
    }

    /// A deletion was carried out. One that was not full has taken the last row of its kind.
    pub fn removed(&mut self, rows: u32) {
        let Some(sum) = self.removed.get_mut(self.at) else { return };
        *sum += u64::from(rows);
        if rows < STEP_ROWS_MAX {
            self.at += 1;
        }
    }

    /// What went so far, for the screen.
    pub fn report(&self) -> impl Iterator<Item = (Kept, u64)> {
        Kept::ALL.into_iter().zip(self.removed)
    }
}

/// Whether a sweep is due: at the start, then daily, and after a clock that was set back by more than a day.
pub fn is_due(last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    last.is_none_or(|last| (now - last).abs() >= SWEEP_EVERY)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    /// 100 days of rows, one each half hour; bucket starts for rollups.
    fn hundred_days() -> BTreeMap<Kept, Vec<DateTime<Utc>>> {
        let rows = |kept: Kept| {
            let at = (0..100 * 48).map(|half_hours| now() - TimeDelta::minutes(30 * half_hours));
            let dated = at.map(|at| match kept {
                Kept::Rollups(resolution) | Kept::Measures(resolution) => resolution.start_of(at),
                _ => at,
            });
            (kept, dated.collect())
        };
        Kept::ALL.into_iter().map(rows).collect()
    }

    #[test]
    fn a_sweep_of_a_hundred_days_leaves_exactly_what_is_kept_in_bounded_steps() {
        let mut tables = hundred_days();
        let expected: BTreeMap<Kept, Vec<DateTime<Utc>>> = tables
            .iter()
            .map(|(kept, rows)| {
                let kept_rows = rows.iter().filter(|at| now() - (**at + kept.length()) <= TimeDelta::days(kept.days()));
                (*kept, kept_rows.copied().collect())
            })
            .collect();
        let mut sweep = Sweep::begin(now());
        let mut steps = 0;
        while let Some(step) = sweep.step() {
            let rows = tables.get_mut(&step.kept).unwrap();
            let mut removed = 0;
            rows.sort_unstable_by(|a, b| b.cmp(a));
            while removed < step.rows_max && rows.last().is_some_and(|at| *at < step.before) {
                rows.pop();
                removed += 1;
            }
            sweep.removed(removed);
            steps += 1;
        }
        assert_eq!(tables, expected);
        assert_eq!(tables[&Kept::Requests].len(), 30 * 48 + 1);
        assert_eq!(tables[&Kept::Errors].len(), 90 * 48 + 1);
        let removed: u64 = sweep.report().map(|(_, rows)| rows).sum();
        let left: usize = tables.values().map(Vec::len).sum();
        assert_eq!(removed, u64::try_from(Kept::ALL.len() * 100 * 48 - left).unwrap());
        assert!(steps > Kept::ALL.len(), "one step was never full");
    }

    #[test]
    fn a_sweep_that_is_over_stays_over() {
        let mut sweep = Sweep::begin(now());
        for _ in 0..Kept::ALL.len() {
            sweep.removed(0);
        }
        sweep.removed(5);
        assert_eq!(sweep.step(), None);
        assert_eq!(sweep.report().map(|(_, rows)| rows).sum::<u64>(), 0);
    }

    #[test]
    fn a_sweep_is_due_at_the_start_daily_and_after_a_clock_set_back() {
        let day = TimeDelta::days(1);
        let second = TimeDelta::seconds(1);
        assert!(is_due(None, now()));
        assert!(!is_due(Some(now()), now() + day - second));
        assert!(is_due(Some(now()), now() + day));
        assert!(!is_due(Some(now() + day - second), now()));
        assert!(is_due(Some(now() + day), now()));
    }
}
