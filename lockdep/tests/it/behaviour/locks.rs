//! `Mutex`, `RwLock`, `Condvar` and `Barrier`.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::time::{Duration, Instant};

use super::sync::atomic::{AtomicUsize, Ordering};
use super::sync::{
    Arc, Barrier, Condvar, Mutex, PoisonError, RwLock, RwLockWriteGuard, TryLockError,
};
use super::thread;

/// Runs what panics with `()`.
fn panic_in(run: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(run)).unwrap_err().is::<()>());
}

fn poison_mutex<T: ?Sized>(mutex: &Mutex<T>) {
    panic_in(|| {
        let _guard = mutex.lock().unwrap();
        panic_any(());
    });
}

fn poison_rwlock<T: ?Sized>(lock: &RwLock<T>) {
    panic_in(|| {
        let _guard = lock.write().unwrap();
        panic_any(());
    });
}

#[test]
fn a_mutex_excludes() {
    const THREADS: u32 = 4;
    const TIMES: u32 = 1000;
    let count = Mutex::new(0);
    thread::scope(|s| {
        for _ in 0..THREADS {
            s.spawn(|| {
                for _ in 0..TIMES {
                    *count.lock().unwrap() += 1;
                }
            });
        }
    });
    assert_eq!(count.into_inner().unwrap(), THREADS * TIMES);
}

#[test]
fn try_lock_fails_while_held() {
    let mutex = Mutex::new(());
    {
        let _guard = mutex.lock().unwrap();
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        thread::scope(|s| {
            s.spawn(|| assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock))));
        });
    }
    drop(mutex.try_lock().unwrap());
    drop(mutex.try_lock().unwrap());
}

#[test]
fn a_panic_poisons_a_mutex() {
    let mut mutex = Mutex::new(1);
    poison_mutex(&mutex);
    assert!(mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 1);
    match mutex.try_lock() {
        Err(TryLockError::Poisoned(poisoned)) => *poisoned.into_inner() = 2,
        other => panic!("{other:?}"),
    }
    assert_eq!(**mutex.lock().unwrap_err().get_ref(), 2);
    **mutex.lock().unwrap_err().get_mut() = 3;
    assert_eq!(*mutex.get_mut().unwrap_err().into_inner(), 3);
    mutex.clear_poison();
    assert!(!mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap(), 3);
    poison_mutex(&mutex);
    assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 3);
}

#[test]
fn a_lock_taken_while_unwinding_is_not_poisoned() {
    struct LockOnDrop<'a>(&'a Mutex<u8>, &'a RwLock<u8>);
    impl Drop for LockOnDrop<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
            *self.1.write().unwrap() += 1;
        }
    }
    let (mutex, lock) = (Mutex::new(0), RwLock::new(0));
    panic_in(|| {
        let _lock = LockOnDrop(&mutex, &lock);
        panic_any(());
    });
    assert_eq!((*mutex.lock().unwrap(), *lock.read().unwrap()), (1, 1));
}

#[test]
fn values_are_dropped_once() {
    struct Count<'a>(&'a AtomicUsize);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let drops = AtomicUsize::new(0);
    let mutex = Mutex::new(Count(&drops));
    let value = mutex.into_inner().unwrap();
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    drop(value);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    drop(RwLock::new(Count(&drops)));
    assert_eq!(drops.load(Ordering::Relaxed), 2);
}

#[test]
fn unsized_values_are_locked() {
    let bytes: &Mutex<[u8]> = &Mutex::new([1, 2, 3]);
    bytes.lock().unwrap()[0] = 4;
    assert_eq!(&*bytes.lock().unwrap(), &[4, 2, 3]);
    let add: Arc<RwLock<dyn Fn(u8) -> u8 + Send + Sync>> = Arc::new(RwLock::new(|n| n + 1));
    assert_eq!(add.read().unwrap()(1), 2);
}

#[test]
fn readers_share_and_writers_exclude() {
    let lock = RwLock::new(1);
    let first = lock.read().unwrap();
    thread::scope(|s| {
        s.spawn(|| assert_eq!(*lock.try_read().unwrap(), 1));
        s.spawn(|| assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock))));
    });
    drop(first);
    let mut writer = lock.write().unwrap();
    *writer += 1;
    thread::scope(|s| {
        s.spawn(|| assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock))));
        s.spawn(|| assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock))));
    });
    drop(writer);
    assert_eq!(lock.into_inner().unwrap(), 2);
}

#[test]
fn only_a_writer_poisons() {
    let mut lock = RwLock::new(1);
    panic_in(|| {
        let _guard = lock.read().unwrap();
        panic_any(());
    });
    assert!(!lock.is_poisoned());
    poison_rwlock(&lock);
    assert!(lock.is_poisoned());
    assert_eq!(*lock.read().unwrap_err().into_inner(), 1);
    *lock.write().unwrap_or_else(PoisonError::into_inner) = 2;
    assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
    assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
    assert_eq!(*lock.get_mut().unwrap_err().into_inner(), 2);
    lock.clear_poison();
    assert_eq!(*lock.get_mut().unwrap(), 2);
}

#[test]
fn a_downgraded_writer_is_a_reader() {
    let lock = RwLock::new(1);
    let mut writer = lock.write().unwrap();
    *writer = 2;
    let reader = RwLockWriteGuard::downgrade(writer);
    thread::scope(|s| {
        s.spawn(|| assert_eq!(*lock.try_read().unwrap(), 2));
        s.spawn(|| assert!(lock.try_write().is_err()));
    });
    drop(reader);
    drop(lock.try_write().unwrap());
    // Also of a poisoned lock.
    poison_rwlock(&lock);
    let reader = RwLockWriteGuard::downgrade(lock.write().unwrap_err().into_inner());
    assert_eq!(*reader, 2);
    drop(reader);
    drop(lock.try_write().unwrap_err());
}

#[test]
fn a_notification_ends_a_wait() {
    let (state, changed) = (Mutex::new(0), Condvar::new());
    thread::scope(|s| {
        s.spawn(|| {
            let mut state = state.lock().unwrap();
            while *state != 1 {
                state = changed.wait(state).unwrap();
            }
            *state = 2;
            changed.notify_all();
        });
        *state.lock().unwrap() = 1;
        changed.notify_all();
        let mut state = changed.wait_while(state.lock().unwrap(), |state| *state != 2).unwrap();
        *state = 3;
    });
    assert_eq!(*state.lock().unwrap(), 3);
}

#[test]
fn notify_one_wakes_each_in_turn() {
    const THREADS: usize = 4;
    let (tickets, changed) = (Mutex::new(0), Condvar::new());
    thread::scope(|s| {
        for _ in 0..THREADS {
            s.spawn(|| {
                let guard = tickets.lock().unwrap();
                *changed.wait_while(guard, |tickets| *tickets == 0).unwrap() -= 1;
            });
        }
        for _ in 0..THREADS {
            *tickets.lock().unwrap() += 1;
            changed.notify_one();
        }
    });
    assert_eq!(*tickets.lock().unwrap(), 0);
}

#[test]
fn timed_waits_end() {
    let (mutex, changed) = (Mutex::new(false), Condvar::new());
    let short = Duration::from_millis(1);
    let start = Instant::now();
    let (guard, result) =
        changed.wait_timeout_while(mutex.lock().unwrap(), short, |ready| !*ready).unwrap();
    assert!(result.timed_out());
    assert!(start.elapsed() >= short);
    assert!(mutex.try_lock().is_err(), "the wait gives the lock back");
    drop(guard);
    let long = Duration::from_secs(1000);
    let (mut guard, result) = changed
        .wait_timeout_while(mutex.lock().unwrap(), long, |ready| {
            *ready = true;
            false
        })
        .unwrap();
    assert!(!result.timed_out());
    assert!(*guard, "the condition may change the value");
    *guard = false;
    drop(guard);
    thread::scope(|s| {
        let guard = mutex.lock().unwrap();
        s.spawn(|| {
            *mutex.lock().unwrap() = true;
            changed.notify_one();
        });
        let (guard, result) = changed.wait_timeout_while(guard, long, |ready| !*ready).unwrap();
        assert!(*guard && !result.timed_out());
    });
}

#[test]
fn a_wait_returns_poison() {
    let (mutex, changed) = (Mutex::new(false), Condvar::new());
    thread::scope(|s| {
        let guard = mutex.lock().unwrap();
        s.spawn(|| {
            *mutex.lock().unwrap() = true;
            poison_mutex(&mutex);
            changed.notify_all();
        });
        let guard = changed.wait_while(guard, |_| true).unwrap_err().into_inner();
        assert!(*guard);
    });
    let short = Duration::ZERO;
    let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
    let (guard, result) = changed.wait_timeout(guard, short).unwrap_err().into_inner();
    assert!(*guard && result.timed_out());
}

#[test]
fn a_condition_that_panics_unlocks() {
    let (mutex, changed) = (Mutex::new(0), Condvar::new());
    panic_in(|| {
        let guard = mutex.lock().unwrap();
        drop(changed.wait_while(guard, |_| panic_any(())));
    });
    assert_eq!(*mutex.try_lock().unwrap_err().into_poisoned(), 0);
}

/// What is inside a poisoned `try_lock`.
trait IntoPoisoned<G> {
    fn into_poisoned(self) -> G;
}

impl<G> IntoPoisoned<G> for TryLockError<G> {
    fn into_poisoned(self) -> G {
        match self {
            TryLockError::Poisoned(poisoned) => poisoned.into_inner(),
            TryLockError::WouldBlock => panic!("the lock is held"),
        }
    }
}

#[test]
fn a_condvar_may_be_used_with_one_mutex_after_another() {
    // Whether at the same time panics or not is for the platform to say.
    let changed = Condvar::new();
    for mutex in [Mutex::new(1), Mutex::new(2)] {
        let waited = catch_unwind(AssertUnwindSafe(|| {
            drop(changed.wait_timeout(mutex.lock().unwrap(), Duration::ZERO));
        }));
        drop(mutex.try_lock().unwrap_or_else(|error| error.into_poisoned()));
        drop(waited);
    }
}

#[test]
fn a_barrier_lets_all_go_with_one_leader() {
    const THREADS: usize = 4;
    let barrier = Barrier::new(THREADS);
    let leaders = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..THREADS {
            s.spawn(|| {
                for _ in 0..3 {
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(leaders.into_inner(), 3);
}
