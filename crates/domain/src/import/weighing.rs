//! Decides what a weight in the file means for an animal that may have been weighed before.

use uuid::Uuid;

use crate::record::Record;

/// Longest chain of re-weighs that is followed; a longer one can only be a loop in foreign data.
const CHAIN_MAX: usize = 100;

/// What a weight cell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weighing {
    /// The animal's first weight.
    Arrival,
    /// The file's weight has changed: the weigh-in at the end of the chain is replaced.
    Reweigh(Uuid),
    /// The show has it already.
    Same,
    /// The animal was weighed at the show and the file says something else: the scale is believed.
    WeighedAtShow(i64),
}

/// `known` are the animal's live weigh-ins; those of other kinds than the arrival chain do not count.
pub(super) fn decide(known: &[&Record], weight_x10: i64) -> Weighing {
    let chain: Vec<&Record> =
        known.iter().copied().filter(|record| matches!(text(record, "kind"), "arrival" | "reweigh")).collect();
    let standing = last(chain.iter().copied().filter(|record| record.value("voided_at").is_null()), &chain);
    let from_file = last(chain.iter().copied().filter(|record| text(record, "source") == "csv"), &chain);
    match (from_file, standing) {
        (Some(from_file), _) if weight_of(from_file) == weight_x10 => Weighing::Same,
        (Some(_), Some(standing)) => Weighing::Reweigh(standing.id.0),
        (None, Some(standing)) if weight_of(standing) == weight_x10 => Weighing::Same,
        (None, Some(standing)) => Weighing::WeighedAtShow(weight_of(standing)),
        (_, None) => Weighing::Arrival,
    }
}

/// "Latest" means last in the chain of `replaces_id`, never by time; creation only orders unlinked ones.
fn last<'a>(candidates: impl Iterator<Item = &'a Record>, chain: &[&'a Record]) -> Option<&'a Record> {
    candidates.max_by_key(|record| (depth(record, chain), record.created_at, record.id))
}

fn depth(record: &Record, chain: &[&Record]) -> usize {
    let mut depth = 0;
    let mut replaced = record.value("replaces_id").as_id();
    while let Some(earlier) = replaced.and_then(|id| chain.iter().find(|other| other.id.0 == id)) {
        depth += 1;
        if depth == CHAIN_MAX {
            break;
        }
        replaced = earlier.value("replaces_id").as_id();
    }
    depth
}

fn text<'a>(record: &'a Record, path: &str) -> &'a str {
    record.value(path).as_text().unwrap_or_default()
}

fn weight_of(record: &Record) -> i64 {
    record.value("weight_x10").as_int().unwrap_or_default()
}
