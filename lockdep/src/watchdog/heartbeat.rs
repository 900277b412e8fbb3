//! [`Heartbeat`].

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::watchdog::pulse::Pulse;
use crate::watchdog::watcher;

/// A thread's promise to give a sign of life again and again, until this is dropped.
///
/// When none comes in time, a `missed-heartbeat` tells what the thread holds and waits for, once for
/// each time that it falls silent. What else happens is set by the
/// [`Watchdog`](crate::watchdog::Watchdog) that runs; without one the finding is printed.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use lockdep::watchdog::Heartbeat;
///
/// let heart = Heartbeat::new("indexer", Duration::from_secs(5));
/// for _ in 0..3 {
///     heart.beat();
///     // ... work that takes less than five seconds
/// }
/// ```
#[derive(Debug)]
#[must_use = "a heartbeat that is dropped promises nothing"]
pub struct Heartbeat {
    pulse: Arc<Pulse>,
}

impl Heartbeat {
    /// The calling thread promises a sign of life within each `deadline` from now on.
    ///
    /// Where the system cannot start the watchdog's thread, a broken promise is not noticed.
    #[track_caller]
    pub fn new(name: impl Into<String>, deadline: Duration) -> Heartbeat {
        let pulse = Arc::new(Pulse {
            name: name.into(),
            deadline: u64::try_from(deadline.as_nanos()).unwrap_or(u64::MAX),
            site: Location::caller(),
            thread: AtomicU64::new(0),
            last: AtomicU64::new(0),
        });
        pulse.beat();
        watcher::add(Arc::clone(&pulse));
        Heartbeat { pulse }
    }

    /// Gives a sign of life. The thread that gives it is the one that is reported if it was the
    /// last.
    ///
    /// # Cost
    /// A reading of the clock.
    pub fn beat(&self) {
        self.pulse.beat();
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        watcher::remove(&self.pulse);
    }
}
