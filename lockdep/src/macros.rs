//! The macros, as thin as they can be: they hand on where this crate is.

/// Takes several locks at once, in the one order in which all take them, so that no two threads can
/// wait for each other over them.
///
/// Give each lock as an expression: a mutex as it is or with `.lock()`, a reader-writer lock with
/// `.read()` or `.write()`. The expressions are evaluated once, from left to right, before anything
/// is locked. The result is a tuple in the same order, of what the locks' own methods would give: a
/// guard, or for the locks of `std` a `LockResult`. What is to be done with that can be written at
/// once: `.unwrap()`, `.expect("…")`, `.unwrap_or_else(…)` or `?`; it is done when all locks are
/// taken. Parentheses around an expression keep a method called `lock`, `read` or `write` from
/// being understood in this way.
///
/// Locks of `std`, of this crate and (feature `lock_api`) of `parking_lot` can be mixed, with any
/// references and smart pointers around them; see [`ordered`](crate::ordered) for the order, for
/// slices, and for what else can be made [`Lockable`](crate::ordered::Lockable).
///
/// # Panics
/// If two of the locks are one, which would wait for itself; the message has both expressions.
/// [`lock_all_unique!`](crate::lock_all_unique) takes each once. If anything panics on the way, all
/// that was taken is released.
///
/// # Examples
/// ```
/// use lockdep::lock_all;
/// use lockdep::sync::{Mutex, RwLock};
///
/// struct Account {
///     balance: Mutex<i64>,
/// }
///
/// fn transfer(from: &Account, to: &Account, fee: &RwLock<i64>, amount: i64) {
///     let (mut from, mut to, fee) =
///         lock_all!(from.balance.lock().unwrap(), to.balance.lock().unwrap(), fee.read().unwrap());
///     *from -= amount + *fee;
///     *to += amount;
/// }
///
/// let [a, b] = [100, 0].map(|balance| Account { balance: Mutex::new(balance) });
/// let fee = RwLock::new(1);
/// std::thread::scope(|scope| {
///     scope.spawn(|| transfer(&a, &b, &fee, 10));
///     scope.spawn(|| transfer(&b, &a, &fee, 10));
/// });
/// assert_eq!(*a.balance.lock().unwrap(), 99);
/// ```
#[macro_export]
macro_rules! lock_all {
    ($($locks:tt)*) => { $crate::__macros::lock_all!($crate; $($locks)*) };
}

/// Takes several locks at once, each once: like [`lock_all!`], but each element of the tuple is an
/// `Option`, which is `None` for a lock that is the same as another.
///
/// # Examples
/// ```
/// use lockdep::{lock_all_unique, sync::Mutex};
///
/// let (a, b) = (Mutex::new(1), Mutex::new(2));
/// let (first, second, third) = lock_all_unique!(a.lock().unwrap(), b.lock().unwrap(), a);
/// assert_eq!(first.map(|guard| *guard), Some(1));
/// assert_eq!(second.map(|guard| *guard), Some(2));
/// assert!(third.is_none());
/// ```
#[macro_export]
macro_rules! lock_all_unique {
    ($($locks:tt)*) => { $crate::__macros::lock_all_unique!($crate; $($locks)*) };
}

/// Takes several locks if that is possible at once: like [`lock_all!`], but gives a `Result`.
///
/// # Errors
/// [`LockAllError`](crate::ordered::LockAllError): one of the locks is held, or two are one. None
/// is then taken.
///
/// # Examples
/// ```
/// use lockdep::{sync::Mutex, try_lock_all};
///
/// let (a, b) = (Mutex::new(1), Mutex::new(2));
/// let held = b.lock();
/// assert_eq!(
///     try_lock_all!(a, b).unwrap_err().to_string(),
///     "`b` is held; try again later, or wait with `lock_all!`"
/// );
/// drop(held);
/// assert!(try_lock_all!(a, b).is_ok());
/// ```
#[macro_export]
macro_rules! try_lock_all {
    ($($locks:tt)*) => { $crate::__macros::try_lock_all!($crate; $($locks)*) };
}

/// Takes several locks, but waits no longer than a `Duration`, which comes first: like
/// [`lock_all!`], but gives a `Result`.
///
/// # Errors
/// [`LockAllError`](crate::ordered::LockAllError): one of the locks was held for longer, or two are
/// one. None is then taken.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use lockdep::{lock_all_for, sync::Mutex};
///
/// let (a, b) = (Mutex::new(1), Mutex::new(2));
/// let (mut a, b) = lock_all_for!(Duration::from_secs(1), a.lock().unwrap(), b.lock().unwrap())?;
/// *a += *b;
/// # Ok::<(), lockdep::ordered::LockAllError>(())
/// ```
#[macro_export]
macro_rules! lock_all_for {
    ($($locks:tt)*) => { $crate::__macros::lock_all_for!($crate; $($locks)*) };
}

/// Takes several locks that are taken in other orders elsewhere: like [`lock_all!`], but waits for
/// one lock only while it holds none, and starts again with the one that was held.
///
/// # Panics
/// If two of the locks are one.
///
/// # Examples
/// ```
/// use lockdep::{lock_all_backoff, sync::Mutex};
///
/// let (a, b) = (Mutex::new(0), Mutex::new(0));
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let (mut a, mut b) = lock_all_backoff!(a.lock().unwrap(), b.lock().unwrap());
///         (*a, *b) = (*a + 1, *b + 1);
///     });
///     scope.spawn(|| {
///         let mut b = b.lock().unwrap();
///         let mut a = a.lock().unwrap();
///         (*a, *b) = (*a + 1, *b + 1);
///     });
/// });
/// assert_eq!(*a.lock().unwrap(), 2);
/// ```
#[macro_export]
macro_rules! lock_all_backoff {
    ($($locks:tt)*) => { $crate::__macros::lock_all_backoff!($crate; $($locks)*) };
}
