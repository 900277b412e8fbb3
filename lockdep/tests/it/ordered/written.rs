//! What `lock_all!` accepts, and what it gives back.

use std::cell::RefCell;
use std::fmt::Debug;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, LockResult, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lockdep::ordered::{
    self, Lockable, lock_pair, lock_slice, lock_slice_for, lock_slice_unique, read_slice,
    try_lock_slice, write_slice,
};
use lockdep::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use lockdep::{lock_all, lock_all_backoff, lock_all_for, lock_all_unique, try_lock_all};

struct Bank {
    accounts: Vec<Mutex<i64>>,
    log: RwLock<Vec<&'static str>>,
}

impl Bank {
    fn new() -> Bank {
        Bank { accounts: (0..4).map(Mutex::new).collect(), log: RwLock::default() }
    }

    fn account(&self, index: usize) -> &Mutex<i64> {
        &self.accounts[index]
    }

    /// Not a way to lock, for all its name.
    fn read(&self) -> &Mutex<i64> {
        &self.accounts[0]
    }

    fn guards(&self) -> (LockResult<MutexGuard<'_, i64>>, LockResult<MutexGuard<'_, i64>>) {
        lock_all!(self.account(3), self.accounts[1])
    }
}

#[test]
fn guards_have_their_own_types_in_the_order_written() {
    let bank = Bank::new();
    let first: RwLock<u8> = RwLock::new(7);
    let foreign: parking_lot::Mutex<char> = parking_lot::Mutex::new('x');
    let theirs: parking_lot::RwLock<&str> = parking_lot::RwLock::new("y");
    let plain: std::sync::Mutex<f32> = std::sync::Mutex::new(0.5);
    let (log, read, account, foreign, theirs, plain) = lock_all!(
        bank.log.write(),
        first.read(),
        bank.accounts[2],
        foreign,
        theirs.write(),
        plain.lock()
    );
    let log: LockResult<RwLockWriteGuard<'_, Vec<&str>>> = log;
    let read: LockResult<RwLockReadGuard<'_, u8>> = read;
    let account: LockResult<MutexGuard<'_, i64>> = account;
    let foreign: parking_lot::MutexGuard<'_, char> = foreign;
    let theirs: parking_lot::RwLockWriteGuard<'_, &str> = theirs;
    let plain: LockResult<std::sync::MutexGuard<'_, f32>> = plain;
    assert!(log.expect("not poisoned").is_empty());
    assert_eq!(*read.expect("not poisoned"), 7);
    assert_eq!(*account.expect("not poisoned"), 2);
    assert_eq!((*foreign, *theirs), ('x', "y"));
    assert!(*plain.expect("not poisoned") > 0.0);
}

#[test]
fn any_expression_that_leads_to_a_lock() {
    static GLOBAL: Mutex<u8> = Mutex::new(1);
    static LAZY: LazyLock<Mutex<u8>> = LazyLock::new(|| Mutex::new(2));
    let bank = Bank::new();
    let (shared, boxed, counted) =
        (Arc::new(Mutex::new(3)), Box::new(Mutex::new(4)), Rc::new(Mutex::new(5)));
    let reference = &&boxed;
    let index = RefCell::new(0);
    let (a, b, c, d, e, f, g) = lock_all!(
        GLOBAL.lock().unwrap(),
        LAZY.lock().unwrap(),
        shared.lock().unwrap(),
        (***reference).lock().unwrap(),
        counted.lock().unwrap_or_else(PoisonError::into_inner),
        bank.account({
            *index.borrow_mut() += 1;
            1
        }),
        (bank.read()),
    );
    assert_eq!((*a, *b, *c, *d, *e), (1, 2, 3, 4, 5));
    assert_eq!((*f.expect("not poisoned"), *g.expect("not poisoned")), (1, 0));
    assert_eq!(index.into_inner(), 1, "each expression is evaluated once");
    let (three, one) = bank.guards();
    assert_eq!((*three.expect("not poisoned"), *one.expect("not poisoned")), (3, 1));
}

#[test]
fn expressions_are_evaluated_from_left_to_right_before_anything_is_locked() {
    let locks: [Mutex<u8>; 3] = [0, 1, 2].map(Mutex::new);
    let seen = RefCell::new(Vec::new());
    let pick = |index: usize| {
        assert!(locks.iter().all(|lock| lock.try_lock().is_ok()));
        seen.borrow_mut().push(index);
        &locks[index]
    };
    let (c, a, b) = lock_all!(pick(2), pick(0), pick(1));
    assert_eq!(*seen.borrow(), [2, 0, 1]);
    let values = [c, a, b].map(|guard| *guard.expect("not poisoned"));
    assert_eq!(values, [2, 0, 1]);
}

#[test]
fn names_of_the_expansion_do_not_meet_those_of_the_user() {
    let (requests, taken_0, error, timeout) =
        (Mutex::new(1), Mutex::new(2), Mutex::new(3), Duration::from_secs(60));
    let (a, b, c) = lock_all_for!(
        timeout,
        requests.lock().unwrap(),
        taken_0.lock().unwrap_or_else(|error| error.into_inner()),
        error.lock().unwrap()
    )
    .expect("all are free");
    assert_eq!((*a, *b, *c), (1, 2, 3));
}

#[test]
fn unsized_and_generic_locks() {
    fn sum<L>(one: &L, other: &RwLock<dyn Debug + '_>) -> String
    where
        L: for<'a> Lockable<Locked<'a>: Debug>,
    {
        let (one, other) = lock_all!(one, other.read());
        format!("{} {:?}", format!("{one:?}").len(), &*other.expect("not poisoned"))
    }
    let slice: &Mutex<[u8]> = &Mutex::new([1, 2, 3]);
    let shown: &RwLock<dyn Debug> = &RwLock::new("dyn");
    let (bytes, text) = lock_all!(slice.lock().unwrap(), shown.read().unwrap());
    assert_eq!((bytes.len(), format!("{:?}", &*text)), (3, "\"dyn\"".to_owned()));
    drop((bytes, text));
    assert!(sum(&Mutex::new(1), shown).ends_with("\"dyn\""));
}

#[test]
fn in_functions_that_return_early_and_in_async_ones() {
    fn early(a: &Mutex<u8>, b: &Mutex<u8>) -> Option<u8> {
        let (a, b) = try_lock_all!(a.lock().unwrap(), b.lock().unwrap()).ok()?;
        Some(*a + *b)
    }
    fn question<'a>(
        a: &'a Mutex<u8>,
        b: &'a RwLock<u8>,
    ) -> Result<u8, Box<dyn std::error::Error + 'a>> {
        let (a, b) = lock_all!(a.lock()?, b.write()?);
        Ok(*a + *b)
    }
    async fn index() -> usize {
        1
    }
    async fn later(locks: &[Mutex<u8>]) -> u8 {
        let sum = {
            let (a, b) = lock_all!(locks[index().await].lock().unwrap(), locks[0].lock().unwrap());
            *a + *b
        };
        sum + index().await as u8
    }
    let (locks, other) = ([1, 2].map(Mutex::new), RwLock::new(3));
    assert_eq!(early(&locks[0], &locks[1]), Some(3));
    assert_eq!(question(&locks[0], &other).expect("not poisoned"), 4);
    let future = pin!(later(&locks));
    assert_eq!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(4));
    let held = locks[1].lock();
    assert_eq!(early(&locks[0], &locks[1]), None);
    drop(held);
}

#[test]
fn one_lock_and_many() {
    let locks: Vec<Mutex<usize>> = (0..12).map(Mutex::new).collect();
    let (only,) = lock_all!(locks[7]);
    assert_eq!(*only.expect("not poisoned"), 7);
    let all = lock_all!(
        locks[0], locks[1], locks[2], locks[3], locks[4], locks[5], locks[6], locks[8], locks[9],
        locks[10], locks[11],
    );
    assert_eq!(*all.10.expect("not poisoned"), 11);
}

#[test]
fn slices_of_locks_and_of_pointers_to_locks() {
    let locks: Vec<Arc<Mutex<u8>>> = (0..5).map(|n| Arc::new(Mutex::new(n))).collect();
    let mixed = [&locks[3], &locks[1], &locks[4]];
    let values = |guards: Vec<LockResult<MutexGuard<'_, u8>>>| -> Vec<u8> {
        guards.into_iter().map(|guard| *guard.expect("not poisoned")).collect()
    };
    assert_eq!(values(lock_slice(mixed)), [3, 1, 4]);
    assert_eq!(values(lock_slice(&mixed)), [3, 1, 4]);
    assert_eq!(values(lock_slice(&locks)), [0, 1, 2, 3, 4]);
    assert!(lock_slice(&[] as &[Mutex<u8>]).is_empty());
    assert_eq!(values(try_lock_slice(&mixed).expect("all are free")), [3, 1, 4]);
    assert_eq!(values(lock_slice_for(&mixed, Duration::MAX).expect("all are free")), [3, 1, 4]);

    let twice = [&locks[3], &locks[1], &locks[3]];
    let unique = lock_slice_unique(&twice);
    assert_eq!(unique.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);

    let shared: Vec<RwLock<u8>> = (0..3).map(RwLock::new).collect();
    let (first, second) = (read_slice(&shared), shared[0].try_read());
    assert!(second.is_ok());
    drop((first, second));
    let write = write_slice(&shared);
    assert!(shared[2].try_read().is_err());
    drop(write);
}

#[test]
fn pairs_of_different_locks() {
    let (own, foreign) = (Arc::new(Mutex::new(1)), parking_lot::Mutex::new("two"));
    let (a, b) = lock_pair(&own, &foreign);
    assert_eq!((*a.expect("not poisoned"), *b), (1, "two"));
}

#[test]
fn a_lock_of_the_users_own() {
    struct Numbered(u64, parking_lot::Mutex<()>);

    impl Lockable for Numbered {
        type Locked<'a> = parking_lot::MutexGuard<'a, ()>;

        fn order_key(&self) -> ordered::OrderKey {
            ordered::OrderKey::declared(self.0)
        }

        fn acquire(&self) -> Self::Locked<'_> {
            self.1.lock()
        }

        fn try_acquire(&self) -> Option<Self::Locked<'_>> {
            self.1.try_lock()
        }
    }

    // Two of them have the same number, and are taken under a tie lock.
    let locks: Vec<Numbered> =
        [1, 0, 1].map(|number| Numbered(number, parking_lot::Mutex::new(()))).into();
    std::thread::scope(|scope| {
        for (a, b, c) in [(0, 1, 2), (2, 0, 1), (1, 2, 0)] {
            let locks = &locks;
            scope.spawn(move || {
                for _ in 0..1_000 {
                    let guards = lock_all!(locks[a], locks[b], locks[c]);
                    assert!(locks.iter().all(|lock| lock.1.is_locked()));
                    drop(guards);
                }
            });
        }
    });
    let (a, b, c) = lock_all_unique!(locks[0], locks[2], locks[0]);
    assert_eq!([a.is_some(), b.is_some(), c.is_some()], [true, true, false]);
    drop((a, b));
    let (a, b, c) = lock_all_backoff!(locks[0], locks[1], locks[2]);
    drop((a, b, c));
}
