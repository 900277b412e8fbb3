//! Several locks at once, under others that the thread holds already.

use std::sync::Arc;

use lockdep::Finding;
use lockdep::finding::Rule;
use lockdep::order::LockOrder;
use lockdep::ordered::{lock_pair, lock_slice};
use lockdep::sync::{Mutex, RwLock};
use lockdep::{lock_all, lock_all_backoff, lock_all_unique, try_lock_all};

use crate::isolated::{found, run};
use crate::order::declared;

/// Locks of one kind, numbered as they stand. A `Mutex::new` that is passed on does not know its
/// caller, and such locks would be of no kind.
fn accounts() -> Vec<Mutex<i64>> {
    let accounts: Vec<Mutex<i64>> = (0..6).map(|n| Mutex::new(n)).collect();
    accounts.iter().for_each(|account| drop(account.lock()));
    accounts
}

fn lines(finding: &Finding) -> (u32, u32) {
    (finding.edges[0].from_site.line(), finding.edges[0].to_site.line())
}

#[test]
fn locks_that_come_before_the_held_ones_are_against_the_order() {
    fn body() {
        let a = accounts();
        let line = line!() + 1;
        let outer = lock_all!(a[3].lock().unwrap(), a[2].lock().unwrap());
        for _ in 0..2 {
            drop(lock_all!(a[0].lock().unwrap(), a[1].lock().unwrap()));
        }
        drop(outer);
        assert_eq!(found().iter().map(|f| f.0).collect::<Vec<_>>(), [Rule::DeclaredOrder]);
        let finding: &Arc<Finding> = &declared()[0];
        assert_eq!(lines(finding), (line, line + 2));
        assert_eq!(finding.sites[0].0.line(), line);
        let message = finding.message();
        assert!(message.ends_with(", which `lock_all!` takes after it"), "{message}");
    }
    run("ordered::held::locks_that_come_before_the_held_ones_are_against_the_order", body).well();
}

#[test]
fn locks_that_come_after_the_held_ones_are_in_order() {
    fn body() {
        let a = accounts();
        let _outer = lock_all!(a[1], a[0]);
        let _inner = lock_slice(&a[2..4]);
        drop(lock_pair(&a[5], &a[4]));
        assert!(found().is_empty(), "{:?}", found());
    }
    run("ordered::held::locks_that_come_after_the_held_ones_are_in_order", body).well();
}

#[test]
fn every_form_that_waits_in_order_is_checked() {
    fn body() {
        let a = accounts();
        let check = |inner: &dyn Fn()| {
            let before = declared().len();
            let _outer = lock_slice(&a[3..6]);
            inner();
            declared().len() - before
        };
        assert_eq!(check(&|| drop(lock_slice(&a[0..2]))), 1);
        assert_eq!(check(&|| drop(lock_pair(&a[1], &a[0]))), 1);
        assert_eq!(check(&|| drop(lock_all_unique!(a[1], a[0], a[1]))), 1);
        assert_eq!(check(&|| drop(lock_all!(a[0], a[1], a[2]))), 1);
        // These do not wait while they hold anything that they took.
        assert_eq!(check(&|| drop(try_lock_all!(a[0], a[1]).expect("free"))), 0);
        assert_eq!(check(&|| drop(lock_all_backoff!(a[0], a[1]))), 0);
        // What was taken without waiting is held all the same.
        let _outer = try_lock_all!(a[5], a[4]).expect("free");
        let before = declared().len();
        drop(lock_all!(a[3], a[2]));
        assert_eq!(declared().len(), before + 1);
    }
    run("ordered::held::every_form_that_waits_in_order_is_checked", body).well();
}

#[test]
fn a_call_within_itself_is_checked() {
    fn both(a: &[Mutex<i64>], pairs: &[[usize; 2]]) {
        let [[i, j], rest @ ..] = pairs else { return };
        let _both = lock_all!(a[*i], a[*j]);
        both(a, rest);
    }
    fn body() {
        let a = accounts();
        both(&a, &[[0, 1], [3, 2], [4, 5]]);
        assert!(declared().is_empty());
        both(&a, &[[3, 2], [0, 1]]);
        assert_eq!(declared().len(), 1);
    }
    run("ordered::held::a_call_within_itself_is_checked", body).well();
}

/// Which of two kinds comes first is chance, until some call takes both.
#[test]
fn kinds_that_are_never_taken_together_have_no_order() {
    fn body() {
        let (caches, logs) = ([Mutex::new(0), Mutex::new(1)], [RwLock::new(0), RwLock::new(1)]);
        drop(lock_all!(caches[0], caches[1]));
        let nested = || {
            let _logs = lock_all!(logs[0].read(), logs[1].read());
            drop(lock_all!(caches[0], caches[1]));
        };
        nested();
        assert!(found().is_empty(), "{:?}", found());
        drop(lock_all!(logs[1].read(), caches[1]));
        // What was judged is not judged again, but this is another place.
        let _logs = lock_all!(logs[0].read(), logs[1].read());
        drop(lock_all!(caches[0], caches[1]));
        assert_eq!(declared().len(), 1);
    }
    run("ordered::held::kinds_that_are_never_taken_together_have_no_order", body).well();
}

/// It may have an order of another kind: a parent's before its children's.
#[test]
fn a_lock_taken_by_hand_is_left_to_the_other_rules() {
    fn body() {
        let a = accounts();
        {
            let _parent = a[5].lock().unwrap();
            drop(lock_all!(a[0], a[1]));
        }
        assert_eq!(found().iter().map(|f| f.0).collect::<Vec<_>>(), [Rule::SameClassNesting]);
        // Unless the same locks are taken the other way round.
        drop(lock_all!(a[5], a[0]));
        assert!(found().iter().any(|f| f.0 == Rule::LockOrder), "{:?}", found());
        assert!(declared().is_empty());
    }
    run("ordered::held::a_lock_taken_by_hand_is_left_to_the_other_rules", body).well();
}

/// Their numbers say nothing about the order in which these are taken.
#[test]
fn locks_that_are_ordered_by_address_have_no_numbers() {
    fn body() {
        type Mutex = lockdep::parking_lot::Mutex<u8>;
        let locks: [Mutex; 4] = [0, 1, 2, 3].map(Mutex::new);
        locks.iter().rev().for_each(|lock| drop(lock.lock()));
        for _ in 0..2 {
            let _outer = lock_all!(locks[0], locks[1]);
            drop(lock_all!(locks[2], locks[3]));
        }
        assert!(declared().is_empty());
    }
    run("ordered::held::locks_that_are_ordered_by_address_have_no_numbers", body).well();
}

/// Keys go before numbers, here as there.
#[test]
fn keys_are_the_order_where_there_are_some() {
    #[derive(LockOrder)]
    #[lock_key(id)]
    struct Account {
        id: u32,
        #[lock_rank(7)]
        balance: Mutex<i64>,
    }
    fn body() {
        let account = |id| Account { id, balance: Mutex::new(0) }.in_order();
        let a = [4, 3, 2, 1].map(account);
        let outer = lock_all!(a[2].balance, a[3].balance);
        drop(lock_all!(a[0].balance, a[1].balance));
        assert!(found().is_empty(), "{:?}", found());
        drop(outer);
        let _outer = lock_all!(a[0].balance, a[1].balance);
        drop(lock_all!(a[2].balance, a[3].balance));
        assert_eq!(declared().len(), 1);
        assert!(declared()[0].message().ends_with(": lesser keys come first"));
    }
    run("ordered::held::keys_are_the_order_where_there_are_some", body).well();
}

/// A lock that the thread holds is refused before anything waits, and what was taken is released.
#[test]
fn a_lock_that_is_held_already_is_a_double_lock() {
    fn body() {
        let a = accounts();
        let held = a[1].lock().unwrap();
        let twice = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            drop(lock_all!(a[0].lock(), a[1].lock()));
        }));
        assert!(twice.is_err());
        assert_eq!(found().iter().map(|f| f.0).collect::<Vec<_>>(), [Rule::DoubleLock]);
        assert!(!matches!(a[0].try_lock(), Err(std::sync::TryLockError::WouldBlock)));
        let refused = try_lock_all!(a[0], a[1]).expect_err("it is held");
        assert!(refused.to_string().starts_with("`a[1]` is held"), "{refused}");
        drop(held);
    }
    run("ordered::held::a_lock_that_is_held_already_is_a_double_lock", body).well();
}
