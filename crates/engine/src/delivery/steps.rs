//! What is to be done about one delivery that is due. Pure: everything it depends on is an argument.
//!
//! Local first: only a phone that did not say within ten seconds that it has a message is asked for through a
//! provider. An emergency goes on until somebody confirms it, also to phones that have it.

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::notices::{Priority, Receipt};
use showdesk_store::deliveries::{Channel, DeliveryStatus, Errand};

use crate::presence::Moment;

/// A phone that has an emergency and a person who does not confirm it: from then on also through a provider.
const UNCONFIRMED_FOR: TimeDelta = TimeDelta::seconds(60);
/// A message without an end is not sent to sleeping phones so long after its way was chosen: nobody wants yesterday's
/// call. The way is chosen when the quiet hours are over.
pub(super) const KEPT_FOR: TimeDelta = TimeDelta::hours(12);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask the provider.
    Send,
    /// Ask for the phone through its providers, and look again at this time.
    Escalate(Option<DateTime<Utc>>),
    /// Look again at this time, or never.
    Wait(Option<DateTime<Utc>>),
    /// Its time is over.
    Expire(&'static str),
    /// It cannot come this way.
    Fail(&'static str),
    /// There is nothing to do, and nothing was done.
    Forget,
}

/// What is to be done about a delivery that is due now. `quiet_until` is the end of the quiet hours, if it is quiet.
pub(super) fn step(errand: &Errand, at: Moment, quiet_until: Option<DateTime<Utc>>) -> Step {
    let case = Case { errand, at, now: at.now, quiet_until };
    match errand.row.channel {
        Channel::Local => case.local(),
        Channel::Fcm | Channel::Apns | Channel::Web => case.by_provider(),
    }
}

/// When a message is of no use to a sleeping phone any more.
pub(super) fn end_of(errand: &Errand) -> DateTime<Utc> {
    errand.expires_at.unwrap_or(errand.row.created_at + KEPT_FOR)
}

struct Case<'a> {
    errand: &'a Errand,
    at: Moment,
    now: DateTime<Utc>,
    quiet_until: Option<DateTime<Utc>>,
}

impl Case<'_> {
    fn local(&self) -> Step {
        let Errand { row, expires_at, .. } = self.errand;
        let waits = row.status == DeliveryStatus::Waiting;
        let stop = |step| if waits { step } else { Step::Wait(None) };
        if self.errand.retracted_at.is_some() {
            return stop(Step::Expire("retracted"));
        }
        if !self.has_phone() {
            return stop(Step::Fail("removed"));
        }
        if expires_at.is_some_and(|at| at <= self.now) {
            return stop(Step::Expire("expired"));
        }
        let next = if waits { *expires_at } else { None };
        // A newer one is in the phone's own stream, too, and comes after it there.
        let is_told = !waits && !self.is_reminder() && !self.goes_on();
        if self.is_settled() || self.errand.is_superseded || is_told {
            return Step::Wait(next);
        }
        if let Some(until) = self.quiet_until.filter(|_| !self.is_urgent()) {
            return Step::Wait(Some(expires_at.map_or(until, |at| until.min(at))));
        }
        let nags_from = self.errand.released_at.unwrap_or(row.created_at) + UNCONFIRMED_FOR;
        if !waits && !self.is_reminder() && self.now < nags_from {
            return Step::Wait(Some(nags_from));
        }
        Step::Escalate(next)
    }

    fn by_provider(&self) -> Step {
        let row = &self.errand.row;
        let was_taken = row.status == DeliveryStatus::Accepted;
        let stop = |step| if was_taken { Step::Wait(None) } else { step };
        if self.errand.retracted_at.is_some() {
            return stop(Step::Expire("retracted"));
        }
        if !self.has_phone() {
            return stop(Step::Fail("removed"));
        }
        if end_of(self.errand) <= self.now {
            return stop(Step::Expire("expired"));
        }
        if self.errand.is_superseded {
            return stop(Step::Expire("superseded"));
        }
        let came_home = self.errand.local_status.is_some_and(DeliveryStatus::is_on_phone);
        if self.is_settled() || !was_taken && came_home && !self.is_reminder() && !self.goes_on() {
            // Of a provider that was asked before nobody knows whether it took the message.
            return stop(if row.attempts == 0 { Step::Forget } else { Step::Expire("not_needed") });
        }
        match self.quiet_until.filter(|_| !self.is_urgent()) {
            Some(until) => Step::Wait(Some(until.min(end_of(self.errand)))),
            None => Step::Send,
        }
    }

    /// Whether the phone is still the person's, and in the show.
    fn has_phone(&self) -> bool {
        self.errand.device_person == Some(self.errand.row.person)
            && self.errand.device_revoked_at.is_none()
            && self.at.is_within(self.errand.device_expires_at)
    }

    fn is_urgent(&self) -> bool {
        self.errand.priority == Priority::Urgent
    }

    /// Whether the person did what was wanted, on any phone.
    fn is_settled(&self) -> bool {
        match self.errand.state {
            Receipt::Confirmed => true,
            Receipt::Seen => !self.errand.needs_ack,
            Receipt::Waiting | Receipt::Delivered => false,
        }
    }

    /// Whether it is told again until somebody confirms it.
    fn goes_on(&self) -> bool {
        self.is_urgent() && self.errand.needs_ack
    }

    /// Whether it is due because somebody reminded the person.
    fn is_reminder(&self) -> bool {
        let due = self.errand.row.next_attempt_at;
        self.errand.reminded_at.is_some_and(|reminded| due.is_some_and(|due| due >= reminded))
    }
}

#[cfg(test)]
mod tests;
