//! Each fact that decides about a delivery, alone and beside the others.

use proptest::prelude::*;
use showdesk_domain::ids::PersonId;
use uuid::Uuid;

use super::*;
use crate::delivery::fixtures::{self, noon};

fn after(seconds: i64) -> DateTime<Utc> {
    noon() + TimeDelta::seconds(seconds)
}

/// A message that went out at noon and is due now; `change` says what is the matter with it.
fn errand(channel: Channel, change: impl FnOnce(&mut Errand)) -> Errand {
    let mut errand = fixtures::errand(channel);
    change(&mut errand);
    errand
}

/// The step at a time that both clocks show.
fn step(errand: &Errand, now: DateTime<Utc>, quiet_until: Option<DateTime<Utc>>) -> Step {
    super::step(errand, Moment { now, steady: now }, quiet_until)
}

fn local(change: impl FnOnce(&mut Errand)) -> Step {
    step(&errand(Channel::Local, change), after(10), None)
}

fn web(change: impl FnOnce(&mut Errand)) -> Step {
    step(&errand(Channel::Web, change), after(10), None)
}

fn has_it(errand: &mut Errand) {
    errand.row.status = DeliveryStatus::Delivered;
    errand.local_status = Some(DeliveryStatus::Delivered);
    errand.state = Receipt::Delivered;
}

#[test]
fn a_phone_that_does_not_answer_is_asked_for_elsewhere() {
    assert_eq!(local(|_| ()), Step::Escalate(Some(after(3_600))));
    assert_eq!(local(|errand| errand.expires_at = None), Step::Escalate(None));
    assert_eq!(web(|_| ()), Step::Send);
}

#[test]
fn a_phone_that_has_it_is_left_alone() {
    assert_eq!(local(has_it), Step::Wait(None));
    let came_meanwhile: fn(&mut Errand) = |errand| errand.local_status = Some(DeliveryStatus::Seen);
    assert_eq!(web(came_meanwhile), Step::Forget);
    let asked_before = |errand: &mut Errand| {
        came_meanwhile(errand);
        errand.row.attempts = 1;
    };
    assert_eq!(web(asked_before), Step::Expire("not_needed"), "perhaps the provider has it");
}

#[test]
fn a_stay_ends_when_both_clocks_say_so() {
    let sunday = |errand: &mut Errand| errand.device_expires_at = Some(after(60));
    let at = |channel, now, steady| super::step(&errand(channel, sunday), Moment { now, steady }, None);
    for channel in [Channel::Local, Channel::Web] {
        assert_eq!(at(channel, after(61), after(61)), Step::Fail("removed"));
        assert_ne!(at(channel, after(61), after(10)), Step::Fail("removed"), "the clock was set");
        assert_ne!(at(channel, after(10), after(61)), Step::Fail("removed"), "it was wrong at the start");
    }
}

#[test]
fn another_phone_of_the_person_is_enough_once_it_was_looked_at() {
    let state = |state, needs_ack| {
        move |errand: &mut Errand| {
            errand.state = state;
            errand.needs_ack = needs_ack;
        }
    };
    assert_eq!(web(state(Receipt::Delivered, true)), Step::Send);
    assert_eq!(web(state(Receipt::Seen, true)), Step::Send);
    assert_eq!(web(state(Receipt::Seen, false)), Step::Forget);
    assert_eq!(web(state(Receipt::Confirmed, true)), Step::Forget);
    assert_eq!(local(state(Receipt::Confirmed, true)), Step::Wait(Some(after(3_600))));
}

#[test]
fn what_is_over_or_was_taken_back_is_not_sent() {
    let over = |errand: &mut Errand| errand.expires_at = Some(after(10));
    assert_eq!(local(over), Step::Expire("expired"));
    assert_eq!(web(over), Step::Expire("expired"));
    let taken_back = |errand: &mut Errand| errand.retracted_at = Some(after(5));
    assert_eq!(local(taken_back), Step::Expire("retracted"));
    assert_eq!(web(taken_back), Step::Expire("retracted"));
    let old = errand(Channel::Web, |errand| errand.expires_at = None);
    assert_eq!(step(&old, noon() + KEPT_FOR, None), Step::Expire("expired"));
    assert_eq!(step(&old, noon() + KEPT_FOR - TimeDelta::seconds(1), None), Step::Send);
}

#[test]
fn a_removed_phone_and_one_that_changed_hands_get_nothing() {
    let removed = |errand: &mut Errand| errand.device_revoked_at = Some(after(1));
    let late = |errand: &mut Errand| errand.device_expires_at = Some(after(9));
    let given = |errand: &mut Errand| errand.device_person = Some(PersonId(Uuid::from_u128(9)));
    let gone = |errand: &mut Errand| errand.device_person = None;
    let ways: [fn(&mut Errand); 4] = [removed, late, given, gone];
    for way in ways {
        assert_eq!(local(way), Step::Fail("removed"));
        assert_eq!(web(way), Step::Fail("removed"));
    }
}

#[test]
fn what_a_newer_message_took_the_place_of_is_not_sent_any_more() {
    let older = |errand: &mut Errand| errand.is_superseded = true;
    assert_eq!(web(older), Step::Expire("superseded"));
    let asked_before = |errand: &mut Errand| {
        older(errand);
        errand.row.attempts = 3;
    };
    assert_eq!(web(asked_before), Step::Expire("superseded"), "also after a try in vain");
    let taken = |errand: &mut Errand| {
        older(errand);
        errand.row.status = DeliveryStatus::Accepted;
    };
    assert_eq!(web(taken), Step::Wait(None), "what was taken stays taken");
    assert_eq!(local(older), Step::Wait(Some(after(3_600))), "the phone's own stream still has it");
}

#[test]
fn what_has_no_end_is_kept_from_when_its_way_was_chosen() {
    let held = |errand: &mut Errand| {
        errand.expires_at = None;
        errand.row.created_at = noon() + TimeDelta::hours(13);
    };
    let errand = errand(Channel::Web, held);
    assert_eq!(step(&errand, noon() + TimeDelta::hours(13), None), Step::Send, "it was quiet for thirteen hours");
    assert_eq!(step(&errand, noon() + TimeDelta::hours(25), None), Step::Expire("expired"));
}

#[test]
fn quiet_hours_hold_all_but_emergencies() {
    let quiet = Some(after(600));
    let held = |channel, change: fn(&mut Errand)| step(&errand(channel, change), after(10), quiet);
    assert_eq!(held(Channel::Local, |_| ()), Step::Wait(quiet));
    assert_eq!(held(Channel::Web, |_| ()), Step::Wait(quiet));
    assert_eq!(held(Channel::Web, |errand| errand.expires_at = Some(after(60))), Step::Wait(Some(after(60))));
    let urgent: fn(&mut Errand) = |errand| errand.priority = Priority::Urgent;
    assert_eq!(held(Channel::Local, urgent), Step::Escalate(Some(after(3_600))));
    assert_eq!(held(Channel::Web, urgent), Step::Send);
}

#[test]
fn an_emergency_goes_on_until_it_is_confirmed() {
    let unconfirmed = |errand: &mut Errand| {
        has_it(errand);
        errand.priority = Priority::Urgent;
    };
    assert_eq!(local(unconfirmed), Step::Wait(Some(after(60))));
    let minute = errand(Channel::Local, unconfirmed);
    assert_eq!(step(&minute, after(60), None), Step::Escalate(None));
    let taken = |errand: &mut Errand| {
        errand.priority = Priority::Urgent;
        errand.row.status = DeliveryStatus::Accepted;
    };
    assert_eq!(web(taken), Step::Send);
    let confirmed = |errand: &mut Errand| {
        taken(errand);
        errand.state = Receipt::Confirmed;
    };
    assert_eq!(web(confirmed), Step::Wait(None));
    let no_answer_wanted = |errand: &mut Errand| {
        unconfirmed(errand);
        errand.needs_ack = false;
    };
    assert_eq!(local(no_answer_wanted), Step::Wait(None));
}

#[test]
fn a_reminder_goes_out_also_where_the_message_is() {
    let reminded = |errand: &mut Errand| {
        has_it(errand);
        errand.reminded_at = Some(after(10));
    };
    assert_eq!(local(reminded), Step::Escalate(None));
    assert_eq!(
        web(|errand| {
            errand.local_status = Some(DeliveryStatus::Delivered);
            errand.reminded_at = Some(after(10));
        }),
        Step::Send
    );
    let before = |errand: &mut Errand| {
        has_it(errand);
        errand.reminded_at = Some(after(11));
    };
    assert_eq!(local(before), Step::Wait(None), "it was due before that");
}

fn any_status() -> impl Strategy<Value = DeliveryStatus> {
    prop::sample::select(vec![
        DeliveryStatus::Waiting,
        DeliveryStatus::Delivered,
        DeliveryStatus::Seen,
        DeliveryStatus::Confirmed,
        DeliveryStatus::Accepted,
    ])
}

fn any_time() -> impl Strategy<Value = Option<DateTime<Utc>>> {
    prop::option::of((-100_i64..100).prop_map(after))
}

prop_compose! {
    fn any_errand()(
        channel in prop::sample::select(vec![Channel::Local, Channel::Fcm, Channel::Apns, Channel::Web]),
        status in any_status(),
        state in prop::sample::select(vec![Receipt::Waiting, Receipt::Delivered, Receipt::Seen, Receipt::Confirmed]),
        local_status in prop::option::of(any_status()),
        priority in prop::sample::select(vec![Priority::Normal, Priority::High, Priority::Urgent]),
        needs_ack in any::<bool>(),
        times in (any_time(), any_time(), any_time(), any_time(), any_time()),
    ) -> Errand {
        errand(channel, |errand| {
            errand.row.status = status;
            errand.state = state;
            errand.local_status = local_status;
            errand.priority = priority;
            errand.needs_ack = needs_ack;
            (errand.expires_at, errand.retracted_at, errand.device_revoked_at, errand.reminded_at, _) = times;
            errand.row.next_attempt_at = times.4;
        })
    }
}

proptest! {
    /// Whatever is the matter: nothing goes out that is over, taken back, or for a phone that was removed, nothing is
    /// looked at again at once, and what a phone or a provider has is never called failed.
    #[test]
    fn no_case_sends_what_nobody_may_get(errand in any_errand(), quiet in any_time()) {
        let quiet = quiet.filter(|until| *until > noon());
        let step = step(&errand, noon(), quiet);
        let over = errand.expires_at.is_some_and(|at| at <= noon());
        if over || errand.retracted_at.is_some() || errand.device_revoked_at.is_some() {
            prop_assert!(!matches!(step, Step::Send | Step::Escalate(_)), "{step:?}");
        }
        if quiet.is_some() && errand.priority != Priority::Urgent {
            prop_assert!(!matches!(step, Step::Send | Step::Escalate(_)), "{step:?}");
        }
        if let Step::Wait(Some(at)) | Step::Escalate(Some(at)) = step {
            prop_assert!(at > noon(), "{step:?} is due at once again");
        }
        if matches!(step, Step::Expire(_) | Step::Fail(_)) {
            prop_assert!(!errand.row.status.is_on_phone() || errand.row.channel != Channel::Local);
            prop_assert!(errand.row.status != DeliveryStatus::Accepted || errand.row.channel == Channel::Local);
        }
    }
}
