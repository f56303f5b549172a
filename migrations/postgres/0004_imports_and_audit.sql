-- Entries files, and what people did beside changing records.

CREATE TABLE imports (
    id uuid NOT NULL PRIMARY KEY,
    file_sha256 bytea NOT NULL,
    clock bigint NOT NULL,
    plan text NOT NULL,
    status text COLLATE "C" NOT NULL,
    counts jsonb NOT NULL,
    op_ids jsonb NOT NULL,
    created_by uuid NOT NULL REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    created_at timestamptz(3) NOT NULL,
    confirmed_at timestamptz(3),
    undone_at timestamptz(3)
);

CREATE TABLE audit_log (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    done_at timestamptz(3) NOT NULL,
    actor uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    action text COLLATE "C" NOT NULL,
    table_name text COLLATE "C",
    record_id uuid,
    before jsonb,
    after jsonb,
    reason text
);
