//! The waker that a task is polled with: it tells how many others keep a clone of it, and whether one of them
//! has used it. A task that rests and whose waker nobody has can never go on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Wake, Waker};

#[derive(Debug)]
struct Counted {
    executor: Waker,
    woken: AtomicBool,
}

impl Wake for Counted {
    fn wake(self: Arc<Counted>) {
        self.woken.store(true, SeqCst);
        let executor = self.executor.clone();
        // First: the task may be polled at once, and this clone must not count then.
        drop(self);
        executor.wake();
    }

    fn wake_by_ref(self: &Arc<Counted>) {
        self.woken.store(true, SeqCst);
        self.executor.wake_by_ref();
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct TaskWaker {
    counted: Arc<Counted>,
    waker: Waker,
}

impl TaskWaker {
    /// One that wakes the task by the executor's own.
    pub(super) fn new(executor: &Waker) -> TaskWaker {
        let woken = AtomicBool::new(false);
        let counted = Arc::new(Counted { executor: executor.clone(), woken });
        TaskWaker { waker: Waker::from(Arc::clone(&counted)), counted }
    }

    #[inline]
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// The executor's waker, of which clones are not counted.
    pub(super) fn executor(&self) -> &Waker {
        &self.counted.executor
    }

    /// Whether it wakes the task by this waker of the executor.
    pub(super) fn is_over(&self, executor: &Waker) -> bool {
        self.counted.executor.will_wake(executor)
    }

    /// The task is polled from here on.
    pub(super) fn begin_poll(&self) {
        self.counted.woken.store(false, SeqCst);
    }

    /// How many clones there are.
    #[inline]
    pub(super) fn clones(&self) -> usize {
        // All but `counted` and `waker`.
        Arc::strong_count(&self.counted) - 2
    }

    /// Whether the task was woken since the beginning of its last poll.
    pub(super) fn is_woken(&self) -> bool {
        self.counted.woken.load(SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::TaskWaker;

    #[test]
    fn clones_are_counted_as_long_as_they_live() {
        let task = TaskWaker::new(Waker::noop());
        assert_eq!(task.clones(), 0);
        let (one, other) = (task.waker().clone(), task.waker().clone());
        assert_eq!(task.clones(), 2);
        drop(one);
        assert_eq!(task.clones(), 1);
        other.wake();
        assert_eq!((task.clones(), task.is_woken()), (0, true));
        task.begin_poll();
        assert!(!task.is_woken());
    }
}
