//! What a task keeps while no thread polls it.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::model::ids::ThreadId;
use crate::model::lock::Site;
use crate::model::word::HoldWord;
use crate::slow_path::spawn::{self, BeforeJoin, Spawned};
use crate::tasks::waker::TaskWaker;
use crate::thread_state::current::Busy;
use crate::thread_state::position::{give_own, take_own};
use crate::thread_state::record::{Own, OwnRecord};
use crate::thread_state::registry::{self, Resting};

/// Who runs a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// An executor, on any of its threads.
    Spawned,
    /// The thread that waits for it.
    BlockOn,
}

/// See the module.
#[derive(Debug)]
pub(super) struct State {
    site: Site,
    /// Its number among threads and tasks.
    number: ThreadId,
    pub(super) runs: Runs,
    /// Its first and last step; made when that is needed first.
    pub(super) life: OnceLock<Arc<Spawned>>,
    rest: Mutex<Rest>,
    /// Whether there is a set of futures in the task that have wakers of their own.
    pub(super) has_sets: AtomicBool,
}

/// What changes with each poll.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pub(super) waker: Option<TaskWaker>,
    pub(super) record: Option<Resting>,
    /// What a task keeps that has no record.
    pub(super) own: Option<Kept>,
    /// Its requests for locks that were not granted yet.
    pub(super) waiting: Vec<Waiting>,
    /// What it held when it came to wait for the end of the task of this number.
    pub(super) before_join: Option<Box<(ThreadId, BeforeJoin)>>,
    pub(super) has_ended: bool,
    /// How often the task was polled.
    pub(super) polls: u64,
    /// Whether clones may be left of a waker that the executor has replaced by another.
    pub(super) has_uncounted_wakers: bool,
}

/// What a task keeps that holds nothing and awaits no lock.
#[derive(Debug)]
pub(super) enum Kept {
    /// Nothing but the locks that it has asked for: the rest is as it was when it was spawned.
    Asked(Box<[(HoldWord, Site)]>),
    /// All of it.
    Own(Box<Own>),
}

/// A request of a task that was not granted yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) number: usize,
    pub(super) word: HoldWord,
    pub(super) site: Site,
    /// Whether the request is one of the task itself, and not of a set of futures in it that have wakers of
    /// their own.
    pub(super) by_task: bool,
    /// Whether the future that asks may be sent to another task.
    pub(super) owned: bool,
    /// Whether it has a place in the lock's queue: an executor may have a task stop before that.
    pub(super) queued: bool,
    /// In which of the task's polls the future was polled last.
    pub(super) polled: u64,
}

impl Rest {
    /// The request of this number waits no more.
    pub(super) fn end_wait(&mut self, number: usize) {
        self.waiting.retain(|waiting| waiting.number != number);
    }
}

impl State {
    /// Of a task that is spawned at `site`; `life` where that is known already.
    pub(super) fn new(site: Site, runs: Runs, life: Option<Arc<Spawned>>) -> State {
        let number = life.as_ref().map_or_else(registry::next_thread, |life| life.thread());
        let life = life.map_or_else(OnceLock::new, OnceLock::from);
        State { site, number, runs, life, rest: Mutex::default(), has_sets: AtomicBool::new(false) }
    }

    pub(super) fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the task has asked for a lock, or comes after something that has.
    pub(super) fn has_begun(&self) -> bool {
        self.life.get().is_some()
    }

    /// The task acts by this record from here on, which is new to it.
    pub(super) fn enter(&self, record: OwnRecord) {
        record.set_task(Some(self.site));
        let kept = self.rest().own.take();
        match kept {
            Some(Kept::Own(own)) => {
                record.thread.store(own.at.thread, Relaxed);
                record.foreign.store(false, Relaxed);
                give_own(record, *own);
            }
            Some(Kept::Asked(asked)) => {
                self.life().enter_as_task(record);
                let _busy = Busy::new();
                record.mine().own.borrow_mut().asked.extend_from_slice(&asked);
            }
            None => self.life().enter_as_task(record),
        }
    }

    /// Where it was spawned.
    pub(super) fn site(&self) -> Site {
        self.site
    }

    /// Its number among threads and tasks.
    pub(super) fn number(&self) -> ThreadId {
        self.number
    }

    /// Its first and last step.
    pub(super) fn life(&self) -> &Arc<Spawned> {
        self.life.get_or_init(|| spawn::first_task(self.number, self.site))
    }

    /// The task holds nothing, and waits for no lock.
    pub(super) fn leave(&self, record: OwnRecord) {
        let own = take_own(record);
        let is_as_spawned = self.life().is_as_spawned(&own);
        let _busy = Busy::new();
        self.rest().own = Some(match is_as_spawned {
            true => Kept::Asked(own.asked.into_boxed_slice()),
            false => Kept::Own(Box::new(own)),
        });
        registry::put_by(record);
    }
}
