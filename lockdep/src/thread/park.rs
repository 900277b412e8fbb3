//! [`Thread`], and the wait for its [`unpark`](Thread::unpark).

use std::panic::Location;
use std::thread::ThreadId;
use std::time::Duration;
use std::{fmt, ptr};

use crate::hooks;

/// A handle of a thread: [`std::thread::Thread`], with its `unpark` seen.
#[derive(Clone)]
#[repr(transparent)]
pub struct Thread {
    inner: std::thread::Thread,
}

impl Thread {
    pub(super) fn of(inner: &std::thread::Thread) -> &Thread {
        // SAFETY: a `Thread` is such a handle and nothing else, by `repr(transparent)`.
        unsafe { &*ptr::from_ref(inner).cast() }
    }

    /// Wakes the thread from [`park`], now or the next time it parks; see
    /// [`std::thread::Thread::unpark`].
    pub fn unpark(&self) {
        hooks::unpark(self.inner.id());
        self.inner.unpark();
    }

    /// The thread's number among those of the process.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.inner.id()
    }

    /// The thread's name, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// A handle of the thread that calls this; see [`std::thread::current`].
#[must_use]
pub fn current() -> Thread {
    Thread { inner: std::thread::current() }
}

/// Blocks until this thread is unparked; see [`std::thread::park`].
///
/// # Panics
///
/// No thread is left to unpark this one, and the engine is configured to panic then.
#[track_caller]
pub fn park() {
    hooks::park(false, Location::caller(), std::thread::park);
}

/// Blocks until this thread is unparked, for `dur` at most; see [`std::thread::park_timeout`].
#[track_caller]
pub fn park_timeout(dur: Duration) {
    hooks::park(true, Location::caller(), || std::thread::park_timeout(dur));
}

/// Blocks until this thread is unparked, for `ms` milliseconds at most.
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::park_timeout`")]
#[track_caller]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(u64::from(ms)));
}
