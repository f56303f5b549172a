//! A model of one table, played against the engine: what phones with equal rights may expect when they edit the same
//! animals and the desk decides.
//!
//! The model knows three fields and their policies (DOMAIN.md §3): `tag` is INBOX, `breed` ROLE among equals, `pen`
//! last writer wins. It holds for each phone what that phone has seen, and foretells every verdict and every row.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde_json::{Value as Json, json};
use showdesk_engine::api::conflicts::{ConflictQuery, Reason, Resolution, Resolve};
use showdesk_engine::api::sync::VerdictName;
use showdesk_testkit::fresh_database_url;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::show::{Phone, Show, op};

const PHONES: usize = 3;
const ANIMALS: usize = 2;
const FIELDS: [&str; 3] = ["tag", "breed", "pen"];
const BREED: usize = 1;
const PEN: usize = 2;

/// A row: its version and the three values.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    version: i64,
    values: [Option<String>; 3],
    /// Whether the desk wrote the breed last: it outranks every phone.
    breed_by_desk: bool,
}

impl Row {
    /// A new version; who writes a value that stands already does not become its author.
    fn write(&mut self, field: usize, value: Option<String>, by_desk: bool) {
        self.version += 1;
        if field == BREED && self.values[field] != value {
            self.breed_by_desk = by_desk;
        }
        self.values[field] = value;
    }
}

/// A clash that waits: whose, about which field, what it wants.
#[derive(Debug, Clone, PartialEq)]
struct Clash {
    phone: usize,
    animal: usize,
    field: usize,
    wants: String,
    ops: usize,
    /// When it was opened: an edit joins the oldest clash that waits for its field.
    born: u32,
}

/// The last decision that may be taken back.
#[derive(Debug, Clone)]
struct Decided {
    clash: Clash,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug, Clone)]
struct Model {
    rows: Vec<Row>,
    /// By phone and animal.
    seen: Vec<Vec<Row>>,
    open: Vec<Clash>,
    last: Option<Decided>,
    made: u32,
    /// What the last step is to be answered.
    expected: Option<VerdictName>,
    taken_back: Option<bool>,
}

#[derive(Debug, Clone)]
enum Step {
    Pull { phone: usize },
    Edit { phone: usize, animal: usize, field: usize },
    Decide { clash: usize, for_phone: bool },
    Undo,
}

struct Reference;

impl ReferenceStateMachine for Reference {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        let row =
            |animal: usize| Row { version: 1, values: [Some(format!("T{animal}")), None, None], breed_by_desk: false };
        let rows: Vec<Row> = (0..ANIMALS).map(row).collect();
        let model = Model {
            seen: vec![rows.clone(); PHONES],
            rows,
            open: Vec::new(),
            last: None,
            made: 0,
            expected: None,
            taken_back: None,
        };
        Just(model).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        prop_oneof![
            2 => (0..PHONES).prop_map(|phone| Step::Pull { phone }),
            8 => (0..PHONES, 0..ANIMALS, 0..FIELDS.len())
                .prop_map(|(phone, animal, field)| Step::Edit { phone, animal, field }),
            3 => (0..4_usize, any::<bool>()).prop_map(|(clash, for_phone)| Step::Decide { clash, for_phone }),
            2 => Just(Step::Undo),
        ]
        .boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        (model.expected, model.taken_back) = (None, None);
        match *step {
            Step::Pull { phone } => model.seen[phone].clone_from(&model.rows),
            Step::Edit { phone, animal, field } => model.edit(phone, animal, field),
            Step::Decide { clash, for_phone } => model.decide(clash, for_phone),
            Step::Undo => model.undo(),
        }
        model
    }
}

impl Model {
    fn edit(&mut self, phone: usize, animal: usize, field: usize) {
        self.made += 1;
        let value = format!("V{}", self.made);
        let joins = |clash: &&mut Clash| clash.phone == phone && clash.animal == animal && clash.field == field;
        if let Some(clash) = self.open.iter_mut().filter(joins).min_by_key(|clash| clash.born) {
            // It joins the clash of its phone; one decision covers both.
            clash.wants = value;
            clash.ops += 1;
            self.expected = Some(VerdictName::Held);
            return;
        }
        let (seen, row) = (&self.seen[phone][animal], &mut self.rows[animal]);
        let moved = seen.values[field] != row.values[field];
        if moved && field == BREED && row.breed_by_desk {
            // The higher authority wins, and the phone is shown what stands.
            self.seen[phone][animal] = row.clone();
            self.expected = Some(VerdictName::Noop);
            return;
        }
        if moved && field != PEN {
            self.open.push(Clash { phone, animal, field, wants: value, ops: 1, born: self.made });
            self.expected = Some(VerdictName::Conflict);
            return;
        }
        let word = if seen.version == row.version { VerdictName::Applied } else { VerdictName::Merged };
        row.write(field, Some(value), false);
        self.seen[phone][animal] = row.clone();
        self.expected = Some(word);
    }

    fn decide(&mut self, clash: usize, for_phone: bool) {
        if self.open.is_empty() {
            return;
        }
        let clash = self.open.remove(clash % self.open.len());
        let row = &mut self.rows[clash.animal];
        let before = row.values[clash.field].clone();
        let after = if for_phone { Some(clash.wants.clone()) } else { before.clone() };
        row.write(clash.field, after.clone(), true);
        self.last = Some(Decided { clash, before, after });
    }

    fn undo(&mut self) {
        let Some(last) = self.last.take() else { return };
        let row = &mut self.rows[last.clash.animal];
        let holds = row.values[last.clash.field] == last.after;
        self.taken_back = Some(holds);
        if holds {
            row.write(last.clash.field, last.before, true);
            self.open.push(last.clash);
        }
    }
}

/// The engine on one of the databases, with what the steps need to speak to it.
struct System {
    runtime: Runtime,
    show: Show,
    phones: Vec<Phone>,
    animals: Vec<Uuid>,
    /// By phone and animal: the version it has adopted.
    adopted: Vec<Vec<(i64, Json)>>,
    /// Open clashes in the order of the model's.
    open: Vec<Uuid>,
    last: Option<Uuid>,
    decisions: u32,
    made: u32,
}

impl System {
    fn begin(on_postgres: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (show, phones, animals) = runtime.block_on(async {
            let url = if on_postgres { Some(fresh_database_url().await) } else { None };
            let show = Show::open(url, 1).await;
            let (mut phones, mut animals) = (Vec::new(), Vec::new());
            for phone in 0..PHONES {
                phones.push(show.phone(&format!("Phone {phone}")).await);
            }
            for animal in 0..ANIMALS {
                animals.push(show.animal(json!({"tag": format!("T{animal}")})).await);
            }
            (show, phones, animals)
        });
        let blank = |animal: usize| (1, json!({"tag": format!("T{animal}"), "breed": null, "pen": null}));
        let adopted = vec![(0..ANIMALS).map(blank).collect(); PHONES];
        Self { runtime, show, phones, animals, adopted, open: Vec::new(), last: None, decisions: 0, made: 0 }
    }

    fn play(&mut self, model: &Model, step: &Step) {
        let runtime = self.runtime.handle().clone();
        runtime.block_on(async {
            match *step {
                Step::Pull { phone } => self.pull(phone).await,
                Step::Edit { phone, animal, field } => self.edit(model, phone, animal, field).await,
                Step::Decide { clash, for_phone } => self.decide(clash, for_phone).await,
                Step::Undo => self.undo(model).await,
            }
        });
    }

    async fn pull(&mut self, phone: usize) {
        for (animal, id) in self.animals.iter().enumerate() {
            let row = self.show.read(0, &self.phones[phone], *id).await;
            self.adopted[phone][animal] = (row.version, row.data);
        }
    }

    async fn edit(&mut self, model: &Model, phone: usize, animal: usize, field: usize) {
        self.made += 1;
        let (version, data) = self.adopted[phone][animal].clone();
        let name = FIELDS[field];
        let value = json!({ name: format!("V{}", self.made) });
        let mut edit = op("animals", self.animals[animal], "update", version, &value);
        edit["base"] = json!({ name: data[name] });
        let result = self.show.push(0, &self.phones[phone], &[edit]).await.remove(0);
        assert_eq!(Some(result.verdict), model.expected, "{result:?}");
        match result.verdict {
            VerdictName::Conflict => self.open.push(result.conflict_id.expect("a clash has an id")),
            VerdictName::Applied => {
                let (adopted, data) = &mut self.adopted[phone][animal];
                *adopted = result.version.expect("a version");
                data[name] = value[name].clone();
            }
            VerdictName::Merged | VerdictName::Noop => {
                let record = result.record.expect("the row as it stands");
                self.adopted[phone][animal] = (result.version.expect("a version"), record);
            }
            _ => {}
        }
    }

    async fn decide(&mut self, clash: usize, for_phone: bool) {
        if self.open.is_empty() {
            return;
        }
        let id = self.open.remove(clash % self.open.len());
        let desk = self.show.desk().await.actor;
        let view = self.show.desks[0].conflict(&desk, id).await.expect("the clash");
        self.decisions += 1;
        let request = Resolve {
            resolution: if for_phone { Resolution::ClientWins } else { Resolution::ServerWins },
            data: None,
            expected_server_version: view.server_version,
            rev: view.rev,
            reason: None,
            idempotency_key: format!("decision {}", self.decisions),
        };
        let view = self.show.desks[0].resolve(&desk, id, request).await.expect("the decision is taken");
        assert_eq!(view.status, "resolved");
        self.last = Some(id);
    }

    async fn undo(&mut self, model: &Model) {
        let (Some(id), Some(holds)) = (self.last.take(), model.taken_back) else { return };
        let desk = self.show.desk().await.actor;
        let answer = self.show.desks[0].undo(&desk, id, Reason::default()).await;
        assert_eq!(answer.is_ok(), holds, "{answer:?}");
        if holds {
            self.open.push(id);
        }
    }

    /// Rows and open clashes are what the model says.
    fn compare(&self, model: &Model) {
        self.runtime.block_on(async {
            for (animal, id) in self.animals.iter().enumerate() {
                let row = self.show.read(0, &self.phones[0], *id).await;
                let value = |name: &str| row.data[name].as_str().map(str::to_owned);
                let expected = &model.rows[animal];
                assert_eq!((row.version, &FIELDS.map(value)), (expected.version, &expected.values));
            }
            let desk = self.show.desk().await.actor;
            let query = ConflictQuery { status: Some("open".to_owned()), ..ConflictQuery::default() };
            let listed = self.show.desks[0].conflicts(&desk, query).await.expect("a list").items;
            let mut waiting: BTreeMap<Uuid, (Uuid, Vec<String>, usize)> = BTreeMap::new();
            for (id, clash) in self.open.iter().zip(&model.open) {
                let fields = vec![FIELDS[clash.field].to_owned()];
                waiting.insert(*id, (self.animals[clash.animal], fields, clash.ops));
            }
            let listed: BTreeMap<Uuid, (Uuid, Vec<String>, usize)> = listed
                .into_iter()
                .map(|clash| (clash.id, (clash.record_id, clash.contested, clash.op_ids.len())))
                .collect();
            assert_eq!(listed, waiting);
        });
    }
}

struct OnSqlite;
struct OnPostgres;

macro_rules! machine {
    ($name:ident, $on_postgres:literal) => {
        impl StateMachineTest for $name {
            type SystemUnderTest = System;
            type Reference = Reference;

            fn init_test(_: &Model) -> System {
                System::begin($on_postgres)
            }

            fn apply(mut system: System, model: &Model, step: Step) -> System {
                system.play(model, &step);
                system
            }

            fn check_invariants(system: &System, model: &Model) {
                system.compare(model);
            }

            fn teardown(system: System, _: Model) {
                system.runtime.block_on(system.show.close());
            }
        }
    };
}

machine!(OnSqlite, false);
machine!(OnPostgres, true);

proptest_state_machine::prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_model_foretells_the_engine_on_sqlite(sequential 5..40 => OnSqlite);

    #[test]
    fn the_model_foretells_the_engine_on_postgres(sequential 5..40 => OnPostgres);
}
