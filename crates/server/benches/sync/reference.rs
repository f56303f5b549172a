//! The yardstick: the writes of the same ops by rusqlite, row by row, with nothing around them.
//!
//! No HTTP, no token, no check, no merge, and no JSON is made: texts are those of a like row. Statements
//! are prepared once, a transaction holds 1,000 ops, and schema, settings and durability are the desk's.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::Utc;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use crate::program::database;

/// Ops of one transaction.
const BATCH_OPS: usize = 1_000;
/// The pragmas with which the desk opens its file.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
    PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1; PRAGMA trusted_schema = 0; PRAGMA cell_size_check = 1;
    PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 20000;
    PRAGMA cache_size = -32768;";

const QUEUED: &str = "SELECT * FROM sync_queue WHERE id = ?1";
const EXHIBITOR: &str = "SELECT * FROM exhibitors WHERE id = ?1";
const ANIMAL: &str = "SELECT * FROM animals WHERE id = ?1";
const ADD_EXHIBITOR: &str =
    "INSERT INTO exhibitors (id, show_id, version, created_at, updated_at, updated_by, device_id,
    provenance, first_name, last_name, club_chapter, guardian_phone)
    VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, '{}', 'Emil', 'Aspen', 'Willow Bend', '555-0100')";
const MOVE_ANIMAL: &str = "UPDATE animals SET version = ?2, updated_at = ?3, updated_by = ?4, device_id = ?5, pen = ?6
    WHERE id = ?1";
const ADD_VERSION: &str = "INSERT INTO record_history (seq, table_name, record_id, version, snapshot, deleted, actor,
    device_id, op_id, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9)";
const FEED: &str = "INSERT INTO sync_changes (seq, table_name, record_id, version, deleted, changed_by, op_id, public,
    ever_public, disputed, data, data_staff, data_public, changed_at)
    VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, 1, 1, '[]', ?7, ?8, ?9, ?10)
    ON CONFLICT (record_id, table_name) DO UPDATE SET seq = excluded.seq, version = excluded.version,
    deleted = excluded.deleted, changed_by = excluded.changed_by, op_id = excluded.op_id, public = excluded.public,
    ever_public = sync_changes.ever_public OR excluded.ever_public, disputed = excluded.disputed, data = excluded.data,
    data_staff = excluded.data_staff, data_public = excluded.data_public,
    changed_at = excluded.changed_at";
const QUEUE: &str = "INSERT INTO sync_queue (id, user_id, device_id, incarnation, device_seq, table_name, record_id,
    operation, data, base, version, payload_sha256, created_at, client_time, skew_ms, status, verdict, result_version,
    result_seq, attempts, processed_at) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, 0,
    'completed', 'applied', ?13, ?4, 1, ?12)";
const SET_CLOCK: &str = "UPDATE sync_meta SET clock = ?1";

/// A show's database with nobody else on it.
pub(crate) struct Reference {
    sqlite: Connection,
    author: Author,
    clock: i64,
    animals: Vec<(String, i64)>,
    next_animal: usize,
    animal_texts: Texts,
    exhibitor_texts: Texts,
}

struct Author {
    show: String,
    person: String,
    device: String,
}

/// A row as each class of reader sees it.
struct Texts {
    office: String,
    staff: Option<String>,
    public: Option<String>,
}

/// What one op writes.
struct Write<'a> {
    table: &'static str,
    operation: &'static str,
    record_id: &'a str,
    version: i64,
    data: String,
    base: Option<String>,
    texts: &'a Texts,
}

impl Reference {
    /// Opens the database of a filled show.
    pub(crate) fn beside(folder: &Path) -> Self {
        let sqlite = Connection::open(database(folder)).expect("the file opens");
        sqlite.execute_batch(PRAGMAS).expect("the desk's settings");
        sqlite.set_prepared_statement_cache_capacity(32);
        let author = sqlite.query_row(
            "SELECT show_id, profile_id, devices.id FROM installation JOIN devices ON devices.id = desk_device_id",
            [],
            |row| Ok(Author { show: row.get(0)?, person: row.get(1)?, device: row.get(2)? }),
        );
        let clock = sqlite.query_row("SELECT clock FROM sync_meta", [], |row| row.get(0));
        let animals = sqlite
            .prepare("SELECT id, version FROM animals ORDER BY id")
            .and_then(|mut all| all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect());
        Self {
            author: author.expect("the desk's own device"),
            clock: clock.expect("a clock"),
            animals: animals.expect("animals"),
            next_animal: 0,
            animal_texts: Texts::of(&sqlite, "animals"),
            exhibitor_texts: Texts::of(&sqlite, "exhibitors"),
            sqlite,
        }
    }

    /// Writes ops, edits and inserts in turn. Answers how long it took.
    pub(crate) fn write(&mut self, ops: usize) -> Duration {
        let started = Instant::now();
        for _ in 0..ops / BATCH_OPS {
            let tx =
                Transaction::new_unchecked(&self.sqlite, TransactionBehavior::Immediate).expect("nobody else writes");
            for _ in 0..BATCH_OPS / 2 {
                self.next_animal = (self.next_animal + 1) % self.animals.len();
                let (id, version) = &mut self.animals[self.next_animal];
                *version += 1;
                self.clock += 1;
                let move_animal = Write {
                    table: "animals",
                    operation: "update",
                    record_id: id,
                    version: *version,
                    data: format!("{{\"pen\":\"B{}\"}}", self.clock),
                    base: Some("{\"pen\":\"B1\"}".to_owned()),
                    texts: &self.animal_texts,
                };
                write_op(&tx, &self.author, self.clock, &move_animal).expect("an edit");
                self.clock += 1;
                let add_exhibitor = Write {
                    table: "exhibitors",
                    operation: "insert",
                    record_id: &Uuid::now_v7().to_string(),
                    version: 1,
                    data: format!(
                        "{{\"club_chapter\":\"Willow Bend\",\"first_name\":\"Emil\",\"guardian_phone\":\"555-0100\",\
                         \"last_name\":\"Aspen {}\"}}",
                        self.clock
                    ),
                    base: None,
                    texts: &self.exhibitor_texts,
                };
                write_op(&tx, &self.author, self.clock, &add_exhibitor).expect("an insert");
            }
            tx.prepare_cached(SET_CLOCK).and_then(|mut set| set.execute([self.clock])).expect("the clock");
            tx.commit().expect("a commit");
        }
        started.elapsed()
    }
}

impl Texts {
    fn of(sqlite: &Connection, table: &str) -> Self {
        let newest =
            "SELECT data, data_staff, data_public FROM sync_changes WHERE table_name = ?1 ORDER BY seq DESC LIMIT 1";
        let texts = sqlite.query_row(newest, [table], |row| {
            Ok(Self { office: row.get(0)?, staff: row.get(1)?, public: row.get(2)? })
        });
        texts.expect("the show has such a row")
    }
}

/// Everything that the desk keeps of one applied op.
fn write_op(tx: &Transaction<'_>, author: &Author, seq: i64, op: &Write<'_>) -> rusqlite::Result<()> {
    let (op_id, now) = (Uuid::now_v7(), Utc::now().timestamp_millis());
    let op_id_text = op_id.to_string();
    let is_known = read_row(&mut tx.prepare_cached(QUEUED)?, &op_id_text)?;
    let is_insert = op.operation == "insert";
    let exists = read_row(&mut tx.prepare_cached(if is_insert { EXHIBITOR } else { ANIMAL })?, op.record_id)?;
    assert!(!is_known && exists != is_insert, "a new op finds what it expects");
    let (person, device) = (&author.person, &author.device);
    if is_insert {
        tx.prepare_cached(ADD_EXHIBITOR)?.execute(params![op.record_id, author.show, now, person, device])?;
    } else {
        tx.prepare_cached(MOVE_ANIMAL)?.execute(params![op.record_id, op.version, now, person, device, "B12"])?;
    }
    let texts = op.texts;
    tx.prepare_cached(ADD_VERSION)?.execute(params![
        seq,
        op.table,
        op.record_id,
        op.version,
        texts.office,
        person,
        device,
        op_id_text,
        now
    ])?;
    tx.prepare_cached(FEED)?.execute(params![
        seq,
        op.table,
        op.record_id,
        op.version,
        person,
        op_id_text,
        texts.office,
        texts.staff,
        texts.public,
        now
    ])?;
    let sha256 = format!("{0}{0}", op_id.simple());
    tx.prepare_cached(QUEUE)?.execute(params![
        op_id_text,
        person,
        device,
        seq,
        op.table,
        op.record_id,
        op.operation,
        op.data,
        op.base,
        op.version - 1,
        sha256,
        now,
        op.version
    ])?;
    Ok(())
}

/// Reads every cell of the row with that id; answers whether there is one.
fn read_row(select: &mut CachedStatement<'_>, id: &str) -> rusqlite::Result<bool> {
    let columns = select.column_count();
    let read = |row: &Row<'_>| (0..columns).try_for_each(|index| row.get_ref(index).map(|_| ()));
    select.query_row([id], read).optional().map(|found| found.is_some())
}
