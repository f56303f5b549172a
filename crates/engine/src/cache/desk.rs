//! What the desk shows of the cache, and clearing it by hand.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_store::cache as rows;

use super::{Entry, MEMORY_BYTES_MAX, Tag, asked_tag};
use crate::api::cache::{CacheCleared, CacheKind, CacheOnDisk, CacheTop, CacheView};
use crate::rights::require;
use crate::{Engine, Result};

/// Entries that the desk shows.
const TOP_MAX: usize = 10;
/// Rows that it counts.
const COUNTED_MAX: i64 = 1_000;
/// Rows that one clearing removes from the table at most. A show has a handful.
const ROWS_MAX: i64 = 10_000;

impl Engine {
    /// How much is kept in memory, how well it serves, and what is asked for most.
    pub async fn cache_view(&self, actor: &Actor, tag: Option<&str>) -> Result<CacheView> {
        require(actor, Action::SeeHealth)?;
        let tag = asked_tag(tag)?;
        let cache = &self.inner.cache;
        cache.memory.run_pending_tasks().await;
        let sizes = cache.sizes();
        let counts = self.cache_figures();
        let asked = counts.hits + counts.misses;
        let kind = |(tag, (bytes, entries)): (&Tag, &(u64, u64))| CacheKind {
            tag: tag.word(),
            name: tag.name(),
            bytes: *bytes,
            entries: *entries,
        };
        let now = self.now();
        let mut tx = self.begin_read_as(actor).await?;
        let mut rows = rows::list(&mut tx, now, COUNTED_MAX).await?;
        drop(tx);
        rows.retain(|row| tag.is_none_or(|tag| super::tag_of(&row.tags) == Some(tag)));
        let mut top: Vec<(Arc<String>, Arc<Entry>)> = cache.memory.iter().collect();
        top.retain(|(_, entry)| entry.is_usable(now) && tag.is_none_or(|tag| tag == entry.tag));
        let hits = |entry: &Entry| entry.hits.load(Ordering::Relaxed);
        top.sort_by(|(a_key, a), (b_key, b)| hits(b).cmp(&hits(a)).then_with(|| a_key.cmp(b_key)));
        let item = |(key, entry): (Arc<String>, Arc<Entry>)| CacheTop {
            scope: entry.readers.word(),
            bytes: entry.bytes() as u64,
            hits: hits(&entry),
            expires_at: entry.expires_at,
            key: key.as_ref().clone(),
        };
        Ok(CacheView {
            bytes: sizes.values().map(|(bytes, _)| bytes).sum(),
            bytes_max: MEMORY_BYTES_MAX,
            entries: sizes.values().map(|(_, entries)| entries).sum(),
            hits: counts.hits,
            misses: counts.misses,
            hit_percent: (asked > 0).then(|| counts.hits * 100 / asked),
            kinds: sizes.iter().map(kind).collect(),
            top: top.into_iter().take(TOP_MAX).map(item).collect(),
            on_disk: CacheOnDisk {
                bytes: rows.iter().filter_map(|row| u64::try_from(row.size_bytes).ok()).sum(),
                entries: rows.len() as u64,
            },
        })
    }

    /// Clears what is kept, all or one kind. Whoever asks next waits a little longer; nothing else changes.
    pub async fn clear_cache(&self, actor: &Actor, tag: Option<&str>) -> Result<CacheCleared> {
        require(actor, Action::ManageHealth)?;
        let tag = asked_tag(tag)?;
        let mut kept = 0;
        for tag in Tag::ALL.into_iter().filter(|one| tag.is_none_or(|tag| tag == *one)) {
            kept += self.inner.cache.forget(tag).await;
        }
        let mut tx = self.begin_write_work().await?;
        let rows = rows::remove(&mut tx, tag.map(Tag::word), ROWS_MAX).await?;
        // What stood in memory and in the table is one thing to who clears it.
        let removed = rows.max(kept);
        let what = json!({ "tag": tag.map_or("all", Tag::word), "removed": removed });
        self.note_within(&mut tx, actor, "cache_cleared", None, Some(what)).await?;
        self.commit(tx).await?;
        Ok(CacheCleared { removed })
    }
}
