//! Problems as the desk lists them, and what somebody says of them.

use chrono::{DateTime, Utc};
use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_store::telemetry::errors::{self, GroupFilter, GroupRow, SampleRow};
use showdesk_telemetry::errors::Status;

use crate::api::errors::{ErrorChange, ErrorDetail, ErrorItem, ErrorPage, ErrorQuery, ErrorSample, ErrorWish};
use crate::audit::Names;
use crate::rights::require;
use crate::telemetry::tasks::task_of;
use crate::{Engine, EngineError, Result, Wake};

impl Engine {
    /// A page of problems, those seen last first.
    pub async fn problems(&self, actor: &Actor, query: ErrorQuery) -> Result<ErrorPage> {
        require(actor, Action::SeeHealth)?;
        let after = query.cursor.as_deref().map(read_cursor).transpose()?;
        let mut tx = self.begin_read_telemetry_as(actor).await?;
        let open = errors::count_open(&mut tx).await?;
        if let Some(number) = query.number {
            let found = match errors::group_of_request(&mut tx, number).await? {
                Some(fingerprint) => errors::group(&mut tx, &fingerprint).await?,
                None => None,
            };
            return Ok(ErrorPage { open, items: found.into_iter().map(item).collect(), cursor: None });
        }
        let status = query.standing.map(|standing| match standing {
            ErrorWish::Open => [Status::Open.as_str(), Status::Regressed.as_str()],
            ErrorWish::Resolved => [Status::Resolved.as_str(); 2],
            ErrorWish::Ignored => [Status::Ignored.as_str(); 2],
        });
        let filter = GroupFilter { status, from: query.from, to: query.to, after, limit: query.limit + 1 };
        let mut found = errors::page(&mut tx, &filter).await?;
        let has_more = i64::try_from(found.len()).is_ok_and(|count| count > query.limit);
        if has_more {
            found.pop();
        }
        let place = |row: &GroupRow| format!("{}.{}", row.last_seen.timestamp_millis(), row.fingerprint);
        let cursor = found.last().filter(|_| has_more).map(place);
        Ok(ErrorPage { open, items: found.into_iter().map(item).collect(), cursor })
    }

    /// A problem with some of its errors.
    pub async fn problem(&self, actor: &Actor, fingerprint: &str) -> Result<ErrorDetail> {
        require(actor, Action::SeeHealth)?;
        known(fingerprint)?;
        let mut tx = self.begin_read_telemetry_as(actor).await?;
        let group = errors::group(&mut tx, fingerprint).await?.ok_or(NOT_FOUND)?;
        let samples = errors::samples(&mut tx, fingerprint).await?;
        drop(tx);
        let mut tx = self.begin_read_as(actor).await?;
        let people = samples.iter().filter_map(|sample| sample.user).collect();
        let devices = samples.iter().filter_map(|sample| sample.device).collect();
        let names = Names::load(&mut tx, people, devices).await?;
        let samples = samples.into_iter().map(|row| sample(row, &names)).collect();
        Ok(ErrorDetail { item: item(group), samples })
    }

    /// Says how a problem stands.
    pub async fn change_problem(&self, actor: &Actor, fingerprint: &str, change: ErrorChange) -> Result<ErrorItem> {
        require(actor, Action::ManageHealth)?;
        known(fingerprint)?;
        let now = self.now();
        let status = match change.status {
            ErrorWish::Open => Status::Open,
            ErrorWish::Resolved => Status::Resolved,
            ErrorWish::Ignored => Status::Ignored,
        };
        let resolved_at = (status == Status::Resolved).then_some(now);
        let mut tx = self.begin_write_telemetry().await?;
        let before = errors::group(&mut tx, fingerprint).await?.ok_or(NOT_FOUND)?;
        errors::set_status(&mut tx, fingerprint, status.as_str(), resolved_at, Some(actor.person), now).await?;
        let after = errors::group(&mut tx, fingerprint).await?.ok_or(NOT_FOUND)?;
        tx.commit().await.map_err(EngineError::from)?;
        if before.status != after.status {
            let what = json!({ "title": after.title, "status": after.status, "before": before.status });
            self.note(actor, "problem_changed", None, Some(what)).await?;
            self.wake(Wake::Problems);
            // One that had come back is an alert that is over now.
            self.inner.alerts.hurry();
        }
        Ok(item(after))
    }
}

const NOT_FOUND: EngineError = EngineError::NotFound("the problem");

fn item(row: GroupRow) -> ErrorItem {
    let task = row.route.as_deref().and_then(|route| route.split_once(' ')).filter(|(_, path)| path.starts_with('/'));
    ErrorItem {
        task: task.map(|(method, path)| task_of(method, path).to_owned()),
        fingerprint: row.fingerprint,
        title: row.title,
        kind: row.kind,
        route: row.route,
        source: row.source,
        status: row.status,
        count: row.count,
        people: row.users,
        phones: row.devices,
        first_seen: row.first_seen,
        last_seen: row.last_seen,
    }
}

fn sample(row: SampleRow, names: &Names) -> ErrorSample {
    ErrorSample {
        id: row.id,
        number: row.number,
        at: row.created_at,
        message: row.message,
        stack: row.stack_trace,
        context: row.context,
        person: row.user.map(|id| names.person(id)),
        device: row.device.map(|id| names.device(id)),
        request_id: row.request_id,
    }
}

fn is_fingerprint(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What is no fingerprint names no problem; it may be text that no database takes.
fn known(fingerprint: &str) -> Result<()> {
    if is_fingerprint(fingerprint) { Ok(()) } else { Err(NOT_FOUND) }
}

fn read_cursor(text: &str) -> Result<(DateTime<Utc>, String)> {
    let read = || {
        let (at, fingerprint) = text.split_once('.')?;
        let at = crate::cursor::moment(at)?;
        is_fingerprint(fingerprint).then(|| (at, fingerprint.to_owned()))
    };
    read().ok_or_else(|| EngineError::BadQuery { code: "bad_filter", detail: "cursor is not known here".to_owned() })
}
