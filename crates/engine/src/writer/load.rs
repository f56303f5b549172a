//! Reads what a transaction needs into its working set, with few statements however many ops there are.

use std::collections::BTreeMap;

use showdesk_domain::ids::RecordId;
use showdesk_domain::record::values_of;
use showdesk_domain::schema::known_table;
use showdesk_domain::value::Value;
use showdesk_domain::world::{Needs, World};
use showdesk_store::{Result, StoreError, Tx, aliases, conflicts, history, people, queue, records};
use uuid::Uuid;

/// Rounds of reading before deciding; each finds what the last one made known.
const ROUNDS_MAX: usize = 8;

/// Reads until nothing is missing.
pub(crate) async fn rounds(tx: &mut Tx, world: &mut World, missing: impl Fn(&World) -> Needs) -> Result<()> {
    for _ in 0..ROUNDS_MAX {
        let wanted = missing(world);
        if wanted.is_empty() {
            break;
        }
        needs(tx, world, &wanted).await?;
    }
    Ok(())
}

async fn needs(tx: &mut Tx, world: &mut World, needs: &Needs) -> Result<()> {
    load_ops(tx, world, needs).await?;
    load_rows(tx, world, needs).await?;
    load_conflicts(tx, world, needs).await?;
    load_snapshots(tx, world, needs).await?;
    let people = sorted(&needs.people);
    if !people.is_empty() {
        people::profiles(tx, &people).await?.into_iter().for_each(|person| world.add_person(person.id));
    }
    load_waiters(tx, world, needs).await?;
    world.mark_loaded(needs);
    Ok(())
}

/// Ops that wait, who stands behind them, and other names of rows.
async fn load_waiters(tx: &mut Tx, world: &mut World, needs: &Needs) -> Result<()> {
    let ids = sorted(&needs.waiters);
    if !ids.is_empty() {
        queue::waiting_on(tx, &ids).await?.into_iter().for_each(|op| world.add_op(op));
    }
    let authors = sorted(&needs.authors);
    if !authors.is_empty() {
        crate::people::authors(tx, &authors).await?.into_iter().for_each(|actor| world.add_author(actor));
    }
    let names = sorted(&needs.aliases);
    if !names.is_empty() {
        aliases::load(tx, &names).await?.into_iter().for_each(|(alias, name)| world.add_name(alias, name));
    }
    Ok(())
}

async fn load_ops(tx: &mut Tx, world: &mut World, needs: &Needs) -> Result<()> {
    let ids = sorted(&needs.ops);
    if !ids.is_empty() {
        queue::load(tx, &ids).await?.into_iter().for_each(|op| world.add_op(op));
    }
    let keys = sorted(&needs.device_records);
    if !keys.is_empty() {
        queue::of_device_on_records(tx, &keys).await?.into_iter().for_each(|op| world.add_op(op));
    }
    Ok(())
}

async fn load_rows(tx: &mut Tx, world: &mut World, needs: &Needs) -> Result<()> {
    let mut by_table: BTreeMap<&'static str, Vec<RecordId>> = BTreeMap::new();
    for (table, id) in sorted(&needs.records) {
        by_table.entry(table).or_default().push(id);
    }
    for (table, ids) in by_table {
        records::load(tx, known_table(table), &ids).await?.into_iter().for_each(|row| world.add_record(row));
    }
    for table in sorted(&needs.tables) {
        for row in records::load_all(tx, known_table(table)).await? {
            world.add_record(row);
        }
    }
    let mut by_parent: BTreeMap<(&'static str, usize), Vec<Uuid>> = BTreeMap::new();
    for (table, field, parent) in sorted(&needs.children) {
        by_parent.entry((table, field)).or_default().push(parent);
    }
    for ((table, field), parents) in by_parent {
        let rows = records::load_by(tx, known_table(table), field, &parents).await?;
        for row in rows {
            world.add_record(row);
        }
    }
    let mut by_rule: BTreeMap<(&'static str, usize), Vec<Vec<Value>>> = BTreeMap::new();
    for (table, rule, values) in &needs.holders {
        by_rule.entry((table, *rule)).or_default().push(values.clone());
    }
    for ((table, rule), mut keys) in by_rule {
        keys.sort_unstable();
        let rows = records::load_by_unique(tx, known_table(table), rule, world.show_id, &keys).await?;
        for row in rows {
            world.add_record(row);
        }
    }
    Ok(())
}

async fn load_conflicts(tx: &mut Tx, world: &mut World, needs: &Needs) -> Result<()> {
    let ids = sorted(&needs.conflicts);
    if !ids.is_empty() {
        conflicts::load(tx, &ids).await?.into_iter().for_each(|conflict| world.add_conflict(conflict));
    }
    let records = sorted(&needs.open_conflicts);
    if !records.is_empty() {
        conflicts::open_on(tx, &records).await?.into_iter().for_each(|conflict| world.add_conflict(conflict));
    }
    Ok(())
}

async fn load_snapshots(tx: &mut Tx, world: &mut World, needs: &Needs) -> Result<()> {
    let keys = sorted(&needs.snapshots).into_iter();
    let keys: Vec<_> = keys.map(|((table, id), version)| (known_table(table), id, version)).collect();
    if keys.is_empty() {
        return Ok(());
    }
    for row in history::snapshots(tx, &keys).await? {
        let corrupt = |column: &str| StoreError::Corrupt {
            table: row.table.name.to_owned(),
            column: column.to_owned(),
            id: row.record_id.to_string(),
        };
        let data = serde_json::from_str(&row.snapshot).map_err(|_| corrupt("snapshot"))?;
        let values = values_of(row.table, &data).map_err(corrupt)?;
        world.add_snapshot((row.table.name, row.record_id), row.version, values, row.deleted);
    }
    Ok(())
}

/// One order for the same needs, so that a show takes the same course each time it is played; and rows that lie beside
/// each other are read one after the other.
fn sorted<'a, T: Copy + Ord + 'a>(needs: impl IntoIterator<Item = &'a T>) -> Vec<T> {
    let mut sorted: Vec<T> = needs.into_iter().copied().collect();
    sorted.sort_unstable();
    sorted
}
