//! Which locks are in which place.

use std::panic::Location;
use std::sync::{Arc, LazyLock as StdLazyLock};

use lockdep::finding::Rule;
use lockdep::order::{Declaration, Lock, LockOrder, Locks, Order};
use lockdep::sync::{LazyLock, Mutex, OnceLock, RwLock, Semaphore};
use lockdep::{lock_all, lock_order, lock_rank, parking_lot};

use super::{Bank, declared};
use crate::isolated::{found, run};

mod registry {
    use super::Mutex;

    pub(crate) static REGISTRY: Mutex<u8> = Mutex::new(0);
}

static ACCOUNT: Mutex<u8> = Mutex::new(0);
static AUDIT: RwLock<u8> = RwLock::new(0);
static LAZY: LazyLock<Mutex<u8>> = LazyLock::new(|| Mutex::new(0));
static STD_LAZY: StdLazyLock<Mutex<u8>> = StdLazyLock::new(|| Mutex::new(0));
static ONCE: OnceLock<Mutex<u8>> = OnceLock::new();
static MANY: [Mutex<u8>; 3] = [const { Mutex::new(0) }; 3];

lock_order! { registry::REGISTRY < ACCOUNT < AUDIT, AUDIT < LAZY < (ONCE, MANY), LAZY < STD_LAZY }
lock_order! { AUDIT < Bank.accounts, Bank.audit < MANY, <Generic<u8>>.first < Bank.accounts }

#[lock_rank(10)]
static TEN: Mutex<u8> = Mutex::new(0);
#[lock_rank(20)]
static TWENTY: Mutex<u8> = Mutex::new(0);
#[lock_rank(20)]
static ALSO_TWENTY: Mutex<u8> = Mutex::new(0);

#[derive(Default, LockOrder)]
struct Ranked {
    #[lock_rank(-5)]
    low: Mutex<u8>,
    #[lock_rank(15)]
    high: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_order(first < second)]
struct Generic<T: Clone>
where
    T: Default,
{
    first: Box<Mutex<T>>,
    second: Vec<Arc<Mutex<T>>>,
}

#[derive(LockOrder)]
#[lock_order(1 < 0)]
struct Tail<T: ?Sized>(Option<Mutex<u8>>, Mutex<T>);

/// Fields and names from elsewhere, in a struct without access to unsafe code.
macro_rules! in_a_macro {
    ($name:ident: $first:ident, $second:ident; $id:ident) => {
        #[forbid(unsafe_code)]
        mod made {
            use super::*;

            #[derive(Default, LockOrder)]
            #[lock_order($first < $second)]
            #[lock_key($id)]
            pub(super) struct $name {
                pub(super) $id: u8,
                pub(super) $first: Mutex<u8>,
                pub(super) $second: Mutex<u8>,
            }

            lock_order! { $name.$second < TEN }
        }
    };
}
in_a_macro!(Made: a, b; id);

/// Holds the first while it takes the second, and tells how many findings that gave.
fn under<A, B>(held: &Mutex<A>, asked: &Mutex<B>) -> usize
where
    A: ?Sized,
    B: ?Sized,
{
    let before = declared().len();
    let _held = held.lock().unwrap();
    drop(asked.lock().unwrap());
    declared().len() - before
}

#[test]
fn statics_have_their_places_from_the_beginning() {
    fn body() {
        assert_eq!(under(&registry::REGISTRY, &ACCOUNT), 0);
        assert_eq!(under(&ACCOUNT, &registry::REGISTRY), 1);
        let _audit = AUDIT.read().unwrap();
        drop(ACCOUNT.lock().unwrap());
        assert_eq!(declared().len(), 2);
    }
    run("order::places::statics_have_their_places_from_the_beginning", body).well();
}

#[test]
fn lazy_statics_have_their_places_once_they_are_made() {
    fn body() {
        assert_eq!(under(&registry::REGISTRY, &ACCOUNT), 0);
        assert_eq!(under(&LAZY, &ACCOUNT), 1);
        assert_eq!(under(&STD_LAZY, &LAZY), 1);
        let once = ONCE.get_or_init(|| Mutex::new(1));
        assert_eq!(under(once, &LAZY), 1);
        assert_eq!(under(&MANY[2], &LAZY), 1);
        assert_eq!(under(&MANY[1], once), 0, "they have no order");
        assert_eq!(under(&MANY[0], &MANY[1]), 0);
    }
    run("order::places::lazy_statics_have_their_places_once_they_are_made", body).well();
}

#[test]
fn ranks_are_of_the_whole_process() {
    fn body() {
        let ranked = Ranked::default().in_order();
        assert_eq!(under(&TEN, &TWENTY), 0);
        assert_eq!(under(&TWENTY, &ALSO_TWENTY), 0, "equals have no order");
        assert_eq!(under(&ALSO_TWENTY, &TWENTY), 0);
        assert_eq!(under(&ranked.low, &TEN), 0);
        assert_eq!(under(&TEN, &ranked.low), 1);
        assert_eq!(under(&TEN, &ranked.high), 0);
        assert_eq!(under(&ALSO_TWENTY, &ranked.high), 1);
        let message = declared()[1].message();
        assert!(message.contains(", of rank 15, while it holds "), "{message}");
        assert!(message.ends_with(", of rank 20: lesser ranks come first"), "{message}");
        assert_eq!(declared()[1].sites.len(), 2);
        // The opposite orders of the equals are still orders.
        assert!(found().iter().any(|(rule, _)| *rule == Rule::LockOrder));
    }
    run("order::places::ranks_are_of_the_whole_process", body).well();
}

#[test]
fn declarations_in_several_places_are_one_order() {
    fn body() {
        let bank = Bank::default().in_order();
        assert_eq!(under(&bank.accounts, &registry::REGISTRY), 1);
        let steps = declared()[0].sites.len();
        assert_eq!(steps, 3, "the steps are told, each with its place");
        assert_eq!(under(&MANY[0], &bank.accounts), 1);
        let generic = Generic { first: Box::default(), second: vec![Arc::new(Mutex::new(3_u8))] };
        let generic = generic.in_order();
        assert_eq!(under(&bank.audit, &generic.first), 1);
    }
    run("order::places::declarations_in_several_places_are_one_order", body).well();
}

#[test]
fn what_leads_to_locks_is_followed_in_any_struct() {
    fn body() {
        let small = Generic { first: Box::default(), second: vec![Arc::new(Mutex::new(3_u8))] };
        let small = small.in_order();
        let first = String::from("of another type");
        let large = Generic { first: Box::new(Mutex::new(first)), second: vec![Arc::default()] };
        let large = large.in_order();
        assert_eq!(under(&small.first, &small.second[0]), 0);
        assert_eq!(under(&small.second[0], &small.first), 1);
        let made = made::Made { id: 1, ..Default::default() }.in_order();
        assert_eq!(under(&made.b, &made.a), 1);
        assert_eq!(under(&TEN, &made.b), 1);
        assert_eq!(under(&large.second[0], &large.first), 1);
        let tail: Box<Tail<[u8]>> = Box::new(Tail(Some(Mutex::new(1)), Mutex::new([1, 2])));
        tail.place_locks();
        let head = tail.0.as_ref().unwrap();
        assert_eq!(under(&tail.1, head), 0);
        assert_eq!(under(head, &tail.1), 1);
    }
    run("order::places::what_leads_to_locks_is_followed_in_any_struct", body).well();
}

#[test]
fn a_lock_without_a_known_place_is_silent() {
    fn body() {
        // Never put in order.
        let bank = Bank::default();
        assert_eq!(under(&bank.audit, &bank.accounts), 0);
        // Put in order after it was used.
        let late = Bank::default();
        drop(late.accounts.lock().unwrap());
        let late = late.in_order();
        assert_eq!(under(&late.audit, &late.accounts), 0);
        // One of the two has a place.
        let other = Bank::default().in_order();
        assert_eq!(under(&other.audit, &bank.accounts), 0);
        assert_eq!(under(&other.audit, &other.accounts), 1);
    }
    run("order::places::a_lock_without_a_known_place_is_silent", body).well();
}

#[test]
fn several_at_once_are_taken_in_the_declared_order() {
    fn body() {
        let bank = Bank::default().in_order();
        let generic = Generic { first: Box::default(), second: vec![Arc::new(Mutex::new(3_u8))] };
        let generic = generic.in_order();
        let _all = lock_all!(
            MANY[0],
            bank.audit,
            TWENTY,
            generic.second[0],
            bank.accounts,
            TEN,
            AUDIT.write(),
            *generic.first,
            registry::REGISTRY
        );
        assert!(declared().is_empty(), "{:?}", declared());
    }
    run("order::places::several_at_once_are_taken_in_the_declared_order", body).well();
}

#[test]
fn contradicting_declarations_are_a_finding() {
    fn body() {
        static A: Mutex<u8> = Mutex::new(0);
        static B: Mutex<u8> = Mutex::new(0);
        static LOCKS: [Lock; 2] = [Lock::of_static("A", &A), Lock::of_static("B", &B)];
        const HERE: &Location<'_> = Location::caller();
        const THERE: &Location<'_> = Location::caller();
        static ONE: Order = Order::new(&LOCKS, &[(0, 1, HERE)]);
        static OTHER: Order = Order::new(&LOCKS, &[(1, 0, THERE)]);
        static DECLARATIONS: [Declaration; 2] = [Declaration::new(&ONE), Declaration::new(&OTHER)];
        for declaration in &DECLARATIONS {
            declaration.add();
            declaration.add();
            drop(A.lock().unwrap());
        }
        drop(Mutex::new(0).lock().unwrap());
        assert_eq!(under(&A, &B), 0);
        assert_eq!(under(&B, &A), 1, "the first of the two counts");
        let findings = declared();
        assert_eq!(findings.len(), 2);
        assert_eq!(
            findings[0].message(),
            "the declared orders contradict each other: A before B and B before A; the last one is \
             left out"
        );
        assert_eq!(findings[0].sites.len(), 2);
    }
    run("order::places::contradicting_declarations_are_a_finding", body).well();
}

/// Locks of `std` can be declared, and are not watched.
#[test]
fn locks_of_std_can_be_declared() {
    #[derive(LockOrder)]
    #[lock_order(a < b)]
    struct Std {
        a: std::sync::Mutex<u8>,
        b: std::sync::RwLock<u8>,
    }
    let std = Std { a: std::sync::Mutex::new(1), b: std::sync::RwLock::new(2) }.in_order();
    let mut seen = 0;
    assert!(std.a.each_lock(&mut |_, _| seen += 1) && std.b.each_lock(&mut |_, _| seen += 1));
    assert_eq!(seen, 0);
}

/// Locks of `parking_lot`, watched and not, and semaphores.
#[derive(LockOrder)]
#[lock_order(permit < permits < mutex < (rwlock, reentrant, fair) < theirs)]
struct OtherKinds {
    permit: Semaphore,
    permits: Semaphore,
    mutex: parking_lot::Mutex<u8>,
    rwlock: Box<parking_lot::RwLock<u8>>,
    reentrant: parking_lot::ReentrantMutex<u8>,
    fair: parking_lot::FairMutex<u8>,
    theirs: [::parking_lot::Mutex<u8>; 2],
}

#[test]
fn locks_of_other_kinds_have_places() {
    fn body() {
        let made = OtherKinds {
            permit: Semaphore::new(1),
            permits: Semaphore::new(2),
            mutex: parking_lot::Mutex::new(0),
            rwlock: Box::new(parking_lot::RwLock::new(0)),
            reentrant: parking_lot::ReentrantMutex::new(0),
            fair: parking_lot::FairMutex::new(0),
            theirs: [const { ::parking_lot::Mutex::new(0) }; 2],
        };
        let made = made.in_order();
        {
            let _permit = made.permit.acquire().unwrap();
            let _permits = made.permits.acquire().unwrap();
            let _mutex = made.mutex.lock();
            let _rwlock = made.rwlock.read();
            lockdep::assert_held!(made.rwlock);
            lockdep::assert_not_held!(made.fair);
            let _reentrant = made.reentrant.lock();
            let _theirs = made.theirs[0].lock();
        }
        assert!(found().is_empty(), "{:?}", found());
        let against = |ask: &dyn Fn()| {
            let before = declared().len();
            ask();
            declared().len() - before
        };
        let mutex = made.mutex.lock();
        assert_eq!(against(&|| drop(made.permit.acquire())), 1);
        // Orders of several permits are not known.
        assert_eq!(against(&|| drop(made.permits.acquire())), 0);
        drop(mutex);
        let rwlock = made.rwlock.write();
        assert_eq!(against(&|| drop(made.mutex.lock())), 1);
        drop(rwlock);
        let reentrant = made.reentrant.lock();
        assert_eq!(against(&|| drop(made.mutex.lock())), 1);
        drop(reentrant);
        let fair = made.fair.lock();
        assert_eq!(against(&|| drop(made.permit.acquire())), 1);
        drop(fair);
        let message = declared()[1].message();
        assert!(message.contains("OtherKinds.mutex"), "{message}");
    }
    run("order::places::locks_of_other_kinds_have_places", body).well();
}
