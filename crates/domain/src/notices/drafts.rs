//! The desk's own messages, from what happened: whom each is for, in which words, for how long (DOMAIN.md §7).
//!
//! Of many facts of one kind in one transaction one message is made: an import or a decision about hundreds of rows
//! tells nobody a hundred things.

mod clashes;
mod classes;
#[cfg(test)]
mod tests;
mod timed;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

pub use self::clashes::key_of as clash_key;
pub use self::classes::feeders_of;
pub use self::timed::{NotWeighed, Unsent, closing_key, sync_key, unsent_work, weigh_closing};
use super::audience::Audience;
use super::automatic::{Automatic, Choices};
use super::facts::Facts;
use super::words::{Manner, cut};
use super::{BODY_CHARS_MAX, Priority, TITLE_CHARS_MAX};
use crate::conflict::Conflict;
use crate::ids::{DeviceId, RecordId};
use crate::record::Record;
use crate::world::Key;

/// Facts of one kind that are told one by one; more of them are told as one.
const SINGLES_MAX: usize = 3;

/// A message that the desk makes by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its kind.
    pub kind: Automatic,
    /// What stands on top.
    pub title: String,
    /// What stands below.
    pub body: Option<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// Whom it is for.
    pub audience: Audience,
    /// What it tells of: it is told once.
    pub dedupe_key: String,
    /// A later one of the same key takes its place.
    pub collapse_key: String,
    /// When it is over.
    pub expires_at: Option<DateTime<Utc>>,
    /// What a phone or the desk opens, and ids.
    pub data: Map<String, Json>,
    /// The device from which it was done: it need not be told.
    pub from_device: Option<DeviceId>,
}

/// What is known around the facts: rows as they are after the transaction.
pub struct Known<'a> {
    /// How the show writes times and weights.
    pub manner: Manner,
    /// The desk's time.
    pub now: DateTime<Utc>,
    /// Which messages are sent.
    pub choices: &'a Choices,
    /// Classes, rings, placings, entries, exhibitors, animals that the facts are about.
    pub rows: &'a HashMap<Key, Record>,
    /// The clashes that wait.
    pub clashes: &'a [Conflict],
    /// How many messages about clashes were made in the last minutes.
    pub clashes_told: i64,
}

impl<'a> Known<'a> {
    fn row(&self, table: &'static str, id: Option<Uuid>) -> Option<&'a Record> {
        self.rows.get(&(table, RecordId(id?)))
    }

    fn all(&self, table: &'static str) -> impl Iterator<Item = &'a Record> {
        self.rows.values().filter(move |row| row.table.name == table && row.is_live())
    }

    fn ring_name(&self, id: Option<Uuid>) -> Option<&'a str> {
        self.row("rings", id)?.value("name").as_text()
    }
}

/// The messages that these facts make, in a fixed order.
pub fn drafts(facts: &Facts, known: &Known<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    classes::called(facts, known, &mut drafts);
    classes::coming(facts, known, &mut drafts);
    classes::moved(facts, known, &mut drafts);
    timed::times(facts, known, &mut drafts);
    classes::posted(facts, known, &mut drafts);
    classes::official(facts, known, &mut drafts);
    clashes::opened(facts, known, &mut drafts);
    drafts.retain(|draft| known.choices.is_on(draft.kind));
    for draft in &mut drafts {
        draft.title = cut(&draft.title, TITLE_CHARS_MAX);
        draft.body = draft.body.take().map(|body| cut(&body, BODY_CHARS_MAX));
    }
    drafts
}

impl Draft {
    fn new(kind: Automatic, priority: Priority, key: impl std::fmt::Display, title: String) -> Self {
        let dedupe_key = format!("{}:{key}", kind.as_str());
        Self {
            kind,
            title,
            body: None,
            priority,
            audience: Audience::default(),
            collapse_key: dedupe_key.clone(),
            dedupe_key,
            expires_at: None,
            data: Map::new(),
            from_device: None,
        }
    }

    fn about(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }
}
