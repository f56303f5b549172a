//! What a provider's answer means for a message and for the phone's address.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::apns::Environment;

/// How sending one message to one phone ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took it. Only now may it be called sent.
    Accepted {
        /// What the provider calls the message: FCM's name, the `apns-id`, a push service's `Location`.
        provider_message_id: Option<String>,
    },
    /// As accepted, but the address belongs to Apple's other environment: keep that beside it.
    OtherEnvironment {
        /// Where it was taken.
        environment: Environment,
        /// The `apns-id`.
        provider_message_id: Option<String>,
    },
    /// Not now: the message is good and so is the address.
    Retry {
        /// What stood in the way.
        code: Code,
        /// The provider's own wish, or the least it allows; none leaves the time to the caller's back-off.
        after: Option<Duration>,
        /// For whom to wait.
        wait: Wait,
        /// False if no provider was reached at all: then it is no attempt, the laptop may just be offline.
        reached: bool,
    },
    /// This message can never be sent this way. The address is good. To be logged: it is ours to mend.
    Drop {
        /// Why.
        code: Code,
    },
    /// The address leads nowhere any more: disable it.
    Dead {
        /// Why.
        code: Code,
        /// When the provider saw that (APNs). An address registered later than this lives.
        since: Option<DateTime<Utc>>,
    },
    /// Refused for this address in a way that may pass: disable it after three within a day.
    Strike {
        /// Why.
        code: Code,
    },
    /// Our settings are wrong: stop for this provider, tell an admin, keep the message, disable nothing.
    Config {
        /// What is wrong.
        code: Code,
    },
}

/// What to hold back while waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Only what goes to this address.
    Target,
    /// Everything that goes by this provider.
    Provider,
}

/// A provider's word for what is wrong, or ours: short, and made of letters, digits and a few marks only, because
/// providers repeat parts of a message in their errors and these stand in the log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Code(String);

const CODE_MAX: usize = 120;

impl Code {
    /// Takes a word, without what does not belong in one.
    pub fn new(word: &str) -> Self {
        let plain = |mark: &char| mark.is_ascii_alphanumeric() || matches!(mark, '_' | '-' | '.' | ' ' | '[' | ']');
        Self(word.chars().filter(plain).take(CODE_MAX).collect())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Outcome {
    /// The word that came with it; `ok` if the message was taken.
    pub fn code(&self) -> &str {
        match self {
            Self::Accepted { .. } | Self::OtherEnvironment { .. } => "ok",
            Self::Retry { code, .. }
            | Self::Drop { code }
            | Self::Dead { code, .. }
            | Self::Strike { code }
            | Self::Config { code } => code.as_str(),
        }
    }

    /// Nobody answered within the time that one message has.
    pub fn timed_out() -> Self {
        Self::retry("timed_out", None)
    }

    /// Try again, for this address.
    pub(crate) fn retry(code: &str, after: Option<Duration>) -> Self {
        Self::Retry { code: Code::new(code), after, wait: Wait::Target, reached: true }
    }

    /// Try again, and leave the provider alone until then.
    pub(crate) fn retry_provider(code: &str, after: Option<Duration>) -> Self {
        Self::Retry { code: Code::new(code), after, wait: Wait::Provider, reached: true }
    }

    /// This message cannot be sent this way.
    pub fn drop(code: &str) -> Self {
        Self::Drop { code: Code::new(code) }
    }

    pub(crate) fn dead(code: &str) -> Self {
        Self::Dead { code: Code::new(code), since: None }
    }

    pub(crate) fn strike(code: &str) -> Self {
        Self::Strike { code: Code::new(code) }
    }

    /// Our settings are wrong.
    pub fn config(code: &str) -> Self {
        Self::Config { code: Code::new(code) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_holds_no_text_of_strangers() {
        assert_eq!(Code::new("BadDeviceToken").as_str(), "BadDeviceToken");
        assert_eq!(Code::new("message.data[0].value \"<b>\n☎\"").as_str(), "message.data[0].value b");
        assert_eq!(Code::new(&"x".repeat(500)).as_str().len(), CODE_MAX);
    }
}
