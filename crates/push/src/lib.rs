//! The ways out to a phone that is not on the show's network: FCM, APNs and Web Push.
//!
//! A sender turns one message for one phone into one request, and the provider's answer into what to do next
//! ([`Outcome`]). It knows no database, reads no clock and throws no dice: the time and fresh random bytes are
//! arguments. It never waits before it tries again and never disables anything; both are for its caller.
//!
//! A network that fails is no news about a phone: it is always [`Outcome::Retry`].

pub mod apns;
pub mod fcm;
mod jwt;
mod message;
mod network;
mod outcome;
mod randomness;
mod secret;
mod senders;
mod setup;
mod trial;
pub mod web;
pub mod webhook;

pub use message::{Outgoing, Priority};
pub use network::{Network, Reach};
pub use outcome::{Code, Outcome, Wait};
pub use randomness::Randomness;
pub use secret::Secret;
pub use senders::{Senders, Target};
pub use setup::{SetupError, is_here, stand_in};
pub use trial::Trial;
