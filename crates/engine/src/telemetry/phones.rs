//! What phones tell of themselves: requests as they saw them, and what they did without the laptop.
//!
//! It is kept under names of its own, so that no phone can spoil what the laptop measured. Nothing that a phone says
//! is kept as it was said: an address becomes a route, a method one of the known words.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::DeviceId;
use showdesk_domain::permit::Action;
use showdesk_domain::value::parse_instant;

use super::{Taken, tasks};
use crate::api::telemetry::PhoneFigure;
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// Figures that one request brings.
pub(super) const FIGURES_MAX: usize = 100;
/// Figures of one phone that are taken in a minute.
const A_MINUTE_MAX: u32 = 600;
/// What is older, or later than now by more than clocks differ, is not taken.
const AGE_MAX: TimeDelta = TimeDelta::hours(1);
/// Nothing takes longer.
const DURATION_MAX_MS: f64 = 3_600_000.0;
/// Phones whose figures are counted at once; more than join a show.
const PHONES_MAX: usize = 4_096;

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", tasks::DO];

/// How many figures each phone told in this minute.
#[derive(Debug, Default)]
pub(super) struct Allowances(Mutex<HashMap<DeviceId, (i64, u32)>>);

impl Allowances {
    /// How many of so many are taken now.
    fn take(&self, device: DeviceId, wanted: usize, now: DateTime<Utc>) -> usize {
        let minute = now.timestamp().div_euclid(60);
        let mut phones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if phones.len() >= PHONES_MAX && !phones.contains_key(&device) {
            phones.retain(|_, (known, _)| *known == minute);
        }
        let (known, used) = phones.entry(device).or_insert((minute, 0));
        if *known != minute {
            (*known, *used) = (minute, 0);
        }
        let granted = (A_MINUTE_MAX - *used).min(u32::try_from(wanted).unwrap_or(u32::MAX));
        *used += granted;
        usize::try_from(granted).unwrap_or(0)
    }
}

impl Engine {
    /// Takes in what a phone measured. What is well formed is answered the same, kept or not.
    pub fn take_figures(&self, actor: &Actor, figures: Vec<PhoneFigure>) -> Result<usize> {
        require(actor, Action::UseOwnDevice)?;
        if figures.len() > FIGURES_MAX {
            return Err(EngineError::TooLarge(format!("at most {FIGURES_MAX} figures are told at once")));
        }
        let now = self.now();
        let taken = figures.into_iter().map(|figure| read(figure, actor, now)).collect::<Result<Vec<_>>>()?;
        let count = taken.len();
        let telemetry = &self.inner.telemetry;
        let is_fresh = |taken: &Taken| (now - AGE_MAX..=now + AGE_MAX).contains(&taken.at);
        // A clock that is ahead makes no minutes to come.
        let as_it_was = |taken: Taken| Taken { at: taken.at.min(now), ..taken };
        let fresh: Vec<Taken> = taken.into_iter().filter(is_fresh).map(as_it_was).collect();
        let granted = telemetry.allowances.take(actor.device, fresh.len(), now);
        telemetry.intake.drop_of_phone((count - granted) as u64);
        fresh.into_iter().take(granted).for_each(|taken| telemetry.intake.take(taken));
        Ok(count)
    }
}

fn read(figure: PhoneFigure, actor: &Actor, now: DateTime<Utc>) -> Result<Taken> {
    let PhoneFigure { endpoint, method, duration, status_code, at } = figure;
    let method = METHODS.into_iter().find(|known| *known == method);
    let method =
        method.ok_or_else(|| EngineError::invalid("out_of_range", "method is no method of HTTP, and not DO"))?;
    if !(0.0..=DURATION_MAX_MS).contains(&duration) {
        return Err(EngineError::invalid("out_of_range", "duration is milliseconds from 0 to an hour"));
    }
    if status_code != 0 && !(100..600).contains(&status_code) {
        return Err(EngineError::invalid("out_of_range", "status_code is 0 or a status of HTTP"));
    }
    let at = match at {
        Some(text) => parse_instant(&text)
            .ok_or_else(|| EngineError::invalid("invalid_time", "a time like 2026-08-07T09:14:03Z is expected"))?,
        None => now,
    };
    Ok(Taken {
        at,
        endpoint: tasks::endpoint_of_phone(&endpoint),
        method,
        status: status_code,
        took: Duration::from_secs_f64(duration / 1_000.0),
        person: Some(actor.person),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_phone_tells_so_much_a_minute_and_no_more() {
        let (allowances, phone) = (Allowances::default(), DeviceId(Uuid::from_u128(1)));
        let at = |seconds: i64| DateTime::from_timestamp(1_790_000_040 + seconds, 0).expect("a time");
        let granted: Vec<usize> = (0..8).map(|_| allowances.take(phone, 100, at(0))).collect();
        assert_eq!(granted, [100, 100, 100, 100, 100, 100, 0, 0]);
        assert_eq!(allowances.take(DeviceId(Uuid::from_u128(2)), 100, at(0)), 100, "another phone has its own");
        assert_eq!(allowances.take(phone, 100, at(60)), 100);
    }
}
