//! Was the database rolled back under us? Compared with the mark beside it at the start and in every write.
//!
//! A phone forgets what the desk acknowledged. A database that is older than an acknowledgement has lost
//! it, so it gets a new epoch, and phones give back what they hold (`docs/SYNC.md`). It writes only
//! through the transaction it is handed; the decision is [`judge`], which is pure.

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use showdesk_domain::ids::Seq;
use showdesk_domain::world::{Needs, World};
use showdesk_store::meta::{self, Meta};
use showdesk_store::{Result, Tx};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::sidecar::{Mark, Sidecar};
use crate::writer::{BesideFuture, Job, nothing_beside};
use crate::{Engine, EngineError};

/// What a database is, beside the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    /// The one that was left, or further on.
    Same,
    /// Another desk has given it a new epoch, or it is new to this desk.
    Adopted,
    /// Older than what was acknowledged, or of unknown descent.
    RolledBack,
}

/// Compares a database with the mark beside it. `shared`: other desks write to it, too, and may have rotated.
fn judge(mark: Option<&Mark>, meta: &Meta, shared: bool) -> Finding {
    let unknown = if shared { Finding::Adopted } else { Finding::RolledBack };
    let Some(mark) = mark else { return unknown };
    if meta.epoch == mark.epoch {
        return if meta.clock < mark.clock { Finding::RolledBack } else { Finding::Same };
    }
    if mark.epochs.contains(&meta.epoch) { Finding::RolledBack } else { unknown }
}

/// The writers' turn: the clock row is held.
#[derive(Debug)]
pub(crate) struct Turn {
    pub meta: Meta,
    /// The epoch is another one than this desk knew.
    pub turned: bool,
}

/// Compares, marks, and gives a database that was rolled back a new epoch.
#[derive(Debug)]
pub(crate) struct EpochGuard {
    shared: bool,
    sidecar: Arc<Mutex<Sidecar>>,
    known: Mutex<Known>,
    /// An epoch that this desk began, and of which nobody was told yet what that means.
    begun: Mutex<Option<Uuid>>,
}

#[derive(Debug)]
struct Known {
    /// As it is on disk.
    mark: Option<Mark>,
    /// A number of the mark's epoch that was certainly committed, by whomever, and may not be on disk here yet.
    seen: Seq,
}

impl EpochGuard {
    /// Reads the folder's mark. `shared` if other desks write to the same database.
    pub(crate) fn open(folder: &Path, shared: bool) -> io::Result<Self> {
        let (sidecar, mark) = Sidecar::open(folder)?;
        let known = Known { mark, seen: Seq(0) };
        Ok(Self { shared, sidecar: Arc::new(Mutex::new(sidecar)), known: Mutex::new(known), begun: Mutex::default() })
    }

    /// Takes the writers' turn. A database that was rolled back has a new epoch from this transaction on.
    pub(crate) async fn begin(&self, tx: &mut Tx) -> Result<Turn> {
        let meta = meta::lock(tx).await?;
        let (finding, marked) = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let reached = known.reached();
            (judge(reached.as_ref(), &meta, self.shared), reached)
        };
        match finding {
            Finding::Same => Ok(Turn { meta, turned: false }),
            Finding::Adopted => {
                tracing::info!(epoch = %meta.epoch, clock = meta.clock.0, "this desk takes the database's epoch over");
                Ok(Turn { meta, turned: true })
            }
            Finding::RolledBack => {
                let epoch = Uuid::new_v4();
                let marked = marked.map(|mark| (mark.epoch, mark.clock.0));
                tracing::warn!(
                    %epoch, former = %meta.epoch, clock = meta.clock.0, ?marked,
                    "the database is older than what was acknowledged: it begins a new epoch"
                );
                meta::set_epoch(tx, epoch).await?;
                *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(epoch);
                Ok(Turn { meta: Meta { epoch, ..meta }, turned: true })
            }
        }
    }

    /// The epoch as this desk last committed in it; none before the first start has ended.
    pub(crate) fn present(&self) -> Option<Uuid> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).mark.as_ref().map(|mark| mark.epoch)
    }

    /// Whether this desk has found the database restored since it was last asked. Of several desks one does.
    pub(crate) fn take_restored(&self) -> bool {
        let present = self.present();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        // What was begun and not committed is begun again.
        begun.is_some() && *begun == present && begun.take().is_some()
    }

    /// Writes the mark after a commit, before its answers leave.
    pub(crate) async fn committed(&self, epoch: Uuid, clock: Seq) -> io::Result<()> {
        let (mark, turned) = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let same = known.mark.as_ref().is_some_and(|mark| mark.epoch == epoch);
            let clock = if same { clock.max(known.seen) } else { clock };
            let mark = Mark::after(known.mark.as_ref(), epoch, clock);
            if known.mark.as_ref() == Some(&mark) {
                return Ok(());
            }
            (mark, !same)
        };
        let (sidecar, written) = (Arc::clone(&self.sidecar), mark.clone());
        let writing =
            tokio::task::spawn_blocking(move || sidecar.lock().unwrap_or_else(PoisonError::into_inner).write(&written));
        writing.await.map_err(io::Error::other)??;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if turned {
            known.seen = Seq(0);
        }
        known.mark = Some(mark);
        Ok(())
    }

    /// Somebody showed that this number was committed in this epoch: a reader that saw it, or a cursor that we
    /// signed. The next write compares the database with it.
    pub(crate) fn saw(&self, epoch: Uuid, clock: Seq) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.mark.as_ref().is_some_and(|mark| mark.epoch == epoch) {
            known.seen = known.seen.max(clock);
        }
    }
}

impl Known {
    /// The mark with what was seen since it was written.
    fn reached(&self) -> Option<Mark> {
        let mark = self.mark.as_ref()?;
        Some(Mark { clock: mark.clock.max(self.seen), ..mark.clone() })
    }
}

impl Engine {
    /// Lets the writer compare the database with what is known of it; answers the epoch after that.
    pub(crate) async fn compare_epoch(&self) -> crate::Result<Uuid> {
        let (answer, answered) = oneshot::channel();
        self.inner.writer.submit(Box::new(Compare { epoch: Uuid::nil(), answer }), 0)?;
        answered.await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })?
    }
}

/// Takes a turn and writes nothing of its own: every turn begins with the comparison.
struct Compare {
    epoch: Uuid,
    answer: oneshot::Sender<crate::Result<Uuid>>,
}

impl Job for Compare {
    fn missing(&self, _world: &World) -> Needs {
        Needs::default()
    }

    fn apply(&mut self, world: &mut World) -> crate::Result<()> {
        self.epoch = world.epoch;
        Ok(())
    }

    fn write_beside<'a>(&'a self, _tx: &'a mut Tx) -> BesideFuture<'a> {
        nothing_beside()
    }

    fn answer(self: Box<Self>, committed: crate::Result<Seq>) {
        // Whoever asked may have gone; the epoch stands all the same.
        let _ = self.answer.send(committed.map(|_| self.epoch));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn meta(epoch: u128, clock: i64) -> Meta {
        Meta { epoch: id(epoch), clock: Seq(clock), oldest_seq: Seq(0), schema: 1, min_schema: 1 }
    }

    #[test]
    fn a_database_is_compared_with_the_mark_beside_it() {
        let mark = Mark { epochs: vec![id(1), id(2)], epoch: id(2), clock: Seq(100) };
        for (epoch, clock, alone, shared) in [
            (2, 100, Finding::Same, Finding::Same),
            (2, 101, Finding::Same, Finding::Same),
            (2, 99, Finding::RolledBack, Finding::RolledBack),
            (1, 500, Finding::RolledBack, Finding::RolledBack),
            (3, 500, Finding::RolledBack, Finding::Adopted),
        ] {
            let meta = meta(epoch, clock);
            assert_eq!(judge(Some(&mark), &meta, false), alone, "{meta:?} in a file");
            assert_eq!(judge(Some(&mark), &meta, true), shared, "{meta:?} on a server");
        }
        assert_eq!(judge(None, &meta(1, 0), false), Finding::RolledBack, "a file whose mark is lost");
        assert_eq!(judge(None, &meta(1, 0), true), Finding::Adopted, "a desk that joins");
    }

    #[tokio::test]
    async fn a_mark_is_written_once_for_each_step_and_read_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let guard = EpochGuard::open(folder.path(), true).expect("it opens");
        guard.committed(id(1), Seq(3)).await.expect("it is written");
        guard.committed(id(1), Seq(4)).await.expect("it is written");
        guard.saw(id(1), Seq(9));
        guard.saw(id(7), Seq(90));
        guard.committed(id(1), Seq(5)).await.expect("it is written");
        let (_, mark) = Sidecar::open(folder.path()).expect("it opens");
        assert_eq!(mark, Some(Mark { epochs: vec![id(1)], epoch: id(1), clock: Seq(9) }), "what was seen counts");
        guard.committed(id(2), Seq(6)).await.expect("it is written");
        let (_, mark) = Sidecar::open(folder.path()).expect("it opens");
        assert_eq!(mark, Some(Mark { epochs: vec![id(1), id(2)], epoch: id(2), clock: Seq(6) }));
    }
}
