//! Locks that are held around whole threads by those that spawned them.

use std::sync::{Arc, mpsc};

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{Mutex, RwLock};
use lockdep::thread;

use crate::isolated::{found, run, shown};

type Locks = Arc<(Mutex<()>, Mutex<()>, Mutex<()>)>;

fn locks() -> Locks {
    Arc::default()
}

fn nest(outer: &Mutex<()>, inner: &Mutex<()>) {
    let _outer = outer.lock();
    let _inner = inner.lock();
}

/// Takes the second before the first, under the third.
fn inverted(locks: &Locks) {
    let _gate = locks.2.lock();
    nest(&locks.1, &locks.0);
}

/// Runs `main` beside a thread that takes the locks the other way, before it or after it.
fn beside(locks: &Locks, before: bool, main: impl FnOnce()) {
    let ((go, wait), (ready, is_ready)) = (mpsc::channel(), mpsc::channel());
    thread::scope(|s| {
        s.spawn(move || {
            if before {
                inverted(locks);
            }
            ready.send(()).unwrap();
            wait.recv().unwrap();
            if !before {
                inverted(locks);
            }
        });
        is_ready.recv().unwrap();
        main();
        go.send(()).unwrap();
    });
}

const GUARDED: [(Rule, Tier); 1] = [(Rule::LockOrder, Tier::Guarded)];
const REACHABLE: [(Rule, Tier); 1] = [(Rule::LockOrder, Tier::Reachable)];

#[test]
fn a_gate_around_a_scope_guards_its_threads() {
    fn body() {
        for before in [true, false] {
            let locks = locks();
            beside(&locks, before, || {
                let _gate = locks.2.lock();
                thread::scope(|s| _ = s.spawn(|| nest(&locks.0, &locks.1)));
            });
            assert_eq!(shown(), []);
        }
        assert_eq!(found(), GUARDED);
    }
    run("covers::a_gate_around_a_scope_guards_its_threads", body).well();
}

#[test]
fn a_gate_around_spawn_and_join_guards_the_thread_and_its_own() {
    fn body() {
        let locks = locks();
        beside(&locks, false, || {
            let _gate = locks.2.lock();
            let l = Arc::clone(&locks);
            let child = thread::spawn(move || {
                thread::spawn(move || nest(&l.0, &l.1)).join().unwrap();
            });
            child.join().unwrap();
        });
        assert_eq!(found(), GUARDED);
    }
    run("covers::a_gate_around_spawn_and_join_guards_the_thread_and_its_own", body).well();
}

#[test]
fn a_gate_that_is_released_before_the_join_guards_nothing() {
    fn body() {
        let locks = locks();
        beside(&locks, true, || {
            let gate = locks.2.lock();
            let (done, is_done) = mpsc::channel();
            let l = Arc::clone(&locks);
            let child = thread::spawn(move || {
                nest(&l.0, &l.1);
                done.send(()).unwrap();
            });
            is_done.recv().unwrap();
            // While the gate is held, the child could still be joined in time.
            assert_eq!(shown(), []);
            drop(gate);
            assert_eq!(shown(), REACHABLE);
            child.join().unwrap();
        });
    }
    run("covers::a_gate_that_is_released_before_the_join_guards_nothing", body).well();
}

#[test]
fn a_child_that_nobody_joins_is_not_guarded() {
    fn body() {
        let locks = locks();
        thread::scope(|s| {
            s.spawn(|| inverted(&locks));
            let _gate = locks.2.lock();
            let l = Arc::clone(&locks);
            let (done, is_done) = mpsc::channel::<()>();
            let parent = thread::spawn(move || {
                thread::spawn(move || {
                    nest(&l.0, &l.1);
                    done.send(()).unwrap();
                });
            });
            parent.join().unwrap();
            is_done.recv().unwrap();
        });
        assert_eq!(shown(), REACHABLE);
    }
    run("covers::a_child_that_nobody_joins_is_not_guarded", body).well();
}

#[test]
fn readers_around_threads_guard_nothing() {
    fn body() {
        let (gate, locks) = (RwLock::new(()), locks());
        thread::scope(|s| {
            let first = s.spawn(|| {
                let _gate = gate.read();
                nest(&locks.1, &locks.0);
            });
            // Both at once could hang indeed.
            while !first.is_finished() {
                thread::yield_now();
            }
            let _gate = gate.read();
            thread::scope(|s| _ = s.spawn(|| nest(&locks.0, &locks.1)));
        });
        assert_eq!(shown(), REACHABLE);
    }
    run("covers::readers_around_threads_guard_nothing", body).well();
}

#[test]
fn a_child_that_begins_with_the_lock_it_was_spawned_under_comes_after_that_hold() {
    fn body() {
        let locks = locks();
        let l = Arc::clone(&locks);
        let gate = locks.2.lock();
        let child = thread::spawn(move || {
            drop(l.2.lock());
            nest(&l.1, &l.0);
        });
        nest(&locks.0, &locks.1);
        drop(gate);
        child.join().unwrap();
        assert_eq!(shown(), []);
        assert_eq!(found(), [(Rule::LockOrder, Tier::Ordered)]);
    }
    run(
        "covers::a_child_that_begins_with_the_lock_it_was_spawned_under_comes_after_that_hold",
        body,
    )
    .well();
}

#[test]
fn a_request_for_the_lock_one_was_spawned_under_comes_before_its_acquisition() {
    fn body() {
        let locks = locks();
        let gate = locks.2.lock();
        let (go, wait) = mpsc::channel::<()>();
        let l = Arc::clone(&locks);
        let child = thread::spawn(move || {
            wait.recv().unwrap();
            nest(&l.0, &l.2);
        });
        drop(locks.0.lock());
        drop(gate);
        go.send(()).unwrap();
        child.join().unwrap();
        assert_eq!(shown(), REACHABLE);
    }
    run("covers::a_request_for_the_lock_one_was_spawned_under_comes_before_its_acquisition", body)
        .well();
}
