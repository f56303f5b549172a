//! What a removed phone had sent, still waits, and was let in by nobody: it needs attention from its review on.

use std::any::Any;
use std::collections::HashSet;

use showdesk_domain::ids::{DeviceId, OpId, Seq};
use showdesk_domain::op::Rejection;
use showdesk_domain::world::{Needs, World};
use showdesk_store::{Tx, people};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::writer::{BesideFuture, Job, nothing_beside};
use crate::{Engine, EngineError, Result};

/// Entries that one transaction gives up.
const OPS_AT_ONCE: usize = 100;
/// How often the desk looks again: what was on its way when the phone was removed has come by then.
const ROUNDS_MAX: usize = 3;

impl Engine {
    /// Gives up what waits of a device, but for what is let in.
    pub(super) async fn give_up_unseen(&self, device: DeviceId, let_in: &HashSet<Uuid>) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            let mut tx = self.begin_read_claims().await?;
            let mut unseen = people::waiting_ops(&mut tx, device).await?;
            drop(tx);
            unseen.retain(|op| !let_in.contains(&op.0));
            if unseen.is_empty() {
                return Ok(());
            }
            for ids in unseen.chunks(OPS_AT_ONCE) {
                let (answer, answered) = oneshot::channel();
                self.inner.writer.submit(Box::new(GivingUp { ids: ids.to_vec(), answer }), 0)?;
                answered.await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })??;
            }
        }
        Err(EngineError::Busy { retry_after_ms: 1_000 })
    }
}

/// Waiting ops at the writer, to be given up.
struct GivingUp {
    ids: Vec<OpId>,
    answer: oneshot::Sender<Result<()>>,
}

impl Job for GivingUp {
    fn missing(&self, world: &World) -> Needs {
        world.missing_for_attention(&self.ids, None)
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        let detail = "the phone was removed from the show, and this entry was not let in when its copy was reviewed";
        let rejection = Rejection::new("forbidden", detail);
        for id in &self.ids {
            world.fail_op(*id, &rejection);
        }
        Ok(())
    }

    fn write_beside<'a>(&'a self, _tx: &'a mut Tx) -> BesideFuture<'a> {
        nothing_beside()
    }

    fn runs_alone(&self) -> bool {
        true
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        // The requester may have gone; what was given up stays so.
        let _ = self.answer.send(committed.map(|_| ()));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
