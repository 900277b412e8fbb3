//! Contention statistics: right when asked for, absent when not.

use std::time::Instant;

use lockdep::stats::ClassStats;
use lockdep::sync::{Barrier, Mutex, RwLock, mpsc};
use lockdep::thread;

use crate::isolated::{run, run_with};

const ASKED: [(&str, &str); 1] = [("LOCKDEP_STATS", "1")];

fn of_kind(kind: &str) -> ClassStats {
    let stats = lockdep::stats();
    let of_kind: Vec<&ClassStats> = stats.iter().filter(|s| s.lock.kind == kind).collect();
    match of_kind.as_slice() {
        [one] => (*one).clone(),
        _ => panic!("one class of {kind}: {stats:?}"),
    }
}

#[test]
fn acquisitions_waits_and_holds_are_counted() {
    fn body() {
        let lock = Mutex::new(0);
        let table = RwLock::new(0);
        let held = Barrier::new(2);
        let begin = Instant::now();
        for _ in 0..10 {
            *lock.lock().unwrap() += *table.read().unwrap();
        }
        thread::scope(|s| {
            let (tx, rx) = mpsc::channel::<()>();
            let (lock, held) = (&lock, &held);
            s.spawn(move || {
                let _guard = lock.lock().unwrap();
                held.wait();
                let _ = rx.recv();
            });
            held.wait();
            let waiter = s.spawn(|| drop(lock.lock()));
            while !lockdep::dump().contains("waits for Mutex") {
                std::thread::yield_now();
            }
            drop(tx);
            waiter.join().unwrap();
        });
        let long = {
            let _guard = lock.lock().unwrap();
            let (all, last) = (begin.elapsed(), Instant::now());
            // No hold and no wait so far was longer than all of them.
            while last.elapsed() <= all {
                std::thread::yield_now();
            }
            all
        };
        let (lock, table) = (of_kind("Mutex"), of_kind("RwLock"));
        assert_eq!((lock.acquisitions, lock.contended, lock.wait.total()), (13, 1, 1));
        assert_eq!((table.acquisitions, table.contended), (10, 0));
        assert_eq!(lock.hold.total(), 13);
        let (wait, hold) = (lock.longest_wait.unwrap(), lock.longest_hold.unwrap());
        assert!(hold.time >= long && long >= wait.time, "{hold:?} {long:?} {wait:?}");
        assert_eq!((hold.site.line(), wait.site.line()), (49, 41));
        assert!(table.longest_wait.is_none());
    }
    let name = "stats::acquisitions_waits_and_holds_are_counted";
    let ended = run_with(name, &ASKED, body).well();
    let times = ended.trace.lines().filter(|l| l.contains(r#""t":"times""#)).count();
    assert_eq!(times, 2, "{}", ended.trace);
    assert!(ended.trace.contains(r#""acquisitions":13,"contended":1,"#), "{}", ended.trace);
}

#[test]
fn nothing_is_counted_unless_asked_for() {
    fn body() {
        let lock = Mutex::new(0);
        *lock.lock().unwrap() += 1;
        assert!(lockdep::stats().is_empty());
        lockdep::configure(lockdep::Config::from_env().stats(true));
        *lock.lock().unwrap() += 1;
        assert_eq!(of_kind("Mutex").acquisitions, 1);
        lockdep::configure(lockdep::Config::from_env());
        *lock.lock().unwrap() += 1;
        assert_eq!(of_kind("Mutex").acquisitions, 1);
    }
    let ended = run("stats::nothing_is_counted_unless_asked_for", body).well();
    assert!(ended.trace.contains(r#""t":"times""#), "{}", ended.trace);
}

#[test]
fn the_first_thing_that_a_process_does_can_be_to_ask() {
    fn body() {
        lockdep::configure(lockdep::Config::from_env().stats(true));
        let lock = Mutex::new(0);
        *lock.lock().unwrap() += 1;
        assert_eq!(of_kind("Mutex").acquisitions, 1);
    }
    run("stats::the_first_thing_that_a_process_does_can_be_to_ask", body).well();
}

#[test]
fn what_the_detector_does_when_it_meets_something_new_is_no_hold() {
    fn body() {
        let outer = RwLock::new(0);
        let begin = Instant::now();
        {
            let _outer = outer.write().unwrap();
            // Each is a new lock under a held one, of which the detector takes note.
            for _ in 0..2_000 {
                let inner = Mutex::new(0);
                let under: Vec<Mutex<u8>> = (0..3).map(|_| Mutex::new(0)).collect();
                let _guards: Vec<_> = under.iter().map(|lock| lock.lock().unwrap()).collect();
                *inner.lock().unwrap() += 1;
            }
        }
        let all = begin.elapsed();
        let hold = of_kind("RwLock").longest_hold.expect("it was held").time;
        assert!(hold * 2 < all, "{hold:?} of {all:?}");
    }
    let name = "stats::what_the_detector_does_when_it_meets_something_new_is_no_hold";
    run_with(name, &ASKED, body).well();
}
