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
    let columns: Vec<String> = (1..)
        .zip(described.columns())
        .map(|(number, column)| format!("column_{number} {}", column.type_info().name()))
        .collect();
    // A statement that gives no rows tells how many it wrote.
    let (returns, body) = if columns.is_empty() {
        ("TABLE (written bigint)".to_owned(), format!("WITH done AS ({sql} RETURNING 1) SELECT count(*) FROM done"))
    } else {
        (format!("TABLE ({})", columns.join(", ")), sql.to_owned())
    };
    let parameters = parameters.join(", ");
    let places: Vec<String> = (1..=parameters.split(", ").filter(|kind| !kind.is_empty()).count())
        .map(|number| format!("${number}"))
        .collect();
    let call = format!("SELECT * FROM {name}({})", places.join(", "));
    if !is_made(connection, name, &body).await? {
        let mut tx = connection.begin().await?;
        let schema: String =
            sqlx::query("SELECT quote_ident(current_schema())").fetch_one(&mut *tx).await?.try_get(0)?;
        for command in [
            format!("DROP FUNCTION IF EXISTS {name}"),
            format!(
                "CREATE FUNCTION {name}({parameters}) RETURNS {returns} LANGUAGE sql VOLATILE SECURITY DEFINER \
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

/// Whether the function stands there with this text.
async fn is_made(connection: &mut PgConnection, name: &str, body: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_proc WHERE pronamespace = current_schema()::regnamespace \
               AND proname = $1 AND prosrc = $2 AND prosecdef)";
    Ok(sqlx::query(sql).bind(name).bind(body).fetch_one(connection).await?.try_get(0)?)
}
