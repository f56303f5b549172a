//! Whom a message can be for, as the desk offers it while somebody types.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AudienceChoices {
    /// The best match first.
    pub items: Vec<AudienceChoice>,
}

/// Something that a message can be for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AudienceChoice {
    /// What it is.
    pub kind: AudienceKind,
    /// What goes into the audience: an id, a job, a department; `everybody` for everybody.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// What tells it from others.
    pub note: Option<String>,
    /// People with a phone.
    pub people: usize,
    /// When a class is planned.
    #[serde(with = "crate::api::sync::instant_option")]
    pub planned_at: Option<DateTime<Utc>>,
}

/// What an audience can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AudienceKind {
    /// Everybody at the show.
    Everybody,
    /// Everybody with a job.
    Function,
    /// Who works at a ring.
    Ring,
    /// A department.
    Department,
    /// Whose animals are in a class.
    Class,
    /// Who belongs to an exhibitor.
    Exhibitor,
}
