-- Who works at the show, with which devices, and who this database is.
-- Ids are texts, moments are milliseconds since 1970, JSON is text, true is 1.

CREATE TABLE profiles (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE teams (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE team_members (
    team_id TEXT NOT NULL REFERENCES teams (id) DEFERRABLE INITIALLY DEFERRED,
    profile_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    role TEXT NOT NULL,
    functions TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, profile_id)
) STRICT;
CREATE INDEX team_members_by_profile ON team_members (profile_id);

CREATE TABLE devices (
    id TEXT NOT NULL PRIMARY KEY,
    profile_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    platform TEXT,
    joined_at INTEGER NOT NULL,
    last_seen INTEGER,
    unsent INTEGER NOT NULL,
    skew_ms INTEGER NOT NULL,
    pulled_seq INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX devices_by_profile ON devices (profile_id);

-- Only the hash of a token is kept. A token that was replaced keeps its row with killed_at.
CREATE TABLE device_tokens (
    sha256 BLOB NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    first_used_at INTEGER,
    killed_at INTEGER
) STRICT;
CREATE INDEX device_tokens_by_device ON device_tokens (device_id);

-- Only the hash of a code is kept.
CREATE TABLE pairings (
    id TEXT NOT NULL PRIMARY KEY,
    code_sha256 BLOB NOT NULL,
    mode TEXT NOT NULL,
    functions TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    code_expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE UNIQUE INDEX pairings_code ON pairings (code_sha256);

-- id names the claim at the desk; secret_sha256 is the hash of the id that only the phone knows.
CREATE TABLE pairing_claims (
    id TEXT NOT NULL PRIMARY KEY,
    pairing_id TEXT NOT NULL REFERENCES pairings (id) DEFERRABLE INITIALLY DEFERRED,
    secret_sha256 BLOB NOT NULL,
    check_number TEXT NOT NULL,
    device_name TEXT NOT NULL,
    platform TEXT,
    previous_device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    claimed_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    decided_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    decided_at INTEGER,
    token_delivered_until INTEGER
) STRICT;
CREATE UNIQUE INDEX pairing_claims_secret ON pairing_claims (secret_sha256);
CREATE INDEX pairing_claims_waiting ON pairing_claims (claimed_at) WHERE status = 'waiting';

CREATE TABLE server_keys (
    name TEXT NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
