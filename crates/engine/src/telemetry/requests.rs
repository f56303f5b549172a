//! Single requests, for who follows a spike to what caused it.

use chrono::{DateTime, Utc};
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_store::telemetry::requests::{self, RequestFilter, RequestRow};
use showdesk_telemetry::sampling::SLOW;
use uuid::Uuid;

use super::tasks;
use crate::api::telemetry::{Only, RequestItem, RequestPage, RequestsAsked};
use crate::audit::Names;
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// From this status on a request was refused or failed.
const FAILED_FROM: i64 = 400;

impl Engine {
    /// Single requests of a time, newest first.
    pub async fn requests(&self, actor: &Actor, asked: RequestsAsked) -> Result<RequestPage> {
        require(actor, Action::SeeHealth)?;
        let before = asked.cursor.as_deref().map(read_cursor).transpose()?;
        let (method, endpoint) = match asked.task.as_deref().map(|task| tasks::route_of(task).ok_or(NO_SUCH_TASK)) {
            // Both were asked for: what is neither is nothing.
            Some(Ok((_, route))) if asked.endpoint.as_deref().is_some_and(|endpoint| endpoint != route) => {
                return Ok(RequestPage { items: Vec::new(), cursor: None });
            }
            Some(Ok((method, route))) => (Some(method.to_owned()), Some(route.to_owned())),
            Some(Err(detail)) => {
                return Err(EngineError::BadQuery { code: "bad_filter", detail: detail.to_owned() });
            }
            None => (None, asked.endpoint.map(|text| text.replace('\0', ""))),
        };
        let filter = RequestFilter {
            from: asked.from,
            to: asked.to,
            endpoint,
            method,
            slow_ms: (asked.only == Some(Only::Slow)).then(|| SLOW.as_secs_f64() * 1_000.0),
            status_min: (asked.only == Some(Only::Failed)).then_some(FAILED_FROM),
            before,
            limit: asked.limit + 1,
        };
        let mut tx = self.begin_read_telemetry_as(actor).await?;
        let mut rows = requests::page(&mut tx, &filter).await?;
        drop(tx);
        let has_more = i64::try_from(rows.len()).is_ok_and(|count| count > asked.limit);
        if has_more {
            rows.pop();
        }
        let cursor = rows.last().filter(|_| has_more).map(|row| cursor_of(row.created_at, row.id));
        let mut show = self.begin_read_as(actor).await?;
        let people = rows.iter().filter_map(|row| row.person).collect();
        let names = Names::load(&mut show, people, Vec::new()).await?;
        Ok(RequestPage { items: rows.into_iter().map(|row| item(row, &names)).collect(), cursor })
    }
}

const NO_SUCH_TASK: &str = "no task has this name";

fn item(row: RequestRow, names: &Names) -> RequestItem {
    RequestItem {
        id: row.id,
        task: tasks::task_of(&row.method, &row.endpoint).to_owned(),
        endpoint: row.endpoint,
        method: row.method,
        status_code: row.status_code,
        duration_ms: row.duration_ms,
        weight: row.weight,
        person: row.person.map(|id| names.person(id)),
        at: row.created_at,
    }
}

fn cursor_of(at: DateTime<Utc>, id: Uuid) -> String {
    format!("{}.{}", at.timestamp_millis(), id.simple())
}

fn read_cursor(text: &str) -> Result<(DateTime<Utc>, Uuid)> {
    let read = || {
        let (at, id) = text.split_once('.')?;
        Some((crate::cursor::moment(at)?, Uuid::try_parse(id).ok()?))
    };
    read().ok_or_else(|| EngineError::BadQuery { code: "bad_filter", detail: "cursor is not known here".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let (at, id) = (DateTime::from_timestamp_millis(1_790_000_000_123).expect("a time"), Uuid::from_u128(7));
        assert_eq!(read_cursor(&cursor_of(at, id)).ok(), Some((at, id)));
        for text in ["", ".", "5", "x.7", "9223372036854775807.00000000000000000000000000000007"] {
            assert!(read_cursor(text).is_err(), "{text}");
        }
    }
}
