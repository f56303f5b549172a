//! Alert rules, what they said, and what was chosen for all of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use showdesk_telemetry::alerts::{Aggregate, Operator, QuietHours, Rule, Severity, Sink};
use showdesk_telemetry::metric::Metric;
use utoipa::ToSchema;
use uuid::Uuid;

/// When to tell whom of what. Times are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// Its name: small letters, digits and `_`. A built-in rule keeps it when it is changed.
    pub id: String,
    /// What is measured: `requests`, `phone_away_unsent`, `disk_free`, ….
    #[schema(value_type = String)]
    pub metric: Metric,
    /// Only measurements with these labels.
    #[serde(default)]
    pub filter: BTreeMap<String, String>,
    /// How far back one reading looks: at most 3,600.
    pub window: u32,
    /// `p50`, `p95`, `p99`, `rate` (a minute), `share` (of a hundred, failed), `count`, `last`.
    #[schema(value_type = String)]
    pub aggregate: Aggregate,
    /// `above` or `below`: which side is trouble.
    #[schema(value_type = String)]
    pub operator: Operator,
    /// Beyond this it is trouble; its unit stands beside the rule.
    pub threshold: f64,
    /// From here on all is well again.
    pub recovery: f64,
    /// How long it must be trouble before somebody is told.
    pub wait: u32,
    /// How long it must be well before it is over.
    pub keep: u32,
    /// How often people are told again while it lasts; none tells once.
    #[serde(default)]
    pub repeat: Option<u32>,
    /// With fewer measurements in the window there is nothing to complain of.
    pub samples_min: u64,
    /// Without any reading for so long, nothing is known.
    pub missing_after: u32,
    /// Whether not knowing is told like trouble.
    pub tell_missing: bool,
    /// `notice`, `warning`, `critical`: critical ones are told in quiet hours, too.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// When it is not told unless it is critical: `{from: "22:00", until: "06:00"}`, by the show's clock.
    #[serde(default)]
    #[schema(value_type = Option<AlertHours>)]
    pub quiet_hours: Option<QuietHours>,
    /// Who hears of it: `desktop`, `stream` (the open desks), `push` (phones of admins), `webhook`.
    #[schema(value_type = Vec<String>)]
    pub sinks: Vec<Sink>,
    /// Until then nobody does.
    #[serde(default)]
    pub silenced_until: Option<DateTime<Utc>>,
    /// Whether it is looked at.
    pub enabled: bool,
}

/// Hours of the day; they may go over midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertHours {
    /// The first quiet moment, like `22:00`.
    pub from: String,
    /// The first loud one.
    pub until: String,
}

/// All rules.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertRuleList {
    /// The built-in ones in their order, then those that people made.
    pub items: Vec<AlertRuleView>,
}

/// A rule, how it is said, and where it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertRuleView {
    /// The rule.
    pub rule: AlertRule,
    /// Whether the program came with it.
    pub built_in: bool,
    /// Whether it is a built-in one that somebody changed.
    pub changed: bool,
    /// The sentence that follows "Tell me when".
    pub sentence: Vec<AlertPart>,
    /// In which units its numbers are said.
    pub units: AlertUnits,
    /// Where it stands.
    pub state: AlertState,
}

/// A piece of a rule's sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertPart {
    /// `words`, `limit` (can be edited), `wait` (can be edited).
    pub kind: String,
    /// As it is read.
    pub text: String,
}

/// Units of a rule's numbers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertUnits {
    /// `milliseconds`, `seconds`, `count`, `percent`, `bytes`, or `flag`: nothing to choose.
    pub threshold: String,
}

/// Where a rule stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertState {
    /// `normal`, `pending`, `firing`, `recovering`, `no_data`: the most serious one of all it is about.
    pub phase: String,
    /// What is in trouble now.
    pub firing: Vec<AlertSubject>,
    /// Until when nobody hears of it, if that is still to come.
    #[serde(with = "super::sync::instant_option")]
    pub silenced_until: Option<DateTime<Utc>>,
    /// The first line of a message about it, while something is in trouble.
    pub headline: Option<String>,
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertSubject {
    /// A device's id, a provider's word, a problem's name; empty for this laptop.
    pub subject: String,
    /// In people's words; none for this laptop.
    pub name: Option<String>,
    /// Since when.
    #[serde(serialize_with = "super::sync::instant::serialize")]
    pub since: DateTime<Utc>,
    /// The last value; none if nothing is known.
    pub value: Option<f64>,
}

/// A page of what was said.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertEventPage {
    /// The newest first.
    pub items: Vec<AlertEvent>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// Something that was said, or happened while the rule was silenced.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertEvent {
    /// The row.
    pub id: Uuid,
    /// The rule.
    pub rule: String,
    /// `firing`, `still_firing`, `resolved`.
    pub kind: String,
    /// The first line.
    pub headline: String,
    /// The second.
    pub detail: Option<String>,
    /// `notice`, `warning`, `critical`.
    pub severity: String,
    /// What it is about.
    pub subjects: Vec<AlertSubject>,
    /// Nobody was told: the rule was silenced, or the hours were quiet.
    pub quiet: bool,
    /// How far it came to the phones of admins: `waiting`, `sent`, `failed`; none if it does not go there.
    pub push: Option<String>,
    /// The same to the webhook.
    pub webhook: Option<String>,
    /// When.
    #[serde(with = "super::sync::instant")]
    pub at: DateTime<Utc>,
}

/// What was chosen for all rules.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertSettings {
    /// Whether the laptop's desktop shows messages.
    pub desktop: bool,
    /// Whether every message goes to the phones of admins, too.
    pub push: bool,
    /// Where every message goes, too; none if nowhere.
    pub webhook: Option<AlertWebhook>,
    /// When only critical messages are sent, by the show's clock.
    pub quiet_hours: Option<AlertHours>,
}

/// A webhook without what is secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertWebhook {
    /// Where it is: `https://hooks.example.org/…`. The rest is never told.
    pub address: String,
    /// When it was entered.
    #[serde(with = "super::sync::instant")]
    pub set_at: DateTime<Utc>,
    /// What became of the last message to it.
    pub last: Option<AlertWebhookTried>,
}

/// What became of a message to the webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertWebhookTried {
    /// When.
    #[serde(serialize_with = "super::sync::instant::serialize")]
    pub at: DateTime<Utc>,
    /// Whether it was taken.
    pub ok: bool,
    /// What happened, in a sentence.
    pub sentence: String,
}

/// What is to be chosen; what is not named stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertSettingsInput {
    /// Whether the laptop's desktop shows messages.
    #[serde(default)]
    pub desktop: Option<bool>,
    /// Whether every message goes to the phones of admins, too.
    #[serde(default)]
    pub push: Option<bool>,
    /// Where every message goes, too; null for nowhere.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<AlertWebhookInput>)]
    pub webhook: Option<Option<AlertWebhookInput>>,
    /// When only critical messages are sent; null for never.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<AlertHours>)]
    pub quiet_hours: Option<Option<AlertHours>>,
}

/// A webhook that is to be used.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertWebhookInput {
    /// Its address, `https://` or `http://`, without a name and a password in it. It comes in and is never told.
    pub url: String,
}

impl std::fmt::Debug for AlertWebhookInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AlertWebhookInput(…)")
    }
}

/// How a test of the webhook ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertTrial {
    /// Whether it was taken.
    pub ok: bool,
    /// What happened, in a sentence.
    pub sentence: String,
}

/// What the desktop shows of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesktopAlert {
    /// The first line.
    pub headline: String,
    /// The second.
    pub detail: Option<String>,
    /// Entries may be lost.
    pub is_urgent: bool,
    /// The place of the page that tells more.
    pub open: String,
}

/// How far a desktop has shown what was said. Only the engine reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertPlace {
    /// Which database the number is of.
    pub(crate) opening: u32,
    /// The number of what was shown last.
    pub(crate) number: i64,
    /// What was shown before it had a number.
    pub(crate) shown: Vec<Uuid>,
}

/// Tells a member that is null from one that is not there.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether the member is there, the inner one whether it is null"
)]
fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The rule of the protocol and the one that is followed have the same members.
macro_rules! same_members {
    ($one:ident and $other:ident: $($member:ident),+ $(,)?) => {
        impl From<$one> for $other {
            fn from($one { $($member),+ }: $one) -> Self {
                Self { $($member),+ }
            }
        }

        impl From<$other> for $one {
            fn from($other { $($member),+ }: $other) -> Self {
                Self { $($member),+ }
            }
        }
    };
}

same_members!(Rule and AlertRule:
    id, metric, filter, window, aggregate, operator, threshold, recovery, wait, keep, repeat, samples_min,
    missing_after, tell_missing, severity, quiet_hours, sinks, silenced_until, enabled,
);
