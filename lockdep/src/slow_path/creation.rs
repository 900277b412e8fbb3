//! The order in which locks are created.
//!
//! `LockTag::new` is a `const fn`, for statics, and so cannot count. What runs at run time can, where
//! the compiler tells the two apart: `cargo lockcheck` compiles this crate with
//! `lockdep_creation_order`, which uses an unstable intrinsic; a compiler that does not have it
//! leaves the cfg out. Without it a lock gets its number at its first acquisition, and the order of
//! those stands in: it explains more nestings, so less is reported.

use crate::model::lock::{LockType, Site};

/// The word of a lock that is created now; without a class, or zero, where it gets that later.
#[cfg(lockdep_creation_order)]
#[inline]
pub(crate) const fn number(created: Site, ty: &'static LockType) -> u64 {
    const fn none(_: Site, _: &'static LockType) -> u64 {
        0
    }
    std::intrinsics::const_eval_select((created, ty), none, crate::slow_path::identity::creation)
}

#[cfg(not(lockdep_creation_order))]
#[inline]
pub(crate) const fn number(_: Site, _: &'static LockType) -> u64 {
    0
}
