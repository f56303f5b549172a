//! Devices and the people who hold them: the desk lists them, changes what they may do, joins two into one, removes them.
//!
//! What is changed here holds from the next request on: tokens are looked up again after each commit, and streams of
//! those concerned are told.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId, Seq};
use showdesk_domain::permission::Permission;
use showdesk_domain::permit::Action;
use showdesk_domain::value::{instant_text, parse_instant};
use showdesk_domain::visible::visible_name;
use showdesk_store::people::{DeviceListRow, DeviceRow, MemberRow};
use showdesk_store::{Result as StoreResult, Tx, audit, meta, people};
use uuid::Uuid;

use crate::api::devices::{
    DeviceChange, DeviceList, DeviceView, Me, MergeDevice, PermissionItem, PermissionList, Stay,
};
use crate::api::pairing::PersonRef;
use crate::audit::about_device;
use crate::names::clean_name;
use crate::presence::Known;
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake};

/// Rings, departments or exhibitors of one scope.
const SCOPE_ITEMS_MAX: usize = 500;
/// Characters of a department's name.
const DEPARTMENT_CHARS_MAX: usize = 40;

const NOT_FOUND: EngineError = EngineError::NotFound("the device");

impl Engine {
    /// All devices.
    pub async fn devices(&self, actor: &Actor) -> Result<DeviceList> {
        require(actor, Action::SeeDevices)?;
        let mut tx = self.begin_read_as(actor).await?;
        Ok(DeviceList { items: self.device_views(&mut tx).await? })
    }

    /// All devices as they are now, by name.
    pub(crate) async fn device_views(&self, tx: &mut Tx) -> Result<Vec<DeviceView>> {
        let clock = meta::read(tx).await?.clock;
        let rows = people::devices(tx).await?;
        let may_be: Vec<Option<Uuid>> = rows.iter().map(|row| self.may_be(row, &rows)).collect();
        let views = rows.into_iter().zip(may_be).map(|(row, may_be)| self.device_view(row, clock, may_be));
        let mut items: Vec<DeviceView> = views.collect();
        items.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        Ok(items)
    }

    /// The phones that were not removed, as they are now.
    pub(crate) async fn phones_as_they_are(&self, tx: &mut Tx) -> Result<Vec<DeviceView>> {
        let clock = meta::read(tx).await?.clock;
        let is_phone = |row: &DeviceListRow| row.device.kind == DeviceKind::Phone && row.device.revoked_at.is_none();
        let phones = people::devices(tx).await?.into_iter().filter(is_phone);
        Ok(phones.map(|row| self.device_view(row, clock, None)).collect())
    }

    fn device_view(&self, row: DeviceListRow, clock: Seq, may_be: Option<Uuid>) -> DeviceView {
        let effective = actor_of(&row).effective();
        let DeviceListRow { device, person_name, role, functions, scope, permissions } = row;
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
            level: note.and_then(|note| note.level).map(str::to_owned).or(device.level),
            user: PersonRef { id: device.person.0, name: person_name },
            role,
            functions,
            scope,
            permissions,
            effective,
            joined_at: device.joined_at,
            expires_at: device.expires_at,
            last_seen,
            connected: presence.is_connected(known, at),
            beats: presence.beats(known, at),
            unsent,
            oldest_unsent_at: told_since.or(last_seen).filter(|_| unsent > 0),
            lag: (clock.0 - pulled.0).max(0),
            skew_ms: note.and_then(|note| note.skew_ms).unwrap_or(device.skew_ms),
            revoked_at: device.revoked_at,
            fork_suspected_at: self.inner.forks.suspected(device.id),
            may_be,
            file_asked_at: device.file_asked_at,
        }
    }

    /// The device that a phone may have been before: of the same name and kind, and not heard of since it joined.
    fn may_be(&self, row: &DeviceListRow, all: &[DeviceListRow]) -> Option<Uuid> {
        let is_phone = |device: &DeviceRow| device.kind == DeviceKind::Phone && device.revoked_at.is_none();
        let heard = |device: &DeviceRow| {
            let note = self.inner.seen.peek(device.id).map(|note| note.at);
            note.or(device.last_seen).unwrap_or(device.joined_at)
        };
        let own = &row.device;
        let same = |other: &&DeviceListRow| {
            let device = &other.device;
            is_phone(device)
                && device.id != own.id
                && device.person != own.person
                && device.platform == own.platform
                && device.name.to_lowercase() == own.name.to_lowercase()
                && device.joined_at < own.joined_at
                && heard(device) < own.joined_at
        };
        let found = all.iter().filter(same).max_by_key(|other| heard(&other.device));
        found.filter(|_| is_phone(own)).map(|other| other.device.id.0)
    }

    /// The switches of the desk.
    pub fn permissions(&self, actor: &Actor) -> Result<PermissionList> {
        require(actor, Action::ManageDevices)?;
        let item = |key: Permission| PermissionItem { key, functions: key.functions().to_vec() };
        Ok(PermissionList { items: Permission::ALL.into_iter().map(item).collect() })
    }

    /// What a device may know about itself.
    pub async fn me(&self, actor: &Actor) -> Result<Me> {
        require(actor, Action::UseOwnDevice)?;
        let mut tx = self.begin_read_as(actor).await?;
        let device = people::device(&mut tx, actor.device).await?.ok_or(NOT_FOUND)?;
        Ok(Me {
            device_id: device.id.0,
            name: device.name,
            person: PersonRef { id: actor.person.0, name: actor.person_name.clone() },
            functions: actor.functions.clone(),
            scope: actor.scope.clone(),
            permissions: actor.effective(),
            expires_at: device.expires_at,
            file_asked_at: device.file_asked_at,
        })
    }

    /// Changes what a device is called, what its person may do, and how long it may stay.
    pub async fn change_device(&self, actor: &Actor, id: Uuid, change: DeviceChange) -> Result<DeviceView> {
        require(actor, Action::ManageDevices)?;
        let wanted = Wanted::read(change, self.now())?;
        let mut tx = self.begin_write_as(actor).await?;
        people::hold_members(&mut tx).await?;
        let before = self.changeable(&mut tx, id).await?;
        if before.device.kind == DeviceKind::Desk && wanted.touches_rights() {
            return Err(EngineError::invalid("own_device", "the laptop always runs its show; it cannot be limited"));
        }
        let after = wanted.applied_to(before.clone());
        let told = what_changed(&before, &after);
        if told.0.is_empty() {
            drop(tx);
            return self.device(actor, id).await;
        }
        people::update_device(&mut tx, &after.device).await?;
        if before.person_name != after.person_name {
            people::rename_profile(&mut tx, after.device.person, &after.person_name).await?;
        }
        let member = people::member(&mut tx, after.device.person).await?.ok_or(EngineError::NotFound("the person"))?;
        let DeviceListRow { role, functions, scope, permissions, .. } = after.clone();
        people::add_member(&mut tx, &MemberRow { role, functions, scope, permissions, ..member }).await?;
        let row = about_device(actor, "device_changed", &before, self.now());
        let row = audit::AuditRow { before: Some(Json::Object(told.0)), after: Some(Json::Object(told.1)), ..row };
        audit::add(&mut tx, &[row]).await?;
        let wakes = wakes_of(&mut tx, after.device.person).await?;
        self.commit_and_wake(tx, wakes).await?;
        self.device(actor, id).await
    }

    /// A phone that joined twice is one person again: the device has the other one's person and rights from now on.
    /// What it entered keeps its author and its device.
    pub async fn merge_device(&self, actor: &Actor, id: Uuid, MergeDevice { into }: MergeDevice) -> Result<DeviceView> {
        require(actor, Action::ManageDevices)?;
        let mut tx = self.begin_write_as(actor).await?;
        people::hold_members(&mut tx).await?;
        let (before, target) = (self.changeable(&mut tx, id).await?, self.changeable(&mut tx, into).await?);
        if [&before, &target].iter().any(|row| row.device.kind == DeviceKind::Desk) {
            return Err(EngineError::invalid("own_device", "the laptop is nobody's phone"));
        }
        if before.device.person == target.device.person {
            drop(tx);
            return self.device(actor, id).await;
        }
        let mut wakes = wakes_of(&mut tx, before.device.person).await?;
        people::give_device(&mut tx, before.device.id, target.device.person).await?;
        wakes.extend(wakes_of(&mut tx, target.device.person).await?);
        let person = |row: &DeviceListRow| json!({ "id": row.device.person, "name": row.person_name });
        let row = about_device(actor, "device_merged", &before, self.now());
        let row = audit::AuditRow {
            before: Some(json!({ "person": person(&before) })),
            after: Some(json!({ "person": person(&target), "into": into, "into_name": target.device.name })),
            ..row
        };
        audit::add(&mut tx, &[row]).await?;
        self.commit_and_wake(tx, wakes).await?;
        self.device(actor, id).await
    }

    /// Asks a phone for a copy of what it holds.
    pub async fn ask_file(&self, actor: &Actor, id: Uuid) -> Result<DeviceView> {
        require(actor, Action::ManageDevices)?;
        let mut tx = self.begin_write_as(actor).await?;
        let row = self.changeable(&mut tx, id).await?;
        if row.device.kind == DeviceKind::Desk {
            return Err(EngineError::invalid("own_device", "what the laptop enters is on its disk"));
        }
        people::ask_file(&mut tx, row.device.id, self.now()).await?;
        audit::add(&mut tx, &[about_device(actor, "file_asked", &row, self.now())]).await?;
        let wakes = vec![Wake::DeviceChanged { device: id, person: row.device.person.0 }];
        self.commit_and_wake(tx, wakes).await?;
        self.device(actor, id).await
    }

    /// Removes a device; its token is dead when this returns. Removing twice is the same as once.
    pub async fn revoke_device(&self, actor: &Actor, id: Uuid) -> Result<DeviceView> {
        require(actor, Action::ManageDevices)?;
        if DeviceId(id) == self.inner.desk_device {
            return Err(EngineError::invalid("own_device", "the laptop cannot be removed from its own show"));
        }
        let now = self.now();
        let mut tx = self.begin_write_as(actor).await?;
        let row = people::listed(&mut tx, DeviceId(id)).await?.ok_or(NOT_FOUND)?;
        if people::revoke(&mut tx, row.device.id, now).await? {
            let unsent = self.inner.seen.peek(row.device.id).and_then(|note| note.unsent).unwrap_or(row.device.unsent);
            let record = about_device(actor, "device_removed", &row, now);
            let after = Some(json!({ "name": row.device.name, "person": row.person_name, "unsent": unsent }));
            audit::add(&mut tx, &[audit::AuditRow { after, ..record }]).await?;
        }
        self.commit_and_wake(tx, vec![Wake::DeviceRevoked(id)]).await?;
        self.disable_tokens_of(DeviceId(id)).await?;
        self.device(actor, id).await
    }

    /// A device that was not removed.
    async fn changeable(&self, tx: &mut Tx, id: Uuid) -> Result<DeviceListRow> {
        let row = people::listed(tx, DeviceId(id)).await?.ok_or(NOT_FOUND)?;
        if row.device.revoked_at.is_none() {
            return Ok(row);
        }
        let detail = "this device was removed from the show; let it join again".to_owned();
        Err(EngineError::Stale { code: "wrong_state", detail, fresh: None })
    }

    async fn device(&self, actor: &Actor, id: Uuid) -> Result<DeviceView> {
        let mut tx = self.begin_read_as(actor).await?;
        let views = self.device_views(&mut tx).await?;
        views.into_iter().find(|view| view.id == id).ok_or(NOT_FOUND)
    }

    /// Ends a transaction, and tells of it here and at the other desks.
    pub(crate) async fn commit_and_wake(&self, mut tx: Tx, wakes: Vec<Wake>) -> Result<()> {
        self.tell_neighbours(&mut tx, &wakes).await?;
        self.commit(tx).await?;
        for wake in wakes {
            self.wake(wake);
        }
        Ok(())
    }
}

/// A change as it was read.
struct Wanted {
    name: Option<String>,
    person_name: Option<String>,
    functions: Option<Vec<Function>>,
    scope: Option<Scope>,
    permissions: Option<Permissions>,
    stay: Option<Ends>,
}

/// When a device's time is over; none if it may stay.
struct Ends(Option<DateTime<Utc>>);

impl Wanted {
    fn read(change: DeviceChange, now: DateTime<Utc>) -> Result<Self> {
        Ok(Self {
            name: change.name.as_deref().map(clean_name).transpose()?,
            person_name: change.person_name.as_deref().map(clean_name).transpose()?,
            functions: change.functions.map(checked_functions).transpose()?,
            scope: change.scope.map(checked_scope).transpose()?,
            permissions: change.permissions.map(checked_permissions).transpose()?,
            stay: change.expires_at.map(|stay| read_stay(&stay, now).map(Ends)).transpose()?,
        })
    }

    fn touches_rights(&self) -> bool {
        self.functions.is_some() || self.scope.is_some() || self.permissions.is_some() || self.stay.is_some()
    }

    fn applied_to(self, mut row: DeviceListRow) -> DeviceListRow {
        if let Some(functions) = self.functions {
            row.role = if row.role == Role::Owner { Role::Owner } else { role_for(&functions) };
            row.functions = functions;
        }
        row.device.name = self.name.unwrap_or(row.device.name);
        row.person_name = self.person_name.unwrap_or(row.person_name);
        row.scope = self.scope.unwrap_or(row.scope);
        row.permissions = self.permissions.unwrap_or(row.permissions);
        row.device.expires_at = self.stay.map_or(row.device.expires_at, |Ends(at)| at);
        row
    }
}

/// What a change replaced, and by what.
pub(crate) fn what_changed(before: &DeviceListRow, after: &DeviceListRow) -> (Map<String, Json>, Map<String, Json>) {
    let parts = |row: &DeviceListRow| {
        [
            ("name", json!(row.device.name)),
            ("person_name", json!(row.person_name)),
            ("role", json!(row.role)),
            ("functions", json!(row.functions)),
            ("scope", json!(row.scope)),
            ("permissions", json!(row.permissions)),
            ("expires_at", json!(row.device.expires_at.map(instant_text))),
        ]
    };
    let (mut was, mut is) = (Map::new(), Map::new());
    for ((key, old), (_, new)) in parts(before).into_iter().zip(parts(after)) {
        if old != new {
            was.insert(key.to_owned(), old);
            is.insert(key.to_owned(), new);
        }
    }
    (was, is)
}

/// Who hears that a person's rights have changed: all of the person's devices.
pub(crate) async fn wakes_of(tx: &mut Tx, person: PersonId) -> StoreResult<Vec<Wake>> {
    let devices = people::devices_of_person(tx, person).await?;
    Ok(devices.into_iter().map(|device| Wake::DeviceChanged { device: device.0, person: person.0 }).collect())
}

/// The team role that goes with what a person does.
pub(crate) fn role_for(functions: &[Function]) -> Role {
    if functions.contains(&Function::Admin) {
        Role::Admin
    } else if functions.iter().all(|function| *function == Function::Viewer) {
        Role::Viewer
    } else {
        Role::Editor
    }
}

/// What somebody does, each once, in a fixed order.
pub(crate) fn checked_functions(mut functions: Vec<Function>) -> Result<Vec<Function>> {
    functions.sort_unstable();
    functions.dedup();
    if functions.is_empty() {
        return Err(EngineError::invalid("required", "choose at least one job for the phone"));
    }
    Ok(functions)
}

/// Where somebody may write, each place once.
pub(crate) fn checked_scope(scope: Scope) -> Result<Scope> {
    let Scope { mut ring_ids, departments, mut exhibitor_ids } = scope;
    let mut departments: Vec<String> = departments.iter().filter_map(|name| visible_name(name)).collect();
    for ids in [&mut ring_ids, &mut exhibitor_ids] {
        ids.sort_unstable();
        ids.dedup();
    }
    departments.sort_unstable();
    departments.dedup();
    let count = ring_ids.len().max(exhibitor_ids.len()).max(departments.len());
    if count > SCOPE_ITEMS_MAX || departments.iter().any(|name| name.chars().count() > DEPARTMENT_CHARS_MAX) {
        return Err(EngineError::invalid("too_large", "a scope names at most 500 of each"));
    }
    Ok(Scope { ring_ids, departments, exhibitor_ids })
}

fn checked_permissions(permissions: Permissions) -> Result<Permissions> {
    let Permissions { mut granted, mut withheld } = permissions;
    for keys in [&mut granted, &mut withheld] {
        keys.sort_unstable();
        keys.dedup();
    }
    match granted.iter().find(|key| withheld.contains(key)) {
        Some(key) => Err(EngineError::invalid("out_of_range", format!("{} is both given and withheld", key.key()))),
        None => Ok(Permissions { granted, withheld }),
    }
}

/// When a device's time shall be over; none if it may stay.
pub(crate) fn read_stay(stay: &Stay, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let Stay::Until(text) = stay else { return Ok(None) };
    let at = parse_instant(text)
        .ok_or_else(|| EngineError::invalid("invalid_time", "a time like 2026-08-07T09:14:03Z is expected"))?;
    if at <= now {
        return Err(EngineError::invalid("out_of_range", "that moment is over; remove the phone instead"));
    }
    Ok(Some(at))
}

fn actor_of(row: &DeviceListRow) -> Actor {
    Actor {
        person: row.device.person,
        person_name: row.person_name.clone(),
        device: row.device.id,
        device_kind: row.device.kind,
        role: row.role,
        functions: row.functions.clone(),
        scope: row.scope.clone(),
        permissions: row.permissions.clone(),
    }
}
