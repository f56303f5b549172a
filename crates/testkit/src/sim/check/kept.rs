//! Invariants 5 and 6: every queue drains whatever the poison; nothing that was acknowledged is forgotten.

use showdesk_domain::conflict::ConflictKind;
use showdesk_domain::queue::Verdict;

use super::Book;
use super::once::verdict_of;
use crate::sim::fields::{short, tail};
use crate::sim::phone::{Entry, Standing};
use crate::sim::run::Run;

/// No phone still has something to send, or an entry that waits for a clash that is closed.
pub(super) fn queues_are_drained(run: &mut Run, book: &Book) {
    let mut found = Vec::new();
    for phone in run.phones.iter().filter(|phone| !phone.removed) {
        for entry in &phone.outbox {
            let op = book.ops.get(&entry.op_id);
            let waits_in_vain = match entry.standing {
                Standing::Unsent => true,
                Standing::Accepted | Standing::Rejected => false,
                Standing::Disputed => op.is_none_or(|op| !matches!(verdict_of(op), Verdict::Conflict | Verdict::Held)),
                // What it waits for may be gone for good: its phone lost its store, or it was refused.
                Standing::Held => op.is_none(),
            };
            if waits_in_vain {
                let verdict = op.map(verdict_of);
                let what = format!(
                    "{} still has {} of {} as {:?}; the desk says {verdict:?}",
                    phone.name,
                    tail(entry.op_id),
                    short(entry.key),
                    entry.standing
                );
                found.push((entry.key, what));
            }
        }
    }
    let open = book.clashes.iter().filter(|clash| clash.status == showdesk_domain::conflict::ConflictStatus::Open);
    found.extend(open.map(|clash| {
        let what = format!("a clash {} could not be closed in any way", clash.kind.as_str());
        ((clash.table.name, clash.record_id.0), what)
    }));
    for (key, what) in found {
        run.violation(5, Some(key), what);
    }
}

/// Every op that a phone remembers as acknowledged is known to the desk; after a restore its effect stands in history,
/// or a clash `restored_server` asks, or the record already shows it.
pub(super) fn acknowledged_edits_are_known(run: &mut Run, book: &Book) {
    let mut found = Vec::new();
    for phone in run.phones.iter().filter(|phone| !phone.removed) {
        for entry in &phone.acknowledged {
            let Some(op) = book.ops.get(&entry.op_id) else {
                // What changed nothing took no number: an old copy with the same clock lacks it, and nothing of it.
                if run.restores == 0 || !entry.is_noop {
                    found.push((entry.key, forgotten(entry, "the desk does not know it")));
                }
                continue;
            };
            let stands = book.past_of(entry.key).any(|row| row.op_id == Some(entry.op_id));
            let asked = book.clashes_of(entry.op_id).any(|clash| clash.kind == ConflictKind::RestoredServer);
            let verdict = verdict_of(op);
            // What the desk once made of a refused op, a restore takes back: it is among the refused again.
            let is_refused_again = verdict == Verdict::Rejected && run.looked_after.contains(&entry.op_id);
            let fine = stands || asked || is_refused_again || matches!(verdict, Verdict::Noop | Verdict::Merged);
            if run.restores > 0 && entry.recovered_from.is_some() && !fine {
                found.push((entry.key, forgotten(entry, &format!("given back, it is {verdict}"))));
            }
        }
    }
    for (key, what) in found {
        run.violation(6, Some(key), what);
    }
}

fn forgotten(entry: &Entry, what: &str) -> String {
    format!("{} was acknowledged: {what}", tail(entry.op_id))
}
