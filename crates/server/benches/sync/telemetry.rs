//! What a request costs more because it is recorded: two desks at once, one that records and one that does not, asked
//! in turn, so that both halves of a pair meet the same machine.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::checkin::{BATCH_OPS, CheckIn, crowd, push_all};
use crate::program::{Program, county_folder};
use crate::table::{Line, Target};
use crate::{Scale, median, tell};

/// A request is to cost at most so much more, of a hundred.
const COST_MAX: f64 = 3.0;
/// Pairs of one round. Many short ones say more than few long ones: the machine is faster and slower by a tenth from one
/// second to the next.
const PAIRS: usize = 40;
/// Small requests of one phone in one half of a pair; a push has a tenth as many.
const SMALL_REQUESTS: usize = 40;

/// One desk and its phones.
struct Side {
    program: Program,
    phones: Vec<CheckIn>,
}

impl Side {
    async fn new(recording: &str, phones: usize) -> Self {
        let program = Program::start_with(county_folder().await, &["--recording", recording]).await;
        let phones = crowd(&program.desk, phones).await;
        Self { program, phones }
    }

    /// The smallest question of a phone, asked over and over: nothing else costs as little.
    async fn small(&mut self, requests: usize) -> Duration {
        let began = Instant::now();
        let mut running = JoinSet::new();
        for mut phone in self.phones.drain(..) {
            running.spawn(async move {
                for _ in 0..requests {
                    phone.phone.connection.get("/me").await.expect("an answer");
                }
                phone
            });
        }
        while let Some(phone) = running.join_next().await {
            self.phones.push(phone.expect("no phone gave up"));
        }
        began.elapsed()
    }

    async fn push(&mut self, batches: usize) -> Duration {
        let count = self.phones.len();
        push_all(&mut self.phones, count, batches).await.elapsed
    }
}

pub(crate) async fn measure(scale: Scale) -> Vec<Line> {
    let phones = scale.crowds[0];
    let mut sides = [Side::new("on", phones).await, Side::new("off", phones).await];
    let requests = (scale.ops / phones / BATCH_OPS).clamp(1, SMALL_REQUESTS);
    let (mut small, mut pushes) = (Vec::new(), Vec::new());
    for pair in 0..scale.rounds * PAIRS {
        if pair % 10 == 0 {
            tell(&format!("telemetry: pair {} of {}", pair + 1, scale.rounds * PAIRS));
        }
        // Who begins has the colder machine: both do in turn.
        let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
        let mut took = [[Duration::ZERO; 2]; 2];
        for side in order {
            took[0][side] = sides[side].small(requests).await;
        }
        for side in order {
            took[1][side] = sides[side].push((requests / 10).max(1)).await;
        }
        let cost = |[on, off]: [Duration; 2]| 100.0 * (on.as_secs_f64() / off.as_secs_f64() - 1.0);
        small.push(cost(took[0]));
        pushes.push(cost(took[1]));
    }
    for side in sides {
        side.program.stop().await;
    }
    let spread = |costs: &[f64]| {
        let mut costs = costs.to_vec();
        costs.sort_by(f64::total_cmp);
        format!("{:.1} % to {:.1} % in the middle half", costs[costs.len() / 4], costs[costs.len() * 3 / 4])
    };
    vec![
        Line::new("recording: a push takes longer by", Target::AtMost(COST_MAX), median(pushes.clone()), "%"),
        Line::beside("recording: pushes, pair by pair", spread(&pushes)),
        Line::new(
            "recording: the smallest request takes longer by",
            Target::AtMost(COST_MAX),
            median(small.clone()),
            "%",
        ),
        Line::beside("recording: smallest requests, pair by pair", spread(&small)),
    ]
}
