//! Who is asking: tokens, the person at the desk, devices.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use showdesk_domain::actor::{Actor, DeviceKind, Role};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_store::people::{NewToken, TokenRow};
use showdesk_store::{Result as StoreResult, Tx, meta, people};
use uuid::Uuid;

use crate::api::pairing::{DeviceList, DeviceView, PersonRef};
use crate::ids::{secret, sha256};
use crate::seen::SeenNote;
use crate::{Engine, EngineError, Result, Wake};

/// What every token begins with.
const TOKEN_PREFIX: &str = "lsd_";
/// How long a phone's token lasts; phones renew every 7 days.
const TOKEN_DAYS: i64 = 30;

/// A new token and what is stored of it.
pub(crate) struct FreshToken {
    pub text: String,
    pub row: NewToken,
}

impl Engine {
    /// Whose token this is. Counts as being seen, and as first use of a new token.
    pub async fn authenticate(&self, token: &str) -> Result<Actor> {
        if !token.starts_with(TOKEN_PREFIX) {
            return Err(EngineError::UnknownToken);
        }
        let hash = sha256(token.as_bytes());
        let row = match self.inner.tokens.find(&hash) {
            Ok(row) => row,
            Err(before) => {
                let mut tx = self.db().begin_read().await?;
                let row = people::token(&mut tx, &hash).await?.ok_or(EngineError::UnknownToken)?;
                drop(tx);
                self.inner.tokens.keep(before, hash, &row);
                row
            }
        };
        let now = self.now();
        if row.revoked_at.is_some() {
            return Err(EngineError::DeviceRemoved);
        }
        if row.expires_at.is_some_and(|expires_at| expires_at <= self.steady()) {
            return Err(EngineError::UnknownToken);
        }
        if row.first_used_at.is_none() {
            match self.note_first_use(&row, &hash, now).await {
                // Reads go on without room; the next use is the first then.
                Ok(()) | Err(EngineError::DiskFull | EngineError::ReadOnly) => {}
                Err(error) => return Err(error),
            }
        }
        self.inner.seen.note(row.device_id, SeenNote::at(now));
        Ok(actor_of(row))
    }

    /// The first use of a new token kills the device's older ones.
    async fn note_first_use(&self, row: &TokenRow, hash: &[u8; 32], now: DateTime<Utc>) -> Result<()> {
        let mut tx = self.begin_write().await?;
        if people::mark_token_used(&mut tx, hash, now).await? && row.kind == DeviceKind::Phone {
            people::kill_other_tokens(&mut tx, row.device_id, hash, now).await?;
        }
        self.commit(tx).await
    }

    /// The person at the desk, if the actor is a desk and the person an owner or admin.
    pub async fn as_person(&self, actor: &Actor, person: Uuid) -> Result<Actor> {
        if actor.device_kind != DeviceKind::Desk {
            return Err(EngineError::Forbidden("only the desk names its person".to_owned()));
        }
        let person = PersonId(person);
        let mut tx = self.db().begin_read().await?;
        let member = people::member(&mut tx, person).await?;
        let profile = people::profile(&mut tx, person).await?;
        match (member, profile) {
            (Some(member), Some(profile)) if member.role >= Role::Admin => Ok(Actor {
                person,
                person_name: profile.name,
                role: member.role,
                functions: member.functions,
                scope: member.scope,
                ..actor.clone()
            }),
            _ => Err(EngineError::Forbidden("this person does not run the show".to_owned())),
        }
    }

    /// A token for the desk that lasts until the next call.
    pub async fn issue_desk_token(&self) -> Result<String> {
        let token = fresh_token(self.inner.desk_device, self.now(), None);
        let mut tx = self.begin_write().await?;
        people::replace_desk_token(&mut tx, &token.row).await?;
        self.commit(tx).await?;
        Ok(token.text)
    }

    /// A new token for the same device; the old one dies at the first use of the new one.
    pub async fn renew_token(&self, actor: &Actor) -> Result<(String, DateTime<Utc>)> {
        let (now, expires_at) = (self.now(), self.token_expiry());
        let token = fresh_token(actor.device, now, Some(expires_at));
        let mut tx = self.begin_write().await?;
        people::kill_unused_tokens(&mut tx, actor.device, now).await?;
        people::add_token(&mut tx, &token.row).await?;
        self.commit(tx).await?;
        Ok((token.text, expires_at))
    }

    pub(crate) fn token_expiry(&self) -> DateTime<Utc> {
        self.steady() + Duration::days(TOKEN_DAYS)
    }

    /// All devices.
    pub async fn devices(&self, actor: &Actor) -> Result<DeviceList> {
        require_admin(actor)?;
        let mut tx = self.db().begin_read().await?;
        let clock = meta::read(&mut tx).await?.clock;
        let rows = people::devices(&mut tx).await?;
        let mut items: Vec<DeviceView> = rows
            .into_iter()
            .map(|row| {
                let note = self.inner.seen.peek(row.device.id);
                let pulled = note.and_then(|note| note.pulled_seq).unwrap_or(row.device.pulled_seq);
                DeviceView {
                    id: row.device.id.0,
                    name: row.device.name,
                    kind: if row.device.kind == DeviceKind::Desk { "desk" } else { "phone" }.to_owned(),
                    platform: row.device.platform,
                    user: PersonRef { id: row.device.person.0, name: row.person_name },
                    functions: row.functions,
                    scope: row.scope,
                    joined_at: row.device.joined_at,
                    last_seen: note.map(|note| note.at).or(row.device.last_seen),
                    unsent: note.and_then(|note| note.unsent).unwrap_or(row.device.unsent),
                    lag: (clock.0 - pulled.0).max(0),
                    skew_ms: note.and_then(|note| note.skew_ms).unwrap_or(row.device.skew_ms),
                    revoked_at: row.device.revoked_at,
                    fork_suspected_at: self.inner.forks.suspected(row.device.id),
                }
            })
            .collect();
        items.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        Ok(DeviceList { items })
    }

    /// Removes a device; its token is dead when this returns.
    pub async fn revoke_device(&self, actor: &Actor, id: Uuid) -> Result<()> {
        require_admin(actor)?;
        if DeviceId(id) == self.inner.desk_device {
            return Err(EngineError::invalid("own_device", "the laptop cannot be removed from its own show"));
        }
        let now = self.now();
        let mut tx = self.begin_write().await?;
        let device = people::device(&mut tx, DeviceId(id)).await?.ok_or(EngineError::NotFound("the device"))?;
        if people::revoke(&mut tx, device.id, now).await? {
            crate::audit::note(&mut tx, actor, "device_removed", now, Some(id), None).await?;
        }
        self.tell_neighbours(&mut tx, Wake::DeviceRevoked(id)).await?;
        self.commit(tx).await?;
        self.wake(Wake::DeviceRevoked(id));
        Ok(())
    }
}

/// Who stands behind a stored op, with the person's present rights. A device that was removed has none; nobody is known
/// any more if the person has left the team.
pub(crate) async fn author(tx: &mut Tx, person: PersonId, device: DeviceId) -> StoreResult<Option<Actor>> {
    let device = people::device(tx, device).await?;
    let profile = people::profile(tx, person).await?;
    let member = people::member(tx, person).await?;
    let (Some(device), Some(profile), Some(member)) = (device, profile, member) else { return Ok(None) };
    let may_write = device.revoked_at.is_none();
    Ok(Some(Actor {
        person,
        person_name: profile.name,
        device: device.id,
        device_kind: device.kind,
        role: if may_write { member.role } else { Role::Viewer },
        functions: if may_write { member.functions } else { Vec::new() },
        scope: member.scope,
    }))
}

pub(crate) fn fresh_token(device: DeviceId, now: DateTime<Utc>, expires_at: Option<DateTime<Utc>>) -> FreshToken {
    let text = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret::<32>()));
    let row = NewToken { sha256: sha256(text.as_bytes()), device_id: device, created_at: now, expires_at };
    FreshToken { text, row }
}

pub(crate) fn require_admin(actor: &Actor) -> Result<()> {
    if actor.is_admin() { Ok(()) } else { Err(EngineError::Forbidden("only an admin may do this".to_owned())) }
}

fn actor_of(row: TokenRow) -> Actor {
    Actor {
        person: row.person,
        person_name: row.person_name,
        device: row.device_id,
        device_kind: row.kind,
        role: row.role,
        functions: row.functions,
        scope: row.scope,
    }
}
