//! The production dispatcher and the real store in virtual time, with a network that fails, a
//! process that crashes, clocks that jump and wake-ups that get lost. One seed makes one history.
//!
//! A failing seed is printed with the command that replays it.

mod history;
mod invariants;
mod network;
mod slow;
mod world;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};

use history::History;
use world::World;

/// Seeds that every run plays.
const FIXED_SEEDS: u64 = 200;
/// Seeds whose histories once broke a promise.
const FOUND_SEEDS: [u64; 2] = [
    // Deliveries of a subscription that expired while it was paused waited for ever.
    239_735_689_552_204,
    // What arrived while a full page was read was sent before what came first in the store, where
    // the start after a crash did not look for it.
    84_906_218_937_424,
];
/// Seeds that differ from run to run, unless `HOOKYARD_FRESH_SEEDS` says how many and
/// `HOOKYARD_FIRST_SEED` where they begin.
const FRESH_SEEDS: u64 = 40;

/// Plays one seed in a runtime whose time passes only when everybody waits.
fn play(seed: u64) -> History {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(World::play(seed))
}

/// Plays a seed and checks what came of it; says how to replay it when that fails.
fn check(seed: u64) {
    let checked = catch_unwind(AssertUnwindSafe(|| {
        let history = play(seed);
        let broken = invariants::broken_by(&history);
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }));
    if checked.is_err() {
        #[expect(
            clippy::print_stdout,
            reason = "the reader of a failed test needs the command"
        )]
        {
            println!(
                "seed {seed} failed; replay it with: \
             HOOKYARD_SEED={seed} cargo test -p hookyard-delivery --test simulation"
            );
        }
    }
    assert!(checked.is_ok(), "seed {seed} failed");
}

fn asked_for(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "the one way to choose seeds")]
    let number = std::env::var(name).ok()?;
    let number = number.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn no_history_breaks_a_promise() {
    if let Some(seed) = asked_for("HOOKYARD_SEED") {
        return check(seed);
    }
    let fresh = asked_for("HOOKYARD_FIRST_SEED")
        .unwrap_or_else(|| RandomState::new().build_hasher().finish() >> 16);
    let fresh_seeds = asked_for("HOOKYARD_FRESH_SEEDS").unwrap_or(FRESH_SEEDS);
    let seeds: Vec<u64> = FOUND_SEEDS
        .into_iter()
        .chain(0..FIXED_SEEDS)
        .chain(fresh..fresh + fresh_seeds)
        .collect();
    std::thread::scope(|scope| {
        for half in seeds.chunks(seeds.len().div_ceil(2)) {
            scope.spawn(move || half.iter().for_each(|seed| check(*seed)));
        }
    });
}

#[test]
fn a_seed_replays_its_history() {
    for seed in [3, 77, 1_234] {
        assert_eq!(play(seed).sent, play(seed).sent, "seed {seed}");
    }
}

/// A checker that cannot fail proves nothing: each promise is broken once on purpose.
#[test]
fn a_broken_promise_is_seen() {
    let sound: Vec<History> = (1..7).map(play).collect();
    for (name, spoil) in invariants::SPOILERS {
        let seen = sound.iter().any(|history| {
            let mut history = history.clone();
            assert!(invariants::broken_by(&history).is_empty());
            spoil(&mut history) && !invariants::broken_by(&history).is_empty()
        });
        assert!(seen, "nobody saw that {name}");
    }
}
