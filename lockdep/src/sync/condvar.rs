//! [`Condvar`] and what its timed waits return.

use std::fmt;
use std::panic::Location;
use std::sync::LockResult;
use std::time::{Duration, Instant};

use crate::hooks::{EventKind, EventTag, Site};
use crate::sync::{Mutex, MutexGuard, outcome};

/// Whether a timed wait ended because of its time: [`std::sync::WaitTimeoutResult`].
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use lockdep::sync::{Condvar, Mutex};
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// let waited = changed
///     .wait_timeout_while(ready.lock().unwrap(), Duration::from_millis(1), |ready| !*ready)
///     .unwrap();
/// assert!(waited.1.timed_out());
/// ```
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

/// A condition variable: [`std::sync::Condvar`], with its waits and notifications recorded.
///
/// # Examples
///
/// ```
/// use lockdep::sync::{Condvar, Mutex};
/// use lockdep::thread;
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// thread::scope(|s| {
///     s.spawn(|| {
///         *ready.lock().unwrap() = true;
///         changed.notify_one();
///     });
///     let ready = changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap();
///     assert!(*ready);
/// });
/// ```
pub struct Condvar {
    tag: EventTag,
    inner: std::sync::Condvar,
}

impl Condvar {
    /// A new condition variable, of the class of the place that calls this.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar { tag: EventTag::new(), inner: std::sync::Condvar::new() }
    }

    /// Releases the mutex, blocks until a notification, and acquires the mutex again; see
    /// [`std::sync::Condvar::wait`].
    ///
    /// # Errors
    ///
    /// The mutex is poisoned. The guard is in the error.
    ///
    /// # Panics
    ///
    /// It may panic when it is used with more than one mutex.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_at(Location::caller(), guard)
    }

    /// Waits as long as `condition` holds; see [`std::sync::Condvar::wait_while`].
    ///
    /// # Errors
    ///
    /// The mutex is poisoned. The guard is in the error.
    #[track_caller]
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        let site = Location::caller();
        if !condition(&mut *guard) {
            guard.guard.tag().might_wait(Mutex::<T>::TYPE, &self.tag, site);
            return Ok(guard);
        }
        loop {
            guard = self.wait_at(site, guard)?;
            if !condition(&mut *guard) {
                return Ok(guard);
            }
        }
    }

    /// Waits for `ms` milliseconds at most; `false` when the time was up.
    ///
    /// # Errors
    ///
    /// The mutex is poisoned. The guard is in the error.
    #[deprecated(since = "1.6.0", note = "replaced by `std::sync::Condvar::wait_timeout`")]
    #[track_caller]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let waited =
            self.wait_timeout_at(Location::caller(), guard, Duration::from_millis(u64::from(ms)));
        outcome::map(waited, |(guard, result)| (guard, !result.timed_out()))
    }

    /// Waits for `dur` at most; see [`std::sync::Condvar::wait_timeout`].
    ///
    /// # Errors
    ///
    /// The mutex is poisoned. The guard is in the error.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        self.wait_timeout_at(Location::caller(), guard, dur)
    }

    /// Waits as long as `condition` holds, for `dur` at most; see
    /// [`std::sync::Condvar::wait_timeout_while`].
    ///
    /// # Errors
    ///
    /// The mutex is poisoned. The guard is in the error.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let site = Location::caller();
        let start = Instant::now();
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let Some(rest) = dur.checked_sub(start.elapsed()) else {
                return Ok((guard, WaitTimeoutResult(true)));
            };
            guard = self.wait_timeout_at(site, guard, rest)?.0;
        }
    }

    /// Wakes one thread that waits, if there is one.
    #[track_caller]
    pub fn notify_one(&self) {
        self.tag.signal(EventKind::Condvar, Location::caller());
        self.inner.notify_one();
    }

    /// Wakes every thread that waits.
    #[track_caller]
    pub fn notify_all(&self) {
        self.tag.signal_all(EventKind::Condvar, Location::caller());
        self.inner.notify_all();
    }

    #[track_caller]
    fn wait_at<'a, T>(
        &self,
        site: Site,
        guard: MutexGuard<'a, T>,
    ) -> LockResult<MutexGuard<'a, T>> {
        // The hook ends the hold and, when the wait returns, begins it anew. If the wait panics,
        // `std` has unlocked the mutex on the way out, and there is no hold left to end.
        let (tag, inner) = guard.guard.into_parts();
        let waited = tag.wait(Mutex::<T>::TYPE, &self.tag, false, site, || self.inner.wait(inner));
        outcome::map(waited, |inner| MutexGuard::new(tag, inner))
    }

    #[track_caller]
    fn wait_timeout_at<'a, T>(
        &self,
        site: Site,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        // As in `wait_at`.
        let (tag, inner) = guard.guard.into_parts();
        let waited = tag
            .wait(Mutex::<T>::TYPE, &self.tag, true, site, || self.inner.wait_timeout(inner, dur));
        outcome::map(waited, |(inner, result)| {
            (MutexGuard::new(tag, inner), WaitTimeoutResult(result.timed_out()))
        })
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}
