//! What was chosen for all rules, and the webhook. Its address is a secret: it lies in the vault, and only where it leads
//! is ever told.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_push::webhook::Webhook;
use showdesk_store::telemetry::alerts;
use showdesk_store::{Tx, secrets};
use showdesk_telemetry::alerts::{QuietHours, Settings};

use crate::api::alerts::{AlertHours, AlertSettings, AlertSettingsInput, AlertTrial, AlertWebhook, AlertWebhookTried};
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake};

/// The secret that holds the address.
pub(super) const WEBHOOK_SECRET: &str = "alert_webhook";
/// What is said of it where it cannot be opened.
pub(super) const KEY_ELSEWHERE: &str =
    "The key to the address is not on this laptop: messages to it wait for a laptop of the show that has it.";
const SETTINGS: &str = "settings";
const WEBHOOK: &str = "webhook";
const TRIED: &str = "webhook_tried";

/// What may be shown of the webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Shown {
    address: String,
    set_at: DateTime<Utc>,
}

/// What was chosen.
pub(super) async fn read(tx: &mut Tx) -> Result<Settings> {
    let stored = alerts::setting(tx, SETTINGS).await?;
    Ok(stored.and_then(|stored| serde_json::from_value(stored).ok()).unwrap_or_default())
}

/// Notes what became of a message to the webhook.
pub(super) async fn note_tried(tx: &mut Tx, tried: &AlertWebhookTried, now: DateTime<Utc>) -> Result<()> {
    Ok(alerts::set_setting(tx, TRIED, &json!(tried), None, now).await?)
}

async fn stored<T: for<'de> Deserialize<'de>>(tx: &mut Tx, name: &str) -> Result<Option<T>> {
    let value = alerts::setting(tx, name).await?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

impl Engine {
    /// What was chosen for all rules.
    pub async fn alert_settings(&self, actor: &Actor) -> Result<AlertSettings> {
        require(actor, Action::SeeHealth)?;
        let mut tx = self.begin_read_telemetry_as(actor).await?;
        let settings = read(&mut tx).await?;
        let shown: Option<Shown> = stored(&mut tx, WEBHOOK).await?;
        let last: Option<AlertWebhookTried> = stored(&mut tx, TRIED).await?;
        drop(tx);
        let mut last = last.filter(|last| shown.as_ref().is_some_and(|shown| last.at >= shown.set_at));
        if shown.is_some() && !self.may_open_webhook().await {
            last = Some(AlertWebhookTried { at: self.now(), ok: false, sentence: KEY_ELSEWHERE.to_owned() });
        }
        let webhook = shown.filter(|_| settings.webhook);
        Ok(AlertSettings {
            desktop: settings.desktop,
            push: settings.push,
            webhook: webhook.map(|Shown { address, set_at }| AlertWebhook { address, set_at, last }),
            quiet_hours: settings.quiet_hours.map(hours_view),
        })
    }

    /// Chooses for all rules; what is not named stays.
    pub async fn choose_alert_settings(&self, actor: &Actor, wanted: AlertSettingsInput) -> Result<AlertSettings> {
        require(actor, Action::ManageHealth)?;
        let quiet_hours = match wanted.quiet_hours {
            Some(Some(hours)) => Some(Some(hours_of(&hours)?)),
            Some(None) => Some(None),
            None => None,
        };
        let webhook = match &wanted.webhook {
            Some(Some(input)) => Some(Some(Webhook::parse(&input.url).map_err(|error| refused(&error.to_string()))?)),
            Some(None) => Some(None),
            None => None,
        };
        let now = self.now();
        if let Some(Some(webhook)) = &webhook {
            self.open_vault_now().await?;
            self.keep_secret(WEBHOOK_SECRET, webhook.reveal().as_bytes()).await?;
        }
        let mut tx = self.begin_write_telemetry().await?;
        let before = read(&mut tx).await?;
        let after = Settings {
            desktop: wanted.desktop.unwrap_or(before.desktop),
            push: wanted.push.unwrap_or(before.push),
            webhook: webhook.as_ref().map_or(before.webhook, Option::is_some),
            quiet_hours: quiet_hours.unwrap_or(before.quiet_hours),
        };
        alerts::set_setting(&mut tx, SETTINGS, &json!(after), Some(actor.person), now).await?;
        let shown = webhook.as_ref().and_then(Option::as_ref).map(Webhook::shown);
        if let Some(address) = shown {
            let shown = Shown { address: address.to_owned(), set_at: now };
            alerts::set_setting(&mut tx, WEBHOOK, &json!(shown), Some(actor.person), now).await?;
        }
        tx.commit().await.map_err(EngineError::from)?;
        if let Some(None) = webhook {
            let mut tx = self.begin_write_work().await?;
            secrets::remove(&mut tx, WEBHOOK_SECRET).await?;
            self.commit(tx).await?;
        }
        let what = json!({ "before": before, "after": after, "webhook": shown });
        self.note(actor, "alert_settings_changed", None, Some(what)).await?;
        self.wake(Wake::Alerts);
        self.alert_settings(actor).await
    }

    /// Says a line of test by the webhook.
    pub async fn test_alert_webhook(&self, actor: &Actor) -> Result<AlertTrial> {
        require(actor, Action::ManageHealth)?;
        let mut tx = self.begin_read_telemetry_as(actor).await?;
        let is_set = read(&mut tx).await?.webhook;
        drop(tx);
        if !is_set {
            return Ok(AlertTrial { ok: false, sentence: "No address is set yet.".to_owned() });
        }
        let trial = self.try_webhook().await?;
        self.note(actor, "alert_webhook_tested", None, Some(json!({ "ok": trial.ok }))).await?;
        Ok(trial)
    }
}

fn hours_view(hours: QuietHours) -> AlertHours {
    let text = |time: chrono::NaiveTime| time.format("%H:%M").to_string();
    AlertHours { from: text(hours.from), until: text(hours.until) }
}

fn hours_of(hours: &AlertHours) -> Result<QuietHours> {
    let bad = |field: &str| EngineError::Invalid {
        code: "invalid_time",
        detail: "a time of the day looks like 22:00".to_owned(),
        fields: [(format!("quiet_hours.{field}"), "a time of the day looks like 22:00".to_owned())].into(),
    };
    let time = |text: &str, field| chrono::NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| bad(field));
    Ok(QuietHours { from: time(&hours.from, "from")?, until: time(&hours.until, "until")? })
}

fn refused(detail: &str) -> EngineError {
    EngineError::Invalid {
        code: "invalid_address",
        detail: detail.to_owned(),
        fields: [("webhook.url".to_owned(), detail.to_owned())].into(),
    }
}
