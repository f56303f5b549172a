//! A phone at check-in: each push moves its ten animals to other pens and enters ten new exhibitors.

use std::time::{Duration, Instant};

use serde::Serialize;
use showdesk_server::rehearse::{Desk, OpResult, Phone, RehearseError, SentOp, join};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Ops of one push: half edits of animals, half new exhibitors.
pub(crate) const BATCH_OPS: usize = 20;
/// How often a phone sends a push that the desk was too busy for.
const TRIES_MAX: usize = 100;
/// How long it waits in between; what it waits counts as part of the push.
const PAUSE: Duration = Duration::from_millis(100);

/// A joined phone with animals of its own, so that nobody's edit clashes.
pub(crate) struct CheckIn {
    pub(crate) phone: Phone,
    number: usize,
    entered: usize,
    animals: Vec<Animal>,
}

/// An animal as the phone last adopted it.
struct Animal {
    id: Uuid,
    version: i64,
    pen: String,
}

#[derive(Serialize)]
struct Pen<'a> {
    pen: &'a str,
}

#[derive(Serialize)]
struct Tagged<'a> {
    exhibitor_id: Uuid,
    species: &'static str,
    tag: String,
    pen: &'a str,
}

#[derive(Serialize)]
struct Exhibitor {
    first_name: &'static str,
    last_name: String,
    club_chapter: &'static str,
    guardian_phone: &'static str,
}

/// What a crowd of phones did at once.
pub(crate) struct Load {
    pub(crate) elapsed: Duration,
    pub(crate) pushes: Vec<Duration>,
}

/// Phones that joined and entered their own animals.
pub(crate) async fn crowd(desk: &Desk, count: usize) -> Vec<CheckIn> {
    let mut crowd = Vec::with_capacity(count);
    for (number, phone) in join(desk, count).await.expect("phones may join").into_iter().enumerate() {
        let mut phone = CheckIn { phone, number, entered: 0, animals: Vec::new() };
        phone.enter_animals().await;
        crowd.push(phone);
    }
    crowd
}

/// Lets the first phones push all at once, each so many batches.
pub(crate) async fn push_all(crowd: &mut Vec<CheckIn>, count: usize, batches: usize) -> Load {
    for phone in &mut crowd[..count] {
        // The desk does not keep a connection that said nothing for long.
        phone.phone.connection.hang_up();
        phone.phone.connection.connect().await.expect("the desk listens");
    }
    at_once(crowd, count, batches).await
}

/// The same for phones that come back: each has to connect first.
pub(crate) async fn come_back(crowd: &mut Vec<CheckIn>) -> Load {
    for phone in crowd.iter_mut() {
        phone.phone.connection.hang_up();
    }
    let count = crowd.len();
    at_once(crowd, count, 1).await
}

async fn at_once(crowd: &mut Vec<CheckIn>, count: usize, batches: usize) -> Load {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for mut phone in crowd.drain(..count) {
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
        crowd.push(phone);
        pushes.extend(of_phone);
    }
    Load { elapsed: began.elapsed(), pushes }
}

impl CheckIn {
    async fn enter_animals(&mut self) {
        let owner = Uuid::now_v7();
        let mut ops = vec![self.phone.insert("exhibitors", owner, &exhibitor(format!("Birch {}", self.number)))];
        for index in 0..BATCH_OPS / 2 {
            let (id, pen) = (Uuid::now_v7(), "A1".to_owned());
            // Another crowd may have been at the same show before: with fewer random bits two of a thousand phones meet.
            let tag = format!("{:012X}X{index}", owner.as_u128() % (1 << 48));
            let data = Tagged { exhibitor_id: owner, species: "swine", tag, pen: &pen };
            ops.push(self.phone.insert("animals", id, &data));
            self.animals.push(Animal { id, version: 1, pen });
        }
        applied(&self.phone.push(&ops).await.expect("an answer"));
    }

    /// Pushes one batch on what the last one answered; all of it must be applied. Answers how long the push took.
    pub(crate) async fn push(&mut self) -> Duration {
        let pen = format!("B{}", self.entered);
        let mut ops = Vec::with_capacity(BATCH_OPS);
        for index in 0..self.animals.len() {
            ops.push(self.moved(index, &pen));
            ops.push(self.entered());
        }
        let began = Instant::now();
        let results = self.push_until_answered(&ops).await;
        let elapsed = began.elapsed();
        let edits = applied(&results).into_iter().step_by(2);
        for (animal, version) in self.animals.iter_mut().zip(edits) {
            animal.version = version;
            animal.pen.clone_from(&pen);
        }
        elapsed
    }

    /// A busy desk asks phones to come again, and real ones do.
    async fn push_until_answered(&mut self, ops: &[SentOp]) -> Vec<OpResult> {
        for _ in 1..TRIES_MAX {
            match self.phone.push(ops).await {
                Err(RehearseError::Refused { status: 429 | 503, .. }) => tokio::time::sleep(PAUSE).await,
                answered => return answered.expect("an answer"),
            }
        }
        self.phone.push(ops).await.expect("an answer")
    }

    /// One new exhibitor, on its own.
    pub(crate) async fn enter_one(&mut self) -> Uuid {
        let op = self.entered();
        applied(&self.phone.push(std::slice::from_ref(&op)).await.expect("an answer"));
        op.record_id
    }

    fn moved(&mut self, index: usize, pen: &str) -> SentOp {
        let Animal { id, version, pen: before } = &self.animals[index];
        self.phone.update("animals", *id, (*version, None), &Pen { pen }, &Pen { pen: before })
    }

    fn entered(&mut self) -> SentOp {
        self.entered += 1;
        self.phone.insert("exhibitors", Uuid::now_v7(), &exhibitor(format!("Aspen {}", self.entered)))
    }
}

/// The versions that a push made, if every op was applied.
fn applied(results: &[OpResult]) -> Vec<i64> {
    let versions = results.iter().map(|result| {
        assert_eq!(result.verdict, "applied", "{result:?}");
        result.version.expect("an applied op has a version")
    });
    versions.collect()
}

fn exhibitor(last_name: String) -> Exhibitor {
    Exhibitor { first_name: "Emil", last_name, club_chapter: "Willow Bend", guardian_phone: "555-0100" }
}
