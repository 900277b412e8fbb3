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

/// Declares the order of locks of the whole process: statics, and fields of structs with
/// [`LockOrder`](crate::order::LockOrder), each a chain of what is taken before what.
///
/// A step can have several locks without an order between them, `A < (B, C) < D`, and there can be
/// several chains, with commas between. A static is a path, a field `Struct.field`, or
/// `<Struct<u8>>.field` where the struct is generic. A circle does not compile; where several
/// declarations contradict each other, that is a finding of the first run.
///
/// It is an item, for any module or function. See [`order`](crate::order) for what it means.
///
/// # Examples
/// ```
/// use lockdep::sync::Mutex;
///
/// static REGISTRY: Mutex<Vec<&str>> = Mutex::new(Vec::new());
/// static AUDIT: Mutex<u32> = Mutex::new(0);
///
/// lockdep::lock_order! { REGISTRY < AUDIT }
///
/// let registry = REGISTRY.lock().unwrap();
/// *AUDIT.lock().unwrap() += registry.len() as u32;
/// # assert!(lockdep::findings().is_empty());
/// ```
#[macro_export]
macro_rules! lock_order {
    ($($order:tt)*) => { $crate::__macros::lock_order! { $crate; $($order)* } };
}

/// Tells the process of a declaration, before `main`.
#[cfg(feature = "instrument")]
#[doc(hidden)]
#[macro_export]
macro_rules! __declare {
    ($order:ident) => {
        const _: () = {
            static DECLARATION: $crate::order::Declaration =
                $crate::order::Declaration::new(&$order);
            extern "C" fn declare() {
                DECLARATION.add();
            }
            // SAFETY: the section holds functions of this type, which the system calls before
            // `main`; this one only puts a static into a list.
            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
            #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
            #[cfg_attr(
                all(unix, not(target_vendor = "apple")),
                unsafe(link_section = ".init_array")
            )]
            static DECLARE: extern "C" fn() = declare;
        };
    };
}

/// Nothing is checked without the feature `instrument`.
#[cfg(not(feature = "instrument"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __declare {
    ($order:ident) => {};
}

/// Panics unless this thread holds the lock. It says nothing of a lock that is not watched.
///
/// # Panics
/// The lock is watched, and this thread does not hold it.
///
/// # Examples
/// ```
/// use lockdep::{assert_held, assert_not_held, sync::Mutex};
///
/// let queue = Mutex::new(vec![1]);
/// assert_not_held!(queue);
/// let guard = queue.lock().unwrap();
/// assert_held!(queue);
/// ```
#[macro_export]
macro_rules! assert_held {
    ($lock:expr $(,)?) => {
        $crate::order::assert_held(&$lock, ::core::stringify!($lock))
    };
}

/// Panics if this thread holds the lock: code that waits for it, or for who takes it, is called
/// without.
///
/// # Panics
/// The lock is watched, and this thread holds it.
///
/// # Examples
/// ```
/// use lockdep::{assert_not_held, sync::Mutex};
///
/// struct Queue {
///     jobs: Mutex<Vec<u32>>,
/// }
///
/// impl Queue {
///     /// Waits for workers that take `jobs`.
///     fn shut_down(self) {
///         assert_not_held!(self.jobs);
///         // ...
///     }
/// }
/// # Queue { jobs: Mutex::default() }.shut_down();
/// ```
#[macro_export]
macro_rules! assert_not_held {
    ($lock:expr $(,)?) => {
        $crate::order::assert_not_held(&$lock, ::core::stringify!($lock))
    };
}

/// Shows the order of an acquisition that is not made here: a function that locks only now and then
/// shows it in each call, and the first test finds what is wrong.
///
/// # Panics
/// Where an acquisition would wait for this thread itself, unless configured otherwise.
///
/// # Examples
/// ```
/// use lockdep::{might_lock, sync::Mutex};
///
/// fn push(queue: &Mutex<Vec<u32>>, overflow: &Mutex<Vec<u32>>, item: u32) {
///     let mut queue = queue.lock().unwrap();
///     might_lock!(overflow);
///     if queue.len() < 1024 {
///         queue.push(item);
///     } else {
///         overflow.lock().unwrap().push(item);
///     }
/// }
/// # push(&Mutex::default(), &Mutex::default(), 1);
/// ```
#[macro_export]
macro_rules! might_lock {
    ($lock:expr $(,)?) => {
        $crate::order::might_lock(&$lock)
    };
}
