//! What can be said of one side, `std` or `lockdep`, and must be the same of the other: what
//! compiles, and the texts and values that come out.

#![deny(
    unfulfilled_lint_expectations,
    reason = "an `expect` here says that an attribute of std's is there"
)]

use std::any::Any;
use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use super::sync::mpsc::{self, IntoIter, Iter, Receiver, Sender, SyncSender, TryIter};
use super::sync::{
    Arc, Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Once,
    OnceLock, OnceState, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockResult,
    WaitTimeoutResult,
};
use super::thread::{self, Builder, JoinHandle, Scope, ScopedJoinHandle, Thread};

/// Whether a type has a trait: the inherent constant, which is there if it has, goes before the
/// trait's.
macro_rules! has {
    ($type:ty: $bound:path) => {{
        struct Probe<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, reason = "not looked at when the type has the trait")]
        trait Without {
            const HAS: bool = false;
        }
        impl<T: ?Sized> Without for Probe<T> {}
        #[allow(dead_code, reason = "not looked at when the type has not the trait")]
        impl<T: ?Sized + $bound> Probe<T> {
            const HAS: bool = true;
        }
        <Probe<$type>>::HAS
    }};
}

/// The auto traits that each of the types has.
macro_rules! auto_traits_of {
    ($list:ident; $($type:ty),* $(,)?) => {$(
        let mut line = stringify!($type).to_owned();
        for (name, has) in [
            ("Send", has!($type: Send)),
            ("Sync", has!($type: Sync)),
            ("Unpin", has!($type: Unpin)),
            ("UnwindSafe", has!($type: UnwindSafe)),
            ("RefUnwindSafe", has!($type: RefUnwindSafe)),
        ] {
            line.push_str(&format!(" {}{name}", if has { "" } else { "!" }));
        }
        $list.push(line);
    )*};
}

/// A value that another thread may see but not own.
type OnlySync = std::sync::MutexGuard<'static, u8>;

macro_rules! auto_traits_over {
    ($list:ident; $($value:ty),* $(,)?) => {$(
        auto_traits_of!($list;
            Mutex<$value>,
            MutexGuard<'static, $value>,
            RwLock<$value>,
            RwLockReadGuard<'static, $value>,
            RwLockWriteGuard<'static, $value>,
            OnceLock<$value>,
            LazyLock<$value>,
            LazyLock<u8, $value>,
            LazyLock<$value, $value>,
            PoisonError<MutexGuard<'static, $value>>,
            Sender<$value>,
            SyncSender<$value>,
            Receiver<$value>,
            Iter<'static, $value>,
            TryIter<'static, $value>,
            IntoIter<$value>,
            JoinHandle<$value>,
            ScopedJoinHandle<'static, $value>,
        );
    )*};
}

pub(crate) fn auto_traits() -> Vec<String> {
    let mut list = Vec::new();
    auto_traits_of!(list;
        Condvar, WaitTimeoutResult, Once, OnceState, Barrier, BarrierWaitResult,
        Builder, Scope<'static, 'static>, Thread, Mutex<dyn Debug>, Mutex<dyn Debug + Send>,
        RwLock<dyn Debug + Send>, RwLock<dyn Debug + Send + Sync>,
        MutexGuard<'static, dyn Debug + Sync>, RwLockReadGuard<'static, [u8]>,
    );
    auto_traits_over!(list;
        u8, Cell<u8>, Rc<u8>, OnlySync, PhantomPinned, &'static mut u8, &'static Cell<u8>,
        *const u8, fn() -> u8,
    );
    list
}

/// Collects texts, one thing after the other.
struct Texts(Vec<String>);

impl Texts {
    fn debug(&mut self, value: &(impl Debug + ?Sized)) {
        self.0.push(format!("{value:?}"));
        self.0.push(format!("{value:#?}"));
        self.0.push(format!("{value:5.1x?}"));
    }

    fn display(&mut self, value: &(impl Display + ?Sized)) {
        self.0.push(format!("{value}"));
        self.0.push(format!("{value:>8.1}"));
    }
}

/// Runs what must panic, and returns the message.
fn panic_of<R>(run: impl FnOnce() -> R) -> String {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(_) => "no panic".to_owned(),
        Err(payload) => match payload.downcast::<String>() {
            Ok(message) => *message,
            Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_owned(),
        },
    }
}

pub(crate) fn texts() -> Vec<String> {
    let mut texts = Texts(Vec::new());
    of_mutex(&mut texts);
    of_rwlock(&mut texts);
    of_once(&mut texts);
    of_meetings(&mut texts);
    of_channels(&mut texts);
    of_threads(&mut texts);
    texts.0
}

fn of_mutex(texts: &mut Texts) {
    let mutex = Mutex::new(1.25);
    texts.debug(&mutex);
    texts.debug(&(&mutex as &Mutex<dyn Debug>));
    texts.debug(&mutex.lock());
    texts.debug(&mutex.try_lock());
    {
        let guard = mutex.lock().unwrap();
        texts.debug(&mutex);
        texts.debug(&mutex.try_lock());
        texts.display(&mutex.try_lock().unwrap_err());
        texts.debug(&guard);
        texts.display(&guard);
    }
    panic_of(|| {
        let _guard = mutex.lock().unwrap();
        panic!("poison");
    });
    texts.debug(&mutex);
    texts.debug(&mutex.lock());
    texts.debug(&mutex.try_lock());
    texts.display(&mutex.try_lock().unwrap_err());
    {
        let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        texts.debug(&mutex);
        texts.debug(&guard);
    }
    mutex.clear_poison();
    texts.debug(&mutex);
    texts.debug(&Mutex::<u8>::default());
    texts.debug(&Mutex::from("a"));
    texts.debug(&Mutex::new(Mutex::new(())));
}

fn of_rwlock(texts: &mut Texts) {
    let lock = RwLock::new(2.75);
    texts.debug(&lock);
    texts.debug(&lock.read());
    texts.debug(&lock.try_write());
    {
        let guard = lock.read().unwrap();
        texts.debug(&lock);
        texts.debug(&lock.try_write());
        texts.debug(&guard);
        texts.display(&guard);
    }
    {
        let guard = lock.write().unwrap();
        texts.debug(&lock);
        texts.debug(&lock.try_read());
        texts.debug(&guard);
        texts.display(&guard);
        texts.debug(&RwLockWriteGuard::downgrade(guard));
    }
    panic_of(|| {
        let _guard = lock.write().unwrap();
        panic!("poison");
    });
    texts.debug(&lock);
    texts.debug(&lock.read());
    texts.debug(&lock.try_write());
    texts.debug(&RwLock::<u8>::default());
    texts.debug(&RwLock::from("a"));
}

fn of_once(texts: &mut Texts) {
    let once = Once::new();
    texts.debug(&once);
    panic_of(|| once.call_once(|| panic!("poison")));
    texts.debug(&once);
    once.call_once_force(|state| texts.debug(state));
    texts.debug(&once);

    let cell = OnceLock::new();
    texts.debug(&cell);
    cell.set(1.5).unwrap();
    texts.debug(&cell);
    texts.debug(&cell.clone());
    texts.debug(&OnceLock::from("a"));
    texts.debug(&OnceLock::<u8>::default());

    let lazy = LazyLock::new(|| 2.5);
    texts.debug(&lazy);
    LazyLock::force(&lazy);
    texts.debug(&lazy);
    texts.debug(&LazyLock::<u8>::default());
    let poisoned = LazyLock::<u8>::new(|| panic!("poison"));
    panic_of(|| *poisoned);
    texts.debug(&poisoned);
}

fn of_meetings(texts: &mut Texts) {
    let condvar = Condvar::new();
    texts.debug(&condvar);
    texts.debug(&Condvar::default());
    let mutex = Mutex::new(1);
    let wait = |time| condvar.wait_timeout(mutex.lock().unwrap(), Duration::from_millis(time));
    texts.debug(&wait(0).unwrap().1);
    texts.debug(&wait(0));
    let done = condvar.wait_timeout_while(mutex.lock().unwrap(), Duration::ZERO, |_| false);
    texts.debug(&done.unwrap().1);

    let barrier = Barrier::new(1);
    texts.debug(&barrier);
    texts.debug(&barrier.wait());
}

fn of_channels(texts: &mut Texts) {
    let (sender, receiver) = mpsc::channel();
    texts.debug(&sender);
    texts.debug(&receiver);
    texts.debug(&receiver.iter());
    texts.debug(&receiver.try_iter());
    texts.debug(&receiver.try_recv());
    texts.debug(&receiver.recv_timeout(Duration::ZERO));
    drop(sender.clone());
    texts.debug(&sender.send(1));
    texts.debug(&receiver.recv());
    drop(sender);
    texts.debug(&receiver.recv());
    texts.debug(&receiver.try_recv());
    texts.debug(&receiver.recv_timeout(Duration::ZERO));
    texts.debug(&receiver.into_iter());

    let (sender, receiver) = mpsc::sync_channel(1);
    texts.debug(&sender);
    texts.debug(&sender.try_send(1));
    texts.debug(&sender.try_send(2));
    drop(receiver);
    texts.debug(&sender.try_send(3));
    texts.debug(&sender.send(4));
}

fn of_threads(texts: &mut Texts) {
    let builder = Builder::new();
    texts.debug(&builder);
    let builder = builder.name("name".to_owned()).stack_size(1 << 16);
    texts.debug(&builder);
    let handle = builder.spawn(|| 5).unwrap();
    texts.debug(&handle);
    texts.debug(handle.thread().name().unwrap());
    let number = format!("{:?}", handle.thread().id());
    texts.0.push(format!("{:?}", handle.thread().clone()).replace(&number, "the id"));
    texts.0.push(format!("{:?}", size_of::<Option<Thread>>()));
    texts.debug(&handle.join().unwrap());
    thread::scope(|s| {
        texts.debug(s);
        let handle = s.spawn(|| ());
        texts.debug(&handle);
        handle.join().unwrap();
        texts.debug(s);
    });
    texts.debug(&thread::spawn(|| panic!("end")).join().unwrap_err().downcast::<&str>().unwrap());
}

pub(crate) fn panics() -> Vec<String> {
    let once = Once::new();
    let lazy = LazyLock::<u8>::new(|| panic!("no value"));
    let mut lazy_mut = LazyLock::<u8>::new(|| panic!("no value"));
    let cell = OnceLock::<u8>::new();
    vec![
        panic_of(|| once.call_once(|| panic!("no run"))),
        panic_of(|| once.call_once(|| ())),
        panic_of(|| once.wait()),
        panic_of(|| *lazy),
        panic_of(|| *lazy),
        panic_of(|| *LazyLock::force_mut(&mut lazy_mut)),
        panic_of(|| *lazy_mut),
        panic_of(|| *LazyLock::force_mut(&mut lazy_mut)),
        panic_of(|| *cell.get_or_init(|| panic!("no value"))),
        panic_of(|| *cell.get_or_init(|| 1)),
        panic_of(|| thread::scope(|s| drop(s.spawn(|| panic!("in a thread"))))),
        panic_of(|| thread::scope(|s| s.spawn(|| panic!("in a thread")).join().unwrap_err())),
        panic_of(|| thread::scope(|_| panic!("in the scope"))),
        panic_of(|| Builder::new().name("a\0b".to_owned()).spawn(|| ())),
    ]
}

static STATIC: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LOCKS: [RwLock<u8>; 4] = [const { RwLock::new(1) }; 4];
static LAZY: LazyLock<String> = LazyLock::new(|| "lazy".to_owned());
static CELL: OnceLock<String> = OnceLock::new();
static ONCE: Once = Once::new();
static BARRIER: Barrier = Barrier::new(1);
static CONDVAR: Condvar = Condvar::new();

#[expect(clippy::declare_interior_mutable_const, reason = "as a template")]
const TEMPLATE: Option<Mutex<u8>> = Some(Mutex::new(3));

const fn of_const_fn<T>(value: T) -> (Mutex<T>, OnceLock<T>) {
    (Mutex::new(value), OnceLock::new())
}

// Subtyping: a guard of a shared lock is covariant in its value, every guard in its lifetime.
fn shorter<'a>(
    read: RwLockReadGuard<'static, &'static str>,
    write: RwLockWriteGuard<'static, u8>,
    mutex: MutexGuard<'static, u8>,
) -> (RwLockReadGuard<'a, &'a str>, RwLockWriteGuard<'a, u8>, MutexGuard<'a, u8>) {
    (read, write, mutex)
}

#[expect(clippy::type_complexity, reason = "the types are the point")]
pub(crate) fn coercions() -> Vec<String> {
    // Pointers to the functions.
    let _: fn(u8) -> Mutex<u8> = Mutex::new;
    let _: for<'a> fn(&'a Mutex<str>) -> LockResult<MutexGuard<'a, str>> = Mutex::lock;
    let _: for<'a> fn(&'a Mutex<str>) -> TryLockResult<MutexGuard<'a, str>> = Mutex::try_lock;
    let _: for<'a> fn(&'a RwLock<str>) -> LockResult<RwLockReadGuard<'a, str>> = RwLock::read;
    let _: fn(Mutex<u8>) -> LockResult<u8> = Mutex::into_inner;
    let _: for<'a> fn(&'a Condvar, MutexGuard<'a, u8>) -> LockResult<MutexGuard<'a, u8>> =
        Condvar::wait;
    let _: fn(&Once, fn()) = Once::call_once;
    let _: for<'a> fn(&'a OnceLock<u8>, fn() -> u8) -> &'a u8 = OnceLock::get_or_init;
    let _: for<'a> fn(&'a LazyLock<u8>) -> &'a u8 = LazyLock::force;
    let _: fn(fn() -> u8) -> JoinHandle<u8> = thread::spawn;

    // Unsizing.
    let dynamic: Arc<Mutex<dyn Any + Send>> = Arc::new(Mutex::new(7u8));
    let slice: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2, 3]));
    let reference: &Mutex<dyn Debug> = &Mutex::new("text");

    // Fields and methods of the value go before those of the guard.
    struct Fields {
        guard: u8,
        inner: u8,
        held: u8,
        tag: u8,
    }
    impl Fields {
        fn sum(&self) -> u8 {
            self.guard + self.inner + self.held + self.tag
        }
    }
    let fields = Mutex::new(Fields { guard: 1, inner: 2, held: 3, tag: 4 });
    let fields = fields.lock().unwrap();

    // A value may borrow what is dropped before the lock.
    let (outlived, cell) = (Mutex::new(None), OnceLock::new());
    let local = "local".to_owned();
    *outlived.lock().unwrap() = Some(&local);
    cell.set(&local).unwrap();

    // Parts of a guard are borrowed apart from each other once it is dereferenced.
    let pair = Mutex::new((1, 2));
    let mut pair = pair.lock().unwrap();
    let (first, second) = &mut *pair;
    std::mem::swap(first, second);

    // Attributes.
    #[expect(unused_must_use, reason = "said of each guard")]
    {
        STATIC.lock().unwrap();
    }
    #[expect(unused_must_use, reason = "said of each guard")]
    {
        LOCKS[0].read().unwrap();
    }
    #[expect(unused_must_use, reason = "said of each guard")]
    {
        LOCKS[0].write().unwrap();
    }
    #[expect(unused_must_use, reason = "said of `Condvar::new`")]
    {
        Condvar::new();
    }
    #[expect(unused_must_use, reason = "said of `Once::new`")]
    {
        Once::new();
    }
    #[expect(unused_must_use, reason = "said of `OnceLock::new`")]
    {
        OnceLock::<u8>::new();
    }
    #[expect(unused_must_use, reason = "said of `Barrier::new`")]
    {
        Barrier::new(1);
    }
    #[expect(unused_must_use, reason = "said of `Builder`")]
    {
        Builder::new();
    }
    #[expect(unused_must_use, reason = "said of `channel`")]
    {
        mpsc::channel::<u8>();
    }
    #[expect(unused_must_use, reason = "said of `sync_channel`")]
    {
        mpsc::sync_channel::<u8>(1);
    }
    let handle = thread::spawn(|| ());
    #[expect(unused_must_use, reason = "said of `JoinHandle::thread`")]
    {
        handle.thread();
    }
    let current = thread::current;
    let this: Thread = current();
    #[expect(unused_must_use, reason = "said of `current`")]
    {
        thread::current();
    }
    #[expect(unused_must_use, reason = "said of `Thread::id`")]
    {
        this.id();
    }
    #[expect(unused_must_use, reason = "said of `Thread::name`")]
    {
        this.name();
    }
    let (guard, timed) = CONDVAR.wait_timeout(STATIC.lock().unwrap(), Duration::ZERO).unwrap();
    #[expect(unused_must_use, reason = "said of `timed_out`")]
    {
        timed.timed_out();
    }
    #[expect(deprecated, reason = "said of `wait_timeout_ms`")]
    let (guard, notified) = CONDVAR.wait_timeout_ms(guard, 0).unwrap();
    drop(guard);
    #[expect(deprecated, reason = "said of `ONCE_INIT`")]
    let deprecated = super::sync::ONCE_INIT;
    #[expect(deprecated, reason = "said of `park_timeout_ms`")]
    thread::park_timeout_ms(0);

    static NAMES: RwLock<&'static str> = RwLock::new("name");
    static NUMBERS: RwLock<u8> = RwLock::new(1);
    static NUMBER: Mutex<u8> = Mutex::new(2);
    let (read, write, mutex) =
        shorter(NAMES.read().unwrap(), NUMBERS.write().unwrap(), NUMBER.lock().unwrap());

    ONCE.call_once(|| ());
    let (made, empty) = of_const_fn(8);
    let template = TEMPLATE;
    vec![
        format!("{:?}", dynamic.lock().unwrap().downcast_ref::<u8>()),
        format!("{:?}", slice.read().unwrap().len()),
        format!("{reference:?} {:?} {outlived:?} {cell:?} {pair:?}", fields.sum()),
        format!("{notified} {deprecated:?} {timed:?} {:?}", handle.join()),
        format!("{read:?} {write:?} {mutex:?}"),
        format!("{STATIC:?} {LOCKS:?} {} {CELL:?} {ONCE:?} {BARRIER:?} {CONDVAR:?}", *LAZY),
        format!("{made:?} {empty:?} {template:?}"),
        format!("{:?}", BARRIER.wait()),
        format!("{:?}", RwLock::new(vec![1]).into_inner()),
        format!("{:?}", [1, 2].map(Mutex::new)),
    ]
}
