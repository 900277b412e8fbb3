//! The semaphore: its permits, and the hangs that it takes part in.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{AcquireError, Barrier, Mutex, Permit, Semaphore, mpsc};
use lockdep::thread;

use crate::isolated::{found, run, run_with, shown};

#[test]
fn permits_are_taken_and_given_back() {
    let semaphore = Semaphore::new(3);
    let one = semaphore.acquire().unwrap();
    let mut two = semaphore.acquire_many(2).unwrap();
    assert_eq!((one.count(), two.count(), semaphore.available()), (1, 2, 0));
    assert_eq!(semaphore.try_acquire().unwrap_err(), AcquireError::NoPermits);
    two.release(1).unwrap();
    let error = two.release(2).unwrap_err();
    assert_eq!((error.released, error.held, semaphore.available()), (2, 1, 1));
    assert_eq!(error.to_string(), "2 permits were to be released where 1 are held: none was");
    drop(two);
    assert_eq!(semaphore.try_acquire_many(2).unwrap().count(), 2);
    assert_eq!(
        semaphore.acquire_many(4).unwrap_err(),
        AcquireError::TooMany { asked: 4, total: 3 }
    );
    let timed = semaphore.acquire_many_timeout(3, Duration::from_millis(1));
    assert_eq!(timed.unwrap_err(), AcquireError::NoPermits);
    drop(one);
    assert_eq!(semaphore.acquire_many_timeout(3, Duration::ZERO).unwrap().count(), 3);
    assert_eq!(semaphore.available(), semaphore.total());
}

#[test]
fn those_who_wait_are_served_in_turn() {
    let semaphore = Semaphore::new(4);
    let all = semaphore.acquire_many(4).unwrap();
    thread::scope(|s| {
        for _ in 0..8 {
            s.spawn(|| {
                for count in 1..=4 {
                    let permit = semaphore.acquire_many(count).unwrap();
                    assert!(permit.count() + semaphore.available() <= 4);
                }
            });
        }
        drop(all);
    });
    assert_eq!(semaphore.available(), 4);
}

#[test]
fn whoever_waits_for_a_closed_semaphore_is_told() {
    for total in [1, 2] {
        let semaphore = Semaphore::new(total);
        let all = semaphore.acquire_many(total).unwrap();
        thread::scope(|s| {
            let waiter = s.spawn(|| semaphore.acquire().err());
            let timed = s.spawn(|| semaphore.acquire_timeout(Duration::from_secs(60)).err());
            semaphore.close();
            assert_eq!(waiter.join().unwrap(), Some(AcquireError::Closed));
            assert_eq!(timed.join().unwrap(), Some(AcquireError::Closed));
        });
        drop(all);
        assert!(semaphore.is_closed());
        assert_eq!(semaphore.available(), total);
        assert_eq!(semaphore.try_acquire().unwrap_err(), AcquireError::Closed);
    }
}

/// Threads take a permit of one semaphore and then one of the other, in either order in turn; all
/// have the first before any asks for the second. Returns how many gave up.
fn cross(total: usize, threads: usize) -> usize {
    let both = [Semaphore::new(total), Semaphore::new(total)];
    let begun = Barrier::new(threads);
    let pass = |at: usize| {
        let first = both[at % 2].acquire().unwrap();
        begun.wait();
        let second = panic::catch_unwind(AssertUnwindSafe(|| {
            both[(at + 1) % 2].acquire().map(drop).unwrap();
        }));
        drop(first);
        usize::from(second.is_err())
    };
    thread::scope(|s| {
        let pass = &pass;
        let all: Vec<_> = (0..threads).map(|at| s.spawn(move || pass(at))).collect();
        all.into_iter().map(|t| t.join().unwrap()).sum()
    })
}

#[test]
fn two_permits_each_are_enough_for_two_threads() {
    fn body() {
        assert_eq!(cross(2, 2), 0);
        assert_eq!(shown(), []);
    }
    run("semaphore::two_permits_each_are_enough_for_two_threads", body).well();
}

#[test]
fn one_permit_each_is_a_deadlock_of_two_threads() {
    fn body() {
        assert_eq!(cross(1, 2), 1);
        assert!(found().contains(&(Rule::Deadlock, Tier::Happened)), "{:?}", found());
    }
    let name = "semaphore::one_permit_each_is_a_deadlock_of_two_threads";
    let ended = run(name, body).well();
    assert!(ended.stderr.contains("Semaphore created at"), "{}", ended.stderr);
}

#[test]
fn opposite_orders_of_single_permits_are_found_without_a_hang() {
    fn body() {
        let (a, b) = (Semaphore::new(1), Mutex::new(0));
        thread::scope(|s| {
            s.spawn(|| {
                let _a = a.acquire().unwrap();
                *b.lock().unwrap() += 1;
            })
            .join()
            .unwrap();
        });
        thread::scope(|s| {
            s.spawn(|| {
                let _b = b.lock().unwrap();
                drop(a.acquire().unwrap());
            });
        });
        assert_eq!(found(), [(Rule::LockOrder, Tier::Ordered)]);
    }
    run("semaphore::opposite_orders_of_single_permits_are_found_without_a_hang", body).well();
}

#[test]
fn a_second_single_permit_of_the_same_thread_is_a_double_lock() {
    fn body() {
        let semaphore = Semaphore::new(1);
        let _first = semaphore.acquire().unwrap();
        let second: Result<Permit<'_>, _> = semaphore.acquire_timeout(Duration::from_millis(1));
        assert_eq!(second.unwrap_err(), AcquireError::NoPermits);
        assert_eq!(found(), []);
        assert!(panic::catch_unwind(AssertUnwindSafe(|| semaphore.acquire().is_ok())).is_err());
        assert_eq!(found(), [(Rule::DoubleLock, Tier::Happened)]);
    }
    let name = "semaphore::a_second_single_permit_of_the_same_thread_is_a_double_lock";
    run_with(name, &[("LOCKDEP_STACKS", "0")], body).well();
}

#[test]
fn two_permits_each_are_too_few_for_four_threads() {
    fn body() {
        assert_eq!(cross(2, 4), 1);
        assert_eq!(shown(), [(Rule::Deadlock, Tier::Happened)]);
        let finding = &lockdep::findings()[0];
        assert_eq!((finding.locks.len(), finding.waits.len(), finding.edges.len()), (2, 2, 2));
    }
    let ended = run("semaphore::two_permits_each_are_too_few_for_four_threads", body).well();
    assert!(ended.stderr.contains("wait for each other over Semaphore"), "{}", ended.stderr);
}

#[test]
fn a_deadlock_of_permits_is_found_while_others_run() {
    fn body() {
        let connections = Semaphore::new(3);
        let lock = Mutex::new(0);
        let (begun, over) = (Barrier::new(3), AtomicBool::new(false));
        thread::scope(|s| {
            s.spawn(|| {
                begun.wait();
                while !over.load(SeqCst) {
                    std::thread::yield_now();
                }
            });
            let two = s.spawn(|| {
                let two = connections.acquire_many(2).unwrap();
                begun.wait();
                let locked = panic::catch_unwind(AssertUnwindSafe(|| drop(lock.lock())));
                drop(two);
                locked.is_err()
            });
            let guard = lock.lock().unwrap();
            begun.wait();
            let more = panic::catch_unwind(AssertUnwindSafe(|| {
                drop(connections.acquire_many(2).unwrap());
            }));
            drop(guard);
            assert_eq!(usize::from(more.is_err()) + usize::from(two.join().unwrap()), 1);
            over.store(true, SeqCst);
        });
        assert_eq!(shown(), [(Rule::Deadlock, Tier::Happened)]);
    }
    run("semaphore::a_deadlock_of_permits_is_found_while_others_run", body).well();
}

#[test]
fn a_wait_for_permits_that_others_give_back_is_no_hang() {
    fn body() {
        let permits = Semaphore::new(4);
        let lock = Mutex::new(0);
        let begun = Barrier::new(3);
        thread::scope(|s| {
            // Holds two permits and waits for the lock, whose holder waits for permits.
            s.spawn(|| {
                let _two = permits.acquire_many(2).unwrap();
                begun.wait();
                *lock.lock().unwrap() += 1;
            });
            let (tx, rx) = mpsc::channel::<()>();
            let begun = &begun;
            let permits = &permits;
            s.spawn(move || {
                let _one = permits.acquire().unwrap();
                begun.wait();
                let _ = rx.recv();
            });
            let guard = lock.lock().unwrap();
            begun.wait();
            s.spawn(move || drop(tx));
            drop(permits.acquire_many(2).unwrap());
            drop(guard);
        });
        assert_eq!(shown(), [(Rule::WaitWhileHolding, Tier::Potential)]);
    }
    run("semaphore::a_wait_for_permits_that_others_give_back_is_no_hang", body).well();
}

#[test]
fn a_thread_that_waits_for_its_own_permits_is_told() {
    fn body() {
        let permits = Semaphore::new(3);
        let _two = permits.acquire_many(2).unwrap();
        assert!(panic::catch_unwind(AssertUnwindSafe(|| permits.acquire_many(2).is_ok())).is_err());
        assert_eq!(found(), [(Rule::DoubleLock, Tier::Happened)]);
    }
    let ended = run("semaphore::a_thread_that_waits_for_its_own_permits_is_told", body).well();
    assert!(ended.stderr.contains("more permits of Semaphore created at"), "{}", ended.stderr);
}

#[test]
fn held_permits_are_told_of() {
    fn body() {
        let permits = Semaphore::new(3);
        let two = permits.acquire_many(2).unwrap();
        assert!(lockdep::dump().contains("holds 2 permits of Semaphore created at"));
        let left = panic::catch_unwind(lockdep::assert_quiescent).unwrap_err();
        assert!(left.downcast::<String>().unwrap().contains("2 permits"));
        drop(two);
        lockdep::assert_quiescent();
    }
    run("semaphore::held_permits_are_told_of", body).well();
}
