//! What can be wrong with keys and settings before anything is sent, in words for the person who enters them.

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
