-- What the program measures of itself, in a schema of its own beside the show's, whose name comes second in the search
-- path. People are named by their ids there.

-- Single requests, sampled: a row stands for as many as its weight says. `duration` is milliseconds. An endpoint is a
-- route and never an address as it was asked; what phones say of themselves begins with `phone:`.
CREATE TABLE performance_metrics (
    id uuid NOT NULL PRIMARY KEY,
    endpoint text COLLATE "C" NOT NULL,
    method text COLLATE "C" NOT NULL,
    duration double precision NOT NULL,
    status_code bigint NOT NULL,
    user_id uuid,
    created_at timestamptz(3) NOT NULL,
    weight bigint NOT NULL CHECK (weight >= 1)
);

-- All requests, added up. Each desk of a database has rows of its own.
CREATE TABLE metric_rollups (
    resolution text COLLATE "C" NOT NULL CHECK (resolution IN ('minute', 'hour', 'day')),
    bucket_start timestamptz(3) NOT NULL,
    desk_id uuid NOT NULL,
    endpoint text COLLATE "C" NOT NULL,
    method text COLLATE "C" NOT NULL,
    status_class bigint NOT NULL,
    count bigint NOT NULL,
    errors bigint NOT NULL,
    sum_ms double precision NOT NULL,
    max_ms double precision NOT NULL,
    histogram bytea NOT NULL,
    PRIMARY KEY (resolution, bucket_start, desk_id, endpoint, method, status_class)
);

-- Everything else that is measured. Of a gauge `sum` is all its samples; of a counter, by how much it grew.
CREATE TABLE measures (
    resolution text COLLATE "C" NOT NULL CHECK (resolution IN ('minute', 'hour', 'day')),
    bucket_start timestamptz(3) NOT NULL,
    desk_id uuid NOT NULL,
    metric text COLLATE "C" NOT NULL,
    labels text COLLATE "C" NOT NULL,
    samples bigint NOT NULL,
    sum double precision NOT NULL,
    min double precision NOT NULL,
    max double precision NOT NULL,
    last double precision NOT NULL,
    PRIMARY KEY (resolution, bucket_start, desk_id, metric, labels)
);

-- What happened and explains a bend in a line: a start, a restored copy, an import.
CREATE TABLE markers (
    id uuid NOT NULL PRIMARY KEY,
    desk_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    detail jsonb NOT NULL,
    created_at timestamptz(3) NOT NULL
);

-- One row for each desk: whether it was closed, when it was last heard of, and what its last clean-up removed.
CREATE TABLE recorders (
    desk_id uuid NOT NULL PRIMARY KEY,
    started_at timestamptz(3) NOT NULL,
    heartbeat_at timestamptz(3) NOT NULL,
    closed boolean NOT NULL,
    cleaned_at timestamptz(3),
    removed jsonb
);

CREATE INDEX performance_metrics_time ON performance_metrics (created_at);
CREATE INDEX markers_time ON markers (created_at);

-- What every table here gets, also those of later migrations: the people who run the show read it, and only the
-- program's own housekeeping writes it.
CREATE FUNCTION telemetry_protect(protected text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', protected);
    EXECUTE format('CREATE POLICY owner ON %I TO %I USING (true) WITH CHECK (true)', protected,
        (SELECT tableowner FROM pg_tables WHERE schemaname = current_schema() AND tablename = protected));
    EXECUTE format('GRANT SELECT ON %I TO showdesk_app', protected);
    EXECUTE format('CREATE POLICY see ON %I FOR SELECT TO showdesk_app USING ((SELECT app_class()) = 4)', protected);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO showdesk_worker', protected);
    EXECUTE format('CREATE POLICY work ON %I FOR ALL TO showdesk_worker USING (true) WITH CHECK (true)', protected);
END;
$$;
REVOKE ALL ON FUNCTION telemetry_protect(text) FROM PUBLIC;

DO $$
DECLARE
    name text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO showdesk_app, showdesk_worker', current_schema());
    FOREACH name IN ARRAY ARRAY['performance_metrics', 'metric_rollups', 'measures', 'markers', 'recorders'] LOOP
        PERFORM telemetry_protect(name);
    END LOOP;
    -- The migrator's own: nobody but the owner.
    EXECUTE 'ALTER TABLE _sqlx_migrations ENABLE ROW LEVEL SECURITY';
    EXECUTE 'ALTER TABLE _sqlx_migrations FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY owner ON _sqlx_migrations TO %I USING (true) WITH CHECK (true)',
        (SELECT tableowner FROM pg_tables WHERE schemaname = current_schema() AND tablename = '_sqlx_migrations'));
END;
$$;
