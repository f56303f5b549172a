-- Desks that share this database, and what decides when a tombstone may go.

-- A desk that runs moves its beat on every few seconds: others see that it lives without comparing clocks.
CREATE TABLE desks (
    device_id uuid NOT NULL PRIMARY KEY REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    addresses jsonb NOT NULL,
    beat bigint NOT NULL,
    last_seen timestamptz(3) NOT NULL
);

-- The oldest cursor the device may still hold: the one it showed last, or the first it was given. 0: none.
ALTER TABLE devices ADD COLUMN cursor_seq bigint NOT NULL DEFAULT 0;
UPDATE devices SET cursor_seq = pulled_seq;

-- When the row moved to its place.
ALTER TABLE sync_changes ADD COLUMN changed_at timestamptz(3) NOT NULL DEFAULT '1970-01-01T00:00:00Z';
UPDATE sync_changes SET changed_at = h.changed_at FROM record_history h
WHERE h.record_id = sync_changes.record_id AND h.version = sync_changes.version
    AND h.table_name = sync_changes.table_name;
CREATE INDEX sync_changes_tombstones ON sync_changes (seq) WHERE deleted;
