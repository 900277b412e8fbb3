//! What the engine sees of the types: each place is the caller's, and a lock is held for exactly
//! as long as its guard lives.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, panic_any};
use std::time::Duration;

use lockdep::finding::Rule;
use lockdep::sync::{Condvar, LazyLock, Mutex, OnceLock, PoisonError, RwLock, RwLockWriteGuard};
use lockdep::thread;

use crate::isolated;

/// Whether the engine panics in `run` because it would wait for this thread itself.
#[track_caller]
fn would_hang<R>(run: impl FnOnce() -> R) -> bool {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(_) => false,
        Err(payload) => {
            let message = payload.downcast::<String>().expect("the engine's message");
            assert!(message.contains("lock"), "{message}");
            true
        }
    }
}

fn poison(mutex: &Mutex<u8>) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _guard = mutex.lock().unwrap();
        panic_any(());
    }));
    panicked.unwrap_err();
}

#[test]
fn a_guard_holds_until_it_is_dropped() {
    let mutex = Mutex::new(1);
    let guard = mutex.lock().unwrap();
    assert!(would_hang(|| mutex.lock()));
    drop(guard);
    drop(mutex.lock().unwrap());
    let guard = mutex.try_lock().unwrap();
    assert!(would_hang(|| mutex.lock()));
    drop(guard);
    drop(mutex.lock().unwrap());
}

#[test]
fn a_poisoned_lock_is_held_by_the_guard_in_the_error() {
    let mutex = Mutex::new(1);
    poison(&mutex);
    let error = mutex.lock().unwrap_err();
    assert!(would_hang(|| mutex.lock()));
    let guard = error.into_inner();
    assert!(would_hang(|| mutex.lock()));
    drop(guard);
    drop(mutex.lock().unwrap_err());
    assert!(mutex.is_poisoned());
}

#[test]
fn a_writer_holds_until_it_is_downgraded() {
    let lock = RwLock::new(1);
    let writer = lock.write().unwrap();
    assert!(would_hang(|| lock.read()));
    let reader = RwLockWriteGuard::downgrade(writer);
    assert!(would_hang(|| lock.write()));
    thread::scope(|s| {
        s.spawn(|| drop(lock.read().unwrap()));
    });
    drop(reader);
    drop(lock.write().unwrap());
}

#[test]
fn a_wait_gives_up_the_lock_and_takes_it_again() {
    let (mutex, changed) = (Mutex::new(false), Condvar::new());
    let guard = mutex.lock().unwrap();
    thread::scope(|s| {
        s.spawn(|| {
            *mutex.lock().unwrap() = true;
            changed.notify_one();
        });
        let guard = changed.wait_while(guard, |done| !*done).unwrap();
        assert!(would_hang(|| mutex.lock()));
        let (guard, _) = changed.wait_timeout(guard, Duration::ZERO).unwrap();
        assert!(would_hang(|| mutex.lock()));
        drop(guard);
    });
    drop(mutex.lock().unwrap());
}

#[test]
fn a_condition_that_panics_ends_the_hold() {
    let (mutex, changed) = (Mutex::new(0), Condvar::new());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        drop(changed.wait_while(mutex.lock().unwrap(), |_| panic_any(())));
    }));
    panicked.unwrap_err();
    drop(mutex.lock().unwrap_or_else(PoisonError::into_inner));
}

#[test]
fn a_debug_text_holds_the_lock_only_while_it_is_made() {
    let mutex = Mutex::new(1);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 1, poisoned: false, .. }");
    drop(mutex.lock().unwrap());
}

#[test]
fn an_initialisation_that_uses_itself_is_seen() {
    let cell = OnceLock::<u8>::new();
    assert!(would_hang(|| cell.get_or_init(|| *cell.get_or_init(|| 1))));
    assert_eq!(cell.get_or_init(|| 2), &2);

    static LAZY: LazyLock<u8> = LazyLock::new(|| *LAZY);
    assert!(would_hang(|| *LAZY));
}

#[test]
fn places_are_the_callers() {
    let (first, first_line) = (Mutex::new(0), line!());
    let (second, second_line) = (RwLock::from(0), line!());
    let (third, third_line): (Mutex<u8>, u32) = (Mutex::default(), line!());
    {
        let _first = first.lock().unwrap();
        let _second = second.read().unwrap();
        let _third = third.try_lock().unwrap();
    }
    let (_second, from_line) = (second.write().unwrap(), line!());
    let (_first, to_line) = (first.lock().unwrap(), line!());
    drop(third);
    let created =
        |line: u32| move |found: &Location<'_>| found.file() == file!() && found.line() == line;
    let findings = lockdep::findings();
    let cycle = findings
        .iter()
        .find(|finding| {
            finding.rule == Rule::LockOrder
                && finding.locks.iter().any(|lock| created(first_line)(lock.created))
                && finding.locks.iter().any(|lock| created(second_line)(lock.created))
        })
        .expect("first and second are locked in both orders");
    assert_eq!(cycle.locks.len(), 2);
    assert!(
        cycle
            .edges
            .iter()
            .any(|edge| { created(from_line)(edge.from_site) && created(to_line)(edge.to_site) })
    );
    assert!(
        !findings
            .iter()
            .any(|finding| { finding.locks.iter().any(|lock| created(third_line)(lock.created)) })
    );
}

/// A scope cannot be left while its threads run, so a deadlock at its end ends the process.
#[test]
fn a_deadlock_at_the_end_of_a_scope_does_not_hang() {
    let name = "behaviour::observed::a_deadlock_at_the_end_of_a_scope_does_not_hang";
    let ended = isolated::run(name, || {
        let mutex = Mutex::new(());
        let _guard = mutex.lock().unwrap();
        thread::scope(|s| {
            s.spawn(|| drop(mutex.lock()));
        });
    });
    assert!(!ended.ok);
    assert!(ended.stderr.contains("deadlock (happened)"), "{}", ended.stderr);
}
