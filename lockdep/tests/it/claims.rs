//! Claims over semaphores: reported where they are observed, kept where they are enforced.

use std::sync::mpsc;
use std::time::Duration;

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{AcquireError, Barrier, ClaimError, PermitClaim, Semaphore};
use lockdep::thread;

use crate::isolated::{found, run};

/// Two threads, each with its first permit of one semaphore, come to need the other one as well.
fn cross(docks: &Semaphore, lifts: &Semaphore, claim_all: bool) {
    let (first, second) = (Barrier::new(2), Barrier::new(2));
    let need = usize::from(claim_all);
    thread::scope(|scope| {
        let one = || {
            let claim = PermitClaim::observe(&[(docks, 1), (lifts, need)]).unwrap();
            let dock = docks.acquire().unwrap();
            first.wait();
            second.wait();
            drop((dock, claim));
        };
        let other = || {
            let claim = PermitClaim::observe(&[(lifts, 1), (docks, need)]).unwrap();
            first.wait();
            let lift = lifts.acquire().unwrap();
            second.wait();
            drop((lift, claim));
        };
        thread::Builder::new().name("loader".into()).spawn_scoped(scope, one).unwrap();
        thread::Builder::new().name("packer".into()).spawn_scoped(scope, other).unwrap();
    });
}

#[test]
fn the_permit_that_makes_the_state_unsafe_is_reported() {
    fn body() {
        let (docks, lifts) = (Semaphore::new(1), Semaphore::new(1));
        for _ in 0..2 {
            cross(&docks, &lifts, true);
        }
        assert_eq!(found(), [(Rule::UnsafeState, Tier::Happened)]);
        let finding = &lockdep::findings()[0];
        assert!(finding.template.contains("thread `packer` has taken 1 permit of {0}"));
        assert!(finding.template.contains("thread `loader` and thread `packer`"));
        assert_eq!(
            finding.notes,
            [
                "thread `loader` holds 1 permit of {1}, and by its claim may need 1 permit of {0}",
                "thread `packer` holds 1 permit of {0}, and by its claim may need 1 permit of {1}",
                "{0} has 1 permit, of which none is left",
                "{1} has 1 permit, of which none is left",
            ]
        );
        assert_eq!(finding.sites.len(), 3);
    }
    let name = "claims::the_permit_that_makes_the_state_unsafe_is_reported";
    let ended = run(name, body).well();
    assert!(ended.trace.contains(r#""rule":"unsafe-state","tier":"happened""#), "{}", ended.trace);
}

#[test]
fn what_is_safe_or_not_claimed_is_not_reported() {
    fn body() {
        cross(&Semaphore::new(1), &Semaphore::new(1), false);
        cross(&Semaphore::new(2), &Semaphore::new(1), true);
        // Who has claimed nothing is taken to give back what it holds.
        let (docks, lifts) = (Semaphore::new(1), Semaphore::new(1));
        let lift = lifts.acquire().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let claim = PermitClaim::observe(&[(&docks, 1), (&lifts, 1)]).unwrap();
                drop(docks.acquire().unwrap());
                drop(claim);
            });
        });
        drop(lift);
        assert_eq!(found(), []);
    }
    run("claims::what_is_safe_or_not_claimed_is_not_reported", body).well();
}

#[test]
fn permits_outlive_the_claim_and_end_it_as_far_as_they_go() {
    fn body() {
        let pool = Semaphore::new(2);
        let claim = PermitClaim::observe(&[(&pool, 2)]).unwrap();
        let permit = pool.acquire().unwrap();
        drop(claim);
        thread::scope(|scope| {
            scope.spawn(|| {
                // The other one claims no more, so this thread can have both in the end.
                let _claim = PermitClaim::enforce(&[(&pool, 2)]).unwrap();
                drop(pool.acquire().unwrap());
                assert_eq!(pool.try_acquire_many(2).unwrap_err(), AcquireError::NoPermits);
            });
        });
        drop(permit);
        assert_eq!(pool.available(), 2);
        assert_eq!(found(), []);
    }
    run("claims::permits_outlive_the_claim_and_end_it_as_far_as_they_go", body).well();
}

#[test]
fn an_enforced_claim_waits_until_it_is_safe() {
    fn body() {
        for (permits, most) in [(1, 1), (3, 2)] {
            let pools = [Semaphore::new(permits), Semaphore::new(permits)];
            thread::scope(|scope| {
                for at in 0..4 {
                    let pools = &pools;
                    scope.spawn(move || {
                        let [a, b] = [&pools[at % 2], &pools[(at + 1) % 2]];
                        for _ in 0..500 {
                            let _claim = PermitClaim::enforce(&[(a, most), (b, most)]).unwrap();
                            let first = a.acquire_many(most).unwrap();
                            let second = b.acquire_many(most).unwrap();
                            drop((first, second));
                        }
                    });
                }
            });
            assert!(pools.iter().all(|pool| pool.available() == permits));
        }
        assert!(!found().iter().any(|f| f.0 == Rule::Deadlock || f.0 == Rule::UnsafeState));
    }
    run("claims::an_enforced_claim_waits_until_it_is_safe", body).well();
}

#[test]
fn an_enforced_claim_refuses_what_is_unsafe_or_too_much() {
    fn body() {
        let (docks, lifts) = (Semaphore::new(1), Semaphore::new(1));
        let claim = PermitClaim::enforce(&[(&docks, 1), (&lifts, 1)]).unwrap();
        let dock = docks.acquire().unwrap();
        assert_eq!(docks.acquire().unwrap_err(), AcquireError::ExceedsClaim { asked: 1, left: 0 });
        thread::scope(|scope| {
            scope.spawn(|| {
                let _claim = PermitClaim::enforce(&[(&docks, 1), (&lifts, 1)]).unwrap();
                assert_eq!(lifts.try_acquire().unwrap_err(), AcquireError::Unsafe);
                let soon = lifts.acquire_timeout(Duration::from_millis(1));
                assert_eq!(soon.unwrap_err(), AcquireError::NoPermits);
                assert_eq!(lifts.available(), 1);
            });
        });
        drop((dock, claim));
        assert_eq!(found(), []);
    }
    run("claims::an_enforced_claim_refuses_what_is_unsafe_or_too_much", body).well();
}

#[test]
fn who_waits_for_the_banker_is_told_when_the_semaphore_is_closed() {
    fn body() {
        let (docks, lifts) = (Semaphore::new(2), Semaphore::new(2));
        let claim = PermitClaim::enforce(&[(&docks, 2), (&lifts, 2)]).unwrap();
        let dock = docks.acquire().unwrap();
        let (begins, begun) = mpsc::channel();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let _claim = PermitClaim::enforce(&[(&docks, 2), (&lifts, 2)]).unwrap();
                begins.send(()).unwrap();
                // Unsafe, whether it waits already or begins to just now.
                lifts.acquire().err()
            });
            begun.recv().unwrap();
            lifts.close();
            drop(dock);
            assert_eq!(waiter.join().unwrap(), Some(AcquireError::Closed));
        });
        drop(claim);
    }
    run("claims::who_waits_for_the_banker_is_told_when_the_semaphore_is_closed", body).well();
}

#[test]
fn claims_are_refused_in_words() {
    let pool = Semaphore::new(2);
    let refused = PermitClaim::observe(&[(&pool, 3)]).unwrap_err();
    assert_eq!(refused, ClaimError::TooMany { asked: 3, total: 2 });
    let text = "3 permits can never be had, as the semaphore has 2: claim less";
    assert_eq!(refused.to_string(), text);
    let other = Semaphore::new(1);
    let claim = PermitClaim::enforce(&[(&pool, 1)]).unwrap();
    assert_eq!(PermitClaim::observe(&[]).unwrap_err(), ClaimError::HasClaim);
    assert_eq!(claim.set_maximum(&other, 1), Err(ClaimError::NotClaimed));
    claim.set_maximum(&pool, 2).unwrap();
    let both = pool.acquire_many(2).unwrap();
    let refused = ClaimError::ExceedsHeld { asked: 1, held: 2 };
    assert_eq!(claim.set_maximum(&pool, 1), Err(refused));
    drop(both);
    drop(claim);
    let _again = PermitClaim::observe(&[(&pool, 1)]).unwrap();
}

#[test]
fn a_dropped_semaphore_leaves_nothing_behind() {
    fn body() {
        for total in 1..200 {
            let (one, other) = (Semaphore::new(total), Semaphore::new(1));
            let claim = PermitClaim::enforce(&[(&one, total), (&other, 1)]).unwrap();
            drop((one.acquire_many(total).unwrap(), other.acquire().unwrap()));
            drop(claim);
        }
        assert_eq!(found(), []);
    }
    run("claims::a_dropped_semaphore_leaves_nothing_behind", body).well();
}
