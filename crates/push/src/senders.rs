//! The three senders side by side, and the address that says which one is meant.

use chrono::{DateTime, Utc};

use crate::apns::{Apns, ApnsTarget};
use crate::fcm::{Fcm, FcmTarget};
use crate::message::Outgoing;
use crate::outcome::Outcome;
use crate::randomness::Randomness;
use crate::web::{WebPush, WebTarget};

/// Where a message goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// An app that registered with Firebase.
    Fcm(FcmTarget),
    /// An app that registered with Apple.
    Apns(ApnsTarget),
    /// A page that subscribed in its browser.
    Web(WebTarget),
}

/// The senders whose settings are there.
#[derive(Debug, Default)]
pub struct Senders {
    /// Google's.
    pub fcm: Option<Fcm>,
    /// Apple's.
    pub apns: Option<Apns>,
    /// The browsers'.
    pub web: Option<WebPush>,
}

impl Senders {
    /// Sends one message to one address, once. `fresh` are bytes from the system's random source.
    pub async fn send(&self, now: DateTime<Utc>, fresh: Randomness, target: &Target, message: &Outgoing) -> Outcome {
        match (target, self) {
            (Target::Fcm(target), Self { fcm: Some(sender), .. }) => sender.send(now, target, message).await,
            (Target::Apns(target), Self { apns: Some(sender), .. }) => sender.send(now, target, message).await,
            (Target::Web(target), Self { web: Some(sender), .. }) => sender.send(now, fresh, target, message).await,
            _ => Outcome::config("not_set_up"),
        }
    }
}
