//! Requests about messages at the writer.

use std::any::Any;

use showdesk_domain::ids::Seq;
use showdesk_domain::world::{Needs, World};
use showdesk_store::Tx;
use tokio::sync::oneshot;

use super::Outbox;
use crate::writer::{BesideFuture, Job, nothing_beside};
use crate::{Engine, EngineError, Result};

/// What a request about messages does in the writer's transaction. It may be done more than once: after a roll-back.
pub(crate) trait Work: Send + Sync + 'static {
    /// What it answers after the commit.
    type Answer: Send + 'static;
    /// Whether it can refuse, which undoes its transaction.
    const ALONE: bool;

    /// Reads what it decides by.
    fn look<'a>(&'a mut self, _tx: &'a mut Tx) -> BesideFuture<'a> {
        nothing_beside()
    }
    /// What must be read of synced rows.
    fn missing(&self, _world: &World) -> Needs {
        Needs::default()
    }
    /// Decides, and writes synced rows if it must.
    fn apply(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }
    /// Writes.
    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a>;
    /// Gives up what it answers.
    fn done(self) -> Self::Answer;
}

/// See [`Work`].
pub(crate) struct MessageJob<W: Work> {
    work: W,
    answer: oneshot::Sender<Result<W::Answer>>,
}

impl Engine {
    /// Has the writer do it; what is answered is on disk.
    pub(crate) async fn do_message_work<W: Work>(&self, work: W) -> Result<W::Answer> {
        let (answer, answered) = oneshot::channel();
        self.inner.writer.submit(Box::new(MessageJob { work, answer }), 0)?;
        answered.await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })?
    }
}

impl<W: Work> Job for MessageJob<W> {
    fn look<'a>(&'a mut self, tx: &'a mut Tx) -> BesideFuture<'a> {
        self.work.look(tx)
    }

    fn missing(&self, world: &World) -> Needs {
        self.work.missing(world)
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        self.work.apply(world)
    }

    fn write_beside<'a>(&'a self, _tx: &'a mut Tx) -> BesideFuture<'a> {
        nothing_beside()
    }

    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a> {
        self.work.tell(tx, outbox)
    }

    fn runs_alone(&self) -> bool {
        W::ALONE
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        let Self { work, answer } = *self;
        // The requester may have gone; what was done stands all the same.
        let _ = answer.send(committed.map(|_| work.done()));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
