//! The order in which locks are taken, and the lock that breaks ties.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(feature = "instrument")]
use crate::model::word;

/// A lock's place in the order in which all locks are taken.
///
/// Promise: two locks that are borrowed at the same time have the same keys, in the same order,
/// for everybody.
///
/// # Examples
/// ```
/// use lockdep::ordered::OrderKey;
///
/// let (cash, savings) = (OrderKey::declared(1), OrderKey::declared(2));
/// assert!(cash < savings);
/// assert!(savings < OrderKey::of_address(&0), "locks with a declared key come first");
/// ```
// | the lock | first | then | last |
// |---|---|---|---|
// | has a key of the program's own | 0 | the key | 0 |
// | is instrumented | its number, which begins with its class | 0 | 0 |
// | has a declared key among those of its class | its class | the key | its number |
// | is known by its address alone | the upper bit, and the address | 0 | 0 |
//
// Where the last two are 0, the first is the quick key: of two such locks, one comparison tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderKey(u64, u64, u64);

/// Above all numbers of locks. No address in a process has this bit.
const ADDRESSED: u64 = 1 << 63;

impl OrderKey {
    /// A key of the program's own, such as an account's number. Locks with such keys come first;
    /// two may have the same.
    pub const fn declared(number: u64) -> OrderKey {
        OrderKey(0, number, 0)
    }

    /// The key of a lock that is known by its address alone. It must not be able to move while it is
    /// borrowed.
    #[inline]
    pub fn of_address<L: ?Sized>(lock: &L) -> OrderKey {
        OrderKey(quick_address(lock), 0, 0)
    }

    /// The key of a lock with a number of its own, and perhaps a declared key among those of its
    /// class; 0 stands for a lock without a number.
    #[cfg(feature = "instrument")]
    #[inline]
    pub(super) fn numbered<L: ?Sized>((number, key): (u64, Option<u64>), lock: &L) -> OrderKey {
        if number == 0 {
            return OrderKey::of_address(lock);
        }
        let (first, then, last) = word::order(number, key);
        OrderKey(first, then, last)
    }

    fn is_declared(self) -> bool {
        self.0 == 0
    }

    /// What is compared first.
    #[inline(always)]
    pub(super) fn first(self) -> u64 {
        self.0
    }
}

/// Tells the engine that locks with these keys, the first part of each, are taken here in the order
/// of their keys.
#[inline(always)]
#[track_caller]
pub(super) fn taken_in_order(keys: impl Iterator<Item = u64> + Clone) {
    #[cfg(feature = "instrument")]
    {
        let is_numbered = |&key: &u64| key != 0 && key < ADDRESSED;
        if keys.clone().any(|key| is_numbered(&key)) {
            let classes = keys.filter(is_numbered).map(word::class_of);
            crate::hooks::takes_in_order(std::panic::Location::caller(), classes);
        }
    }
    #[cfg(not(feature = "instrument"))]
    let _ = keys;
}

/// The quick key of a lock that is known by its address alone.
#[inline(always)]
pub(super) fn quick_address<L: ?Sized>(lock: &L) -> u64 {
    ADDRESSED | address(lock) as u64
}

/// Where `lock` is.
#[inline]
pub(super) fn address<L: ?Sized>(lock: &L) -> usize {
    std::ptr::from_ref(lock).cast::<()>().addr()
}

/// One lock of a set: what orders it, and its place in the set.
///
/// # Examples
/// ```
/// use lockdep::ordered::{RequestLock, Set};
/// use lockdep::sync::Mutex;
///
/// let (jobs, done) = (Mutex::new(1), Mutex::new(0));
/// let mut entries = (jobs.lock_request(), done.lock_request()).keys();
/// entries.sort(); // in the order in which the locks are taken
/// assert_ne!(entries[0], entries[1]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub(super) key: OrderKey,
    pub(super) address: usize,
    pub(super) place: usize,
}

impl Entry {
    /// Whether both are one lock for sure.
    #[inline]
    pub(super) fn is_same(&self, other: &Entry) -> bool {
        self.key == other.key && (!self.key.is_declared() || self.address == other.address)
    }
}

/// Who holds it may take several locks of one key; who takes one of them alone need not.
///
/// Its place in the order is just before the locks of its key: each key has its own, so that a
/// thread that waits here holds no lock that comes after.
#[derive(Clone, Debug)]
pub(super) struct Tie(Arc<Mutex<()>>);

/// The tie locks in use, by key. A thread that needs one removes the entries that are not in use.
static TIES: Mutex<BTreeMap<OrderKey, Tie>> = Mutex::new(BTreeMap::new());

impl Tie {
    /// The tie lock of `key`.
    pub(super) fn of(key: OrderKey) -> Tie {
        let mut ties = TIES.lock().unwrap_or_else(PoisonError::into_inner);
        ties.retain(|other, tie| *other == key || Arc::strong_count(&tie.0) > 1);
        ties.entry(key).or_insert_with(|| Tie(Arc::default())).clone()
    }

    /// Waits for its turn.
    pub(super) fn lock(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
