//! Several locks at once, without deadlock: all that take them this way take them in one order.
//!
//! The `lock_all!` family (feature `macros`) is for locks of different types, and the functions
//! here are for slices and pairs. Guards come back in the order in which the locks were written,
//! each with the type that the lock's own method would give; if anything panics on the way, all
//! that was taken is released.
//!
//! The order is that of [`OrderKey`]: the number that an instrumented lock has for life; for a lock
//! that is not instrumented, its address, which is stable for as long as it is borrowed. Locks with
//! equal keys are taken under a lock of their own, the tie lock.
//!
//! A call under the guards of another keeps to the order only if its locks come after those. One that
//! asks for an earlier lock is `declared-order`, reported with both places before it blocks, if locks
//! of both kinds are taken together anywhere; else it is chance which kind comes first. A lock that
//! the thread holds already is a `double-lock`, and held to a `try_` form.
//!
//! What it cannot see: code that takes two of the same locks by hand, in another order. For locks
//! that such code shares, take them with a `_backoff` form, which waits only while it holds
//! nothing.
//!
//! # Cost
//! Of two and three locks, no more than of sorting them by hand and half as much again. `cargo bench
//! --bench ordered` measures it with random ones of 64 locks, on one thread and on eight, against the
//! cheapest order there is, that of the places in an array; each ratio is of the same locks:
//!
//! | | pairs, 1 thread | 8 threads | triples, 1 thread | 8 threads |
//! |---|---|---|---|---|
//! | `std` | 1.2 | 1.1 | 1.1 | 1.0 |
//! | `parking_lot` | 1.2 | 1.0–1.5 | 0.9 | 0.9 |
//! | this crate | 1.4 | 1.35 | 1.0 | 1.0 |
//!
//! With more locks there is a sort, and for slices two allocations.
//!
//! # Examples
//! ```
//! # #[cfg(feature = "macros")] {
//! use lockdep::lock_all;
//! use lockdep::ordered::lock_slice;
//! use lockdep::sync::{Mutex, RwLock};
//!
//! let (fee, accounts) = (RwLock::new(1), [30, 20, 10].map(Mutex::new));
//! {
//!     // Two accounts and a reader-writer lock, of different types.
//!     let (mut from, mut to, fee) = lock_all!(
//!         accounts[2].lock().unwrap(),
//!         accounts[0].lock().unwrap(),
//!         fee.read().unwrap()
//!     );
//!     *from -= 5 + *fee;
//!     *to += 5;
//! }
//! // Any number of locks of one type.
//! let total: i32 = lock_slice(&accounts).into_iter().map(|account| *account.unwrap()).sum();
//! assert_eq!(total, 59);
//! # }
//! ```

mod acquire;
mod key;
mod lockable;
mod set;

#[cfg(feature = "lock_api")]
mod foreign;

use std::time::Duration;

pub use acquire::{
    LockAllError, Names, lock_all, lock_all_backoff, lock_all_for, lock_all_unique, try_lock_all,
};
pub use key::{Entry, OrderKey};
pub use lockable::{
    Handle, LockRequest, Lockable, Mapped, ReadRequest, Request, RequestLock, RequestRwLock,
    RwHandle, RwLockable, WriteRequest, mapped,
};
pub use set::Set;

/// What locking gives, for the mutex that `H` leads to.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Locked, lock_slice};
/// use lockdep::sync::Mutex;
///
/// struct Totals<'a> {
///     guards: Vec<Locked<'a, &'a Mutex<u32>>>,
/// }
///
/// let counts = [1, 2].map(Mutex::new);
/// assert_eq!(Totals { guards: lock_slice(&counts) }.guards.len(), 2);
/// ```
pub type Locked<'a, H> = <<H as Handle<'a>>::Lock as Lockable>::Locked<'a>;

/// What read-locking gives, for the lock that `H` leads to.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Read, read_slice};
/// use lockdep::sync::RwLock;
///
/// let names = ["a", "b"].map(RwLock::new);
/// let guards: Vec<Read<'_, &RwLock<&str>>> = read_slice(&names);
/// assert!(guards.iter().all(|guard| guard.is_ok()));
/// ```
pub type Read<'a, H> = <<H as RwHandle<'a>>::Lock as RwLockable>::Read<'a>;

/// What write-locking gives, for the lock that `H` leads to.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Write, write_slice};
/// use lockdep::sync::RwLock;
///
/// let names = ["a", "b"].map(RwLock::new);
/// let guards: Vec<Write<'_, &RwLock<&str>>> = write_slice(&names);
/// assert!(guards.iter().all(|guard| guard.is_ok()));
/// ```
pub type Write<'a, H> = <<H as RwHandle<'a>>::Lock as RwLockable>::Write<'a>;

/// Locks two locks, whichever comes first.
///
/// # Panics
/// If they are one lock.
///
/// # Examples
/// ```
/// use lockdep::ordered::lock_pair;
/// use lockdep::sync::Mutex;
///
/// fn transfer(from: &Mutex<u64>, to: &Mutex<u64>, amount: u64) {
///     let (from, to) = lock_pair(from, to);
///     let (mut from, mut to) = (from.unwrap(), to.unwrap());
///     *from -= amount;
///     *to += amount;
/// }
///
/// let (a, b) = (Mutex::new(10), Mutex::new(0));
/// std::thread::scope(|scope| {
///     scope.spawn(|| transfer(&a, &b, 7));
///     scope.spawn(|| transfer(&b, &a, 0));
/// });
/// assert_eq!(*b.lock().unwrap(), 7);
/// ```
#[track_caller]
pub fn lock_pair<'a, A: Handle<'a>, B: Handle<'a>>(a: A, b: B) -> (Locked<'a, A>, Locked<'a, B>) {
    let requests = (a.lock_ref().lock_request(), b.lock_ref().lock_request());
    lock_all(requests, Names::Written(&["the first lock", "the second lock"]))
}

/// Locks all of `locks`: a reference to a slice, a vector or another collection of mutexes, or of
/// `Box`es, `Rc`s or `Arc`s of them, or a collection of references.
///
/// # Panics
/// If two of them are one lock.
///
/// # Cost
/// O(n log n) comparisons beside the acquisitions, and two allocations.
///
/// # Examples
/// ```
/// use lockdep::ordered::lock_slice;
/// use lockdep::sync::Mutex;
///
/// let counts: Vec<Mutex<u32>> = (0..4).map(Mutex::new).collect();
/// let guards = lock_slice(&counts);
/// assert_eq!(guards.into_iter().map(|count| *count.unwrap()).sum::<u32>(), 6);
/// ```
#[track_caller]
pub fn lock_slice<'a, L>(locks: L) -> Vec<Locked<'a, L::Item>>
where
    L: IntoIterator<Item: Handle<'a>>,
{
    lock_all(requests(locks), Names::Indexed)
}

/// Locks each lock of `locks` once: an element that is the same lock as another is `None`.
///
/// # Examples
/// ```
/// use lockdep::ordered::lock_slice_unique;
/// use lockdep::sync::Mutex;
///
/// let (a, b) = (Mutex::new(1), Mutex::new(2));
/// let guards = lock_slice_unique([&a, &b, &a]);
/// assert_eq!(guards.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
/// ```
#[track_caller]
pub fn lock_slice_unique<'a, L>(locks: L) -> Vec<Option<Locked<'a, L::Item>>>
where
    L: IntoIterator<Item: Handle<'a>>,
{
    lock_all_unique(requests(locks), Names::Indexed)
}

/// Locks all of `locks` if that is possible at once.
///
/// # Errors
/// One of them is held, or there twice; nothing is then locked.
///
/// # Examples
/// ```
/// use lockdep::ordered::try_lock_slice;
/// use lockdep::sync::Mutex;
///
/// let counts = [1, 2].map(Mutex::new);
/// let held = counts[1].lock();
/// let refused = try_lock_slice(&counts).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "`locks[1]` is held; try again later, or wait with `lock_all!`"
/// );
/// ```
#[track_caller]
pub fn try_lock_slice<'a, L>(locks: L) -> Result<Vec<Locked<'a, L::Item>>, LockAllError>
where
    L: IntoIterator<Item: Handle<'a>>,
{
    try_lock_all(requests(locks), Names::Indexed)
}

/// Locks all of `locks`, but waits no longer than `timeout`.
///
/// # Errors
/// One of them is held for longer, or there twice; nothing is then locked.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use lockdep::ordered::lock_slice_for;
/// use lockdep::sync::Mutex;
///
/// let counts = [1, 2].map(Mutex::new);
/// let guards = lock_slice_for(&counts, Duration::from_secs(1))?;
/// assert_eq!(guards.len(), 2);
/// # Ok::<(), lockdep::ordered::LockAllError>(())
/// ```
#[track_caller]
pub fn lock_slice_for<'a, L>(
    locks: L,
    timeout: Duration,
) -> Result<Vec<Locked<'a, L::Item>>, LockAllError>
where
    L: IntoIterator<Item: Handle<'a>>,
{
    lock_all_for(requests(locks), Names::Indexed, timeout)
}

/// Read-locks all of `locks`.
///
/// # Panics
/// If two of them are one lock.
///
/// # Examples
/// ```
/// use lockdep::ordered::read_slice;
/// use lockdep::sync::RwLock;
///
/// let counts = [1, 2].map(RwLock::new);
/// let total: u32 = read_slice(&counts).into_iter().map(|count| *count.unwrap()).sum();
/// assert_eq!(total, 3);
/// ```
#[track_caller]
pub fn read_slice<'a, L>(locks: L) -> Vec<Read<'a, L::Item>>
where
    L: IntoIterator<Item: RwHandle<'a>>,
{
    let requests: Vec<_> = locks.into_iter().map(|lock| lock.lock_ref().read_request()).collect();
    lock_all(requests, Names::Indexed)
}

/// Write-locks all of `locks`.
///
/// # Panics
/// If two of them are one lock.
///
/// # Examples
/// ```
/// use lockdep::ordered::write_slice;
/// use lockdep::sync::RwLock;
///
/// let counts = [1, 2].map(RwLock::new);
/// for count in write_slice(&counts) {
///     *count.unwrap() = 0;
/// }
/// assert_eq!(*counts[1].read().unwrap(), 0);
/// ```
#[track_caller]
pub fn write_slice<'a, L>(locks: L) -> Vec<Write<'a, L::Item>>
where
    L: IntoIterator<Item: RwHandle<'a>>,
{
    let requests: Vec<_> = locks.into_iter().map(|lock| lock.lock_ref().write_request()).collect();
    lock_all(requests, Names::Indexed)
}

fn requests<'a, L>(locks: L) -> Vec<LockRequest<'a, <L::Item as Handle<'a>>::Lock>>
where
    L: IntoIterator<Item: Handle<'a>>,
{
    locks.into_iter().map(|lock| lock.lock_ref().lock_request()).collect()
}
