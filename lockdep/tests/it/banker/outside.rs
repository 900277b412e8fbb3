//! Grants and locks outside of the banker: orders that could hang are found without a hang.

use std::sync::atomic::{AtomicBool, Ordering};

use lockdep::banker::{Banker, Claim, Resource};
use lockdep::finding::{Rule, Tier};
use lockdep::sync::Mutex;
use lockdep::thread;

use crate::isolated::{found, run};

/// One thread after the other, though nothing that the engine sees orders them.
fn one_after_the_other(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let done = &done;
        scope.spawn(move || {
            first();
            done.store(true, Ordering::Release);
        });
        scope.spawn(move || {
            while !done.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            second();
        });
    });
}

fn with_claims(
    first: impl FnOnce(&Claim, Resource, &Mutex<u32>) + Send,
    second: impl FnOnce(&Claim, Resource, &Mutex<u32>) + Send,
) {
    let (banker, [pool, other]) = Banker::new([("pool", 2), ("other", 1)]);
    let ledger = Mutex::new(0);
    let claim = || banker.claim(&[(pool, 1), (other, 1)]).expect("below the totals");
    one_after_the_other(|| first(&claim(), pool, &ledger), || second(&claim(), pool, &ledger));
}

fn asks_under_the_lock(claim: &Claim, pool: Resource, ledger: &Mutex<u32>) {
    let mut entries = ledger.lock().unwrap();
    drop(claim.acquire(&[(pool, 1)]).expect("claimed"));
    *entries += 1;
}

#[test]
fn a_lock_under_a_grant_and_a_grant_under_the_lock() {
    fn body() {
        with_claims(asks_under_the_lock, |claim, pool, ledger| {
            let grant = claim.acquire(&[(pool, 1)]).expect("claimed");
            *ledger.lock().unwrap() += 1;
            drop(grant);
        });
        assert_eq!(found(), [(Rule::WaitWhileHolding, Tier::Potential)]);
        let message = lockdep::findings()[0].message();
        assert!(message.contains("waits for units of resource created at"), "{message}");
        assert!(message.ends_with("before it gives back its units"), "{message}");
    }
    run("banker::outside::a_lock_under_a_grant_and_a_grant_under_the_lock", body).well();
}

#[test]
fn a_grant_in_between_hides_nothing() {
    fn body() {
        with_claims(asks_under_the_lock, |claim, pool, ledger| {
            let grant = claim.acquire(&[(pool, 1)]).expect("claimed");
            *ledger.lock().unwrap() += 1;
            drop(claim.acquire(&[(Resource::at(1), 1)]).expect("claimed"));
            drop(grant);
        });
        assert_eq!(found(), [(Rule::WaitWhileHolding, Tier::Potential)]);
    }
    run("banker::outside::a_grant_in_between_hides_nothing", body).well();
}

#[test]
fn locks_that_are_not_asked_for_under_the_grant_do_not_count() {
    fn body() {
        with_claims(asks_under_the_lock, |claim, pool, ledger| {
            *ledger.lock().unwrap() += 1;
            let mut both = claim.acquire(&[(pool, 1), (Resource::at(1), 1)]).expect("claimed");
            both.release_part(&[(pool, 1)]).expect("held");
            *ledger.lock().unwrap() += 1;
        });
        // Nobody waits for units under the lock here.
        with_claims(
            |claim, pool, ledger| {
                let _entries = ledger.lock().unwrap();
                drop(claim.try_acquire(&[(pool, 1)]).expect("free"));
            },
            |claim, pool, ledger| {
                let _grant = claim.acquire(&[(pool, 1)]).expect("claimed");
                *ledger.lock().unwrap() += 1;
            },
        );
        assert_eq!(found(), []);
    }
    run("banker::outside::locks_that_are_not_asked_for_under_the_grant_do_not_count", body).well();
}

#[test]
fn a_grant_that_another_thread_gives_back_counts_for_nobody() {
    fn body() {
        let (banker, [pool]) = Banker::new([("pool", 2)]);
        let (ledger, claim) = (Mutex::new(0), banker.claim(&[(pool, 2)]).expect("fits"));
        let grant = claim.acquire(&[(pool, 1)]).expect("claimed");
        one_after_the_other(
            || asks_under_the_lock(&claim, pool, &ledger),
            || {
                *ledger.lock().unwrap() += 1;
                drop(grant);
            },
        );
        assert_eq!(banker.state().available(pool), 2);
        assert_eq!(found(), []);
    }
    run("banker::outside::a_grant_that_another_thread_gives_back_counts_for_nobody", body).well();
}
