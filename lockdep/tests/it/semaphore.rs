//! The semaphore: its permits, and the hangs that it takes part in.

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{AcquireError, Barrier, Mutex, Permit, Semaphore};
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
