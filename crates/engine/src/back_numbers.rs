//! Blocks of exhibitors' numbers that a device may give out while the desk is out of its reach.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_store::back_numbers::{self, BLOCK, LeaseRow};

use crate::api::devices::BackNumberLease;
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// How long a block may be given out of: a fair, and the days before it.
const LEASE_TIME: TimeDelta = TimeDelta::days(14);
/// A device gets another block once so many numbers of its last one are in use.
const ENOUGH_USED: i64 = BLOCK / 2;
/// The last block whose numbers the rules of `exhibitors` let stand: they end at 999,999.
const LAST_BLOCK: i64 = 999_961;
/// Devices that ask in the same moment may want the same block.
const TRIES: usize = 20;

impl Engine {
    /// The numbers that the actor's device may give out. As long as half of them are free it is the same block, so an
    /// answer that was lost costs none; its time begins anew.
    pub async fn lease_back_numbers(&self, actor: &Actor) -> Result<BackNumberLease> {
        require(actor, Action::LeaseBackNumbers)?;
        for _ in 0..TRIES {
            if let Some(lease) = self.try_lease(actor).await? {
                return Ok(lease);
            }
        }
        Err(EngineError::Busy { retry_after_ms: 1_000 })
    }

    /// None if another device got the block first.
    async fn try_lease(&self, actor: &Actor) -> Result<Option<BackNumberLease>> {
        let now = self.now();
        let expires_at = now + LEASE_TIME;
        let mut tx = self.begin_write_as(actor).await?;
        let held = match back_numbers::newest_of(&mut tx, actor.device).await? {
            Some(held) if back_numbers::used_of(&mut tx, held.first).await? < ENOUGH_USED => Some(held.first),
            _ => None,
        };
        let first = if let Some(first) = held {
            back_numbers::renew(&mut tx, first, expires_at).await?;
            first
        } else {
            let first = free_block(&back_numbers::taken(&mut tx).await?).ok_or_else(none_left)?;
            let row = LeaseRow { first, person: actor.person, device: actor.device, created_at: now, expires_at };
            if !back_numbers::add(&mut tx, &row).await? {
                return Ok(None);
            }
            first
        };
        self.commit(tx).await?;
        Ok(Some(BackNumberLease { from: first, to: first + BLOCK - 1, expires_at }))
    }
}

/// The first number of the block after all that are taken; where there is none, of the lowest gap.
fn free_block(taken: &BTreeSet<i64>) -> Option<i64> {
    let after = taken.last().map_or(1, |last| last + BLOCK);
    if after <= LAST_BLOCK {
        return Some(after);
    }
    let blocks = (1..=LAST_BLOCK).step_by(usize::try_from(BLOCK).unwrap_or(1));
    blocks.into_iter().find(|first| !taken.contains(first))
}

fn none_left() -> EngineError {
    EngineError::invalid("out_of_range", "every block of exhibitor numbers is given out or in use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_after_all_others_and_then_from_the_lowest_gap() {
        assert_eq!(free_block(&BTreeSet::new()), Some(1));
        assert_eq!(free_block(&BTreeSet::from([1, 41])), Some(61));
        assert_eq!(free_block(&BTreeSet::from([1, 21, 999_941])), Some(LAST_BLOCK));
        assert_eq!(free_block(&BTreeSet::from([1, 41, LAST_BLOCK])), Some(21));
        // The highest numbers fill no block.
        assert_eq!(free_block(&BTreeSet::from([21, LAST_BLOCK + BLOCK])), Some(1));
        assert_eq!(free_block(&(1..=LAST_BLOCK + BLOCK).step_by(20).collect()), None);
    }
}
