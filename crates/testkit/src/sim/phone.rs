//! A phone as PROTOCOL.md §3 to §7 asks it to be: its store, its outbox, and what its person sees.
//!
//! Written after the contract and not after the phone page, so that the two can disagree. It does no I/O: it says
//! what it would send, and hears what came back.

mod answers;
mod edits;
mod pages;
mod requests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::value::RawValue;
use showdesk_domain::actor::Function;
use showdesk_domain::op::Operation;
use showdesk_domain::schema::known_table;
use uuid::Uuid;

pub(super) use self::edits::Draft;
pub(super) use self::pages::read_change;
use super::fields::{Fields, Key, defaults};
use super::mutant::Mutant;

/// Habits that the contract leaves to a client's author.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Shows what it pulled beneath entries that are not answered yet, so that the base version moves on within a
    /// chain; otherwise a record stands still until its entries are answered.
    pub adopts_beneath: bool,
    /// Sends `base`. One that adopts beneath must: what it shows is not what the version says.
    pub sends_base: bool,
    /// Pushes that may be under way at once.
    pub pushes_at_once: usize,
    /// Ops of a push.
    pub batch: usize,
    /// Changes of a page.
    pub page: usize,
    /// Sends what it likes first, so that children come before their parents.
    pub unordered: bool,
}

/// What a phone knows of a row: its version and its values, none if it is gone.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    pub version: i64,
    pub row: Option<Fields>,
}

/// A row in a phone's store.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    /// What its person was shown when the present chain of entries began.
    pub adopted: State,
    /// What has come since, kept back until the chain is answered.
    pub newer: Option<State>,
}

impl Slot {
    fn newest(&self) -> &State {
        self.newer.as_ref().unwrap_or(&self.adopted)
    }
}

/// Where an entry of the outbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not answered yet.
    Unsent,
    /// Answered well, and shown over the adopted row until the rest of its chain is answered too.
    Accepted,
    /// Held until another op has come.
    Held,
    /// In a clash that a person decides.
    Disputed,
    /// Refused.
    Rejected,
}

/// An entry of the outbox.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its place, unique on the phone.
    pub local: u64,
    pub op_id: Uuid,
    pub key: Key,
    pub operation: Operation,
    pub set: Fields,
    pub device_seq: i64,
    pub base_version: i64,
    pub prev: Option<Uuid>,
    pub txn: Option<(Uuid, usize)>,
    pub epoch: Option<Uuid>,
    pub recovered_from: Option<Uuid>,
    pub reason: Option<String>,
    pub base: Option<Fields>,
    pub made_at_ms: i64,
    pub standing: Standing,
    pub in_flight: Option<u64>,
    pub retry_at_ms: i64,
    /// The epoch of the desk that answered it last.
    pub answered_in: Option<Uuid>,
    /// Whether that answer was that nothing had to change.
    pub is_noop: bool,
    /// A text that no client makes.
    pub poison: Option<Box<RawValue>>,
}

/// What a phone does after the desk was restored (PROTOCOL.md §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Pulls everything into a fresh store.
    Pulling { from: Uuid },
    /// Asks what became of the ops that were acknowledged.
    Asking { from: Uuid, left: BTreeSet<Uuid> },
    /// Gives back what the desk does not know.
    GivingBack,
}

/// A push under way.
#[derive(Debug, Clone)]
struct Outgoing {
    request: u64,
    deadline_ms: i64,
    entries: Vec<u64>,
}

/// A request under way that has no entries.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    request: u64,
    deadline_ms: i64,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Phone {
    pub index: usize,
    pub name: String,
    pub functions: Vec<Function>,
    pub token: String,
    pub device: Uuid,
    pub style: Style,
    pub mutant: Option<Mutant>,
    pub life: u32,
    pub epoch: Uuid,
    pub incarnation: Uuid,
    /// 403: it stops, keeps its queue, and is not counted any more.
    pub removed: bool,
    /// 401: it needs to be paired again.
    pub unknown: bool,
    pub skew_ms: i64,
    pub slots: BTreeMap<Key, Slot>,
    pub outbox: Vec<Entry>,
    /// The newest change number of its last complete pull.
    pub pulled_clock: Option<i64>,
    /// Acknowledged ops it still remembers, oldest first.
    pub acknowledged: VecDeque<Entry>,
    pub recovery: Option<Recovery>,
    /// Ops that a phone with a mistake sent again under another id.
    pub renamed: Vec<(Uuid, Uuid)>,
    cursor: Option<String>,
    fresh: Option<BTreeMap<Key, State>>,
    pushes: Vec<Outgoing>,
    pull: Option<Waiting>,
    question: Option<Waiting>,
    question_due: bool,
    /// The newest change number it had read when it last asked, and when it last heard, what became of its entries.
    asked_at: Option<i64>,
    heard_at: Option<i64>,
    next_seq: i64,
    next_local: u64,
}

impl Phone {
    /// A phone that has just joined.
    pub(super) fn new(index: usize, name: String, style: Style, epoch: Uuid, incarnation: Uuid) -> Self {
        Self {
            index,
            name,
            functions: Vec::new(),
            token: String::new(),
            device: Uuid::nil(),
            style,
            mutant: None,
            life: 0,
            epoch,
            incarnation,
            removed: false,
            unknown: false,
            skew_ms: 0,
            slots: BTreeMap::new(),
            outbox: Vec::new(),
            pulled_clock: None,
            acknowledged: VecDeque::new(),
            recovery: None,
            renamed: Vec::new(),
            cursor: None,
            fresh: None,
            pushes: Vec::new(),
            pull: None,
            question: None,
            question_due: false,
            asked_at: None,
            heard_at: None,
            next_seq: 1,
            next_local: 1,
        }
    }

    pub(super) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// The row as its person sees it: what was adopted, with the entries that are under way.
    pub(super) fn view(&self, key: Key) -> Option<Fields> {
        self.view_until(key, i64::MAX)
    }

    /// The same without entries after that one.
    fn view_until(&self, key: Key, device_seq: i64) -> Option<Fields> {
        let mut row = self.slots.get(&key).and_then(|slot| slot.adopted.row.clone());
        let shown = |entry: &&Entry| entry.key == key && entry.device_seq <= device_seq && entry.is_under_way();
        for entry in self.outbox.iter().filter(shown) {
            match entry.operation {
                Operation::Insert => {
                    let mut made = row.take().unwrap_or_else(|| defaults(known_table(key.0)));
                    made.extend(entry.set.clone());
                    row = Some(made);
                }
                Operation::Update => {
                    if let Some(row) = &mut row {
                        row.extend(entry.set.clone());
                    }
                }
                Operation::Delete => row = None,
            }
        }
        row
    }

    /// Rows of a table that its person can see, in the order of their ids.
    pub(super) fn rows_of(&self, table: &str) -> Vec<(Key, Fields)> {
        let made = self.outbox.iter().filter(|entry| entry.operation == Operation::Insert).map(|entry| entry.key);
        let mut keys: BTreeSet<Key> = self.slots.keys().copied().chain(made).collect();
        keys.retain(|key| key.0 == table);
        keys.into_iter().filter_map(|key| Some((key, self.view(key)?))).collect()
    }

    /// Entries that nobody has answered.
    pub(super) fn unanswered(&self) -> usize {
        self.outbox.iter().filter(|entry| entry.standing == Standing::Unsent).count()
    }

    /// Whether it has sent all and read all up to that change number, and has nothing left to ask.
    pub(super) fn is_at_rest(&self, clock: i64) -> bool {
        let sent = self.unanswered() == 0 || self.is(Mutant::StopsAtPoison);
        let heard = self.heard_at == Some(clock) || !self.outbox.iter().any(Entry::waits);
        !self.unknown && self.recovery.is_none() && self.pulled_clock == Some(clock) && sent && heard
    }

    /// Whether the row has entries whose fate is open; a clash is not: its row shows the desk's value.
    fn has_chain(&self, key: Key) -> bool {
        self.outbox.iter().any(|entry| entry.key == key && entry.is_under_way())
    }

    /// The app was killed or the phone switched off: what is stored stays, what was under way is not heard.
    pub(super) fn die(&mut self) {
        self.life += 1;
        self.pushes.clear();
        self.pull = None;
        self.question = None;
        self.question_due = true;
        self.outbox.iter_mut().for_each(|entry| entry.in_flight = None);
    }

    /// Its store is an old copy of itself; who it is stays as it was.
    pub(super) fn set_back_to(&mut self, copy: Self) {
        let life = self.life + 1;
        let (token, device) = (std::mem::take(&mut self.token), self.device);
        let (functions, removed, unknown) = (std::mem::take(&mut self.functions), self.removed, self.unknown);
        *self = Self { functions, token, device, removed, unknown, ..copy };
        self.life = life;
        self.die();
    }

    /// The browser threw the store away: nothing is left, and what was not sent is lost with it.
    pub(super) fn lose_store(&mut self, incarnation: Uuid, epoch: Uuid) {
        self.die();
        let mut empty = Self::new(self.index, self.name.clone(), self.style, epoch, incarnation);
        empty.functions.clone_from(&self.functions);
        empty.token.clone_from(&self.token);
        (empty.device, empty.life, empty.mutant, empty.skew_ms) = (self.device, self.life, self.mutant, self.skew_ms);
        *self = empty;
    }
}

impl Entry {
    /// Whether its phone asks what became of it.
    fn waits(&self) -> bool {
        self.poison.is_none() && matches!(self.standing, Standing::Held | Standing::Disputed | Standing::Rejected)
    }

    /// Whether its values are shown over the adopted row.
    pub(super) fn is_under_way(&self) -> bool {
        self.poison.is_none() && matches!(self.standing, Standing::Unsent | Standing::Accepted | Standing::Held)
    }
}
