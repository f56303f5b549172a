//! Pushes of many phones at once, beside `SQLite` alone doing the same writes row by row.
//!
//! Both sides of a round run one after the other on the same machine, so the ratio holds where the numbers do not.

use showdesk_server::rehearse::Figures;

use crate::checkin::{BATCH_OPS, crowd, push_all};
use crate::kept::Kept;
use crate::program::{Program, county_folder};
use crate::reference::Reference;
use crate::table::{Line, Target};
use crate::{Scale, median, per_second, tell};

/// The target of 300 ms on the machine it was set on, where `SQLite` alone writes 31,000 rows a second.
const P99_OF_REFERENCE: f64 = 2.33;

/// One crowd in one round.
struct Round {
    reference_per_s: f64,
    pushed_per_s: f64,
    push_ms: Figures,
}

pub(crate) async fn measure(scale: Scale) -> Vec<Line> {
    let [few, many] = scale.crowds;
    let program = Program::county().await;
    let mut phones = crowd(&program.desk, few.max(many)).await;
    let seed = county_folder().await;
    let mut reference = Reference::beside(seed.path());
    let before = Kept::read(program.folder());
    let mut tallies: [Vec<Round>; 2] = [Vec::new(), Vec::new()];
    let mut pushed = 0;
    for round in 1..=scale.rounds {
        for (count, rounds) in scale.crowds.into_iter().zip(&mut tallies) {
            tell(&format!("push: round {round} of {}, {count} phones", scale.rounds));
            let batches = (scale.ops / count / BATCH_OPS).max(1);
            let ops = batches * count * BATCH_OPS;
            let limit = reference.write(ops);
            let load = push_all(&mut phones, count, batches).await;
            pushed += ops;
            rounds.push(Round {
                reference_per_s: per_second(ops, limit),
                pushed_per_s: per_second(ops, load.elapsed),
                push_ms: Figures::of(load.pushes),
            });
        }
    }
    let folder = program.stop().await;
    before.check_grown(&Kept::read(folder.path()), pushed);
    lines(scale, &tallies)
}

fn lines(scale: Scale, tallies: &[Vec<Round>; 2]) -> Vec<Line> {
    let mut lines = Vec::new();
    for ((count, rounds), target) in
        scale.crowds.into_iter().zip(tallies).zip([Target::AtLeast(0.5), Target::AtMost(300.0)])
    {
        let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value));
        let ratio = of(|round| round.pushed_per_s / round.reference_per_s);
        let what = format!("push, {count} phones × {BATCH_OPS} ops");
        let speed = format!("{:.0} of {:.0} ops/s", of(|round| round.pushed_per_s), of(|round| round.reference_per_s));
        let (median_ms, p99_ms) = (of(|round| round.push_ms.p50), of(|round| round.push_ms.p99));
        let ratio_what = format!("{what}: ratio to row-by-row rusqlite, 1,000 a transaction");
        if matches!(target, Target::AtLeast(_)) {
            lines.push(Line::new(ratio_what, target, ratio, ""));
            lines.push(Line::beside(format!("{what}: speed"), speed));
            lines.push(Line::beside(format!("{what}: p50, p99"), format!("{median_ms:.0} ms, {p99_ms:.0} ms")));
        } else {
            lines.push(Line::new(format!("{what}: p99"), target, p99_ms, "ms"));
            let in_flight = f64::from(u32::try_from(count * BATCH_OPS).expect("few"));
            let alone = of(|round| round.push_ms.p99 * round.reference_per_s / 1_000.0) / in_flight;
            let against = format!("{what}: p99 against row-by-row rusqlite's time for the same ops");
            lines.push(Line::new(against, Target::AtMost(P99_OF_REFERENCE), alone, "×"));
            lines.push(Line::beside(ratio_what, format!("{ratio:.2}")));
            lines.push(Line::beside(format!("{what}: speed"), speed));
        }
    }
    lines
}
