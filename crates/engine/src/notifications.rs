//! Messages: written at the desk or on a phone, or made of what happened; who gets them, and what became of them.
//!
//! Everything that puts something into people's streams is the writer's work ([`outbox`]), in the transaction of the
//! fact: what is told is as true as what is written, and each thing is told once. [`crate::delivery`] carries it on to
//! phones that do not answer.

mod acks;
mod announcing;
mod desk;
mod find;
mod job;
mod outbox;
pub(crate) mod reach;
mod release;
mod scheduling;
mod seeds;
mod settings;
mod tell;
mod templates;
mod texts;
mod timed;
mod writing;

pub use self::desk::MessageState;
pub(crate) use self::outbox::Outbox;
pub(crate) use self::reach::job;
pub(crate) use self::tell::tell;
pub(crate) use self::timed::StaffNews;
