//! The pages of a first pull, kept: at one feed number, for one class of readers, at most a minute old.
//!
//! Many phones join at once, and all of a class are told the same. What is kept is every change up to a number, as the
//! class is told it, in packed blocks. A row that has got a newer number since is left out of its block when a page is
//! put together, and comes with its new number from the feed: so each page holds exactly what a live one would, also
//! where somebody lost a right or a row was withdrawn a moment ago.
//!
//! Viewers with exhibitors of their own share with nobody and are never served from here.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use serde::Deserialize;
use showdesk_domain::ids::Seq;
use showdesk_domain::schema::{Table, tables};
use showdesk_store::{Result as StoreResult, Tx, changes};
use uuid::Uuid;

use crate::api::sync::Changes;
use crate::cache::Entry;

/// Changes of a block. A page is a few of them.
pub(super) const BLOCK_CHANGES: usize = 100;
/// So many rows may have moved since; a show that changes faster is read live.
const MOVED_MAX: i64 = 20_000;
/// Bytes of a row in a block's list: number, table, record, end of its text.
const ROW_BYTES: usize = 8 + 1 + 16 + 4;
/// Bytes before a block's list: rows, bytes of its text, its checksum, bytes of it packed.
const HEAD_BYTES: usize = 4 * 4;

/// Where a change's text says what it is about.
#[derive(Deserialize)]
struct Place<'t> {
    seq: i64,
    table_name: &'t str,
    record_id: Uuid,
}

/// Puts the pages of a class together.
pub(super) struct Packing {
    bytes: Vec<u8>,
    waiting: Vec<String>,
}

impl Packing {
    /// Pages of all changes up to that number.
    pub(super) fn up_to(seq: Seq) -> Self {
        Self { bytes: seq.0.to_le_bytes().to_vec(), waiting: Vec::with_capacity(BLOCK_CHANGES) }
    }

    /// Adds changes, in the order of their numbers.
    pub(super) fn add(&mut self, changes: Vec<String>) -> Option<()> {
        for change in changes {
            self.waiting.push(change);
            if self.waiting.len() == BLOCK_CHANGES {
                self.pack()?;
            }
        }
        Some(())
    }

    /// The value to keep.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        self.pack()?;
        Some(self.bytes)
    }

    fn pack(&mut self) -> Option<()> {
        if self.waiting.is_empty() {
            return Some(());
        }
        let mut rows = Vec::with_capacity(self.waiting.len() * ROW_BYTES);
        let mut text = String::new();
        for change in self.waiting.drain(..) {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&change);
            let place: Place<'_> = serde_json::from_str(&change).ok()?;
            rows.extend(place.seq.to_le_bytes());
            rows.push(place_of(place.table_name)?);
            rows.extend(place.record_id.as_bytes());
            rows.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
        }
        let packed = pack(text.as_bytes());
        let count = u32::try_from(rows.len() / ROW_BYTES).ok()?;
        let lengths = [count, u32::try_from(text.len()).ok()?, crc32fast::hash(text.as_bytes())];
        for number in lengths.into_iter().chain([u32::try_from(packed.len()).ok()?]) {
            self.bytes.extend(number.to_le_bytes());
        }
        self.bytes.extend(rows);
        self.bytes.extend(packed);
        Some(())
    }
}

/// The text as deflate blocks that end at a whole byte, need nothing before them and may be followed by others.
pub fn pack(text: &[u8]) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::fast(), false);
    let mut packed = Vec::with_capacity(text.len() / 4 + 64);
    // What is packed grows by a few bytes at most where nothing can be made of it.
    let mut taken = 0;
    loop {
        packed.reserve(text.len() / 8 + 64);
        deflate.compress_vec(&text[taken..], &mut packed, FlushCompress::Sync).expect("memory takes every byte");
        taken = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        if taken >= text.len() && packed.len() < packed.capacity() {
            return packed;
        }
    }
}

/// Kept pages, and what became of their rows since.
pub(crate) struct BasePages {
    entry: Arc<Entry>,
    index: Arc<Index>,
}

/// Where the blocks of a value lie.
#[derive(Debug)]
pub(crate) struct Index {
    /// The number up to which they go.
    seq: Seq,
    blocks: Vec<Block>,
    moved: Mutex<Moved>,
}

#[derive(Debug)]
struct Block {
    rows: usize,
    last: i64,
    text_bytes: usize,
    crc32: u32,
    list: Range<usize>,
    packed: Range<usize>,
}

/// Rows that have a newer number than in the pages, each with the least that anybody has seen.
#[derive(Debug, Default)]
struct Moved {
    up_to: i64,
    rows: HashMap<(u8, Uuid), i64>,
}

/// A row of a block's list.
#[derive(Debug, Clone, Copy)]
struct Row {
    seq: i64,
    table: u8,
    record: Uuid,
    text: (usize, usize),
}

/// What a page takes from the kept ones.
pub(super) struct Taken {
    /// Changes, in the order of their numbers.
    pub changes: Vec<Changes>,
    /// How many these are.
    pub count: usize,
    /// The number up to which the feed was looked at; none if all of the kept pages were.
    pub more_after: Option<Seq>,
}

impl Index {
    /// Reads where the blocks lie; none if these are no pages.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut at = 8;
        let seq = i64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        let mut blocks = Vec::new();
        while at < bytes.len() {
            let head = bytes.get(at..at + HEAD_BYTES)?;
            let number = |index: usize| Some(u32::from_le_bytes(head.get(index * 4..index * 4 + 4)?.try_into().ok()?));
            let (rows, text_bytes, length) = (number(0)? as usize, number(1)? as usize, number(3)? as usize);
            let list = at + HEAD_BYTES..at + HEAD_BYTES + rows.checked_mul(ROW_BYTES)?;
            let packed = list.end..list.end.checked_add(length)?;
            bytes.get(packed.clone())?;
            let ends = row_at(bytes, &list, rows.checked_sub(1)?)?.seq;
            at = packed.end;
            blocks.push(Block { rows, last: ends, text_bytes, crc32: number(2)?, list, packed });
        }
        let moved = Mutex::new(Moved { up_to: seq, rows: HashMap::new() });
        Some(Self { seq: Seq(seq), blocks, moved })
    }
}

impl BasePages {
    /// The pages in a kept value; none if it holds none.
    pub(super) fn of(entry: Arc<Entry>) -> Option<Self> {
        let index = entry.as_read(Index::read)?;
        Some(Self { entry, index })
    }

    /// The number up to which they go.
    pub(super) fn seq(&self) -> Seq {
        self.index.seq
    }

    /// Learns which rows got a newer number up to the clock of this transaction. False if these are too many.
    pub(super) async fn follow(&self, tx: &mut Tx, clock: Seq) -> StoreResult<bool> {
        let known = self.moved().up_to;
        if clock.0 - self.index.seq.0 > MOVED_MAX {
            return Ok(false);
        }
        // A row shows its newest number only. Who began before somebody who has looked already sees it at one that is
        // not known yet if it moved twice, and so looks for all of them.
        let from = match clock.0.cmp(&known) {
            Ordering::Less => self.index.seq,
            Ordering::Equal => return Ok(true),
            Ordering::Greater => Seq(known),
        };
        let found = changes::moved(tx, from, clock, MOVED_MAX + 1).await?;
        let mut moved = self.moved();
        for (seq, table, record) in found {
            if let Some(table) = place_of(table.name) {
                let least = moved.rows.entry((table, record.0)).or_insert(seq.0);
                *least = seq.0.min(*least);
            }
        }
        moved.up_to = moved.up_to.max(clock.0);
        Ok(true)
    }

    /// The next changes after a number: whole blocks as long as they fit. Rows that have moved up to the clock come
    /// later. None if the pages cannot be read.
    pub(super) fn take(&self, after: Seq, clock: Seq, wanted: &[&'static Table], limit: usize) -> Option<Taken> {
        let is_wanted: Vec<bool> =
            tables().iter().map(|table| wanted.iter().any(|one| one.name == table.name)).collect();
        let first = self.index.blocks.partition_point(|block| block.last <= after.0);
        let mut taken = Taken { changes: Vec::new(), count: 0, more_after: Some(after) };
        for (number, block) in self.index.blocks.iter().enumerate().skip(first) {
            let rows: Vec<Row> =
                (0..block.rows).map(|row| row_at(&self.entry.value, &block.list, row)).collect::<Option<_>>()?;
            let mut kept: Vec<Row> = rows.into_iter().filter(|row| row.seq > after.0).collect();
            kept.retain(|row| is_wanted.get(usize::from(row.table)) == Some(&true));
            self.leave_moved_out(&mut kept, clock);
            let room = limit - taken.count;
            if kept.len() > room && taken.count > 0 {
                return Some(taken);
            }
            let cut = (kept.len() > room).then(|| kept.truncate(room)).is_some();
            taken.count += kept.len();
            taken.more_after = Some(Seq(if cut { kept.last()?.seq } else { block.last }));
            if kept.len() == block.rows {
                let (entry, index) = (Arc::clone(&self.entry), Arc::clone(&self.index));
                taken.changes.push(Changes::Packed(PackedChanges { entry, index, number }));
            } else if !kept.is_empty() {
                let text = block.text(&self.entry.value)?;
                let change = |row: &Row| text.get(row.text.0..row.text.1).map(str::to_owned);
                taken.changes.push(Changes::Each(kept.iter().map(change).collect::<Option<_>>()?));
            }
            if cut {
                return Some(taken);
            }
        }
        taken.more_after = None;
        Some(taken)
    }

    fn leave_moved_out(&self, rows: &mut Vec<Row>, clock: Seq) {
        let moved = self.moved();
        rows.retain(|row| moved.rows.get(&(row.table, row.record)).is_none_or(|seq| *seq > clock.0));
    }

    fn moved(&self) -> std::sync::MutexGuard<'_, Moved> {
        self.index.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Block {
    fn text(&self, bytes: &[u8]) -> Option<String> {
        unpacked(bytes.get(self.packed.clone())?, self.text_bytes)
    }
}

/// A block of changes that go out as they are kept.
pub struct PackedChanges {
    entry: Arc<Entry>,
    index: Arc<Index>,
    number: usize,
}

impl PackedChanges {
    /// As deflate blocks that end at a whole byte and need nothing before them.
    pub fn deflated(&self) -> &[u8] {
        &self.entry.value[self.block().packed.clone()]
    }

    /// The checksum of the text.
    pub fn crc32(&self) -> u32 {
        self.block().crc32
    }

    /// The length of the text.
    pub fn text_bytes(&self) -> usize {
        self.block().text_bytes
    }

    /// The text: JSON objects with commas between them.
    pub fn text(&self) -> String {
        self.block().text(&self.entry.value).unwrap_or_default()
    }

    /// Each change's text.
    pub(crate) fn each(&self) -> Vec<String> {
        let text = self.text();
        let block = self.block();
        let row = |row: usize| row_at(&self.entry.value, &block.list, row);
        let change = |row: Row| text.get(row.text.0..row.text.1).map(str::to_owned);
        (0..block.rows).filter_map(row).filter_map(change).collect()
    }

    fn block(&self) -> &Block {
        &self.index.blocks[self.number]
    }
}

impl std::fmt::Debug for PackedChanges {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} packed changes", self.block().rows)
    }
}

fn unpacked(packed: &[u8], bytes: usize) -> Option<String> {
    let mut text = Vec::with_capacity(bytes);
    Decompress::new(false).decompress_vec(packed, &mut text, FlushDecompress::Sync).ok()?;
    String::from_utf8(text).ok().filter(|text| text.len() == bytes)
}

/// A row of a block's list.
fn row_at(bytes: &[u8], list: &Range<usize>, row: usize) -> Option<Row> {
    let start = list.start + row * ROW_BYTES;
    let bytes = bytes.get(..list.end)?;
    let end_before = |start: usize| Some(u32::from_le_bytes(bytes.get(start - 4..start)?.try_into().ok()?) as usize);
    // The text begins behind the comma that ends the one before.
    let begin = if row == 0 { 0 } else { end_before(start)? + 1 };
    Some(Row {
        seq: i64::from_le_bytes(bytes.get(start..start + 8)?.try_into().ok()?),
        table: *bytes.get(start + 8)?,
        record: Uuid::from_slice(bytes.get(start + 9..start + 25)?).ok()?,
        text: (begin, end_before(start + ROW_BYTES)?),
    })
}

/// A table's place among all.
fn place_of(name: &str) -> Option<u8> {
    tables().iter().position(|table| table.name == name).and_then(|place| u8::try_from(place).ok())
}
