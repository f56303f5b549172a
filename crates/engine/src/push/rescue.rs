//! Pushes that the desk brings in for their author: tried in memory, or decided like any other.

use showdesk_domain::world::World;
use showdesk_store::meta;

use super::{Actor, Author, Decoded, Engine, Mode, OpResult, PushJob, Result};
use crate::ids::fresh_ids;
use crate::writer::{self, Job};

impl Engine {
    /// What would become of these pushes, one after the other. Nothing is written.
    pub(crate) async fn try_pushes(
        &self,
        actor: &Actor,
        pushes: Vec<(Author, Vec<Decoded>)>,
    ) -> Result<Vec<Vec<OpResult>>> {
        let mut tx = self.begin_read_as(actor).await?;
        let meta = meta::read(&mut tx).await?;
        let now = self.now();
        let mut world = World::new(now, meta.epoch, self.inner.show_id, meta.clock, Box::new(fresh_ids(now)));
        let mut jobs: Vec<PushJob> = pushes
            .into_iter()
            .map(|(author, ops)| PushJob::new(author, ops, Mode::Brought { epoch: meta.epoch }))
            .collect();
        let mut tried: Vec<&mut (dyn Job + 'static)> = jobs.iter_mut().map(|job| job as _).collect();
        writer::decide(&mut tx, &mut world, &mut tried).await?;
        Ok(jobs.into_iter().map(|job| job.results).collect())
    }

    /// Decides a push for its author, who may no longer be here. What it answers is on disk.
    pub(crate) async fn push_for(&self, author: Author, ops: Vec<Decoded>, bytes: usize) -> Result<Vec<OpResult>> {
        let epoch = self.epoch().await?;
        self.write(author, ops, bytes, Mode::Brought { epoch }).await.map(|(results, _)| results)
    }
}
