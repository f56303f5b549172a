//! The permission matrix of DOMAIN.md §4 through the API: functions × stages × tables × operations × own and other
//! scope, and every path for everybody who may not use it.
//!
//! What is expected stands here as a table, written from the document (with §2 for reweighing, §3.4 for what a
//! superintendent's rank is about, C13 for breeds at check-in).

use reqwest::Method;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, delete, fresh, insert, send, update, v5, with};
use crate::program::Engine;
use crate::seed::{set_stage, show_of};

on_both_engines!(
    each_function_writes_what_the_matrix_says_and_nothing_else,
    what_is_ones_own_is_taken_back_by_nobody_else,
    no_path_answers_somebody_who_may_not_use_it,
    a_changed_switch_holds_from_the_next_op_on,
);

const STAGES: [&str; 5] = ["A", "B", "C", "D", "E"];
/// People: a name for the table, functions, and whether the rows lie in their scope.
const PEOPLE: &[(&str, &[&str], bool)] = &[
    ("admin", &["admin"], true),
    ("superintendent", &["superintendent"], true),
    ("superintendent", &["superintendent"], false),
    ("checkin", &["checkin"], true),
    ("scale", &["scale"], true),
    ("gate", &["gate"], true),
    ("clerk", &["clerk"], true),
    ("clerk", &["clerk"], false),
    ("announcer", &["announcer"], true),
    ("vet", &["vet"], true),
    ("viewer", &["viewer"], true),
];

/// Rows that are made with one push; a desk under test is slow.
const SEEDS_AT_ONCE: usize = 1_000;

/// What is tried, who may do it in which stages, and whether it lies in a department and in a ring. An admin may do
/// everything but in the last stage.
struct Line {
    what: &'static str,
    who: &'static [(&'static str, &'static str)],
    /// `d` in a department, `r` in a ring.
    lies: &'static str,
}

const fn line(what: &'static str, who: &'static [(&'static str, &'static str)], lies: &'static str) -> Line {
    Line { what, who, lies }
}

const MATRIX: &[Line] = &[
    line("show: venue", &[], ""),
    line("show: new", &[], ""),
    line("show: gone", &[], ""),
    line("ring: new", &[], ""),
    line("ring: gone", &[], "r"),
    line("ring: order", &[("superintendent", "CD")], "r"),
    line("ring: name", &[], "r"),
    line("exhibitor: new", &[("superintendent", "A"), ("checkin", "B")], ""),
    line("exhibitor: contact", &[("superintendent", "A"), ("checkin", "BCD")], ""),
    line("exhibitor: division", &[("superintendent", "A")], ""),
    line("exhibitor: gone", &[], ""),
    line("animal: new", &[("superintendent", "A"), ("checkin", "B")], "d"),
    line("animal: tag", &[("superintendent", "AB")], "d"),
    line("animal: breed", &[("superintendent", "AB"), ("checkin", "B")], "d"),
    line("animal: arrival", &[("superintendent", "AB"), ("checkin", "BC"), ("gate", "B")], "d"),
    line("animal: pen", &[("superintendent", "ABC"), ("checkin", "BC")], "d"),
    line("animal: identity", &[("superintendent", "AB"), ("checkin", "B")], "d"),
    line("animal: late arrival", &[("superintendent", "AB"), ("checkin", "BC")], "d"),
    line("animal: health", &[("superintendent", "A"), ("vet", "BCD")], "d"),
    line("animal: start weight", &[], "d"),
    line("animal: gone", &[], "d"),
    line("entry: new", &[("superintendent", "A"), ("checkin", "B")], "dr"),
    line("entry: class", &[("superintendent", "ABC")], "dr"),
    line("entry: class, with a reason", &[("superintendent", "ABCD")], "dr"),
    line("entry: checked in", &[("superintendent", "A"), ("checkin", "BC")], "dr"),
    line("entry: ready", &[("superintendent", "A"), ("gate", "CD")], "dr"),
    line("entry: absent", &[("superintendent", "AB"), ("gate", "D"), ("clerk", "D")], "dr"),
    line("entry: disqualified", &[("superintendent", "ABD")], "dr"),
    line("entry: vet-out, with a reason", &[("superintendent", "AB"), ("vet", "BCD")], "dr"),
    line("entry: gone", &[], "dr"),
    line("weight: arrival", &[("scale", "B")], "d"),
    line("weight: reweigh", &[("scale", "BC"), ("superintendent", "BC")], "d"),
    line("weight: weigh-back", &[("scale", "BD")], "d"),
    line("weight: void of another's", &[("superintendent", "AB")], "d"),
    line("weight: gone", &[], "d"),
    line("class: new", &[("superintendent", "ABC")], "dr"),
    line("class: name", &[("superintendent", "ABC")], "dr"),
    line("class: order", &[("superintendent", "ABCD")], "dr"),
    line("class: official", &[("superintendent", "D")], "dr"),
    line("class: reopened, with a reason", &[], "dr"),
    line("class: gone", &[], "dr"),
    line("card", &[("clerk", "D")], "dr"),
    line("placing: ribbon", &[("clerk", "D")], "dr"),
    line("placing: gone", &[], "dr"),
    line("call", &[("gate", "D"), ("clerk", "D"), ("announcer", "D")], "r"),
    line("call: another kind", &[], "r"),
    line("call: gone", &[], "r"),
    line("message", &[("announcer", "BCDE")], ""),
    line("message: another title", &[], ""),
    line("message: another's, taken back", &[], ""),
    line("message: gone", &[], ""),
];

/// What nobody may, in no stage: one folder is one show, and what was said stays said.
const NOBODYS: &[&str] = &["show: new", "show: gone", "call: another kind", "message: another title"];
/// What an admin may also when everything is official.
const ALWAYS_ADMINS: &[&str] =
    &["message", "message: another's, taken back", "message: gone", "class: reopened, with a reason"];
/// What lies where a viewer does not see it.
const UNSEEN: &[&str] = &["weight: void of another's", "weight: gone", "placing: ribbon", "placing: gone"];

impl Line {
    fn allows(&self, function: &str, stage: &str, in_scope: bool) -> bool {
        if function == "admin" {
            return !NOBODYS.contains(&self.what) && (stage != "E" || ALWAYS_ADMINS.contains(&self.what));
        }
        let may = self.who.iter().any(|(who, stages)| *who == function && stages.contains(stage));
        may && self.reaches(function, in_scope)
    }

    /// Whether that person may do it anywhere at some time: then it needs rows of its own.
    fn may_be_allowed(&self, function: &str) -> bool {
        function == "admin" || self.who.iter().any(|(who, _)| *who == function)
    }

    /// Whether it lies where that person may write, or nowhere in particular.
    fn reaches(&self, function: &str, in_scope: bool) -> bool {
        in_scope
            || match function {
                "superintendent" => !self.lies.contains('d'),
                _ => !self.lies.contains('r'),
            }
    }

    /// Why somebody is refused who may not do it: not now, not without a reason, not at all, or it is not there for him.
    fn denial(&self, function: &str, stage: &str, in_scope: bool) -> &'static str {
        match (self.what, function, stage) {
            (what, "viewer", _) if UNSEEN.contains(&what) => "not_found",
            (what, ..) if NOBODYS.contains(&what) => "forbidden",
            ("entry: class", "superintendent", "D") if in_scope => "required",
            // It is the same field as making results official, which a superintendent may while the show runs.
            ("class: reopened, with a reason", "superintendent", "A" | "B" | "C" | "E") if in_scope => "locked",
            _ => {
                if self.may_be_allowed(function) && self.reaches(function, in_scope) {
                    "locked"
                } else {
                    "forbidden"
                }
            }
        }
    }
}

/// The rows that one line is tried on. What no line changes is shared by all tries of a person in a stage.
#[derive(Clone)]
struct Rows {
    ring: String,
    exhibitor: String,
    class: String,
    official: String,
    animal: String,
    entry: String,
    weigh_in: String,
    placing: String,
    call: String,
    message: String,
}

impl Rows {
    fn new() -> Self {
        let (class, animal) = (fresh(), fresh());
        let entry = v5(&class, &animal);
        let placing = v5(&class, &entry);
        let (ring, exhibitor, official, weigh_in) = (fresh(), fresh(), fresh(), fresh());
        Self { ring, exhibitor, class, official, animal, entry, weigh_in, placing, call: fresh(), message: fresh() }
    }

    /// Rows of its own for what this line changes; the others stay shared.
    fn for_line(&self, what: &str) -> Self {
        let own = Self::new();
        let (ring, exhibitor) = (self.ring.clone(), self.exhibitor.clone());
        match what.split(':').next() {
            Some("ring") => Self { exhibitor, ..own },
            Some("exhibitor") => Self { ring, ..own },
            Some("class" | "card" | "placing" | "call" | "message") => Self { ring, exhibitor, ..own },
            _ => {
                let (class, official) = (self.class.clone(), self.official.clone());
                Self { entry: v5(&class, &own.animal), ring, exhibitor, class, official, ..own }
            }
        }
    }

    /// All of them.
    fn seed(&self) -> Vec<Json> {
        let Self { ring, exhibitor, animal, class, official, entry, weigh_in, placing, call, message } = self;
        let class_of = |name: &str| json!({"name": name, "department": "cattle", "ring_id": ring});
        let over = with(class_of("Over"), "official_at", json!("2026-08-06T09:00:00Z"));
        vec![
            insert("rings", ring, json!({"name": "Ring"})),
            insert("exhibitors", exhibitor, json!({"first_name": "Nora", "last_name": "Birch"})),
            insert("classes", class, class_of("Open")),
            insert("classes", official, over),
            insert("animals", animal, json!({"exhibitor_id": exhibitor, "species": "cattle", "tag": tag()})),
            insert("entries", entry, json!({"exhibitor_id": exhibitor, "animal_id": animal, "family_id": class})),
            insert("weigh_ins", weigh_in, json!({"animal_id": animal, "kind": "initial", "weight_x10": 9_000})),
            insert("class_calls", call, json!({"class_id": class, "ring_id": ring, "kind": "up_next"})),
            insert("announcements", message, json!({"type": "schedule", "title": "Soon"})),
            insert("placings", placing, json!({"class_id": class, "entry_id": entry, "place": 1})),
        ]
    }

    /// Those that this line needs beside the shared ones.
    fn seed_for(&self, what: &str) -> Vec<Json> {
        let tables: &[&str] = match what.split(':').next() {
            Some("ring") => &["rings"],
            Some("exhibitor") => &["exhibitors"],
            Some("animal") => &["animals"],
            Some("entry") => &["animals", "entries"],
            Some("weight") => &["animals", "weigh_ins"],
            Some("class") => &["classes"],
            Some("card") => &["classes", "animals", "entries"],
            Some("placing") => &["classes", "animals", "entries", "placings"],
            Some("call") => &["classes", "class_calls"],
            Some("message") => &["announcements"],
            _ => &[],
        };
        let is_needed = |op: &Json| tables.iter().any(|table| op["table_name"] == *table);
        self.seed().into_iter().filter(is_needed).collect()
    }

    /// The op that a line is about.
    fn op(&self, what: &str, show: (&str, i64)) -> Json {
        let Self { ring, exhibitor, animal, class, official, entry, weigh_in, placing, call, message } = self;
        let edit = |table: &str, id: &str, data: Json| update(table, id, 1, data, json!({}));
        let animal_is = |data: Json| edit("animals", animal, data);
        let entry_is = |data: Json| edit("entries", entry, data);
        let because = |op: Json| with(op, "reason", json!("seen at the ring"));
        let weigh =
            |kind: &str| insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": kind, "weight_x10": 9_100}));
        let now = "2026-08-06T09:00:00Z";
        match what {
            "show: new" => insert("shows", &fresh(), json!({"name": "Second", "timezone": "UTC"})),
            "show: gone" => delete("shows", show.0, show.1),
            "ring: new" => insert("rings", &fresh(), json!({"name": "New"})),
            "ring: gone" => delete("rings", ring, 1),
            "exhibitor: gone" => delete("exhibitors", exhibitor, 1),
            "animal: gone" => delete("animals", animal, 1),
            "entry: gone" => delete("entries", entry, 1),
            "class: gone" => delete("classes", class, 1),
            "placing: ribbon" => edit("placings", placing, json!({"ribbon": "blue"})),
            "placing: gone" => delete("placings", placing, 1),
            "call: another kind" => edit("class_calls", call, json!({"kind": "call_2"})),
            "call: gone" => delete("class_calls", call, 1),
            "message: another title" => edit("announcements", message, json!({"title": "Sooner"})),
            "message: another's, taken back" => edit("announcements", message, json!({"retracted_at": now})),
            "message: gone" => delete("announcements", message, 1),
            "show: venue" => update("shows", show.0, show.1, json!({"venue": tag()}), json!({})),
            "ring: order" => edit("rings", ring, json!({"seq": 3})),
            "ring: name" => edit("rings", ring, json!({"name": "Other"})),
            "exhibitor: new" => insert("exhibitors", &fresh(), json!({"first_name": "Ana", "last_name": "Stone"})),
            "exhibitor: contact" => edit("exhibitors", exhibitor, json!({"guardian_phone": "555-0101"})),
            "exhibitor: division" => edit("exhibitors", exhibitor, json!({"age_division": "junior"})),
            "animal: new" => {
                insert("animals", &fresh(), json!({"exhibitor_id": exhibitor, "species": "cattle", "tag": tag()}))
            }
            "animal: tag" => animal_is(json!({"tag": tag()})),
            "animal: breed" => animal_is(json!({"breed": "Angus"})),
            "animal: arrival" => animal_is(json!({"arrived_at": now})),
            "animal: pen" => animal_is(json!({"pen": "C4"})),
            "animal: identity" => animal_is(json!({"id_check": "mismatch"})),
            "animal: late arrival" => animal_is(json!({"arrived_at": "2026-08-06T10:00:00Z", "id_check": "match"})),
            "animal: health" => animal_is(json!({"health_check": "ok"})),
            "animal: start weight" => animal_is(json!({"init_weight_x10": 7_000})),
            "entry: new" => {
                let data =
                    json!({"exhibitor_id": exhibitor, "animal_id": animal, "family_id": official, "is_addon": true});
                insert("entries", &v5(official, animal), data)
            }
            "entry: class" => entry_is(json!({"class_id": class})),
            "entry: class, with a reason" => because(entry_is(json!({"class_id": official}))),
            "entry: checked in" => entry_is(json!({"status": "checked_in"})),
            "entry: ready" => entry_is(json!({"status": "ready"})),
            "entry: absent" => entry_is(json!({"out_reason": "no_show"})),
            "entry: disqualified" => entry_is(json!({"out_reason": "disqualified"})),
            "entry: vet-out, with a reason" => because(entry_is(json!({"out_reason": "vet"}))),
            "weight: arrival" => weigh("arrival"),
            "weight: reweigh" => weigh("reweigh"),
            "weight: weigh-back" => weigh("weigh_back"),
            "weight: gone" => delete("weigh_ins", weigh_in, 1),
            "weight: void of another's" => edit("weigh_ins", weigh_in, json!({"voided_at": now})),
            "class: new" => {
                insert("classes", &fresh(), json!({"name": "New", "department": "cattle", "ring_id": ring}))
            }
            "class: name" => edit("classes", class, json!({"name": "Renamed"})),
            "class: order" => edit("classes", class, json!({"seq": 7})),
            "class: official" => edit("classes", class, json!({"official_at": now})),
            "class: reopened, with a reason" => because(edit("classes", official, json!({"official_at": null}))),
            "card" => insert("placings", &v5(class, entry), json!({"class_id": class, "entry_id": entry, "place": 1})),
            "call" => insert("class_calls", &fresh(), json!({"class_id": class, "ring_id": ring, "kind": "call_1"})),
            "message" => insert("announcements", &fresh(), json!({"type": "schedule", "title": "Later"})),
            _ => panic!("{what} is not known"),
        }
    }
}

/// A number that nobody has.
fn tag() -> String {
    Uuid::new_v4().simple().to_string()[..12].to_owned()
}

/// Each try has rows of its own: a line's op must not meet what another line wrote.
async fn each_function_writes_what_the_matrix_says_and_nothing_else(desk: Desk) {
    let mut phones = Vec::new();
    for (number, (function, functions, in_scope)) in PEOPLE.iter().enumerate() {
        let department = if *in_scope { "cattle" } else { "swine" };
        let scope = match (*function, in_scope) {
            ("superintendent", _) => json!({"departments": [department]}),
            ("clerk", false) => json!({"ring_ids": [fresh()]}),
            _ => json!({}),
        };
        phones.push(desk.phone_in(&format!("{function} {number}"), functions, scope).await);
    }
    let mut seeds = Vec::new();
    let mut tries: Vec<Vec<Vec<Rows>>> = Vec::new();
    for _ in STAGES {
        let people = PEOPLE.iter().map(|(function, ..)| {
            let shared = Rows::new();
            seeds.extend(shared.seed());
            let rows_of = |line: &Line| {
                // What nobody changes serves all lines.
                let own = line.may_be_allowed(function).then(|| shared.for_line(line.what));
                own.inspect(|own| seeds.extend(own.seed_for(line.what))).unwrap_or_else(|| shared.clone())
            };
            MATRIX.iter().map(rows_of).collect::<Vec<Rows>>()
        });
        tries.push(people.collect());
    }
    for seeds in seeds.chunks(SEEDS_AT_ONCE) {
        desk.apply(seeds).await;
    }
    let (mut wrong, mut looked_at) = (Vec::new(), 0);
    for (stage, tries) in STAGES.iter().zip(&tries) {
        if *stage != "A" {
            set_stage(&desk, stage).await;
        }
        for (((function, _, in_scope), phone), rows) in PEOPLE.iter().zip(&phones).zip(tries) {
            let (show, change) = show_of(&desk).await;
            let version = change["version"].as_i64().expect("a version");
            let ops: Vec<Json> =
                MATRIX.iter().zip(rows).map(|(line, rows)| rows.op(line.what, (&show, version))).collect();
            for (line, result) in MATRIX.iter().zip(phone.push(&ops).await) {
                looked_at += 1;
                let wanted = if line.allows(function, stage, *in_scope) {
                    "applied"
                } else {
                    line.denial(function, stage, *in_scope)
                };
                let said = match result["verdict"].as_str() {
                    Some("rejected") => result["error"]["code"].as_str(),
                    verdict => verdict,
                };
                if said != Some(wanted) {
                    let who = format!("{stage} {function} ({in_scope}) {}", line.what);
                    wrong.push(format!("{who}: {wanted} was expected: {result}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {looked_at} cells:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(looked_at, STAGES.len() * PEOPLE.len() * MATRIX.len());
}

/// Rows of one's own: a scale takes its weights back, an announcer the messages, in the stages that say so.
async fn what_is_ones_own_is_taken_back_by_nobody_else(desk: Desk) {
    let animal = fresh();
    let (keeper, exhibitor) = (json!({"first_name": "Nora", "last_name": "Birch"}), fresh());
    desk.apply(&[
        insert("exhibitors", &exhibitor, keeper),
        insert("animals", &animal, json!({"exhibitor_id": exhibitor, "species": "cattle", "tag": tag()})),
    ])
    .await;
    set_stage(&desk, "B").await;
    let taken_back = [
        (
            "scale",
            "weigh_ins",
            "voided_at",
            "BCD",
            json!({"animal_id": animal, "kind": "arrival", "weight_x10": 9_000}),
        ),
        ("announcer", "announcements", "retracted_at", "BCDE", json!({"type": "schedule", "title": "Soon"})),
    ];
    let mut phones = Vec::new();
    for (function, table, field, stages, data) in taken_back {
        let (own, other) =
            (desk.phone(&format!("{function} 1"), &[function]).await, desk.phone("2", &[function]).await);
        let ids = [(); STAGES.len()].map(|()| fresh());
        own.apply(&ids.each_ref().map(|id| insert(table, id, data.clone()))).await;
        phones.push((own, other, table, field, stages, ids));
    }
    for (at, stage) in STAGES.iter().enumerate().skip(1) {
        if *stage != "B" {
            set_stage(&desk, stage).await;
        }
        for (own, other, table, field, stages, ids) in &phones {
            let mut data = json!({});
            data[field] = json!("2026-08-06T09:00:00Z");
            let op = || update(table, &ids[at], 1, data.clone(), json!({}));
            let stranger = other.push_one(&op()).await;
            assert_eq!(stranger["error"]["code"], "forbidden", "{stage} {table} of another: {stranger}");
            let result = own.push_one(&op()).await;
            let said = result["error"]["code"].as_str().or(result["verdict"].as_str());
            let wanted = if stages.contains(stage) { "applied" } else { "locked" };
            assert_eq!(said, Some(wanted), "{stage} {table} of one's own: {result}");
        }
    }
}

/// Paths that need no pass.
const OPEN_PATHS: &[&str] = &["/api/v1/ping", "/api/v1/openapi.json", "/api/v1/pairing/", "/api/v1/admin/session"];

async fn no_path_answers_somebody_who_may_not_use_it(desk: Desk) {
    let document = desk.get("/openapi.json").await.expect_status(200);
    let mut phones = Vec::new();
    for function in ["admin", "superintendent", "checkin", "scale", "gate", "clerk", "announcer", "vet", "viewer"] {
        phones.push((function, desk.phone(function, &[function]).await.token().to_owned()));
    }
    let removed = desk.phone("Lost", &["scale"]).await;
    remove(&desk, "Lost").await;
    let over = desk.phone("Over", &["scale"]).await;
    let ends = (chrono::Utc::now() + chrono::TimeDelta::milliseconds(500)).to_rfc3339();
    put_device(&desk, &device_of(&desk, "Over").await, json!({"expires_at": ends})).await;
    // Its stream would say so, too, but only if it opens in time.
    while send(over.request(Method::GET, "/me")).await.status == 200 {}
    let elsewhere = Desk::start(Engine::Sqlite).await;
    let strangers = [
        ("nobody", None, 401),
        ("an unknown pass", Some(format!("lsd_{}", "A".repeat(43))), 401),
        ("a pass of another show", Some(elsewhere.token().to_owned()), 401),
        ("a removed phone", Some(removed.token().to_owned()), 403),
        ("a phone whose time is over", Some(over.token().to_owned()), 401),
    ];
    let mut looked_at = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            if OPEN_PATHS.iter().any(|open| path.starts_with(open)) {
                continue;
            }
            let is_admin = path.starts_with("/api/v1/admin/");
            let ask = async |base: &str, token: Option<&str>| {
                let filled = fill(path);
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                let request = reqwest::Client::new().request(method, format!("{base}{filled}")).json(&json!({}));
                send(token.map_or(request.try_clone().expect("a body"), |token| request.bearer_auth(token))).await
            };
            let base = if is_admin { &desk.program.admin } else { &desk.program.http };
            for (who, token, status) in &strangers {
                let answer = ask(base, token.as_deref()).await;
                assert_eq!(answer.status.as_u16(), *status, "{who} at {method} {path}: {}", answer.text);
                looked_at += 1;
            }
            for (function, token) in phones.iter().filter(|_| is_admin) {
                let answer = ask(&desk.program.admin, Some(token)).await;
                assert_eq!(answer.status.as_u16(), 403, "{function} at {method} {path}: {}", answer.text);
                let answer = ask(&desk.program.http, Some(token)).await;
                assert_eq!(answer.status.as_u16(), 404, "{function} at {method} {path}: {}", answer.text);
                looked_at += 2;
            }
        }
    }
    assert!(looked_at > 500, "{looked_at}");
}

/// A path with an id in each of its places.
fn fill(path: &str) -> String {
    let parts =
        path.split('/').map(|part| if part.starts_with('{') { Uuid::nil().to_string() } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("/")
}

async fn device_of(desk: &Desk, name: &str) -> String {
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let mut items = devices["items"].as_array().expect("items").iter();
    let device = items.find(|item| item["name"] == name).expect("it has joined");
    device["id"].as_str().expect("an id").to_owned()
}

async fn remove(desk: &Desk, name: &str) {
    let path = format!("/admin/devices/{}/revoke", device_of(desk, name).await);
    desk.post(&path, &json!({})).await.expect_status(200);
}

async fn put_device(desk: &Desk, id: &str, change: Json) {
    send(desk.request(Method::PUT, &format!("/admin/devices/{id}")).json(&change)).await.expect_status(200);
}

async fn a_changed_switch_holds_from_the_next_op_on(desk: Desk) {
    let rows = Rows::new();
    desk.apply(&rows.seed()).await;
    set_stage(&desk, "B").await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let id = device_of(&desk, "Scale 1").await;
    let tag_it = async |phone: &Phone, version: i64| {
        let op = update("animals", &rows.animal, version, json!({"tag": tag()}), json!({}));
        let result = phone.push_one(&op).await;
        result["error"]["code"].as_str().or(result["verdict"].as_str()).expect("a verdict").to_owned()
    };
    let sees_contacts = async |phone: &Phone| {
        phone.data("exhibitors", &rows.exhibitor).await.as_object().expect("data").contains_key("guardian_phone")
    };
    assert_eq!((tag_it(&phone, 1).await.as_str(), sees_contacts(&phone).await), ("forbidden", false));
    let given = json!({"granted": ["fix_tags", "see_contacts"], "withheld": ["weigh"]});
    put_device(&desk, &id, json!({"permissions": given})).await;
    assert_eq!((tag_it(&phone, 1).await.as_str(), sees_contacts(&phone).await), ("applied", true));
    let weigh =
        insert("weigh_ins", &fresh(), json!({"animal_id": rows.animal, "kind": "arrival", "weight_x10": 9_000}));
    assert_eq!(phone.push_one(&weigh).await["error"]["code"], "forbidden");
    // A viewer is a reader, whatever was given before.
    put_device(&desk, &id, json!({"functions": ["viewer"]})).await;
    assert_eq!((tag_it(&phone, 2).await.as_str(), sees_contacts(&phone).await), ("forbidden", false));
}
