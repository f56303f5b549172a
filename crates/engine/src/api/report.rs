//! The report of the show.

/// The report as a file.
#[derive(Debug)]
pub struct ReportFile {
    /// One HTML page, whole in itself.
    pub html: String,
    /// What it is called when it is saved.
    pub file_name: String,
}
