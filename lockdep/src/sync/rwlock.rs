//! [`RwLock`] and its guards.

use std::fmt;
use std::panic::Location;
use std::sync::{LockResult, TryLockError, TryLockResult};

#[cfg(lockdep_std = "rwlock_downgrade")]
use crate::hooks::Conversion;
use crate::hooks::{LockKind, LockTag, LockType, Mode};
use crate::sync::held::{self, Read, Write};
use crate::sync::outcome;

/// A reader-writer lock: [`std::sync::RwLock`], with its acquisitions recorded.
///
/// # Examples
///
/// ```
/// use lockdep::sync::RwLock;
///
/// let names = RwLock::new(vec!["a"]);
/// names.write().unwrap().push("b");
/// assert_eq!(names.read().unwrap().len(), 2);
/// ```
pub struct RwLock<T: ?Sized> {
    tag: LockTag,
    // Last, so that `RwLock<T>` coerces to `RwLock<dyn Trait>`.
    inner: std::sync::RwLock<T>,
}

held::guard! {
    /// A shared hold on a [`RwLock`], ended when this is dropped: [`std::sync::RwLockReadGuard`].
    #[must_use = "if unused the RwLock will immediately unlock"]
    RwLockReadGuard, Read
}

held::guard! {
    /// The exclusive hold on a [`RwLock`], ended when this is dropped:
    /// [`std::sync::RwLockWriteGuard`].
    #[must_use = "if unused the RwLock will immediately unlock"]
    RwLockWriteGuard, Write, DerefMut
}

impl<T> RwLock<T> {
    /// A new unlocked lock, of the class of the place that calls this.
    #[inline]
    #[track_caller]
    pub const fn new(t: T) -> RwLock<T> {
        RwLock { tag: LockTag::new(Self::TYPE), inner: std::sync::RwLock::new(t) }
    }
}

impl<T: ?Sized> RwLock<T> {
    const TYPE: &'static LockType = &LockType::of::<T>(LockKind::RwLock);

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

    /// What the engine knows the lock by.
    pub(crate) fn tag(&self) -> (&LockTag, &'static LockType) {
        (&self.tag, Self::TYPE)
    }

    /// [`RwLock::read`] at a nesting level.
    #[track_caller]
    pub(crate) fn read_at_level(&self, level: u8) -> LockResult<RwLockReadGuard<'_, T>> {
        let locked = self.tag.acquire_nested(
            Self::TYPE,
            Mode::Read,
            level,
            Location::caller(),
            || outcome::acquired(self.inner.try_read()),
            || outcome::blocking(|| self.inner.read()),
        );
        outcome::map(locked, |inner| RwLockReadGuard::new(&self.tag, inner))
    }

    /// [`RwLock::write`] at a nesting level.
    #[track_caller]
    pub(crate) fn write_at_level(&self, level: u8) -> LockResult<RwLockWriteGuard<'_, T>> {
        let locked = self.tag.acquire_nested(
            Self::TYPE,
            Mode::Write,
            level,
            Location::caller(),
            || outcome::acquired(self.inner.try_write()),
            || outcome::blocking(|| self.inner.write()),
        );
        outcome::map(locked, |inner| RwLockWriteGuard::new(&self.tag, inner))
    }

    /// Acquires the lock with other readers, and blocks until that is possible; see
    /// [`std::sync::RwLock::read`].
    ///
    /// # Errors
    ///
    /// The lock is poisoned: a thread panicked while it held it for writing. The guard is in the
    /// error.
    ///
    /// # Panics
    ///
    /// This thread holds the lock for writing, or would complete a deadlock, and the engine is
    /// configured to panic then.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let locked = self.tag.acquire(
            Self::TYPE,
            Mode::Read,
            Location::caller(),
            || outcome::acquired(self.inner.try_read()),
            || outcome::blocking(|| self.inner.read()),
        );
        outcome::map(locked, |inner| RwLockReadGuard::new(&self.tag, inner))
    }

    /// Acquires the lock with other readers if that is possible at once; see
    /// [`std::sync::RwLock::try_read`].
    ///
    /// # Errors
    ///
    /// The lock is poisoned, or held or awaited by a writer.
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let tried = self.tag.try_acquire(Self::TYPE, Mode::Read, Location::caller(), || {
            outcome::acquired(self.inner.try_read())
        });
        outcome::tried(tried, |inner| RwLockReadGuard::new(&self.tag, inner))
    }

    /// Acquires the lock for this thread alone, and blocks until that is possible; see
    /// [`std::sync::RwLock::write`].
    ///
    /// # Errors
    ///
    /// The lock is poisoned: a thread panicked while it held it for writing. The guard is in the
    /// error.
    ///
    /// # Panics
    ///
    /// This thread holds the lock already, or would complete a deadlock, and the engine is
    /// configured to panic then.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let locked = self.tag.acquire(
            Self::TYPE,
            Mode::Write,
            Location::caller(),
            || outcome::acquired(self.inner.try_write()),
            || outcome::blocking(|| self.inner.write()),
        );
        outcome::map(locked, |inner| RwLockWriteGuard::new(&self.tag, inner))
    }

    /// Acquires the lock for this thread alone if that is possible at once; see
    /// [`std::sync::RwLock::try_write`].
    ///
    /// # Errors
    ///
    /// The lock is poisoned, or held.
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let tried = self.tag.try_acquire(Self::TYPE, Mode::Write, Location::caller(), || {
            outcome::acquired(self.inner.try_write())
        });
        outcome::tried(tried, |inner| RwLockWriteGuard::new(&self.tag, inner))
    }

    /// Whether a thread panicked while it held the lock for writing.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Makes the lock as if no thread had panicked while it held it.
    #[inline]
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// The value, for which nothing needs to be locked.
    ///
    /// # Errors
    ///
    /// The lock is poisoned. The value is in the error.
    pub fn into_inner(self) -> LockResult<T>
    where
        T: Sized,
    {
        self.inner.into_inner()
    }

    /// The value, which no other thread can use while the lock is borrowed mutably.
    ///
    /// # Errors
    ///
    /// The lock is poisoned. The reference is in the error.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

#[cfg(lockdep_std = "rwlock_downgrade")]
impl<'rwlock, T: ?Sized> RwLockWriteGuard<'rwlock, T> {
    /// Turns the exclusive hold into a shared one, with no other writer in between; see
    /// [`std::sync::RwLockWriteGuard::downgrade`].
    ///
    /// It never blocks, so it adds no order.
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'rwlock, T> {
        let (tag, inner) = s.guard.into_parts();
        let inner = tag.downgrade(
            RwLock::<T>::TYPE,
            Conversion { from: Mode::Write, to: Mode::Read },
            Location::caller(),
            || std::sync::RwLockWriteGuard::downgrade(inner),
        );
        RwLockReadGuard::new(tag, inner)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Locked here rather than by `std`, so that what `T` locks in its `Debug` is seen under it.
        let guard = match self.try_read() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return fmt::Debug::fmt(&self.inner, f),
        };
        f.debug_struct("RwLock")
            .field("data", &&*guard)
            .field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(Default::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        RwLock::new(t)
    }
}
