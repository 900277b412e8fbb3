//! The permits that a thread holds of semaphores with several, and how many it asks for.
//!
//! Only the owner writes; others read it while they look for a deadlock. A permit is taken off before
//! it is really given back and put on after it was really taken, so what stands here of a thread that
//! waits is held by it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::held::{Asked, Hold};
use crate::model::word::LockWord;

#[derive(Debug, Default)]
pub(super) struct State {
    held: Vec<Hold>,
    asked: Asked,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Permits(Mutex<State>);

impl Permits {
    /// Keeps others from reading and the owner from writing, until dropped.
    pub(super) fn hold_still(&self) -> MutexGuard<'_, State> {
        self.state()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread is about to ask for permits.
    pub(crate) fn ask(&self, asked: Asked) {
        self.state().asked = asked;
    }

    pub(crate) fn asked(&self) -> Asked {
        self.state().asked
    }

    /// The thread, which is busy, has taken permits.
    pub(crate) fn take(&self, hold: Hold) {
        let mut state = self.state();
        match state.held.iter_mut().find(|h| h.semaphore.lock() == hold.semaphore.lock()) {
            Some(held) => *held = Hold { count: held.count + hold.count, ..hold },
            None => state.held.push(hold),
        }
    }

    /// The thread is about to give permits back.
    pub(crate) fn give(&self, semaphore: LockWord, count: usize) {
        let mut state = self.state();
        state.held.retain_mut(|held| {
            if held.semaphore.lock() == semaphore.lock() {
                held.count = held.count.saturating_sub(count);
            }
            held.count > 0
        });
    }

    pub(crate) fn held(&self) -> Vec<Hold> {
        self.state().held.clone()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state().held.is_empty()
    }

    /// Another thread takes the record over.
    pub(crate) fn reset(&self) {
        *self.state() = State::default();
    }
}
