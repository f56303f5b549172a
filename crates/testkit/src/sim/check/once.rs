//! Invariant 1: each accepted op has exactly one effect; versions and numbers have no gap and no twin.

use std::collections::BTreeMap;

use showdesk_domain::conflict::ConflictStatus;
use showdesk_domain::queue::{QueuedOp, Verdict};
use uuid::Uuid;

use super::{Book, Past};
use crate::sim::fields::tail;
use crate::sim::run::Run;

/// Versions of a row count up from 1, the row stands at the last, and no two versions share a number.
pub(super) fn numbers_are_in_order(run: &mut Run, book: &Book) {
    let mut numbers: BTreeMap<i64, usize> = BTreeMap::new();
    for (key, past) in &book.past {
        for row in past {
            *numbers.entry(row.seq).or_default() += 1;
        }
        let counts_up = (1_i64..).zip(past).all(|(version, row)| row.version == version);
        let last = past.last().map(|row| row.version);
        let present = book.rows.get(key).map(|row| row.version.0);
        let rises = past.windows(2).all(|pair| pair[0].seq < pair[1].seq);
        if !counts_up || last != present || !rises {
            let versions: Vec<(i64, i64)> = past.iter().map(|row| (row.version, row.seq)).collect();
            run.violation(1, Some(*key), format!("history {versions:?}, the row is at {present:?}"));
        }
    }
    if let Some((seq, _)) = numbers.iter().find(|(seq, count)| **count > 1 || **seq > book.clock) {
        run.violation(1, None, format!("number {seq} was given twice or is above the clock {}", book.clock));
    }
}

/// An applied op made one version, a refused or waiting one none; the same edit never takes effect twice.
pub(super) fn every_op_has_one_effect(run: &mut Run, book: &Book) {
    let mut found = Vec::new();
    let mut by_edit: BTreeMap<Uuid, usize> = BTreeMap::new();
    for (op_id, edit) in run.ledger.edits() {
        let of_op = |row: &&Past| row.op_id == Some(op_id);
        let effects: Vec<&Past> = book.past_of(edit.key).filter(of_op).collect();
        *by_edit.entry(run.ledger.original(op_id)).or_default() += usize::from(!effects.is_empty());
        let mut wrong = |what: String| found.push((edit.key, format!("op {}: {what}", tail(op_id))));
        let Some(op) = book.ops.get(&op_id) else {
            if !effects.is_empty() {
                wrong("it has an effect and no row in the queue".to_owned());
            }
            continue;
        };
        let verdict = verdict_of(op);
        if edit.hostile
            && (!effects.is_empty() || !matches!(verdict, Verdict::Rejected | Verdict::Held | Verdict::Noop))
        {
            wrong(format!("a hostile op is {verdict} with {} effects", effects.len()));
        }
        // A clash's versions carry the op that opened it: decisions, undos, what closed it by another way.
        if book.disputes_of(op_id).next().is_some() {
            continue;
        }
        let expected = usize::from(matches!(verdict, Verdict::Applied | Verdict::Merged));
        if effects.len() != expected {
            wrong(format!("it is {verdict} and made {} versions", effects.len()));
        }
        if expected == 1 && effects.first().map(|row| row.version) != op.result_version.map(|version| version.0) {
            wrong(format!("it says version {:?}, history says {:?}", op.result_version, effects.first()));
        }
    }
    for (op_id, effects) in by_edit {
        if effects > 1 {
            let key = run.ledger.get(op_id).map(|edit| edit.key);
            found.extend(key.map(|key| (key, format!("edit {} took effect {effects} times", tail(op_id)))));
        }
    }
    // A decision that stands wrote at most once; an automatic merge never waits.
    for clash in &book.clashes {
        let waits = clash.op_ids.iter().filter_map(|id| book.ops.get(&id.0)).any(|op| {
            verdict_of(op) == Verdict::Conflict
                && clash.status != ConflictStatus::Open
                && op.conflict_id == Some(clash.id)
        });
        if waits {
            let key = (clash.table.name, clash.record_id.0);
            found.push((key, format!("the clash is {} and its op still waits", clash.status.as_str())));
        }
    }
    for (key, what) in found {
        run.violation(1, Some(key), what);
    }
}

/// A group is accepted, refused or waits as one, and nothing of it is written before it is accepted.
pub(super) fn groups_stand_or_fall_together(run: &mut Run, book: &Book) {
    let mut groups: BTreeMap<Uuid, Vec<(Uuid, &str)>> = BTreeMap::new();
    for (op_id, edit) in run.ledger.edits() {
        let fate = match book.ops.get(&op_id).map(verdict_of) {
            None => "unsent",
            Some(Verdict::Applied | Verdict::Merged | Verdict::Noop) => "accepted",
            Some(Verdict::Rejected) => "refused",
            Some(Verdict::Conflict | Verdict::Held) => "waits",
        };
        if let Some(group) = edit.group {
            groups.entry(group).or_default().push((op_id, fate));
        }
    }
    let is_split = |ops: &Vec<(Uuid, &str)>| ops.iter().any(|(_, fate)| *fate != ops[0].1);
    let split: Vec<String> = groups.values().filter(|ops| is_split(ops)).map(|ops| format!("{ops:?}")).collect();
    for ops in split {
        run.violation(1, None, format!("a group is split: {ops}"));
    }
}

pub(super) fn verdict_of(op: &QueuedOp) -> Verdict {
    op.verdict.unwrap_or(Verdict::Held)
}
