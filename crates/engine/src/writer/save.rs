//! Writes what a working set decided, in bulk: queue, rows, history, feed, clashes, clock.

use std::collections::{BTreeMap, HashMap, HashSet};

use showdesk_domain::actor::ReadClass;
use showdesk_domain::conflict::Conflict;
use showdesk_domain::ids::{OpId, Seq, Version};
use showdesk_domain::queue::QueuedOp;
use showdesk_domain::record::{ChangeRow, Record};
use showdesk_domain::schema::{Access, Table, known_table};
use showdesk_domain::world::{Extent, FeedMark, Key, World};
use showdesk_store::{Result, Tx, aliases, changes, conflicts, history, meta, queue, records};

pub(super) async fn journal(tx: &mut Tx, world: &World, clock_before: Seq) -> Result<()> {
    let journal = world.journal();
    let mut by_table: BTreeMap<(&'static str, Extent), Vec<&Record>> = BTreeMap::new();
    for (key, extent) in &journal.records {
        by_table.entry((key.0, *extent)).or_default().extend(world.record(*key));
    }
    let written: HashMap<Key, Seq> =
        journal.history.iter().map(|row| ((row.table.name, row.record_id), row.seq)).collect();
    for ((_, extent), rows) in &mut by_table {
        match extent {
            Extent::Values => records::save_values(tx, rows).await?,
            Extent::Row => {
                // A row that gave a unique value up was written before the row that took it.
                rows.sort_by_key(|row| written.get(&(row.table.name, row.id)));
                records::save(tx, rows).await?;
            }
        }
    }
    history::add(tx, &journal.history).await?;
    let feed: Vec<(Key, FeedMark)> = journal.feed.iter().map(|(key, mark)| (*key, *mark)).collect();
    changes::save_each(tx, &feed, |(key, mark)| change_row(world, *key, *mark), world.now).await?;
    save_ops(tx, world).await?;
    let clashes: Vec<Conflict> = journal.conflicts.iter().filter_map(|id| world.conflict(*id)).cloned().collect();
    conflicts::save(tx, &clashes).await?;
    for alias in &journal.aliases {
        match world.name(*alias) {
            Some(name) => aliases::save(tx, *alias, name).await?,
            None => aliases::remove(tx, *alias).await?,
        }
    }
    if world.clock > clock_before {
        meta::set_clock(tx, world.clock).await?;
    }
    Ok(())
}

async fn save_ops(tx: &mut Tx, world: &World) -> Result<()> {
    let journal = world.journal();
    let new: Vec<&QueuedOp> = journal.new_ops.iter().filter_map(|id| world.op(*id)).collect();
    queue::add(tx, &new).await?;
    let added: HashSet<OpId> = journal.new_ops.iter().copied().collect();
    let is_known = |id: &&OpId| !added.contains(*id);
    let changed: Vec<&QueuedOp> = journal.changed_ops.iter().filter(is_known).filter_map(|id| world.op(*id)).collect();
    queue::update(tx, &changed).await
}

fn change_row(world: &World, key: Key, mark: FeedMark) -> ChangeRow {
    let Some(record) = world.record(key) else { return revoked_name(key, mark) };
    let public = world.is_public(key) && record.is_live();
    let staff = has(record.table, Access::Office).then(|| record.pulled_text(ReadClass::Staff));
    let narrow = has(record.table, Access::Office) || has(record.table, Access::Staff);
    ChangeRow {
        table: known_table(key.0),
        record_id: key.1,
        seq: mark.seq,
        version: record.version,
        deleted: !record.is_live(),
        changed_by: mark.by,
        op_id: mark.op_id,
        public,
        ever_public: public,
        disputed: world.disputed(key),
        data_staff: staff,
        data_public: (narrow && public).then(|| record.pulled_text(ReadClass::Public)),
        data: record.pulled_text(ReadClass::Office),
    }
}

/// A name that never was a row: phones that used it drop it.
fn revoked_name(key: Key, mark: FeedMark) -> ChangeRow {
    ChangeRow {
        table: known_table(key.0),
        record_id: key.1,
        seq: mark.seq,
        version: Version(0),
        deleted: true,
        changed_by: mark.by,
        op_id: mark.op_id,
        public: false,
        ever_public: true,
        disputed: Vec::new(),
        data_staff: None,
        data_public: None,
        data: "{}".to_owned(),
    }
}

fn has(table: &Table, access: Access) -> bool {
    table.fields.iter().any(|field| field.access == access)
}
