//! Fresh random bytes for one message, given by the caller, so that a test can say which.

use std::fmt;

use p256::SecretKey;

/// What one encryption needs: a salt, and two tries at a private key.
const SALT: usize = 16;
const KEY: usize = 32;

/// Fresh random bytes for one message. Used twice, they would give its key away: so it is taken by value.
pub struct Randomness([u8; Self::LENGTH]);

impl Randomness {
    /// How many bytes it takes.
    pub const LENGTH: usize = SALT + 2 * KEY;

    /// Takes bytes that the system's random source just gave.
    pub fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The salt of the encryption.
    pub(crate) fn salt(&self) -> [u8; SALT] {
        let mut salt = [0; SALT];
        salt.copy_from_slice(&self.0[..SALT]);
        salt
    }

    /// The same bytes with another salt: for the second form of a message, never for another message.
    pub(crate) fn turned(&self) -> Self {
        let mut bytes = self.0;
        bytes[..SALT].iter_mut().for_each(|byte| *byte = !*byte);
        Self(bytes)
    }

    /// A private key. One number in 2^32 is none, so there is a second one; none if both are not.
    pub(crate) fn private_key(&self) -> Option<SecretKey> {
        let (first, second) = self.0[SALT..].split_at(KEY);
        SecretKey::from_slice(first).or_else(|_| SecretKey::from_slice(second)).ok()
    }
}

impl fmt::Debug for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Randomness(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_no_key_is_passed_over() {
        let mut bytes = [0xff; Randomness::LENGTH];
        assert!(Randomness::new(bytes).private_key().is_none());
        bytes[SALT + KEY..].fill(7);
        let key = Randomness::new(bytes).private_key().unwrap();
        assert_eq!(key.to_bytes().as_slice(), [7; KEY]);
    }

    #[test]
    fn the_bytes_are_not_printed() {
        assert_eq!(format!("{:?}", Randomness::new([7; Randomness::LENGTH])), "Randomness(…)");
    }
}
