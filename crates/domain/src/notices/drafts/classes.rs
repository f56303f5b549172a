//! Classes: called, coming, moved, published, official.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use uuid::Uuid;

use super::{Draft, Known, SINGLES_MAX};
use crate::actor::Function::{Announcer, Gate};
use crate::ids::RecordId;
use crate::notices::Priority::{High, Normal};
use crate::notices::audience::Audience;
use crate::notices::automatic::Automatic;
use crate::notices::facts::{Called, Facts, Moved};
use crate::notices::words::{class_name, department_name, listed, ordinal};
use crate::record::Record;

/// Nobody comes to make-ready later than that.
const CALL_IS_OVER: Duration = Duration::minutes(45);
/// A ring that was changed is known by then.
const MOVE_IS_OVER: Duration = Duration::hours(12);
/// Classes between the one in the ring and the one that gets ready.
const AHEAD: i64 = 2;
/// Places that a message tells.
const PLACES_TOLD: i64 = 3;

/// A class or a drive is called to make-ready, or is next.
pub(super) fn called(facts: &Facts, known: &Known<'_>, drafts: &mut Vec<Draft>) {
    for called in &facts.called {
        let Some(class) = known.row("classes", Some(called.class)) else { continue };
        let which = match called.kind.as_str() {
            "call_1" => "1st call",
            "call_2" => "2nd call",
            "final_call" => "final call",
            "up_next" => "",
            _ => continue,
        };
        let ring = called.ring.or_else(|| class.value("ring_id").as_id());
        let place = known.ring_name(ring).map(|name| format!(", {name}")).unwrap_or_default();
        let name = class_name(class);
        let call = called.call;
        let mut draft = if which.is_empty() {
            Draft::new(Automatic::UpNext, Normal, call, format!("{name} is next{place}"))
        } else if is_drive(class) {
            let title = format!("{name} to make-ready{place} ({which})");
            Draft { body: drive_words(class, known), ..Draft::new(Automatic::DriveCall, High, call, title) }
        } else {
            let title = format!("{name} to make-ready{place} ({which})");
            Draft::new(Automatic::ClassCall, High, call, title)
        };
        draft.audience = Audience { class_ids: vec![called.class], ..Audience::default() };
        if !which.is_empty() {
            draft.audience.functions = vec![Gate, Announcer];
            draft.audience.at_rings = ring.into_iter().collect();
            draft.audience.exhibitor_ids = placed_before(class, known);
        }
        draft.body = draft.body.or_else(|| known.manner.about_class(class));
        draft.collapse_key = format!("call:{}", called.class);
        draft.expires_at = Some(known.now + CALL_IS_OVER);
        draft.from_device = called.by.device;
        drafts.push(of_class(draft, called.class, ring));
    }
}

/// A class went into the ring: the one that is two behind it may get ready.
pub(super) fn coming(facts: &Facts, known: &Known<'_>, drafts: &mut Vec<Draft>) {
    for called in facts.called.iter().filter(|called| called.kind == "in_ring") {
        let Some((class, ring)) = second_behind(called, known) else { continue };
        let minutes = AHEAD * known.choices.minutes(Automatic::UpNext);
        let title = format!("{} is {AHEAD} classes away (about {minutes} min)", class_name(class));
        let mut draft = Draft::new(Automatic::UpNext, Normal, class.id, title);
        draft.body = match (known.manner.about_class(class), known.ring_name(Some(ring))) {
            (Some(about), Some(ring)) => Some(format!("{about}. {ring}.")),
            (about, ring) => about.or_else(|| ring.map(str::to_owned)),
        };
        draft.audience = Audience { class_ids: vec![class.id.0], ..Audience::default() };
        draft.collapse_key = format!("call:{}", class.id);
        draft.expires_at = Some(known.now + CALL_IS_OVER);
        drafts.push(of_class(draft, class.id.0, Some(ring)));
    }
}

fn second_behind<'a>(called: &Called, known: &Known<'a>) -> Option<(&'a Record, Uuid)> {
    let ring = called.ring.or_else(|| known.row("classes", Some(called.class))?.value("ring_id").as_id())?;
    let families: BTreeSet<Uuid> = known.all("classes").filter_map(|class| class.value("family_id").as_id()).collect();
    let waits = |class: &&Record| {
        let status = class.value("status").as_text().unwrap_or_default();
        class.value("ring_id").as_id() == Some(ring)
            && class.id.0 != called.class
            && ["scheduled", "make_ready"].contains(&status)
            && !families.contains(&class.id.0)
    };
    let mut waiting: Vec<&Record> = known.all("classes").filter(waits).collect();
    waiting.sort_by_key(|class| {
        let (seq, at) = (class.value("seq").as_int(), class.value("planned_at").as_instant());
        (seq.is_none(), seq, at.is_none(), at, class.id)
    });
    let behind = usize::try_from(AHEAD - 1).ok()?;
    // Who is called already need not be told that it is still two classes away.
    let class = waiting.get(behind).filter(|class| class.value("status").as_text() == Some("scheduled"))?;
    Some((class, ring))
}

/// Classes have another ring.
pub(super) fn moved(facts: &Facts, known: &Known<'_>, drafts: &mut Vec<Draft>) {
    let mut by_way: BTreeMap<(Uuid, Uuid), Vec<&Moved>> = BTreeMap::new();
    for moved in &facts.moved {
        by_way.entry((moved.from, moved.to)).or_default().push(moved);
    }
    for ((from, to), moved) in by_way {
        let Some(ring) = known.ring_name(Some(to)) else { continue };
        let rings = vec![from, to];
        if moved.len() > SINGLES_MAX {
            let title = format!("{} classes moved to {ring}", moved.len());
            let mut draft = Draft::new(Automatic::RingChange, High, format!("{to}:{}", facts.clock.0), title);
            draft.audience =
                Audience { rings, class_ids: moved.iter().map(|moved| moved.class).collect(), ..Audience::default() };
            let names = moved.iter().filter_map(|moved| known.row("classes", Some(moved.class))).map(class_name);
            draft.body = Some(format!("{}.", listed(&names.collect::<Vec<_>>())));
            draft.expires_at = Some(known.now + MOVE_IS_OVER);
            drafts.push(draft.about("open", "#/work").about("ring_id", to.to_string()));
            continue;
        }
        for moved in moved {
            let Some(class) = known.row("classes", Some(moved.class)) else { continue };
            let key = format!("{}:{}", moved.class, moved.version.0);
            let title = format!("{} moved to {ring}", class_name(class));
            let mut draft = Draft::new(Automatic::RingChange, High, key, title);
            let at = class.value("planned_at").as_instant().map(|at| known.manner.clock(at));
            let words: Vec<String> = [known.manner.about_class(class), at].into_iter().flatten().collect();
            draft.body = (!words.is_empty()).then(|| format!("{}.", words.join(", ")));
            draft.audience = Audience { rings: rings.clone(), class_ids: vec![moved.class], ..Audience::default() };
            draft.collapse_key = format!("ring_change:{}", moved.class);
            draft.expires_at = Some(known.now + MOVE_IS_OVER);
            drafts.push(of_class(draft, moved.class, Some(to)));
        }
    }
}

/// The classes of all departments are published.
pub(super) fn posted(facts: &Facts, known: &Known<'_>, drafts: &mut Vec<Draft>) {
    let Some(version) = facts.posted else { return };
    let departments: BTreeSet<&str> =
        known.all("classes").filter_map(|class| class.value("department").as_text()).collect();
    for department in departments {
        let key = format!("{department}:{}", version.0);
        let title = format!("{} classes posted; check yours", department_name(department));
        let mut draft = Draft::new(Automatic::ClassesPosted, Normal, key, title);
        draft.audience = Audience { departments: vec![department.to_owned()], ..Audience::default() };
        draft.collapse_key = format!("classes_posted:{department}");
        drafts.push(draft.about("open", "#/schedule").about("department", department));
    }
}

/// Results are official.
pub(super) fn official(facts: &Facts, known: &Known<'_>, drafts: &mut Vec<Draft>) {
    if facts.official.len() > SINGLES_MAX {
        let title = format!("{} classes are official", facts.official.len());
        let mut draft = Draft::new(Automatic::Results, Normal, facts.clock.0, title);
        let classes = facts.official.iter().filter_map(|(class, _)| known.row("classes", Some(*class)));
        draft.body = Some(format!("{}.", listed(&classes.map(class_name).collect::<Vec<_>>())));
        draft.audience = Audience::everybody();
        return drafts.push(draft);
    }
    for (id, version) in &facts.official {
        let Some(class) = known.row("classes", Some(*id)) else { continue };
        let title = format!("{} official", class_name(class));
        let mut draft = Draft::new(Automatic::Results, Normal, format!("{id}:{}", version.0), title);
        draft.body = results(*id, known);
        draft.audience = Audience::everybody();
        draft.collapse_key = format!("results:{id}");
        drafts.push(of_class(draft, *id, None));
    }
}

/// `1st #214, 2nd #152, 3rd #126`: places with numbers, never names, because a message may leave the show's network.
fn results(class: Uuid, known: &Known<'_>) -> Option<String> {
    let mut placed: Vec<(i64, i64)> = known
        .all("placings")
        .filter(|placing| placing.value("class_id").as_id() == Some(class))
        .filter_map(|placing| {
            let place = placing.value("place").as_int().filter(|place| *place <= PLACES_TOLD)?;
            let entry = known.row("entries", placing.value("entry_id").as_id())?;
            let exhibitor = known.row("exhibitors", entry.value("exhibitor_id").as_id())?;
            Some((place, exhibitor.value("back_number").as_int()?))
        })
        .collect();
    placed.sort_unstable();
    let words: Vec<String> =
        placed.into_iter().map(|(place, number)| format!("{} #{number}", ordinal(place))).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn of_class(draft: Draft, class: Uuid, ring: Option<Uuid>) -> Draft {
    let draft = draft.about("open", "#/work").about("class_id", class.to_string());
    match ring {
        Some(ring) => draft.about("ring_id", ring.to_string()),
        None => draft,
    }
}

fn is_drive(class: &Record) -> bool {
    class.value("kind").as_text() == Some("championship")
}

/// Which classes and places a drive is made of.
fn fed_by(class: &Record) -> (Vec<Uuid>, Vec<i64>) {
    let list = |path: &str| match class.value(path) {
        crate::value::Value::List(values) => values.clone(),
        _ => Vec::new(),
    };
    let classes = list("feeder.class_ids").iter().filter_map(crate::value::Value::as_id).collect();
    (classes, list("feeder.positions").iter().filter_map(crate::value::Value::as_int).collect())
}

/// The classes that a drive takes its animals from.
pub fn feeders_of(class: &Record) -> Vec<RecordId> {
    fed_by(class).0.into_iter().map(RecordId).collect()
}

/// Whose animals were placed so that the drive calls them.
fn placed_before(class: &Record, known: &Known<'_>) -> Vec<Uuid> {
    if !is_drive(class) {
        return Vec::new();
    }
    let (classes, positions) = fed_by(class);
    let counts = |placing: &&Record| {
        let of_class = placing.value("class_id").as_id().is_some_and(|id| classes.contains(&id));
        let place = placing.value("place").as_int();
        of_class && place.is_some_and(|place| positions.is_empty() || positions.contains(&place))
    };
    let called: BTreeSet<Uuid> = known
        .all("placings")
        .filter(counts)
        .filter_map(|placing| known.row("entries", placing.value("entry_id").as_id())?.value("exhibitor_id").as_id())
        .collect();
    called.into_iter().collect()
}

/// `1st and 2nd place of Class 12 and Class 13`; none where nobody said so.
fn drive_words(class: &Record, known: &Known<'_>) -> Option<String> {
    let (classes, positions) = fed_by(class);
    let classes: Vec<String> =
        classes.iter().filter_map(|id| known.row("classes", Some(*id))).map(class_name).collect();
    if classes.is_empty() || positions.is_empty() {
        return None;
    }
    let places: Vec<String> = positions.into_iter().map(ordinal).collect();
    Some(format!("{} place of {}", listed(&places), listed(&classes)))
}
