//! Who sends (RFC 8292): a key of this installation, and passes made with it for each push service.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use p256::SecretKey;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use serde_json::json;

use crate::jwt;
use crate::randomness::Randomness;
use crate::secret::Secret;
use crate::setup::SetupError;

use super::WebTarget;
use super::content::in_letters;

/// RFC 8292 allows a day; half of it leaves room for a laptop whose clock is wrong.
const GOOD_FOR: TimeDelta = TimeDelta::hours(12);
const RENEW_AFTER: TimeDelta = TimeDelta::hours(1);
/// There are about four push services. More names than this are somebody's trick.
const SERVICES_MAX: usize = 64;

/// The key pair of this installation. Browsers bind their subscriptions to it: it is part of a backup.
pub struct VapidKey {
    key: SigningKey,
    public: String,
}

impl VapidKey {
    /// Makes a new one; none if there is no usable key among the random bytes.
    pub fn generate(fresh: &Randomness) -> Option<Self> {
        fresh.private_key().map(|key| Self::of(&key))
    }

    /// Reads the private key: 32 bytes in URL-safe base64.
    pub fn parse(private: &str) -> Result<Self, SetupError> {
        let bytes = URL_SAFE_NO_PAD.decode(private.trim().trim_end_matches('=')).map_err(|_| SetupError::VapidKey)?;
        let key = SecretKey::from_slice(&bytes).map_err(|_| SetupError::VapidKey)?;
        Ok(Self::of(&key))
    }

    fn of(key: &SecretKey) -> Self {
        Self { key: key.into(), public: in_letters(key.public_key().to_encoded_point(false).as_bytes()) }
    }

    /// What a page gives its browser as `applicationServerKey`.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// To be kept where the other secrets are.
    pub fn private(&self) -> Secret {
        Secret::new(in_letters(&self.key.to_bytes()))
    }
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VapidKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Passes by push service.
pub(super) struct Passes {
    key: VapidKey,
    contact: String,
    kept: Mutex<HashMap<String, (Secret, DateTime<Utc>)>>,
}

impl Passes {
    pub(super) fn new(key: VapidKey, contact: &str) -> Result<Self, SetupError> {
        let contact = contact.trim();
        let plain = contact.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'));
        let mail = contact.strip_prefix("mailto:").is_some_and(|mail| {
            mail.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        });
        let page = contact.strip_prefix("https://").is_some_and(|page| page.contains('.'));
        if !plain || !(mail || page) {
            return Err(SetupError::Contact);
        }
        Ok(Self { key, contact: contact.to_owned(), kept: Mutex::default() })
    }

    pub(super) fn key(&self) -> &VapidKey {
        &self.key
    }

    /// The `Authorization` for the push service of this subscription.
    pub(super) fn pass(&self, now: DateTime<Utc>, target: &WebTarget) -> Secret {
        let service = target.service();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((pass, made_at)) = kept.get(&service)
            && (*made_at..*made_at + RENEW_AFTER).contains(&now)
        {
            return pass.clone();
        }
        let claims = json!({"aud": service, "exp": (now + GOOD_FOR).timestamp(), "sub": self.contact});
        let token = jwt::es256(&self.key.key, &json!({"typ": "JWT", "alg": "ES256"}), &claims);
        let pass = Secret::new(format!("vapid t={token}, k={}", self.key.public));
        if kept.len() >= SERVICES_MAX {
            kept.clear();
        }
        kept.insert(service, (pass.clone(), now));
        pass
    }

    /// Whether what the key signs is found good with its public half.
    pub(super) fn check(&self, now: DateTime<Utc>) -> bool {
        let text = now.to_rfc3339();
        let signature: Signature = self.key.key.sign(text.as_bytes());
        self.key.key.verifying_key().verify(text.as_bytes(), &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::noon;
    use crate::network::Reach;

    fn target(service: &str) -> WebTarget {
        let key = VapidKey::parse(&in_letters(&[5; 32])).unwrap();
        WebTarget::parse(&format!("{service}/a"), key.public(), &in_letters(&[1; 16]), Reach::Public).unwrap()
    }

    fn passes() -> Passes {
        let key = VapidKey::parse(&in_letters(&[7; 32])).unwrap();
        Passes::new(key, "mailto:show@example.org").unwrap()
    }

    #[test]
    fn a_key_comes_back_from_where_it_was_kept() {
        let key = VapidKey::generate(&Randomness::new([9; Randomness::LENGTH])).unwrap();
        assert_eq!(VapidKey::parse(key.private().reveal()).unwrap().public(), key.public());
        assert_eq!(format!("{key:?}"), format!("VapidKey {{ public: {:?}, .. }}", key.public()));
        for text in ["", "AAAA", "no base64", &in_letters(&[0; 32]), &in_letters(&[0xff; 32])] {
            assert!(VapidKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pass_names_its_service_its_end_and_whom_to_write_to() {
        let pass = passes().pass(noon(), &target("https://push.example.org:8443"));
        let (token, key) = pass.reveal().strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, passes().key().public());
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let expected = json!({
            "aud": "https://push.example.org:8443",
            "exp": noon().timestamp() + 12 * 3600,
            "sub": "mailto:show@example.org",
        });
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&claims).unwrap(), expected);
    }

    #[test]
    fn a_pass_is_kept_for_an_hour_for_each_service() {
        let passes = passes();
        let first = passes.pass(noon(), &target("https://a.example.org"));
        assert_eq!(passes.pass(noon() + TimeDelta::minutes(59), &target("https://a.example.org")), first);
        assert_ne!(passes.pass(noon(), &target("https://b.example.org")), first);
        assert_ne!(passes.pass(noon() + TimeDelta::hours(1), &target("https://a.example.org")), first);
    }

    #[test]
    fn strangers_cannot_fill_the_memory_with_names() {
        let passes = passes();
        for number in 0..SERVICES_MAX * 3 {
            passes.pass(noon(), &target(&format!("https://p{number}.example.org")));
        }
        assert!(passes.kept.lock().unwrap().len() <= SERVICES_MAX);
    }

    #[test]
    fn a_contact_is_an_address() {
        let taken = |contact: &str| Passes::new(VapidKey::parse(&in_letters(&[7; 32])).unwrap(), contact).is_ok();
        assert!(taken(" mailto:show@example.org "));
        assert!(taken("https://example.org/contact"));
        for contact in ["", "show@example.org", "mailto: <show@example.org>", "mailto:show", "http://example.org"] {
            assert!(!taken(contact), "{contact}");
        }
    }
}
