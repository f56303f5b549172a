-- Blocks of back numbers that a device may give out while the desk is out of its reach. A block is given once: its
-- numbers may stand on paper long after its time.

-- first_number: it and the nineteen after it.
CREATE TABLE back_number_leases (
    first_number bigint NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    created_at timestamptz(3) NOT NULL,
    expires_at timestamptz(3) NOT NULL
);
CREATE INDEX back_number_leases_device ON back_number_leases (device_id, created_at);

-- Office staff sees which numbers are spoken for; each takes blocks in the own name.
SELECT app_protect('back_number_leases');
GRANT SELECT, INSERT, UPDATE ON back_number_leases TO showdesk_app;
CREATE POLICY see ON back_number_leases FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) >= 3 OR user_id = (SELECT app_user()));
CREATE POLICY take ON back_number_leases FOR INSERT TO showdesk_app
    WITH CHECK (user_id = (SELECT app_user()) AND (SELECT app_class()) >= 1);
CREATE POLICY renew ON back_number_leases FOR UPDATE TO showdesk_app
    USING (user_id = (SELECT app_user())) WITH CHECK (user_id = (SELECT app_user()));
