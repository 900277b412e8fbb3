//! [`Once`].

use std::fmt;
use std::panic::Location;
use std::sync::OnceState;

use crate::hooks::{Initializer, LockKind, LockTag, LockType, Site};

/// A one-time initialisation: [`std::sync::Once`], with its runs and waits recorded.
///
/// # Examples
/// ```
/// use lockdep::sync::Once;
///
/// static SET_UP: Once = Once::new();
///
/// SET_UP.call_once(|| println!("the first time only"));
/// SET_UP.call_once(|| unreachable!());
/// assert!(SET_UP.is_completed());
/// ```
pub struct Once {
    tag: LockTag,
    inner: std::sync::Once,
}

/// An initialisation that has not run.
#[deprecated(since = "1.38.0", note = "the `Once::new()` function is now preferred")]
#[expect(clippy::declare_interior_mutable_const, reason = "std's is one too")]
pub const ONCE_INIT: Once = Once::new();

const TYPE: &LockType = &LockType::of::<()>(LockKind::Once);

impl Once {
    /// An initialisation that has not run, of the class of the place that calls this.
    #[inline]
    #[must_use]
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "not every std's has `Default` either")]
    pub const fn new() -> Once {
        Once { tag: LockTag::new(TYPE), inner: std::sync::Once::new() }
    }

    /// Runs `f` if nothing was run here before, and blocks while another thread does; see
    /// [`std::sync::Once::call_once`].
    ///
    /// # Panics
    ///
    /// `f` panics, or one that ran before did.
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        if self.inner.is_completed() {
            return;
        }
        self.initialize(Location::caller(), |initializer| {
            self.inner.call_once(|| {
                let _running = initializer.enter();
                f();
            });
        });
    }

    /// As [`Once::call_once`], but runs `f` also when one that ran before has panicked.
    ///
    /// # Panics
    ///
    /// `f` panics.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(&OnceState),
    {
        if self.inner.is_completed() {
            return;
        }
        self.initialize(Location::caller(), |initializer| {
            self.inner.call_once_force(|state| {
                let _running = initializer.enter();
                f(state);
            });
        });
    }

    /// Whether an initialisation has run to its end.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.inner.is_completed()
    }

    /// Blocks until the initialisation has run; see [`std::sync::Once::wait`].
    ///
    /// # Panics
    ///
    /// An initialisation has panicked.
    #[cfg(lockdep_std = "once_wait")]
    #[track_caller]
    pub fn wait(&self) {
        if !self.inner.is_completed() {
            self.initialize(Location::caller(), |_| self.inner.wait());
        }
    }

    /// Blocks until an initialisation has run to its end, whether or not one has panicked; see
    /// [`std::sync::Once::wait_force`].
    #[cfg(lockdep_std = "once_wait")]
    #[track_caller]
    pub fn wait_force(&self) {
        if !self.inner.is_completed() {
            self.initialize(Location::caller(), |_| self.inner.wait_force());
        }
    }

    #[cold]
    #[track_caller]
    fn initialize(&self, site: Site, call: impl FnOnce(Initializer<'_>)) {
        self.tag.initialize(TYPE, site, call);
    }
}

#[cfg(lockdep_std = "once_default")]
impl Default for Once {
    #[inline]
    #[track_caller]
    fn default() -> Once {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
