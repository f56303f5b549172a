//! Keys and certificates made for tests, and the check of what was signed with them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::SecretKey;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

/// A key that is used nowhere else.
pub(crate) const RSA: &str = include_str!("../keys/rsa-for-tests.pem");
pub(crate) const PROJECT: &str = "county-show";
pub(crate) const ACCOUNT: &str = "desk@county-show.iam.gserviceaccount.com";
pub(crate) const ACCOUNT_KEY_ID: &str = "b2f1";
pub(crate) const APPLE_KEY_ID: &str = "ABC1234567";
pub(crate) const APPLE_TEAM_ID: &str = "TEAM123456";

/// reqwest and the stand-ins need it, once a process.
pub(crate) fn install_tls() {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The key file of Firebase for this project.
pub(crate) fn service_account(project: &str, passes: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": project,
        "private_key_id": ACCOUNT_KEY_ID,
        "private_key": RSA,
        "client_email": ACCOUNT,
        "client_id": "1",
        "token_uri": passes,
    })
}

/// Apple's `.p8` file.
pub(crate) fn apple() -> String {
    apple_key().to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}

fn apple_key() -> SecretKey {
    SecretKey::from_slice(&[7; 32]).unwrap()
}

/// The header and claims of a token, if the service account signed it.
pub(crate) fn signed_by_account(token: &str) -> Option<(Value, Value)> {
    let (signed, signature) = split(token)?;
    let der = PrivatePkcs8KeyDer::from_pem_slice(RSA.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
    public.verify(signed.as_bytes(), &signature).ok()?;
    parts(signed)
}

/// The header and claims of a token, if Apple's key signed it.
pub(crate) fn signed_by_apple_key(token: &str) -> Option<(Value, Value)> {
    let (signed, signature) = split(token)?;
    let signature = Signature::from_slice(&signature).ok()?;
    SigningKey::from(apple_key()).verifying_key().verify(signed.as_bytes(), &signature).ok()?;
    parts(signed)
}

fn split(token: &str) -> Option<(&str, Vec<u8>)> {
    let (signed, signature) = token.rsplit_once('.')?;
    Some((signed, URL_SAFE_NO_PAD.decode(signature).ok()?))
}

fn parts(signed: &str) -> Option<(Value, Value)> {
    let (header, claims) = signed.split_once('.')?;
    let read = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    Some((read(header)?, read(claims)?))
}

/// A certificate for `localhost`, and the authority that made it, in PEM.
pub(crate) fn certificate() -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let pem = STANDARD.encode(made.cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n");
    (TlsAcceptor::from(Arc::new(config)), pem)
}
