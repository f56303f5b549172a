//! Answers that are worth keeping: in memory, and some of them in the table `cache_entries` behind it.
//!
//! An entry's key says of what it was made and for which class of readers, so a value can neither be stale nor reach
//! eyes that may not see it. What many ask for at once is made once, and for nobody's request alone. What is found
//! expired is never given; what grows old is given once more while it is made anew; who waits for a making is given what
//! it made, however long it took. Nothing here waits for the show's writer: the table is written by a task of its own,
//! and an entry it has no time for stays in memory only.

mod desk;
mod making;
mod shelf;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use moka::Expiry;
use moka::future::Cache as Memory;
use showdesk_domain::actor::ReadClass;
use showdesk_domain::ids::PersonId;
use tokio::time::timeout;

use self::making::{Age, Makings, busy};
use self::shelf::Shelf;
use crate::{Engine, EngineError, Result};

/// Memory for values, at most: a county show's pages of all classes and its charts are a hundredth of it.
const MEMORY_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What an entry takes beside its value.
const ENTRY_BYTES: usize = 256;

/// What an entry is: a word in the table, and by which it is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tag {
    /// The pages of a first pull.
    FirstPull,
    /// Charts as they were drawn.
    Charts,
}

impl Tag {
    pub(crate) const ALL: [Self; 2] = [Self::FirstPull, Self::Charts];

    /// In addresses and in the table.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::FirstPull => "first-pull",
            Self::Charts => "charts",
        }
    }

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FirstPull => "Show book",
            Self::Charts => "Charts",
        }
    }
}

/// Who may read an entry. It stands in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// A class of readers, each of whom sees the same.
    Class(ReadClass),
    /// Who runs the show.
    Admins,
}

impl Readers {
    /// In keys and in the table, whose policies know the classes.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Class(ReadClass::Public) => "public",
            Self::Class(ReadClass::Staff) => "staff",
            Self::Class(ReadClass::Office) => "office",
            Self::Admins => "admins",
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    /// What it is for.
    pub tag: Tag,
    /// Who may read it.
    pub readers: Readers,
    /// Who asks: the table's own policies look at that person.
    pub asker: PersonId,
    /// Of what it is made: the same words always mean the same value, or one that its user makes good.
    pub made_of: String,
    /// After this it is made anew while the old one is given once more.
    pub fresh_for: TimeDelta,
    /// After this it is given to nobody but those who waited while it was made.
    pub lives_for: TimeDelta,
    /// Whether it is worth a row in the table, and how large it may be there.
    pub row_bytes: Option<std::ops::RangeInclusive<usize>>,
    /// So long whoever asks waits while it is made.
    pub patience: Duration,
}

impl Want {
    /// The whole key: two programs of different versions may make different values of the same.
    pub(crate) fn key(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        format!("{}/{version}/{}/{}", self.tag.word(), self.readers.word(), self.made_of)
    }
}

/// A value, and all that is known of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub tag: Tag,
    pub readers: Readers,
    /// What was made.
    pub value: Vec<u8>,
    /// Changes with the value.
    pub etag: String,
    pub made_at: DateTime<Utc>,
    pub stale_until: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    hits: AtomicU64,
    /// Somebody makes it anew already.
    renewing: AtomicBool,
    /// The value as whoever made it reads it, once it was read.
    read: OnceLock<Option<Arc<dyn Any + Send + Sync>>>,
}

impl Entry {
    /// The value as `read` understands it. None if it does not.
    pub(crate) fn as_read<T: Send + Sync + 'static>(&self, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<Arc<T>> {
        let any = self.read.get_or_init(|| Some(Arc::new(read(&self.value)?) as Arc<dyn Any + Send + Sync>));
        any.clone()?.downcast().ok()
    }

    fn is_usable(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not keep anything longer than it lives.
        now < self.expires_at && now >= self.made_at - CLOCK_STEP
    }

    fn bytes(&self) -> usize {
        self.value.len() + ENTRY_BYTES
    }
}

/// So far may the clock go back before everything kept is suspect.
const CLOCK_STEP: TimeDelta = TimeDelta::seconds(5);

/// How well it does, since the program started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CacheFigures {
    /// Answers that were there, or were being made for somebody else.
    pub hits: u64,
    /// Answers that had to be made, or were not there in time.
    pub misses: u64,
    /// Memory in use.
    pub bytes: u64,
}

/// What is kept.
pub(crate) struct Cache {
    memory: Memory<String, Arc<Entry>>,
    makings: Makings,
    shelf: Shelf,
    hits: AtomicU64,
    misses: AtomicU64,
    /// How often each tag was forgotten on purpose: what was being made meanwhile is not kept.
    forgotten: [AtomicU64; Tag::ALL.len()],
}

/// Moka frees what nobody asks for again by its own clock; whether a value may be given is looked at by the show's.
struct Lifetime;

impl Expiry<String, Arc<Entry>> for Lifetime {
    fn expire_after_create(&self, _: &String, entry: &Arc<Entry>, _: Instant) -> Option<Duration> {
        (entry.expires_at - entry.made_at).to_std().ok()
    }

    fn expire_after_update(
        &self,
        key: &String,
        entry: &Arc<Entry>,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, at)
    }
}

impl Cache {
    pub(crate) fn new() -> Self {
        let weigh = |key: &String, entry: &Arc<Entry>| u32::try_from(key.len() + entry.bytes()).unwrap_or(u32::MAX);
        Self {
            memory: Memory::builder().max_capacity(MEMORY_BYTES_MAX).weigher(weigh).expire_after(Lifetime).build(),
            makings: Makings::default(),
            shelf: Shelf::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            forgotten: Tag::ALL.map(|_| AtomicU64::new(0)),
        }
    }

    /// Ends what is being made; the show is closed.
    pub(crate) fn close(&self) {
        self.makings.close();
    }

    fn forgotten(&self, tag: Tag) -> &AtomicU64 {
        &self.forgotten[tag as usize]
    }

    /// Forgets what is in memory with that tag, and what is being made with it. Answers how many values there were.
    async fn forget(&self, tag: Tag) -> u64 {
        self.forgotten(tag).fetch_add(1, Ordering::AcqRel);
        let keys: Vec<Arc<String>> =
            self.memory.iter().filter(|(_, entry)| entry.tag == tag).map(|(key, _)| key).collect();
        for key in &keys {
            self.memory.invalidate(key.as_ref()).await;
        }
        keys.len() as u64
    }

    fn hit(&self, entry: &Entry) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        entry.hits.fetch_add(1, Ordering::Relaxed);
    }

    fn miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// What is in memory by tag: bytes and values.
    fn sizes(&self) -> BTreeMap<Tag, (u64, u64)> {
        let mut sizes: BTreeMap<Tag, (u64, u64)> = Tag::ALL.map(|tag| (tag, (0, 0))).into();
        for (key, entry) in &self.memory {
            let (bytes, count) = sizes.entry(entry.tag).or_default();
            *bytes += (key.len() + entry.bytes()) as u64;
            *count += 1;
        }
        sizes
    }
}

impl Engine {
    /// The value as `read` understands it, if it is in memory and of use to who asks. Nothing is waited for: who asks may
    /// hold a transaction.
    pub(crate) async fn kept<F, Made, Read>(
        &self,
        want: &Want,
        make: &F,
        read: impl FnOnce(Arc<Entry>) -> Option<Read>,
    ) -> Option<Read>
    where
        F: Fn(Self) -> Made + Clone + Send + Sync + 'static,
        Made: Future<Output = Result<Vec<u8>>> + Send,
    {
        let cache = &self.inner.cache;
        let now = self.now();
        let entry = cache.memory.get(&want.key()).await.filter(|entry| entry.is_usable(now))?;
        let value = read(Arc::clone(&entry))?;
        cache.hit(&entry);
        if now >= entry.stale_until && !entry.renewing.swap(true, Ordering::AcqRel) {
            // Nobody waits for it. If it fails the old one expires; then whoever asks is told what is wrong.
            self.join_making(want, make, Age::Fresh);
        }
        Some(value)
    }

    /// The value, from memory, from the table, or made now. However many ask at once, it is made once, and it is made to
    /// its end though none of them waits for it any more.
    ///
    /// Nobody who asks may hold a transaction meanwhile: `make` needs one, too, and there are only so many.
    pub(crate) async fn kept_or_made<F, Made>(&self, want: &Want, make: &F) -> Result<Arc<Entry>>
    where
        F: Fn(Self) -> Made + Clone + Send + Sync + 'static,
        Made: Future<Output = Result<Vec<u8>>> + Send,
    {
        if let Some(entry) = self.kept(want, make, Some).await {
            return Ok(entry);
        }
        let waiting = self.join_making(want, make, Age::Usable).ok_or_else(busy)?;
        let is_first = waiting.is_first;
        // Given as it is: what takes longer to make than it lives would otherwise never be given to anybody.
        let found = timeout(want.patience, waiting.outcome()).await.unwrap_or_else(|_| Err(busy()));
        if !is_first {
            match &found {
                Ok(entry) => self.inner.cache.hit(entry),
                Err(_) => self.inner.cache.miss(),
            }
        }
        found
    }

    async fn make<F, Made>(&self, want: &Want, key: &str, make: &F) -> Result<Arc<Entry>>
    where
        F: Fn(Self) -> Made + Send + Sync + 'static,
        Made: Future<Output = Result<Vec<u8>>> + Send,
    {
        let cache = &self.inner.cache;
        cache.miss();
        let before = cache.forgotten(want.tag).load(Ordering::Acquire);
        // Of the moment before it was made: what it says is at least as new.
        let made_at = self.now();
        let value = make(self.clone()).await?;
        // Of the one that it takes the place of.
        let hits = cache.memory.get(key).await.map_or(0, |old| old.hits.load(Ordering::Relaxed));
        let entry = Arc::new(Entry {
            tag: want.tag,
            readers: want.readers,
            etag: etag_of(&value),
            value,
            made_at,
            stale_until: made_at + want.fresh_for,
            expires_at: made_at + want.lives_for,
            hits: AtomicU64::new(hits),
            renewing: AtomicBool::new(false),
            read: OnceLock::new(),
        });
        let fits = want.row_bytes.as_ref().is_some_and(|bytes| bytes.contains(&entry.value.len()));
        if fits {
            cache.shelf.put(key, &entry, before);
        }
        Ok(entry)
    }

    /// A rule that charts draw, or something that they mark, has changed, and is committed. Drawings stand in memory only.
    pub(crate) async fn forget_charts(&self) {
        self.inner.cache.forget(Tag::Charts).await;
        // Who waits has asked before it changed.
        self.inner.cache.makings.overtake(Tag::Charts);
    }

    /// How well memory serves.
    pub(crate) fn cache_figures(&self) -> CacheFigures {
        let cache = &self.inner.cache;
        CacheFigures {
            hits: cache.hits.load(Ordering::Relaxed),
            misses: cache.misses.load(Ordering::Relaxed),
            bytes: cache.memory.weighted_size(),
        }
    }
}

/// Two values of one text have one tag.
fn etag_of(value: &[u8]) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha2::{Digest, Sha256};
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(value)[..18]))
}

/// The class of readers that a word of the table names; none of ours.
fn readers_of(word: &str) -> Option<Readers> {
    let classes = [ReadClass::Public, ReadClass::Staff, ReadClass::Office].map(Readers::Class);
    classes.into_iter().chain([Readers::Admins]).find(|readers| readers.word() == word)
}

/// What a row's tags name.
fn tag_of(words: &[String]) -> Option<Tag> {
    Tag::ALL.into_iter().find(|tag| words.iter().any(|word| word == tag.word()))
}

/// Which tag somebody asks for; none means all.
pub(crate) fn asked_tag(word: Option<&str>) -> Result<Option<Tag>> {
    let Some(word) = word else { return Ok(None) };
    let tag = Tag::ALL.into_iter().find(|tag| tag.word() == word);
    let detail = || format!("tag is one of {}", Tag::ALL.map(Tag::word).join(", "));
    tag.map(Some).ok_or_else(|| EngineError::BadQuery { code: "invalid_query", detail: detail() })
}
