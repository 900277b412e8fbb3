//! Which task a thread polls while it acts by its own record.
//!
//! Two numbers that are written and read one by one, so that what is read of a thread that runs may be of two tasks.
//! A thread that waits polls what it polled when the wait began: what is read of it belongs together if it is still
//! in the very wait that it was seen in before, as [`WaitSlot::still`](super::wait::WaitSlot::still) tells
//! afterwards. Nothing else is to be made of it.

use std::panic::Location;
use std::ptr;

use crate::atomic::Ordering::Relaxed;
use crate::atomic::{AtomicPtr, AtomicU32};
use crate::model::ids::ThreadId;
use crate::model::lock::Site;

/// See the module.
#[derive(Debug)]
pub(crate) struct Polling {
    /// Zero for none.
    task: AtomicU32,
    /// Where that was spawned.
    spawned_at: AtomicPtr<Location<'static>>,
}

impl Polling {
    pub(super) fn new() -> Polling {
        Polling { task: AtomicU32::new(0), spawned_at: AtomicPtr::new(ptr::null_mut()) }
    }

    /// From here on the thread polls this task. Only the owner calls this, and not in a wait.
    pub(crate) fn set(&self, task: Option<(ThreadId, Site)>) {
        let site = task.map_or(ptr::null_mut(), |(_, site)| ptr::from_ref(site).cast_mut());
        self.task.store(task.map_or(0, |(number, _)| number), Relaxed);
        self.spawned_at.store(site, Relaxed);
    }

    /// The task, with the place where it was spawned. See the module for when that is true.
    pub(crate) fn get(&self) -> Option<(ThreadId, Site)> {
        // SAFETY: null, or stored by `set` from a `Site`, which is a reference for ever.
        let site = unsafe { self.spawned_at.load(Relaxed).as_ref() }?;
        Some((self.task.load(Relaxed), site))
    }
}
