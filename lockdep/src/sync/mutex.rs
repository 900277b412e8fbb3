//! [`Mutex`] and its guard.

use std::fmt;
use std::panic::Location;
use std::sync::{LockResult, TryLockError, TryLockResult};

use crate::hooks::{LockKind, LockTag, LockType, Mode};
use crate::sync::held::{self, Write};
use crate::sync::outcome;

/// A mutual exclusion lock: [`std::sync::Mutex`], with its acquisitions recorded.
///
/// # Examples
///
/// ```
/// use lockdep::sync::Mutex;
///
/// static HITS: Mutex<u32> = Mutex::new(0);
///
/// *HITS.lock().unwrap() += 1;
/// assert_eq!(*HITS.lock().unwrap(), 1);
/// ```
pub struct Mutex<T: ?Sized> {
    tag: LockTag,
    // Last, so that `Mutex<T>` coerces to `Mutex<dyn Trait>`.
    inner: std::sync::Mutex<T>,
}

held::guard! {
    /// The hold on a [`Mutex`], ended when this is dropped: [`std::sync::MutexGuard`].
    #[must_use = "if unused the Mutex will immediately unlock"]
    MutexGuard, Write, DerefMut
}

impl<T> Mutex<T> {
    /// A new unlocked mutex, of the class of the place that calls this.
    #[inline]
    #[track_caller]
    pub const fn new(t: T) -> Mutex<T> {
        Mutex { tag: LockTag::new(Self::TYPE), inner: std::sync::Mutex::new(t) }
    }
}

impl<T: ?Sized> Mutex<T> {
    pub(super) const TYPE: &'static LockType = &LockType::of::<T>(LockKind::Mutex);

    /// The number that tells this lock from all others, 0 if it is not watched; and its declared key
    /// among the locks of its class, if it has one.
    pub(crate) fn number(&self) -> (u64, Option<u64>) {
        self.tag.number(Self::TYPE)
    }

    /// The number that tells this lock from all others, if it has one and no key; 0 otherwise.
    #[inline(always)]
    pub(crate) fn known_number(&self) -> u64 {
        self.tag.known_number()
    }

    /// Acquires the mutex, and blocks until that is possible; see [`std::sync::Mutex::lock`].
    ///
    /// # Errors
    ///
    /// The mutex is poisoned: a thread panicked while it held it. The guard is in the error.
    ///
    /// # Panics
    ///
    /// This thread holds the mutex already, or would complete a deadlock, and the engine is
    /// configured to panic then.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.lock_in_place()
    }

    /// [`Mutex::lock`], never as a call, which would hand the guard on through memory.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn lock_in_place(&self) -> LockResult<MutexGuard<'_, T>> {
        let locked = self.tag.acquire(
            Self::TYPE,
            Mode::Write,
            Location::caller(),
            || outcome::acquired(self.inner.try_lock()),
            || outcome::blocking(|| self.inner.lock()),
        );
        outcome::map(locked, |inner| MutexGuard::new(&self.tag, inner))
    }

    /// What the engine knows the lock by.
    pub(crate) fn tag(&self) -> (&LockTag, &'static LockType) {
        (&self.tag, Self::TYPE)
    }

    /// [`Mutex::lock`] at a nesting level.
    #[track_caller]
    pub(crate) fn lock_at_level(&self, level: u8) -> LockResult<MutexGuard<'_, T>> {
        let locked = self.tag.acquire_nested(
            Self::TYPE,
            Mode::Write,
            level,
            Location::caller(),
            || outcome::acquired(self.inner.try_lock()),
            || outcome::blocking(|| self.inner.lock()),
        );
        outcome::map(locked, |inner| MutexGuard::new(&self.tag, inner))
    }

    /// Acquires the mutex if that is possible at once; see [`std::sync::Mutex::try_lock`].
    ///
    /// # Errors
    ///
    /// The mutex is poisoned, or held.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let tried = self.tag.try_acquire(Self::TYPE, Mode::Write, Location::caller(), || {
            outcome::acquired(self.inner.try_lock())
        });
        outcome::tried(tried, |inner| MutexGuard::new(&self.tag, inner))
    }

    /// Whether a thread panicked while it held the mutex.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Makes the mutex as if no thread had panicked while it held it.
    #[inline]
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// The value, for which nothing needs to be locked.
    ///
    /// # Errors
    ///
    /// The mutex is poisoned. The value is in the error.
    pub fn into_inner(self) -> LockResult<T>
    where
        T: Sized,
    {
        self.inner.into_inner()
    }

    /// The value, which no other thread can use while the mutex is borrowed mutably.
    ///
    /// # Errors
    ///
    /// The mutex is poisoned. The reference is in the error.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        Mutex::new(t)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(Default::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Locked here rather than by `std`, so that what `T` locks in its `Debug` is seen under it.
        let guard = match self.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return fmt::Debug::fmt(&self.inner, f),
        };
        f.debug_struct("Mutex")
            .field("data", &&*guard)
            .field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
    }
}
