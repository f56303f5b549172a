//! The pages of a first pull are kept for a minute, and nobody can tell: each reader ends with what a live pull tells it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::poll;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, Function, Scope};
use showdesk_domain::ids::DeviceId;
use showdesk_engine::api::cache::CacheView;
use showdesk_engine::api::sync::{Changes, PackedPage, PullPage, PullQuery, Pulled, Push, VerdictName};
use showdesk_engine::{DemoSize, Engine, Options};
use showdesk_testkit::{Joining, SetClock, on_both_engines};
use tempfile::TempDir;
use uuid::Uuid;

on_both_engines!(Show::open =>
    each_class_is_told_what_a_live_pull_tells_it,
    what_was_withdrawn_a_moment_ago_is_not_told,
    fifty_phones_join_while_entries_come_in,
    pages_are_made_though_the_first_phone_has_gone,
    pages_are_there_after_a_restart,
    pages_older_than_a_minute_are_given_to_nobody,
    an_unchanged_show_is_not_sent_again,
);

struct Show {
    /// None between closing and opening again: the folder's lock goes with the last one who has it.
    open: Option<Engine>,
    desk: Actor,
    clock: Arc<SetClock>,
    options: Options,
    next_seq: AtomicI64,
    _folder: TempDir,
}

/// What a reader knows: the newest change of each row.
type Rows = BTreeMap<(String, String), Json>;

impl Show {
    async fn open(database_url: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = SetClock::new();
        let options = Options {
            database_url,
            clock: Arc::<SetClock>::clone(&clock),
            pages_kept_from: 1,
            ..Options::new(folder.path())
        };
        let engine = Engine::open(options.clone()).await.expect("a show");
        let desk = engine.desk_actor().await.expect("the desk");
        Self { open: Some(engine), desk, clock, options, next_seq: AtomicI64::new(1), _folder: folder }
    }

    /// The same show, opened again; live if nothing is to be kept.
    async fn reopen(&mut self, pages_kept_from: i64) {
        self.engine().close().await;
        self.open = None;
        let options = Options { pages_kept_from, ..self.options.clone() };
        for _ in 0..200 {
            match Engine::open(options.clone()).await {
                Ok(engine) => return self.open = Some(engine),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        panic!("the show could not be opened again");
    }

    fn engine(&self) -> &Engine {
        self.open.as_ref().expect("it is open")
    }

    fn pass_seconds(&self, seconds: i64) {
        self.clock.pass_seconds(seconds);
    }

    async fn phone(&self, function: Function, scope: Scope) -> Actor {
        let joining = Joining { scope, ..Joining::to(&[function]) };
        let pass = joining.let_in(self.engine(), &format!("{function:?}")).await;
        self.engine().authenticate(&pass.token).await.expect("a phone")
    }

    async fn page(&self, actor: &Actor, query: PullQuery) -> PackedPage {
        match self.engine().pull_packed(actor, query).await.expect("a page") {
            Pulled::Page(page) => page,
            Pulled::Unchanged(_) => panic!("nothing was known"),
        }
    }

    async fn pull(&self, actor: &Actor, cursor: Option<String>, limit: usize, tables: &[&str]) -> PullPage {
        let tables = tables.iter().map(ToString::to_string).collect();
        let query = PullQuery { cursor, limit, tables, ..PullQuery::default() };
        self.engine().pull(actor, query).await.expect("a page")
    }

    /// Pulls to the end; no page is larger than it may be.
    async fn pull_all(&self, actor: &Actor, limit: usize, tables: &[&str]) -> Rows {
        let (mut rows, mut cursor) = (Rows::new(), None);
        loop {
            let page = self.pull(actor, cursor, limit, tables).await;
            assert!(page.changes.len() <= limit, "{} changes in a page of {limit}", page.changes.len());
            take(&mut rows, &page);
            if !page.has_more {
                return rows;
            }
            cursor = Some(page.cursor);
        }
    }

    fn op(&self, operation: &str, table: &str, id: Uuid, version: i64, data: &Json) -> Box<RawValue> {
        to_raw_value(&json!({
            "op_id": Uuid::now_v7().to_string(), "device_seq": self.next_seq.fetch_add(1, Ordering::SeqCst),
            "table_name": table, "record_id": id.to_string(), "operation": operation, "base_version": version,
            "data": data,
        }))
        .expect("JSON")
    }

    async fn push(&self, ops: Vec<Box<RawValue>>) {
        let epoch = self.engine().installation().await.expect("an installation").epoch;
        let push = Push::of(epoch, Uuid::from_u128(7), ops);
        let answer = self.engine().push(&self.desk, push).await.expect("an answer");
        for result in &answer.results {
            assert!(matches!(result.verdict, VerdictName::Applied | VerdictName::Merged), "{result:?}");
        }
    }

    async fn insert(&self, table: &str, id: Uuid, data: &Json) {
        self.push(vec![self.op("insert", table, id, 0, data)]).await;
    }

    /// Changes the show's own row.
    async fn change_show(&self, data: &Json) {
        let rows = self.pull_all(&self.desk, 1_000, &["shows"]).await;
        let ((_, id), row) = rows.first_key_value().expect("there is a show");
        let version = row["version"].as_i64().expect("a version");
        self.push(vec![self.op("update", "shows", id.parse().expect("an id"), version, data)]).await;
    }

    async fn view(&self) -> CacheView {
        self.engine().cache_view(&self.desk, Some("first-pull")).await.expect("the cache")
    }
}

fn take(rows: &mut Rows, page: &PullPage) {
    take_each(rows, page.changes.iter().map(|change| serde_json::from_str(change).expect("JSON")));
}

fn take_each(rows: &mut Rows, changes: impl Iterator<Item = Json>) {
    for change in changes {
        let text = |path: &str| change[path].as_str().expect("a text").to_owned();
        rows.insert((text("table_name"), text("record_id")), change);
    }
}

async fn each_class_is_told_what_a_live_pull_tells_it(mut show: Show) {
    show.engine().fill_demo(&show.desk, DemoSize::Small, "C").await.expect("a demo show");
    let called = json!({
        "back_number": 990, "first_name": "Nora", "last_name": "Birch", "club_chapter": "Willow Bend",
        "guardian_phone": "555-0100",
    });
    show.insert("exhibitors", Uuid::now_v7(), &called).await;
    let exhibitor = show.pull_all(&show.desk, 1_000, &["exhibitors"]).await;
    let own = exhibitor.keys().next().expect("an exhibitor").1.parse().expect("an id");
    let readers = [
        show.phone(Function::Checkin, Scope::default()).await,
        show.phone(Function::Scale, Scope::default()).await,
        show.phone(Function::Viewer, Scope::default()).await,
        show.phone(Function::Viewer, Scope { exhibitor_ids: vec![own], ..Scope::default() }).await,
    ];
    let questions: [(usize, &[&str]); 4] =
        [(1_000, &[]), (150, &[]), (7, &["animals", "rings"]), (1_000, &["entries"])];
    let mut told = Vec::new();
    for reader in &readers {
        for (limit, tables) in questions {
            told.push(show.pull_all(reader, limit, tables).await);
        }
    }
    let view = show.view().await;
    let scopes: Vec<&str> = view.top.iter().map(|top| top.scope).collect();
    assert!(
        ["public", "staff", "office"].iter().all(|scope| scopes.contains(scope)) && scopes.len() == 3,
        "{scopes:?}"
    );
    assert_eq!(view.misses, 3, "pages are made once for each class");
    let phone_of = |rows: &Rows| rows.values().filter(|row| row["data"]["guardian_phone"].is_string()).count();
    assert!(phone_of(&told[0]) > 0, "the office sees whom to call");
    assert!(told[4..12].iter().all(|rows| phone_of(rows) == 0), "nobody else does");
    assert!(told[12].len() > told[8].len(), "a viewer's own rows are not other viewers'");
    show.reopen(i64::MAX).await;
    let mut kept = told.into_iter();
    for reader in &readers {
        for (limit, tables) in questions {
            let live = show.pull_all(reader, limit, tables).await;
            assert_eq!(kept.next().as_ref(), Some(&live), "{:?} pages of {limit} of {tables:?}", reader.read_class());
            assert!(!live.is_empty());
        }
    }
}

async fn what_was_withdrawn_a_moment_ago_is_not_told(show: Show) {
    let [ring, exhibitor, steer, class] = [(); 4].map(|()| Uuid::now_v7());
    show.insert("rings", ring, &json!({"name": "Ring 1"})).await;
    let person = json!({"back_number": 501, "first_name": "Nora", "last_name": "Birch", "club_chapter": "Willow Bend"});
    show.insert("exhibitors", exhibitor, &person).await;
    show.insert(
        "classes",
        class,
        &json!({"name": "Open Steer", "department": "cattle", "kind": "market", "ring_id": ring}),
    )
    .await;
    let animal =
        json!({"exhibitor_id": exhibitor, "species": "cattle", "sex": "steer", "breed": "Angus", "tag": "9001"});
    show.insert("animals", steer, &animal).await;
    let entry = Uuid::new_v5(&class, steer.to_string().as_bytes());
    show.insert("entries", entry, &json!({"exhibitor_id": exhibitor, "animal_id": steer, "family_id": class})).await;
    for stage in ["B", "C", "D"] {
        show.change_show(&json!({"stage": stage})).await;
    }
    let placing = Uuid::new_v5(&class, entry.to_string().as_bytes());
    show.insert("placings", placing, &json!({"class_id": class, "entry_id": entry, "place": 1})).await;
    show.change_show(&json!({"rules": {"results_visibility": "posted"}})).await;
    let key = ("placings".to_owned(), placing.to_string());
    let first = show.phone(Function::Viewer, Scope::default()).await;
    assert_eq!(show.pull_all(&first, 500, &[]).await[&key]["op"], "upsert");
    let made = show.view().await.misses;
    show.change_show(&json!({"rules": {"results_visibility": "official"}})).await;
    let second = show.phone(Function::Viewer, Scope::default()).await;
    for limit in [1_000, 1] {
        let (mut cursor, mut pages) = (None, 0);
        loop {
            let page = show.pull(&second, cursor, limit, &[]).await;
            let told: Vec<Json> = page.changes.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
            let of_it: Vec<&Json> = told.iter().filter(|change| change["record_id"] == key.1).collect();
            assert!(of_it.iter().all(|change| change["op"] == "revoke" && change["data"].is_null()), "{of_it:?}");
            pages += 1;
            if !page.has_more {
                break;
            }
            cursor = Some(page.cursor);
        }
        assert!(pages > 1 || limit > 1);
    }
    assert_eq!(show.view().await.misses, made, "they were served from the pages of before");
}

async fn fifty_phones_join_while_entries_come_in(mut show: Show) {
    show.engine().fill_demo(&show.desk, DemoSize::County, "B").await.expect("a demo show");
    let functions = [Function::Checkin, Function::Scale, Function::Viewer];
    let mut kinds = Vec::new();
    for function in functions {
        kinds.push(show.phone(function, Scope::default()).await);
    }
    let phones: Vec<Actor> =
        (0..50).map(|n| Actor { device: DeviceId(Uuid::now_v7()), ..kinds[n % kinds.len()].clone() }).collect();
    let rings: Vec<Uuid> = (0..60).map(|_| Uuid::now_v7()).collect();
    let animals = show.pull_all(&show.desk, 1_000, &["animals"]).await;
    let before = show.view().await;
    let began = show.engine().clock().await.expect("a number");
    let pushing = async {
        for (ring, ((_, animal), row)) in rings.iter().zip(&animals) {
            let (animal, version) = (animal.parse().expect("an id"), row["version"].as_i64().expect("a version"));
            let added = show.op("insert", "rings", *ring, 0, &json!({"name": ring.to_string()}));
            let moved = show.op("update", "animals", animal, version, &json!({"pen": "Z9"}));
            show.push(vec![added, moved]).await;
            if ring.as_bytes()[15] % 2 == 0 {
                show.push(vec![show.op("delete", "rings", *ring, 1, &json!({}))]).await;
            }
        }
    };
    let joining = futures_util::future::join_all(phones.iter().map(|phone| show.join(phone, began)));
    let ((), joined) = tokio::join!(pushing, joining);
    let after = show.view().await;
    let (hits, misses) = (after.hits - before.hits, after.misses - before.misses);
    assert!(hits * 10 >= (hits + misses) * 9, "{hits} of {} were there when they were asked for", hits + misses);
    let count = |of: fn(&Joined) -> usize| joined.iter().map(of).sum::<usize>();
    let (packed, far) = (count(|joined| joined.packed), count(|joined| joined.far));
    assert!(packed * 10 >= far * 9 && far >= 100, "{packed} of {far} pages went out as they were kept");
    let mut ended = Vec::new();
    for (phone, Joined { mut rows, cursor, .. }) in phones.iter().zip(joined) {
        let page = show.pull(phone, Some(cursor), 1_000, &[]).await;
        assert!(!page.has_more);
        take(&mut rows, &page);
        ended.push(rows);
    }
    show.reopen(i64::MAX).await;
    for (kind, function) in kinds.iter().zip(functions) {
        let live = only_live(show.pull_all(kind, 1_000, &[]).await);
        for (phone, rows) in phones.iter().zip(&ended).filter(|(phone, _)| phone.functions == [function]) {
            assert_eq!(only_live(rows.clone()), live, "{function:?} {:?}", phone.device);
        }
    }
}

/// What a phone shows: who came before a row was deleted has its tombstone, who came later never heard of it.
fn only_live(mut rows: Rows) -> Rows {
    rows.retain(|_, change| change["op"] == "upsert");
    rows
}

/// How a phone's first pull went.
struct Joined {
    rows: Rows,
    cursor: String,
    /// Pages asked for when more than one page was left of what had been there when it began.
    far: usize,
    /// Those of them in which changes went out as they were packed.
    packed: usize,
}

impl Show {
    /// Pulls to the end in pages of the phone's size, and gives others their turn between two of them.
    async fn join(&self, phone: &Actor, began: i64) -> Joined {
        const LIMIT: usize = 500;
        let mut joined = Joined { rows: Rows::new(), cursor: String::new(), far: 0, packed: 0 };
        let (mut cursor, mut reached) = (None, 0);
        loop {
            let page = self.page(phone, PullQuery { cursor, limit: LIMIT, ..PullQuery::default() }).await;
            let is_far = began - reached > i64::try_from(LIMIT).expect("small");
            let is_packed = page.changes.iter().any(|changes| matches!(changes, Changes::Packed(_)));
            joined.far += usize::from(is_far);
            joined.packed += usize::from(is_far && is_packed);
            let changes = changes_of(&page);
            reached = changes.last().and_then(|change| change["seq"].as_i64()).unwrap_or(reached);
            take_each(&mut joined.rows, changes.into_iter());
            if !page.has_more {
                return Joined { cursor: page.cursor, ..joined };
            }
            cursor = Some(page.cursor);
            tokio::task::yield_now().await;
        }
    }
}

fn changes_of(page: &PackedPage) -> Vec<Json> {
    let text = |changes: &Changes| match changes {
        Changes::Each(each) => each.join(","),
        Changes::Packed(packed) => packed.text(),
    };
    let texts: Vec<String> = page.changes.iter().map(text).filter(|text| !text.is_empty()).collect();
    serde_json::from_str(&format!("[{}]", texts.join(","))).expect("JSON")
}

async fn pages_are_made_though_the_first_phone_has_gone(show: Show) {
    show.engine().fill_demo(&show.desk, DemoSize::County, "B").await.expect("a demo show");
    let gone = show.phone(Function::Scale, Scope::default()).await;
    let next = Actor { device: DeviceId(Uuid::now_v7()), ..gone.clone() };
    let query = || PullQuery { limit: 500, ..PullQuery::default() };
    let mut asked = Box::pin(show.engine().pull_packed(&gone, query()));
    while show.view().await.misses == 0 {
        assert!(poll!(&mut asked).is_pending(), "it waits until its pages are made");
    }
    drop(asked);
    for tries in 0.. {
        assert!(tries < 1_000, "what was begun is made to its end");
        if show.view().await.entries == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let page = show.page(&next, query()).await;
    assert!(page.changes.iter().any(|changes| matches!(changes, Changes::Packed(_))));
    let view = show.view().await;
    assert_eq!((view.misses, view.hits), (1, 1), "it was made once, and the next phone was given it");
}

async fn pages_are_there_after_a_restart(mut show: Show) {
    show.engine().fill_demo(&show.desk, DemoSize::County, "B").await.expect("a demo show");
    let phone = show.phone(Function::Scale, Scope::default()).await;
    let rows = show.pull_all(&phone, 500, &[]).await;
    assert_eq!(show.view().await.misses, 1);
    for tries in 0.. {
        assert!(tries < 500, "the pages were never written");
        if show.view().await.on_disk.entries == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    show.reopen(1).await;
    assert_eq!(show.pull_all(&phone, 500, &[]).await, rows);
    let view = show.view().await;
    assert_eq!(view.misses, 0, "nothing was made again");
    assert!(view.hits >= 2, "{}", view.hits);
    let viewer = show.phone(Function::Viewer, Scope::default()).await;
    assert!(show.pull_all(&viewer, 500, &[]).await.len() < rows.len());
    assert_eq!(show.view().await.misses, 1, "another class has pages of its own");
    show.pass_seconds(60);
    show.reopen(1).await;
    assert_eq!(show.view().await.on_disk.entries, 0, "what has expired is not there, though its row is");
    assert_eq!(show.pull_all(&phone, 500, &[]).await, rows);
    assert_eq!(show.view().await.misses, 1);
}

async fn pages_older_than_a_minute_are_given_to_nobody(show: Show) {
    show.engine().fill_demo(&show.desk, DemoSize::Small, "B").await.expect("a demo show");
    let phone = show.phone(Function::Scale, Scope::default()).await;
    let page = show.page(&phone, PullQuery { limit: 100, ..PullQuery::default() }).await;
    show.pass_seconds(39);
    show.pull_all(&phone, 100, &[]).await;
    assert_eq!(show.view().await.misses, 1);
    show.pass_seconds(21);
    assert!(show.view().await.top.is_empty(), "it is not even listed");
    // In the middle of them: nothing is made for the rest of a pull.
    let rest = show.pull(&phone, Some(page.cursor), 100, &[]).await;
    assert!(rest.has_more && rest.changes.len() == 100);
    assert_eq!(show.view().await.misses, 1);
    show.pull_all(&phone, 100, &[]).await;
    assert_eq!(show.view().await.misses, 2);
    show.pass_seconds(40);
    show.pull_all(&phone, 100, &[]).await;
    for tries in 0.. {
        assert!(tries < 500, "what grows old is made anew beside who asks");
        if show.view().await.misses == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn an_unchanged_show_is_not_sent_again(show: Show) {
    show.engine().fill_demo(&show.desk, DemoSize::Small, "B").await.expect("a demo show");
    let phone = show.phone(Function::Scale, Scope::default()).await;
    let viewer = show.phone(Function::Viewer, Scope::default()).await;
    let ask = |known: Option<&str>, limit: usize| PullQuery {
        limit,
        known: known.map(str::to_owned),
        ..PullQuery::default()
    };
    let page = show.page(&phone, ask(None, 200)).await;
    let again = show.engine().pull_packed(&phone, ask(Some(&page.etag), 200)).await.expect("an answer");
    assert!(matches!(again, Pulled::Unchanged(etag) if etag == page.etag));
    let listed = format!("\"other\", {}", page.etag);
    assert!(matches!(show.engine().pull_packed(&phone, ask(Some(&listed), 200)).await, Ok(Pulled::Unchanged(_))));
    // Another question, another reader and another state of the show have other answers.
    show.page(&phone, ask(Some(&page.etag), 100)).await;
    show.page(&viewer, ask(Some(&page.etag), 200)).await;
    show.insert("rings", Uuid::now_v7(), &json!({"name": "Ring 9"})).await;
    assert_ne!(show.page(&phone, ask(Some(&page.etag), 200)).await.etag, page.etag);
}
