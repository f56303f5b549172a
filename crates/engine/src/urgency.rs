//! How urgent a clash is: what it holds up first, then how soon its class begins, then its age.
//!
//! Pure; the caller reads the clash's class and the show's time zone.

use chrono::{DateTime, Utc};
use showdesk_domain::conflict::{Conflict, ConflictKind};
use showdesk_domain::ids::ConflictId;
use showdesk_store::programme::ClassRow;

use crate::programme::is_over;

/// Rules of DOMAIN.md §5 that are about a result: out against placed, two cards of a class, one place twice.
const RULES_OF_RESULTS: &[&str] = &["C6", "C7", "C8"];
/// Fields that decide who shows in a class and with which result.
const OF_RESULTS: &[&str] = &["out_reason", "official_at", "official_by", "side_state"];
/// Fields that decide a class, a place in it or money.
const OF_PLACING: &[&str] = &[
    "class_id",
    "exhibitor_id",
    "feeder.class_ids",
    "feeder.positions",
    "init_weighed_on",
    "init_weight_x10",
    "max_x10",
    "min_x10",
    "official_weight_x10",
    "ring_id",
    "status",
    "weight_unit",
    "weight_x10",
];
/// Fields that say who or what somebody is.
const OF_IDENTITY: &[&str] = &[
    "back_number",
    "born_on",
    "breed",
    "catalogue_no",
    "code",
    "ear_notch",
    "first_name",
    "health_check",
    "id_check",
    "last_name",
    "merged_into",
    "official_id",
    "reg_number",
    "sex",
    "species",
    "tag",
    "tattoo",
];
/// Tables whose rows are somebody or something: that one exists or not is no note.
const THINGS: &[&str] = &["animals", "exhibitors", "entries", "classes"];

/// What a clash holds up, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// A result of today.
    Results,
    /// A place, a class or money.
    Placing,
    /// Who or what somebody is.
    Identity,
    /// Everything else.
    Notes,
}

impl Severity {
    /// Its name in the protocol.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Results => "results",
            Self::Placing => "placing",
            Self::Identity => "identity",
            Self::Notes => "notes",
        }
    }

    /// The severity of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Results, Self::Placing, Self::Identity, Self::Notes].into_iter().find(|one| one.as_str() == name)
    }

    /// What this clash holds up; `is_today` says whether its class is shown today.
    pub(crate) fn of(clash: &Conflict, is_today: bool) -> Self {
        let parts = clash.parts.iter().flat_map(|part| &part.contested);
        let paths: Vec<&str> = clash.contested.iter().chain(parts).map(String::as_str).collect();
        let any = |fields: &[&str]| paths.iter().any(|path| fields.contains(path));
        let is_card = clash.table.name == "placings" || clash.parts.iter().any(|part| part.table.name == "placings");
        let is_ruled = clash.rule.as_deref().is_some_and(|rule| RULES_OF_RESULTS.contains(&rule));
        if is_card || is_ruled || any(OF_RESULTS) {
            return if is_today { Self::Results } else { Self::Placing };
        }
        let is_about_values = matches!(
            clash.kind,
            ConflictKind::UpdateUpdate
                | ConflictKind::MergedInvalid
                | ConflictKind::RestoredServer
                | ConflictKind::Rule
        );
        let is_about_being = !is_about_values && THINGS.contains(&clash.table.name);
        if clash.table.name == "weigh_ins" || any(OF_PLACING) {
            Self::Placing
        } else if is_about_being || any(OF_IDENTITY) {
            Self::Identity
        } else {
            Self::Notes
        }
    }
}

/// Whether a class is shown on this day of the show, or is under way.
pub(crate) fn is_today(class: &ClassRow, now: DateTime<Utc>, zone: chrono_tz::Tz) -> bool {
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let is_under_way = ["make_ready", "in_ring", "hold", "judged"].contains(&class.status.as_str());
    is_under_way || class.planned_at.is_some_and(|at| day(at) == day(now))
}

/// A clash's place in the list of what must be decided; the lowest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Urgency {
    pub severity: Severity,
    /// When its class begins; those without a time, and those that are over, come last.
    begins_ms: i64,
    opened_ms: i64,
    id: ConflictId,
}

impl Urgency {
    pub(crate) fn of(clash: &Conflict, touched: Option<&ClassRow>, now: DateTime<Utc>, zone: chrono_tz::Tz) -> Self {
        let begins = touched.filter(|class| !is_over(class)).and_then(|class| class.planned_at);
        Self {
            severity: Severity::of(clash, touched.is_some_and(|class| is_today(class, now, zone))),
            begins_ms: begins.map_or(i64::MAX, |at| at.timestamp_millis()),
            opened_ms: clash.created_at.timestamp_millis(),
            id: clash.id,
        }
    }

    /// As a text in which a page ends.
    pub(crate) fn to_text(self) -> String {
        format!("{}.{}.{}.{}", self.severity.as_str(), self.begins_ms, self.opened_ms, self.id)
    }

    /// Reads such a text.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '.');
        Some(Self {
            severity: Severity::parse(parts.next()?)?,
            begins_ms: parts.next()?.parse().ok()?,
            opened_ms: parts.next()?.parse().ok()?,
            id: ConflictId(uuid::Uuid::try_parse(parts.next()?).ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use showdesk_domain::ids::{DeviceId, OpId, PersonId, RecordId, Version};
    use showdesk_domain::schema::known_table;
    use uuid::Uuid;

    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 8, 7, hour, 0, 0).single().expect("a moment")
    }

    fn clash(table: &str, kind: ConflictKind, contested: &[&str]) -> Conflict {
        let (row, author) =
            ((known_table(table), RecordId(Uuid::nil())), (DeviceId(Uuid::nil()), PersonId(Uuid::nil())));
        Conflict {
            server_version: Version(1),
            contested: contested.iter().map(|path| (*path).to_owned()).collect(),
            ..Conflict::opened(ConflictId(Uuid::from_u128(1)), OpId(Uuid::nil()), row, kind, author, at(8))
        }
    }

    fn class(status: &str, planned_at: Option<DateTime<Utc>>) -> ClassRow {
        ClassRow {
            id: Uuid::nil(),
            code: None,
            name: String::new(),
            status: status.to_owned(),
            ring_id: None,
            ring: None,
            seq: None,
            planned_at,
        }
    }

    #[test]
    fn what_a_clash_holds_up_follows_from_its_fields() {
        let both = ConflictKind::UpdateUpdate;
        for (table, kind, contested, is_today, expected) in [
            ("placings", both, &["place"][..], true, Severity::Results),
            ("placings", both, &["place"], false, Severity::Placing),
            ("entries", both, &["out_reason"], true, Severity::Results),
            ("animals", both, &["official_weight_x10"], true, Severity::Placing),
            ("animals", both, &["pen", "tag"], true, Severity::Identity),
            ("animals", both, &["pen"], true, Severity::Notes),
            ("animals", ConflictKind::UpdateDeleted, &["pen"], true, Severity::Identity),
            ("announcements", ConflictKind::UpdateDeleted, &["title"], true, Severity::Notes),
        ] {
            assert_eq!(Severity::of(&clash(table, kind, contested), is_today), expected, "{table} {contested:?}");
        }
    }

    #[test]
    fn a_class_is_today_by_the_clock_of_the_show() {
        let zone = chrono_tz::America::Chicago;
        let in_the_evening = class("scheduled", Some(at(3)));
        assert!(is_today(&in_the_evening, at(4), zone), "both are the evening of the 6th there");
        assert!(!is_today(&in_the_evening, at(12), zone), "that is the morning of the 7th");
        assert!(is_today(&class("in_ring", None), at(12), zone));
        assert!(!is_today(&class("scheduled", None), at(12), zone));
    }

    #[test]
    fn the_soonest_class_of_the_gravest_clashes_comes_first() {
        let zone = chrono_tz::UTC;
        let (tag, note) = (
            clash("animals", ConflictKind::UpdateUpdate, &["tag"]),
            clash("animals", ConflictKind::UpdateUpdate, &["note"]),
        );
        let soon = Urgency::of(&tag, Some(&class("scheduled", Some(at(10)))), at(9), zone);
        let later = Urgency::of(&tag, Some(&class("scheduled", Some(at(11)))), at(9), zone);
        let over = Urgency::of(&tag, Some(&class("official", Some(at(8)))), at(9), zone);
        let notes = Urgency::of(&note, Some(&class("scheduled", Some(at(9)))), at(9), zone);
        let mut sorted = [notes, over, later, soon];
        sorted.sort();
        assert_eq!(sorted, [soon, later, over, notes]);
        assert_eq!(Urgency::from_text(&later.to_text()), Some(later));
        for text in ["", "results", "x.1.1.1", "results.1.1.1", "results..1.00000000-0000-0000-0000-000000000000"] {
            assert_eq!(Urgency::from_text(text), None, "{text}");
        }
    }
}
