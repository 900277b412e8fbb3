//! A thread that waits, and those that look whether it ever stops.

use std::panic::Location;

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;

use super::polling::Polling;
use super::wait::{Awaited, WaitSlot};
use crate::model::word::HoldWord;

/// A thread as others see it: what it waits for, and the one lock it holds, stored as loosely as can
/// be.
#[derive(Default)]
struct Thread {
    wait: WaitSlot,
    held: AtomicU64,
}

impl Thread {
    fn wants(&self, lock: u64) {
        self.wait.begin(Awaited::Lock(HoldWord(lock)), lock, lock, Location::caller());
    }

    /// The lock that it waits for and the one that it holds meanwhile.
    fn seen(&self) -> Option<(u64, u64)> {
        let wait = self.wait.seen()?;
        let held = self.held.load(Relaxed);
        let wanted = wait.awaited.lock()?.0;
        assert_eq!((wanted, wanted), (wait.signals, wait.since));
        self.wait.still(wait.sequence).then_some((wanted, held))
    }
}

/// Either of two waits, with what was held in it.
pub fn what_is_seen_of_a_wait_belongs_together() {
    loom::model(|| {
        let thread = Arc::new(Thread::default());
        // loom remembers one access of each atomic, and the owner's own loads would hide the
        // reader's: so the reader is the one that comes second.
        let reader = thread::spawn({
            let thread = thread.clone();
            move || {
                let seen = thread.seen();
                assert!([None, Some((10, 1)), Some((20, 2))].contains(&seen), "{seen:?}");
            }
        });
        thread.held.store(1, Relaxed);
        thread.wants(10);
        thread.wait.end();
        thread.held.store(2, Relaxed);
        thread.wants(20);
        reader.join().unwrap();
    });
}

/// What a thread that waits polls, which it polls in that wait, and another task after it.
pub fn what_a_thread_that_waits_polls_belongs_together() {
    loom::model(|| {
        let thread = Arc::new((WaitSlot::default(), Polling::new()));
        let (one, other) = (Location::caller(), there());
        let reader = thread::spawn({
            let thread = thread.clone();
            move || {
                let (wait, polls) = &*thread;
                let Some(seen) = wait.seen() else { return };
                let polled = polls.get();
                if wait.still(seen.sequence) {
                    assert_eq!(polled, Some((1, one)));
                }
            }
        });
        let (wait, polls) = &*thread;
        polls.set(Some((1, one)));
        wait.begin(Awaited::Lock(HoldWord(10)), 10, 10, one);
        wait.end();
        polls.set(Some((2, other)));
        reader.join().unwrap();
    });
}

fn there() -> &'static Location<'static> {
    Location::caller()
}

/// Threads that each hold a lock and want the next one's.
fn ring(length: usize) {
    loom::model(move || {
        let threads: Arc<Vec<Thread>> = Arc::new((0..length).map(|_| Thread::default()).collect());
        // Whether the thread sees that all wait, once it does so itself.
        let sees_it = move |threads: &[Thread], me: usize| {
            threads[me].held.store(me as u64 + 1, Relaxed);
            threads[me].wants((me as u64 + 1) % length as u64 + 1);
            threads
                .iter()
                .all(|t| t.seen().is_some_and(|(wanted, held)| wanted == held % length as u64 + 1))
        };
        let others: Vec<_> = (1..length)
            .map(|me| {
                let threads = threads.clone();
                thread::spawn(move || sees_it(&threads, me))
            })
            .collect();
        let mut found = sees_it(&threads, 0);
        for other in others {
            found |= other.join().unwrap();
        }
        assert!(found, "the threads wait in a ring, and none of them saw it");
    });
}

/// Two threads.
pub fn of_two_that_close_a_cycle_one_sees_it() {
    ring(2);
}

/// Three threads.
pub fn of_three_that_close_a_cycle_one_sees_it() {
    ring(3);
}
