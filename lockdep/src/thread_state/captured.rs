//! The stacks with which a thread acquired locks that it still holds, as far as they were taken.
//!
//! What it may miss: the stack of a hold before whose end, or since whose beginning, the thread has acquired
//! and released others. It is known to be of just this hold only where every acquisition since is of a lock
//! that is still held.

use std::ptr;

use crate::model::lock::Site;
use crate::model::stack::FoundStack;
use crate::thread_state::held_stack::HeldStack;

/// The stacks, those of outer holds first.
#[derive(Debug, Default)]
pub(crate) struct CapturedStacks(Vec<Captured>);

#[derive(Debug)]
struct Captured {
    site: Site,
    stack: FoundStack,
    /// How many locks the thread held before this one.
    depth: usize,
    /// How many it had ever acquired.
    acquired: u64,
}

impl CapturedStacks {
    /// The thread, which holds these, is about to acquire another lock at this place.
    pub(crate) fn add(&mut self, held: &HeldStack, site: Site, stack: FoundStack) {
        self.forget_next(held);
        let (depth, acquired) = (held.len(), held.pushed());
        self.0.push(Captured { site, stack, depth, acquired });
    }

    /// The thread, which holds these, will not acquire the lock for which a stack was taken last, or not
    /// before others.
    pub(crate) fn forget_next(&mut self, held: &HeldStack) {
        let depth = held.len();
        self.0.retain(|captured| captured.depth < depth);
    }

    /// The stack with which the thread acquired what it holds at this depth, since this place.
    pub(crate) fn of(&self, held: &HeldStack, depth: usize, site: Site) -> Option<FoundStack> {
        let captured = self.0.iter().find(|captured| captured.depth == depth)?;
        let since = held.pushed() - captured.acquired;
        let are_held = since == (held.len() - depth) as u64;
        (are_held && ptr::eq(captured.site, site)).then(|| captured.stack.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::CapturedStacks;
    use crate::model::held::Prepared;
    use crate::model::lock::{Mode, Site};
    use crate::model::stack::FoundStack;
    use crate::model::word::LockWord;
    use crate::thread_state::held_stack::HeldStack;

    fn push(held: &HeldStack, serial: u64, site: Site) {
        let word = LockWord::new(1, serial).held(Mode::Write, false);
        held.push(Prepared { word, context: 1 }, site, 64, 0);
    }

    fn pop(held: &HeldStack, serial: u64) {
        assert!(held.pop(LockWord::new(1, serial), Mode::Write));
    }

    #[test]
    fn a_stack_is_given_for_the_very_hold_that_it_was_taken_for() {
        let (outer, inner) = (Location::caller(), Location::caller());
        let (held, mut captured) = (HeldStack::new(), CapturedStacks::default());
        captured.add(&held, outer, FoundStack::capture());
        push(&held, 1, outer);
        assert!(captured.of(&held, 0, outer).is_some());
        assert!(captured.of(&held, 0, inner).is_none());
        captured.add(&held, inner, FoundStack::capture());
        push(&held, 2, inner);
        assert!(captured.of(&held, 0, outer).is_some() && captured.of(&held, 1, inner).is_some());

        // Another lock at the place of the first one: whether the outer hold is still the one is not known.
        pop(&held, 2);
        push(&held, 3, inner);
        assert!(captured.of(&held, 0, outer).is_none() && captured.of(&held, 1, inner).is_none());
        pop(&held, 3);
        pop(&held, 1);

        // Taken for an acquisition that came to nothing.
        captured.add(&held, outer, FoundStack::capture());
        captured.forget_next(&held);
        push(&held, 4, outer);
        assert!(captured.of(&held, 0, outer).is_none());
    }
}
