//! The charts of a day made from a fixed seed, as they were when somebody last looked at them.

mod scene;

use std::fs;
use std::path::Path;

use chrono_tz::America::Chicago;
use showdesk_charts::{Chart, Frame, Ink};

fn frame() -> Frame {
    Frame { events: scene::events(), ..Frame::tile(Chicago) }
}

/// The value of an attribute of the outermost element, as it is written.
fn attribute<'a>(svg: &'a str, name: &str) -> &'a str {
    let (_, rest) = svg.split_once(&format!(" {name}=\"")).expect("it has the attribute");
    rest.split_once('"').expect("it is closed").0
}

fn points(chart: &Chart) -> serde_json::Value {
    let text = attribute(&chart.svg(&frame(), Ink::Variables), "data-points").replace("&quot;", "\"");
    serde_json::from_str(&text.replace("&amp;", "&")).expect("it is JSON")
}

#[test]
fn each_chart_is_drawn_as_it_was() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let drawn = Path::new(env!("CARGO_TARGET_TMPDIR")).join("charts");
    fs::create_dir_all(&drawn).unwrap();
    let mut changed = Vec::new();
    for chart in scene::charts() {
        let file = format!("{}.svg", chart.key);
        let svg = chart.svg(&frame(), Ink::Variables).replace("><", ">\n<") + "\n";
        fs::write(drawn.join(&file), &svg).unwrap();
        if fs::read_to_string(kept.join(&file)).unwrap_or_default() != svg {
            changed.push(file);
        }
    }
    assert!(changed.is_empty(), "{changed:?} changed: look at {} and keep them in {}", drawn.display(), kept.display());
}

#[test]
fn one_drawing_serves_light_and_dark_and_a_file_has_its_own_colours() {
    for chart in scene::charts() {
        let [inline, light, dark] = [Ink::Variables, Ink::Light, Ink::Dark].map(|ink| chart.svg(&frame(), ink));
        for colours in ["fill=\"#", "stroke=\"#", "<style", "style=\""] {
            assert!(!inline.contains(colours), "{} has {colours}", chart.key);
        }
        assert!(!light.contains("var(") && !dark.contains("var("), "{}", chart.key);
        assert_ne!(light, dark);
        assert_eq!(inline.matches("<text").count(), dark.matches("<text").count());
    }
}

#[test]
fn a_screen_reader_hears_what_the_picture_says() {
    let said = |chart: &Chart| attribute(&chart.svg(&frame(), Ink::Variables), "aria-label").to_owned();
    for chart in scene::charts() {
        let svg = chart.svg(&frame(), Ink::Variables);
        assert_eq!(attribute(&svg, "role"), "img");
        assert!(svg.contains(&format!("<title>{}</title>", chart.title)));
        assert_eq!(said(&chart), chart.summary(&frame()));
    }
    let entries = said(&scene::entries_in());
    assert!(entries.starts_with("Entries in from 6:00 to 3:45 pm. Saved: "), "{entries}");
    assert!(said(&scene::slow_spots()).contains("Send entries: highest 620 ms at 9:00."));
    assert!(said(&scene::cache()).contains("lowest at 9:15."), "{}", said(&scene::cache()));
    assert!(said(&scene::phones()).contains("Waiting on phones: between 0 and "));
}

#[test]
fn a_read_out_has_a_word_and_a_place_for_every_step() {
    for chart in scene::charts() {
        let points = points(&chart);
        let steps = chart.steps.starts.len();
        assert_eq!(points["x"].as_array().unwrap().len(), steps);
        assert_eq!(points["times"].as_array().unwrap().len(), steps);
        for series in points["series"].as_array().unwrap() {
            let values = series["values"].as_array().unwrap();
            assert_eq!(values.len(), steps, "{} {}", chart.key, series["name"]);
            if let Some(places) = series["y"].as_array() {
                let gaps = |list: &[serde_json::Value]| list.iter().map(serde_json::Value::is_null).collect::<Vec<_>>();
                assert_eq!(gaps(places), gaps(values));
            }
        }
    }
    let response = points(&scene::response_time());
    assert_eq!(response["times"][45], "9:45");
    assert_eq!(response["series"][3]["name"], "Errors");
    assert_eq!(response["series"][3]["values"][46], "5");
}

#[test]
fn the_table_has_every_value_and_the_file_plain_numbers() {
    let table = scene::requests().table(&frame());
    assert_eq!(table.columns, ["Time", "Requests"]);
    assert_eq!(table.rows.len(), 117);
    assert_eq!(table.rows[66].0, "11:30");
    assert_eq!(table.rows[66].1[0].value, None);
    let csv = table.csv();
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(lines[0], "Time,Requests");
    assert_eq!(lines[67], "2026-08-14 11:30 -05:00,");
    let storage = scene::storage().table(&frame());
    assert!(
        storage
            .csv()
            .starts_with("Time,Database (MB),Log (MB),Disk free (GB)\r\n2026-08-14 06:00 -05:00,18,1,118.4\r\n")
    );
    let html = table.html();
    assert!(html.contains("<tr><th scope=\"row\">11:30</th><td>–</td></tr>"), "{html}");
    assert_eq!(html.matches("<tr>").count(), 118);
}

#[test]
fn a_task_that_begins_like_a_formula_is_text_in_the_file() {
    let rows = vec![("=HYPERLINK(\"http://x\")".to_owned(), vec![Some(1.0)]), ("<b>".to_owned(), vec![None])];
    let chart = showdesk_charts::catalogue::slow_spots(scene::steps(60, 1), rows);
    let csv = chart.table(&frame()).csv();
    assert!(csv.contains("\r\n\"'=HYPERLINK(\"\"http://x\"\")\",1\r\n"), "{csv}");
    assert!(!chart.table(&frame()).html().contains("<b>"));
}
