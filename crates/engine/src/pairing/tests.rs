//! What the two clocks mean for codes and stays: the machine's may be wrong when the program starts, or be set.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::actor::{Function, Scope};
use tempfile::TempDir;

use super::*;
use crate::api::devices::{DeviceChange, Stay};
use crate::api::pairing::{Approve, NewPairing, PairingCode, PairingMode};
use crate::{Clock, Options};

/// Both clocks, as a case sets them.
struct TwoClocks(Mutex<(DateTime<Utc>, DateTime<Utc>)>);

impl TwoClocks {
    fn at(moment: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self(Mutex::new((moment, moment))))
    }

    fn read(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody sets the machine's clock.
    fn set_by(&self, by: TimeDelta) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 += by;
    }

    /// Time passes.
    fn pass(&self, by: TimeDelta) {
        let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.0 += by;
        clocks.1 += by;
    }
}

impl Clock for TwoClocks {
    fn now(&self) -> DateTime<Utc> {
        self.read().0
    }

    fn steady(&self) -> DateTime<Utc> {
        self.read().1
    }
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

async fn opened() -> (TempDir, Arc<TwoClocks>, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = TwoClocks::at("2026-08-05T12:00:00Z".parse().expect("a moment"));
    let options = Options { clock: Arc::clone(&clock) as _, ..Options::new(folder.path()) };
    let engine = Engine::open(options).await.expect("a new show");
    (folder, clock, engine)
}

async fn new_code(engine: &Engine) -> PairingCode {
    let desk = engine.desk_actor().await.expect("the desk's own actor");
    let request = NewPairing {
        functions: vec![Function::Scale],
        scope: Scope::default(),
        mode: PairingMode::Single,
        expires_in_s: None,
        device_expires_at: None,
    };
    engine.open_pairing(&desk, request).await.expect("a code")
}

/// A phone that was let in; answers its pass.
async fn join(engine: &Engine) -> (String, Uuid) {
    let desk = engine.desk_actor().await.expect("the desk's own actor");
    let claim = Claim {
        code: new_code(engine).await.code,
        device_name: "Scale 1".to_owned(),
        platform: None,
        previous_token: None,
    };
    let claimed = engine.claim_pairing(claim, HERE).await.expect("the code is good");
    let waiting = engine.waiting_pairings(&desk).await.expect("the desk looks");
    engine.approve_pairing(&desk, waiting.items[0].pairing_id, Approve::default()).await.expect("it is allowed");
    let status = engine.pairing_status(claimed.pairing_id).await.expect("it asks in time");
    (status.token.expect("a pass"), status.device_id.expect("a device"))
}

#[tokio::test]
async fn a_fresh_code_is_fresh_by_the_clock_of_the_page() {
    let (_folder, clock, engine) = opened().await;
    for set_by in [TimeDelta::zero(), TimeDelta::hours(9), TimeDelta::days(-400)] {
        clock.set_by(set_by);
        let code = new_code(&engine).await;
        assert_eq!(code.code_expires_at, clock.now() + TimeDelta::seconds(600));
        assert_eq!(code.typed.typed_code_expires_at, clock.now() + TimeDelta::seconds(120));
        let desk = engine.desk_actor().await.expect("the desk's own actor");
        let listed = engine.open_pairings(&desk).await.expect("the desk looks");
        let item = listed.items.iter().find(|item| item.pairing_id == code.pairing_id).expect("it is open");
        assert_eq!(item.code_expires_at, code.code_expires_at);
        let typed = engine.renew_typed_code(&desk, code.pairing_id).await.expect("it is open");
        assert_eq!(typed.typed_code_expires_at, clock.now() + TimeDelta::seconds(120));
    }
    clock.pass(TimeDelta::seconds(601));
    let desk = engine.desk_actor().await.expect("the desk's own actor");
    assert!(engine.open_pairings(&desk).await.expect("the desk looks").items.is_empty());
    engine.close().await;
}

/// Whose stay ends is refused when that day has come; a clock that is set, or was wrong, locks nobody out before.
#[tokio::test]
async fn a_stay_ends_when_both_clocks_say_so() {
    let (_folder, clock, engine) = opened().await;
    let (pass, device) = join(&engine).await;
    let desk = engine.desk_actor().await.expect("the desk's own actor");
    let ends = clock.now() + TimeDelta::hours(2);
    let change = DeviceChange { expires_at: Some(Stay::Until(ends.to_rfc3339())), ..DeviceChange::default() };
    engine.change_device(&desk, device, change).await.expect("it may stay for two hours");
    let is_let_in = async || match engine.standing(&pass).await {
        Ok(standing) => standing.good_for,
        Err(EngineError::DeviceExpired) => None,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(is_let_in().await, Some(std::time::Duration::from_hours(2)));
    let reached = async || {
        let asked = serde_json::json!({"audience": {"everybody": true}});
        let asked = serde_json::from_value(asked).expect("a question");
        engine.message_reach(&desk, asked).await.expect("an answer").devices
    };
    assert_eq!(reached().await, 1);
    clock.set_by(TimeDelta::days(300));
    assert_eq!(is_let_in().await, Some(std::time::Duration::from_hours(2)), "only the clock was set");
    assert_eq!(reached().await, 1, "who is let in gets messages");
    let asked = serde_json::json!({"title": "Still here", "audience": {"everybody": true}});
    let sent = engine.send_message(&desk, serde_json::from_value(asked).expect("a message")).await.expect("it is sent");
    assert_eq!(engine.message(&desk, sent.id).await.expect("it is listed").message.people, 1);
    clock.set_by(TimeDelta::days(-301));
    clock.pass(TimeDelta::hours(3));
    assert!(is_let_in().await.is_some(), "it is yesterday by the clock that somebody looks at");
    clock.set_by(TimeDelta::days(1));
    assert_eq!(is_let_in().await, None);
    let late = DeviceChange { expires_at: Some(Stay::Until(ends.to_rfc3339())), ..DeviceChange::default() };
    assert!(engine.change_device(&desk, device, late).await.is_err(), "that moment is over");
    engine.close().await;
}

/// Those who write take turns: whoever has no pass must not get a turn for a code that lets nobody in.
#[tokio::test]
async fn a_code_that_lets_nobody_in_is_refused_while_somebody_writes() {
    let (_folder, clock, engine) = opened().await;
    let desk = engine.desk_actor().await.expect("the desk's own actor");
    let show = async |code: &str| {
        let claim =
            Claim { code: code.to_owned(), device_name: "Scale 1".to_owned(), platform: None, previous_token: None };
        engine.claim_pairing(claim, HERE).await
    };
    let (used, closed, over) = (new_code(&engine).await, new_code(&engine).await, new_code(&engine).await);
    show(&used.code).await.expect("it is good once");
    engine.close_pairing(&desk, closed.pairing_id).await.expect("it is taken back");
    clock.pass(TimeDelta::minutes(11));
    let full = new_code(&engine).await;
    for _ in 0..WAITING_MAX.of_address {
        show(&new_code(&engine).await.code).await.expect("there is room");
    }
    let writing = engine.begin_write_desk().await.expect("its turn");
    for code in [&used, &closed, &over] {
        for form in [&code.code, &code.typed.typed_code] {
            assert!(matches!(show(form).await, Err(EngineError::Gone(_))));
        }
    }
    for form in [&full.code, &full.typed.typed_code] {
        assert!(matches!(show(form).await, Err(EngineError::TooMany { .. })));
    }
    drop(writing);
    engine.close().await;
}

#[test]
fn an_address_is_counted_the_same_however_it_comes() {
    let counted = |text: &str| address_text(text.parse().expect("an address"));
    assert_eq!(
        (counted("192.168.1.20"), counted("::ffff:192.168.1.20")),
        ("192.168.1.20".into(), "192.168.1.20".into())
    );
    assert_eq!(counted("fd00:1:2:3:4:5:6:7"), counted("fd00:1:2:3::9"));
    assert_ne!(counted("fd00:1:2:3::9"), counted("fd00:1:2:4::9"));
}
