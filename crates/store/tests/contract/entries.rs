//! Finding an animal by any number or name.

use serde_json::json;
use showdesk_domain::conflict::{Conflict, ConflictKind};
use showdesk_domain::ids::{ConflictId, Version};
use showdesk_domain::record::Record;
use showdesk_domain::value::Value;
use showdesk_store::db::Seat;
use showdesk_store::entries::{self, EntryRow, Narrow, Sort, SpeciesCount, Stage, Wanted};
use showdesk_store::{Db, conflicts, queue, records};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, fill, text};

/// Two exhibitors, three pigs, two classes; the first pig is disputed.
async fn fill_barn(db: &Db) -> (Show, Record) {
    let show = fill(db).await;
    let (jose, reed) = (show.exhibitor(214, "José", "Ibáñez"), show.exhibitor(31, "Joy", "REED_100%"));
    let mut first = show.animal(&jose, "0412");
    let more = [
        ("official_id", text("840003123456789")),
        ("prev_tags", Value::List(vec![text("A77"), text("B78")])),
        ("breed", text("Duroc")),
        ("name", text("Ñandú")),
        ("pen", text("B12")),
        ("official_weight_x10", Value::Int(2_655)),
        ("adg_x1000", Value::Int(1_500)),
        ("arrived_at", Value::Instant(at(5))),
    ];
    for (path, value) in more {
        first.values[first.table.index(path)] = value;
    }
    let second = show.animal(&reed, "1187");
    let mut untagged = show.animal(&reed, "");
    untagged.values[first.table.index("tag")] = Value::Null;
    let mut gone = show.animal(&reed, "0413");
    gone.deleted_at = Some(at(4));
    let (family, broken) = (show.class("10", "Market Hog"), show.class("11", "Market Hog 2"));
    let entry = |animal: &Record, class: Option<&Record>| {
        let values = [
            ("exhibitor_id", animal.value("exhibitor_id").clone()),
            ("animal_id", Value::Id(animal.id.0)),
            ("family_id", Value::Id(family.id.0)),
            ("class_id", class.map_or(Value::Null, |class| Value::Id(class.id.0))),
        ];
        show.record("entries", Uuid::now_v7(), &values)
    };
    let mut tx = db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&jose, &reed]).await.unwrap();
    records::save(&mut tx, &[&first, &second, &untagged, &gone]).await.unwrap();
    records::save(&mut tx, &[&family, &broken]).await.unwrap();
    records::save(&mut tx, &[&entry(&first, Some(&broken)), &entry(&second, None)]).await.unwrap();
    let op = show.op(first.id.0, 1);
    conflicts::save(&mut tx, &[open_clash(show, &first, op.id)]).await.unwrap();
    queue::add(&mut tx, &[op]).await.unwrap();
    tx.commit().await.unwrap();
    (show, first)
}

/// An open clash about the record.
pub(crate) fn open_clash(show: Show, record: &Record, op: showdesk_domain::ids::OpId) -> Conflict {
    let (row, author) = ((record.table, record.id), (show.device, show.person));
    Conflict {
        op_ids: vec![op],
        server_data: json!({}).as_object().cloned(),
        server_version: Version(1),
        contested: vec!["tag".to_owned()],
        ..Conflict::opened(ConflictId(Uuid::now_v7()), op, row, ConflictKind::UpdateUpdate, author, at(2))
    }
}

async fn an_animal_is_found_by_any_number_or_name(store: TestStore) {
    fill_barn(&store.db).await;
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let cases: &[(&str, &[&str])] = &[
        ("0412", &["0412"]),
        ("a77", &["0412"]),
        ("6789", &["0412"]),
        ("84000312", &["0412"]),
        ("214", &["0412"]),
        ("14", &[]),
        ("josé", &["0412"]),
        ("JOSÉ IBÁÑEZ", &["0412"]),
        ("ñANDÚ", &["0412"]),
        ("reed_1", &["1187", "-"]),
        ("joy reed", &["1187", "-"]),
        ("reed-1", &[]),
        ("100%", &["1187", "-"]),
        ("market hog 2", &["0412"]),
        ("hog", &["0412", "1187"]),
        ("  1187 ", &["1187"]),
        ("0413", &[]),
        ("\",", &[]),
        ("", &["0412", "1187", "-"]),
    ];
    for (search, expected) in cases {
        let wanted = of(search);
        let rows = entries::search(&mut tx, &wanted, (None, false), 0, 50).await.unwrap();
        let total = entries::total(&mut tx, &wanted).await.unwrap();
        assert_eq!(tags(&rows), *expected, "{search}");
        assert_eq!(usize::try_from(total).unwrap(), expected.len(), "{search}");
    }
}

async fn a_row_tells_all_that_the_list_shows(store: TestStore) {
    let (_, animal) = fill_barn(&store.db).await;
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let rows = entries::search(&mut tx, &of(""), (None, false), 0, 2).await.unwrap();
    assert_eq!((rows.len(), entries::total(&mut tx, &of("")).await.unwrap()), (2, 3));
    let expected = entries::EntryRow {
        animal_id: animal.id.0,
        version: 1,
        tag: Some("0412".to_owned()),
        official_id: Some("840003123456789".to_owned()),
        prev_tags: vec!["A77".to_owned(), "B78".to_owned()],
        species: "swine".to_owned(),
        sex: None,
        breed: Some("Duroc".to_owned()),
        pen: Some("B12".to_owned()),
        official_weight_x10: Some(2_655),
        adg_x1000: Some(1_500),
        arrived_at: Some(at(5)),
        exhibitor_id: animal.value("exhibitor_id").as_id().unwrap(),
        back_number: Some(214),
        exhibitor: "José Ibáñez".to_owned(),
        club_chapter: None,
        classes: vec!["Market Hog 2".to_owned()],
        class_code: Some("11".to_owned()),
        disputed: true,
        stage: Stage::Weighed,
    };
    assert_eq!(rows[0], expected);
    assert_eq!((rows[1].classes.as_slice(), rows[1].disputed), (&["Market Hog".to_owned()][..], false));
    let rest = entries::search(&mut tx, &of(""), (None, false), 2, 2).await.unwrap();
    assert_eq!((rest.len(), rest[0].tag.as_deref()), (1, None));
    assert_eq!(entries::one(&mut tx, animal.id.0).await.unwrap(), Some(expected));
    assert_eq!(entries::one(&mut tx, Uuid::now_v7()).await.unwrap(), None);
}

async fn a_list_is_narrowed_ordered_and_counted(store: TestStore) {
    let (_, animal) = fill_barn(&store.db).await;
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let exhibitor = animal.value("exhibitor_id").as_id();
    let narrowed: &[(Wanted, &[&str])] = &[
        (Wanted { narrow: Some(Narrow::NotArrived), ..of("") }, &["1187", "-"]),
        (Wanted { narrow: Some(Narrow::NotWeighed), ..of("") }, &["1187", "-"]),
        (Wanted { narrow: Some(Narrow::BeingChecked), ..of("") }, &["0412"]),
        (Wanted { narrow: Some(Narrow::OutOfRange), ..of("") }, &[]),
        (Wanted { narrow: Some(Narrow::Scratched), ..of("") }, &[]),
        (Wanted { narrow: Some(Narrow::NotArrived), ..of("1187") }, &["1187"]),
        (Wanted { exhibitor, ..of("") }, &["0412"]),
        (Wanted { class: Some(Uuid::now_v7()), ..of("") }, &[]),
        (Wanted { species: Some("goat".to_owned()), ..of("") }, &[]),
    ];
    for (wanted, expected) in narrowed {
        let rows = entries::search(&mut tx, wanted, (None, false), 0, 50).await.unwrap();
        assert_eq!(tags(&rows), *expected, "{wanted:?}");
        let total = entries::total(&mut tx, wanted).await.unwrap();
        assert_eq!(usize::try_from(total).unwrap(), expected.len(), "{wanted:?}");
    }
    for sort in Sort::ALL {
        for down in [false, true] {
            for narrow in [None, Some(Narrow::NotArrived)] {
                let wanted = Wanted { narrow, ..of("") };
                let rows = entries::search(&mut tx, &wanted, (Some(sort), down), 0, 50).await.unwrap();
                assert_eq!(rows.len(), if narrow.is_some() { 2 } else { 3 }, "{sort:?} {down}");
            }
        }
    }
    let by_weight = entries::search(&mut tx, &of(""), (Some(Sort::Weight), true), 0, 50).await.unwrap();
    assert_eq!(tags(&by_weight), ["0412", "1187", "-"]);
    let by_number = entries::search(&mut tx, &of(""), (Some(Sort::BackNumber), false), 0, 50).await.unwrap();
    assert_eq!(tags(&by_number), ["1187", "-", "0412"]);
    let counts = entries::counts(&mut tx, &of("")).await.unwrap();
    let swine = SpeciesCount { species: "swine".to_owned(), all: 3, narrowed: [2, 2, 1, 0, 0] };
    assert_eq!(counts, [swine]);
}

async fn a_weight_outside_of_its_class_and_an_animal_that_is_out_have_lists(store: TestStore) {
    let show = fill(&store.db).await;
    let jose = show.exhibitor(214, "José", "Ibáñez");
    let (mut heavy, out) = (show.animal(&jose, "0001"), show.animal(&jose, "0002"));
    heavy.values[heavy.table.index("official_weight_x10")] = Value::Int(3_001);
    let mut class = show.class("6", "Prospect");
    class.values[class.table.index("max_x10")] = Value::Int(3_000);
    let entry = |animal: &Record, out_reason: Value| {
        let values = [
            ("exhibitor_id", Value::Id(jose.id.0)),
            ("animal_id", Value::Id(animal.id.0)),
            ("family_id", Value::Id(class.id.0)),
            ("out_reason", out_reason),
        ];
        show.record("entries", Uuid::now_v7(), &values)
    };
    let entered = [entry(&heavy, Value::Null), entry(&out, text("scratch"))];
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&jose]).await.unwrap();
    records::save(&mut tx, &[&heavy, &out]).await.unwrap();
    records::save(&mut tx, &[&class]).await.unwrap();
    records::save(&mut tx, &entered.iter().collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    for (narrow, tag, stage) in
        [(Narrow::OutOfRange, "0001", Stage::OutOfRange), (Narrow::Scratched, "0002", Stage::Out)]
    {
        let wanted = Wanted { narrow: Some(narrow), ..of("") };
        let rows = entries::search(&mut tx, &wanted, (Some(Sort::Stage), false), 0, 50).await.unwrap();
        assert_eq!((tags(&rows), rows[0].stage), (vec![tag], stage));
    }
    let in_class = Wanted { class: Some(class.id.0), ..of("") };
    assert_eq!(entries::total(&mut tx, &in_class).await.unwrap(), 2);
}

async fn the_best_match_comes_first_and_is_counted(store: TestStore) {
    let show = fill(&store.db).await;
    let other = show.exhibitor(104, "Dee", "Lund");
    let jose = show.exhibitor(7, "José", "Ibáñez");
    let mut old = show.animal(&jose, "2210");
    old.values[old.table.index("prev_tags")] = Value::List(vec![text("1041")]);
    let mut official = show.animal(&jose, "3307");
    official.values[official.table.index("official_id")] = text("840003000006104");
    let animals = [
        show.animal(&jose, "1040"),
        show.animal(&jose, "9104"),
        show.animal(&jose, "104"),
        show.animal(&other, "0425"),
    ];
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&other, &jose]).await.unwrap();
    records::save(&mut tx, &animals.iter().chain([&old, &official]).collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let rows = entries::search(&mut tx, &of("104"), (None, false), 0, 50).await.unwrap();
    assert_eq!(tags(&rows), ["104", "0425", "9104", "1040", "2210", "3307"]);
    let hits = entries::hits(&mut tx, &of("104")).await.unwrap();
    let expected = [("tag", 3), ("back_number", 1), ("old_tag", 1), ("official_id", 1)];
    assert_eq!(hits, expected.into_iter().collect());
}

fn of(search: &str) -> Wanted {
    Wanted { text: search.to_owned(), ..Wanted::default() }
}

fn tags(rows: &[EntryRow]) -> Vec<&str> {
    rows.iter().map(|row| row.tag.as_deref().unwrap_or("-")).collect()
}

on_both_engines![TestStore::open =>
    an_animal_is_found_by_any_number_or_name,
    a_row_tells_all_that_the_list_shows,
    a_list_is_narrowed_ordered_and_counted,
    a_weight_outside_of_its_class_and_an_animal_that_is_out_have_lists,
    the_best_match_comes_first_and_is_counted,
];
