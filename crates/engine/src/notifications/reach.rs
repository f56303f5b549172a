//! Whom a message reaches, as things stand.

use std::collections::{BTreeSet, HashMap, HashSet};

use showdesk_domain::actor::{Actor, DeviceKind, Function};
use showdesk_domain::ids::{PersonId, RecordId};
use showdesk_domain::notices::audience::{Audience, Hearer, Roll};
use showdesk_domain::notices::words::{class_name, department_name};
use showdesk_domain::permit::Action;
use showdesk_domain::record::Record;
use showdesk_domain::schema::known_table;
use showdesk_domain::world::Key;
use showdesk_store::notifications::audience::{self as people, HearingDevice};
use showdesk_store::{Tx, records};
use uuid::Uuid;

use crate::api::notifications::{AskReach, Reach, ReachPart, ReachParts};
use crate::presence::Known;
use crate::rights::require;
use crate::{Engine, Result};

/// Who can be reached, and whose animals are where.
pub(crate) struct Reachable {
    hearers: Vec<Hearer>,
    phones: Vec<HearingDevice>,
    roll: Roll,
}

impl Engine {
    /// Whom a message would reach, all told and by what is named.
    pub async fn message_reach(&self, actor: &Actor, asked: AskReach) -> Result<ReachParts> {
        require(actor, Action::Message)?;
        let mut tx = self.begin_read_as(actor).await?;
        let audience = super::writing::audience(&mut tx, &asked.audience, true).await?;
        let reachable = self.reachable(&mut tx, &audience).await?;
        let Reach { people, devices, away } = self.reach_of(&reachable, &reachable.people(&audience));
        let labels = Labels::load(&mut tx, &[&audience]).await?;
        let part = |(key, part): (String, Audience)| ReachPart {
            label: labels.of(&part).join(", "),
            people: reachable.people(&part).len(),
            key,
        };
        let parts = audience.parts().into_iter().map(part).collect();
        Ok(ReachParts { people, devices, away, parts })
    }

    /// Who could be told something by this audience.
    pub(crate) async fn reachable(&self, tx: &mut Tx, audience: &Audience) -> Result<Reachable> {
        let (mut hearers, mut phones) = people::hearers(tx).await?;
        let at = self.moment();
        phones.retain(|device| device.kind == DeviceKind::Phone && at.is_within(device.expires_at));
        let with_phone: HashSet<PersonId> = phones.iter().map(|device| device.person).collect();
        hearers.retain(|hearer| with_phone.contains(&hearer.person));
        let roll = people::roll(tx, &audience.class_ids, &audience.departments_asked()).await?;
        Ok(Reachable { hearers, phones, roll })
    }

    /// What these people have: phones, and how many of them are away.
    pub(crate) fn reach_of(&self, reachable: &Reachable, people: &BTreeSet<PersonId>) -> Reach {
        let phones: Vec<&HearingDevice> =
            reachable.phones.iter().filter(|device| people.contains(&device.person)).collect();
        let at = self.moment();
        let is_away = |device: &&&HearingDevice| {
            let seen = self.inner.seen.peek(device.device).map(|note| note.at);
            let last_seen = [device.last_seen, seen].into_iter().flatten().max();
            let known = Known { device: device.device, joined_at: device.joined_at, last_seen, revoked_at: None };
            !self.inner.presence.is_connected(known, at)
        };
        Reach { people: people.len(), devices: phones.len(), away: phones.iter().filter(is_away).count() }
    }
}

impl Reachable {
    /// One person, if that person can be reached.
    pub(crate) fn only(&self, person: PersonId) -> BTreeSet<PersonId> {
        self.hearers.iter().map(|hearer| hearer.person).filter(|other| *other == person).collect()
    }

    /// Whom the audience names.
    pub(crate) fn people(&self, audience: &Audience) -> BTreeSet<PersonId> {
        audience.people(&self.hearers, &self.roll)
    }
}

/// What an audience names of one table.
type Named = fn(&Audience) -> Vec<Uuid>;

/// What audiences name, in words.
pub(crate) struct Labels(HashMap<Key, Record>);

impl Labels {
    /// Reads what these audiences name.
    pub(crate) async fn load(tx: &mut Tx, audiences: &[&Audience]) -> Result<Self> {
        let mut rows = HashMap::new();
        let lists: [(&'static str, Named); 3] = [
            ("rings", |audience| audience.rings.iter().chain(&audience.at_rings).copied().collect()),
            ("classes", |audience| audience.class_ids.clone()),
            ("exhibitors", |audience| audience.exhibitor_ids.clone()),
        ];
        for (table, list) in lists {
            let ids: Vec<RecordId> = audiences.iter().flat_map(|audience| list(audience)).map(RecordId).collect();
            let found = records::load(tx, known_table(table), &ids).await?;
            rows.extend(found.into_iter().map(|row| ((table, row.id), row)));
        }
        Ok(Self(rows))
    }

    /// Each thing an audience names.
    pub(crate) fn of(&self, audience: &Audience) -> Vec<String> {
        let mut words = Vec::new();
        if audience.everybody {
            words.push("Everybody".to_owned());
        }
        words.extend(audience.class_ids.iter().filter_map(|id| self.row("classes", *id)).map(class_name));
        words.extend(audience.functions.iter().map(|function| job(*function).to_owned()));
        let ring = |id: &Uuid| self.row("rings", *id)?.value("name").as_text().map(str::to_owned);
        words.extend(audience.rings.iter().filter_map(ring));
        words.extend(audience.departments_asked().iter().map(|name| department_name(name)));
        let exhibitor = |id: &Uuid| {
            let row = self.row("exhibitors", *id)?;
            let name = |path: &str| row.value(path).as_text().unwrap_or_default().to_owned();
            Some(format!("{} {}", name("first_name"), name("last_name")).trim().to_owned())
        };
        words.extend(audience.exhibitor_ids.iter().filter_map(exhibitor));
        words
    }

    fn row(&self, table: &'static str, id: Uuid) -> Option<&Record> {
        self.0.get(&(table, RecordId(id)))
    }
}

/// Who does a job, as an audience is called.
pub(crate) fn job(function: Function) -> &'static str {
    match function {
        Function::Admin => "Office",
        Function::Superintendent => "Superintendents",
        Function::Checkin => "Check-in crew",
        Function::Scale => "Scale crew",
        Function::Gate => "Gate crew",
        Function::Clerk => "Ring clerks",
        Function::Announcer => "Announcers",
        Function::Vet => "Vets",
        Function::Viewer => "Exhibitors and viewers",
    }
}
