//! The page as a reader finds it: escaped, whole, and without what does not belong on paper.

use std::collections::HashSet;
use std::path::Path;

use serde_json::json;
use showdesk_domain::conflict::{ConflictKind, ConflictStatus};
use showdesk_domain::queue::{QueueStatus, Verdict};

use super::words;
use super::*;
use crate::{DemoSize, Options};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

fn facts(name: &str) -> Facts {
    let hostile = "\"><script>alert(1)</script>'\u{202e}".to_owned();
    Facts {
        show: ShowFacts {
            name: name.to_owned(),
            venue: Some("<b>Barn & Co</b>".to_owned()),
            starts_on: Some("2026-08-13".to_owned()),
            ends_on: Some("2026-08-16".to_owned()),
            zone: chrono_tz::America::Chicago,
        },
        made_at: at("2026-08-14T20:42:00Z"),
        counts: OverviewCounts {
            exhibitors: 240,
            animals: 12_345,
            entries: 640,
            classes: 70,
            rings: 2,
            checked_in: 300,
            weighed: 9,
        },
        departments: vec![DepartmentRow { department: Some(hostile.clone()), animals: 3, ..DepartmentRow::default() }],
        phones: 1,
        people: 1,
        ops: vec![
            OpCount { status: QueueStatus::Completed, verdict: Some(Verdict::Applied), count: 999 },
            OpCount { status: QueueStatus::Failed, verdict: Some(Verdict::Rejected), count: 1 },
        ],
        clashes: vec![ClashCount {
            kind: "update_update".to_owned(),
            status: "resolved".to_owned(),
            resolution: Some("client_wins".to_owned()),
            count: 1,
        }],
        decided_within: Some(TimeDelta::minutes(4)),
        decisions: vec![Decision {
            at: Some(at("2026-08-14T14:05:00Z")),
            about: hostile.clone(),
            kind: words::kind(ConflictKind::UpdateUpdate),
            fields: vec![words::field("official_weight_x10")],
            outcome: words::decision(ConflictStatus::Resolved, Some("client_wins")),
            by: Some(hostile),
        }],
        deeds: HashMap::from([("conflict_resolved".to_owned(), 1), ("something_else".to_owned(), 7)]),
        measured: None,
    }
}

#[test]
fn what_somebody_typed_is_text_wherever_it_stands() {
    let page = sections::page(&facts("Fair <img src=x onerror=alert(1)> & \"Co\""));
    assert!(page.contains("Fair &lt;img src=x onerror=alert(1)&gt; &amp; &quot;Co&quot;"));
    assert!(!page.contains("<img") && !page.contains("<script") && !page.contains("<b>") && !page.contains('\u{202e}'));
    assert_eq!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count(), 3);
}

#[test]
fn the_page_is_whole_in_itself_and_every_heading_names_its_section() {
    let page = sections::page(&facts("Cedar County Fair"));
    for outside in ["http://", "https://", "src=", "@import", "<link", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("url(").count(), page.matches("url(data:font/ttf;base64,").count());
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{ids:?}");
    for named in page.split("aria-labelledby=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&named), "{named}");
    }
    for words in
        ["13 to 16 August 2026", "Fri 14 Aug, 3:42 pm", "12,345", "99.9 %", "official weight", "the phone&#39;s entry"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("something_else") && page.contains("Clashes decided"));
}

#[test]
fn words_are_plain() {
    assert_eq!(words::days(Some("2026-07-31"), Some("2026-08-02")).as_deref(), Some("31 July to 2 August 2026"));
    assert_eq!(
        words::days(Some("2026-12-31"), Some("2027-01-01")).as_deref(),
        Some("31 December 2026 to 1 January 2027")
    );
    assert_eq!(words::days(Some("2026-08-02"), None).as_deref(), Some("2 August 2026"));
    assert_eq!(words::days(Some("soon"), None), None);
    for (minutes, said) in
        [(0, "less than a minute"), (1, "1 minute"), (89, "89 minutes"), (90, "2 hours"), (2_880, "2 days")]
    {
        assert_eq!(words::time(TimeDelta::minutes(minutes)), said);
    }
    for (name, file) in [("Cedar County Fair 2026", "cedar-county-fair-2026"), ("../../x\r\n\"", "x"), ("日本", "show")]
    {
        assert_eq!(words::for_file(name), file);
    }
    assert_eq!(words::field("rules.class_cap"), "class cap");
    let animal =
        json!({"tag": "9001", "breed": "Angus", "sex": "steer", "exhibitor": "Nora Birch", "back_number": 501});
    assert_eq!(words::about("animals", &animal), "Tag 9001, Angus steer");
    assert_eq!(words::about("exhibitors", &json!({"exhibitor": "Nora Birch", "back_number": 501})), "Back number 501");
    assert_eq!(words::about("shows", &json!({})), "The show");
}

#[test]
fn an_alert_names_crews_and_no_phone() {
    let device = |number: u128| Uuid::from_u128(number).to_string();
    let crews = [(1, "Scale crew"), (2, "Scale crew"), (3, "Exhibitors and viewers"), (4, LAPTOPS)];
    let crews = Crews(crews.map(|(number, crew)| (device(number), crew)).into());
    let subject = |subject: String, name: Option<&str>| AlertSubject {
        subject,
        name: name.map(str::to_owned),
        since: at("2026-08-14T14:00:00Z"),
        value: None,
    };
    let phones = [1, 2, 3, 9].map(|number| subject(device(number), Some("The Birches' phone")));
    assert_eq!(crews.about(&phones), "Exhibitors and viewers: 1 phone, Scale crew: 2 phones, 1 removed phone");
    let laptops = [subject(device(4), Some("Nora's laptop")), subject(String::new(), Some("Dan's laptop"))];
    assert_eq!(crews.about(&laptops), "2 laptops");
    let things = [subject("fcm".to_owned(), Some("Firebase")), subject(String::new(), None)];
    assert_eq!(crews.about(&things), "Firebase");
    // A problem's id is as long as a device's.
    let problem = subject(Uuid::from_u128(7).simple().to_string(), Some("the printer is gone"));
    assert_eq!(crews.about(&[problem]), "the printer is gone");
}

#[test]
fn an_alert_that_grows_and_is_said_again_is_one_until_it_is_over() {
    let event = |minute: u32, rule: &str, kind: &str, phones: &[u128]| AlertEvent {
        id: Uuid::now_v7(),
        rule: rule.to_owned(),
        kind: kind.to_owned(),
        headline: format!("{} phones", phones.len()),
        detail: None,
        severity: "warning".to_owned(),
        subjects: phones
            .iter()
            .map(|number| AlertSubject {
                subject: Uuid::from_u128(*number).to_string(),
                name: None,
                since: at("2026-08-14T14:00:00Z"),
                value: None,
            })
            .collect(),
        quiet: false,
        push: None,
        webhook: None,
        at: at(&format!("2026-08-14T14:{minute:02}:00Z")),
    };
    let said = [
        event(0, "away", "firing", &[1]),
        event(1, "disk", "firing", &[]),
        event(2, "away", "firing", &[1, 2]),
        event(3, "away", "still_firing", &[1, 2]),
        event(4, "away", "firing", &[2, 3]),
        event(5, "away", "resolved", &[2, 3]),
        event(6, "away", "firing", &[1]),
    ];
    let found = alerts(&said, &Crews(HashMap::new()));
    let told: Vec<_> = found.iter().map(|alert| (alert.at, alert.over, alert.about.as_str())).collect();
    let minute = |minute: u32| at(&format!("2026-08-14T14:{minute:02}:00Z"));
    assert_eq!(
        told,
        [(minute(0), Some(minute(5)), "3 removed phones"), (minute(1), None, ""), (minute(6), None, "1 removed phone"),]
    );
}

#[test]
fn the_middle_decision_counts() {
    let began = at("2026-08-14T14:00:00Z");
    let took = |minutes| (began, began + TimeDelta::minutes(minutes));
    assert_eq!(middle(vec![took(900), took(1), took(4)]), Some(TimeDelta::minutes(4)));
    assert_eq!(middle(Vec::new()), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_under_age_is_named_on_paper() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(Options::new(folder.path())).await.expect("a show");
    let desk = engine.desk_actor().await.expect("the desk");
    engine.fill_demo(&desk, DemoSize::County, "B").await.expect("a demo show");
    let report = engine.report(&desk).await.expect("the report");
    assert!(
        report.file_name.contains("-report-20")
            && Path::new(&report.file_name).extension().is_some_and(|end| end == "html"),
        "{}",
        report.file_name
    );
    let mut tx = engine.begin_read_desk().await.expect("a transaction");
    let found = showdesk_store::records::overview_counts(&mut tx).await.expect("counts");
    drop(tx);
    assert!(found.exhibitors > 200 && report.html.contains(&words::number(found.animals)));
    let query =
        crate::api::sync::PullQuery { limit: 1_000, tables: vec!["exhibitors".to_owned()], ..Default::default() };
    let page = engine.pull(&desk, query).await.expect("exhibitors");
    for change in &page.changes {
        let row: serde_json::Value = serde_json::from_str(change).expect("JSON");
        let text = |path: &str| row["data"][path].as_str().unwrap_or_default().to_owned();
        let name = format!("{} {}", text("first_name"), text("last_name"));
        assert!(!report.html.contains(&name), "{name}");
        assert!(text("guardian_phone").is_empty() || !report.html.contains(&text("guardian_phone")));
    }
}
