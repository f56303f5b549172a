//! A clash that a person decides (PROTOCOL.md §5): what is kept about it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Version};
use crate::op::Operation;
use crate::schema::Table;

/// A row of `sync_conflicts`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// The op that opened it.
    pub queue_id: OpId,
    /// The record's table.
    pub table: &'static Table,
    /// The record.
    pub record_id: RecordId,
    /// The second record of a uniqueness clash.
    pub other_record_id: Option<RecordId>,
    /// What clashes.
    pub kind: ConflictKind,
    /// `C1` …, where `kind` is rule.
    pub rule: Option<String>,
    /// Where it stands.
    pub status: ConflictStatus,
    /// Goes up whenever what must be decided changed.
    pub rev: i64,
    /// The device of the clashing entry.
    pub device_id: DeviceId,
    /// Its author.
    pub user_id: PersonId,
    /// Who wrote the desk's value of the contested fields, as far as that is known.
    pub server_user_id: Option<PersonId>,
    /// The ops that one decision covers, in their order.
    pub op_ids: Vec<OpId>,
    /// The author's view, a whole row as far as known.
    pub base_data: Option<Map<String, Json>>,
    /// The desk's row.
    pub server_data: Option<Map<String, Json>>,
    /// The row as the author wanted it.
    pub client_data: Option<Map<String, Json>>,
    /// The record's version when the clash was last looked at.
    pub server_version: Version,
    /// Paths a person must choose.
    pub contested: Vec<String>,
    /// Paths of the entry that wait with them.
    pub clean: Vec<String>,
    /// The rows of a group of ops that is decided as one, in the order they are written; empty for a single op.
    pub parts: Vec<Part>,
    /// The decision in force: `client_wins`, `server_wins`, manual.
    pub resolution: Option<String>,
    /// The values it wrote, by path.
    pub resolved_data: Option<Map<String, Json>>,
    /// Who decided.
    pub resolved_by: Option<PersonId>,
    /// When.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The record's version it made.
    pub result_version: Option<Version>,
    /// The bulk decision it was part of.
    pub bulk_id: Option<Uuid>,
    /// Why.
    pub reason: Option<String>,
    /// Every decision, oldest first, those taken back included.
    pub decisions: Vec<Json>,
    /// `{note, by, at}` if the author disagreed with the last decision.
    pub disagreement: Option<Json>,
    /// When it was found.
    pub created_at: DateTime<Utc>,
}

/// One row of a clash about a group of ops: PROTOCOL.md §3, `records`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The row's table.
    #[serde(rename = "table_name", with = "by_name")]
    pub table: &'static Table,
    /// The row.
    pub record_id: RecordId,
    /// What the first op about it does: insert, update or delete.
    pub operation: Operation,
    /// The author's view of it.
    pub base: Option<Map<String, Json>>,
    /// The desk's row.
    pub server: Option<Map<String, Json>>,
    /// The row as the author wanted it; none if it was to be deleted.
    pub client: Option<Map<String, Json>>,
    /// The desk's version of it, 0 if it does not exist.
    pub version: Version,
    /// The other row that holds its unique value.
    pub other_record_id: Option<RecordId>,
    /// Paths a person must choose.
    pub contested: Vec<String>,
    /// Paths that wait with them.
    pub clean: Vec<String>,
}

/// A table travels by its name.
mod by_name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::schema::{self, Table};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands every field over by reference")]
    pub(super) fn serialize<S: Serializer>(table: &&'static Table, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(table.name)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Table, D::Error> {
        let name = String::deserialize(deserializer)?;
        schema::table(&name).ok_or_else(|| D::Error::custom("there is no such table"))
    }
}

impl Conflict {
    /// An open clash about a row, opened by this op of this device and person, that says nothing yet.
    pub fn opened(
        id: ConflictId,
        queue_id: OpId,
        (table, record_id): (&'static Table, RecordId),
        kind: ConflictKind,
        (device_id, user_id): (DeviceId, PersonId),
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            queue_id,
            table,
            record_id,
            other_record_id: None,
            kind,
            rule: None,
            status: ConflictStatus::Open,
            rev: 1,
            device_id,
            user_id,
            server_user_id: None,
            op_ids: Vec::new(),
            base_data: None,
            server_data: None,
            client_data: None,
            server_version: Version(0),
            contested: Vec::new(),
            clean: Vec::new(),
            parts: Vec::new(),
            resolution: None,
            resolved_data: None,
            resolved_by: None,
            resolved_at: None,
            result_version: None,
            bulk_id: None,
            reason: None,
            decisions: Vec::new(),
            disagreement: None,
            created_at,
        }
    }

    /// The rows it is about: itself, or each of its group.
    pub fn record_ids(&self) -> Vec<RecordId> {
        let mut ids = vec![self.record_id];
        ids.extend(self.parts.iter().map(|part| part.record_id));
        ids.dedup();
        ids
    }

    /// One row of a group as a clash of its own, so that one rule serves both.
    #[must_use]
    pub fn of_part(&self, part: &Part) -> Self {
        Self {
            table: part.table,
            record_id: part.record_id,
            other_record_id: part.other_record_id,
            base_data: part.base.clone(),
            server_data: part.server.clone(),
            client_data: part.client.clone(),
            server_version: part.version,
            contested: part.contested.clone(),
            clean: part.clean.clone(),
            parts: Vec::new(),
            ..self.clone()
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the protocol and in both databases.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads that word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What clashes.
    ConflictKind {
        /// Both changed the same field.
        UpdateUpdate = "update_update",
        /// Both made the row, differently.
        InsertInsert = "insert_insert",
        /// The row was deleted before.
        InsertDeleted = "insert_deleted",
        /// There is evidence that the row existed, but it is gone.
        UpdateMissing = "update_missing",
        /// The desk deleted what the phone changed.
        UpdateDeleted = "update_deleted",
        /// The phone deleted what the desk changed.
        DeleteUpdated = "delete_updated",
        /// Two rows want the same tag or number.
        UniqueViolation = "unique_violation",
        /// The row it points to never came.
        MissingReference = "missing_reference",
        /// The joined row breaks a rule.
        MergedInvalid = "merged_invalid",
        /// The entry was acknowledged before a restore.
        RestoredServer = "restored_server",
        /// A rule of the show, DOMAIN.md §5.
        Rule = "rule",
    }
}

words! {
    /// Where a clash stands.
    ConflictStatus {
        /// Waits for a person.
        Open = "open",
        /// Decided.
        Resolved = "resolved",
        /// The values became equal by another way.
        Superseded = "superseded",
        /// The author took the entry back.
        Withdrawn = "withdrawn",
        /// A policy chose between two different values.
        MergedAutomatically = "merged_automatically",
    }
}

impl ConflictKind {
    /// Whether the clash is about the row's existence and not about single fields.
    pub fn is_lifecycle(self) -> bool {
        !matches!(
            self,
            Self::UpdateUpdate | Self::InsertInsert | Self::UniqueViolation | Self::Rule | Self::MergedInvalid
        )
    }
}
