//! What programs declare about the order of their locks, as constants, and the list of all that.
//!
//! A declaration adds itself, possibly before `main`, without allocating or locking.

use std::panic::Location;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicPtr};

use crate::model::lock::{LockType, Site};
use crate::model::tag::LockTag;
use crate::observer::declarations;

/// A place that locks are declared to be in: a field of a struct, or a static.
///
/// # Examples
/// ```
/// use lockdep::order::Lock;
/// use lockdep::sync::Mutex;
///
/// static AUDIT: Mutex<u32> = Mutex::new(0);
///
/// const LOCKS: &[Lock] = &[
///     Lock::field("app::Bank", "Bank.accounts"),
///     Lock::of_static("AUDIT", &AUDIT).with_rank(20),
/// ];
/// assert_eq!(format!("{LOCKS:?}"), "[Bank.accounts, AUDIT]");
/// ```
#[derive(Clone, Copy)]
pub struct Lock {
    /// The path of the struct; empty for a static.
    pub(crate) owner: &'static str,
    /// `Bank.accounts` or `REGISTRY`.
    pub(crate) name: &'static str,
    pub(crate) rank: Option<(i64, Site)>,
    pub(crate) site: Site,
    /// The static, which tells it from others of its name.
    pub(crate) of: Option<&'static (dyn Locks + Sync)>,
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Lock {
    /// A field of the struct with this path, called `Struct.field`, declared where this is called.
    #[track_caller]
    pub const fn field(owner: &'static str, name: &'static str) -> Lock {
        Lock { owner, name, rank: None, site: Location::caller(), of: None }
    }

    /// A static, declared where this is called.
    #[track_caller]
    pub const fn of_static(name: &'static str, lock: &'static (dyn Locks + Sync)) -> Lock {
        Lock { owner: "", name, rank: None, site: Location::caller(), of: Some(lock) }
    }

    /// A field of another declaration, by its name in `Struct.field`.
    ///
    /// # Panics
    /// If there is none: at compile time, as all declarations are constants.
    pub const fn of_order(order: &Order, field: &str) -> Lock {
        let mut at = 0;
        while at < order.locks.len() {
            if ends_with_field(order.locks[at].name, field) {
                return order.locks[at];
            }
            at += 1;
        }
        panic!(
            "this field has no place: name it in the `lock_order` of its struct, or give it a rank"
        )
    }

    /// Adds a rank, declared where this is called.
    #[must_use]
    #[track_caller]
    pub const fn with_rank(self, rank: i64) -> Lock {
        Lock { rank: Some((rank, Location::caller())), ..self }
    }
}

/// Whether `name` is `….field`.
const fn ends_with_field(name: &str, field: &str) -> bool {
    let (name, field) = (name.as_bytes(), field.as_bytes());
    if name.len() <= field.len() || name[name.len() - field.len() - 1] != b'.' {
        return false;
    }
    let mut at = 0;
    while at < field.len() {
        if name[name.len() - field.len() + at] != field[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// An order between places.
///
/// # Examples
/// ```
/// use std::panic::Location;
///
/// use lockdep::order::{Lock, Order};
///
/// /// `Bank.accounts` before `Bank.audit`.
/// static ORDER: Order = Order::new(
///     &[Lock::field("app::Bank", "Bank.accounts"), Lock::field("app::Bank", "Bank.audit")],
///     &[(0, 1, Location::caller())],
/// );
///
/// /// An order between structs names the fields of others.
/// const AUDIT: Lock = Lock::of_order(&ORDER, "audit");
/// assert_eq!(format!("{AUDIT:?}"), "Bank.audit");
/// ```
#[derive(Debug)]
pub struct Order {
    pub(crate) locks: &'static [Lock],
    /// Which of `locks` comes before which, and where that is written.
    pub(crate) orders: &'static [(usize, usize, Site)],
}

impl Order {
    /// The first of each pair, which are numbers of `locks`, comes before the second.
    pub const fn new(locks: &'static [Lock], orders: &'static [(usize, usize, Site)]) -> Order {
        Order { locks, orders }
    }
}

/// An entry of the process's list of declared orders.
///
/// # Examples
/// What `lock_order!` writes for two statics, by hand:
///
/// ```
/// use std::panic::Location;
///
/// use lockdep::order::{Declaration, Lock, Order};
/// use lockdep::sync::Mutex;
///
/// static REGISTRY: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// static AUDIT: Mutex<u32> = Mutex::new(0);
///
/// static ORDER: Order = Order::new(
///     &[Lock::of_static("REGISTRY", &REGISTRY), Lock::of_static("AUDIT", &AUDIT)],
///     &[(0, 1, Location::caller())],
/// );
/// static DECLARATION: Declaration = Declaration::new(&ORDER);
///
/// DECLARATION.add();
/// let audit = AUDIT.lock();
/// let registry = REGISTRY.lock();
/// # #[cfg(feature = "instrument")]
/// assert_eq!(lockdep::findings()[0].rule, lockdep::finding::Rule::DeclaredOrder);
/// ```
#[derive(Debug)]
pub struct Declaration {
    pub(crate) order: &'static Order,
    next: AtomicPtr<Declaration>,
    is_added: AtomicBool,
}

impl Declaration {
    /// A declaration that is not in the list yet.
    pub const fn new(order: &'static Order) -> Declaration {
        Declaration {
            order,
            next: AtomicPtr::new(ptr::null_mut()),
            is_added: AtomicBool::new(false),
        }
    }

    /// Adds it to the list; it may be before `main`.
    pub fn add(&'static self) {
        if !self.is_added.swap(true, Relaxed) {
            declarations::add_declaration(self);
        }
    }

    pub(crate) fn link(&self, next: *mut Declaration) {
        self.next.store(next, Relaxed);
    }

    /// The one that was added before this.
    pub(crate) fn next(&self) -> Option<&'static Declaration> {
        // SAFETY: only `link` stores here, before the declaration is handed to others, and what it
        // stores was a `&'static Declaration`.
        unsafe { self.next.load(Relaxed).as_ref() }
    }
}

/// A declared place that values put locks in, with the class that those locks have.
#[derive(Debug)]
pub(crate) struct PlaceClass {
    pub(crate) order: &'static Order,
    pub(crate) index: usize,
    /// The class of the locks of one type; there is another type only in a generic struct.
    pub(crate) class: OnceLock<(usize, u32)>,
    /// The class is known to have more than one lock.
    pub(crate) is_many: AtomicBool,
}

impl PlaceClass {
    /// The place of `order.locks[index]`.
    pub(crate) const fn new(order: &'static Order, index: usize) -> PlaceClass {
        PlaceClass { order, index, class: OnceLock::new(), is_many: AtomicBool::new(false) }
    }
}

/// A lock, or something that leads to locks.
///
/// # Examples
/// A type around a lock leads to that lock:
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use lockdep::assert_held;
/// use lockdep::instrument::{LockTag, LockType};
/// use lockdep::order::Locks;
/// use lockdep::sync::Mutex;
///
/// struct Shared<T>(Mutex<T>);
///
/// impl<T> Locks for Shared<T> {
///     fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
///         self.0.each_lock(visit)
///     }
/// }
///
/// let shared = Shared(Mutex::new(1));
/// let guard = shared.0.lock().unwrap();
/// assert_held!(shared);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no lock whose order can be declared",
    label = "not a lock",
    note = "it must be a `Mutex` or `RwLock` of `lockdep`, `std` or (feature `parking_lot`) \
            `parking_lot`, a `Semaphore`, or a `Box`, `Arc`, `Rc`, `Vec`, array, slice, `Option`, \
            `LazyLock` or `OnceLock` of them"
)]
pub trait Locks {
    /// Visits the tag of each lock that is watched; `false` if a lock is still to be made, by the
    /// first use of a `LazyLock` for instance. It must lock nothing, wait for nothing and call nothing else of this crate.
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool;
}

/// What was declared before `main`, or since: the newest first.
static DECLARATIONS: AtomicPtr<Declaration> = AtomicPtr::new(ptr::null_mut());

/// Adds a declaration, which is added once. It may be before `main`: nothing is allocated here, and
/// no thread-local is used.
pub(crate) fn add_declaration(new: &'static Declaration) {
    let mut newest = DECLARATIONS.load(Relaxed);
    loop {
        new.link(newest);
        let this = ptr::from_ref(new).cast_mut();
        match DECLARATIONS.compare_exchange_weak(newest, this, Release, Relaxed) {
            Ok(_) => return,
            Err(now) => newest = now,
        }
    }
}

/// The newest declaration, which leads to all others.
pub(crate) fn declarations() -> Option<&'static Declaration> {
    // SAFETY: only `add_declaration` stores here, and it takes a `&'static Declaration`.
    unsafe { DECLARATIONS.load(Acquire).as_ref() }
}
