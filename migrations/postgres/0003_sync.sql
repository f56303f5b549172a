-- What phones sent, what became of it, and the feed they read.

-- One row.
CREATE TABLE installation (
    only_row smallint NOT NULL PRIMARY KEY CHECK (only_row = 1),
    installation_id uuid NOT NULL,
    created_at timestamptz(3) NOT NULL,
    desk_device_id uuid NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    show_id uuid NOT NULL
);

-- One row. Every write transaction begins with it.
CREATE TABLE sync_meta (
    only_row smallint NOT NULL PRIMARY KEY CHECK (only_row = 1),
    epoch uuid NOT NULL,
    clock bigint NOT NULL,
    oldest_seq bigint NOT NULL,
    schema bigint NOT NULL,
    min_schema bigint NOT NULL
);

-- id is the client's op_id, version the op's base version, table_name and operation are as they were sent.
CREATE TABLE sync_queue (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    incarnation uuid NOT NULL,
    device_seq bigint NOT NULL,
    table_name text COLLATE "C" NOT NULL,
    record_id uuid,
    operation text COLLATE "C" NOT NULL,
    data jsonb NOT NULL,
    base jsonb,
    version bigint NOT NULL,
    prev_op_id uuid,
    txn jsonb,
    epoch uuid,
    reason text,
    payload_sha256 text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    verdict text COLLATE "C",
    conflict_id uuid,
    waiting_for jsonb,
    result_version bigint,
    result_seq bigint,
    error jsonb,
    attempts bigint NOT NULL,
    lease_until timestamptz(3),
    created_at timestamptz(3) NOT NULL,
    processed_at timestamptz(3),
    client_time timestamptz(3),
    skew_ms bigint NOT NULL
);
CREATE INDEX sync_queue_by_record ON sync_queue (record_id, device_id);
CREATE INDEX sync_queue_unfinished ON sync_queue (status, created_at) WHERE status <> 'completed';
CREATE INDEX sync_queue_by_conflict ON sync_queue (conflict_id) WHERE conflict_id IS NOT NULL;

CREATE TABLE sync_conflicts (
    id uuid NOT NULL PRIMARY KEY,
    queue_id uuid NOT NULL REFERENCES sync_queue (id) DEFERRABLE INITIALLY DEFERRED,
    table_name text COLLATE "C" NOT NULL,
    record_id uuid NOT NULL,
    other_record_id uuid,
    kind text COLLATE "C" NOT NULL,
    rule text COLLATE "C",
    status text COLLATE "C" NOT NULL,
    rev bigint NOT NULL,
    device_id uuid NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    user_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    server_user_id uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    op_ids jsonb NOT NULL,
    base_data jsonb,
    server_data jsonb,
    client_data jsonb,
    server_version bigint NOT NULL,
    contested jsonb NOT NULL,
    clean jsonb NOT NULL,
    resolution text COLLATE "C",
    resolved_data jsonb,
    resolved_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    resolved_at timestamptz(3),
    result_version bigint,
    bulk_id uuid,
    reason text,
    decisions jsonb NOT NULL,
    disagreement jsonb,
    created_at timestamptz(3) NOT NULL
);
CREATE INDEX sync_conflicts_open_record ON sync_conflicts (record_id) WHERE status = 'open';
CREATE INDEX sync_conflicts_open_other ON sync_conflicts (other_record_id) WHERE status = 'open' AND other_record_id IS NOT NULL;
CREATE INDEX sync_conflicts_by_age ON sync_conflicts (created_at, id);
CREATE INDEX sync_conflicts_by_device ON sync_conflicts (device_id, created_at);
CREATE INDEX sync_conflicts_by_server_user ON sync_conflicts (server_user_id, created_at);

-- A decision that is sent twice is taken once.
CREATE TABLE decision_keys (
    idempotency_key text COLLATE "C" NOT NULL PRIMARY KEY,
    conflict_id uuid NOT NULL REFERENCES sync_conflicts (id) DEFERRABLE INITIALLY DEFERRED,
    decided_at timestamptz(3) NOT NULL
);

-- The current state, one row a record. Each change moves its row to a new number at the end.
CREATE TABLE sync_changes (
    seq bigint NOT NULL PRIMARY KEY,
    table_name text COLLATE "C" NOT NULL,
    record_id uuid NOT NULL,
    version bigint NOT NULL,
    deleted boolean NOT NULL,
    changed_by uuid,
    op_id uuid,
    public boolean NOT NULL,
    ever_public boolean NOT NULL,
    disputed jsonb NOT NULL,
    data text NOT NULL,
    data_staff text,
    data_public text
);
CREATE UNIQUE INDEX sync_changes_record ON sync_changes (record_id, table_name);

CREATE TABLE record_history (
    seq bigint NOT NULL PRIMARY KEY,
    table_name text COLLATE "C" NOT NULL,
    record_id uuid NOT NULL,
    version bigint NOT NULL,
    snapshot jsonb NOT NULL,
    deleted boolean NOT NULL,
    actor uuid,
    device_id uuid,
    op_id uuid,
    changed_at timestamptz(3) NOT NULL,
    reason text
);
CREATE UNIQUE INDEX record_history_version ON record_history (record_id, version, table_name);

-- Ids by which a record was known to a phone before two rows turned out to be one thing.
CREATE TABLE record_aliases (
    alias_id uuid NOT NULL,
    table_name text COLLATE "C" NOT NULL,
    record_id uuid NOT NULL,
    PRIMARY KEY (alias_id, table_name)
);

-- References in a circle.
ALTER TABLE sync_queue ADD CONSTRAINT sync_queue_conflict_id_fkey FOREIGN KEY (conflict_id) REFERENCES sync_conflicts (id) DEFERRABLE INITIALLY DEFERRED;
