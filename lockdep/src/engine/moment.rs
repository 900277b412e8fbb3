//! A thread at one of its steps, with all that tells whether another thread's step can meet it.

use std::sync::Arc;

use super::{Clock, Cover};
use crate::model::ids::ThreadId;

/// A thread at one of its steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moment {
    /// The thread.
    pub thread: ThreadId,
    /// The thread's spawn epoch, counted from one.
    pub epoch: u32,
    /// What is over by spawn and join order.
    pub clock: Arc<Clock>,
    /// What is over beyond that, as events showed in this run: messages, notifications, barriers.
    pub seen: Arc<Clock>,
    /// What is held around the whole thread.
    pub cover: Option<Arc<Cover>>,
}

impl Moment {
    /// What is over, by spawn and join order, once this step is.
    pub(crate) fn over(&self) -> Clock {
        let mut over = Clock::clone(&self.clock);
        over.advance(self.thread, self.epoch);
        over
    }

    /// Whether spawn and join order puts this before `later`.
    pub(crate) fn before(&self, later: &Moment) -> bool {
        later.clock.over(self.thread) >= self.epoch
    }

    /// Whether events put this before `later` in this run.
    pub(crate) fn seen_before(&self, later: &Moment) -> bool {
        later.seen.over(self.thread) >= self.epoch
    }
}
