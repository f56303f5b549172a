//! `record_aliases`: ids that became other names of rows.

use std::collections::HashMap;

use showdesk_domain::ids::RecordId;
use showdesk_domain::schema::{Table, known_table, table};
use showdesk_domain::world::Name;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "record_aliases";
const COLUMNS: &[&str] = &["alias_id", "table_name", "record_id", "used"];

/// An id of a table that may be another name.
pub type Alias = (&'static str, RecordId);

static BY_ALIAS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| sql::select_by_keys(TABLE, COLUMNS, &["alias_id", "table_name"], 1, count))
});

/// What these ids are other names of; and if that has another name in its turn, what that is one of.
pub async fn load(tx: &mut Tx, aliases: &[Alias]) -> Result<HashMap<Alias, Name>> {
    let mut found = HashMap::new();
    let mut asked = aliases.to_vec();
    while !asked.is_empty() {
        let mut named = Vec::new();
        for (sql, chunk) in BY_ALIAS.cut(&asked) {
            for row in tx.rows(sql, chunk.iter().flat_map(|(table, id)| values![*id, *table]).collect()).await? {
                let mut cells = Cells::new(&row, TABLE, COLUMNS);
                let alias: RecordId = cells.uuid()?.into();
                let table: &'static Table = cells.word(table)?;
                let name = Name { record_id: cells.uuid()?.into(), is_used: cells.flag()? };
                found.insert((table.name, alias), name);
                named.push((table.name, name.record_id));
            }
        }
        named.retain(|alias| !found.contains_key(alias));
        asked = named;
    }
    Ok(found)
}

/// Makes an id another name of a row, or of another row than before.
pub async fn save(tx: &mut Tx, alias: Alias, name: Name) -> Result<()> {
    let sql = "INSERT INTO record_aliases (alias_id, table_name, record_id, used) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (alias_id, table_name) DO UPDATE SET record_id = excluded.record_id, used = excluded.used";
    tx.execute(sql, values![alias.1, known_table(alias.0).name, name.record_id, name.is_used]).await?;
    Ok(())
}

/// Makes an id a name of its own again.
pub async fn remove(tx: &mut Tx, alias: Alias) -> Result<()> {
    tx.execute("DELETE FROM record_aliases WHERE alias_id = $1 AND table_name = $2", values![alias.1, alias.0]).await?;
    Ok(())
}
