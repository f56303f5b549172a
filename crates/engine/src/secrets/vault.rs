//! Seals and opens: AES-256-GCM with a random nonce. It keeps nothing.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use crate::ids::secret;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a key's name.
const ID_BYTES: usize = 8;

/// A key that opens secrets. Its text form says nothing of it.
pub(super) struct VaultKey([u8; KEY_BYTES]);

impl VaultKey {
    pub(super) fn fresh() -> Self {
        Self(secret())
    }

    /// None unless it has the length of a key.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Names the key without telling it.
    pub(super) fn id(&self) -> [u8; ID_BYTES] {
        let digest = Sha256::new_with_prefix(b"showdesk vault key").chain_update(self.0).finalize();
        digest[..ID_BYTES].try_into().expect("a digest is longer")
    }

    /// Seals a secret; only the same key and the same `about` open it.
    pub(super) fn seal(&self, about: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = secret();
        let mut text = plain.to_vec();
        let sealed = self.aead().seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(about.as_bytes()),
            &mut text,
        );
        sealed.expect("a secret is far shorter than what can be sealed at once");
        [&nonce[..], &text].concat()
    }

    /// None if it was sealed by another key, for something else, or was changed.
    pub(super) fn open(&self, about: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.aead().open_in_place(nonce, Aad::from(about.as_bytes()), &mut text).ok()?;
        Some(plain.to_vec())
    }

    fn aead(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).expect("the key has the length of the cipher's"))
    }
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_and_for_the_same_thing() {
        let key = VaultKey::fresh();
        let sealed = key.seal("show/authority", b"a private key");
        assert_eq!(key.open("show/authority", &sealed).as_deref(), Some(&b"a private key"[..]));
        assert_eq!(key.open("show/push", &sealed), None, "it cannot take another secret's place");
        assert_eq!(VaultKey::fresh().open("show/authority", &sealed), None);
        assert!(!sealed.windows(7).any(|part| part == b"private"));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(key.open("show/authority", &changed), None, "byte {index}");
            assert_eq!(key.open("show/authority", &sealed[..index]), None, "{index} bytes");
        }
    }

    #[test]
    fn sealing_twice_gives_two_texts() {
        let key = VaultKey::fresh();
        assert_ne!(key.seal("a", b"same"), key.seal("a", b"same"));
        assert_eq!(key.open("a", &key.seal("a", b"")).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn a_keys_name_tells_it_from_others_and_nothing_of_it() {
        let key = VaultKey::from_bytes(&[7; KEY_BYTES]).expect("a key");
        assert_eq!(key.id(), VaultKey::from_bytes(&[7; KEY_BYTES]).expect("a key").id());
        assert_ne!(key.id(), VaultKey::from_bytes(&[8; KEY_BYTES]).expect("a key").id());
        assert_eq!(format!("{key:?}"), "VaultKey");
        assert!(VaultKey::from_bytes(&[7; KEY_BYTES - 1]).is_none());
    }
}
