//! Threads that retry for each other's locks: found by themselves, and told from patient ones.
//!
//! The reference scenarios, each with the test that holds it; in step where the verdict is of one
//! schedule:
//!
//! | | | |
//! |---|---|---|
//! | V01, V02 | two that step back, with or without a yield | `two_polite_threads_are_found` |
//! | V03, V04 | a random pause, a fixed one | `threads_that_pause_get_on` |
//! | V05 | three of them | `three_polite_threads_are_found` |
//! | V06 | one retries, one blocks | `a_thread_that_lets_a_blocked_one_through_is_no_livelock` |
//! | V07 | a channel that is polled | `starvation::a_channel_that_is_polled_without_pause` |
//! | V08 | a flag is awaited under a lock | `starvation::a_spin_on_an_atomic_is_not_seen` |
//! | V09 | others always have the lock | `starvation::a_thread_that_never_gets_its_turn` |
//! | V10 | a loop of compare and swap | `starvation::loops_without_locks_are_no_matter` |

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{Barrier, Mutex, mpsc};
use lockdep::thread;

use crate::isolated::{found, run, run_with};

/// Longer than a livelock must last before it is one.
const LONG: Duration = Duration::from_millis(300);
/// More rounds than a livelock needs.
const MANY: u64 = 100;

/// Each of these threads holds one lock, tries the next, and steps back, all in step, until one of
/// them panics or it is over. Returns how many panicked.
fn step_back(threads: usize, is_over: impl Fn() -> bool + Sync) -> usize {
    let locks: Vec<Mutex<u32>> = (0..threads).map(|_| Mutex::new(0)).collect();
    let step = Barrier::new(threads);
    let over = AtomicBool::new(false);
    let pass = |at: usize| {
        loop {
            let mine = locks[at].lock();
            step.wait();
            let theirs = panic::catch_unwind(AssertUnwindSafe(|| {
                drop(locks[(at + 1) % threads].try_lock());
            }));
            if theirs.is_err() || is_over() {
                over.store(true, SeqCst);
            }
            step.wait();
            drop(mine);
            let last = over.load(SeqCst);
            step.wait();
            if last {
                return usize::from(theirs.is_err());
            }
        }
    };
    thread::scope(|s| {
        let pass = &pass;
        let all: Vec<_> = (0..threads).map(|at| s.spawn(move || pass(at))).collect();
        all.into_iter().map(|t| t.join().expect("caught")).sum()
    })
}

#[test]
fn two_polite_threads_are_found() {
    fn body() {
        assert_eq!(step_back(2, || false), 1);
        assert_eq!(found(), [(Rule::Livelock, Tier::Happened)]);
        let finding = &lockdep::findings()[0];
        assert_eq!((finding.locks.len(), finding.edges.len(), finding.waits.len()), (2, 2, 2));
    }
    let ended = run("livelock::two_polite_threads_are_found", body).well();
    assert!(ended.stderr.contains("keep failing on each other's locks"), "{}", ended.stderr);
    assert!(ended.stderr.contains("wait for a random time"), "{}", ended.stderr);
    assert!(ended.trace.contains(r#""rule":"livelock","tier":"happened""#), "{}", ended.trace);
}

#[test]
fn three_polite_threads_are_found() {
    fn body() {
        assert_eq!(step_back(3, || false), 1);
        assert_eq!(found(), [(Rule::Livelock, Tier::Happened)]);
        assert_eq!(lockdep::findings()[0].locks.len(), 3);
    }
    run("livelock::three_polite_threads_are_found", body).well();
}

/// V03, V04: hardly three rounds in a row are in vain.
#[test]
fn threads_that_pause_get_on() {
    fn body() {
        for random in [true, false] {
            let locks = [Mutex::new(0), Mutex::new(0)];
            let both = std::sync::Barrier::new(2);
            let pass = |at: usize| {
                let mut pauses = fastrand::Rng::with_seed(at as u64);
                both.wait();
                let begin = Instant::now();
                while begin.elapsed() < LONG {
                    let mine = locks[at].lock();
                    let theirs = locks[1 - at].try_lock();
                    drop(theirs);
                    drop(mine);
                    let pause = if random { pauses.u64(0..200) } else { 100 };
                    std::thread::sleep(Duration::from_micros(pause));
                }
            };
            thread::scope(|s| {
                s.spawn(|| pass(0));
                s.spawn(|| pass(1));
            });
        }
        assert_eq!(found(), []);
    }
    run("livelock::threads_that_pause_get_on", body).well();
}

#[test]
fn a_livelock_is_reported_once_where_it_may_go_on() {
    fn body() {
        let since = std::sync::OnceLock::<Instant>::new();
        let long_since = || {
            let is_found = !found().is_empty();
            is_found && since.get_or_init(Instant::now).elapsed() > LONG * 2
        };
        assert_eq!(step_back(2, long_since), 0);
        assert_eq!(found(), [(Rule::Livelock, Tier::Happened)]);
    }
    let name = "livelock::a_livelock_is_reported_once_where_it_may_go_on";
    run_with(name, &[("LOCKDEP_ON_DEADLOCK", "report")], body).well();
}

#[test]
fn a_thread_that_polls_a_lock_which_its_joiner_holds_is_found() {
    fn body() {
        let shared = Mutex::new(0);
        thread::scope(|s| {
            let held = shared.lock().unwrap();
            let poller = s.spawn(|| while shared.try_lock().is_err() {});
            let ended = poller.join();
            assert!(ended.is_err(), "the poller gives up");
            drop(held);
        });
        assert_eq!(found(), [(Rule::Livelock, Tier::Happened)]);
    }
    let name = "livelock::a_thread_that_polls_a_lock_which_its_joiner_holds_is_found";
    let ended = run(name, body).well();
    assert!(ended.stderr.contains("must release it before waiting"), "{}", ended.stderr);
}

#[test]
fn polling_a_holder_that_works_is_no_livelock() {
    fn body() {
        let shared = Mutex::new(0);
        let begun = Barrier::new(2);
        let failures = AtomicU64::new(0);
        thread::scope(|s| {
            s.spawn(|| {
                let _held = shared.lock().unwrap();
                begun.wait();
                let begin = Instant::now();
                while begin.elapsed() < LONG || failures.load(SeqCst) < MANY {
                    std::thread::yield_now();
                }
            });
            begun.wait();
            while shared.try_lock().is_err() {
                failures.fetch_add(1, SeqCst);
                std::thread::yield_now();
            }
        });
        assert_eq!(found(), []);
    }
    run("livelock::polling_a_holder_that_works_is_no_livelock", body).well();
}

#[test]
fn a_thread_that_lets_a_blocked_one_through_is_no_livelock() {
    fn body() {
        let (a, b) = (Mutex::new(0), Mutex::new(0));
        let begun = Barrier::new(2);
        thread::scope(|s| {
            s.spawn(|| {
                let _b = b.lock().unwrap();
                begun.wait();
                // Blocks now and then; the other thread steps back each time.
                let begin = Instant::now();
                while begin.elapsed() < LONG {
                    drop(a.lock().unwrap());
                }
            });
            begun.wait();
            loop {
                let _a = a.lock().unwrap();
                if b.try_lock().is_ok() {
                    break;
                }
            }
        });
        // An order into a lock that is only tried is none.
        assert_eq!(found(), []);
    }
    run("livelock::a_thread_that_lets_a_blocked_one_through_is_no_livelock", body).well();
}

#[test]
fn threads_that_pass_messages_on_get_on() {
    fn body() {
        let locks = [Mutex::new(0), Mutex::new(0)];
        let both = Barrier::new(2);
        let (tx, rx) = mpsc::channel();
        thread::scope(|s| {
            for at in 0..2 {
                let (tx, locks, both) = (tx.clone(), &locks, &both);
                s.spawn(move || {
                    let held = locks[at].lock().unwrap();
                    both.wait();
                    let begin = Instant::now();
                    let mut rounds = 0;
                    while begin.elapsed() < LONG || rounds < MANY {
                        rounds += 1;
                        assert!(locks[1 - at].try_lock().is_err());
                        tx.send(at).unwrap();
                    }
                    both.wait();
                    drop(held);
                });
            }
            drop(tx);
            assert!(rx.iter().count() as u64 >= 2 * MANY);
        });
        assert_eq!(found(), []);
    }
    run("livelock::threads_that_pass_messages_on_get_on", body).well();
}
