//! `lockdep::parking_lot`: what its modes, waits and conversions are seen as.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use lockdep::finding::{Rule, Tier};
use lockdep::parking_lot::{
    ArcMutexGuard, ArcRwLockReadGuard, Condvar, Mutex, MutexGuard, Once, OnceState, RawMutex,
    RawRwLock, ReentrantMutex, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard, const_mutex,
};
use lockdep::thread;

use crate::isolated::{run, shown};

/// The step would hang, and panics instead.
fn assert_hangs(step: impl FnOnce()) {
    assert!(panic::catch_unwind(AssertUnwindSafe(step)).is_err());
}

#[test]
fn what_hangs_by_itself_is_a_double_lock() {
    fn body() {
        let (mutex, rwlock) = (Mutex::new(1), RwLock::new(1));
        let held = mutex.lock();
        assert_hangs(|| drop(mutex.lock()));
        drop(held);
        let held = rwlock.upgradable_read();
        assert_hangs(|| drop(rwlock.upgradable_read()));
        let read = rwlock.read();
        assert_hangs(|| drop(RwLockUpgradableReadGuard::upgrade(held)));
        drop(read);
        assert_eq!(shown(), [(Rule::DoubleLock, Tier::Happened); 3]);
    }
    run("parking_lot::what_hangs_by_itself_is_a_double_lock", body).well();
}

#[test]
fn a_guard_that_owns_its_lock_holds_it() {
    fn body() {
        let (lock, table) = (Arc::new(Mutex::new(0)), Arc::new(RwLock::new(0)));
        let guard: ArcMutexGuard<RawMutex, u8> = lock.lock_arc();
        assert_hangs(|| drop(lock.lock()));
        let reader: ArcRwLockReadGuard<RawRwLock, u8> = table.read_arc();
        assert_hangs(|| drop(table.write()));
        drop((guard, reader));
        drop((lock.lock(), table.write()));
        lockdep::assert_quiescent();
    }
    run("parking_lot::a_guard_that_owns_its_lock_holds_it", body).well();
}

#[test]
fn reads_within_reads() {
    fn body() {
        let rwlock = RwLock::new(1);
        let first = rwlock.read();
        drop(rwlock.read_recursive());
        assert_eq!(shown(), []);
        drop(rwlock.read());
        assert_eq!(shown(), [(Rule::RecursiveRead, Tier::Potential)]);
        drop(first);

        let other = RwLock::new(1);
        let first = other.upgradable_read();
        drop(other.read());
        assert_eq!(shown().len(), 1, "no writer can queue here");
        drop(first);
    }
    run("parking_lot::reads_within_reads", body).well();
}

#[test]
fn a_hold_is_released_in_the_mode_that_it_has() {
    fn body() {
        let (rwlock, inner) = (RwLock::new(1), Mutex::new(1));
        let upgradable = rwlock.upgradable_read();
        let read = rwlock.read();
        drop(upgradable);
        // Only the read is left, and another thread's read does not conflict with it.
        thread::scope(|s| {
            s.spawn(|| drop(rwlock.upgradable_read()));
        });
        drop(inner.lock());
        drop(read);
        let write = RwLockUpgradableReadGuard::upgrade(rwlock.upgradable_read());
        let upgradable = RwLockWriteGuard::downgrade_to_upgradable(write);
        let mut read = RwLockUpgradableReadGuard::downgrade(upgradable);
        RwLockReadGuard::bump(&mut read);
        drop(read);
        *rwlock.write() += 1;
        assert_eq!(*rwlock.read(), 2);
        assert_eq!(shown(), []);
    }
    run("parking_lot::a_hold_is_released_in_the_mode_that_it_has", body).well();
}

#[test]
fn a_downgraded_hold_is_one() {
    fn body() {
        let (page, dirty) = (RwLock::new(1), Mutex::new(1));
        thread::scope(|s| {
            s.spawn(|| {
                let page = RwLockWriteGuard::downgrade(page.write());
                *dirty.lock() += *page;
            });
        });
        thread::scope(|s| {
            s.spawn(|| {
                let dirty = dirty.lock();
                *page.write() += *dirty;
            });
        });
        let found: Vec<Rule> = lockdep::findings().iter().map(|f| f.rule).collect();
        assert_eq!(found, [Rule::LockOrder]);
    }
    run("parking_lot::a_downgraded_hold_is_one", body).well();
}

#[test]
fn only_the_outermost_hold_of_a_reentrant_mutex_counts() {
    fn body() {
        let (reentrant, mutex) = (ReentrantMutex::new(1), Mutex::new(1));
        let outer = reentrant.lock();
        drop(reentrant.lock());
        drop(mutex.lock());
        drop(outer);
        let held = mutex.lock();
        drop(reentrant.lock());
        drop(held);
        assert_eq!(shown(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("parking_lot::only_the_outermost_hold_of_a_reentrant_mutex_counts", body).well();
}

#[test]
fn a_wait_releases_and_an_unlocked_closure_is_outside() {
    fn body() {
        static READY: Mutex<bool> = const_mutex(false);
        let changed = Arc::new(Condvar::new());
        let mut ready = READY.lock();
        assert!(changed.wait_for(&mut ready, Duration::from_millis(1)).timed_out());
        let waker = Arc::clone(&changed);
        let thread = thread::spawn(move || {
            *READY.lock() = true;
            waker.notify_all();
        });
        changed.wait_while(&mut ready, |ready| !*ready);
        MutexGuard::unlocked(&mut ready, || drop(READY.lock()));
        drop(ready);
        thread.join().expect("it does not panic");
        assert_eq!(shown(), []);
    }
    run("parking_lot::a_wait_releases_and_an_unlocked_closure_is_outside", body).well();
}

#[test]
fn an_initialiser_that_needs_itself() {
    fn body() {
        static ONCE: Once = Once::new();
        assert_hangs(|| ONCE.call_once(|| ONCE.call_once(|| ())));
        assert_eq!(ONCE.state(), OnceState::Poisoned);
        ONCE.call_once_force(|state| assert!(state.poisoned()));
        assert_eq!(shown(), [(Rule::InitCycle, Tier::Happened)]);
    }
    run("parking_lot::an_initialiser_that_needs_itself", body).well();
}

#[test]
fn threads_that_wait_for_each_other() {
    fn body() {
        let (map, mutex) = (RwLock::new(1), Mutex::new(1));
        let barrier = std::sync::Barrier::new(2);
        thread::scope(|s| {
            let other = s.spawn(|| {
                let read = map.read();
                barrier.wait();
                *mutex.lock() += *read;
            });
            let _ = panic::catch_unwind(AssertUnwindSafe(|| {
                let upgradable = map.upgradable_read();
                let _held = mutex.lock();
                barrier.wait();
                drop(RwLockUpgradableReadGuard::upgrade(upgradable));
            }));
            let _ = other.join();
        });
        assert!(shown().contains(&(Rule::Deadlock, Tier::Happened)));
    }
    run("parking_lot::threads_that_wait_for_each_other", body).well();
}
