//! The desk answers a phone that asks to join: allowed, or refused.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind, Function, Permissions, Scope};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::permit::Action;
use showdesk_domain::value::instant_text;
use showdesk_store::audit::AuditRow;
use showdesk_store::pairings::{ClaimStatus, Decision, WaitingClaim};
use showdesk_store::people::{DeviceListRow, DeviceRow, MemberRow, ProfileRow};
use showdesk_store::{Tx, audit, pairings, people};
use uuid::Uuid;

use crate::api::pairing::Approve;
use crate::audit::about_device;
use crate::devices::{checked_functions, checked_scope, read_stay, role_for, wakes_of, what_changed};
use crate::ids::sha256;
use crate::names::clean_name;
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake};

/// How long after Allow the token can be fetched.
const TOKEN_WAITS_S: i64 = 120;

/// The claim that is meant: by the id that names it at the desk, or by the one that its phone was given.
async fn claim_named(tx: &mut Tx, id: Uuid) -> Result<Uuid> {
    if pairings::claim(tx, id).await?.is_some() {
        return Ok(id);
    }
    let by_phone = pairings::find_claim(tx, &sha256(id.as_bytes())).await?;
    by_phone.map(|waiting| waiting.claim.id).ok_or(NOT_FOUND)
}

/// What a phone is let in as.
struct Admission {
    /// What it is called.
    name: String,
    /// What its person is called, if the desk has typed that; who is known keeps the name else.
    person_name: Option<String>,
    /// What its person does and where, if the desk has said so for this phone; none is as its code says.
    functions: Option<Vec<Function>>,
    scope: Option<Scope>,
    expires_at: Option<DateTime<Utc>>,
}

/// A phone that was let in.
struct Admitted {
    /// As it stands now.
    row: DeviceListRow,
    /// As it stood before, if it was known.
    before: Option<DeviceListRow>,
    /// Who hears that something has changed.
    wakes: Vec<Wake>,
}

impl Engine {
    /// The desk allows a phone, named by the claim's id at the desk or by the one that the phone was given. Allowing
    /// twice is the same as once.
    pub async fn approve_pairing(&self, actor: &Actor, id: Uuid, request: Approve) -> Result<()> {
        require(actor, Action::Admit)?;
        let mut tx = self.begin_write_as(actor).await?;
        let id = claim_named(&mut tx, id).await?;
        // Two who answer at once take turns: the second sees what the first has said.
        pairings::hold(&mut tx, id).await?;
        let waiting = pairings::claim(&mut tx, id).await?.ok_or(NOT_FOUND)?;
        match waiting.claim.status {
            ClaimStatus::Approved => return Ok(()),
            ClaimStatus::Refused => return Err(already_answered()),
            ClaimStatus::Waiting => {}
        }
        let now = self.now();
        let typed = request.name.as_deref().map(clean_name).transpose()?;
        let admission = Admission {
            name: typed.clone().unwrap_or_else(|| waiting.claim.device_name.clone()),
            person_name: typed.filter(|name| *name != waiting.claim.device_name),
            functions: request.functions.map(checked_functions).transpose()?,
            scope: request.scope.map(checked_scope).transpose()?,
            expires_at: match request.expires_at {
                Some(stay) => read_stay(&stay, now)?,
                None => waiting.device_expires_at,
            },
        };
        let Admitted { row, before, mut wakes } = self.admit(&mut tx, &waiting, admission).await?;
        let decision = Decision {
            status: ClaimStatus::Approved,
            device_id: Some(row.device.id),
            decided_by: actor.person,
            decided_at: now,
            token_delivered_until: Some(self.steady() + Duration::seconds(TOKEN_WAITS_S)),
        };
        if !pairings::decide(&mut tx, id, &decision).await? {
            return Err(already_answered());
        }
        let what = json!({
            "name": row.device.name, "functions": row.functions, "scope": row.scope,
            "expires_at": row.device.expires_at.map(instant_text), "check_number": waiting.claim.check_number,
        });
        let was = before.map(|before| Json::Object(what_changed(&before, &row).0));
        let record = about_device(actor, "device_allowed", &row, now);
        let record = AuditRow { asked_by: was.as_ref().and(record.asked_by), before: was, after: Some(what), ..record };
        audit::add(&mut tx, &[record]).await?;
        wakes.push(Wake::Pairings);
        self.commit_and_wake(tx, wakes).await
    }

    /// The desk refuses a phone, named as for [`Engine::approve_pairing`].
    pub async fn refuse_pairing(&self, actor: &Actor, id: Uuid) -> Result<()> {
        require(actor, Action::Admit)?;
        let mut tx = self.begin_write_as(actor).await?;
        let id = claim_named(&mut tx, id).await?;
        pairings::hold(&mut tx, id).await?;
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
        // A single code was for the phone that stands beside the desk, and that one has not come in.
        pairings::give_back(&mut tx, waiting.claim.pairing_id, self.steady()).await?;
        let what = json!({ "name": waiting.claim.device_name, "check_number": waiting.claim.check_number });
        crate::audit::note(&mut tx, actor, "device_refused", now, Some(id), Some(what)).await?;
        self.commit_and_wake(tx, vec![Wake::Pairings]).await
    }

    /// Makes the phone's person and device, or gives a known phone its new name and its person the rights of the code.
    async fn admit(&self, tx: &mut Tx, waiting: &WaitingClaim, admission: Admission) -> Result<Admitted> {
        people::hold_members(tx).await?;
        let known = match waiting.claim.previous_device_id {
            Some(id) => people::listed(tx, id).await?.filter(|row| row.device.revoked_at.is_none()),
            None => None,
        };
        let Some(before) = known else { return self.admit_new(tx, waiting, admission).await };
        let person = before.device.person;
        // The rights are the person's, who may have other phones: a code alone does not change what those may do.
        let has_others = people::devices_of_person(tx, person).await?.len() > 1;
        let mut row = before.clone();
        if !has_others {
            row.functions.clone_from(&waiting.functions);
            row.scope.clone_from(&waiting.scope);
        }
        row.functions = admission.functions.unwrap_or(row.functions);
        row.scope = admission.scope.unwrap_or(row.scope);
        if row.functions != before.functions {
            // Switches were set for what the person did.
            row.role = role_for(&row.functions);
            row.permissions = Permissions::default();
        }
        row.device.name = admission.name;
        row.device.platform.clone_from(&waiting.claim.platform);
        row.device.expires_at = admission.expires_at;
        if let Some(name) = admission.person_name {
            people::rename_profile(tx, person, &name).await?;
            row.person_name = name;
        }
        let member = people::member(tx, person).await?.ok_or(EngineError::NotFound("the person"))?;
        let DeviceListRow { role, functions, scope, permissions, .. } = row.clone();
        people::add_member(tx, &MemberRow { role, functions, scope, permissions, ..member }).await?;
        people::update_device(tx, &row.device).await?;
        Ok(Admitted { row, before: Some(before), wakes: wakes_of(tx, person).await? })
    }

    async fn admit_new(&self, tx: &mut Tx, waiting: &WaitingClaim, admission: Admission) -> Result<Admitted> {
        let now = self.now();
        let team = people::team(tx).await?.ok_or(EngineError::NotFound("the team"))?;
        let person = PersonId(self.fresh_id());
        people::add_profile(tx, &ProfileRow { id: person, name: admission.name.clone(), created_at: now }).await?;
        let functions = admission.functions.unwrap_or_else(|| waiting.functions.clone());
        let member = MemberRow {
            team_id: team.id,
            person,
            role: role_for(&functions),
            functions,
            scope: admission.scope.unwrap_or_else(|| waiting.scope.clone()),
            permissions: Permissions::default(),
            created_at: now,
        };
        people::add_member(tx, &member).await?;
        let device = DeviceRow {
            platform: waiting.claim.platform.clone(),
            expires_at: admission.expires_at,
            ..DeviceRow::joining(DeviceId(self.fresh_id()), person, DeviceKind::Phone, admission.name, now)
        };
        people::add_device(tx, &device).await?;
        let row = people::listed(tx, device.id).await?.ok_or(EngineError::NotFound("the device"))?;
        Ok(Admitted { row, before: None, wakes: Vec::new() })
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
