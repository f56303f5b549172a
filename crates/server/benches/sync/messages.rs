//! Messages: to phones that are connected, and through a push service to phones that are away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use serde_json::{Value as Json, json};
use showdesk_server::rehearse::{Connection, Figures, Listening, Phone, join};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::program::Program;
use crate::table::{Line, Target};
use crate::{Scale, per_second, tell};

/// Longer than this no message takes on the slowest machine.
const DEADLINE: Duration = Duration::from_mins(2);
/// Between two looks at what has gone out.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A browser's keys: those of RFC 8291, section 5.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// One message after the other to all phones; each is over when the last phone has it.
pub(crate) async fn here(scale: Scale) -> Vec<Line> {
    let count = scale.memory_phones;
    tell(&format!("messages: {count} phones listen"));
    let program = Program::county().await;
    let phones = join(&program.desk, count).await.expect("phones may join");
    let (told, mut all_told) = mpsc::channel(count);
    let mut listeners = Vec::with_capacity(count);
    for phone in &phones {
        let stream = phone.connection.beside().listen("/live").await.expect("the stream begins");
        listeners.push(tokio::spawn(listen(stream, told.clone())));
    }
    let mut office = program.desk.office();
    let mut last = Vec::with_capacity(scale.messages);
    for number in 0..scale.messages {
        let began = Instant::now();
        send(&mut office, number).await;
        let mut latest = began;
        for _ in 0..count {
            let at = timeout(DEADLINE, all_told.recv()).await.expect("all hear of it in time").expect("they listen");
            latest = latest.max(at);
        }
        last.push(latest - began);
    }
    listeners.iter().for_each(tokio::task::JoinHandle::abort);
    program.stop().await;
    let what = format!("a message to {count} phones, from the tap until the last one has it");
    let figures = Figures::of(last);
    vec![
        Line::new(format!("{what}: p99"), Target::AtMost(100.0), figures.p99, "ms"),
        Line::beside(format!("{what}: p50"), format!("{:.0} ms", figures.p50)),
    ]
}

/// Says when a message has come. Each phone must hear of each once.
async fn listen(mut stream: Listening, told: mpsc::Sender<Instant>) {
    let mut heard: Vec<u8> = Vec::new();
    let mut next = 0;
    loop {
        let piece = stream.next().await.expect("the stream stands").expect("the desk serves");
        heard.extend_from_slice(&piece);
        while let Some(end) = heard.windows(2).position(|word| word == b"\n\n") {
            let event = String::from_utf8(heard.drain(..end + 2).collect()).expect("text");
            if event.contains("event: notification\n") {
                assert!(event.contains(&title(next)), "message {next} is expected, not {event}");
                next += 1;
                told.send(Instant::now()).await.expect("the scene waits");
            }
        }
    }
}

/// All phones are away, and each has an address at one push service.
pub(crate) async fn away(scale: Scale) -> Vec<Line> {
    let [count, messages] = scale.pushes;
    tell(&format!("pushes: {count} phones join and go away, {messages} messages wait for each"));
    let (service, taken) = push_service().await;
    let program = Program::county().await;
    let mut office = program.desk.office();
    let settings = json!({"subject": "mailto:show@example.org", "endpoint": format!("http://{service}")});
    office.put("/admin/push/web", &settings).await.expect("the service is set up");
    for (number, mut phone) in join(&program.desk, count).await.expect("phones may join").into_iter().enumerate() {
        register(&mut phone, service, number).await;
    }
    let before = program.resident_mb();
    for number in 0..messages {
        send(&mut office, number).await;
    }
    let all = count * messages;
    // The last look at which none had gone out yet.
    let (mut began, mut most) = (Instant::now(), before);
    let sending = async {
        while taken.load(Ordering::Acquire) < all {
            if taken.load(Ordering::Acquire) == 0 {
                began = Instant::now();
            }
            most = most.zip(program.resident_mb()).map(|(most, now)| most.max(now));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    timeout(DEADLINE, sending).await.expect("all go out in time");
    let elapsed = began.elapsed();
    wait_until_written(&mut office, messages, count).await;
    assert_eq!(taken.load(Ordering::Acquire), all, "each went out once");
    program.stop().await;
    let what = format!("{all} pushes by Web Push, each sealed for its phone");
    let mut lines = vec![Line::beside(what.clone(), format!("{:.0} a second", per_second(all, elapsed)))];
    if let (Some(before), Some(most)) = (before, most) {
        lines.push(Line::beside(format!("{what}: memory"), format!("{before:.0} MB before, {most:.0} MB at most")));
    }
    lines
}

async fn register(phone: &mut Phone, service: SocketAddr, number: usize) {
    let token = json!({
        "platform": "web",
        "token": format!("http://{service}/push/{number}"),
        "p256dh": P256DH,
        "auth": AUTH,
    });
    phone.connection.put("/me/push-tokens", &token).await.expect("the address is taken");
    phone.connection.hang_up();
}

/// Every message says that the service has taken it for each phone.
async fn wait_until_written(office: &mut Connection, messages: usize, count: usize) {
    let written = async {
        loop {
            let sent = office.get_json("/admin/notifications?state=sent&limit=100").await.expect("the list");
            let items = sent["items"].as_array().expect("items");
            let accepted = |item: &&Json| item["counts"]["accepted"].as_u64() == u64::try_from(count).ok();
            if items.iter().filter(accepted).count() == messages {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    timeout(DEADLINE, written).await.expect("what was taken is written down");
}

async fn send(office: &mut Connection, number: usize) {
    let message = json!({"title": title(number), "priority": "high", "audience": {"everybody": true}});
    office.post("/admin/notifications", &message).await.expect("it is sent");
}

fn title(number: usize) -> String {
    format!("Class {number} to ring 2")
}

/// Takes every push, and counts them.
async fn push_service() -> (SocketAddr, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let take = move || {
        counted.fetch_add(1, Ordering::AcqRel);
        async { StatusCode::CREATED }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/push/{number}", any(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, taken)
}
