//! The ways that can fail: to the phones of admins by an ordinary message, and to the webhook.
//!
//! What has to go out stands in its row until it is taken or given up, so a restart forgets nothing. A desk that dies
//! between sending and noting sends once more: a message to phones is made once by its key, and a webhook is told the
//! event's id.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use serde_json::{Value as Json, json};
use showdesk_domain::ids::RecordId;
use showdesk_domain::schema::known_table;
use showdesk_push::webhook::{Fault, Sent, Webhook, WebhookSender};
use showdesk_push::{Network, Reach};
use showdesk_store::records;
use showdesk_store::telemetry::alerts::{self, EventRow, Outgoing, Ready};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use uuid::Uuid;

use super::said::PUSHED;
use super::settings::{self, WEBHOOK_SECRET};
use crate::api::alerts::{AlertTrial, AlertWebhookTried};
use crate::notifications::StaffNews;
use crate::{Engine, EngineError, Result};

/// How often it is looked at what is due, if nothing was said meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Events that are taken up at once.
const TAKEN_MAX: i64 = 32;
/// Requests to the webhook at once.
const AT_ONCE: usize = 4;
/// How long an event is this desk's: twice as long as a push and a webhook may take, with all that is waited for around
/// them.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// When what failed within this laptop is taken up again.
const GIVEN_BACK_FOR: TimeDelta = TimeDelta::seconds(15);
/// Pauses before the next tries; the last one again and again, until it is no news any more.
const PAUSES: [TimeDelta; 5] = [
    TimeDelta::seconds(1),
    TimeDelta::seconds(15),
    TimeDelta::minutes(2),
    TimeDelta::minutes(10),
    TimeDelta::minutes(30),
];

/// Where nobody is reached the page is not worn out by trying.
const UNREACHED_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// What could not go out for so long is no news any more: the laptop was off, or had no way out.
const NEWS_FOR: TimeDelta = TimeDelta::hours(6);

/// What became of one try.
enum Tried {
    Sent,
    Later(String),
    /// Nobody was reached: the laptop may be offline.
    Unreached(String),
    Never(String),
    /// The key to the address is not on this laptop: no try at all.
    NotHere,
}

impl Engine {
    /// Carries out what is said, from now on.
    pub(super) fn carry_alerts_out_regularly(&self) -> AbortHandle {
        let inner = Arc::downgrade(&self.inner);
        let goes_out = Arc::clone(&self.inner.alerts.goes_out);
        let carrying = tokio::spawn(async move {
            loop {
                // Missing a call is fine: looking costs little.
                let _ = timeout(LOOK_EVERY, goes_out.notified()).await;
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                match engine.carry_alerts_out().await {
                    Ok(_) | Err(EngineError::RecordingOff) => {}
                    Err(error) => tracing::warn!(%error, "alerts could not be passed on"),
                }
            }
        });
        carrying.abort_handle()
    }

    /// Carries out what is due once; answers how many events it took up.
    pub(crate) async fn carry_alerts_out(&self) -> Result<usize> {
        let mut ready = Ready { webhook: true, over_before: self.now() - NEWS_FOR };
        let mut due = self.due_alerts(ready).await?;
        if due.iter().any(|event| event.webhook == Some(Outgoing::Waiting)) && !self.may_open_webhook().await {
            // They are left to a desk that has the key, and take no place here.
            ready.webhook = false;
            due = self.due_alerts(ready).await?;
        }
        let carried = stream::iter(due).map(|event| self.claim_and_pass_on(event.id, ready)).buffer_unordered(AT_ONCE);
        let carried: Vec<Result<bool>> = carried.collect().await;
        // One that failed is taken up again.
        let carried: Vec<bool> = carried.into_iter().collect::<Result<_>>()?;
        Ok(carried.into_iter().filter(|was_ours| *was_ours).count())
    }

    async fn due_alerts(&self, ready: Ready) -> Result<Vec<EventRow>> {
        let mut tx = self.begin_read_telemetry().await?;
        let now = tx.shared_clock(self.now()).await?;
        Ok(alerts::due_events(&mut tx, now, ready, TAKEN_MAX).await?)
    }

    /// Claims an event right before it is carried out, so that its lease never has to last for others'; false if
    /// somebody else has it. Leases go by the clock of all who share the database.
    async fn claim_and_pass_on(&self, id: Uuid, ready: Ready) -> Result<bool> {
        let mut tx = self.begin_write_telemetry().await?;
        let now = tx.shared_clock(self.now()).await?;
        let claimed = alerts::claim_event(&mut tx, id, now, now + LEASE).await?;
        tx.commit().await.map_err(EngineError::from)?;
        let Some(event) = claimed else { return Ok(false) };
        let as_claimed = event.clone();
        let passed = self.pass_on(event, ready).await;
        if passed.is_err() {
            // If that fails, too, its lease ends by itself.
            let _ = self.give_back(as_claimed).await;
        }
        passed.map(|()| true)
    }

    /// What could not be carried out is due again soon, and not only when its lease is over.
    async fn give_back(&self, mut event: EventRow) -> Result<()> {
        let Some(lease_until) = event.next_attempt_at else { return Ok(()) };
        let mut tx = self.begin_write_telemetry().await?;
        event.next_attempt_at = Some(tx.shared_clock(self.now()).await? + GIVEN_BACK_FOR);
        alerts::settle_event(&mut tx, &event, lease_until).await?;
        tx.commit().await.map_err(EngineError::from)
    }

    async fn pass_on(&self, mut event: EventRow, ready: Ready) -> Result<()> {
        let Some(lease_until) = event.next_attempt_at.take() else { return Ok(()) };
        if event.at < ready.over_before {
            let waiting = [&mut event.push, &mut event.webhook].into_iter().flatten();
            waiting.filter(|way| **way == Outgoing::Waiting).for_each(|way| *way = Outgoing::Failed);
        }
        if event.push == Some(Outgoing::Waiting) {
            self.tell_admins_phones(&event).await?;
            event.push = Some(Outgoing::Sent);
        }
        let (mut told, mut pause) = (None, None);
        if event.webhook == Some(Outgoing::Waiting) {
            let tried =
                if ready.webhook { self.post_to_webhook(&self.letter(&event).await?).await? } else { Tried::NotHere };
            (told, pause) = judge(&mut event, tried);
        }
        let mut tx = self.begin_write_telemetry().await?;
        let now = tx.shared_clock(self.now()).await?;
        event.next_attempt_at = pause.map(|pause| now + pause);
        // One whose lease is over is another desk's by now, and so is what became of it.
        if alerts::settle_event(&mut tx, &event, lease_until).await?
            && let Some((ok, sentence)) = told
        {
            let at = self.now();
            settings::note_tried(&mut tx, &AlertWebhookTried { at, ok, sentence }, at).await?;
        }
        tx.commit().await.map_err(EngineError::from)
    }

    /// Whether this desk can read the webhook's address, or see that there is none. Another desk may have the key.
    pub(super) async fn may_open_webhook(&self) -> bool {
        !matches!(self.secret(WEBHOOK_SECRET).await, Err(EngineError::SecretsLocked))
    }

    /// An ordinary message for those who run the show: first on the show's own network, then by a provider.
    async fn tell_admins_phones(&self, event: &EventRow) -> Result<()> {
        let open = format!("#/health/rule/{}", event.rule_id);
        let news = StaffNews {
            kind: PUSHED,
            key: &event.id.to_string(),
            // A later one of the same rule takes its place.
            collapse: &format!("alert:{}", event.rule_id),
            title: &event.headline,
            body: event.detail.as_deref(),
            outside: Some(event.outside.as_deref().unwrap_or_default()),
            open: &open,
        };
        self.tell_staff_news(news).await
    }

    /// Posts a line of test.
    pub(super) async fn try_webhook(&self) -> Result<AlertTrial> {
        let now = self.now();
        let text = "This is a test. Alerts of the show come here.";
        let letter = json!({
            "id": self.fresh_id(), "kind": "test", "headline": text, "text": text, "content": text,
            "show": self.show_name().await?, "at": instant(now),
        });
        let (ok, sentence) = match self.post_to_webhook(&letter).await? {
            Tried::Sent => (true, "The test message was taken.".to_owned()),
            Tried::Later(sentence) | Tried::Unreached(sentence) | Tried::Never(sentence) => (false, sentence),
            Tried::NotHere => (false, settings::KEY_ELSEWHERE.to_owned()),
        };
        let mut tx = self.begin_write_telemetry().await?;
        settings::note_tried(&mut tx, &AlertWebhookTried { at: now, ok, sentence: sentence.clone() }, now).await?;
        tx.commit().await.map_err(EngineError::from)?;
        Ok(AlertTrial { ok, sentence })
    }

    async fn post_to_webhook(&self, letter: &Json) -> Result<Tried> {
        let address = match self.secret(WEBHOOK_SECRET).await {
            Ok(Some(address)) => address,
            Ok(None) => return Ok(Tried::Never("No address is set any more.".to_owned())),
            Err(EngineError::SecretsLocked) => return Ok(Tried::NotHere),
            Err(error) => return Err(error),
        };
        let parsed = String::from_utf8(address).ok().and_then(|text| Webhook::parse(&text).ok());
        let Some(webhook) = parsed else { return Ok(Tried::Never("The address cannot be read.".to_owned())) };
        let Some(sender) = self.webhook_sender().await else {
            return Ok(Tried::Unreached("This laptop can make no connections just now.".to_owned()));
        };
        Ok(match sender.send(&webhook, letter).await {
            Sent::Taken => Tried::Sent,
            Sent::Later(fault @ Fault::Unreachable) => Tried::Unreached(fault.sentence()),
            Sent::Later(fault) => Tried::Later(fault.sentence()),
            Sent::Never(fault) => Tried::Never(fault.sentence()),
        })
    }

    async fn webhook_sender(&self) -> Option<Arc<WebhookSender>> {
        let mut known = self.inner.alerts.sender.lock().await;
        if known.is_none() {
            *known = WebhookSender::new(&Network::new(Reach::Public)).ok().map(Arc::new);
        }
        known.clone()
    }

    /// What the webhook is told: no name of a person or of a phone. `text` and `content` are what chat programs show.
    async fn letter(&self, event: &EventRow) -> Result<Json> {
        let line = match &event.outside {
            Some(detail) => format!("{}: {detail}", event.headline),
            None => event.headline.clone(),
        };
        let mut subjects = event.subjects.clone();
        for subject in subjects.as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
            subject.remove("name");
        }
        Ok(json!({
            "id": event.id, "rule": event.rule_id, "kind": event.kind, "severity": event.severity,
            "headline": event.headline, "detail": event.outside, "subjects": subjects,
            "show": self.show_name().await?, "at": instant(event.at), "text": line, "content": line,
        }))
    }

    async fn show_name(&self) -> Result<String> {
        let mut tx = self.begin_read_desk().await?;
        let show = records::load(&mut tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?;
        let name = show.first().and_then(|show| show.value("name").as_text().map(str::to_owned));
        Ok(name.unwrap_or_default())
    }
}

fn instant(at: DateTime<Utc>) -> String {
    showdesk_domain::value::instant_text(at)
}

/// Notes what a try came to; answers what is told of it, as it went and in a sentence, and after which pause the next
/// one is due.
fn judge(event: &mut EventRow, tried: Tried) -> (Option<(bool, String)>, Option<TimeDelta>) {
    event.attempts += i64::from(!matches!(tried, Tried::NotHere | Tried::Unreached(_)));
    let (webhook, pause, told) = match tried {
        Tried::Sent => (Outgoing::Sent, None, Some((true, "The last message was taken.".to_owned()))),
        Tried::Never(sentence) => (Outgoing::Failed, None, Some((false, sentence))),
        Tried::Later(sentence) => (Outgoing::Waiting, Some(pause_after(event.attempts)), Some((false, sentence))),
        Tried::Unreached(sentence) => (Outgoing::Waiting, Some(UNREACHED_PAUSE), Some((false, sentence))),
        // Due at once for a desk that has the key.
        Tried::NotHere => (Outgoing::Waiting, Some(TimeDelta::zero()), None),
    };
    event.webhook = Some(webhook);
    (told, pause)
}

/// How long to wait after so many tries.
fn pause_after(attempts: i64) -> TimeDelta {
    let number = usize::try_from(attempts).unwrap_or(usize::MAX).saturating_sub(1);
    PAUSES[number.min(PAUSES.len() - 1)]
}
