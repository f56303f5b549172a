//! What happened and explains a bend in a line: the program began, a file came in, a phone came back.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;
use showdesk_charts::{Event, EventKind};
use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::DeviceId;
use showdesk_store::telemetry::recorders::{self, MarkerRow};
use showdesk_store::{Tx, absences, imports, people};

use super::range::Span;
use crate::api::charts::ChartEvent;
use crate::{Engine, Result};

/// Markers, imports and phones that a chart has at most, the newest.
const EVENTS_MAX: i64 = 20;
/// A phone that was away for less explains nothing.
const AWAY: TimeDelta = TimeDelta::minutes(10);
/// Phones that came back, at most: those that were away longest.
const BACK_MAX: usize = 200;
/// What happens so soon after the same thing is one with it.
const TOGETHER: TimeDelta = TimeDelta::minutes(2);

/// Whether a drawing says the names that people gave their phones: the desk's own page does, and what leaves the house
/// does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhoneNames {
    Said,
    LeftOut,
}

impl Engine {
    /// What the show's own tables know.
    pub(super) async fn events_of_the_show(&self, span: Span, phone_names: PhoneNames) -> Result<Vec<Event>> {
        let mut tx = self.begin_read_desk().await?;
        let imported = imports::recent(&mut tx, EVENTS_MAX).await?;
        let imported = imported.into_iter().filter_map(|import| import.confirmed_at);
        let of_import = |at| Event { at, kind: EventKind::Import, words: String::new() };
        let mut events: Vec<Event> = imported.filter(|at| span.holds(*at)).map(of_import).collect();
        let phones = people::devices(&mut tx).await?.into_iter();
        let names: HashMap<DeviceId, String> = phones
            .filter(|row| row.device.kind == DeviceKind::Phone)
            .map(|row| (row.device.id, row.device.name))
            .collect();
        let ids: Vec<DeviceId> = names.keys().copied().collect();
        let mut back = absences::of_devices(&mut tx, &ids).await?;
        back.retain(|absence| span.holds(absence.back_at) && absence.back_at - absence.away_from >= AWAY);
        back.sort_by_key(|absence| (absence.away_from - absence.back_at, absence.device));
        back.truncate(BACK_MAX);
        back.sort_by_key(|absence| absence.back_at);
        // Phones that come back together are one thing that happened: the network was back.
        for together in back.chunk_by(|one, next| next.back_at - one.back_at < TOGETHER) {
            let name = names.get(&together[0].device).filter(|_| phone_names == PhoneNames::Said);
            let name = name.map_or("A phone", String::as_str);
            let words = match together.len() {
                1 => format!("{name} back"),
                count => format!("{count} phones back"),
            };
            events.push(Event { at: together[0].back_at, kind: EventKind::Other, words });
        }
        Ok(events)
    }
}

impl Span {
    fn holds(self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}

/// What the desk noted of itself.
pub(super) async fn of_the_desk(tx: &mut Tx, span: Span) -> Result<Vec<Event>> {
    let markers = recorders::markers_between(tx, (span.from, span.until), EVENTS_MAX).await?;
    Ok(told(markers))
}

/// Events of markers in the order of time. The same thing soon again is one with it; a folder's first start is where all
/// begins, and explains nothing.
fn told(markers: Vec<MarkerRow>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut last: Option<Event> = None;
    for marker in markers {
        let is_first_start = marker.detail["first"] == true;
        let Some(event) = of_marker(&marker) else { continue };
        let is_again = last
            .as_ref()
            .is_some_and(|last| last.kind == event.kind && last.words == event.words && event.at - last.at < TOGETHER);
        last = Some(event.clone());
        if !is_first_start && !is_again {
            events.push(event);
        }
    }
    events
}

fn of_marker(marker: &MarkerRow) -> Option<Event> {
    let kind = match marker.kind.as_str() {
        "start" => EventKind::Restart,
        "restore" => EventKind::Restore,
        "import" => EventKind::Import,
        _ => EventKind::Other,
    };
    let words = marker.detail.get("words").and_then(Json::as_str).unwrap_or_default().to_owned();
    // What has no words of its own and is of no known kind says nothing.
    (kind != EventKind::Other || !words.is_empty()).then_some(Event { at: marker.created_at, kind, words })
}

pub(super) fn view(event: &Event) -> ChartEvent {
    let kind = match event.kind {
        EventKind::Restart => "restart",
        EventKind::Restore => "restore",
        EventKind::Import => "import",
        EventKind::Other => "other",
    };
    ChartEvent { at: event.at, kind, words: event.said() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn marker(seconds: i64, kind: &str, detail: Json) -> MarkerRow {
        let created_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        MarkerRow { id: Uuid::nil(), desk: DeviceId(Uuid::nil()), kind: kind.to_owned(), detail, created_at }
    }

    #[test]
    fn starts_that_follow_each_other_are_one_and_the_first_of_a_folder_is_none() {
        let markers = vec![
            marker(0, "start", json!({"first": true})),
            marker(30, "start", json!({"first": false})),
            marker(4_000, "start", json!({})),
            marker(4_060, "start", json!({})),
            marker(4_070, "restore", json!({})),
            marker(9_000, "other", json!({})),
            marker(9_100, "other", json!({"words": "Router restart"})),
        ];
        let said: Vec<(i64, String)> = told(markers).iter().map(|event| (event.at.timestamp(), event.said())).collect();
        let expected = [(4_000, "Showdesk restarted"), (4_070, "Backup restored"), (9_100, "Router restart")];
        assert_eq!(said, expected.map(|(at, words)| (at, words.to_owned())));
    }
}
