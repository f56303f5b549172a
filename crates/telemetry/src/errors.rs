//! Errors: what is taken out of their text, which of them are one problem, and how a problem fares.

mod context;
mod fingerprint;
mod frames;
mod group;
mod scrub;

pub use context::scrub_context;
pub use fingerprint::{Fingerprint, Report, normalise};
pub use group::{Group, Occurrence, SAMPLES_FIRST, SAMPLES_LAST, Seen, Status, sample_to_drop};
pub use scrub::{TEXT_CHARS_MAX, scrub};
