-- What went wrong, and who was told.

-- Single errors: of each problem the first and the last ones. `number` counts the errors of a problem from 1; what is
-- stored here was scrubbed before. `request_id` is the number that a person was shown.
CREATE TABLE error_logs (
    id uuid NOT NULL PRIMARY KEY,
    error_type text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    stack_trace text COLLATE "C",
    context jsonb NOT NULL,
    user_id uuid,
    created_at timestamptz(3) NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    device_id uuid,
    request_id uuid
);

-- Problems: errors with one fingerprint. `users` and `devices` count whom it met, each once.
CREATE TABLE error_groups (
    fingerprint text COLLATE "C" NOT NULL PRIMARY KEY,
    title text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    route text COLLATE "C",
    source text COLLATE "C" NOT NULL CHECK (source IN ('desk', 'phone')),
    first_seen timestamptz(3) NOT NULL,
    last_seen timestamptz(3) NOT NULL,
    count bigint NOT NULL CHECK (count >= 1),
    users bigint NOT NULL DEFAULT 0,
    devices bigint NOT NULL DEFAULT 0,
    status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'resolved', 'ignored', 'regressed')),
    resolved_at timestamptz(3),
    status_at timestamptz(3) NOT NULL,
    status_by uuid
);

-- Whom a problem met: people and devices, each once.
CREATE TABLE error_subjects (
    fingerprint text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('user', 'device')),
    subject uuid NOT NULL,
    PRIMARY KEY (fingerprint, kind, subject)
);

-- Rules that people made, and built-in ones that they changed; an unchanged built-in rule stands in the program.
CREATE TABLE alert_rules (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    rule jsonb NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid
);

-- Where a rule stands, and what people were told of it. Rules about the show have one row of no desk, those about a
-- laptop one row for each.
CREATE TABLE alert_states (
    desk_id uuid NOT NULL,
    rule_id text COLLATE "C" NOT NULL,
    states jsonb NOT NULL,
    told jsonb NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    PRIMARY KEY (desk_id, rule_id)
);

-- What was said, and what happened while a rule was silenced. `push` and `webhook` tell how far it came on the ways
-- that can fail.
CREATE TABLE alert_events (
    id uuid NOT NULL PRIMARY KEY,
    desk_id uuid NOT NULL,
    rule_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('firing', 'still_firing', 'resolved')),
    severity text COLLATE "C" NOT NULL CHECK (severity IN ('notice', 'warning', 'critical')),
    headline text COLLATE "C" NOT NULL,
    detail text COLLATE "C",
    subjects jsonb NOT NULL,
    quiet boolean NOT NULL,
    desktop boolean NOT NULL,
    push text COLLATE "C" CHECK (push IN ('waiting', 'sent', 'failed')),
    webhook text COLLATE "C" CHECK (webhook IN ('waiting', 'sent', 'failed')),
    attempts bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz(3),
    created_at timestamptz(3) NOT NULL
);

-- What was chosen for all rules, by name. No secret: a webhook's address is sealed in the show's vault.
CREATE TABLE alert_settings (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    value jsonb NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid
);

-- Which desk looks after the rules about the show, and until when.
CREATE TABLE alert_turn (
    only_row bigint NOT NULL PRIMARY KEY CHECK (only_row = 1),
    desk_id uuid NOT NULL,
    until timestamptz(3) NOT NULL
);

CREATE UNIQUE INDEX error_logs_number ON error_logs (fingerprint, number);
CREATE INDEX error_logs_time ON error_logs (created_at);
CREATE INDEX error_logs_request ON error_logs (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX error_groups_last_seen ON error_groups (last_seen);
CREATE INDEX alert_events_time ON alert_events (created_at);
CREATE INDEX alert_events_due ON alert_events (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['error_logs', 'error_groups', 'error_subjects', 'alert_rules', 'alert_states',
        'alert_events', 'alert_settings', 'alert_turn']
    LOOP
        PERFORM telemetry_protect(name);
    END LOOP;
END;
$$;
