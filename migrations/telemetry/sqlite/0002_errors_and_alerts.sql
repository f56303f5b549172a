-- What went wrong, and who was told.

-- Single errors: of each problem the first and the last ones. `number` counts the errors of a problem from 1; what is
-- stored here was scrubbed before. `request_id` is the number that a person was shown.
CREATE TABLE error_logs (
    id TEXT NOT NULL PRIMARY KEY,
    error_type TEXT NOT NULL,
    message TEXT NOT NULL,
    stack_trace TEXT,
    context TEXT NOT NULL,
    user_id TEXT,
    created_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    device_id TEXT,
    request_id TEXT
) STRICT;

-- Problems: errors with one fingerprint. `users` and `devices` count whom it met, each once.
CREATE TABLE error_groups (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    route TEXT,
    source TEXT NOT NULL CHECK (source IN ('desk', 'phone')),
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 1),
    users INTEGER NOT NULL DEFAULT 0,
    devices INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL CHECK (status IN ('open', 'resolved', 'ignored', 'regressed')),
    resolved_at INTEGER,
    status_at INTEGER NOT NULL,
    status_by TEXT
) STRICT;

-- Whom a problem met: people and devices, each once.
CREATE TABLE error_subjects (
    fingerprint TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'device')),
    subject TEXT NOT NULL,
    PRIMARY KEY (fingerprint, kind, subject)
) STRICT, WITHOUT ROWID;

-- Rules that people made, and built-in ones that they changed; an unchanged built-in rule stands in the program.
CREATE TABLE alert_rules (
    id TEXT NOT NULL PRIMARY KEY,
    rule TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT
) STRICT;

-- Where a rule stands, and what people were told of it. Rules about the show have one row of no desk, those about a
-- laptop one row for each.
CREATE TABLE alert_states (
    desk_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    states TEXT NOT NULL,
    told TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (desk_id, rule_id)
) STRICT, WITHOUT ROWID;

-- What was said, and what happened while a rule was silenced. `push` and `webhook` tell how far it came on the ways
-- that can fail.
CREATE TABLE alert_events (
    id TEXT NOT NULL PRIMARY KEY,
    desk_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('firing', 'still_firing', 'resolved')),
    severity TEXT NOT NULL CHECK (severity IN ('notice', 'warning', 'critical')),
    headline TEXT NOT NULL,
    detail TEXT,
    subjects TEXT NOT NULL,
    quiet INTEGER NOT NULL,
    desktop INTEGER NOT NULL,
    push TEXT CHECK (push IN ('waiting', 'sent', 'failed')),
    webhook TEXT CHECK (webhook IN ('waiting', 'sent', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

-- What was chosen for all rules, by name. No secret: a webhook's address is sealed in the show's vault.
CREATE TABLE alert_settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT
) STRICT;

-- Which desk looks after the rules about the show, and until when.
CREATE TABLE alert_turn (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    desk_id TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX error_logs_number ON error_logs (fingerprint, number);
CREATE INDEX error_logs_time ON error_logs (created_at);
CREATE INDEX error_logs_request ON error_logs (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX error_groups_last_seen ON error_groups (last_seen);
CREATE INDEX alert_events_time ON alert_events (created_at);
CREATE INDEX alert_events_due ON alert_events (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
