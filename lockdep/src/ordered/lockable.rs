//! What can be locked in order: the locks of `std`, of this crate, and any other that says how.

use std::fmt;
use std::rc::Rc;
use std::sync::{self as std_sync, Arc, LockResult, TryLockError, TryLockResult};

use crate::ordered::key::{self, OrderKey};
#[cfg(feature = "instrument")]
use crate::sync as own_sync;

/// A lock that one holder has at a time.
///
/// # Examples
/// A lock of one's own, ordered by the number of its account:
///
/// ```
/// use lockdep::ordered::{Handle, Lockable, OrderKey, lock_pair};
/// use lockdep::sync::{Mutex, MutexGuard};
///
/// struct Account {
///     number: u64,
///     balance: Mutex<i64>,
/// }
///
/// impl Lockable for Account {
///     type Locked<'a> = MutexGuard<'a, i64>;
///
///     fn order_key(&self) -> OrderKey {
///         OrderKey::declared(self.number)
///     }
///
///     fn acquire(&self) -> MutexGuard<'_, i64> {
///         self.balance.lock().unwrap()
///     }
///
///     fn try_acquire(&self) -> Option<MutexGuard<'_, i64>> {
///         self.balance.try_lock().ok()
///     }
/// }
///
/// impl<'a> Handle<'a> for &'a Account {
///     type Lock = Account;
///
///     fn lock_ref(self) -> &'a Account {
///         self
///     }
/// }
///
/// let [one, two] = [1, 2].map(|number| Account { number, balance: Mutex::new(10) });
/// let (mut from, mut to) = lock_pair(&two, &one);
/// (*from, *to) = (*from - 3, *to + 3);
/// # drop((from, to));
/// assert_eq!(*one.balance.lock().unwrap(), 13);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be locked as a mutex",
    label = "not a mutex",
    note = "write `lock.read()` or `lock.write()` for a reader-writer lock",
    note = "implement `lockdep::ordered::Lockable` for a lock of your own"
)]
pub trait Lockable {
    /// What locking gives: for `std`'s mutex, a `LockResult` of the guard.
    type Locked<'a>
    where
        Self: 'a;

    /// The lock's place in the order.
    fn order_key(&self) -> OrderKey;

    /// The place in the order as one number, where one is known and enough; 0 otherwise.
    #[doc(hidden)]
    #[inline(always)]
    fn quick_key(&self) -> u64 {
        0
    }

    /// Waits for the lock.
    #[track_caller]
    fn acquire(&self) -> Self::Locked<'_>;

    /// Takes the lock if it is free.
    #[track_caller]
    fn try_acquire(&self) -> Option<Self::Locked<'_>>;
}

/// A lock that has one writer or many readers.
///
/// # Examples
/// ```
/// use lockdep::ordered::RwLockable;
/// use lockdep::sync::RwLock;
///
/// /// How many of the locks could be read now.
/// fn readable<L: RwLockable>(locks: &[L]) -> usize {
///     locks.iter().filter(|lock| lock.try_acquire_read().is_some()).count()
/// }
///
/// let counts = [1, 2].map(RwLock::new);
/// let written = counts[0].write();
/// assert_eq!(readable(&counts), 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be locked for reading or writing",
    label = "not a reader-writer lock",
    note = "write the mutex alone, or `lock.lock()`",
    note = "implement `lockdep::ordered::RwLockable` for a lock of your own"
)]
pub trait RwLockable {
    /// What locking for reading gives: for `std`'s lock, a `LockResult` of the guard.
    type Read<'a>
    where
        Self: 'a;
    /// What locking for writing gives: for `std`'s lock, a `LockResult` of the guard.
    type Write<'a>
    where
        Self: 'a;

    /// The lock's place in the order.
    fn order_key(&self) -> OrderKey;

    /// The place in the order as one number, where one is known and enough; 0 otherwise.
    #[doc(hidden)]
    #[inline(always)]
    fn quick_key(&self) -> u64 {
        0
    }

    /// Waits for the lock, to read.
    #[track_caller]
    fn acquire_read(&self) -> Self::Read<'_>;

    /// Takes the lock if it is free to be read.
    #[track_caller]
    fn try_acquire_read(&self) -> Option<Self::Read<'_>>;

    /// Waits for the lock, to write.
    #[track_caller]
    fn acquire_write(&self) -> Self::Write<'_>;

    /// Takes the lock if it is free to be written.
    #[track_caller]
    fn try_acquire_write(&self) -> Option<Self::Write<'_>>;
}

/// A lock and the mode in which it is asked for.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Names, Request, RequestLock, lock_all};
/// use lockdep::sync::Mutex;
///
/// /// Takes two locks of any kind, each in its own mode.
/// fn both<A: Request, B: Request>(a: A, b: B) -> (A::Output, B::Output) {
///     lock_all((a, b), Names::Indexed)
/// }
///
/// let (jobs, done) = (Mutex::new(1), Mutex::new(0));
/// let (jobs, done) = both(jobs.lock_request(), done.lock_request());
/// assert!(jobs.is_ok() && done.is_ok());
/// ```
pub trait Request {
    /// What the acquisition gives.
    type Output;

    /// The lock's place in the order.
    fn order_key(&self) -> OrderKey;

    /// The place in the order as one number, where one is known and enough; 0 otherwise.
    #[doc(hidden)]
    #[inline(always)]
    fn quick_key(&self) -> u64 {
        0
    }

    /// Where the lock is.
    fn address(&self) -> usize;

    /// Waits for the lock.
    #[track_caller]
    fn acquire(&self) -> Self::Output;

    /// Takes the lock if it is free.
    #[track_caller]
    fn try_acquire(&self) -> Option<Self::Output>;
}

/// Asks for a mutex; made by [`RequestLock::lock_request`].
///
/// # Examples
/// ```
/// use lockdep::ordered::{LockRequest, Names, RequestLock, lock_all};
/// use lockdep::sync::Mutex;
///
/// let counts = [1, 2, 3].map(Mutex::new);
/// let odd: Vec<LockRequest<'_, Mutex<i32>>> =
///     [0, 2].map(|at| counts[at].lock_request()).into_iter().collect();
/// assert_eq!(lock_all(odd, Names::Indexed).len(), 2);
/// ```
#[derive(Debug)]
pub struct LockRequest<'a, L: ?Sized>(&'a L);

/// Asks to read; made by [`RequestRwLock::read_request`].
///
/// # Examples
/// ```
/// use lockdep::ordered::{Names, ReadRequest, RequestRwLock, lock_all};
/// use lockdep::sync::RwLock;
///
/// fn limits(limits: &[RwLock<u32>]) -> Vec<ReadRequest<'_, RwLock<u32>>> {
///     limits.iter().map(|limit| limit.read_request()).collect()
/// }
///
/// let both = [8, 9].map(RwLock::new);
/// assert_eq!(lock_all(limits(&both), Names::Indexed).len(), 2);
/// ```
#[derive(Debug)]
pub struct ReadRequest<'a, L: ?Sized>(&'a L);

/// Asks to write; made by [`RequestRwLock::write_request`].
///
/// # Examples
/// ```
/// use lockdep::ordered::{Names, RequestRwLock, WriteRequest, lock_all};
/// use lockdep::sync::RwLock;
///
/// let (low, high) = (RwLock::new(1), RwLock::new(9));
/// let requests: [WriteRequest<'_, RwLock<u32>>; 2] = [low.write_request(), high.write_request()];
/// let guards = lock_all(Vec::from(requests), Names::Indexed);
/// assert_eq!(guards.len(), 2);
/// ```
#[derive(Debug)]
pub struct WriteRequest<'a, L: ?Sized>(&'a L);

impl<'a, L: Lockable + ?Sized> Request for LockRequest<'a, L> {
    type Output = L::Locked<'a>;

    #[inline]
    fn order_key(&self) -> OrderKey {
        self.0.order_key()
    }

    #[inline(always)]
    fn quick_key(&self) -> u64 {
        self.0.quick_key()
    }

    #[inline]
    fn address(&self) -> usize {
        key::address(self.0)
    }

    #[inline(always)]
    #[track_caller]
    fn acquire(&self) -> Self::Output {
        self.0.acquire()
    }

    #[inline]
    #[track_caller]
    fn try_acquire(&self) -> Option<Self::Output> {
        self.0.try_acquire()
    }
}

impl<'a, L: RwLockable + ?Sized> Request for ReadRequest<'a, L> {
    type Output = L::Read<'a>;

    #[inline]
    fn order_key(&self) -> OrderKey {
        self.0.order_key()
    }

    #[inline(always)]
    fn quick_key(&self) -> u64 {
        self.0.quick_key()
    }

    #[inline]
    fn address(&self) -> usize {
        key::address(self.0)
    }

    #[inline(always)]
    #[track_caller]
    fn acquire(&self) -> Self::Output {
        self.0.acquire_read()
    }

    #[inline]
    #[track_caller]
    fn try_acquire(&self) -> Option<Self::Output> {
        self.0.try_acquire_read()
    }
}

impl<'a, L: RwLockable + ?Sized> Request for WriteRequest<'a, L> {
    type Output = L::Write<'a>;

    #[inline]
    fn order_key(&self) -> OrderKey {
        self.0.order_key()
    }

    #[inline(always)]
    fn quick_key(&self) -> u64 {
        self.0.quick_key()
    }

    #[inline]
    fn address(&self) -> usize {
        key::address(self.0)
    }

    #[inline(always)]
    #[track_caller]
    fn acquire(&self) -> Self::Output {
        self.0.acquire_write()
    }

    #[inline]
    #[track_caller]
    fn try_acquire(&self) -> Option<Self::Output> {
        self.0.try_acquire_write()
    }
}

/// A request with a function for what it gives; made by [`mapped`].
///
/// # Examples
/// ```
/// use lockdep::ordered::{Names, RequestLock, lock_all, mapped};
/// use lockdep::sync::Mutex;
///
/// let (jobs, done) = (Mutex::new(1), Mutex::new(0));
/// let requests = (mapped(jobs.lock_request(), |job| job.unwrap()), done.lock_request());
/// let (job, done) = lock_all(requests, Names::Indexed);
/// assert_eq!(*job, 1);
/// # drop(done);
/// ```
pub struct Mapped<R, F> {
    request: R,
    map: F,
}

/// `request`, with `map` applied to what it gives as soon as it is given: for `.unwrap()` and the
/// like, as the guards alone are cheaper to hand on.
#[inline]
pub fn mapped<R: Request, F: Fn(R::Output) -> O, O>(request: R, map: F) -> Mapped<R, F> {
    Mapped { request, map }
}

impl<R: fmt::Debug, F> fmt::Debug for Mapped<R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mapped").field(&self.request).finish()
    }
}

impl<R: Request, F: Fn(R::Output) -> O, O> Request for Mapped<R, F> {
    type Output = O;

    #[inline]
    fn order_key(&self) -> OrderKey {
        self.request.order_key()
    }

    #[inline(always)]
    fn quick_key(&self) -> u64 {
        self.request.quick_key()
    }

    #[inline]
    fn address(&self) -> usize {
        self.request.address()
    }

    #[inline(always)]
    #[track_caller]
    fn acquire(&self) -> O {
        (self.map)(self.request.acquire())
    }

    #[inline]
    #[track_caller]
    fn try_acquire(&self) -> Option<O> {
        self.request.try_acquire().map(&self.map)
    }
}

/// Makes requests for mutexes. As a method it is found through any number of references and smart
/// pointers.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use lockdep::ordered::{Request, RequestLock};
/// use lockdep::sync::Mutex;
///
/// let jobs = Arc::new(Mutex::new(1));
/// assert_eq!(*jobs.lock_request().acquire().unwrap(), 1);
/// ```
pub trait RequestLock: Lockable {
    /// Asks for this mutex.
    #[inline]
    fn lock_request(&self) -> LockRequest<'_, Self> {
        LockRequest(self)
    }
}

impl<L: Lockable + ?Sized> RequestLock for L {}

/// Makes requests for reader-writer locks. As a method it is found through any number of references
/// and smart pointers.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Request, RequestRwLock};
/// use lockdep::sync::RwLock;
///
/// let limit = RwLock::new(8);
/// *limit.write_request().acquire().unwrap() += 1;
/// assert_eq!(*limit.read_request().acquire().unwrap(), 9);
/// ```
pub trait RequestRwLock: RwLockable {
    /// Asks to read.
    #[inline]
    fn read_request(&self) -> ReadRequest<'_, Self> {
        ReadRequest(self)
    }

    /// Asks to write.
    #[inline]
    fn write_request(&self) -> WriteRequest<'_, Self> {
        WriteRequest(self)
    }
}

impl<L: RwLockable + ?Sized> RequestRwLock for L {}

/// A reference to a mutex, or to something that points to one.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use lockdep::ordered::{Handle, Locked, lock_pair};
/// use lockdep::sync::Mutex;
///
/// /// Takes both, whatever leads to them.
/// fn both<'a, A: Handle<'a>, B: Handle<'a>>(a: A, b: B) -> (Locked<'a, A>, Locked<'a, B>) {
///     lock_pair(a, b)
/// }
///
/// let (jobs, done) = (Mutex::new(1), Arc::new(Mutex::new(0)));
/// let (jobs, done) = both(&jobs, &done);
/// assert!(jobs.is_ok() && done.is_ok());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not lead to a mutex",
    note = "use `read_slice` or `write_slice` for reader-writer locks"
)]
pub trait Handle<'a> {
    /// The mutex.
    type Lock: Lockable + ?Sized + 'a;

    /// The mutex.
    fn lock_ref(self) -> &'a Self::Lock;
}

/// A reference to a reader-writer lock, or to something that points to one.
///
/// # Examples
/// ```
/// use lockdep::ordered::{RwHandle, RwLockable};
/// use lockdep::sync::RwLock;
///
/// fn is_free<'a>(lock: impl RwHandle<'a>) -> bool {
///     lock.lock_ref().try_acquire_write().is_some()
/// }
///
/// assert!(is_free(&Box::new(RwLock::new(1))));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not lead to a reader-writer lock",
    note = "use `lock_slice` for mutexes"
)]
pub trait RwHandle<'a> {
    /// The lock.
    type Lock: RwLockable + ?Sized + 'a;

    /// The lock.
    fn lock_ref(self) -> &'a Self::Lock;
}

macro_rules! pointers {
    ($($handle:ident: $($pointer:ty),*;)*) => {$($(
        impl<'a, H: ?Sized> $handle<'a> for $pointer
        where
            &'a H: $handle<'a>,
        {
            type Lock = <&'a H as $handle<'a>>::Lock;

            fn lock_ref(self) -> &'a Self::Lock {
                let target: &'a H = self;
                target.lock_ref()
            }
        }
    )*)*};
}
pointers! {
    Handle: &&'a H, &'a Box<H>, &'a Rc<H>, &'a Arc<H>;
    RwHandle: &&'a H, &'a Box<H>, &'a Rc<H>, &'a Arc<H>;
}

/// Locks with the interface of `std`'s; `$key` and `$quick` tell a lock's place in the order, `$acquire`
/// is the method that locks a mutex.
macro_rules! std_locks {
    ($sync:ident, $acquire:ident, |$lock:ident| $key:expr, $quick:expr) => {
        impl<T: ?Sized> Lockable for $sync::Mutex<T> {
            type Locked<'a>
                = LockResult<$sync::MutexGuard<'a, T>>
            where
                T: 'a;

            #[inline]
            fn order_key(&self) -> OrderKey {
                let $lock = self;
                $key
            }

            #[inline(always)]
            fn quick_key(&self) -> u64 {
                let $lock = self;
                $quick
            }

            #[inline(always)]
            #[track_caller]
            fn acquire(&self) -> Self::Locked<'_> {
                self.$acquire()
            }

            #[inline]
            #[track_caller]
            fn try_acquire(&self) -> Option<Self::Locked<'_>> {
                unless_held(self.try_lock())
            }
        }

        impl<T: ?Sized> RwLockable for $sync::RwLock<T> {
            type Read<'a>
                = LockResult<$sync::RwLockReadGuard<'a, T>>
            where
                T: 'a;
            type Write<'a>
                = LockResult<$sync::RwLockWriteGuard<'a, T>>
            where
                T: 'a;

            #[inline]
            fn order_key(&self) -> OrderKey {
                let $lock = self;
                $key
            }

            #[inline(always)]
            fn quick_key(&self) -> u64 {
                let $lock = self;
                $quick
            }

            #[inline(always)]
            #[track_caller]
            fn acquire_read(&self) -> Self::Read<'_> {
                self.read()
            }

            #[inline]
            #[track_caller]
            fn try_acquire_read(&self) -> Option<Self::Read<'_>> {
                unless_held(self.try_read())
            }

            #[inline(always)]
            #[track_caller]
            fn acquire_write(&self) -> Self::Write<'_> {
                self.write()
            }

            #[inline]
            #[track_caller]
            fn try_acquire_write(&self) -> Option<Self::Write<'_>> {
                unless_held(self.try_write())
            }
        }

        impl<'a, T: ?Sized> Handle<'a> for &'a $sync::Mutex<T> {
            type Lock = $sync::Mutex<T>;

            fn lock_ref(self) -> &'a $sync::Mutex<T> {
                self
            }
        }

        impl<'a, T: ?Sized> RwHandle<'a> for &'a $sync::RwLock<T> {
            type Lock = $sync::RwLock<T>;

            fn lock_ref(self) -> &'a $sync::RwLock<T> {
                self
            }
        }
    };
}

std_locks!(std_sync, lock, |lock| OrderKey::of_address(lock), key::quick_address(lock));
#[cfg(feature = "instrument")]
std_locks!(
    own_sync,
    lock_in_place,
    |lock| OrderKey::numbered(lock.number(), lock),
    lock.known_number()
);

/// A poisoned lock is taken all the same, and says so.
fn unless_held<G>(tried: TryLockResult<G>) -> Option<LockResult<G>> {
    match tried {
        Ok(guard) => Some(Ok(guard)),
        Err(TryLockError::Poisoned(poisoned)) => Some(Err(poisoned)),
        Err(TryLockError::WouldBlock) => None,
    }
}
