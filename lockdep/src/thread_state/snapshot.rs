//! All threads at one moment: what each holds and waits for.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use crate::model::held::{HeldLock, Hold};
use crate::model::ids::ThreadId;
use crate::model::word::Word;
use crate::thread_state::record::Record;
use crate::thread_state::registry;
use crate::thread_state::wait::{SeenWait, WaitKind};

/// One thread at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) thread: ThreadId,
    pub(crate) wait: Option<SeenWait>,
    pub(crate) held: Vec<HeldLock>,
    pub(crate) permits: Vec<Hold>,
}

impl Standing {
    fn of(record: &Record) -> Standing {
        let mut held = Vec::new();
        let wait = record.wait.seen();
        record.held_into(&mut held);
        let wait = wait.filter(|w| record.wait.still(w.sequence));
        let permits = record.permits.held();
        Standing { thread: record.thread.load(Relaxed), wait, held, permits }
    }

    /// Whether it waits for something that does not come by itself.
    pub(crate) fn is_blocked(&self) -> bool {
        self.wait.is_some_and(|w| w.kind != WaitKind::Timed)
    }
}

impl SeenWait {
    /// What the trace calls such a wait, and the lock or event that it is for.
    pub(crate) fn what(&self) -> (&'static str, Option<Word>) {
        let target = (self.target != 0).then_some(Word(self.target));
        match self.kind {
            WaitKind::Lock | WaitKind::Permits => ("lock", target),
            WaitKind::Join => ("join", None),
            WaitKind::Event | WaitKind::Timed => ("event", target),
            WaitKind::Park => ("event", None),
        }
    }
}

/// All threads, in the order in which they began.
pub(crate) fn threads() -> Vec<Standing> {
    let in_use = registry::records().filter(|r| r.in_use.load(Acquire));
    let mut threads: Vec<Standing> = in_use.map(Standing::of).collect();
    threads.sort_by_key(|t| t.thread);
    threads
}
