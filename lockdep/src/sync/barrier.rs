//! [`Barrier`].

use std::fmt;
use std::panic::Location;
use std::sync::BarrierWaitResult;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::hooks::{EventKind, EventTag};

/// A meeting point of threads: [`std::sync::Barrier`], with its arrivals and waits recorded.
///
/// # Examples
/// ```
/// use lockdep::sync::Barrier;
/// use lockdep::thread;
///
/// let both = Barrier::new(2);
/// let leaders = thread::scope(|s| {
///     let threads = [(); 2].map(|()| s.spawn(|| both.wait().is_leader()));
///     threads.map(|thread| thread.join().unwrap()).into_iter().filter(|leads| *leads).count()
/// });
/// assert_eq!(leaders, 1);
/// ```
pub struct Barrier {
    tag: EventTag,
    inner: std::sync::Barrier,
    /// How many threads complete it.
    parties: usize,
    /// How many have come. Nothing is ordered by it: it only tells the last of each group, who does
    /// not wait, from the others.
    arrived: AtomicUsize,
}

impl Barrier {
    /// A barrier for `n` threads, of the class of the place that calls this.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new(n: usize) -> Barrier {
        let parties = if n == 0 { 1 } else { n };
        Barrier {
            tag: EventTag::new(),
            inner: std::sync::Barrier::new(n),
            parties,
            arrived: AtomicUsize::new(0),
        }
    }

    /// Blocks until all threads have come here; see [`std::sync::Barrier::wait`].
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let site = Location::caller();
        let completes =
            self.arrived.fetch_add(1, Ordering::Relaxed) % self.parties == self.parties - 1;
        let complete = || {
            completes.then(|| {
                self.tag.signal_all(EventKind::Barrier, site);
                self.inner.wait()
            })
        };
        self.tag.wait(EventKind::Barrier, false, site, complete, || self.inner.wait())
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
