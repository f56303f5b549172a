//! Pull: pages of changes a reader may see, and the signed cursor between them (PROTOCOL.md §6).

mod base;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use showdesk_domain::actor::{Actor, ReadClass, Role, Scope};
use showdesk_domain::ids::Seq;
use showdesk_domain::permit::Action;
use showdesk_domain::schema::{SCHEMA_VERSION, Table, tables};
use showdesk_store::{Tx, meta, people};
use uuid::Uuid;

use self::base::{BasePages, Packing};
pub use self::base::{PackedChanges, pack};
use crate::api::sync::{Changes, PackedPage, PullPage, PullQuery, Pulled};
use crate::cache::{Entry, Readers, Tag, Want};
use crate::cursor::Cursor;
use crate::push::check_schema;
use crate::rights::require;
use crate::seen::SeenNote;
use crate::visibility::Eyes;
use crate::{Engine, EngineError, Result, visibility};

/// Changes of a page that asks for no other number.
pub const PAGE_CHANGES_DEFAULT: usize = 500;
/// Most changes of a page.
pub const PAGE_CHANGES_MAX: usize = 1_000;
/// A show with fewer changes is told in a page or two: there is nothing to save.
pub const PAGES_KEPT_FROM: i64 = 500;
/// Kept pages are given to nobody when they are so old …
const PAGES_LIVE: TimeDelta = TimeDelta::seconds(60);
/// … and made anew when somebody asks who comes later than this.
const PAGES_FRESH: TimeDelta = TimeDelta::seconds(40);
/// A phone waits so long while they are made; then it is told live, and those who come next find them.
const PAGES_PATIENCE: Duration = Duration::from_secs(3);
/// Smaller ones are made faster than they are written, and larger ones would hold the disk.
const PAGES_ROW_BYTES: RangeInclusive<usize> = 16 * 1024..=1024 * 1024;

/// A pull on its way: what it may see, and where it stands.
struct Pulling<'a> {
    eyes: Eyes<'a>,
    wanted: Vec<&'static Table>,
    limit: usize,
    /// Where it goes on; it becomes where the next page does.
    cursor: Cursor,
    clock: Seq,
    /// Rows that were deleted up to this number may be forgotten.
    oldest: Seq,
}

impl Engine {
    /// A page of changes the actor may see, each as a text of its own.
    pub async fn pull(&self, actor: &Actor, query: PullQuery) -> Result<PullPage> {
        match self.pull_packed(actor, PullQuery { known: None, ..query }).await? {
            Pulled::Page(page) => Ok(page.unpacked()),
            Pulled::Unchanged(_) => unreachable!("nothing is known to who names nothing"),
        }
    }

    /// A page of changes the actor may see, packed as far as it is kept so; or that there is none other than the reader
    /// knows.
    pub async fn pull_packed(&self, actor: &Actor, query: PullQuery) -> Result<Pulled> {
        require(actor, Action::Sync)?;
        // What was made for this pull; nothing if that went wrong.
        let mut made: Option<Option<Arc<Entry>>> = None;
        loop {
            let (mut tx, mut pulling) = self.begin_pull(actor, &query).await?;
            let etag = pulling.etag();
            let came_with = query.cursor.is_some().then_some(pulling.cursor.seq);
            let is_known = query.known.as_deref().is_some_and(|known| names(known, &etag));
            let base = match &made {
                _ if is_known => None,
                Some(made) => made.clone().and_then(|entry| pulling.pages_in(entry)),
                None => self.kept_pages(actor, &pulling).await,
            };
            let is_to_be_made = base.is_none() && made.is_none() && !is_known;
            if is_to_be_made && pulling.is_first_of_many(self.inner.pages_kept_from) {
                // Whoever makes the pages needs a connection, and so do those who wait for them.
                drop(tx);
                made = Some(self.make_pages(actor, &pulling).await);
                continue;
            }
            let (changes, more) = if is_known { (Vec::new(), false) } else { pulling.page(&mut tx, base).await? };
            let pulled_seq = if is_known { None } else { Some(Seq(pulling.cursor.seq)) };
            // A page may not arrive: the device still holds the cursor it came with. Who came with none and has the page
            // already says nothing of the one that it holds.
            let cursor_seq = came_with.map(Seq).or(pulled_seq);
            let note = SeenNote { pulled_seq, cursor_seq, ..SeenNote::at(self.now()) };
            self.inner.seen.note(actor.device, note);
            if is_known {
                return Ok(Pulled::Unchanged(etag));
            }
            return Ok(Pulled::Page(PackedPage {
                epoch: pulling.cursor.epoch,
                changes,
                cursor: pulling.cursor.sign(&self.inner.cursor_key),
                has_more: more,
                clock: pulling.clock.0,
                etag,
            }));
        }
    }

    /// Looks where the reader stands, and whether it may go on from there.
    async fn begin_pull<'a>(&self, actor: &'a Actor, query: &PullQuery) -> Result<(Tx, Pulling<'a>)> {
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
        let limit = query.limit.clamp(1, PAGE_CHANGES_MAX);
        let pulling =
            Pulling { eyes: Eyes::of(actor), wanted, limit, cursor, clock: meta.clock, oldest: meta.oldest_seq };
        Ok((tx, pulling))
    }

    /// The pages that are kept for this reader's class, if they go on behind where it stands.
    async fn kept_pages(&self, actor: &Actor, pulling: &Pulling<'_>) -> Option<BasePages> {
        if pulling.is_near_the_end() {
            return None;
        }
        let want = pulling.want(actor)?;
        let class = pulling.eyes.class;
        let make = move |engine: Self| async move { engine.pack_pages(class).await };
        self.kept(&want, &make, |entry| pulling.pages_in(entry)).await
    }

    /// Sees to it that there are pages for this reader's class. None if they are not there soon: what is wrong with them
    /// keeps nobody from the page that is read live.
    async fn make_pages(&self, actor: &Actor, pulling: &Pulling<'_>) -> Option<Arc<Entry>> {
        let want = pulling.want(actor)?;
        let class = pulling.eyes.class;
        let make = move |engine: Self| async move { engine.pack_pages(class).await };
        self.kept_or_made(&want, &make).await.ok()
    }

    /// All changes as a class is told them, packed. What goes wrong is in the log once, for all who wait for it.
    async fn pack_pages(&self, class: ReadClass) -> Result<Vec<u8>> {
        let packed = self.packed_pages(class).await;
        packed.inspect_err(|error| tracing::warn!(%error, "the pages of a first pull could not be kept"))
    }

    async fn packed_pages(&self, class: ReadClass) -> Result<Vec<u8>> {
        let mut tx = self.begin_read_desk().await?;
        // On Postgres rows that the person may not see are not there: pages without them would go out to everybody.
        let desk = people::member(&mut tx, self.inner.desk_person).await?;
        if desk.is_none_or(|member| !matches!(member.role, Role::Owner | Role::Admin)) {
            return Err(EngineError::Forbidden("this laptop's person does not see the whole show".to_owned()));
        }
        let meta = meta::read(&mut tx).await?;
        let (all, nothing_own) = (wanted_tables(&[])?, Scope::default());
        let eyes = Eyes { class, scope: &nothing_own };
        let corrupt = || EngineError::Folder("a change's text cannot be read".to_owned());
        let mut packing = Packing::up_to(meta.clock);
        let mut after = Some(Seq(0));
        while let Some(from) = after {
            let page = visibility::page(&mut tx, eyes, (from, meta.clock), &all, PAGE_CHANGES_MAX).await?;
            packing.add(page.changes).ok_or_else(corrupt)?;
            after = page.more_after;
        }
        packing.finish().ok_or_else(corrupt)
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

impl Pulling<'_> {
    /// The pages that everybody of the reader's class shares; none for a viewer with something of its own.
    fn want(&self, actor: &Actor) -> Option<Want> {
        let class = self.eyes.class;
        if class == ReadClass::Public && *self.eyes.scope != Scope::default() {
            return None;
        }
        Some(Want {
            tag: Tag::FirstPull,
            readers: Readers::Class(class),
            asker: actor.person,
            made_of: format!("{}/{SCHEMA_VERSION}", self.cursor.epoch),
            fresh_for: PAGES_FRESH,
            lives_for: PAGES_LIVE,
            row_bytes: Some(PAGES_ROW_BYTES),
            patience: PAGES_PATIENCE,
        })
    }

    /// Whether one live page brings all that is left: there is nothing to save.
    fn is_near_the_end(&self) -> bool {
        let left = usize::try_from(self.clock.0 - self.cursor.seq).unwrap_or(0);
        self.cursor.seq > 0 && left <= self.limit
    }

    /// The kept pages, if they are of this show as it is and go on behind where the reader stands.
    fn pages_in(&self, entry: Arc<Entry>) -> Option<BasePages> {
        let pages = BasePages::of(entry)?;
        let is_sound = pages.seq() <= self.clock && pages.seq() >= self.oldest;
        (is_sound && pages.seq().0 > self.cursor.seq).then_some(pages)
    }

    /// Whether it begins, and there is enough to make pages of.
    fn is_first_of_many(&self, pages_kept_from: i64) -> bool {
        self.cursor.seq == 0 && self.clock.0 >= pages_kept_from
    }

    /// The next page, from kept pages as far as they go, the rest live. Tells whether there is another one.
    async fn page(&mut self, tx: &mut Tx, base: Option<BasePages>) -> Result<(Vec<Changes>, bool)> {
        let (mut changes, mut room) = (Vec::new(), self.limit);
        let base = match base {
            Some(pages) if pages.follow(tx, self.clock).await? => Some(pages),
            _ => None,
        };
        if let Some(pages) = base
            && let Some(taken) = pages.take(Seq(self.cursor.seq), self.clock, &self.wanted, self.limit)
        {
            changes = taken.changes;
            room -= taken.count;
            self.cursor.seq = taken.more_after.unwrap_or(pages.seq()).0;
            if taken.more_after.is_some() {
                return Ok((changes, true));
            }
            if room == 0 {
                return Ok((changes, self.cursor.seq < self.clock.0));
            }
        }
        let span = (Seq(self.cursor.seq), self.clock);
        let page = visibility::page(tx, self.eyes, span, &self.wanted, room).await?;
        changes.push(Changes::Each(page.changes));
        self.cursor.seq = page.more_after.unwrap_or(self.clock).0;
        Ok((changes, page.more_after.is_some()))
    }

    /// The same for the same question as long as nothing has changed in the show.
    fn etag(&self) -> String {
        let Cursor { epoch, seq, scope, schema, device, tables, floor } = &self.cursor;
        let version = env!("CARGO_PKG_VERSION");
        let asked =
            serde_json::json!([version, epoch, seq, scope, schema, device, tables, floor, self.clock, self.limit]);
        format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(asked.to_string())[..18]))
    }
}

/// Whether a list of tags, as in `If-None-Match`, names this one. For reading, a weak tag is as good as the same strong
/// one.
pub fn names(known: &str, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim_start_matches("W/").to_owned();
    known.split(',').map(str::trim).any(|one| one == "*" || strong(one) == strong(etag))
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
