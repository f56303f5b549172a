//! One run: people edit, phones sync over a bad network, the desk decides, restarts and is rolled back; then the
//! network heals, everything is decided, and the checker looks.

mod happenings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use showdesk_domain::actor::{Actor, Function};
use tempfile::TempDir;
use uuid::Uuid;

use super::admin::Decided;
use super::chance::Chance;
use super::desk::Desk;
use super::fields::Rows;
use super::ledger::Ledger;
use super::phone::{Phone, Style};
use super::template::{PEOPLE, Template, begin, folder_in_memory};
use super::wire::{Reply, Request};
use super::{Engines, Plan, Report};
use crate::clock::{BEGIN_MS, SetClock};

/// Something that the contract forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant of PROTOCOL.md §8; 0 for an answer that no rule allows.
    pub invariant: u8,
    /// The row, as the trace writes it.
    pub record: Option<String>,
    /// What was seen.
    pub what: String,
}

/// How bad the network of a run is, each in per cent.
#[derive(Debug, Clone, Copy)]
struct Weather {
    lost_requests: usize,
    lost_answers: usize,
    doubled: usize,
    slow: usize,
}

/// What happens next.
#[derive(Debug)]
enum Event {
    /// A person makes an edit.
    Edit(usize),
    /// A phone does its sync work.
    Tick(usize),
    /// A request reaches the desk.
    Arrive(Request),
    /// An answer reaches its phone.
    Answer { phone: usize, life: u32, request: u64, reply: Box<Reply> },
    /// Somebody decides, restarts, removes, restores.
    Happen,
}

/// How far the simulated time goes on after the last edit until everything must be quiet.
const QUIET_ROUNDS: usize = 80;
/// Simulated milliseconds of one round of quiet.
const ROUND_MS: i64 = 3_000;
/// Lines of a trace that are kept.
const TRACE_LINES: usize = 4_000;

/// See the module.
pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) chance: Chance,
    pub(super) clock: Arc<SetClock>,
    pub(super) desk: Desk,
    pub(super) phones: Vec<Phone>,
    pub(super) ledger: Ledger,
    pub(super) decided: Vec<Decided>,
    /// Refused ops that the desk looked after.
    pub(super) looked_after: BTreeSet<Uuid>,
    pub(super) decisions: u64,
    pub(super) made: u64,
    pub(super) report: Report,
    /// The newest change number before anything happened.
    pub(super) began_clock: i64,
    /// The desk's own device.
    pub(super) desk_device: Uuid,
    /// Epochs that ended by a restore.
    pub(super) restores: u32,
    /// What full pulls gave at the end, by reader.
    pub(super) pulled: Vec<(Actor, Rows)>,
    backed_up: bool,
    /// Copies of phones' stores.
    copies: BTreeMap<usize, Phone>,
    stage: char,
    weather: Weather,
    offline_until_ms: Vec<i64>,
    events: BTreeMap<(i64, u64), Event>,
    next_event: u64,
    next_request: u64,
    edits_left: usize,
    healed: bool,
    _folder: Option<TempDir>,
}

impl Run {
    /// Sets the show of a seed up.
    pub(super) async fn begin(seed: u64, plan: Plan) -> Self {
        let clock = SetClock::at_ms(BEGIN_MS + 60_000);
        let (folder, desk, passes) = match plan.engines {
            Engines::Sqlite => {
                let template = Template::of_process();
                let folder = template.copy();
                let desk = Desk::open(folder.path(), None, 1, Arc::clone(&clock)).await;
                (folder, desk, template.passes.clone())
            }
            Engines::Postgres { desks } => {
                let folder = folder_in_memory();
                let url = crate::fresh_database_url().await;
                let desk = Desk::open(folder.path(), Some(url), desks, Arc::clone(&clock)).await;
                let passes = begin(&desk).await;
                (folder, desk, passes)
            }
        };
        let mut chance = Chance::new(seed);
        let epoch = desk.engine().installation().await.expect("an installation").epoch;
        let mut phones = Vec::new();
        for place in cast(&mut chance) {
            let (name, functions) = PEOPLE[place];
            let index = phones.len();
            let incarnation = chance.id(BEGIN_MS);
            let mut phone = Phone::new(index, name.to_owned(), style(&mut chance), epoch, incarnation);
            phone.functions = functions.to_vec();
            phone.token.clone_from(&passes[place].token);
            phone.device = passes[place].device;
            phone.mutant = plan.mutant;
            phone.skew_ms = *chance.pick(&[0, 0, 1_500, -90_000, 86_400_000]);
            phones.push(phone);
        }
        let weather = weather(&mut chance);
        let desk_device = passes[0].device;
        let began_clock = desk.engine().clock().await.expect("a clock");
        Self {
            edits_left: plan.edits,
            offline_until_ms: vec![0; phones.len()],
            plan,
            chance,
            clock,
            desk,
            phones,
            ledger: Ledger::default(),
            decided: Vec::new(),
            looked_after: BTreeSet::new(),
            decisions: 0,
            made: 0,
            report: Report { seed, ..Report::default() },
            began_clock,
            desk_device,
            restores: 0,
            pulled: Vec::new(),
            backed_up: false,
            copies: BTreeMap::new(),
            stage: 'A',
            weather,
            events: BTreeMap::new(),
            next_event: 0,
            next_request: 1,
            healed: false,
            _folder: Some(folder),
        }
    }

    /// The whole run.
    pub(super) async fn play(mut self) -> Report {
        let stage = *self.chance.pick(&['B', 'B', 'B', 'B', 'C', 'D', 'D']);
        self.set_stage(stage).await;
        for phone in 0..self.phones.len() {
            // Everybody has seen the show before anybody edits it.
            self.schedule(1, Event::Tick(phone));
            let soon = self.chance.between(4_000, 9_000);
            self.schedule(soon, Event::Edit(phone));
        }
        self.schedule(12_000, Event::Happen);
        while let Some(((at_ms, _), event)) = self.events.pop_first() {
            self.clock.set_ms(at_ms.max(self.clock.now_ms()));
            self.handle(event).await;
            if self.edits_left == 0 {
                break;
            }
        }
        self.come_to_rest().await;
        super::check::everything(&mut self).await;
        self.desk.close().await;
        self.report
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Edit(phone) => self.make_edit(phone),
            Event::Tick(phone) => {
                self.tick(phone).await;
                let soon = self.chance.between(1_200, 8_000);
                self.schedule(soon, Event::Tick(phone));
            }
            Event::Arrive(request) => self.arrive(request).await,
            Event::Answer { phone, life, request, reply } => self.answer(phone, life, request, *reply),
            Event::Happen => {
                self.something_happens().await;
                let soon = self.chance.between(2_000, 14_000);
                self.schedule(soon, Event::Happen);
            }
        }
    }

    /// The network heals and nobody edits any more; every clash is decided; then nothing may be left to do.
    async fn come_to_rest(&mut self) {
        self.healed = true;
        self.offline_until_ms.fill(0);
        self.events.retain(|_, event| matches!(event, Event::Arrive(_) | Event::Answer { .. }));
        for _ in 0..QUIET_ROUNDS {
            self.clock.set_ms(self.clock.now_ms() + ROUND_MS);
            for phone in 0..self.phones.len() {
                self.tick(phone).await;
            }
            let now_ms = self.clock.now_ms();
            while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= now_ms + ROUND_MS) {
                let ((at_ms, _), event) = entry.remove_entry();
                self.clock.set_ms(at_ms.max(self.clock.now_ms()));
                self.handle(event).await;
            }
            if self.is_quiet().await && !self.decide_everything().await {
                return;
            }
        }
        let stuck = self.phones.iter().filter(|phone| !phone.removed).flat_map(|phone| {
            let unsent = phone.outbox.iter().filter(|entry| entry.standing == super::phone::Standing::Unsent);
            unsent.map(|entry| format!("{} {:?} {}", phone.name, entry.operation, super::fields::tail(entry.op_id)))
        });
        let stuck: Vec<String> = stuck.collect();
        self.violation(5, None, format!("no rest after {QUIET_ROUNDS} rounds; unsent: {stuck:?}"));
    }

    /// Whether every phone that is still part of the show has sent all and read all.
    async fn is_quiet(&self) -> bool {
        let clock = self.desk.engine().clock().await.expect("a clock");
        let everybody = self.phones.iter().filter(|phone| !phone.removed);
        self.events.is_empty() && everybody.into_iter().all(|phone| phone.is_at_rest(clock))
    }

    fn schedule(&mut self, in_ms: i64, event: Event) {
        self.next_event += 1;
        self.events.insert((self.clock.now_ms() + in_ms, self.next_event), event);
    }

    /// A phone's requests set out over the network.
    async fn tick(&mut self, phone: usize) {
        if self.phones[phone].unknown && !self.phones[phone].removed {
            self.let_in_again(phone).await;
        }
        let now_ms = self.clock.now_ms();
        if self.offline_until_ms[phone] > now_ms {
            return;
        }
        let requests = self.phones[phone].tick(now_ms, &mut self.chance, &mut self.next_request);
        for (old, new) in std::mem::take(&mut self.phones[phone].renamed) {
            if let Some(edit) = self.ledger.get(old).cloned() {
                let repeats = Some(self.ledger.original(old));
                self.ledger.write(new, super::ledger::Edit { repeats, ..edit });
            }
        }
        for request in requests {
            self.note(|| request.in_words());
            let (lost, doubled) = if self.healed {
                (false, false)
            } else {
                (self.chance.percent(self.weather.lost_requests), self.chance.percent(self.weather.doubled))
            };
            if doubled {
                let delay = self.delay() + self.chance.between(0, 20_000);
                self.schedule(delay, Event::Arrive(request.clone()));
            }
            if !lost {
                let delay = self.delay();
                self.schedule(delay, Event::Arrive(request));
            }
        }
    }

    async fn arrive(&mut self, request: Request) {
        let reply = self.desk.serve(&request).await;
        self.report.requests += 1;
        self.note(|| format!("        the desk answers {}", reply.in_words(request.id)));
        self.report.count(&reply);
        if let Reply::Failed(super::wire::Failure::Unexpected(error)) = &reply {
            self.violation(0, None, format!("the desk failed: {error}"));
        }
        if !self.healed && self.chance.percent(self.weather.lost_answers) {
            return;
        }
        let delay = self.delay();
        let (phone, life) = (request.phone, request.life);
        self.schedule(delay, Event::Answer { phone, life, request: request.id, reply: Box::new(reply) });
    }

    fn answer(&mut self, phone: usize, life: u32, request: u64, reply: Reply) {
        let now_ms = self.clock.now_ms();
        let phone = &mut self.phones[phone];
        if phone.life != life {
            return;
        }
        if let Err(what) = phone.hear(request, reply, now_ms) {
            self.violation(0, None, what);
        }
    }

    fn delay(&mut self) -> i64 {
        if !self.healed && self.chance.percent(self.weather.slow) {
            return self.chance.between(1_000, 25_000);
        }
        self.chance.between(5, 400)
    }

    /// Writes a line of the trace.
    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if self.plan.trace && self.report.trace.len() < TRACE_LINES {
            let at_ms = self.clock.now_ms() - BEGIN_MS;
            self.report.trace.push(format!("{:>9.3} {}", f64::from(i32::try_from(at_ms).unwrap_or(0)) / 1e3, line()));
        }
    }

    /// Opens the database as it lies, beside the stopped desk.
    pub(super) async fn open_store(&self) -> showdesk_store::Db {
        let sqlite: &Path = &self.desk.folder().join("showdesk.sqlite");
        match self.desk.database_url() {
            None => showdesk_store::Db::open_sqlite(sqlite).await,
            Some(url) => showdesk_store::Db::open_postgres(url).await,
        }
        .expect("the database opens")
    }
}

/// Who takes part: always somebody who can get in another's way.
fn cast(chance: &mut Chance) -> Vec<usize> {
    let mut cast = vec![1, 2];
    let mut others = vec![0, 3, 4, 5, 6, 7, 8];
    chance.shuffle(&mut others);
    cast.extend(others.into_iter().take(chance.below(3) + 1));
    // Somebody who sees little, and loses what it saw.
    if chance.percent(30) {
        cast.push(PEOPLE.len() - 1);
    }
    cast.sort_unstable();
    cast.dedup();
    cast
}

fn style(chance: &mut Chance) -> Style {
    let adopts_beneath = chance.percent(40);
    Style {
        adopts_beneath,
        sends_base: adopts_beneath || chance.percent(60),
        pushes_at_once: if chance.percent(30) { 2 } else { 1 },
        batch: *chance.pick(&[1, 3, 8, 50]),
        page: *chance.pick(&[2, 5, 40, 500]),
        unordered: chance.percent(35),
    }
}

fn weather(chance: &mut Chance) -> Weather {
    let mut share = |shares: &[usize]| *chance.pick(shares);
    Weather {
        lost_requests: share(&[0, 0, 10, 35]),
        lost_answers: share(&[0, 10, 30]),
        doubled: share(&[0, 10, 30]),
        slow: share(&[0, 5, 25]),
    }
}

/// Functions that somebody may get when the desk changes them.
pub(super) const OTHER_FUNCTIONS: &[&[Function]] = &[
    &[Function::Superintendent, Function::Checkin],
    &[Function::Checkin],
    &[Function::Scale, Function::Vet],
    &[Function::Viewer],
    &[Function::Admin],
];
