//! What the installation is on the network: the certificate its phones trust, and the origins its pages came from.
//!
//! It makes no certificate and opens no port; the server does.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_store::network::{self, AuthorityRow};

use crate::rights::require;
use crate::{Engine, Result};

/// The secret that holds the authority's private key, PKCS #8.
const AUTHORITY_KEY: &str = "authority";
/// Pages of an origin that was not seen for so long are foreign (SECURITY.md §4).
const ORIGINS_FOR: TimeDelta = TimeDelta::days(30);
/// Origins of an installation that are known at once, the newest.
const ORIGINS_MAX: i64 = 200;

/// The certificate that phones trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// DER.
    pub certificate: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When phones trust it no longer.
    pub expires_at: DateTime<Utc>,
}

/// A certificate for phones to trust, with the key that goes into the vault.
pub struct Founding {
    /// The certificate.
    pub authority: Authority,
    /// Its private key, PKCS #8.
    pub key: Vec<u8>,
}

impl Engine {
    /// Whether the actor looks after the laptop's network and its secrets.
    pub fn may_manage_network(&self, actor: &Actor) -> Result<()> {
        require(actor, Action::Network)
    }

    /// The certificate that phones trust; none before HTTPS was served for the first time.
    pub async fn authority(&self) -> Result<Option<Authority>> {
        let mut tx = self.begin_read_work().await?;
        let row = network::authority(&mut tx).await?;
        Ok(row.map(|AuthorityRow { certificate, created_at, expires_at }| Authority {
            certificate,
            created_at,
            expires_at,
        }))
    }

    /// The private key of the authority, PKCS #8: only for signing the laptop's own certificate.
    pub async fn authority_key(&self) -> Result<Option<Vec<u8>>> {
        self.secret(AUTHORITY_KEY).await
    }

    /// Founds the authority. A store error `Duplicate` if another desk of the database was faster.
    pub async fn found_authority(&self, founding: &Founding) -> Result<()> {
        let mut tx = self.begin_write_work().await?;
        network::add_authority(&mut tx, &row(&founding.authority)).await?;
        self.seal_into(&mut tx, AUTHORITY_KEY, &founding.key).await?;
        self.commit(tx).await
    }

    /// Puts another authority in the place of the present one, because somebody wanted it: every phone has to trust anew.
    pub async fn replace_authority(&self, actor: &Actor, founding: &Founding, fingerprint: &str) -> Result<()> {
        require(actor, Action::Network)?;
        let mut tx = self.begin_write_work().await?;
        network::remove_authority(&mut tx).await?;
        network::add_authority(&mut tx, &row(&founding.authority)).await?;
        self.seal_into(&mut tx, AUTHORITY_KEY, &founding.key).await?;
        let after = json!({ "fingerprint": fingerprint });
        self.note_within(&mut tx, actor, "authority_renewed", None, Some(after)).await?;
        self.commit(tx).await
    }

    /// Notes where pages come from now, and forgets what was not seen for 30 days.
    pub async fn note_origins(&self, origins: &[String]) -> Result<()> {
        let now = self.now();
        let mut tx = self.begin_write_work().await?;
        network::note_origins(&mut tx, origins, now).await?;
        network::forget_origins(&mut tx, now - ORIGINS_FOR).await?;
        self.commit(tx).await
    }

    /// Where pages of this installation came from in the last 30 days, the newest first.
    pub async fn known_origins(&self) -> Result<Vec<String>> {
        let mut tx = self.begin_read_work().await?;
        Ok(network::origins(&mut tx, self.now() - ORIGINS_FOR, ORIGINS_MAX).await?)
    }
}

fn row(authority: &Authority) -> AuthorityRow {
    AuthorityRow {
        certificate: authority.certificate.clone(),
        created_at: authority.created_at,
        expires_at: authority.expires_at,
    }
}
