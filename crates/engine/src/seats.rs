//! For whom a transaction works. On Postgres the seat decides what row-level security lets it see and do.

use showdesk_domain::actor::Actor;
use showdesk_domain::ids::PersonId;
use showdesk_store::Tx;
use showdesk_store::db::Seat;

use crate::{Engine, EngineError, Result};

impl Engine {
    /// Reads for somebody with a pass.
    pub(crate) async fn begin_read_as(&self, actor: &Actor) -> Result<Tx> {
        self.begin_read(Seat::Person(actor.person)).await
    }

    /// Writes for somebody with a pass, beside the writer: people, devices, imports, never a synced row.
    pub(crate) async fn begin_write_as(&self, actor: &Actor) -> Result<Tx> {
        self.begin_write(Seat::Person(actor.person)).await
    }

    /// The same for a person whose pass is just being made or shown for the first time.
    pub(crate) async fn begin_write_for(&self, person: PersonId) -> Result<Tx> {
        self.begin_write(Seat::Person(person)).await
    }

    /// Looks a pass or a code up.
    pub(crate) async fn begin_read_anyone(&self) -> Result<Tx> {
        self.begin_read(Seat::Anyone).await
    }

    /// Takes a claim of somebody who has no pass yet.
    pub(crate) async fn begin_write_anyone(&self) -> Result<Tx> {
        self.begin_write(Seat::Anyone).await
    }

    /// Reads for this laptop itself, as the person it belongs to.
    pub(crate) async fn begin_read_desk(&self) -> Result<Tx> {
        self.begin_read(Seat::Person(self.inner.desk_person)).await
    }

    /// Writes for this laptop itself, as the person it belongs to.
    pub(crate) async fn begin_write_desk(&self) -> Result<Tx> {
        self.begin_write(Seat::Person(self.inner.desk_person)).await
    }

    /// Reads for the program's own housekeeping: which desks live, what it keeps sealed.
    pub(crate) async fn begin_read_work(&self) -> Result<Tx> {
        self.begin_read(Seat::Worker).await
    }

    /// Writes for the program's own housekeeping.
    pub(crate) async fn begin_write_work(&self) -> Result<Tx> {
        self.begin_write(Seat::Worker).await
    }

    /// Claims ops for the writer.
    pub(crate) async fn begin_write_claims(&self) -> Result<Tx> {
        self.begin_write(Seat::Writer).await
    }

    /// Looks whether there are ops to claim for the writer.
    pub(crate) async fn begin_read_claims(&self) -> Result<Tx> {
        self.begin_read(Seat::Writer).await
    }

    async fn begin_read(&self, seat: Seat) -> Result<Tx> {
        Ok(self.db().begin_read(seat).await?)
    }

    /// Unless the disk forbids it.
    async fn begin_write(&self, seat: Seat) -> Result<Tx> {
        self.inner.disk.may_write()?;
        self.inner.disk.settled(self.db().begin_write(seat).await.map_err(EngineError::from))
    }
}
