//! The roles by which Postgres tells the program's own parts apart (docs/SECURITY.md), and whether they hold.

use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use crate::migrations::{self, Purpose};
use crate::{Result, StoreError};

/// Serves requests, each for one person.
pub(super) const APP: &str = "showdesk_app";
/// Writes synced rows.
pub(super) const WRITER: &str = "showdesk_writer";
/// Does the program's own housekeeping.
pub(super) const WORKER: &str = "showdesk_worker";

/// Roles belong to the whole server: another database's desk may make them at this very moment.
const MAKE_ROLES: &str = "DO $$
DECLARE
    name text;
    way text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH name IN ARRAY ARRAY['showdesk_app', 'showdesk_writer', 'showdesk_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        IF NOT pg_has_role(session_user, name, way) THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', name, session_user);
            EXCEPTION WHEN unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
END;
$$";

/// Postgres refuses because the user may not.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// Refuses a user who does not own the tables that are there.
pub(super) async fn check_owner(connection: &mut PgConnection) -> Result<()> {
    let sql = "SELECT tableowner, session_user::text FROM pg_tables WHERE schemaname = current_schema() \
               AND tablename = 'sync_meta' AND NOT pg_has_role(session_user, tableowner, 'USAGE')";
    let Some(row) = sqlx::query(sql).fetch_optional(connection).await? else { return Ok(()) };
    let (owner, user): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    Err(StoreError::Unsafe(format!(
        "the show's tables in this database belong to the Postgres user {owner}; give that user in the database URL \
         instead of {user}"
    )))
}

/// Makes the roles that are missing, and lets the owner take their seats.
pub(super) async fn make(connection: &mut PgConnection) -> Result<()> {
    let made = sqlx::raw_sql(MAKE_ROLES).execute(connection).await;
    let refused = |error: &sqlx::Error| {
        error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|c| c == INSUFFICIENT_PRIVILEGE)
    };
    match made {
        Err(error) if refused(&error) => Err(StoreError::Unsafe(
            "this Postgres user may not make the roles that the show needs; ask its administrator to run: \
             CREATE ROLE showdesk_app NOLOGIN; CREATE ROLE showdesk_writer NOLOGIN; CREATE ROLE showdesk_worker NOLOGIN; \
             and to GRANT all three to the user of the database URL"
                .to_owned(),
        )),
        made => made.map(|_| ()).map_err(StoreError::from),
    }
}

/// Looks whether the roles are as weak as they must be, and whether every table is guarded, also against its owner.
pub(super) async fn check(connection: &mut PgConnection, purpose: Purpose) -> Result<()> {
    let strong = "SELECT string_agg(rolname, ', ') FROM pg_roles \
                  WHERE rolname IN ('showdesk_app', 'showdesk_writer', 'showdesk_worker') \
                  AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication)";
    if let Some(names) = names(connection, strong).await? {
        return Err(StoreError::Unsafe(format!(
            "these Postgres roles may do more than the show's program may: {names}; make them NOLOGIN NOSUPERUSER \
             NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION"
        )));
    }
    let lent = "SELECT string_agg(format('REVOKE %I FROM %I', lent.rolname, own.rolname), '; ') \
                FROM pg_auth_members m JOIN pg_roles own ON own.oid = m.member JOIN pg_roles lent ON lent.oid = m.roleid \
                WHERE own.rolname IN ('showdesk_app', 'showdesk_writer', 'showdesk_worker')";
    if let Some(commands) = names(connection, lent).await? {
        return Err(StoreError::Unsafe(format!(
            "the show's Postgres roles have the rights of other roles, too; ask the administrator to run: {commands}"
        )));
    }
    // Up to version 14 everybody may make tables in the schema `public`.
    let makers = "SELECT max(format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema())) FROM pg_roles \
                  WHERE rolname IN ('showdesk_app', 'showdesk_writer', 'showdesk_worker') \
                  AND has_schema_privilege(oid, current_schema(), 'CREATE')";
    if let Some(command) = names(connection, makers).await? {
        return Err(StoreError::Unsafe(format!(
            "the show's Postgres roles may make tables beside the show's; run as the owner of that schema: {command}"
        )));
    }
    let open = "SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class \
                WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') \
                AND relname = ANY ($1) AND NOT (relrowsecurity AND relforcerowsecurity)";
    match sqlx::query(open).bind(own_tables(purpose)).fetch_one(connection).await?.try_get::<Option<String>, _>(0)? {
        Some(names) => Err(StoreError::Unsafe(format!(
            "row-level security is not in force on: {names}; ALTER TABLE each of them ENABLE and FORCE ROW LEVEL SECURITY"
        ))),
        None => Ok(()),
    }
}

/// Refuses a schema that another program's tables lie in, as long as they would be taken for the show's: the step that
/// guards the tables guards all that it finds.
pub(super) async fn check_alone(connection: &mut PgConnection, purpose: Purpose) -> Result<()> {
    let guarded = match purpose {
        Purpose::Show => "SELECT to_regprocedure('app_protect(text)') IS NOT NULL",
        Purpose::Telemetry => "SELECT to_regprocedure('telemetry_protect(text)') IS NOT NULL",
    };
    if sqlx::query(guarded).fetch_one(&mut *connection).await?.try_get(0)? {
        return Ok(());
    }
    let strange = "SELECT string_agg(tablename, ', ' ORDER BY tablename), quote_ident(current_schema()) FROM pg_tables \
                   WHERE schemaname = current_schema() AND tablename <> ALL ($1)";
    let row = sqlx::query(strange).bind(own_tables(purpose)).fetch_one(connection).await?;
    let (names, schema): (Option<String>, String) = (row.try_get(0)?, row.try_get(1)?);
    match (names, purpose) {
        (Some(names), Purpose::Telemetry) => Err(StoreError::Unsafe(format!(
            "the schema {schema} of this database holds tables of another program: {names}; what the desk measures of \
             itself is kept in a schema of that name: rename the other one"
        ))),
        (Some(names), Purpose::Show) => Err(StoreError::Unsafe(format!(
            "the schema {schema} of this database holds tables of another program: {names}; give the show a database or a \
             schema of its own: run CREATE SCHEMA show, and add ?options=-csearch_path%3Dshow to the database URL"
        ))),
        (None, _) => Ok(()),
    }
}

/// Makes the schema for what the program measures of itself, named after the show's if that has a name of its own.
/// Answers the search path that leads there; the show's schema comes second, because it has the functions that tell
/// who may read.
pub(super) async fn make_telemetry_schema(connection: &mut PgConnection) -> Result<String> {
    let sql = "SELECT quote_ident(own), quote_ident(current_schema()), to_regnamespace(quote_ident(own)) IS NULL \
               FROM (SELECT CASE current_schema() WHEN 'public' THEN 'telemetry' \
               ELSE current_schema() || '_telemetry' END) names (own)";
    let row = sqlx::query(sql).fetch_one(&mut *connection).await?;
    let (own, show, is_missing): (String, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if is_missing {
        // Another desk may be making it at this very moment.
        let command = format!("CREATE SCHEMA IF NOT EXISTS {own}");
        let made = sqlx::raw_sql(AssertSqlSafe(command)).execute(&mut *connection).await;
        match made.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Duplicate { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(format!("{own}, {show}"))
}

/// The tables of these steps, and the migrator's own.
fn own_tables(purpose: Purpose) -> Vec<&'static str> {
    migrations::postgres_tables(purpose).into_iter().chain(["_sqlx_migrations"]).collect()
}

/// The roles belong to the whole server: the owner of another show's database has them, too. Nobody but this database's
/// owner shall come in with them.
pub(super) async fn keep_others_out(connection: &mut PgConnection) -> Result<()> {
    let others = "SELECT string_agg(DISTINCT member.rolname, ', ') FROM pg_auth_members m \
                  JOIN pg_roles member ON member.oid = m.member JOIN pg_roles seat ON seat.oid = m.roleid \
                  WHERE seat.rolname IN ('showdesk_app', 'showdesk_writer', 'showdesk_worker') \
                  AND NOT member.rolsuper AND member.rolname <> session_user \
                  AND has_database_privilege(member.oid, current_database(), 'CONNECT')";
    if names(connection, others).await?.is_none() {
        return Ok(());
    }
    let close = "DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END $$";
    // Without the right to do so the server warns and does nothing, or refuses.
    let closed = sqlx::raw_sql(close).execute(&mut *connection).await;
    match (closed, names(connection, others).await?) {
        (Ok(_), None) => tracing::warn!("only this show's Postgres user may connect to its database from now on"),
        (_, names) => tracing::warn!(
            users = names.unwrap_or_default(),
            "these Postgres users of other shows can read and change this one; ask the administrator to REVOKE CONNECT \
             ON DATABASE of this show FROM PUBLIC and from them"
        ),
    }
    Ok(())
}

async fn names(connection: &mut PgConnection, sql: &'static str) -> Result<Option<String>> {
    Ok(sqlx::query(sql).fetch_one(connection).await?.try_get(0)?)
}

/// Takes a seat for all that this connection does from now on; refuses to work if the server gives another one.
pub(super) async fn take(connection: &mut PgConnection, role: &'static str) -> sqlx::Result<()> {
    // One of the three names above.
    sqlx::raw_sql(match role {
        APP => "SET ROLE showdesk_app",
        WRITER => "SET ROLE showdesk_writer",
        _ => "SET ROLE showdesk_worker",
    })
    .execute(&mut *connection)
    .await?;
    let present: String = sqlx::query("SELECT current_user::text").fetch_one(connection).await?.try_get(0)?;
    if present == role {
        Ok(())
    } else {
        Err(sqlx::Error::Configuration(format!("the server gave the role {present} instead of {role}").into()))
    }
}
