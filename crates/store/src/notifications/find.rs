//! What a message can be for, found by name or number.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql;
use crate::{Result, Tx, spelling};

/// Columns of a class as they are selected.
const CLASS: &str = "SELECT c.id, c.code, c.name, c.planned_at, r.name FROM classes c LEFT JOIN rings r \
                     ON r.id = c.ring_id AND r.deleted_at IS NULL WHERE c.deleted_at IS NULL";
/// Classes that were broken have no people of their own.
const WHOLE: &str = "NOT EXISTS (SELECT 1 FROM classes b WHERE b.family_id = c.id AND b.deleted_at IS NULL)";
const SOONEST: &str = "c.planned_at IS NULL, c.planned_at, c.seq IS NULL, c.seq, c.name, c.id";

static COMING: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "{CLASS} AND c.status IN ('scheduled', 'make_ready', 'in_ring') AND {WHOLE} ORDER BY {SOONEST} LIMIT $1"
    ))
});
static CLASSES: LazyLock<&str> = LazyLock::new(|| {
    let (matches, begins) = (spelling::like_spelled("c.name"), spelling::like("c.code", "$6"));
    // The number that was typed comes first, then what has not been judged yet.
    sql::keep(format!(
        "{CLASS} AND ({begins} OR {matches}) AND {WHOLE} ORDER BY \
         CASE WHEN lower(c.code) = $4 THEN 0 ELSE 1 END, \
         CASE WHEN c.status IN ('scheduled', 'make_ready', 'in_ring') THEN 0 ELSE 1 END, {SOONEST} LIMIT $5"
    ))
});
static EXHIBITORS: LazyLock<&str> = LazyLock::new(|| {
    let matches = spelling::like_spelled("e.first_name || ' ' || e.last_name");
    sql::keep(format!(
        "SELECT e.id, e.first_name, e.last_name, e.back_number, e.club_chapter FROM exhibitors e \
         WHERE e.deleted_at IS NULL AND e.merged_into IS NULL AND (e.back_number = $4 OR {matches}) ORDER BY \
         CASE WHEN e.back_number = $4 THEN 0 ELSE 1 END, lower(e.last_name), lower(e.first_name), e.id LIMIT $5"
    ))
});

/// A class that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassHit {
    /// The class.
    pub id: Uuid,
    /// Its number.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// When it is planned.
    pub planned_at: Option<DateTime<Utc>>,
    /// Its ring's name.
    pub ring: Option<String>,
}

/// An exhibitor that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExhibitorHit {
    /// The exhibitor.
    pub id: Uuid,
    /// Both names.
    pub name: String,
    /// The number on the back.
    pub back_number: Option<i64>,
    /// The club.
    pub club_chapter: Option<String>,
}

/// Classes by number or by a part of the name; without a text those that come next.
pub async fn classes(tx: &mut Tx, text: &str, limit: i64) -> Result<Vec<ClassHit>> {
    let rows = match spelling::lowered(text) {
        None => tx.rows(*COMING, values![limit]).await?,
        Some(lowered) => {
            let mut bound = spelled(&lowered, Value::from(lowered.as_str()), limit);
            bound.push(Value::from(format!("{}%", spelling::escaped(&lowered))));
            tx.rows(*CLASSES, bound).await?
        }
    };
    let read = |row| {
        let mut cells = Cells::new(row, "classes", &["id", "code", "name", "planned_at", "ring"]);
        Ok(ClassHit {
            id: cells.uuid()?,
            code: cells.text_option()?,
            name: cells.text()?,
            planned_at: cells.instant_option()?,
            ring: cells.text_option()?,
        })
    };
    rows.iter().map(read).collect()
}

/// Exhibitors by number or by a part of the name; none without a text.
pub async fn exhibitors(tx: &mut Tx, text: &str, limit: i64) -> Result<Vec<ExhibitorHit>> {
    let Some(lowered) = spelling::lowered(text) else { return Ok(Vec::new()) };
    let number = lowered.trim_start_matches('#').parse::<i64>().ok().filter(|number| *number >= 0);
    let rows = tx.rows(*EXHIBITORS, spelled(&lowered, Value::from(number), limit)).await?;
    let read = |row| {
        let columns = &["id", "first_name", "last_name", "back_number", "club_chapter"];
        let mut cells = Cells::new(row, "exhibitors", columns);
        let id = cells.uuid()?;
        let (first, last) = (cells.text()?, cells.text()?);
        Ok(ExhibitorHit {
            id,
            name: format!("{first} {last}").trim().to_owned(),
            back_number: cells.int_option()?,
            club_chapter: cells.text_option()?,
        })
    };
    rows.iter().map(read).collect()
}

/// All rings, in their order.
pub async fn rings(tx: &mut Tx) -> Result<Vec<(Uuid, String)>> {
    let sql = "SELECT id, name FROM rings WHERE deleted_at IS NULL ORDER BY seq IS NULL, seq, name, id";
    let read = |row| {
        let mut cells = Cells::new(row, "rings", &["id", "name"]);
        Ok((cells.uuid()?, cells.text()?))
    };
    tx.rows(sql, Vec::new()).await?.iter().map(read).collect()
}

/// The departments that have a class.
pub async fn departments(tx: &mut Tx) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT department FROM classes WHERE deleted_at IS NULL AND department IS NOT NULL \
               ORDER BY department";
    let read = |row| Cells::new(row, "classes", &["department"]).text();
    tx.rows(sql, Vec::new()).await?.iter().map(read).collect()
}

/// The spellings of a text, what it is as a number or code, and how many are wanted.
fn spelled(lowered: &str, exact: Value, limit: i64) -> Vec<Value> {
    let mut bound: Vec<Value> = spelling::spellings(lowered).into_iter().map(Value::from).collect();
    bound.extend([exact, Value::from(limit)]);
    bound
}
