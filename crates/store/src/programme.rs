//! What is in the rings and what comes next, and which classes an animal or an exhibitor is in.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

/// Columns of a class as they are selected …
const SELECTED: &str = "c.id, c.code, c.name, c.status, c.ring_id, r.name, c.seq, c.planned_at";
/// … and by name.
const CLASS: &[&str] = &["id", "code", "name", "status", "ring_id", "ring", "seq", "planned_at"];
/// The same after the id that was asked for.
const WANTED: &[&str] = &["wanted", "id", "code", "name", "status", "ring_id", "ring", "seq", "planned_at"];

static COMING: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "SELECT {SELECTED} FROM classes c JOIN rings r ON r.id = c.ring_id AND r.deleted_at IS NULL \
         WHERE c.deleted_at IS NULL AND c.status IN ('scheduled', 'make_ready') AND NOT EXISTS \
         (SELECT 1 FROM classes b WHERE b.family_id = c.id AND b.deleted_at IS NULL) \
         ORDER BY c.status, c.seq IS NULL, c.seq, c.planned_at IS NULL, c.planned_at, c.name, c.id"
    ))
});
static BY_ID: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!(
            "SELECT c.id, {} FROM (VALUES {}) AS wanted CROSS JOIN classes c LEFT JOIN rings r ON r.id = c.ring_id \
             WHERE c.id = wanted.column1 AND c.deleted_at IS NULL",
            SELECTED,
            sql::rows(count, 1)
        )
    })
});
static OF_ANIMALS: LazyChunked = LazyChunked::new(|| Chunked::new(|count| entered("animal_id", count)));
static OF_EXHIBITORS: LazyChunked = LazyChunked::new(|| Chunked::new(|count| entered("exhibitor_id", count)));

/// A ring and the class in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingRow {
    /// The ring.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// open, closed, break, hold.
    pub status: String,
    /// The class in it.
    pub now: Option<NowRow>,
}

/// The class in a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NowRow {
    /// The class.
    pub class_id: Uuid,
    /// Its number.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// When it was last called into a ring.
    pub since: Option<DateTime<Utc>>,
}

/// A class with its place in the programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassRow {
    /// The class.
    pub id: Uuid,
    /// Its number.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// scheduled, `make_ready`, `in_ring`, judged, official, hold, cancelled, `combined_into`.
    pub status: String,
    /// Its ring.
    pub ring_id: Option<Uuid>,
    /// The ring's name.
    pub ring: Option<String>,
    /// Its place in the ring's order.
    pub seq: Option<i64>,
    /// When it is planned.
    pub planned_at: Option<DateTime<Utc>>,
}

/// Rings in their order, each with the class in it.
pub async fn rings(tx: &mut Tx) -> Result<Vec<RingRow>> {
    let columns = &["id", "name", "status", "now_class_id", "code", "class", "since"];
    let sql = "SELECT r.id, r.name, r.status, c.id, c.code, c.name, (SELECT MAX(COALESCE(k.\"at\", k.created_at)) \
               FROM class_calls k WHERE k.class_id = c.id AND k.kind = 'in_ring' AND k.deleted_at IS NULL) \
               FROM rings r LEFT JOIN classes c ON c.id = r.now_class_id AND c.deleted_at IS NULL \
               WHERE r.deleted_at IS NULL ORDER BY r.seq IS NULL, r.seq, r.name, r.id";
    let mut found = Vec::new();
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, "rings", columns);
        let (id, name, status) = (cells.uuid()?, cells.text()?, cells.text()?);
        let (class, code, class_name, since) =
            (cells.uuid_option()?, cells.text_option()?, cells.text_option()?, cells.instant_option()?);
        let now = class.zip(class_name).map(|(class_id, name)| NowRow { class_id, code, name, since });
        found.push(RingRow { id, name, status, now });
    }
    Ok(found)
}

/// Classes that have a ring and were not in it yet, those that are made ready first, then by their order. A class that
/// was broken into others is none.
pub async fn coming(tx: &mut Tx) -> Result<Vec<ClassRow>> {
    let rows = tx.rows(*COMING, Vec::new()).await?;
    rows.iter().map(|row| read(&mut Cells::new(row, "classes", CLASS))).collect()
}

/// Live classes by their ids, in no order.
pub async fn classes(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<ClassRow>> {
    Ok(wanted(tx, &BY_ID, ids).await?.into_iter().map(|(_, class)| class).collect())
}

/// The classes that animals are entered in, each with its animal; in no order.
pub async fn of_animals(tx: &mut Tx, animals: &[Uuid]) -> Result<Vec<(Uuid, ClassRow)>> {
    wanted(tx, &OF_ANIMALS, animals).await
}

/// The classes that exhibitors show in, each with its exhibitor; in no order.
pub async fn of_exhibitors(tx: &mut Tx, exhibitors: &[Uuid]) -> Result<Vec<(Uuid, ClassRow)>> {
    wanted(tx, &OF_EXHIBITORS, exhibitors).await
}

fn entered(key: &str, count: usize) -> String {
    format!(
        "SELECT DISTINCT e.{key}, {} FROM (VALUES {}) AS wanted CROSS JOIN entries e \
         JOIN classes c ON c.id = COALESCE(e.class_id, e.family_id) AND c.deleted_at IS NULL \
         LEFT JOIN rings r ON r.id = c.ring_id WHERE e.{key} = wanted.column1 AND e.deleted_at IS NULL",
        SELECTED,
        sql::rows(count, 1)
    )
}

async fn wanted(tx: &mut Tx, texts: &Chunked, ids: &[Uuid]) -> Result<Vec<(Uuid, ClassRow)>> {
    let mut found = Vec::new();
    for (sql, chunk) in texts.cut(ids) {
        for row in tx.rows(sql, chunk.iter().flat_map(|id| values![*id]).collect()).await? {
            let mut cells = Cells::new(&row, "classes", WANTED);
            found.push((cells.uuid()?, read(&mut cells)?));
        }
    }
    Ok(found)
}

fn read(cells: &mut Cells<'_>) -> Result<ClassRow> {
    Ok(ClassRow {
        id: cells.uuid()?,
        code: cells.text_option()?,
        name: cells.text()?,
        status: cells.text()?,
        ring_id: cells.uuid_option()?,
        ring: cells.text_option()?,
        seq: cells.int_option()?,
        planned_at: cells.instant_option()?,
    })
}
