//! The show that every run begins with: made once a process, then copied, because starting a database takes longer
//! than most runs.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Function, Scope};
use showdesk_domain::ids::natural_id;
use showdesk_engine::api::sync::{Push, VerdictName};
use tempfile::TempDir;
use uuid::Uuid;

use super::desk::Desk;
use crate::Pass;
use crate::clock::{BEGIN_MS, SetClock};

/// Who is at the show. The desk comes first; viewers read only.
pub(super) const PEOPLE: &[(&str, &[Function])] = &[
    ("Desk", &[Function::Admin]),
    ("Barn", &[Function::Superintendent, Function::Checkin]),
    ("Super", &[Function::Superintendent]),
    ("Office", &[Function::Admin]),
    ("Gate", &[Function::Checkin, Function::Gate]),
    ("Scale", &[Function::Scale, Function::Gate]),
    ("Ring", &[Function::Clerk, Function::Gate, Function::Announcer]),
    ("Vet", &[Function::Vet, Function::Checkin]),
    ("Family", &[Function::Viewer]),
];

/// A started show, read from disk: nothing is left behind when the process ends.
#[derive(Debug)]
pub(super) struct Template {
    /// Each file's place in the folder and its content.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// One for each of [`PEOPLE`].
    pub passes: Vec<Pass>,
}

impl Template {
    /// The process's SQLite show.
    pub(super) fn of_process() -> &'static Self {
        static TEMPLATE: OnceLock<Template> = OnceLock::new();
        TEMPLATE.get_or_init(|| {
            // A thread of its own: whoever asks may be inside a runtime.
            let made = std::thread::spawn(|| {
                let folder = folder_in_memory();
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let mut desk = Desk::open(folder.path(), None, 1, SetClock::at_ms(BEGIN_MS)).await;
                    let passes = begin(&desk).await;
                    desk.close().await;
                    let mut files = Vec::new();
                    read_folder(folder.path(), Path::new(""), &mut files);
                    Self { files, passes }
                })
            });
            made.join().expect("the show is made")
        })
    }

    /// A copy for one run.
    pub(super) fn copy(&self) -> TempDir {
        let folder = folder_in_memory();
        for (place, content) in &self.files {
            let target = folder.path().join(place);
            std::fs::create_dir_all(target.parent().expect("a file is in a folder")).expect("a folder of the copy");
            std::fs::write(target, content).expect("a file of the copy");
        }
        folder
    }
}

/// A new folder, in memory where the machine has such: syncing to it costs nothing.
pub(super) fn folder_in_memory() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    let builder = tempfile::Builder::new().prefix("showdesk-simulated-").to_owned();
    if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() }.expect("a folder for the show")
}

fn read_folder(base: &Path, place: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(base.join(place)).expect("the folder is there") {
        let place = place.join(entry.expect("an entry of the folder").file_name());
        if base.join(&place).is_dir() {
            read_folder(base, &place, files);
        } else {
            let content = std::fs::read(base.join(&place)).expect("a file of the show");
            files.push((place, content));
        }
    }
}

/// Lets everybody join and enters the rows that all begin with.
pub(super) async fn begin(desk: &Desk) -> Vec<Pass> {
    let token = desk.engine().issue_desk_token().await.expect("the desk's token");
    let actor = desk.engine().authenticate(&token).await.expect("the desk's token is good");
    let mut passes = vec![Pass { token, device: actor.device.0 }];
    for (name, functions) in &PEOPLE[1..] {
        passes.push(desk.pair(name, functions, Scope::default(), None).await);
    }
    let ops = first_rows();
    let epoch = desk.engine().installation().await.expect("an installation").epoch;
    let ops = ops.iter().map(|op| serde_json::value::to_raw_value(op).expect("JSON")).collect();
    let push = Push::of(epoch, Uuid::from_u128(1), ops);
    let answer = desk.engine().push(&actor, push).await.expect("the first rows are taken");
    let refused = answer.results.iter().find(|result| result.verdict != VerdictName::Applied);
    assert!(refused.is_none(), "a first row is not taken: {refused:?}");
    passes
}

fn first_rows() -> Vec<Json> {
    let mut ops = Vec::new();
    let mut add = |table: &str, id: Uuid, data: Json| {
        let number = ops.len() + 1;
        ops.push(json!({
            "op_id": named("op", number).to_string(), "device_seq": number, "table_name": table,
            "record_id": id.to_string(), "operation": "insert", "base_version": 0, "data": data,
        }));
    };
    add("rings", named("ring", 1), json!({"name": "Ring 1"}));
    for (number, department) in [(1, "cattle"), (2, "goat")] {
        let data = json!({"name": format!("Class {number}"), "department": department, "ring_id": named("ring", 1)});
        add("classes", named("class", number), data);
    }
    for number in 1..=3 {
        let data = json!({"first_name": format!("Ida {number}"), "last_name": "Reed", "back_number": 100 + number});
        add("exhibitors", named("exhibitor", number), data);
    }
    for number in 1..=4 {
        let species = if number < 4 { "cattle" } else { "goat" };
        let owner = named("exhibitor", 1 + number % 3);
        let data = json!({"exhibitor_id": owner, "species": species, "tag": format!("T{number}"), "pen": "P0"});
        add("animals", named("animal", number), data);
    }
    for number in 1..=2 {
        let (class, animal) = (named("class", 1), named("animal", number));
        let data = json!({"exhibitor_id": named("exhibitor", 1 + number % 3), "animal_id": animal, "family_id": class});
        add("entries", natural_id(class, animal), data);
    }
    let (class, animal) = (named("class", 1), named("animal", 1));
    let entry = natural_id(class, animal);
    add("placings", natural_id(class, entry), json!({"class_id": class, "entry_id": entry, "place": 1}));
    add(
        "weigh_ins",
        named("weigh", 1),
        json!({"animal_id": named("animal", 1), "kind": "arrival", "weight_x10": 12_620}),
    );
    ops
}

/// An id that is the same in every run.
fn named(what: &str, number: usize) -> Uuid {
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{what} {number}").as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&hash.as_bytes()[..10]);
    let began_ms = u64::try_from(BEGIN_MS).expect("the simulated time is after 1970");
    uuid::Builder::from_unix_timestamp_millis(began_ms, &random).into_uuid()
}
