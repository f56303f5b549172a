//! Push providers as people set them up at the desk. Keys come in and stay: they are sealed, replaced, and never told.

use serde_json::{Value as Json, json};
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_push::apns::Environment;
use showdesk_push::fcm::ServiceAccount;
use showdesk_push::web::VapidKey;
use showdesk_push::{Randomness, SetupError, Trial, stand_in};
use showdesk_store::deliveries::{Channel, claims};
use showdesk_store::push_providers::{self, ProviderRow};
use showdesk_store::push_tokens::{self, TokenCounts};
use showdesk_store::secrets;
use tokio::time::timeout;

use super::providers::{ApnsSettings, FcmSettings, WebSettings, apns, environment_of, fcm, read, secret_name, web};
use super::rulings::name_of;
use super::words;
use crate::api::delivery::{
    ApnsInput, ApnsView, FcmInput, FcmView, ProviderStanding, ProviderState, ProvidersView, StandIn, TokenTotals,
    TrialView, WebInput, WebView,
};
use crate::ids::secret;
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake};

/// A test of settings has so long; a request of the desk has 15 s.
const TEST_TIME: std::time::Duration = std::time::Duration::from_secs(12);

impl Engine {
    /// The push providers, without what is secret.
    pub async fn push_providers(&self, actor: &Actor) -> Result<ProvidersView> {
        require(actor, Action::Network)?;
        let ready = self.ready().await?;
        let mut tx = self.begin_read_work().await?;
        let rows = push_providers::all(&mut tx).await?;
        let counts = push_tokens::counts(&mut tx).await?;
        drop(tx);
        let of = |channel| rows.iter().find(|row| row.provider == channel);
        let standing = |channel, endpoint: Option<String>| {
            let row = of(channel);
            let fault = ready.faults.get(&channel).copied();
            let problem = fault.or_else(|| row.and_then(|row| row.problem.as_deref()));
            let is_open = problem.is_some() || self.inner.delivery.circuits.is_open(channel, ready.since(channel));
            ProviderStanding {
                configured: row.is_some(),
                endpoint,
                state: row.map_or(ProviderState::NotSetUp, |row| state_of(row, is_open)),
                problem: row.and(problem).map(|code| words::of_provider(channel, code)),
                tokens: totals(&counts, channel),
            }
        };
        let fcm = of(Channel::Fcm).and_then(|row| read::<FcmSettings>(row).ok());
        let apns = of(Channel::Apns).and_then(|row| read::<ApnsSettings>(row).ok());
        let web = of(Channel::Web).and_then(|row| read::<WebSettings>(row).ok());
        Ok(ProvidersView {
            fcm: FcmView {
                standing: standing(Channel::Fcm, fcm.as_ref().and_then(|fcm| fcm.endpoint.clone())),
                project_id: fcm.map(|fcm| fcm.project_id),
            },
            apns: ApnsView {
                standing: standing(Channel::Apns, apns.as_ref().and_then(|apns| apns.endpoint.clone())),
                team_id: apns.as_ref().map(|apns| apns.team_id.clone()),
                key_id: apns.as_ref().map(|apns| apns.key_id.clone()),
                environment: apns.as_ref().map(|apns| name_of(apns.environment).to_owned()),
                topic: apns.map(|apns| apns.topic),
            },
            web: WebView {
                standing: standing(Channel::Web, web.as_ref().and_then(|web| web.endpoint.clone())),
                subject: web.as_ref().map(|web| web.subject.clone()),
                public_key: web.map(|web| web.public_key),
            },
        })
    }

    /// Sets Firebase up.
    pub async fn set_fcm(&self, actor: &Actor, input: FcmInput) -> Result<ProvidersView> {
        require(actor, Action::Network)?;
        self.open_vault_now().await?;
        let before: Option<FcmSettings> = self.settings_of(Channel::Fcm).await?;
        let key = self.key_or(Channel::Fcm, input.service_account, "service_account").await?;
        let account = ServiceAccount::parse(&key).map_err(|error| refused("service_account", &error))?;
        let settings = FcmSettings {
            project_id: account.project().to_owned(),
            endpoint: endpoint_of(input.endpoint, before.and_then(|before| before.endpoint))?,
        };
        fcm(&settings, &key).map_err(|error| refused("service_account", &error))?;
        self.keep_provider(actor, Channel::Fcm, &json!(settings), &key).await?;
        self.push_providers(actor).await
    }

    /// Sets Apple up.
    pub async fn set_apns(&self, actor: &Actor, input: ApnsInput) -> Result<ProvidersView> {
        require(actor, Action::Network)?;
        self.open_vault_now().await?;
        let before: Option<ApnsSettings> = self.settings_of(Channel::Apns).await?;
        let key = self.key_or(Channel::Apns, input.key, "key").await?;
        let given = |text: Option<String>, was: Option<&String>, field: &'static str| {
            let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            text.or_else(|| was.cloned()).ok_or_else(|| missing(field))
        };
        let environment = match &input.environment {
            Some(word) => environment_of(word)
                .ok_or_else(|| EngineError::invalid("invalid_environment", "it is production or sandbox"))?,
            None => before.as_ref().map_or(Environment::Production, |before| before.environment),
        };
        let settings = ApnsSettings {
            key_id: given(input.key_id, before.as_ref().map(|before| &before.key_id), "key_id")?,
            team_id: given(input.team_id, before.as_ref().map(|before| &before.team_id), "team_id")?,
            topic: given(input.topic, before.as_ref().map(|before| &before.topic), "topic")?,
            environment,
            endpoint: endpoint_of(input.endpoint, before.and_then(|before| before.endpoint))?,
        };
        if !is_bundle_id(&settings.topic) {
            let detail = "This is not a bundle id. It looks like org.example.show and stands in Xcode.";
            return Err(EngineError::invalid("invalid_topic", detail));
        }
        apns(&settings, &key).map_err(|error| refused("key", &error))?;
        self.keep_provider(actor, Channel::Apns, &json!(settings), &key).await?;
        self.push_providers(actor).await
    }

    /// Sets the message services of browsers up. The show's key is made at the first time: browsers bind their
    /// subscriptions to it, so it stays.
    pub async fn set_web(&self, actor: &Actor, input: WebInput) -> Result<ProvidersView> {
        require(actor, Action::Network)?;
        self.open_vault_now().await?;
        let before: Option<WebSettings> = self.settings_of(Channel::Web).await?;
        let key = self.web_key().await?;
        let subject = input.subject.or_else(|| before.as_ref().map(|before| before.subject.clone()));
        let settings = WebSettings {
            subject: subject.ok_or_else(|| missing("subject"))?.trim().to_owned(),
            public_key: key.public().to_owned(),
            endpoint: endpoint_of(input.endpoint, before.and_then(|before| before.endpoint))?,
        };
        let private = key.private();
        web(&settings, private.reveal()).map_err(|error| refused("subject", &error))?;
        self.keep_provider(actor, Channel::Web, &json!(settings), private.reveal()).await?;
        self.push_providers(actor).await
    }

    /// Forgets a provider and its key. The show's own key for browsers stays: who allowed messages need not do so again.
    pub async fn remove_provider(&self, actor: &Actor, channel: Channel) -> Result<()> {
        require(actor, Action::Network)?;
        let mut tx = self.begin_write_work().await?;
        let was_there = push_providers::remove(&mut tx, channel).await?;
        if channel != Channel::Web {
            secrets::remove(&mut tx, secret_name(channel)).await?;
        }
        self.commit_work(tx, vec![Wake::Providers]).await?;
        self.forget_sender(channel).await;
        if was_there {
            self.note(actor, "provider_removed", None, Some(json!({ "provider": channel.as_str() }))).await?;
        }
        Ok(())
    }

    /// Asks the provider whether messages would go out. No phone gets anything.
    pub async fn test_provider(&self, actor: &Actor, channel: Channel) -> Result<TrialView> {
        require(actor, Action::Network)?;
        let trial = match timeout(TEST_TIME, self.trial(channel)).await {
            Ok(trial) => trial?,
            Err(_) => Some(Trial::timed_out(words::name_of(channel))),
        };
        let Some(trial) = trial else {
            let sentence = "Nothing is set up here yet.".to_owned();
            return Ok(TrialView { ok: false, code: "not_set_up".to_owned(), sentence });
        };
        if trial.works {
            let mut tx = self.begin_write_work().await?;
            push_providers::note_tested(&mut tx, channel, self.now()).await?;
            claims::hurry(&mut tx, channel, self.now()).await?;
            self.commit_work(tx, vec![Wake::Providers]).await?;
            self.inner.delivery.circuits.forget(channel);
        }
        self.note(actor, "provider_tested", None, Some(json!({ "provider": channel.as_str(), "code": trial.code })))
            .await?;
        Ok(TrialView { ok: trial.works, code: trial.code, sentence: trial.says })
    }

    /// The trial of a provider's sender; none if it is not set up.
    async fn trial(&self, channel: Channel) -> Result<Option<Trial>> {
        let now = self.now();
        let ready = self.ready().await?;
        if let Some(fault) = ready.faults.get(&channel) {
            return Ok(Some(Trial::failed(fault, words::of_provider(channel, fault))));
        }
        Ok(match channel {
            Channel::Fcm => match &ready.senders.fcm {
                Some(sender) => Some(sender.test(now).await),
                None => None,
            },
            Channel::Apns => match (&ready.senders.apns, ready.apns()) {
                (Some(sender), Some(settings)) => Some(sender.test(now, settings.environment, &settings.topic).await),
                _ => None,
            },
            Channel::Web => match &ready.senders.web {
                Some(sender) => Some(sender.test(now, &Randomness::new(secret())).await),
                None => None,
            },
            Channel::Local => None,
        })
    }

    /// The show's public key for browsers; none while nothing is sent through them.
    pub async fn push_key(&self) -> Result<Option<String>> {
        Ok(self.settings_of::<WebSettings>(Channel::Web).await?.map(|settings| settings.public_key))
    }

    /// The show's own key, made if there is none yet.
    async fn web_key(&self) -> Result<VapidKey> {
        if let Some(kept) = self.secret(secret_name(Channel::Web)).await? {
            let text = String::from_utf8(kept).unwrap_or_default();
            return VapidKey::parse(&text).map_err(|error| refused("subject", &error));
        }
        VapidKey::generate(&Randomness::new(secret()))
            .ok_or_else(|| EngineError::invalid("vapid_key", "no key could be made; try again"))
    }

    pub(super) async fn settings_of<T: serde::de::DeserializeOwned>(&self, channel: Channel) -> Result<Option<T>> {
        let mut tx = self.begin_read_work().await?;
        let rows = push_providers::all(&mut tx).await?;
        Ok(rows.iter().find(|row| row.provider == channel).and_then(|row| read(row).ok()))
    }

    /// The key that came in, or the one that is kept.
    async fn key_or(&self, channel: Channel, given: Option<String>, field: &'static str) -> Result<String> {
        if let Some(given) = given {
            return Ok(given);
        }
        match self.credentials(channel).await? {
            Ok(kept) => Ok(kept),
            Err("secrets_locked") => Err(EngineError::SecretsLocked),
            Err(_) => Err(missing(field)),
        }
    }

    /// Keeps settings and key in one transaction; what waits for this provider is due at once.
    async fn keep_provider(&self, actor: &Actor, channel: Channel, settings: &Json, key: &str) -> Result<()> {
        let now = self.now();
        let mut tx = self.begin_write_work().await?;
        push_providers::set(&mut tx, channel, settings, Some(actor.person), now).await?;
        self.seal_into(&mut tx, secret_name(channel), key.as_bytes()).await?;
        claims::hurry(&mut tx, channel, now).await?;
        self.commit_work(tx, vec![Wake::Providers]).await?;
        self.forget_sender(channel).await;
        let after = json!({ "provider": channel.as_str(), "settings": settings });
        self.note(actor, "provider_set", None, Some(after)).await
    }

    /// The settings of a way are others now: its sender is made anew, and nothing that was heard of it counts.
    async fn forget_sender(&self, channel: Channel) {
        *self.inner.delivery.ready.lock().await = None;
        self.inner.delivery.circuits.forget(channel);
    }
}

fn state_of(row: &ProviderRow, is_open: bool) -> ProviderState {
    if is_open {
        ProviderState::OpenCircuit
    } else if row.tested_at.is_some() || !row.accepted.is_empty() {
        ProviderState::Ok
    } else {
        ProviderState::Untested
    }
}

fn totals(counts: &[(Channel, TokenCounts)], channel: Channel) -> TokenTotals {
    let counts = counts.iter().find(|(known, _)| *known == channel).map(|(_, counts)| *counts).unwrap_or_default();
    TokenTotals { active: counts.active, disabled: counts.disabled }
}

fn endpoint_of(given: Option<StandIn>, before: Option<String>) -> Result<Option<String>> {
    match given {
        None => Ok(before),
        Some(StandIn::Nobody) => Ok(None),
        Some(StandIn::At(text)) => stand_in(&text).map(Some).map_err(|error| refused("endpoint", &error)),
    }
}

fn is_bundle_id(topic: &str) -> bool {
    topic.len() <= 255 && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// What cannot be taken, in the words for the person who entered it.
fn refused(field: &str, error: &SetupError) -> EngineError {
    if let SetupError::NoTls | SetupError::Connections(_) = error {
        tracing::error!(?error, "no sender can be made");
    }
    let detail = error.to_string();
    EngineError::Invalid { code: error.code(), fields: [(field.to_owned(), detail.clone())].into(), detail }
}

fn missing(field: &'static str) -> EngineError {
    let detail = "This is needed.".to_owned();
    EngineError::Invalid { code: "required", fields: [(field.to_owned(), detail.clone())].into(), detail }
}
