//! What a person reads of messages, and how far they came with the person.

use std::sync::{Mutex, PoisonError};

use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::notices::Receipt;
use showdesk_domain::permit::Action;
use showdesk_store::Tx;
use showdesk_store::deliveries::phones::{self, LocalTarget, Rise};
use showdesk_store::deliveries::roll_up;
use showdesk_store::deliveries::{Channel, DeliveryStatus};
use showdesk_store::notifications::{notices, streams};
use uuid::Uuid;

use super::job::Work;
use super::outbox::Outbox;
use super::texts::invalid;
use crate::api::notifications::{Ack, Acked, NoticePage};
use crate::rights::require;
use crate::writer::BesideFuture;
use crate::{Engine, Result};

/// Messages that one acknowledgement names.
const ACK_IDS_MAX: usize = 500;
/// What was missed and is told.
const MISSED_MAX: i64 = 50;

impl Engine {
    /// The person's messages after a number.
    pub async fn my_notices(&self, actor: &Actor, after: i64, limit: i64) -> Result<NoticePage> {
        require(actor, Action::SeeOwnMessages)?;
        let now = self.now();
        let mut tx = self.begin_read_as(actor).await?;
        // Read before the rows: what comes meanwhile is in neither, or is asked for again.
        let latest = notices::latest(&mut tx, actor.person).await?;
        let mut items = notices::of_person(&mut tx, actor.person, after, now, limit + 1).await?;
        let more = i64::try_from(items.len()).is_ok_and(|count| count > limit);
        if more {
            items.pop();
        }
        let missed = notices::missed(&mut tx, actor.person, after, now, MISSED_MAX).await?;
        Ok(NoticePage {
            items: items.into_iter().map(Into::into).collect(),
            missed: missed.into_iter().map(Into::into).collect(),
            latest,
            more,
        })
    }

    /// How far messages came on this device. It only rises; what is not the person's is passed over.
    pub async fn acknowledge(&self, actor: &Actor, ack: Ack) -> Result<Acked> {
        require(actor, Action::SeeOwnMessages)?;
        let Ack { mut ids, state } = ack;
        if ids.len() > ACK_IDS_MAX {
            return Err(invalid("too_large", "ids", "at most 500 messages are acknowledged at once"));
        }
        ids.sort_unstable();
        ids.dedup();
        let mut tx = self.begin_read_as(actor).await?;
        let own = streams::own(&mut tx, actor.person, &ids).await?;
        drop(tx);
        let ids: Vec<Uuid> = own.into_iter().map(|(id, _)| id).collect();
        if ids.is_empty() {
            return Ok(Acked { updated: 0 });
        }
        let state = state.into();
        let work = Acknowledge { actor: actor.clone(), ids, state, risen: Mutex::default() };
        let Risen { updated, arrived } = self.do_message_work(work).await?;
        if actor.device_kind == DeviceKind::Phone {
            let counters = &self.inner.telemetry.counters;
            // A phone tells only how far it has come: having the message is counted with its first word.
            counters.deliveries(Channel::Local, DeliveryStatus::Delivered, arrived);
            let further = match state {
                Receipt::Waiting | Receipt::Delivered => None,
                Receipt::Seen => Some(DeliveryStatus::Seen),
                Receipt::Confirmed => Some(DeliveryStatus::Confirmed),
            };
            if let Some(further) = further {
                counters.deliveries(Channel::Local, further, u64::try_from(updated).unwrap_or(0));
            }
        }
        Ok(Acked { updated })
    }
}

struct Acknowledge {
    actor: Actor,
    ids: Vec<Uuid>,
    state: Receipt,
    risen: Mutex<Risen>,
}

/// What came of an acknowledgement.
#[derive(Debug, Clone, Copy, Default)]
struct Risen {
    /// Messages that came further, on this device or with the person.
    updated: i64,
    /// Those that this phone had not said to have before.
    arrived: u64,
}

impl Acknowledge {
    async fn rise(&self, tx: &mut Tx, outbox: &mut Outbox) -> showdesk_store::Result<()> {
        let Actor { person, device, device_kind, .. } = self.actor;
        let (mut risen, mut on_phone) = (Risen::default(), Vec::new());
        for id in &self.ids {
            let rose = streams::rise(tx, *id, person, self.state, outbox.now).await?;
            let target = LocalTarget { id: outbox.fresh_id(), person, device, has_token: false };
            let rose_here = match device_kind {
                DeviceKind::Phone => phones::rise_on_phone(tx, *id, target, self.state, outbox.now).await?,
                DeviceKind::Desk => Rise::None,
            };
            if rose_here != Rise::None {
                on_phone.push(*id);
            }
            if rose && self.state == Receipt::Confirmed {
                outbox.tell_person_again(tx, *id, person).await?;
            }
            risen.updated += i64::from(rose || rose_here != Rise::None);
            risen.arrived += u64::from(rose_here == Rise::Arrived);
        }
        roll_up(tx, &on_phone, outbox.now).await?;
        if risen.updated > 0 {
            outbox.changed();
        }
        *self.risen.lock().unwrap_or_else(PoisonError::into_inner) = risen;
        Ok(())
    }
}

impl Work for Acknowledge {
    type Answer = Risen;
    const ALONE: bool = false;

    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a> {
        Box::pin(self.rise(tx, outbox))
    }

    fn done(self) -> Risen {
        self.risen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
