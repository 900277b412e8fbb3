//! The signs of life that one [`Heartbeat`](super::Heartbeat) has given.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::model::ids::ThreadId;
use crate::model::lock::Site;
use crate::platform::clock;
use crate::process;
use crate::slow_path::life;
use crate::thread_state::current::current;

/// What the watchdog looks at.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) name: String,
    pub(super) deadline: u64,
    pub(super) site: Site,
    /// The thread that gave the last sign; zero for one that is not known.
    pub(super) thread: AtomicU64,
    pub(super) last: AtomicU64,
}

impl Pulse {
    /// The calling thread gives a sign of life.
    pub(super) fn beat(&self) {
        let thread = current().or_else(life::begin).map(|record| {
            process::introduce(record);
            record.thread.load(Relaxed)
        });
        self.thread.store(thread.map_or(0, u64::from), Relaxed);
        self.last.store(clock::now(), Relaxed);
    }

    /// The thread that gave the last sign.
    pub(super) fn thread(&self) -> ThreadId {
        self.thread.load(Relaxed) as ThreadId
    }
}
