//! What a request costs more because it is recorded: two desks at once, one that records and one that does not, asked
//! in turn, so that both halves of a pair meet the same machine.
//!
//! The cost is the desk's own time on the processors, which is what recording takes: the time that passes is told
//! beside it, but a neighbour of the machine changes that by more than all recording does.

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
const PAIRS: usize = 80;
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
    async fn small(&mut self, requests: usize) {
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
    }

    async fn push(&mut self, batches: usize) {
        let count = self.phones.len();
        push_all(&mut self.phones, count, batches).await;
    }

    /// One half of a pair: what passed, and what the desk worked.
    async fn half(&mut self, work: Work) -> Took {
        let (began, before) = (Instant::now(), self.program.processor_time());
        match work {
            Work::Small(requests) => self.small(requests).await,
            Work::Push(batches) => self.push(batches).await,
        }
        // A thread that has ended in between takes its time with it.
        let worked = self.program.processor_time().zip(before).and_then(|(after, before)| after.checked_sub(before));
        Took { passed: began.elapsed(), worked }
    }
}

/// What both desks are asked to do.
#[derive(Clone, Copy)]
enum Work {
    Small(usize),
    Push(usize),
}

#[derive(Clone, Copy)]
struct Took {
    passed: Duration,
    worked: Option<Duration>,
}

/// What recording cost in all pairs of one kind of work: how much more the one took than the other, of a hundred.
#[derive(Default)]
struct Costs {
    passed: Vec<f64>,
    worked: Vec<f64>,
}

impl Costs {
    fn add(&mut self, [on, off]: [Took; 2]) {
        let more = |one: Duration, other: Duration| 100.0 * (one.as_secs_f64() / other.as_secs_f64() - 1.0);
        self.passed.push(more(on.passed, off.passed));
        self.worked.extend(on.worked.zip(off.worked).map(|(on, off)| more(on, off)));
    }

    fn lines(self, what: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        if !self.worked.is_empty() {
            let cost = median(self.worked.clone());
            lines.push(Line::new(
                format!("recording: {what} costs the desk more"),
                Target::AtMost(COST_MAX),
                cost,
                "%",
            ));
            lines.push(Line::beside(format!("recording: {what} costs the desk more, pairs"), spread(self.worked)));
        }
        lines.push(Line::beside(format!("recording: {what} takes longer, pairs"), spread(self.passed)));
        lines
    }
}

fn spread(mut costs: Vec<f64>) -> String {
    costs.sort_by(f64::total_cmp);
    let at = |quarter: usize| costs[costs.len() * quarter / 4];
    format!("{:.1} %; {:.1} % to {:.1} % in the middle half of {}", at(2), at(1), at(3), costs.len())
}

pub(crate) async fn measure(scale: Scale) -> Vec<Line> {
    let phones = scale.crowds[0];
    let mut sides = [Side::new("on", phones).await, Side::new("off", phones).await];
    let requests = (scale.ops / phones / BATCH_OPS).clamp(1, SMALL_REQUESTS);
    let works = [Work::Small(requests), Work::Push((requests / 10).max(1))];
    let mut costs = [Costs::default(), Costs::default()];
    for pair in 0..scale.rounds * PAIRS {
        if pair % 10 == 0 {
            tell(&format!("telemetry: pair {} of {}", pair + 1, scale.rounds * PAIRS));
        }
        // Who begins has the colder machine: both do in turn.
        let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
        for (work, costs) in works.into_iter().zip(&mut costs) {
            let mut took = [Took { passed: Duration::ZERO, worked: None }; 2];
            for side in order {
                took[side] = sides[side].half(work).await;
            }
            costs.add(took);
        }
    }
    for side in sides {
        side.program.stop().await;
    }
    let [small, pushes] = costs;
    [pushes.lines("a push"), small.lines("the smallest request")].into_iter().flatten().collect()
}
