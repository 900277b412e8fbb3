//! Guards that are dropped in another thread than the one that acquired the lock, as `parking_lot`'s
//! feature `send_guard` and other locks of `lock_api` allow (R11 of the reference scenarios).

use std::sync::Barrier;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::mpsc;

use lock_api::GuardSend;
use lockdep::finding::{Rule, Tier};
use lockdep::parking_lot;
use lockdep::parking_lot::lock_api_0_4::RawMutex;
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
        drop(guard);
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
        send_one(&sent);
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
