//! The desk answers a phone that asks to join: allowed, or refused.

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use showdesk_domain::actor::{Actor, DeviceKind, Function, Permissions, Scope};
use showdesk_domain::ids::{DeviceId, PersonId, Seq};
use showdesk_domain::permit::Action;
use showdesk_domain::value::instant_text;
use showdesk_store::pairings::{ClaimStatus, Decision, WaitingClaim};
use showdesk_store::people::{DeviceRow, MemberRow, ProfileRow};
use showdesk_store::{Tx, pairings, people};
use uuid::Uuid;

use crate::api::pairing::Approve;
use crate::devices::{checked_functions, checked_scope, read_stay, role_for, wakes_of};
use crate::names::clean_name;
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake};

/// How long after Allow the token can be fetched.
const TOKEN_WAITS_S: i64 = 120;

/// What a phone is let in as.
struct Admission {
    name: String,
    functions: Vec<Function>,
    scope: Scope,
    expires_at: Option<DateTime<Utc>>,
}

impl Engine {
    /// The desk allows a phone. Allowing twice is the same as once.
    pub async fn approve_pairing(&self, actor: &Actor, id: Uuid, request: Approve) -> Result<()> {
        require(actor, Action::Admit)?;
        let mut tx = self.begin_write_as(actor).await?;
        let waiting = pairings::claim(&mut tx, id).await?.ok_or(NOT_FOUND)?;
        match waiting.claim.status {
            ClaimStatus::Approved => return Ok(()),
            ClaimStatus::Refused => return Err(already_answered()),
            ClaimStatus::Waiting => {}
        }
        let now = self.now();
        let name = request.name.as_deref().map(clean_name).transpose()?;
        let admission = Admission {
            name: name.unwrap_or_else(|| waiting.claim.device_name.clone()),
            functions: checked_functions(request.functions.unwrap_or_else(|| waiting.functions.clone()))?,
            scope: checked_scope(request.scope.unwrap_or_else(|| waiting.scope.clone()))?,
            expires_at: match request.expires_at {
                Some(stay) => read_stay(&stay, self.steady())?,
                None => waiting.device_expires_at,
            },
        };
        let (device_id, mut wakes) = self.admit(&mut tx, &waiting, &admission).await?;
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
        let what = json!({
            "name": admission.name, "functions": admission.functions, "scope": admission.scope,
            "expires_at": admission.expires_at.map(instant_text), "check_number": waiting.claim.check_number,
        });
        crate::audit::note(&mut tx, actor, "device_allowed", now, Some(device_id.0), Some(what)).await?;
        wakes.push(Wake::Pairings);
        self.commit_and_wake(tx, wakes).await
    }

    /// The desk refuses a phone.
    pub async fn refuse_pairing(&self, actor: &Actor, id: Uuid) -> Result<()> {
        require(actor, Action::Admit)?;
        let mut tx = self.begin_write_as(actor).await?;
        let waiting = pairings::claim(&mut tx, id).await?.ok_or(NOT_FOUND)?;
        let now = self.now();
        let decision = Decision {
            status: ClaimStatus::Refused,
            device_id: None,
            decided_by: actor.person,
            decided_at: now,
            token_delivered_until: None,
        };
        if !pairings::decide(&mut tx, id, &decision).await? {
            let was_refused = waiting.claim.status == ClaimStatus::Refused;
            return if was_refused { Ok(()) } else { Err(already_answered()) };
        }
        let what = json!({ "name": waiting.claim.device_name, "check_number": waiting.claim.check_number });
        crate::audit::note(&mut tx, actor, "device_refused", now, Some(id), Some(what)).await?;
        self.commit_and_wake(tx, vec![Wake::Pairings]).await
    }

    /// Makes the phone's person and device, or gives a known phone its new name and rights. Answers who must hear of it.
    async fn admit(&self, tx: &mut Tx, waiting: &WaitingClaim, admission: &Admission) -> Result<(DeviceId, Vec<Wake>)> {
        let now = self.now();
        let team = people::team(tx).await?.ok_or(EngineError::NotFound("the team"))?;
        let known = match waiting.claim.previous_device_id {
            Some(id) => people::device(tx, id).await?.filter(|device| device.revoked_at.is_none()),
            None => None,
        };
        let person = known.as_ref().map_or_else(|| PersonId(self.fresh_id()), |device| device.person);
        let before = people::member(tx, person).await?;
        if known.is_none() {
            let profile = ProfileRow { id: person, name: admission.name.clone(), created_at: now };
            people::add_profile(tx, &profile).await?;
        } else {
            people::rename_profile(tx, person, &admission.name).await?;
        }
        // Who does the same as before keeps the switches that were set for it.
        let same = before.filter(|member| member.functions == admission.functions);
        let member = MemberRow {
            team_id: team.id,
            person,
            role: role_for(&admission.functions),
            functions: admission.functions.clone(),
            scope: admission.scope.clone(),
            permissions: same.map_or_else(Permissions::default, |member| member.permissions),
            created_at: now,
        };
        people::add_member(tx, &member).await?;
        if let Some(device) = known {
            let (name, platform) = (admission.name.clone(), waiting.claim.platform.clone());
            let row = DeviceRow { name, platform, expires_at: admission.expires_at, ..device };
            people::update_device(tx, &row).await?;
            return Ok((row.id, wakes_of(tx, person).await?));
        }
        let device = DeviceRow {
            id: DeviceId(self.fresh_id()),
            person,
            kind: DeviceKind::Phone,
            name: admission.name.clone(),
            platform: waiting.claim.platform.clone(),
            joined_at: now,
            last_seen: None,
            unsent: 0,
            skew_ms: 0,
            pulled_seq: Seq(0),
            revoked_at: None,
            oldest_unsent_at: None,
            expires_at: admission.expires_at,
            level: None,
            file_asked_at: None,
            reviewed_at: None,
        };
        people::add_device(tx, &device).await?;
        Ok((device.id, Vec::new()))
    }
}

const NOT_FOUND: EngineError = EngineError::NotFound("the request to join");

fn already_answered() -> EngineError {
    EngineError::Stale { code: "already_answered", detail: "this request was answered already".to_owned(), fresh: None }
}

#[cfg(test)]
mod tests {
    use showdesk_domain::actor::Role;

    use super::*;

    #[test]
    fn the_role_follows_from_what_a_person_does() {
        for (functions, role) in [
            (vec![Function::Admin, Function::Scale], Role::Admin),
            (vec![Function::Scale, Function::Viewer], Role::Editor),
            (vec![Function::Viewer], Role::Viewer),
        ] {
            assert_eq!(role_for(&functions), role, "{functions:?}");
        }
    }
}
