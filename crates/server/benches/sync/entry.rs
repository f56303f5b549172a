//! A phone's entry on another phone: push, poke, pull.

use std::time::{Duration, Instant};

use showdesk_server::rehearse::{Figures, Listening, Phone};
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use crate::checkin::crowd;
use crate::program::Program;
use crate::table::{Line, Target};
use crate::{Scale, tell};

/// Longer than this no entry takes on the slowest machine.
const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) async fn measure(scale: Scale) -> Vec<Line> {
    tell(&format!("entry: {} phones listen", scale.listeners));
    let program = Program::county().await;
    let mut phones = crowd(&program.desk, scale.listeners + 1).await;
    let mut author = phones.pop().expect("a phone");
    let (entered, _) = broadcast::channel(scale.entries + 1);
    let (seen, mut all_seen) = mpsc::channel(scale.listeners);
    let mut listeners = Vec::new();
    for mut listener in phones {
        listener.phone.pull(|_| ()).await.expect("the pull ends");
        let stream = listener.phone.connection.beside().listen("/live").await.expect("the stream begins");
        listeners.push(tokio::spawn(listen(listener.phone, stream, entered.subscribe(), seen.clone())));
    }
    let mut delays = Vec::with_capacity(scale.listeners * scale.entries);
    for _ in 0..scale.entries {
        let began = Instant::now();
        let id = author.enter_one().await;
        entered.send(id).expect("somebody listens");
        for _ in 0..scale.listeners {
            let at: Instant = tokio::time::timeout(DEADLINE, all_seen.recv())
                .await
                .expect("it is seen in time")
                .expect("they listen");
            delays.push(at - began);
        }
    }
    listeners.iter().for_each(tokio::task::JoinHandle::abort);
    program.stop().await;
    let what = format!("a phone's entry on another phone, {} connected", scale.listeners);
    let figures = Figures::of(delays);
    vec![
        Line::new(format!("{what}: p99"), Target::AtMost(150.0), figures.p99, "ms"),
        Line::beside(format!("{what}: p50"), format!("{:.1} ms", figures.p50)),
    ]
}

/// Pulls at each poke and says when an entry of the author is there.
async fn listen(
    mut phone: Phone,
    mut stream: Listening,
    mut entered: broadcast::Receiver<Uuid>,
    seen: mpsc::Sender<Instant>,
) {
    // The entry may be pulled before its author has told its id.
    let mut pulled: Vec<(Uuid, Instant)> = Vec::new();
    let mut awaited: Option<Uuid> = None;
    loop {
        tokio::select! {
            piece = stream.next() => {
                let piece = piece.expect("the stream stands").expect("the desk serves");
                if piece.windows(5).any(|word| word == b"poke\n") {
                    let mut ids = Vec::new();
                    phone.pull(|change| ids.push(change.record_id)).await.expect("the pull ends");
                    let now = Instant::now();
                    pulled.extend(ids.into_iter().map(|id| (id, now)));
                }
            }
            id = entered.recv() => awaited = Some(id.expect("the author tells every entry")),
        }
        if let Some((_, at)) = pulled.iter().find(|(id, _)| Some(*id) == awaited) {
            seen.send(*at).await.expect("the scene waits");
            (awaited, pulled) = (None, Vec::new());
        }
    }
}
