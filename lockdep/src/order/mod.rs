//! The declared order: a program says in which order it takes its locks, and an acquisition against
//! that is `declared-order`, reported before it blocks, the first time it is seen.
//!
//! [`LockOrder`] is for the locks of a struct, `lock_order!` for statics and for locks of several
//! structs, `lock_rank` for single statics (all with the feature `macros`).
//! Orders and ranks are one partial order of the whole process: what it leaves open is allowed, and
//! two locks of one rank have no order. An order is between *places*, a static or a field of a
//! struct: a thread that holds the later field of one value takes the earlier field of none.
//!
//! A static has its place from the beginning. The locks of a value have theirs from
//! [`in_order`](LockOrder::in_order) on, which is for its constructor. A lock that was acquired
//! before it was put in its place is not known to have one, and is not checked. Nor is a lock in a
//! `LazyLock` or `OnceLock` that is not the first that its initialiser makes.
//!
//! A `try_` acquisition is never against the order, as it does not wait; what it holds then counts.
//!
//! Several locks of one place can be held together in an order of their own: by
//! [nesting level](LockNested), or by a key, `#[lock_key(id)]` on the struct.
//!
//! Without the feature `instrument` nothing is checked and nothing is paid for; the declarations
//! stay, and `cargo lockcheck` reads them.
//!
//! # Cost
//! That of a new lock order, when an acquisition is seen for the first time; nothing after that.
//!
//! # Examples
//! ```
//! # #[cfg(feature = "macros")] {
//! use lockdep::finding::Rule;
//! use lockdep::sync::Mutex;
//!
//! static REGISTRY: Mutex<Vec<&str>> = Mutex::new(Vec::new());
//! static AUDIT: Mutex<u32> = Mutex::new(0);
//!
//! lockdep::lock_order! { REGISTRY < AUDIT }
//!
//! let audit = AUDIT.lock().unwrap();
//! let registry = REGISTRY.lock().unwrap();
//! # #[cfg(feature = "instrument")]
//! assert_eq!(lockdep::findings()[0].rule, Rule::DeclaredOrder);
//! # }
//! ```

mod declaration;
mod level;
mod locks;
mod nested;

use std::panic::Location;

pub use declaration::Place;
pub use level::{Before, Level, Leveled, Unlocked};
#[cfg(feature = "macros")]
pub use lockdep_macros::LockOrder;
#[cfg(feature = "parking_lot")]
pub use nested::UpgradableNested;
pub use nested::{LockNested, RwLockNested};

pub use crate::observer::declarations::{Declaration, Lock, Locks, Order};

/// A struct whose locks are in a declared order; derive it.
///
/// `#[lock_order(a < b)]` on the struct says that field `a` is locked before field `b`. A chain can
/// have any length, a step can have several fields, `a < (b, c) < d`, and there can be several
/// chains, with commas between. `#[lock_rank(N)]` on a field says that it is locked before all
/// fields and statics of a greater rank. Each field named so must be a lock of this crate, of `std`
/// or (feature `parking_lot`) of `parking_lot`, a semaphore of one permit among them, or lead to some:
/// a `Box`, `Arc`, `Vec`, array, `Option`, `LazyLock` or `OnceLock` of them.
///
/// `#[lock_key(id)]` names a field that orders the locks of one place among several values, see
/// [`Key`]; `#[lock_levels(name)]` makes a module with a [level](Level) for each lock. Where this
/// crate has another name, or is reached through another crate, say so once:
/// `#[lock_order(crate = path::to::lockdep, a < b)]`, or without an order.
///
/// # Examples
/// ```
/// # #[cfg(feature = "macros")] {
/// use lockdep::order::LockOrder;
/// use lockdep::sync::Mutex;
///
/// #[derive(Default, LockOrder)]
/// #[lock_order(accounts < audit)]
/// struct Bank {
///     accounts: Mutex<Vec<u64>>,
///     audit: Mutex<Vec<String>>,
/// }
///
/// let bank = Bank::default().in_order();
/// let audit = bank.audit.lock().unwrap();
/// let accounts = bank.accounts.lock().unwrap();
/// # #[cfg(feature = "instrument")]
/// assert_eq!(lockdep::findings()[0].rule, lockdep::finding::Rule::DeclaredOrder);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares no order of its locks",
    note = "add `#[derive(LockOrder)]` and `#[lock_order(first < second)]` to the struct"
)]
pub trait LockOrder {
    /// What is declared.
    const ORDER: &'static Order;

    /// Puts the locks of this value in their places, by which the engine knows them from now on. Call it
    /// before any of them is locked; later it has no effect.
    fn place_locks(&self);

    /// Places the locks of a new value, and returns it: `Bank { … }.in_order()`.
    #[must_use = "the value itself is returned"]
    fn in_order(self) -> Self
    where
        Self: Sized,
    {
        self.place_locks();
        self
    }
}

/// What can order the locks of one place, as `#[lock_key(field)]`: a number, or what is one.
///
/// # Examples
/// ```
/// # #[cfg(feature = "macros")] {
/// use lockdep::order::LockOrder;
/// use lockdep::sync::Mutex;
///
/// #[derive(Clone, Copy)]
/// struct AccountId(u32);
///
/// impl From<AccountId> for u64 {
///     fn from(id: AccountId) -> u64 {
///         id.0.into()
///     }
/// }
///
/// /// Two accounts are locked in the order of their ids.
/// #[derive(LockOrder)]
/// #[lock_key(id)]
/// struct Account {
///     id: AccountId,
///     #[lock_rank(10)]
///     balance: Mutex<u64>,
/// }
///
/// let [one, two] =
///     [1, 2].map(|id| Account { id: AccountId(id), balance: Mutex::new(10) }.in_order());
/// let (from, to) = (one.balance.lock(), two.balance.lock());
/// # assert!(lockdep::findings().is_empty());
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of locks",
    label = "not a key",
    note = "a key is `Copy` and can be made a number with `Into<u64>`: name a field of such a type, `u64` \
            for instance"
)]
pub trait Key {
    /// The number, which is the same for as long as the locks live.
    fn number(self) -> u64;
}

#[diagnostic::do_not_recommend]
impl<K: Copy + Into<u64>> Key for K {
    fn number(self) -> u64 {
        self.into()
    }
}

/// Panics unless this thread holds the lock; `assert_held!` calls it.
#[doc(hidden)]
#[track_caller]
pub fn assert_held<L: Locks + ?Sized>(lock: &L, written: &str) {
    assert!(
        is_held(lock, Location::caller()) != Some(false),
        "`{written}` must be locked here by this thread, and is not"
    );
}

/// Panics if this thread holds the lock; `assert_not_held!` calls it.
#[doc(hidden)]
#[track_caller]
pub fn assert_not_held<L: Locks + ?Sized>(lock: &L, written: &str) {
    assert!(
        is_held(lock, Location::caller()) != Some(true),
        "`{written}` must not be locked here by this thread, and is: release it first"
    );
}

/// Whether this thread holds one of the locks; `None` if none of them is watched.
fn is_held<L: Locks + ?Sized>(lock: &L, site: &'static Location<'static>) -> Option<bool> {
    let mut any = None;
    lock.each_lock(&mut |tag, ty| {
        if let Some(is_held) = tag.is_held(ty, site) {
            any = Some(any.unwrap_or(false) || is_held);
        }
    });
    any
}

/// Shows the engine the order of an acquisition that is not made; `might_lock!` calls it.
#[doc(hidden)]
#[track_caller]
pub fn might_lock<L: Locks + ?Sized>(lock: &L) {
    let site = Location::caller();
    lock.each_lock(&mut |tag, ty| tag.might_acquire(ty, crate::hooks::Mode::Write, site));
}
