//! Who is asking: tokens, the person at the desk, devices.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use showdesk_domain::actor::{Actor, DeviceKind, Role};
use showdesk_domain::ids::{DeviceId, PersonId, Seq};
use showdesk_store::people::{DeviceListRow, NewToken, TokenRow};
use showdesk_store::{Result as StoreResult, Tx, meta, people};
use uuid::Uuid;

use crate::api::pairing::{DeviceList, DeviceView, PersonRef};
use crate::ids::{secret, sha256};
use crate::pairing::clean_name;
use crate::presence::Known;
use crate::seen::{SeenNote, UNSENT_MAX};
use crate::{Engine, EngineError, Result, Wake};

/// What every token begins with.
const TOKEN_PREFIX: &str = "lsd_";
/// How long a phone's token lasts; phones renew every 7 days.
const TOKEN_DAYS: i64 = 30;

/// A device is slow in a minute in which a request took so long: its body to arrive, or all of it by the device's own
/// measure.
pub const SLOW_MS: i64 = 1_000;
/// No entry waits longer than a show lasts.
const WAITING_MS_MAX: i64 = 30 * 24 * 3_600 * 1_000;

/// What a device may tell beside any request.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Entries it still holds.
    pub pending: Option<i64>,
    /// For how long the oldest of them has waited, milliseconds.
    pub waiting_ms: Option<i64>,
    /// How long its last request took until the answer was there, milliseconds.
    pub took_ms: Option<i64>,
}

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
        let absence = self.inner.presence.heard(row.device_id, row.last_seen, self.moment());
        if let Some(absence) = absence.filter(|_| row.kind == DeviceKind::Phone) {
            self.inner.seen.note_absence(absence);
        }
        Ok(actor_of(row))
    }

    /// What a device tells of itself beside its request: it helps the desk and decides nothing.
    pub fn note_told(&self, actor: &Actor, told: Told) {
        let now = self.now();
        let unsent = told.pending.map(|pending| pending.clamp(0, UNSENT_MAX));
        if unsent.is_some() {
            let waiting = told.waiting_ms.filter(|_| unsent > Some(0)).map(|ms| ms.clamp(0, WAITING_MS_MAX));
            let oldest_unsent_at = waiting.map(|ms| now - Duration::milliseconds(ms));
            self.inner.seen.note(actor.device, SeenNote { unsent, oldest_unsent_at, ..SeenNote::at(now) });
        }
        if told.took_ms.is_some_and(|ms| ms >= SLOW_MS) {
            self.note_slow(actor.device.0);
        }
    }

    /// A request of the device took longer than [`SLOW_MS`] on its way.
    pub fn note_slow(&self, device: Uuid) {
        self.inner.presence.slow(DeviceId(device), self.moment());
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

    /// Gives the person at the desk a name.
    pub async fn name_person(&self, actor: &Actor, name: &str) -> Result<PersonRef> {
        require_admin(actor)?;
        let name = clean_name(name)?;
        let mut tx = self.begin_write().await?;
        people::rename_profile(&mut tx, actor.person, &name).await?;
        let what = serde_json::json!({ "before": actor.person_name, "name": name });
        crate::audit::note(&mut tx, actor, "person_named", self.now(), Some(actor.person.0), Some(what)).await?;
        self.commit(tx).await?;
        Ok(PersonRef { id: actor.person.0, name })
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
        Ok(DeviceList { items: self.device_views(&mut tx).await? })
    }

    /// All devices as they are now, by name.
    pub(crate) async fn device_views(&self, tx: &mut Tx) -> Result<Vec<DeviceView>> {
        let clock = meta::read(tx).await?.clock;
        let rows = people::devices(tx).await?;
        let mut items: Vec<DeviceView> = rows.into_iter().map(|row| self.device_view(row, clock)).collect();
        items.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        Ok(items)
    }

    fn device_view(&self, row: DeviceListRow, clock: Seq) -> DeviceView {
        let DeviceListRow { device, person_name, role: _, functions, scope } = row;
        let note = self.inner.seen.peek(device.id);
        let pulled = note.and_then(|note| note.pulled_seq).unwrap_or(device.pulled_seq);
        let last_seen = note.map(|note| note.at).or(device.last_seen);
        let unsent = note.and_then(|note| note.unsent).unwrap_or(device.unsent);
        let told_since = note.and_then(|note| note.oldest_unsent_at).or(device.oldest_unsent_at);
        let known = Known { device: device.id, joined_at: device.joined_at, last_seen, revoked_at: device.revoked_at };
        let (presence, at) = (&self.inner.presence, self.moment());
        DeviceView {
            id: device.id.0,
            name: device.name,
            kind: if device.kind == DeviceKind::Desk { "desk" } else { "phone" }.to_owned(),
            platform: device.platform,
            user: PersonRef { id: device.person.0, name: person_name },
            functions,
            scope,
            joined_at: device.joined_at,
            last_seen,
            connected: presence.is_connected(known, at),
            beats: presence.beats(known, at),
            unsent,
            oldest_unsent_at: told_since.or(last_seen).filter(|_| unsent > 0),
            lag: (clock.0 - pulled.0).max(0),
            skew_ms: note.and_then(|note| note.skew_ms).unwrap_or(device.skew_ms),
            revoked_at: device.revoked_at,
            fork_suspected_at: self.inner.forks.suspected(device.id),
        }
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
