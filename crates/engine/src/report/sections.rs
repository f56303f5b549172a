//! The page of the report, from top to bottom.

use std::fmt::Write as _;

use showdesk_domain::queue::{QueueStatus, Verdict};
use showdesk_store::report::OpCount;
use showdesk_store::telemetry::errors::GroupRow;

use super::html::{self, escaped, table};
use super::words::{days, department, moment, number, time};
use super::{Alert, Decision, Facts, Measured};

/// The sheet. The page brings its own colours and is light, also where the desk is dark: it is made for paper.
const SHEET: &str = include_str!("report.css");

/// Deeds that stand in the report, by their word on record.
const DEEDS: [(&str, &str); 13] = [
    ("conflict_resolved", "Clashes decided"),
    ("conflicts_resolved", "Clashes decided together"),
    ("conflict_undone", "Decisions taken back"),
    ("conflict_reopened", "Decisions checked again"),
    ("conflict_asked", "Authors asked"),
    ("op_applied", "Late entries taken in by hand"),
    ("op_dropped", "Entries given up"),
    ("rescue_taken_in", "Phones' copies taken in"),
    ("import_confirmed", "Files brought in"),
    ("import_undone", "Files taken back"),
    ("device_removed", "Phones removed"),
    ("device_merged", "Phones joined into one"),
    ("stage_changed", "Changes of the show's stage"),
];

/// The whole page.
pub(super) fn page(facts: &Facts) -> String {
    let title = format!("Report of {}", facts.show.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light\"><meta name=\"robots\" content=\"noindex\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; font-src data:\">\
         <title>{}</title><style>{}{SHEET}</style></head><body><main>",
        escaped(&title),
        html::letters(),
    );
    for section in [
        head(facts),
        figures(facts),
        departments(facts),
        entries(facts),
        clashes(facts),
        by_hand(facts),
        charts(facts.measured.as_ref()),
        alerts(facts),
        problems(facts.measured.as_ref()),
        foot(facts),
    ] {
        page.push_str(&section);
    }
    page + "</main></body></html>\n"
}

fn section(id: &str, heading: &str, lead: &str, body: &str) -> String {
    format!(
        "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{}</h2><p class=\"lead\">{}</p>{body}</section>",
        escaped(heading),
        escaped(lead)
    )
}

fn head(facts: &Facts) -> String {
    let show = &facts.show;
    let when = days(show.starts_on.as_deref(), show.ends_on.as_deref());
    let place: Vec<String> = [show.venue.clone(), when].into_iter().flatten().collect();
    format!(
        "<header><p class=\"over\">Report of the show</p><h1>{}</h1><p class=\"place\">{}</p>\
         <p class=\"made\">As of {}</p></header>",
        escaped(&show.name),
        escaped(&place.join(" · ")),
        escaped(&moment(facts.made_at, show.zone)),
    )
}

fn figures(facts: &Facts) -> String {
    let counts = &facts.counts;
    let of = |part: i64, all: i64| format!("{} of {}", number(part), number(all));
    let saved: i64 = facts.ops.iter().map(|op| op.count).sum();
    let decided: i64 = facts.clashes.iter().filter(|clash| clash.status == "resolved").map(|clash| clash.count).sum();
    let phones = i64::try_from(facts.phones).unwrap_or(i64::MAX);
    let tiles = [
        ("Exhibitors", number(counts.exhibitors), String::new()),
        ("Animals", number(counts.animals), format!("{} here", of(counts.checked_in, counts.animals))),
        ("Weighed", number(counts.weighed), format!("of {} animals", number(counts.animals))),
        ("Entries", number(counts.entries), format!("in {} classes", number(counts.classes))),
        ("Phones", number(phones), people_words(facts.people)),
        ("Entries from phones", number(saved), String::new()),
        (
            "Clashes decided",
            number(decided),
            facts.decided_within.map_or_else(String::new, |within| format!("half of them within {}", time(within))),
        ),
        ("Rings", number(counts.rings), String::new()),
    ];
    let mut text = "<section aria-label=\"The show in numbers\"><dl class=\"tiles\">".to_owned();
    for (name, value, more) in tiles {
        let _ = write!(text, "<div><dt>{name}</dt><dd>{value}</dd>");
        if !more.is_empty() {
            let _ = write!(text, "<dd class=\"more\">{}</dd>", escaped(&more));
        }
        text.push_str("</div>");
    }
    text + "</dl></section>"
}

fn people_words(people: usize) -> String {
    match people {
        0 => String::new(),
        1 => "of 1 person".to_owned(),
        people => format!("of {people} people"),
    }
}

fn departments(facts: &Facts) -> String {
    let columns = ["Department", "Animals", "Here", "Weighed", "Classes", "Official", "Entries", "Taken out"];
    let row = |row: &showdesk_store::report::DepartmentRow| {
        let counts = [row.animals, row.arrived, row.weighed, row.classes, row.official, row.entries, row.out];
        std::iter::once(department(row.department.as_deref())).chain(counts.map(number)).collect()
    };
    let rows: Vec<Vec<String>> = facts.departments.iter().map(row).collect();
    if rows.is_empty() {
        return section("departments", "Departments", "Nobody has entered anything yet.", "");
    }
    let lead = "Animals and classes of each department, and how far they got.";
    section("departments", "Departments", lead, &table("Departments", &columns, 1, &rows))
}

fn entries(facts: &Facts) -> String {
    let count = |is: &dyn Fn(&OpCount) -> bool| facts.ops.iter().filter(|op| is(op)).map(|op| op.count).sum::<i64>();
    let is_joined = |op: &OpCount| op.verdict == Some(Verdict::Merged);
    let rows = [
        ("Saved as they came", count(&|op| op.status == QueueStatus::Completed && !is_joined(op))),
        ("Joined with what somebody else wrote", count(&|op| op.status == QueueStatus::Completed && is_joined(op))),
        ("Still to check", count(&|op| op.status == QueueStatus::Conflict)),
        ("Wait for something else", count(&|op| matches!(op.status, QueueStatus::Pending | QueueStatus::Processing))),
        ("Not taken", count(&|op| op.status == QueueStatus::Failed)),
    ];
    let all: i64 = facts.ops.iter().map(|op| op.count).sum();
    if all == 0 {
        return section("entries", "Entries from phones", "No phone has sent an entry.", "");
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| vec![name.to_owned(), number(count), share(count, all)])
        .collect();
    let lead = format!("{} entries came from phones. Each is on the laptop's disk or stands below.", number(all));
    let body = table("Entries from phones", &["What became of them", "Entries", "Of all"], 1, &rows);
    section("entries", "Entries from phones", &lead, &body)
}

fn share(part: i64, all: i64) -> String {
    let tenths = part.saturating_mul(1_000) / all.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn clashes(facts: &Facts) -> String {
    let count =
        |status: &str| facts.clashes.iter().filter(|row| row.status == status).map(|row| row.count).sum::<i64>();
    let all: i64 = facts.clashes.iter().map(|row| row.count).sum();
    if all == 0 {
        return section("clashes", "Clashes and corrections", "No two entries were at odds.", "");
    }
    let lead = format!(
        "{} times two entries were at odds: {} decided by a person, {} settled by themselves, {} still to check. \
         Values and reasons stand in the record under Phones & people.",
        number(all),
        number(count("resolved")),
        number(count("merged_automatically") + count("superseded") + count("withdrawn")),
        number(count("open")),
    );
    let row = |decision: &Decision| {
        vec![
            decision.about.clone(),
            decision.kind.to_owned(),
            decision.fields.join(", "),
            decision.outcome.to_owned(),
            decision.by.clone().unwrap_or_default(),
            decision.at.map_or_else(String::new, |at| moment(at, facts.show.zone)),
        ]
    };
    let rows: Vec<Vec<String>> = facts.decisions.iter().map(row).collect();
    let columns = ["About", "What happened", "Fields", "Decision", "By", "When"];
    let body = if rows.is_empty() { String::new() } else { table("Decisions, the newest first", &columns, 6, &rows) };
    section("clashes", "Clashes and corrections", &lead, &body)
}

fn by_hand(facts: &Facts) -> String {
    let known = DEEDS.iter().filter_map(|(deed, words)| Some((*words, *facts.deeds.get(*deed)?)));
    let rows: Vec<Vec<String>> =
        known.filter(|(_, count)| *count > 0).map(|(words, count)| vec![words.to_owned(), number(count)]).collect();
    if rows.is_empty() {
        return String::new();
    }
    let lead = "What the office did by hand. The whole record is under Phones & people.";
    section("by-hand", "Done by hand", lead, &table("Done by hand", &["What", "How often"], 1, &rows))
}

fn charts(measured: Option<&Measured>) -> String {
    let Some(measured) = measured else {
        return section("charts", "Charts", "Nothing was measured on this laptop.", "");
    };
    if measured.charts.is_empty() {
        return section("charts", "Charts", "Nothing has been measured yet.", "");
    }
    let mut body = String::new();
    for chart in &measured.charts {
        let _ = write!(body, "<figure>{}<figcaption>{}</figcaption></figure>", chart.svg, escaped(&chart.summary));
    }
    section("charts", "Charts", "How the laptop and the phones did, in the show's own time.", &body)
}

fn alerts(facts: &Facts) -> String {
    let Some(measured) = &facts.measured else { return String::new() };
    if measured.alerts.is_empty() {
        return section("alerts", "Alerts", "The laptop had nothing to complain of.", "");
    }
    let row = |alert: &Alert| {
        let lasted = alert.over.map_or_else(|| "not over".to_owned(), |over| time(over - alert.at));
        vec![alert.headline.clone(), moment(alert.at, facts.show.zone), lasted, alert.about.clone()]
    };
    let rows: Vec<Vec<String>> = measured.alerts.iter().map(row).collect();
    let count = number(i64::try_from(rows.len()).unwrap_or(0));
    let lead = if measured.has_older_alerts {
        format!("Something needed a look very often; these are the newest {count} times.")
    } else {
        format!("{count} times something needed a look.")
    };
    let body = table("Alerts, the oldest first", &["What", "When", "For", "About"], 4, &rows);
    section("alerts", "Alerts", &lead, &body)
}

fn problems(measured: Option<&Measured>) -> String {
    let Some(measured) = measured else { return String::new() };
    if measured.problems.is_empty() {
        return section("problems", "Problems", "No part of the program reported an error.", "");
    }
    let row = |group: &GroupRow| {
        let status = match group.status.as_str() {
            "resolved" => "solved",
            "ignored" => "ignored",
            "regressed" => "came back",
            _ => "open",
        };
        vec![group.title.clone(), status.to_owned(), number(group.count), number(group.users), number(group.devices)]
    };
    let rows: Vec<Vec<String>> = measured.problems.iter().map(row).collect();
    let columns = ["What", "Now", "Times", "People", "Phones"];
    let lead = "Errors of the program, one line for each kind, the most frequent first.";
    section("problems", "Problems", lead, &table("Problems", &columns, 2, &rows))
}

fn foot(facts: &Facts) -> String {
    format!(
        "<footer><p>Made by Showdesk {} on the laptop of the show. Times are those of {}.</p>\
         <p>Exhibitors are named by their back numbers only, and phones by their crews. Measurements are kept for 30 \
         days, alerts and problems for 90.</p></footer>",
        env!("CARGO_PKG_VERSION"),
        escaped(facts.show.zone.name()),
    )
}
