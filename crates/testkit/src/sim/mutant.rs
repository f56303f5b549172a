//! Phones with a mistake in them, kept so that the checker is seen to fail: a check that cannot fail proves nothing.

/// A mistake that real sync clients have been shipped with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Merges against the version that its own last op produced, not against what its person saw.
    RebasesOnAnswer,
    /// Gives an entry a new id when it sends it again, so that the desk cannot know it.
    ResendsUnderNewId,
    /// Keeps what the desk has taken out of its sight.
    IgnoresRevoke,
    /// Sends nothing more once an entry was refused.
    StopsAtPoison,
    /// Does not give back what a restored desk has lost.
    ForgetsAcknowledged,
}
