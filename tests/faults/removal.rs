//! P14: a phone that was removed is out within a second, its open stream too.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::time::timeout;

use crate::desk::Desk;
use crate::phone::{fresh, insert, send};
use crate::program::Engine;
use crate::{Size, Tally};

const PROMISED: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) async fn of_phones(size: Size, engine: Engine) -> Tally {
    let runs = size.pick(5, 100);
    let desk = Desk::start(engine).await;
    let mut slowest = Duration::ZERO;
    for run in 0..runs {
        let name = format!("Scale {run}");
        let phone = desk.phone(&name, &["scale", "superintendent"]).await;
        let stays = desk.phone(&format!("Stays {run}"), &["scale"]).await;
        let mut stream = phone.request(Method::GET, "/live").send().await.expect("a stream");
        stream.chunk().await.expect("it lives").expect("it says where the show is");
        let id = device(&desk, &name).await;
        let began = Instant::now();
        desk.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
        let push = phone.envelope(&[insert("rings", &fresh(), json!({"name": "Ring 9"}))]);
        phone.push_envelope(&push).await.expect_problem(403);
        phone.pull("").await.expect_problem(403);
        let said = timeout(DEADLINE, async {
            let mut said = String::new();
            while let Some(chunk) = stream.chunk().await.expect("it ends well") {
                said.push_str(&String::from_utf8_lossy(&chunk));
            }
            said
        });
        let said = said.await.expect("the stream ends");
        let took = began.elapsed();
        assert!(said.contains("event: bye") && said.contains("removed"), "it is told why: {said}");
        assert!(took < PROMISED, "it was out after {took:?}");
        slowest = slowest.max(took);
        let again = send(phone.request(Method::GET, "/live")).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN);
        stays.pull("").await.expect_status(200);
    }
    assert!(desk.pull_all().await.keys().all(|(table, _)| table != "rings"), "nothing of a removed phone was written");
    Tally { runs, seen: format!("the slowest was out after {slowest:.0?}") }
}

async fn device(desk: &Desk, name: &str) -> String {
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let devices = devices["items"].as_array().expect("items");
    let device = devices.iter().find(|device| device["name"] == name).expect("it is listed");
    device["id"].as_str().expect("an id").to_owned()
}
