//! How `std`'s locks are called, and how their results, poisoned or not, are passed on.

use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// Wraps what a lock returned, and leaves it as poisoned as it was.
#[inline]
pub(super) fn map<T, U>(result: LockResult<T>, wrap: impl FnOnce(T) -> U) -> LockResult<U> {
    match result {
        Ok(value) => Ok(wrap(value)),
        Err(poisoned) => Err(PoisonError::new(wrap(poisoned.into_inner()))),
    }
}

/// The result of a non-blocking acquisition as the hooks take it: a poisoned lock is acquired, and
/// `None` means that it would block.
#[inline]
pub(super) fn acquired<T>(result: TryLockResult<T>) -> Option<LockResult<T>> {
    match result {
        Ok(value) => Some(Ok(value)),
        Err(TryLockError::Poisoned(poisoned)) => Some(Err(poisoned)),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The way back from [`acquired`].
#[inline]
pub(super) fn tried<T, U>(
    result: Option<LockResult<T>>,
    wrap: impl FnOnce(T) -> U,
) -> TryLockResult<U> {
    match result {
        Some(locked) => Ok(map(locked, wrap)?),
        None => Err(TryLockError::WouldBlock),
    }
}

/// Calls a blocking acquisition out of the way of the code that locks, which seldom comes to it.
#[cold]
#[inline(never)]
pub(super) fn blocking<R>(acquire: impl FnOnce() -> R) -> R {
    acquire()
}
