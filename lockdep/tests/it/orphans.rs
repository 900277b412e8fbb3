//! Locks that threads leave held behind them.

use std::mem;
use std::sync::mpsc;

use lockdep::finding::{Rule, Tier};
use lockdep::sync::Mutex;
use lockdep::thread;

use crate::isolated::{found, run};

const ORPHANED: (Rule, Tier) = (Rule::OrphanedLock, Tier::Happened);

#[test]
fn whoever_comes_as_soon_as_the_scope_has_ended_is_told() {
    fn body() {
        for _ in 0..4 {
            let kept = Mutex::new(0);
            thread::scope(|s| _ = s.spawn(|| mem::forget(kept.lock())));
            // The scope waits for the closure only; the thread may not have ended yet.
            let blocked = std::panic::catch_unwind(|| drop(kept.lock()));
            let message = blocked.unwrap_err().downcast::<String>().unwrap();
            assert!(message.contains("held when it ended"), "{message}");
        }
    }
    run("orphans::whoever_comes_as_soon_as_the_scope_has_ended_is_told", body).well();
}

#[test]
fn whoever_waits_already_is_reported_by_the_end() {
    fn body() {
        static KEPT: Mutex<u8> = Mutex::new(0);
        let (locked, is_locked) = mpsc::channel();
        let keeper = thread::Builder::new().name("keeper".to_owned());
        let keeper = keeper.spawn(move || {
            mem::forget(KEPT.lock());
            locked.send(thread::current()).unwrap();
            // Long enough for the other to wait; if it comes later, it is told all the same.
            thread::park_timeout(std::time::Duration::from_millis(50));
        });
        let _keeper = keeper.unwrap();
        is_locked.recv().unwrap();
        drop(KEPT.lock());
    }
    let ended = run("orphans::whoever_waits_already_is_reported_by_the_end", body);
    assert!(!ended.ok);
    let expected = "which thread `keeper` held when it ended";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

#[test]
fn a_lock_that_is_leaked_and_wanted_by_nobody_is_reported_alone() {
    fn body() {
        static KEPT: Mutex<u8> = Mutex::new(0);
        thread::spawn(|| mem::forget(KEPT.lock())).join().unwrap();
        assert_eq!(found(), [ORPHANED]);
    }
    run("orphans::a_lock_that_is_leaked_and_wanted_by_nobody_is_reported_alone", body).well();
}
