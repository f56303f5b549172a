//! P13: guessing a joining code fails, from however many addresses, and keeps no honest phone out.
//!
//! Every loopback address is another guesser to the desk. They try the short code, with one letter wrong or at random,
//! the long code, and the secret names of phones that wait.

use std::net::Ipv4Addr;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::desk::Desk;
use crate::phone::{Phone, send};
use crate::program::{Engine, Launch, Program};
use crate::{Size, Tally};

/// The letters of a short code.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Addresses that guess.
const ADDRESSES: usize = 100;
/// Guesses at once.
const AT_ONCE: usize = 20;
/// Wrong short codes after which the desk has made another one (SECURITY.md §2).
const TRIES_IN_ALL: usize = 30;

/// What is guessed.
#[derive(Debug, Clone)]
enum Guess {
    Code(String),
    Waiting(Uuid),
}

pub(crate) async fn codes(size: Size, engine: Engine) -> Tally {
    let runs = size.pick(500, 50_000);
    let desk = start(engine).await;
    let known = desk.phone("Scale 1", &["scale"]).await;
    let opened =
        desk.post("/admin/pairings", &json!({"functions": ["scale"], "mode": "open"})).await.expect_status(201);
    let (full, typed) = (text(&opened["code"]), text(&opened["typed_code"]));
    let waits = claim(&desk, Ipv4Addr::new(127, 0, 0, 9), &full).await;
    assert_eq!(waits.status(), StatusCode::CREATED, "a phone waits, whose name is guessed at");
    let began = Instant::now();
    let answers = guess(&desk, &typed, runs).await;
    let took = began.elapsed();
    let of = |status: u16| answers.iter().filter(|answer| **answer == status).count();
    let (looked_at, put_off) = (of(404) + of(410), of(429));
    assert_eq!(looked_at + put_off, runs, "nothing else is ever answered: {answers:?}");
    assert!(put_off > runs / 2, "most guesses are not looked at: {looked_at} were");
    // Answers of "wrong" are what a guesser learns from. Each minute he gets so many, however many he is.
    let allowed = TRIES_IN_ALL + usize::try_from(took.as_secs()).expect("short");
    assert!(looked_at <= allowed, "{looked_at} guesses were looked at in {took:?}");
    assert_eq!(desk.waiting().await.len(), 1, "nobody guessed his way in");

    let guesser = address(3);
    let dead = claim(&desk, Ipv4Addr::new(127, 0, 9, 9), &typed).await.status();
    assert_ne!(dead, StatusCode::CREATED, "a short code that was guessed at so often is dead");
    let joined = claim(&desk, guesser, &full).await;
    assert_eq!(joined.status(), StatusCode::CREATED, "the long code lets in, also from where others guess");
    works_from(&desk, &known, guesser).await;
    Tally {
        runs,
        seen: format!("{looked_at} guesses were looked at, {put_off} were not; none was right in {took:.1?}"),
    }
}

/// With the limits of a real show.
async fn start(engine: Engine) -> Desk {
    let database_url = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(showdesk_testkit::fresh_database_url().await),
    };
    let mut program = Program::new(Launch { database_url, is_limited: true, ..Launch::default() });
    program.launch.folder = program.scratch().join("show");
    program.start_again().await;
    Desk::of(program).await
}

fn text(value: &Json) -> String {
    value.as_str().expect("a text").to_owned()
}

fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 2, u8::try_from(1 + number % ADDRESSES).expect("few addresses"))
}

fn client(from: Ipv4Addr) -> Client {
    Client::builder().local_address(std::net::IpAddr::V4(from)).build().expect("a client")
}

async fn claim(desk: &Desk, from: Ipv4Addr, code: &str) -> reqwest::Response {
    let url = format!("{}/api/v1/pairing/claim", desk.program.http);
    let body = json!({"code": code, "device_name": "Guesser", "platform": "web"});
    client(from).post(url).json(&body).send().await.expect("an answer")
}

/// Makes the guesses and sends them, many at once; answers the status of each.
async fn guess(desk: &Desk, typed: &str, runs: usize) -> Vec<u16> {
    let mut random = StdRng::seed_from_u64(13);
    let mut guesses = (0..runs).map(|number| (number, make(&mut random, typed))).collect::<Vec<_>>();
    let mut sending = JoinSet::new();
    let mut answers = Vec::new();
    let clients: Vec<Client> = (0..ADDRESSES).map(|number| client(address(number))).collect();
    while let Some((number, guess)) = guesses.pop() {
        if sending.len() == AT_ONCE {
            answers.extend(sending.join_next().await.map(|answer| answer.expect("no panic")));
        }
        let (client, base) = (clients[number % ADDRESSES].clone(), format!("{}/api/v1/pairing", desk.program.http));
        sending.spawn(async move {
            let request = match guess {
                Guess::Code(code) => {
                    let body = json!({"code": code, "device_name": "Guesser", "platform": "web"});
                    client.post(format!("{base}/claim")).json(&body)
                }
                Guess::Waiting(id) => client.get(format!("{base}/{id}")),
            };
            let answer = request.send().await.expect("an answer");
            let (status, later) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
            assert!(status != 429 || later, "who has to wait is told for how long");
            status
        });
    }
    answers.extend(sending.join_all().await);
    answers
}

fn make(random: &mut StdRng, typed: &str) -> Guess {
    let letter = |random: &mut StdRng| LETTERS[random.random_range(0..LETTERS.len())];
    match random.random_range(0..10) {
        0..4 => Guess::Code((0..8).map(|_| char::from(letter(random))).collect()),
        4..7 => {
            let mut near = typed.as_bytes().to_vec();
            let at = random.random_range(0..near.len());
            let other = LETTERS.iter().cycle().skip_while(|known| **known != near[at]).nth(random.random_range(1..32));
            near[at] = *other.expect("the letters go round");
            Guess::Code(String::from_utf8(near).expect("letters"))
        }
        7..9 => {
            let long: String = (0..22).map(|_| char::from(letter(random))).collect();
            Guess::Code(long.to_lowercase())
        }
        _ => {
            let mut bytes = [0; 16];
            random.fill_bytes(&mut bytes);
            Guess::Waiting(uuid::Builder::from_random_bytes(bytes).into_uuid())
        }
    }
}

/// A phone with a pass works, also from an address that guesses.
async fn works_from(desk: &Desk, phone: &Phone, from: Ipv4Addr) {
    let url = format!("{}/api/v1/sync/hello", desk.program.http);
    let answer = client(from).get(url).bearer_auth(phone.token()).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    send(phone.request(Method::GET, "/sync/pull")).await.expect_status(200);
}
