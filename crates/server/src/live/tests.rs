//! What a stream says when it is slow, late, or no longer let in.

use super::*;
use crate::server::tests::Desk;

/// A phone's stream that is woken by the test alone, and has room for two wake-ups and for one piece of news.
struct Heard {
    wakes: broadcast::Sender<Wake>,
    live: Live,
    hub: broadcast::Sender<Arc<Told>>,
    stopping: watch::Sender<bool>,
}

impl Heard {
    async fn of(desk: &Desk, token: &str) -> Self {
        let engine = desk.server.engine.clone();
        let standing = engine.standing(token).await.expect("it is let in");
        let place = Streams::open(&Arc::default(), standing.actor.device.0).expect("there is room");
        let (wakes, listening) = broadcast::channel(2);
        let (hub, news) = broadcast::channel(1);
        let (stopping, stop) = watch::channel(false);
        let live = Live {
            epoch: engine.installation().await.expect("an installation").epoch,
            engine,
            ends_at: end_of(&standing),
            actor: standing.actor,
            token: token.to_owned(),
            is_desk: false,
            wakes: listening,
            news,
            stop,
            heartbeat: interval_at(Instant::now() + HEARTBEAT, HEARTBEAT),
            waiting: VecDeque::new(),
            notices: Notices::after(None, 0),
            ended: false,
            _place: place,
        };
        Self { wakes, live, hub, stopping }
    }

    /// More wake-ups than there is room for: what the first ones were nobody knows.
    async fn after_losing_some(&mut self) -> String {
        for _ in 0..5 {
            self.wakes.send(Wake::Pairings).expect("the stream listens");
        }
        self.live.next().await.expect("the stream says something")
    }
}

#[tokio::test]
async fn what_may_have_been_among_lost_wake_ups_is_looked_up() {
    let desk = Desk::start().await;
    let (token, device) = desk.joined().await;
    let mut heard = Heard::of(&desk, &token).await;
    assert_eq!(heard.after_losing_some().await, event("me", &json!({})));
    assert!(heard.live.next().await.expect("an event").starts_with("event: poke"));
    let mut elsewhere = Heard::of(&desk, &token).await;
    elsewhere.live.epoch = Uuid::nil();
    assert_eq!(elsewhere.after_losing_some().await, event("bye", &json!({"reason": "epoch"})));
    let engine = &desk.server.engine;
    let device = Uuid::try_parse(&device).expect("an id");
    engine.revoke_device(&engine.desk_actor().await.expect("the desk"), device).await.expect("removed");
    assert_eq!(heard.after_losing_some().await, event("bye", &json!({"reason": "removed"})));
    assert!(heard.live.next().await.is_none(), "then it has ended");
}

/// Has the desk tell everybody so many messages; answers all that streams are to be told of them.
async fn told(desk: &Desk, count: usize) -> HashMap<Uuid, Vec<showdesk_engine::ToldNotice>> {
    let engine = &desk.server.engine;
    let actor = engine.desk_actor().await.expect("the desk");
    let before = engine.last_event().await.expect("a number");
    for number in 1..=count {
        let asked = json!({"title": format!("Message {number}"), "audience": {"everybody": true}});
        let asked = serde_json::from_value(asked).expect("a message");
        engine.send_message(&actor, asked).await.expect("it is sent");
    }
    engine.news(before, &[]).await.expect("the news").notices
}

impl Heard {
    /// The numbers of the next messages; whatever else the stream says is passed over.
    async fn numbers(&mut self, count: usize) -> Vec<i64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let event = self.live.next().await.expect("an event");
            if let Some((id, _)) = event.strip_prefix("id: ").and_then(|rest| rest.split_once('\n')) {
                numbers.push(id.parse().expect("a number"));
            }
        }
        numbers
    }

    fn tell(&self, notices: HashMap<Uuid, Vec<showdesk_engine::ToldNotice>>) {
        let told = Told { notices, ..Told::default() };
        self.hub.send(Arc::new(told)).expect("the stream listens");
    }
}

#[tokio::test]
async fn news_that_was_lost_is_read_and_told_once_and_in_order() {
    let desk = Desk::start().await;
    let (token, _) = desk.joined().await;
    let mut heard = Heard::of(&desk, &token).await;
    for _ in 0..3 {
        // There is room for one: the first two are lost.
        heard.tell(told(&desk, 1).await);
    }
    assert_eq!(heard.numbers(3).await, [1, 2, 3]);
    heard.tell(told(&desk, 1).await);
    assert_eq!(heard.numbers(1).await, [4], "nothing is told twice");
}

#[tokio::test]
async fn more_for_one_reader_than_may_wait_is_read_and_told_once_and_in_order() {
    let desk = Desk::start().await;
    let (token, _) = desk.joined().await;
    let mut heard = Heard::of(&desk, &token).await;
    heard.tell(told(&desk, 70).await);
    assert_eq!(heard.numbers(70).await, (1..=70).collect::<Vec<i64>>());
    heard.tell(told(&desk, 1).await);
    assert_eq!(heard.numbers(1).await, [71]);
}

#[tokio::test]
async fn a_reader_that_takes_its_time_gets_nothing_more_once_it_may_not() {
    let desk = Desk::start().await;
    let (token, device) = desk.joined().await;
    let news = told(&desk, 3).await;
    let mut heard = Heard::of(&desk, &token).await;
    heard.tell(news.clone());
    assert_eq!(heard.numbers(1).await, [1]);
    heard.wakes.send(Wake::DeviceRevoked(Uuid::try_parse(&device).expect("an id"))).expect("the stream listens");
    assert_eq!(heard.live.next().await.expect("an event"), event("bye", &json!({"reason": "removed"})));
    assert!(heard.live.next().await.is_none());
    let mut over = Heard::of(&desk, &token).await;
    over.tell(news.clone());
    assert_eq!(over.numbers(1).await, [1]);
    over.live.ends_at = Some(Instant::now());
    assert_eq!(over.live.next().await.expect("an event"), event("bye", &json!({"reason": "expired"})));
    let mut stopped = Heard::of(&desk, &token).await;
    stopped.tell(news);
    assert_eq!(stopped.numbers(1).await, [1]);
    stopped.stopping.send(true).expect("the stream listens");
    assert_eq!(stopped.live.next().await.expect("an event"), event("bye", &json!({"reason": "stopping"})));
}

#[test]
fn wake_ups_are_joined() {
    let mut batch = Batch::default();
    for wake in [Wake::Clock(7), Wake::Clock(9), Wake::Clock(8), Wake::Pairings] {
        batch.add(wake);
    }
    let id = Uuid::from_u128(1);
    for (rev, status) in [(1, "open"), (2, "resolved")] {
        batch.add(Wake::Conflict { id, rev, status: status.to_owned() });
    }
    assert_eq!((batch.clock, batch.at_desk), (Some(9), BTreeSet::from([PAIRINGS])));
    assert_eq!(batch.conflicts, HashMap::from([(id, (2, "resolved".to_owned()))]));
}

#[test]
fn an_event_has_the_form_of_the_standard() {
    assert_eq!(poke(90_211), "event: poke\ndata: {\"clock\":90211}\n\n");
}
