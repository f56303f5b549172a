//! The team's key, and the pass made with it: renewed in time, and not more often than Apple likes.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use p256::ecdsa::SigningKey;
use p256::pkcs8::DecodePrivateKey;
use serde_json::json;

use crate::jwt;
use crate::secret::Secret;
use crate::setup::SetupError;

/// Apple refuses one older than an hour, and a new one within twenty minutes.
const RENEW_AFTER: TimeDelta = TimeDelta::minutes(50);
/// Who asked for the time first may come for the pass last.
const COMES_LATE: TimeDelta = TimeDelta::seconds(30);
const ID_LENGTH: usize = 10;

/// A `.p8` key with its id and its team.
pub struct AppleKey {
    key: SigningKey,
    key_id: String,
    team_id: String,
    pass: Mutex<Option<(Secret, DateTime<Utc>)>>,
}

impl AppleKey {
    /// Reads the `.p8` file.
    pub fn parse(pem: &str, key_id: &str, team_id: &str) -> Result<Self, SetupError> {
        Ok(Self {
            key: SigningKey::from_pkcs8_pem(pem.trim()).map_err(|_| SetupError::AppleKey)?,
            key_id: id(key_id, "key id")?,
            team_id: id(team_id, "team id")?,
            pass: Mutex::new(None),
        })
    }

    /// The pass that is good now.
    pub(super) fn pass(&self, now: DateTime<Utc>) -> Secret {
        let mut kept = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((pass, made_at)) = &*kept
            && (*made_at - COMES_LATE..*made_at + RENEW_AFTER).contains(&now)
        {
            return pass.clone();
        }
        let header = json!({"alg": "ES256", "kid": self.key_id});
        let claims = json!({"iss": self.team_id, "iat": now.timestamp()});
        let pass = Secret::new(jwt::es256(&self.key, &header, &claims));
        *kept = Some((pass.clone(), now));
        pass
    }

    /// Apple calls this pass stale: the next one is made anew. One that was made since stays.
    pub(super) fn forget_pass(&self, stale: &Secret) {
        let mut kept = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|(pass, _)| pass == stale) {
            *kept = None;
        }
    }
}

impl fmt::Debug for AppleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppleKey").field("key_id", &self.key_id).field("team_id", &self.team_id).finish_non_exhaustive()
    }
}

fn id(text: &str, what: &'static str) -> Result<String, SetupError> {
    let text = text.trim();
    let fits = text.len() == ID_LENGTH && text.chars().all(|mark| mark.is_ascii_alphanumeric());
    if fits { Ok(text.to_owned()) } else { Err(SetupError::AppleId(what)) }
}

#[cfg(test)]
mod tests {
    use p256::pkcs8::{EncodePrivateKey, LineEnding};

    use super::*;
    use crate::message::tests::noon;

    fn pem() -> String {
        p256::SecretKey::from_slice(&[7; 32]).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
    }

    #[test]
    fn a_pass_is_kept_for_fifty_minutes() {
        let key = AppleKey::parse(&pem(), "ABC1234567", " TEAM123456\n").unwrap();
        let first = key.pass(noon());
        assert_eq!(key.pass(noon() + TimeDelta::seconds(50 * 60 - 1)), first);
        let second = key.pass(noon() + TimeDelta::minutes(50));
        assert_ne!(second, first);
        // A clock that was set back makes one that Apple does not take for one of the future.
        assert_ne!(key.pass(noon() - TimeDelta::minutes(1)), second);
        let third = key.pass(noon() + TimeDelta::hours(2));
        assert_eq!(key.pass(noon() + TimeDelta::hours(2) - TimeDelta::seconds(3)), third, "a sender that was slow");
        key.forget_pass(&first);
        assert_eq!(key.pass(noon() + TimeDelta::hours(2)), third, "an old one that is called stale costs no new one");
        key.forget_pass(&third);
        assert_ne!(key.pass(noon() + TimeDelta::hours(2) + TimeDelta::seconds(1)), third);
    }

    #[test]
    fn the_key_is_not_printed() {
        let key = AppleKey::parse(&pem(), "ABC1234567", "TEAM123456").unwrap();
        assert_eq!(format!("{key:?}"), r#"AppleKey { key_id: "ABC1234567", team_id: "TEAM123456", .. }"#);
    }

    #[test]
    fn another_file_or_a_wrong_id_is_refused_in_words() {
        let says = |pem: &str, key, team| AppleKey::parse(pem, key, team).unwrap_err().to_string();
        assert!(says("nothing", "ABC1234567", "TEAM123456").contains(".p8"));
        assert!(says(&pem(), "ABC", "TEAM123456").contains("key id"));
        assert!(says(&pem(), "ABC1234567", "com.x.show").contains("team id"));
    }
}
