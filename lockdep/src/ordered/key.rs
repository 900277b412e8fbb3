//! The order in which locks are taken, and the lock that breaks ties.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(feature = "instrument")]
use crate::word;

/// A lock's place in the order in which all locks are taken.
///
/// Promise: two locks that are borrowed at the same time have the same keys, in the same order,
/// for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderKey(
    /// The kind of the key in the upper two bits, its number below: one comparison tells.
    u128,
);

const KIND: u32 = 126;
/// Keys of the program's own.
const DECLARED: u128 = 0 << KIND;
/// Numbers of instrumented locks.
#[cfg(feature = "instrument")]
const NUMBERED: u128 = 1 << KIND;
/// Where a lock's class begins in its number.
#[cfg(feature = "instrument")]
const CLASS: u32 = 104;
/// Addresses.
const ADDRESSED: u128 = 2 << KIND;

impl OrderKey {
    /// A key of the program's own, such as an account's number. Locks with such keys come first;
    /// two may have the same.
    pub const fn declared(number: u64) -> OrderKey {
        OrderKey(DECLARED | number as u128)
    }

    /// The key of a lock that can only be told by where it is. It must not be able to move while
    /// it is borrowed.
    #[inline]
    pub fn of_address<L: ?Sized>(lock: &L) -> OrderKey {
        OrderKey(ADDRESSED | address(lock) as u128)
    }

    /// The key of a lock with a number of its own; 0 stands for one without. The number begins with
    /// the lock's class; among those of one class the declared key comes first, if there is one.
    #[cfg(feature = "instrument")]
    #[inline]
    pub(super) fn numbered<L: ?Sized>((number, key): (u64, u64), lock: &L) -> OrderKey {
        match number {
            0 => OrderKey::of_address(lock),
            number => {
                let (class, serial) = word::parts(number);
                let key = u128::from(class) << CLASS | u128::from(key) << 40 | u128::from(serial);
                OrderKey(NUMBERED | key)
            }
        }
    }

    /// The class of an instrumented lock, which is ordered by its number.
    #[cfg(feature = "instrument")]
    #[inline]
    fn class(self) -> Option<u32> {
        let is_numbered = self.0 >> KIND == NUMBERED >> KIND;
        is_numbered.then_some((self.0 >> CLASS) as u32 & ((1 << (KIND - CLASS)) - 1))
    }

    fn is_declared(self) -> bool {
        self.0 >> KIND == DECLARED >> KIND
    }
}

/// Tells the engine that locks with these keys are taken here in the order of their keys.
#[inline(always)]
#[track_caller]
pub(super) fn taken_in_order(keys: impl Iterator<Item = OrderKey> + Clone) {
    #[cfg(feature = "instrument")]
    if keys.clone().any(|key| key.class().is_some()) {
        let classes = keys.filter_map(OrderKey::class);
        crate::instrument::takes_in_order(std::panic::Location::caller(), classes);
    }
    #[cfg(not(feature = "instrument"))]
    let _ = keys;
}

/// Where `lock` is.
#[inline]
pub(super) fn address<L: ?Sized>(lock: &L) -> usize {
    std::ptr::from_ref(lock).cast::<()>().addr()
}

/// One lock of a set: what orders it, and its place in the set.
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

/// The tie locks in use, by key. Entries that nobody uses are removed by the next that comes.
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
