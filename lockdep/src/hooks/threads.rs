//! The hooks of threads: parking, spawning, joining.

use std::sync::Arc;
use std::thread::ThreadId;

use crate::model::lock::Site;
use crate::slow_path::spawn::Spawned;
use crate::slow_path::{life, spawn};
use crate::thread_state::wait::Awaited;
use crate::thread_state::{counters, current};
use crate::waits::{block, parking};

/// Blocks this thread until it is unparked: `block` must be the primitive's park.
///
/// Any thread may have a handle to unpark it with, so it counts as stuck only when no thread of the
/// process runs.
///
/// # Panics
/// Where the thread would wait for ever, unless configured otherwise.
pub fn park(timed: bool, site: Site, block: impl FnOnce()) {
    let Some(record) = current::current().or_else(life::begin) else { return block() };
    record.close_window();
    parking::park(record, timed, site, block);
}

/// A thread is about to be unparked. Call it just *before* the primitive's own step.
#[inline]
pub fn unpark(thread: ThreadId) {
    counters::unparked(thread);
    if let Some(record) = current::current() {
        record.retries.progress();
    }
}

/// A thread that is about to be spawned; kept by those that can join it.
#[derive(Clone, Debug)]
pub struct Child(Option<Arc<Spawned>>);

/// Held by a thread from its first to its last instrumented step.
#[derive(Debug)]
pub struct Entered(Option<Arc<Spawned>>);

impl Child {
    /// The calling thread is about to spawn a thread at `site`.
    pub fn spawn(site: Site) -> Child {
        Child(spawn::spawn(site))
    }

    /// Called first in the new thread; keep the result until the thread's closure has returned.
    pub fn enter(&self) -> Entered {
        if let Some(spawned) = &self.0 {
            spawned.enter();
        }
        Entered(self.0.clone())
    }

    /// Waits for the thread to end: `finished` tells whether it has, `join` must be the real join.
    ///
    /// # Panics
    /// Where the thread would wait for ever, unless configured otherwise.
    #[track_caller]
    pub fn join<R>(&self, site: Site, finished: bool, join: impl FnOnce() -> R) -> R {
        let tracked = self.0.as_ref().zip(current::current().or_else(life::begin));
        let Some((spawned, record)) = tracked else { return join() };
        let before = spawn::before_join(record, site);
        let result = if finished {
            join()
        } else {
            let _wait = block::wait(record, Awaited::End(spawned.thread()), site);
            join()
        };
        record.close_window();
        spawned.joined(before);
        result
    }

    /// The calling thread knows that this thread has ended, without having waited for it here
    /// (the end of a scope joins all its threads).
    pub fn joined(&self) {
        if let Some(spawned) = &self.0 {
            spawned.joined(None);
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(spawned) = &self.0 {
            spawned.leave();
        }
    }
}
