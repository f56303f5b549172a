//! Measures pushes over HTTP into the real server, against `SQLite` alone doing the same writes row by row.
//!
//! Both sides of a round run one after the other on the same machine, so the ratio holds where the
//! numbers themselves do not. It checks that every op was applied and kept, and never how fast.

mod connection;
mod desk;
mod phone;
mod reference;
mod tally;

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::desk::Desk;
use crate::phone::Phone;
use crate::reference::Reference;
use crate::tally::{Tally, table};

/// How often everything is measured; the table shows medians.
const ROUNDS: usize = 3;
/// Ops of one measurement.
const OPS: usize = 40_000;
/// Ops of one push: half edits of animals, half new exhibitors.
const BATCH_OPS: usize = 20;
/// Phones that push at the same time, in turn.
const CROWDS: [usize; 2] = [50, 200];

/// What one measurement of a crowd found.
struct Load {
    elapsed: Duration,
    pushes: Vec<Duration>,
}

#[tokio::main]
async fn main() {
    let desk = Desk::start().await;
    let most = CROWDS.into_iter().max().expect("there is a crowd");
    let mut phones = desk.phones(most).await;
    let mut reference = Reference::beside(&desk.seed().await);
    let kept_before = desk.kept();

    let mut tallies = CROWDS.map(Tally::new);
    for round in 1..=ROUNDS {
        for tally in &mut tallies {
            eprintln!("round {round} of {ROUNDS}: {} phones", tally.phones);
            let limit = reference.write(OPS);
            let load = push_all(&mut phones, tally.phones).await;
            tally.add(OPS, limit, load.elapsed, load.pushes);
        }
    }

    let pushed = ROUNDS * CROWDS.len() * OPS;
    kept_before.check_grown(&desk.stop().await, pushed);
    println!("{}", table(&tallies));
}

/// Lets the first phones push all at once until their share of the ops is answered.
async fn push_all(phones: &mut Vec<Phone>, count: usize) -> Load {
    let batches = OPS / count / BATCH_OPS;
    assert_eq!(batches * count * BATCH_OPS, OPS, "the ops can be shared out evenly");
    for phone in &mut phones[..count] {
        phone.wake().await;
    }
    let started = Instant::now();
    let mut running = JoinSet::new();
    for mut phone in phones.drain(..count) {
        running.spawn(async move {
            let mut pushes = Vec::with_capacity(batches);
            for _ in 0..batches {
                pushes.push(phone.push().await);
            }
            (phone, pushes)
        });
    }
    let mut pushes = Vec::with_capacity(batches * count);
    while let Some(done) = running.join_next().await {
        let (phone, of_phone) = done.expect("no phone gave up");
        phones.push(phone);
        pushes.extend(of_phone);
    }
    Load { elapsed: started.elapsed(), pushes }
}
