//! Which calls take several locks in one order, as `lock_all!` does, and of which classes.

use std::collections::HashSet;

use crate::hash::Map;
use crate::model::ids::{LockId, SiteId};
use crate::model::lock::Site;
use crate::model::word::class_of;
use crate::observer::parts::site_number;

/// What is known of the calls that take several locks.
#[derive(Debug, Default)]
pub(super) struct OrderedCalls {
    /// Where locks of a class are taken by number.
    pub(super) taken: HashSet<(SiteId, u32)>,
    /// Two classes, the first of which comes first, and where locks of both were taken together.
    pub(super) together: Map<(u32, u32), SiteId>,
}

impl OrderedCalls {
    pub(super) fn takes(&self, site: Site, lock: LockId) -> bool {
        self.taken.contains(&(site_number(site), class_of(lock)))
    }
}
