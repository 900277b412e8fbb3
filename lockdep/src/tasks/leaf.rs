//! What futures of a task wait for that is not a lock, as one poll has found.

use std::sync::Arc;

use crate::model::lock::Site;
use crate::model::word::LockWord;
use crate::tasks::state::State;

/// Futures that a poll has left unfinished.
#[derive(Default)]
pub(super) enum Leaves {
    #[default]
    None,
    One(Leaf),
    Several,
}

/// What a future of the task waits for that is not a lock.
pub(super) enum Leaf {
    /// An event; without a number where nobody would be told.
    Event(Option<LockWord>, Site),
    /// The end of a task.
    End(Arc<State>),
}

/// Who polls a future: the task itself, or a set of futures in it that gives each a waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolledBy {
    /// The task.
    Task,
    /// A set in it, or nothing that is known.
    Other,
}
