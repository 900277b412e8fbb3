//! The tag that each instrumented lock carries.

use std::sync::atomic::AtomicU64;

use crate::model::lock::Site;

/// The identity of one lock: where it was created, and a number given at its first acquisition.
///
/// The number is never used again, so the order of a lock that is gone is never taken for that of a new
/// lock at its address. 16 bytes; moving it is fine.
#[derive(Debug)]
pub struct LockTag {
    /// `None` where it is not known: the site of the first use stands in.
    pub(crate) created: Option<Site>,
    /// A [`LockWord`]; without a class until the first acquisition.
    pub(crate) id: AtomicU64,
}
