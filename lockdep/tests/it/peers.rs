//! What other tools get wrong on the same program, each as a test that passes here.

use std::panic;
use std::sync::Arc;

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{Condvar, LazyLock, Mutex, RwLock};
use lockdep::thread;

use crate::isolated::{found, run, shown};

fn nest<T: ?Sized, U: ?Sized>(outer: &Mutex<T>, inner: &Mutex<U>) {
    let _outer = outer.lock();
    let _inner = inner.lock();
}

#[test]
fn an_order_through_a_dropped_lock_is_remembered() {
    fn body() {
        let (a, c) = (Mutex::new(()), Mutex::new(()));
        {
            let b = Mutex::new(());
            nest(&a, &b);
            nest(&b, &c);
        }
        nest(&c, &a);
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("peers::an_order_through_a_dropped_lock_is_remembered", body).well();
}

#[test]
fn try_lock_inversions_are_no_orders() {
    fn body() {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        nest(&a, &b);
        {
            let _b = b.lock().unwrap();
            assert!(a.try_lock().is_ok());
        }
        {
            let _a = a.lock().unwrap();
            let _b = b.lock().unwrap();
            thread::scope(|s| {
                s.spawn(|| assert!(b.try_lock().is_err() && a.try_lock().is_err()));
            });
        }
        assert_eq!(found(), []);
    }
    run("peers::try_lock_inversions_are_no_orders", body).well();
}

#[test]
fn a_gate_makes_an_inversion_impossible() {
    fn body() {
        let (gate, a, b) = (Mutex::new(()), Mutex::new(()), Mutex::new(()));
        thread::scope(|s| {
            s.spawn(|| {
                let _gate = gate.lock();
                nest(&a, &b);
            });
            s.spawn(|| {
                let _gate = gate.lock();
                nest(&b, &a);
            });
        });
        assert_eq!(shown(), []);
        assert_eq!(found(), [(Rule::LockOrder, Tier::Guarded)]);
    }
    run("peers::a_gate_makes_an_inversion_impossible", body).well();
}

#[test]
fn reads_of_an_initialised_value_are_no_locks() {
    fn body() {
        static TABLE: LazyLock<u32> = LazyLock::new(|| 7);
        let m = Mutex::new(());
        assert_eq!(*TABLE, 7);
        {
            let _guard = m.lock();
            assert_eq!(*TABLE, 7);
        }
        assert_eq!(found(), []);
    }
    run("peers::reads_of_an_initialised_value_are_no_locks", body).well();
}

#[test]
fn a_recurring_inversion_is_reported_once() {
    fn body() {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        for _ in 0..100 {
            nest(&a, &b);
            nest(&b, &a);
        }
        assert_eq!(found().len(), 1);
    }
    run("peers::a_recurring_inversion_is_reported_once", body).well();
}

#[test]
fn detection_goes_on_after_the_first_finding() {
    fn body() {
        for _ in 0..2 {
            let (a, b, c) = (Mutex::new(()), Mutex::new(0), Mutex::new(""));
            nest(&a, &b);
            nest(&b, &a);
            drop((b.lock(), c.lock()));
            drop((c.lock(), b.lock()));
        }
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread); 2]);
    }
    run("peers::detection_goes_on_after_the_first_finding", body).well();
}

#[test]
fn a_relock_is_seen_under_other_locks() {
    fn body() {
        let (outer, m) = (Mutex::new(()), Mutex::new(()));
        let relock = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            let _outer = outer.lock();
            let _first = m.lock();
            let _second = m.lock();
        }));
        assert!(relock.is_err());
        assert_eq!(found(), [(Rule::DoubleLock, Tier::Happened)]);
    }
    run("peers::a_relock_is_seen_under_other_locks", body).well();
}

#[test]
fn a_recursive_read_is_seen_without_a_writer() {
    fn body() {
        let rw = RwLock::new(());
        let _first = rw.read();
        let _second = rw.read();
        assert_eq!(found(), [(Rule::RecursiveRead, Tier::Potential)]);
    }
    run("peers::a_recursive_read_is_seen_without_a_writer", body).well();
}

#[test]
fn two_readers_that_both_want_to_write() {
    fn body() {
        let rw = Arc::new((RwLock::new(()), std::sync::Barrier::new(2)));
        let threads = [(); 2].map(|()| {
            let rw = Arc::clone(&rw);
            thread::spawn(move || {
                let _read = rw.0.read();
                rw.1.wait();
                let _write = rw.0.write();
            })
        });
        for thread in threads {
            assert!(thread.join().is_err());
        }
        assert!(shown().iter().all(|f| *f == (Rule::DoubleLock, Tier::Happened)));
    }
    run("peers::two_readers_that_both_want_to_write", body).well();
}

#[test]
fn orders_of_reads_count() {
    fn body() {
        let (a, b) = (RwLock::new(()), RwLock::new(()));
        drop((a.read(), b.write()));
        drop((b.read(), a.write()));
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("peers::orders_of_reads_count", body).well();
}

#[test]
fn statics_and_unsized_values() {
    static COUNT: Mutex<u32> = Mutex::new(0);
    fn body() {
        let names: Arc<Mutex<[&str]>> = Arc::new(Mutex::new(["a", "b"]));
        let shape: Box<Mutex<dyn Send>> = Box::new(Mutex::new(1_u8));
        nest(&COUNT, &names);
        nest(&names, &shape);
        nest(&shape, &COUNT);
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("peers::statics_and_unsized_values", body).well();
}

#[test]
fn wait_while_waits_while_the_predicate_holds() {
    fn body() {
        let pair = Arc::new((Mutex::new(true), Condvar::new()));
        let theirs = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            *theirs.0.lock().unwrap() = false;
            theirs.1.notify_all();
        });
        let pending = pair.1.wait_while(pair.0.lock().unwrap(), |pending| *pending).unwrap();
        assert!(!*pending);
        drop(pending);
        thread.join().unwrap();
        assert_eq!(found(), []);
    }
    run("peers::wait_while_waits_while_the_predicate_holds", body).well();
}

#[test]
fn cycles_of_three_are_cycles() {
    fn body() {
        let locks = [Mutex::new(0), Mutex::new(1), Mutex::new(2)];
        for i in 0..3 {
            nest(&locks[i], &locks[(i + 1) % 3]);
        }
        assert!(found().contains(&(Rule::LockOrder, Tier::NeedsThread)));
    }
    run("peers::cycles_of_three_are_cycles", body).well();
}

#[test]
fn the_two_hundredth_held_lock_counts() {
    fn body() {
        let locks: Vec<_> = (0..200).map(|n| Box::new(Mutex::new(n))).collect();
        let deep = Mutex::new("deep");
        {
            let _all: Vec<_> = locks.iter().map(|m| m.lock().unwrap()).collect();
            drop(deep.lock());
        }
        nest(&deep, &locks[0]);
        assert!(found().contains(&(Rule::LockOrder, Tier::NeedsThread)));
    }
    run("peers::the_two_hundredth_held_lock_counts", body).well();
}
