-- An op that waits for another op or for a row knows its id; a clash may be about several rows at once.

ALTER TABLE sync_queue ADD COLUMN waiting_on TEXT;
CREATE INDEX sync_queue_waiting ON sync_queue (waiting_on) WHERE waiting_on IS NOT NULL;

ALTER TABLE sync_conflicts ADD COLUMN records TEXT;

-- The rows of an open clash about a group, so that a write to any of them finds it.
CREATE TABLE sync_conflict_records (
    record_id TEXT NOT NULL,
    conflict_id TEXT NOT NULL REFERENCES sync_conflicts (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (record_id, conflict_id)
) STRICT;
