//! Threads that wait in turn, often all at once, and lose no time while it is made sure that this is
//! no hang.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use lockdep::sync::{Barrier, Condvar, Mutex, OnceLock};
use lockdep::thread;

use crate::isolated::{found, run};

/// A look that comes to nothing only in the end takes longer than this. A busy machine may hold up a
/// step for as long, but not many.
const LONG: Duration = Duration::from_millis(600);
const MANY: u32 = 10;

/// How many steps took long.
#[derive(Default)]
struct Late(AtomicU32);

impl Late {
    fn time<R>(&self, step: impl FnOnce() -> R) -> R {
        let begin = Instant::now();
        let result = step();
        self.0.fetch_add(u32::from(begin.elapsed() >= LONG), Relaxed);
        result
    }

    fn assert_few(self) {
        let late = self.0.into_inner();
        assert!(late < MANY, "{late} steps took longer than {LONG:?}");
    }
}

#[test]
fn threads_that_park_in_turn() {
    fn body() {
        const ROUNDS: usize = 50;
        let (parks, unparked) = (Barrier::new(2), Barrier::new(2));
        let late = Late::default();
        thread::scope(|s| {
            let sleeper = s.spawn(|| {
                for _ in 0..ROUNDS {
                    unparked.wait();
                    thread::park();
                    parks.wait();
                }
            });
            for _ in 0..ROUNDS {
                late.time(|| {
                    sleeper.thread().unpark();
                    unparked.wait();
                    // Waits while the other one parks.
                    parks.wait();
                });
            }
        });
        assert_eq!(found(), []);
        late.assert_few();
    }
    run("patience::threads_that_park_in_turn", body).well();
}

#[test]
fn threads_that_notify_each_other_under_the_mutex() {
    fn body() {
        const ROUNDS: usize = 2000;
        let (turn, changed) = (Mutex::new(0), [Condvar::new(), Condvar::new()]);
        let late = Late::default();
        thread::scope(|s| {
            for at in 0..2 {
                let (turn, changed, late) = (&turn, &changed, &late);
                let pass = move || {
                    let now = turn.lock().unwrap();
                    let mut now = changed[at].wait_while(now, |now| *now != at).unwrap();
                    *now = 1 - at;
                    changed[1 - at].notify_one();
                };
                s.spawn(move || (0..ROUNDS).for_each(|_| late.time(pass)));
            }
        });
        assert_eq!(found(), []);
        late.assert_few();
    }
    run("patience::threads_that_notify_each_other_under_the_mutex", body).well();
}

#[test]
fn a_thread_that_initialises_alone() {
    fn body() {
        const CELLS: usize = 50;
        let late = Late::default();
        for value in 0..CELLS {
            let cell = OnceLock::new();
            late.time(|| cell.set(value).unwrap());
            assert_eq!(cell.get(), Some(&value));
            assert_eq!(late.time(|| *OnceLock::new().get_or_init(|| value)), value);
        }
        late.assert_few();
    }
    run("patience::a_thread_that_initialises_alone", body).well();
}

/// The other thread was not known when the first one began to wait, and waits itself at the end of all
/// patience: for the mutex, which is not released before the wait.
#[test]
fn a_thread_that_comes_from_elsewhere() {
    fn body() {
        let (turn, changed) = (Mutex::new(false), Condvar::new());
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
    }
    run("patience::a_thread_that_comes_from_elsewhere", body).well();
}
