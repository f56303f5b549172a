//! Puts messages into people's streams, within the writer's transaction.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::notices::Receipt;
use showdesk_domain::notices::audience::Hearer;
use showdesk_domain::notices::facts::Author;
use showdesk_store::deliveries::Channel;
use showdesk_store::deliveries::phones::{self, LocalTarget};
use showdesk_store::notifications::audience::HearingDevice;
use showdesk_store::notifications::{self, NotificationRow, Source, audience, streams};
use showdesk_store::{Result, Tx};
use uuid::Uuid;

use crate::Wake;
use crate::ids::fresh_ids;
use crate::presence::Moment;

/// What one transaction puts into streams. Who may hear is read once, and only if something is told.
pub(crate) struct Outbox {
    pub now: DateTime<Utc>,
    at: Moment,
    fresh: Box<dyn FnMut() -> Uuid + Send + Sync>,
    everybody: Option<Everybody>,
    notified: bool,
    changed: bool,
    taken_back: Vec<Channel>,
}

/// Who may hear something, and on what.
struct Everybody {
    hearers: Vec<Hearer>,
    devices: Vec<HearingDevice>,
    with_tokens: HashSet<DeviceId>,
}

impl Outbox {
    pub(crate) fn new(at: Moment) -> Self {
        Self {
            now: at.now,
            at,
            fresh: Box::new(fresh_ids(at.now)),
            everybody: None,
            notified: false,
            changed: false,
            taken_back: Vec::new(),
        }
    }

    /// Who must hear of it once it is committed.
    pub(crate) fn wakes(&self) -> impl Iterator<Item = Wake> + use<> {
        let notified = self.notified.then_some(Wake::Notified);
        notified.into_iter().chain(self.changed.then_some(Wake::Messages))
    }

    /// The ways of deliveries that ended because their messages were taken back: counted once it is committed.
    pub(crate) fn taken_back(&self) -> &[Channel] {
        &self.taken_back
    }

    /// What became of messages has changed: who follows them must look.
    pub(crate) fn changed(&mut self) {
        self.changed = true;
    }

    pub(crate) fn fresh_id(&mut self) -> Uuid {
        (self.fresh)()
    }

    /// Adds a message of what happened, unless it was told before, or there is nobody to be told.
    pub(crate) async fn tell_of(&mut self, tx: &mut Tx, row: &NotificationRow, by: Author) -> Result<bool> {
        let people = self.people(tx, row).await?;
        if people.is_empty() { Ok(false) } else { self.send_to(tx, row, people, by).await }
    }

    /// Adds a message that goes out now, unless it was told before.
    pub(crate) async fn send(&mut self, tx: &mut Tx, row: &NotificationRow, by: Author) -> Result<bool> {
        let people = self.people(tx, row).await?;
        self.send_to(tx, row, people, by).await
    }

    async fn send_to(&mut self, tx: &mut Tx, row: &NotificationRow, people: Vec<PersonId>, by: Author) -> Result<bool> {
        if !notifications::add(tx, row).await? {
            return Ok(false);
        }
        self.put(tx, row, people, by).await?;
        Ok(true)
    }

    /// Lets a message go out that waited for its time.
    pub(crate) async fn release(&mut self, tx: &mut Tx, row: &NotificationRow) -> Result<()> {
        notifications::release(tx, row, self.now).await?;
        let people = self.people(tx, row).await?;
        self.put(tx, row, people, Author::default()).await
    }

    /// Takes a message back that went out.
    pub(crate) async fn retract(&mut self, tx: &mut Tx, id: Uuid) -> Result<bool> {
        if !notifications::retract(tx, id, self.now).await? {
            return Ok(false);
        }
        let ended = phones::take_back(tx, id, &crate::delivery::taken_back(), self.now).await?;
        self.taken_back.extend(ended);
        self.tell_again(tx, id).await?;
        Ok(true)
    }

    /// Something about a message has changed: everybody who has it gets it again.
    pub(crate) async fn tell_again(&mut self, tx: &mut Tx, id: Uuid) -> Result<()> {
        let event = streams::next_event(tx).await?;
        streams::tell_again(tx, id, event).await?;
        (self.notified, self.changed) = (true, true);
        Ok(())
    }

    /// One person confirmed a message: the person's other phones hear of it.
    pub(crate) async fn tell_person_again(&mut self, tx: &mut Tx, id: Uuid, person: PersonId) -> Result<()> {
        let event = streams::next_event(tx).await?;
        self.notified = true;
        streams::tell_person_again(tx, id, person, event).await
    }

    /// Reminds who has not seen a message, or not confirmed it; answers how many.
    pub(crate) async fn remind(&mut self, tx: &mut Tx, row: &NotificationRow) -> Result<u64> {
        let event = streams::next_event(tx).await?;
        (self.notified, self.changed) = (true, true);
        let reminded = streams::remind(tx, row.id, event, row.needs_ack, self.now).await?;
        phones::wake_again(tx, row.id, self.now).await?;
        Ok(reminded)
    }

    async fn put(&mut self, tx: &mut Tx, row: &NotificationRow, people: Vec<PersonId>, by: Author) -> Result<()> {
        self.changed = true;
        if people.is_empty() {
            return notifications::end_without_phones(tx, row.id, false, self.now).await;
        }
        self.notified = true;
        let event = streams::next_event(tx).await?;
        let at = self.at;
        let devices = self.everybody(tx).await?.phones(&people, at);
        // Who did it on a phone knows it.
        let doer = devices.iter().find(|target| by.device == Some(target.device)).map(|target| target.person);
        let (told, new): (Vec<_>, Vec<_>) = people.into_iter().partition(|person| doer == Some(*person));
        streams::add_recipients(tx, (row.id, event), &new, Receipt::Waiting, self.now).await?;
        streams::add_recipients(tx, (row.id, event), &told, Receipt::Seen, self.now).await?;
        let mut targets: Vec<LocalTarget> =
            devices.into_iter().filter(|target| by.device != Some(target.device)).collect();
        for target in &mut targets {
            target.id = (self.fresh)();
        }
        if targets.is_empty() {
            // What the desk tells of itself is told where it stands on a desk; what somebody wrote is for phones.
            let is_on_desk = row.source == Source::Automatic && !new.is_empty();
            return notifications::end_without_phones(tx, row.id, is_on_desk, self.now).await;
        }
        phones::add_local(tx, row.id, &targets, row.expires_at, self.now).await
    }

    /// Whom a message is for.
    async fn people(&mut self, tx: &mut Tx, row: &NotificationRow) -> Result<Vec<PersonId>> {
        let at = self.at;
        let everybody = self.everybody(tx).await?;
        if let Some(person) = row.user {
            return Ok(if everybody.hearers.iter().any(|hearer| hearer.person == person) {
                vec![person]
            } else {
                vec![]
            });
        }
        let roll = audience::roll(tx, &row.audience.class_ids, &row.audience.departments_asked()).await?;
        let people = row.audience.people(&everybody.hearers, &roll);
        // A phone whose time is over is refused: it can get nothing.
        let is_let_in = |device: &&HearingDevice| at.is_within(device.expires_at);
        let has_device: HashSet<PersonId> =
            everybody.devices.iter().filter(is_let_in).map(|device| device.person).collect();
        Ok(people.into_iter().filter(|person| has_device.contains(person)).collect())
    }

    async fn everybody(&mut self, tx: &mut Tx) -> Result<&Everybody> {
        if self.everybody.is_none() {
            let (hearers, devices) = audience::hearers(tx).await?;
            let with_tokens = audience::devices_with_tokens(tx).await?;
            self.everybody = Some(Everybody { hearers, devices, with_tokens });
        }
        Ok(self.everybody.as_ref().expect("it has just been read"))
    }
}

impl Everybody {
    fn phones(&self, people: &[PersonId], at: Moment) -> Vec<LocalTarget> {
        let wanted: HashSet<&PersonId> = people.iter().collect();
        let is_target = |device: &&HearingDevice| {
            device.kind == DeviceKind::Phone && at.is_within(device.expires_at) && wanted.contains(&device.person)
        };
        let target = |device: &HearingDevice| LocalTarget {
            id: Uuid::nil(),
            person: device.person,
            device: device.device,
            has_token: self.with_tokens.contains(&device.device),
        };
        self.devices.iter().filter(is_target).map(target).collect()
    }
}
