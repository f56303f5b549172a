-- Blocks of back numbers that a device may give out while the desk is out of its reach. A block is given once: its
-- numbers may stand on paper long after its time.

-- first_number: it and the nineteen after it.
CREATE TABLE back_number_leases (
    first_number INTEGER NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX back_number_leases_device ON back_number_leases (device_id, created_at);
