//! How a phone joins: a code, a check number on both screens, the desk's Allow, a token (SECURITY.md §2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use serde_json::json;
use showdesk_domain::actor::{Actor, DeviceKind, Function, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId, Seq};
use showdesk_store::pairings::{ClaimRow, ClaimStatus, Decision, PairingRow, WaitingClaim};
use showdesk_store::people::{DeviceRow, MemberRow, ProfileRow};
use showdesk_store::{Tx, pairings, people};
use uuid::Uuid;

use crate::api::pairing::{
    Approve, Claim, Claimed, NewPairing, PairingCode, PairingMode, PairingStatus, PersonRef, WaitingPairing,
    WaitingPairings,
};
use crate::ids::{check_number, secret, sha256};
use crate::people::{fresh_token, require_admin};
use crate::{Engine, EngineError, Result, Wake};

const SINGLE_CODE_S: i64 = 600;
const OPEN_CODE_S: i64 = 7_200;
const CODE_S_MAX: i64 = 86_400;
const NAME_CHARS_MAX: usize = 200;
/// How long after Allow the token can be fetched.
const TOKEN_WAITS_S: i64 = 120;

impl Engine {
    /// Opens joining.
    pub async fn open_pairing(&self, actor: &Actor, request: NewPairing) -> Result<PairingCode> {
        require_admin(actor)?;
        if request.functions.is_empty() {
            return Err(EngineError::invalid("required", "choose at least one job for the phone"));
        }
        let open = request.mode == PairingMode::Open;
        let seconds = request.expires_in_s.unwrap_or(if open { OPEN_CODE_S } else { SINGLE_CODE_S });
        if !(1..=CODE_S_MAX).contains(&seconds) {
            return Err(EngineError::invalid("out_of_range", "a code lives from 1 second to one day"));
        }
        let now = self.now();
        let code = URL_SAFE_NO_PAD.encode(secret::<16>());
        let row = PairingRow {
            id: self.fresh_id(),
            code_sha256: sha256(code.as_bytes()),
            open,
            functions: request.functions,
            scope: request.scope,
            created_by: actor.person,
            created_at: now,
            code_expires_at: self.steady() + Duration::seconds(seconds),
            used_at: None,
        };
        let mut tx = self.begin_write().await?;
        pairings::open(&mut tx, &row).await?;
        let what = json!({ "functions": row.functions, "open": open, "seconds": seconds });
        crate::audit::note(&mut tx, actor, "joining_opened", now, Some(row.id), Some(what)).await?;
        self.commit(tx).await?;
        Ok(PairingCode { code, code_expires_at: row.code_expires_at })
    }

    /// A phone shows a code.
    pub async fn claim_pairing(&self, request: Claim) -> Result<Claimed> {
        let device_name = clean_name(&request.device_name)?;
        let platform = request.platform.map(|platform| platform.chars().take(40).collect::<String>());
        let now = self.now();
        let code = sha256(request.code.as_bytes());
        let mut tx = self.begin_write().await?;
        let Some(pairing) = pairings::use_code(&mut tx, &code, self.steady()).await? else {
            return Err(match pairings::find_code(&mut tx, &code).await? {
                Some(_) => EngineError::Gone("this code was used or has run out; ask for a new one".to_owned()),
                None => EngineError::NotFound("the code"),
            });
        };
        let previous_device_id = match &request.previous_token {
            Some(token) => people::token(&mut tx, &sha256(token.as_bytes()))
                .await?
                .filter(|row| row.revoked_at.is_none() && row.kind == DeviceKind::Phone)
                .map(|row| row.device_id),
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
            status: ClaimStatus::Waiting,
            device_id: None,
            decided_by: None,
            decided_at: None,
            token_delivered_until: None,
        };
        pairings::add_claim(&mut tx, &claim).await?;
        self.tell_neighbours(&mut tx, Wake::Pairings).await?;
        self.commit(tx).await?;
        self.wake(Wake::Pairings);
        Ok(Claimed { pairing_id: phone_secret, check_number: claim.check_number, functions: pairing.functions })
    }

    /// How a phone's claim stands; hands the token out once it is approved.
    pub async fn pairing_status(&self, pairing_id: Uuid) -> Result<PairingStatus> {
        let mut tx = self.db().begin_read().await?;
        let claim = pairings::find_claim(&mut tx, &sha256(pairing_id.as_bytes())).await?;
        drop(tx);
        let claim = claim.ok_or(EngineError::NotFound("the request to join"))?.claim;
        let mut status = PairingStatus {
            status: claim.status.as_str().to_owned(),
            token: None,
            device_id: None,
            user: None,
            functions: None,
            scope: None,
        };
        let (Some(device_id), ClaimStatus::Approved) = (claim.device_id, claim.status) else { return Ok(status) };
        let now = self.now();
        let is_open = claim.token_delivered_until.is_some_and(|until| self.steady() <= until);
        if !is_open {
            return Err(EngineError::Gone("the time to pick the pass up is over; ask for a new code".to_owned()));
        }
        let since = claim.decided_at.unwrap_or(claim.claimed_at);
        let mut tx = self.begin_write().await?;
        pairings::hold(&mut tx, claim.id).await?;
        if people::used_token_since(&mut tx, device_id, since).await? {
            return Err(EngineError::Gone("this phone has joined already".to_owned()));
        }
        people::kill_unused_tokens(&mut tx, device_id, now).await?;
        let token = fresh_token(device_id, now, Some(self.token_expiry()));
        people::add_token(&mut tx, &token.row).await?;
        let row = people::token(&mut tx, &token.row.sha256).await?.ok_or(EngineError::NotFound("the device"))?;
        self.commit(tx).await?;
        status.token = Some(token.text);
        status.device_id = Some(device_id.0);
        status.user = Some(PersonRef { id: row.person.0, name: row.person_name });
        status.functions = Some(row.functions);
        status.scope = Some(row.scope);
        Ok(status)
    }

    /// Phones that ask to join.
    pub async fn waiting_pairings(&self, actor: &Actor) -> Result<WaitingPairings> {
        require_admin(actor)?;
        let mut tx = self.db().begin_read().await?;
        let waiting = pairings::waiting(&mut tx).await?;
        let items = waiting.into_iter().map(|waiting| WaitingPairing {
            pairing_id: waiting.claim.id,
            device_name: waiting.claim.device_name,
            platform: waiting.claim.platform,
            check_number: waiting.claim.check_number,
            functions: waiting.functions,
            claimed_at: waiting.claim.claimed_at,
        });
        Ok(WaitingPairings { items: items.collect() })
    }

    /// The desk allows a phone. Allowing twice is the same as once.
    pub async fn approve_pairing(&self, actor: &Actor, id: Uuid, request: Approve) -> Result<()> {
        require_admin(actor)?;
        let mut tx = self.begin_write().await?;
        let waiting = pairings::claim(&mut tx, id).await?.ok_or(EngineError::NotFound("the request to join"))?;
        match waiting.claim.status {
            ClaimStatus::Approved => return Ok(()),
            ClaimStatus::Refused => return Err(already_answered()),
            ClaimStatus::Waiting => {}
        }
        let now = self.now();
        let name = request.name.as_deref().map(clean_name).transpose()?;
        let name = name.unwrap_or_else(|| waiting.claim.device_name.clone());
        let functions = request.functions.unwrap_or_else(|| waiting.functions.clone());
        let scope = request.scope.unwrap_or_else(|| waiting.scope.clone());
        let device_id = self.admit(&mut tx, &waiting, &name, functions.clone(), scope).await?;
        let decision = Decision {
            status: ClaimStatus::Approved,
            device_id: Some(device_id),
            decided_by: actor.person,
            decided_at: now,
            token_delivered_until: Some(self.steady() + Duration::seconds(TOKEN_WAITS_S)),
        };
        if !pairings::decide(&mut tx, id, &decision).await? {
            return Err(already_answered());
        }
        let what = json!({ "name": name, "functions": functions });
        crate::audit::note(&mut tx, actor, "device_allowed", now, Some(device_id.0), Some(what)).await?;
        self.tell_neighbours(&mut tx, Wake::Pairings).await?;
        self.commit(tx).await?;
        self.wake(Wake::Pairings);
        Ok(())
    }

    /// The desk refuses a phone.
    pub async fn refuse_pairing(&self, actor: &Actor, id: Uuid) -> Result<()> {
        require_admin(actor)?;
        let mut tx = self.begin_write().await?;
        let waiting = pairings::claim(&mut tx, id).await?.ok_or(EngineError::NotFound("the request to join"))?;
        let now = self.now();
        let decision = Decision {
            status: ClaimStatus::Refused,
            device_id: None,
            decided_by: actor.person,
            decided_at: now,
            token_delivered_until: None,
        };
        let refused = pairings::decide(&mut tx, id, &decision).await?;
        if !refused && waiting.claim.status != ClaimStatus::Refused {
            return Err(already_answered());
        }
        crate::audit::note(&mut tx, actor, "device_refused", now, Some(id), None).await?;
        self.tell_neighbours(&mut tx, Wake::Pairings).await?;
        self.commit(tx).await?;
        self.wake(Wake::Pairings);
        Ok(())
    }

    /// Makes the phone's person and device, or gives a known phone its new name and rights.
    async fn admit(
        &self,
        tx: &mut Tx,
        waiting: &WaitingClaim,
        name: &str,
        functions: Vec<Function>,
        scope: Scope,
    ) -> Result<DeviceId> {
        let now = self.now();
        let role = role_for(&functions);
        let team = people::team(tx).await?.ok_or(EngineError::NotFound("the team"))?;
        let known = match waiting.claim.previous_device_id {
            Some(id) => people::device(tx, id).await?.filter(|device| device.revoked_at.is_none()),
            None => None,
        };
        let person = known.as_ref().map_or_else(|| PersonId(self.fresh_id()), |device| device.person);
        if known.is_none() {
            people::add_profile(tx, &ProfileRow { id: person, name: name.to_owned(), created_at: now }).await?;
        } else {
            people::rename_profile(tx, person, name).await?;
        }
        people::add_member(tx, &MemberRow { team_id: team.id, person, role, functions, scope, created_at: now })
            .await?;
        let platform = waiting.claim.platform.clone();
        if let Some(device) = known {
            people::update_device(tx, device.id, person, name, platform.as_deref()).await?;
            return Ok(device.id);
        }
        let device = DeviceRow {
            id: DeviceId(self.fresh_id()),
            person,
            kind: DeviceKind::Phone,
            name: name.to_owned(),
            platform,
            joined_at: now,
            last_seen: None,
            unsent: 0,
            skew_ms: 0,
            pulled_seq: Seq(0),
            revoked_at: None,
            oldest_unsent_at: None,
        };
        people::add_device(tx, &device).await?;
        Ok(device.id)
    }
}

/// The team role that goes with what a phone will do.
fn role_for(functions: &[Function]) -> Role {
    if functions.contains(&Function::Admin) {
        Role::Admin
    } else if functions.iter().all(|function| *function == Function::Viewer) {
        Role::Viewer
    } else {
        Role::Editor
    }
}

/// A name as it can be shown: trimmed, without control and direction characters.
pub(crate) fn clean_name(name: &str) -> Result<String> {
    let is_direction =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let name: String = name.chars().filter(|c| !c.is_control() && !is_direction(*c)).collect();
    let name = name.trim().to_owned();
    if name.is_empty() {
        return Err(EngineError::invalid("required", "a name is needed"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(EngineError::invalid("too_large", "the name is too long"));
    }
    Ok(name)
}

fn already_answered() -> EngineError {
    EngineError::Stale { code: "already_answered", detail: "this request was answered already".to_owned(), fresh: None }
}
