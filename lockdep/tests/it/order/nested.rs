//! Several locks of one place: nesting levels, keys, and what is asserted about locks.

use std::time::Duration;

use lockdep::finding::Rule;
use lockdep::order::{LockNested, LockOrder, RwLockNested};
use lockdep::ordered::lock_slice;
use lockdep::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockWriteGuard};
use lockdep::{assert_held, assert_not_held, lock_all, might_lock};

use super::declared;
use crate::isolated::{found, run};

#[derive(LockOrder)]
#[lock_key(id)]
struct Account {
    id: u32,
    #[lock_rank(1000)]
    balance: Mutex<i64>,
}

fn accounts(ids: &[u32]) -> Vec<Account> {
    let account = |&id| Account { id, balance: Mutex::new(0) }.in_order();
    ids.iter().map(account).collect()
}

/// Locks both, one after the other.
fn both(first: &Account, second: &Account) {
    let _first = first.balance.lock().unwrap();
    let _second = second.balance.lock().unwrap();
}

#[test]
fn locks_are_taken_by_ascending_key() {
    fn body() {
        let all = accounts(&[30, 10, 20, 20]);
        both(&all[1], &all[0]);
        both(&all[1], &all[2]);
        both(&all[2], &all[3]);
        assert!(found().is_empty(), "{:?}", found());
        both(&all[0], &all[2]);
        let findings = declared();
        assert_eq!(findings.len(), 1);
        let message = findings[0].message();
        assert!(message.contains("of key 20, while it holds"), "{message}");
        // Several at once are taken by their keys.
        drop(lock_slice([&all[0].balance, &all[1].balance, &all[2].balance]));
        drop(lock_all!(all[0].balance, all[1].balance));
        assert_eq!(declared().len(), 1);
        // A key goes with its lock.
        drop(all);
        let all = accounts(&[1, 2]);
        both(&all[0], &all[1]);
        assert_eq!(declared().len(), 1);
    }
    run("order::nested::locks_are_taken_by_ascending_key", body).well();
}

/// A function that is passed on does not know its caller, and so its locks would have no class.
#[test]
fn levels_explain_nestings() {
    fn body() {
        let nodes: Vec<Mutex<u8>> = (0..6).map(|n| Mutex::new(n)).collect();
        // In no order but that of the levels.
        for (parent, child) in [(0, 5), (5, 0), (3, 1), (1, 4)] {
            let _parent = nodes[parent].lock().unwrap();
            let _child = nodes[child].lock_nested(1).unwrap();
        }
        let nestings = found().iter().filter(|f| f.0 == Rule::SameClassNesting).count();
        assert_eq!((nestings, declared().len()), (0, 0));
        let _child = nodes[2].lock_nested(1).unwrap();
        let _grandchild = nodes[3].lock_nested(2).unwrap();
        assert!(declared().is_empty());
        drop(nodes[4].lock_nested(1).unwrap());
        assert_eq!(declared().len(), 1);
        let message = declared()[0].message();
        assert!(message.contains("at nesting level 1 while it holds"), "{message}");
        drop(nodes[5].lock().unwrap());
        assert_eq!(declared().len(), 2);
    }
    run("order::nested::levels_explain_nestings", body).well();
}

#[test]
fn levels_go_as_deep_as_they_can_be_told() {
    fn body() {
        let nodes: Vec<Mutex<u8>> = (0..256).map(|n| Mutex::new(n as u8)).collect();
        // Against the order of creation and of addresses, over more holds than fit at first.
        let at = |level: usize| nodes[255 - level].lock_nested(level as u8).unwrap();
        let mut held: Vec<_> = (0..255).map(at).collect();
        assert!(found().is_empty(), "{:?}", found());
        // Those above go down, and keep their levels.
        drop(held.drain(100..200));
        drop(held.remove(held.len() - 2));
        drop(at(255));
        assert!(found().is_empty(), "{:?}", found());
        drop(at(150));
        let message = declared()[0].message();
        assert!(message.contains("at nesting level 150 while it holds"), "{message}");
        assert!(message.contains("at level 2"), "{message}");
        assert_eq!(declared().len(), 1);
    }
    run("order::nested::levels_go_as_deep_as_they_can_be_told", body).well();
}

#[test]
fn without_levels_the_same_nestings_are_found() {
    fn body() {
        let nodes: Vec<Mutex<u8>> = (0..6).map(|n| Mutex::new(n)).collect();
        for (parent, child) in [(0, 5), (5, 0), (3, 1), (1, 4)] {
            let _parent = nodes[parent].lock().unwrap();
            let _child = nodes[child].lock().unwrap();
        }
        assert!(found().iter().any(|f| f.0 == Rule::SameClassNesting));
    }
    run("order::nested::without_levels_the_same_nestings_are_found", body).well();
}

/// A type of one's own over a lock without a value.
struct Wrapped(Mutex<()>);

impl Wrapped {
    fn lock(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap()
    }
}

#[test]
fn locks_behind_one_wrapper_are_not_taken_for_one_kind() {
    fn body() {
        let locks: Vec<Wrapped> = (0..6).map(|_| Wrapped(Mutex::new(()))).collect();
        for (outer, inner) in [(0, 5), (5, 1), (3, 1), (1, 4)] {
            let _outer = locks[outer].lock();
            let _inner = locks[inner].lock();
        }
        assert!(found().is_empty(), "{:?}", found());
        let plain: Vec<Mutex<()>> = (0..6).map(|_| Mutex::new(())).collect();
        for (outer, inner) in [(0, 5), (5, 1), (3, 1), (1, 4)] {
            let _outer = plain[outer].lock().unwrap();
            let _inner = plain[inner].lock().unwrap();
        }
        assert!(found().iter().any(|f| f.0 == Rule::SameClassNesting));
    }
    run("order::nested::locks_behind_one_wrapper_are_not_taken_for_one_kind", body).well();
}

#[test]
fn a_level_is_taken_for_reading_and_writing_too() {
    fn body() {
        let nodes: Vec<RwLock<u8>> = (0..2).map(|n| RwLock::new(n)).collect();
        let parent = nodes[1].read_nested(1).unwrap();
        let _child = nodes[0].write_nested(7).unwrap();
        assert!(declared().is_empty());
        drop(parent);
        drop(nodes[1].write_nested(2).unwrap());
        assert_eq!(declared().len(), 1);
        drop(nodes[1].read_nested(1).unwrap());
        assert_eq!(declared().len(), 2);
    }
    run("order::nested::a_level_is_taken_for_reading_and_writing_too", body).well();
}

#[test]
fn a_hold_keeps_its_level_over_a_wait_and_a_downgrade() {
    fn body() {
        let nodes: Vec<Mutex<u8>> = (0..3).map(|n| Mutex::new(n)).collect();
        let changed = Condvar::new();
        let _parent = nodes[2].lock_nested(1).unwrap();
        let child = nodes[0].lock_nested(2).unwrap();
        let (child, _) = changed.wait_timeout(child, Duration::from_millis(1)).unwrap();
        drop(nodes[1].lock_nested(3).unwrap());
        assert!(found().is_empty(), "{:?}", found());
        drop(nodes[1].lock_nested(1).unwrap());
        assert_eq!(declared().len(), 1);
        drop(child);

        let pages: Vec<RwLock<u8>> = (0..3).map(|n| RwLock::new(n)).collect();
        let _page = RwLockWriteGuard::downgrade(pages[2].write_nested(2).unwrap());
        drop(pages[0].read_nested(3).unwrap());
        assert_eq!(found().len(), 1);
        drop(pages[1].read_nested(1).unwrap());
        assert_eq!(declared().len(), 2);
    }
    run("order::nested::a_hold_keeps_its_level_over_a_wait_and_a_downgrade", body).well();
}

#[test]
fn what_is_held_can_be_asserted() {
    fn body() {
        let queue = Mutex::new(vec![RwLock::new(1)]);
        let says = |assertion: &dyn Fn()| {
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(assertion));
            *panicked.expect_err("it does not hold").downcast::<String>().expect("a message")
        };
        assert_not_held!(queue);
        assert_eq!(
            says(&|| assert_held!(queue)),
            "`queue` must be locked here by this thread, and is not"
        );
        let items = queue.lock().unwrap();
        assert_held!(queue);
        assert_not_held!(items[0]);
        let _read = items[0].read().unwrap();
        assert_held!(&items[0]);
        assert_eq!(
            says(&|| assert_not_held!(&items[0])),
            "`&items[0]` must not be locked here by this thread, and is: release it first"
        );
        std::thread::scope(|s| s.spawn(|| assert_not_held!(queue)).join().unwrap());
        // What is not watched is not known.
        assert_held!(std::sync::Mutex::new(0));
        assert_not_held!(std::sync::Mutex::new(0));
    }
    run("order::nested::what_is_held_can_be_asserted", body).well();
}

#[test]
fn a_lock_that_might_be_taken_shows_its_order() {
    fn body() {
        let (a, b) = (Mutex::new(0), Mutex::new(0));
        {
            let _a = a.lock().unwrap();
            might_lock!(b);
            assert_not_held!(b);
        }
        let _b = b.lock().unwrap();
        might_lock!(a);
        assert_eq!(found().iter().map(|f| f.0).collect::<Vec<_>>(), [Rule::LockOrder]);
        let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| might_lock!(b)));
        assert!(again.is_err(), "it would wait for itself");
    }
    run("order::nested::a_lock_that_might_be_taken_shows_its_order", body).well();
}
