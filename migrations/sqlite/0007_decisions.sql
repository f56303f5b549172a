-- What the desk decided about one op, several clashes decided at once, and a record of every decision that stays as it is.

ALTER TABLE sync_queue ADD COLUMN decision TEXT;

-- One decision about several clashes. results is null until all of them are decided.
CREATE TABLE bulk_decisions (
    id TEXT NOT NULL PRIMARY KEY,
    idempotency_key TEXT,
    request_sha256 BLOB NOT NULL,
    conflict_ids TEXT NOT NULL,
    results TEXT,
    decided_by TEXT NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    decided_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX bulk_decisions_key ON bulk_decisions (idempotency_key) WHERE idempotency_key IS NOT NULL;

ALTER TABLE audit_log ADD COLUMN asked_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE audit_log ADD COLUMN op_id TEXT;
ALTER TABLE audit_log ADD COLUMN conflict_id TEXT;
ALTER TABLE audit_log ADD COLUMN bulk_id TEXT;
CREATE INDEX audit_log_by_op ON audit_log (op_id) WHERE op_id IS NOT NULL;

CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER audit_log_is_not_shortened BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
