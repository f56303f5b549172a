//! The table behind the memory: a value that is costly to make is there after a restart, and for the other desks of the
//! database.
//!
//! It is written by one task, in transactions of its own and never in the show's. What it has no time for is left out.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use showdesk_store::cache::{self as rows, CacheFacts, CacheRow};
use tokio::sync::mpsc;

use super::{Entry, Want, etag_of, readers_of, tag_of};
use crate::{Engine, Result};

/// Values that wait to be written; more are not.
const ORDERS_MAX: usize = 16;
/// Expired rows that one new row removes, at most.
const EXPIRED_WITH_A_ROW: i64 = 100;
/// Rows that one transaction of a sweep removes.
const STEP: i64 = 100;
/// Transactions of one sweep; what is left waits for the next.
const STEPS_MAX: usize = 200;

/// The way to the task that writes.
#[derive(Default)]
pub(crate) struct Shelf(OnceLock<mpsc::Sender<Order>>);

/// A value to write.
struct Order {
    key: String,
    entry: Arc<Entry>,
    /// How often its tag had been forgotten when it was begun.
    forgotten: u64,
}

impl Shelf {
    /// Has a value written, if there is time for it and its tag is not forgotten meanwhile.
    pub(super) fn put(&self, key: &str, entry: &Arc<Entry>, forgotten: u64) {
        let order = Order { key: key.to_owned(), entry: Arc::clone(entry), forgotten };
        // A full shelf loses nothing that could not be made again.
        let _ = self.0.get().map(|orders| orders.try_send(order));
    }
}

impl Engine {
    /// Starts the task that writes. It ends with the show.
    pub(crate) fn start_shelf(&self) {
        let (sender, mut orders) = mpsc::channel(ORDERS_MAX);
        if self.inner.cache.shelf.0.set(sender).is_err() {
            return;
        }
        let inner = Arc::downgrade(&self.inner);
        let writing = tokio::spawn(async move {
            while let Some(order) = orders.recv().await {
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                if let Err(error) = engine.shelve(order).await {
                    tracing::debug!(%error, "what was made once is kept in memory only");
                }
            }
        });
        self.background().push(writing.abort_handle());
    }

    async fn shelve(&self, Order { key, entry, forgotten }: Order) -> Result<()> {
        let mut tx = self.begin_write_work().await?;
        // Looked at here, where no clearing can come between this and the commit.
        if self.inner.cache.forgotten(entry.tag).load(Ordering::Acquire) != forgotten {
            return Ok(());
        }
        rows::remove_expired(&mut tx, self.now(), EXPIRED_WITH_A_ROW).await?;
        rows::put(&mut tx, self.fresh_id(), &row_of(key, &entry), self.now()).await?;
        self.commit(tx).await
    }

    /// The value in the table, if it is there, whole, and for the eyes of who asks.
    pub(super) async fn read_shelf(&self, want: &Want, key: &str) -> Option<Arc<Entry>> {
        want.row_bytes.as_ref()?;
        let found = async {
            // In the seat of who asks: on Postgres the table itself looks at who may read it.
            let mut tx = self.db().begin_read(showdesk_store::db::Seat::Person(want.asker)).await?;
            rows::find(&mut tx, key, self.now()).await
        };
        let CacheRow { facts, value } = match found.await {
            Ok(found) => found?,
            Err(error) => {
                tracing::debug!(%error, "the table of kept answers could not be read");
                return None;
            }
        };
        let etag = facts.etag.as_deref().filter(|etag| *etag == etag_of(&value))?.to_owned();
        let entry = Entry {
            tag: tag_of(&facts.tags)?,
            readers: readers_of(&facts.scope).filter(|readers| *readers == want.readers)?,
            value,
            etag,
            made_at: facts.created_at,
            stale_until: facts.stale_until.unwrap_or(facts.expires_at),
            expires_at: facts.expires_at,
            hits: AtomicU64::new(u64::try_from(facts.hits).unwrap_or(0)),
            renewing: AtomicBool::new(false),
            read: OnceLock::new(),
        };
        entry.is_usable(self.now()).then(|| Arc::new(entry))
    }

    /// Removes what has expired from the table, in steps. Answers how many rows went.
    pub(crate) async fn sweep_cache(&self) -> Result<u64> {
        let mut removed = 0;
        for _ in 0..STEPS_MAX {
            let mut tx = self.begin_write_work().await?;
            let step = rows::remove_expired(&mut tx, self.now(), STEP).await?;
            self.commit(tx).await?;
            removed += step;
            if step == 0 {
                break;
            }
        }
        Ok(removed)
    }
}

fn row_of(key: String, entry: &Entry) -> CacheRow {
    let facts = CacheFacts {
        key,
        scope: entry.readers.word().to_owned(),
        tags: vec![entry.tag.word().to_owned()],
        etag: Some(entry.etag.clone()),
        size_bytes: i64::try_from(entry.value.len()).unwrap_or(i64::MAX),
        hits: i64::try_from(entry.hits.load(Ordering::Relaxed)).unwrap_or(i64::MAX),
        stale_until: Some(entry.stale_until),
        expires_at: entry.expires_at,
        created_at: entry.made_at,
    };
    CacheRow { facts, value: entry.value.clone() }
}
