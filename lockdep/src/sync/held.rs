//! What every guard is made of: the hold on the engine's side, and the skin over `std`'s guard.
//!
//! A guard is two fields, dropped in the order in which they are declared: first the hold, which
//! tells the engine, then `std`'s guard, which unlocks. No guard implements `Drop` itself, so it
//! can be taken apart without `unsafe`.

use std::marker::PhantomData;
use std::mem;

use crate::hooks::{LockTag, Mode};

/// The [`Mode`] of a [`Held`] as a type, so that it takes no space in a guard.
pub(super) trait HeldMode {
    const MODE: Mode;
}

/// [`Mode::Write`].
pub(super) struct Write;

/// [`Mode::Read`].
pub(super) struct Read;

impl HeldMode for Write {
    const MODE: Mode = Mode::Write;
}

impl HeldMode for Read {
    const MODE: Mode = Mode::Read;
}

/// The hold that a thread has on a lock, ended when this is dropped.
pub(super) struct Held<'a, M: HeldMode> {
    tag: &'a LockTag,
    mode: PhantomData<M>,
}

impl<M: HeldMode> Drop for Held<'_, M> {
    #[inline]
    fn drop(&mut self) {
        self.tag.release(M::MODE);
    }
}

/// A hold in mode `M`, and the guard `G` of `std` that goes with it.
pub(super) struct Guard<'a, G, M: HeldMode> {
    // Dropped first: the hold ends before the lock is free.
    held: Held<'a, M>,
    pub(super) inner: G,
}

impl<'a, G, M: HeldMode> Guard<'a, G, M> {
    /// The hold that a hook of `tag` has just begun, for the lock that `inner` has locked.
    #[inline]
    pub(super) fn new(tag: &'a LockTag, inner: G) -> Guard<'a, G, M> {
        Guard { held: Held { tag, mode: PhantomData }, inner }
    }

    /// The tag of the lock that is held.
    pub(super) fn tag(&self) -> &'a LockTag {
        self.held.tag
    }

    /// Leaves it to the caller to end the hold, and to unlock.
    #[inline]
    pub(super) fn into_parts(self) -> (&'a LockTag, G) {
        let Guard { held, inner } = self;
        let tag = held.tag;
        mem::forget(held);
        (tag, inner)
    }
}

/// Defines a guard over the guard of the same name in `std`.
macro_rules! guard {
    ($(#[$attribute:meta])* $name:ident, $mode:ty $(, $mutable:ident)?) => {
        $(#[$attribute])*
        #[clippy::has_significant_drop]
        pub struct $name<'a, T: ?Sized + 'a> {
            pub(super) guard: $crate::sync::held::Guard<'a, ::std::sync::$name<'a, T>, $mode>,
        }

        impl<'a, T: ?Sized + 'a> $name<'a, T> {
            #[inline]
            pub(super) fn new(
                tag: &'a $crate::hooks::LockTag,
                inner: ::std::sync::$name<'a, T>,
            ) -> Self {
                $name { guard: $crate::sync::held::Guard::new(tag, inner) }
            }
        }

        impl<T: ?Sized> ::std::ops::Deref for $name<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                &self.guard.inner
            }
        }

        $(impl<T: ?Sized> ::std::ops::$mutable for $name<'_, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                &mut self.guard.inner
            }
        })?

        impl<T: ?Sized + ::std::fmt::Debug> ::std::fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(&self.guard.inner, f)
            }
        }

        impl<T: ?Sized + ::std::fmt::Display> ::std::fmt::Display for $name<'_, T> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.guard.inner, f)
            }
        }
    };
}

pub(super) use guard;
