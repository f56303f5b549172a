//! `notification_templates`: messages that are ready to be filled in and sent.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::notices::Priority;
use showdesk_domain::notices::audience::Audience;
use uuid::Uuid;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::people::json;
use crate::sql;
use crate::{Result, Tx};

const COLUMNS: &[&str] =
    &["id", "name", "type", "priority", "title", "body", "audience", "needs_ack", "place", "created_at", "updated_at"];

static ADD: LazyLock<&str> = LazyLock::new(|| sql::keep(sql::insert("notification_templates", COLUMNS, 1)));
static ALL: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!("{} ORDER BY place, created_at, id", sql::select("notification_templates", COLUMNS)))
});

/// A row of `notification_templates`.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateRow {
    /// The template.
    pub id: Uuid,
    /// What it is called in the list.
    pub name: String,
    /// The type of its messages.
    pub kind: String,
    /// Their priority.
    pub priority: Priority,
    /// Their title, with placeholders.
    pub title: String,
    /// Their text, with placeholders.
    pub body: Option<String>,
    /// Whom they are for, as far as that is known.
    pub audience: Audience,
    /// Whether people are to say that they have seen them.
    pub needs_ack: bool,
    /// Its place in the list.
    pub place: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// All templates, in their order.
pub async fn all(tx: &mut Tx) -> Result<Vec<TemplateRow>> {
    let rows = tx.rows(*ALL, Vec::new()).await?;
    let read = |row| {
        let mut cells = Cells::new(row, "notification_templates", COLUMNS);
        Ok(TemplateRow {
            id: cells.uuid()?,
            name: cells.text()?,
            kind: cells.text()?,
            priority: cells.word(Priority::parse)?,
            title: cells.text()?,
            body: cells.text_option()?,
            audience: cells.parsed()?,
            needs_ack: cells.flag()?,
            place: cells.int()?,
            created_at: cells.instant()?,
            updated_at: cells.instant()?,
        })
    };
    rows.iter().map(read).collect()
}

/// Adds a template.
pub async fn add(tx: &mut Tx, row: &TemplateRow) -> Result<()> {
    let values = values![
        row.id,
        row.name.as_str(),
        row.kind.as_str(),
        row.priority.as_str(),
        row.title.as_str(),
        row.body.clone(),
        json(&row.audience),
        row.needs_ack,
        row.place,
        row.created_at,
        row.updated_at,
    ];
    tx.execute(*ADD, values).await?;
    Ok(())
}

/// Writes a template anew; false if there is none of that id.
pub async fn change(tx: &mut Tx, row: &TemplateRow) -> Result<bool> {
    let sql = "UPDATE notification_templates SET name = $2, type = $3, priority = $4, title = $5, body = $6, \
               audience = $7, needs_ack = $8, updated_at = $9 WHERE id = $1";
    let values = values![
        row.id,
        row.name.as_str(),
        row.kind.as_str(),
        row.priority.as_str(),
        row.title.as_str(),
        row.body.clone(),
        json(&row.audience),
        row.needs_ack,
        row.updated_at,
    ];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Removes a template; false if there is none of that id.
pub async fn remove(tx: &mut Tx, id: Uuid) -> Result<bool> {
    Ok(tx.execute("DELETE FROM notification_templates WHERE id = $1", values![id]).await? == 1)
}
