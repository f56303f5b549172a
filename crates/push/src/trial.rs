//! What a test of the settings says to the person who made them.

/// How a test of the settings ended. Nothing reached a phone by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Whether messages would go out.
    pub works: bool,
    /// What was found, in a word: `ok`, or the provider's own.
    pub code: String,
    /// What was found, and what to do about it: a sentence or two, to be shown as they are.
    pub says: String,
}

impl Trial {
    pub(crate) fn works(says: impl Into<String>) -> Self {
        Self { works: true, code: "ok".to_owned(), says: says.into() }
    }

    pub(crate) fn fails(code: impl Into<String>, says: impl Into<String>) -> Self {
        Self { works: false, code: code.into(), says: says.into() }
    }

    /// It was not tried for a reason of our own.
    pub fn failed(code: &str, says: impl Into<String>) -> Self {
        Self::fails(code, says)
    }

    /// Nobody answered within the time there was.
    pub fn timed_out(whom: &str) -> Self {
        Self::fails("timed_out", format!("{whom} did not answer in time. Try again in a minute."))
    }

    /// What the connection itself can suffer from, whoever is at its other end; none for any other word.
    pub(crate) fn of_connection(whom: &str, code: &str) -> Option<Self> {
        let says = match code {
            "unreachable" | "not_public" => {
                format!("{whom} could not be reached. Is this laptop on the internet? Messages wait until it is.")
            }
            "not_trusted" => format!(
                "Something else answered in the place of {whom}. If this Wi-Fi asks people to sign in, open a web page and do so. Also check the date of this laptop."
            ),
            "timed_out" | "connection_lost" => format!("{whom} did not answer in time. Try again in a minute."),
            _ => return None,
        };
        Some(Self::fails(code, says))
    }
}
