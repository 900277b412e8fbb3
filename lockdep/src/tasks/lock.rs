//! Locks that tasks wait for: asked for, granted, released.
//!
//! Under each is a number of permits: a mutex has one, and a reader-writer lock as many as there can be readers, all
//! of which a writer takes. A semaphore of one permit is a lock as long as nobody adds permits to it or keeps one for
//! good; as any task could do that, a wait for it is for ever only where no thread goes on. Any other semaphore is an
//! [event](super::AsyncEvent), for which no single holder keeps a task waiting.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicU8, AtomicUsize};
use std::task::{Context, Poll, Waker};

use crate::model::held::{Acquisition as How, Prepared};
use crate::model::lock::{LockKind, LockType, Mode, Site};
use crate::model::tag::LockTag;
use crate::model::word::{HoldWord, LockWord};
use crate::process::observe;
use crate::slow_path::acquire;
use crate::tasks::poll::{self, Polled};
use crate::tasks::state::{State, Waiting};
use crate::thread_state::current::current;
use crate::thread_state::record::OwnRecord;

static UNKNOWN: LockType = LockType::untyped(LockKind::Mutex);
static MUTEX: LockType = LockType::untyped(LockKind::Mutex);
static RW_LOCK: LockType = LockType::untyped(LockKind::RwLock);
static SEMAPHORE: LockType = LockType::untyped(LockKind::Semaphore);
static ONCE_CELL: LockType = LockType::untyped(LockKind::OnceLock);

thread_local! {
    /// Where the program has called the function that is at work here.
    static CALLED: Cell<Option<Called>> = const { Cell::new(None) };
}

/// A lock that tasks wait for.
#[derive(Debug)]
pub struct AsyncLock {
    tag: LockTag,
    /// What it is; `None` for what is no lock.
    kind: Option<AsyncLockKind>,
    /// How many permits there are.
    permits: usize,
    /// See [`HAS_SENDABLE_GUARDS`] and those after it.
    marks: AtomicU8,
    /// How many holds there are that nobody is known to have.
    unwatched: AtomicUsize,
}

/// The lock was acquired by a guard that owns it, which may be sent anywhere; or it is a semaphore, whose permits any
/// task may add.
const HAS_SENDABLE_GUARDS: u8 = 1;
/// Permits of a semaphore were added or are kept for good, so it is no lock.
const IS_NO_LOCK: u8 = 2;
/// A semaphore's only permit is held by somebody who is known.
const IS_TAKEN: u8 = 4;

/// What a lock is that tasks wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsyncLockKind {
    /// A mutex.
    Mutex,
    /// A reader-writer lock, which a writer has all permits of.
    RwLock,
    /// A semaphore, which is a lock while it has one permit.
    Semaphore,
    /// A cell that is initialised once; whoever initialises it has the permit meanwhile.
    OnceCell,
}

/// One request for permits, whose future acquires the lock.
#[derive(Debug)]
pub struct Acquisition {
    permits: usize,
    /// Whether it was polled before.
    is_polled: bool,
    asking: Option<Asking>,
    /// The task that waits for it, with the number of the request.
    waiting: Option<(Arc<State>, usize)>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
struct Asking {
    word: HoldWord,
    site: Site,
    /// Whether the guard owns the lock, so that the future borrows nothing.
    owned: bool,
}

#[derive(Clone, Copy, Debug)]
struct Called {
    site: Site,
    owned: bool,
}

/// See [`within`].
#[derive(Debug)]
pub struct Within(Option<Called>);

/// The program calls a function at `site`, until the result is dropped; whether what that acquires is owned by the
/// guard. Where such a function is at work already, this one is called by that, and its place tells nothing.
#[inline]
pub fn within(site: Site, owned: bool) -> Within {
    let called = CALLED.get();
    CALLED.set(called.or(Some(Called { site, owned })));
    Within(called)
}

impl Drop for Within {
    #[inline]
    fn drop(&mut self) {
        CALLED.set(self.0);
    }
}

/// Where the program has called the function that is at work here, if it is one that notes it.
pub fn called_at() -> Option<Site> {
    CALLED.get().map(|called| called.site)
}

/// What a request has found before its first poll.
struct Begun {
    record: OwnRecord,
    asking: Asking,
    /// Where no other future of the task can be waiting.
    prepared: Option<Prepared>,
}

impl Acquisition {
    /// A request for so many permits.
    #[inline]
    pub const fn of(permits: usize) -> Acquisition {
        Acquisition { permits, is_polled: false, asking: None, waiting: None }
    }

    /// Polls the future of the request. `is_queued` tells of one that is left unfinished whether it has a place in the
    /// queue, so that the permits come to it in its turn.
    #[inline]
    #[track_caller]
    pub fn poll<E, F: Future<Output = Result<(), E>>>(
        &mut self,
        lock: &AsyncLock,
        cx: &mut Context<'_>,
        mut future: Pin<&mut F>,
        is_queued: impl FnOnce(&F) -> bool,
    ) -> Poll<Result<(), E>> {
        let is_again = mem::replace(&mut self.is_polled, true);
        let begun = poll::innermost(|polled| {
            polled.is_polled_with(cx.waker());
            if is_again { None } else { lock.begin(polled, self.permits) }
        })
        .flatten();
        let result = future.as_mut().poll(cx);
        match (&result, begun) {
            (Poll::Ready(Ok(())), Some(Begun { record, asking, prepared })) => {
                match prepared {
                    Some(prepared) => lock.tag.hold(record, prepared, asking.site, 0),
                    None => lock.tag.hold_now(record, asking.word, asking.site),
                }
                lock.is_taken();
                poll::innermost(Polled::got_lock);
            }
            (Poll::Ready(Ok(())), None) => self.granted(lock),
            (Poll::Ready(Err(_)), _) => self.end_wait(),
            (Poll::Pending, begun) => {
                if let Some(begun) = begun {
                    self.asking = Some(begun.asking);
                }
                self.pending(cx.waker(), is_queued(&future));
            }
        }
        result
    }

    /// The poll has not brought the permits; whether the request has a place in the queue.
    #[cold]
    fn pending(&mut self, waker: &Waker, is_queued: bool) {
        let Some(asking) = self.asking else { return };
        let known = self.waiting.take();
        self.waiting = poll::innermost(|polled| match known {
            Some((task, number)) if Arc::ptr_eq(&task, polled.task()) => {
                let mut rest = task.rest();
                let polls = rest.polls;
                let waiting = rest.waiting.iter_mut().find(|waiting| waiting.number == number);
                if let Some(waiting) = waiting {
                    waiting.polled = polls;
                    waiting.queued = is_queued;
                }
                drop(rest);
                Some((task, number))
            }
            known => {
                // The future was sent here by another task.
                known.into_iter().for_each(|(task, number)| task.rest().end_wait(number));
                wait(polled, asking, is_queued, waker)
            }
        })
        .flatten();
    }

    /// A poll has brought the permits that was not the first one, or of which nobody is known who polls.
    #[cold]
    #[track_caller]
    fn granted(&mut self, lock: &AsyncLock) {
        self.end_wait();
        let Some((mode, ty)) = lock.request(self.permits) else { return };
        let Some(record) = poll::innermost(Polled::attach).flatten() else {
            lock.unwatched.fetch_add(1, AcqRel);
            return;
        };
        match self.asking.take() {
            Some(Asking { word, site, .. }) => lock.tag.hold_now(record, word, site),
            None => lock.take(mode, ty, called_at().unwrap_or(Location::caller())),
        }
        lock.is_taken();
        poll::innermost(Polled::got_lock);
    }

    /// It waits no more.
    #[inline]
    fn end_wait(&mut self) {
        if self.waiting.is_some() {
            self.forget_wait();
        }
    }

    #[cold]
    fn forget_wait(&mut self) {
        if let Some((task, number)) = self.waiting.take() {
            task.rest().end_wait(number);
        }
    }
}

impl Drop for Acquisition {
    #[inline]
    fn drop(&mut self) {
        self.end_wait();
    }
}

/// The task that this poll is of waits for a lock.
fn wait(
    polled: &Polled,
    asking: Asking,
    queued: bool,
    waker: &Waker,
) -> Option<(Arc<State>, usize)> {
    let Asking { site, word, owned } = asking;
    if let Some(record) = current() {
        acquire::forget_captured(record);
    }
    let by_task = polled.is_own_waker(waker);
    let task = polled.task();
    let mut rest = task.rest();
    let number = rest.waiting.last().map_or(0, |last| last.number + 1);
    let polled = rest.polls;
    rest.waiting.push(Waiting { number, word, site, by_task, owned, queued, polled });
    drop(rest);
    Some((Arc::clone(task), number))
}

impl AsyncLock {
    /// What is no lock, or none yet, of the class of the place that calls this.
    #[expect(clippy::new_without_default, reason = "a default would hide the caller")]
    #[track_caller]
    #[inline]
    pub const fn new() -> AsyncLock {
        AsyncLock {
            tag: LockTag::new(&UNKNOWN),
            kind: None,
            permits: 0,
            marks: AtomicU8::new(0),
            unwatched: AtomicUsize::new(0),
        }
    }

    /// It is a lock of this kind with so many permits. Nobody has asked for it yet.
    #[inline]
    pub const fn becomes(&mut self, kind: AsyncLockKind, permits: usize) {
        self.kind = Some(kind);
        self.permits = permits;
    }

    /// How the lock is held by whoever has so many of its permits; `None` where that is no hold of a lock.
    #[inline]
    fn request(&self, permits: usize) -> Option<(Mode, &'static LockType)> {
        match self.kind? {
            AsyncLockKind::Mutex => Some((Mode::Write, &MUTEX)),
            AsyncLockKind::RwLock if permits < self.permits => Some((Mode::Read, &RW_LOCK)),
            AsyncLockKind::RwLock => Some((Mode::Write, &RW_LOCK)),
            AsyncLockKind::OnceCell => Some((Mode::Write, &ONCE_CELL)),
            AsyncLockKind::Semaphore => {
                (self.is_lock() && permits == 1).then_some((Mode::Write, &SEMAPHORE))
            }
        }
    }

    /// Whether it is a lock, and no semaphore with other than one permit.
    #[inline]
    pub fn is_lock(&self) -> bool {
        match self.kind {
            Some(AsyncLockKind::Semaphore) => {
                self.permits == 1 && self.marks.load(Relaxed) & IS_NO_LOCK == 0
            }
            Some(_) => true,
            None => false,
        }
    }

    fn has_sendable_guards(&self, word: LockWord) {
        let has = |marks: u8| marks & HAS_SENDABLE_GUARDS != 0;
        if !has(self.marks.load(Relaxed)) && !has(self.marks.fetch_or(HAS_SENDABLE_GUARDS, Relaxed))
        {
            observe(|o| o.mark_sendable(word.class()));
        }
    }

    #[inline]
    fn is_taken(&self) {
        if self.kind == Some(AsyncLockKind::Semaphore) {
            self.marks.fetch_or(IS_TAKEN, Relaxed);
        }
    }

    /// The task that is polled here is about to ask for so many permits.
    #[inline]
    #[track_caller]
    fn begin(&self, polled: &Polled, permits: usize) -> Option<Begun> {
        let (mode, ty) = self.request(permits)?;
        let called = CALLED.get();
        let (site, owned) =
            called.map_or((Location::caller(), false), |called| (called.site, called.owned));
        polled.attach()?;
        let (record, word) = self.tag.track(ty, site)?;
        if owned || self.kind == Some(AsyncLockKind::Semaphore) {
            self.has_sendable_guards(word);
        }
        let prepared = polled.is_one_future().then(|| {
            if !record.held.is_empty() {
                record.mine().own.borrow_mut().shows_orders = true;
            }
            self.tag.prepare(record, word, How::by_future(mode), site)
        });
        Some(Begun {
            record,
            asking: Asking { word: word.held(mode, false), site, owned },
            prepared,
        })
    }

    /// The calling thread or task has the lock already, without having waited for it.
    fn take(&self, mode: Mode, ty: &'static LockType, site: Site) {
        _ = self.tag.try_acquire(ty, mode, site, || Some(()));
    }

    /// A function that does not wait has got so many permits.
    #[inline]
    #[track_caller]
    pub fn taken(&self, permits: usize) {
        let Some((mode, ty)) = self.request(permits) else { return };
        if poll::innermost(Polled::attach).flatten().is_none() {
            self.unwatched.fetch_add(1, AcqRel);
            return;
        }
        let called = CALLED.get();
        self.take(mode, ty, called.map_or(Location::caller(), |called| called.site));
        if self.kind == Some(AsyncLockKind::Semaphore) || called.is_some_and(|called| called.owned)
        {
            self.has_sendable_guards(LockWord(self.tag.id.load(Relaxed)));
        }
        self.is_taken();
        poll::innermost(Polled::got_lock);
    }

    /// So many permits are about to be given back, which were acquired together.
    #[inline]
    pub fn released(&self, permits: usize) {
        let mode = match self.kind {
            None => return,
            Some(AsyncLockKind::RwLock) if permits < self.permits => Mode::Read,
            Some(AsyncLockKind::Semaphore) => {
                if permits != 1 || self.marks.load(Relaxed) & IS_TAKEN == 0 {
                    return self.released_unwatched();
                }
                self.marks.fetch_and(!IS_TAKEN, Relaxed);
                Mode::Write
            }
            Some(_) => Mode::Write,
        };
        let word = LockWord(self.tag.id.load(Relaxed));
        if self.unwatched.load(Acquire) > 0 && !is_mine(word) {
            return self.released_unwatched();
        }
        if !word.is_new() {
            self.tag.release(mode);
        }
    }

    #[cold]
    fn released_unwatched(&self) {
        // Permits of what is no lock are not counted.
        _ = self.unwatched.fetch_update(AcqRel, Acquire, |holds| holds.checked_sub(1));
    }

    /// All permits are held, of which all but one are about to be given back.
    #[track_caller]
    pub fn downgraded(&self) {
        self.released(self.permits);
        self.taken(1);
    }

    /// So many permits that are held will not be given back.
    pub fn kept(&self, permits: usize) {
        self.released(permits);
        if permits > 0 {
            self.changes();
        }
    }

    /// The number of permits of a semaphore changes.
    pub fn changes(&self) {
        if self.kind == Some(AsyncLockKind::Semaphore) {
            self.marks.fetch_or(IS_NO_LOCK, Relaxed);
        }
    }
}

/// Whether the calling thread or task holds this lock.
fn is_mine(word: LockWord) -> bool {
    let lock = word.lock();
    current().is_some_and(|record: OwnRecord| record.held.holds(lock))
}
