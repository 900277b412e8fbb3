//! What is promised when something is in the way: duplicates, held locks, poison, panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use lockdep::ordered::{LockAllError, lock_pair, lock_slice};
use lockdep::sync::{Mutex, RwLock};
use lockdep::{lock_all, lock_all_backoff, lock_all_for, lock_all_unique, try_lock_all};

fn panic_text(body: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(body)).expect_err("the body panics");
    *payload.downcast::<String>().expect("a panic with a text")
}

#[test]
fn a_lock_given_twice_is_refused_with_both_expressions() {
    let (bank, other) = ([Mutex::new(1)], Mutex::new(2));
    let text = "`bank[0].lock()` and `bank[i]` are the same lock, which cannot be locked twice at \
                once; pass different locks, or use a `_unique` form to lock each once";
    let i = 0;
    assert_eq!(panic_text(|| drop(lock_all!(bank[0].lock(), other, bank[i]))), text);
    assert_eq!(panic_text(|| drop(lock_all_backoff!(bank[0].lock(), other, bank[i]))), text);
    assert_eq!(try_lock_all!(bank[0].lock(), other, bank[i]).expect_err("twice").to_string(), text);
    let refused = lock_all_for!(Duration::ZERO, bank[0].lock(), bank[i]).expect_err("twice");
    assert_eq!(refused.to_string(), text);
    let slice = panic_text(|| drop(lock_slice(&[&other, &bank[0], &other])));
    assert!(slice.starts_with("`locks[0]` and `locks[2]` are the same lock"), "{slice}");
    let pair = panic_text(|| drop(lock_pair(&other, &&other)));
    assert!(pair.starts_with("`the first lock` and `the second lock` are the same"), "{pair}");

    let (first, second) = lock_all_unique!(bank[0].lock().unwrap(), bank[i].lock().unwrap());
    assert_eq!((first.as_deref(), second.as_deref()), (Some(&1), None));
    drop(first);
    assert!(bank[0].try_lock().is_ok() && other.try_lock().is_ok(), "nothing stays locked");
}

#[test]
fn a_lock_read_and_written_at_once_is_the_same_lock() {
    let lock = RwLock::new(());
    let refused = try_lock_all!(lock.read(), lock.write()).expect_err("it would wait for itself");
    assert!(matches!(refused, LockAllError::Duplicate { .. }));
}

#[test]
fn a_held_lock_leaves_the_others_free() {
    let (a, b, c) = (Mutex::new(()), RwLock::new(()), parking_lot::Mutex::new(()));
    let held = b.read();
    let (_a, _b) = try_lock_all!(a, b.read()).expect("readers share");
    drop((_a, _b));
    let refused = try_lock_all!(a, b.write(), c).expect_err("held");
    assert_eq!(refused, LockAllError::WouldBlock { lock: "b.write()".into() });
    let start = Instant::now();
    let timeout = Duration::from_millis(20);
    let refused = lock_all_for!(timeout, a, b.write(), c).expect_err("held");
    assert_eq!(refused, LockAllError::Timeout { lock: "b.write()".into() });
    assert!(start.elapsed() >= timeout);
    assert!(a.try_lock().is_ok() && c.try_lock().is_some());
    drop(held);
    assert!(lock_all_for!(timeout, a, b.write(), c).is_ok());
}

#[test]
fn a_lock_that_comes_free_in_time_is_taken() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    // The order is that of the first use.
    drop(lock_all!(a, b));
    thread::scope(|scope| {
        let held = b.lock();
        let waiter = scope.spawn(|| {
            lock_all_for!(Duration::MAX, a.lock().unwrap(), b.lock().unwrap()).map(|(a, b)| *a + *b)
        });
        // The waiter keeps the free lock while it waits for the other.
        while a.try_lock().is_ok() {
            thread::yield_now();
        }
        drop(held);
        assert_eq!(waiter.join().expect("no panic"), Ok(3));
    });
}

#[test]
fn poison_comes_with_the_lock_that_has_it() {
    let (a, b) = (Mutex::new(1), RwLock::new(2));
    let poison = || {
        let _guard = b.write();
        panic!("{}", "while it is held");
    };
    panic_text(poison);
    let (first, second) = lock_all!(a, b.read());
    assert!(first.is_ok());
    assert_eq!(*second.expect_err("poisoned").into_inner(), 2);
    drop(first);
    let (first, second) = try_lock_all!(a, b.write()).expect("poison is no refusal");
    assert!(first.is_ok() && second.is_err());
    drop((first, second));

    // What is done with the outcome comes when all are taken; a panic then releases all.
    let text = panic_text(|| {
        drop(lock_all!(a, b.write().unwrap_or_else(|_| panic!("{}", "both are held"))));
    });
    assert_eq!(text, "both are held");
    assert!(b.try_write().is_err_and(|e| matches!(e, std::sync::TryLockError::Poisoned(_))));
    assert!(a.try_lock().is_err_and(|e| matches!(e, std::sync::TryLockError::Poisoned(_))));

    // Nobody can tell that of an `unwrap`, but by the poison of a lock that was not taken yet.
    let a = Mutex::new(1);
    let text = panic_text(|| drop(lock_all!(a.lock().unwrap(), b.write().unwrap())));
    assert!(text.contains("PoisonError"), "{text}");
    assert!(!matches!(a.try_lock(), Err(std::sync::TryLockError::WouldBlock)));
    assert!(!matches!(b.try_write(), Err(std::sync::TryLockError::WouldBlock)));
}

#[test]
fn a_panic_between_the_acquisitions_releases_what_was_taken() {
    struct Broken;

    impl lockdep::ordered::Lockable for Broken {
        type Locked<'a> = ();

        fn order_key(&self) -> lockdep::ordered::OrderKey {
            lockdep::ordered::OrderKey::of_address(self)
        }

        fn acquire(&self) {
            panic!("{}", "this lock is broken");
        }

        fn try_acquire(&self) -> Option<()> {
            self.acquire();
            None
        }
    }

    // Locks with a number of their own come before those with an address.
    let (a, broken) = (parking_lot::Mutex::new(()), Broken);
    let numbered = Mutex::new(());
    assert_eq!(panic_text(|| drop(lock_all!(broken, numbered, a))), "this lock is broken");
    assert!(a.try_lock().is_some());
    assert!(numbered.is_poisoned(), "it was held when the panic came");
    numbered.clear_poison();
    assert!(numbered.try_lock().is_ok());
    assert_eq!(panic_text(|| drop(try_lock_all!(numbered, broken))), "this lock is broken");
    assert!(!matches!(numbered.try_lock(), Err(std::sync::TryLockError::WouldBlock)));
}

#[test]
fn the_place_of_an_acquisition_is_that_of_the_macro() {
    use crate::isolated::run;
    let ended = run("ordered::promises::the_place_of_an_acquisition_is_that_of_the_macro", || {
        let (a, b) = (Mutex::new(1), Mutex::new(2));
        let guards = lock_all!(a, b);
        drop(guards);
    });
    let trace = ended.well().trace;
    assert!(trace.contains("promises.rs"), "{trace}");
    assert!(!trace.contains("ordered/lockable.rs") && !trace.contains("acquire.rs"), "{trace}");
}
