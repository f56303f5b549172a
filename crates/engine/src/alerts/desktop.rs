//! What alerts say on the laptop's desktop: each event once, from the start of the program on.

use showdesk_store::telemetry::alerts::{self, EventRow};
use showdesk_telemetry::alerts::{MessageKind, Severity};

use super::memory::UNWRITTEN_MAX;
use super::said::{word_of_kind, word_of_severity};
use crate::api::alerts::{AlertPlace, DesktopAlert};
use crate::{Engine, EngineError, Result};

/// What the desktop is told at once.
const DESKTOP_MAX: i64 = 20;

impl Engine {
    /// What the desktop is to show of what was said after a place, the oldest first, and the place to go on from. After
    /// no place that is what was said since the program was started.
    pub async fn alerts_for_desktop(&self, after: Option<AlertPlace>) -> Result<(AlertPlace, Vec<DesktopAlert>)> {
        let mut place = after.unwrap_or_default();
        // Before the stored ones are read: what is written down meanwhile is then found twice, and never missed.
        let mut unwritten = self.inner.alerts.unwritten();
        unwritten.retain(|row| row.desktop && !row.quiet && !place.shown.contains(&row.id));
        let stored = match self.read_for_desktop(&mut place).await {
            Ok(stored) => stored,
            Err(EngineError::RecordingOff) => Vec::new(),
            Err(error) if unwritten.is_empty() => return Err(error),
            // What cannot be read now comes with the next look.
            Err(_) => Vec::new(),
        };
        let mut found = Vec::new();
        for row in stored {
            unwritten.retain(|held| held.id != row.id);
            match place.shown.iter().position(|shown| *shown == row.id) {
                Some(shown) => drop(place.shown.remove(shown)),
                None => found.push(shown(row)),
            }
        }
        for row in unwritten {
            place.shown.push(row.id);
            found.push(shown(row));
        }
        let too_many = place.shown.len().saturating_sub(2 * UNWRITTEN_MAX);
        place.shown.drain(..too_many);
        Ok((place, found))
    }

    async fn read_for_desktop(&self, place: &mut AlertPlace) -> Result<Vec<EventRow>> {
        let opening = self.inner.telemetry.opening();
        let mut tx = self.begin_read_telemetry().await?;
        if place.opening != opening.count {
            (place.opening, place.number) = (opening.count, opening.said_before);
        }
        // Where an older copy was put back the numbers begin again below: what was said before is no news.
        place.number = place.number.min(alerts::last_number(&mut tx).await?);
        let rows = alerts::events_for_desktop(&mut tx, place.number, DESKTOP_MAX).await?;
        if let Some(last) = rows.last() {
            place.number = last.number;
        }
        Ok(rows)
    }
}

fn shown(row: EventRow) -> DesktopAlert {
    let is_over = row.kind == word_of_kind(MessageKind::Resolved);
    DesktopAlert {
        is_urgent: row.severity == word_of_severity(Severity::Critical) && !is_over,
        open: format!("#/health/rule/{}", row.rule_id),
        headline: row.headline,
        detail: row.detail,
    }
}
