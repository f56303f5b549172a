-- What a person and a device may do and for how long, and codes that are typed.

-- Switches beside the functions: {"granted": [...], "withheld": [...]}.
ALTER TABLE team_members ADD COLUMN permissions TEXT NOT NULL DEFAULT '{}';

-- expires_at: the device is refused from then on. level: how it shows its page. file_asked_at: the desk wants a copy of
-- what it holds. reviewed_at: after its removal somebody at the desk let its entries in.
ALTER TABLE devices ADD COLUMN expires_at INTEGER;
ALTER TABLE devices ADD COLUMN level TEXT;
ALTER TABLE devices ADD COLUMN file_asked_at INTEGER;
ALTER TABLE devices ADD COLUMN reviewed_at INTEGER;

-- device_expires_at: how long who joins by the code may stay; none means for ever. typed_*: the short form of the code.
ALTER TABLE pairings ADD COLUMN closed_at INTEGER;
ALTER TABLE pairings ADD COLUMN device_expires_at INTEGER;
ALTER TABLE pairings ADD COLUMN typed_sha256 BLOB;
ALTER TABLE pairings ADD COLUMN typed_expires_at INTEGER;
ALTER TABLE pairings ADD COLUMN typed_tries INTEGER NOT NULL DEFAULT 0;
CREATE INDEX pairings_typed ON pairings (typed_sha256);

-- Wrong tries at a typed code, by where they came from. Rows go with the code.
CREATE TABLE pairing_tries (
    pairing_id TEXT NOT NULL REFERENCES pairings (id) DEFERRABLE INITIALLY DEFERRED,
    address TEXT NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (pairing_id, address)
) STRICT;

CREATE INDEX audit_log_by_time ON audit_log (done_at);
