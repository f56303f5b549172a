//! How long a chart takes: `cargo bench -p showdesk-charts`. The target is 2 ms for one as SVG.
//!
//! A benchmark is no test: it fails when a chart is not drawn, and never because it was slow.

#[path = "../tests/scene/mod.rs"]
mod scene;

use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono_tz::America::Chicago;
use showdesk_charts::{Frame, Ink};

/// Drawings of each chart; the middle one counts.
const ROUNDS: usize = 301;

/// Pictures of each chart.
const PICTURES: usize = 15;

fn main() {
    let frame = Frame { events: scene::events(), ..Frame::tile(Chicago) };
    println!("| chart | SVG | bytes | PNG, twice as large |\n|---|---|---|---|");
    for chart in scene::charts() {
        let svg = middle(ROUNDS, || chart.svg(&frame, Ink::Variables).len());
        let png = middle(PICTURES, || chart.png(&frame, Ink::Light, 2).expect("it is drawn").len());
        let bytes = chart.svg(&frame, Ink::Variables).len();
        println!("| {} | {:.2} ms | {bytes} | {:.1} ms |", chart.key, ms(svg), ms(png));
    }
}

/// The middle of so many rounds.
fn middle(rounds: usize, mut draw: impl FnMut() -> usize) -> Duration {
    let mut took: Vec<Duration> = (0..rounds)
        .map(|_| {
            let begun = Instant::now();
            assert!(black_box(draw()) > 0, "nothing was drawn");
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[rounds / 2]
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
