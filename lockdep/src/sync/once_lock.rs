//! [`OnceLock`].

use std::fmt;
use std::panic::Location;

use crate::hooks::{LockKind, LockTag, LockType, Site};

/// A cell that is written once: [`std::sync::OnceLock`], with its initialisation recorded.
///
/// # Cost
///
/// Once there is a value, the hooks are not called.
///
/// # Examples
///
/// ```
/// use lockdep::sync::OnceLock;
///
/// static NAME: OnceLock<String> = OnceLock::new();
///
/// assert_eq!(NAME.get(), None);
/// assert_eq!(NAME.get_or_init(|| "first".to_owned()), "first");
/// assert_eq!(NAME.set("second".to_owned()), Err("second".to_owned()));
/// ```
pub struct OnceLock<T> {
    tag: LockTag,
    inner: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    const TYPE: &'static LockType = &LockType::of::<T>(LockKind::OnceLock);

    /// An empty cell, of the class of the place that calls this.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> OnceLock<T> {
        OnceLock { tag: LockTag::new(Self::TYPE), inner: std::sync::OnceLock::new() }
    }

    /// The value, if there is one; never blocks.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// The value, if there is one.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Blocks until there is a value; see [`std::sync::OnceLock::wait`].
    #[cfg(lockdep_std = "once_wait")]
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> &T {
        match self.inner.get() {
            Some(value) => value,
            None => self.tag.initialize(Self::TYPE, Location::caller(), |_| self.inner.wait()),
        }
    }

    /// Sets the value, and blocks while another thread initialises it; see
    /// [`std::sync::OnceLock::set`].
    ///
    /// # Errors
    ///
    /// There is a value already; `value` is given back.
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        let site = Location::caller();
        if self.inner.get().is_none() {
            // At most once, so there is a value to take.
            self.initialize(site, || value.take().expect("an initialiser runs once"));
        }
        match value {
            None => Ok(()),
            Some(value) => Err(value),
        }
    }

    /// The value, which `f` makes if there is none; blocks while another thread initialises it.
    /// See [`std::sync::OnceLock::get_or_init`].
    ///
    /// # Panics
    ///
    /// `f` panics, and the cell stays empty; or `f` uses this cell, and the engine is configured
    /// to panic then.
    #[inline]
    #[track_caller]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        match self.inner.get() {
            Some(value) => value,
            None => self.initialize(Location::caller(), f),
        }
    }

    /// The value, if there is one.
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out, and leaves the cell as new.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }

    #[cold]
    #[track_caller]
    fn initialize(&self, site: Site, f: impl FnOnce() -> T) -> &T {
        self.tag.initialize(Self::TYPE, site, |initializer| {
            self.inner.get_or_init(|| {
                let _running = initializer.enter();
                f()
            })
        })
    }
}

impl<T> Default for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn clone(&self) -> OnceLock<T> {
        OnceLock { tag: LockTag::new(Self::TYPE), inner: self.inner.clone() }
    }
}

impl<T> From<T> for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn from(value: T) -> Self {
        OnceLock { tag: LockTag::new(Self::TYPE), inner: std::sync::OnceLock::from(value) }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    #[inline]
    fn eq(&self, other: &OnceLock<T>) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
