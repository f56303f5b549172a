//! What a provider's answer means for a delivery and for the phone's address. Pure.
//!
//! An address is disabled only by what cannot be our own fault: a provider's word that the phone is gone, or refusals
//! of this one address while the same provider takes messages for others under the present settings.

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::notices::Priority;
use showdesk_push::apns::Environment;
use showdesk_push::{Outcome, Wait};
use showdesk_store::deliveries::claims::Change;
use showdesk_store::deliveries::{Channel, DeliveryStatus, Errand};
use showdesk_store::push_tokens::TokenRow;

use super::backoff::{part_of, pause};
use super::breaker::{Heard, SETTINGS_PAUSE};
use super::steps::end_of;
use super::words;

/// Refusals that disable an address.
const STRIKES_MAX: usize = 3;
/// Within so long.
const STRIKES_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Refusals closer together than this are one: many messages may be on their way at once.
const STRIKES_APART: TimeDelta = TimeDelta::minutes(1);
/// An address that was refused is left alone at least so long, and up to twice as long.
const REFUSED_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// So many addresses refused and none taken under the present settings: then it is the settings.
const SUSPECTS_MAX: usize = 3;
/// While nothing is reached the next look is at least so far away, and up to fifteen times as far.
const UNREACHED_PAUSE: TimeDelta = TimeDelta::seconds(2);
/// An emergency that a provider took is sent again after so long, until somebody confirms it.
const NAG_EVERY: TimeDelta = TimeDelta::minutes(2);
/// So often; who has not heard it within the hour is called less often, and all the same until it is confirmed.
const NAGS_QUICK: i64 = 30;
/// Then after so long.
const NAG_LATER: TimeDelta = TimeDelta::minutes(10);

/// What is known about the provider's present settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// When they were entered.
    pub(super) since: DateTime<Utc>,
    /// Whether anything was taken under them.
    pub(super) proven: bool,
    /// When the last message left that was taken for another address; none if this desk saw none since it was started.
    pub(super) others_taken: Option<DateTime<Utc>>,
    /// How many addresses were refused since anything was taken, this one included.
    pub(super) suspects: usize,
}

/// What is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ruling {
    /// About the delivery.
    pub(super) change: Change,
    /// About the address.
    pub(super) token: TokenNews,
    /// About the provider.
    pub(super) heard: Heard,
    /// Why nothing goes out by this provider.
    pub(super) problem: Option<String>,
}

/// What an answer says about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenNews {
    /// Nothing.
    None,
    /// It works, perhaps in another environment than we thought.
    Works(Option<&'static str>),
    /// It was refused at these times.
    Struck(Vec<DateTime<Utc>>),
    /// It leads nowhere, unless the phone told it again after `registered_until`.
    Dead { code: String, registered_until: DateTime<Utc> },
}

/// Whether an answer may be the fault of our settings although it is about one address.
pub(super) fn is_suspect(outcome: &Outcome) -> bool {
    match outcome {
        // The project of another app, the bundle id of another app.
        Outcome::Dead { code, .. } => matches!(code.as_str(), "SENDER_ID_MISMATCH" | "DeviceTokenNotForTopic"),
        Outcome::Strike { .. } => true,
        _ => false,
    }
}

/// Decides what one answer means.
pub(super) fn rule(
    errand: &Errand,
    token: &TokenRow,
    outcome: &Outcome,
    known: Known,
    now: DateTime<Utc>,
    dice: u32,
) -> Ruling {
    let case = Case { errand, token, known, now, dice };
    match outcome {
        Outcome::Accepted { provider_message_id } => case.taken(provider_message_id.clone(), None),
        Outcome::OtherEnvironment { environment, provider_message_id } => {
            case.taken(provider_message_id.clone(), Some(name_of(*environment)))
        }
        Outcome::Retry { code, after, wait, reached } => {
            let wish = after.and_then(|after| TimeDelta::from_std(after).ok());
            case.later(code.as_str(), wish, *wait, *reached)
        }
        Outcome::Drop { code } => case.failed(code.as_str(), TokenNews::None),
        Outcome::Dead { code, since } => case.dead(code.as_str(), *since, is_suspect(outcome)),
        Outcome::Strike { code } => case.struck(code.as_str()),
        Outcome::Config { code } if case.is_of_pages(code.as_str()) => case.many_refused(code.as_str()),
        Outcome::Config { code } => case.refused(code.as_str(), TokenNews::None),
    }
}

/// The word of the table for one of Apple's two worlds.
pub(super) fn name_of(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "production",
        Environment::Sandbox => "sandbox",
    }
}

struct Case<'a> {
    errand: &'a Errand,
    token: &'a TokenRow,
    known: Known,
    now: DateTime<Utc>,
    dice: u32,
}

impl Case<'_> {
    fn taken(&self, provider_message_id: Option<String>, environment: Option<&'static str>) -> Ruling {
        let row = &self.errand.row;
        let again = row.status == DeliveryStatus::Accepted;
        let repeats = row.repeats + i64::from(again);
        let goes_on = self.errand.priority == Priority::Urgent && self.errand.needs_ack;
        let next = self.now + if repeats < NAGS_QUICK { NAG_EVERY } else { NAG_LATER };
        let change = Change {
            status: DeliveryStatus::Accepted,
            attempts: row.attempts + 1,
            repeats,
            next_attempt_at: (goes_on && next < end_of(self.errand)).then_some(next),
            provider_message_id,
            error_code: None,
            reason: None,
            accepted_at: Some(self.now),
            ..self.unchanged()
        };
        Ruling { change, token: TokenNews::Works(environment), heard: Heard::Answer, problem: None }
    }

    fn later(&self, code: &str, wish: Option<TimeDelta>, wait: Wait, reached: bool) -> Ruling {
        let row = &self.errand.row;
        let attempts = row.attempts + i64::from(reached);
        let own = if reached {
            pause(row.attempts, self.dice)
        } else {
            UNREACHED_PAUSE + part_of(UNREACHED_PAUSE * 14, self.dice)
        };
        let change = Change {
            attempts,
            next_attempt_at: Some(self.by_its_end(self.now + wish.map_or(own, |wish| wish.max(own)))),
            ..self.with_word(code)
        };
        let heard = match (reached, wait) {
            (false, _) => Heard::Silence,
            (true, Wait::Provider) => Heard::Busy(wish),
            // A push service has no words for its own trouble but numbers.
            (true, Wait::Target) if row.channel == Channel::Web && !code.starts_with("status 4") => Heard::Busy(None),
            (true, Wait::Target) => Heard::Answer,
        };
        Ruling { change, token: TokenNews::None, heard, problem: None }
    }

    fn failed(&self, code: &str, token: TokenNews) -> Ruling {
        let was_taken = self.errand.row.status == DeliveryStatus::Accepted;
        let status = if was_taken { DeliveryStatus::Accepted } else { DeliveryStatus::Failed };
        let attempts = self.errand.row.attempts + 1;
        let change = Change { status, attempts, next_attempt_at: None, ..self.with_word(code) };
        Ruling { change, token, heard: Heard::Answer, problem: None }
    }

    fn dead(&self, code: &str, since: Option<DateTime<Utc>>, is_suspect: bool) -> Ruling {
        if since.is_some_and(|since| self.token.registered_at > since) {
            return self.later(code, None, Wait::Target, true);
        }
        if is_suspect && !self.known.proven {
            return self.doubted(code, TokenNews::None);
        }
        let registered_until = since.unwrap_or(self.token.registered_at);
        self.failed(code, TokenNews::Dead { code: code.to_owned(), registered_until })
    }

    /// The times at which the address was refused, with now.
    fn strikes(&self) -> Vec<DateTime<Utc>> {
        let counts = |at: &DateTime<Utc>| *at > self.now - STRIKES_WITHIN && *at >= self.known.since && *at <= self.now;
        let mut times: Vec<DateTime<Utc>> = self.token.strike_times.iter().copied().filter(counts).collect();
        if times.last().is_none_or(|last| self.now - *last >= STRIKES_APART) {
            times.push(self.now);
        }
        times
    }

    fn struck(&self, code: &str) -> Ruling {
        let times = self.strikes();
        if times.len() >= STRIKES_MAX && self.known.proven {
            let registered_until = self.token.registered_at;
            return self.failed(code, TokenNews::Dead { code: code.to_owned(), registered_until });
        }
        let news = newest_of(times);
        if self.known.proven { self.tried_later(code, news) } else { self.doubted(code, news) }
    }

    /// Whether it is pages that were refused, many of them: one by one that is no word about our settings.
    fn is_of_pages(&self, code: &str) -> bool {
        self.errand.row.channel == Channel::Web && code.starts_with("status 4")
    }

    /// Many pages of one service are refused in a row. Where it takes those of others meanwhile, the ones that it never
    /// took anything for are of another key. One for which it did says that it is the service, or we.
    fn many_refused(&self, code: &str) -> Ruling {
        if self.token.last_used.is_some_and(|at| at >= self.known.since) {
            return self.refused(code, TokenNews::None);
        }
        let times = self.strikes();
        let began = times.first().copied().unwrap_or(self.now);
        let is_taken_from = |from| self.known.others_taken.is_some_and(|at| at > from);
        // What left together with the first refused one makes it likely; only what left after it proves it.
        let is_likely = self.known.proven && is_taken_from(began - STRIKES_APART);
        if is_likely && (times.len() < STRIKES_MAX || is_taken_from(began)) {
            return self.struck(code);
        }
        // It may be we: only that it began is held against the page.
        let before = times.iter().copied().filter(|at| *at < self.now).collect::<Vec<_>>();
        self.refused(code, newest_of(if before.is_empty() { vec![self.now] } else { before }))
    }

    /// The provider never took anything under these settings: perhaps it is they.
    fn doubted(&self, code: &str, token: TokenNews) -> Ruling {
        if self.known.suspects >= SUSPECTS_MAX { self.refused(code, token) } else { self.tried_later(code, token) }
    }

    fn tried_later(&self, code: &str, token: TokenNews) -> Ruling {
        let next = self.now + REFUSED_PAUSE + part_of(REFUSED_PAUSE, self.dice);
        let attempts = self.errand.row.attempts + 1;
        let change = Change { attempts, next_attempt_at: Some(self.by_its_end(next)), ..self.with_word(code) };
        Ruling { change, token, heard: Heard::Answer, problem: None }
    }

    /// The message is kept as it is: it goes out once the settings are right. It goes to the end of the queue, so that
    /// another may try next: perhaps they are wrong for this one only.
    fn refused(&self, code: &str, token: TokenNews) -> Ruling {
        let next = self.by_its_end(self.now + SETTINGS_PAUSE);
        Ruling {
            change: Change { next_attempt_at: Some(next), ..self.with_word(code) },
            token,
            heard: Heard::Refusal,
            problem: Some(code.to_owned()),
        }
    }

    fn by_its_end(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at.min(end_of(self.errand).max(self.now))
    }

    fn with_word(&self, code: &str) -> Change {
        let reason = words::of_delivery(self.errand.row.channel, code);
        Change { error_code: Some(code.to_owned()), reason: Some(reason), ..self.unchanged() }
    }

    fn unchanged(&self) -> Change {
        unchanged(self.errand)
    }
}

/// As many as count.
fn newest_of(mut times: Vec<DateTime<Utc>>) -> TokenNews {
    let newest = times.len().saturating_sub(STRIKES_MAX);
    TokenNews::Struck(times.split_off(newest))
}

/// The delivery as it stands, given back.
pub(super) fn unchanged(errand: &Errand) -> Change {
    let row = &errand.row;
    Change {
        id: row.id,
        lease_until: row.lease_until,
        status: row.status,
        attempts: row.attempts,
        repeats: row.repeats,
        next_attempt_at: row.next_attempt_at,
        provider_message_id: None,
        error_code: row.error_code.clone(),
        reason: row.reason.clone(),
        accepted_at: None,
    }
}

#[cfg(test)]
mod tests;
