//! All charts on one page, light and dark, to be looked at: `cargo run -p showdesk-charts --example gallery FOLDER`.

#[path = "../tests/scene/mod.rs"]
mod scene;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use chrono::TimeDelta;
use chrono_tz::America::Chicago;
use showdesk_charts::catalogue::{self, EntriesIn, ResponseTime};
use showdesk_charts::{CSS, Chart, Frame, Ink};

/// The desk's tokens that charts use, and a tile.
const SHEET: &str = ":root{--bg:#fff;--surface:#f6f5f1;--ink:#16150f;--ink-2:#45423a;--line:#8a8577;--hairline:#dcd9cf;\
--desk:#0a4f9c;--phone:#6a2c91;--ok:#0f6b34;--away:#33485c}\
[data-theme=dark]{--bg:#12130f;--surface:#1b1d18;--ink:#f4f3ee;--ink-2:#c6c4b9;--line:#7d8272;--hairline:#2d3029;\
--desk:#8fc2ff;--phone:#dcaef5;--ok:#78d693;--away:#b7c6d6;color-scheme:dark}\
body{margin:24px;background:var(--bg);color:var(--ink);display:grid;grid-template-columns:504px 504px;gap:16px}\
figure{margin:0;border:1px solid var(--hairline);border-radius:10px;font-variant-numeric:tabular-nums;width:fit-content}\
svg{display:block}figure.wide{grid-column:1/3}h2{grid-column:1/3;margin:16px 0 0;font:600 16px Inter}";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "gen/charts".to_owned()));
    fs::create_dir_all(&folder)?;
    for theme in ["light", "dark"] {
        fs::write(folder.join(format!("{theme}.html")), page(theme)?)?;
    }
    let frame = Frame { events: scene::events(), ..Frame::tile(Chicago) };
    for chart in scene::charts() {
        fs::write(folder.join(format!("{}.png", chart.key)), chart.png(&frame, Ink::Light, 2)?)?;
        fs::write(folder.join(format!("{}-dark.png", chart.key)), chart.png(&frame, Ink::Dark, 2)?)?;
        fs::write(folder.join(format!("{}.csv", chart.key)), chart.table(&frame).csv())?;
    }
    Ok(())
}

/// The bundled font, so that the page looks like the desk's.
fn fonts() -> String {
    let face = |weight, file| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fonts");
        format!("@font-face{{font-family:Inter;font-weight:{weight};src:url('file://{folder}/{file}')}}")
    };
    face(400, "Inter-Regular.ttf") + &face(600, "Inter-SemiBold.ttf")
}

fn page(theme: &str) -> Result<String, std::fmt::Error> {
    let mut html = format!(
        "<!doctype html><html lang=en data-theme={theme}><meta charset=utf-8><style>{}{SHEET}{CSS}</style>",
        fonts()
    );
    let tile = Frame { events: scene::events(), ..Frame::tile(Chicago) };
    for chart in scene::charts() {
        write!(html, "<figure>{}</figure>", chart.svg(&tile, Ink::Variables))?;
    }
    html.push_str("<h2>A quiet hour, a whole show, nothing at all, one step</h2>");
    for chart in others() {
        write!(html, "<figure>{}</figure>", chart.svg(&Frame::tile(Chicago), Ink::Variables))?;
    }
    html.push_str("<h2>In the report</h2>");
    let report = Frame { events: scene::events(), ..Frame::report(Chicago) };
    for chart in [scene::response_time(), scene::slow_spots(), scene::storage()] {
        write!(html, "<figure class=wide>{}</figure>", chart.svg(&report, Ink::Variables))?;
    }
    html.push_str("<h2>In a narrow tile</h2>");
    let narrow = Frame { width: 340, events: scene::events(), ..Frame::tile(Chicago) };
    for chart in [scene::response_time(), scene::entries_in(), scene::slow_spots(), scene::storage()] {
        write!(html, "<figure>{}</figure>", chart.svg(&narrow, Ink::Variables))?;
    }
    Ok(html)
}

/// Charts at the edges of what can be.
fn others() -> Vec<Chart> {
    let quiet = catalogue::requests(scene::steps(1, 60), vec![Some(0.0); 60]);
    let mut show = scene::steps(60, 96);
    let night = TimeDelta::hours(6);
    for start in &mut show.starts {
        *start -= night;
    }
    show.until -= night;
    let day = |hour: usize| if hour % 24 > 5 && hour % 24 < 21 { 400.0 } else { 0.0 };
    let saved = (0..96).map(|hour| Some(day(hour))).collect();
    let whole_show = catalogue::entries_in(show, EntriesIn { saved, ..EntriesIn::default() });
    let nothing = catalogue::response_time(
        scene::steps(5, 117),
        ResponseTime { p50: vec![None; 117], ..ResponseTime::default() },
    );
    let one = catalogue::phones(scene::steps(60, 1), vec![Some(3.0)], vec![Some(1.0)]);
    let calm = (0..3).map(|task| (format!("Task {task}"), vec![Some(9.0 + f64::from(task)); 24])).collect();
    vec![quiet, whole_show, nothing, one, catalogue::slow_spots(scene::steps(60, 24), calm)]
}
