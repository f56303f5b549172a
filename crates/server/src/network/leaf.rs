//! The certificate that is shown to phones now. It can be exchanged while connections are open; new ones see the new one.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::authority::Leaf;

/// Holds the present certificate; none while there is no authority that could sign one.
#[derive(Debug, Default)]
pub(crate) struct CurrentLeaf(RwLock<Option<Leaf>>);

impl CurrentLeaf {
    pub(crate) fn show(&self, leaf: Option<Leaf>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = leaf;
    }

    pub(crate) fn get(&self) -> Option<Leaf> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for CurrentLeaf {
    /// Phones come by address or by name; there is one certificate for all of them.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.get().map(|leaf| leaf.certified)
    }
}

/// TLS 1.2 and 1.3 by ring, HTTP/2 and HTTP/1.1.
pub(crate) fn server_config(leaf: Arc<CurrentLeaf>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.expect("ring speaks both versions");
    let mut config = builder.with_no_client_auth().with_cert_resolver(leaf);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}
