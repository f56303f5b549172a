//! Tokens that were looked up before: most requests come from a phone that asked a moment ago.
//!
//! Only a show in a file keeps them, where nobody but this program writes. Every transaction that writes people,
//! devices or tokens forgets them all when it is committed, so that a removal acts at once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use showdesk_store::people::TokenRow;

/// Tokens kept; more than a show has phones.
const TOKENS_MAX: usize = 4_096;

/// What was read of used tokens, by their SHA-256.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// Whether other programs may write to the database: then nothing is kept.
    shared: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Counts how often everything was forgotten: what was read before must not be kept after.
    forgotten: u64,
    rows: HashMap<[u8; 32], TokenRow>,
}

/// The moment before a look at the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before(u64);

impl Tokens {
    /// None kept yet.
    pub(crate) fn new(shared: bool) -> Self {
        Self { shared, kept: Mutex::default() }
    }

    /// What is known of a token, or what to keep its row with after looking it up.
    pub(crate) fn find(&self, sha256: &[u8; 32]) -> Result<TokenRow, Before> {
        let kept = self.kept();
        kept.rows.get(sha256).cloned().ok_or(Before(kept.forgotten))
    }

    /// Keeps a row that was looked up, unless something was written since or the token was never used.
    pub(crate) fn keep(&self, before: Before, sha256: [u8; 32], row: &TokenRow) {
        let mut kept = self.kept();
        if self.shared || kept.forgotten != before.0 || row.first_used_at.is_none() || row.revoked_at.is_some() {
            return;
        }
        if kept.rows.len() >= TOKENS_MAX {
            kept.rows.clear();
        }
        kept.rows.insert(sha256, row.clone());
    }

    /// Something about people, devices or tokens was committed.
    pub(crate) fn forget(&self) {
        let mut kept = self.kept();
        kept.forgotten += 1;
        kept.rows.clear();
    }

    /// How often everything was forgotten.
    pub(crate) fn forgotten(&self) -> u64 {
        self.kept().forgotten
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use showdesk_domain::actor::{DeviceKind, Permissions, Role, Scope};
    use showdesk_domain::ids::{DeviceId, PersonId};
    use uuid::Uuid;

    use super::*;

    const TOKEN: [u8; 32] = [7; 32];

    fn row(used: bool) -> TokenRow {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        TokenRow {
            device_id: DeviceId(Uuid::from_u128(1)),
            name: "Scale 1".to_owned(),
            kind: DeviceKind::Phone,
            revoked_at: None,
            person: PersonId(Uuid::from_u128(2)),
            person_name: "Ana".to_owned(),
            role: Role::Editor,
            functions: Vec::new(),
            scope: Scope::default(),
            permissions: Permissions::default(),
            created_at: at,
            expires_at: None,
            device_expires_at: None,
            first_used_at: used.then_some(at),
            last_seen: None,
        }
    }

    fn looked_up(tokens: &Tokens) -> Before {
        tokens.find(&TOKEN).expect_err("it is not kept")
    }

    #[test]
    fn a_token_is_kept_until_something_is_written() {
        let tokens = Tokens::new(false);
        tokens.keep(looked_up(&tokens), TOKEN, &row(true));
        assert_eq!(tokens.find(&TOKEN).ok(), Some(row(true)));
        tokens.forget();
        looked_up(&tokens);
    }

    #[test]
    fn what_was_read_before_a_removal_is_not_kept_after_it() {
        let tokens = Tokens::new(false);
        let before = looked_up(&tokens);
        tokens.forget();
        tokens.keep(before, TOKEN, &row(true));
        looked_up(&tokens);
    }

    #[test]
    fn an_unused_token_a_removed_device_and_a_shared_database_are_looked_up_each_time() {
        let tokens = Tokens::new(false);
        tokens.keep(looked_up(&tokens), TOKEN, &row(false));
        tokens.keep(looked_up(&tokens), TOKEN, &TokenRow { revoked_at: Some(DateTime::UNIX_EPOCH), ..row(true) });
        looked_up(&tokens);
        let tokens = Tokens::new(true);
        tokens.keep(looked_up(&tokens), TOKEN, &row(true));
        looked_up(&tokens);
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let tokens = Tokens::new(false);
        for number in 0..=TOKENS_MAX {
            let mut sha256 = [0; 32];
            sha256[..8].copy_from_slice(&number.to_be_bytes());
            tokens.keep(Before(0), sha256, &row(true));
        }
        assert!(tokens.kept().rows.len() <= TOKENS_MAX);
    }
}
