//! The raw locks for `lock_api` 0.5, where a hold is a value.

use std::fmt;
use std::panic::{Location, RefUnwindSafe};

use super::raw::raw_locks;
use super::real::lock_api;
use crate::hooks::{Conversion, EventKind, EventTag, LockKind, LockTag, LockType, Mode, Site};

fn attempt<G>(acquired: Option<G>) -> Option<G> {
    acquired
}

fn outcome<G>(acquired: Option<G>) -> Option<G> {
    acquired
}

fn converted<E, U>(done: Result<E, U>) -> Result<E, U> {
    done
}

fn conversion<E, U>(done: Result<E, U>) -> Result<E, U> {
    done
}

raw_locks! {
    created: #[cfg(lockcheck_places)] LOCKCHECK_PLACE,
    from_raw: from_raw,
    types: [Guard] [SharedGuard, ExclusiveGuard] [UpgradableGuard],
    guard: R::Guard, Option<R::Guard>, (guard: R::Guard),
    shared: R::SharedGuard, Option<R::SharedGuard>, (guard: R::SharedGuard),
    exclusive: R::ExclusiveGuard, Option<R::ExclusiveGuard>, (guard: R::ExclusiveGuard),
    upgradable: R::UpgradableGuard, Option<R::UpgradableGuard>, (guard: R::UpgradableGuard),
    upgrade: Result<R::ExclusiveGuard, R::UpgradableGuard>,
}

/// A raw condition variable of `lock_api`, with its waits and notifications recorded.
pub struct RawCondvar<C> {
    tag: EventTag,
    raw: C,
}

impl<C> fmt::Debug for RawCondvar<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCondvar").finish_non_exhaustive()
    }
}

// SAFETY: every step is one of `C`, on the mutex that it is made for.
unsafe impl<C: lock_api::RawCondvar> lock_api::RawCondvar for RawCondvar<C> {
    const INIT: Self = RawCondvar { tag: EventTag::unplaced(), raw: C::INIT };

    #[cfg(lockcheck_places)]
    const LOCKCHECK_PLACE: Option<usize> =
        Some(std::mem::offset_of!(Self, tag) + EventTag::CREATED);

    type RawMutex = RawMutex<C::RawMutex>;

    #[inline]
    #[track_caller]
    unsafe fn wait(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut <C::RawMutex as lock_api::RawMutex>::Guard,
    ) {
        mutex.tag.wait(RawMutex::<C::RawMutex>::TYPE, &self.tag, false, Location::caller(), || {
            // SAFETY: the caller holds the mutex, and so its own raw one.
            unsafe { self.raw.wait(mutex.raw(), guard) }
        });
    }

    #[inline]
    #[track_caller]
    fn notify_one(&self) -> bool {
        self.tag.signal(EventKind::Condvar, Location::caller());
        self.raw.notify_one()
    }

    #[inline]
    #[track_caller]
    fn notify_all(&self) -> usize {
        self.tag.signal_all(EventKind::Condvar, Location::caller());
        self.raw.notify_all()
    }
}

// SAFETY: as above.
unsafe impl<C: lock_api::RawCondvarTimed> lock_api::RawCondvarTimed for RawCondvar<C>
where
    C::RawMutex: lock_api::RawMutexTimed,
{
    fn checked_duration_to_instant(
        timeout: &<C::RawMutex as lock_api::RawMutexTimed>::Duration,
    ) -> Option<<C::RawMutex as lock_api::RawMutexTimed>::Instant> {
        C::checked_duration_to_instant(timeout)
    }

    #[inline]
    #[track_caller]
    unsafe fn wait_until(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut <C::RawMutex as lock_api::RawMutex>::Guard,
        timeout: &<C::RawMutex as lock_api::RawMutexTimed>::Instant,
    ) -> bool {
        mutex.tag.wait(RawMutex::<C::RawMutex>::TYPE, &self.tag, true, Location::caller(), || {
            // SAFETY: the caller holds the mutex, and so its own raw one.
            unsafe { self.raw.wait_until(mutex.raw(), guard, timeout) }
        })
    }

    #[inline]
    #[track_caller]
    unsafe fn wait_for(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut <C::RawMutex as lock_api::RawMutex>::Guard,
        timeout: &<C::RawMutex as lock_api::RawMutexTimed>::Duration,
    ) -> bool {
        // Without a deadline that can be represented, it is a wait like any other.
        let timed = C::checked_duration_to_instant(timeout).is_some();
        mutex.tag.wait(RawMutex::<C::RawMutex>::TYPE, &self.tag, timed, Location::caller(), || {
            // SAFETY: the caller holds the mutex, and so its own raw one.
            unsafe { self.raw.wait_for(mutex.raw(), guard, timeout) }
        })
    }
}
