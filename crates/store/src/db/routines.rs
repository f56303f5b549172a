//! Statements that somebody without a pass may have run: the look-up of a pass, and joining.
//!
//! On Postgres each of them becomes a SECURITY DEFINER function with the statement's own text, made at the start by the
//! owner; row-level security shows such a caller nothing else. On SQLite the statement runs as it is.

use std::collections::HashMap;

use sqlx::{
    AssertSqlSafe, Column, Connection, Either, Executor, PgConnection, Row as _, SqlSafeStr, SqlStr, Statement,
    TypeInfo,
};

use crate::Result;
use crate::sql::keep;

/// One such statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Routine {
    /// The function's name.
    pub name: &'static str,
    /// The statement.
    pub sql: &'static str,
}

/// The calls that stand for statements.
#[derive(Debug, Default)]
pub(crate) struct Routines(HashMap<&'static str, &'static str>);

impl Routines {
    /// Makes the functions, or finds them as they should be.
    pub(super) async fn make(connection: &mut PgConnection, routines: &[Routine]) -> Result<Self> {
        let mut calls = HashMap::new();
        for routine in routines {
            let call = make(connection, routine).await?;
            calls.insert(routine.sql, keep(call));
        }
        Ok(Self(calls))
    }

    /// The call that runs this statement, if it is one of them.
    pub(super) fn call_of(&self, sql: &str) -> Option<&'static str> {
        self.0.get(sql).copied()
    }
}

/// Makes one function; answers the statement that calls it.
async fn make(connection: &mut PgConnection, routine: &Routine) -> Result<String> {
    let Routine { name, sql } = *routine;
    let described = connection.prepare(sql.into_sql_str()).await?;
    let parameters: Vec<String> = match described.parameters() {
        Some(Either::Left(types)) => types.iter().map(|kind| kind.name().to_owned()).collect(),
        _ => Vec::new(),
    };
    let mut columns: Vec<String> =
        described.columns().iter().map(|column| column.type_info().name().to_owned()).collect();
    let mut body = sql.to_owned();
    if columns.is_empty() {
        // A statement that gives no rows tells how many it wrote.
        body = format!("WITH done AS ({sql} RETURNING 1) SELECT count(*) FROM done");
        columns.push("bigint".to_owned());
    }
    let places: Vec<String> = (1..=parameters.len()).map(|number| format!("${number}")).collect();
    let call = format!("SELECT * FROM {name}({})", places.join(", "));
    let made = Made { name, body: &body, parameters: &parameters, columns: &columns };
    if !made.stands(connection).await? {
        let mut tx = connection.begin().await?;
        made.remove(&mut tx).await?;
        let schema: String =
            sqlx::query("SELECT quote_ident(current_schema())").fetch_one(&mut *tx).await?.try_get(0)?;
        let parameters = parameters.join(", ");
        let named: Vec<String> =
            (1..).zip(&columns).map(|(number, kind): (usize, _)| format!("column_{number} {kind}")).collect();
        let returns = named.join(", ");
        for command in [
            format!(
                "CREATE FUNCTION {name}({parameters}) RETURNS TABLE ({returns}) LANGUAGE sql VOLATILE SECURITY DEFINER \
                 SET search_path = {schema}, pg_temp AS $routine${body}$routine$"
            ),
            format!("REVOKE ALL ON FUNCTION {name} FROM PUBLIC"),
            format!("GRANT EXECUTE ON FUNCTION {name} TO showdesk_app"),
        ] {
            let command: SqlStr = AssertSqlSafe(command).into_sql_str();
            sqlx::raw_sql(command).execute(&mut *tx).await?;
        }
        tx.commit().await?;
    }
    Ok(call)
}

/// A function as it should be.
struct Made<'a> {
    name: &'a str,
    body: &'a str,
    /// Types of what it is given.
    parameters: &'a [String],
    /// Types of what it gives back.
    columns: &'a [String],
}

impl Made<'_> {
    /// Whether the one function of this name has this text, these types, the tables' owner and schema, and is run by
    /// nobody but the program.
    async fn stands(&self, connection: &mut PgConnection) -> Result<bool> {
        let types: Vec<&String> = self.parameters.iter().chain(self.columns).collect();
        let sql = "SELECT count(*) = 1 AND coalesce(bool_and(prosrc = $2 AND prosecdef AND provolatile = 'v' \
                   AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'sql') \
                   AND proowner IN (current_user::regrole, \
                       (SELECT relowner FROM pg_class WHERE oid = 'sync_meta'::regclass)) \
                   AND pronargs = $3 \
                   AND proallargtypes = ARRAY(SELECT kind::regtype::oid FROM unnest($4::text[]) kind) \
                   AND proconfig = ARRAY['search_path=' || quote_ident(current_schema()) || ', pg_temp'] \
                   AND (SELECT array_agg(DISTINCT grantee) FROM aclexplode(proacl) WHERE grantee <> proowner) \
                       = ARRAY['showdesk_app'::regrole::oid]), false) \
                   FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname = $1";
        let count = i32::try_from(self.parameters.len()).unwrap_or(i32::MAX);
        let asked = sqlx::query(sql).bind(self.name).bind(self.body).bind(count).bind(types);
        Ok(asked.fetch_one(connection).await?.try_get(0)?)
    }

    /// Removes every function of this name.
    async fn remove(&self, connection: &mut PgConnection) -> Result<()> {
        let sql = "SELECT p.oid::regprocedure::text FROM pg_proc p \
                   WHERE p.pronamespace = current_schema()::regnamespace AND p.proname = $1";
        for row in sqlx::query(sql).bind(self.name).fetch_all(&mut *connection).await? {
            let function: String = row.try_get(0)?;
            let command: SqlStr = AssertSqlSafe(format!("DROP FUNCTION {function}")).into_sql_str();
            sqlx::raw_sql(command).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
