-- What this installation is on the network, and what it keeps sealed.

-- Secrets, each sealed under the vault key, which is never in the database. The row "vault" proves which key that is.
CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    key_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- A desk without the vault key asks the others for it; one that has it seals it for this desk alone.
CREATE TABLE vault_requests (
    device_id TEXT NOT NULL PRIMARY KEY REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    public_key BLOB NOT NULL,
    asked_at INTEGER NOT NULL,
    answer_key BLOB,
    sealed BLOB,
    answered_at INTEGER
) STRICT;

-- The certificate that phones trust; its key is the secret "authority".
CREATE TABLE authority (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    certificate BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Where phones' pages came from: a page of a former address may still ask.
CREATE TABLE known_origins (
    origin TEXT NOT NULL PRIMARY KEY,
    last_seen INTEGER NOT NULL
) STRICT;
