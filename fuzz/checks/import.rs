//! What must hold for any file that is brought in as entries. The fuzzer and an ordinary test both ask it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{RecordId, Version};
use showdesk_domain::import::{Choices, ExistingShow, ImportPlan, plan_chosen};
use showdesk_domain::op::{OpDraft, Operation};
use showdesk_domain::record::{Record, values_of};
use showdesk_domain::schema::known_table;
use uuid::Uuid;

/// Panics if the bytes make the reading of files do what it never may.
pub(crate) fn check(file: &[u8]) {
    let choices = Choices { may_lack_columns: true, ..Choices::default() };
    let Some(first) = plan(file, &choices, &[]) else { return };
    assert_eq!(plan(file, &choices, &[]).as_ref(), Some(&first), "the same twice");
    check_form(&first);
    let guessed: Vec<_> = first.header.iter().map(|cell| cell.column).collect();
    let said = Choices { columns: Some(guessed), ..choices.clone() };
    let again = plan(file, &said, &[]).expect("what was guessed can be chosen");
    assert_eq!((&again.ops, again.counts), (&first.ops, first.counts), "chosen as guessed, it is the same plan");
    let rows: Vec<Record> = first.ops.iter().map(written).collect();
    let second = plan(file, &choices, &rows).expect("it was readable before");
    assert_eq!(second.ops, [], "read again, it changes nothing");
    assert_eq!(second.counts.new, 0, "and nothing is new");
    assert_eq!(second.counts.error, first.counts.error, "and nothing that was good is wrong");
}

fn plan(file: &[u8], choices: &Choices, rows: &[Record]) -> Option<ImportPlan> {
    let mut next = 1_000 * (1 + rows.len() as u128);
    let mut ids = || {
        next += 1;
        Uuid::from_u128(next)
    };
    plan_chosen(file, choices, &ExistingShow::new(rows), &mut ids, now()).ok()
}

fn now() -> DateTime<Utc> {
    "2026-08-06T12:00:00Z".parse().expect("a time")
}

fn check_form(plan: &ImportPlan) {
    let counts = plan.counts;
    let rows = i64::try_from(plan.rows.len()).expect("files are bounded");
    let counted = counts.new + counts.changed + counts.same + counts.error + counts.left_out;
    assert_eq!(counted, rows, "each row counts once");
    assert!(counts.check <= rows && counts.left_out == 0);
    assert!(plan.rows.windows(2).all(|pair| pair[0].row < pair[1].row), "rows stand in the order of the file");
    for issue in &plan.issues {
        assert!(issue.row >= 1 && !issue.code.is_empty() && !issue.message.is_empty(), "{issue:?}");
    }
    assert!(plan.missing.is_empty() || plan.ops.is_empty(), "without its columns nothing is planned");
    for op in &plan.ops {
        assert!(!op.data.values().any(|value| value.to_string().contains("\\u0000")), "what is planned can be stored");
    }
}

/// The row that an insert makes. An empty show gets nothing else.
fn written(op: &OpDraft) -> Record {
    assert_eq!((op.operation, op.base_version), (Operation::Insert, 0), "an empty show has nothing to change");
    let table = known_table(op.table_name);
    let mut values = values_of(table, &op.data).expect("values of the schema");
    for (value, field) in values.iter_mut().zip(&table.fields) {
        if value.is_null() {
            *value = field.default.clone();
        }
        assert!(!(field.required && value.is_null()), "{} needs {}", table.name, field.path);
    }
    Record {
        table,
        id: RecordId(op.record_id),
        show_id: Uuid::from_u128(9),
        version: Version(1),
        created_at: now(),
        updated_at: now(),
        updated_by: None,
        device_id: None,
        deleted_at: None,
        values,
        provenance: BTreeMap::new(),
    }
}
