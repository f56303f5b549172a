-- What the desk's screens tell about phones and about people who were asked.

-- Since when the oldest entry that the device still holds waits, as far as it was told.
ALTER TABLE devices ADD COLUMN oldest_unsent_at INTEGER;

-- When a phone was not heard of for a while. Only the newest of each phone are kept.
CREATE TABLE device_absences (
    device_id TEXT NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    away_from INTEGER NOT NULL,
    back_at INTEGER NOT NULL,
    PRIMARY KEY (device_id, back_at)
) STRICT;

-- What the author of a disputed entry was asked, and what the author said.
CREATE TABLE conflict_questions (
    id TEXT NOT NULL PRIMARY KEY,
    conflict_id TEXT NOT NULL REFERENCES sync_conflicts (id) DEFERRABLE INITIALLY DEFERRED,
    asked_by TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    asked_at INTEGER NOT NULL,
    question TEXT NOT NULL,
    answered_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    answered_at INTEGER,
    answer TEXT
) STRICT;
CREATE INDEX conflict_questions_by_conflict ON conflict_questions (conflict_id, asked_at);

-- How many entries came from phones since a moment is told without reading them.
CREATE INDEX sync_queue_by_time ON sync_queue (created_at, device_id);
