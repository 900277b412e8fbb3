//! Many threads that take random locks together.

use std::thread;

use lockdep::ordered::{lock_pair, lock_slice};
use lockdep::sync::Mutex;
use lockdep::{lock_all, lock_all_backoff};

use crate::isolated::{found, run};

const THREADS: u64 = 8;
const LOCKS: usize = 64;

/// Acquisitions by each thread; fewer where each is slow.
const ROUNDS: usize = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };

/// Three different places.
fn pick(rng: &mut fastrand::Rng) -> [usize; 3] {
    let mut places = [rng.usize(0..LOCKS), rng.usize(0..LOCKS - 1), rng.usize(0..LOCKS - 2)];
    if places[1] >= places[0] {
        places[1] += 1;
    }
    let (low, high) = (places[0].min(places[1]), places[0].max(places[1]));
    places[2] += usize::from(places[2] >= low);
    places[2] += usize::from(places[2] >= high);
    places
}

/// Moves money about, in the ways that `transfer` knows; none may be lost.
fn exchange(transfer: impl Fn(&[Mutex<i64>], [usize; 3], usize) + Copy + Send + Sync) {
    let accounts: Vec<Mutex<i64>> = (0..LOCKS).map(|_| Mutex::new(1_000)).collect();
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let accounts = &accounts;
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(seed);
                for round in 0..ROUNDS {
                    transfer(accounts, pick(&mut rng), round);
                }
            });
        }
    });
    let sum: i64 = accounts.into_iter().map(|a| a.into_inner().expect("not poisoned")).sum();
    assert_eq!(sum, 1_000 * LOCKS as i64);
}

#[test]
fn random_pairs_and_triples_keep_the_sum_and_find_nothing() {
    let name = "ordered::threads::random_pairs_and_triples_keep_the_sum_and_find_nothing";
    let ended = run(name, || {
        exchange(|accounts, [a, b, c], round| match round % 4 {
            0 => {
                let (mut a, mut b) =
                    lock_all!(accounts[a].lock().unwrap(), accounts[b].lock().unwrap());
                (*a, *b) = (*a - 1, *b + 1);
            }
            1 => {
                let (a, b) = lock_pair(&accounts[a], &accounts[b]);
                *a.unwrap() -= 2;
                *b.unwrap() += 2;
            }
            2 => {
                let (mut a, mut b, mut c) = lock_all!(
                    accounts[a].lock().unwrap(),
                    accounts[b].lock().unwrap(),
                    accounts[c].lock().unwrap()
                );
                (*a, *b, *c) = (*a - 3, *b + 1, *c + 2);
            }
            _ => {
                let guards = lock_slice([&accounts[a], &accounts[b], &accounts[c]]);
                for (guard, change) in guards.into_iter().zip([5, -3, -2]) {
                    *guard.unwrap() += change;
                }
            }
        });
        assert!(lockdep::findings().is_empty(), "{:?}", found());
    });
    ended.well();
}

/// Half of the threads take the locks by hand, in the order of the day; the others must get on all
/// the same, and all must finish.
#[test]
fn back_off_gets_on_with_any_other_order() {
    let name = "ordered::threads::back_off_gets_on_with_any_other_order";
    let ended = run(name, || {
        exchange(|accounts, [a, b, c], round| {
            if round % 2 == 0 {
                let (mut a, mut b, mut c) = lock_all_backoff!(
                    accounts[a].lock().unwrap(),
                    accounts[b].lock().unwrap(),
                    accounts[c].lock().unwrap()
                );
                (*a, *b, *c) = (*a - 3, *b + 1, *c + 2);
            } else {
                let (low, high) = (a.min(b), a.max(b));
                let mut high = accounts[high].lock().unwrap();
                let mut low = accounts[low].lock().unwrap();
                (*low, *high) = (*low - 1, *high + 1);
            }
        });
        assert!(lockdep::findings().is_empty(), "{:?}", found());
    });
    ended.well();
}
