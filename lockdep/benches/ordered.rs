//! What ordered acquisition costs over sorting by hand: random pairs and triples of 64 locks, on one
//! thread and on eight, with the locks of `std` and with those of this crate.
//!
//! By hand means sorting places of an array, which is the cheapest order there is. The first line
//! is a bare atomic load, to compare machines by; each figure is the best of several runs, in which
//! the forms take turns.

use std::hint::black_box;
use std::sync::LockResult;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockdep::lock_all;
use lockdep::ordered::Lockable;

const LOCKS: usize = 64;
const ROUNDS: u32 = 400_000;
const RUNS: usize = 7;

/// A mutex of either library, so that the forms are written once.
trait Counter: Sync + Lockable {
    type Guard<'a>: std::ops::DerefMut<Target = u64>
    where
        Self: 'a;

    fn new() -> Self;
    fn hold(&self) -> Self::Guard<'_>;
    fn guard<'a>(locked: Self::Locked<'a>) -> Self::Guard<'a>;
}

macro_rules! counter {
    ($($library:ident)::+) => {
        impl Counter for $($library)::+::Mutex<u64> {
            type Guard<'a> = $($library)::+::MutexGuard<'a, u64>;

            fn new() -> Self {
                Self::new(0)
            }

            fn hold(&self) -> Self::Guard<'_> {
                self.lock().unwrap()
            }

            fn guard<'a>(locked: LockResult<Self::Guard<'a>>) -> Self::Guard<'a> {
                locked.unwrap()
            }
        }
    };
}
counter!(std::sync);
counter!(lockdep::sync);

type Form<L> = fn(&[L], [usize; 3]);

fn pair_by_hand<L: Counter>(locks: &[L], [a, b, _]: [usize; 3]) {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    let (mut low, mut high) = (locks[low].hold(), locks[high].hold());
    *low += 1;
    *high += 1;
}

fn pair<L: Counter>(locks: &[L], [a, b, _]: [usize; 3]) {
    let (a, b) = lock_all!(locks[a], locks[b]);
    let (mut a, mut b) = (L::guard(a), L::guard(b));
    *a += 1;
    *b += 1;
}

fn triple_by_hand<L: Counter>(locks: &[L], mut places: [usize; 3]) {
    places.sort_unstable();
    let [mut a, mut b, mut c] = places.map(|place| locks[place].hold());
    *a += 1;
    *b += 1;
    *c += 1;
}

fn triple<L: Counter>(locks: &[L], [a, b, c]: [usize; 3]) {
    let (a, b, c) = lock_all!(locks[a], locks[b], locks[c]);
    let (mut a, mut b, mut c) = (L::guard(a), L::guard(b), L::guard(c));
    *a += 1;
    *b += 1;
    *c += 1;
}

fn run<L: Counter>(form: Form<L>, threads: u32) -> Duration {
    let locks: Vec<L> = (0..LOCKS).map(|_| L::new()).collect();
    let start = Instant::now();
    thread::scope(|scope| {
        for seed in 0..threads {
            let locks = &locks;
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(u64::from(seed));
                for _ in 0..ROUNDS / threads {
                    let a = rng.usize(0..LOCKS);
                    let b = (a + rng.usize(1..LOCKS / 2)) % LOCKS;
                    let c = (b + rng.usize(1..LOCKS / 2)) % LOCKS;
                    form(locks, [a, b, c]);
                }
            });
        }
    });
    start.elapsed()
}

#[expect(clippy::print_stdout, reason = "the figures are the output")]
fn compare<L: Counter>(library: &str, what: &str, threads: u32, by_hand: Form<L>, form: Form<L>) {
    let mut best = [Duration::MAX; 2];
    for _ in 0..RUNS {
        for (best, form) in best.iter_mut().zip([by_hand, form]) {
            *best = run(form, threads).min(*best);
        }
    }
    let [by_hand, form] = best.map(|time| time.as_nanos() as f64 / f64::from(ROUNDS));
    let ratio = form / by_hand;
    println!("{library:<8} {what:<7} {threads:>7} {by_hand:>13.1} {form:>14.1} {ratio:>7.2}");
}

#[expect(clippy::print_stdout, reason = "the figures are the output")]
fn main() {
    let atomic = AtomicU64::new(0);
    let start = Instant::now();
    for _ in 0..10_000_000 {
        black_box(black_box(&atomic).load(Ordering::Acquire));
    }
    println!("atomic load {:.2} ns", start.elapsed().as_nanos() as f64 / 1e7);
    println!("locks    what    threads  by hand [ns]  lock_all! [ns]   ratio");
    for threads in [1, 8] {
        compare::<std::sync::Mutex<u64>>("std", "pair", threads, pair_by_hand, pair);
        compare::<std::sync::Mutex<u64>>("std", "triple", threads, triple_by_hand, triple);
        compare::<lockdep::sync::Mutex<u64>>("lockdep", "pair", threads, pair_by_hand, pair);
        compare::<lockdep::sync::Mutex<u64>>("lockdep", "triple", threads, triple_by_hand, triple);
    }
}
