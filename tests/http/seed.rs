//! A small show for a case: one exhibitor, two animals, a class, a ring.

use serde_json::json;

use crate::desk::Desk;
use crate::phone::{fresh, insert, update};

/// The rows' ids; all of them have version 1.
pub(crate) struct Seed {
    pub(crate) ring: String,
    pub(crate) exhibitor: String,
    pub(crate) steer: String,
    pub(crate) hog: String,
    pub(crate) class: String,
}

/// Makes the rows at the desk and opens stage B, in which staff may write.
pub(crate) async fn seed(desk: &Desk) -> Seed {
    let seed = Seed { ring: fresh(), exhibitor: fresh(), steer: fresh(), hog: fresh(), class: fresh() };
    let exhibitor = json!({
        "back_number": 501, "first_name": "Nora", "last_name": "Birch", "club_chapter": "Willow Bend",
        "county": "Cedar", "guardian_phone": "555-0100",
    });
    let steer = json!({
        "exhibitor_id": seed.exhibitor, "species": "cattle", "sex": "steer", "breed": "Angus", "tag": "9001",
        "pen": "C1", "init_weight_x10": 7_420, "init_weighed_on": "2026-02-01",
    });
    let hog = json!({"exhibitor_id": seed.exhibitor, "species": "swine", "sex": "barrow", "tag": "9002"});
    let class = json!({"name": "Open Steer", "department": "cattle", "kind": "market", "ring_id": seed.ring});
    desk.apply(&[
        insert("rings", &seed.ring, json!({"name": "Ring 1", "seq": 1})),
        insert("exhibitors", &seed.exhibitor, exhibitor),
        insert("classes", &seed.class, class),
        insert("animals", &seed.steer, steer),
        insert("animals", &seed.hog, hog),
    ])
    .await;
    set_stage(desk, "B").await;
    seed
}

/// Moves the show to a later stage.
pub(crate) async fn set_stage(desk: &Desk, stage: &str) {
    let (show, change) = show_of(desk).await;
    let version = change["version"].as_i64().expect("a version");
    let edit = update("shows", &show, version, json!({"stage": stage}), json!({"stage": change["data"]["stage"]}));
    desk.apply(&[edit]).await;
}

/// The show's own row: its id and its newest change.
pub(crate) async fn show_of(desk: &Desk) -> (String, serde_json::Value) {
    let rows = desk.pull_all().await;
    let ((_, id), change) = rows.into_iter().find(|((table, _), _)| table == "shows").expect("there is a show");
    (id, change)
}
