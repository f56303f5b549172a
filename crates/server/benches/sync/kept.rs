//! What a database holds that a push adds to, read from the file itself.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::program::database;

/// Counts of a moment.
pub(crate) struct Kept {
    ops: usize,
    applied: usize,
    versions: usize,
    clock: usize,
    /// Versions of all exhibitors and animals together.
    written: usize,
    exhibitors: usize,
}

impl Kept {
    /// What is on disk now.
    pub(crate) fn read(folder: &Path) -> Self {
        let sqlite =
            Connection::open_with_flags(database(folder), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the show opens");
        let count = |sql: &str| {
            let number: i64 = sqlite.query_row(sql, [], |row| row.get(0)).expect("a number");
            usize::try_from(number).expect("a count")
        };
        let sum = |table: &str| count(&format!("SELECT SUM(version) FROM {table}"));
        Self {
            ops: count("SELECT COUNT(*) FROM sync_queue"),
            applied: count("SELECT COUNT(*) FROM sync_queue WHERE verdict = 'applied'"),
            versions: count("SELECT COUNT(*) FROM record_history"),
            clock: count("SELECT clock FROM sync_meta"),
            written: sum("exhibitors") + sum("animals"),
            exhibitors: count("SELECT COUNT(*) FROM exhibitors"),
        }
    }

    /// Every pushed op is there once, with its version, its history and its number.
    pub(crate) fn check_grown(&self, later: &Self, pushed: usize) {
        for (what, before, after) in [
            ("ops", self.ops, later.ops),
            ("applied ops", self.applied, later.applied),
            ("versions in the history", self.versions, later.versions),
            ("changes counted by the clock", self.clock, later.clock),
            ("versions of exhibitors and animals", self.written, later.written),
        ] {
            assert_eq!(after - before, pushed, "{what}");
        }
        assert_eq!(later.exhibitors - self.exhibitors, pushed / 2, "new exhibitors");
    }
}
