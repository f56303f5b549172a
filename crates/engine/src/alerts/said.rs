//! What was said: rows that are kept, and the list of them.

use chrono::{DateTime, Utc};
use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::DeviceId;
use showdesk_domain::permit::Action;
use showdesk_store::deliveries::{self, DeliveryStatus};
use showdesk_store::telemetry::alerts::{self, EventRow, Outgoing};
use showdesk_telemetry::alerts::{Firing, MessageKind, Rule, Severity, Sink, detail, headline};
use uuid::Uuid;

use super::names::AlertNames;
use super::round::Said;
use crate::api::alerts::{AlertEvent, AlertEventPage, AlertSubject};
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// The type of the message that tells the phones of admins.
pub(super) const PUSHED: &str = "alert";

/// What is kept of something that was said.
pub(super) fn event(
    id: Uuid,
    rule: &Rule,
    desk: DeviceId,
    Said { message, quiet }: &Said,
    names: &AlertNames,
    now: DateTime<Utc>,
) -> EventRow {
    let goes = |sink: Sink| !quiet && message.sinks.contains(&sink);
    let outgoing = |sink: Sink| goes(sink).then_some(Outgoing::Waiting);
    let name = |firing: &Firing| names.of(rule, &firing.subject);
    let (push, webhook) = (outgoing(Sink::Push), outgoing(Sink::Webhook));
    EventRow {
        id,
        desk,
        rule_id: rule.id.clone(),
        kind: word_of_kind(message.kind).to_owned(),
        severity: word_of_severity(message.severity).to_owned(),
        headline: headline(rule, message),
        detail: detail(rule, message, name),
        subjects: json!(message.subjects.iter().map(|firing| subject(rule, firing, names)).collect::<Vec<_>>()),
        quiet: *quiet,
        desktop: goes(Sink::Desktop),
        push,
        webhook,
        attempts: 0,
        next_attempt_at: (push.is_some() || webhook.is_some()).then_some(now),
        at: now,
        outside: detail(rule, message, |firing| names.outside(rule, &firing.subject)),
        number: 0,
    }
}

/// What is in trouble, with its name.
pub(super) fn subject(rule: &Rule, firing: &Firing, names: &AlertNames) -> AlertSubject {
    AlertSubject {
        subject: firing.subject.clone(),
        name: names.of(rule, &firing.subject),
        since: firing.since,
        value: firing.value,
    }
}

pub(super) fn word_of_kind(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Firing => "firing",
        MessageKind::StillFiring => "still_firing",
        MessageKind::Resolved => "resolved",
    }
}

pub(super) fn word_of_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

impl Engine {
    /// A page of what was said, the newest first.
    pub async fn alert_events(&self, actor: &Actor, cursor: Option<String>, limit: i64) -> Result<AlertEventPage> {
        require(actor, Action::SeeHealth)?;
        let after = cursor.as_deref().map(read_cursor).transpose()?;
        let mut found = self.inner.alerts.unwritten();
        found.retain(|row| after.is_none_or(|place| (row.at, row.id) < place));
        match self.begin_read_telemetry_as(actor).await {
            Ok(mut tx) => {
                let stored = alerts::events(&mut tx, after, limit + 1).await?;
                found.retain(|held| stored.iter().all(|row| row.id != held.id));
                found.extend(stored);
            }
            Err(EngineError::RecordingOff) if self.inner.telemetry.is_wanted() => {}
            Err(error) => return Err(error),
        }
        found.sort_by_key(|row| std::cmp::Reverse((row.at, row.id)));
        found.truncate(usize::try_from(limit + 1).unwrap_or(usize::MAX));
        let has_more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
        if has_more {
            found.pop();
        }
        let place = |row: &EventRow| format!("{}.{}", row.at.timestamp_millis(), row.id.simple());
        let cursor = found.last().filter(|_| has_more).map(place);
        self.follow_pushes(&mut found).await?;
        Ok(AlertEventPage { items: found.into_iter().map(view).collect(), cursor })
    }

    /// What was given to the messages is as far as its message came: no phone may have it.
    async fn follow_pushes(&self, rows: &mut [EventRow]) -> Result<()> {
        let mut given: Vec<_> = rows.iter_mut().filter(|row| row.push == Some(Outgoing::Sent)).collect();
        if given.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = given.iter().map(|row| self.staff_news_id(PUSHED, &row.id.to_string())).collect();
        let mut tx = self.begin_read_desk().await?;
        let standings = deliveries::standings(&mut tx, &ids).await?;
        for (row, id) in given.iter_mut().zip(ids) {
            let states = || standings.iter().filter(|(message, _)| *message == id).map(|(_, status)| *status);
            let has_come = states().any(|status| status.is_on_phone() || status == DeliveryStatus::Accepted);
            let waits = states().any(|status| status == DeliveryStatus::Waiting);
            row.push = Some(match (has_come, waits) {
                (true, _) => Outgoing::Sent,
                (false, true) => Outgoing::Waiting,
                (false, false) => Outgoing::Failed,
            });
        }
        Ok(())
    }

    /// What was said within a span, the oldest first, at most so much.
    pub(crate) async fn alerts_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<AlertEvent>> {
        let mut tx = self.begin_read_telemetry().await?;
        Ok(alerts::events_between(&mut tx, from, to, limit).await?.into_iter().map(view).collect())
    }
}

fn view(row: EventRow) -> AlertEvent {
    AlertEvent {
        id: row.id,
        rule: row.rule_id,
        kind: row.kind,
        headline: row.headline,
        detail: row.detail,
        severity: row.severity,
        subjects: serde_json::from_value(row.subjects).unwrap_or_default(),
        quiet: row.quiet,
        push: row.push.map(|outgoing| outgoing.as_str().to_owned()),
        webhook: row.webhook.map(|outgoing| outgoing.as_str().to_owned()),
        at: row.at,
    }
}

fn read_cursor(text: &str) -> Result<(DateTime<Utc>, Uuid)> {
    let read = || {
        let (at, id) = text.split_once('.')?;
        Some((crate::cursor::moment(at)?, Uuid::try_parse(id).ok()?))
    };
    read().ok_or_else(|| EngineError::BadQuery { code: "bad_filter", detail: "cursor is not known here".to_owned() })
}
