-- Entries files, and what people did beside changing records.

CREATE TABLE imports (
    id TEXT NOT NULL PRIMARY KEY,
    file_sha256 BLOB NOT NULL,
    clock INTEGER NOT NULL,
    plan TEXT NOT NULL,
    status TEXT NOT NULL,
    counts TEXT NOT NULL,
    op_ids TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    confirmed_at INTEGER,
    undone_at INTEGER
) STRICT;

CREATE TABLE audit_log (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    done_at INTEGER NOT NULL,
    actor TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    action TEXT NOT NULL,
    table_name TEXT,
    record_id TEXT,
    before TEXT,
    after TEXT,
    reason TEXT
) STRICT;
