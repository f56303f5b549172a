//! What a reader may see of changed rows: computed from the feed row, the row and the viewer (PROTOCOL.md §6).
//!
//! Staff see every row; what differs is the text. Viewers see public rows, and everything of the exhibitors
//! in their scope as staff do. A row that was visible once and is not any more is revoked without data.

use std::collections::HashSet;

use serde::Deserialize;
use showdesk_domain::actor::{Actor, ReadClass};
use showdesk_domain::ids::RecordId;
use showdesk_domain::record::{ChangeRow, may_see};
use showdesk_domain::schema::{Table, known_table};
use showdesk_domain::value::Value;
use showdesk_store::{Result, Tx, history, records};
use uuid::Uuid;

/// Versions of a message that are looked through for one that was addressed to the reader.
const MESSAGE_VERSIONS_MAX: i64 = 100;

/// A reader, and what it has to do with the rows of one page.
#[derive(Debug)]
pub(crate) struct View {
    class: ReadClass,
    own: HashSet<(&'static str, RecordId)>,
    formerly_own: HashSet<(&'static str, RecordId)>,
}

/// How a change is told to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// The row, as this class sees it.
    Upsert(ReadClass),
    Delete,
    Revoke,
    Nothing,
}

impl View {
    /// Looks at the rows of a page with the reader's eyes.
    pub(crate) async fn of(tx: &mut Tx, actor: &Actor, rows: &[ChangeRow]) -> Result<Self> {
        let class = actor.read_class();
        let mut view = Self { class, own: HashSet::new(), formerly_own: HashSet::new() };
        let exhibitors = &actor.scope.exhibitor_ids;
        if class == ReadClass::Public && !exhibitors.is_empty() {
            let links: Vec<(&ChangeRow, Links)> = rows.iter().map(|row| (row, Links::of(row))).collect();
            view.find_own(tx, &links, exhibitors).await?;
            view.find_formerly_own(tx, &links, exhibitors).await?;
        }
        Ok(view)
    }

    /// A change as JSON text; none if the reader never saw the row and may not see it now.
    pub(crate) fn change_text(&self, row: &ChangeRow) -> Option<String> {
        let (op, data, disputed) = match self.telling(row) {
            Telling::Upsert(class) => ("upsert", data_for(row, class), disputed_text(row, class)),
            Telling::Delete => ("delete", "null", String::new()),
            Telling::Revoke => ("revoke", "null", String::new()),
            Telling::Nothing => return None,
        };
        let ChangeRow { seq, record_id, version, .. } = row;
        let table = row.table.name;
        Some(format!(
            "{{\"seq\":{seq},\"table_name\":\"{table}\",\"record_id\":\"{record_id}\",\"version\":{version},\
             \"op\":\"{op}\",\"data\":{data}{disputed}}}"
        ))
    }

    fn telling(&self, row: &ChangeRow) -> Telling {
        let key = (row.table.name, row.record_id);
        let is_staff = self.class > ReadClass::Public;
        let knew = is_staff || row.ever_public || self.own.contains(&key) || self.formerly_own.contains(&key);
        if row.version.0 == 0 {
            // A name that never was a row here: what its phone knows under it is known under another.
            return if knew { Telling::Revoke } else { Telling::Nothing };
        }
        if row.deleted {
            return if knew { Telling::Delete } else { Telling::Nothing };
        }
        if is_staff {
            Telling::Upsert(self.class)
        } else if self.own.contains(&key) {
            Telling::Upsert(ReadClass::Staff)
        } else if row.public {
            Telling::Upsert(ReadClass::Public)
        } else if knew {
            Telling::Revoke
        } else {
            Telling::Nothing
        }
    }

    async fn find_own(&mut self, tx: &mut Tx, rows: &[(&ChangeRow, Links)], exhibitors: &[Uuid]) -> Result<()> {
        let is_ours = |id: Option<Uuid>| id.is_some_and(|id| exhibitors.contains(&id));
        let animals =
            parents_of(tx, "animals", rows.iter().filter_map(|(_, links)| links.animal_id), exhibitors).await?;
        let entries =
            parents_of(tx, "entries", rows.iter().filter_map(|(_, links)| links.entry_id), exhibitors).await?;
        for (row, links) in rows {
            let own = match row.table.name {
                "exhibitors" => is_ours(Some(row.record_id.0)),
                "animals" | "entries" => is_ours(links.exhibitor_id),
                "weigh_ins" => links.animal_id.is_some_and(|id| animals.contains(&RecordId(id))),
                "placings" => links.entry_id.is_some_and(|id| entries.contains(&RecordId(id))),
                "announcements" => links.is_for(exhibitors),
                _ => false,
            };
            if own {
                self.own.insert((row.table.name, row.record_id));
            }
        }
        Ok(())
    }

    /// Rows that the reader may not see now and that followed an earlier state of something of its own.
    async fn find_formerly_own(
        &mut self,
        tx: &mut Tx,
        rows: &[(&ChangeRow, Links)],
        exhibitors: &[Uuid],
    ) -> Result<()> {
        let hidden = |row: &ChangeRow| {
            let key = (row.table.name, row.record_id);
            (!row.public && !row.ever_public || row.deleted) && !self.own.contains(&key)
        };
        let hidden: Vec<&(&ChangeRow, Links)> = rows.iter().filter(|(row, _)| hidden(row)).collect();
        let of = |name: &'static str| hidden.iter().filter(move |(row, _)| row.table.name == name);
        let animals: Vec<Uuid> = of("weigh_ins").filter_map(|(_, links)| links.animal_id).collect();
        let entries: Vec<Uuid> = of("placings").filter_map(|(_, links)| links.entry_id).collect();
        let animals = once_owned(tx, "animals", animals, exhibitors).await?;
        let entries = once_owned(tx, "entries", entries, exhibitors).await?;
        let mut found = Vec::new();
        for (row, links) in &hidden {
            let was_own = match row.table.name {
                "weigh_ins" => links.animal_id.is_some_and(|id| animals.contains(&RecordId(id))),
                "placings" => links.entry_id.is_some_and(|id| entries.contains(&RecordId(id))),
                "announcements" => was_addressed(tx, row, exhibitors).await?,
                _ => false,
            };
            if was_own {
                found.push((row.table.name, row.record_id));
            }
        }
        self.formerly_own.extend(found);
        Ok(())
    }
}

/// What a row of any table says about whose it is.
#[derive(Debug, Default, Deserialize)]
struct Links {
    exhibitor_id: Option<Uuid>,
    animal_id: Option<Uuid>,
    entry_id: Option<Uuid>,
    #[serde(default)]
    audience: Audience,
}

#[derive(Debug, Default, Deserialize)]
struct Audience {
    functions: Option<Vec<String>>,
    exhibitor_ids: Option<Vec<Uuid>>,
}

impl Links {
    fn of(row: &ChangeRow) -> Self {
        Self::read(row.table, row.record_id, &row.data)
    }

    /// A row whose text is not what we write is nobody's, and the log says so.
    fn read(table: &Table, id: RecordId, data: &str) -> Self {
        serde_json::from_str(data).unwrap_or_else(|error| {
            tracing::error!(table = table.name, %id, %error, "a row's text in the feed cannot be read");
            Self::default()
        })
    }

    /// Whether a message is for viewers, or for one of these exhibitors.
    fn is_for(&self, exhibitors: &[Uuid]) -> bool {
        let names = |list: &Option<Vec<String>>, name: &str| list.iter().flatten().any(|item| item == name);
        let ids = self.audience.exhibitor_ids.iter().flatten();
        names(&self.audience.functions, "viewer") || ids.into_iter().any(|id| exhibitors.contains(id))
    }
}

/// Those of the rows that belong to one of the exhibitors now.
async fn parents_of(
    tx: &mut Tx,
    table: &'static str,
    ids: impl Iterator<Item = Uuid>,
    exhibitors: &[Uuid],
) -> Result<HashSet<RecordId>> {
    let ids: HashSet<RecordId> = ids.map(RecordId).collect();
    let ids: Vec<RecordId> = ids.into_iter().collect();
    let rows = records::load(tx, known_table(table), &ids).await?;
    let is_ours = |id: &Value| id.as_id().is_some_and(|id| exhibitors.contains(&id));
    Ok(rows.iter().filter(|row| is_ours(row.value("exhibitor_id"))).map(|row| row.id).collect())
}

/// Those of the rows that belonged to one of the exhibitors in some version.
async fn once_owned(
    tx: &mut Tx,
    table: &'static str,
    mut ids: Vec<Uuid>,
    exhibitors: &[Uuid],
) -> Result<HashSet<RecordId>> {
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<RecordId> = ids.into_iter().map(RecordId).collect();
    Ok(history::once_owned(tx, known_table(table), &ids, exhibitors).await?.into_iter().collect())
}

async fn was_addressed(tx: &mut Tx, row: &ChangeRow, exhibitors: &[Uuid]) -> Result<bool> {
    let versions = history::versions(tx, row.table, row.record_id, MESSAGE_VERSIONS_MAX).await?;
    Ok(versions.iter().any(|version| Links::read(row.table, row.record_id, &version.snapshot).is_for(exhibitors)))
}

/// The disputed fields that the reader may see.
fn disputed_text(row: &ChangeRow, class: ReadClass) -> String {
    let is_visible =
        |path: &&String| row.table.field(path).is_none_or(|field| may_see(row.table.fields[field].access, class));
    let disputed: Vec<&String> = row.disputed.iter().filter(is_visible).collect();
    if disputed.is_empty() { String::new() } else { format!(",\"disputed\":{}", serde_json::json!(disputed)) }
}

fn data_for(row: &ChangeRow, class: ReadClass) -> &str {
    match class {
        ReadClass::Office => &row.data,
        ReadClass::Staff => row.data_staff.as_deref().unwrap_or(&row.data),
        ReadClass::Public => row.data_public.as_deref().unwrap_or(&row.data),
    }
}

#[cfg(test)]
mod tests {
    use showdesk_domain::ids::{Seq, Version};

    use super::*;

    const ID: RecordId = RecordId(Uuid::from_u128(7));

    fn row(public: bool, ever_public: bool, deleted: bool) -> ChangeRow {
        ChangeRow {
            table: known_table("animals"),
            record_id: ID,
            seq: Seq(9),
            version: Version(2),
            deleted,
            changed_by: None,
            op_id: None,
            public,
            ever_public,
            disputed: vec!["name".to_owned(), "tag".to_owned()],
            data: r#"{"tag":"1","name":"Bo"}"#.to_owned(),
            data_staff: None,
            data_public: public.then(|| r#"{"name":"Bo"}"#.to_owned()),
        }
    }

    fn view(class: ReadClass, own: bool, formerly_own: bool) -> View {
        let of = |is: bool| is.then_some(("animals", ID)).into_iter().collect();
        View { class, own: of(own), formerly_own: of(formerly_own) }
    }

    #[test]
    fn a_reader_is_told_what_it_may_see_and_loses_what_it_saw() {
        use Telling::{Delete, Nothing, Revoke, Upsert};
        let (public, staff) = (ReadClass::Public, ReadClass::Staff);
        for (public_now, ever_public, deleted, own, formerly, telling) in [
            (true, true, false, false, false, Upsert(public)),
            (true, true, false, true, false, Upsert(staff)),
            (false, false, false, true, false, Upsert(staff)),
            (false, true, false, false, false, Revoke),
            (false, false, false, false, true, Revoke),
            (false, false, false, false, false, Nothing),
            (false, true, true, false, false, Delete),
            (false, false, true, true, false, Delete),
            (false, false, true, false, true, Delete),
            (false, false, true, false, false, Nothing),
        ] {
            let row = row(public_now, ever_public, deleted);
            assert_eq!(view(public, own, formerly).telling(&row), telling, "{row:?} own {own} {formerly}");
            let at_staff = if deleted { Delete } else { Upsert(staff) };
            assert_eq!(view(staff, own, formerly).telling(&row), at_staff);
        }
    }

    #[test]
    fn a_text_names_only_disputed_fields_that_its_reader_sees() {
        let text = view(ReadClass::Public, false, false).change_text(&row(true, true, false)).expect("visible");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            (&json["disputed"], &json["data"]),
            (&serde_json::json!(["name"]), &serde_json::json!({"name": "Bo"}))
        );
        let text = view(ReadClass::Staff, false, false).change_text(&row(true, true, false)).expect("visible");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["disputed"], serde_json::json!(["name", "tag"]));
        let text = view(ReadClass::Public, false, false).change_text(&row(false, true, false)).expect("revoked");
        assert!(text.ends_with(r#""op":"revoke","data":null}"#), "{text}");
    }

    #[test]
    fn a_message_is_for_viewers_or_for_named_exhibitors() {
        let (ours, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (audience, expected) in [
            (r#"{"audience":{"exhibitor_ids":["00000000-0000-0000-0000-000000000001"]}}"#, true),
            (r#"{"audience":{"functions":["viewer"]}}"#, true),
            (r#"{"audience":{"functions":["gate"]}}"#, false),
            (r#"{"audience":{}}"#, false),
            ("{}", false),
        ] {
            let links = Links::read(known_table("announcements"), ID, audience);
            assert_eq!(links.is_for(&[ours]), expected, "{audience}");
            assert_eq!(links.is_for(&[other]), expected && audience.contains("viewer"), "{audience}");
        }
    }
}
