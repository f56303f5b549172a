//! The senders that the present settings make. They are kept while the settings stay: Apple wants one connection,
//! Google one pass an hour.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use showdesk_push::apns::{Apns, ApnsEndpoints, ApnsTarget, AppleKey, Environment};
use showdesk_push::fcm::{Fcm, FcmEndpoints, FcmTarget, ServiceAccount};
use showdesk_push::web::{VapidKey, WebPush, WebTarget, service_of};
use showdesk_push::{Network, Reach, Secret, Senders, SetupError, Target, is_here};
use showdesk_store::StoreError;
use showdesk_store::deliveries::Channel;
use showdesk_store::push_providers::{self, ProviderRow};
use showdesk_store::push_tokens::TokenRow;

use super::circuits::Circuit;
use crate::{Engine, EngineError, Result};

/// How old what is written down of an acceptance may be before it is written anew.
const PROOF_AGE: TimeDelta = TimeDelta::minutes(10);

/// What is kept of Firebase's settings beside the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FcmSettings {
    pub(super) project_id: String,
    pub(super) endpoint: Option<String>,
}

/// What is kept of Apple's settings beside the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ApnsSettings {
    pub(super) key_id: String,
    pub(super) team_id: String,
    pub(super) topic: String,
    pub(super) environment: Environment,
    pub(super) endpoint: Option<String>,
}

/// What is kept of the browsers' settings beside the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WebSettings {
    pub(super) subject: String,
    pub(super) public_key: String,
    pub(super) endpoint: Option<String>,
}

/// The senders of the present settings.
pub(super) struct Ready {
    pub(super) senders: Senders,
    rows: HashMap<Channel, ProviderRow>,
    /// Why a provider that is set up has no sender.
    pub(super) faults: HashMap<Channel, &'static str>,
    apns: Option<ApnsSettings>,
    reach: Reach,
    accepted: Mutex<BTreeMap<Circuit, i64>>,
    /// Ways of which it is written down that nothing goes out by them.
    troubled: Mutex<HashSet<Channel>>,
}

impl Ready {
    /// Whether this way is set up and works as far as we know.
    pub(super) fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Fcm => self.senders.fcm.is_some(),
            Channel::Apns => self.senders.apns.is_some(),
            Channel::Web => self.senders.web.is_some(),
            Channel::Local => false,
        }
    }

    /// What was entered for Apple.
    pub(super) fn apns(&self) -> Option<&ApnsSettings> {
        self.apns.as_ref()
    }

    /// When the settings of a way were entered.
    pub(super) fn since(&self, channel: Channel) -> DateTime<Utc> {
        self.rows.get(&channel).map_or(DateTime::UNIX_EPOCH, |row| row.updated_at)
    }

    /// Whether a provider took anything under these settings.
    pub(super) fn is_proven(&self, circuit: &Circuit) -> bool {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).contains_key(circuit)
    }

    /// A provider took something; answers all that took something by this way, if that is to be written down.
    pub(super) fn note_accepted(&self, circuit: &Circuit, now: DateTime<Utc>) -> Option<BTreeMap<String, i64>> {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh_from = (now - PROOF_AGE).timestamp_millis();
        if accepted.get(circuit).is_some_and(|at| *at > fresh_from) {
            return None;
        }
        accepted.insert(circuit.clone(), now.timestamp_millis());
        let of_channel = accepted.iter().filter(|(known, _)| known.channel() == circuit.channel());
        Some(of_channel.map(|(known, at)| (known.service().to_owned(), *at)).collect())
    }

    /// Whether it is written down that nothing goes out by this way.
    pub(super) fn is_troubled(&self, channel: Channel) -> bool {
        self.troubled.lock().unwrap_or_else(PoisonError::into_inner).contains(&channel)
    }

    /// It was written down that something stands in the way, or no longer does.
    pub(super) fn note_trouble(&self, channel: Channel, is_troubled: bool) {
        let mut troubled = self.troubled.lock().unwrap_or_else(PoisonError::into_inner);
        if is_troubled {
            troubled.insert(channel);
        } else {
            troubled.remove(&channel);
        }
    }

    /// Who is asked for an address. It is known before there is a sender.
    pub(super) fn circuit(&self, token: &TokenRow) -> Circuit {
        match token.channel() {
            Channel::Fcm if token.platform == "ios" => Circuit::FcmIos,
            Channel::Fcm => Circuit::Fcm,
            Channel::Apns if self.environment(token) == Environment::Sandbox => Circuit::ApnsSandbox,
            Channel::Apns => Circuit::Apns,
            own @ (Channel::Web | Channel::Local) => {
                Circuit::Web(service_of(&token.token).unwrap_or_else(|| own.as_str().to_owned()))
            }
        }
    }

    /// Which of Apple's two worlds an address belongs to, as far as we know.
    fn environment(&self, token: &TokenRow) -> Environment {
        let known = token.environment.as_deref().and_then(environment_of);
        known.or(self.apns.as_ref().map(|settings| settings.environment)).unwrap_or(Environment::Production)
    }

    /// The address as its sender takes it; a word if it is none.
    pub(super) fn target(&self, token: &TokenRow) -> std::result::Result<Target, &'static str> {
        match token.channel() {
            Channel::Fcm => Ok(Target::Fcm(match &token.fid {
                Some(fid) => FcmTarget::Fid(Secret::new(fid.as_str())),
                None => FcmTarget::Token(Secret::new(token.token.as_str())),
            })),
            Channel::Apns => {
                let settings = self.apns.as_ref().ok_or("not_set_up")?;
                Ok(Target::Apns(ApnsTarget {
                    token: Secret::new(token.token.as_str()),
                    environment: self.environment(token),
                    topic: token.app_id.clone().unwrap_or_else(|| settings.topic.clone()),
                    registered_at: token.registered_at,
                }))
            }
            Channel::Web => {
                let (Some(key), Some(auth)) = (&token.p256dh, &token.auth) else { return Err("bad_address") };
                WebTarget::parse(&token.token, key, auth, self.reach).map(Target::Web).map_err(|_| "bad_address")
            }
            Channel::Local => Err("bad_address"),
        }
    }
}

/// Reads the word of the protocol for one of Apple's two worlds.
pub(super) fn environment_of(word: &str) -> Option<Environment> {
    match word {
        "production" => Some(Environment::Production),
        "sandbox" => Some(Environment::Sandbox),
        _ => None,
    }
}

/// The name of a provider's key among the secrets.
pub(super) fn secret_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Fcm => "push/fcm",
        Channel::Apns => "push/apns",
        Channel::Web => "push/web",
        Channel::Local => "push/local",
    }
}

/// The network by which a provider, or its stand-in, is reached.
pub(super) fn network(endpoint: Option<&String>) -> Network {
    let here = endpoint.is_some_and(|endpoint| is_here(endpoint));
    Network::new(if here { Reach::PublicAndLoopback } else { Reach::Public })
}

/// Firebase's sender.
pub(super) fn fcm(settings: &FcmSettings, key: &str) -> std::result::Result<Fcm, SetupError> {
    let endpoints = settings.endpoint.as_ref().map_or_else(FcmEndpoints::default, |endpoint| FcmEndpoints {
        messages: endpoint.clone(),
        passes: format!("{endpoint}/token"),
    });
    Fcm::new(&network(settings.endpoint.as_ref()), ServiceAccount::parse(key)?, &endpoints)
}

/// Apple's sender.
pub(super) fn apns(settings: &ApnsSettings, key: &str) -> std::result::Result<Apns, SetupError> {
    let endpoints = settings.endpoint.as_ref().map_or_else(ApnsEndpoints::default, |endpoint| ApnsEndpoints {
        production: endpoint.clone(),
        sandbox: endpoint.clone(),
    });
    let key = AppleKey::parse(key, &settings.key_id, &settings.team_id)?;
    Apns::new(&network(settings.endpoint.as_ref()), key, &endpoints)
}

/// The browsers' sender.
pub(super) fn web(settings: &WebSettings, key: &str) -> std::result::Result<WebPush, SetupError> {
    let sender = WebPush::new(&network(settings.endpoint.as_ref()), VapidKey::parse(key)?, &settings.subject)?;
    Ok(match &settings.endpoint {
        Some(endpoint) => sender.knocking_at(vec![endpoint.clone()]),
        None => sender,
    })
}

impl Engine {
    /// The senders of the present settings: those that are there, unless somebody changed the settings, here or at
    /// another desk.
    pub(super) async fn ready(&self) -> Result<Arc<Ready>> {
        let mut kept = self.inner.delivery.ready.lock().await;
        let mut tx = self.begin_read_work().await?;
        let rows = push_providers::all(&mut tx).await?;
        drop(tx);
        if let Some(ready) = kept.as_ref().filter(|ready| is_same(ready, &rows) && !self.can_unlock(ready)) {
            // Another desk may have written down what stands in the way.
            for row in &rows {
                ready.note_trouble(row.provider, row.problem.is_some());
            }
            return Ok(Arc::clone(ready));
        }
        let ready = Arc::new(self.make_ready(rows).await?);
        *kept = Some(Arc::clone(&ready));
        Ok(ready)
    }

    /// Whether senders were not made only because the vault was shut, and it is open now.
    fn can_unlock(&self, ready: &Ready) -> bool {
        ready.faults.values().any(|fault| *fault == "secrets_locked") && !self.vault().is_locked
    }

    async fn make_ready(&self, rows: Vec<ProviderRow>) -> Result<Ready> {
        let mut ready = Ready {
            senders: Senders::default(),
            rows: HashMap::new(),
            faults: HashMap::new(),
            apns: None,
            reach: Reach::Public,
            accepted: Mutex::default(),
            troubled: Mutex::default(),
        };
        let mut accepted = BTreeMap::new();
        for row in rows {
            if let Err(fault) = self.make_sender(&mut ready, &row).await? {
                tracing::warn!(provider = row.provider.as_str(), fault, "a push provider cannot be used");
                ready.faults.insert(row.provider, fault);
            }
            accepted.extend(row.accepted.iter().map(|(service, at)| (Circuit::named(service), *at)));
            if row.problem.is_some() {
                ready.note_trouble(row.provider, true);
            }
            ready.rows.insert(row.provider, row);
        }
        ready.accepted = Mutex::new(accepted);
        Ok(ready)
    }

    /// Makes one sender; a word if it cannot be made.
    async fn make_sender(&self, ready: &mut Ready, row: &ProviderRow) -> Result<std::result::Result<(), &'static str>> {
        let key = match self.credentials(row.provider).await? {
            Ok(key) => key,
            Err(fault) => return Ok(Err(fault)),
        };
        let made = match row.provider {
            Channel::Fcm => read(row).and_then(|settings| fcm(&settings, &key)).map(|sender| {
                ready.senders.fcm = Some(sender);
            }),
            Channel::Apns => read::<ApnsSettings>(row).and_then(|settings| {
                ready.senders.apns = Some(apns(&settings, &key)?);
                ready.apns = Some(settings);
                Ok(())
            }),
            Channel::Web => read::<WebSettings>(row).and_then(|settings| {
                ready.senders.web = Some(web(&settings, &key)?);
                ready.reach = network(settings.endpoint.as_ref()).reach();
                Ok(())
            }),
            Channel::Local => Ok(()),
        };
        Ok(made.map_err(|error| error.code()))
    }

    /// A provider's key, or why there is none.
    pub(super) async fn credentials(&self, channel: Channel) -> Result<std::result::Result<String, &'static str>> {
        match self.secret(secret_name(channel)).await {
            Ok(Some(bytes)) => Ok(String::from_utf8(bytes).map_err(|_| "credentials_missing")),
            Ok(None) | Err(EngineError::Store(StoreError::Corrupt { .. })) => Ok(Err("credentials_missing")),
            Err(EngineError::SecretsLocked) => Ok(Err("secrets_locked")),
            Err(error) => Err(error),
        }
    }
}

fn is_same(ready: &Ready, rows: &[ProviderRow]) -> bool {
    ready.rows.len() == rows.len()
        && rows.iter().all(|row| ready.rows.get(&row.provider).is_some_and(|known| known.updated_at == row.updated_at))
}

/// What was entered for a provider. Only this program writes it.
pub(super) fn read<T: DeserializeOwned>(row: &ProviderRow) -> std::result::Result<T, SetupError> {
    serde_json::from_value(row.settings.clone()).map_err(|_| SetupError::Address(row.provider.as_str().to_owned()))
}
