//! Invariant 2: no value is overwritten by an author who had not seen it, unless a clash or a policy records it; and
//! no accepted value vanishes without a record.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use showdesk_domain::conflict::{ConflictKind, ConflictStatus};
use showdesk_domain::op::Operation;
use showdesk_domain::queue::Verdict;
use showdesk_domain::schema::{Policy, known_table};
use uuid::Uuid;

use super::once::verdict_of;
use super::{Book, Past};
use crate::sim::fields::{Key, is_derived, tail};
use crate::sim::ledger::Edit;
use crate::sim::run::Run;

/// Goes through every version of every row: whose edit was it, and had its author seen what it replaced?
pub(super) fn nothing_unseen_is_overwritten(run: &mut Run, book: &Book) {
    let mut found = Vec::new();
    for (key, past) in &book.past {
        for (place, row) in past.iter().enumerate() {
            if row.seq > run.began_clock {
                judge(run, book, *key, past, place, &mut found);
            }
        }
    }
    for (key, what) in found {
        run.violation(2, Some(key), what);
    }
}

fn judge(run: &Run, book: &Book, key: Key, past: &[Past], place: usize, found: &mut Vec<(Key, String)>) {
    let (before, row) = (place.checked_sub(1).map(|before| &past[before]), &past[place]);
    let table = known_table(key.0);
    let Some(op_id) = row.op_id else {
        found.push((key, format!("version {} has no op", row.version)));
        return;
    };
    let edits = edits_behind(run, book, op_id);
    let is_decision = book.disputes_of(op_id).any(|clash| {
        // An author who takes a weight back voids it: the clash says so.
        row.device == Some(run.desk_device) || clash.kind == ConflictKind::Rule
    });
    let Some(before) = before else { return };
    for (path, old) in &before.values {
        let new = row.values.get(path).unwrap_or(&Json::Null);
        let is_deleted = row.deleted && !before.deleted;
        let of_row = edits.iter().filter(|edit| edit.key == key || book.true_key(edit.key) == key);
        // The desk names who checked an animal in beside when: the moment is judged.
        let is_beside = path == "arrived_by" && of_row.clone().any(|edit| edit.set.contains_key("arrived_at"));
        if is_derived(table, path) || is_beside || (old == new && !is_deleted) || (is_deleted && old.is_null()) {
            continue;
        }
        // A decision that made a row may be taken back while the row is as it made it: the clash tells of it again.
        let is_unmade = is_deleted && is_decision && is_as_made(book, key, op_id, &past[..place]);
        if is_unmade || records(book, key, op_id, path, is_decision) {
            continue;
        }
        // Who deletes a row deletes what it had adopted of it, also what its own entries cover and its role does not show.
        let adopted = book.ops.get(&op_id).and_then(|op| book.at(key, op.version.0));
        let knew = is_deleted && adopted.is_some_and(|row| row.values.get(path) == Some(old));
        let set = of_row.clone().any(|edit| edit.set.contains_key(path) || edit.operation == Operation::Delete);
        // An undo takes the edit's own value back.
        let saw = knew
            || of_row.clone().any(|edit| {
                edit.set.get(path) == Some(old) || edit.seen.get(path).is_some_and(|seen| seen.contains(old))
            });
        // Somebody who saw no row at all fills in what nobody has set.
        let unset =
            old.is_null() || table.field(path).is_some_and(|field| table.fields[field].default.to_json() == *old);
        // The one later update of an APPEND row stands over nothing as long as there was none.
        let is_later = table.append.is_some() && old.is_null();
        let fills_in = is_later || unset && of_row.clone().any(|edit| edit.operation == Operation::Insert);
        if !set {
            found.push((key, format!("version {} changed {path}, which op {} never set", row.version, tail(op_id))));
        } else if !saw && !fills_in {
            let seen: Vec<&Vec<Json>> = of_row.filter_map(|edit| edit.seen.get(path)).collect();
            found.push((
                key,
                format!(
                    "version {}: op {} overwrote {path} {old} with {new}; its author had seen {seen:?}",
                    row.version,
                    tail(op_id)
                ),
            ));
        }
    }
}

/// Whether a row's newest version differs only in derived values from the one that this op's clash made.
fn is_as_made(book: &Book, key: Key, op_id: Uuid, past: &[Past]) -> bool {
    let table = known_table(key.0);
    let ops: BTreeSet<Uuid> = book.disputes_of(op_id).flat_map(|clash| clash.op_ids.iter().map(|id| id.0)).collect();
    let own = |row: &Past| -> Vec<(String, Json)> {
        let values = row.values.iter().filter(|(path, _)| !is_derived(table, path));
        values.map(|(path, value)| (path.clone(), value.clone())).collect()
    };
    let made = past.iter().rev().find(|row| row.op_id.is_some_and(|id| ops.contains(&id) || id == op_id));
    match (made, past.last()) {
        (Some(made), Some(last)) => own(made) == own(last),
        _ => false,
    }
}

/// The edit and those that stand in one clash with it.
fn edits_behind<'a>(run: &'a Run, book: &Book, op_id: Uuid) -> Vec<&'a Edit> {
    let joined = book.disputes_of(op_id).flat_map(|clash| clash.op_ids.iter().map(|id| id.0));
    let ids: BTreeSet<Uuid> = joined.chain([op_id]).collect();
    ids.into_iter().filter_map(|id| run.ledger.get(id)).collect()
}

/// Whether a clash or an automatic merge says that this op changed this field under somebody's feet.
fn records(book: &Book, key: Key, op_id: Uuid, path: &str, is_decision: bool) -> bool {
    book.clashes_of(op_id).any(|clash| {
        // A clash that was opened again keeps what was decided before: what a decision joined stands there.
        let decided = clash.decisions.iter().any(|decision| decision["values"].get(path).is_some());
        // Two rows that are the same thing are one afterwards, with the values of both.
        let is_same = is_decision && clash.decisions.iter().any(|decision| decision.get("same_as").is_some());
        let names = is_same || clash.contested.iter().any(|contested| contested == path) || (is_decision && decided);
        let waits = clash.clean.iter().any(|clean| clean == path);
        let of_row = clash.record_id.0 == key.1;
        // What waited beside a clash that closed by itself is joined where the field's policy had chosen it.
        let table = known_table(key.0);
        let policy = table.field(path).map(|field| &table.fields[field].policy);
        let may_choose = matches!(policy, Some(Policy::LastWriter | Policy::Role | Policy::RoleLatest));
        let joined = of_row && waits && may_choose && clash.status == ConflictStatus::Superseded;
        // A decision may take a value from another row, move children, or restore a deleted row whole.
        names || joined || (is_decision && (waits || !of_row || clash.kind.is_lifecycle() || clash.op_ids.len() > 1))
    })
}

/// An accepted op's values stand in history, or it says why not: the author changed nothing there, a policy chose.
pub(super) fn nothing_accepted_is_lost(run: &mut Run, book: &Book) {
    let mut found = Vec::new();
    for (op_id, edit) in run.ledger.edits() {
        let Some(op) = book.ops.get(&op_id).filter(|_| !edit.hostile) else { continue };
        let is_accepted = matches!(verdict_of(op), Verdict::Applied | Verdict::Merged | Verdict::Noop);
        if !is_accepted || book.disputes_of(op_id).next().is_some() {
            continue;
        }
        let made = op.result_version.and_then(|version| {
            let of_op = |row: &&Past| row.version == version.0 && row.op_id == Some(op_id);
            book.past_of(edit.key).find(of_op).or_else(|| book.at(edit.key, version.0))
        });
        let Some(row) = made else {
            let gone = book.past.get(&edit.key).and_then(|past| past.last()).is_none_or(|row| row.deleted);
            if edit.operation != Operation::Delete || !gone {
                found.push((edit.key, format!("op {} is accepted and has no version", tail(op_id))));
            }
            continue;
        };
        if edit.operation == Operation::Delete && !row.deleted {
            found.push((edit.key, format!("op {} deleted a row that lives", tail(op_id))));
        }
        for (path, value) in &edit.set {
            let table = known_table(edit.key.0);
            let stands = row.values.get(path) == Some(value) || book.refers(row, table, path, value);
            let unchanged = edit.seen.get(path).is_some_and(|seen| seen.contains(value));
            let first_stays = table.field(path).is_some_and(|field| table.fields[field].policy == Policy::FirstWriter);
            let recorded = book.clashes_of(op_id).any(|clash| clash.contested.contains(path));
            if !stands && !unchanged && !first_stays && !recorded {
                let held = row.values.get(path);
                found.push((
                    edit.key,
                    format!("op {} is {}, its {path} {value} is not there: {held:?}", tail(op_id), verdict_of(op)),
                ));
            }
        }
    }
    for (key, what) in found {
        run.violation(2, Some(key), what);
    }
}
