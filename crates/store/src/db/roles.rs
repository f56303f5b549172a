//! The roles by which Postgres tells the program's own parts apart (docs/SECURITY.md), and whether they hold.

use sqlx::{PgConnection, Row as _};

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
pub(super) async fn check(connection: &mut PgConnection) -> Result<()> {
    let strong = "SELECT string_agg(rolname, ', ') FROM pg_roles \
                  WHERE rolname IN ('showdesk_app', 'showdesk_writer', 'showdesk_worker') \
                  AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb)";
    if let Some(names) = names(connection, strong).await? {
        return Err(StoreError::Unsafe(format!(
            "these Postgres roles may do more than the show's program may: {names}; make them NOLOGIN NOSUPERUSER \
             NOBYPASSRLS NOCREATEROLE NOCREATEDB"
        )));
    }
    let open = "SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class \
                WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') \
                AND NOT (relrowsecurity AND relforcerowsecurity)";
    match names(connection, open).await? {
        Some(names) => Err(StoreError::Unsafe(format!(
            "row-level security is not in force on: {names}; ALTER TABLE each of them ENABLE and FORCE ROW LEVEL SECURITY"
        ))),
        None => Ok(()),
    }
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
