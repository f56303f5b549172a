//! The shelf under a clock that stands still: what is given, what is made, and for whom.

use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::atomic::AtomicUsize;

use futures_util::future::{BoxFuture, join_all};
use futures_util::poll;
use showdesk_testkit::SetClock;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::*;
use crate::Options;

async fn show() -> (Engine, Arc<SetClock>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::new();
    let options = Options { clock: Arc::<SetClock>::clone(&clock), ..Options::new(folder.path()) };
    (Engine::open(options).await.expect("a show"), clock, folder)
}

fn want(readers: Readers) -> Want {
    Want {
        tag: Tag::Charts,
        readers,
        asker: PersonId(Uuid::from_u128(1)),
        made_of: "today".to_owned(),
        fresh_for: TimeDelta::seconds(10),
        lives_for: TimeDelta::seconds(10),
        row_bytes: None,
        patience: Duration::from_secs(20),
    }
}

/// Makes 1, then 2, and so on.
fn counting(made: &Arc<AtomicUsize>) -> impl Fn(Engine) -> Ready<Result<Vec<u8>>> + Clone + Send + Sync + 'static {
    let made = Arc::clone(made);
    move |_| ready(Ok(vec![u8::try_from(made.fetch_add(1, Ordering::SeqCst) + 1).unwrap_or(0)]))
}

/// The same, each when the gate lets one through.
fn gated(
    made: &Arc<AtomicUsize>,
    gate: &Arc<Semaphore>,
) -> impl Fn(Engine) -> BoxFuture<'static, Result<Vec<u8>>> + Clone + Send + Sync + 'static {
    let (gate, maker) = (Arc::clone(gate), counting(made));
    move |engine| {
        let (gate, value) = (Arc::clone(&gate), maker(engine));
        Box::pin(async move {
            gate.acquire().await.expect("it is open").forget();
            value.await
        })
    }
}

/// Waits until something holds.
async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect("it comes true");
}

/// Waits until a value is kept.
async fn until_kept<F, Made>(engine: &Engine, want: &Want, maker: &F) -> Vec<u8>
where
    F: Fn(Engine) -> Made + Clone + Send + Sync + 'static,
    Made: Future<Output = Result<Vec<u8>>> + Send,
{
    let kept = async {
        loop {
            match engine.kept(want, maker, Some).await {
                Some(entry) => return entry.value.clone(),
                None => tokio::task::yield_now().await,
            }
        }
    };
    timeout(Duration::from_secs(20), kept).await.expect("it is kept in the end")
}

#[tokio::test]
async fn what_has_expired_is_never_given() {
    let (engine, clock, _folder) = show().await;
    let made = Arc::new(AtomicUsize::new(0));
    let maker = counting(&made);
    let want = want(Readers::Admins);
    for (step_ms, expected) in [(0, 1), (9_999, 1), (1, 2), (9_999, 2), (10_000, 3), (-5_000, 3), (-60_000, 4)] {
        clock.pass(TimeDelta::milliseconds(step_ms));
        let entry = engine.kept_or_made(&want, &maker).await.expect("a value");
        assert_eq!(entry.value, [expected], "{step_ms} ms later");
    }
    clock.pass_seconds(10);
    assert!(engine.kept(&want, &maker, Some).await.is_none());
}

#[tokio::test]
async fn what_takes_longer_to_make_than_it_lives_is_given_to_who_waited() {
    let (engine, clock, _folder) = show().await;
    let (made, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let maker = gated(&made, &gate);
    let want = want(Readers::Admins);
    let mut asking = pin!(join_all((0..2).map(|_| engine.kept_or_made(&want, &maker))));
    assert!(poll!(&mut asking).is_pending());
    until(|| made.load(Ordering::SeqCst) == 1).await;
    clock.pass_seconds(50);
    gate.add_permits(1);
    for given in asking.await {
        assert_eq!(given.expect("a value").value, [1]);
    }
    let figures = engine.cache_figures();
    assert_eq!((figures.hits, figures.misses), (1, 1));
    assert!(engine.kept(&want, &maker, Some).await.is_none(), "who did not wait is not given what has expired");
    gate.add_permits(1);
    assert_eq!(engine.kept_or_made(&want, &maker).await.expect("a value").value, [2]);
}

#[tokio::test]
async fn what_grows_old_is_given_once_more_and_made_anew() {
    let (engine, clock, _folder) = show().await;
    let made = Arc::new(AtomicUsize::new(0));
    let maker = counting(&made);
    let want = Want { lives_for: TimeDelta::seconds(60), ..want(Readers::Admins) };
    engine.kept_or_made(&want, &maker).await.expect("a value");
    clock.pass_seconds(10);
    for _ in 0..3 {
        assert_eq!(engine.kept_or_made(&want, &maker).await.expect("a value").value, [1]);
    }
    let renewed = async {
        while engine.kept_or_made(&want, &maker).await.expect("a value").value != [2] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), renewed).await.expect("it is made anew");
    assert_eq!(made.load(Ordering::SeqCst), 2, "once for all who asked");
}

#[tokio::test]
async fn readers_of_two_classes_never_share() {
    let (engine, _clock, _folder) = show().await;
    let made = Arc::new(AtomicUsize::new(0));
    let maker = counting(&made);
    let classes = [ReadClass::Public, ReadClass::Staff, ReadClass::Office].map(Readers::Class);
    let mut values = Vec::new();
    for readers in classes.into_iter().chain([Readers::Admins]) {
        values.push(engine.kept_or_made(&want(readers), &maker).await.expect("a value").value.clone());
    }
    assert_eq!(values, [[1], [2], [3], [4]]);
    for (readers, value) in classes.into_iter().zip(values) {
        assert_eq!(engine.kept(&want(readers), &maker, Some).await.expect("it is kept").value, value);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_who_ask_at_once_wait_for_one() {
    const ASKING: usize = 100;
    let (engine, _clock, _folder) = show().await;
    let (made, waiting) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Arc::new(Semaphore::new(0));
    let maker = gated(&made, &gate);
    let ask = || {
        let (engine, maker) = (engine.clone(), maker.clone());
        let (waiting, gate) = (Arc::clone(&waiting), Arc::clone(&gate));
        tokio::spawn(async move {
            let want = want(Readers::Admins);
            let mut asked = pin!(engine.kept_or_made(&want, &maker));
            assert!(poll!(&mut asked).is_pending());
            // Nothing is made before all of them wait; were there two makings the second would go through as well.
            if waiting.fetch_add(1, Ordering::SeqCst) + 1 == ASKING {
                gate.add_permits(ASKING);
            }
            asked.await.expect("a value").value.clone()
        })
    };
    let asking: Vec<_> = (0..ASKING).map(|_| ask()).collect();
    for asked in asking {
        let value = timeout(Duration::from_secs(20), asked).await.expect("in time").expect("no panic");
        assert_eq!(value, [1]);
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
    let figures = engine.cache_figures();
    assert_eq!((figures.hits, figures.misses), (99, 1));
}

#[tokio::test]
async fn what_was_begun_is_made_though_who_asked_has_gone() {
    let (engine, _clock, _folder) = show().await;
    let (made, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let maker = gated(&made, &gate);
    let patient = want(Readers::Admins);
    for _ in 0..3 {
        let mut asked = Box::pin(engine.kept_or_made(&patient, &maker));
        assert!(poll!(&mut asked).is_pending(), "it hangs up");
    }
    let impatient = Want { patience: Duration::ZERO, ..want(Readers::Admins) };
    for _ in 0..3 {
        let refused = engine.kept_or_made(&impatient, &maker).await;
        assert!(matches!(refused, Err(EngineError::Busy { .. })), "it does not wait");
    }
    gate.add_permits(9);
    assert_eq!(until_kept(&engine, &patient, &maker).await, [1]);
    assert_eq!(made.load(Ordering::SeqCst), 1, "it was begun once");
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_wait_and_none_tries_for_itself() {
    const ASKING: usize = 20;
    let (engine, _clock, _folder) = show().await;
    let want = want(Readers::Admins);
    let (tries, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let maker = {
        let (tries, gate) = (Arc::clone(&tries), Arc::clone(&gate));
        move |_: Engine| {
            let (tries, gate) = (Arc::clone(&tries), Arc::clone(&gate));
            async move {
                gate.acquire().await.expect("it is open").forget();
                match tries.fetch_add(1, Ordering::SeqCst) {
                    0 => Err(EngineError::NotFound("it")),
                    1 => Err(EngineError::RecordingOff),
                    2 => panic!("on purpose"),
                    _ => Ok(vec![9]),
                }
            }
        }
    };
    let mut told = Vec::new();
    for tries_before in 0..3 {
        let mut asking = join_all((0..ASKING).map(|_| engine.kept_or_made(&want, &maker)));
        assert!(poll!(&mut asking).is_pending());
        gate.add_permits(1);
        let answers = timeout(Duration::from_secs(20), asking).await.expect("nobody waits for ever");
        assert_eq!(tries.load(Ordering::SeqCst), tries_before + 1);
        let count =
            |is: fn(&EngineError) -> bool| answers.iter().filter(|answer| answer.as_ref().is_err_and(is)).count();
        told.push([
            count(|error| matches!(error, EngineError::NotFound(_))),
            count(|error| matches!(error, EngineError::RecordingOff)),
            count(|error| matches!(error, EngineError::Busy { .. })),
        ]);
    }
    assert_eq!(told, [[1, 0, 19], [0, 20, 0], [0, 0, 20]], "a cause is for one log line only");
    gate.add_permits(1);
    assert_eq!(engine.kept_or_made(&want, &maker).await.expect("a value").value, [9]);
    assert_eq!(engine.cache_figures().misses, 3 * 20 + 1, "nobody was given anything");
}

#[tokio::test]
async fn what_is_being_made_ends_with_the_show() {
    let (engine, _clock, _folder) = show().await;
    let (made, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let maker = gated(&made, &gate);
    let want = want(Readers::Admins);
    let mut asked = pin!(engine.kept_or_made(&want, &maker));
    assert!(poll!(&mut asked).is_pending());
    engine.close().await;
    let told = timeout(Duration::from_secs(20), asked).await.expect("who waits is told");
    assert!(matches!(told, Err(EngineError::Busy { .. })));
    assert!(matches!(engine.kept_or_made(&want, &maker).await, Err(EngineError::Busy { .. })), "nothing begins");
    // What was begun held the gate, and the show.
    until(|| Arc::strong_count(&engine.inner) == 1).await;
}

#[tokio::test]
async fn a_changed_rule_overtakes_drawings_and_leaves_pages_alone() {
    let (engine, _clock, _folder) = show().await;
    let [charts_made, pages_made] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let [charts_gate, pages_gate] = [(); 2].map(|()| Arc::new(Semaphore::new(0)));
    let (draw, pack) = (gated(&charts_made, &charts_gate), gated(&pages_made, &pages_gate));
    let charts = want(Readers::Admins);
    let [kept, begun] = ["kept", "begun"].map(|made_of| Want {
        tag: Tag::FirstPull,
        made_of: made_of.to_owned(),
        ..want(Readers::Class(ReadClass::Staff))
    });
    pages_gate.add_permits(1);
    engine.kept_or_made(&kept, &pack).await.expect("pages");
    let mut packing = pin!(engine.kept_or_made(&begun, &pack));
    let mut drawing = pin!(engine.kept_or_made(&charts, &draw));
    assert!(poll!(&mut packing).is_pending() && poll!(&mut drawing).is_pending());
    until(|| [&charts_made, &pages_made].map(|made| made.load(Ordering::SeqCst)) == [1, 2]).await;
    engine.forget_charts().await;
    let mut again = pin!(engine.kept_or_made(&charts, &draw));
    assert!(poll!(&mut again).is_pending());
    charts_gate.add_permits(9);
    pages_gate.add_permits(9);
    let values = [packing.await, drawing.await, again.await].map(|entry| entry.expect("a value").value.clone());
    assert_eq!(charts_made.load(Ordering::SeqCst), 2, "who asks after the change is not given what was begun before");
    assert_eq!(engine.kept(&charts, &draw, Some).await.expect("it is kept").value, values[2]);
    assert_eq!(engine.kept(&begun, &pack, Some).await.expect("it is kept").value, values[0]);
    assert!(engine.kept(&kept, &pack, Some).await.is_some());
}

#[tokio::test]
async fn what_could_not_be_made_is_tried_again_and_not_kept() {
    let (engine, _clock, _folder) = show().await;
    let tries = Arc::new(AtomicUsize::new(0));
    let maker = {
        let tries = Arc::clone(&tries);
        move |_: Engine| {
            let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
            ready(if first { Err(EngineError::NotFound("it")) } else { Ok(vec![9]) })
        }
    };
    let want = want(Readers::Admins);
    assert!(matches!(engine.kept_or_made(&want, &maker).await, Err(EngineError::NotFound(_))));
    assert_eq!(engine.kept_or_made(&want, &maker).await.expect("a value").value, [9]);
    assert_eq!(engine.cache_figures().misses, 2);
}

#[tokio::test]
async fn what_is_forgotten_while_it_is_made_is_not_kept() {
    let (engine, _clock, _folder) = show().await;
    let made = Arc::new(AtomicUsize::new(0));
    let maker = {
        let made = Arc::clone(&made);
        move |engine: Engine| {
            let made = Arc::clone(&made);
            async move {
                if made.fetch_add(1, Ordering::SeqCst) == 0 {
                    engine.forget_charts().await;
                }
                Ok(vec![u8::try_from(made.load(Ordering::SeqCst)).unwrap_or(0)])
            }
        }
    };
    let want = want(Readers::Admins);
    assert_eq!(engine.kept_or_made(&want, &maker).await.expect("a value").value, [1]);
    assert!(engine.kept(&want, &maker, Some).await.is_none());
    assert_eq!(engine.kept_or_made(&want, &maker).await.expect("a value").value, [2]);
    assert!(engine.kept(&want, &maker, Some).await.is_some());
    engine.forget_charts().await;
    assert!(engine.kept(&want, &maker, Some).await.is_none());
}

#[tokio::test]
async fn clearing_takes_the_kind_that_is_meant_and_is_on_record() {
    let (engine, _clock, _folder) = show().await;
    let desk = engine.desk_actor().await.expect("the desk");
    let made = Arc::new(AtomicUsize::new(0));
    let maker = counting(&made);
    let charts = want(Readers::Admins);
    let pages = Want { tag: Tag::FirstPull, ..want(Readers::Class(ReadClass::Staff)) };
    for want in [&charts, &pages] {
        engine.kept_or_made(want, &maker).await.expect("a value");
    }
    let view = engine.cache_view(&desk, None).await.expect("the cache");
    assert_eq!((view.entries, view.misses, view.hit_percent), (2, 2, Some(0)));
    assert!(view.bytes > 0 && view.bytes == view.kinds.iter().map(|kind| kind.bytes).sum::<u64>());
    assert_eq!(engine.clear_cache(&desk, Some("charts")).await.expect("cleared").removed, 1);
    assert!(engine.kept(&charts, &maker, Some).await.is_none() && engine.kept(&pages, &maker, Some).await.is_some());
    assert_eq!(engine.clear_cache(&desk, None).await.expect("cleared").removed, 1);
    for hostile in ["", "Charts", "%", "charts' OR 1=1", "first_pull"] {
        let refused = engine.clear_cache(&desk, Some(hostile)).await;
        assert!(matches!(refused, Err(EngineError::BadQuery { .. })), "{hostile}");
    }
    let query = crate::api::attention::AuditQuery { limit: 10, ..Default::default() };
    let record = engine.audit(&desk, query).await.expect("the record").items;
    let cleared: Vec<_> = record.iter().filter(|row| row.action == "cache_cleared").map(|row| &row.after).collect();
    assert_eq!(cleared.len(), 2);
}
