//! What happened in a transaction is told in it: messages of phones, calls, moves, results, clashes.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use showdesk_domain::conflict::Conflict;
use showdesk_domain::ids::{DeviceId, PersonId, RecordId};
use showdesk_domain::notices::Priority;
use showdesk_domain::notices::audience::Audience;
use showdesk_domain::notices::automatic::{Automatic, Choices};
use showdesk_domain::notices::drafts::{Draft, Known, clash_key, drafts, feeders_of};
use showdesk_domain::notices::facts::{Author, Facts};
use showdesk_domain::notices::words::Manner;
use showdesk_domain::record::Record;
use showdesk_domain::schema::known_table;
use showdesk_domain::world::{Key, World};
use showdesk_store::deliveries::phones;
use showdesk_store::notifications::{self as rows, NotificationRow, Source, desk, settings};
use showdesk_store::{Result, StoreError, Tx, people, records};
use uuid::Uuid;

use super::Outbox;
use super::scheduling;

/// How far back messages about clashes are counted.
const CLASHES_COUNTED: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

/// Tells what the transaction did. Where nothing is to be told, which is nearly always, nothing is read or written.
pub(crate) async fn tell(tx: &mut Tx, world: &World, outbox: &mut Outbox) -> Result<()> {
    let Some(facts) = Facts::of(world) else { return Ok(()) };
    for (id, by) in &facts.announced {
        if let Some(record) = world.record(("announcements", *id)) {
            let row = of_announcement(tx, record, *by, outbox.now).await?;
            outbox.send(tx, &row, *by).await?;
        }
    }
    for id in &facts.taken_back {
        outbox.retract(tx, id.0).await?;
    }
    let decided: Vec<String> = facts.decided.iter().map(clash_key).collect();
    for told in rows::of_dedupe_keys(tx, &decided).await? {
        // Nothing, if it was taken back before.
        outbox.retract(tx, told.id).await?;
    }
    let started = facts.called.iter().filter(|called| called.kind == "in_ring").map(|called| called.class);
    // A class that takes place no more enters no ring: what ends with it would never end.
    let ended: Vec<Uuid> = started.chain(facts.gone.iter().copied()).collect();
    for id in rows::end_with_classes(tx, &ended, outbox.now).await? {
        phones::look_again(tx, id, outbox.now).await?;
        outbox.tell_again(tx, id).await?;
    }
    // What waits for a class goes with it, whatever becomes of what the desk tells of itself.
    tx.savepoint().await?;
    let followed = scheduling::follow_classes(tx, world, &facts, outbox).await;
    keep_or_leave_out(tx, followed).await?;
    tx.savepoint().await?;
    let told = tell_of_itself(tx, world, &facts, outbox).await;
    keep_or_leave_out(tx, told).await
}

/// What the desk tells costs nobody an entry: a message that cannot be made or changed is left out, and logged.
async fn keep_or_leave_out(tx: &mut Tx, told: Result<()>) -> Result<()> {
    match told {
        Err(error) if is_about_the_message(&error) => {
            tx.rollback_to_savepoint().await?;
            let error_id = Uuid::new_v4();
            tracing::error!(%error_id, ?error, "what happened could not be told");
            Ok(())
        }
        Err(error) => Err(error),
        Ok(()) => tx.release_savepoint().await,
    }
}

/// Whether the transaction can go on without what failed.
fn is_about_the_message(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Duplicate { .. }
            | StoreError::MissingReference
            | StoreError::Corrupt { .. }
            | StoreError::Database(_)
    )
}

/// The desk's own messages.
async fn tell_of_itself(tx: &mut Tx, world: &World, facts: &Facts, outbox: &mut Outbox) -> Result<()> {
    let has_own = !facts.called.is_empty()
        || !facts.moved.is_empty()
        || (facts.is_public && !facts.timed.is_empty())
        || facts.posted.is_some()
        || !facts.official.is_empty()
        || !facts.clashes.is_empty();
    if !has_own {
        return Ok(());
    }
    let choices: Choices = settings::read(tx, settings::AUTOMATIC).await?.unwrap_or_default();
    let clashes: Vec<Conflict> = facts.clashes.iter().filter_map(|id| world.conflict(*id)).cloned().collect();
    let around = rows_around(tx, facts, &clashes).await?;
    let clashes_told = if clashes.is_empty() {
        0
    } else {
        desk::made_since(tx, Automatic::Conflict.as_str(), outbox.now - CLASHES_COUNTED).await?
    };
    let known = Known {
        manner: Manner::of(world.record(("shows", RecordId(world.show_id)))),
        now: outbox.now,
        choices: &choices,
        rows: &around,
        clashes: &clashes,
        clashes_told,
    };
    for draft in drafts(facts, &known) {
        let by = Author { person: None, device: draft.from_device };
        let row = of_draft(world.show_id, draft, outbox.now);
        outbox.tell_of(tx, &row, by).await?;
    }
    Ok(())
}

/// Reads rows by their ids and keeps them.
async fn add(
    tx: &mut Tx,
    around: &mut HashMap<Key, Record>,
    table: &'static str,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<()> {
    let ids: BTreeSet<RecordId> =
        ids.into_iter().map(RecordId).filter(|id| !around.contains_key(&(table, *id))).collect();
    let ids: Vec<RecordId> = ids.into_iter().collect();
    let found = records::load(tx, known_table(table), &ids).await?;
    around.extend(found.into_iter().map(|row| ((table, row.id), row)));
    Ok(())
}

/// Reads rows by what they point to.
async fn add_by(
    tx: &mut Tx,
    around: &mut HashMap<Key, Record>,
    (table, field): (&'static str, &str),
    parents: &[Uuid],
) -> Result<()> {
    if !parents.is_empty() {
        let field = known_table(table).index(field);
        let found = records::load_by(tx, known_table(table), field, parents).await?;
        around.extend(found.into_iter().map(|row| ((table, row.id), row)));
    }
    Ok(())
}

/// The rows that messages about these facts name.
async fn rows_around(tx: &mut Tx, facts: &Facts, clashes: &[Conflict]) -> Result<HashMap<Key, Record>> {
    let mut around = HashMap::new();
    if facts.posted.is_some() || (facts.is_public && !facts.timed.is_empty()) {
        let all = records::load_all(tx, known_table("classes")).await?;
        around.extend(all.into_iter().map(|row| (("classes", row.id), row)));
    }
    let called = facts.called.iter().map(|called| called.class);
    let moved = facts.moved.iter().map(|moved| moved.class);
    let official = facts.official.iter().map(|(class, _)| *class);
    let disputed: Vec<(&'static str, Uuid)> = clashes.iter().flat_map(referenced).collect();
    let of = |table: &'static str| disputed.iter().filter(move |(name, _)| *name == table).map(|(_, id)| *id);
    add(tx, &mut around, "classes", called.chain(moved).chain(official).chain(of("classes"))).await?;
    add(tx, &mut around, "animals", of("animals")).await?;
    let column = |rows: &HashMap<Key, Record>, table: &str, path: &str| -> Vec<Uuid> {
        let own = rows.values().filter(|row| row.table.name == table);
        own.filter_map(|row| row.value(path).as_id()).collect()
    };
    let rings: Vec<Uuid> = column(&around, "classes", "ring_id")
        .into_iter()
        .chain(facts.called.iter().filter_map(|called| called.ring))
        .chain(facts.moved.iter().map(|moved| moved.to))
        .collect();
    add(tx, &mut around, "rings", rings.iter().copied()).await?;
    if facts.called.iter().any(|called| called.kind == "in_ring") {
        add_by(tx, &mut around, ("classes", "ring_id"), &rings).await?;
    }
    let feeders: Vec<Uuid> = facts
        .called
        .iter()
        .filter_map(|called| around.get(&("classes", RecordId(called.class))))
        .flat_map(feeders_of)
        .map(|id| id.0)
        .collect();
    add(tx, &mut around, "classes", feeders.iter().copied()).await?;
    let cards: Vec<Uuid> = facts.official.iter().map(|(class, _)| *class).chain(feeders).collect();
    add_by(tx, &mut around, ("placings", "class_id"), &cards).await?;
    let entries = column(&around, "placings", "entry_id");
    add(tx, &mut around, "entries", entries).await?;
    let exhibitors = column(&around, "entries", "exhibitor_id");
    add(tx, &mut around, "exhibitors", exhibitors).await?;
    Ok(around)
}

/// Animals and classes that a clash is about.
fn referenced(clash: &Conflict) -> Vec<(&'static str, Uuid)> {
    let mut found = Vec::new();
    if let "animals" | "classes" = clash.table.name {
        found.push((clash.table.name, clash.record_id.0));
    }
    let rows = [clash.server_data.as_ref(), clash.client_data.as_ref()];
    for (path, table) in [("animal_id", "animals"), ("class_id", "classes"), ("family_id", "classes")] {
        let ids = rows.into_iter().flatten().filter_map(|row| row.get(path)).filter_map(Json::as_str);
        found.extend(ids.filter_map(|id| Uuid::try_parse(id).ok()).map(|id| (table, id)));
    }
    found
}

/// The message that an announcement makes.
async fn of_announcement(tx: &mut Tx, record: &Record, by: Author, now: DateTime<Utc>) -> Result<NotificationRow> {
    let text = |path: &str| record.value(path).as_text().map(str::to_owned);
    let audience = Audience::of_announcement(record);
    Ok(NotificationRow {
        id: record.id.0,
        announcement_id: Some(record.id.0),
        kind: text("type").unwrap_or_default(),
        title: text("title").unwrap_or_default(),
        body: text("body"),
        data: data_of(&audience),
        audience,
        priority: text("priority").and_then(|word| Priority::parse(&word)).unwrap_or(Priority::Normal),
        needs_ack: *record.value("needs_ack") == showdesk_domain::value::Value::Bool(true),
        expires_at: record.value("expires_at").as_instant(),
        created_by: by.person,
        sender: sender(tx, by.person, by.device).await?,
        source: Source::Person,
        ..empty(now)
    })
}

/// Who a message is from: `Maria Lopez`, `Dan at the desk`.
pub(super) async fn sender(tx: &mut Tx, person: Option<PersonId>, device: Option<DeviceId>) -> Result<Option<String>> {
    let Some(person) = person else { return Ok(None) };
    let Some(profile) = people::profile(tx, person).await? else { return Ok(None) };
    let device = match device {
        Some(device) => people::device(tx, device).await?,
        None => None,
    };
    let is_desk = device.is_some_and(|device| device.kind == showdesk_domain::actor::DeviceKind::Desk);
    Ok(Some(match (is_desk, profile.name.as_str()) {
        // A desk that nobody gave a name to is called that itself.
        (true, "Desk") => "The desk".to_owned(),
        (true, name) => format!("{name} at the desk"),
        (false, name) => name.to_owned(),
    }))
}

/// What a person's message opens, and the one class or ring it is about.
pub(super) fn data_of(audience: &Audience) -> Json {
    let mut data = Map::new();
    data.insert("open".to_owned(), json!("#/messages"));
    if let [class] = audience.class_ids.as_slice() {
        data.insert("class_id".to_owned(), json!(class));
    }
    if let [ring] = audience.rings.as_slice() {
        data.insert("ring_id".to_owned(), json!(ring));
    }
    Json::Object(data)
}

/// The message of a draft. Its id follows from what it tells of: a desk that was restored makes the same again.
pub(super) fn of_draft(show: Uuid, draft: Draft, now: DateTime<Utc>) -> NotificationRow {
    NotificationRow {
        id: Uuid::new_v5(&show, draft.dedupe_key.as_bytes()),
        kind: draft.kind.as_str().to_owned(),
        title: draft.title,
        body: draft.body,
        data: Json::Object(draft.data),
        audience: draft.audience,
        priority: draft.priority,
        expires_at: draft.expires_at,
        collapse_key: Some(draft.collapse_key),
        dedupe_key: Some(draft.dedupe_key),
        source: Source::Automatic,
        ..empty(now)
    }
}

/// A message that goes out now, without what makes it one.
pub(super) fn empty(now: DateTime<Utc>) -> NotificationRow {
    NotificationRow {
        id: Uuid::nil(),
        user: None,
        kind: String::new(),
        title: String::new(),
        body: None,
        data: Json::Object(Map::new()),
        status: "pending".to_owned(),
        audience: Audience::default(),
        priority: Priority::Normal,
        needs_ack: false,
        send_at: Some(now),
        expires_at: None,
        collapse_key: None,
        dedupe_key: None,
        template_id: None,
        created_by: None,
        created_at: now,
        sent_at: None,
        source: Source::Automatic,
        announcement_id: None,
        before_class_id: None,
        before_minutes: None,
        ends_class_id: None,
        ends_after_minutes: None,
        sender: None,
        raw: None,
        released_at: Some(now),
        cancelled_at: None,
        retracted_at: None,
        reminded_at: None,
    }
}
