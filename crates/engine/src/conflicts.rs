//! Clashes as the desk and their authors list them: which, in which order, page by page.

mod view;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use showdesk_domain::actor::{Actor, ReadClass};
use showdesk_domain::conflict::{Conflict, ConflictKind, ConflictStatus};
use showdesk_domain::ids::{ConflictId, DeviceId, PersonId, RecordId};
use showdesk_domain::local_day::first_moment;
use showdesk_domain::permit::Action;
use showdesk_domain::schema::{Table, known_table, table};
use showdesk_store::conflicts::{ConflictFilter, Standing};
use showdesk_store::{Tx, conflicts, records};
use uuid::Uuid;

use crate::api::conflicts::{ConflictCounts, ConflictPage, ConflictQuery, ConflictView, MyConflicts};
use crate::cursor::moment;
use crate::programme::Touched;
use crate::rights::require;
use crate::urgency::{Severity, Urgency};
use crate::{Engine, EngineError, Result, visibility};
use view::Context;

/// Clashes of one page.
const PAGE: usize = 200;
/// Clashes that are sorted by urgency, the newest of them: more than a whole show has had.
const SORTED_MAX: i64 = 20_000;

impl Engine {
    /// Clashes, for the desk.
    pub async fn conflicts(&self, actor: &Actor, query: ConflictQuery) -> Result<ConflictPage> {
        require(actor, Action::SeeClashes)?;
        let mut tx = self.begin_read_as(actor).await?;
        let (found, cursor) = match query.order.as_deref() {
            None | Some("newest") if !is_narrow(&query) => newest(&mut tx, &query).await?,
            None | Some("newest" | "urgent") => self.most_urgent(&mut tx, &query).await?,
            Some(_) => return Err(bad_filter("order")),
        };
        let midnight = self.midnight(&mut tx).await?;
        let counts = conflicts::counts(&mut tx, midnight).await?;
        let counts = ConflictCounts {
            open: counts.open,
            decided: counts.decided,
            merged_automatically: counts.merged_automatically,
            decided_today: counts.decided_since,
            merged_today: counts.merged_since,
        };
        Ok(ConflictPage { items: self.views(&mut tx, found, actor).await?, cursor, counts })
    }

    /// A page of the clashes that match, the most urgent first.
    async fn most_urgent(&self, tx: &mut Tx, query: &ConflictQuery) -> Result<(Vec<Conflict>, Option<String>)> {
        let severity = match query.severity.as_deref() {
            Some(word) => Some(Severity::parse(word).ok_or_else(|| bad_filter("severity"))?),
            None => None,
        };
        let after = match query.cursor.as_deref() {
            Some(text) => Some(read_cursor_text(text).and_then(|text| Urgency::from_text(&text)))
                .map(|read| read.ok_or_else(|| bad_filter("cursor")))
                .transpose()?,
            None => None,
        };
        let filter =
            ConflictFilter { limit: SORTED_MAX, ..filter_of(&ConflictQuery { cursor: None, ..query.clone() })? };
        let found = conflicts::list(tx, &filter).await?;
        let touched = Touched::by(tx, &found).await?;
        let zone = self.zone(tx).await?;
        let now = self.now();
        let is_wanted = |clash: &Conflict, urgency: &Urgency| {
            query.class.is_none_or(|class| touched.class_of(clash).is_some_and(|known| known.id == class))
                && severity.is_none_or(|severity| urgency.severity == severity)
                && after.is_none_or(|after| *urgency > after)
        };
        let ranked = found.into_iter().map(|clash| (Urgency::of(&clash, touched.class_of(&clash), now, zone), clash));
        let mut ranked: Vec<(Urgency, Conflict)> =
            ranked.filter(|(urgency, clash)| is_wanted(clash, urgency)).collect();
        ranked.sort_by_key(|(urgency, _)| *urgency);
        let page = page_size(query)?;
        let has_more = ranked.len() > page;
        ranked.truncate(page);
        let cursor = ranked.last().filter(|_| has_more).map(|(last, _)| URL_SAFE_NO_PAD.encode(last.to_text()));
        Ok((ranked.into_iter().map(|(_, clash)| clash).collect(), cursor))
    }

    /// When the day began at the show.
    pub(crate) async fn midnight(&self, tx: &mut Tx) -> Result<DateTime<Utc>> {
        let zone = self.zone(tx).await?;
        Ok(first_moment(&zone, self.now().with_timezone(&zone).date_naive()))
    }

    /// The show's time zone.
    pub(crate) async fn zone(&self, tx: &mut Tx) -> Result<chrono_tz::Tz> {
        let shows = records::load(tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?;
        let name = shows.first().and_then(|show| show.value("timezone").as_text());
        Ok(name.and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::UTC))
    }

    /// One clash, for the desk.
    pub async fn conflict(&self, actor: &Actor, id: Uuid) -> Result<ConflictView> {
        require(actor, Action::SeeClashes)?;
        self.conflict_view(actor, ConflictId(id)).await
    }

    /// Clashes about the actor's own entries: those its device sent, and those whose desk value it wrote.
    pub async fn my_conflicts(&self, actor: &Actor) -> Result<MyConflicts> {
        require(actor, Action::SeeOwnClashes)?;
        let mut tx = self.begin_read_as(actor).await?;
        let limit = i64::try_from(PAGE).expect("a small number");
        let mut found = conflicts::of_author(&mut tx, actor.device, actor.person, limit).await?;
        found.retain(|conflict| conflict.status != ConflictStatus::MergedAutomatically);
        let mut found = only_visible(&mut tx, actor, found).await?;
        found.sort_by_key(|conflict| conflict.status != ConflictStatus::Open);
        Ok(MyConflicts { items: self.views(&mut tx, found, actor).await? })
    }

    /// What cannot be seen is not answered either, and nothing is done about it.
    pub(crate) async fn refuse_unseen(&self, actor: &Actor, id: ConflictId) -> Result<()> {
        if actor.read_class() > ReadClass::Public {
            return Ok(());
        }
        let mut tx = self.begin_read_as(actor).await?;
        let found = conflicts::load(&mut tx, &[id]).await?;
        match only_visible(&mut tx, actor, found).await?.pop() {
            Some(_) => Ok(()),
            None => Err(EngineError::NotFound("the clash")),
        }
    }

    pub(crate) async fn conflict_view(&self, actor: &Actor, id: ConflictId) -> Result<ConflictView> {
        let mut tx = self.begin_read_as(actor).await?;
        let found = conflicts::load(&mut tx, &[id]).await?;
        let found = only_visible(&mut tx, actor, found).await?;
        self.views(&mut tx, found, actor).await?.pop().ok_or(EngineError::NotFound("the clash"))
    }

    async fn views(&self, tx: &mut Tx, found: Vec<Conflict>, actor: &Actor) -> Result<Vec<ConflictView>> {
        let zone = self.zone(tx).await?;
        let context = Context::load(tx, &found, (self.now(), zone)).await?.seen_by(actor);
        Ok(found.into_iter().map(|conflict| context.view(conflict, actor)).collect())
    }
}

/// Who has become a viewer sees no clash about a row that viewers do not see.
async fn only_visible(tx: &mut Tx, actor: &Actor, mut found: Vec<Conflict>) -> Result<Vec<Conflict>> {
    if actor.read_class() == ReadClass::Public {
        let rows: Vec<_> = found.iter().flat_map(rows_of).collect();
        let visible = visibility::visible(tx, actor, &rows).await?;
        found.retain(|clash| rows_of(clash).iter().all(|(table, id)| visible.contains(&(table.name, *id))));
    }
    Ok(found)
}

/// The rows that a clash tells of.
fn rows_of(clash: &Conflict) -> Vec<(&'static Table, RecordId)> {
    let own = std::iter::once(clash.record_id).chain(clash.other_record_id).map(|id| (clash.table, id));
    own.chain(clash.parts.iter().map(|part| (part.table, part.record_id))).collect()
}

/// Whether the query asks for something that only the sorted list can tell.
fn is_narrow(query: &ConflictQuery) -> bool {
    query.severity.is_some() || query.class.is_some() || query.author.is_some()
}

/// A page of the clashes that match, newest first.
async fn newest(tx: &mut Tx, query: &ConflictQuery) -> Result<(Vec<Conflict>, Option<String>)> {
    let page = page_size(query)?;
    let limit = i64::try_from(page + 1).expect("a small number");
    let mut found = conflicts::list(tx, &ConflictFilter { limit, ..filter_of(query)? }).await?;
    let has_more = found.len() > page;
    found.truncate(page);
    let cursor = found.last().filter(|_| has_more).map(|last| page_cursor(last.created_at, last.id));
    Ok((found, cursor))
}

fn page_size(query: &ConflictQuery) -> Result<usize> {
    let Some(text) = query.limit.as_deref() else { return Ok(PAGE) };
    let size = text.parse::<usize>().ok().filter(|size| *size > 0);
    size.map(|size| size.min(PAGE)).ok_or_else(|| bad_filter("limit"))
}

fn bad_filter(name: &str) -> EngineError {
    EngineError::BadQuery { code: "bad_filter", detail: format!("{name} is not known here") }
}

pub(crate) fn filter_of(query: &ConflictQuery) -> Result<ConflictFilter> {
    let bad = bad_filter;
    let status = match query.status.as_deref() {
        Some("decided") => Some(Standing::Decided),
        Some(word) => Some(Standing::Status(ConflictStatus::parse(word).ok_or_else(|| bad("status"))?)),
        None => None,
    };
    let kind = match &query.kind {
        Some(word) => Some(ConflictKind::parse(word).ok_or_else(|| bad("kind"))?),
        None => None,
    };
    let in_table = match &query.table {
        Some(name) => Some(table(name).ok_or_else(|| bad("table"))?),
        None => None,
    };
    let before = match &query.cursor {
        Some(text) => Some(read_page_cursor(text).ok_or_else(|| bad("cursor"))?),
        None => None,
    };
    let (device, author) = (query.device.map(DeviceId), query.author.map(PersonId));
    Ok(ConflictFilter { status, kind, table: in_table, device, author, before, limit: 0 })
}

fn page_cursor(at: DateTime<Utc>, id: ConflictId) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{id}", at.timestamp_millis()))
}

fn read_page_cursor(text: &str) -> Option<(DateTime<Utc>, ConflictId)> {
    let text = read_cursor_text(text)?;
    let (at, id) = text.split_once('.')?;
    Some((moment(at)?, ConflictId(Uuid::try_parse(id).ok()?)))
}

fn read_cursor_text(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests;
