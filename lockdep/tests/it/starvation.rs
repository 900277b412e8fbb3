//! Threads that go on failing alone: V07 to V10 of the reference scenarios, and the bypass count.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Barrier, mpsc as plain};
use std::time::{Duration, Instant};

use lockdep::finding::{Rule, Tier};
use lockdep::instrument::{LockKind, LockTag, LockType, Mode};
use lockdep::sync::{Mutex, mpsc};
use lockdep::thread;

use crate::isolated::{found, run, run_with};

const ASKED: [(&str, &str); 1] = [("LOCKDEP_STATS", "1")];
/// Longer than it takes to starve.
const LONG: Duration = Duration::from_millis(300);
/// Longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// So many owners pass a lock on in turn, and one thread tries it in each turn, with a lock of its
/// own, which it gives up then: until something is found, or it has lasted so long.
fn never_its_turn(owners: usize, long: Duration) {
    let (wanted, mine) = (Mutex::new(0), Mutex::new(0));
    let step = Barrier::new(owners + 1);
    let rounds = AtomicU64::new(0);
    let over = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|s| {
        for owner in 0..owners {
            let (wanted, step, rounds, over) = (&wanted, &step, &rounds, &over);
            s.spawn(move || {
                while !over.load(SeqCst) {
                    let in_turn = rounds.load(SeqCst) as usize % owners == owner;
                    let held = in_turn.then(|| wanted.lock().unwrap());
                    step.wait();
                    step.wait();
                    drop(held);
                    step.wait();
                }
            });
        }
        let begin = Instant::now();
        while !over.load(SeqCst) {
            let held = mine.lock().unwrap();
            step.wait();
            assert!(wanted.try_lock().is_err());
            drop(held);
            step.wait();
            rounds.fetch_add(1, SeqCst);
            over.store(!found().is_empty() || begin.elapsed() > long, SeqCst);
            step.wait();
        }
    });
}

/// V09.
#[test]
fn a_thread_that_never_gets_its_turn() {
    fn body() {
        never_its_turn(3, PATIENCE);
        assert_eq!(found(), [(Rule::SlowWait, Tier::Happened)]);
        let finding = &lockdep::findings()[0];
        let text = finding.message();
        assert!(text.contains("has stepped back "), "{text}");
        assert!(text.contains("times in a row as it did not get Mutex created at"), "{text}");
        let labels: Vec<&str> = finding.sites.iter().map(|s| s.1).collect();
        assert_eq!(labels.len(), 3, "{labels:?}");
        assert_eq!(finding.notes.len(), 1);
    }
    let variables = [("LOCKDEP_PRINT", "all")];
    let ended = run_with("starvation::a_thread_that_never_gets_its_turn", &variables, body).well();
    assert!(ended.stderr.contains("slow-wait (happened)"), "{}", ended.stderr);
    assert!(ended.stderr.contains("`lock_all!`"), "{}", ended.stderr);
}

#[test]
fn a_thread_that_steps_back_from_one_long_holder_does_not_starve() {
    fn body() {
        let (wanted, mine) = (Mutex::new(0), Mutex::new(0));
        let (held, over) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|s| {
            s.spawn(|| {
                let _guard = wanted.lock().unwrap();
                held.wait();
                over.wait();
            });
            held.wait();
            let begin = Instant::now();
            while begin.elapsed() < LONG {
                let _mine = mine.lock().unwrap();
                assert!(wanted.try_lock().is_err());
            }
            over.wait();
        });
        assert_eq!(found(), []);
    }
    let name = "starvation::a_thread_that_steps_back_from_one_long_holder_does_not_starve";
    run(name, body).well();
}

/// A retry for another lock each time, and one that gets through now and then.
#[test]
fn who_gets_on_does_not_starve() {
    fn body() {
        let (wanted, mine) = (Mutex::new(0), Mutex::new(0));
        let begin = Instant::now();
        let mut rounds = 0;
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    while begin.elapsed() < LONG {
                        *wanted.lock().unwrap() += 1;
                        thread::yield_now();
                    }
                });
            }
            while begin.elapsed() < LONG || rounds < 1000 {
                rounds += 1;
                let _mine = mine.lock().unwrap();
                drop(wanted.try_lock());
            }
        });
        assert_eq!(found(), []);
    }
    run("starvation::who_gets_on_does_not_starve", body).well();
}

/// Polls an empty channel until something is found, or for [`LONG`].
fn poll(found_ends: bool) {
    let (tx, rx) = mpsc::channel::<()>();
    let begin = Instant::now();
    let mut polls = 0;
    loop {
        assert!(rx.try_recv().is_err());
        polls += 1;
        let long = if found_ends { PATIENCE } else { LONG };
        if polls > 20_000 && begin.elapsed() > long || found_ends && !found().is_empty() {
            break;
        }
    }
    drop(tx);
}

/// V07: a storm of retries is told of where somebody asks how the locks fare, and no livelock.
#[test]
fn a_channel_that_is_polled_without_pause() {
    fn body() {
        poll(true);
        assert_eq!(found(), [(Rule::SpinNoProgress, Tier::Happened)]);
        let text = lockdep::findings()[0].message();
        assert!(text.contains("has polled channel created at"), "{text}");
    }
    run_with("starvation::a_channel_that_is_polled_without_pause", &ASKED, body).well();
}

#[test]
fn a_lock_that_is_polled_without_pause() {
    fn body() {
        let lock = Mutex::new(0);
        let _held = lock.lock().unwrap();
        thread::scope(|s| {
            s.spawn(|| {
                while found().is_empty() {
                    assert!(lock.try_lock().is_err());
                }
            });
        });
        assert_eq!(found(), [(Rule::SpinNoProgress, Tier::Happened)]);
    }
    run_with("starvation::a_lock_that_is_polled_without_pause", &ASKED, body).well();
}

/// What a thread does between two looks cannot be seen: nobody is accused without having asked.
#[test]
fn polling_is_nobodys_business_unless_asked_for() {
    fn body() {
        poll(false);
        assert_eq!(found(), []);
    }
    run("starvation::polling_is_nobodys_business_unless_asked_for", body).well();
}

/// V08: a flag is awaited under the lock that its setter needs. Atomics are not watched, so that the
/// one spins is not known: the other only waits for a lock of a thread that runs. A watchdog tells
/// of both (`slow-hold`, `slow-wait`).
#[test]
fn a_spin_on_an_atomic_is_not_seen() {
    fn body() {
        let (lock, flag) = (Mutex::new(0), AtomicU64::new(0));
        let held = Barrier::new(2);
        thread::scope(|s| {
            let _guard = lock.lock().unwrap();
            s.spawn(|| {
                held.wait();
                let _guard = lock.lock().unwrap();
                flag.store(1, SeqCst);
            });
            held.wait();
            let begin = Instant::now();
            while flag.load(SeqCst) == 0 && begin.elapsed() < LONG {}
            assert_eq!(flag.load(SeqCst), 0, "for ever, but for the test's patience");
            drop(_guard);
        });
        assert_eq!(found(), []);
    }
    run_with("starvation::a_spin_on_an_atomic_is_not_seen", &ASKED, body).well();
}

/// V10.
#[test]
fn loops_without_locks_are_no_matter() {
    fn body() {
        let count = AtomicU64::new(0);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    for _ in 0..100_000 {
                        let add = |n: u64| Some(n + 1);
                        count.fetch_update(Relaxed, Relaxed, add).expect("it always adds");
                    }
                });
            }
        });
        assert_eq!((count.into_inner(), found()), (200_000, vec![]));
    }
    run_with("starvation::loops_without_locks_are_no_matter", &ASKED, body).well();
}

/// A lock as unfair as can be: a thread waits for it while others have it so often, for so long.
fn bypass(times: u64, long: Duration) {
    let ty = const { &LockType::of::<()>(LockKind::Mutex) };
    let tag = LockTag::new(ty);
    let site = std::panic::Location::caller();
    let (waits, wait) = plain::channel();
    let (go, goes) = plain::channel::<()>();
    thread::scope(|s| {
        tag.acquire(ty, Mode::Write, site, || Some(()), || ());
        let tag = &tag;
        s.spawn(move || {
            let block = || {
                waits.send(()).unwrap();
                goes.recv().unwrap();
            };
            tag.acquire(ty, Mode::Write, site, || None, block);
            tag.release(Mode::Write);
        });
        wait.recv().unwrap();
        tag.release(Mode::Write);
        let begin = Instant::now();
        for _ in 0..times {
            tag.acquire(ty, Mode::Write, site, || Some(()), || ());
            tag.release(Mode::Write);
        }
        while begin.elapsed() < long {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
    });
}

#[test]
fn a_waiter_that_others_go_before_starves() {
    fn body() {
        bypass(1001, LONG);
        assert_eq!(found(), [(Rule::SlowWait, Tier::Happened)]);
        let text = lockdep::findings()[0].message();
        assert!(text.contains("waited for Mutex created at"), "{text}");
        assert!(text.contains(", while others had it "), "{text}");
        let stats = lockdep::stats();
        assert!(stats[0].most_bypassed.unwrap().times >= 1000, "{stats:?}");
    }
    let ended = run_with("starvation::a_waiter_that_others_go_before_starves", &ASKED, body).well();
    assert!(ended.trace.contains(r#""most_bypassed":{"times":"#), "{}", ended.trace);
}

#[test]
fn a_long_wait_alone_is_no_starvation() {
    fn body() {
        bypass(100, LONG);
        assert_eq!(found(), []);
    }
    let name = "starvation::a_long_wait_alone_is_no_starvation";
    run_with(name, &ASKED, body).well();
}
