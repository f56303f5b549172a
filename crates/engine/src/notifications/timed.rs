//! The desk's own messages that go by the clock: weigh-in closes, a phone holds unsent work.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::notices::automatic::{Automatic, Choices, Closing};
use showdesk_domain::notices::drafts::{Draft, NotWeighed, Unsent, closing_key, sync_key, unsent_work, weigh_closing};
use showdesk_domain::notices::facts::Author;
use showdesk_store::Tx;
use showdesk_store::notifications::{self as rows, NotificationRow, audience, desk, settings};
use uuid::Uuid;

use super::job::Work;
use super::outbox::Outbox;
use super::tell::of_draft;
use super::texts::manner;
use crate::writer::BesideFuture;
use crate::{Engine, Result};

/// Phones with unsent work that are told of at once, as far as those go that are read together.
const PHONES_MAX: usize = 50;
const PHONES_READ: i64 = 50;
/// A phone tells its oldest entry's age a little differently each time.
const SAME_WAIT: TimeDelta = TimeDelta::minutes(2);

impl Engine {
    /// Tells what goes by the clock and was not told yet; answers how many messages.
    pub(crate) async fn tell_timed(&self) -> Result<usize> {
        let now = self.now();
        let mut tx = self.begin_read_claims().await?;
        let choices: Choices = settings::read(&mut tx, settings::AUTOMATIC).await?.unwrap_or_default();
        let mut drafts = Vec::new();
        if choices.is_on(Automatic::Sync) {
            unsent(&mut tx, &choices, now, &mut drafts).await?;
        }
        if choices.is_on(Automatic::WeighClosing) {
            self.closing(&mut tx, &choices, now, &mut drafts).await?;
        }
        drop(tx);
        if drafts.is_empty() {
            return Ok(0);
        }
        let show = self.inner.show_id;
        let made = drafts.into_iter().map(|draft| of_draft(show, draft, now)).collect();
        self.do_message_work(Tell::of(made)).await
    }

    async fn closing(&self, tx: &mut Tx, choices: &Choices, now: DateTime<Utc>, drafts: &mut Vec<Draft>) -> Result<()> {
        let before = TimeDelta::minutes(choices.minutes(Automatic::WeighClosing));
        let is_soon = |closing: &&Closing| closing.at.checked_sub_signed(before).is_some_and(|from| from <= now);
        let soon: Vec<&Closing> =
            choices.closings().iter().filter(is_soon).filter(|closing| now < closing.at).collect();
        // What was taken back is not told again either.
        let keys: Vec<String> = soon.iter().map(|closing| closing_key(closing)).collect();
        let told = rows::of_dedupe_keys(tx, &keys).await?;
        let untold: Vec<&Closing> = soon
            .into_iter()
            .filter(|closing| told.iter().all(|told| told.dedupe_key != closing_key(closing)))
            .collect();
        if untold.is_empty() {
            return Ok(());
        }
        let manner = manner(tx, self.inner.show_id).await?;
        let head = audience::not_weighed(tx).await?;
        for closing in untold {
            let head = head.get(&closing.department).copied().unwrap_or(0);
            drafts.extend(weigh_closing(&NotWeighed { closing: closing.clone(), head }, &manner));
        }
        Ok(())
    }

    /// Tells those who run the show something about the desk itself, once a key. `open` is a page of the desk.
    pub(crate) async fn tell_staff(
        &self,
        kind: &str,
        key: &str,
        title: &str,
        body: Option<&str>,
        open: &str,
    ) -> Result<()> {
        let collapse = format!("{kind}:{key}");
        self.tell_staff_news(StaffNews { kind, key, collapse: &collapse, title, body, outside: None, open }).await
    }

    /// The id of the message that tells those who run the show of this.
    pub(crate) fn staff_news_id(&self, kind: &str, key: &str) -> Uuid {
        Uuid::new_v5(&self.inner.show_id, format!("{kind}:{key}").as_bytes())
    }

    /// The same, where a later one takes the place of an earlier one.
    pub(crate) async fn tell_staff_news(&self, news: StaffNews<'_>) -> Result<()> {
        use showdesk_domain::actor::Function;
        use showdesk_domain::notices::audience::Audience;
        use showdesk_domain::notices::words::cut;
        use showdesk_domain::notices::{BODY_CHARS_MAX, Priority, TITLE_CHARS_MAX};
        let dedupe_key = format!("{}:{}", news.kind, news.key);
        let mut data = serde_json::json!({ "open": news.open });
        if let Some(outside) = news.outside {
            data["outside"] = serde_json::json!({ "body": cut(outside, BODY_CHARS_MAX) });
        }
        let row = NotificationRow {
            id: self.staff_news_id(news.kind, news.key),
            kind: news.kind.to_owned(),
            title: cut(news.title, TITLE_CHARS_MAX),
            body: news.body.map(|body| cut(body, BODY_CHARS_MAX)),
            data,
            audience: Audience::of_functions(&[Function::Admin]),
            priority: Priority::High,
            collapse_key: Some(news.collapse.to_owned()),
            dedupe_key: Some(dedupe_key),
            ..super::tell::empty(self.now())
        };
        self.do_message_work(Tell::of(vec![row])).await?;
        Ok(())
    }
}

/// Something about the desk itself, for those who run the show.
pub(crate) struct StaffNews<'a> {
    /// The message's type.
    pub kind: &'a str,
    /// What it tells of: it is told once.
    pub key: &'a str,
    /// A later one of the same takes its place.
    pub collapse: &'a str,
    pub title: &'a str,
    pub body: Option<&'a str>,
    /// The body as it leaves the show; none if it may leave as it is.
    pub outside: Option<&'a str>,
    /// A page of the desk.
    pub open: &'a str,
}

/// Phones whose work waits, each told once while it waits.
async fn unsent(tx: &mut Tx, choices: &Choices, now: DateTime<Utc>, drafts: &mut Vec<Draft>) -> Result<()> {
    let waits = TimeDelta::minutes(choices.minutes(Automatic::Sync));
    let mut after = None;
    // Those that wait longest come first, and were told long ago.
    while drafts.len() < PHONES_MAX {
        let phones = audience::unsent_since(tx, now - waits, after, PHONES_READ).await?;
        let Some(last) = phones.last() else { break };
        after = Some((last.since, last.device));
        let keys: Vec<String> = phones.iter().map(|row| sync_key(row.device)).collect();
        let newest = desk::newest_of(tx, &keys).await?;
        for row in phones {
            // What was told then had waited so long; what waits since later was not told.
            let told_since = newest.get(&sync_key(row.device)).map(|told| *told - waits);
            if told_since.is_some_and(|since| since + SAME_WAIT >= row.since) {
                continue;
            }
            let unsent = Unsent { device: row.device, name: row.name, changes: row.unsent, since: row.since };
            drafts.push(unsent_work(&unsent, now));
        }
    }
    Ok(())
}

/// Messages that the desk makes; what was told before is not told again.
struct Tell {
    made: Vec<NotificationRow>,
    told: AtomicUsize,
}

impl Tell {
    fn of(made: Vec<NotificationRow>) -> Self {
        Self { made, told: AtomicUsize::new(0) }
    }
}

impl Work for Tell {
    /// How many were told.
    type Answer = usize;
    const ALONE: bool = false;

    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a> {
        Box::pin(async move {
            // Another desk may have told of a phone in this moment; its key names another second.
            let of_phones = self.made.iter().filter(|row| row.kind == Automatic::Sync.as_str());
            let keys: Vec<String> = of_phones.filter_map(|row| row.collapse_key.clone()).collect();
            let newest = desk::newest_of(tx, &keys).await?;
            let mut told = 0;
            for row in &self.made {
                let before = row.collapse_key.as_ref().and_then(|key| newest.get(key));
                if before.is_none_or(|before| *before + SAME_WAIT < outbox.now) {
                    told += usize::from(outbox.send(tx, row, Author::default()).await?);
                }
            }
            self.told.store(told, Ordering::Relaxed);
            Ok(())
        })
    }

    fn done(self) -> usize {
        self.told.into_inner()
    }
}
