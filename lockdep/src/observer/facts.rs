//! What threads tell the observer: requests, and threads that cannot go on.

use crate::engine::ThreadPoint;
use crate::model::finding::{FoundThread, FoundWait, WaitFor};
use crate::model::held::HeldLock;
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Site;
use crate::model::stack::FoundStack;
use crate::model::word::{HoldWord, LockWord};
use crate::observer::parts::{found_hold, kind_of};
use crate::thread_state::wait::Awaited;

/// A request that must be judged.
pub(crate) struct Request<'a> {
    /// The thread that asks, at this step.
    pub(crate) at: &'a ThreadPoint,
    pub(crate) word: HoldWord,
    pub(crate) site: Site,
    pub(crate) address: usize,
    pub(crate) level: u8,
    pub(crate) held: &'a [HeldLock],
    pub(crate) stack: RequestStack<'a>,
}

impl Request<'_> {
    /// Where the thread was when it acquired what it holds at this depth, as far as it is known.
    pub(crate) fn acquired_with(&self, depth: usize) -> FoundStack {
        match self.stack {
            RequestStack::Current(acquired) => acquired.get(depth).cloned().flatten(),
            RequestStack::Unknown => None,
        }
        .unwrap_or_default()
    }
}

/// What is known of the stack of a request, and of those of what is held.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RequestStack<'a> {
    /// The calling thread makes the request now. It acquired the locks that it holds with these stacks.
    Current(&'a [Option<FoundStack>]),
    /// Another thread made the request, or this one did so earlier.
    Unknown,
}

/// A lock whose holder has ended.
#[derive(Clone, Debug)]
pub(crate) struct Orphan {
    pub(crate) thread: FoundThread,
    pub(crate) held: HeldLock,
}

/// What a thread of a deadlock or livelock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// It waits.
    Waits(Awaited),
    /// It tries this lock again and again.
    Retries(HoldWord),
}

/// A thread of a deadlock or livelock.
#[derive(Clone, Debug)]
pub(crate) struct StuckThread {
    pub(crate) thread: ThreadId,
    pub(crate) doing: Doing,
    pub(crate) site: Site,
    pub(crate) held: Vec<HeldLock>,
}

impl StuckThread {
    /// The lock that it wants, with the mode.
    pub(crate) fn lock(&self) -> Option<HoldWord> {
        match self.doing {
            Doing::Waits(awaited) => awaited.lock(),
            Doing::Retries(lock) => Some(lock),
        }
    }

    /// The lock or event that it waits for.
    pub(super) fn object(&self) -> Option<LockId> {
        let event = match self.doing {
            Doing::Waits(awaited) => awaited.event().map(LockWord::lock),
            Doing::Retries(_) => None,
        };
        event.or_else(|| self.lock().map(HoldWord::lock))
    }

    /// What kind of thing it waits for.
    pub(super) fn kind(&self) -> WaitFor {
        match self.doing {
            Doing::Waits(awaited) => kind_of(awaited),
            Doing::Retries(_) => WaitFor::Lock,
        }
    }

    pub(super) fn label(&self) -> &'static str {
        match (self.doing, self.kind()) {
            (Doing::Retries(_), _) => "tries the lock here, and fails again and again",
            (_, WaitFor::Lock) => "waits for the lock here",
            (_, WaitFor::Join) => "waits here for a thread to end",
            (_, WaitFor::Task) => "waits for the task that is spawned here to end",
            (_, WaitFor::Event) => "waits here",
        }
    }

    /// The wait as a finding has it; `lock` is the index of what it is for among the finding's locks.
    pub(super) fn found(&self, thread: FoundThread, lock: Option<usize>) -> FoundWait {
        let held = self.held.iter().map(|h| found_hold(h.word, h.site)).collect();
        FoundWait { thread, what: self.kind(), lock, site: self.site, held }
    }
}
