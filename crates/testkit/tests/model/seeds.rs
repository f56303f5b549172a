//! The seven invariants of PROTOCOL.md §8 hold for every seed.

use showdesk_testkit::sim::{Engines, Plan, Summary, simulate_all};

/// Seeds of an ordinary test run; `SHOWDESK_SIM_SEEDS` names another number.
const SEEDS: u64 = 500;
/// Seeds with restores.
const RESTORE_SEEDS: u64 = 60;
/// Seeds on two desks of one Postgres: each makes a database of its own.
const DESK_SEEDS: u64 = 16;
/// Seeds that failed once, and those that failed with restores. They are played for good.
const REGRESSIONS: &str = include_str!("regressions.txt");
const RESTORE_REGRESSIONS: &str = include_str!("restore_regressions.txt");

/// Plays the seeds and tells nobody meanwhile.
fn play(seeds: &[u64], plan: Plan) -> Summary {
    simulate_all(seeds, plan, |_, _| ())
}

fn expect_clean(summary: &Summary) {
    println!("{summary}");
    let stories: Vec<String> = summary.failed.iter().map(showdesk_testkit::sim::Report::story).collect();
    assert!(stories.is_empty(), "{} seeds failed\n{}", stories.len(), stories.join("\n"));
}

#[test]
fn the_invariants_hold_for_every_seed() {
    let count = std::env::var("SHOWDESK_SIM_SEEDS").ok().map_or(SEEDS, |text| text.parse().expect("a number"));
    let seeds: Vec<u64> = (1..=count).collect();
    let summary = play(&seeds, Plan::default());
    expect_clean(&summary);
    let total = &summary.total;
    let share = |names: &[&str]| {
        let of = |name: &&str| total.verdicts.get(*name).copied().unwrap_or(0);
        names.iter().map(of).sum::<usize>() * 100 / total.verdicts.values().sum::<usize>().max(1)
    };
    // A run in which nobody gets in anybody's way proves nothing.
    assert!(share(&["merged"]) >= 5 && share(&["conflict", "held"]) >= 3, "{:?}", total.verdicts);
    assert!(share(&["rejected"]) <= 40, "{:?}", total.rejections);
    assert!(total.replayed > 0 && total.undone > 0 && total.restarts > 0 && total.role_changes > 0);
}

#[test]
fn the_invariants_hold_when_old_copies_are_put_back() {
    let seeds: Vec<u64> = (1..=RESTORE_SEEDS).collect();
    let summary = play(&seeds, Plan { restores: true, ..Plan::default() });
    expect_clean(&summary);
    let asked = summary.total.clashes.get("restored_server").copied().unwrap_or(0);
    assert!(summary.total.restores > 0 && asked > 0, "nothing was lost and given back");
}

#[test]
fn the_invariants_hold_over_two_desks_on_postgres() {
    let seeds: Vec<u64> = (1..=DESK_SEEDS).collect();
    expect_clean(&play(&seeds, Plan { engines: Engines::Postgres { desks: 2 }, ..Plan::default() }));
}

#[test]
fn seeds_that_failed_once_hold() {
    for (list, restores) in [(REGRESSIONS, false), (RESTORE_REGRESSIONS, true)] {
        let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let seeds: Vec<u64> = lines.map(|line| line.parse().expect("a seed a line")).collect();
        assert!(!seeds.is_empty());
        expect_clean(&play(&seeds, Plan { restores, ..Plan::default() }));
    }
}
