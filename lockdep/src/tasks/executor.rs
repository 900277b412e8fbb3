//! What the threads of an executor do beside polling tasks: they have nothing to do, or wait for what comes from
//! outside of the process.

use std::panic::Location;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::hooks::{EventKind, EventTag};
use crate::slow_path::life;
use crate::thread_state::counters::OUTSIDE;
use crate::thread_state::current::current;
use crate::thread_state::record::Record;

/// Runs `wait`, in which this thread of an executor waits until there is a task to poll; where it gives up, it does
/// nothing but end.
pub fn idle<R>(wait: impl FnOnce() -> R) -> R {
    let idle = current().map(|record| Idle::begin(record.shared()));
    let result = wait();
    drop(idle);
    result
}

/// The thread is idle, until dropped.
struct Idle {
    record: &'static Record,
    before: bool,
}

impl Idle {
    fn begin(record: &'static Record) -> Idle {
        Idle { record, before: record.is_idle.swap(true, Relaxed) }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        self.record.is_idle.store(self.before, Relaxed);
    }
}

/// The one place of an executor where a thread waits for the system, for all that is registered there.
#[derive(Debug)]
pub struct Driver {
    woken: EventTag,
    /// Whether it was woken since a thread last went to wait there: the system keeps that, so the next wait ends at once.
    is_woken: AtomicBool,
}

impl Driver {
    /// A driver that no thread waits in.
    #[expect(clippy::new_without_default, reason = "a default would hide the caller")]
    #[track_caller]
    pub const fn new() -> Driver {
        Driver { woken: EventTag::new(), is_woken: AtomicBool::new(false) }
    }

    /// The calling thread waits here: `wait` must be that, and end by itself where it is `timed`.
    pub fn park<R>(&self, timed: bool, wait: impl FnOnce() -> R) -> R {
        // One that is woken just now by another thread leaves the mark, with which the next wait passes for one that
        // ends: a hang may be missed, and none is made up.
        let ends_at_once = self.is_woken.swap(false, SeqCst);
        if timed || ends_at_once || current().or_else(life::begin).is_none() {
            return wait();
        }
        idle(|| self.woken.wait(EventKind::Condvar, false, Location::caller(), || None, wait))
    }

    /// The thread that waits here, or the next that goes to, is about to be woken.
    pub fn unpark(&self) {
        self.is_woken.store(true, SeqCst);
        self.woken.signal(EventKind::Condvar, Location::caller());
    }
}

/// Something that a driver waits for and that comes from outside of the process, such as a socket.
#[derive(Debug)]
pub struct Source(());

impl Source {
    /// It is there from here on.
    #[expect(clippy::new_without_default, reason = "it counts")]
    pub fn new() -> Source {
        OUTSIDE.fetch_add(1, SeqCst);
        Source(())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        OUTSIDE.fetch_sub(1, SeqCst);
    }
}
