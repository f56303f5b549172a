//! From a claim to what the provider answered, written down.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_push::{Outcome, Outgoing, Randomness, Target};
use showdesk_store::deliveries::claims::{self, Change};
use showdesk_store::deliveries::{self, Channel, Errand};
use showdesk_store::push_tokens::{self, TokenRow};
use showdesk_store::{Tx, push_providers};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::breaker::Permit;
use super::circuits::{Circuit, Circuits, Line};
use super::contents;
use super::providers::Ready;
use super::rulings::{Known, Ruling, TokenNews, is_suspect, rule, unchanged};
use super::steps::{Step, step};
use super::{Claimed, after_step, changed_messages, words};
use crate::ids::secret;
use crate::{Engine, Result, Wake};

/// One message has so long, with all that is tried the other way.
const SEND_TIME: Duration = Duration::from_mins(1);
/// Answers that one transaction writes down, if they come together.
const SETTLED_MAX: usize = 32;
/// Answers that could not be written down are written so much later, then twice so much, as long as the lease lasts.
const WRITE_PAUSE: Duration = Duration::from_millis(500);

/// One delivery to be sent.
pub(super) struct Parcel {
    errand: Errand,
    token: TokenRow,
    target: Target,
    circuit: Circuit,
    line: Arc<Line>,
    message: Outgoing,
    /// The end of the quiet hours, if it is quiet.
    quiet_until: Option<DateTime<Utc>>,
    /// As long as it is under way, so much less is claimed for its service.
    _in_hand: Option<OwnedSemaphorePermit>,
}

/// A delivery about which something was found out.
pub(super) struct Settled {
    errand: Errand,
    found: Finding,
}

enum Finding {
    /// A provider answered.
    Ruled(Box<Answer>),
    /// Nothing was asked.
    Left(Box<Change>),
    /// It is not needed.
    Forgotten,
    /// It is somebody else's by now.
    Lost,
}

/// What a provider's answer means.
struct Answer {
    token: TokenRow,
    circuit: Circuit,
    ruling: Ruling,
    /// Since when the service refuses our settings.
    refused_since: Option<DateTime<Utc>>,
    /// Whether it does since this answer.
    is_news: bool,
}

impl Settled {
    /// A step that asks no provider.
    fn after(errand: Errand, step: Step) -> Self {
        let found = match step {
            Step::Forget => Finding::Forgotten,
            step => Finding::Left(Box::new(after_step(&errand, step))),
        };
        Self { errand, found }
    }

    /// It is given back and tried later.
    fn not_before(errand: Errand, at: DateTime<Utc>) -> Self {
        let change = Change { next_attempt_at: Some(at), ..unchanged(&errand) };
        Self { errand, found: Finding::Left(Box::new(change)) }
    }

    fn lost(errand: Errand) -> Self {
        Self { errand, found: Finding::Lost }
    }
}

impl Engine {
    /// Sends what was claimed and writes down what became of it.
    ///
    /// Each is sent by a task of its own: while answers are written down the others go on, and none that waits to be
    /// looked at keeps a connection from the transaction that writes.
    pub(super) async fn deliver(&self, ready: &Arc<Ready>, claimed: Claimed) -> Result<()> {
        if claimed.errands.is_empty() {
            return Ok(());
        }
        let until = claimed.until;
        let (mut unwritten, parcels) = self.pack(ready, claimed).await?;
        let mut sending = JoinSet::new();
        for parcel in parcels {
            let (engine, ready) = (self.clone(), Arc::clone(ready));
            sending.spawn(async move { engine.send(&ready, parcel, until).await });
        }
        self.write_answers(ready, &mut unwritten).await;
        while let Some(first) = sending.join_next().await {
            // What a provider took and nobody writes down goes out twice: an answer is kept until it is written.
            let more = std::iter::from_fn(|| sending.try_join_next()).take(SETTLED_MAX - 1);
            unwritten.extend(std::iter::once(first).chain(more).flatten());
            self.write_answers(ready, &mut unwritten).await;
        }
        let mut pause = WRITE_PAUSE;
        while !unwritten.is_empty() && self.steady() < until {
            sleep(pause).await;
            pause *= 2;
            self.write_one_by_one(ready, &mut unwritten).await;
        }
        Ok(())
    }

    /// Looks once more at what was claimed: the phone may have the message by now.
    pub(super) async fn pack(&self, ready: &Ready, mut claimed: Claimed) -> Result<(Vec<Settled>, Vec<Parcel>)> {
        let quiet_until = self.quiet_until().await?;
        let mut tx = self.begin_read_work().await?;
        let targets: Vec<Uuid> = claimed.errands.iter().map(|errand| errand.row.target).collect();
        let tokens = push_tokens::load(&mut tx, &targets).await?;
        let tokens: HashMap<Uuid, TokenRow> = tokens.into_iter().map(|token| (token.id, token)).collect();
        let mut contents = contents::load(&mut tx, &claimed.errands).await?;
        drop(tx);
        let (mut settled, mut parcels) = (Vec::new(), Vec::new());
        for errand in claimed.errands {
            // Several messages may go to one address.
            let token = tokens.get(&errand.row.target).cloned();
            let step = self.step_of(&errand, token.as_ref(), quiet_until);
            match (step, token, contents.remove(&errand.row.id)) {
                (Step::Send, Some(token), Some(message)) => match ready.target(&token) {
                    Ok(target) => {
                        let circuit = ready.circuit(&token);
                        let line = self.inner.delivery.circuits.line(&circuit, ready.since(circuit.channel()));
                        parcels.push(Parcel {
                            errand,
                            token,
                            target,
                            circuit,
                            line,
                            message,
                            quiet_until,
                            _in_hand: claimed.in_hand.pop(),
                        });
                    }
                    Err(word) => settled.push(Settled::after(errand, Step::Fail(word))),
                },
                (step, ..) => settled.push(Settled::after(errand, step)),
            }
        }
        Ok((settled, parcels))
    }

    /// What is to be done now about a delivery to this address.
    fn step_of(&self, errand: &Errand, token: Option<&TokenRow>, quiet_until: Option<DateTime<Utc>>) -> Step {
        // An address that another phone told since is none of this one's any more.
        let has_address =
            token.is_some_and(|token| token.disabled_at.is_none() && Some(token.device) == errand.row.device);
        match step(errand, self.moment(), quiet_until) {
            Step::Send if !has_address => Step::Fail("no_address"),
            step => step,
        }
    }

    /// The same for one that waited for its turn, and the address as it is now: it may have been taken back meanwhile,
    /// its phone removed, or its page may have new keys. None if it is no longer ours.
    async fn step_now(
        &self,
        errand: &Errand,
        quiet_until: Option<DateTime<Utc>>,
    ) -> Result<Option<(Step, Option<TokenRow>)>> {
        let mut tx = self.begin_read_work().await?;
        let found = deliveries::load(&mut tx, &[errand.row.id]).await?;
        let token = push_tokens::load(&mut tx, &[errand.row.target]).await?.into_iter().next();
        drop(tx);
        let own = found.into_iter().next().filter(|found| found.row.lease_until == errand.row.lease_until);
        Ok(own.map(|found| (self.step_of(&found, token.as_ref(), quiet_until), token)))
    }

    /// Sends one message, if its provider may be asked now and the lease is long enough for the answer.
    pub(super) async fn send(&self, ready: &Ready, parcel: Parcel, until: DateTime<Utc>) -> Settled {
        let Parcel { errand, mut token, mut target, circuit, line, message, quiet_until, _in_hand } = parcel;
        // Nobody closes it.
        let _place = line.places.acquire().await;
        let now = self.now();
        match self.step_now(&errand, quiet_until).await {
            Ok(Some((Step::Send, Some(present)))) if present == token => {}
            Ok(Some((Step::Send, Some(present)))) => match ready.target(&present) {
                Ok(fresh) if ready.circuit(&present) == circuit => (token, target) = (present, fresh),
                // Another service is asked for it now.
                Ok(_) => return Settled::not_before(errand, now),
                Err(word) => return Settled::after(errand, Step::Fail(word)),
            },
            Ok(Some((step, _))) => return Settled::after(errand, step),
            Ok(None) => return Settled::lost(errand),
            Err(error) => {
                tracing::warn!(%error, "a message could not be looked at before it is sent");
                return Settled::not_before(errand, now);
            }
        }
        let too_late = self.steady() + TimeDelta::from_std(SEND_TIME).unwrap_or_default() > until;
        // By settings that are others now nothing is sent any more.
        let is_present = self.inner.delivery.circuits.is_present(&circuit, &line);
        let permit = if too_late || !is_present { Permit::NotBefore(now) } else { line.permit(now) };
        let turn = match permit {
            Permit::Go(turn) => turn,
            Permit::NotBefore(at) => return Settled::not_before(errand, at),
        };
        let sending = ready.senders.send(now, Randomness::new(secret()), &target, &message);
        let outcome = timeout(SEND_TIME, sending).await.unwrap_or_else(|_| Outcome::timed_out());
        let (left_at, now) = (now, self.now());
        let dice = u32::from_be_bytes(secret());
        let suspects = if is_suspect(&outcome) { line.suspect(token.id) } else { 0 };
        let known = Known {
            since: ready.since(circuit.channel()),
            proven: ready.is_proven(&circuit),
            others_taken: line.others_taken(token.id, now),
            suspects,
        };
        let ruling = rule(&errand, &token, &outcome, known, now, dice);
        let is_news = line.hear(turn, ruling.heard, now, dice);
        if let TokenNews::Works(_) = ruling.token {
            line.taken(token.id, left_at);
        }
        if let Outcome::Drop { code } = &outcome {
            tracing::error!(provider = circuit.service(), %code, "a message was refused; that is ours to mend");
        }
        let refused_since = line.refused_since();
        Settled { errand, found: Finding::Ruled(Box::new(Answer { token, circuit, ruling, refused_since, is_news })) }
    }

    /// Writes down what was found out, in one transaction. What could not be written stays.
    async fn write_answers(&self, ready: &Ready, unwritten: &mut Vec<Settled>) {
        if unwritten.is_empty() {
            return;
        }
        match self.try_to_write(ready, unwritten).await {
            Ok(()) => unwritten.clear(),
            Err(error) => tracing::warn!(%error, "what became of messages could not be written down yet"),
        }
    }

    /// The same in a transaction each: one that cannot be written keeps no other.
    async fn write_one_by_one(&self, ready: &Ready, unwritten: &mut Vec<Settled>) {
        for settled in std::mem::take(unwritten) {
            let mut one = vec![settled];
            self.write_answers(ready, &mut one).await;
            unwritten.append(&mut one);
        }
    }

    async fn try_to_write(&self, ready: &Ready, settled: &[Settled]) -> Result<()> {
        let now = self.now();
        let mut tx = self.begin_write_work().await?;
        let written = write_down(&mut tx, ready, &self.inner.delivery.circuits, settled, now).await?;
        let errands: Vec<Errand> = settled.iter().map(|one| one.errand.clone()).collect();
        deliveries::roll_up(&mut tx, &changed_messages(&errands, &written.changes), now).await?;
        let mut wakes = vec![Wake::Messages];
        if !written.troubles.is_empty() || !written.mended.is_empty() {
            wakes.push(Wake::Providers);
        }
        self.commit_work(tx, wakes).await?;
        self.count_results(&errands, &written.changes);
        written.mended.iter().for_each(|channel| ready.note_trouble(*channel, false));
        written.troubles.iter().for_each(|trouble| ready.note_trouble(trouble.circuit.channel(), true));
        for trouble in written.troubles {
            let (provider, code) = (trouble.circuit.service(), &trouble.code);
            tracing::error!(provider, %code, "nothing goes out by a push provider until it is mended");
            // It is written down already, and the desk's page shows it.
            if let Err(error) = self.tell_of_trouble(&trouble).await {
                tracing::warn!(%error, "nobody could be told that nothing goes out by a push provider");
            }
        }
        Ok(())
    }

    /// Those who run the show hear that nothing goes out by a provider: once, until it works again.
    async fn tell_of_trouble(&self, trouble: &Trouble) -> Result<()> {
        let Trouble { circuit, code, since } = trouble;
        let channel = circuit.channel();
        let title = format!("Messages do not go out through {}", words::name_of(channel));
        let key = format!("{}:{code}:{}", circuit.service(), since.timestamp());
        let body = words::of_provider(channel, code);
        self.tell_staff("provider", &key, &title, Some(&body), "#/settings/messages").await
    }
}

/// Nothing goes out by a service, because it refuses our settings.
pub(super) struct Trouble {
    circuit: Circuit,
    code: String,
    since: DateTime<Utc>,
}

/// What a transaction wrote down.
pub(super) struct Written {
    pub(super) changes: Vec<Change>,
    /// Providers by which nothing goes out, if that is news.
    troubles: Vec<Trouble>,
    /// Those that work again.
    mended: Vec<Channel>,
}

pub(super) async fn write_down(
    tx: &mut Tx,
    ready: &Ready,
    circuits: &Circuits,
    settled: &[Settled],
    now: DateTime<Utc>,
) -> showdesk_store::Result<Written> {
    let mut written = Written { changes: Vec::new(), troubles: Vec::new(), mended: Vec::new() };
    for one in settled {
        let answer = match &one.found {
            Finding::Ruled(answer) => answer,
            Finding::Left(change) => {
                written.changes.push((**change).clone());
                continue;
            }
            Finding::Forgotten => {
                if let Some(lease_until) = one.errand.row.lease_until {
                    claims::forget(tx, &[one.errand.row.id], lease_until).await?;
                }
                continue;
            }
            Finding::Lost => continue,
        };
        let Answer { token, circuit, ruling, refused_since, is_news } = &**answer;
        let mut change = ruling.change.clone();
        write_token(tx, token, &ruling.token, now).await?;
        let channel = circuit.channel();
        let since = ready.since(channel);
        if let TokenNews::Works(_) = ruling.token {
            if let Some(accepted) = ready.note_accepted(circuit, now) {
                push_providers::note_accepted(tx, channel, since, &accepted).await?;
            }
            // What one service takes says nothing of another that refuses our settings.
            let is_mended = ready.is_troubled(channel) && !circuits.is_another_refused(circuit, since, now);
            if is_mended && push_providers::note_problem(tx, channel, since, None, now).await? {
                written.mended.push(channel);
            }
        }
        if let Some(problem) = &ruling.problem {
            // Another service of this way may have been refused for the same reason: that was told, this was not.
            if push_providers::note_problem(tx, channel, since, Some(problem), now).await? || *is_news {
                let (circuit, code, since) = (circuit.clone(), problem.clone(), refused_since.unwrap_or(now));
                written.troubles.push(Trouble { circuit, code, since });
            }
            // What former settings did not get through goes by the present ones at once.
            let present = push_providers::all(tx).await?.into_iter().find(|row| row.provider == channel);
            if present.is_some_and(|row| row.updated_at != since) {
                change.next_attempt_at = Some(now);
            }
        }
        written.changes.push(change);
    }
    claims::settle(tx, &written.changes, now).await?;
    Ok(written)
}

async fn write_token(
    tx: &mut Tx,
    token: &TokenRow,
    news: &TokenNews,
    now: DateTime<Utc>,
) -> showdesk_store::Result<()> {
    match news {
        TokenNews::None => Ok(()),
        TokenNews::Works(environment) => push_tokens::used(tx, token.id, *environment, now).await,
        TokenNews::Struck(times) => push_tokens::strike(tx, token, times).await,
        TokenNews::Dead { code, registered_until } => {
            if push_tokens::disable(tx, token.id, code, *registered_until, now).await? {
                tracing::info!(token = %token.id, %code, "an address of a phone leads nowhere any more");
            }
            Ok(())
        }
    }
}
