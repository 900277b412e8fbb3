//! The order as types: a token that says which locks may be held.
//!
//! `#[lock_levels(bank_locks)]` beside `#[derive(LockOrder)]` makes a module with one type for each
//! lock of the struct. A [`Level`] of such a type, or [`Unlocked`], is handed down with `&mut`; each
//! acquisition through it gives the next, and borrows it for as long as the guard lives. A function
//! with `#[locks(…)]` takes a `&mut Level<'_, _>`, and then a call with a later lock held does not
//! compile.
//!
//! It costs nothing at run time. It does not see code that makes a second token with
//! [`Level::unlocked`] or locks without one; `declared-order` does.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// No lock is held.
///
/// # Examples
/// A function that takes its first lock, so that no lock may be held by its caller:
///
/// ```
/// use lockdep::order::{Level, Unlocked};
/// use lockdep::sync::Mutex;
///
/// struct Accounts;
///
/// fn total(accounts: &Mutex<Vec<u64>>, level: &mut Level<'_, Unlocked>) -> u64 {
///     level.take(Accounts, || accounts.lock().unwrap()).iter().sum()
/// }
/// assert_eq!(total(&Mutex::new(vec![1, 2]), &mut Level::unlocked()), 3);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Unlocked;

/// Locks of this level are declared to be taken before those of `Later`.
///
/// # Examples
/// `#[lock_levels(name)]` implements it as the struct's order says. By hand:
///
/// ```
/// use lockdep::order::{Before, Level};
///
/// struct Accounts;
/// struct Audit;
/// impl Before<Audit> for Accounts {}
///
/// let mut level = Level::unlocked();
/// let mut accounts = level.take(Accounts, || "a guard");
/// let audit = accounts.level().take(Audit, || "another");
/// ```
///
/// The other way round does not compile:
///
/// ```compile_fail
/// # use lockdep::order::{Before, Level};
/// # struct Accounts;
/// # struct Audit;
/// # impl Before<Audit> for Accounts {}
/// let mut level = Level::unlocked();
/// let mut audit = level.take(Audit, || "a guard");
/// let accounts = audit.level().take(Accounts, || "another");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Later}` cannot be locked while `{Self}` may be held",
    label = "takes `{Later}`, with `{Self}` held",
    note = "the declared order does not have `{Self}` before `{Later}`: end the guard of `{Self}` \
            first, or lock `{Later}` before it"
)]
pub trait Before<Later> {}

impl<L> Before<L> for Unlocked {}

/// The right to take the locks after level `L`, for as long as the guard of `L` lives.
///
/// # Examples
/// ```
/// use lockdep::order::{Before, Level};
/// use lockdep::sync::Mutex;
///
/// struct Audit;
///
/// /// To be called with any locks held that come before the audit.
/// fn log<L: Before<Audit>>(audit: &Mutex<Vec<u64>>, amount: u64, level: &mut Level<'_, L>) {
///     level.take(Audit, || audit.lock().unwrap()).push(amount);
/// }
///
/// let audit = Mutex::new(Vec::new());
/// log(&audit, 7, &mut Level::unlocked());
/// assert_eq!(*audit.lock().unwrap(), [7]);
/// ```
pub struct Level<'held, L> {
    level: PhantomData<fn() -> L>,
    /// Borrowed as long as the guard lives, and of one thread.
    held: PhantomData<(&'held mut (), *mut ())>,
}

impl<L> fmt::Debug for Level<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Level<{}>", std::any::type_name::<L>())
    }
}

impl Level<'static, Unlocked> {
    /// A token for a thread that holds none of the locks, as at its beginning.
    pub const fn unlocked() -> Level<'static, Unlocked> {
        Level { level: PhantomData, held: PhantomData }
    }
}

impl<L> Level<'_, L> {
    /// Takes a lock of level `M` by calling `acquire`. The result is the guard, together with the
    /// token for what comes after it.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// use lockdep::order::{Level, LockOrder, Unlocked};
    /// use lockdep::{locks, sync::Mutex};
    ///
    /// #[derive(LockOrder)]
    /// #[lock_order(accounts < audit)]
    /// #[lock_levels(bank_locks)]
    /// struct Bank {
    ///     accounts: Mutex<u64>,
    ///     audit: Mutex<Vec<u64>>,
    /// }
    ///
    /// #[locks(bank_locks::audit)]
    /// fn log(bank: &Bank, amount: u64, level: &mut Level<'_, _>) {
    ///     level.take(bank_locks::audit, || bank.audit.lock().unwrap()).push(amount);
    /// }
    ///
    /// fn pay_in(bank: &Bank, amount: u64, level: &mut Level<'_, Unlocked>) {
    ///     let mut accounts = level.take(bank_locks::accounts, || bank.accounts.lock().unwrap());
    ///     **accounts += amount;
    ///     log(bank, amount, accounts.level());
    /// }
    ///
    /// let bank = Bank { accounts: Mutex::new(0), audit: Mutex::default() }.in_order();
    /// pay_in(&bank, 7, &mut Level::unlocked());
    /// assert_eq!(*bank.audit.lock().unwrap(), [7]);
    /// # }
    /// ```
    #[inline]
    #[track_caller]
    pub fn take<M, G>(&mut self, _level: M, acquire: impl FnOnce() -> G) -> Leveled<'_, M, G>
    where
        L: Before<M>,
    {
        Leveled { guard: acquire(), level: Level { level: PhantomData, held: PhantomData } }
    }
}

/// A guard, and the token for the locks that may be taken while it lives.
///
/// # Examples
/// ```
/// use lockdep::order::{Before, Level};
/// use lockdep::sync::Mutex;
///
/// struct Accounts;
/// struct Audit;
/// impl Before<Audit> for Accounts {}
///
/// let (accounts, audit) = (Mutex::new(10), Mutex::new(Vec::new()));
/// let mut level = Level::unlocked();
/// let mut accounts = level.take(Accounts, || accounts.lock().unwrap());
/// let (balance, level) = accounts.parts();
/// **balance += 5;
/// level.take(Audit, || audit.lock().unwrap()).push(**balance);
/// # drop(accounts);
/// assert_eq!(*audit.lock().unwrap(), [15]);
/// ```
#[derive(Debug)]
#[must_use = "if unused the lock will immediately unlock"]
pub struct Leveled<'held, L, G> {
    guard: G,
    level: Level<'held, L>,
}

impl<'held, L, G> Leveled<'held, L, G> {
    /// The token, to hand on.
    pub fn level(&mut self) -> &mut Level<'held, L> {
        &mut self.level
    }

    /// The guard and the token, to use both at once.
    pub fn parts(&mut self) -> (&mut G, &mut Level<'held, L>) {
        (&mut self.guard, &mut self.level)
    }
}

impl<L, G> Deref for Leveled<'_, L, G> {
    type Target = G;

    #[inline]
    fn deref(&self) -> &G {
        &self.guard
    }
}

impl<L, G> DerefMut for Leveled<'_, L, G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut G {
        &mut self.guard
    }
}
