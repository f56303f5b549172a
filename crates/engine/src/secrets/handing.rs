//! One desk hands another the vault key through the database, where only the other can open it: X25519, HKDF, AES-GCM.

use ring::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey, X25519};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::SystemRandom;
use showdesk_store::secrets::AnswerRow;

use super::vault::{KEY_BYTES, VaultKey};

/// What an agreed key is for.
const PURPOSE: &[u8] = b"showdesk vault key for another desk";

/// A question that waits for its answer. It lives as long as the program: a new start asks again.
pub(super) struct Asking {
    private: EphemeralPrivateKey,
    pub(super) public: Vec<u8>,
}

struct SealingKey;

impl KeyType for SealingKey {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl Asking {
    pub(super) fn begin() -> Self {
        let private = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).expect("the system has randomness");
        let public = private.compute_public_key().expect("a fresh key has its public half");
        Self { public: public.as_ref().to_vec(), private }
    }

    /// The key in an answer; none if it answers another question or is not what it seems.
    pub(super) fn take(self, answer: &AnswerRow, about: &str) -> Option<VaultKey> {
        if answer.public_key != self.public {
            return None;
        }
        let agreed = agree(self.private, &answer.answer_key, &[&self.public, &answer.answer_key])?;
        VaultKey::from_bytes(&agreed.open(about, &answer.sealed)?)
    }
}

/// Seals the key for whoever asked. None if what it asked with is no public key.
pub(super) fn hand(key: &VaultKey, asker: Vec<u8>, about: &str) -> Option<AnswerRow> {
    let Asking { private, public } = Asking::begin();
    let agreed = agree(private, &asker, &[&asker, &public])?;
    let sealed = agreed.seal(about, key.bytes());
    Some(AnswerRow { public_key: asker, answer_key: public, sealed })
}

fn agree(private: EphemeralPrivateKey, peer: &[u8], both: &[&[u8]; 2]) -> Option<VaultKey> {
    let peer = UnparsedPublicKey::new(&X25519, peer);
    let agreed = agreement::agree_ephemeral(private, &peer, |shared| {
        let mut key = [0; KEY_BYTES];
        let secret = Salt::new(HKDF_SHA256, PURPOSE).extract(shared);
        let filled = secret.expand(both, SealingKey).and_then(|expanded| expanded.fill(&mut key));
        filled.ok().and_then(|()| VaultKey::from_bytes(&key))
    });
    agreed.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asked_can_take_the_key() {
        let key = VaultKey::fresh();
        let (asking, other) = (Asking::begin(), Asking::begin());
        let answer = hand(&key, asking.public.clone(), "desk").expect("it is a public key");
        let stolen = AnswerRow { public_key: other.public.clone(), ..answer.clone() };
        assert!(other.take(&stolen, "desk").is_none());
        assert_eq!(asking.take(&answer, "desk").expect("it is for us").bytes(), key.bytes());
    }

    #[test]
    fn a_changed_answer_and_a_question_that_is_no_key_give_nothing() {
        let key = VaultKey::fresh();
        assert!(hand(&key, b"no key".to_vec(), "desk").is_none());
        let asking = Asking::begin();
        let answer = hand(&key, asking.public.clone(), "desk").expect("it is a public key");
        assert!(asking.take(&answer, "another desk").is_none());
        let asking = Asking::begin();
        let mut answer = hand(&key, asking.public.clone(), "desk").expect("it is a public key");
        answer.sealed[20] ^= 1;
        assert!(asking.take(&answer, "desk").is_none());
    }
}
