//! Whose rights count is asked where something is written, and not only where its request came in.

use serde_json::json;
use serde_json::value::to_raw_value;
use showdesk_domain::actor::{Actor, Function, Role};
use showdesk_domain::ids::PersonId;
use showdesk_engine::api::conflicts::{Resolution, Resolve};
use showdesk_engine::api::devices::DeviceChange;
use showdesk_engine::api::sync::Push;
use showdesk_engine::{Engine, EngineError, Options};
use showdesk_testkit::{Joining, on_both_engines};
use tempfile::TempDir;
use uuid::Uuid;

on_both_engines!(Show::open =>
    who_has_left_the_team_writes_nothing_with_the_rights_of_before,
    a_decision_needs_the_right_of_the_moment_in_which_it_is_written,
    a_change_of_rights_is_noticed_by_whoever_counts_them,
);

struct Show {
    engine: Engine,
    desk: Actor,
    _folder: TempDir,
}

impl Show {
    async fn open(database_url: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options { database_url, ..Options::new(folder.path()) };
        let engine = Engine::open(options).await.expect("a show");
        let desk = engine.desk_actor().await.expect("the desk");
        Self { engine, desk, _folder: folder }
    }

    /// A phone as it was when it could still do everything.
    async fn once_an_admin(&self, name: &str) -> Actor {
        let pass = Joining::to(&[Function::Scale]).let_in(&self.engine, name).await;
        let phone = self.engine.authenticate(&pass.token).await.expect("a good pass");
        Actor { role: Role::Admin, functions: vec![Function::Admin], ..phone }
    }
}

fn decision() -> Resolve {
    Resolve {
        resolution: Resolution::ServerWins,
        data: None,
        expected_server_version: 1,
        rev: 1,
        reason: None,
        idempotency_key: Uuid::new_v4().to_string(),
    }
}

async fn who_has_left_the_team_writes_nothing_with_the_rights_of_before(show: Show) {
    let Show { engine, desk, .. } = &show;
    let before = engine.clock().await.expect("a clock");
    let left = Actor { person: PersonId(Uuid::new_v4()), ..desk.clone() };
    let ring = json!({
        "op_id": Uuid::now_v7(), "device_seq": 1, "table_name": "rings", "record_id": Uuid::now_v7(),
        "operation": "insert", "base_version": 0, "data": {"name": "Ring 1"},
    });
    let epoch = engine.installation().await.expect("an installation").epoch;
    let push = Push::of(epoch, Uuid::now_v7(), vec![to_raw_value(&ring).expect("JSON")]);
    let pushed = engine.push(&left, push).await;
    assert!(matches!(pushed, Err(EngineError::Forbidden(_))), "{pushed:?}");
    let decided = engine.resolve(&left, Uuid::new_v4(), decision()).await;
    assert!(matches!(decided, Err(EngineError::Forbidden(_))), "{decided:?}");
    assert_eq!(engine.clock().await.expect("a clock"), before);
    engine.close().await;
}

async fn a_decision_needs_the_right_of_the_moment_in_which_it_is_written(show: Show) {
    let engine = &show.engine;
    let phone = show.once_an_admin("Scale 1").await;
    let decided = engine.resolve(&phone, Uuid::new_v4(), decision()).await;
    assert!(matches!(decided, Err(EngineError::Forbidden(_))), "a scale decides nothing: {decided:?}");
    let decided = engine.resolve(&show.desk, Uuid::new_v4(), decision()).await;
    assert!(matches!(decided, Err(EngineError::NotFound(_))), "the desk would: {decided:?}");
    engine.revoke_device(&show.desk, phone.device.0).await.expect("it is removed");
    let decided = engine.resolve(&phone, Uuid::new_v4(), decision()).await;
    assert!(matches!(decided, Err(EngineError::DeviceRemoved)), "{decided:?}");
    engine.close().await;
}

async fn a_change_of_rights_is_noticed_by_whoever_counts_them(show: Show) {
    let Show { engine, desk, .. } = &show;
    let pass = Joining::to(&[Function::Scale]).let_in(engine, "Scale 1").await;
    let phone = engine.authenticate(&pass.token).await.expect("a good pass");
    let before = engine.rights_changed();
    assert_eq!(engine.bearer_of(&pass.token).await.expect("a good pass"), phone);
    assert_eq!(engine.rights_changed(), before, "looking changes nothing");
    let change = DeviceChange { functions: Some(vec![Function::Vet]), ..DeviceChange::default() };
    engine.change_device(desk, phone.device.0, change).await.expect("it is changed");
    assert!(engine.rights_changed() > before);
    assert_eq!(engine.bearer_of(&pass.token).await.expect("a good pass").functions, [Function::Vet]);
    engine.close().await;
}
