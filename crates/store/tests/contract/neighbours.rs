//! A Postgres that the show does not have for itself: other programs' tables, other shows' users, an administrator's
//! hand on what the desk relies on.

use showdesk_store::Db;
use showdesk_testkit::{OwnDatabase, fresh_database_url};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _};
use uuid::Uuid;

async fn run(url: &str, sql: &str) {
    let mut owner = PgConnection::connect(url).await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut owner).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn ask<T>(url: &str, sql: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let mut owner = PgConnection::connect(url).await.unwrap();
    sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut owner).await.unwrap().get(0)
}

async fn refusal(url: &str) -> String {
    match Db::open_postgres(url).await {
        Ok(db) => {
            db.close().await;
            String::new()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn another_programs_tables_are_neither_taken_nor_guarded() {
    showdesk_testkit::run_plain(async {
        let url = fresh_database_url().await;
        run(&url, "CREATE TABLE spatial_ref_sys (srid int); CREATE TABLE invoices (id int)").await;
        let refused = refusal(&url).await;
        assert!(refused.contains("invoices, spatial_ref_sys") && refused.contains("CREATE SCHEMA show"), "{refused}");
        let guarded =
            "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relrowsecurity";
        assert_eq!(ask::<i64>(&url, guarded).await, 0, "nothing was done to them");
        run(&url, "DROP TABLE spatial_ref_sys, invoices").await;
        assert_eq!(refusal(&url).await, "");
        run(&url, "CREATE TABLE invoices (id int)").await;
        assert_eq!(
            refusal(&url).await,
            "",
            "a table that came later is none of the show's, and no reason to stay closed"
        );
        assert!(!ask::<bool>(&url, "SELECT relrowsecurity FROM pg_class WHERE oid = 'invoices'::regclass").await);
    });
}

#[test]
fn a_function_that_was_tampered_with_is_made_anew() {
    showdesk_testkit::run_plain(async {
        let url = fresh_database_url().await;
        Db::open_postgres(&url).await.unwrap().close().await;
        let looks = "SELECT string_agg(concat_ws(' ', proname, proargtypes::oid[]::regtype[], proallargtypes::regtype[], \
                     proowner, proconfig, proacl), E'\\n' ORDER BY proname, oid) FROM pg_proc \
                     WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'anyone\\_%'";
        let ids = "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_proc \
                   WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'anyone\\_%'";
        let (before, made) = (ask::<String>(&url, looks).await, ask::<String>(&url, ids).await);
        assert!(before.lines().count() > 8, "{before}");
        assert_eq!(refusal(&url).await, "");
        assert_eq!(ask::<String>(&url, ids).await, made, "what is right is left alone");
        for tampering in [
            "ALTER FUNCTION anyone_shows_pass RESET search_path",
            "ALTER FUNCTION anyone_shows_pass SET search_path = public",
            "GRANT EXECUTE ON FUNCTION anyone_shows_pass TO PUBLIC",
            "REVOKE EXECUTE ON FUNCTION anyone_shows_pass FROM showdesk_app",
            "CREATE FUNCTION anyone_shows_pass(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "ALTER FUNCTION anyone_shows_pass STABLE",
            "CREATE ROLE showdesk_test_stranger; ALTER FUNCTION anyone_shows_pass OWNER TO showdesk_test_stranger",
        ] {
            run(&url, tampering).await;
            assert_ne!(ask::<String>(&url, looks).await + &ask::<String>(&url, ids).await, before.clone() + &made);
            assert_eq!(refusal(&url).await, "", "{tampering}");
            assert_eq!(ask::<String>(&url, looks).await, before, "{tampering}");
        }
        run(&url, "DROP ROLE showdesk_test_stranger").await;
    });
}

/// Each change of a role is taken back: the roles belong to the whole server, where other tests run.
#[test]
fn roles_that_may_do_more_than_their_seat_keep_the_desk_from_starting() {
    showdesk_testkit::run_plain(async {
        let server = showdesk_testkit::OwnServer::start_new();
        let url = server.url();
        Db::open_postgres(&url).await.unwrap().close().await;
        for (more, told, less) in [
            ("ALTER ROLE showdesk_app REPLICATION", "NOREPLICATION", "ALTER ROLE showdesk_app NOREPLICATION"),
            (
                "GRANT CREATE ON SCHEMA public TO PUBLIC",
                "REVOKE CREATE ON SCHEMA public",
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            ),
            (
                "GRANT showdesk TO showdesk_worker",
                "REVOKE showdesk FROM showdesk_worker",
                "REVOKE showdesk FROM showdesk_worker",
            ),
            (
                "GRANT showdesk_writer TO showdesk_app",
                "REVOKE showdesk_writer FROM showdesk_app",
                "REVOKE showdesk_writer FROM showdesk_app",
            ),
        ] {
            run(&url, more).await;
            let refused = refusal(&url).await;
            assert!(refused.contains(told), "{more}: {refused}");
            run(&url, less).await;
            assert_eq!(refusal(&url).await, "", "{less}");
        }
    });
}

#[test]
fn the_owner_of_another_show_cannot_come_in_by_the_roles_that_both_have() {
    showdesk_testkit::run_plain(async {
        let database = OwnDatabase::new().await;
        let url = database.url();
        Db::open_postgres(&url).await.unwrap().close().await;
        let other = format!("other_{}", Uuid::new_v4().simple());
        let may_connect = format!("SELECT has_database_privilege('{other}', current_database(), 'CONNECT')");
        run(&url, &format!("CREATE ROLE {other} LOGIN")).await;
        assert_eq!(refusal(&url).await, "");
        assert!(ask::<bool>(&url, &may_connect).await, "who has none of the show's roles is no danger");
        run(&url, &format!("GRANT showdesk_writer TO {other}")).await;
        assert_eq!(refusal(&url).await, "");
        assert!(!ask::<bool>(&url, &may_connect).await);
        run(&url, &format!("REVOKE showdesk_writer FROM {other}; DROP ROLE {other}")).await;
    });
}
