//! Is every acknowledged entry on the desk exactly once? Asked of the desk, op by op and record by record.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::joining::Desk;
use super::work::{Acknowledged, Worker};
use super::{Connection, RehearseError};

/// Ops whose verdicts are asked for at once.
const STATUS_OPS: usize = 500;
/// Connections that read histories.
const READERS: usize = 4;
/// Faults that are told one by one.
pub(super) const FAULTS_SHOWN: usize = 20;

/// What the desk has kept.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Proof {
    /// Entries that were looked for.
    pub ops: usize,
    /// Records whose whole history was read.
    pub records: usize,
    /// Versions that entries made.
    pub versions: usize,
    /// How many entries have which verdict now.
    pub verdicts: BTreeMap<String, usize>,
    /// Phones whose state was compared, record by record.
    pub phones_compared: usize,
    /// What is wrong; empty is what one wants.
    pub faults: Vec<String>,
}

/// How often an op may stand in the history of its record: once if it wrote, else never.
type Expected = HashMap<Uuid, usize>;
/// A record by table and id.
type Key = (&'static str, Uuid);

#[derive(Deserialize)]
struct History {
    items: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: i64,
    op_id: Option<Uuid>,
}

/// Asks for everything that the phones sent.
pub(super) async fn prove(desk: &Desk, workers: &mut [Worker]) -> Result<Proof, RehearseError> {
    let mut proof = Proof::default();
    let mut records: HashMap<Key, Expected> = HashMap::new();
    for worker in workers.iter_mut() {
        for ops in worker.sent.chunks(STATUS_OPS) {
            let present = verdicts(&mut worker.phone.connection, ops).await?;
            for op in ops {
                let verdict = proof.count(op, present.get(&op.op_id).map(String::as_str));
                let versions = usize::from(matches!(verdict, "applied" | "merged"));
                records.entry((op.table_name, op.record_id)).or_default().insert(op.op_id, versions);
            }
        }
    }
    read_histories(desk, records, &mut proof).await?;
    proof.compare(workers);
    Ok(proof)
}

impl Proof {
    /// Counts an op by its present verdict, which a final one never leaves.
    fn count<'a>(&mut self, op: &Acknowledged, present: Option<&'a str>) -> &'a str {
        let present = present.unwrap_or("unknown");
        self.ops += 1;
        *self.verdicts.entry(present.to_owned()).or_default() += 1;
        let is_final = !matches!(op.verdict.as_str(), "conflict" | "held");
        if present == "unknown" || is_final && present != op.verdict {
            self.faults.push(format!("op {} was answered {} and is {present} now", op.op_id, op.verdict));
        }
        present
    }

    /// Phones that have pulled up to the same clock hold the same versions.
    fn compare(&mut self, workers: &[Worker]) {
        let mut remembering = workers.iter().filter_map(|worker| Some((worker.phone.clock, worker.versions.as_ref()?)));
        let Some((clock, first)) = remembering.next() else { return };
        self.phones_compared = 1;
        for (other_clock, other) in remembering {
            self.phones_compared += 1;
            if other_clock != clock || other != first {
                let (records, others) = (first.len(), other.len());
                self.faults.push(format!("phones differ: {records} records at {clock}, {others} at {other_clock}"));
            }
        }
    }

    /// Looks at the whole history of a record.
    fn check_record(&mut self, key: Key, expected: &Expected, history: &History) {
        self.records += 1;
        let mut found: HashMap<Uuid, usize> = HashMap::new();
        for op_id in history.items.iter().filter_map(|item| item.op_id) {
            *found.entry(op_id).or_default() += 1;
        }
        for (op_id, times) in expected {
            let stands = found.get(op_id).copied().unwrap_or(0);
            self.versions += stands;
            if stands != *times {
                self.faults.push(format!("op {op_id} stands {stands} times in the history of {key:?}, not {times}"));
            }
        }
        let newest = history.items.first().map_or(0, |item| item.version);
        let is_whole = history.items.iter().zip((1..=newest).rev()).all(|(item, version)| item.version == version);
        if !is_whole {
            self.faults.push(format!("the history of {key:?} has a gap"));
        }
    }
}

async fn verdicts(phone: &mut Connection, ops: &[Acknowledged]) -> Result<HashMap<Uuid, String>, RehearseError> {
    let ids: Vec<Uuid> = ops.iter().map(|op| op.op_id).collect();
    let answer: Json = phone.post_json("/sync/ops/status", &json!({"op_ids": ids})).await?;
    let read = |result: &Json| {
        let id = Uuid::try_parse(result["op_id"].as_str()?).ok()?;
        Some((id, result["verdict"].as_str()?.to_owned()))
    };
    Ok(answer["results"].as_array().into_iter().flatten().filter_map(read).collect())
}

async fn read_histories(desk: &Desk, records: HashMap<Key, Expected>, proof: &mut Proof) -> Result<(), RehearseError> {
    let keys: Arc<Vec<Key>> = Arc::new(records.keys().copied().collect());
    let mut reading = JoinSet::new();
    for reader in 0..READERS {
        let (keys, mut office) = (Arc::clone(&keys), desk.office());
        reading.spawn(async move {
            let mut found = Vec::new();
            for (table, id) in keys.iter().skip(reader).step_by(READERS) {
                let path = format!("/admin/records/{table}/{id}/history");
                let history: Result<History, _> = serde_json::from_slice(&office.get(&path).await?);
                let history = history.map_err(|error| RehearseError::Strange(format!("{path}: {error}")))?;
                found.push(((*table, *id), history));
            }
            Ok::<_, RehearseError>(found)
        });
    }
    while let Some(found) = reading.join_next().await {
        for (key, history) in found?? {
            proof.check_record(key, &records[&key], &history);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = ("animals", Uuid::from_u128(9));

    fn faults(versions: &[(i64, Option<u128>)], expected: &[(u128, usize)]) -> usize {
        let items = versions.iter().map(|(version, op)| Version { version: *version, op_id: op.map(Uuid::from_u128) });
        let expected = expected.iter().map(|(op, times)| (Uuid::from_u128(*op), *times)).collect();
        let mut proof = Proof::default();
        proof.check_record(KEY, &expected, &History { items: items.collect() });
        proof.faults.len()
    }

    #[test]
    fn an_op_that_is_missing_or_stands_twice_is_a_fault() {
        let history = [(3, Some(8)), (2, Some(7)), (1, None)];
        assert_eq!(faults(&history, &[(7, 1), (8, 1), (6, 0)]), 0);
        assert_eq!(faults(&history, &[(7, 1), (5, 1)]), 1, "it is missing");
        assert_eq!(faults(&[(3, Some(7)), (2, Some(7)), (1, None)], &[(7, 1)]), 1, "it stands twice");
        assert_eq!(faults(&history, &[(7, 0)]), 1, "it was refused and wrote all the same");
        assert_eq!(faults(&[(3, None), (1, None)], &[]), 1, "a version is missing");
    }

    #[test]
    fn a_verdict_that_changed_is_a_fault_unless_a_person_was_to_decide() {
        let sent = |verdict: &str| Acknowledged {
            op_id: Uuid::from_u128(7),
            table_name: KEY.0,
            record_id: KEY.1,
            verdict: verdict.to_owned(),
        };
        for (first, present, faults) in [
            ("applied", Some("applied"), 0),
            ("conflict", Some("merged"), 0),
            ("applied", Some("merged"), 1),
            ("conflict", None, 1),
            ("rejected", Some("unknown"), 1),
        ] {
            let mut proof = Proof::default();
            proof.count(&sent(first), present);
            assert_eq!(proof.faults.len(), faults, "{first} {present:?}");
        }
    }
}
