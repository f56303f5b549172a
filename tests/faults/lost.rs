//! P3: answers get lost, so everything is sent again, in any order and twice at once. Each op has exactly one effect.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use reqwest::{Client, Method};
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::phone::{Phone, fresh, insert, update, with};
use crate::program::Engine;
use crate::proxy::Proxy;
use crate::{Size, Tally};

/// Chains that one phone sends in one run: a ring and its new names, each on top of the one before.
const CHAINS: usize = 4;
/// Ops of a chain.
const CHAIN_OPS: usize = 3;
/// More rounds than any run needs; an op that never gets through is a fault.
const ROUNDS_MAX: usize = 200;

pub(crate) async fn answers(size: Size, engine: Engine) -> Tally {
    let runs = size.pick(25, 1_000);
    let desk = Desk::start(engine).await;
    let phone = desk.phone("Ring steward", &["admin"]).await;
    let (mut ops, mut lost, mut replayed) = (0, 0, 0);
    for seed in 0..runs as u64 {
        let proxy = Proxy::before(&desk.program.http, seed).await;
        let chains: Vec<Vec<Json>> = (0..CHAINS).map(|chain| make_chain(&phone, seed, chain)).collect();
        replayed += send_all(&phone, &proxy, &chains, seed).await;
        let rows = desk.pull_all().await;
        for chain in &chains {
            let id = chain[0]["record_id"].as_str().expect("an id");
            let row = &rows[&("rings".to_owned(), id.to_owned())];
            let newest = &chain[CHAIN_OPS - 1]["data"]["name"];
            assert_eq!((&row["version"], &row["data"]["name"]), (&json!(CHAIN_OPS), newest), "seed {seed}: {row}");
            assert_eq!(desk.history("rings", id).await.len(), CHAIN_OPS, "seed {seed}: one version an op");
        }
        ops += CHAINS * CHAIN_OPS;
        lost += proxy.lost();
    }
    assert!(lost > runs, "answers were lost: {lost}");
    assert!(replayed > runs, "ops were sent again after they had had their effect: {replayed}");
    assert_eq!(desk.conflicts("open").await.len(), 0, "nobody clashes with what he sent before");
    Tally { runs, seen: format!("{ops} ops, {lost} answers lost, {replayed} ops answered from memory, none doubled") }
}

/// A ring and its names, each edit made without having seen an answer to the one before.
fn make_chain(phone: &Phone, seed: u64, chain: usize) -> Vec<Json> {
    let id = fresh();
    let name = |at: usize| json!({"name": format!("Ring {seed}.{chain}, name {at}")});
    let mut ops = vec![insert("rings", &id, name(0))];
    for at in 1..CHAIN_OPS {
        let edit = update("rings", &id, 1, name(at), name(at - 1));
        ops.push(with(edit, "prev_op_id", ops[at - 1]["op_id"].clone()));
    }
    // The phone numbers its ops once, when it makes them.
    let envelope = phone.envelope(&ops);
    envelope["ops"].as_array().expect("ops").clone()
}

/// Sends parts of what has no answer, some of them twice at once, until everything is answered as applied.
/// Answers how many ops were answered from memory.
async fn send_all(phone: &Phone, proxy: &Proxy, chains: &[Vec<Json>], seed: u64) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let mut open: Vec<Json> = chains.concat();
    let mut replayed = 0;
    for _ in 0..ROUNDS_MAX {
        open.shuffle(&mut random);
        let some = open[..random.random_range(1..=open.len())].to_vec();
        let twice = random.random_range(0..3) == 0;
        let answers = if twice {
            let (one, other) = tokio::join!(push(phone, proxy, &some), push(phone, proxy, &some));
            [one, other].into_iter().flatten().flatten().collect()
        } else {
            push(phone, proxy, &some).await.unwrap_or_default()
        };
        for answer in answers {
            replayed += usize::from(answer["replayed"] == true);
            let verdict = answer["verdict"].as_str().expect("a verdict");
            match verdict {
                "applied" => open.retain(|op| op["op_id"] != answer["op_id"]),
                // Its predecessor has not come yet.
                "held" | "retry" => {}
                _ => panic!("seed {seed}: {answer}"),
            }
        }
        if open.is_empty() {
            return replayed;
        }
    }
    panic!("seed {seed}: {} ops never got through", open.len());
}

/// The results, if they came through.
async fn push(phone: &Phone, proxy: &Proxy, ops: &[Json]) -> Option<Vec<Json>> {
    let url = format!("http://{}/api/v1/sync/push", proxy.address);
    let request = Client::new().request(Method::POST, url).bearer_auth(phone.token());
    let response = request.json(&phone.envelope(ops)).send().await.ok()?;
    assert_eq!(response.status(), 200);
    let answer: Json = response.json().await.ok()?;
    answer["results"].as_array().cloned()
}
