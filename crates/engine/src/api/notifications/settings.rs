//! Templates of messages, and what the desk sends by itself, as the desk reads and writes them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use showdesk_domain::notices::Priority;
use showdesk_domain::notices::automatic::Choice;
use showdesk_domain::notices::quiet::Quiet;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AudienceInput;

/// Messages that are ready to be filled in.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateList {
    /// In their order.
    pub items: Vec<Template>,
}

/// A message that is ready to be filled in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Template {
    /// The template.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// The type of its messages.
    #[serde(rename = "type")]
    pub kind: String,
    /// normal, high, urgent.
    #[schema(value_type = String)]
    pub priority: Priority,
    /// With placeholders.
    pub title: String,
    /// With placeholders.
    pub body: Option<String>,
    /// Whom it is for; none if that is chosen when it is sent.
    pub audience: Option<AudienceInput>,
    /// Whether people are to say that they have seen it.
    pub needs_ack: bool,
}

/// A template as it is to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateInput {
    /// What it is called, 1 to 200 characters.
    pub name: String,
    /// `message` if absent.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// normal if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub priority: Option<Priority>,
    /// At most 80 letters; may have placeholders.
    pub title: String,
    /// At most 400 letters; may have placeholders.
    #[serde(default)]
    pub body: Option<String>,
    /// Whom it is for; null or absent if that is chosen when it is sent.
    #[serde(default)]
    pub audience: Option<AudienceInput>,
    /// If absent, it is to be confirmed unless it is normal.
    #[serde(default)]
    pub needs_ack: Option<bool>,
}

/// What the desk sends by itself, and when far phones are left alone.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AutomaticView {
    /// One a kind, in a fixed order.
    #[schema(value_type = Vec<AutomaticItem>)]
    pub items: Vec<Choice>,
    /// Quiet hours by the clock on the wall; none if there are none.
    #[schema(value_type = Option<QuietHours>)]
    pub quiet: Option<Quiet>,
}

/// What the desk is to send by itself. Kinds that are not named stay as they are; so do the quiet hours.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutomaticInput {
    /// Kinds to change.
    #[serde(default)]
    #[schema(value_type = Option<Vec<AutomaticItem>>)]
    pub items: Vec<Choice>,
    /// Quiet hours; null ends them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<QuietHours>)]
    pub quiet: Option<Option<Quiet>>,
}

/// What stands there, null included.
fn given<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// One kind of message that the desk sends by itself.
#[derive(Debug, ToSchema)]
pub struct AutomaticItem {
    /// `class_call`, `up_next`, `drive_call`, `ring_change`, `schedule`, `weigh_closing`, `classes_posted`, `results`,
    /// `conflict`, `sync`.
    pub key: String,
    /// Whether it is sent.
    pub on: bool,
    /// Minutes it counts with: before weigh-in closes, for a class in the ring, of work not sent.
    #[schema(required = false)]
    pub minutes: Option<i64>,
    /// When weigh-in closes, by department.
    #[schema(required = false)]
    pub closes: Option<Vec<WeighInCloses>>,
}

/// When a department's weigh-in closes.
#[derive(Debug, ToSchema)]
pub struct WeighInCloses {
    /// swine, ….
    pub department: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Quiet hours: far phones get nothing but emergencies. Over midnight if `from` is later than `to`.
#[derive(Debug, ToSchema)]
pub struct QuietHours {
    /// `21:00`.
    pub from: String,
    /// `06:30`.
    pub to: String,
}
