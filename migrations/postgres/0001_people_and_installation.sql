-- Who works at the show, with which devices, and who this database is.

CREATE TABLE profiles (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz(3) NOT NULL
);

CREATE TABLE teams (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz(3) NOT NULL
);

CREATE TABLE team_members (
    team_id uuid NOT NULL REFERENCES teams (id) DEFERRABLE INITIALLY DEFERRED,
    profile_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    role text COLLATE "C" NOT NULL,
    functions jsonb NOT NULL,
    scope jsonb NOT NULL,
    created_at timestamptz(3) NOT NULL,
    PRIMARY KEY (team_id, profile_id)
);
CREATE INDEX team_members_by_profile ON team_members (profile_id);

CREATE TABLE devices (
    id uuid NOT NULL PRIMARY KEY,
    profile_id uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    kind text COLLATE "C" NOT NULL,
    name text NOT NULL,
    platform text,
    joined_at timestamptz(3) NOT NULL,
    last_seen timestamptz(3),
    unsent bigint NOT NULL,
    skew_ms bigint NOT NULL,
    pulled_seq bigint NOT NULL,
    revoked_at timestamptz(3)
);
CREATE INDEX devices_by_profile ON devices (profile_id);

-- Only the hash of a token is kept. A token that was replaced keeps its row with killed_at.
CREATE TABLE device_tokens (
    sha256 bytea NOT NULL PRIMARY KEY,
    device_id uuid NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    created_at timestamptz(3) NOT NULL,
    expires_at timestamptz(3),
    first_used_at timestamptz(3),
    killed_at timestamptz(3)
);
CREATE INDEX device_tokens_by_device ON device_tokens (device_id);

-- Only the hash of a code is kept.
CREATE TABLE pairings (
    id uuid NOT NULL PRIMARY KEY,
    code_sha256 bytea NOT NULL,
    mode text COLLATE "C" NOT NULL,
    functions jsonb NOT NULL,
    scope jsonb NOT NULL,
    created_by uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    created_at timestamptz(3) NOT NULL,
    code_expires_at timestamptz(3) NOT NULL,
    used_at timestamptz(3)
);
CREATE UNIQUE INDEX pairings_code ON pairings (code_sha256);

-- id names the claim at the desk; secret_sha256 is the hash of the id that only the phone knows.
CREATE TABLE pairing_claims (
    id uuid NOT NULL PRIMARY KEY,
    pairing_id uuid NOT NULL REFERENCES pairings (id) DEFERRABLE INITIALLY DEFERRED,
    secret_sha256 bytea NOT NULL,
    check_number text COLLATE "C" NOT NULL,
    device_name text NOT NULL,
    platform text,
    previous_device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    claimed_at timestamptz(3) NOT NULL,
    status text COLLATE "C" NOT NULL,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    decided_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    decided_at timestamptz(3),
    token_delivered_until timestamptz(3)
);
CREATE UNIQUE INDEX pairing_claims_secret ON pairing_claims (secret_sha256);
CREATE INDEX pairing_claims_waiting ON pairing_claims (claimed_at) WHERE status = 'waiting';

CREATE TABLE server_keys (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    secret bytea NOT NULL,
    created_at timestamptz(3) NOT NULL
);
