//! Values the desk works out itself: official weight, rate of gain, class status (DOMAIN.md §3, §1).
//!
//! Each function takes the rows it depends on and gives the value; who stores it is not its concern.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::ids::RecordId;
use crate::record::Record;
use crate::value::Value;

/// The weigh-in that counts: the last of the arrival/reweigh chain whose links are `replaces_id`.
///
/// A voided weigh-in never counts, but what replaced it does, and so does its chain's part before it. Of several
/// chains that nothing links, the one accepted first stays official until a person decides (rule C1); one whose end
/// was voided comes after those that stand to the end, or a decision against a re-weigh would bring back the weight
/// that it had replaced. `declared` tells whether declared weights count.
pub fn official_weigh_in<'a>(weigh_ins: &[&'a Record], declared: bool) -> Option<&'a Record> {
    let counts = |record: &&Record| {
        let kind = record.value("kind").as_text().unwrap_or_default();
        record.is_live() && (matches!(kind, "arrival" | "reweigh") || (declared && kind == "declared"))
    };
    let mut rows: Vec<&Record> = weigh_ins.iter().copied().filter(counts).collect();
    rows.sort_by_key(|record| (record.created_at, record.id));
    let chains = Chains::of(&rows);
    let ends: Vec<End> = chains.roots.iter().filter_map(|root| chains.end(root)).collect();
    let whole = ends.iter().find(|end| !end.fell_back);
    whole.or(ends.first()).map(|end| end.record)
}

/// Weigh-ins by what they replace.
struct Chains<'a> {
    roots: Vec<&'a Record>,
    next: HashMap<Uuid, Vec<&'a Record>>,
    /// Those that are not void, and what leads to them.
    alive: HashSet<RecordId>,
}

/// Where a chain ends that is not void as a whole.
struct End<'a> {
    record: &'a Record,
    /// What had replaced it is void.
    fell_back: bool,
}

impl<'a> Chains<'a> {
    fn of(rows: &[&'a Record]) -> Self {
        let by_id: HashMap<Uuid, &Record> = rows.iter().map(|row| (row.id.0, *row)).collect();
        let before = |row: &Record| row.value("replaces_id").as_id().and_then(|id| by_id.get(&id).copied());
        let (mut roots, mut next) = (Vec::new(), HashMap::<Uuid, Vec<&Record>>::new());
        for row in rows {
            match before(row) {
                Some(replaced) => next.entry(replaced.id.0).or_default().push(row),
                None => roots.push(*row),
            }
        }
        let mut alive = HashSet::new();
        for row in rows.iter().filter(|row| row.value("voided_at").is_null()) {
            let mut step = Some(*row);
            // What is marked already has its way to the root marked; a ring of links ends here too.
            while let Some(row) = step.filter(|row| alive.insert(row.id)) {
                step = before(row);
            }
        }
        Self { roots, next, alive }
    }

    /// None if the whole chain is void.
    fn end(&self, root: &'a Record) -> Option<End<'a>> {
        let mut record = Some(root).filter(|root| self.alive.contains(&root.id))?;
        loop {
            let next = self.next.get(&record.id.0).map_or(&[][..], Vec::as_slice);
            match next.iter().find(|row| self.alive.contains(&row.id)) {
                Some(row) => record = row,
                None => return Some(End { record, fell_back: !next.is_empty() }),
            }
        }
    }
}

/// Rate of gain in thousandths of the unit a day, rounded to the nearest.
///
/// `None` where a weight or a day is missing or the days do not go forward: a blank is blank, never zero.
pub fn rate_of_gain_x1000(
    start_x10: Option<i64>,
    start_on: Option<NaiveDate>,
    end_x10: Option<i64>,
    end_on: Option<NaiveDate>,
) -> Option<i64> {
    let days = (end_on? - start_on?).num_days();
    if days <= 0 {
        return None;
    }
    let gain_x1000 = (end_x10? - start_x10?) * 100;
    let half = if gain_x1000 < 0 { -days / 2 } else { days / 2 };
    Some((gain_x1000 + half) / days)
}

/// The day of a moment where the show is; UTC if the zone's name is unknown.
pub fn local_day(at: DateTime<Utc>, timezone: &str) -> NaiveDate {
    let zone: Tz = timezone.parse().unwrap_or(Tz::UTC);
    at.with_timezone(&zone).date_naive()
}

/// Where a class stands, from its own marks, its calls and whether its card is posted.
pub fn class_status(class: &Record, calls: &[&Record], has_card: bool) -> &'static str {
    if !class.value("official_at").is_null() {
        return "official";
    }
    match class.value("side_state").as_text() {
        Some("cancelled") => return "cancelled",
        Some("combined_into") => return "combined_into",
        _ => {}
    }
    let mut calls: Vec<&Record> = calls.iter().copied().filter(|call| call.is_live()).collect();
    calls.sort_by_key(|call| (call.created_at, call.id));
    let mut status = "scheduled";
    let mut held = class.value("side_state").as_text() == Some("hold");
    for call in calls {
        match call.value("kind").as_text().unwrap_or_default() {
            "up_next" | "call_1" | "call_2" | "final_call" if status == "scheduled" => status = "make_ready",
            "in_ring" => status = "in_ring",
            "judged" => status = "judged",
            "hold" => held = true,
            "resume" => held = false,
            "cancel" => return "cancelled",
            _ => {}
        }
    }
    match (has_card, held) {
        (true, _) => "judged",
        (false, true) => "hold",
        (false, false) => status,
    }
}

/// The class that is in a ring now: the last one called in that was not judged since.
pub fn ring_now(calls_of_ring: &[&Record]) -> Value {
    let mut calls: Vec<&Record> = calls_of_ring.iter().copied().filter(|call| call.is_live()).collect();
    calls.sort_by_key(|call| (call.created_at, call.id));
    let mut now = Value::Null;
    for call in calls {
        let class = call.value("class_id");
        match call.value("kind").as_text() {
            Some("in_ring") => now = class.clone(),
            Some("judged" | "cancel") if *class == now => now = Value::Null,
            _ => {}
        }
    }
    now
}

/// The earlier tags of an animal after its tag changes: newest last, each once, never the present one.
pub fn previous_tags(before: &Value, old_tag: &Value, new_tag: &Value) -> Value {
    let mut tags = match before {
        Value::List(tags) => tags.clone(),
        _ => Vec::new(),
    };
    tags.retain(|tag| tag != old_tag && tag != new_tag);
    if !old_tag.is_null() {
        tags.push(old_tag.clone());
    }
    if tags.is_empty() { Value::Null } else { Value::List(tags) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::record;
    use chrono::TimeZone;
    use serde_json::json;

    fn row(table: &str, number: u128, data: &serde_json::Value) -> Record {
        let at = Utc.timestamp_millis_opt(i64::try_from(number).expect("small")).single().expect("a time");
        Record { created_at: at, updated_at: at, ..record(table, number, data) }
    }

    fn official(rows: &[Record]) -> Option<u128> {
        official_weigh_in(&rows.iter().collect::<Vec<_>>(), false).map(|record| record.id.0.as_u128())
    }

    #[test]
    fn the_last_of_the_chain_is_official_whatever_the_times() {
        let first = row("weigh_ins", 1, &json!({"kind": "arrival", "weight_x10": 12_620}));
        let second = row(
            "weigh_ins",
            2,
            &json!({"kind": "reweigh", "weight_x10": 12_640, "replaces_id": first.id.0.to_string()}),
        );
        let unlinked = row("weigh_ins", 3, &json!({"kind": "arrival", "weight_x10": 12_260}));
        assert_eq!(official(&[first.clone(), second.clone(), unlinked.clone()]), Some(2));
        assert_eq!(official(&[unlinked, second, first]), Some(2));
        assert_eq!(official(&[]), None);
    }

    #[test]
    fn a_void_weigh_in_never_counts() {
        let void =
            row("weigh_ins", 1, &json!({"kind": "arrival", "weight_x10": 1, "voided_at": "2026-08-07T09:00:00Z"}));
        let again =
            row("weigh_ins", 2, &json!({"kind": "reweigh", "weight_x10": 2, "replaces_id": void.id.0.to_string()}));
        assert_eq!(official(&[void.clone(), again]), Some(2));
        assert_eq!(official(&[void]), None);
    }

    #[test]
    fn what_replaced_a_void_weigh_in_counts_and_a_decision_brings_no_older_one_back() {
        let weigh = |number, replaces: Option<&Record>, void: bool| {
            let mut data = json!({"kind": "arrival", "weight_x10": 10});
            if let Some(replaces) = replaces {
                data["replaces_id"] = json!(replaces.id.0.to_string());
            }
            if void {
                data["voided_at"] = json!("2026-08-07T09:00:00Z");
            }
            row("weigh_ins", number, &data)
        };
        let thursday = weigh(1, None, false);
        let again = weigh(2, Some(&thursday), true);
        let phone = weigh(3, None, false);
        assert_eq!(official(&[thursday.clone(), again.clone()]), Some(1), "the re-weigh was a mistake");
        assert_eq!(official(&[thursday.clone(), again.clone(), phone.clone()]), Some(3), "the phone's was chosen");
        let typed = weigh(4, Some(&weigh(3, None, true)), false);
        assert_eq!(official(&[thursday.clone(), again.clone(), weigh(3, None, true), typed]), Some(4));
        let third = weigh(5, Some(&again), false);
        assert_eq!(official(&[thursday.clone(), again, third]), Some(5), "it replaced what is void");
        let (other, fork) = (weigh(6, Some(&thursday), true), weigh(7, Some(&thursday), false));
        assert_eq!(official(&[thursday, other, fork]), Some(7));
    }

    #[test]
    fn the_golden_rate_of_gain() {
        let start = NaiveDate::from_ymd_opt(2026, 2, 2);
        let end = start.map(|day| day + chrono::Days::new(186));
        assert_eq!(rate_of_gain_x1000(Some(7_000), start, Some(7_000 + 2_790), end), Some(1_500));
        assert_eq!(rate_of_gain_x1000(None, start, Some(9_790), end), None);
        assert_eq!(rate_of_gain_x1000(Some(7_000), start, Some(9_790), start), None);
        assert_eq!(rate_of_gain_x1000(Some(100), start, Some(50), end), Some(-27));
    }

    #[test]
    fn a_class_goes_through_its_calls() {
        let class = row("classes", 1, &json!({"name": "Market Steer"}));
        let call =
            |number, kind: &str| row("class_calls", number, &json!({"kind": kind, "class_id": class.id.0.to_string()}));
        let calls = [call(2, "call_1"), call(3, "hold"), call(4, "resume"), call(5, "in_ring")];
        let calls: Vec<&Record> = calls.iter().collect();
        assert_eq!(class_status(&class, &[], false), "scheduled");
        assert_eq!(class_status(&class, &calls[..1], false), "make_ready");
        assert_eq!(class_status(&class, &calls[..2], false), "hold");
        assert_eq!(class_status(&class, &calls, false), "in_ring");
        assert_eq!(class_status(&class, &calls, true), "judged");
    }

    #[test]
    fn earlier_tags_are_kept_once() {
        let text = |tag: &str| Value::Text(tag.to_owned());
        let one = previous_tags(&Value::Null, &text("1"), &text("2"));
        let two = previous_tags(&one, &text("2"), &text("1"));
        assert_eq!(one, Value::List(vec![text("1")]));
        assert_eq!(two, Value::List(vec![text("2")]));
    }
}
