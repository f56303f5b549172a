//! The authority that phones trust and the certificate it signed for this laptop: loaded, made, renewed.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::actor::Actor;
use showdesk_engine::{Authority, Engine, EngineError, Founding};

use super::addresses::is_private;
use super::authority::{CertificateError, Leaf, Signer, fingerprint, found};
use super::{Network, NoHttps};

/// A laptop's certificate is made anew so long before its end.
const LEAF_RENEWED_BEFORE: TimeDelta = TimeDelta::days(30);
/// Digits of the fingerprint that are told to strangers.
const PREFIX_DIGITS: usize = 8;

/// Why nothing could be renewed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenewError {
    #[error("there is no HTTPS here")]
    NoHttps,
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// The authority as this desk has it.
pub(crate) struct Trust {
    pub(crate) authority: Authority,
    /// 64 hexadecimal digits.
    pub(crate) fingerprint: String,
    /// None while its key lies in a vault that is locked.
    signer: Option<Signer>,
}

impl Network {
    /// Loads the authority, or founds it at the first start, and signs this laptop's certificate. What fails is told
    /// as a warning: the desk serves without HTTPS.
    pub(crate) async fn begin_trust(&self, engine: &Engine) {
        if self.bound.https.is_some()
            && let Err(error) = self.load(engine).await
        {
            tracing::warn!(%error, "phones cannot use HTTPS");
        }
    }

    /// The authority that phones may trust; none while there is no certificate of it to show.
    pub(crate) fn trusted(&self) -> Option<Arc<Trust>> {
        self.trust().filter(|_| self.leaf.get().is_some())
    }

    /// The fingerprint's first digits.
    pub(crate) fn fingerprint_prefix(&self) -> Option<String> {
        self.trusted().map(|trust| trust.fingerprint[..PREFIX_DIGITS].to_owned())
    }

    /// What phones are shown now: names, and until when.
    pub(crate) fn shown(&self) -> Option<Leaf> {
        self.leaf.get()
    }

    /// A new certificate for this laptop, and with `authority` a new authority before that.
    pub(crate) async fn renew(&self, engine: &Engine, actor: &Actor, authority: bool) -> Result<(), RenewError> {
        if self.bound.https.is_none() {
            return Err(RenewError::NoHttps);
        }
        if authority {
            if engine.vault().is_locked {
                engine.give_vault_up(actor).await?;
            }
            let founding = found(engine.now())?;
            let fingerprint = fingerprint(&founding.authority.certificate);
            engine.replace_authority(Some(actor), &founding, &fingerprint).await?;
        }
        if engine.vault().is_locked {
            return Err(EngineError::SecretsLocked.into());
        }
        self.load(engine).await
    }

    /// Looks whether the certificate still fits: the addresses, the time, the authority of the other desks.
    pub(super) async fn keep_trust(&self, engine: &Engine, look_at_authority: bool) {
        if self.bound.https.is_none() {
            return;
        }
        let now = engine.now();
        let renewed = match self.trust() {
            None => self.load(engine).await,
            Some(trust) if trust.signer.is_none() || trust.authority.expires_at <= now => self.load(engine).await,
            Some(trust) if look_at_authority && self.is_another(engine, &trust).await => self.load(engine).await,
            Some(trust) if self.is_due(&trust, now) => self.issue(&trust, now).map_err(RenewError::from),
            Some(_) => Ok(()),
        };
        if let Err(error) = renewed {
            tracing::debug!(%error, "the laptop's certificate could not be renewed");
        }
    }

    async fn load(&self, engine: &Engine) -> Result<(), RenewError> {
        let now = engine.now();
        let authority = match engine.authority().await? {
            Some(authority) if authority.expires_at > now => authority,
            Some(_) => {
                let founding = found(now)?;
                engine.replace_authority(None, &founding, "").await?;
                founding.authority
            }
            None => self.found(engine, found(now)?).await?,
        };
        let signer = match engine.authority_key().await {
            Ok(Some(key)) => Some(Signer::new(&authority, &key)?),
            Ok(None) | Err(EngineError::SecretsLocked) => None,
            Err(error) => return Err(error.into()),
        };
        let fingerprint = fingerprint(&authority.certificate);
        let trust = Arc::new(Trust { authority, fingerprint, signer });
        self.issue(&trust, now)?;
        *self.trust.write().unwrap_or_else(PoisonError::into_inner) = Some(trust);
        Ok(())
    }

    /// Another desk of the database may do the same at this moment: the first one counts.
    async fn found(&self, engine: &Engine, founding: Founding) -> Result<Authority, RenewError> {
        match engine.found_authority(&founding).await {
            Ok(()) => Ok(founding.authority),
            Err(error) => engine.authority().await?.ok_or(error.into()),
        }
    }

    fn issue(&self, trust: &Trust, now: DateTime<Utc>) -> Result<(), CertificateError> {
        let not_after = trust.authority.expires_at;
        let signed = trust.signer.as_ref().map(|signer| signer.sign(&self.signable(), &self.domains(), now, not_after));
        let leaf = signed.transpose()?;
        if let Some(leaf) = &leaf {
            tracing::info!(names = ?leaf.names, "phones are shown a new certificate");
        }
        self.leaf.show(leaf);
        Ok(())
    }

    fn is_due(&self, trust: &Trust, now: DateTime<Utc>) -> bool {
        let Some(leaf) = self.leaf.get() else { return trust.signer.is_some() };
        let signable = self.signable();
        let wanted = self.domains().into_iter().chain(signable.iter().map(ToString::to_string));
        let is_early = now < leaf.begins_at;
        let is_late = now + LEAF_RENEWED_BEFORE > leaf.expires_at && leaf.expires_at < trust.authority.expires_at;
        is_early || is_late || !wanted.eq(leaf.names.iter().cloned())
    }

    async fn is_another(&self, engine: &Engine, trust: &Trust) -> bool {
        let authority = engine.authority().await.ok().flatten();
        authority.is_some_and(|authority| authority.certificate != trust.authority.certificate)
    }

    /// The addresses that the authority may vouch for.
    fn signable(&self) -> Vec<IpAddr> {
        self.present().machine.iter().copied().filter(|address| is_private(*address)).collect()
    }

    fn domains(&self) -> Vec<String> {
        self.local_name().into_iter().chain(["localhost".to_owned()]).collect()
    }

    fn trust(&self) -> Option<Arc<Trust>> {
        self.trust.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why there is no HTTPS listener at all.
    pub(crate) fn no_https(&self) -> Option<NoHttps> {
        self.no_https
    }
}
