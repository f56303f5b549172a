//! Messages as somebody at the desk writes them, and asks about them before they go out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use showdesk_domain::actor::Function;
use showdesk_domain::notices::Priority;
use showdesk_domain::notices::audience::Audience;
use utoipa::ToSchema;
use uuid::Uuid;

/// Whom a message is for; what is named is added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, from = "GivenAudience")]
pub struct AudienceInput {
    /// Everybody at the show, viewers included. `{}` means the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub everybody: Option<bool>,
    /// Everybody with one of these jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
    /// Who works at these rings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rings: Vec<Uuid>,
    /// Who works for these departments, and whose animals are in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<String>,
    /// Whose animals are entered in these classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_ids: Vec<Uuid>,
    /// Who belongs to these exhibitors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exhibitor_ids: Vec<Uuid>,
}

/// An audience as it was sent: a list that was left empty is not one that was left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenAudience {
    everybody: Option<bool>,
    functions: Option<Vec<Function>>,
    rings: Option<Vec<Uuid>>,
    departments: Option<Vec<String>>,
    class_ids: Option<Vec<Uuid>>,
    exhibitor_ids: Option<Vec<Uuid>>,
}

impl From<GivenAudience> for AudienceInput {
    fn from(given: GivenAudience) -> Self {
        let GivenAudience { everybody, functions, rings, departments, class_ids, exhibitor_ids } = given;
        let says_nothing = everybody.is_none()
            && functions.is_none()
            && rings.is_none()
            && departments.is_none()
            && class_ids.is_none()
            && exhibitor_ids.is_none();
        Self {
            // As in an announcement.
            everybody: if says_nothing { Some(true) } else { everybody },
            functions: functions.unwrap_or_default(),
            rings: rings.unwrap_or_default(),
            departments: departments.unwrap_or_default(),
            class_ids: class_ids.unwrap_or_default(),
            exhibitor_ids: exhibitor_ids.unwrap_or_default(),
        }
    }
}

impl From<&Audience> for AudienceInput {
    fn from(audience: &Audience) -> Self {
        Self {
            everybody: audience.everybody.then_some(true),
            functions: audience.functions.clone(),
            rings: audience.rings.clone(),
            departments: audience.departments_asked(),
            class_ids: audience.class_ids.clone(),
            exhibitor_ids: audience.exhibitor_ids.clone(),
        }
    }
}

/// A message that somebody writes at the desk.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// At most 80 letters. `{class}`, `{ring}` and `{time}` are filled in from the audience's class.
    pub title: String,
    /// At most 400 letters; the same is filled in.
    #[serde(default)]
    pub body: Option<String>,
    /// `message` if absent.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// normal (if absent), high, urgent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub priority: Option<Priority>,
    /// Whether people are to say that they have seen it; if absent, they are unless it is normal.
    #[serde(default)]
    pub needs_ack: Option<bool>,
    /// Whom it is for.
    pub audience: AudienceInput,
    /// When it goes out; now if absent.
    #[serde(default, with = "crate::api::sync::instant_option")]
    pub send_at: Option<DateTime<Utc>>,
    /// Or so long before a class; if the class is moved, so is the message.
    #[serde(default)]
    pub before_class: Option<BeforeClass>,
    /// When it is over.
    #[serde(default, with = "crate::api::sync::instant_option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Or with what it is over.
    #[serde(default)]
    pub ends: Option<Ends>,
    /// The template it was made from.
    #[serde(default)]
    pub template_id: Option<Uuid>,
    /// It can be taken back for so long, at most 60 seconds; none if absent.
    #[serde(default)]
    pub undo_seconds: Option<i64>,
    /// It goes to the phones of the one who asks, and to nobody else.
    #[serde(default)]
    pub test: Option<bool>,
}

/// So long before a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeforeClass {
    /// The class.
    pub class_id: Uuid,
    /// Minutes before its planned time, 0 to 10,080.
    pub minutes: i64,
}

/// With what a message is over: one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Ends {
    /// This class enters the ring.
    ClassStarts(Uuid),
    /// So many minutes after it went out, 1 to 10,080.
    AfterMinutes(i64),
}

/// Whom a message is asked about.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskReach {
    /// Whom it is for.
    pub audience: AudienceInput,
}

/// A message that is looked at before it is sent.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPreview {
    /// As typed.
    pub title: String,
    /// As typed.
    #[serde(default)]
    pub body: Option<String>,
    /// Whom it is for.
    pub audience: AudienceInput,
    /// So long before a class.
    #[serde(default)]
    pub before_class: Option<BeforeClass>,
}

/// A text as it was typed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RawText {
    /// With placeholders.
    pub title: String,
    /// With placeholders.
    pub body: Option<String>,
}
