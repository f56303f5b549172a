-- What phones sent, what became of it, and the feed they read.

-- One row.
CREATE TABLE installation (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    installation_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    desk_device_id TEXT NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    show_id TEXT NOT NULL
) STRICT;

-- One row. Every write transaction begins with it.
CREATE TABLE sync_meta (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    epoch TEXT NOT NULL,
    clock INTEGER NOT NULL,
    oldest_seq INTEGER NOT NULL,
    schema INTEGER NOT NULL,
    min_schema INTEGER NOT NULL
) STRICT;

-- id is the client's op_id, version the op's base version, table_name and operation are as they were sent.
CREATE TABLE sync_queue (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    incarnation TEXT NOT NULL,
    device_seq INTEGER NOT NULL,
    table_name TEXT NOT NULL,
    record_id TEXT,
    operation TEXT NOT NULL,
    data TEXT NOT NULL,
    base TEXT,
    version INTEGER NOT NULL,
    prev_op_id TEXT,
    txn TEXT,
    epoch TEXT,
    reason TEXT,
    payload_sha256 TEXT NOT NULL,
    status TEXT NOT NULL,
    verdict TEXT,
    conflict_id TEXT REFERENCES sync_conflicts (id) DEFERRABLE INITIALLY DEFERRED,
    waiting_for TEXT,
    result_version INTEGER,
    result_seq INTEGER,
    error TEXT,
    attempts INTEGER NOT NULL,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    processed_at INTEGER,
    client_time INTEGER,
    skew_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX sync_queue_by_record ON sync_queue (record_id, device_id);
CREATE INDEX sync_queue_unfinished ON sync_queue (status, created_at) WHERE status <> 'completed';
CREATE INDEX sync_queue_by_conflict ON sync_queue (conflict_id) WHERE conflict_id IS NOT NULL;

CREATE TABLE sync_conflicts (
    id TEXT NOT NULL PRIMARY KEY,
    queue_id TEXT NOT NULL REFERENCES sync_queue (id) DEFERRABLE INITIALLY DEFERRED,
    table_name TEXT NOT NULL,
    record_id TEXT NOT NULL,
    other_record_id TEXT,
    kind TEXT NOT NULL,
    rule TEXT,
    status TEXT NOT NULL,
    rev INTEGER NOT NULL,
    device_id TEXT NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    user_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    server_user_id TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    op_ids TEXT NOT NULL,
    base_data TEXT,
    server_data TEXT,
    client_data TEXT,
    server_version INTEGER NOT NULL,
    contested TEXT NOT NULL,
    clean TEXT NOT NULL,
    resolution TEXT,
    resolved_data TEXT,
    resolved_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    resolved_at INTEGER,
    result_version INTEGER,
    bulk_id TEXT,
    reason TEXT,
    decisions TEXT NOT NULL,
    disagreement TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sync_conflicts_open_record ON sync_conflicts (record_id) WHERE status = 'open';
CREATE INDEX sync_conflicts_open_other ON sync_conflicts (other_record_id) WHERE status = 'open' AND other_record_id IS NOT NULL;
CREATE INDEX sync_conflicts_by_age ON sync_conflicts (created_at, id);
CREATE INDEX sync_conflicts_by_device ON sync_conflicts (device_id, created_at);
CREATE INDEX sync_conflicts_by_server_user ON sync_conflicts (server_user_id, created_at);

-- A decision that is sent twice is taken once.
CREATE TABLE decision_keys (
    idempotency_key TEXT NOT NULL PRIMARY KEY,
    conflict_id TEXT NOT NULL REFERENCES sync_conflicts (id) DEFERRABLE INITIALLY DEFERRED,
    decided_at INTEGER NOT NULL
) STRICT;

-- The current state, one row a record. Each change moves its row to a new number at the end.
CREATE TABLE sync_changes (
    seq INTEGER NOT NULL PRIMARY KEY,
    table_name TEXT NOT NULL,
    record_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    changed_by TEXT,
    op_id TEXT,
    public INTEGER NOT NULL,
    ever_public INTEGER NOT NULL,
    disputed TEXT NOT NULL,
    data TEXT NOT NULL,
    data_staff TEXT,
    data_public TEXT
) STRICT;
CREATE UNIQUE INDEX sync_changes_record ON sync_changes (record_id, table_name);

CREATE TABLE record_history (
    seq INTEGER NOT NULL PRIMARY KEY,
    table_name TEXT NOT NULL,
    record_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    snapshot TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    actor TEXT,
    device_id TEXT,
    op_id TEXT,
    changed_at INTEGER NOT NULL,
    reason TEXT
) STRICT;
CREATE UNIQUE INDEX record_history_version ON record_history (record_id, version, table_name);

-- Ids by which a record was known to a phone before two rows turned out to be one thing.
CREATE TABLE record_aliases (
    alias_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (alias_id, table_name)
) STRICT;
