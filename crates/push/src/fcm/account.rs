//! The key file that Firebase makes for a project.

use std::fmt;

use ring::signature::RsaKeyPair;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;

use crate::jwt;
use crate::setup::SetupError;

/// A service account: who we are for Google, and the key that proves it.
pub struct ServiceAccount {
    project: String,
    key_id: String,
    email: String,
    key: RsaKeyPair,
}

/// The file, as far as it matters. What it says of addresses is not used: it could lead anywhere.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: Option<String>,
    project_id: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<String>,
    client_email: Option<String>,
}

impl ServiceAccount {
    /// Reads the file.
    pub fn parse(text: &str) -> Result<Self, SetupError> {
        let file: File = serde_json::from_str(text).map_err(|_| SetupError::ServiceAccount)?;
        if file.kind.as_deref() != Some("service_account") {
            return Err(SetupError::ServiceAccount);
        }
        let field = |value: Option<String>, name| {
            value.filter(|value| !value.trim().is_empty()).ok_or(SetupError::ServiceAccountField(name))
        };
        let private_key = field(file.private_key, "private_key")?;
        let key =
            PrivatePkcs8KeyDer::from_pem_slice(private_key.as_bytes()).map_err(|_| SetupError::ServiceAccountKey)?;
        Ok(Self {
            project: field(file.project_id, "project_id")?,
            key_id: field(file.private_key_id, "private_key_id")?,
            email: field(file.client_email, "client_email")?,
            key: RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| SetupError::ServiceAccountKey)?,
        })
    }

    /// The project that messages are sent for.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// What Google gives a pass for: signed by us, good for an hour from `seconds` on.
    pub(super) fn assertion(&self, seconds: i64, scope: &str, audience: &str) -> Option<String> {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let claims = json!({
            "iss": self.email,
            "scope": scope,
            "aud": audience,
            "iat": seconds,
            "exp": seconds + 3600,
        });
        jwt::rs256(&self.key, &header, &claims)
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("project", &self.project).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../../../tests/push/keys/rsa-for-tests.pem");

    fn file(change: impl FnOnce(&mut serde_json::Value)) -> Result<ServiceAccount, SetupError> {
        let mut file = json!({
            "type": "service_account",
            "project_id": "county-show",
            "private_key_id": "k1",
            "private_key": KEY,
            "client_email": "desk@county-show.iam.gserviceaccount.com",
            "token_uri": "http://169.254.169.254/",
        });
        change(&mut file);
        ServiceAccount::parse(&file.to_string())
    }

    #[test]
    fn the_file_of_firebase_is_read_and_its_key_is_not_printed() {
        let account = file(|_| ()).unwrap();
        assert_eq!(account.project(), "county-show");
        assert_eq!(format!("{account:?}"), r#"ServiceAccount { project: "county-show", .. }"#);
    }

    #[test]
    fn another_file_is_refused_in_words() {
        let says = |result: Result<ServiceAccount, SetupError>| result.unwrap_err().to_string();
        assert!(says(ServiceAccount::parse("PK\u{3}\u{4}")).starts_with("This is not a key file of Firebase."));
        assert!(says(file(|file| file["type"] = json!("authorized_user"))).starts_with("This is not a key file"));
        assert!(says(file(|file| file["client_email"] = json!(" "))).contains("“client_email”"));
        assert!(says(file(|file| file["project_id"] = json!(null))).contains("“project_id”"));
        assert!(says(file(|file| file["private_key"] = json!("nothing"))).contains("damaged"));
        let cut = KEY.replacen("MII", "MIJ", 1);
        assert!(says(file(|file| file["private_key"] = json!(cut))).contains("damaged"));
    }
}
