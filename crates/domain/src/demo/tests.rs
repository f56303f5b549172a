//! Counts, windows and uniqueness of the invented shows.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use super::*;
use crate::import::{ExistingShow, plan};
use crate::record::values_of;
use crate::schema::known_table;

const ENTRIES_FILE: &str = include_str!("../../../../tests/vectors/demo-entries.csv");

fn moment() -> DemoMoment {
    DemoMoment { at: "2026-08-06T12:00:00Z".parse().expect("a time"), person: Uuid::from_u128(7) }
}

fn of<'a>(ops: &'a [OpDraft], table: &'a str) -> impl Iterator<Item = &'a OpDraft> {
    ops.iter().filter(move |op| op.table_name == table)
}

fn counts(ops: &[OpDraft]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for op in ops {
        *counts.entry(op.table_name).or_insert(0) += 1;
    }
    counts
}

/// What every demo show must be, whatever its size.
fn check(ops: &[OpDraft]) {
    let mut rows: HashSet<(&str, Uuid)> = HashSet::new();
    let mut op_ids = HashSet::new();
    let mut unique: HashSet<(&str, String)> = HashSet::new();
    for op in ops {
        let table = known_table(op.table_name);
        let values = values_of(table, &op.data).expect("values of the schema");
        for (index, parent) in table.references() {
            if let Some(id) = values[index].as_id() {
                assert!(rows.contains(&(parent, id)), "{} comes before its {parent}", op.table_name);
            }
        }
        for (value, field) in values.iter().zip(&table.fields) {
            assert!(!(field.required && field.default.is_null() && value.is_null()), "{}.{}", table.name, field.path);
        }
        for rule in &table.uniques {
            let key: Vec<_> = rule.fields.iter().map(|index| &values[*index]).collect();
            if key.iter().all(|value| !value.is_null()) {
                assert!(unique.insert((rule.name, format!("{key:?}"))), "{} {key:?} twice", rule.name);
            }
        }
        assert!(rows.insert((table.name, op.record_id)), "{} made twice", table.name);
        assert!(op_ids.insert(op.op_id));
        assert_eq!(op.op_id.get_version_num(), 7);
    }
    for (field, cell) in [("back_number", 0), ("tag", 8), ("official_id", 9)] {
        let taken: HashSet<&str> =
            ENTRIES_FILE.lines().skip(1).map(|line| line.split(',').nth(cell).expect("a cell")).collect();
        for value in ops.iter().filter_map(|op| op.data.get(field)) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert!(!taken.contains(text.as_str()), "{field} {text} of the entries file is used");
        }
    }
    assert!(of(ops, "classes").any(|op| op.data["name"] == "Market Steer" && op.data["min_x10"] == 11_500));
    check_weights(ops);
}

fn check_weights(ops: &[OpDraft]) {
    let animals: BTreeMap<String, &OpDraft> = of(ops, "animals").map(|op| (op.record_id.to_string(), op)).collect();
    for op in of(ops, "weigh_ins") {
        let animal = animals[op.data["animal_id"].as_str().expect("an id")];
        let (low, high) = match (animal.data["species"].as_str(), animal.data["sex"].as_str()) {
            (Some("cattle"), Some("steer")) => (1_050, 1_550),
            (Some("cattle"), _) => (1_000, 1_550),
            (Some("swine"), _) => (220, 290),
            (Some("sheep"), _) => (100, 170),
            _ => (50, 110),
        };
        let weight = op.data["weight_x10"].as_i64().expect("a number");
        assert!((low * 10..=high * 10).contains(&weight), "{weight} of {:?}", animal.data["sex"]);
        assert_eq!(op.data["tag_read"], animal.data["tag"]);
        assert!(animal.data.contains_key("arrived_at"), "who is weighed has arrived");
    }
}

#[test]
fn the_county_show_has_exactly_its_counts() {
    let ops = county(moment());
    check(&ops);
    let counts = counts(&ops);
    let expected = [("exhibitors", 240), ("animals", 520), ("entries", 640), ("classes", 70), ("rings", 2)];
    for (table, count) in expected {
        assert_eq!(counts[table], count, "{table}");
    }
    assert!((234..=286).contains(&counts["weigh_ins"]), "about half the animals are weighed: {}", counts["weigh_ins"]);
    let with_animal: HashSet<String> = of(&ops, "animals").map(|op| op.data["exhibitor_id"].to_string()).collect();
    assert_eq!(with_animal.len(), 240, "every exhibitor has an animal");
    let entered: HashSet<String> = of(&ops, "entries").map(|op| op.data["family_id"].to_string()).collect();
    assert_eq!(entered.len(), 70, "every class is entered");
    let people: HashSet<String> =
        of(&ops, "exhibitors").map(|op| json!([op.data["first_name"], op.data["last_name"]]).to_string()).collect();
    assert_eq!(people.len(), 240);
}

#[test]
fn the_same_show_comes_out_every_time() {
    assert_eq!(county(moment()), county(moment()));
}

#[test]
fn the_small_show_is_small() {
    let ops = small(moment());
    check(&ops);
    let counts = counts(&ops);
    assert_eq!((counts["exhibitors"], counts["animals"], counts["entries"]), (28, 60, 72));
}

#[test]
fn the_expo_has_its_mix() {
    let ops = expo(moment());
    check(&ops);
    assert_eq!(counts(&ops)["animals"], 21_000);
    let heads = |sex: &str| of(&ops, "animals").filter(|op| op.data["sex"] == sex).count();
    assert_eq!(heads("steer"), 780, "723 of 19,477 in 21,000");
    assert_eq!(heads("heifer"), 2_011);
    assert_eq!(heads("gilt"), 6_210);
    assert_eq!(heads("barrow"), 6_308);
    assert_eq!(heads("doe"), 1_326);
}

#[test]
fn the_entries_file_fits_into_the_county_show() {
    let ops = county(moment());
    let rows = crate::import::in_memory(&ops);
    let mut next = 0;
    let mut ids = || {
        next += 1;
        Uuid::from_u128(next)
    };
    let plan =
        plan(ENTRIES_FILE.as_bytes(), &ExistingShow::new(&rows), &mut ids, moment().at).expect("a readable file");
    assert_eq!((plan.counts.new, plan.counts.changed, plan.counts.same), (11, 0, 0));
    let below: Vec<usize> =
        plan.issues.iter().filter(|issue| issue.code == "below_minimum").map(|issue| issue.row).collect();
    assert_eq!(below, [11]);
    assert!(!plan.issues.iter().any(|issue| issue.code == "above_maximum"));
}
