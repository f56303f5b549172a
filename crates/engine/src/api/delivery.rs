//! Push providers as the desk sets them up, and the addresses that phones give. Keys come in and never go out.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The push providers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProvidersView {
    /// Firebase, for Android apps.
    pub fcm: FcmView,
    /// Apple, for iPhone apps.
    pub apns: ApnsView,
    /// The message services of browsers, for the show's own page.
    pub web: WebView,
}

/// What is known of every provider.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProviderStanding {
    /// Whether it is set up.
    pub configured: bool,
    /// A stand-in in the provider's place; none is the provider itself.
    pub endpoint: Option<String>,
    /// `not_set_up`, `untested`, `ok`, or `open_circuit`: nothing goes out by it just now.
    pub state: ProviderState,
    /// What stands in the way, in a sentence.
    pub problem: Option<String>,
    /// Phones' addresses at it.
    pub tokens: TokenTotals,
}

/// Whether messages go out by a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderState {
    /// Nothing was entered.
    NotSetUp,
    /// Nothing was sent or tested with these settings.
    Untested,
    /// The last that was heard of it was good.
    Ok,
    /// Nothing goes out just now.
    OpenCircuit,
}

/// How many addresses there are.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct TokenTotals {
    /// That are used.
    pub active: i64,
    /// That lead nowhere any more.
    pub disabled: i64,
}

/// Firebase.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FcmView {
    /// What is known of it.
    #[serde(flatten)]
    pub standing: ProviderStanding,
    /// The project in the key file.
    pub project_id: Option<String>,
}

/// Apple.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApnsView {
    /// What is known of it.
    #[serde(flatten)]
    pub standing: ProviderStanding,
    /// The team.
    pub team_id: Option<String>,
    /// The key.
    pub key_id: Option<String>,
    /// The app's bundle id.
    pub topic: Option<String>,
    /// `production` or `sandbox`: where a phone is looked for that does not say.
    pub environment: Option<String>,
}

/// The message services of browsers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebView {
    /// What is known of them.
    #[serde(flatten)]
    pub standing: ProviderStanding,
    /// Whom they may write to.
    pub subject: Option<String>,
    /// The show's public key, by which browsers know it.
    pub public_key: Option<String>,
}

/// Who is asked in a provider's place, as a request says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandIn {
    /// Null: the provider itself.
    Nobody,
    /// This address.
    At(String),
}

/// Reads a field whose null says something else than its absence.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StandIn>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(Some(text.map_or(StandIn::Nobody, StandIn::At)))
}

/// Sets Firebase up. What is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FcmInput {
    /// The text of the key file. It can be replaced, never read.
    #[serde(default)]
    pub service_account: Option<String>,
    /// A stand-in in the provider's place, by https or on this laptop; null is the provider itself.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub endpoint: Option<StandIn>,
}

/// Sets Apple up. What is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApnsInput {
    /// The text of the .p8 file. It can be replaced, never read.
    #[serde(default)]
    pub key: Option<String>,
    /// Ten letters and digits.
    #[serde(default)]
    pub key_id: Option<String>,
    /// Ten letters and digits.
    #[serde(default)]
    pub team_id: Option<String>,
    /// The app's bundle id.
    #[serde(default)]
    pub topic: Option<String>,
    /// `production` (the first choice) or `sandbox`.
    #[serde(default)]
    pub environment: Option<String>,
    /// A stand-in in the provider's place, by https or on this laptop; null is the provider itself.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub endpoint: Option<StandIn>,
}

/// Sets the message services of browsers up. The show's key is made at the first time and stays. What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebInput {
    /// `mailto:` and an e-mail address, or an https page: whom the services may write to.
    #[serde(default)]
    pub subject: Option<String>,
    /// A stand-in in the services' place, by https or on this laptop; null is the services themselves.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub endpoint: Option<StandIn>,
}

/// How a test of a provider's settings ended. No phone got anything by it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrialView {
    /// Whether messages would go out.
    pub ok: bool,
    /// `ok`, or what was found in a word.
    pub code: String,
    /// What was found and what to do about it.
    pub sentence: String,
}

/// The address of a phone at a push provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenInput {
    /// `ios`, `android`, `web`.
    pub platform: String,
    /// The address; for `web` the subscription's endpoint.
    pub token: String,
    /// For `ios`: `production` or `sandbox`.
    #[serde(default)]
    pub environment: Option<String>,
    /// A Firebase installation id, used in the place of the token.
    #[serde(default)]
    pub fid: Option<String>,
    /// The app's bundle id.
    #[serde(default)]
    pub app_id: Option<String>,
    /// For `web`: the subscription's key.
    #[serde(default)]
    pub p256dh: Option<String>,
    /// For `web`: the subscription's secret.
    #[serde(default)]
    pub auth: Option<String>,
}

/// An address that is kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenKept {
    /// By which it can be removed.
    pub id: Uuid,
}

/// What a page needs to subscribe.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PushKey {
    /// None while the desk sends nothing through browsers.
    pub web: Option<WebKey>,
}

/// The show's public key for browsers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebKey {
    /// The uncompressed point, in URL-safe base64 without padding: `applicationServerKey`.
    pub public_key: String,
}
