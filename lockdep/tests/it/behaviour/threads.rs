//! `spawn`, `Builder`, `scope` and `park`.

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::time::Duration;

use super::sync::atomic::{AtomicUsize, Ordering};
use super::sync::{Condvar, LazyLock, Mutex, RwLock, mpsc};
use super::thread::{self, Builder};

#[test]
fn join_returns_the_result() {
    let handle = thread::spawn(|| (thread::current().id(), "result"));
    let id = handle.thread().id();
    assert_eq!(handle.join().unwrap(), (id, "result"));
}

#[test]
fn join_returns_the_panic() {
    let payload = thread::spawn(|| panic_any(5u8)).join().unwrap_err();
    assert_eq!(*payload.downcast::<u8>().unwrap(), 5);
}

#[test]
fn a_builder_names_and_sizes() {
    let handle = Builder::new()
        .name("a name".to_owned())
        .stack_size(1 << 20)
        .spawn(|| thread::current().name().map(str::to_owned))
        .unwrap();
    assert_eq!(handle.thread().name(), Some("a name"));
    assert_eq!(handle.join().unwrap().as_deref(), Some("a name"));
    assert!(!thread::spawn(|| thread::current().name().is_some()).join().unwrap());
    thread::scope(|s| {
        let handle = Builder::new().name("scoped".to_owned()).spawn_scoped(s, || 1).unwrap();
        assert_eq!(handle.thread().name(), Some("scoped"));
        assert_eq!(handle.join().unwrap(), 1);
    });
}

#[test]
fn an_unchecked_thread_may_borrow() {
    let local = Mutex::new(1);
    // SAFETY: the thread is joined before `local` is dropped.
    let handle = unsafe { Builder::new().spawn_unchecked(|| *local.lock().unwrap() += 1) };
    handle.unwrap().join().unwrap();
    assert_eq!(local.into_inner().unwrap(), 2);
}

#[test]
fn is_finished_turns_true() {
    let (go, gone) = mpsc::channel::<()>();
    let handle = thread::spawn(move || gone.recv());
    assert!(!handle.is_finished());
    drop(go);
    while !handle.is_finished() {
        thread::yield_now();
    }
    assert!(handle.join().unwrap().is_err());
}

#[test]
fn a_detached_thread_runs_on() {
    let (done, ended) = mpsc::channel();
    drop(thread::spawn(move || done.send(1)));
    assert_eq!(ended.recv(), Ok(1));
}

#[test]
fn a_scope_waits_for_all() {
    let ended = AtomicUsize::new(0);
    let count = || {
        thread::yield_now();
        ended.fetch_add(1, Ordering::Relaxed);
    };
    let result = thread::scope(|s| {
        s.spawn(count);
        s.spawn(|| {
            // From within a thread of the scope, after the scope's function may have returned.
            thread::yield_now();
            s.spawn(|| {
                s.spawn(count);
                count();
            });
            count();
        });
        s.spawn(count).join().unwrap();
        drop(s.spawn(count));
        "result"
    });
    assert_eq!(result, "result");
    assert_eq!(ended.into_inner(), 6);
}

#[test]
fn threads_of_a_scope_borrow_and_return() {
    let mut numbers = vec![1, 2, 3];
    let mut sum = 0;
    thread::scope(|s| {
        let doubled = s.spawn(|| numbers.iter().map(|n| n * 2).sum::<i32>());
        s.spawn(|| sum += 1);
        assert_eq!(doubled.join().unwrap(), 12);
    });
    numbers.push(sum);
    assert_eq!(numbers, [1, 2, 3, 1]);
}

#[test]
fn many_threads_one_after_the_other() {
    let ended = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..200 {
            s.spawn(|| ended.fetch_add(1, Ordering::Relaxed)).join().unwrap();
        }
    });
    assert_eq!(ended.into_inner(), 200);
}

#[test]
fn a_panic_in_a_scope_waits_for_the_threads() {
    let ended = AtomicUsize::new(0);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|s| {
            s.spawn(|| {
                thread::yield_now();
                ended.fetch_add(1, Ordering::Relaxed);
            });
            panic_any(7u8);
        })
    }));
    assert_eq!(*panicked.unwrap_err().downcast::<u8>().unwrap(), 7);
    assert_eq!(ended.into_inner(), 1);
}

#[test]
fn a_joined_panic_is_the_handles_alone() {
    let result = thread::scope(|s| s.spawn(|| panic_any(8u8)).join().unwrap_err());
    assert_eq!(*result.downcast::<u8>().unwrap(), 8);
    let panicked = catch_unwind(|| {
        thread::scope(|s| {
            s.spawn(|| panic_any(9u8));
        })
    });
    assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "a scoped thread panicked");
}

#[test]
fn a_handle_is_joined_by_another_thread() {
    thread::scope(|s| {
        let first = s.spawn(|| 1);
        let second = s.spawn(move || first.join().unwrap() + 1);
        assert_eq!(second.join().unwrap(), 2);
    });
}

#[test]
fn an_unparked_thread_goes_on() {
    let ready = AtomicUsize::new(0);
    thread::scope(|s| {
        let parked = s.spawn(|| {
            while ready.load(Ordering::Acquire) == 0 {
                thread::park();
            }
        });
        ready.store(1, Ordering::Release);
        parked.thread().unpark();
    });
    thread::park_timeout(Duration::from_millis(1));
}

/// Uses each kind of lock when a thread's locals are dropped.
struct AtTheEnd(mpsc::Sender<u8>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        static LOCK: RwLock<u8> = RwLock::new(1);
        static LAZY: LazyLock<u8> = LazyLock::new(|| *LOCK.read().unwrap());
        let (mutex, changed) = (Mutex::new(0), Condvar::new());
        *mutex.lock().unwrap() += *LAZY;
        let waited = changed.wait_timeout(mutex.lock().unwrap(), Duration::ZERO);
        let value = thread::scope(|s| {
            s.spawn(|| *LOCK.write().unwrap()).join().unwrap() + *waited.unwrap().0
        });
        self.0.send(value).unwrap();
    }
}

#[test]
fn all_works_while_the_locals_of_a_thread_are_dropped() {
    thread_local! {
        static FIRST: OnceCell<AtTheEnd> = const { OnceCell::new() };
        static SECOND: OnceCell<AtTheEnd> = const { OnceCell::new() };
    }
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // One is dropped before what the engine keeps for the thread, one maybe after.
        FIRST.with(|cell| cell.set(AtTheEnd(sender.clone())).is_ok());
        drop(Mutex::new(0).lock());
        SECOND.with(|cell| cell.set(AtTheEnd(sender)).is_ok());
    })
    .join()
    .unwrap();
    assert!(receiver.iter().eq([2, 2]));
}

#[cfg(unix)]
#[test]
fn a_handle_has_its_pthread() {
    use std::os::unix::thread::JoinHandleExt;

    let handle = thread::spawn(|| ());
    let pthread = handle.as_pthread_t();
    assert_ne!(pthread as usize, 0);
    handle.join().unwrap();
}
