//! Locks that tasks wait for: asked for, granted, released.

use std::cell::Cell;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::task::{Context, Poll, Waker};

use crate::model::held::Acquisition as How;
use crate::model::lock::{LockKind, LockType, Mode, Site};
use crate::model::tag::LockTag;
use crate::model::word::{HoldWord, LockWord};
use crate::process::observe;
use crate::slow_path::{acquire, life};
use crate::tasks::poll::{self, Polled};
use crate::tasks::state::{State, Waiting};
use crate::thread_state::current::current;
use crate::thread_state::record::OwnRecord;

static MUTEX: LockType = LockType::untyped(LockKind::Mutex);
static RW_LOCK: LockType = LockType::untyped(LockKind::RwLock);

thread_local! {
    /// The acquisition that this thread polls, innermost.
    static POLLED: Cell<Option<Asking>> = const { Cell::new(None) };
    /// Where the program has called a function that takes a lock at once, or blocks the thread.
    static CALLED: Cell<Option<Called>> = const { Cell::new(None) };
}

/// A lock that tasks wait for.
#[derive(Debug)]
pub struct AsyncLock {
    tag: LockTag,
    /// Whether it was acquired by a guard that owns the lock, which may be sent anywhere.
    has_owned_guards: AtomicBool,
    /// How many holds there are that nobody is known to have.
    unwatched: AtomicUsize,
}

/// How a lock is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A mutex.
    Mutex,
    /// A reader-writer lock, to read.
    Read,
    /// A reader-writer lock, to write.
    Write,
}

impl Request {
    fn mode(self) -> Mode {
        match self {
            Request::Mutex | Request::Write => Mode::Write,
            Request::Read => Mode::Read,
        }
    }

    fn ty(self) -> &'static LockType {
        match self {
            Request::Mutex => &MUTEX,
            Request::Read | Request::Write => &RW_LOCK,
        }
    }
}

/// One call of a function like `lock`, whose future acquires a lock.
#[derive(Debug)]
pub struct Acquisition {
    asking: Asking,
    /// The task that waits for it, with the number of the request.
    waiting: Option<(Arc<State>, usize)>,
}

/// What an acquisition asks for.
#[derive(Clone, Copy, Debug)]
struct Asking {
    site: Site,
    /// The lock, once it is known.
    asked: Option<HoldWord>,
    /// Whether the guard owns the lock, so that the future borrows nothing.
    owned: bool,
    /// Whether it has a place in the lock's queue, so that the lock comes to it in its turn.
    queued: bool,
}

#[derive(Clone, Copy, Debug)]
struct Called {
    site: Site,
    /// The thread waits until it has the lock.
    blocks: bool,
}

/// See [`here`].
#[derive(Debug)]
pub struct Here(Option<Called>);

/// The program calls such a function at `site`, until the result is dropped; whether it blocks the thread.
pub fn here(site: Site, blocks: bool) -> Here {
    Here(CALLED.replace(Some(Called { site, blocks })))
}

/// As [`here`], for a function that does not block. Where such a function is at work already, this one is called by
/// that, and its place tells nothing.
#[inline]
pub fn within(site: Site) -> Here {
    let called = CALLED.get();
    CALLED.set(called.or(Some(Called { site, blocks: false })));
    Here(called)
}

/// The acquisition that is polled here has got a place in the queue of its lock, which is given to those in the
/// queue in their turn.
pub fn queued() {
    if let Some(asking) = POLLED.get() {
        POLLED.set(Some(Asking { queued: true, ..asking }));
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        CALLED.set(self.0);
    }
}

impl Acquisition {
    /// A call at `site`, or where the function was called that blocks until this future is ready.
    pub fn at(site: Site) -> Acquisition {
        let site = CALLED.get().map_or(site, |called| called.site);
        Acquisition {
            asking: Asking { site, asked: None, owned: false, queued: false },
            waiting: None,
        }
    }

    /// Polls the future of the call: `poll` must do that.
    pub fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        if !blocks_thread() {
            poll::innermost(|polled| polled.is_polled_with(cx.waker()));
        }
        let result = Turn::of(&mut self.asking).run(|| poll(cx));
        match (&result, self.asking.asked) {
            (Poll::Pending, Some(_)) => self.wait(cx.waker()),
            _ => self.end_wait(),
        }
        result
    }

    /// The poll has not brought the lock.
    fn wait(&mut self, waker: &Waker) {
        let asking = self.asking;
        let known = self.waiting.take();
        self.waiting = poll::innermost(|polled| match known {
            Some((task, number)) if Arc::ptr_eq(&task, polled.task()) => {
                let mut rest = task.rest();
                let polls = rest.polls;
                let waiting = rest.waiting.iter_mut().find(|waiting| waiting.number == number);
                if let Some(waiting) = waiting {
                    waiting.polled = polls;
                    waiting.queued = asking.queued;
                }
                drop(rest);
                Some((task, number))
            }
            known => {
                // The future was sent here by another task.
                known.into_iter().for_each(|(task, number)| task.rest().end_wait(number));
                wait(polled, asking, waker)
            }
        })
        .flatten();
    }

    fn end_wait(&mut self) {
        if let Some((task, number)) = self.waiting.take() {
            task.rest().end_wait(number);
        }
    }
}

impl Drop for Acquisition {
    fn drop(&mut self) {
        self.end_wait();
    }
}

/// The task that this poll is of waits for a lock.
fn wait(polled: &Polled, asking: Asking, waker: &Waker) -> Option<(Arc<State>, usize)> {
    let Asking { site, asked, owned, queued } = asking;
    let word = asked?;
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

/// An acquisition in its poll: what it asks for is where the hooks find it.
struct Turn<'a> {
    home: &'a mut Asking,
    outer: Option<Asking>,
}

impl<'a> Turn<'a> {
    fn of(home: &'a mut Asking) -> Turn<'a> {
        let outer = POLLED.replace(Some(*home));
        Turn { home, outer }
    }

    fn run<R>(self, poll: impl FnOnce() -> R) -> R {
        poll()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(asking) = POLLED.replace(self.outer) {
            *self.home = asking;
        }
    }
}

impl AsyncLock {
    /// A lock that is created where the caller's caller is.
    #[track_caller]
    pub fn new(request: Request) -> AsyncLock {
        AsyncLock::with(LockTag::new(request.ty()))
    }

    /// A lock of which it is not known where it was created.
    pub fn unplaced() -> AsyncLock {
        AsyncLock::with(LockTag::unplaced())
    }

    fn with(tag: LockTag) -> AsyncLock {
        let (has_owned_guards, unwatched) = (AtomicBool::new(false), AtomicUsize::new(0));
        AsyncLock { tag, has_owned_guards, unwatched }
    }

    /// The future that is polled here asks for the lock; `owned` if its guard owns the lock. Called once,
    /// before the lock can be granted.
    pub fn ask(&self, request: Request, owned: bool) {
        let Some(Asking { site, queued, .. }) = POLLED.get() else { return };
        let tracked = watching_record().and_then(|_| self.tag.track(request.ty(), site));
        let asked = tracked.map(|tracked| self.asked(tracked, request, owned, site));
        POLLED.set(Some(Asking { site, asked, owned, queued }));
    }

    fn asked(
        &self,
        (record, word): (OwnRecord, LockWord),
        request: Request,
        owned: bool,
        site: Site,
    ) -> HoldWord {
        if owned && !self.has_owned_guards.swap(true, Relaxed) {
            observe(|o| o.mark_sendable(word.class()));
        }
        // A thread that blocks lets no other future go on either.
        if blocks_thread() || poll::innermost(Polled::is_one_future).unwrap_or(true) {
            if !record.held.is_empty() {
                record.mine().own.borrow_mut().shows_orders = true;
            }
            self.tag.prepare(record, word, How::by_future(request.mode()), site);
        }
        word.held(request.mode(), false)
    }

    /// The lock was granted, to the future that is polled here or to a function that does not wait.
    #[track_caller]
    pub fn granted(&self, request: Request) {
        let Some(record) = watching_record() else {
            self.unwatched.fetch_add(1, AcqRel);
            return;
        };
        let lock = LockWord(self.tag.id.load(Relaxed)).lock();
        let asking = POLLED.get().filter(|_| lock != 0);
        let asked = asking.and_then(|asking| Some((asking.asked?, asking)));
        match asked.filter(|(word, _)| word.lock() == lock) {
            Some((word, asking)) => {
                POLLED.set(Some(Asking { asked: None, ..asking }));
                self.tag.hold_now(record, word, asking.site);
            }
            None => {
                let called = CALLED.get().map(|called| called.site);
                let site = called.unwrap_or(Location::caller());
                _ = self.tag.try_acquire(request.ty(), request.mode(), site, || Some(()));
            }
        }
        poll::innermost(Polled::got_lock);
    }

    /// The lock is about to be released, or was just now, by whoever had it in this way.
    pub fn released(&self, request: Request) {
        let word = LockWord(self.tag.id.load(Relaxed));
        if word.is_new() {
            return;
        }
        let lock = word.lock();
        let is_mine = || current().is_some_and(|record| record.held.holds(lock));
        if self.unwatched.load(Acquire) > 0 && !is_mine() {
            self.unwatched.fetch_sub(1, AcqRel);
            return;
        }
        self.tag.release(request.mode());
    }
}

/// Where the program has called the function that is at work here, if it is one that notes it.
pub(super) fn called_at() -> Option<Site> {
    CALLED.get().map(|called| called.site)
}

/// Whether the thread is in a function that blocks it until it has the lock.
fn blocks_thread() -> bool {
    CALLED.get().is_some_and(|called| called.blocks)
}

/// The record of the task that is polled here, or of the thread where it blocks until it has the lock.
/// `None` where nobody is known who would have it.
fn watching_record() -> Option<OwnRecord> {
    match poll::innermost(Polled::attach) {
        Some(record) => record,
        None if blocks_thread() => current().or_else(life::begin),
        None => None,
    }
}
