//! Spawn and join order: which steps of two threads can never overlap.
//!
//! A vector clock in the sense of Mattern (1989) that advances at spawns only. An entry `(t, n)`
//! says that everything `t` did in its first `n` epochs is over. Entries of threads that recorded
//! nothing may be left out by the caller: they order nothing that anybody asks about. That keeps a
//! clock as small as the number of threads that recorded something, however many came and went.

use crate::model::ids::ThreadId;

/// What is over at some step of a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Sorted by thread.
    over: Vec<(ThreadId, u32)>,
}

impl Clock {
    /// The epochs of `thread` that are over, counted from one.
    pub(crate) fn over(&self, thread: ThreadId) -> u32 {
        self.over.binary_search_by_key(&thread, |e| e.0).map_or(0, |at| self.over[at].1)
    }

    /// From now on the first `epochs` epochs of `thread` are over.
    pub(crate) fn advance(&mut self, thread: ThreadId, epochs: u32) {
        match self.over.binary_search_by_key(&thread, |e| e.0) {
            Ok(at) => self.over[at].1 = self.over[at].1.max(epochs),
            Err(at) => self.over.insert(at, (thread, epochs)),
        }
    }

    /// From now on everything that is over in `other` is over here.
    pub(crate) fn join(&mut self, other: &Clock) {
        for &(thread, epochs) in &other.over {
            self.advance(thread, epochs);
        }
    }

    /// Forgets the threads for which `keep` is false.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(ThreadId) -> bool) {
        self.over.retain(|e| keep(e.0));
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn a_join_takes_the_later_of_both() {
        let (mut a, mut b) = (Clock::default(), Clock::default());
        a.advance(1, 3);
        b.advance(1, 2);
        b.advance(7, 1);
        a.join(&b);
        assert_eq!((a.over(1), a.over(7), a.over(9)), (3, 1, 0));
    }

    #[test]
    fn retain_forgets() {
        let mut a = Clock::default();
        a.advance(1, 3);
        a.advance(2, 1);
        a.retain(|t| t != 1);
        assert_eq!((a.over(1), a.over(2)), (0, 1));
    }
}
