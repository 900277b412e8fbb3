//! Guards that are dropped in another thread than the one that acquired the lock, as `parking_lot`'s
//! feature `send_guard` and other locks of `lock_api` allow (R11 of the reference scenarios).

use std::panic::AssertUnwindSafe;
use std::sync::Barrier;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc;

use lock_api::GuardSend;
use lockdep::finding::{Rule, Tier};
use lockdep::parking_lot;
use lockdep::parking_lot::lock_api_0_4::{RawMutex, RawRwLock};
use lockdep::thread;

use crate::isolated::{found, run};

/// The simplest lock whose guards are `Send`.
struct Spin(AtomicBool);

// SAFETY: whoever sets the flag has the lock until the flag is cleared.
unsafe impl lock_api::RawMutex for Spin {
    const INIT: Spin = Spin(AtomicBool::new(false));
    type GuardMarker = GuardSend;

    fn lock(&self) {
        while !self.try_lock() {
            std::thread::yield_now();
        }
    }

    fn try_lock(&self) -> bool {
        self.0.compare_exchange(false, true, Acquire, Relaxed).is_ok()
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Release);
    }
}

type Mutex<T> = lock_api::Mutex<RawMutex<Spin>, T>;
type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex<Spin>, T>;
type RwLock<T> = lock_api::RwLock<RawRwLock<SpinShared>, T>;
type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock<SpinShared>, T>;

/// The same for any number of readers.
struct SpinShared(AtomicUsize);

/// What the count is while a writer has the lock.
const WRITER: usize = usize::MAX;

// SAFETY: the count is of readers, or says that there is a writer.
unsafe impl lock_api::RawRwLock for SpinShared {
    const INIT: SpinShared = SpinShared(AtomicUsize::new(0));
    type GuardMarker = GuardSend;

    fn lock_shared(&self) {
        while !self.try_lock_shared() {
            std::thread::yield_now();
        }
    }

    fn try_lock_shared(&self) -> bool {
        let more = |readers| (readers != WRITER).then(|| readers + 1);
        self.0.fetch_update(Acquire, Relaxed, more).is_ok()
    }

    unsafe fn unlock_shared(&self) {
        self.0.fetch_sub(1, Release);
    }

    fn lock_exclusive(&self) {
        while !self.try_lock_exclusive() {
            std::thread::yield_now();
        }
    }

    fn try_lock_exclusive(&self) -> bool {
        self.0.compare_exchange(0, WRITER, Acquire, Relaxed).is_ok()
    }

    unsafe fn unlock_exclusive(&self) {
        self.0.store(0, Release);
    }
}

/// Drops a guard of the lock that another thread has acquired.
fn send_one(lock: &Mutex<u8>) {
    let (tx, rx) = mpsc::channel();
    thread::scope(|s| {
        let taker = s.spawn(move || drop(rx.recv().unwrap()));
        tx.send(lock.lock()).unwrap();
        taker.join().unwrap();
    });
}

/// Waits until the dump of all threads says this of so many.
fn until(what: &str, times: usize) {
    while lockdep::dump().matches(what).count() != times {
        std::thread::yield_now();
    }
}

#[test]
fn whoever_acquired_it_does_not_hold_it_any_more() {
    fn body() {
        let (sent, outer, inner) = (Mutex::new(0), Mutex::new(0), Mutex::new(0));
        send_one(&sent);
        assert!(!lockdep::dump().contains("holds"), "{}", lockdep::dump());
        // Not locked twice, and an order with the others in either direction is one without it.
        drop(sent.lock());
        let guard = outer.lock();
        drop(sent.lock());
        drop(inner.lock());
        drop(guard);
        send_one(&sent);
        let guard = inner.lock();
        drop(sent.lock());
        drop(guard);
        lockdep::assert_quiescent();
        assert_eq!(found(), []);
    }
    run("sent_guards::whoever_acquired_it_does_not_hold_it_any_more", body).well();
}

/// What is nested after a guard was sent is learnt anew when it is nested in a real hold.
#[test]
fn orders_under_it_are_those_of_the_thread_that_acquired_it() {
    fn body() {
        let (sent, other) = (Mutex::new(0), Mutex::new(0));
        for sends in [true, false] {
            let (tx, rx) = mpsc::channel();
            thread::scope(|s| {
                let guard = sent.lock();
                let taker = s.spawn(move || drop(rx.recv().unwrap()));
                let kept = if sends {
                    tx.send(guard).unwrap();
                    None
                } else {
                    drop(tx);
                    Some(guard)
                };
                let _ = taker.join();
                drop(other.lock());
                drop(kept);
            });
        }
        let guard = other.lock();
        drop(sent.lock());
        drop(guard);
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("sent_guards::orders_under_it_are_those_of_the_thread_that_acquired_it", body).well();
}

#[test]
fn a_thread_that_has_sent_its_guard_away_leaves_no_orphan() {
    fn body() {
        static LOCK: Mutex<u8> = Mutex::new(0);
        let guard = thread::spawn(|| LOCK.lock()).join().unwrap();
        assert_eq!(found(), []);
        let still_held = std::panic::catch_unwind(lockdep::assert_quiescent).unwrap_err();
        let said = still_held.downcast::<String>().unwrap();
        assert!(said.contains("has ended\n  holds Mutex"), "{said}");
        drop(guard);
        lockdep::assert_quiescent();
        drop(LOCK.lock());
        assert_eq!(found(), []);
    }
    run("sent_guards::a_thread_that_has_sent_its_guard_away_leaves_no_orphan", body).well();
}

/// The thread that acquired the lock waits for one whose holder waits for that lock: but the guard is
/// with a third, which goes on.
#[test]
fn no_hang_is_told_of_while_another_thread_may_have_the_guard() {
    fn body() {
        let sent = Mutex::new(0);
        let other = parking_lot::Mutex::new(0);
        let (tx, rx) = mpsc::channel();
        let both = Barrier::new(2);
        thread::scope(|s| {
            s.spawn(|| {
                let _other = other.lock();
                both.wait();
                drop(sent.lock());
            });
            s.spawn(|| {
                tx.send(sent.lock()).unwrap();
                both.wait();
                drop(other.lock());
            });
            let guard = rx.recv().unwrap();
            until("waits for Mutex", 2);
            drop(guard);
        });
        assert!(found().iter().all(|f| f.0 == Rule::LockOrder), "{:?}", found());
    }
    let name = "sent_guards::no_hang_is_told_of_while_another_thread_may_have_the_guard";
    run(name, body).well();
}

#[test]
fn an_acquisition_that_is_not_made_is_not_under_a_guard_that_is_elsewhere() {
    fn body() {
        let (sent, other) = (Mutex::new(0), lockdep::sync::Mutex::new(0));
        let guard = other.lock();
        drop(sent.lock());
        drop(guard);
        send_one(&sent);
        lockdep::might_lock!(other);
        assert_eq!(found(), []);
        // What is told of where it is held indeed.
        let _guard = sent.lock();
        lockdep::might_lock!(other);
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    let name =
        "sent_guards::an_acquisition_that_is_not_made_is_not_under_a_guard_that_is_elsewhere";
    run(name, body).well();
}

/// No guard of that class was ever sent before.
#[test]
fn whoever_has_sent_its_guard_away_waits_for_it() {
    fn body() {
        let sent = Mutex::new(0);
        let (tx, rx) = mpsc::channel::<MutexGuard<'_, u8>>();
        thread::scope(|s| {
            tx.send(sent.lock()).unwrap();
            s.spawn(move || {
                let guard = rx.recv().unwrap();
                until("waits for Mutex", 1);
                drop(guard);
            });
            drop(sent.lock());
        });
        assert_eq!(found(), []);
    }
    run("sent_guards::whoever_has_sent_its_guard_away_waits_for_it", body).well();
}

#[test]
fn a_reader_that_has_sent_its_guard_away_does_not_read_again() {
    fn body() {
        let sent = RwLock::new(0);
        let (tx, rx) = mpsc::channel::<RwLockReadGuard<'_, u8>>();
        thread::scope(|s| {
            tx.send(sent.read()).unwrap();
            let again = sent.read();
            s.spawn(move || drop(rx.recv().unwrap())).join().unwrap();
            drop(again);
        });
        assert_eq!(found(), []);
    }
    run("sent_guards::a_reader_that_has_sent_its_guard_away_does_not_read_again", body).well();
}

#[test]
fn a_reader_that_still_has_its_guard_reads_again() {
    fn body() {
        let kept = RwLock::new(0);
        let first = kept.read();
        let again = kept.read();
        drop(first);
        assert_eq!(found(), [], "it may still be elsewhere");
        drop(again);
        assert_eq!(found(), [(Rule::RecursiveRead, Tier::Potential)]);
    }
    run("sent_guards::a_reader_that_still_has_its_guard_reads_again", body).well();
}

/// Waits for a thread once so many spin for a lock. Whoever looks last is told, and panics: most often this
/// thread, but a slow one of the others may still be about to look. Returns whether all others spin on.
fn told_to_whoever_joins(child: thread::ScopedJoinHandle<'_, ()>, spinning: usize) -> bool {
    until("waits for Mutex", spinning);
    std::panic::catch_unwind(AssertUnwindSafe(|| child.join())).is_err()
}

#[test]
fn a_lock_that_its_own_holder_wants_is_told_of_when_nobody_is_left() {
    fn body() {
        let kept = Mutex::new(0);
        thread::scope(|s| {
            let child = s.spawn(|| {
                let _guard = kept.lock();
                drop(kept.lock());
            });
            if told_to_whoever_joins(child, 1) {
                // SAFETY: the child spins for the lock, whose guard nobody has but the child.
                unsafe { kept.force_unlock() };
            }
        });
        assert_eq!(found(), [(Rule::DoubleLock, Tier::Happened)]);
        let said = lockdep::findings()[0].message();
        let end = "which it has acquired itself, and no thread is left to release it";
        assert!(said.ends_with(end), "{said}");
    }
    run("sent_guards::a_lock_that_its_own_holder_wants_is_told_of_when_nobody_is_left", body)
        .well();
}

#[test]
fn threads_that_wait_for_each_other_are_told_of_when_nobody_is_left() {
    fn body() {
        let (a, b, both) = (Mutex::new(0), Mutex::new(0), Barrier::new(2));
        let nest = |outer: &Mutex<u8>, inner: &Mutex<u8>| {
            let _outer = outer.lock();
            both.wait();
            drop(inner.lock());
        };
        thread::scope(|s| {
            let child = s.spawn(|| nest(&a, &b));
            let other = s.spawn(|| nest(&b, &a));
            if told_to_whoever_joins(child, 2) {
                // SAFETY: both spin, so that nobody uses what the locks guard.
                unsafe {
                    a.force_unlock();
                    b.force_unlock();
                }
            }
            _ = other.join();
        });
        let hangs: Vec<Rule> = found().iter().map(|f| f.0).collect();
        assert_eq!(hangs, [Rule::LockOrder, Rule::Deadlock]);
    }
    run("sent_guards::threads_that_wait_for_each_other_are_told_of_when_nobody_is_left", body)
        .well();
}

#[test]
fn a_guard_that_an_ended_thread_has_lost_is_told_of_when_nobody_is_left() {
    fn body() {
        let lost = Mutex::new(0);
        thread::scope(|s| {
            let child = s.spawn(|| {
                thread::scope(|s| {
                    let keeper = thread::Builder::new().name("keeper".to_owned());
                    let keeper = keeper.spawn_scoped(s, || std::mem::forget(lost.lock()));
                    keeper.unwrap().join().unwrap();
                    assert_eq!(found(), []);
                    drop(lost.lock());
                });
            });
            _ = told_to_whoever_joins(child, 1);
            // SAFETY: the keeper has ended, so that nobody has the guard.
            unsafe { lost.force_unlock() };
        });
        assert_eq!(found(), [(Rule::OrphanedLock, Tier::Happened)]);
        let said = lockdep::findings()[0].message();
        assert!(said.ends_with("which thread `keeper` held when it ended"), "{said}");
    }
    let name = "sent_guards::a_guard_that_an_ended_thread_has_lost_is_told_of_when_nobody_is_left";
    run(name, body).well();
}
