//! How a phone joins: a code, a check number on both screens, the desk's Allow, a token (SECURITY.md §2).

mod answer;
mod codes;

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::ids::DeviceId;
use showdesk_domain::permit::Action;
use showdesk_store::pairings::{ClaimRow, ClaimStatus, PairingRow, TriesMax, TypedRow, WaitingCounts};
use showdesk_store::people::NewToken;
use showdesk_store::{Tx, pairings, people};
use uuid::Uuid;

use crate::api::attention::NamedRef;
use crate::api::pairing::{Claim, Claimed, PairingStatus, PersonRef, WaitingPairing, WaitingPairings};
use crate::audit::Names;
use crate::ids::{check_number, sha256};
use crate::names::{clean_name, clean_platform};
use crate::people::fresh_token;
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake, typed_code};

/// How often somebody may be wrong with a typed code.
const TRIES_MAX: TriesMax = TriesMax { of_address: 5, in_all: 30 };
/// Phones that may ask within [`COUNTED_FOR`] and wait for the desk's answer: whoever has photographed a code cannot
/// keep those out who have another one, nor, from one address, those who have the same.
const WAITING_MAX: WaitingCounts = WaitingCounts { in_all: 400, of_code: 100, of_address: 30 };
/// A phone that has asked so long ago takes nobody's place, though the desk may still answer it.
const COUNTED_FOR: TimeDelta = TimeDelta::minutes(10);
/// Phones that ask to join, as they are listed: the newest.
pub(crate) const LISTED_MAX: i64 = 500;
/// When to come back if so many wait.
const WAITING_RETRY_MS: i64 = 30_000;
/// When to come back after too many wrong tries at a typed code: a fresh one will be there.
const TYPED_RETRY_MS: i64 = 120_000;

const UNKNOWN_CODE: EngineError = EngineError::NotFound("the code");

/// Whether a claim shows the short form of a code, which can be guessed at: such a claim may be refused unseen.
pub fn is_typed_code(code: &str) -> bool {
    typed_code::normalised(code).is_some()
}

impl Engine {
    /// A phone shows a code, from that address.
    pub async fn claim_pairing(&self, request: Claim, address: IpAddr) -> Result<Claimed> {
        let device_name = clean_name(&request.device_name)?;
        let platform = request.platform.as_deref().and_then(clean_platform);
        let now = self.now();
        let (mut tx, code) = match typed_code::normalised(&request.code) {
            Some(typed) => self.look_for_typed(&typed, address).await?,
            None => self.look_for(&request.code, address).await?,
        };
        self.refuse_if_full(&mut tx, code, address).await?;
        let pairing = match typed_code::normalised(&request.code) {
            Some(typed) => self.use_typed(&mut tx, &typed, address).await?,
            None => pairings::use_code(&mut tx, &sha256(request.code.as_bytes()), self.steady()).await?,
        };
        let pairing = pairing.ok_or_else(code_is_over)?;
        let previous_device_id = match &request.previous_token {
            Some(token) => previous_device(&mut tx, token).await?,
            None => None,
        };
        // Secret to the phone: 122 random bits, stored as a hash only.
        let phone_secret = Uuid::new_v4();
        let claim = ClaimRow {
            id: self.fresh_id(),
            pairing_id: pairing.id,
            secret_sha256: sha256(phone_secret.as_bytes()),
            check_number: check_number(),
            device_name,
            platform,
            previous_device_id,
            claimed_at: now,
            address: Some(address_text(address)),
            status: ClaimStatus::Waiting,
            device_id: None,
            decided_by: None,
            decided_at: None,
            token_delivered_until: None,
        };
        pairings::add_claim(&mut tx, &claim).await?;
        self.tell_neighbours(&mut tx, &[Wake::Pairings]).await?;
        self.commit(tx).await?;
        self.wake(Wake::Pairings);
        Ok(Claimed {
            pairing_id: phone_secret,
            check_number: claim.check_number,
            functions: pairing.functions,
            unknown_previous: request.previous_token.is_some() && previous_device_id.is_none(),
        })
    }

    /// A transaction in which the code may be used, and its id. A code that nobody made, or that lets nobody in, begins
    /// none that writes: those who write take turns, and nobody without a pass gets one for nothing.
    async fn look_for(&self, code: &str, address: IpAddr) -> Result<(Tx, Uuid)> {
        let mut tx = self.begin_read_anyone().await?;
        let found = pairings::find_code(&mut tx, &sha256(code.as_bytes())).await?.ok_or(UNKNOWN_CODE)?;
        if !is_open(&found, self.steady()) {
            return Err(code_is_over());
        }
        self.refuse_if_full(&mut tx, found.id, address).await?;
        drop(tx);
        Ok((self.begin_write_anyone().await?, found.id))
    }

    async fn refuse_if_full(&self, tx: &mut Tx, code: Uuid, address: IpAddr) -> Result<()> {
        let since = self.now() - COUNTED_FOR;
        let waiting = pairings::count_waiting(tx, since, code, &address_text(address)).await?;
        if is_full(waiting) { Err(EngineError::TooMany { retry_after_ms: WAITING_RETRY_MS }) } else { Ok(()) }
    }

    /// The same for a code that was typed. Who was wrong too often with a code hears of it what every wrong one hears,
    /// also if this one is right: elsewhere it could still be used. With a code that is newer the address counts anew.
    async fn look_for_typed(&self, typed: &str, address: IpAddr) -> Result<(Tx, Uuid)> {
        let (from, now) = (address_text(address), self.steady());
        let mut tx = self.begin_read_anyone().await?;
        let tries = pairings::wrong_tries(&mut tx, &from, TRIES_MAX, now).await?;
        let found = pairings::find_typed(&mut tx, &sha256(typed.as_bytes())).await?;
        let is_dead = |tries: &i64| *tries >= TRIES_MAX.of_address;
        let locked_out = EngineError::TooMany { retry_after_ms: TYPED_RETRY_MS };
        if let Some(found) = found {
            if tries.get(&found.id).is_some_and(is_dead) {
                return Err(locked_out);
            }
            if !(is_open(&found, now) && found.typed.as_ref().is_some_and(|typed| lives(typed, now))) {
                return Err(code_is_over());
            }
            self.refuse_if_full(&mut tx, found.id, address).await?;
            drop(tx);
            return Ok((self.begin_write_anyone().await?, found.id));
        }
        drop(tx);
        if !tries.values().all(is_dead) {
            self.note_wrong_typed(&from).await?;
        }
        Err(if tries.values().any(is_dead) { locked_out } else { UNKNOWN_CODE })
    }

    /// Counts a wrong typed code against all that live, on disk: a desk that is started again, or another desk of the
    /// database, forgives none.
    async fn note_wrong_typed(&self, from: &str) -> Result<()> {
        let mut tx = self.begin_write_anyone().await?;
        let has_died = pairings::note_wrong_typed(&mut tx, from, TRIES_MAX, self.steady()).await?;
        self.commit_and_wake(tx, has_died.then_some(Wake::Pairings).into_iter().collect()).await
    }

    async fn use_typed(&self, tx: &mut Tx, typed: &str, address: IpAddr) -> Result<Option<PairingRow>> {
        let (from, sha256) = (address_text(address), sha256(typed.as_bytes()));
        Ok(pairings::use_typed(tx, &sha256, &from, TRIES_MAX, self.steady()).await?)
    }

    /// How a phone's claim stands; hands the token out once it is approved.
    pub async fn pairing_status(&self, pairing_id: Uuid) -> Result<PairingStatus> {
        let mut tx = self.begin_read_anyone().await?;
        let claim = pairings::find_claim(&mut tx, &sha256(pairing_id.as_bytes())).await?;
        drop(tx);
        let found = claim.ok_or(EngineError::NotFound("the request to join"))?;
        let claim = found.claim;
        let (Some(device_id), ClaimStatus::Approved) = (claim.device_id, claim.status) else {
            return Ok(PairingStatus { status: claim.status.as_str().to_owned(), ..PairingStatus::default() });
        };
        let now = self.now();
        let is_open = claim.token_delivered_until.is_some_and(|until| self.steady() <= until);
        if !is_open {
            return Err(EngineError::Gone("the time to pick the pass up is over; ask for a new code".to_owned()));
        }
        let person = found.person.ok_or(EngineError::NotFound("the device"))?;
        let mut tx = self.begin_write_for(person).await?;
        pairings::hold(&mut tx, claim.id).await?;
        if people::used_token_of(&mut tx, device_id, claim.id).await? {
            return Err(EngineError::Gone("this phone has joined already".to_owned()));
        }
        people::kill_unused_tokens(&mut tx, device_id, now).await?;
        let token = fresh_token(device_id, now, Some(self.token_expiry()));
        people::add_token(&mut tx, &NewToken { claim_id: Some(claim.id), ..token.row.clone() }).await?;
        let row = people::token(&mut tx, &token.row.sha256).await?.ok_or(EngineError::NotFound("the device"))?;
        self.commit(tx).await?;
        let (actor, expires_at) = (crate::people::actor_of(row.clone()), row.device_expires_at);
        Ok(PairingStatus {
            status: claim.status.as_str().to_owned(),
            token: Some(token.text),
            device_id: Some(device_id.0),
            permissions: Some(actor.effective()),
            user: Some(PersonRef { id: row.person.0, name: row.person_name }),
            functions: Some(row.functions),
            scope: Some(row.scope),
            expires_at,
        })
    }

    /// Phones that ask to join.
    pub async fn waiting_pairings(&self, actor: &Actor) -> Result<WaitingPairings> {
        require(actor, Action::Admit)?;
        let mut tx = self.begin_read_as(actor).await?;
        let waiting = pairings::waiting(&mut tx, LISTED_MAX).await?;
        let known = waiting.iter().filter_map(|waiting| waiting.claim.previous_device_id).collect();
        let names = Names::load(&mut tx, Vec::new(), known).await?;
        let known = |device: DeviceId| -> NamedRef { names.device(device) };
        let items = waiting.into_iter().map(|waiting| WaitingPairing {
            pairing_id: waiting.claim.id,
            device_name: waiting.claim.device_name,
            platform: waiting.claim.platform,
            check_number: waiting.claim.check_number,
            functions: waiting.functions,
            scope: waiting.scope,
            claimed_at: waiting.claim.claimed_at,
            code_id: waiting.claim.pairing_id,
            known_device: waiting.claim.previous_device_id.map(known),
        });
        Ok(WaitingPairings { items: items.collect() })
    }
}

/// The phone whose token this was, if it was not removed.
async fn previous_device(tx: &mut Tx, token: &str) -> Result<Option<DeviceId>> {
    let row = people::token(tx, &sha256(token.as_bytes())).await?;
    let row = row.filter(|row| row.revoked_at.is_none() && row.kind == DeviceKind::Phone);
    Ok(row.map(|row| row.device_id))
}

/// Whether a code still lets somebody in. What is asked again when it is used.
fn is_open(pairing: &PairingRow, at: DateTime<Utc>) -> bool {
    pairing.closed_at.is_none() && pairing.code_expires_at > at && (pairing.open || pairing.used_at.is_none())
}

/// Whether a short form can still be used by somebody.
fn lives(typed: &TypedRow, at: DateTime<Utc>) -> bool {
    typed.expires_at > at && typed.tries < TRIES_MAX.in_all
}

fn is_full(waiting: WaitingCounts) -> bool {
    waiting.in_all >= WAITING_MAX.in_all
        || waiting.of_code >= WAITING_MAX.of_code
        || waiting.of_address >= WAITING_MAX.of_address
}

/// An address as it is counted: the same by IPv4 and by IPv6 of it. A machine takes as many addresses of its IPv6
/// network as it likes, so such a network (/64) counts as one.
pub fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

fn address_text(address: IpAddr) -> String {
    counted_as(address).to_string()
}

fn code_is_over() -> EngineError {
    EngineError::Gone("this code was used or has run out; ask for a new one".to_owned())
}

#[cfg(test)]
mod tests;
