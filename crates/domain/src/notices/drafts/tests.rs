//! The words of DOMAIN.md §7, and whom each message is for.

use serde_json::json;

use super::*;
use crate::actor::Function;
use crate::conflict::{Conflict, ConflictKind};
use crate::fixtures::record;
use crate::ids::{ConflictId, OpId, PersonId, Seq, Version};
use crate::notices::automatic::{Choice, Closing};
use crate::notices::facts::{Author, Called, Moved, Timed};
use crate::schema::known_table;

const RING_1: u128 = 0x11;
const RING_2: u128 = 0x12;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-08-07T{text}:00Z").parse().expect("a moment")
}

/// A show of two rings and five classes; 14 is in the ring.
struct Show {
    rows: HashMap<Key, Record>,
    choices: Choices,
    clashes: Vec<Conflict>,
    clashes_told: i64,
}

impl Show {
    fn new() -> Self {
        let mut show = Self { rows: HashMap::new(), choices: Choices::default(), clashes: Vec::new(), clashes_told: 0 };
        show.put("rings", RING_1, &json!({"name": "Ring 1"}));
        show.put("rings", RING_2, &json!({"name": "Ring 2"}));
        for (number, name, status) in [
            (14, "Market Steers", "in_ring"),
            (15, "Market Hogs", "make_ready"),
            (16, "Breeding gilts", "scheduled"),
            (17, "Market Lambs", "scheduled"),
        ] {
            let class = json!({
                "code": number.to_string(), "name": name, "status": status, "seq": number, "department": "swine",
                "ring_id": id(RING_1), "planned_at": at(&format!("13:{number}")),
                "min_x10": 12_500, "max_x10": 12_990,
            });
            show.put("classes", number, &class);
        }
        show
    }

    fn put(&mut self, table: &str, number: u128, data: &serde_json::Value) {
        let row = record(table, number, data);
        self.rows.insert((row.table.name, row.id), row);
    }

    fn tell(&self, facts: &Facts) -> Vec<Draft> {
        let manner = Manner { timezone: "America/Chicago".to_owned(), unit: "lb".to_owned() };
        let known = Known {
            manner,
            now: at("12:00"),
            choices: &self.choices,
            rows: &self.rows,
            clashes: &self.clashes,
            clashes_told: self.clashes_told,
        };
        drafts(facts, &known)
    }

    fn titles(&self, facts: &Facts) -> Vec<String> {
        self.tell(facts).into_iter().map(|draft| draft.title).collect()
    }
}

fn call(class: u128, kind: &str) -> Facts {
    let by = Author { person: Some(PersonId(id(1))), device: Some(DeviceId(id(2))) };
    let called = Called { call: RecordId(id(99)), class: id(class), ring: None, kind: kind.to_owned(), by };
    Facts { called: vec![called], is_public: true, ..Facts::default() }
}

fn timed(class: u128, from: &str, to: &str) -> Timed {
    Timed { class: id(class), department: Some("swine".to_owned()), from: Some(at(from)), to: Some(at(to)) }
}

#[test]
fn a_call_reaches_barn_and_make_ready() {
    let show = Show::new();
    for (kind, title) in [
        ("call_1", "Class 15 to make-ready, Ring 1 (1st call)"),
        ("call_2", "Class 15 to make-ready, Ring 1 (2nd call)"),
        ("final_call", "Class 15 to make-ready, Ring 1 (final call)"),
    ] {
        let drafts = show.tell(&call(15, kind));
        let [draft] = drafts.as_slice() else { panic!("{kind}: {drafts:?}") };
        assert_eq!((draft.title.as_str(), draft.priority), (title, Priority::High));
        assert_eq!(draft.body.as_deref(), Some("Market Hogs, 1,250–1,299 lb"));
        let audience = Audience {
            class_ids: vec![id(15)],
            functions: vec![Function::Gate, Function::Announcer],
            at_rings: vec![id(RING_1)],
            ..Audience::default()
        };
        assert_eq!(draft.audience, audience);
        assert_eq!(draft.dedupe_key, format!("class_call:{}", id(99)));
    }
    assert_eq!(show.titles(&call(15, "up_next")), ["Class 15 is next, Ring 1"]);
    for kind in ["hold", "resume", "judged", "cancel"] {
        assert_eq!(show.titles(&call(15, kind)), [] as [String; 0], "{kind}");
    }
    assert_eq!(show.titles(&call(77, "call_1")), [] as [String; 0], "a class that is not there");
}

#[test]
fn the_class_two_behind_gets_ready() {
    let mut show = Show::new();
    let drafts = show.tell(&call(14, "in_ring"));
    assert_eq!(drafts[0].title, "Class 16 is 2 classes away (about 20 min)");
    assert_eq!(drafts[0].audience, Audience { class_ids: vec![id(16)], ..Audience::default() });
    show.choices = Choices(vec![Choice { key: Automatic::UpNext, on: true, minutes: Some(6), closes: vec![] }]);
    assert_eq!(show.titles(&call(14, "in_ring")), ["Class 16 is 2 classes away (about 12 min)"]);
    show.choices = Choices(vec![Choice { key: Automatic::UpNext, on: false, minutes: None, closes: vec![] }]);
    assert_eq!(show.titles(&call(14, "in_ring")), [] as [String; 0], "an admin does not want it");
    // Of 16 and 17 the second is 17, and nobody waits behind 17.
    show.choices = Choices::default();
    assert_eq!(show.titles(&call(15, "in_ring")), ["Class 17 is 2 classes away (about 20 min)"]);
}

#[test]
fn a_drive_calls_those_who_were_placed() {
    let mut show = Show::new();
    let drive = json!({
        "name": "Champion Market Hog", "kind": "championship", "ring_id": id(RING_1),
        "feeder": {"class_ids": [id(15), id(16)], "positions": [1, 2]},
    });
    show.put("classes", 40, &drive);
    for (number, place, class) in [(50_u128, 1, 15), (51, 2, 16), (52, 3, 15)] {
        let (entry, exhibitor) = (number + 10, number + 20);
        show.put("placings", number, &json!({"class_id": id(class), "entry_id": id(entry), "place": place}));
        show.put("entries", entry, &json!({"exhibitor_id": id(exhibitor), "family_id": id(class)}));
    }
    let drafts = show.tell(&call(40, "call_1"));
    assert_eq!(drafts[0].title, "Champion Market Hog to make-ready, Ring 1 (1st call)");
    assert_eq!(drafts[0].body.as_deref(), Some("1st and 2nd place of Class 15 and Class 16"));
    assert_eq!((drafts[0].kind, &drafts[0].audience.exhibitor_ids), (Automatic::DriveCall, &vec![id(70), id(71)]));
}

#[test]
fn a_moved_class_is_told_to_both_rings_and_many_as_one() {
    let show = Show::new();
    let moved = |class| Moved { class: id(class), from: id(RING_1), to: id(RING_2), version: Version(4) };
    let facts = Facts { moved: vec![moved(16)], is_public: true, ..Facts::default() };
    let drafts = show.tell(&facts);
    assert_eq!(drafts[0].title, "Class 16 moved to Ring 2");
    assert_eq!(drafts[0].body.as_deref(), Some("Breeding gilts, 1,250–1,299 lb, 8:16."));
    let rings = vec![id(RING_1), id(RING_2)];
    assert_eq!(drafts[0].audience, Audience { class_ids: vec![id(16)], rings, ..Audience::default() });
    assert_eq!(drafts[0].dedupe_key, format!("ring_change:{}:4", id(16)));
    let many = Facts { moved: [14, 15, 16, 17].map(moved).to_vec(), is_public: true, ..Facts::default() };
    assert_eq!(show.titles(&many), ["4 classes moved to Ring 2"]);
    assert_eq!(show.tell(&many)[0].audience.class_ids.len(), 4);
}

#[test]
fn a_department_hears_that_it_starts_at_another_time() {
    let mut show = Show::new();
    // The rows are as they are afterwards: class 14 is first, at 8:14.
    let facts = |timed: Vec<Timed>| Facts { timed, is_public: true, clock: Seq(70), ..Facts::default() };
    assert_eq!(show.titles(&facts(vec![timed(14, "13:00", "13:14")])), ["Swine show starts 8:14, not 8:00"]);
    let drafts = show.tell(&facts(vec![timed(16, "13:30", "13:16")]));
    assert_eq!(drafts[0].title, "Class 16 is at 8:16, not 8:30");
    assert_eq!(drafts[0].audience.class_ids, [id(16)]);
    let later = |class| timed(class, "15:00", "13:20");
    let many = [15, 16, 17].map(later).into_iter().chain([later(15)]).collect();
    assert_eq!(show.titles(&facts(many)), ["Times of 4 swine classes have changed"]);
    show.put("classes", 14, &json!({"code": "14", "name": "x", "planned_at": "2026-08-08T13:14:00Z"}));
    assert_eq!(
        show.titles(&facts(vec![Timed { department: None, ..timed(14, "13:00", "13:00") }])),
        [] as [String; 0],
        "nothing changed"
    );
    let hidden = Facts { is_public: false, ..facts(vec![timed(14, "13:00", "13:14")]) };
    assert_eq!(show.titles(&hidden), [] as [String; 0], "nobody knows the programme yet");
}

#[test]
fn published_classes_are_told_to_each_department() {
    let mut show = Show::new();
    show.put("classes", 30, &json!({"name": "Ewes", "department": "sheep"}));
    let drafts = show.tell(&Facts { posted: Some(Version(9)), ..Facts::default() });
    let titles: Vec<&str> = drafts.iter().map(|draft| draft.title.as_str()).collect();
    assert_eq!(titles, ["Sheep classes posted; check yours", "Swine classes posted; check yours"]);
    assert_eq!(drafts[0].audience, Audience { departments: vec!["sheep".to_owned()], ..Audience::default() });
    assert_eq!((drafts[0].priority, drafts[0].dedupe_key.as_str()), (Priority::Normal, "classes_posted:sheep:9"));
}

#[test]
fn results_name_numbers_and_never_children() {
    let mut show = Show::new();
    for (number, place, back_number) in [(50_u128, 2, 152), (51, 1, 214), (52, 3, 126), (53, 4, 99)] {
        let (entry, exhibitor) = (number + 10, number + 20);
        show.put("placings", number, &json!({"class_id": id(14), "entry_id": id(entry), "place": place}));
        show.put("entries", entry, &json!({"exhibitor_id": id(exhibitor), "family_id": id(14)}));
        let child = json!({"first_name": "Nora", "last_name": "Birch", "back_number": back_number});
        show.put("exhibitors", exhibitor, &child);
    }
    let one = Facts { official: vec![(id(14), Version(3))], ..Facts::default() };
    let drafts = show.tell(&one);
    assert_eq!(drafts[0].title, "Class 14 official");
    assert_eq!(drafts[0].body.as_deref(), Some("1st #214, 2nd #152, 3rd #126"));
    assert_eq!((drafts[0].priority, &drafts[0].audience), (Priority::Normal, &Audience::everybody()));
    let all = Facts { official: [14, 15, 16, 17].map(|class| (id(class), Version(3))).to_vec(), ..Facts::default() };
    assert_eq!(show.titles(&all), ["4 classes are official"]);
}

fn clash(
    number: u128,
    table: &str,
    kind: ConflictKind,
    server: &serde_json::Value,
    client: &serde_json::Value,
) -> Conflict {
    let object = |data: &serde_json::Value| data.as_object().cloned();
    let contested: Vec<String> =
        client.as_object().expect("an object").keys().filter(|key| !key.ends_with("_id")).cloned().collect();
    let (row, author) = ((known_table(table), RecordId(id(60))), (DeviceId(id(2)), PersonId(id(3))));
    Conflict {
        server_data: object(server),
        client_data: object(client),
        server_version: Version(1),
        contested,
        ..Conflict::opened(ConflictId(id(number)), OpId(id(1)), row, kind, author, at("12:00"))
    }
}

#[test]
fn a_clash_is_told_to_who_decides_it() {
    let mut show = Show::new();
    show.put("animals", 60, &json!({"exhibitor_id": id(1), "species": "cattle", "tag": "0412"}));
    let weight = |weight: i64| json!({"animal_id": id(60), "weight_x10": weight});
    let two = clash(80, "weigh_ins", ConflictKind::Rule, &weight(12_620), &weight(12_260));
    let phone = clash(
        81,
        "animals",
        ConflictKind::UpdateUpdate,
        &json!({"guardian_phone": "555"}),
        &json!({"guardian_phone": "666"}),
    );
    let tags = clash(82, "animals", ConflictKind::UniqueViolation, &json!({}), &json!({"tag": "0412"}));
    show.clashes = vec![two, phone, tags];
    let facts = Facts { clashes: show.clashes.iter().map(|clash| clash.id).collect(), ..Facts::default() };
    let drafts = show.tell(&facts);
    let told: Vec<(&str, &str)> =
        drafts.iter().map(|draft| (draft.title.as_str(), draft.body.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        told,
        [
            ("Two weights for tag 0412", "1,262 / 1,226. It needs a decision."),
            ("Two values for tag 0412: guardian phone", "It needs a decision."),
            ("Two animals have one tag", "0412. It needs a decision."),
        ]
    );
    let audience = Audience {
        of_departments: vec!["cattle".to_owned()],
        ..Audience::of_functions(&[Function::Admin, Function::Superintendent])
    };
    assert_eq!((&drafts[0].audience, drafts[0].dedupe_key.as_str()), (&audience, clash_key(id(80)).as_str()));
    assert_eq!(drafts[0].data["open"], format!("#/needs-checking/{}", id(80)));
}

/// A message may go through somebody else's servers.
#[test]
fn a_clash_names_nobody_and_tells_nothing_that_somebody_wrote() {
    let mut show = Show::new();
    for (number, table, path, values, told) in [
        (83, "exhibitors", "last_name", [json!("Birch"), json!("Burch")], None),
        (84, "exhibitors", "guardian_phone", [json!("555"), json!("666")], None),
        (85, "exhibitors", "advisor_id", [json!(id(7)), json!(id(8))], None),
        (86, "animals", "note", [json!("Bites Nora"), json!("Bites")], None),
        (87, "exhibitors", "back_number", [json!(12), json!(21)], Some("12 / 21. ")),
        (88, "animals", "id_check", [json!("match"), json!("mismatch")], Some("match / mismatch. ")),
    ] {
        let [server, client] = values.map(|value| json!({ path: value }));
        let mut told_of = clash(number, table, ConflictKind::UpdateUpdate, &server, &client);
        told_of.contested = vec![path.to_owned()];
        show.clashes = vec![told_of];
        let facts = Facts { clashes: vec![ConflictId(id(number))], ..Facts::default() };
        let body = show.tell(&facts).remove(0).body.expect("a body");
        assert_eq!(body, format!("{}It needs a decision.", told.unwrap_or_default()), "{path}");
    }
}

#[test]
fn many_clashes_are_told_as_one() {
    let mut show = Show::new();
    let one = |number| clash(number, "animals", ConflictKind::UpdateUpdate, &json!({"pen": "1"}), &json!({"pen": "2"}));
    show.clashes = (80..84).map(one).collect();
    let facts = |count: usize| Facts {
        clashes: (80..80 + count as u128).map(|n| ConflictId(id(n))).collect(),
        ..Facts::default()
    };
    assert_eq!(show.titles(&facts(4)), ["4 new clashes need a decision"]);
    assert_eq!(show.titles(&facts(2)).len(), 2);
    show.clashes_told = 5;
    assert_eq!(show.titles(&facts(1)), ["More clashes need a decision"]);
    assert_eq!(show.tell(&facts(1))[0].dedupe_key, show.tell(&facts(2))[0].dedupe_key, "once in ten minutes");
}

#[test]
fn weigh_in_that_closes_names_the_head_that_is_missing() {
    let manner = Manner { timezone: "America/Chicago".to_owned(), unit: "lb".to_owned() };
    let closing = Closing { department: "swine".to_owned(), at: at("15:00") };
    let draft = weigh_closing(&NotWeighed { closing: closing.clone(), head: 12 }, &manner).expect("a message");
    assert_eq!(draft.title, "Swine weigh-in closes 10:00; 12 head not weighed");
    assert_eq!(
        (draft.audience.owners_of.as_slice(), draft.audience.functions.as_slice()),
        (&["swine".to_owned()][..], &[Function::Scale][..])
    );
    assert_eq!((draft.priority, draft.expires_at), (Priority::High, Some(at("15:00"))));
    assert_eq!(weigh_closing(&NotWeighed { closing, head: 0 }, &manner), None, "all are weighed");
}

#[test]
fn a_phone_with_unsent_work_is_told_to_admins() {
    let unsent = Unsent { device: DeviceId(id(5)), name: "Ring 2 phone".to_owned(), changes: 9, since: at("11:48") };
    let draft = unsent_work(&unsent, at("12:00"));
    assert_eq!(draft.title, "Ring 2 phone has 9 unsent changes for 12 min");
    assert_eq!(draft.data["outside"], json!({"title": "A phone has 9 unsent changes for 12 min"}));
    assert_eq!((draft.audience, draft.priority), (Audience::of_functions(&[Function::Admin]), Priority::Normal));
    assert_eq!(
        unsent_work(&Unsent { changes: 1, ..unsent }, at("12:01")).title,
        "Ring 2 phone has 1 unsent change for 13 min"
    );
}

#[test]
fn what_is_too_long_is_cut() {
    let mut show = Show::new();
    show.put("classes", 15, &json!({"name": "x".repeat(150), "ring_id": id(RING_1)}));
    assert_eq!(show.titles(&call(15, "call_1"))[0].chars().count(), TITLE_CHARS_MAX);
}
