//! A task from its spawn to its end.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use crate::model::inventory::Counts;
use crate::model::lock::Site;
use crate::process::{is_observing, observe};
use crate::slow_path::spawn::{self, Spawned};
use crate::tasks::lock::Waiting;
use crate::tasks::poll::{self, Polled};
use crate::tasks::waker::TaskWaker;
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

/// A task that an executor polls, or a future that a thread runs by `block_on`.
#[derive(Clone, Debug)]
pub struct Task(pub(super) Arc<State>);

/// What a task keeps while no thread polls it.
#[derive(Debug)]
pub(super) struct State {
    site: Site,
    pub(super) runs: Runs,
    /// Its first and last step; made when that is needed first.
    life: OnceLock<Arc<Spawned>>,
    rest: Mutex<Rest>,
}

/// What changes with each poll.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pub(super) waker: Option<TaskWaker>,
    pub(super) record: Option<Resting>,
    /// What a task keeps that has no record.
    own: Option<Box<Own>>,
    /// Its requests for locks that were not granted yet.
    pub(super) waiting: Vec<Waiting>,
    ended: bool,
}

impl Task {
    /// A task that is spawned at `site`, or a future that `block_on` is called with there.
    pub fn new(site: Site, runs: Runs) -> Task {
        let life = OnceLock::new();
        if runs == Runs::Spawned
            && let Some(parent) = poll::parent()
        {
            _ = life.set(spawn::spawn_task(parent, site));
        }
        Task(Arc::new(State { site, runs, life, rest: Mutex::default() }))
    }

    /// Polls the task: `poll` must be the executor's own poll of it.
    ///
    /// # Panics
    /// Where the task would rest for ever, unless configured otherwise.
    pub fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let mut poll = Some(poll);
        let polled = poll::during(&self.0, Some(cx.waker()), |polled| {
            let poll = poll.take()?;
            let result = match polled.waker() {
                Some(waker) => poll(&mut Context::from_waker(waker)),
                None => poll(cx),
            };
            match result {
                Poll::Ready(_) => polled.finish(),
                Poll::Pending => polled.rest(),
            }
            Some(result)
        });
        match (polled.flatten(), poll) {
            (Some(result), _) => result,
            // The thread passes through.
            (None, Some(poll)) => poll(cx),
            (None, None) => Poll::Pending,
        }
    }

    /// Drops the task's future: `drop` must do that. What the future still holds is the task's to release.
    pub fn drop_future(&self, drop: impl FnOnce()) {
        let mut drop = Some(drop);
        poll::during(&self.0, None, |polled| {
            if let Some(drop) = drop.take() {
                drop();
            }
            polled.finish();
        });
        if let Some(drop) = drop {
            drop();
        }
    }

    /// The calling task or thread knows that this task has ended.
    pub fn joined(&self) {
        if let Some(life) = self.0.life.get() {
            poll::attach();
            life.joined(None);
        }
    }
}

impl State {
    pub(super) fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the task has asked for a lock, or comes after something that has.
    pub(super) fn has_begun(&self) -> bool {
        self.life.get().is_some()
    }

    /// The task acts by this record from here on, which is new to it.
    pub(super) fn enter(&self, record: OwnRecord) {
        let kept = self.rest().own.take();
        match kept {
            Some(own) => {
                let thread = own.at.thread;
                record.thread.store(thread, Relaxed);
                record.foreign.store(false, Relaxed);
                give_own(record, thread, *own);
            }
            None => self.life.get_or_init(|| spawn::first_task(self.site)).enter_as_task(record),
        }
    }

    /// The task holds nothing, and waits for no lock.
    pub(super) fn leave(&self, record: OwnRecord) {
        let own = Box::new(take_own(record));
        self.rest().own = Some(own);
        registry::put_by(record);
    }

    /// The task takes no further step.
    pub(super) fn end(&self, polled: &Polled) {
        if std::mem::replace(&mut self.rest().ended, true) || self.runs == Runs::BlockOn {
            return;
        }
        let Some(life) = self.life.get() else { return };
        if !polled.is_attached() && self.rest().own.is_none() {
            return;
        }
        let Some(record) = polled.attach() else { return };
        life.finish(record);
        let mut held = Vec::new();
        record.held.held_into(&mut held);
        let thread = record.thread.load(Relaxed);
        if is_observing() || !held.is_empty() {
            observe(|o| {
                // The guards are elsewhere, or were leaked.
                if !held.is_empty() {
                    o.abandon(thread, held);
                }
                o.thread_ended(thread, &[], Counts::default());
            });
        }
        record.forget_holds();
    }
}
