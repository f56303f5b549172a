//! What takes a clock that is set: a phone that was away, and the entries it made meanwhile.

use std::sync::Arc;

use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use showdesk_domain::actor::Function;
use showdesk_testkit::{SetClock, on_both_engines};
use tempfile::TempDir;

use super::*;
use crate::api::conflicts::Outage;
use crate::api::pairing::{Approve, Claim, NewPairing, PairingMode};
use crate::api::sync::Push;
use crate::{Clock, Options};

on_both_engines![Barn::open => what_a_phone_entered_while_it_was_away_tells_its_outage];

struct Barn {
    clock: Arc<SetClock>,
    engine: Engine,
    desk: Actor,
    _folder: TempDir,
}

impl Barn {
    async fn open(database_url: Option<String>) -> Self {
        let (clock, folder) = (SetClock::new(), tempfile::tempdir().expect("a folder"));
        let options =
            Options { database_url, clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Options::new(folder.path()) };
        let engine = Engine::open(options).await.expect("a show");
        let desk = engine.desk_actor().await.expect("the desk");
        Self { clock, engine, desk, _folder: folder }
    }

    fn pass(&self, seconds: i64) {
        self.clock.pass_seconds(seconds);
    }

    /// The token of a phone that has joined.
    async fn phone(&self, name: &str) -> String {
        let wanted = NewPairing {
            functions: vec![Function::Superintendent],
            scope: showdesk_domain::actor::Scope::default(),
            mode: PairingMode::Single,
            expires_in_s: None,
            device_expires_at: None,
        };
        let code = self.engine.open_pairing(&self.desk, wanted).await.expect("a code").code;
        let claim = Claim { code, device_name: name.to_owned(), platform: None, previous_token: None };
        let claimed = self.engine.claim_pairing(claim, std::net::Ipv4Addr::LOCALHOST.into()).await.expect("a claim");
        let waiting = self.engine.waiting_pairings(&self.desk).await.expect("a list").items;
        self.engine.approve_pairing(&self.desk, waiting[0].pairing_id, Approve::default()).await.expect("allowed");
        let status = self.engine.pairing_status(claimed.pairing_id).await.expect("a status");
        status.token.expect("a token")
    }

    /// Pushes as whoever has the token, as the server does.
    async fn push(&self, token: &str, op: Box<RawValue>) -> String {
        let actor = self.engine.authenticate(token).await.expect("a device");
        let epoch = self.engine.installation().await.expect("an installation").epoch;
        let push = Push { client_time: Some(self.engine.now()), ..Push::of(epoch, Uuid::from_u128(7), vec![op]) };
        let answer = self.engine.push(&actor, push).await.expect("an answer");
        format!("{:?}", answer.results[0].verdict)
    }

    async fn outages(&self) -> Vec<Option<Outage>> {
        let query = ConflictQuery { order: Some("urgent".to_owned()), ..ConflictQuery::default() };
        let page = self.engine.conflicts(&self.desk, query).await.expect("a page");
        page.items.into_iter().map(|item| item.outage).collect()
    }
}

fn op(record: Uuid, version: i64, made_at: DateTime<Utc>, data: &serde_json::Value) -> Box<RawValue> {
    let (operation, base) = if version == 0 { ("insert", None) } else { ("update", Some(json!({"tag": null}))) };
    let json = json!({
        "op_id": Uuid::now_v7(), "device_seq": 1, "table_name": if data.get("species").is_some() || version > 0 { "animals" } else { "exhibitors" },
        "record_id": record, "operation": operation, "base_version": version, "data": data, "base": base,
        "client_time": showdesk_domain::value::instant_text(made_at),
    });
    to_raw_value(&json).expect("JSON")
}

async fn what_a_phone_entered_while_it_was_away_tells_its_outage(barn: Barn) {
    let (exhibitor, animal, other) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let admin = barn.engine.issue_desk_token().await.expect("a token");
    let goat = json!({"exhibitor_id": exhibitor, "species": "goat"});
    let now = barn.engine.now();
    barn.push(&admin, op(exhibitor, 0, now, &json!({"first_name": "Ida", "last_name": "Reed"}))).await;
    for animal in [animal, other] {
        assert_eq!(barn.push(&admin, op(animal, 0, now, &goat)).await, "Applied");
    }
    let show = barn.engine.inner.show_id;
    let stage = json!({
        "op_id": Uuid::now_v7(), "device_seq": 9, "table_name": "shows", "record_id": show, "operation": "update",
        "base_version": 1, "data": {"stage": "B"},
    });
    assert_eq!(barn.push(&admin, to_raw_value(&stage).expect("JSON")).await, "Applied");
    let token = barn.phone("Maria's phone").await;
    barn.engine.authenticate(&token).await.expect("it is there");
    let left_at = barn.engine.now();

    barn.pass(840);
    let made_at = barn.engine.now();
    for animal in [animal, other] {
        assert_eq!(
            barn.push(&admin, op(animal, 1, made_at, &json!({"tag": format!("L{}", &animal.to_string()[30..])}))).await,
            "Applied"
        );
    }
    barn.pass(1_500);
    assert!(barn.engine.devices(&barn.desk).await.expect("a list").items.iter().any(|device| !device.connected));
    let back_at = barn.engine.now();
    let tag = |animal: Uuid| json!({"tag": format!("P{}", &animal.to_string()[30..])});
    assert_eq!(barn.push(&token, op(animal, 1, made_at, &tag(animal))).await, "Conflict");
    barn.pass(20);
    assert_eq!(barn.push(&token, op(other, 1, barn.engine.now(), &tag(other))).await, "Conflict");

    let outages = barn.outages().await;
    assert_eq!(outages.len(), 2);
    let outage = outages[0].clone().expect("it was made while the phone was away");
    assert_eq!((outage.away_from, outage.back_at), (left_at, back_at));
    assert_eq!(outage.device_name, "Maria's phone");
    assert!(outages[1].is_none(), "the later one was made after the phone had come back");
    barn.engine.close().await;
}
