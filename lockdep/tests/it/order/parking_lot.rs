//! Nesting levels of the locks of `lockdep::parking_lot`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;
use std::time::Duration;

use lockdep::finding::{Rule, Tier};
use lockdep::order::{LockNested, RwLockNested, UpgradableNested};
use lockdep::parking_lot::lock_api::{self, GuardNoSend};
use lockdep::parking_lot::{
    Condvar, FairMutex, Mutex, ReentrantMutex, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard,
    lock_api_0_4,
};

use super::declared;
use crate::isolated::{found, run, shown};

/// A raw lock of another crate.
struct Spin(AtomicBool);

// SAFETY: who sets the flag holds the lock.
unsafe impl lock_api::RawMutex for Spin {
    const INIT: Self = Spin(AtomicBool::new(false));

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        while !self.try_lock() {
            thread::yield_now();
        }
    }

    fn try_lock(&self) -> bool {
        self.0.compare_exchange(false, true, Acquire, Relaxed).is_ok()
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Release);
    }
}

type SpinMutex<T> = lock_api::Mutex<lock_api_0_4::RawMutex<Spin>, T>;

/// Ascending levels are silent, whichever lock is the older one; of one level, locks are nested as if
/// there were none; and a descending level is reported.
macro_rules! levels_order {
    ($($test:ident: $new:expr, |$lock:ident, $level:ident| $first:expr, $then:expr;)*) => {$(
        #[test]
        fn $test() {
            fn body() {
                let locks: Vec<_> = (0..6).map(|n| $new(n)).collect();
                let first = |at: usize, $level: u8| {
                    let $lock = &locks[at];
                    $first
                };
                let then = |at: usize, $level: u8| {
                    let $lock = &locks[at];
                    $then
                };
                // Of one class, as one place uses them first.
                (0..6).for_each(|at| drop(first(at, 0)));
                let nest = |levels: [u8; 2]| {
                    for (outer, inner) in [(0, 5), (4, 1), (2, 3)] {
                        let _outer = first(outer, levels[0]);
                        let _inner = then(inner, levels[1]);
                    }
                };
                nest([0, 1]);
                nest([1, 255]);
                assert_eq!(found(), []);
                nest([7, 7]);
                assert_eq!(found(), [(Rule::SameClassNesting, Tier::Potential)]);
                nest([2, 1]);
                let findings = declared();
                assert_eq!(findings.len(), 1);
                let message = findings[0].message();
                assert!(message.contains("at nesting level 1 while it holds"), "{message}");
                assert!(message.contains("at level 2"), "{message}");
                assert_eq!(found().len(), 2);
                lockdep::assert_quiescent();
            }
            run(concat!("order::parking_lot::", stringify!($test)), body).well();
        }
    )*};
}
levels_order! {
    mutexes: Mutex::new, |lock, level| lock.lock_nested(level), lock.lock_nested(level);
    fair_mutexes: FairMutex::new, |lock, level| lock.lock_nested(level), lock.lock_nested(level);
    reentrant_mutexes: ReentrantMutex::new,
        |lock, level| lock.lock_nested(level), lock.lock_nested(level);
    mutexes_over_a_raw_lock_of_ones_own: SpinMutex::new,
        |lock, level| lock.lock_nested(level), lock.lock_nested(level);
    readers: RwLock::new, |lock, level| lock.read_nested(level), lock.read_nested(level);
    writers: RwLock::new, |lock, level| lock.write_nested(level), lock.write_nested(level);
    upgradable_readers: RwLock::new,
        |lock, level| lock.upgradable_read_nested(level), lock.upgradable_read_nested(level);
    writers_under_upgradable_readers: RwLock::new,
        |lock, level| lock.upgradable_read_nested(level), lock.write_nested(level);
}

#[test]
fn levels_hide_no_inversion_of_classes() {
    fn body() {
        let (tree, log) = (Mutex::new(0), Mutex::new(0));
        {
            let _tree = tree.lock_nested(1);
            let _log = log.lock_nested(2);
        }
        assert_eq!(found(), []);
        let _log = log.lock_nested(1);
        let _tree = tree.lock_nested(2);
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("order::parking_lot::levels_hide_no_inversion_of_classes", body).well();
}

#[test]
fn a_converted_hold_keeps_its_level() {
    fn body() {
        let locks: Vec<RwLock<u32>> = (0..3).map(RwLock::new).collect();
        locks.iter().for_each(|lock| drop(lock.read()));
        let _parent = locks[2].read_nested(1);
        let child = locks[0].upgradable_read_nested(2);
        let child = RwLockUpgradableReadGuard::upgrade(child);
        let mut child = RwLockWriteGuard::downgrade_to_upgradable(child);
        RwLockUpgradableReadGuard::bump(&mut child);
        let child = RwLockUpgradableReadGuard::try_upgrade(child).expect("nobody reads");
        let child = RwLockWriteGuard::downgrade(child);
        drop(locks[1].write_nested(3));
        assert_eq!(found(), []);
        drop(locks[1].write_nested(1));
        let message = declared()[0].message();
        assert!(message.contains("at level 2: lesser"), "{message}");
        drop(child);
    }
    run("order::parking_lot::a_converted_hold_keeps_its_level", body).well();
}

#[test]
fn a_wait_keeps_the_level() {
    fn body() {
        let locks: Vec<Mutex<u32>> = (0..3).map(Mutex::new).collect();
        locks.iter().for_each(|lock| drop(lock.lock()));
        let changed = Condvar::new();
        let _parent = locks[2].lock_nested(1);
        let mut child = locks[0].lock_nested(2);
        assert!(changed.wait_for(&mut child, Duration::from_millis(1)).timed_out());
        drop(locks[1].lock_nested(3));
        assert_eq!(found(), []);
        drop(locks[1].lock_nested(1));
        assert_eq!(declared().len(), 1);
    }
    run("order::parking_lot::a_wait_keeps_the_level", body).well();
}

#[test]
fn a_reentrant_mutex_has_the_level_of_its_outermost_hold() {
    fn body() {
        let locks: Vec<ReentrantMutex<u32>> = (0..2).map(ReentrantMutex::new).collect();
        locks.iter().for_each(|lock| drop(lock.lock_nested(0)));
        let outermost = locks[1].lock_nested(1);
        // Not the third level, nor a wait for itself.
        let _again = locks[1].lock_nested(3);
        let _once_more = locks[1].lock();
        drop(locks[0].lock_nested(2));
        assert_eq!(found(), []);
        drop(outermost);
        thread::scope(|s| s.spawn(|| assert!(locks[1].try_lock().is_none())).join().unwrap());
        drop(locks[0].lock_nested(0));
        assert_eq!(declared().len(), 1);
    }
    run("order::parking_lot::a_reentrant_mutex_has_the_level_of_its_outermost_hold", body).well();
}

/// All are first locked at one place in `lock_api`, which makes them no kind.
#[test]
fn reentrant_mutexes_of_unknown_kinds_are_not_judged() {
    fn body() {
        let (tree, log) = (ReentrantMutex::new(1), ReentrantMutex::new("log"));
        drop((tree.lock(), log.lock()));
        let _tree = tree.lock_nested(1);
        drop(log.lock());
        assert_eq!(found(), []);
    }
    run("order::parking_lot::reentrant_mutexes_of_unknown_kinds_are_not_judged", body).well();
}

#[test]
fn a_reentrant_mutex_that_is_waited_for_is_seen() {
    fn body() {
        let (reentrant, mutex) = (ReentrantMutex::new(1), Mutex::new(1));
        let barrier = Barrier::new(2);
        thread::scope(|s| {
            let other = s.spawn(|| {
                catch_unwind(AssertUnwindSafe(|| {
                    let _mutex = mutex.lock_nested(1);
                    barrier.wait();
                    drop(reentrant.lock_nested(1));
                }))
                .is_err()
            });
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let _reentrant = reentrant.lock_nested(1);
                barrier.wait();
                drop(mutex.lock_nested(1));
            }));
            // Whoever closes the circle ends it, and the other goes on.
            assert!(panicked.is_err() != other.join().unwrap());
        });
        assert!(shown().contains(&(Rule::Deadlock, Tier::Happened)));
        assert!(!reentrant.is_locked());
        lockdep::assert_quiescent();
    }
    run("order::parking_lot::a_reentrant_mutex_that_is_waited_for_is_seen", body).well();
}
