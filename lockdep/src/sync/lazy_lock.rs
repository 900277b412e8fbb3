//! [`LazyLock`].

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
#[cfg(lockdep_std = "lazy_deref_mut")]
use std::ops::DerefMut;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};

use crate::hooks::{LockKind, LockTag, LockType, Site};

/// A value that is made on first use: [`std::sync::LazyLock`], with its initialisation recorded.
///
/// # Cost
///
/// Once there is a value, the hooks are not called.
///
/// # Examples
///
/// ```
/// use lockdep::sync::LazyLock;
///
/// static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| (0..4).map(|n| n * n).collect());
///
/// assert_eq!(SQUARES.len(), 4);
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    tag: LockTag,
    value: std::sync::OnceLock<T>,
    /// Taken by the one initialiser that runs. Empty with no `value` means that it runs, or that
    /// it panicked. Used only by the initialiser of `value`, or through `&mut`.
    init: Cell<Option<F>>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    const TYPE: &'static LockType = &LockType::of::<T>(LockKind::LazyLock);

    /// A value that `f` will make, of the class of the place that calls this.
    #[inline]
    #[track_caller]
    pub const fn new(f: F) -> LazyLock<T, F> {
        LazyLock {
            tag: LockTag::new(Self::TYPE),
            value: std::sync::OnceLock::new(),
            init: Cell::new(Some(f)),
        }
    }

    /// The value, which is made if there is none; needs no lock. See
    /// [`std::sync::LazyLock::force_mut`].
    ///
    /// # Panics
    ///
    /// The initialiser panics, or did before.
    #[cfg(lockdep_std = "lazy_get")]
    #[inline]
    pub fn force_mut(this: &mut LazyLock<T, F>) -> &mut T {
        this.value_mut()
    }

    /// See `force_mut`, which not every `std` has.
    #[cfg(any(lockdep_std = "lazy_get", lockdep_std = "lazy_deref_mut"))]
    #[inline]
    fn value_mut(&mut self) -> &mut T {
        if self.value.get().is_none() {
            // The cell is borrowed mutably, so there is no wait to record.
            let value = take_initializer(&self.init)();
            self.value = std::sync::OnceLock::from(value);
        }
        self.value.get_mut().expect("a value was there, or has just been made")
    }

    /// The value, which is made if there is none; blocks while another thread makes it. See
    /// [`std::sync::LazyLock::force`].
    ///
    /// # Panics
    ///
    /// The initialiser panics, or did before; or it uses this cell, and the engine is configured
    /// to panic then.
    #[inline]
    #[track_caller]
    pub fn force(this: &LazyLock<T, F>) -> &T {
        match this.value.get() {
            Some(value) => value,
            None => this.initialize(Location::caller()),
        }
    }

    #[cold]
    #[track_caller]
    fn initialize(&self, site: Site) -> &T {
        self.tag.initialize(Self::TYPE, site, |initializer| {
            self.value.get_or_init(|| {
                let _running = initializer.enter();
                take_initializer(&self.init)()
            })
        })
    }
}

fn take_initializer<F>(init: &Cell<Option<F>>) -> F {
    match init.take() {
        Some(f) => f,
        None => panic!("LazyLock instance has previously been poisoned"),
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made.
    #[cfg(lockdep_std = "lazy_get")]
    #[inline]
    pub fn get_mut(this: &mut LazyLock<T, F>) -> Option<&mut T> {
        this.value.get_mut()
    }

    /// The value, if it has been made; never blocks.
    #[cfg(lockdep_std = "lazy_get")]
    #[inline]
    pub fn get(this: &LazyLock<T, F>) -> Option<&T> {
        this.made()
    }

    /// See `get`, which not every `std` has.
    #[inline]
    pub(crate) fn made(&self) -> Option<&T> {
        self.value.get()
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

#[cfg(lockdep_std = "lazy_deref_mut")]
impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.value_mut()
    }
}

#[cfg(lockdep_std = "lazy_from")]
impl<T, F> From<T> for LazyLock<T, F> {
    /// A value that is there from the beginning.
    #[inline]
    #[track_caller]
    fn from(value: T) -> Self {
        LazyLock {
            tag: LockTag::new(&const { LockType::of::<T>(LockKind::LazyLock) }),
            value: std::sync::OnceLock::from(value),
            init: Cell::new(None),
        }
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[inline]
    #[track_caller]
    fn default() -> LazyLock<T> {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("LazyLock");
        match self.made() {
            Some(value) => tuple.field(value),
            None => tuple.field(&format_args!("<uninit>")),
        };
        tuple.finish()
    }
}

// SAFETY: `value` may be shared when `T: Sync + Send`. `init` is used through `&self` only by the
// initialiser of `value`, of which no two run at once and each sees what the one before it did;
// the `F` that it takes may come from another thread, hence `F: Send`.
unsafe impl<T: Sync + Send, F: Send> Sync for LazyLock<T, F> {}

impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}
