//! The desk's charts as its page gets them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Which charts somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct ChartsAsked {
    /// `1h`, `today` or `show`; today if absent.
    pub range: Option<String>,
    /// Beside the same time a day earlier.
    pub compare: bool,
    /// Pixels of a tile; 504 if absent.
    pub width: Option<u16>,
}

/// A chart as a file.
#[derive(Debug)]
pub struct ChartFile {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// What it is called when it is saved.
    pub file_name: String,
    /// Changes with the content.
    pub etag: String,
}

/// All charts of a time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Charts {
    /// `1h`, `today` or `show`.
    pub range: &'static str,
    /// Where the first step begins.
    #[serde(with = "crate::api::sync::instant")]
    pub from: DateTime<Utc>,
    /// Where the last step ends.
    #[serde(with = "crate::api::sync::instant")]
    pub to: DateTime<Utc>,
    /// How long a step of a line is, for a day without a change of clocks.
    pub step_seconds: i64,
    /// In the order of the page.
    pub charts: Vec<ChartView>,
}

/// One chart.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChartView {
    /// Its name in addresses.
    pub key: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Unit and step in words.
    pub subtitle: String,
    /// One sentence about the values.
    pub summary: String,
    /// Whether anything was measured.
    pub measured: bool,
    /// The drawing. Its colours are the page's CSS variables; `data-points` holds what a read-out under the pointer
    /// needs.
    pub svg: String,
    /// The same values in words.
    pub table: ChartTable,
    /// Where each step begins; the last one ends at `to`.
    #[schema(value_type = Vec<String>)]
    pub starts: Vec<String>,
    /// What happened meanwhile.
    pub events: Vec<ChartEvent>,
}

/// The values of a chart in words: a heading for each line, then its values; empty where nothing was measured.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChartTable {
    /// The headings of all columns.
    pub columns: Vec<String>,
    /// The lines.
    pub rows: Vec<Vec<String>>,
}

/// Something that explains a bend in a line.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChartEvent {
    /// When.
    #[serde(with = "crate::api::sync::instant")]
    pub at: DateTime<Utc>,
    /// restart, restore, import or other.
    pub kind: &'static str,
    /// Two or three words.
    pub words: String,
}
