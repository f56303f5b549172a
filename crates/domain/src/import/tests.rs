//! The demo file of DOMAIN.md §9 to the letter, and files that mean no good.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::*;
use crate::ids::{RecordId, Version, natural_id};
use crate::op::Operation;
use crate::record::{Record, values_of};
use crate::schema::known_table;
use crate::value::Value;

const DEMO: &[u8] = include_bytes!("../../../../tests/vectors/demo-entries.csv");
const HEADER: &str = "back_number,first_name,last_name,species,sex,tag,official_id,weight,class";

fn now() -> DateTime<Utc> {
    "2026-08-06T12:00:00Z".parse().expect("a time")
}

fn counter(start: u128) -> impl FnMut() -> Uuid {
    let mut next = start;
    move || {
        next += 1;
        Uuid::from_u128(next)
    }
}

/// The rows that these ops make.
pub(crate) fn in_memory(ops: &[OpDraft]) -> Vec<Record> {
    let mut rows = Rows::default();
    rows.write(ops);
    rows.0
}

/// Rows in memory, written as the engine would.
#[derive(Default)]
struct Rows(Vec<Record>);

impl Rows {
    fn with_market_steer() -> Self {
        let mut rows = Self::default();
        let data = json!({"name": "Market Steer", "department": "cattle", "kind": "market", "min_x10": 11_500});
        rows.write(&[slot::insert(
            Uuid::from_u128(1),
            "classes",
            Uuid::from_u128(2),
            data.as_object().expect("one").clone(),
        )]);
        rows
    }

    fn write(&mut self, ops: &[OpDraft]) {
        for op in ops {
            let table = known_table(op.table_name);
            if op.operation == Operation::Insert {
                let mut values = values_of(table, &op.data).expect("values of the schema");
                for (value, field) in values.iter_mut().zip(&table.fields) {
                    if value.is_null() {
                        *value = field.default.clone();
                    }
                    assert!(!(field.required && value.is_null()), "{} needs {}", table.name, field.path);
                }
                self.0.push(record(op, values));
            } else {
                let row = self.0.iter_mut().find(|row| row.id.0 == op.record_id).expect("the row is there");
                assert_eq!(row.version.0, op.base_version, "an update carries the version it was planned on");
                row.version = row.version.next();
                for (path, json) in &op.data {
                    let index = table.index(path);
                    assert_eq!(op.base.as_ref().expect("an update carries base")[path], row.values[index].to_json());
                    row.values[index] = table.fields[index].kind.decode(json).expect("a value of the schema");
                }
            }
        }
    }

    fn plan(&self, file: &[u8]) -> ImportPlan {
        plan(file, &ExistingShow::new(&self.0), &mut counter(1_000 * (1 + self.0.len() as u128)), now())
            .expect("a readable file")
    }

    fn import(&mut self, file: &[u8]) -> ImportPlan {
        let plan = self.plan(file);
        self.write(&plan.ops);
        plan
    }

    fn count(&self, table: &str) -> usize {
        self.0.iter().filter(|row| row.table.name == table).count()
    }

    fn animal(&self, tag: &str) -> &Record {
        self.0
            .iter()
            .find(|row| row.table.name == "animals" && row.value("tag").as_text() == Some(tag))
            .expect("an animal")
    }
}

fn record(op: &OpDraft, values: Vec<Value>) -> Record {
    Record {
        table: known_table(op.table_name),
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

fn lines_with(plan: &ImportPlan, code: &str) -> Vec<usize> {
    plan.issues.iter().filter(|issue| issue.code == code).map(|issue| issue.row).collect()
}

fn one_row(cells: &str) -> ImportPlan {
    Rows::default().plan(format!("{HEADER}\n{cells}\n").as_bytes())
}

#[test]
fn the_demo_file_gives_the_expected_counts_and_reports() {
    let mut rows = Rows::with_market_steer();
    let plan = rows.import(DEMO);
    assert_eq!((plan.counts.new, plan.counts.changed, plan.counts.same), (11, 0, 0));
    let written: Vec<(&str, i64)> = plan.written().into_iter().collect();
    assert_eq!(written, [("animals", 11), ("classes", 5), ("entries", 11), ("exhibitors", 10), ("weigh_ins", 9)]);
    let errors: Vec<_> = plan.issues.iter().filter(|issue| issue.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].row, errors[0].column, errors[0].code), (13, Some("tag"), "duplicate_tag"));
    assert_eq!(errors[0].message, "Tag 1187 is already on another animal in line 3.");
    assert_eq!(lines_with(&plan, "below_minimum"), [11]);
    assert_eq!(lines_with(&plan, "missing_official_id"), [7, 8, 9, 12]);
    assert_eq!(lines_with(&plan, "missing_start_weight"), [3, 4, 6, 7, 8, 9, 10, 12]);
    assert_eq!(plan.issues.len(), 14, "{:?}", plan.issues);
    assert_eq!(rows.count("weigh_ins"), 9);
    assert_eq!(rows.animal("0420").value("init_weight_x10"), &Value::Int(6_900));
}

#[test]
fn entries_have_the_id_two_phones_would_give_them() {
    let mut rows = Rows::with_market_steer();
    rows.import(DEMO);
    let animal = rows.animal("0412").id.0;
    let entry = natural_id(Uuid::from_u128(2), animal);
    assert!(rows.0.iter().any(|row| row.table.name == "entries" && row.id.0 == entry));
}

#[test]
fn the_same_file_again_changes_nothing() {
    let mut rows = Rows::with_market_steer();
    rows.import(DEMO);
    let again = rows.plan(DEMO);
    assert_eq!((again.counts.new, again.counts.changed, again.counts.same), (0, 0, 11));
    assert_eq!(again.ops, []);
}

#[test]
fn a_changed_weight_replaces_the_one_before_and_the_old_file_then_brings_it_back() {
    let mut rows = Rows::with_market_steer();
    rows.import(DEMO);
    let changed = String::from_utf8_lossy(DEMO).replace(",1262,", ",1265.5,");
    let plan = rows.import(changed.as_bytes());
    assert_eq!((plan.counts.new, plan.counts.changed, plan.counts.same), (0, 1, 10));
    assert_eq!(plan.ops.len(), 1);
    assert_eq!(plan.ops[0].data["kind"], "reweigh");
    assert_eq!(plan.ops[0].data["weight_x10"], 12_655);
    assert_eq!(plan.rows[0].changes["weight_x10"], json!([12_620, 12_655]));
    assert_eq!(rows.plan(changed.as_bytes()).ops, [], "the chain's end is what counts");
    let back = rows.import(DEMO);
    assert_eq!(back.ops[0].data["replaces_id"], json!(plan.ops[0].record_id));
}

#[test]
fn a_weight_taken_at_the_show_is_believed() {
    let mut rows = Rows::with_market_steer();
    rows.import(DEMO);
    let animal = rows.animal("2210").id.0;
    let data = json!({"animal_id": animal, "kind": "arrival", "weight_x10": 1_210, "source": "scale"});
    rows.write(&[slot::insert(
        Uuid::from_u128(50),
        "weigh_ins",
        Uuid::from_u128(51),
        data.as_object().expect("one").clone(),
    )]);
    let file = String::from_utf8_lossy(DEMO).replace("2210,,,,,", "2210,,,,119,");
    let plan = rows.plan(file.as_bytes());
    assert_eq!(lines_with(&plan, "already_weighed"), [9]);
    assert_eq!(plan.ops, []);
}

#[test]
fn changed_cells_are_updates_with_their_base() {
    let mut rows = Rows::with_market_steer();
    rows.import(DEMO);
    let file = String::from_utf8_lossy(DEMO)
        .replace("Suffolk cross,2203,,", "Suffolk,2203,840003100002203,")
        .replace("Ben,Osei,Cedar Creek", "Ben,Osei,River Bend");
    let plan = rows.import(file.as_bytes());
    assert_eq!((plan.counts.new, plan.counts.changed, plan.counts.same), (0, 2, 9));
    assert_eq!(plan.rows[5].changes["breed"], json!(["Suffolk cross", "Suffolk"]));
    assert_eq!(plan.rows[2].changes["club_chapter"], json!(["Cedar Creek", "River Bend"]));
    assert_eq!(rows.animal("2203").value("official_id").as_text(), Some("840003100002203"));
}

#[test]
fn one_animal_may_stand_in_two_classes() {
    let file = format!(
        "{HEADER}\n7,Ann,Oak,swine,barrow,55,,252,Market Hog\n7,Ann,Oak,swine,barrow,55,,252,County Hog\n7,Ann,Oak,swine,barrow,55,,252,Market Hog\n7,Ann,Oak,swine,gilt,55,,252,Other Hog\n"
    );
    let plan = Rows::default().plan(file.as_bytes());
    let written: Vec<(&str, i64)> = plan.written().into_iter().collect();
    assert_eq!(written, [("animals", 1), ("classes", 2), ("entries", 2), ("exhibitors", 1), ("weigh_ins", 1)]);
    assert_eq!(lines_with(&plan, "duplicate_row"), [4]);
    assert_eq!(lines_with(&plan, "contradicts_row"), [5]);
}

#[test]
fn rows_that_contradict_who_owns_what_are_left_out() {
    let file = format!(
        "{HEADER}\n7,Ann,Oak,swine,barrow,55,,,Hogs\n7,Bea,Oak,swine,gilt,56,,,Hogs\n8,Cy,Elm,swine,barrow,55,,,Hogs\n9,,Elm,swine,barrow,57,,,Hogs\n"
    );
    let plan = Rows::default().plan(file.as_bytes());
    assert_eq!(plan.counts.new, 1);
    let errors: Vec<_> =
        plan.issues.iter().filter(|i| i.severity == Severity::Error).map(|i| (i.row, i.code)).collect();
    assert_eq!(errors, [(3, "contradicts_row"), (4, "other_exhibitor"), (5, "required")]);
    assert_eq!(plan.written()["exhibitors"], 1, "an exhibitor of rows with errors only is not made");
}

#[test]
fn hostile_cells_are_reported_or_stored_as_they_are() {
    let code_of = |cells: &str| {
        let plan = one_row(cells);
        plan.issues.iter().find(|issue| issue.severity == Severity::Error).map(|issue| (issue.column, issue.code))
    };
    assert_eq!(code_of("1,Ann,Oak,swine,gilt,55,,\"12,5\",Hogs"), Some((Some("weight"), "invalid_number")));
    assert_eq!(code_of("1,Ann,Oak,swine,gilt,55,,½,Hogs"), Some((Some("weight"), "invalid_number")));
    assert_eq!(code_of("1,Ann,Oak,swine,gilt,55,,0,Hogs"), Some((Some("weight"), "out_of_range")));
    assert_eq!(code_of("1,Ann,Oak,swine,gilt,55,,99999,Hogs"), Some((Some("weight"), "out_of_range")));
    assert_eq!(code_of("1,Ann\0,Oak,swine,gilt,55,,250,Hogs"), Some((Some("first_name"), "invalid_character")));
    assert_eq!(code_of("1,Ann,Oak,llama,gilt,55,,250,Hogs"), Some((Some("species"), "out_of_range")));
    assert_eq!(code_of("1,Ann,Oak,swine,gilt,,,250,Hogs"), Some((Some("tag"), "required")));
    assert_eq!(code_of("one,Ann,Oak,swine,gilt,55,,250,Hogs"), Some((Some("back_number"), "invalid_number")));
    assert_eq!(code_of("1,Ann,Oak,swine,gilt,55,,250"), Some((None, "ragged_row")));
    assert_eq!(code_of("1,Ann,Oak,swine,gilt,55,,250,Hogs,more"), Some((None, "ragged_row")));
    assert_eq!(code_of("1,Ann,Oak,swine,gilt,55,,250,Hogs,,"), None, "blank cells at the end do no harm");
    let huge = "x".repeat(2_000_000);
    assert_eq!(code_of(&format!("1,{huge},Oak,swine,gilt,55,,250,Hogs")), Some((Some("first_name"), "too_large")));
    let formula = one_row("1,\"=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",Oak,swine,gilt,55,,250,Hogs");
    assert_eq!(formula.ops[1].data["first_name"], "=HYPERLINK(\"http://x\",\"y\")");
}

#[test]
fn a_day_that_does_not_exist_is_told() {
    let file = "number,first,last,species,tag,class,initial date\n1,Ann,Oak,swine,55,Hogs,2027-02-29\n";
    assert_eq!(lines_with(&Rows::default().plan(file.as_bytes()), "invalid_time"), [2]);
}

#[test]
fn other_programs_write_other_files_of_the_same_entries() {
    let expected = Rows::with_market_steer().plan(DEMO);
    let text = String::from_utf8_lossy(DEMO);
    let utf16: Vec<u8> = ["\u{feff}", &text].concat().encode_utf16().flat_map(u16::to_le_bytes).collect();
    for file in [text.replace(',', ";").into_bytes(), text.replace(',', "\t").replace('\n', "\r\n").into_bytes(), utf16]
    {
        assert_eq!(Rows::with_market_steer().plan(&file), expected);
    }
}

#[test]
fn an_entry_deleted_at_the_desk_stays_deleted() {
    let mut rows = Rows::with_market_steer();
    rows.import(DEMO);
    let entry = rows.0.iter_mut().find(|row| row.table.name == "entries").expect("an entry");
    entry.deleted_at = Some(now());
    let plan = rows.plan(DEMO);
    assert_eq!((lines_with(&plan, "entry_deleted").len(), plan.ops.len()), (1, 0));
}

#[test]
fn a_tag_that_moved_within_the_file_is_free() {
    let mut rows = Rows::default();
    rows.import(format!("{HEADER}\n7,Ann,Oak,swine,barrow,55,840003100000001,,Hogs\n").as_bytes());
    let file = format!(
        "{HEADER}\n7,Ann,Oak,swine,barrow,56,840003100000001,,Hogs\n7,Ann,Oak,swine,barrow,55,840003100000002,,Hogs\n"
    );
    let plan = rows.import(file.as_bytes());
    assert_eq!((plan.counts.new, plan.counts.changed, plan.counts.same), (1, 1, 0));
    assert_eq!(rows.animal("55").value("official_id"), &Value::Text("840003100000002".into()));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(file in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = plan(&file, &ExistingShow::new([]), &mut counter(0), now());
    }

    #[test]
    fn no_text_under_a_good_header_makes_it_panic(body in "[ -~½\"\n,;\t]{0,400}") {
        let file = format!("{HEADER}\n{body}");
        let _ = plan(file.as_bytes(), &ExistingShow::new([]), &mut counter(0), now());
    }

    /// Few numbers and many rows, so that they meet: what is planned fits the schema, and twice is once.
    #[test]
    fn a_file_imported_again_changes_nothing(rows_of_file in proptest::collection::vec(row(), 1..12)) {
        let file = format!("{HEADER}\n{}\n", rows_of_file.join("\n"));
        let mut rows = Rows::default();
        let first = rows.import(file.as_bytes());
        let again = rows.plan(file.as_bytes());
        prop_assert_eq!(&again.ops, &vec![]);
        prop_assert_eq!(again.counts.same, first.counts.new, "no row turns into an error, and none out of one");
    }
}

fn row() -> impl Strategy<Value = String> {
    let words = |words: &'static [&'static str]| proptest::sample::select(words);
    (
        words(&["1", "2", "3"]),
        words(&["Ann", "Ann", "Ann", "Bea"]),
        words(&["swine", "swine", "cattle"]),
        words(&["", "41", "42", "43"]),
        words(&["", "840003100000041", "840003100000042"]),
        words(&["", "250", "251.5", "x"]),
        words(&["Market Hog", "Hogs", ""]),
    )
        .prop_map(|(number, first, species, tag, official_id, weight, class)| {
            format!("{number},{first},Oak,{species},gilt,{tag},{official_id},{weight},{class}")
        })
}

#[test]
fn states_add_up_to_the_rows() {
    let plan = Rows::with_market_steer().plan(DEMO);
    let errors = plan.rows.iter().filter(|row| row.state == RowState::Error).count();
    assert_eq!(plan.rows.len(), 12);
    assert_eq!(errors, 1);
    assert_eq!(plan.rows[0].data["tag"], Json::from("0412"));
}

fn chosen(file: &str, choices: &Choices) -> ImportPlan {
    let rows = Rows::with_market_steer();
    let show = ExistingShow::new(&rows.0);
    plan_chosen(file.as_bytes(), choices, &show, &mut counter(1_000), now()).expect("a plan")
}

#[test]
fn a_row_that_is_left_out_plans_nothing_and_frees_what_it_took() {
    let text = String::from_utf8(DEMO.to_vec()).expect("UTF-8");
    let duplicate = chosen(&text, &Choices::default());
    assert_eq!((duplicate.counts.new, duplicate.counts.error, duplicate.counts.left_out), (11, 1, 0));
    let without_first = Choices { left_out: [3].into(), ..Choices::default() };
    let plan = chosen(&text, &without_first);
    assert_eq!((plan.counts.new, plan.counts.error, plan.counts.left_out), (11, 0, 1));
    assert_eq!(plan.rows[1].state, RowState::LeftOut);
    assert!(plan.issues.iter().all(|issue| issue.row != 3), "nothing is to be said about it");
}

#[test]
fn a_cell_that_was_put_right_is_read_in_place_of_the_file() {
    let text = String::from_utf8(DEMO.to_vec()).expect("UTF-8");
    let mended = Choices { fixes: [((13, Column::Tag), "1186".to_owned())].into(), ..Choices::default() };
    let plan = chosen(&text, &mended);
    assert_eq!((plan.counts.new, plan.counts.error), (12, 0));
    assert_eq!(plan.rows[11].data["tag"], "1186");
    let worse = Choices { fixes: [((2, Column::Weight), "heavy".to_owned())].into(), ..Choices::default() };
    assert_eq!(chosen(&text, &worse).rows[0].state, RowState::Error);
}

#[test]
fn a_file_with_strange_headers_is_planned_once_its_columns_are_matched() {
    let file = "Nr,Vor,Nach,Art,Marke,Klasse\n101,Ada,Reyes,swine,0412,Market Hog\n";
    let rows = Rows::with_market_steer();
    let show = ExistingShow::new(&rows.0);
    let plain = plan(file.as_bytes(), &show, &mut counter(1), now());
    assert!(matches!(plain, Err(FileError::MissingColumns(missing)) if missing.len() == 4));
    let begun = chosen(file, &Choices { may_lack_columns: true, ..Choices::default() });
    assert_eq!((begun.rows.len(), begun.ops.len(), begun.missing.len()), (0, 0, 4));
    assert_eq!(
        (begun.header[4].title.as_str(), begun.header[4].samples.as_slice()),
        ("Marke", &["0412".to_owned()][..])
    );
    let names = ["back_number", "first_name", "last_name", "species", "tag", "class_code"];
    let columns = Some(names.map(Column::parse).to_vec());
    let matched = chosen(file, &Choices { columns, ..Choices::default() });
    assert_eq!((matched.counts.new, matched.missing.len(), matched.issues.len()), (1, 0, 2));
    assert_eq!(matched.counts.check, 1, "it has warnings");
}
