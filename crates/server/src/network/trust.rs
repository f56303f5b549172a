//! The authority that phones trust and the certificate it signed for this laptop: loaded, made, renewed.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::actor::Actor;
use showdesk_engine::{Authority, Engine, EngineError, Founding};

use super::addresses::is_private;
use super::authority::{CertificateError, Leaf, Signer, fingerprint, found, known_time};
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

impl Trust {
    /// Whether phones trust it no more, by this laptop's clock.
    pub(crate) fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.authority.expires_at <= now
    }
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
            engine.replace_authority(actor, &founding, &fingerprint).await?;
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
            Some(trust) if trust.signer.is_none() => self.load(engine).await,
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
            Some(authority) => authority,
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

    /// Shows phones a new certificate. An authority that has ended by this laptop's clock signs none, and only a person
    /// puts another in its place: perhaps the clock alone is wrong, and phones still take what they were shown before.
    fn issue(&self, trust: &Trust, now: DateTime<Utc>) -> Result<(), CertificateError> {
        if trust.has_ended(now) {
            if self.trust().is_none_or(|before| before.fingerprint != trust.fingerprint) {
                self.leaf.show(None);
            }
            return Ok(());
        }
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
        if trust.has_ended(now) {
            return false;
        }
        let Some(leaf) = self.leaf.get() else { return trust.signer.is_some() };
        let signable = self.signable();
        let wanted = self.domains().into_iter().chain(signable.iter().map(ToString::to_string));
        let is_early = known_time(now) < leaf.begins_at;
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

    /// The authority, also while there is no certificate of it to show.
    pub(super) fn trust(&self) -> Option<Arc<Trust>> {
        self.trust.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why there is no HTTPS listener at all.
    pub(crate) fn no_https(&self) -> Option<NoHttps> {
        self.no_https
    }
}

#[cfg(test)]
mod tests {
    use showdesk_engine::{Clock, KeysIn, Options, SystemKeychain};
    use showdesk_testkit::SetClock;
    use uuid::Uuid;

    use super::super::Bound;
    use super::*;

    struct Laptop {
        _folder: tempfile::TempDir,
        clock: Arc<SetClock>,
        engine: Engine,
        network: Network,
    }

    impl Laptop {
        async fn at(time: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let clock = SetClock::at_ms(moment(time).timestamp_millis());
            let options = Options { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Options::new(folder.path()) };
            let engine = Engine::open(options).await.expect("a show");
            engine.open_vault(KeysIn::File, Arc::new(SystemKeychain)).await.expect("a vault");
            let address = |text: &str| text.parse().expect("an address");
            let https = Some(address("127.0.0.1:7443"));
            let bound = Bound { http: address("127.0.0.1:7420"), https, admin: address("127.0.0.1:7421") };
            let network = Network::new(bound, None, Uuid::from_u128(7), Arc::new(crate::network::of_machine));
            network.begin_trust(&engine).await;
            Self { _folder: folder, clock, engine, network }
        }

        async fn look(&self, time: &str) {
            self.clock.set_ms(moment(time).timestamp_millis());
            self.network.keep_trust(&self.engine, true).await;
        }

        /// What phones trust, and what they are shown.
        fn shown(&self) -> (String, Option<Vec<u8>>) {
            let leaf = self.network.shown().map(|leaf| leaf.certified.cert[0].to_vec());
            (self.network.trust().expect("an authority").fingerprint.clone(), leaf)
        }

        fn authority(&self) -> Authority {
            self.network.trust().expect("an authority").authority.clone()
        }

        fn warns_of_the_end(&self) -> bool {
            self.network.warnings(&self.engine).iter().any(|warning| warning.code == "authority_expiring")
        }
    }

    fn moment(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    #[tokio::test]
    async fn a_clock_that_jumps_beyond_the_authoritys_end_takes_nothing_from_phones() {
        let laptop = Laptop::at("2026-08-06T09:00:00Z").await;
        let before = laptop.shown();
        assert!(before.1.is_some() && !laptop.warns_of_the_end());
        laptop.look("2032-01-01T00:00:00Z").await;
        assert_eq!(laptop.shown(), before, "the same authority, and a certificate that phones of 2026 still take");
        assert!(laptop.warns_of_the_end());
        assert_eq!(laptop.engine.authority().await.expect("read"), Some(laptop.authority()));
        laptop.look("2026-08-06T09:10:00Z").await;
        assert_eq!(laptop.shown(), before);
        assert!(!laptop.warns_of_the_end());
    }

    #[tokio::test]
    async fn a_start_with_such_a_clock_shows_nothing_until_it_is_set_right() {
        let laptop = Laptop::at("2026-08-06T09:00:00Z").await;
        let before = laptop.shown().0;
        laptop.clock.set_ms(moment("2032-01-01T00:00:00Z").timestamp_millis());
        let bound = laptop.network.bound;
        let started = Laptop {
            network: Network::new(bound, None, Uuid::from_u128(7), Arc::new(crate::network::of_machine)),
            ..laptop
        };
        started.network.begin_trust(&started.engine).await;
        assert_eq!(started.shown(), (before.clone(), None));
        assert!(started.warns_of_the_end());
        started.look("2026-08-06T09:10:00Z").await;
        assert!(matches!(started.shown(), (fingerprint, Some(_)) if fingerprint == before));
    }

    #[tokio::test]
    async fn a_laptop_that_has_forgotten_the_time_makes_no_certificate_at_each_look() {
        let laptop = Laptop::at("1970-01-01T00:00:00Z").await;
        let before = laptop.shown();
        assert!(before.1.is_some());
        laptop.look("1970-01-01T00:00:03Z").await;
        assert_eq!(laptop.shown(), before);
        laptop.look("2027-01-15T09:00:00Z").await;
        let later = laptop.shown();
        assert!(later.0 == before.0 && later.1 != before.1, "when it knows the time it renews as it should");
    }
}
