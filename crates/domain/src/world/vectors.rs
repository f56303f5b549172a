//! Runs the shared vectors (`tests/vectors/*.json`) against this crate: each case by its name, each member of it read.
//!
//! What is expected stands in the files, which are the source; nothing here knows an answer.

use std::collections::BTreeSet;

use chrono::{TimeZone, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Answer, AnswerKind, Author, Decision, SettleError, World};
use crate::actor::{Actor, Function, ReadClass, Role};
use crate::conflict::{Conflict, ConflictStatus};
use crate::fixtures::actor;
use crate::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Seq, Version};
use crate::op::{Refused, decode};
use crate::queue::Verdict;
use crate::record::{Provenance, Record};
use crate::schema::known_table;
use crate::value::decode_id;

const VERDICTS: &str = include_str!("../../../../tests/vectors/verdicts.json");
const CHECKS: &str = include_str!("../../../../tests/vectors/checks.json");
const LIFE: &str = include_str!("../../../../tests/vectors/lifecycle.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<T> {
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    rows: Vec<Row>,
    cases: Vec<T>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    table_name: String,
    record_id: Uuid,
    data: Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerdictCase {
    cell: String,
    name: String,
    #[serde(default)]
    earlier: Vec<Earlier>,
    op: Json,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Earlier {
    by: Who,
    op: Json,
    #[serde(default = "applied")]
    verdict: String,
}

fn applied() -> String {
    "applied".to_owned()
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Who {
    Author,
    Other,
    First,
    Second,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    verdict: String,
    version: Option<i64>,
    code: Option<String>,
    kind: Option<String>,
    contested: Option<Vec<String>>,
    clean: Option<Vec<String>>,
    chosen: Option<Vec<String>>,
    waiting_for: Option<Json>,
    #[serde(default, deserialize_with = "present")]
    row: Option<Json>,
    deleted: Option<bool>,
}

/// Tells null from absent.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckCase {
    name: String,
    stage: Option<String>,
    functions: Option<Vec<Function>>,
    #[serde(default)]
    earlier: Vec<Earlier>,
    op: Json,
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LifeCase {
    name: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(rename = "do")]
    action: Action,
    by: Option<Who>,
    op: Option<Json>,
    verdict: Option<String>,
    resolution: Option<Resolution>,
    rev: Option<i64>,
    #[serde(default)]
    data: Map<String, Json>,
    error: Option<String>,
    then: Option<Then>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Push,
    Resolve,
    Undo,
    Reopen,
    Withdraw,
    Disagree,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Resolution {
    ClientWins,
    ServerWins,
    Manual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    status: String,
    rev: i64,
    kind: Option<String>,
    ops: Vec<String>,
    row: Option<Map<String, Json>>,
    version: i64,
}

fn read<T: DeserializeOwned>(text: &str) -> File<T> {
    serde_json::from_str(text).expect("a file of vectors")
}

/// A show with the rows that all cases share.
struct Show {
    world: World,
    sent: u32,
}

impl Show {
    fn new(stage: Option<&str>) -> Self {
        let mut rows = read::<VerdictCase>(VERDICTS).rows;
        let show = rows.iter_mut().find(|row| row.table_name == "shows").expect("the show itself");
        if let Some(stage) = stage {
            show.data["stage"] = json!(stage);
        }
        let mut next = 0x1000_u128;
        let fresh = Box::new(move || {
            next += 1;
            Uuid::from_u128(next)
        });
        let now = Utc.timestamp_millis_opt(1_780_000_000_000).single().expect("a time");
        let mut world = World::new(now, Uuid::from_u128(1), show.record_id, Seq(10), fresh);
        for row in &rows {
            let table = known_table(&row.table_name);
            let mut values: Vec<_> = table.fields.iter().map(|field| field.default.clone()).collect();
            for (field, value) in crate::fixtures::patch(table, &row.data) {
                values[field] = value;
            }
            world.add_record(Record {
                table,
                id: RecordId(row.record_id),
                show_id: world.show_id,
                version: Version(1),
                created_at: now,
                updated_at: now,
                updated_by: None,
                device_id: None,
                deleted_at: None,
                values,
                provenance: Provenance::new(),
            });
        }
        Self { world, sent: 0 }
    }

    /// Decides an op as if it had come alone. What it leaves out gets a value that no other op has.
    fn push(&mut self, author: &Author, op: &Json) -> Answer {
        self.sent += 1;
        let mut op = op.clone();
        let members = op.as_object_mut().expect("an op is an object");
        let fresh = Uuid::from_u128(0xf000 + u128::from(self.sent)).to_string();
        members.entry("op_id").or_insert_with(|| json!(fresh));
        members.entry("device_seq").or_insert_with(|| json!(self.sent));
        let raw = serde_json::value::to_raw_value(&op).expect("JSON");
        match decode(&raw) {
            Ok(op) => self.world.decide(author, &op),
            Err(refused) => self.world.refuse(author, &refused),
        }
    }

    fn push_earlier(&mut self, earlier: &Earlier, author: &Author) {
        let author =
            if matches!(earlier.by, Who::Author) { author.clone() } else { person(earlier.by, &[Function::Admin]) };
        let answer = self.push(&author, &earlier.op);
        assert_eq!(self.verdict(&answer), earlier.verdict, "an earlier op: {answer:?}");
    }

    fn verdict(&self, answer: &Answer) -> String {
        match &answer.kind {
            AnswerKind::Queued { op_id, .. } => self.verdict_of(*op_id),
            AnswerKind::Rejected(_) => "rejected".to_owned(),
        }
    }

    fn verdict_of(&self, op_id: OpId) -> String {
        self.world.op(op_id).and_then(|op| op.verdict).expect("an op has a verdict").as_str().to_owned()
    }

    fn code(&self, answer: &Answer) -> Option<String> {
        match &answer.kind {
            AnswerKind::Queued { op_id, .. } => {
                let error = self.world.op(*op_id)?.error.as_ref()?;
                error["code"].as_str().map(str::to_owned)
            }
            AnswerKind::Rejected(rejection) => Some(rejection.code.to_owned()),
        }
    }

    fn row(&self, table: &str, id: &str) -> Option<&Record> {
        self.world.record((known_table(table).name, RecordId(decode_id(id).ok()?)))
    }
}

fn person(who: Who, functions: &[Function]) -> Author {
    let number = match who {
        Who::Author => 3,
        Who::Other => 4,
        Who::First => 5,
        Who::Second => 6,
    };
    let id = Uuid::from_u128(number);
    let actor = Actor { person: PersonId(id), device: DeviceId(id), functions: functions.to_vec(), ..actor() };
    Author { actor, incarnation: id, skew_ms: 0, recovered_from: None }
}

#[test]
fn each_cell_of_the_table_of_verdicts_is_as_the_vectors_say() {
    let cases = read::<VerdictCase>(VERDICTS).cases;
    let cells: BTreeSet<&str> = cases.iter().map(|case| case.cell.as_str()).collect();
    for operation in ["insert", "update", "delete"] {
        for server in ["absent", "unchanged", "changed", "deleted"] {
            let cell = format!("{operation}/{server}");
            assert!(cells.contains(cell.as_str()), "no case for {cell}");
        }
    }
    assert_eq!(cells.len(), 12);
    for case in &cases {
        let mut show = Show::new(None);
        let author = person(Who::Author, &[Function::Admin]);
        case.earlier.iter().for_each(|earlier| show.push_earlier(earlier, &author));
        let answer = show.push(&author, &case.op);
        check_verdict(&show, case, &answer);
    }
}

fn check_verdict(show: &Show, case: &VerdictCase, answer: &Answer) {
    let VerdictCase { name, expect, op, .. } = case;
    let AnswerKind::Queued { op_id, replayed: false } = answer.kind else { panic!("{name}: {answer:?}") };
    let queued = show.world.op(op_id).expect("the op is kept");
    assert_eq!(queued.verdict.map(Verdict::as_str), Some(expect.verdict.as_str()), "{name}: {:?}", queued.error);
    assert_eq!(show.code(answer), expect.code, "{name}");
    if expect.version.is_some() {
        assert_eq!(queued.result_version.map(|version| version.0), expect.version, "{name}");
    }
    assert_eq!(queued.waiting_for, expect.waiting_for, "{name}");
    let conflict = queued.conflict_id.and_then(|id| show.world.conflict(id));
    assert_eq!(conflict.map(|conflict| conflict.kind.as_str()), expect.kind.as_deref(), "{name}");
    assert_eq!(conflict.map(|conflict| &conflict.contested), expect.contested.as_ref(), "{name}");
    assert_eq!(conflict.map(|conflict| &conflict.clean), expect.clean.as_ref(), "{name}");
    let is_filed = |conflict: &&Conflict| conflict.status == ConflictStatus::MergedAutomatically;
    let filed = show.world.conflicts.values().find(is_filed).map(|conflict| &conflict.contested);
    assert_eq!(filed, expect.chosen.as_ref(), "{name}");
    let text = |key: &str| op[key].as_str().expect("a text").to_owned();
    let row = show.row(&text("table_name"), &text("record_id"));
    if let Some(expected) = &expect.row {
        assert_eq!(row.is_none(), expected.is_null(), "{name}");
        let data = row.map(|row| row.data(ReadClass::Office)).unwrap_or_default();
        for (column, value) in expected.as_object().into_iter().flatten() {
            assert_eq!(&data[column], value, "{name}: {column}");
        }
    }
    if let Some(deleted) = expect.deleted {
        assert_eq!(row.map(|row| !row.is_live()), Some(deleted), "{name}");
    }
}

#[test]
fn of_several_faults_the_one_decides_that_the_vectors_name() {
    for case in read::<CheckCase>(CHECKS).cases {
        let mut show = Show::new(case.stage.as_deref());
        let author = person(Who::Author, case.functions.as_deref().unwrap_or(&[Function::Admin]));
        let earlier = person(Who::Author, &[Function::Admin]);
        case.earlier.iter().for_each(|op| show.push_earlier(op, &earlier));
        let clock = show.world.clock;
        let answer = show.push(&author, &case.op);
        assert_eq!(show.verdict(&answer), "rejected", "{}: {answer:?}", case.name);
        assert_eq!(show.code(&answer).as_deref(), Some(case.code.as_str()), "{}", case.name);
        assert_eq!(show.world.clock, clock, "{}: nothing was changed", case.name);
    }
}

#[test]
fn a_clash_lives_as_the_vectors_say() {
    for case in read::<LifeCase>(LIFE).cases {
        let mut show = Show::new(None);
        let mut clash = None;
        for (at, step) in case.steps.iter().enumerate() {
            let place = format!("{}, step {}", case.name, at + 1);
            let error = take_step(&mut show, step, clash, &place);
            assert_eq!(error, step.error, "{place}");
            clash = clash.or_else(|| show.world.conflicts.values().next().map(|conflict| conflict.id));
            if let Some(then) = &step.then {
                check_clash(&show, clash.expect("a clash was opened"), then, &place);
            }
        }
    }
}

/// Takes a step; answers why it was refused.
fn take_step(show: &mut Show, step: &Step, clash: Option<ConflictId>, place: &str) -> Option<String> {
    let by = step.by.map(|who| person(who, &[Function::Superintendent, Function::Admin]));
    let desk = Actor { role: Role::Admin, ..person(Who::Other, &[Function::Admin]).actor };
    if let Action::Push = step.action {
        let answer = show.push(&by.expect("somebody pushes"), step.op.as_ref().expect("an op"));
        assert_eq!(Some(show.verdict(&answer)), step.verdict, "{place}: {answer:?}");
        return None;
    }
    let id = clash.expect("a clash was opened");
    let conflict = show.world.conflict(id).expect("the clash");
    let speaker = || by.as_ref().map(|author| author.actor.clone()).expect("somebody speaks");
    let done = match step.action {
        Action::Push => Ok(()),
        Action::Resolve => {
            let decision = Decision {
                resolution: match step.resolution.expect("a resolution") {
                    Resolution::ClientWins => "client_wins",
                    Resolution::ServerWins => "server_wins",
                    Resolution::Manual => "manual",
                },
                data: step.data.clone(),
                expected_server_version: conflict.server_version,
                rev: step.rev.unwrap_or(conflict.rev),
                reason: None,
            };
            show.world.resolve(&desk, id, &decision)
        }
        Action::Undo => show.world.undo(&desk, id, None),
        Action::Reopen => show.world.reopen_closed(&desk, id, None),
        Action::Withdraw => show.world.withdraw(&speaker(), id),
        Action::Disagree => show.world.disagree(&speaker(), id, Some("I read it twice")),
    };
    done.err().map(|error| match error {
        SettleError::NotFound => "not_found".to_owned(),
        SettleError::AlreadyResolved => "already_resolved".to_owned(),
        SettleError::Moved => "moved".to_owned(),
        SettleError::NotPossible(_) => "not_possible".to_owned(),
        SettleError::Invalid(rejection) => rejection.code.to_owned(),
    })
}

fn check_clash(show: &Show, id: ConflictId, then: &Then, place: &str) {
    let conflict = show.world.conflict(id).expect("the clash");
    assert_eq!((conflict.status.as_str(), conflict.rev), (then.status.as_str(), then.rev), "{place}");
    if let Some(kind) = &then.kind {
        assert_eq!(conflict.kind.as_str(), kind, "{place}");
    }
    let verdicts: Vec<String> = conflict.op_ids.iter().map(|id| show.verdict_of(*id)).collect();
    assert_eq!(verdicts, then.ops, "{place}");
    let row = show.world.record((conflict.table.name, conflict.record_id)).expect("the row");
    assert_eq!(row.version.0, then.version, "{place}");
    let data = row.data(ReadClass::Office);
    for (column, value) in then.row.iter().flatten() {
        assert_eq!(&data[column], value, "{place}: {column}");
    }
}

#[test]
fn an_ops_payload_hash_is_the_one_of_the_vectors() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct HashCase {
        about: String,
        op: Json,
        #[serde(rename = "canonical")]
        _canonical: String,
        sha256: String,
    }
    let text = include_str!("../../../../tests/vectors/payload_hash.json");
    let cases = read::<HashCase>(text).cases;
    for case in &cases {
        let raw = serde_json::value::to_raw_value(&case.op).expect("JSON");
        let sent = decode(&raw).map_or_else(|refused: Box<Refused>| refused.sent, |op| op.sent);
        assert_eq!(sent.payload_sha256, case.sha256, "{}", case.about);
    }
    assert!(cases.len() > 10);
}
