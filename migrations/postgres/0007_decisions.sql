-- What the desk decided about one op, several clashes decided at once, and a record of every decision that stays as it is.

ALTER TABLE sync_queue ADD COLUMN decision jsonb;

-- One decision about several clashes. results is null until all of them are decided.
CREATE TABLE bulk_decisions (
    id uuid NOT NULL PRIMARY KEY,
    idempotency_key text COLLATE "C",
    request_sha256 bytea NOT NULL,
    conflict_ids jsonb NOT NULL,
    results jsonb,
    decided_by uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    decided_at timestamptz(3) NOT NULL
);
CREATE UNIQUE INDEX bulk_decisions_key ON bulk_decisions (idempotency_key) WHERE idempotency_key IS NOT NULL;

ALTER TABLE audit_log ADD COLUMN asked_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE audit_log ADD COLUMN op_id uuid;
ALTER TABLE audit_log ADD COLUMN conflict_id uuid;
ALTER TABLE audit_log ADD COLUMN bulk_id uuid;
CREATE INDEX audit_log_by_op ON audit_log (op_id) WHERE op_id IS NOT NULL;

CREATE FUNCTION refuse_to_change_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to';
END;
$$;
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit_log();
