//! An entries file from preview over confirm to undo (DOMAIN.md §9).
//!
//! A preview keeps the file and the ids its rows will get. Confirming plans the same file again on
//! the show as it is then: only if the very same ops come out are they written, in one transaction.

mod choices;

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::{OpId, RecordId, Seq};
use showdesk_domain::import::{Choices, ExistingShow, ImportPlan, plan_chosen};
use showdesk_domain::op::{OpDraft, Operation};
use showdesk_domain::permit::Action;
use showdesk_domain::queue::QueuedOp;
use showdesk_domain::record::Record;
use showdesk_domain::schema::{Policy, Table, known_table, table};
use showdesk_domain::value::{Value, instant_text, parse_instant};
use showdesk_store::imports::{ImportRow, ImportStatus};
use showdesk_store::{imports, meta, queue, records};
use uuid::Uuid;

use crate::api::import::{ImportChoices, ImportItem, ImportList, ImportPreview, ImportResult, ImportRows, ImportWish};
use crate::api::pairing::PersonRef;
use crate::audit::Names;
use crate::ids::sha256;
use crate::rights::require;
use crate::{Engine, EngineError, Result};
use choices::{check_choices, clean_name, counts_of, preview, read_choices};

const NO_FILE: EngineError = EngineError::NotFound("the file of this preview");
/// Imports that are listed.
const IMPORTS_LISTED: i64 = 100;

/// What is kept of a preview, as JSON.
struct Kept {
    file: Vec<u8>,
    /// SHA-256 of the planned ops.
    fingerprint: String,
    op_ids: Vec<OpId>,
    /// Whether columns are missing: then there is nothing to write yet.
    lacks_columns: bool,
    choices: ImportChoices,
}

impl Engine {
    /// What an entries file would do. Nothing of it is written before it is confirmed.
    pub async fn preview_import(&self, actor: &Actor, file: Vec<u8>, wish: ImportWish) -> Result<ImportPreview> {
        require(actor, Action::Import)?;
        let name = wish.name.as_deref().and_then(clean_name);
        let id = self.fresh_id();
        // The database keeps milliseconds; the plan must come out the same when it is made again.
        let at = parse_instant(&instant_text(self.now())).unwrap_or_default();
        let mut tx = self.begin_read_as(actor).await?;
        let clock = meta::read(&mut tx).await?.clock;
        drop(tx);
        let file_sha256 = sha256(&file);
        let choices = Choices { may_lack_columns: wish.may_lack_columns, ..Choices::default() };
        let (plan, file) = self.plan_import(id, at, file, choices).await?;
        let kept = Kept::of(&plan, file, ImportChoices::default());
        let row = ImportRow {
            id,
            file_sha256,
            clock,
            plan: kept.to_text(),
            status: ImportStatus::Previewed,
            counts: counts_of(&plan, name.as_deref()),
            op_ids: Vec::new(),
            created_by: actor.person,
            created_at: at,
            confirmed_at: None,
            undone_at: None,
        };
        let mut tx = self.begin_write_as(actor).await?;
        imports::add(&mut tx, &row).await?;
        self.commit(tx).await?;
        preview(&row, &plan, kept.choices, wish.page.as_ref())
    }

    /// Plans a previewed file again with what a person has chosen about it; confirming writes this plan.
    pub async fn choose_for_import(
        &self,
        actor: &Actor,
        import_id: Uuid,
        choices: ImportChoices,
        page: Option<&ImportRows>,
    ) -> Result<ImportPreview> {
        require(actor, Action::Import)?;
        let row = self.import(actor, import_id).await?;
        if row.status != ImportStatus::Previewed {
            return Err(stale("import_confirmed", "this file was imported already; take it back or choose it again"));
        }
        let kept = Kept::from_text(&row.plan).ok_or(NO_FILE)?;
        let clock = Seq(self.clock().await?);
        let (plan, file) = self.plan_import(import_id, row.created_at, kept.file, read_choices(&choices)?).await?;
        check_choices(&choices, &plan)?;
        let kept = Kept::of(&plan, file, choices);
        let row =
            ImportRow { clock, counts: counts_of(&plan, row.counts["name"].as_str()), plan: kept.to_text(), ..row };
        let mut tx = self.begin_write_as(actor).await?;
        if !imports::plan_again(&mut tx, import_id, clock, &row.plan, &row.counts).await? {
            return Err(stale("import_confirmed", "this file was imported meanwhile"));
        }
        self.commit(tx).await?;
        preview(&row, &plan, kept.choices, page)
    }

    /// What a file would do on the show as it is now; once it was confirmed, what it would still do.
    pub async fn import_preview(
        &self,
        actor: &Actor,
        import_id: Uuid,
        page: Option<&ImportRows>,
    ) -> Result<ImportPreview> {
        require(actor, Action::Import)?;
        let row = self.import(actor, import_id).await?;
        let kept = Kept::from_text(&row.plan).ok_or(NO_FILE)?;
        let (plan, _) = self.plan_import(import_id, row.created_at, kept.file, read_choices(&kept.choices)?).await?;
        preview(&row, &plan, kept.choices, page)
    }

    /// Files that were previewed, newest first.
    pub async fn imports(&self, actor: &Actor) -> Result<ImportList> {
        require(actor, Action::Import)?;
        let mut tx = self.begin_read_as(actor).await?;
        let rows = imports::recent(&mut tx, IMPORTS_LISTED).await?;
        let people = rows.iter().map(|row| row.created_by).collect();
        let names = Names::load(&mut tx, people, Vec::new()).await?;
        let items = rows.into_iter().map(|row| ImportItem {
            import_id: row.id,
            name: row.counts["name"].as_str().map(str::to_owned),
            status: row.status.as_str().to_owned(),
            new: row.counts["new"].as_i64().unwrap_or(0),
            changed: row.counts["changed"].as_i64().unwrap_or(0),
            written: row.counts.get("written").cloned(),
            by: PersonRef { id: row.created_by.0, name: names.person(row.created_by).name },
            created_at: row.created_at,
            confirmed_at: row.confirmed_at,
            undone_at: row.undone_at,
            undoable: row.status == ImportStatus::Confirmed,
        });
        Ok(ImportList { items: items.collect() })
    }

    /// Writes every row of a preview that has no error. A second time it answers as the first.
    pub async fn confirm_import(&self, actor: &Actor, import_id: Uuid) -> Result<ImportResult> {
        require(actor, Action::Import)?;
        let row = self.import(actor, import_id).await?;
        match row.status {
            ImportStatus::Previewed => {}
            ImportStatus::Confirmed => return result_of(&row),
            ImportStatus::Undone => {
                return Err(stale("import_undone", "this import was taken back; choose the file again"));
            }
        }
        let kept = Kept::from_text(&row.plan).ok_or(NO_FILE)?;
        if kept.lacks_columns {
            return Err(EngineError::invalid("columns_missing", "say first which columns the file has"));
        }
        if !self.was_written(actor, &kept.op_ids).await? {
            let choices = read_choices(&kept.choices)?;
            let (plan, _) = self.plan_import(import_id, row.created_at, kept.file, choices).await?;
            // Another click may have written it between the two looks.
            if fingerprint(&plan.ops) != kept.fingerprint {
                if !self.was_written(actor, &kept.op_ids).await? {
                    return Err(overtaken());
                }
            } else if !plan.ops.is_empty() {
                self.write_ops(actor, plan.ops).await.map_err(|error| overtaken_if_moved(error, overtaken))?;
            }
        }
        let written = self.written_by(actor, &kept.op_ids).await?;
        let mut counts = row.counts;
        counts["written"] = json!(written);
        counts["clock"] = json!(self.clock().await?);
        let mut tx = self.begin_write_as(actor).await?;
        // Another click may have been faster; what it stored is the answer of both.
        if imports::mark_confirmed(&mut tx, import_id, &kept.op_ids, &counts, self.now()).await? {
            let (what, id) = (json!({ "written": written }), Some(import_id));
            crate::audit::note(&mut tx, actor, "import_confirmed", self.now(), id, Some(what.clone())).await?;
            self.commit(tx).await?;
            self.add_marker("import", what);
        }
        result_of(&self.import(actor, import_id).await?)
    }

    /// Takes an import back as one step, if nobody has changed its rows since.
    pub async fn undo_import(&self, actor: &Actor, import_id: Uuid) -> Result<ImportResult> {
        require(actor, Action::Import)?;
        let row = self.import(actor, import_id).await?;
        match row.status {
            ImportStatus::Previewed => return Err(stale("import_not_confirmed", "nothing of this file was written")),
            ImportStatus::Confirmed => {}
            ImportStatus::Undone => return Ok(ImportResult { clock: self.clock().await?, ..result_of(&row)? }),
        }
        let undo_ids = || ids_from(format!("undo {import_id}").as_bytes(), row.created_at);
        let first = [OpId(undo_ids()())];
        if !row.op_ids.is_empty() && !self.was_written(actor, &first).await? {
            match self.compensate(actor, &row.op_ids, &mut undo_ids()).await {
                Ok(ops) => {
                    self.write_ops(actor, ops).await.map_err(|error| overtaken_if_moved(error, changed_since))?;
                }
                Err(error) if !self.was_written(actor, &first).await? => return Err(error),
                Err(_) => {}
            }
        }
        let mut tx = self.begin_write_as(actor).await?;
        if imports::mark_undone(&mut tx, import_id, self.now()).await? {
            crate::audit::note(&mut tx, actor, "import_undone", self.now(), Some(import_id), None).await?;
            self.commit(tx).await?;
        }
        Ok(ImportResult { clock: self.clock().await?, ..result_of(&row)? })
    }

    async fn import(&self, actor: &Actor, id: Uuid) -> Result<ImportRow> {
        let mut tx = self.begin_read_as(actor).await?;
        imports::load(&mut tx, id).await?.ok_or(EngineError::NotFound("the import"))
    }

    /// Plans the file on the show as it is now; hands the file back.
    async fn plan_import(
        &self,
        id: Uuid,
        at: DateTime<Utc>,
        file: Vec<u8>,
        choices: Choices,
    ) -> Result<(ImportPlan, Vec<u8>)> {
        let rows = self.rows_for_import().await?;
        let planning = tokio::task::spawn_blocking(move || {
            let mut ids = ids_from(format!("import {id}").as_bytes(), at);
            let planned = plan_chosen(&file, &choices, &ExistingShow::new(&rows), &mut ids, at);
            planned.map(|plan| (plan, file))
        });
        let planned = planning.await.expect("planning never panics, whatever the file");
        planned.map_err(|error| EngineError::invalid("unsupported_file", error.to_string()))
    }

    async fn rows_for_import(&self) -> Result<Vec<Record>> {
        let mut tx = self.begin_read_desk().await?;
        let mut rows = Vec::new();
        for name in ["shows", "exhibitors", "classes", "animals", "weigh_ins"] {
            rows.extend(records::load_all(&mut tx, known_table(name)).await?);
        }
        let animals: Vec<Uuid> = rows.iter().filter(|row| row.table.name == "animals").map(|row| row.id.0).collect();
        // Deleted entries count, too: their natural key is taken for good.
        let entries = known_table("entries");
        rows.extend(records::load_by(&mut tx, entries, entries.index("animal_id"), &animals).await?);
        Ok(rows)
    }

    /// Whether these ops are in the queue: they were written together or not at all.
    async fn was_written(&self, actor: &Actor, op_ids: &[OpId]) -> Result<bool> {
        let Some(first) = op_ids.first() else { return Ok(false) };
        let mut tx = self.begin_read_as(actor).await?;
        Ok(!queue::load(&mut tx, &[*first]).await?.is_empty())
    }

    async fn written_by(&self, actor: &Actor, op_ids: &[OpId]) -> Result<BTreeMap<String, i64>> {
        let mut tx = self.begin_read_as(actor).await?;
        let mut written = BTreeMap::new();
        for op in queue::load(&mut tx, op_ids).await? {
            *written.entry(op.table_name).or_insert(0) += 1;
        }
        Ok(written)
    }

    /// The ops that take an import back, children before parents.
    async fn compensate(&self, actor: &Actor, op_ids: &[OpId], ids: &mut impl FnMut() -> Uuid) -> Result<Vec<OpDraft>> {
        let mut tx = self.begin_read_as(actor).await?;
        let mut ops: HashMap<OpId, QueuedOp> =
            queue::load(&mut tx, op_ids).await?.into_iter().map(|op| (op.id, op)).collect();
        let ops: Vec<QueuedOp> = op_ids.iter().rev().filter_map(|id| ops.remove(id)).collect();
        let mut present: HashMap<(&str, RecordId), Record> = HashMap::new();
        for name in ["exhibitors", "classes", "animals", "entries", "weigh_ins"] {
            let of_table: Vec<RecordId> =
                ops.iter().filter(|op| op.table_name == name).filter_map(|op| op.record_id).collect();
            let rows = records::load(&mut tx, known_table(name), &of_table).await?;
            present.extend(rows.into_iter().map(|row| ((name, row.id), row)));
        }
        drop(tx);
        let back = ops.iter().map(|op| {
            let record = op.record_id.and_then(|id| present.get(&(op.table_name.as_str(), id)));
            record.and_then(|record| compensation(op, record, ids())).ok_or_else(changed_since)
        });
        back.collect()
    }
}

impl Kept {
    fn of(plan: &ImportPlan, file: Vec<u8>, choices: ImportChoices) -> Self {
        Self {
            file,
            fingerprint: fingerprint(&plan.ops),
            op_ids: plan.ops.iter().map(|op| OpId(op.op_id)).collect(),
            lacks_columns: !plan.missing.is_empty(),
            choices,
        }
    }

    fn to_text(&self) -> String {
        let (file, choices) = (BASE64.encode(&self.file), &self.choices);
        let lacks_columns = self.lacks_columns;
        json!({
            "file": file, "fingerprint": self.fingerprint, "op_ids": self.op_ids, "lacks_columns": lacks_columns,
            "choices": choices,
        })
        .to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        Some(Self {
            file: BASE64.decode(json["file"].as_str()?).ok()?,
            fingerprint: json["fingerprint"].as_str()?.to_owned(),
            op_ids: serde_json::from_value(json["op_ids"].clone()).ok()?,
            // A preview that was made by an older program has neither.
            lacks_columns: json["lacks_columns"].as_bool().unwrap_or(false),
            choices: serde_json::from_value(json["choices"].clone()).unwrap_or_default(),
        })
    }
}

/// The op that undoes one of an import; none if the row is not any more what the import made of it.
fn compensation(op: &QueuedOp, record: &Record, op_id: Uuid) -> Option<OpDraft> {
    let table: &'static Table = table(&op.table_name)?;
    let made = op.data.as_object()?;
    if !record.is_live() {
        return None;
    }
    let draft = |operation: Operation, data: Map<String, Json>, base: Option<Map<String, Json>>| OpDraft {
        op_id,
        table_name: table.name,
        record_id: record.id.0,
        operation,
        base_version: record.version.0,
        data,
        base,
        reason: Some("Import taken back".to_owned()),
    };
    if op.operation == Operation::Insert.as_str() {
        let as_made = table.fields.iter().zip(&record.values).all(|(field, value)| {
            let sent =
                made.get(field.path).and_then(|json| field.kind.decode(json).ok()).filter(|value| !value.is_null());
            field.policy == Policy::Derived || *value == sent.unwrap_or_else(|| field.default.clone())
        });
        return as_made.then(|| draft(Operation::Delete, Map::new(), None));
    }
    let before = op.base.as_ref()?.as_object()?;
    let stands = made.iter().all(|(field, json)| {
        let known = table.field(field).map(|index| (&table.fields[index].kind, &record.values[index]));
        known.is_some_and(|(kind, value)| kind.decode(json).as_ref().unwrap_or(&Value::Null) == value)
    });
    stands.then(|| draft(Operation::Update, before.clone(), Some(made.clone())))
}

/// The same fresh-looking ids for the same import, so that a plan made again can be compared with the first.
fn ids_from(seed: &[u8], at: DateTime<Utc>) -> impl FnMut() -> Uuid + use<> {
    let seed = Sha256::new().chain_update(seed);
    let at_ms = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    let mut made: u64 = 0;
    move || {
        made += 1;
        let hash = seed.clone().chain_update(made.to_be_bytes()).finalize();
        let random = hash.first_chunk::<10>().expect("SHA-256 has 32 bytes");
        uuid::Builder::from_unix_timestamp_millis(at_ms, random).into_uuid()
    }
}

fn fingerprint(ops: &[OpDraft]) -> String {
    let mut hash = Sha256::new();
    for op in ops {
        let parts =
            json!([op.op_id, op.table_name, op.record_id, op.operation.as_str(), op.base_version, op.data, op.base]);
        hash.update(parts.to_string());
    }
    format!("{:x}", hash.finalize())
}

fn result_of(row: &ImportRow) -> Result<ImportResult> {
    let clock = row.counts["clock"].as_i64().ok_or(EngineError::NotFound("the import's answer"))?;
    Ok(ImportResult { import_id: row.id, written: row.counts["written"].clone(), clock: Seq(clock).0 })
}

fn stale(code: &'static str, detail: &str) -> EngineError {
    EngineError::Stale { code, detail: detail.to_owned(), fresh: None }
}

fn overtaken() -> EngineError {
    stale("preview_overtaken", "the show has changed since this preview; look at a new one")
}

fn changed_since() -> EngineError {
    stale("changed_since", "somebody has changed rows of this import since; it is not taken back")
}

/// A write that no longer fits is a plan that was overtaken; other failures stay what they are.
fn overtaken_if_moved(error: EngineError, moved: fn() -> EngineError) -> EngineError {
    match error {
        EngineError::Stale { .. } => moved(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    const FILE: &[u8] = include_bytes!("../../../tests/vectors/demo-entries.csv");

    async fn open() -> (Engine, Actor, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options::new(folder.path());
        let engine = Engine::open(options).await.expect("a new show");
        let actor = engine.desk_actor().await.expect("the desk");
        (engine, actor, folder)
    }

    async fn animals(engine: &Engine) -> i64 {
        let mut tx = engine.begin_read_desk().await.expect("readable");
        records::count_live(&mut tx, known_table("animals")).await.expect("a number")
    }

    #[tokio::test]
    async fn a_confirm_that_died_after_its_write_is_finished_by_the_next() {
        let (engine, actor, _folder) = open().await;
        let preview = engine.preview_import(&actor, FILE.to_vec(), ImportWish::default()).await.expect("readable");
        let row = engine.import(&actor, preview.import_id).await.expect("kept");
        let (plan, _) =
            engine.plan_import(row.id, row.created_at, FILE.to_vec(), Choices::default()).await.expect("the same plan");
        engine.write_ops(&actor, plan.ops).await.expect("written");
        let result = engine.confirm_import(&actor, row.id).await.expect("not overtaken by itself");
        assert_eq!((&result.written["animals"], animals(&engine).await), (&json!(11), 11));
        assert!(engine.undo_import(&actor, row.id).await.is_ok());
        assert_eq!(animals(&engine).await, 0);
    }

    #[tokio::test]
    async fn two_clicks_at_once_do_it_once() {
        let (engine, actor, _folder) = open().await;
        let id = engine.preview_import(&actor, FILE.to_vec(), ImportWish::default()).await.expect("readable").import_id;
        let (first, second) = tokio::join!(engine.confirm_import(&actor, id), engine.confirm_import(&actor, id));
        let written = [first.expect("written").written, second.expect("written").written];
        assert_eq!(written[0], written[1]);
        assert_eq!(animals(&engine).await, 11);
        let (first, second) = tokio::join!(engine.undo_import(&actor, id), engine.undo_import(&actor, id));
        assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
        assert_eq!(animals(&engine).await, 0);
    }
}
