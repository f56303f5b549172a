//! Messages: whom they are for, what the desk tells by itself of what happens, and in which words (DOMAIN.md §7).

pub mod audience;
pub mod automatic;
pub mod drafts;
pub mod facts;
pub mod fill;
pub mod quiet;
pub mod words;

use serde::{Deserialize, Serialize};

/// Longest title of a message, characters.
pub const TITLE_CHARS_MAX: usize = 80;
/// Longest text of a message, characters.
pub const BODY_CHARS_MAX: usize = 400;

/// How urgent a message is: Info, Important, Emergency on the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Can be read later.
    Normal,
    /// Should be read now.
    High,
    /// Fills the phone's screen until somebody has seen it.
    Urgent,
}

impl Priority {
    /// The word in the protocol and in both databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Normal, Self::High, Self::Urgent].into_iter().find(|priority| priority.as_str() == word)
    }
}

/// How far a message came with a person: the furthest that any of the person's phones came. It only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// No phone has it yet.
    Waiting,
    /// A phone keeps it.
    Delivered,
    /// It stood on a screen.
    Seen,
    /// The person said so.
    Confirmed,
}

impl Receipt {
    /// The word in the protocol and in both databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Seen => "seen",
            Self::Confirmed => "confirmed",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Waiting, Self::Delivered, Self::Seen, Self::Confirmed];
        all.into_iter().find(|receipt| receipt.as_str() == word)
    }
}
