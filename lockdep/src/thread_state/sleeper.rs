//! How a task that rests is made to end: another thread has found that it waits for ever, and wakes it with
//! the finding, which it panics with when it is polled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::model::finding::Finding;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sleeper(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Has the executor poll the task.
    waker: Option<Waker>,
    finding: Option<Arc<Finding>>,
}

impl Sleeper {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task rests, and is polled where this wakes it.
    pub(crate) fn lies_down(&self, waker: Waker) {
        let before =
            std::mem::replace(&mut *self.state(), State { waker: Some(waker), finding: None });
        drop(before);
    }

    /// The task is polled, or gone. Returns what it was woken with.
    pub(crate) fn gets_up(&self) -> Option<Arc<Finding>> {
        let state = std::mem::take(&mut *self.state());
        state.finding
    }

    /// Has the task polled, to end with this finding. Whether there is a task that can be.
    pub(crate) fn rouse(&self, finding: &Arc<Finding>) -> bool {
        let waker = {
            let mut state = self.state();
            let Some(waker) = state.waker.take() else { return false };
            state.finding = Some(Arc::clone(finding));
            waker
        };
        waker.wake();
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Waker;

    use super::Sleeper;
    use crate::finding::{Rule, Tier};
    use crate::model::finding::Finding;

    #[test]
    fn a_task_is_roused_once_and_only_while_it_lies() {
        let finding = Arc::new(Finding::new(Rule::StuckWait, Tier::Happened, String::new()));
        let sleeper = Sleeper::default();
        assert!(!sleeper.rouse(&finding), "nobody lies here");
        sleeper.lies_down(Waker::noop().clone());
        assert!(sleeper.rouse(&finding));
        assert!(!sleeper.rouse(&finding));
        assert!(sleeper.gets_up().is_some());
        sleeper.lies_down(Waker::noop().clone());
        assert!(sleeper.gets_up().is_none(), "it was woken by something else");
        assert!(!sleeper.rouse(&finding));
    }
}
