//! Blocks of exhibitors' numbers: each device its own, the same until half of it is in use.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Answer, Phone, fresh, insert, send};

on_both_engines!(
    a_device_keeps_its_block_until_half_of_it_is_in_use,
    devices_that_ask_at_once_get_blocks_of_their_own,
    only_whose_job_it_is_takes_numbers,
);

async fn lease(phone: &Phone) -> Answer {
    send(phone.request(Method::POST, "/me/back-numbers/lease")).await
}

/// The first number of a block of twenty that lasts.
async fn block(phone: &Phone) -> i64 {
    let lease = lease(phone).await.expect_status(200);
    let number = |name: &str| lease[name].as_i64().expect("a number");
    assert_eq!(number("to") - number("from"), 19, "{lease}");
    let expires_at: chrono::DateTime<chrono::Utc> =
        lease["expires_at"].as_str().expect("a moment").parse().expect("a moment");
    assert!(expires_at > chrono::Utc::now() + chrono::TimeDelta::days(1), "{lease}");
    number("from")
}

fn exhibitor(back_number: i64) -> Json {
    let data = json!({"first_name": "Ana", "last_name": format!("Stone {back_number}"), "back_number": back_number});
    insert("exhibitors", &fresh(), data)
}

async fn a_device_keeps_its_block_until_half_of_it_is_in_use(desk: Desk) {
    let (first, second) = (desk.phone("Gate 1", &["checkin"]).await, desk.phone("Gate 2", &["checkin"]).await);
    // What was numbered before is passed over, and so is the rest of its twenty.
    desk.apply(&[exhibitor(205)]).await;
    assert_eq!([block(&first).await, block(&second).await, block(&first).await], [221, 241, 221]);
    let ops: Vec<Json> = (221..=229).map(exhibitor).collect();
    desk.apply(&ops).await;
    assert_eq!(block(&first).await, 221, "nine are in use");
    desk.apply(&[exhibitor(230)]).await;
    assert_eq!([block(&first).await, block(&first).await], [261, 261]);
    // Far up it goes on in the gaps, and never past the highest number that there is.
    desk.apply(&[exhibitor(999_999)]).await;
    let third = desk.phone("Gate 3", &["checkin"]).await;
    assert_eq!([block(&third).await, block(&second).await], [1, 241]);
}

async fn devices_that_ask_at_once_get_blocks_of_their_own(desk: Desk) {
    let mut phones = Vec::new();
    for number in 0..8 {
        phones.push(desk.phone(&format!("Gate {number}"), &["checkin"]).await);
    }
    let blocks: BTreeSet<i64> = join_all(phones.iter().map(block)).await.into_iter().collect();
    assert_eq!(blocks, (1..=8 * 20).step_by(20).collect());
}

async fn only_whose_job_it_is_takes_numbers(desk: Desk) {
    for (functions, status) in
        [(["superintendent"], 200), (["checkin"], 200), (["scale"], 403), (["clerk"], 403), (["viewer"], 403)]
    {
        let answer = lease(&desk.phone(functions[0], &functions).await).await;
        assert_eq!(answer.status.as_u16(), status, "{functions:?}: {}", answer.text);
    }
    send(desk.request(Method::POST, "/me/back-numbers/lease")).await.expect_status(200);
    send(desk.stranger(Method::POST, "/me/back-numbers/lease")).await.expect_problem(401);
}
