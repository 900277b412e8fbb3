//! The stacks of the first threads that held a lock since one place and asked for another at a second one.
//!
//! What it may miss: a thread that came later. Of it the stacks of another thread are given.

use crate::model::ids::ThreadId;
use crate::model::stack::FoundStack;

/// How many threads' stacks are kept.
pub(super) const STACKS: usize = 8;

/// Where a thread was at two moments.
#[derive(Clone, Debug, Default)]
pub(super) struct BothStacks {
    /// When it acquired the first lock, as far as it is known.
    pub(super) from: FoundStack,
    /// When it asked for the second one.
    pub(super) to: FoundStack,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct FirstStacks(Vec<(ThreadId, BothStacks)>);

impl FirstStacks {
    /// Keeps the stacks that `take` takes of this thread, if they are wanted.
    pub(super) fn add(&mut self, thread: ThreadId, take: impl FnOnce() -> BothStacks) {
        if self.0.len() < STACKS && self.0.iter().all(|(other, _)| *other != thread) {
            self.0.push((thread, take()));
        }
    }

    /// The stacks of this thread, or else of the first one.
    pub(super) fn of(&self, thread: ThreadId) -> BothStacks {
        let own = self.0.iter().find(|(other, _)| *other == thread);
        own.or(self.0.first()).map_or(BothStacks::default(), |(_, stacks)| stacks.clone())
    }
}
