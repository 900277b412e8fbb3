//! Tells when a lock is held or waited for too long, and when a thread gives no sign of life.
//!
//! A deadlock is found without a watchdog, by the threads that are part of it. This is for what is
//! only late: [`Watchdog`] sets how long a lock may be held or waited for and what happens then,
//! [`Heartbeat`] is a promise of a thread to give a sign of life, and [`dump_on_signal`] writes what
//! all threads hold and wait for when the process gets a signal.
//!
//! All of it is the work of one thread, which is started at the first use, sleeps until the first
//! moment at which something could be late, and sleeps without end while nothing is held, waited for
//! or promised. Locks that callbacks take on that thread are not tracked. A forked child has no
//! watchdog.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use lockdep::watchdog::Watchdog;
//!
//! let watching = Watchdog::new()
//!     .slow_hold(Duration::from_secs(1))
//!     .slow_wait(Duration::from_secs(1))
//!     .start()?;
//! // ... until `watching` is dropped.
//! # drop(watching);
//! # Ok::<(), std::io::Error>(())
//! ```

mod heartbeat;
mod late;
mod pulse;
mod restart;
mod watcher;

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

pub use heartbeat::Heartbeat;
pub use restart::Restart;
pub use watcher::dump_on_signal;

use crate::model::finding::Finding;
use crate::thread_state::demand::{self, Asker};
use crate::waits::times;

type Callback = Arc<dyn Fn(&Finding) + Send + Sync>;

/// What happens to the process when something is late, after it was reported.
///
/// # Examples
/// A hang that cannot be mended ends the process, for its supervisor to start another:
///
/// ```
/// use std::time::Duration;
///
/// use lockdep::watchdog::{Then, Watchdog};
///
/// let watching =
///     Watchdog::new().slow_wait(Duration::from_secs(60)).dump(true).then(Then::Abort).start()?;
/// # drop(watching);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Then {
    /// It goes on.
    #[default]
    Continue,
    /// It is aborted.
    Abort,
    /// It is started anew.
    Restart(Restart),
}

/// How long is too long, and what happens then. See the [module](self).
///
/// Two watchdogs at one time do not add up: the one that was started last counts.
///
/// # Examples
/// ```
/// use std::sync::mpsc;
/// use std::time::Duration;
///
/// use lockdep::finding::Rule;
/// use lockdep::sync::Mutex;
/// use lockdep::watchdog::Watchdog;
///
/// # if cfg!(not(feature = "instrument")) { return Ok(()) }
/// let (late, is_late) = mpsc::channel();
/// let watching = Watchdog::new()
///     .slow_hold(Duration::from_millis(1))
///     .log(false)
///     .on_expiry(move |finding| _ = late.send(finding.rule))
///     .start()?;
///
/// let jobs = Mutex::new(vec![1]);
/// let held = jobs.lock().unwrap();
/// assert_eq!(is_late.recv()?, Rule::SlowHold);
/// # drop((held, watching));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a watchdog watches once it is started"]
pub struct Watchdog {
    slow_hold: Option<Duration>,
    slow_wait: Option<Duration>,
    log: bool,
    dump: bool,
    callback: Option<Callback>,
    then: Then,
}

impl Default for Watchdog {
    fn default() -> Watchdog {
        Watchdog::new()
    }
}

impl Watchdog {
    /// A watchdog that reports missed heartbeats and nothing else.
    pub const fn new() -> Watchdog {
        Watchdog {
            slow_hold: None,
            slow_wait: None,
            log: true,
            dump: false,
            callback: None,
            then: Then::Continue,
        }
    }

    /// A lock that is held for longer is a `slow-hold`.
    ///
    /// # Cost
    /// While such a watchdog runs, each acquisition reads the clock.
    pub fn slow_hold(mut self, threshold: Duration) -> Watchdog {
        self.slow_hold = Some(threshold);
        self
    }

    /// A lock that is waited for for longer is a `slow-wait`. Acquisitions with a timeout of their
    /// own do not count.
    pub fn slow_wait(mut self, threshold: Duration) -> Watchdog {
        self.slow_wait = Some(threshold);
        self
    }

    /// Whether what is late is printed to stderr, which it is by default.
    pub fn log(mut self, log: bool) -> Watchdog {
        self.log = log;
        self
    }

    /// Whether what all threads hold and wait for is printed to stderr then.
    pub fn dump(mut self, dump: bool) -> Watchdog {
        self.dump = dump;
        self
    }

    /// Called with what is late, on the watchdog's thread.
    pub fn on_expiry(mut self, callback: impl Fn(&Finding) + Send + Sync + 'static) -> Watchdog {
        self.callback = Some(Arc::new(callback));
        self
    }

    /// What happens to the process then.
    pub fn then(mut self, then: Then) -> Watchdog {
        self.then = then;
        self
    }

    /// Watches until the result is dropped.
    ///
    /// # Errors
    /// The system makes no thread, or on Unix no pair of sockets to wake it with.
    pub fn start(self) -> io::Result<Watching> {
        let holds = self.slow_hold.is_some();
        let number = watcher::set(Some(Arc::new(self)))?;
        if holds {
            times::ask(Asker::Watchdog);
        } else {
            demand::clear(Asker::Watchdog);
        }
        Ok(Watching { number })
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("slow_hold", &self.slow_hold)
            .field("slow_wait", &self.slow_wait)
            .field("then", &self.then)
            .finish_non_exhaustive()
    }
}

/// A watchdog that runs, until this is dropped.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use lockdep::watchdog::Watchdog;
///
/// // For this block:
/// {
///     let _watching = Watchdog::new().slow_wait(Duration::from_secs(1)).start()?;
/// }
/// // From here to the end of the process:
/// Watchdog::new().slow_wait(Duration::from_secs(10)).start()?.detach();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "the watchdog stops when this is dropped"]
pub struct Watching {
    /// Which start this was: a later one is not ended by this.
    number: u64,
}

impl Watching {
    /// Watches until the process ends.
    pub fn detach(self) {
        std::mem::forget(self);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        if watcher::unset(self.number) {
            demand::clear(Asker::Watchdog);
        }
    }
}
