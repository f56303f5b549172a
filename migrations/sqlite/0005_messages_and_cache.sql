-- Where messages, the phones they go to, and cached answers are kept. Their code comes with their issues.

CREATE TABLE push_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    token TEXT NOT NULL,
    platform TEXT NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    environment TEXT,
    fid TEXT,
    app_id TEXT,
    p256dh TEXT,
    auth TEXT,
    strikes INTEGER NOT NULL DEFAULT 0,
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    last_used INTEGER
) STRICT;

CREATE TABLE notifications (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    type TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT,
    data TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'sent', 'failed')),
    audience TEXT NOT NULL,
    priority TEXT NOT NULL CHECK (priority IN ('normal', 'high', 'urgent')),
    needs_ack INTEGER NOT NULL DEFAULT 0,
    send_at INTEGER,
    expires_at INTEGER,
    collapse_key TEXT,
    dedupe_key TEXT,
    template_id TEXT,
    created_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    sent_at INTEGER
) STRICT;

CREATE TABLE notification_recipients (
    notification_id TEXT NOT NULL REFERENCES notifications (id) DEFERRABLE INITIALLY DEFERRED,
    user_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    seq INTEGER NOT NULL,
    PRIMARY KEY (user_id, seq)
) STRICT;

CREATE TABLE notification_deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    notification_id TEXT NOT NULL REFERENCES notifications (id) DEFERRABLE INITIALLY DEFERRED,
    target TEXT NOT NULL,
    channel TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('waiting', 'delivered', 'seen', 'confirmed', 'accepted', 'failed', 'expired')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    lease_until INTEGER,
    provider_message_id TEXT,
    error_code TEXT,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE cache_entries (
    id TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL,
    scope TEXT NOT NULL,
    value BLOB NOT NULL,
    tags TEXT NOT NULL,
    etag TEXT,
    size_bytes INTEGER NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0,
    stale_until INTEGER,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX notification_deliveries_due ON notification_deliveries (status, next_attempt_at);
CREATE INDEX cache_entries_expiry ON cache_entries (expires_at);
CREATE UNIQUE INDEX push_tokens_token ON push_tokens (user_id, token);
CREATE UNIQUE INDEX notifications_dedupe_key ON notifications (dedupe_key);
CREATE UNIQUE INDEX notification_recipients_user ON notification_recipients (notification_id, user_id);
CREATE UNIQUE INDEX notification_deliveries_target ON notification_deliveries (notification_id, target);
CREATE UNIQUE INDEX cache_entries_key ON cache_entries (key);
