//! [`Once`].

use std::fmt;
use std::panic::Location;

use super::real::{self, OnceState};
use crate::hooks::{Initializer, LockKind, LockTag, LockType, Site};

/// A one-time initialisation: `parking_lot::Once`, with its runs and waits recorded.
pub struct Once {
    tag: LockTag,
    pub(super) inner: real::Once,
}

const TYPE: &LockType = &LockType::of::<()>(LockKind::Once);

impl Once {
    /// An initialisation that has not run, of the class of the place that calls this.
    #[inline]
    #[track_caller]
    pub const fn new() -> Once {
        Once::of(real::Once::new())
    }

    #[track_caller]
    pub(super) const fn of(inner: real::Once) -> Once {
        Once { tag: LockTag::new(TYPE), inner }
    }

    /// How far the initialisation is.
    #[inline]
    pub fn state(&self) -> OnceState {
        self.inner.state()
    }

    /// Runs `f` if nothing was run here before, and blocks while another thread does.
    ///
    /// # Panics
    /// `f` panics, or one that ran before did; and where the thread would wait for ever, as
    /// configured.
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        if self.state().done() {
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
    /// `f` panics; and where the thread would wait for ever, as configured.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(OnceState),
    {
        if self.state().done() {
            return;
        }
        self.initialize(Location::caller(), |initializer| {
            self.inner.call_once_force(|state| {
                let _running = initializer.enter();
                f(state);
            });
        });
    }

    #[cold]
    #[track_caller]
    pub(super) fn initialize(&self, site: Site, call: impl FnOnce(Initializer<'_>)) {
        self.tag.initialize(TYPE, site, call);
    }
}

impl Default for Once {
    #[inline]
    #[track_caller]
    fn default() -> Once {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
