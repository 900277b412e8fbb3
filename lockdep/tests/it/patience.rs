//! Threads that wait in turn, often all at once, and lose no time while it is made sure that this is
//! no hang: a second look at each wait would take all of these tests much longer than they have.

use std::time::{Duration, Instant};

use lockdep::sync::{Barrier, Condvar, Mutex, OnceLock};
use lockdep::thread;

use crate::isolated::{found, run};

/// More than any of this takes.
const LONG: Duration = Duration::from_secs(10);

#[test]
fn threads_that_park_in_turn() {
    fn body() {
        const ROUNDS: usize = 50;
        let (parks, unparked) = (Barrier::new(2), Barrier::new(2));
        let begin = Instant::now();
        thread::scope(|s| {
            let sleeper = s.spawn(|| {
                for _ in 0..ROUNDS {
                    unparked.wait();
                    thread::park();
                    parks.wait();
                }
            });
            for _ in 0..ROUNDS {
                sleeper.thread().unpark();
                unparked.wait();
                // Waits while the other one parks.
                parks.wait();
            }
        });
        assert_eq!(found(), []);
        assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    }
    run("patience::threads_that_park_in_turn", body).well();
}

#[test]
fn threads_that_notify_each_other_under_the_mutex() {
    fn body() {
        const ROUNDS: usize = 5000;
        let (turn, changed) = (Mutex::new(0), [Condvar::new(), Condvar::new()]);
        let begin = Instant::now();
        thread::scope(|s| {
            for at in 0..2 {
                let (turn, changed) = (&turn, &changed);
                s.spawn(move || {
                    for _ in 0..ROUNDS {
                        let now = turn.lock().unwrap();
                        let mut now = changed[at].wait_while(now, |now| *now != at).unwrap();
                        *now = 1 - at;
                        changed[1 - at].notify_one();
                    }
                });
            }
        });
        assert_eq!(found(), []);
        assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    }
    run("patience::threads_that_notify_each_other_under_the_mutex", body).well();
}

#[test]
fn a_thread_that_initialises_alone() {
    fn body() {
        const CELLS: usize = 50;
        let begin = Instant::now();
        for value in 0..CELLS {
            let cell = OnceLock::new();
            cell.set(value).unwrap();
            assert_eq!(cell.get(), Some(&value));
            assert_eq!(*OnceLock::new().get_or_init(|| value), value);
        }
        assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    }
    run("patience::a_thread_that_initialises_alone", body).well();
}

/// The other thread was not known when the first one began to wait, and waits itself at the end of all
/// patience: for the mutex, which is not released before the wait.
#[test]
fn a_thread_that_comes_from_elsewhere() {
    fn body() {
        let (turn, changed) = (Mutex::new(false), Condvar::new());
        let begin = Instant::now();
        for delay in [0, 1, 20] {
            *turn.lock().unwrap() = false;
            std::thread::scope(|s| {
                let now = turn.lock().unwrap();
                s.spawn(|| {
                    std::thread::sleep(Duration::from_millis(delay));
                    *turn.lock().unwrap() = true;
                    changed.notify_one();
                });
                drop(changed.wait_while(now, |now| !*now).unwrap());
            });
        }
        assert_eq!(found(), []);
        assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    }
    run("patience::a_thread_that_comes_from_elsewhere", body).well();
}
