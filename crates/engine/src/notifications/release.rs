//! Scheduled messages go out when their time has come.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use showdesk_domain::ids::PersonId;
use showdesk_domain::notices::words::{Manner, cut};
use showdesk_domain::notices::{BODY_CHARS_MAX, TITLE_CHARS_MAX};
use showdesk_domain::op::Op;
use showdesk_domain::value::instant_text;
use showdesk_domain::world::{Author, Needs, World};
use showdesk_store::notifications::NotificationRow;
use showdesk_store::{Tx, audit, notifications as rows};
use uuid::Uuid;

use super::announcing::{missing_for, note, stands};
use super::job::Work;
use super::outbox::Outbox;
use super::scheduling::time_now;
use super::texts::{filled, filling, manner};
use super::writing::typed;
use crate::writer::BesideFuture;
use crate::{Engine, Result};

/// Messages that go out in one transaction.
const DUE_MAX: i64 = 20;

impl Engine {
    /// Lets scheduled messages go out whose time has come; answers how many. One that cannot go out holds up no other.
    pub async fn release_due(&self) -> Result<usize> {
        let (mut released, mut after) = (0, None);
        loop {
            let now = self.now();
            let mut tx = self.begin_read_claims().await?;
            let due = rows::due(&mut tx, now, after, DUE_MAX).await?;
            drop(tx);
            let Some(last) = due.last() else { return Ok(released) };
            after = Some(*last);
            let ids: Vec<Uuid> = due.iter().map(|(_, id)| *id).collect();
            released += match self.release(now, ids.clone()).await {
                Ok(count) => count,
                Err(error) => {
                    tracing::warn!(%error, "messages could not go out together, each is tried alone");
                    self.release_one_by_one(now, ids).await
                }
            };
        }
    }

    async fn release_one_by_one(&self, now: DateTime<Utc>, ids: Vec<Uuid>) -> usize {
        let mut released = 0;
        for id in ids {
            match self.release(now, vec![id]).await {
                Ok(count) => released += count,
                Err(error) => tracing::error!(message = %id, ?error, "a scheduled message could not go out"),
            }
        }
        released
    }

    async fn release(&self, now: DateTime<Utc>, ids: Vec<Uuid>) -> Result<usize> {
        let desk = self.author_of(self.desk_actor().await?);
        let work = Release { engine: self.clone(), desk, now, ids, due: Vec::new() };
        let Released { count, missed } = self.do_message_work(work).await?;
        for (id, title) in missed {
            self.tell_of_missed(id, &title).await;
        }
        Ok(count)
    }

    /// Tells the office of a message that nobody was told. It stands under Sent and in the record all the same.
    async fn tell_of_missed(&self, id: Uuid, title: &str) {
        let body = format!("{title}. It was over before it could go out. Write it again if it is still wanted.");
        let (key, open) = (id.to_string(), format!("#/messages/sent/{id}"));
        let told = self.tell_staff("message_missed", &key, "A planned message was missed", Some(&body), &open);
        if let Err(error) = told.await {
            tracing::error!(message = %id, ?error, "nobody could be told of a message that was missed");
        }
    }
}

/// What became of messages whose time had come.
struct Released {
    /// How many there were.
    count: usize,
    /// Those that were over: their ids and titles.
    missed: Vec<(Uuid, String)>,
}

struct Due {
    row: NotificationRow,
    author: Author,
    /// Makes its announcement; none if it has none.
    op: Option<Op>,
    /// It would be over before it went out.
    is_over: bool,
    /// Its class takes place no more, or has no time: it waits.
    waits: bool,
}

struct Release {
    engine: Engine,
    /// Who sends what somebody wrote: the desk, in that person's name.
    desk: Author,
    now: DateTime<Utc>,
    ids: Vec<Uuid>,
    due: Vec<Due>,
}

impl Release {
    /// The message as it reads now: its class may have another time or ring than when it was written.
    async fn due(&self, tx: &mut Tx, manner: &Manner, mut row: NotificationRow) -> showdesk_store::Result<Due> {
        if let Some(minutes) = row.ends_after_minutes {
            row.expires_at = Some(self.now + TimeDelta::minutes(minutes));
        }
        let is_over = row.expires_at.is_some_and(|at| at <= self.now);
        if row.raw.is_some() {
            let words = filling(tx, manner, &row.audience, row.before_class_id, row.expires_at).await;
            // What can no longer be filled in stays as it last read.
            if let Ok(text) = words.and_then(|words| filled(&typed(&row), &words)) {
                (row.title, row.body) = (text.title, text.body);
            }
            row.title = cut(&row.title, TITLE_CHARS_MAX);
            row.body = row.body.map(|body| cut(&body, BODY_CHARS_MAX));
        }
        let person = row.created_by.unwrap_or(self.desk.actor.person);
        let mut author = self.desk.clone();
        author.actor.person = PersonId(person.0);
        let waits = row.before_class_id.is_some() && time_now(tx, &row, None).await?.is_none();
        let has_announcement = row.user.is_none() && !is_over && !waits;
        // A message that cannot be an announcement is a message all the same.
        let op = has_announcement.then(|| self.engine.announcement_op(&row).ok()).flatten();
        Ok(Due { row, author, op, is_over, waits })
    }

    fn ops(&self) -> impl Iterator<Item = &Op> + Clone {
        self.due.iter().filter_map(|due| due.op.as_ref())
    }
}

impl Work for Release {
    type Answer = Released;
    const ALONE: bool = true;

    fn look<'a>(&'a mut self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(async move {
            self.due.clear();
            let Ok(manner) = manner(tx, self.engine.inner.show_id).await else { return Ok(()) };
            let mut found = rows::load(tx, &self.ids).await?;
            // The one that was due first goes out first. Another desk may have let it go meanwhile.
            found.retain(|row| {
                let waits = row.released_at.is_none() && row.cancelled_at.is_none();
                waits && row.send_at.is_some_and(|at| at <= self.now)
            });
            found.sort_by_key(|row| (row.send_at, row.id));
            for row in found {
                let due = self.due(tx, &manner, row).await?;
                self.due.push(due);
            }
            Ok(())
        })
    }

    fn missing(&self, world: &World) -> Needs {
        missing_for(world, &self.desk, self.ops())
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        for due in &mut self.due {
            if let Some(op) = &due.op {
                world.decide(&due.author, op);
                let id: Option<Uuid> = stands(world, op.id).then_some(due.row.id);
                due.row.announcement_id = id;
            }
        }
        Ok(())
    }

    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a> {
        Box::pin(async move {
            for due in &self.due {
                if due.waits {
                    rows::rewrite(tx, &NotificationRow { send_at: None, ..due.row.clone() }).await?;
                    outbox.changed();
                } else if due.is_over {
                    if rows::miss(tx, &due.row, outbox.now).await? {
                        let what =
                            json!({ "title": due.row.title, "expires_at": due.row.expires_at.map(instant_text) });
                        let note = note(&self.desk.actor, "message_missed", due.row.id, outbox.now, Some(what));
                        audit::add(tx, &[note]).await?;
                    }
                    outbox.changed();
                } else {
                    outbox.release(tx, &due.row).await?;
                }
            }
            Ok(())
        })
    }

    fn done(self) -> Released {
        let count = self.due.iter().filter(|due| !due.waits).count();
        let missed = self.due.into_iter().filter(|due| due.is_over && !due.waits);
        Released { count, missed: missed.map(|due| (due.row.id, due.row.title)).collect() }
    }
}
