//! The three senders against stand-ins on loopback: what goes over the wire, and what each answer makes of it.

#![expect(clippy::unwrap_used, reason = "a test that meets an error it did not expect ends there")]

mod apns;
mod fcm;
mod stand_in;
mod together;
mod web;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_push::{Network, Outcome, Outgoing, Priority, Randomness, Reach, Wait};
use uuid::Uuid;

/// When all of this happens.
fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_348_800, 0).unwrap()
}

/// A network that reaches this machine.
fn network() -> Network {
    stand_in::keys::install_tls();
    Network::new(Reach::PublicAndLoopback)
}

/// Random bytes; others for each seed.
fn fresh(seed: u8) -> Randomness {
    let mut bytes = [0; Randomness::LENGTH];
    for (number, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::try_from(number).unwrap() ^ seed;
    }
    Randomness::new(bytes)
}

/// A call to the ring, good for ten minutes.
fn call() -> Outgoing {
    Outgoing {
        id: Uuid::from_u128(0x0f5e_95b4_7c0e_4d7a_9a3e_1f6c_7f00_0001),
        title: "Class 12 to ring 2".to_owned(),
        body: "Market lambs, light. Please be there in 10 minutes.".to_owned(),
        data: BTreeMap::from([("open".to_owned(), "#/classes/12".to_owned())]),
        notice: serde_json::Map::new(),
        priority: Priority::High,
        expires_at: noon() + TimeDelta::minutes(10),
        collapse_key: Some("class-call:12".to_owned()),
    }
}

/// What a retry is about: its word, for whom to wait, and whether a provider was reached.
fn retry(outcome: &Outcome) -> (&str, Wait, bool) {
    match outcome {
        Outcome::Retry { code, wait, reached, .. } => (code.as_str(), *wait, *reached),
        other => panic!("{other:?} is no retry"),
    }
}
