//! The processor end to end, on both engines, against the stand-ins that the senders' own tests use.

mod answers;
mod fairness;
mod kills;
mod meanwhile;
mod newest;
mod restored;
mod rules;
#[path = "../../../../tests/push/stand_in/mod.rs"]
#[expect(dead_code, reason = "the senders' tests look at more of it")]
mod stand_in;

use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::PersonId;
use showdesk_push::web::VapidKey;
use showdesk_store::db::Seat;
use showdesk_store::notifications::desk;
use showdesk_store::people::{self, DeviceRow, MemberRow, ProfileRow};
use showdesk_store::push_providers::{self, ProviderRow};
use showdesk_store::push_tokens::TokenRow;
use showdesk_testkit::{SetClock, on_both_engines};
use tempfile::TempDir;

use super::*;
use crate::api::notifications::NewMessage;
use crate::{Clock, KeysIn, Options, SystemKeychain};
use stand_in::apple::{self, Apple, TOPIC};
use stand_in::google::Google;
use stand_in::{Asked, Reply, StandIn, keys};

/// A page's secret.
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// A push service that answers as it is told.
struct PushService {
    server: StandIn,
    answers: Arc<Mutex<Vec<Reply>>>,
    /// Paths of pages that belong to another key.
    stale: Arc<Mutex<Vec<String>>>,
}

impl PushService {
    async fn start() -> Self {
        let answers: Arc<Mutex<Vec<Reply>>> = Arc::default();
        let stale: Arc<Mutex<Vec<String>>> = Arc::default();
        let (next, of_another) = (Arc::clone(&answers), Arc::clone(&stale));
        let server = StandIn::start(move |asked: &Asked| {
            if of_another.lock().unwrap_or_else(PoisonError::into_inner).contains(&asked.path) {
                return Reply::empty(403);
            }
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            match next.first().cloned() {
                // The last one stays.
                Some(reply) if next.len() == 1 => reply,
                Some(reply) => {
                    next.remove(0);
                    reply
                }
                None => Reply::empty(201).with("location", format!("https://push.example.org/m{}", asked.path)),
            }
        })
        .await;
        Self { server, answers, stale }
    }

    fn refuse(&self, path: &str) {
        self.stale.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
    }

    fn answer(&self, replies: &[Reply]) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = replies.to_vec();
    }
}

/// A show with its providers, each played by a stand-in; on Postgres with two desks.
struct Stand {
    clock: Arc<SetClock>,
    engine: Engine,
    other: Engine,
    google: Google,
    apple: Apple,
    service: PushService,
    desk: Actor,
    folders: Vec<TempDir>,
}

async fn open(folder: &TempDir, database_url: Option<String>, clock: &Arc<SetClock>) -> Engine {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let engine = Engine::open(Options { database_url, clock, ..Options::new(folder.path()) }).await.expect("a show");
    // The test does the work that the desk does in the background.
    engine.background().drain(..).for_each(|task| task.abort());
    engine.open_vault(KeysIn::File, Arc::new(SystemKeychain)).await.expect("a vault");
    engine
}

impl Stand {
    async fn open(database_url: Option<String>) -> Self {
        let clock = SetClock::at_ms(1_795_348_800_000);
        let Some(url) = database_url else {
            let folder = tempfile::tempdir().expect("a folder");
            let engine = open(&folder, None, &clock).await;
            return Self::around(clock, engine.clone(), engine, vec![folder]).await;
        };
        let folders = vec![tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
        let engine = open(&folders[0], Some(url.clone()), &clock).await;
        // The vault's key lies in a file: the second desk gets it as a copied folder would.
        let key = std::fs::read(folders[0].path().join("vault.key")).expect("a key");
        std::fs::write(folders[1].path().join("vault.key"), key).expect("written");
        let other = open(&folders[1], Some(url), &clock).await;
        Self::around(clock, engine, other, folders).await
    }

    async fn around(clock: Arc<SetClock>, engine: Engine, other: Engine, folders: Vec<TempDir>) -> Self {
        keys::install_tls();
        let now = clock.now();
        let google = Google::start(Some(now)).await;
        let apple = Apple::start(None, apple::Mood::with(Some(now), &[])).await;
        let service = PushService::start().await;
        let desk = engine.desk_actor().await.expect("the desk");
        let stand = Self { clock, engine, other, google, apple, service, desk, folders };
        stand.set_up_all().await;
        stand
    }

    async fn set_up_all(&self) {
        let account = keys::service_account(keys::PROJECT, "").to_string();
        self.set_up("fcm", json!({"service_account": account, "endpoint": self.google.server.url()})).await;
        let apns = json!({
            "key": keys::apple(), "key_id": keys::APPLE_KEY_ID, "team_id": keys::APPLE_TEAM_ID, "topic": TOPIC,
            "endpoint": self.apple.server.url(),
        });
        self.set_up("apns", apns).await;
        let web = json!({"subject": "mailto:show@example.org", "endpoint": self.service.server.url()});
        self.set_up("web", web).await;
    }

    async fn set_up(&self, provider: &str, input: Json) {
        let set = match provider {
            "fcm" => self.engine.set_fcm(&self.desk, serde_json::from_value(input).expect("an input")).await,
            "apns" => self.engine.set_apns(&self.desk, serde_json::from_value(input).expect("an input")).await,
            _ => self.engine.set_web(&self.desk, serde_json::from_value(input).expect("an input")).await,
        };
        set.expect("it is set up");
    }

    /// Somebody who works at the show, with a phone.
    async fn phone(&self, name: &str) -> Actor {
        self.phone_of(name, &[Function::Scale]).await
    }

    async fn phone_of(&self, name: &str, functions: &[Function]) -> Actor {
        let (person, device) = (PersonId(Uuid::now_v7()), DeviceId(Uuid::now_v7()));
        let now = self.clock.now();
        let actor = Actor {
            person,
            person_name: name.to_owned(),
            device,
            device_kind: DeviceKind::Phone,
            role: Role::Editor,
            functions: functions.to_vec(),
            scope: Scope::default(),
            permissions: Permissions::default(),
        };
        let mut tx = self.engine.db().begin_write(Seat::Owner).await.expect("a transaction");
        let team = people::listed(&mut tx, self.desk.device).await.expect("the desk").map(|row| row.person_name);
        assert!(team.is_some());
        people::add_profile(&mut tx, &ProfileRow { id: person, name: name.to_owned(), created_at: now })
            .await
            .expect("added");
        let team_id = Uuid::now_v7();
        people::add_team(&mut tx, &people::TeamRow { id: team_id, name: name.to_owned(), created_at: now })
            .await
            .expect("added");
        let member = MemberRow {
            team_id,
            person,
            role: Role::Editor,
            functions: actor.functions.clone(),
            scope: Scope::default(),
            permissions: Permissions::default(),
            created_at: now,
        };
        people::add_member(&mut tx, &member).await.expect("added");
        let row = DeviceRow::joining(device, person, DeviceKind::Phone, name.to_owned(), now);
        people::add_device(&mut tx, &row).await.expect("added");
        tx.commit().await.expect("committed");
        actor
    }

    /// A phone with an address at this provider; the address' id comes beside.
    async fn phone_at(&self, provider: &str, token: &str) -> (Actor, Uuid) {
        let phone = self.phone(token).await;
        let id = self.register(&phone, provider, token).await;
        (phone, id)
    }

    async fn register(&self, phone: &Actor, provider: &str, token: &str) -> Uuid {
        let input = match provider {
            "fcm" => json!({"platform": "android", "token": token}),
            "apns" => json!({"platform": "ios", "token": token, "environment": "production"}),
            _ => json!({
                "platform": "web", "token": token, "p256dh": browser_key(), "auth": AUTH,
            }),
        };
        let input = serde_json::from_value(input).expect("an input");
        self.engine.register_push_token(phone, input).await.expect("it is kept").0.id
    }

    /// The address of a page at the push service.
    fn page(&self, path: &str) -> String {
        format!("{}/{path}", self.service.server.url())
    }

    /// A message to everybody; answers its id.
    async fn send(&self, change: Json) -> Uuid {
        let mut asked = json!({
            "title": "Class 12 to ring 2", "body": "Please be there in 10 minutes.", "priority": "high",
            "audience": {"everybody": true}, "expires_at": self.clock.now() + TimeDelta::hours(2),
        });
        asked.as_object_mut().expect("an object").extend(change.as_object().cloned().unwrap_or_default());
        let asked: NewMessage = serde_json::from_value(asked).expect("a message");
        self.engine.send_message(&self.desk, asked).await.expect("it is sent").id
    }

    fn later(&self, by: TimeDelta) {
        self.clock.pass(by);
        let now = self.clock.now();
        self.google.change(|mood| mood.now = Some(now));
        self.apple.change(|mood| mood.now = Some(now));
    }

    /// The leases of who died are over: by this desk's clock, and by the database's, which no test can move.
    async fn after_the_lease(&self) {
        self.later(LEASE);
        let mut tx = self.engine.db().begin_write(Seat::Owner).await.expect("a transaction");
        claims::end_leases(&mut tx).await.expect("over");
        tx.commit().await.expect("committed");
    }

    /// Claims what is due, as this desk does that has nothing in hand; all services' together.
    async fn claimed(&self, engine: &Engine) -> (Arc<Ready>, Claimed) {
        let ready = engine.ready().await.expect("the senders");
        let until = engine.steady() + LEASE;
        let mut together = Claimed { errands: Vec::new(), until, in_hand: Vec::new() };
        for claimed in engine.claim_deliveries(&ready, &mut Hands::default()).await.expect("a claim") {
            together.errands.extend(claimed.errands);
            together.in_hand.extend(claimed.in_hand);
        }
        (ready, together)
    }

    /// Whether this way is held up.
    async fn is_open(&self, channel: Channel) -> bool {
        let ready = self.engine.ready().await.expect("the senders");
        self.engine.inner.delivery.circuits.is_open(channel, ready.since(channel))
    }

    /// Does all that is due.
    async fn deliver(&self) {
        for _ in 0..20 {
            if self.engine.send_push_notification().await.expect("a run") == 0 {
                return;
            }
        }
    }

    /// Sends a message and does what is due when its ten seconds are over.
    async fn send_and_deliver(&self, change: Json) -> Uuid {
        let id = self.send(change).await;
        self.later(TimeDelta::seconds(11));
        self.deliver().await;
        id
    }

    async fn rows(&self, message: Uuid) -> Vec<DeliveryRow> {
        let mut tx = self.engine.db().begin_read(Seat::Owner).await.expect("a transaction");
        let lines = desk::deliveries(&mut tx, message).await.expect("the deliveries");
        let ids: Vec<Uuid> = lines.iter().map(|line| line.id).collect();
        let errands = deliveries::load(&mut tx, &ids).await.expect("the deliveries");
        errands.into_iter().map(|errand| errand.row).collect()
    }

    /// The deliveries of a message through providers.
    async fn by_provider(&self, message: Uuid) -> Vec<DeliveryRow> {
        self.rows(message).await.into_iter().filter(|row| row.channel != Channel::Local).collect()
    }

    async fn token(&self, id: Uuid) -> TokenRow {
        let mut tx = self.engine.db().begin_read(Seat::Owner).await.expect("a transaction");
        push_tokens::load(&mut tx, &[id]).await.expect("the addresses").remove(0)
    }

    async fn provider(&self, channel: Channel) -> ProviderRow {
        let mut tx = self.engine.db().begin_read(Seat::Owner).await.expect("a transaction");
        let rows = push_providers::all(&mut tx).await.expect("the providers");
        rows.into_iter().find(|row| row.provider == channel).expect("it is set up")
    }

    /// What the table says of a message: pending, sent, failed.
    async fn status(&self, message: Uuid) -> String {
        let mut tx = self.engine.db().begin_read(Seat::Owner).await.expect("a transaction");
        showdesk_store::notifications::load(&mut tx, &[message]).await.expect("the message").remove(0).status
    }

    /// Titles of what was sent to the desk's own staff about providers.
    async fn told_of_providers(&self) -> usize {
        let mut tx = self.engine.db().begin_read(Seat::Owner).await.expect("a transaction");
        let count = desk::made_since(&mut tx, "provider", DateTime::UNIX_EPOCH).await;
        usize::try_from(count.expect("a count")).expect("few")
    }

    /// Three phones, one at each provider, and a message to them whose ten seconds are over.
    async fn due(&self) -> Uuid {
        self.apple.change(|mood| mood.set("ab12", apple::Phone::Here));
        self.phone_at("fcm", "token").await;
        self.phone_at("apns", "ab12").await;
        self.phone_at("web", &self.page("s/1")).await;
        let message = self.send(json!({})).await;
        self.later(TimeDelta::seconds(11));
        assert_eq!(self.engine.look_for_phones().await.expect("a look"), 3);
        message
    }

    /// How often each provider was asked for a message, and by how many keys.
    fn asked(&self) -> [(usize, usize); 3] {
        let keys = |keys: Vec<String>| {
            let count = keys.len();
            let mut keys = keys;
            keys.sort();
            keys.dedup();
            (count, keys.len())
        };
        let fcm = self.google.server.asked().into_iter().filter(|asked| asked.path != "/token");
        let fcm = fcm.map(|asked| {
            let body: Json = serde_json::from_slice(&asked.body).expect("JSON");
            body["message"]["android"]["collapseKey"].to_string()
        });
        let apns = self.apple.server.asked().into_iter();
        let apns = apns.map(|asked| format!("{} {}", asked.header("apns-id"), asked.header("apns-collapse-id")));
        let web = self.service.server.asked().into_iter().map(|asked| asked.header("topic").to_owned());
        [keys(fcm.collect()), keys(apns.collect()), keys(web.collect())]
    }

    async fn assert_all(&self, message: Uuid, status: DeliveryStatus) {
        let rows = self.by_provider(message).await;
        assert!(rows.len() == 3 && rows.iter().all(|row| row.status == status), "{rows:?}");
    }

    async fn close(self) {
        self.engine.close().await;
        self.other.close().await;
    }
}

/// The public key of a browser.
fn browser_key() -> String {
    use base64::Engine as _;
    let private = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([9; 32]);
    VapidKey::parse(&private).expect("a key").public().to_owned()
}
