//! The numbers by which locks, threads, sites and declared places are known.

/// What a declaration names.
#[cfg_attr(
    not(feature = "sources"),
    allow(unreachable_pub, reason = "the command uses it too, with that feature")
)]
pub type PlaceId = u32;

/// One lock object; never used again for another.
pub(crate) type LockId = u64;

/// One thread; never used again for another.
pub(crate) type ThreadId = u32;

/// A place in the source, as the caller numbers it.
pub(crate) type SiteId = u64;
