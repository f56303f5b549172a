-- What this installation is on the network, and what it keeps sealed.

-- Secrets, each sealed under the vault key, which is never in the database. The row "vault" proves which key that is.
CREATE TABLE secrets (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    key_id bytea NOT NULL,
    sealed bytea NOT NULL,
    updated_at timestamptz(3) NOT NULL
);

-- A desk without the vault key asks the others for it; one that has it seals it for this desk alone.
CREATE TABLE vault_requests (
    device_id uuid NOT NULL PRIMARY KEY REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    public_key bytea NOT NULL,
    asked_at timestamptz(3) NOT NULL,
    answer_key bytea,
    sealed bytea,
    answered_at timestamptz(3)
);

-- The certificate that phones trust; its key is the secret "authority".
CREATE TABLE authority (
    only_row smallint NOT NULL PRIMARY KEY CHECK (only_row = 1),
    certificate bytea NOT NULL,
    created_at timestamptz(3) NOT NULL,
    expires_at timestamptz(3) NOT NULL
);

-- Where phones' pages came from: a page of a former address may still ask.
CREATE TABLE known_origins (
    origin text COLLATE "C" NOT NULL PRIMARY KEY,
    last_seen timestamptz(3) NOT NULL
);

-- All four are the program's own: no request reads or writes them for anybody.
DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['secrets', 'vault_requests', 'authority', 'known_origins'] LOOP
        PERFORM app_protect(kept);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO showdesk_worker', kept);
        EXECUTE format('CREATE POLICY work ON %I FOR ALL TO showdesk_worker USING (true) WITH CHECK (true)', kept);
    END LOOP;
END;
$$;
