//! What a person reads of messages, and how far they came with the person.

use std::sync::atomic::{AtomicI64, Ordering};

use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::notices::Receipt;
use showdesk_domain::permit::Action;
use showdesk_store::Tx;
use showdesk_store::deliveries::phones::{self, LocalTarget};
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
        let work = Acknowledge { actor: actor.clone(), ids, state, updated: AtomicI64::new(0) };
        let updated = self.do_message_work(work).await?;
        if actor.device_kind == DeviceKind::Phone {
            let result = match state {
                Receipt::Waiting | Receipt::Delivered => DeliveryStatus::Delivered,
                Receipt::Seen => DeliveryStatus::Seen,
                Receipt::Confirmed => DeliveryStatus::Confirmed,
            };
            let count = u64::try_from(updated).unwrap_or(0);
            self.inner.telemetry.counters.deliveries(Channel::Local, result, count);
        }
        Ok(Acked { updated })
    }
}

struct Acknowledge {
    actor: Actor,
    ids: Vec<Uuid>,
    state: Receipt,
    updated: AtomicI64,
}

impl Acknowledge {
    async fn rise(&self, tx: &mut Tx, outbox: &mut Outbox) -> showdesk_store::Result<()> {
        let Actor { person, device, device_kind, .. } = self.actor;
        let (mut updated, mut on_phone) = (0, Vec::new());
        for id in &self.ids {
            let rose = streams::rise(tx, *id, person, self.state, outbox.now).await?;
            let target = LocalTarget { id: outbox.fresh_id(), person, device, has_token: false };
            let rose_here = device_kind == DeviceKind::Phone
                && phones::rise_on_phone(tx, *id, target, self.state, outbox.now).await?;
            if rose_here {
                on_phone.push(*id);
            }
            if rose && self.state == Receipt::Confirmed {
                outbox.tell_person_again(tx, *id, person).await?;
            }
            updated += i64::from(rose || rose_here);
        }
        roll_up(tx, &on_phone, outbox.now).await?;
        if updated > 0 {
            outbox.changed();
        }
        self.updated.store(updated, Ordering::Relaxed);
        Ok(())
    }
}

impl Work for Acknowledge {
    type Answer = i64;
    const ALONE: bool = false;

    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a> {
        Box::pin(self.rise(tx, outbox))
    }

    fn done(self) -> i64 {
        self.updated.into_inner()
    }
}
