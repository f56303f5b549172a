-- Messages that arrive: whom each is for, what became of it on each phone, and what the desk sends by itself.
-- The tables of 0005 had no rows yet, so three of them are made anew.

-- source: a person wrote it, or the desk tells of what happened. user_id: it is for this person alone. announcement_id:
-- the synced row of a person's message. released_at: its people were counted and it went out; sent_at: somebody has it.
-- before_*: it goes out so long before the class. ends_*: it ends when that class enters the ring, or so long after it
-- went out. Only one of cancelled_at and released_at is ever set. sender: who it is from, in words. raw: title and body
-- as they were typed, where something is filled in.
ALTER TABLE notifications ADD COLUMN source text COLLATE "C" NOT NULL DEFAULT 'person'
    CHECK (source IN ('person', 'automatic'));
ALTER TABLE notifications ADD COLUMN announcement_id uuid;
ALTER TABLE notifications ADD COLUMN before_class_id uuid REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE notifications ADD COLUMN before_minutes bigint;
ALTER TABLE notifications ADD COLUMN ends_class_id uuid REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE notifications ADD COLUMN ends_after_minutes bigint;
ALTER TABLE notifications ADD COLUMN sender text;
ALTER TABLE notifications ADD COLUMN raw jsonb;
ALTER TABLE notifications ADD COLUMN released_at timestamptz(3);
ALTER TABLE notifications ADD COLUMN cancelled_at timestamptz(3);
ALTER TABLE notifications ADD COLUMN retracted_at timestamptz(3);
ALTER TABLE notifications ADD COLUMN reminded_at timestamptz(3);
CREATE UNIQUE INDEX notifications_announcement ON notifications (announcement_id);
CREATE INDEX notifications_due ON notifications (send_at) WHERE released_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX notifications_by_time ON notifications (released_at, id);
CREATE INDEX notifications_before ON notifications (before_class_id) WHERE before_class_id IS NOT NULL;
CREATE INDEX notifications_ends ON notifications (ends_class_id) WHERE ends_class_id IS NOT NULL;

-- Every time something is put into people's streams the one number rises: who listens for many reads on from it.
CREATE TABLE notification_clock (
    only_row smallint NOT NULL PRIMARY KEY CHECK (only_row = 1),
    event bigint NOT NULL
);
INSERT INTO notification_clock (only_row, event) VALUES (1, 0);

-- seq: the person's own number, the last one and one more; a row that is told again takes a new one. event: the number
-- of the one clock. state: the furthest that any phone of the person came.
DROP POLICY see ON notifications;
DROP TABLE notification_recipients;
CREATE TABLE notification_recipients (
    notification_id uuid NOT NULL REFERENCES notifications (id) DEFERRABLE INITIALLY DEFERRED,
    user_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    seq bigint NOT NULL,
    event bigint NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'delivered', 'seen', 'confirmed')),
    state_at timestamptz(3) NOT NULL,
    reminded_at timestamptz(3),
    PRIMARY KEY (user_id, seq)
);
CREATE UNIQUE INDEX notification_recipients_user ON notification_recipients (notification_id, user_id);
CREATE INDEX notification_recipients_event ON notification_recipients (event);

-- One row for each phone of a person (local; target is the device) and for each push token (target is the token).
-- reason: what a provider said.
DROP TABLE notification_deliveries;
CREATE TABLE notification_deliveries (
    id uuid NOT NULL PRIMARY KEY,
    notification_id uuid NOT NULL REFERENCES notifications (id) DEFERRABLE INITIALLY DEFERRED,
    user_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    target text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('local', 'fcm', 'apns', 'web')),
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    status text COLLATE "C" NOT NULL
        CHECK (status IN ('waiting', 'delivered', 'seen', 'confirmed', 'accepted', 'failed', 'expired')),
    attempts bigint NOT NULL DEFAULT 0,
    repeats bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz(3),
    lease_until timestamptz(3),
    provider_message_id text COLLATE "C",
    error_code text COLLATE "C",
    reason text,
    created_at timestamptz(3) NOT NULL,
    accepted_at timestamptz(3),
    updated_at timestamptz(3) NOT NULL
);
CREATE INDEX notification_deliveries_due ON notification_deliveries (next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;
CREATE UNIQUE INDEX notification_deliveries_target ON notification_deliveries (notification_id, target);
CREATE INDEX notification_deliveries_device ON notification_deliveries (device_id, notification_id);

-- device_id: the phone that registered it. registered_at: when it did so last. strike_times: refusals that count.
DROP TABLE push_tokens;
CREATE TABLE push_tokens (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    token text COLLATE "C" NOT NULL,
    platform text COLLATE "C" NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    environment text COLLATE "C",
    fid text COLLATE "C",
    app_id text COLLATE "C",
    p256dh text COLLATE "C",
    auth text COLLATE "C",
    strikes bigint NOT NULL DEFAULT 0,
    strike_times jsonb NOT NULL DEFAULT '[]',
    disabled_at timestamptz(3),
    disabled_code text COLLATE "C",
    created_at timestamptz(3) NOT NULL,
    registered_at timestamptz(3) NOT NULL,
    last_used timestamptz(3)
);
CREATE UNIQUE INDEX push_tokens_token ON push_tokens (user_id, token);
CREATE UNIQUE INDEX push_tokens_one_person ON push_tokens (token);
CREATE INDEX push_tokens_device ON push_tokens (device_id);

-- How each provider is reached; its key is a secret. problem: why nothing can be sent.
CREATE TABLE push_providers (
    provider text COLLATE "C" NOT NULL PRIMARY KEY CHECK (provider IN ('fcm', 'apns', 'web')),
    settings jsonb NOT NULL,
    accepted jsonb NOT NULL DEFAULT '{}',
    problem text,
    problem_at timestamptz(3),
    tested_at timestamptz(3),
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED
);

-- Messages that are ready to be filled in and sent.
CREATE TABLE notification_templates (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    type text COLLATE "C" NOT NULL,
    priority text COLLATE "C" NOT NULL CHECK (priority IN ('normal', 'high', 'urgent')),
    title text NOT NULL,
    body text,
    audience jsonb NOT NULL,
    needs_ack boolean NOT NULL,
    place bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL
);

-- What was chosen for all messages: which the desk sends by itself, when it is quiet.
CREATE TABLE notification_settings (
    key text COLLATE "C" NOT NULL PRIMARY KEY,
    value jsonb NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED
);

-- Who reaches them. Streams and deliveries are the writer's; what becomes of a delivery is the worker's, too.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['notification_clock', 'notification_recipients', 'notification_deliveries',
        'push_tokens', 'push_providers', 'notification_templates', 'notification_settings'] LOOP
        PERFORM app_protect(name);
    END LOOP;
END;
$$;

GRANT SELECT ON notification_clock, notification_recipients, notification_deliveries TO showdesk_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON push_tokens, notification_templates TO showdesk_app;
GRANT SELECT, INSERT, UPDATE ON notification_settings TO showdesk_app;
CREATE POLICY see ON notification_clock FOR SELECT TO showdesk_app USING ((SELECT app_class()) >= 1);
CREATE POLICY see ON notifications FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) = 4 OR user_id = (SELECT app_user()) OR EXISTS (
        SELECT FROM notification_recipients r WHERE r.notification_id = notifications.id
            AND r.user_id = (SELECT app_user())
    ));
CREATE POLICY see ON notification_recipients FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) = 4 OR user_id = (SELECT app_user()));
CREATE POLICY see ON notification_deliveries FOR SELECT TO showdesk_app USING ((SELECT app_class()) = 4);
CREATE POLICY own ON push_tokens FOR ALL TO showdesk_app
    USING (user_id = (SELECT app_user())) WITH CHECK (user_id = (SELECT app_user()) AND (SELECT app_class()) >= 1);
CREATE POLICY run ON notification_templates FOR ALL TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY run ON notification_settings FOR ALL TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);

GRANT SELECT, INSERT, UPDATE ON notification_recipients, notification_deliveries TO showdesk_writer;
GRANT SELECT, UPDATE ON notification_clock TO showdesk_writer;
GRANT SELECT ON notification_settings TO showdesk_writer;
GRANT SELECT (device_id, disabled_at) ON push_tokens TO showdesk_writer;
CREATE POLICY write ON notification_clock FOR ALL TO showdesk_writer USING (true) WITH CHECK (true);
CREATE POLICY write ON notification_recipients FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (user_id = ANY ((SELECT app_members())::uuid[]));
CREATE POLICY write ON notification_deliveries FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (user_id = ANY ((SELECT app_members())::uuid[]));
CREATE POLICY read ON notification_settings FOR SELECT TO showdesk_writer USING (true);
CREATE POLICY read ON push_tokens FOR SELECT TO showdesk_writer USING (true);

GRANT SELECT ON notification_clock, notification_recipients, notification_settings TO showdesk_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON notification_deliveries, push_tokens, push_providers TO showdesk_worker;
GRANT SELECT (id, profile_id, kind, name, revoked_at, expires_at) ON devices TO showdesk_worker;
CREATE POLICY work ON notification_clock FOR SELECT TO showdesk_worker USING (true);
CREATE POLICY work ON notification_recipients FOR SELECT TO showdesk_worker USING (true);
CREATE POLICY work ON notification_settings FOR SELECT TO showdesk_worker USING (true);
CREATE POLICY work ON notification_deliveries FOR ALL TO showdesk_worker USING (true) WITH CHECK (true);
CREATE POLICY work ON push_tokens FOR ALL TO showdesk_worker USING (true) WITH CHECK (true);
CREATE POLICY work ON push_providers FOR ALL TO showdesk_worker USING (true) WITH CHECK (true);
CREATE POLICY work ON devices FOR SELECT TO showdesk_worker USING (true);
