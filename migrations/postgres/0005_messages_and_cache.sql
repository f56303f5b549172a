-- Where messages, the phones they go to, and cached answers are kept. Their code comes with their issues.

CREATE TABLE push_tokens (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    token text COLLATE "C" NOT NULL,
    platform text COLLATE "C" NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    environment text COLLATE "C",
    fid text COLLATE "C",
    app_id text COLLATE "C",
    p256dh text COLLATE "C",
    auth text COLLATE "C",
    strikes bigint NOT NULL DEFAULT 0,
    disabled_at timestamptz(3),
    created_at timestamptz(3) NOT NULL,
    last_used timestamptz(3)
);

CREATE TABLE notifications (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    type text COLLATE "C" NOT NULL,
    title text NOT NULL,
    body text,
    data jsonb NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'sent', 'failed')),
    audience jsonb NOT NULL,
    priority text COLLATE "C" NOT NULL CHECK (priority IN ('normal', 'high', 'urgent')),
    needs_ack boolean NOT NULL DEFAULT false,
    send_at timestamptz(3),
    expires_at timestamptz(3),
    collapse_key text COLLATE "C",
    dedupe_key text COLLATE "C",
    template_id uuid,
    created_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    created_at timestamptz(3) NOT NULL,
    sent_at timestamptz(3)
);

CREATE TABLE notification_recipients (
    notification_id uuid NOT NULL REFERENCES notifications (id) DEFERRABLE INITIALLY DEFERRED,
    user_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    seq bigint NOT NULL,
    PRIMARY KEY (user_id, seq)
);

CREATE TABLE notification_deliveries (
    id uuid NOT NULL PRIMARY KEY,
    notification_id uuid NOT NULL REFERENCES notifications (id) DEFERRABLE INITIALLY DEFERRED,
    target text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL
        CHECK (status IN ('waiting', 'delivered', 'seen', 'confirmed', 'accepted', 'failed', 'expired')),
    attempts bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz(3),
    lease_until timestamptz(3),
    provider_message_id text COLLATE "C",
    error_code text COLLATE "C",
    updated_at timestamptz(3) NOT NULL
);

CREATE TABLE cache_entries (
    id uuid NOT NULL PRIMARY KEY,
    key text COLLATE "C" NOT NULL,
    scope text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    tags jsonb NOT NULL,
    etag text COLLATE "C",
    size_bytes bigint NOT NULL,
    hits bigint NOT NULL DEFAULT 0,
    stale_until timestamptz(3),
    expires_at timestamptz(3) NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL
);

CREATE INDEX notification_deliveries_due ON notification_deliveries (status, next_attempt_at);
CREATE INDEX cache_entries_expiry ON cache_entries (expires_at);
CREATE UNIQUE INDEX push_tokens_token ON push_tokens (user_id, token);
CREATE UNIQUE INDEX notifications_dedupe_key ON notifications (dedupe_key);
CREATE UNIQUE INDEX notification_recipients_user ON notification_recipients (notification_id, user_id);
CREATE UNIQUE INDEX notification_deliveries_target ON notification_deliveries (notification_id, target);
CREATE UNIQUE INDEX cache_entries_key ON cache_entries (key);
