//! The seven invariants of PROTOCOL.md §8, looked at when a run has come to rest.
//!
//! Each module is one question put to the database, the phones and the ledger. None asks the engine how it decides.

mod equal;
mod kept;
mod once;
mod seen;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;
use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_domain::ids::{OpId, RecordId};
use showdesk_domain::queue::QueuedOp;
use showdesk_domain::record::Record;
use showdesk_domain::schema::{Table, known_table, tables};
use showdesk_domain::world::{Name, true_name};
use showdesk_store::aliases::{self, Alias};
use showdesk_store::conflicts::ConflictFilter;
use showdesk_store::{Tx, conflicts, history, meta, queue, records};
use uuid::Uuid;

use super::fields::{Fields, Key, spread};
use super::run::Run;

/// Most clashes and versions that are read.
const ROWS_MAX: i64 = 100_000;

/// A version of a row.
#[derive(Debug, Clone)]
struct Past {
    version: i64,
    seq: i64,
    deleted: bool,
    device: Option<Uuid>,
    op_id: Option<Uuid>,
    values: Fields,
}

/// The database as it lies at the end.
struct Book {
    clock: i64,
    rows: BTreeMap<Key, Record>,
    past: BTreeMap<Key, Vec<Past>>,
    ops: BTreeMap<Uuid, QueuedOp>,
    clashes: Vec<Conflict>,
    /// Ids that became other names of rows.
    names: HashMap<Alias, Name>,
}

impl Book {
    async fn read(tx: &mut Tx, run: &Run) -> showdesk_store::Result<Self> {
        let mut rows = BTreeMap::new();
        let mut past: BTreeMap<Key, Vec<Past>> = BTreeMap::new();
        for table in tables() {
            for record in records::load_all(tx, table).await? {
                rows.insert((table.name, record.id.0), record);
            }
        }
        let touched: Vec<Key> = run.ledger.edits().map(|(_, edit)| edit.key).collect();
        let aliases: Vec<Alias> = touched.iter().map(|key| (key.0, RecordId(key.1))).collect();
        let names = aliases::load(tx, &aliases).await?;
        let others = names.iter().map(|(alias, name)| (alias.0, name.record_id.0));
        let keys: BTreeSet<Key> = rows.keys().copied().chain(touched).chain(others).collect();
        for key in keys {
            let table = known_table(key.0);
            // The list of all rows leaves deleted ones out.
            for record in records::load(tx, table, &[RecordId(key.1)]).await? {
                rows.insert(key, record);
            }
            let mut versions = Vec::new();
            for row in history::versions(tx, table, RecordId(key.1), ROWS_MAX).await? {
                let snapshot: Json = serde_json::from_str(&row.snapshot).expect("a snapshot is JSON");
                versions.push(Past {
                    version: row.version.0,
                    seq: row.seq.0,
                    deleted: row.deleted,
                    device: row.device_id.map(|id| id.0),
                    op_id: row.op_id.map(|id| id.0),
                    values: spread(table, snapshot.as_object().expect("a snapshot is an object")),
                });
            }
            versions.sort_by_key(|row| row.version);
            past.insert(key, versions);
        }
        let ids: Vec<OpId> = run.ledger.edits().map(|(id, _)| OpId(id)).collect();
        let ops = queue::load(tx, &ids).await?.into_iter().map(|op| (op.id.0, op)).collect();
        let filter = ConflictFilter { limit: ROWS_MAX, ..ConflictFilter::default() };
        let clashes = conflicts::list(tx, &filter).await?;
        Ok(Self { clock: meta::read(tx).await?.clock.0, rows, past, ops, clashes, names })
    }

    /// Clashes that an op is part of.
    fn clashes_of(&self, op_id: Uuid) -> impl Iterator<Item = &Conflict> {
        self.clashes.iter().filter(move |clash| clash.op_ids.contains(&OpId(op_id)))
    }

    /// Clashes that a person decides or decided, without automatic merges.
    fn disputes_of(&self, op_id: Uuid) -> impl Iterator<Item = &Conflict> {
        self.clashes_of(op_id).filter(|clash| clash.status != ConflictStatus::MergedAutomatically)
    }

    /// The key under which the row goes on.
    fn true_key(&self, key: Key) -> Key {
        let name = true_name((key.0, RecordId(key.1)), |alias| self.names.get(&alias).map(|name| name.record_id));
        (key.0, name.map_or(key.1, |id| id.0))
    }

    /// Whether the row has that reference, by the name that the other row goes on under.
    fn refers(&self, row: &Past, table: &Table, path: &str, value: &Json) -> bool {
        let target = table.references().find(|(field, _)| table.fields[*field].path == path).map(|(_, target)| target);
        let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
        let Some(named) = target.zip(id).map(|key| self.true_key(key).1) else { return false };
        row.values.get(path).and_then(Json::as_str) == Some(named.to_string().as_str())
    }

    /// Versions of the row, of all the ids that it had.
    fn past_of(&self, key: Key) -> impl Iterator<Item = &Past> {
        let other = Some(self.true_key(key)).filter(|other| *other != key);
        [Some(key), other].into_iter().flatten().filter_map(|key| self.past.get(&key)).flatten()
    }

    /// The row as it was after that version.
    fn at(&self, key: Key, version: i64) -> Option<&Past> {
        self.past.get(&key)?.iter().find(|row| row.version == version)
    }
}

/// Looks at everything; what is wrong goes into the run's report.
pub(super) async fn everything(run: &mut Run) {
    // While the desk is open: what it hands out.
    equal::pages_are_the_table(run).await;
    let db = run.open_store().await;
    let mut tx = db.begin_read(showdesk_store::db::Seat::Owner).await.expect("the database can be read");
    let book = Book::read(&mut tx, run).await.expect("the database can be read");
    drop(tx);
    db.close().await;
    for clash in &book.clashes {
        let name = match clash.status {
            ConflictStatus::MergedAutomatically => "merged_automatically".to_owned(),
            _ => clash.kind.as_str().to_owned(),
        };
        *run.report.clashes.entry(name).or_default() += 1;
    }
    once::numbers_are_in_order(run, &book);
    once::every_op_has_one_effect(run, &book);
    once::groups_stand_or_fall_together(run, &book);
    seen::nothing_unseen_is_overwritten(run, &book);
    seen::nothing_accepted_is_lost(run, &book);
    equal::phones_show_the_table(run, &book);
    kept::queues_are_drained(run, &book);
    kept::acknowledged_edits_are_known(run, &book);
}
