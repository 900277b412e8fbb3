//! A thread at one moment: what it holds and waits for, as other threads see it.
//!
//! Exact for a thread that waits, as it is read twice in one wait; out of date by a few locks for one that
//! runs.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use crate::model::held::{Asked, HeldLock, Hold};
use crate::model::ids::ThreadId;
use crate::model::lock::Site;
use crate::model::word::HoldWord;
use crate::thread_state::record::Record;
use crate::thread_state::registry;
use crate::thread_state::wait::{Awaited, SeenWait};

/// Who does what a record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The thread, or the task that a thread polls.
    Itself,
    /// A thread of an executor, which has nothing to do.
    Idle,
    /// A thread that acts by the record of a task, which tells what the thread waits for.
    ByTask,
    /// A task that no thread polls.
    Rests,
}

impl Role {
    fn of(record: &Record) -> Role {
        if record.rests() {
            Role::Rests
        } else if record.acts_by().is_some() {
            Role::ByTask
        } else if record.is_idle.load(Acquire) {
            Role::Idle
        } else {
            Role::Itself
        }
    }
}

/// One thread at one moment.
#[derive(Clone, Debug)]
pub(crate) struct ThreadSnapshot {
    pub(crate) record: &'static Record,
    pub(crate) role: Role,
    pub(crate) thread: ThreadId,
    /// The task that it polls, which acts by this record as well, with the place where that was spawned; `None` also
    /// where it runs.
    pub(crate) polls: Option<(ThreadId, Site)>,
    /// What it waits for; `None` if it runs, or moved while it was looked at.
    pub(crate) wait: Option<SeenWait>,
    /// Exact for a thread that waits; out of date by a few locks for one that runs.
    pub(crate) held: Vec<HeldLock>,
    /// The permits that it holds of semaphores with several.
    pub(crate) permits: Vec<Hold>,
    /// The permits that it asks for, if it waits for some.
    pub(crate) asked: Asked,
}

impl ThreadSnapshot {
    pub(crate) fn of(record: &'static Record) -> ThreadSnapshot {
        let thread = record.thread.load(Relaxed);
        let role = Role::of(record);
        let wait = record.wait.seen();
        let mut held = Vec::new();
        record.held.held_into(&mut held);
        let (permits, asked) = (record.permits.held(), record.permits.asked());
        let polls = record.polls.get().filter(|_| role == Role::Itself);
        let wait = wait.filter(|wait| record.wait.still(wait.sequence));
        let polls = polls.filter(|_| wait.is_some());
        ThreadSnapshot { record, role, thread, polls, wait, held, permits, asked }
    }

    /// As [`ThreadSnapshot::of`], but without what a running thread holds.
    pub(crate) fn of_waiting(record: &'static Record) -> ThreadSnapshot {
        let role = Role::of(record);
        match record.wait.seen() {
            _ if matches!(role, Role::ByTask | Role::Rests) => ThreadSnapshot::of(record),
            Some(_) => {
                let mut seen = ThreadSnapshot::of(record);
                if seen.wait.is_none() {
                    seen.held.clear();
                    seen.permits.clear();
                }
                seen
            }
            None => ThreadSnapshot {
                record,
                role,
                thread: record.thread.load(Relaxed),
                polls: None,
                wait: None,
                held: Vec::new(),
                permits: Vec::new(),
                asked: Asked::default(),
            },
        }
    }

    /// What the thread waits for.
    pub(crate) fn awaited(&self) -> Option<Awaited> {
        self.wait.map(|wait| wait.awaited)
    }

    /// The lock or semaphore that the thread waits for.
    pub(crate) fn wanted(&self) -> Option<HoldWord> {
        self.awaited()?.lock()
    }

    /// Whether it waits for something that does not come by itself.
    pub(crate) fn is_blocked(&self) -> bool {
        self.awaited().is_some_and(|awaited| !awaited.is_timed())
    }

    /// Whether it is still in the wait that it was seen in.
    pub(crate) fn still(&self) -> bool {
        self.wait.is_some_and(|wait| self.record.wait.still(wait.sequence))
    }

    /// The other record that tells what this thread does: that of the task which it polls, or of the future
    /// that it waits for in `block_on`.
    pub(crate) fn stands_behind(&self, other: &ThreadSnapshot) -> bool {
        match self.role {
            Role::ByTask => self.record.acts_by().is_some_and(|task| ptr::eq(task, other.record)),
            Role::Idle => other.role == Role::Rests && other.thread == self.thread,
            Role::Itself | Role::Rests => false,
        }
    }

    /// Whether it holds this lock, or permits of this semaphore.
    pub(crate) fn holds(&self, wanted: HoldWord) -> bool {
        self.held.iter().any(|h| h.word.lock() == wanted.lock())
            || self.permits.iter().any(|h| h.semaphore.lock() == wanted.lock())
    }
}

/// All threads, in the order in which they began.
pub(crate) fn threads() -> Vec<ThreadSnapshot> {
    let acts = |r: &&Record| r.in_use.load(Acquire) && !r.ended.load(Acquire);
    let in_use = registry::records().filter(acts);
    let mut threads: Vec<ThreadSnapshot> = in_use.map(ThreadSnapshot::of).collect();
    threads.sort_by_key(|t| t.thread);
    threads
}
