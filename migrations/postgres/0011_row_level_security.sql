-- Row-level security: what each of the program's roles may do with each row (docs/SECURITY.md names the roles).
--
-- showdesk_app serves requests for the person whose id app.user_id holds. showdesk_writer is the one writer: its
-- transaction holds the work of many authors. showdesk_worker does the desk's own housekeeping. The owner made the
-- tables; it is used at the start and by the functions below. app.user_id holds nothing but an id: what the person may
-- do is looked up here.

-- What every table gets that this program has, also those of later migrations.
CREATE FUNCTION app_protect(protected text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', protected);
    EXECUTE format('CREATE POLICY owner ON %I TO %I USING (true) WITH CHECK (true)', protected,
        (SELECT tableowner FROM pg_tables WHERE schemaname = current_schema() AND tablename = protected));
END;
$$;

-- Who asks; null while nobody has shown a valid pass.
CREATE FUNCTION app_user() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('app.user_id', true), '')::uuid
$$;

-- How far the person's eyes reach: 4 runs the show, 3 sees contacts, 2 works at the show, 1 is a viewer; null is nobody.
CREATE FUNCTION app_class() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT CASE
        WHEN m.role IN ('owner', 'admin') OR m.role <> 'viewer' AND m.functions ? 'admin' THEN 4
        WHEN m.role = 'viewer' OR m.functions - 'viewer' = '[]' THEN 1
        WHEN coalesce(m.permissions -> 'withheld' ? 'see_contacts', false) THEN 2
        WHEN m.functions ?| ARRAY['checkin', 'superintendent']
            OR coalesce(m.permissions -> 'granted' ? 'see_contacts', false) THEN 3
        ELSE 2
    END
    FROM team_members m WHERE m.profile_id = app_user() ORDER BY m.created_at, m.team_id LIMIT 1
$$;

CREATE FUNCTION app_is_superintendent() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce((
        SELECT m.role <> 'viewer' AND m.functions ? 'superintendent'
        FROM team_members m WHERE m.profile_id = app_user() ORDER BY m.created_at, m.team_id LIMIT 1
    ), false)
$$;

-- The person's devices.
CREATE FUNCTION app_devices() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce(array_agg(d.id), '{}') FROM devices d WHERE d.profile_id = app_user()
$$;

-- Everybody who has ever been let in: nobody else is named as the author of anything.
CREATE FUNCTION app_members() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce(array_agg(m.profile_id), '{}') FROM team_members m
$$;

-- The exhibitors that a viewer belongs to.
CREATE FUNCTION app_own() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce(array_agg(own.id::uuid), '{}')
    FROM (SELECT m.scope FROM team_members m WHERE m.profile_id = app_user() ORDER BY m.created_at, m.team_id LIMIT 1) m,
        jsonb_array_elements_text(m.scope -> 'exhibitor_ids') own (id)
$$;

-- Whether a message is for viewers, or for a ring, a department or an exhibitor that the person's scope names.
CREATE FUNCTION app_is_addressed(audience jsonb) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce(audience -> 'functions' ? 'viewer', false) OR EXISTS (
        SELECT FROM (
            SELECT m.scope FROM team_members m WHERE m.profile_id = app_user() ORDER BY m.created_at, m.team_id LIMIT 1
        ) m, (VALUES ('rings', 'ring_ids'), ('departments', 'departments'), ('exhibitor_ids', 'exhibitor_ids'))
            pair (named, own), jsonb_array_elements_text(coalesce(audience -> pair.named, '[]')) word
        WHERE m.scope -> pair.own ? word
    )
$$;

-- Whether a row of the feed is, or was, about something of the person's own.
CREATE FUNCTION app_was_own(in_table text, record uuid, data text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    own uuid[] := app_own();
    parent uuid;
BEGIN
    IF in_table = 'announcements' THEN
        RETURN app_is_addressed(data::jsonb -> 'audience');
    ELSIF cardinality(own) = 0 THEN
        RETURN false;
    ELSIF in_table = 'exhibitors' THEN
        RETURN record = ANY (own);
    ELSIF in_table IN ('animals', 'entries') THEN
        RETURN coalesce((data::jsonb ->> 'exhibitor_id')::uuid = ANY (own), false);
    ELSIF in_table NOT IN ('weigh_ins', 'placings') THEN
        RETURN false;
    END IF;
    parent := (data::jsonb ->> CASE in_table WHEN 'weigh_ins' THEN 'animal_id' ELSE 'entry_id' END)::uuid;
    RETURN EXISTS (
        SELECT FROM record_history h WHERE h.record_id = parent
            AND h.table_name = CASE in_table WHEN 'weigh_ins' THEN 'animals' ELSE 'entries' END
            AND (h.snapshot ->> 'exhibitor_id')::uuid = ANY (own)
    );
END;
$$;

-- Functions look names up where the tables are and nowhere else, and only the program's roles call them.
DO $$
DECLARE
    here text := current_schema();
    function regprocedure;
BEGIN
    FOR function IN
        SELECT p.oid FROM pg_proc p WHERE p.pronamespace = here::regnamespace AND p.proname LIKE 'app\_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', function, here);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
        CONTINUE WHEN function = 'app_protect(text)'::regprocedure;
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO showdesk_app, showdesk_writer', function);
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO showdesk_app, showdesk_writer, showdesk_worker', here);
END;
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
        PERFORM app_protect(name);
    END LOOP;
END;
$$;

-- People and devices.

GRANT SELECT, INSERT, UPDATE ON profiles, team_members, devices, device_tokens TO showdesk_app;
GRANT SELECT ON teams TO showdesk_app;
CREATE POLICY see ON profiles FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) >= 2 OR id = (SELECT app_user()));
CREATE POLICY add ON profiles FOR INSERT TO showdesk_app WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY change ON profiles FOR UPDATE TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY see ON teams FOR SELECT TO showdesk_app USING ((SELECT app_class()) >= 1);
CREATE POLICY see ON team_members FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) = 4 OR profile_id = (SELECT app_user()));
CREATE POLICY add ON team_members FOR INSERT TO showdesk_app WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY change ON team_members FOR UPDATE TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY see ON devices FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) >= 2 OR profile_id = (SELECT app_user()));
CREATE POLICY add ON devices FOR INSERT TO showdesk_app WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY change ON devices FOR UPDATE TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY see ON device_tokens FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) = 4 OR device_id = ANY ((SELECT app_devices())::uuid[]));
CREATE POLICY add ON device_tokens FOR INSERT TO showdesk_app
    WITH CHECK ((SELECT app_class()) = 4 OR device_id = ANY ((SELECT app_devices())::uuid[]));
CREATE POLICY change ON device_tokens FOR UPDATE TO showdesk_app
    USING ((SELECT app_class()) = 4 OR device_id = ANY ((SELECT app_devices())::uuid[]))
    WITH CHECK ((SELECT app_class()) = 4 OR device_id = ANY ((SELECT app_devices())::uuid[]));

-- A phone that asks to join is nobody yet: it adds a claim that waits, and looks at codes only through functions.
GRANT SELECT, INSERT, UPDATE, DELETE ON pairings, pairing_tries TO showdesk_app;
GRANT SELECT, INSERT, UPDATE ON pairing_claims TO showdesk_app;
CREATE POLICY run ON pairings FOR ALL TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY run ON pairing_tries FOR ALL TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY run ON pairing_claims FOR ALL TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY ask ON pairing_claims FOR INSERT TO showdesk_app
    WITH CHECK (status = 'waiting' AND device_id IS NULL AND decided_by IS NULL AND token_delivered_until IS NULL);
CREATE POLICY see_own ON pairing_claims FOR SELECT TO showdesk_app
    USING (device_id = ANY ((SELECT app_devices())::uuid[]));
CREATE POLICY hold_own ON pairing_claims FOR UPDATE TO showdesk_app
    USING (device_id = ANY ((SELECT app_devices())::uuid[]))
    WITH CHECK (device_id = ANY ((SELECT app_devices())::uuid[]));

GRANT SELECT ON installation, sync_meta TO showdesk_app;
CREATE POLICY see ON installation FOR SELECT TO showdesk_app USING ((SELECT app_class()) >= 1);
CREATE POLICY see ON sync_meta FOR SELECT TO showdesk_app USING ((SELECT app_class()) >= 1);

-- Synced rows. Who works at the show sees all of them; a viewer sees what the feed calls public, and what is its own.

GRANT SELECT ON shows, rings, exhibitors, animals, classes, entries, weigh_ins, placings, class_calls, announcements,
    sync_changes, record_history, record_aliases TO showdesk_app;

DO $$
DECLARE
    synced text;
    own text;
BEGIN
    FOR synced, own IN VALUES
        ('shows', 'false'),
        ('rings', 'false'),
        ('classes', 'false'),
        ('class_calls', 'false'),
        ('exhibitors', 'id = ANY ((SELECT app_own())::uuid[])'),
        ('animals', 'exhibitor_id = ANY ((SELECT app_own())::uuid[])'),
        ('entries', 'exhibitor_id = ANY ((SELECT app_own())::uuid[])'),
        ('weigh_ins', 'animal_id IN (SELECT a.id FROM animals a WHERE a.exhibitor_id = ANY ((SELECT app_own())::uuid[]))'),
        ('placings', 'entry_id IN (SELECT e.id FROM entries e WHERE e.exhibitor_id = ANY ((SELECT app_own())::uuid[]))'),
        ('announcements', 'app_is_addressed(audience)')
    LOOP
        EXECUTE format(
            'CREATE POLICY see ON %1$I FOR SELECT TO showdesk_app USING ((SELECT app_class()) >= 2 '
            'OR (SELECT app_class()) = 1 AND (EXISTS (SELECT FROM sync_changes c WHERE c.record_id = %1$I.id '
            'AND c.table_name = %1$L AND c.public) OR deleted_at IS NULL AND %2$s))', synced, own);
        EXECUTE format(
            'CREATE POLICY write ON %I FOR ALL TO showdesk_writer USING (true) '
            'WITH CHECK (updated_by IS NULL OR updated_by = ANY ((SELECT app_members())::uuid[]))', synced);
    END LOOP;
END;
$$;

CREATE POLICY see ON sync_changes FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) >= 2
        OR (SELECT app_class()) = 1 AND (public OR ever_public OR app_was_own(table_name, record_id, data)));
-- A viewer asks it whose an animal or an entry was.
CREATE POLICY see ON record_history FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) >= 2
        OR (SELECT app_class()) = 1 AND table_name IN ('animals', 'entries')
            AND (snapshot ->> 'exhibitor_id')::uuid = ANY ((SELECT app_own())::uuid[]));
CREATE POLICY see ON record_aliases FOR SELECT TO showdesk_app USING ((SELECT app_class()) >= 2);

-- Ops and clashes: one's own; those who run the show see all, a superintendent all clashes.

GRANT SELECT, INSERT ON sync_queue TO showdesk_app;
GRANT SELECT ON sync_conflicts, sync_conflict_records, decision_keys TO showdesk_app;
GRANT SELECT, INSERT, UPDATE ON conflict_questions, bulk_decisions, imports TO showdesk_app;
GRANT SELECT, INSERT ON audit_log TO showdesk_app;
CREATE POLICY see ON sync_queue FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) = 4 OR user_id = (SELECT app_user())
        OR device_id = ANY ((SELECT app_devices())::uuid[]));
CREATE POLICY add ON sync_queue FOR INSERT TO showdesk_app
    WITH CHECK ((SELECT app_class()) >= 1 AND user_id = (SELECT app_user())
        AND device_id = ANY ((SELECT app_devices())::uuid[]));
CREATE POLICY see ON sync_conflicts FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) = 4 OR (SELECT app_is_superintendent()) OR user_id = (SELECT app_user())
        OR server_user_id = (SELECT app_user()) OR device_id = ANY ((SELECT app_devices())::uuid[]));
CREATE POLICY see ON sync_conflict_records FOR SELECT TO showdesk_app
    USING (EXISTS (SELECT FROM sync_conflicts c WHERE c.id = conflict_id));
CREATE POLICY see ON decision_keys FOR SELECT TO showdesk_app USING ((SELECT app_class()) = 4);
CREATE POLICY see ON conflict_questions FOR SELECT TO showdesk_app
    USING (EXISTS (SELECT FROM sync_conflicts c WHERE c.id = conflict_id));
CREATE POLICY ask ON conflict_questions FOR INSERT TO showdesk_app
    WITH CHECK ((SELECT app_class()) = 4 AND asked_by = (SELECT app_user()));
CREATE POLICY answer ON conflict_questions FOR UPDATE TO showdesk_app
    USING (EXISTS (
        SELECT FROM sync_conflicts c WHERE c.id = conflict_id AND c.device_id = ANY ((SELECT app_devices())::uuid[])
    ))
    WITH CHECK (answered_by IS NULL OR answered_by = (SELECT app_user()));
CREATE POLICY see ON bulk_decisions FOR SELECT TO showdesk_app USING ((SELECT app_class()) = 4);
CREATE POLICY add ON bulk_decisions FOR INSERT TO showdesk_app
    WITH CHECK ((SELECT app_class()) = 4 AND decided_by = (SELECT app_user()));
CREATE POLICY change ON bulk_decisions FOR UPDATE TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY see ON imports FOR SELECT TO showdesk_app USING ((SELECT app_class()) = 4);
CREATE POLICY add ON imports FOR INSERT TO showdesk_app
    WITH CHECK ((SELECT app_class()) = 4 AND created_by = (SELECT app_user()));
CREATE POLICY change ON imports FOR UPDATE TO showdesk_app
    USING ((SELECT app_class()) = 4) WITH CHECK ((SELECT app_class()) = 4);
CREATE POLICY see ON audit_log FOR SELECT TO showdesk_app USING ((SELECT app_class()) = 4);
CREATE POLICY add ON audit_log FOR INSERT TO showdesk_app
    WITH CHECK ((SELECT app_class()) >= 1 AND actor = (SELECT app_user()));

-- Messages, the phones they go to, cached answers.

GRANT SELECT, INSERT, UPDATE, DELETE ON push_tokens TO showdesk_app;
GRANT SELECT, INSERT ON notifications TO showdesk_app;
GRANT SELECT ON notification_recipients, notification_deliveries, cache_entries, desks, device_absences TO showdesk_app;
CREATE POLICY own ON push_tokens FOR ALL TO showdesk_app
    USING (user_id = (SELECT app_user())) WITH CHECK (user_id = (SELECT app_user()) AND (SELECT app_class()) >= 1);
CREATE POLICY see ON notifications FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) = 4 OR user_id = (SELECT app_user()) OR EXISTS (
        SELECT FROM notification_recipients r WHERE r.notification_id = notifications.id
            AND r.user_id = (SELECT app_user())
    ));
CREATE POLICY add ON notifications FOR INSERT TO showdesk_app
    WITH CHECK ((SELECT app_class()) = 4 AND created_by = (SELECT app_user()));
CREATE POLICY see ON notification_recipients FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) = 4 OR user_id = (SELECT app_user()));
CREATE POLICY see ON notification_deliveries FOR SELECT TO showdesk_app USING ((SELECT app_class()) = 4);
-- scope: public, staff, office, or user: and an id.
CREATE POLICY see ON cache_entries FOR SELECT TO showdesk_app
    USING ((SELECT app_class()) >= CASE scope WHEN 'public' THEN 1 WHEN 'staff' THEN 2 WHEN 'office' THEN 3 END
        OR scope = 'user:' || (SELECT app_user()));
CREATE POLICY see ON desks FOR SELECT TO showdesk_app USING ((SELECT app_class()) = 4);
CREATE POLICY see ON device_absences FOR SELECT TO showdesk_app USING ((SELECT app_class()) >= 2);

-- The writer. It writes what a decision writes, in the name of members only, and what devices were seen doing; it
-- changes nobody's rights.

GRANT SELECT, INSERT, UPDATE ON shows, rings, exhibitors, animals, classes, entries, weigh_ins, placings, class_calls,
    announcements, sync_queue, sync_conflicts, notifications TO showdesk_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON sync_changes, record_history, record_aliases, sync_conflict_records,
    notification_recipients, device_absences TO showdesk_writer;
GRANT SELECT, UPDATE ON sync_meta TO showdesk_writer;
GRANT SELECT, INSERT ON audit_log, decision_keys TO showdesk_writer;
GRANT SELECT ON profiles, teams, team_members, devices, server_keys, installation TO showdesk_writer;
GRANT UPDATE (last_seen, unsent, skew_ms, pulled_seq, cursor_seq, oldest_unsent_at, level) ON devices
    TO showdesk_writer;

CREATE POLICY write ON sync_queue FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (user_id = ANY ((SELECT app_members())::uuid[]));
CREATE POLICY write ON sync_conflicts FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (user_id = ANY ((SELECT app_members())::uuid[])
        AND (resolved_by IS NULL OR resolved_by = ANY ((SELECT app_members())::uuid[])));
CREATE POLICY write ON sync_changes FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (changed_by IS NULL OR changed_by = ANY ((SELECT app_members())::uuid[]));
CREATE POLICY write ON record_history FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (actor IS NULL OR actor = ANY ((SELECT app_members())::uuid[]));
CREATE POLICY write ON audit_log FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (actor IS NULL OR actor = ANY ((SELECT app_members())::uuid[]));
CREATE POLICY write ON notifications FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (created_by IS NULL OR created_by = ANY ((SELECT app_members())::uuid[]));
CREATE POLICY write ON notification_recipients FOR ALL TO showdesk_writer
    USING (true) WITH CHECK (user_id = ANY ((SELECT app_members())::uuid[]));
CREATE POLICY write ON record_aliases FOR ALL TO showdesk_writer USING (true) WITH CHECK (true);
CREATE POLICY write ON sync_conflict_records FOR ALL TO showdesk_writer USING (true) WITH CHECK (true);
CREATE POLICY write ON decision_keys FOR ALL TO showdesk_writer USING (true) WITH CHECK (true);
CREATE POLICY write ON sync_meta FOR ALL TO showdesk_writer USING (true) WITH CHECK (true);
CREATE POLICY write ON device_absences FOR ALL TO showdesk_writer USING (true) WITH CHECK (true);
CREATE POLICY read ON profiles FOR SELECT TO showdesk_writer USING (true);
CREATE POLICY read ON teams FOR SELECT TO showdesk_writer USING (true);
CREATE POLICY read ON team_members FOR SELECT TO showdesk_writer USING (true);
CREATE POLICY read ON server_keys FOR SELECT TO showdesk_writer USING (true);
CREATE POLICY read ON installation FOR SELECT TO showdesk_writer USING (true);
CREATE POLICY write ON devices FOR ALL TO showdesk_writer USING (true) WITH CHECK (true);

-- The worker: messages on their way, cached answers, which desks live. No synced row, and nobody's rights.

GRANT SELECT, INSERT, UPDATE, DELETE ON notifications, notification_deliveries, push_tokens, cache_entries, desks
    TO showdesk_worker;
GRANT SELECT ON notification_recipients TO showdesk_worker;
CREATE POLICY work ON notifications FOR ALL TO showdesk_worker USING (true) WITH CHECK (true);
CREATE POLICY work ON notification_deliveries FOR ALL TO showdesk_worker USING (true) WITH CHECK (true);
CREATE POLICY work ON notification_recipients FOR SELECT TO showdesk_worker USING (true);
CREATE POLICY work ON push_tokens FOR ALL TO showdesk_worker USING (true) WITH CHECK (true);
CREATE POLICY work ON cache_entries FOR ALL TO showdesk_worker USING (true) WITH CHECK (true);
CREATE POLICY work ON desks FOR ALL TO showdesk_worker USING (true) WITH CHECK (true);
