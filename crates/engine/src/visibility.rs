//! What a reader may see of changed rows: computed from the feed row, the row and the viewer (PROTOCOL.md §6).
//!
//! Staff see every row; what differs is the text. Viewers see public rows, and everything of the exhibitors
//! in their scope as staff do. A row that was visible once and is not any more is revoked without data.

use std::collections::HashSet;

use serde::Deserialize;
use showdesk_domain::actor::{Actor, ReadClass, Scope};
use showdesk_domain::ids::{RecordId, Seq};
use showdesk_domain::record::{ChangeRow, may_see};
use showdesk_domain::schema::{Table, known_table};
use showdesk_domain::value::Value;
use showdesk_store::changes::ChangeText;
use showdesk_store::{Result, Tx, changes, history, records};
use uuid::Uuid;

/// What decides what a reader sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eyes<'a> {
    /// Which columns.
    pub class: ReadClass,
    /// What is its own.
    pub scope: &'a Scope,
}

impl<'a> Eyes<'a> {
    /// The actor's.
    pub(crate) fn of(actor: &'a Actor) -> Self {
        Self { class: actor.read_class(), scope: &actor.scope }
    }
}

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
    pub(crate) async fn of(tx: &mut Tx, eyes: Eyes<'_>, rows: &[ChangeRow]) -> Result<Self> {
        let Eyes { class, scope } = eyes;
        let mut view = Self { class, own: HashSet::new(), formerly_own: HashSet::new() };
        if class == ReadClass::Public {
            // Without exhibitors of its own only messages can be for a viewer beside what is public.
            let may_be_own = |row: &&ChangeRow| !scope.exhibitor_ids.is_empty() || row.table.name == "announcements";
            let links: Vec<(&ChangeRow, Links)> =
                rows.iter().filter(may_be_own).map(|row| (row, Links::of(row))).collect();
            view.find_own(tx, &links, scope).await?;
            view.find_formerly_own(tx, &links, scope).await?;
        }
        Ok(view)
    }

    /// A change as JSON text; none if the reader never saw the row and may not see it now.
    pub(crate) fn change_text(&self, row: &ChangeRow) -> Option<String> {
        let (op, data, disputed) = match self.telling(row) {
            Telling::Upsert(class) => ("upsert", data_for(row, class), disputed_text(row.table, &row.disputed, class)),
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

    async fn find_own(&mut self, tx: &mut Tx, rows: &[(&ChangeRow, Links)], scope: &Scope) -> Result<()> {
        let exhibitors = &scope.exhibitor_ids;
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
                "announcements" => links.is_for(scope),
                _ => false,
            };
            if own {
                self.own.insert((row.table.name, row.record_id));
            }
        }
        Ok(())
    }

    /// Rows that the reader may not see now and that followed an earlier state of something of its own. A message's
    /// audience never changes.
    async fn find_formerly_own(&mut self, tx: &mut Tx, rows: &[(&ChangeRow, Links)], scope: &Scope) -> Result<()> {
        let exhibitors = &scope.exhibitor_ids;
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

/// Those of the rows that the reader may see at all, by the rule of the feed.
pub(crate) async fn visible(
    tx: &mut Tx,
    actor: &Actor,
    keys: &[(&'static Table, RecordId)],
) -> Result<HashSet<(&'static str, RecordId)>> {
    let rows = changes::load(tx, keys).await?;
    let view = View::of(tx, Eyes::of(actor), &rows).await?;
    let is_seen = |row: &&ChangeRow| matches!(view.telling(row), Telling::Upsert(_));
    Ok(rows.iter().filter(is_seen).map(|row| (row.table.name, row.record_id)).collect())
}

/// A page of changes as a reader is told them.
#[derive(Debug)]
pub(crate) struct Page {
    /// One JSON object a change.
    pub changes: Vec<String>,
    /// The number of the last row looked at, if there are more behind it.
    pub more_after: Option<Seq>,
}

/// Looks at the next `limit` changes with the reader's eyes. Who sees every row gets them as the database wrote them.
pub(crate) async fn page(
    tx: &mut Tx,
    eyes: Eyes<'_>,
    (after, up_to): (Seq, Seq),
    tables: &[&'static Table],
    limit: usize,
) -> Result<Page> {
    let class = eyes.class;
    let ask = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    if class > ReadClass::Public {
        let mut rows = changes::page_texts(tx, class, after, up_to, tables, ask).await?;
        let more_after = cut(&mut rows, limit).map(|row| row.seq);
        return Ok(Page { changes: rows.into_iter().map(|row| finished(row, class)).collect(), more_after });
    }
    let mut rows = changes::page(tx, after, up_to, tables, ask).await?;
    let more_after = cut(&mut rows, limit).map(|row| row.seq);
    let view = View::of(tx, eyes, &rows).await?;
    Ok(Page { changes: rows.iter().filter_map(|row| view.change_text(row)).collect(), more_after })
}

/// Leaves `limit` rows; answers the last of them if others were cut off.
fn cut<T>(rows: &mut Vec<T>, limit: usize) -> Option<&T> {
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| is_more)
}

fn finished(row: ChangeText, class: ReadClass) -> String {
    let ChangeText { mut text, disputed, .. } = row;
    if let Some((table, paths)) = disputed {
        text.push_str(&disputed_text(table, &paths, class));
    }
    text.push('}');
    text
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
    rings: Option<Vec<Uuid>>,
    departments: Option<Vec<String>>,
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

    /// Whether a message is for viewers, or for a ring, a department or an exhibitor that the scope names.
    fn is_for(&self, scope: &Scope) -> bool {
        fn meet<T: PartialEq>(named: Option<&Vec<T>>, own: &[T]) -> bool {
            named.into_iter().flatten().any(|item| own.contains(item))
        }
        let Audience { functions, rings, departments, exhibitor_ids } = &self.audience;
        functions.iter().flatten().any(|function| function == "viewer")
            || meet(rings.as_ref(), &scope.ring_ids)
            || meet(departments.as_ref(), &scope.departments)
            || meet(exhibitor_ids.as_ref(), &scope.exhibitor_ids)
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

/// The disputed fields that the reader may see.
fn disputed_text(table: &Table, disputed: &[String], class: ReadClass) -> String {
    let is_visible = |path: &&String| table.field(path).is_none_or(|field| may_see(table.fields[field].access, class));
    let disputed: Vec<&String> = disputed.iter().filter(is_visible).collect();
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
    use showdesk_domain::ids::Version;

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
    fn a_message_is_for_viewers_or_for_what_a_scope_names() {
        let (ours, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let ring = Scope { ring_ids: vec![ours], ..Scope::default() };
        let department = Scope { departments: vec!["swine".to_owned()], ..Scope::default() };
        let parent = Scope { exhibitor_ids: vec![ours], ..Scope::default() };
        let stranger = Scope { exhibitor_ids: vec![other], ring_ids: vec![other], ..Scope::default() };
        for (audience, expected) in [
            (serde_json::json!({"exhibitor_ids": [ours]}), [false, false, true, false]),
            (serde_json::json!({"rings": [ours]}), [true, false, false, false]),
            (serde_json::json!({"departments": ["swine"]}), [false, true, false, false]),
            (serde_json::json!({"functions": ["viewer"]}), [true, true, true, true]),
            (serde_json::json!({"functions": ["gate"]}), [false, false, false, false]),
            (serde_json::json!({}), [false, false, false, false]),
        ] {
            let data = serde_json::json!({"audience": audience}).to_string();
            let links = Links::read(known_table("announcements"), ID, &data);
            let told = [&ring, &department, &parent, &stranger].map(|scope| links.is_for(scope));
            assert_eq!(told, expected, "{audience}");
        }
    }
}
