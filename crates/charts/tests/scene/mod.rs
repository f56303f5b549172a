//! A county show's second day, made from a fixed seed: what the pictures, the benchmark and the tests draw.

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_charts::catalogue::{self, Deliveries, EntriesIn, NeedsChecking, ResponseTime, Storage, Values};
use showdesk_charts::{Chart, Event, EventKind, Steps};

/// A small generator: the scene is the same on every machine.
struct Dice(u64);

impl Dice {
    /// Even between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around a middle, by at most a share of it.
    fn about(&mut self, middle: f64, share: f64) -> f64 {
        middle * (self.roll() - 0.5).mul_add(2.0 * share, 1.0)
    }
}

/// 6:00 at the show.
pub(crate) fn morning() -> DateTime<Utc> {
    "2026-08-14T11:00:00Z".parse().expect("it is a moment")
}

/// From the morning on, so many steps.
pub(crate) fn steps(minutes: i64, count: usize) -> Steps {
    let length = TimeDelta::minutes(minutes);
    let starts: Vec<_> = std::iter::successors(Some(morning()), |at| Some(*at + length)).take(count).collect();
    let until = starts.last().map_or_else(morning, |last| *last + length);
    Steps { starts, until }
}

/// What happened on that day.
pub(crate) fn events() -> Vec<Event> {
    let event = |minutes, kind, words: &str| Event {
        at: morning() + TimeDelta::minutes(minutes),
        kind,
        words: words.to_owned(),
    };
    vec![
        event(185, EventKind::Restart, "Router restart"),
        event(221, EventKind::Other, "Maria's phone back"),
        event(430, EventKind::Import, ""),
    ]
}

/// A hill that begins, is highest and ends at these steps.
#[expect(clippy::cast_precision_loss, reason = "steps are few")]
fn hill(step: usize, from: usize, top: usize, until: usize) -> f64 {
    let (step, from, top, until) = (step as f64, from as f64, top as f64, until as f64);
    let part = if step <= top { (step - from) / (top - from) } else { (until - step) / (until - top) };
    part.clamp(0.0, 1.0)
}

fn values(count: usize, value: impl FnMut(usize) -> f64) -> Values {
    (0..count).map(value).map(Some).collect()
}

fn whole(count: usize, mut value: impl FnMut(usize) -> f64) -> Values {
    values(count, move |step| value(step).round())
}

/// All charts of the day, in the order of the page.
pub(crate) fn charts() -> Vec<Chart> {
    vec![
        response_time(),
        entries_in(),
        phones(),
        slow_spots(),
        requests(),
        needs_checking(),
        deliveries(),
        cache(),
        storage(),
    ]
}

pub(crate) fn response_time() -> Chart {
    let mut dice = Dice(7);
    let slow = |step| hill(step, 42, 46, 51);
    let p50 = values(117, |step| dice.about(45.0, 0.2) + 55.0 * slow(step));
    let p95 = values(117, |step| dice.about(190.0, 0.18) + 380.0 * slow(step));
    let p99 = values(117, |step| dice.about(320.0, 0.22) + 330.0 * slow(step));
    let errors = whole(117, |step| if step == 83 { 1.0 } else { 5.0 * slow(step) });
    let p95_before = Some(values(117, |_| dice.about(170.0, 0.1)));
    catalogue::response_time(steps(5, 117), ResponseTime { p50, p95, p99, errors, alert_ms: Some(500.0), p95_before })
}

pub(crate) fn entries_in() -> Chart {
    let mut dice = Dice(8);
    let back = |step| if step == 15 { 1.0 } else { 0.0 };
    let away = |step: usize| if (12..15).contains(&step) { 0.2 } else { 1.0 };
    let saved = whole(39, |step| dice.about(110.0, 0.3) * away(step) + 150.0 * back(step));
    let joined = whole(39, |step| dice.about(9.0, 0.6) * away(step) + 40.0 * back(step));
    let needs_checking = whole(39, |step| dice.roll() * 2.4 * away(step) + 28.0 * back(step));
    let refused = whole(39, |step| (dice.roll() * 1.4).floor() + 2.0 * back(step));
    catalogue::entries_in(steps(15, 39), EntriesIn { saved, joined, needs_checking, refused })
}

pub(crate) fn phones() -> Chart {
    let mut dice = Dice(9);
    let here = [(8, 4.0), (16, 9.0), (24, 14.0), (37, 16.0), (39, 10.0), (45, 14.0), (84, 16.0), (94, 15.0)];
    let connected =
        values(117, |step| here.iter().find(|(until, _)| step < *until).map_or(16.0, |(_, phones)| *phones));
    let unsent = whole(117, |step| {
        let some = if dice.roll() < 0.4 { dice.roll() * 3.0 } else { 0.0 };
        (34.0 * hill(step, 36, 44, 45)).max(7.0 * hill(step, 83, 88, 96)).max(some)
    });
    catalogue::phones(steps(5, 117), connected, unsent)
}

pub(crate) fn slow_spots() -> Chart {
    let mut dice = Dice(10);
    let tasks = [
        ("Send entries", 210.0, 620.0),
        ("Get changes", 120.0, 517.0),
        ("Save weight", 80.0, 452.0),
        ("Charts", 190.0, 418.0),
        ("Find animal", 110.0, 240.0),
        ("Messages", 90.0, 180.0),
        ("Settings", 10.0, 12.0),
    ];
    let rows = tasks.map(|(name, usual, at_nine)| {
        let mut hours = values(10, |hour| if hour == 3 { at_nine } else { dice.about(usual, 0.4) });
        if name == "Messages" {
            hours[7] = None;
        }
        (name.to_owned(), hours)
    });
    catalogue::slow_spots(steps(60, 10), rows.to_vec())
}

pub(crate) fn requests() -> Chart {
    let mut dice = Dice(11);
    let mut a_minute = values(117, |step| dice.about(240.0, 0.15) + 420.0 * hill(step, 43, 45, 52));
    // The laptop slept.
    for value in &mut a_minute[66..76] {
        *value = None;
    }
    a_minute[78] = None;
    catalogue::requests(steps(5, 117), a_minute)
}

pub(crate) fn needs_checking() -> Chart {
    let mut dice = Dice(12);
    let opened = whole(39, |step| (dice.roll() * 2.2).floor() + if step == 15 { 28.0 } else { 0.0 });
    let decided = whole(39, |step| (dice.roll() * 2.2).floor() + if (17..23).contains(&step) { 4.0 } else { 0.0 });
    let mut now = 3.0_f64;
    let changes = opened.iter().zip(&decided).map(|(opened, decided)| opened.unwrap_or(0.0) - decided.unwrap_or(0.0));
    let open = changes
        .map(|change| {
            now = (now + change).max(0.0);
            Some(now)
        })
        .collect();
    catalogue::needs_checking(steps(15, 39), NeedsChecking { opened, decided, open })
}

pub(crate) fn deliveries() -> Chart {
    let mut dice = Dice(13);
    let mut some = |middle: f64| whole(39, |step| dice.about(middle, 0.8) * if step % 4 == 1 { 3.0 } else { 0.6 });
    let (here, apple, google, web) = (some(22.0), some(6.0), some(7.0), some(2.0));
    let failed = whole(39, |step| if step == 13 { 9.0 } else { 0.0 });
    let providers = vec![("Apple".to_owned(), apple), ("Google".to_owned(), google), ("Web".to_owned(), web)];
    catalogue::deliveries(steps(15, 39), Deliveries { here, providers, failed })
}

pub(crate) fn cache() -> Chart {
    let mut dice = Dice(14);
    let rate = values(117, |step| (95.0 - 60.0 * hill(step, 37, 39, 46) + 4.0 * (dice.roll() - 0.5)).min(100.0));
    catalogue::cache(steps(5, 117), rate)
}

#[expect(clippy::cast_precision_loss, reason = "steps are few")]
pub(crate) fn storage() -> Chart {
    let database_mb = values(39, |step| 18.0 + 0.6 * step as f64 + 9.0 * hill(step, 27, 29, 90));
    let log_mb = values(39, |step| 1.0 + (step % 7) as f64 * 1.2);
    let free_gb = values(39, |step| 118.4 - 0.1 * step as f64 - 20.0 * hill(step, 28, 29, 120));
    catalogue::storage(steps(15, 39), Storage { database_mb, log_mb, free_gb, alert_gb: Some(2.0) })
}
