//! What the report of a show counts: rows by kind and state, whatever happened to each.

use chrono::{DateTime, Utc};
use showdesk_domain::queue::{QueueStatus, Verdict};

use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx};

/// Animals, classes and entries of a department; none has a null name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DepartmentRow {
    /// Its word: `cattle`, …; none for classes without one.
    pub department: Option<String>,
    /// Animals of the species.
    pub animals: i64,
    /// Animals that arrived.
    pub arrived: i64,
    /// Animals with an official weight.
    pub weighed: i64,
    /// Classes.
    pub classes: i64,
    /// Classes whose results are official.
    pub official: i64,
    /// Entries.
    pub entries: i64,
    /// Entries that were taken out.
    pub out: i64,
}

/// How many ops of phones ended so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpCount {
    /// Where they stand.
    pub status: QueueStatus,
    /// Their verdict; none as long as nothing was said.
    pub verdict: Option<Verdict>,
    /// How many.
    pub count: i64,
}

/// How many clashes there were of a kind that stand so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClashCount {
    /// `update_update`, ….
    pub kind: String,
    /// open, resolved, ….
    pub status: String,
    /// `client_wins`, …; none if nobody decided.
    pub resolution: Option<String>,
    /// How many.
    pub count: i64,
}

/// Animals, classes and entries by department, in the order of their words.
pub async fn departments(tx: &mut Tx) -> Result<Vec<DepartmentRow>> {
    let sql = "SELECT department, SUM(animals), SUM(arrived), SUM(weighed), SUM(classes), SUM(official), SUM(entries), \
                   SUM(taken_out) FROM ( \
                   SELECT species AS department, 1 AS animals, CASE WHEN arrived_at IS NULL THEN 0 ELSE 1 END AS arrived, \
                       CASE WHEN official_weight_x10 IS NULL THEN 0 ELSE 1 END AS weighed, 0 AS classes, 0 AS official, \
                       0 AS entries, 0 AS taken_out FROM animals WHERE deleted_at IS NULL \
                   UNION ALL SELECT department, 0, 0, 0, 1, CASE WHEN status = 'official' THEN 1 ELSE 0 END, 0, 0 \
                       FROM classes WHERE deleted_at IS NULL \
                   UNION ALL SELECT c.department, 0, 0, 0, 0, 0, 1, CASE WHEN e.out_reason IS NULL THEN 0 ELSE 1 END \
                       FROM entries e JOIN classes c ON c.id = e.family_id WHERE e.deleted_at IS NULL \
               ) AS counted GROUP BY department ORDER BY department";
    let columns = &["department", "animals", "arrived", "weighed", "classes", "official", "entries", "out"];
    let mut found = Vec::new();
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, "animals", columns);
        found.push(DepartmentRow {
            department: cells.text_option()?,
            animals: cells.int()?,
            arrived: cells.int()?,
            weighed: cells.int()?,
            classes: cells.int()?,
            official: cells.int()?,
            entries: cells.int()?,
            out: cells.int()?,
        });
    }
    Ok(found)
}

/// How ops of phones ended.
pub async fn ops_of_phones(tx: &mut Tx) -> Result<Vec<OpCount>> {
    let sql = "SELECT q.status, q.verdict, COUNT(*) FROM sync_queue q JOIN devices d ON d.id = q.device_id \
               WHERE d.kind = 'phone' GROUP BY q.status, q.verdict ORDER BY q.status, q.verdict";
    let mut found = Vec::new();
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, "sync_queue", &["status", "verdict", "count"]);
        found.push(OpCount {
            status: cells.word(QueueStatus::parse)?,
            verdict: cells.word_option(Verdict::parse)?,
            count: cells.int()?,
        });
    }
    Ok(found)
}

/// How clashes stand.
pub async fn clashes(tx: &mut Tx) -> Result<Vec<ClashCount>> {
    let sql = "SELECT kind, status, resolution, COUNT(*) FROM sync_conflicts \
               GROUP BY kind, status, resolution ORDER BY kind, status, resolution";
    let mut found = Vec::new();
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, "sync_conflicts", &["kind", "status", "resolution", "count"]);
        found.push(ClashCount {
            kind: cells.text()?,
            status: cells.text()?,
            resolution: cells.text_option()?,
            count: cells.int()?,
        });
    }
    Ok(found)
}

/// When clashes came up and were decided, the newest decisions.
pub async fn decided(tx: &mut Tx, limit: i64) -> Result<Vec<(DateTime<Utc>, DateTime<Utc>)>> {
    let sql = "SELECT created_at, resolved_at FROM sync_conflicts WHERE status = 'resolved' AND resolved_at IS NOT NULL \
               ORDER BY created_at DESC LIMIT $1";
    let mut found = Vec::new();
    for row in tx.rows(sql, values![limit]).await? {
        let mut cells = Cells::new(&row, "sync_conflicts", &["created_at", "resolved_at"]);
        found.push((cells.instant()?, cells.instant()?));
    }
    Ok(found)
}

/// How often each thing was done that is on record.
pub async fn deeds(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT action, COUNT(*) FROM audit_log GROUP BY action ORDER BY action";
    let mut found = Vec::new();
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, "audit_log", &["action", "count"]);
        found.push((cells.text()?, cells.int()?));
    }
    Ok(found)
}
