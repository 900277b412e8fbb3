//! What ordered acquisition costs over sorting by hand: random pairs and triples of 64 locks, on one
//! thread and on eight, with the locks of `std`, of `parking_lot` and of this crate.
//!
//! By hand means sorting places of an array, which is the cheapest order there is. The first line
//! is a bare atomic load, to compare machines by; each figure is the best of several runs, in which
//! the forms take turns.

use ::std::hint::black_box;
use ::std::sync::atomic::{AtomicU64, Ordering};
use ::std::thread;
use ::std::time::{Duration, Instant};

use ::lockdep::lock_all;

const LOCKS: usize = 64;
/// Of each thread: enough for what is learnt once to be a small part of it.
const ROUNDS: u32 = 1_000_000;
const RUNS: usize = 5;

/// The forms with one library's mutex, written as its users write them.
macro_rules! forms {
    ($library:ident :: $($path:ident)::+, $new:expr, $($unwrap:tt)*) => {
        mod $library {
            use super::{Forms, lock_all};

            type Mutex = ::$library::$($path)::+<u64>;

            pub(super) const FORMS: Forms<Mutex> = Forms {
                library: stringify!($library),
                new: $new,
                value: |lock| *lock.get_mut()$($unwrap)*,
                pair: [pair_by_hand, pair],
                triple: [triple_by_hand, triple],
            };

            fn pair_by_hand(locks: &[Mutex], [a, b, _]: [usize; 3]) {
                let (low, high) = if a < b { (a, b) } else { (b, a) };
                let mut low = locks[low].lock()$($unwrap)*;
                let mut high = locks[high].lock()$($unwrap)*;
                *low += 1;
                *high += 1;
            }

            fn pair(locks: &[Mutex], [a, b, _]: [usize; 3]) {
                let (mut a, mut b) =
                    lock_all!(locks[a].lock()$($unwrap)*, locks[b].lock()$($unwrap)*);
                *a += 1;
                *b += 1;
            }

            fn triple_by_hand(locks: &[Mutex], mut places: [usize; 3]) {
                places.sort_unstable();
                let [mut a, mut b, mut c] = places.map(|place| locks[place].lock()$($unwrap)*);
                *a += 1;
                *b += 1;
                *c += 1;
            }

            fn triple(locks: &[Mutex], [a, b, c]: [usize; 3]) {
                let (mut a, mut b, mut c) = lock_all!(
                    locks[a].lock()$($unwrap)*,
                    locks[b].lock()$($unwrap)*,
                    locks[c].lock()$($unwrap)*,
                );
                *a += 1;
                *b += 1;
                *c += 1;
            }
        }
    };
}
// Two places, and so two classes of locks: each form has an order of its own.
forms!(std::sync::Mutex, [|| Mutex::new(0), || Mutex::new(0)], .unwrap());
forms!(parking_lot::Mutex, [|| Mutex::new(0), || Mutex::new(0)],);
forms!(lockdep::sync::Mutex, [|| Mutex::new(0), || Mutex::new(0)], .unwrap());

type Form<L> = fn(&[L], [usize; 3]);

/// One library's mutex, with each form by hand and by `lock_all!`.
struct Forms<L> {
    library: &'static str,
    new: [fn() -> L; 2],
    value: fn(&mut L) -> u64,
    pair: [Form<L>; 2],
    triple: [Form<L>; 2],
}

/// How long `threads` threads take; each round adds one to each of `count` locks.
fn run<L: Sync>(
    form: Form<L>,
    new: fn() -> L,
    value: fn(&mut L) -> u64,
    (threads, count): (u32, u64),
) -> Duration {
    let mut locks: Vec<L> = (0..LOCKS).map(|_| new()).collect();
    let start = Instant::now();
    thread::scope(|scope| {
        for seed in 0..threads {
            let locks = &locks;
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(u64::from(seed));
                for _ in 0..ROUNDS {
                    let a = rng.usize(0..LOCKS);
                    let b = (a + rng.usize(1..LOCKS / 2)) % LOCKS;
                    let c = (b + rng.usize(1..LOCKS / 2)) % LOCKS;
                    form(locks, [a, b, c]);
                }
            });
        }
    });
    let time = start.elapsed();
    let sum: u64 = locks.iter_mut().map(value).sum();
    assert_eq!(sum, u64::from(ROUNDS * threads) * count);
    time
}

#[expect(clippy::print_stdout, reason = "the figures are the output")]
fn compare<L: Sync>(forms: &Forms<L>, threads: u32) {
    for (what, count, pair) in [("pair", 2, forms.pair), ("triple", 3, forms.triple)] {
        let mut best = [Duration::MAX; 2];
        for _ in 0..RUNS {
            for ((best, form), new) in best.iter_mut().zip(pair).zip(forms.new) {
                *best = run(form, new, forms.value, (threads, count)).min(*best);
            }
        }
        let [by_hand, form] = best.map(|time| time.as_nanos() as f64 / f64::from(ROUNDS * threads));
        let (library, ratio) = (forms.library, form / by_hand);
        println!("{library:<11} {what:<7} {threads:>7} {by_hand:>13.1} {form:>14.1} {ratio:>7.2}");
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the output")]
fn main() {
    let atomic = AtomicU64::new(0);
    let start = Instant::now();
    for _ in 0..10_000_000 {
        black_box(black_box(&atomic).load(Ordering::Acquire));
    }
    println!("atomic load {:.2} ns", start.elapsed().as_nanos() as f64 / 1e7);
    println!("locks       what    threads  by hand [ns]  lock_all! [ns]   ratio");
    for threads in [1, 8] {
        compare(&std::FORMS, threads);
        compare(&parking_lot::FORMS, threads);
        compare(&lockdep::FORMS, threads);
    }
    assert!(::lockdep::findings().is_empty(), "all take the locks in one order");
}
