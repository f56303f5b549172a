-- What the program measures of itself. Its own file: writing here never takes the show's lock, and losing it loses no
-- entry. People are named by their ids in the show's file.

-- Single requests, sampled: a row stands for as many as its weight says. `duration` is milliseconds. An endpoint is a
-- route and never an address as it was asked; what phones say of themselves begins with `phone:`.
CREATE TABLE performance_metrics (
    id TEXT NOT NULL PRIMARY KEY,
    endpoint TEXT NOT NULL,
    method TEXT NOT NULL,
    duration REAL NOT NULL,
    status_code INTEGER NOT NULL,
    user_id TEXT,
    created_at INTEGER NOT NULL,
    weight INTEGER NOT NULL CHECK (weight >= 1)
) STRICT;

-- All requests, added up. Each desk of a database has rows of its own.
CREATE TABLE metric_rollups (
    resolution TEXT NOT NULL CHECK (resolution IN ('minute', 'hour', 'day')),
    bucket_start INTEGER NOT NULL,
    desk_id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    method TEXT NOT NULL,
    status_class INTEGER NOT NULL,
    count INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    sum_ms REAL NOT NULL,
    max_ms REAL NOT NULL,
    histogram BLOB NOT NULL,
    PRIMARY KEY (resolution, bucket_start, desk_id, endpoint, method, status_class)
) STRICT, WITHOUT ROWID;

-- Everything else that is measured. Of a gauge `sum` is all its samples; of a counter, by how much it grew.
CREATE TABLE measures (
    resolution TEXT NOT NULL CHECK (resolution IN ('minute', 'hour', 'day')),
    bucket_start INTEGER NOT NULL,
    desk_id TEXT NOT NULL,
    metric TEXT NOT NULL,
    labels TEXT NOT NULL,
    samples INTEGER NOT NULL,
    sum REAL NOT NULL,
    min REAL NOT NULL,
    max REAL NOT NULL,
    last REAL NOT NULL,
    PRIMARY KEY (resolution, bucket_start, desk_id, metric, labels)
) STRICT, WITHOUT ROWID;

-- What happened and explains a bend in a line: a start, a restored copy, an import.
CREATE TABLE markers (
    id TEXT NOT NULL PRIMARY KEY,
    desk_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- One row for each desk: whether it was closed, when it was last heard of, and what its last clean-up removed.
CREATE TABLE recorders (
    desk_id TEXT NOT NULL PRIMARY KEY,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    cleaned_at INTEGER,
    removed TEXT
) STRICT;

CREATE INDEX performance_metrics_time ON performance_metrics (created_at);
CREATE INDEX markers_time ON markers (created_at);
