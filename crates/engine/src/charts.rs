//! The desk's charts: what was measured is drawn by the charts crate, for the page, for files and for the report.
//!
//! A drawing is for admins, and the same for all who ask within a few seconds.

mod catalogue;
mod events;
mod figures;
pub(crate) mod range;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use showdesk_charts::{Chart, Frame, Ink};
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::RecordId;
use showdesk_domain::permit::Action;
use showdesk_domain::record::Record;
use showdesk_domain::schema::known_table;
use showdesk_domain::value::instant_text;
use showdesk_store::{meta, records};
use tokio::task::spawn_blocking;

use crate::api::charts::{ChartEvent, ChartFile, ChartTable, ChartView, Charts, ChartsAsked};
use crate::cache::{Readers, Tag, Want};
use crate::rights::require;
use crate::{Engine, EngineError, Result};
use catalogue::{Drawing, Limits};
pub(crate) use events::PhoneNames;
use range::{Range, ShowTime, Span};

/// Pixels of a tile.
const WIDTH: std::ops::RangeInclusive<u16> = 280..=1_400;
const WIDTH_USUAL: u16 = 504;
const NOT_FOUND: EngineError = EngineError::NotFound("the chart");
/// Whoever asks for a drawing waits so long.
const PATIENCE: Duration = Duration::from_mins(1);
/// A picture is so many times as large as its frame.
const PNG_SCALE: u8 = 2;

/// All charts of a time, and what they stand in.
pub(crate) struct Drawn {
    pub charts: Vec<Chart>,
    pub frame: Frame,
    pub range: Range,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub step_seconds: i64,
}

/// What is asked for, read.
#[derive(Debug, Clone, Copy)]
struct Asked {
    range: Range,
    compare: bool,
    width: u16,
}

impl Asked {
    fn read(asked: &ChartsAsked) -> Result<Self> {
        let bad = |detail: &str| EngineError::BadQuery { code: "invalid_query", detail: detail.to_owned() };
        let range = asked.range.as_deref().unwrap_or(Range::Today.word());
        let range = Range::of(range).ok_or_else(|| bad("range is 1h, today or show"))?;
        let width = asked.width.unwrap_or(WIDTH_USUAL);
        if !WIDTH.contains(&width) {
            return Err(bad("width is 280 to 1400 pixels"));
        }
        Ok(Self { range, compare: asked.compare && range.has_day_before(), width })
    }
}

impl Engine {
    /// All charts as JSON text, and its tag. The text is of [`Charts`].
    pub async fn charts(&self, actor: &Actor, asked: &ChartsAsked) -> Result<(Vec<u8>, String)> {
        require(actor, Action::SeeHealth)?;
        let Asked { range, compare, width } = Asked::read(asked)?;
        let want = want_drawn(actor, range, &format!("page/{compare}/{width}"));
        let make = move |engine: Self| async move {
            let tile = Frame { width, ..Frame::tile(chrono_tz::UTC) };
            let drawn = engine.draw(range, compare, tile, PhoneNames::Said).await?;
            in_background(move || serde_json::to_vec(&drawn.view()).expect("words and numbers are JSON")).await
        };
        let entry = self.kept_or_made(&want, &make).await?;
        Ok((entry.value.clone(), entry.etag.clone()))
    }

    /// One chart as a file: `response-time.svg`, `requests.png`, `storage.csv`.
    pub async fn chart_file(&self, actor: &Actor, file: &str, asked: &ChartsAsked, is_dark: bool) -> Result<ChartFile> {
        require(actor, Action::SeeHealth)?;
        let Asked { range, compare, .. } = Asked::read(asked)?;
        let (name, kind) = file.rsplit_once('.').ok_or(NOT_FOUND)?;
        let kind = FileKind::of(kind).ok_or(NOT_FOUND)?;
        let key = showdesk_charts::catalogue::KEYS.into_iter().find(|key| *key == name).ok_or(NOT_FOUND)?;
        let want = want_drawn(actor, range, &format!("{key}.{}/{compare}/{is_dark}", kind.ending()));
        let make = move |engine: Self| async move {
            let drawn = engine.draw(range, compare, Frame::report(chrono_tz::UTC), PhoneNames::LeftOut).await?;
            in_background(move || drawn.file(key, kind, is_dark)).await?
        };
        let entry = self.kept_or_made(&want, &make).await?;
        let day = entry.made_at.with_timezone(&self.read_show_time().await?.zone).format("%Y-%m-%d");
        Ok(ChartFile {
            bytes: entry.value.clone(),
            media_type: kind.media_type(),
            file_name: format!("showdesk-{key}-{}-{day}.{}", range.word(), kind.ending()),
            etag: entry.etag.clone(),
        })
    }

    /// All charts of a time for a frame, whose zone and events are the show's.
    pub(crate) async fn draw(
        &self,
        range: Range,
        compare: bool,
        frame: Frame,
        phone_names: PhoneNames,
    ) -> Result<Drawn> {
        let now = self.now();
        let show = self.read_show_time().await?;
        let span = Span::of(range, show, now);
        let limits = Limits::of(self).await;
        let mut tx = self.begin_read_telemetry().await?;
        let first = figures::first_measured(&mut tx, span).await?;
        let span = if range == Range::Hour { span } else { span.since_first(first, show.zone) };
        let (step, steps) = span.line_steps(show.zone);
        let (from, to) = (steps.starts().first().copied().unwrap_or(span.from), steps.until());
        let charts = Drawing { limits, tx: &mut tx, show, span, now, compare }.charts().await?;
        let markers = events::of_the_desk(&mut tx, Span { from, until: to }).await?;
        drop(tx);
        let mut events = self.events_of_the_show(Span { from, until: to }, phone_names).await?;
        events.extend(markers);
        events.sort_by_key(|event| event.at);
        let frame = Frame { zone: show.zone, events, ..frame };
        Ok(Drawn { charts, frame, range, from, to, step_seconds: step.length().num_seconds() })
    }

    /// The show's zone and days.
    pub(crate) async fn read_show_time(&self) -> Result<ShowTime> {
        let mut tx = self.begin_read_desk().await?;
        let made = meta::installation(&mut tx).await?.map(|row| row.created_at);
        let show = records::load(&mut tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?.pop();
        let date = |path: &str| -> Option<NaiveDate> { text_of(show.as_ref()?, path)?.parse().ok() };
        let zone = show.as_ref().and_then(|show| text_of(show, "timezone")).and_then(|zone| zone.parse().ok());
        Ok(ShowTime {
            zone: zone.unwrap_or(chrono_tz::UTC),
            starts_on: date("starts_on"),
            ends_on: date("ends_on"),
            made_at: made.unwrap_or_else(|| self.now()),
        })
    }
}

/// The same drawing for all who ask within a few seconds.
fn want_drawn(actor: &Actor, range: Range, what: &str) -> Want {
    let lives_for = range.drawn_for();
    Want {
        tag: Tag::Charts,
        readers: Readers::Admins,
        asker: actor.person,
        made_of: format!("{}/{what}", range.word()),
        fresh_for: lives_for,
        lives_for,
        row_bytes: None,
        patience: PATIENCE,
    }
}

/// A value as the text that clients see.
pub(crate) fn text_of(record: &Record, path: &str) -> Option<String> {
    record.value(path).to_json().as_str().map(str::to_owned)
}

/// What files a chart can be saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Svg,
    Png,
    Csv,
}

impl FileKind {
    fn of(ending: &str) -> Option<Self> {
        [Self::Svg, Self::Png, Self::Csv].into_iter().find(|kind| kind.ending() == ending)
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Csv => "csv",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

impl Drawn {
    fn view(&self) -> Charts {
        Charts {
            range: self.range.word(),
            from: self.from,
            to: self.to,
            step_seconds: self.step_seconds,
            charts: self.charts.iter().map(|chart| self.chart_view(chart)).collect(),
        }
    }

    fn chart_view(&self, chart: &Chart) -> ChartView {
        let table = chart.table(&self.frame);
        let measured = table.rows.iter().any(|(_, cells)| cells.iter().any(|cell| cell.value.is_some()));
        let row = |(heading, cells): (String, Vec<showdesk_charts::Cell>)| {
            std::iter::once(heading).chain(cells.into_iter().map(|cell| cell.text)).collect()
        };
        ChartView {
            key: chart.key,
            title: chart.title,
            subtitle: chart.subtitle.clone(),
            summary: chart.summary(&self.frame),
            measured,
            svg: chart.svg(&self.frame, Ink::Variables),
            table: ChartTable { columns: table.columns, rows: table.rows.into_iter().map(row).collect() },
            starts: chart.steps.starts.iter().map(|start| instant_text(*start)).collect(),
            events: self.frame.events.iter().map(events::view).collect::<Vec<ChartEvent>>(),
        }
    }

    fn file(&self, key: &str, kind: FileKind, is_dark: bool) -> Result<Vec<u8>> {
        let chart = self.charts.iter().find(|chart| chart.key == key).ok_or(EngineError::NotFound("the chart"))?;
        let ink = if is_dark { Ink::Dark } else { Ink::Light };
        match kind {
            FileKind::Svg => Ok(chart.svg(&self.frame, ink).into_bytes()),
            // The mark tells a spreadsheet that this is UTF-8.
            FileKind::Csv => Ok(format!("\u{feff}{}", chart.table(&self.frame).csv()).into_bytes()),
            FileKind::Png => chart
                .png(&self.frame, ink, PNG_SCALE)
                .map_err(|error| EngineError::Folder(format!("the chart could not be drawn: {error}"))),
        }
    }
}

/// Draws where nobody's request waits: a picture takes some hundredths of a second.
pub(crate) async fn in_background<T: Send + 'static>(draw: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    spawn_blocking(draw).await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })
}
