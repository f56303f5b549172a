//! Phones that join as people let them in: by a code that they show and the desk allows.

use std::net::Ipv4Addr;

use showdesk_domain::actor::{Function, Scope};
use showdesk_engine::Engine;
use showdesk_engine::api::pairing::{Approve, Claim, NewPairing, PairingMode};
use uuid::Uuid;

/// What a phone is let in for.
#[derive(Debug, Default)]
pub struct Joining {
    /// What it will do.
    pub functions: Vec<Function>,
    /// Where.
    pub scope: Scope,
    /// The token it had before, to stay the device that it was.
    pub known: Option<String>,
}

/// What a phone has once it joined.
#[derive(Debug, Clone)]
pub struct Pass {
    /// What it says with each request.
    pub token: String,
    /// The device that it is.
    pub device: Uuid,
}

impl Joining {
    /// A new phone for this work, anywhere.
    pub fn to(functions: &[Function]) -> Self {
        Self { functions: functions.to_vec(), ..Self::default() }
    }

    /// Lets it in under that name. Nobody else may be waiting.
    pub async fn let_in(self, engine: &Engine, name: &str) -> Pass {
        let desk = engine.desk_actor().await.expect("the desk has an actor");
        let request = NewPairing {
            functions: self.functions,
            scope: self.scope,
            mode: PairingMode::Single,
            expires_in_s: None,
            device_expires_at: None,
        };
        let code = engine.open_pairing(&desk, request).await.expect("a code").code;
        let claim = Claim { code, device_name: name.to_owned(), platform: None, previous_token: self.known };
        let claimed = engine.claim_pairing(claim, Ipv4Addr::LOCALHOST.into()).await.expect("a claim");
        let waiting = engine.waiting_pairings(&desk).await.expect("a list");
        let waiting = waiting.items.last().expect("the claim waits").pairing_id;
        engine.approve_pairing(&desk, waiting, Approve::default()).await.expect("the phone is let in");
        let status = engine.pairing_status(claimed.pairing_id).await.expect("a pass");
        Pass { token: status.token.expect("a token"), device: status.device_id.expect("a device") }
    }
}
