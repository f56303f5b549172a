//! Pull: pages of changes a reader may see, and the signed cursor between them (PROTOCOL.md §6).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use showdesk_domain::actor::{Actor, ReadClass, Scope};
use showdesk_domain::ids::Seq;
use showdesk_domain::schema::{SCHEMA_VERSION, Table, tables};
use showdesk_store::meta;
use uuid::Uuid;

use crate::api::sync::{PullPage, PullQuery};
use crate::cursor::Cursor;
use crate::push::check_schema;
use crate::seen::SeenNote;
use crate::{Engine, EngineError, Result, visibility};

/// Changes of a page that asks for no other number.
pub const PAGE_CHANGES_DEFAULT: usize = 500;
/// Most changes of a page.
pub const PAGE_CHANGES_MAX: usize = 1_000;

impl Engine {
    /// A page of changes the actor may see.
    pub async fn pull(&self, actor: &Actor, query: PullQuery) -> Result<PullPage> {
        let wanted = wanted_tables(&query.tables)?;
        let mut tx = self.begin_read_as(actor).await?;
        let meta = meta::read(&mut tx).await?;
        let last = query.cursor.as_deref().map(|text| Cursor::read(&self.inner.cursor_key, text));
        let of_cursor = last.as_ref().and_then(Option::as_ref).map(|last| last.schema);
        let schema = query.schema.or(of_cursor).unwrap_or(SCHEMA_VERSION);
        check_schema(schema, meta.min_schema)?;
        let mut names: Vec<String> = wanted.iter().map(|table| table.name.to_owned()).collect();
        names.sort();
        let mut cursor = Cursor {
            epoch: meta.epoch,
            seq: 0,
            scope: scope_of(actor),
            schema,
            device: actor.device.0,
            tables: names,
            floor: meta.oldest_seq.0,
        };
        if let Some(last) = last {
            let last = last.ok_or(EngineError::CursorGone("it cannot be read"))?;
            if last.epoch == meta.epoch && last.seq > meta.clock.0 {
                drop(tx);
                return Err(self.rolled_back(&last).await);
            }
            continue_from(&mut cursor, &last, meta.oldest_seq)?;
        }
        let shown = query.cursor.is_some().then_some(cursor.seq);
        let limit = query.limit.clamp(1, PAGE_CHANGES_MAX);
        let page = visibility::page(&mut tx, actor, (Seq(cursor.seq), meta.clock), &wanted, limit).await?;
        cursor.seq = page.more_after.unwrap_or(meta.clock).0;
        // A page may not arrive: the device still holds the cursor it came with.
        let cursor_seq = Some(Seq(shown.unwrap_or(cursor.seq)));
        let note = SeenNote { pulled_seq: Some(Seq(cursor.seq)), cursor_seq, ..SeenNote::at(self.now()) };
        self.inner.seen.note(actor.device, note);
        Ok(PullPage {
            epoch: meta.epoch,
            changes: page.changes,
            cursor: cursor.sign(&self.inner.cursor_key),
            has_more: page.more_after.is_some(),
            clock: meta.clock.0,
        })
    }

    /// We signed a number that the database does not have: it was rolled back while the desk ran.
    async fn rolled_back(&self, proof: &Cursor) -> EngineError {
        self.inner.epoch.saw(proof.epoch, Seq(proof.seq));
        match self.compare_epoch().await {
            Ok(epoch) => EngineError::EpochMismatch { epoch },
            Err(error) => error,
        }
    }
}

fn continue_from(cursor: &mut Cursor, last: &Cursor, oldest: Seq) -> Result<()> {
    if last.device != cursor.device {
        return Err(EngineError::CursorGone("it belongs to another device"));
    }
    if last.epoch != cursor.epoch {
        return Err(EngineError::EpochMismatch { epoch: cursor.epoch });
    }
    if last.tables != cursor.tables {
        let detail = "this position was made for other tables".to_owned();
        return Err(EngineError::BadQuery { code: "cursor_tables", detail });
    }
    if last.scope != cursor.scope || last.schema != cursor.schema {
        return Err(EngineError::CursorGone("what this device may see has changed"));
    }
    if last.seq.max(last.floor) < oldest.0 {
        return Err(EngineError::CursorGone("it is older than what the desk still knows"));
    }
    (cursor.seq, cursor.floor) = (last.seq, last.floor);
    Ok(())
}

fn wanted_tables(names: &[String]) -> Result<Vec<&'static Table>> {
    if names.is_empty() {
        return Ok(tables().iter().collect());
    }
    let find = |name: &String| {
        showdesk_domain::schema::table(name)
            .ok_or_else(|| EngineError::BadQuery { code: "unknown_table", detail: format!("there is no table {name}") })
    };
    let mut wanted = names.iter().map(find).collect::<Result<Vec<_>>>()?;
    wanted.sort_by_key(|table| table.name);
    wanted.dedup_by_key(|table| table.name);
    Ok(wanted)
}

/// What a device may see, as a stable text.
pub(crate) fn scope_of(actor: &Actor) -> String {
    let class = match actor.read_class() {
        ReadClass::Public => "public",
        ReadClass::Staff => "staff",
        ReadClass::Office => "office",
    };
    let scope = &actor.scope;
    if class != "public" || *scope == Scope::default() {
        return class.to_owned();
    }
    // What a viewer sees beside public rows hangs on these; other functions see every row whatever their scope.
    let ids = |ids: &[Uuid]| ids.iter().map(Uuid::to_string).collect::<Vec<_>>();
    let mut digest = Sha256::new();
    for mut list in [ids(&scope.exhibitor_ids), ids(&scope.ring_ids), scope.departments.clone()] {
        list.sort();
        digest.update(serde_json::json!(list).to_string());
    }
    format!("{class}-{}", URL_SAFE_NO_PAD.encode(&digest.finalize()[..12]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(seq: i64, floor: i64) -> Cursor {
        let (epoch, device) = (Uuid::from_u128(1), Uuid::from_u128(2));
        Cursor { epoch, seq, scope: "staff".to_owned(), schema: 1, device, tables: Vec::new(), floor }
    }

    #[test]
    fn a_cursor_goes_on_if_its_reader_missed_no_removed_tombstone() {
        for (seq, floor, oldest, goes_on) in [
            (900, 0, 0, true),
            (900, 0, 900, true),
            (899, 0, 900, false),
            // It began after the removal and is still paging through older rows.
            (100, 900, 900, true),
            (100, 900, 901, false),
            (1_000, 900, 901, true),
        ] {
            let mut next = cursor(0, oldest);
            let continued = continue_from(&mut next, &cursor(seq, floor), Seq(oldest));
            assert_eq!(continued.is_ok(), goes_on, "{seq} {floor} {oldest}");
            if goes_on {
                assert_eq!((next.seq, next.floor), (seq, floor));
            } else {
                assert!(matches!(continued, Err(EngineError::CursorGone(_))));
            }
        }
    }
}
