//! The feed's changes as the database puts their texts together.

use serde_json::{Value as Json, json};
use showdesk_domain::actor::ReadClass;
use showdesk_domain::ids::{RecordId, Seq, Version};
use showdesk_domain::record::ChangeRow;
use showdesk_domain::schema::{Table, known_table, tables};
use showdesk_store::changes;
use showdesk_store::db::Seat;
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::at;

fn animal(seq: i64, id: u128) -> ChangeRow {
    ChangeRow {
        table: known_table("animals"),
        record_id: RecordId(Uuid::from_u128(id)),
        seq: Seq(seq),
        version: Version(3),
        deleted: false,
        changed_by: None,
        op_id: None,
        public: true,
        ever_public: true,
        disputed: Vec::new(),
        data: r#"{"tag":"9\"1","note":"shy"}"#.to_owned(),
        data_staff: Some(r#"{"tag":"9\"1"}"#.to_owned()),
        data_public: None,
    }
}

async fn a_change_is_one_text_without_its_closing_brace(store: TestStore) {
    let disputed = ChangeRow { disputed: vec!["pen".to_owned(), "tag".to_owned()], ..animal(2, 2) };
    let rows = [
        animal(1, 1),
        disputed.clone(),
        ChangeRow { deleted: true, ..disputed.clone() },
        ChangeRow { version: Version(0), deleted: true, data: "{}".to_owned(), ..animal(4, 4) },
        ChangeRow { data_staff: None, ..animal(5, 5) },
    ];
    let rows: Vec<ChangeRow> = (1..).zip(rows).map(|(seq, row)| numbered(seq, row)).collect();
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    changes::save_each(&mut tx, &rows, ChangeRow::clone, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let every: Vec<&'static Table> = tables().iter().collect();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let (office, staff) = (json!({"tag": "9\"1", "note": "shy"}), json!({"tag": "9\"1"}));
    for (class, data, whole) in [(ReadClass::Office, &office, &office), (ReadClass::Staff, &staff, &office)] {
        let texts = changes::page_texts(&mut tx, class, Seq(0), Seq(9), &every, 9).await.unwrap();
        let read = |text: &String| serde_json::from_str::<Json>(&format!("{text}}}")).unwrap();
        let told: Vec<Json> = texts.iter().map(|change| read(&change.text)).collect();
        let change = |seq: u128, version: i64, op: &str, data: &Json| {
            json!({"seq": seq, "table_name": "animals", "record_id": Uuid::from_u128(seq), "version": version, "op": op,
                   "data": data})
        };
        let nothing = Json::Null;
        assert_eq!(
            told,
            [
                change(1, 3, "upsert", data),
                change(2, 3, "upsert", data),
                change(3, 3, "delete", &nothing),
                change(4, 0, "revoke", &nothing),
                change(5, 3, "upsert", whole),
            ]
        );
        assert_eq!(texts.iter().map(|change| change.seq.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        let named = texts.iter().map(|change| change.disputed.clone().map(|(table, fields)| (table.name, fields)));
        let expected = Some(("animals", disputed.disputed.clone()));
        assert_eq!(named.collect::<Vec<_>>(), [None, expected, None, None, None], "only of rows that are there");
    }
}

async fn texts_are_paged_as_rows_are(store: TestStore) {
    let rows: Vec<ChangeRow> = (1..=9).map(|seq| animal(seq, seq.unsigned_abs().into())).collect();
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    changes::save(&mut tx, &rows, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let (animals, rings) = (known_table("animals"), known_table("rings"));
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    for (after, up_to, tables, limit, expected) in [
        (3, 7, vec![animals, rings], 2, vec![4, 5]),
        (3, 4, vec![animals], 9, vec![4]),
        (0, 9, vec![rings], 9, vec![]),
        (0, 9, vec![], 9, vec![]),
    ] {
        let page =
            changes::page_texts(&mut tx, ReadClass::Staff, Seq(after), Seq(up_to), &tables, limit).await.unwrap();
        assert_eq!(page.iter().map(|change| change.seq.0).collect::<Vec<i64>>(), expected);
    }
}

fn numbered(seq: i64, row: ChangeRow) -> ChangeRow {
    ChangeRow { seq: Seq(seq), record_id: RecordId(Uuid::from_u128(seq.unsigned_abs().into())), ..row }
}

on_both_engines![TestStore::open =>
    a_change_is_one_text_without_its_closing_brace,
    texts_are_paged_as_rows_are,
];
