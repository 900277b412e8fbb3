//! [`Barrier`].

use std::fmt;
use std::panic::Location;
use std::sync::BarrierWaitResult;

use crate::instrument::{EventKind, EventTag};

/// A meeting point of threads: [`std::sync::Barrier`], with its arrivals and waits recorded.
pub struct Barrier {
    tag: EventTag,
    inner: std::sync::Barrier,
}

impl Barrier {
    /// A barrier for `n` threads, of the class of the place that calls this.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new(n: usize) -> Barrier {
        Barrier { tag: EventTag::new(), inner: std::sync::Barrier::new(n) }
    }

    /// Blocks until all threads have come here; see [`std::sync::Barrier::wait`].
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        self.tag.wait(EventKind::Barrier, false, Location::caller(), || None, || self.inner.wait())
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
