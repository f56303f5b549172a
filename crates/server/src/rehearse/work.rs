//! What one phone does at the show: people walk in, their animals are penned and weighed, others are moved.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::phone::{OpResult, Phone, SentOp};
use super::{Plan, RehearseError};

/// A phone pulls after so many pushes.
const PULL_EVERY_PUSHES: usize = 4;
/// How often a push is tried before the rehearsal gives up.
const TRIES_MAX: u32 = 8;
/// The first pause before it is tried again; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// A lost answer is lost so long after the request at most.
const LOST_WITHIN_MS: u64 = 20;
/// Moves in a hundred that are made on anybody's animals instead of the phone's own share.
const STRANGE_MOVES_PERCENT: u8 = 10;
/// Phones that remember every version they pulled, to be compared at the end.
pub(super) const REMEMBERING_PHONES: usize = 8;

/// A phone at work.
pub(super) struct Worker {
    pub(super) phone: Phone,
    /// How long each push took.
    pub(super) pushes: Vec<Duration>,
    /// What was sent, and the verdict that came first.
    pub(super) sent: Vec<Acknowledged>,
    /// The newest version of each record that was pulled, if this phone remembers; 0 of a deleted one.
    pub(super) versions: Option<HashMap<Uuid, i64>>,
    number: usize,
    phones: usize,
    ops: usize,
    batch_ops: usize,
    lost_percent: u8,
    rng: StdRng,
    animals: HashMap<Uuid, Animal>,
    ids: Vec<Uuid>,
    walk_in: WalkIn,
}

/// An op with its verdict.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) op_id: Uuid,
    pub(super) table_name: &'static str,
    pub(super) record_id: Uuid,
    pub(super) verdict: String,
}

/// An animal of the show as the phone knows it.
#[derive(Debug)]
struct Animal {
    version: i64,
    pen: Option<String>,
    unanswered: Option<Uuid>,
    standing: Standing,
}

/// Whether the phone may edit an animal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Known,
    /// The desk's row is another one than the phone shows; the next pull brings it.
    Stale,
    /// A clash is open: a person decides.
    Disputed,
}

/// Somebody without an entry: five ops, one after the other.
#[derive(Debug)]
struct WalkIn {
    step: usize,
    /// How many came before.
    count: usize,
    exhibitor: Uuid,
    animal: Uuid,
    unanswered: Option<Uuid>,
}

#[derive(Deserialize)]
struct Penned {
    pen: Option<String>,
}

impl Worker {
    pub(super) fn new(number: usize, phone: Phone, plan: &Plan) -> Self {
        let seed = plan.seed.wrapping_add(u64::try_from(number).unwrap_or_default());
        Self {
            phone,
            pushes: Vec::new(),
            sent: Vec::with_capacity(plan.ops),
            versions: (number < REMEMBERING_PHONES).then(HashMap::new),
            number,
            phones: plan.phones,
            ops: plan.ops,
            batch_ops: plan.batch_ops,
            lost_percent: plan.lost_percent,
            rng: StdRng::seed_from_u64(seed),
            animals: HashMap::new(),
            ids: Vec::new(),
            walk_in: WalkIn { step: 0, count: 0, exhibitor: Uuid::nil(), animal: Uuid::nil(), unanswered: None },
        }
    }

    /// Makes all entries and has them all answered.
    pub(super) async fn work(&mut self, lost: &AtomicUsize) -> Result<(), RehearseError> {
        while self.sent.len() < self.ops {
            let count = self.batch_ops.min(self.ops - self.sent.len());
            let ops: Vec<SentOp> = (0..count).map(|_| self.enter()).collect();
            let results = self.send(&ops, lost).await?;
            self.adopt(&ops, results);
            if self.pushes.len().is_multiple_of(PULL_EVERY_PUSHES) {
                self.pull().await?;
            }
        }
        Ok(())
    }

    /// Pulls all there is. Animals that the show began with are followed; others belong to their walk-ins.
    pub(super) async fn pull(&mut self) -> Result<(), RehearseError> {
        let is_first = self.ids.is_empty();
        let Self { phone, animals, versions, .. } = self;
        let mut unreadable = None;
        phone
            .pull(|change| {
                if let Some(versions) = versions {
                    versions.insert(change.record_id, if change.op == "upsert" { change.version } else { 0 });
                }
                if change.table_name != "animals" || change.op != "upsert" {
                    return;
                }
                match (serde_json::from_str::<Penned>(change.data.get()), animals.get_mut(&change.record_id)) {
                    (Ok(Penned { pen }), Some(known)) => {
                        (known.version, known.pen) = (change.version, pen);
                        if known.standing == Standing::Stale {
                            known.standing = Standing::Known;
                        }
                    }
                    (Ok(Penned { pen }), None) if is_first => {
                        let version = change.version;
                        let animal = Animal { version, pen, unanswered: None, standing: Standing::Known };
                        animals.insert(change.record_id, animal);
                    }
                    (Ok(_), None) => {}
                    (Err(error), _) => unreadable = Some(error),
                }
            })
            .await?;
        if is_first {
            self.ids = self.animals.keys().copied().collect();
            self.ids.sort_unstable();
        }
        unreadable.map_or(Ok(()), |error| Err(RehearseError::Strange(format!("a pulled animal: {error}"))))
    }

    /// The next entry.
    fn enter(&mut self) -> SentOp {
        let step = self.walk_in.step;
        self.walk_in.step = (step + 1) % 5;
        let WalkIn { count, exhibitor, animal, unanswered, .. } = self.walk_in;
        match step {
            0 => self.insert_exhibitor(),
            1 => {
                let tag = format!("R{}X{count}", self.number);
                let data = json!({
                    "exhibitor_id": exhibitor, "species": "swine", "sex": "barrow", "tag": tag, "pen": "A1",
                });
                let op = self.phone.insert("animals", animal, &data);
                self.walk_in.unanswered = Some(op.op_id);
                op
            }
            2 => {
                let pen = self.pen();
                self.phone.update("animals", animal, (1, unanswered), &json!({"pen": pen}), &json!({"pen": "A1"}))
            }
            3 => {
                let weight_x10 = self.rng.random_range(2_000..2_900);
                let data = json!({"animal_id": animal, "kind": "arrival", "weight_x10": weight_x10});
                self.phone.insert("weigh_ins", Uuid::now_v7(), &data)
            }
            _ => self.move_animal(),
        }
    }

    fn insert_exhibitor(&mut self) -> SentOp {
        self.walk_in.count += 1;
        self.walk_in.exhibitor = Uuid::now_v7();
        self.walk_in.animal = Uuid::now_v7();
        self.walk_in.unanswered = None;
        let last_name = format!("Birch {}-{}", self.number, self.walk_in.count);
        let data = json!({
            "first_name": "Nora", "last_name": last_name, "club_chapter": "Willow Bend", "guardian_phone": "555-0100",
        });
        self.phone.insert("exhibitors", self.walk_in.exhibitor, &data)
    }

    /// Moves an animal of the show; somebody else may be moving it, too.
    fn move_animal(&mut self) -> SentOp {
        let is_strange = self.rng.random_range(0..100) < STRANGE_MOVES_PERCENT;
        let count = self.ids.len();
        let share = if is_strange { 1 } else { self.phones.min(count).max(1) };
        let mine = |(index, id): (usize, &Uuid)| {
            let is_mine = index % share == self.number % share;
            (is_mine && self.animals[id].standing == Standing::Known).then_some(*id)
        };
        let candidates: Vec<Uuid> = self.ids.iter().enumerate().filter_map(mine).collect();
        if candidates.is_empty() {
            self.walk_in.step = 1;
            return self.insert_exhibitor();
        }
        let id = candidates[self.rng.random_range(0..candidates.len())];
        let pen = self.pen();
        let animal = self.animals.get_mut(&id).expect("it is one of the known");
        let (seen, base) = ((animal.version, animal.unanswered), json!({"pen": animal.pen}));
        let op = self.phone.update("animals", id, seen, &json!({"pen": pen}), &base);
        (animal.unanswered, animal.pen) = (Some(op.op_id), Some(pen));
        op
    }

    fn pen(&mut self) -> String {
        format!("{}{}", ["B", "C", "D"][self.rng.random_range(0..3)], self.rng.random_range(1..400))
    }

    /// Pushes until there is an answer, and loses some.
    async fn send(&mut self, ops: &[SentOp], lost: &AtomicUsize) -> Result<Vec<OpResult>, RehearseError> {
        if self.rng.random_range(0..100) < self.lost_percent {
            lost.fetch_add(1, Ordering::Relaxed);
            let after = Duration::from_millis(self.rng.random_range(0..=LOST_WITHIN_MS));
            self.phone.push_and_hang_up(ops, after).await;
        }
        let mut pause = PAUSE;
        for _ in 1..TRIES_MAX {
            let began = Instant::now();
            match self.phone.push(ops).await {
                Ok(results) if results.iter().all(|result| result.verdict != "retry") => {
                    self.pushes.push(began.elapsed());
                    return Ok(results);
                }
                Ok(_) | Err(RehearseError::Line(_) | RehearseError::Refused { status: 429 | 503, .. }) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.phone.push(ops).await
    }

    fn adopt(&mut self, ops: &[SentOp], results: Vec<OpResult>) {
        for (op, result) in ops.iter().zip(results) {
            if self.walk_in.unanswered == Some(op.op_id) {
                self.walk_in.unanswered = None;
            }
            if let Some(animal) = self.animals.get_mut(&op.record_id) {
                animal.unanswered = animal.unanswered.filter(|id| *id != op.op_id);
                animal.standing = match (result.verdict.as_str(), result.version, animal.standing) {
                    ("conflict" | "held", ..) | (_, _, Standing::Disputed) => Standing::Disputed,
                    ("applied", Some(version), Standing::Known) => {
                        animal.version = version;
                        Standing::Known
                    }
                    _ => Standing::Stale,
                };
            }
            self.sent.push(Acknowledged {
                op_id: op.op_id,
                table_name: op.table_name,
                record_id: op.record_id,
                verdict: result.verdict,
            });
        }
    }
}
