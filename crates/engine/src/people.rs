//! Who is asking: tokens, and the person at the desk.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use showdesk_domain::actor::{Actor, DeviceKind, Role};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::permit::Action;
use showdesk_store::people::{AuthorRow, NewToken, TokenRow};
use showdesk_store::{Result as StoreResult, Tx, people};
use uuid::Uuid;

use crate::api::pairing::PersonRef;
use crate::devices::wakes_of;
use crate::ids::{secret, sha256};
use crate::names::clean_name;
use crate::rights::require;
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
    /// How it shows its page.
    pub level: Option<&'static str>,
}

/// How a phone shows its page: over plain HTTP, or over HTTPS with a worker that opens it while the desk is away.
pub const LEVELS: [&str; 2] = ["quick", "field_ready"];

/// Who stands behind a token.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The person and the device, with their present rights.
    pub actor: Actor,
    /// How long the token is good; none if it has no end.
    pub good_for: Option<std::time::Duration>,
}

/// A new token and what is stored of it.
pub(crate) struct FreshToken {
    pub text: String,
    pub row: NewToken,
}

impl Engine {
    /// Whose token this is. Counts as being seen, and as first use of a new token.
    pub async fn authenticate(&self, token: &str) -> Result<Actor> {
        let (row, hash) = self.good_token(token).await?;
        if row.first_used_at.is_none() {
            match self.note_first_use(&row, &hash, self.now()).await {
                // Reads go on without room; the next use is the first then.
                Ok(()) | Err(EngineError::DiskFull | EngineError::ReadOnly) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.seen_now(row))
    }

    /// The same for somebody who only asks whose token it is: a page that was handed a pass shows the name before its
    /// person goes on as that. The pass stays unused, and the page that it came from goes on working meanwhile.
    pub async fn recognise(&self, token: &str) -> Result<Actor> {
        let (row, _) = self.good_token(token).await?;
        Ok(self.seen_now(row))
    }

    fn seen_now(&self, row: TokenRow) -> Actor {
        let now = self.now();
        self.inner.seen.note(row.device_id, SeenNote::at(now));
        let absence = self.inner.presence.heard(row.device_id, row.last_seen, self.moment());
        if let Some(absence) = absence.filter(|_| row.kind == DeviceKind::Phone) {
            self.inner.seen.note_absence(absence);
        }
        actor_of(row)
    }

    /// Who stands behind a token now, and for how long it is good; counts as nothing. Streams ask it again and again.
    pub async fn standing(&self, token: &str) -> Result<Standing> {
        let (row, _) = self.good_token(token).await?;
        let at = self.moment();
        let of_pass = row.expires_at.map(|ends| ends - at.steady);
        let of_device = row.device_expires_at.map(|ends| at.left_until(ends));
        let good_for = of_pass.into_iter().chain(of_device).min();
        let actor = actor_of(row);
        require(&actor, Action::Sync)?;
        Ok(Standing { actor, good_for: good_for.map(|left| left.to_std().unwrap_or_default()) })
    }

    /// A token that may be used now, with its SHA-256.
    async fn good_token(&self, token: &str) -> Result<(TokenRow, [u8; 32])> {
        if !token.starts_with(TOKEN_PREFIX) {
            return Err(EngineError::UnknownToken);
        }
        let hash = sha256(token.as_bytes());
        let row = match self.inner.tokens.find(&hash) {
            Ok(row) => row,
            Err(before) => {
                let mut tx = self.begin_read_anyone().await?;
                let row = people::token(&mut tx, &hash).await?.ok_or(EngineError::UnknownToken)?;
                drop(tx);
                self.inner.tokens.keep(before, hash, &row);
                row
            }
        };
        let at = self.moment();
        if row.revoked_at.is_some() {
            return Err(EngineError::DeviceRemoved);
        }
        if !at.is_within(row.device_expires_at) {
            return Err(EngineError::DeviceExpired);
        }
        if row.expires_at.is_some_and(|ends| ends <= at.steady) {
            return Err(EngineError::UnknownToken);
        }
        Ok((row, hash))
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
        if told.level.is_some() {
            self.inner.seen.note(actor.device, SeenNote { level: told.level, ..SeenNote::at(now) });
        }
        if told.took_ms.is_some_and(|ms| ms >= SLOW_MS) {
            self.note_slow(actor.device.0);
        }
    }

    /// A request of the device took longer than [`SLOW_MS`] on its way.
    pub fn note_slow(&self, device: Uuid) {
        self.inner.presence.slow(DeviceId(device), self.moment());
    }

    /// Who stands behind a token now; counts as nothing.
    pub async fn bearer_of(&self, token: &str) -> Result<Actor> {
        self.good_token(token).await.map(|(row, _)| actor_of(row))
    }

    /// Grows whenever what somebody may do could have changed: what was read before is looked up again.
    pub fn rights_changed(&self) -> u64 {
        self.inner.tokens.forgotten()
    }

    /// The first use of a new token kills the device's older ones; a stream that was opened with one of them ends.
    async fn note_first_use(&self, row: &TokenRow, hash: &[u8; 32], now: DateTime<Utc>) -> Result<()> {
        let mut tx = self.begin_write_for(row.person).await?;
        let is_first = people::mark_token_used(&mut tx, hash, now).await? && row.kind == DeviceKind::Phone;
        let has_killed = is_first && people::kill_other_tokens(&mut tx, row.device_id, hash, now).await?;
        let changed = Wake::DeviceChanged { device: row.device_id.0, person: row.person.0 };
        self.commit_and_wake(tx, has_killed.then_some(changed).into_iter().collect()).await
    }

    /// The person at the desk, if the actor is a desk and the person an owner or admin.
    pub async fn as_person(&self, actor: &Actor, person: Uuid) -> Result<Actor> {
        if actor.device_kind != DeviceKind::Desk {
            return Err(EngineError::Forbidden("only the desk names its person".to_owned()));
        }
        let person = PersonId(person);
        let mut tx = self.begin_read_as(actor).await?;
        let member = people::member(&mut tx, person).await?;
        let profile = people::profile(&mut tx, person).await?;
        let strange = || EngineError::Forbidden("this person does not run the show".to_owned());
        let (Some(member), Some(profile)) = (member, profile) else { return Err(strange()) };
        let acting = Actor {
            person,
            person_name: profile.name,
            role: member.role,
            functions: member.functions,
            scope: member.scope,
            permissions: member.permissions,
            ..actor.clone()
        };
        require(&acting, Action::ActAtDesk).map_err(|_| strange())?;
        Ok(acting)
    }

    /// Gives the person at the desk a name.
    pub async fn name_person(&self, actor: &Actor, name: &str) -> Result<PersonRef> {
        require(actor, Action::SetUp)?;
        let name = clean_name(name)?;
        let mut tx = self.begin_write_as(actor).await?;
        people::rename_profile(&mut tx, actor.person, &name).await?;
        let what = serde_json::json!({ "before": actor.person_name, "name": name });
        crate::audit::note(&mut tx, actor, "person_named", self.now(), Some(actor.person.0), Some(what)).await?;
        let wakes = wakes_of(&mut tx, actor.person).await?;
        self.commit_and_wake(tx, wakes).await?;
        Ok(PersonRef { id: actor.person.0, name })
    }

    /// A token for the desk that lasts until the next call.
    pub async fn issue_desk_token(&self) -> Result<String> {
        let token = fresh_token(self.inner.desk_device, self.now(), None);
        let mut tx = self.begin_write_desk().await?;
        people::replace_desk_token(&mut tx, &token.row).await?;
        self.commit(tx).await?;
        Ok(token.text)
    }

    /// A new token for the same device; the old one dies at the first use of the new one.
    pub async fn renew_token(&self, actor: &Actor) -> Result<(String, DateTime<Utc>)> {
        require(actor, Action::UseOwnDevice)?;
        let (now, expires_at) = (self.now(), self.token_expiry());
        let token = fresh_token(actor.device, now, Some(expires_at));
        let mut tx = self.begin_write_as(actor).await?;
        people::kill_unused_tokens(&mut tx, actor.device, now).await?;
        people::add_token(&mut tx, &token.row).await?;
        // The device's own end is not put into the token: who may stay longer needs no new one.
        let ends = people::device(&mut tx, actor.device).await?.and_then(|device| device.expires_at);
        self.commit(tx).await?;
        let expires_at = self.on_the_clock(expires_at);
        Ok((token.text, ends.map_or(expires_at, |ends| ends.min(expires_at))))
    }

    pub(crate) fn token_expiry(&self) -> DateTime<Utc> {
        self.steady() + Duration::days(TOKEN_DAYS)
    }
}

/// Who stands behind ops, with their present rights, in no order. A device that was removed has none, unless somebody at
/// the desk has looked through what it left behind: what was not let in waits no more from then on. Nobody is known any
/// more if the person has left the team.
pub(crate) async fn authors(tx: &mut Tx, wanted: &[(PersonId, DeviceId)]) -> StoreResult<Vec<Actor>> {
    let mut known = HashSet::new();
    let mut rows = people::authors(tx, wanted).await?;
    rows.retain(|row| known.insert((row.person, row.device)));
    Ok(rows.into_iter().map(|row| author_of(row).actor).collect())
}

/// Somebody with present rights.
pub(crate) struct Author {
    pub actor: Actor,
    /// Whether the device was removed, and nobody has looked through what it left behind.
    pub is_removed: bool,
}

/// Who that is now; none if the person has left the team.
pub(crate) async fn author(tx: &mut Tx, person: PersonId, device: DeviceId) -> StoreResult<Option<Author>> {
    Ok(people::authors(tx, &[(person, device)]).await?.into_iter().next().map(author_of))
}

fn author_of(row: AuthorRow) -> Author {
    let is_removed = row.removed;
    let actor = Actor {
        person: row.person,
        person_name: row.name,
        device: row.device,
        device_kind: row.kind,
        role: if is_removed { Role::Viewer } else { row.role },
        functions: if is_removed { Vec::new() } else { row.functions },
        scope: row.scope,
        permissions: row.permissions,
    };
    Author { actor, is_removed }
}

pub(crate) fn fresh_token(device: DeviceId, now: DateTime<Utc>, expires_at: Option<DateTime<Utc>>) -> FreshToken {
    let text = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret::<32>()));
    let sha256 = sha256(text.as_bytes());
    let row = NewToken { sha256, device_id: device, created_at: now, expires_at, claim_id: None };
    FreshToken { text, row }
}

pub(crate) fn actor_of(row: TokenRow) -> Actor {
    Actor {
        person: row.person,
        person_name: row.person_name,
        device: row.device_id,
        device_kind: row.kind,
        role: row.role,
        functions: row.functions,
        scope: row.scope,
        permissions: row.permissions,
    }
}
