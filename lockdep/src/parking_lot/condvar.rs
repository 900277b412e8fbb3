//! [`Condvar`] of `parking_lot` 0.12.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::DerefMut;
use std::panic::Location;
use std::time::{Duration, Instant};

use super::real;
use super::types::{MutexGuard, RawMutex};
use crate::hooks::{EventKind, EventTag, Site};

/// Whether a timed wait ended because of its time.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up.
    #[inline]
    pub fn timed_out(self) -> bool {
        self.0
    }
}

/// A condition variable: `parking_lot::Condvar`, with its waits and notifications recorded.
pub struct Condvar {
    tag: EventTag,
    inner: real::Condvar,
}

impl Condvar {
    /// A new condition variable, of the class of the place that calls this.
    #[inline]
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar { tag: EventTag::new(), inner: real::Condvar::new() }
    }

    /// Wakes one thread that waits; returns whether there was one.
    #[inline]
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        self.tag.signal(EventKind::Condvar, Location::caller());
        self.inner.notify_one()
    }

    /// Wakes every thread that waits; returns how many there were.
    #[inline]
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        self.tag.signal_all(EventKind::Condvar, Location::caller());
        self.inner.notify_all()
    }

    /// Releases the mutex, blocks until a notification, and acquires the mutex again.
    ///
    /// # Panics
    /// When it is used with more than one mutex at a time; and where the thread would wait for
    /// ever, as configured.
    #[inline]
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>) {
        self.wait_at(mutex_guard, None, Location::caller());
    }

    /// As [`Condvar::wait`], until `timeout` at most.
    ///
    /// # Panics
    /// When it is used with more than one mutex at a time.
    #[inline]
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        timeout: Instant,
    ) -> WaitTimeoutResult {
        self.wait_at(mutex_guard, Some(timeout), Location::caller())
    }

    /// As [`Condvar::wait`], for `timeout` at most.
    ///
    /// # Panics
    /// When it is used with more than one mutex at a time.
    #[inline]
    #[track_caller]
    pub fn wait_for<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        self.wait_at(mutex_guard, Instant::now().checked_add(timeout), Location::caller())
    }

    /// Waits as long as `condition` holds.
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[inline]
    #[track_caller]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_at(mutex_guard, condition, None, Location::caller());
    }

    /// Waits as long as `condition` holds, until `timeout` at most.
    ///
    /// # Panics
    /// When it is used with more than one mutex at a time.
    #[inline]
    #[track_caller]
    pub fn wait_while_until<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_at(mutex_guard, condition, Some(timeout), Location::caller())
    }

    /// Waits as long as `condition` holds, for `timeout` at most.
    ///
    /// # Panics
    /// When it is used with more than one mutex at a time.
    #[inline]
    #[track_caller]
    pub fn wait_while_for<T: ?Sized, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        let deadline = Instant::now().checked_add(timeout);
        self.wait_while_at(mutex_guard, condition, deadline, Location::caller())
    }

    #[track_caller]
    fn wait_while_at<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        deadline: Option<Instant>,
        site: Site,
    ) -> WaitTimeoutResult {
        let mut result = WaitTimeoutResult(false);
        if !condition(mutex_guard.deref_mut()) {
            if deadline.is_none() {
                // SAFETY: the mutex stays locked, as the guard promises.
                let raw: &RawMutex = unsafe { MutexGuard::mutex(mutex_guard).raw() };
                raw.tag().might_wait(RawMutex::TYPE, &self.tag, site);
            }
            return result;
        }
        result = self.wait_at(mutex_guard, deadline, site);
        while !result.timed_out() && condition(mutex_guard.deref_mut()) {
            result = self.wait_at(mutex_guard, deadline, site);
        }
        result
    }

    #[track_caller]
    fn wait_at<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        deadline: Option<Instant>,
        site: Site,
    ) -> WaitTimeoutResult {
        // SAFETY: the mutex stays locked but for the time of the wait, as the guard promises.
        let raw: &RawMutex = unsafe { MutexGuard::mutex(mutex_guard).raw() };
        // The wait may panic before it unlocks, and it is the caller's guard that unlocks then.
        // SAFETY: the caller's guard shows that the mutex is locked.
        let mut guard = ManuallyDrop::new(unsafe { raw.real().make_guard_unchecked() });
        let (ty, timed) = (RawMutex::TYPE, deadline.is_some());
        WaitTimeoutResult(raw.tag().wait(ty, &self.tag, timed, site, || match deadline {
            Some(deadline) => self.inner.wait_until(&mut guard, deadline).timed_out(),
            None => {
                self.inner.wait(&mut guard);
                false
            }
        }))
    }
}

impl Default for Condvar {
    #[inline]
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
