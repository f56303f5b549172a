//! What can be wrong with keys and settings before anything is sent, in words for the person who enters them.

use url::{Host, Url};

/// Why a sender cannot be made, or an address not be taken. The sentences are shown as they are and hold no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The program did not install what encrypts its connections: a fault of ours.
    #[error("nothing is installed that makes safe connections")]
    NoTls,
    /// The HTTP client could not be made.
    #[error("no connection can be made from this laptop")]
    Connections(#[source] reqwest::Error),
    /// The address of a provider in the settings.
    #[error("“{0}” is no address of a provider")]
    Address(String),
    /// An address in the place of a provider's that leads to another machine unprotected.
    #[error("The address of a stand-in begins with https://, or leads to this laptop itself.")]
    StandIn,
    /// Not the file that Firebase makes.
    #[error(
        "This is not a key file of Firebase. In Firebase open Project settings, Service accounts, and press Generate new private key."
    )]
    ServiceAccount,
    /// A field of it is missing.
    #[error("The key file of Firebase has no “{0}”. Make a new one and choose it again, unchanged.")]
    ServiceAccountField(&'static str),
    /// Its private key cannot be read.
    #[error("The key inside the file of Firebase is damaged. Make a new one and choose it again, unchanged.")]
    ServiceAccountKey,
    /// Not the .p8 file of Apple.
    #[error("This is not a key file of Apple. It ends in .p8 and can be downloaded once, when the key is made.")]
    AppleKey,
    /// A key id or team id of another form.
    #[error("The {0} of Apple has ten letters and digits.")]
    AppleId(&'static str),
    /// Not a private key for Web Push.
    #[error("This is not a key for web messages.")]
    VapidKey,
    /// The contact that push services may write to.
    #[error(
        "The contact must be an e-mail address, like mailto:name@example.org, or a page that begins with https://."
    )]
    Contact,
    /// A web subscription that cannot be taken; the word says what is wrong with it.
    #[error("a phone gave an address for messages that cannot be used: {0}")]
    Subscription(&'static str),
}

impl SetupError {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTls | Self::Connections(_) => "no_connections",
            Self::Address(_) | Self::StandIn => "invalid_endpoint",
            Self::ServiceAccount => "not_a_service_account",
            Self::ServiceAccountField(_) => "service_account_incomplete",
            Self::ServiceAccountKey => "service_account_key",
            Self::AppleKey => "apple_key",
            Self::AppleId(_) => "apple_id",
            Self::VapidKey => "vapid_key",
            Self::Contact => "invalid_contact",
            Self::Subscription(_) => "invalid_subscription",
        }
    }
}

/// The address of a stand-in for a provider, without a slash at its end: https, or on this machine.
pub fn stand_in(text: &str) -> Result<String, SetupError> {
    let url = Url::parse(text.trim()).map_err(|_| SetupError::StandIn)?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let safe = url.scheme() == "https" || url.scheme() == "http" && leads_here(&url);
    if !plain || !safe || !url.has_host() || url.fragment().is_some() {
        return Err(SetupError::StandIn);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether that address is one of this machine: then phones' addresses may be, too.
pub fn is_here(stand_in: &str) -> bool {
    Url::parse(stand_in).is_ok_and(|url| leads_here(&url))
}

fn leads_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_on_this_machine_or_protected() {
        for (text, expected) in [
            ("http://127.0.0.1:9000/", Some("http://127.0.0.1:9000")),
            (" http://localhost:9000", Some("http://localhost:9000")),
            ("http://[::1]:9000/base/", Some("http://[::1]:9000/base")),
            ("https://push.example.org", Some("https://push.example.org")),
            ("http://push.example.org", None),
            ("http://192.168.1.5:9000", None),
            ("https://a:b@push.example.org", None),
            ("https://push.example.org/?a=1", None),
            ("file:///etc/passwd", None),
            ("localhost:9000", None),
            ("", None),
        ] {
            assert_eq!(stand_in(text).ok().as_deref(), expected, "{text}");
        }
        assert!(is_here("http://127.0.0.1:9000") && is_here("https://localhost"));
        assert!(!is_here("https://push.example.org") && !is_here("nothing"));
    }
}
