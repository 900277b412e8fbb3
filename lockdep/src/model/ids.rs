//! The numbers that stand for locks, threads, sites and declared places.

/// What a declaration names.
#[allow(unreachable_pub, reason = "public with the feature `sources` alone")]
pub type PlaceId = u32;

/// One lock object; never used again for another.
pub(crate) type LockId = u64;

/// One thread; never used again for another.
pub(crate) type ThreadId = u32;

/// A place in the source, as the caller numbers it.
pub(crate) type SiteId = u64;
