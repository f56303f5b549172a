//! The report of the show: one page for the manager's file, whole in itself, that prints well.
//!
//! It counts, and shows charts, decided clashes, alerts and problems. Exhibitors are mostly children and the page leaves
//! the house: animals stand there by their tags and exhibitors by their back numbers, never by name; phones by the crew
//! they belong to, because a family's phone bears the family's name; and neither a value of a clash is told nor the
//! reason that somebody typed. By name stands only who decided.

mod html;
mod sections;
mod words;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;
use showdesk_charts::{Frame, Ink};
use showdesk_domain::actor::{Actor, DeviceKind, Function};
use showdesk_domain::conflict::Conflict;
use showdesk_domain::ids::{PersonId, RecordId};
use showdesk_domain::permit::Action;
use showdesk_domain::schema::known_table;
use showdesk_store::conflicts::{ConflictFilter, Standing};
use showdesk_store::people::DeviceListRow;
use showdesk_store::records::OverviewCounts;
use showdesk_store::report::{ClashCount, DepartmentRow, OpCount};
use showdesk_store::telemetry::errors;
use showdesk_store::telemetry::errors::GroupRow;
use showdesk_store::{Tx, conflicts, people, records, report};
use uuid::Uuid;

use crate::api::alerts::{AlertEvent, AlertSubject};
use crate::api::report::ReportFile;
use crate::charts::range::{Range, Span};
use crate::charts::{Drawn, PhoneNames, in_background, text_of};
use crate::notifications::job;
use crate::rights::require;
use crate::subjects::Subjects;
use crate::{Engine, EngineError, Result};

/// Decided clashes that are listed, the newest.
const DECISIONS_MAX: i64 = 200;
/// Decisions of which it is told how long they took.
const TIMED_MAX: i64 = 5_000;
/// Alerts and problems that are listed.
const ALERTS_MAX: usize = 200;
/// What was said of alerts, as far as it is read: each is said again until it is over.
const SAID_MAX: i64 = 5_000;
const PROBLEMS_MAX: i64 = 30;
/// Devices of no crew.
const LAPTOPS: &str = "laptops";
const REMOVED: &str = "removed phones";
/// Alerts are kept so long.
const ALERTS_KEPT: TimeDelta = TimeDelta::days(90);

/// All that the report says.
pub(crate) struct Facts {
    show: ShowFacts,
    made_at: DateTime<Utc>,
    counts: OverviewCounts,
    departments: Vec<DepartmentRow>,
    phones: usize,
    people: usize,
    ops: Vec<OpCount>,
    clashes: Vec<ClashCount>,
    /// How long half of the decisions took at most.
    decided_within: Option<TimeDelta>,
    decisions: Vec<Decision>,
    deeds: HashMap<String, i64>,
    /// None if nothing was recorded.
    measured: Option<Measured>,
}

/// What the show's own row says.
struct ShowFacts {
    name: String,
    venue: Option<String>,
    starts_on: Option<String>,
    ends_on: Option<String>,
    zone: Tz,
}

/// A clash that was decided.
struct Decision {
    at: Option<DateTime<Utc>>,
    /// What it was about, without anybody's name.
    about: String,
    kind: &'static str,
    fields: Vec<String>,
    outcome: &'static str,
    by: Option<String>,
}

/// What comes from the measurements.
struct Measured {
    charts: Vec<Figure>,
    alerts: Vec<Alert>,
    /// Whether there were alerts before those.
    has_older_alerts: bool,
    problems: Vec<GroupRow>,
}

/// Something that needed a look.
struct Alert {
    at: DateTime<Utc>,
    headline: String,
    /// When it was over.
    over: Option<DateTime<Utc>>,
    /// What it was about, without anybody's name.
    about: String,
}

/// A chart, drawn.
struct Figure {
    summary: String,
    svg: String,
}

impl Engine {
    /// The report as one HTML page.
    pub async fn report(&self, actor: &Actor) -> Result<ReportFile> {
        require(actor, Action::SeeHealth)?;
        let facts = self.report_facts(actor).await?;
        let day = facts.made_at.with_timezone(&facts.show.zone).format("%Y-%m-%d").to_string();
        let file_name = format!("{}-report-{day}.html", words::for_file(&facts.show.name));
        let html = in_background(move || sections::page(&facts)).await?;
        Ok(ReportFile { html, file_name })
    }

    async fn report_facts(&self, actor: &Actor) -> Result<Facts> {
        let made_at = self.now();
        let mut tx = self.begin_read_as(actor).await?;
        let devices = people::devices(&mut tx).await?;
        drop(tx);
        let measured = match self.report_measured(actor, made_at, &devices).await {
            Ok(measured) => Some(measured),
            // What is not recorded cannot be shown; the rest of the report can.
            Err(EngineError::RecordingOff) => None,
            Err(error) => return Err(error),
        };
        let zone = self.read_show_time().await?.zone;
        let mut tx = self.begin_read_as(actor).await?;
        let show = records::load(&mut tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?.pop();
        let text = |path: &str| show.as_ref().and_then(|show| text_of(show, path)).filter(|text| !text.is_empty());
        let phones: Vec<_> = devices.iter().filter(|row| row.device.kind == DeviceKind::Phone).collect();
        let mut with_phone: Vec<PersonId> = phones.iter().map(|row| row.device.person).collect();
        with_phone.sort_unstable();
        with_phone.dedup();
        Ok(Facts {
            show: ShowFacts {
                name: text("name").unwrap_or_else(|| "The show".to_owned()),
                venue: text("venue"),
                starts_on: text("starts_on"),
                ends_on: text("ends_on"),
                zone,
            },
            made_at,
            counts: records::overview_counts(&mut tx).await?,
            departments: report::departments(&mut tx).await?,
            phones: phones.len(),
            people: with_phone.len(),
            ops: report::ops_of_phones(&mut tx).await?,
            clashes: report::clashes(&mut tx).await?,
            decided_within: middle(report::decided(&mut tx, TIMED_MAX).await?),
            decisions: decisions(&mut tx).await?,
            deeds: report::deeds(&mut tx).await?.into_iter().collect(),
            measured,
        })
    }

    async fn report_measured(&self, actor: &Actor, now: DateTime<Utc>, devices: &[DeviceListRow]) -> Result<Measured> {
        let mut tx = self.begin_read_telemetry_as(actor).await?;
        let problems = errors::most_frequent(&mut tx, now - ALERTS_KEPT, now, PROBLEMS_MAX).await?;
        drop(tx);
        let Span { from, until } = Span::of(Range::Show, self.read_show_time().await?, now);
        let mut said = self.alerts_between(from, until, SAID_MAX + 1).await?;
        let is_cut = i64::try_from(said.len()).is_ok_and(|count| count > SAID_MAX);
        if is_cut {
            said.remove(0);
        }
        let mut alerts = alerts(&said, &Crews::of(devices));
        let too_many = alerts.len().saturating_sub(ALERTS_MAX);
        alerts.drain(..too_many);
        let drawn = self.draw(Range::Show, false, Frame::report(chrono_tz::UTC), PhoneNames::LeftOut).await?;
        let charts = in_background(move || figures(&drawn)).await?;
        Ok(Measured { charts, alerts, has_older_alerts: is_cut || too_many > 0, problems })
    }
}

/// Those alerts that began, the oldest first, with their ends. What is said again of a rule, of more phones perhaps, is
/// one alert until the rule is over.
fn alerts(said: &[AlertEvent], crews: &Crews) -> Vec<Alert> {
    let mut found: Vec<(Alert, Vec<AlertSubject>)> = Vec::new();
    let mut open: HashMap<&str, usize> = HashMap::new();
    for event in said {
        match (event.kind.as_str(), open.get(event.rule.as_str()).copied()) {
            ("firing", None) => {
                open.insert(&event.rule, found.len());
                let headline = event.headline.clone();
                let alert = Alert { at: event.at, headline, over: None, about: String::new() };
                found.push((alert, event.subjects.clone()));
            }
            ("firing", Some(place)) => {
                let (alert, subjects) = &mut found[place];
                let is_new = |new: &&AlertSubject| subjects.iter().all(|known| known.subject != new.subject);
                let new: Vec<AlertSubject> = event.subjects.iter().filter(is_new).cloned().collect();
                if !new.is_empty() {
                    // With more of them the newest line counts.
                    alert.headline.clone_from(&event.headline);
                }
                subjects.extend(new);
            }
            ("resolved", Some(place)) => {
                found[place].0.over = Some(event.at);
                open.remove(event.rule.as_str());
            }
            _ => {}
        }
    }
    found.into_iter().map(|(alert, subjects)| Alert { about: crews.about(&subjects), ..alert }).collect()
}

/// To whose work the phones belong, by their ids.
struct Crews(HashMap<String, &'static str>);

impl Crews {
    fn of(devices: &[DeviceListRow]) -> Self {
        let crew = |row: &DeviceListRow| match row.device.kind {
            DeviceKind::Desk => LAPTOPS,
            DeviceKind::Phone => job(row.functions.first().copied().unwrap_or(Function::Viewer)),
        };
        Self(devices.iter().map(|row| (row.device.id.to_string(), crew(row))).collect())
    }

    /// What an alert is about: how many phones of which crew, or what is nobody's.
    fn about(&self, subjects: &[AlertSubject]) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut things = Vec::new();
        for AlertSubject { subject, name, .. } in subjects {
            match self.0.get(subject) {
                Some(crew) => *counts.entry(*crew).or_default() += 1,
                None if is_device(subject) => *counts.entry(REMOVED).or_default() += 1,
                // Without a subject it is about a laptop, and named if there are several.
                None if subject.is_empty() && name.is_some() => *counts.entry(LAPTOPS).or_default() += 1,
                None => things.extend(name.clone()),
            }
        }
        things.extend(counts.into_iter().map(|(crew, count)| words::of_crew(crew, count)));
        things.join(", ")
    }
}

/// Whether an alert is about a device: ids of problems have no hyphens.
fn is_device(subject: &str) -> bool {
    subject.contains('-') && Uuid::try_parse(subject).is_ok()
}

/// The charts that have anything to show, in colours of their own.
fn figures(drawn: &Drawn) -> Vec<Figure> {
    // On paper a chart of nothing but zeros says less than the line it takes.
    let has_values = |chart: &&showdesk_charts::Chart| {
        let table = chart.table(&drawn.frame);
        table.rows.iter().any(|(_, cells)| cells.iter().any(|cell| cell.value.is_some_and(|value| value > 0.0)))
    };
    let figure = |chart: &showdesk_charts::Chart| Figure {
        summary: chart.summary(&drawn.frame),
        svg: html::without_points(&chart.svg(&drawn.frame, Ink::Light)),
    };
    drawn.charts.iter().filter(has_values).map(figure).collect()
}

/// The middle one of how long decisions took.
fn middle(decided: Vec<(DateTime<Utc>, DateTime<Utc>)>) -> Option<TimeDelta> {
    let mut took: Vec<TimeDelta> = decided.into_iter().map(|(opened, decided)| decided - opened).collect();
    took.sort_unstable();
    took.get(took.len() / 2).copied()
}

async fn decisions(tx: &mut Tx) -> Result<Vec<Decision>> {
    let filter = ConflictFilter { status: Some(Standing::Decided), limit: DECISIONS_MAX, ..Default::default() };
    let clashes = conflicts::list(tx, &filter).await?;
    let rows = clashes.iter().map(|clash| (clash.table.name, Some(clash.record_id), None));
    let subjects = Subjects::load(tx, rows).await?;
    let mut deciders: Vec<PersonId> = clashes.iter().filter_map(|clash| clash.resolved_by).collect();
    deciders.sort_unstable();
    deciders.dedup();
    let names = people::profiles(tx, &deciders).await?;
    let names: HashMap<PersonId, String> = names.into_iter().map(|person| (person.id, person.name)).collect();
    let decision = |clash: Conflict| {
        let data = clash.client_data.clone().or_else(|| clash.server_data.clone()).map(Json::Object);
        let subject = subjects.of(clash.table.name, Some(clash.record_id), data.as_ref());
        Decision {
            at: clash.resolved_at,
            about: words::about(clash.table.name, &subject),
            kind: words::kind(clash.kind),
            fields: clash.contested.iter().map(|path| words::field(path)).collect(),
            outcome: words::decision(clash.status, clash.resolution.as_deref()),
            by: clash.resolved_by.and_then(|person| names.get(&person).cloned()),
        }
    };
    Ok(clashes.into_iter().map(decision).collect())
}

#[cfg(test)]
mod tests;
