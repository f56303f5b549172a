//! `record_aliases`: ids that became other names of rows.

use std::collections::HashMap;

use showdesk_domain::ids::RecordId;
use showdesk_domain::schema::{Table, known_table, table};

use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "record_aliases";
const COLUMNS: &[&str] = &["alias_id", "table_name", "record_id"];

/// An id of a table that may be another name.
pub type Alias = (&'static str, RecordId);

static BY_ALIAS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| sql::select_by_keys(TABLE, COLUMNS, &["alias_id", "table_name"], 1, count))
});

/// The rows that these ids are other names of.
pub async fn load(tx: &mut Tx, aliases: &[Alias]) -> Result<HashMap<Alias, RecordId>> {
    let mut found = HashMap::new();
    for (sql, chunk) in BY_ALIAS.cut(aliases) {
        for row in tx.rows(sql, chunk.iter().flat_map(|(table, id)| values![*id, *table]).collect()).await? {
            let mut cells = Cells::new(&row, TABLE, COLUMNS);
            let alias: RecordId = cells.uuid()?.into();
            let table: &'static Table = cells.word(table)?;
            found.insert((table.name, alias), cells.uuid()?.into());
        }
    }
    Ok(found)
}

/// Makes an id another name of a row, or of another row than before.
pub async fn save(tx: &mut Tx, alias: Alias, record: RecordId) -> Result<()> {
    let sql = "INSERT INTO record_aliases (alias_id, table_name, record_id) VALUES ($1, $2, $3) \
               ON CONFLICT (alias_id, table_name) DO UPDATE SET record_id = excluded.record_id";
    tx.execute(sql, values![alias.1, known_table(alias.0).name, record]).await?;
    Ok(())
}

/// Makes an id a name of its own again.
pub async fn remove(tx: &mut Tx, alias: Alias) -> Result<()> {
    tx.execute("DELETE FROM record_aliases WHERE alias_id = $1 AND table_name = $2", values![alias.1, alias.0]).await?;
    Ok(())
}
