//! Signed claims (RFC 7515, 7519) as the three providers want them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;

/// Signed with a key on the curve P-256 (Apple, Web Push).
pub(crate) fn es256(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let signed = unsigned(header, claims);
    let signature: Signature = key.sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// Signed with an RSA key (Google); none if ring refuses the key.
pub(crate) fn rs256(key: &RsaKeyPair, header: &Value, claims: &Value) -> Option<String> {
    let signed = unsigned(header, claims);
    let mut signature = vec![0; key.public().modulus_len()];
    // The source of randomness is for another padding; this one has none.
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier;

    use super::*;

    #[test]
    fn what_is_signed_is_what_stands_before_the_last_dot() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let text = es256(&key, &serde_json::json!({"alg": "ES256"}), &serde_json::json!({"iss": "TEAM"}));
        let (signed, signature) = text.rsplit_once('.').unwrap();
        assert_eq!(signed, "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJURUFNIn0");
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        assert!(key.verifying_key().verify(signed.as_bytes(), &signature).is_ok());
        assert!(key.verifying_key().verify(b"other", &signature).is_err());
    }
}
