//! A task from its spawn to its end.

use std::sync::Arc;
use std::task::{Context, Poll};

use crate::model::lock::Site;
use crate::slow_path::spawn;
use crate::tasks::event::leaf_has_moved;
use crate::tasks::leaf::{Leaf, PolledBy};
use crate::tasks::poll;
use crate::tasks::state::{Runs, State};

/// A task that an executor polls, or a future that a thread runs by `block_on`.
#[derive(Clone, Debug)]
pub struct Task(pub(super) Arc<State>);

impl Task {
    /// A task that is spawned at `site`, or a future that `block_on` is called with there.
    pub fn new(site: Site, runs: Runs) -> Task {
        let parent = if runs == Runs::Spawned { poll::parent() } else { None };
        let life = parent.map(|parent| spawn::spawn_task(parent, site));
        Task(Arc::new(State::new(site, runs, life)))
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
            polled.end_if_roused();
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
        // Where it has asked for nothing, it has nothing to release and nobody waits for what it did.
        if !self.0.has_begun() && self.0.runs == Runs::Spawned {
            let waker = {
                let mut rest = self.0.rest();
                rest.has_ended = true;
                rest.waker.take()
            };
            drop();
            return std::mem::drop(waker);
        }
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
        leaf_has_moved();
        if let Some(life) = self.0.life.get() {
            poll::attach();
            let before = poll::innermost(|polled| polled.task().rest().before_join.take());
            let before = before.flatten().filter(|before| before.0 == life.thread());
            life.joined(before.map(|before| before.1));
        }
    }

    /// The future that is polled here waits for the end of this task.
    pub fn join_pending(&self, polled_by: PolledBy) {
        poll::innermost(|polled| {
            polled.leaves_pending(Leaf::End(Arc::clone(&self.0)), polled_by);
        });
    }
}
