//! What puts locks in declared places: the macros call it from constructors.

use crate::observer::declarations::{Locks, Order, PlaceClass};

/// A place that values put locks in.
#[derive(Debug)]
pub struct Place(PlaceClass);

impl Place {
    /// The place of the lock that stands at `index` in `order`.
    pub const fn new(order: &'static Order, index: usize) -> Place {
        Place(PlaceClass::new(order, index))
    }

    /// Puts the locks that `locks` leads to in this place.
    #[inline]
    pub fn put<L: Locks + ?Sized>(&'static self, locks: &L) {
        locks.each_lock(&mut |tag, ty| tag.declare(ty, &self.0, None));
    }

    /// Puts the locks that `locks` leads to in this place, with the key that orders them among the locks
    /// of the place.
    #[inline]
    pub fn put_with_key<L: Locks + ?Sized>(&'static self, locks: &L, key: u64) {
        locks.each_lock(&mut |tag, ty| tag.declare(ty, &self.0, Some(key)));
    }
}
