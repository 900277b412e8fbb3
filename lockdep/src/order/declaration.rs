//! What puts locks in declared places: the macros call it from constructors.

use crate::observer::declarations::{Locks, Order, PlaceClass};

/// A place that values put locks in.
///
/// # Examples
/// What `#[derive(LockOrder)]` writes for a struct, by hand:
///
/// ```
/// use std::panic::Location;
///
/// use lockdep::order::{Declaration, Lock, LockOrder, Order, Place};
/// use lockdep::sync::Mutex;
///
/// #[derive(Default)]
/// struct Bank {
///     accounts: Mutex<Vec<u64>>,
///     audit: Mutex<Vec<String>>,
/// }
///
/// static ORDER: Order = Order::new(
///     &[Lock::field("app::Bank", "Bank.accounts"), Lock::field("app::Bank", "Bank.audit")],
///     &[(0, 1, Location::caller())],
/// );
///
/// impl LockOrder for Bank {
///     const ORDER: &'static Order = &ORDER;
///
///     fn place_locks(&self) {
///         static DECLARATION: Declaration = Declaration::new(&ORDER);
///         DECLARATION.add();
///         static ACCOUNTS: Place = Place::new(&ORDER, 0);
///         static AUDIT: Place = Place::new(&ORDER, 1);
///         ACCOUNTS.put(&self.accounts);
///         AUDIT.put(&self.audit);
///     }
/// }
///
/// let bank = Bank::default().in_order();
/// let audit = bank.audit.lock().unwrap();
/// let accounts = bank.accounts.lock().unwrap();
/// # #[cfg(feature = "instrument")]
/// assert_eq!(lockdep::findings()[0].rule, lockdep::finding::Rule::DeclaredOrder);
/// ```
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
