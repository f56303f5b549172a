//! What goes by the clock: departments that begin at another time, weigh-in that closes, work that is not sent.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use uuid::Uuid;

use super::{Draft, Known, SINGLES_MAX};
use crate::actor::Function::{Admin, Scale};
use crate::derive::local_day;
use crate::ids::DeviceId;
use crate::notices::Priority::{High, Normal};
use crate::notices::audience::Audience;
use crate::notices::automatic::{Automatic, Closing};
use crate::notices::facts::{Facts, Timed};
use crate::notices::words::{Manner, class_name, department_name};

/// A time that was changed is known by then.
const TIME_IS_OVER: Duration = Duration::hours(24);
/// Unsent work of two hours ago is another matter.
const UNSENT_IS_OVER: Duration = Duration::hours(2);

/// Departments that begin at another time, and single classes that do.
pub(super) fn times(facts: &Facts, known: &Known<'_>, drafts: &mut Vec<Draft>) {
    if !facts.is_public {
        return;
    }
    let mut by_department: BTreeMap<&str, Vec<&Timed>> = BTreeMap::new();
    for timed in facts.timed.iter().filter(|timed| timed.from.is_some() && timed.to.is_some()) {
        by_department.entry(timed.department.as_deref().unwrap_or_default()).or_default().push(timed);
    }
    for (department, timed) in by_department {
        let starts = starts_moved(department, &timed, known);
        for (before, now) in &starts {
            let clock = |at: &DateTime<Utc>| known.manner.clock(*at);
            let title = format!("{} show starts {}, not {}", department_name(department), clock(now), clock(before));
            let key = format!("{department}:{}:{}", before.timestamp(), facts.clock.0);
            let mut draft = Draft::new(Automatic::Schedule, Normal, key, title);
            draft.audience = of_department(department);
            draft.collapse_key = format!("schedule:{department}");
            draft.expires_at = Some(known.now + TIME_IS_OVER);
            drafts.push(draft.about("open", "#/schedule").about("department", department));
        }
        if starts.is_empty() && timed.len() <= SINGLES_MAX {
            for timed in &timed {
                drafts.extend(one(timed, facts, known));
            }
        } else if starts.is_empty() && !department.is_empty() {
            let title = format!("Times of {} {department} classes have changed", timed.len());
            let mut draft = Draft::new(Automatic::Schedule, Normal, format!("{department}:{}", facts.clock.0), title);
            draft.body = Some("Look at the schedule for yours.".to_owned());
            draft.audience = of_department(department);
            draft.expires_at = Some(known.now + TIME_IS_OVER);
            drafts.push(draft.about("open", "#/schedule").about("department", department));
        }
    }
}

fn of_department(department: &str) -> Audience {
    Audience { departments: vec![department.to_owned()], ..Audience::default() }
}

/// One class at another time.
fn one(timed: &Timed, facts: &Facts, known: &Known<'_>) -> Option<Draft> {
    let class = known.row("classes", Some(timed.class)).filter(|class| class.is_live())?;
    let (from, to) = (known.manner.clock(timed.from?), known.manner.clock(timed.to?));
    if timed.from == timed.to {
        return None;
    }
    let day = |at: DateTime<Utc>| local_day(at, &known.manner.timezone);
    let when = if day(timed.from?) == day(timed.to?) {
        format!("{to}, not {from}")
    } else {
        format!("{} {to}", timed.to?.with_timezone(&zone(&known.manner)).format("%A"))
    };
    let key = format!("{}:{}", timed.class, facts.clock.0);
    let mut draft = Draft::new(Automatic::Schedule, Normal, key, format!("{} is at {when}", class_name(class)));
    draft.body = known.manner.about_class(class);
    draft.audience = Audience {
        class_ids: vec![timed.class],
        rings: class.value("ring_id").as_id().into_iter().collect(),
        ..Audience::default()
    };
    draft.collapse_key = format!("schedule:{}", timed.class);
    draft.expires_at = Some(known.now + TIME_IS_OVER);
    Some(draft.about("open", "#/schedule").about("class_id", timed.class.to_string()))
}

fn zone(manner: &Manner) -> chrono_tz::Tz {
    manner.timezone.parse().unwrap_or(chrono_tz::Tz::UTC)
}

/// The beginnings of the department's days that moved: before, and now. A day that has none now has moved away.
fn starts_moved(department: &str, timed: &[&Timed], known: &Known<'_>) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    if department.is_empty() {
        return Vec::new();
    }
    let day = |at: DateTime<Utc>| local_day(at, &known.manner.timezone);
    let first = |firsts: &mut BTreeMap<NaiveDate, DateTime<Utc>>, at: DateTime<Utc>| {
        firsts.entry(day(at)).and_modify(|first| *first = at.min(*first)).or_insert(at);
    };
    let is_cancelled = |status: Option<&str>| matches!(status, Some("cancelled" | "combined_into"));
    let (mut before, mut now) = (BTreeMap::new(), BTreeMap::new());
    let changed: BTreeSet<Uuid> = timed.iter().map(|timed| timed.class).collect();
    for class in known.all("classes") {
        let is_own = class.value("department").as_text() == Some(department);
        if let Some(at) = class.value("planned_at").as_instant()
            && is_own
            && !is_cancelled(class.value("status").as_text())
        {
            first(&mut now, at);
            if !changed.contains(&class.id.0) {
                first(&mut before, at);
            }
        }
    }
    timed.iter().filter_map(|timed| timed.from).for_each(|at| first(&mut before, at));
    let moved = before.into_iter().filter_map(|(day, before)| {
        let now = *now.get(&day)?;
        // What is over by now interests nobody.
        (now != before && now.max(before) > known.now).then_some((before, now))
    });
    moved.collect()
}

/// Animals of a department that are not weighed, while its weigh-in closes soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWeighed {
    /// When it closes.
    pub closing: Closing,
    /// How many.
    pub head: i64,
}

/// Weigh-in closes soon and animals are not weighed.
pub fn weigh_closing(not_weighed: &NotWeighed, manner: &Manner) -> Option<Draft> {
    let NotWeighed { closing: Closing { department, at }, head } = not_weighed;
    if *head < 1 {
        return None;
    }
    let title =
        format!("{} weigh-in closes {}; {head} head not weighed", department_name(department), manner.clock(*at));
    let mut draft = Draft::new(Automatic::WeighClosing, High, which_closing(&not_weighed.closing), title);
    draft.audience = Audience {
        owners_of: vec![department.clone()],
        functions: vec![Scale],
        of_departments: vec![department.clone()],
        ..Audience::default()
    };
    draft.collapse_key = format!("weigh_closing:{department}");
    draft.expires_at = Some(*at);
    Some(draft.about("open", "#/work").about("department", department.as_str()))
}

/// The key under which it is told that a weigh-in closes.
pub fn closing_key(closing: &Closing) -> String {
    format!("{}:{}", Automatic::WeighClosing.as_str(), which_closing(closing))
}

fn which_closing(closing: &Closing) -> String {
    format!("{}:{}", closing.department, closing.at.timestamp())
}

/// A phone that holds work it has not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// The phone.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// Changes it holds.
    pub changes: i64,
    /// Since when the oldest waits.
    pub since: DateTime<Utc>,
}

/// A phone has not sent its work for a while.
pub fn unsent_work(unsent: &Unsent, now: DateTime<Utc>) -> Draft {
    let minutes = (now - unsent.since).num_minutes();
    let changes = if unsent.changes == 1 { "change".to_owned() } else { "changes".to_owned() };
    let title = |whose: &str| format!("{whose} has {} unsent {changes} for {minutes} min", unsent.changes);
    // Phones are called by whose they are: that is for the show alone.
    let outside = serde_json::json!({ "title": title("A phone") });
    let title = title(&unsent.name);
    let key = format!("{}:{}", unsent.device, now.timestamp());
    let mut draft = Draft::new(Automatic::Sync, Normal, key, title);
    draft.body = Some("Its entries are kept on that phone. Bring it near the laptop.".to_owned());
    draft.audience = Audience::of_functions(&[Admin]);
    draft.collapse_key = sync_key(unsent.device);
    draft.expires_at = Some(now + UNSENT_IS_OVER);
    draft.about("open", "#/phones").about("device_id", unsent.device.to_string()).about("outside", outside)
}

/// What all messages about a phone's unsent work have in common.
pub fn sync_key(device: DeviceId) -> String {
    format!("sync:{device}")
}
