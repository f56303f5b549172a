//! When somebody is told.
//!
//! Three pure steps, each at a time of its own:
//! - [`Window`] makes one reading of what was measured.
//! - [`evaluate`] follows one rule for one subject (a phone, a provider, the laptop) from reading to reading.
//! - [`tell`] makes at most one message of all subjects of a rule: repeats, silence and quiet hours belong to it.
//!
//! What was chosen for all rules at once ([`Settings`]) is put into a rule before it is followed.

mod builtin;
mod evaluate;
mod rule;
mod settings;
mod tell;
mod things;
mod window;
mod words;

#[cfg(test)]
mod properties;

pub use builtin::built_in;
pub use evaluate::{Event, EventKind, Phase, Reading, State, evaluate};
pub use rule::{Aggregate, BadRule, Operator, QuietHours, Rule, Severity, Sink};
pub use settings::Settings;
pub use tell::{Firing, GATHER, Message, MessageKind, Moment, Told, is_hushed, tell};
pub use window::Window;
pub use words::{Part, detail, headline, limit_unit, sentence};
