-- Messages that arrive: whom each is for, what became of it on each phone, and what the desk sends by itself.
-- The tables of 0005 had no rows yet, so three of them are made anew.

-- source: a person wrote it, or the desk tells of what happened. user_id: it is for this person alone. announcement_id:
-- the synced row of a person's message. released_at: its people were counted and it went out; sent_at: somebody has it.
-- before_*: it goes out so long before the class. ends_*: it ends when that class enters the ring, or so long after it
-- went out. Only one of cancelled_at and released_at is ever set. sender: who it is from, in words. raw: title and body
-- as they were typed, where something is filled in.
ALTER TABLE notifications ADD COLUMN source TEXT NOT NULL DEFAULT 'person'
    CHECK (source IN ('person', 'automatic'));
ALTER TABLE notifications ADD COLUMN announcement_id TEXT;
ALTER TABLE notifications ADD COLUMN before_class_id TEXT REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE notifications ADD COLUMN before_minutes INTEGER;
ALTER TABLE notifications ADD COLUMN ends_class_id TEXT REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE notifications ADD COLUMN ends_after_minutes INTEGER;
ALTER TABLE notifications ADD COLUMN sender TEXT;
ALTER TABLE notifications ADD COLUMN raw TEXT;
ALTER TABLE notifications ADD COLUMN released_at INTEGER;
ALTER TABLE notifications ADD COLUMN cancelled_at INTEGER;
ALTER TABLE notifications ADD COLUMN retracted_at INTEGER;
ALTER TABLE notifications ADD COLUMN reminded_at INTEGER;
CREATE UNIQUE INDEX notifications_announcement ON notifications (announcement_id);
CREATE INDEX notifications_due ON notifications (send_at) WHERE released_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX notifications_by_time ON notifications (released_at, id);
CREATE INDEX notifications_before ON notifications (before_class_id) WHERE before_class_id IS NOT NULL;
CREATE INDEX notifications_ends ON notifications (ends_class_id) WHERE ends_class_id IS NOT NULL;

-- Every time something is put into people's streams the one number rises: who listens for many reads on from it.
CREATE TABLE notification_clock (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    event INTEGER NOT NULL
) STRICT;
INSERT INTO notification_clock (only_row, event) VALUES (1, 0);

-- seq: the person's own number, the last one and one more; a row that is told again takes a new one. event: the number
-- of the one clock. state: the furthest that any phone of the person came.
DROP TABLE notification_recipients;
CREATE TABLE notification_recipients (
    notification_id TEXT NOT NULL REFERENCES notifications (id) DEFERRABLE INITIALLY DEFERRED,
    user_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    seq INTEGER NOT NULL,
    event INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'seen', 'confirmed')),
    state_at INTEGER NOT NULL,
    reminded_at INTEGER,
    PRIMARY KEY (user_id, seq)
) STRICT;
CREATE UNIQUE INDEX notification_recipients_user ON notification_recipients (notification_id, user_id);
CREATE INDEX notification_recipients_event ON notification_recipients (event);

-- One row for each phone of a person (local; target is the device) and for each push token (target is the token).
-- reason: what a provider said.
DROP TABLE notification_deliveries;
CREATE TABLE notification_deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    notification_id TEXT NOT NULL REFERENCES notifications (id) DEFERRABLE INITIALLY DEFERRED,
    user_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    target TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('local', 'fcm', 'apns', 'web')),
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    status TEXT NOT NULL
        CHECK (status IN ('waiting', 'delivered', 'seen', 'confirmed', 'accepted', 'failed', 'expired')),
    attempts INTEGER NOT NULL DEFAULT 0,
    repeats INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    lease_until INTEGER,
    provider_message_id TEXT,
    error_code TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    accepted_at INTEGER,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notification_deliveries_due ON notification_deliveries (next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;
CREATE UNIQUE INDEX notification_deliveries_target ON notification_deliveries (notification_id, target);
CREATE INDEX notification_deliveries_device ON notification_deliveries (device_id, notification_id);

-- device_id: the phone that registered it. registered_at: when it did so last. strike_times: refusals that count.
DROP TABLE push_tokens;
CREATE TABLE push_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    token TEXT NOT NULL,
    platform TEXT NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    environment TEXT,
    fid TEXT,
    app_id TEXT,
    p256dh TEXT,
    auth TEXT,
    strikes INTEGER NOT NULL DEFAULT 0,
    strike_times TEXT NOT NULL DEFAULT '[]',
    disabled_at INTEGER,
    disabled_code TEXT,
    created_at INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    last_used INTEGER
) STRICT;
CREATE UNIQUE INDEX push_tokens_token ON push_tokens (user_id, token);
CREATE UNIQUE INDEX push_tokens_one_person ON push_tokens (token);
CREATE INDEX push_tokens_device ON push_tokens (device_id);

-- How each provider is reached; its key is a secret. problem: why nothing can be sent.
CREATE TABLE push_providers (
    provider TEXT NOT NULL PRIMARY KEY CHECK (provider IN ('fcm', 'apns', 'web')),
    settings TEXT NOT NULL,
    accepted TEXT NOT NULL DEFAULT '{}',
    problem TEXT,
    problem_at INTEGER,
    tested_at INTEGER,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- Messages that are ready to be filled in and sent.
CREATE TABLE notification_templates (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    priority TEXT NOT NULL CHECK (priority IN ('normal', 'high', 'urgent')),
    title TEXT NOT NULL,
    body TEXT,
    audience TEXT NOT NULL,
    needs_ack INTEGER NOT NULL,
    place INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- What was chosen for all messages: which the desk sends by itself, when it is quiet.
CREATE TABLE notification_settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
