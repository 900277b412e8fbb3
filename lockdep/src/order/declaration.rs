//! What a declaration is made of: the macros write it as constants.

use std::panic::Location;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicPtr};

use super::Locks;
use crate::instrument::{LockType, Site};
use crate::process::{self, observe};

/// A place that locks are declared to be in: a field of a struct, or a static.
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

    /// The same with a rank, declared where this is called.
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

/// An order that the process is told of.
#[derive(Debug)]
pub struct Declaration {
    pub(crate) order: &'static Order,
    next: AtomicPtr<Declaration>,
    is_added: AtomicBool,
}

impl Declaration {
    /// A declaration that nobody knows of yet.
    pub const fn new(order: &'static Order) -> Declaration {
        Declaration {
            order,
            next: AtomicPtr::new(ptr::null_mut()),
            is_added: AtomicBool::new(false),
        }
    }

    /// Tells the process; it may be before `main`.
    pub fn add(&'static self) {
        if !self.is_added.swap(true, Relaxed) {
            process::add_declaration(self);
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

/// A place that values put locks in, with what is the same for all of them.
#[derive(Debug)]
pub struct Place {
    order: &'static Order,
    index: usize,
    /// The class of the locks of one type; there is another type only in a generic struct.
    class: OnceLock<(usize, u32)>,
    /// The class is known to have more than one lock.
    is_many: AtomicBool,
}

impl Place {
    /// The place of `order.locks[index]`.
    pub const fn new(order: &'static Order, index: usize) -> Place {
        Place { order, index, class: OnceLock::new(), is_many: AtomicBool::new(false) }
    }

    /// Puts the locks that `locks` leads to in this place.
    #[inline]
    pub fn put<L: Locks + ?Sized>(&'static self, locks: &L) {
        locks.each_lock(&mut |tag, ty| tag.declare(ty, self, None));
    }

    /// The same, with the key that orders them among the locks of the place.
    #[inline]
    pub fn put_with_key<L: Locks + ?Sized>(&'static self, locks: &L, key: u64) {
        locks.each_lock(&mut |tag, ty| tag.declare(ty, self, Some(key)));
    }

    /// The class of one more lock of this type in this place.
    pub(crate) fn class(&'static self, ty: &'static LockType) -> u32 {
        let address = ptr::from_ref(ty).addr();
        let known = self.class.get().filter(|(ty, _)| *ty == address);
        if let Some(&(_, class)) = known
            && self.is_many.load(Relaxed)
        {
            return class;
        }
        let (class, is_many) = observe(|o| {
            let class = o.place_class(&self.order.locks[self.index], ty.kind(), ty.name());
            let is_many = o.met(class);
            if is_many {
                o.many(class);
            }
            (class, is_many)
        });
        if known.is_some() || self.class.set((address, class)).is_ok() {
            self.is_many.store(is_many, Relaxed);
        }
        class
    }
}
