//! What `tokio` tells through the crate `tracing`, as calls of the runtime's hooks.
//!
//! Compiled under the name `tracing` and given to the compiler of the crate `tokio` alone, which reports its
//! tasks and locks by that crate where its feature `tracing` is on. The program's own `tracing` is another
//! crate and hears nothing of it. The macros look at the names of spans and fields, take what is about tasks,
//! mutexes and reader-writer locks, and leave out the rest.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

use lockdep::tasks::{AsyncLock, Request, Task};

#[doc(hidden)]
pub mod lockcheck {
    use std::future::Future;
    use std::panic::Location;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use lockdep::tasks::{Acquisition, AsyncLock};
    use lockdep::tasks::{Runs, Task};
    pub use lockdep::tasks::{AsyncEvent as Event, Driver, EventKind, Source, idle, leaf_has_moved};
    pub use lockdep::tasks::{PolledBy, Request, here, queued, within};

    use crate::{Id, Kind, Span};

    /// The future of a call at `site` that acquires a lock.
    pub fn placed<F: Future>(site: &'static Location<'static>, future: F) -> Placed<F> {
        Placed { future, acquisition: Acquisition::at(site) }
    }

    /// See [`placed`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Placed<F> {
        future: F,
        acquisition: Acquisition,
    }

    impl<F: Future> Future for Placed<F> {
        type Output = F::Output;

        #[inline]
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
            // SAFETY: `future` is not moved, here or anywhere else; the other field is not pinned.
            let (future, acquisition) = unsafe {
                let this = self.get_unchecked_mut();
                (Pin::new_unchecked(&mut this.future), &mut this.acquisition)
            };
            acquisition.poll(cx, |cx| future.poll(cx))
        }
    }

    /// The handle of the task of this number was polled, with this result.
    pub fn joined<R>(id: Option<&Id>, polled_by: PolledBy, poll: Poll<R>) -> Poll<R> {
        match (id, &poll) {
            (Some(Id(task)), Poll::Ready(_)) => task.joined(),
            (Some(Id(task)), Poll::Pending) => task.join_pending(polled_by),
            (None, _) => {}
        }
        poll
    }

    /// A poll had this result: where it is none, the future waits for the event.
    #[inline]
    pub fn polled<R>(event: &Event, kind: EventKind, by: PolledBy, poll: Poll<R>) -> Poll<R> {
        match poll {
            Poll::Pending => event.pending(kind, by),
            Poll::Ready(_) => leaf_has_moved(),
        }
        poll
    }

    /// As [`polled`], of a receiver, which makes room where it has got something.
    #[inline]
    pub fn received<R>(channel: &Event, by: PolledBy, poll: Poll<R>) -> Poll<R> {
        match poll {
            Poll::Pending => channel.pending(EventKind::Receive, by),
            Poll::Ready(_) => {
                leaf_has_moved();
                channel.signal(EventKind::Send);
            }
        }
        poll
    }

    /// A future that waits for the event, whatever is in it.
    pub async fn around<F: Future>(event: &Event, kind: EventKind, future: F) -> F::Output {
        let _moves = Moves;
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|cx| event.pending_around(kind, cx, |cx| future.as_mut().poll(cx))).await
    }

    /// A future that may have been found waiting, until it is gone.
    struct Moves;

    impl Drop for Moves {
        fn drop(&mut self) {
            leaf_has_moved();
        }
    }

    /// The future of a call at `site`.
    pub fn called<F: Future>(
        site: &'static Location<'static>,
        future: F,
    ) -> impl Future<Output = F::Output> {
        Called { future, site }
    }

    struct Called<F> {
        future: F,
        site: &'static Location<'static>,
    }

    impl<F: Future> Future for Called<F> {
        type Output = F::Output;

        #[inline]
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
            let _here = within(self.site);
            // SAFETY: `future` is not moved, here or anywhere else; the other field is not pinned.
            let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
            future.poll(cx)
        }
    }

    #[track_caller]
    pub fn lock(request: Request) -> Span {
        Span::of(Kind::Lock(AsyncLock::new(request)))
    }

    pub fn task(site: &'static Location<'static>, kind: impl AsRef<str>) -> Span {
        let runs = if kind.as_ref() == "block_on" { Runs::BlockOn } else { Runs::Spawned };
        Span::of(Kind::Task(Task::new(site, runs)))
    }

    #[inline]
    pub fn asks(source: &str) -> Span {
        let (request, owned) = match source {
            "Mutex::lock" => (Request::Mutex, false),
            "Mutex::lock_owned" => (Request::Mutex, true),
            "RwLock::read" => (Request::Read, false),
            "RwLock::read_owned" => (Request::Read, true),
            "RwLock::write" => (Request::Write, false),
            "RwLock::write_owned" => (Request::Write, true),
            _ => return Span::nothing(),
        };
        crate::entered(|lock| lock.ask(request, owned));
        Span::nothing()
    }

    #[inline]
    #[track_caller]
    pub fn has(request: Request, granted: bool) {
        crate::entered(|lock| match granted {
            true => lock.granted(request),
            false => lock.released(request),
        });
    }
}

thread_local! {
    /// The span that this thread is in, or null.
    static ENTERED: Cell<*const Span> = const { Cell::new(std::ptr::null()) };
}

/// Calls `step` with the lock whose span this thread is in.
fn entered(step: impl FnOnce(&AsyncLock)) {
    // SAFETY: null, or set by `Entered` to a span that outlives it, in this thread; it takes that back.
    let span = unsafe { ENTERED.get().as_ref() };
    if let Some(lock) = span.and_then(Span::as_lock) {
        step(lock);
    }
}

/// A task, a lock, or nothing that is watched: one pointer, as futures and guards have several.
#[derive(Debug)]
pub struct Span(AtomicPtr<Kind>);

#[derive(Debug)]
enum Kind {
    Nothing,
    Lock(AsyncLock),
    Task(Task),
}

static NOTHING: Kind = Kind::Nothing;

impl Span {
    /// What `tokio` gives to a lock that is made in a constant, where no function can be called: the lock is
    /// made once it is used.
    pub const fn none() -> Span {
        Span(AtomicPtr::new(ptr::null_mut()))
    }

    #[doc(hidden)]
    #[inline]
    pub fn nothing() -> Span {
        Span(AtomicPtr::new((&raw const NOTHING).cast_mut()))
    }

    fn of(kind: Kind) -> Span {
        Span(AtomicPtr::new(Arc::into_raw(Arc::new(kind)).cast_mut()))
    }

    #[inline]
    fn kind(&self) -> &Kind {
        let kind = self.0.load(Acquire);
        if kind.is_null() {
            return self.make_lock();
        }
        // SAFETY: the static, or an `Arc` whose count includes this span.
        unsafe { &*kind }
    }

    #[cold]
    fn make_lock(&self) -> &Kind {
        let new = Arc::into_raw(Arc::new(Kind::Lock(AsyncLock::unplaced()))).cast_mut();
        let kind = match self.0.compare_exchange(ptr::null_mut(), new, AcqRel, Acquire) {
            Ok(_) => new,
            Err(other) => {
                // SAFETY: it came from `into_raw` above, and nobody else has it.
                drop(unsafe { Arc::from_raw(new) });
                other
            }
        };
        // SAFETY: as in `kind`.
        unsafe { &*kind }
    }

    #[inline]
    fn as_lock(&self) -> Option<&AsyncLock> {
        match self.kind() {
            Kind::Lock(lock) => Some(lock),
            Kind::Nothing | Kind::Task(_) => None,
        }
    }

    #[inline]
    fn as_task(&self) -> Option<&Task> {
        let kind = self.0.load(Acquire);
        // SAFETY: null, the static, or an `Arc` whose count includes this span.
        match unsafe { kind.as_ref() } {
            Some(Kind::Task(task)) => Some(task),
            Some(Kind::Nothing | Kind::Lock(_)) | None => None,
        }
    }

    #[inline]
    pub fn in_scope<R>(&self, step: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        step()
    }

    #[inline]
    pub fn enter(&self) -> Entered<'_> {
        Entered { outer: ENTERED.replace(self), span: std::marker::PhantomData }
    }

    /// Nobody asks in such a scope for the lock that it is of.
    #[inline]
    pub fn entered(self) -> EnteredSpan {
        EnteredSpan
    }

    pub fn id(&self) -> Option<Id> {
        self.as_task().map(|task| Id(task.clone()))
    }
}

impl Clone for Span {
    /// A guard has a clone of its lock's, which is that of the same lock also where that was made in a
    /// constant.
    #[inline]
    fn clone(&self) -> Span {
        let kind: *const Kind = self.kind();
        if !ptr::eq(kind, &raw const NOTHING) {
            // SAFETY: it is not the static, so it came from `Arc::into_raw`, and this span counts.
            unsafe { Arc::increment_strong_count(kind) };
        }
        Span(AtomicPtr::new(kind.cast_mut()))
    }
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        let kind = *self.0.get_mut();
        if !kind.is_null() && !ptr::eq(kind, &raw const NOTHING) {
            // SAFETY: it is not the static, so it came from `Arc::into_raw`, and is this span's to give up.
            drop(unsafe { Arc::from_raw(kind) });
        }
    }
}

/// Held while this thread is in a span.
#[derive(Debug)]
pub struct Entered<'a> {
    outer: *const Span,
    span: std::marker::PhantomData<&'a Span>,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        ENTERED.set(self.outer);
    }
}

/// See [`Span::entered`].
#[derive(Debug)]
pub struct EnteredSpan;

/// The task of a span.
#[derive(Clone, Debug)]
pub struct Id(Task);

impl Id {
    pub fn into_u64(&self) -> u64 {
        0
    }
}

pub use instrument::Instrument;

pub mod instrument {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use crate::Span;

    pub trait Instrument: Sized {
        fn instrument(self, span: Span) -> Instrumented<Self> {
            Instrumented { inner: Some(self), span }
        }
    }

    impl<T> Instrument for T {}

    /// The future of a task.
    #[derive(Debug)]
    pub struct Instrumented<T> {
        /// Taken out, in its place, as it is dropped.
        inner: Option<T>,
        span: Span,
    }

    impl<T> Instrumented<T> {
        pub fn span(&self) -> &Span {
            &self.span
        }
    }

    impl<T: Future> Future for Instrumented<T> {
        type Output = T::Output;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
            // SAFETY: `inner` is never moved: it is dropped in its place.
            let this = unsafe { self.get_unchecked_mut() };
            let Some(inner) = &mut this.inner else { return Poll::Pending };
            // SAFETY: as above.
            let inner = unsafe { Pin::new_unchecked(inner) };
            match this.span.as_task() {
                Some(task) => task.poll(cx, |cx| inner.poll(cx)),
                None => inner.poll(cx),
            }
        }
    }

    impl<T> Drop for Instrumented<T> {
        fn drop(&mut self) {
            // An assignment drops in place.
            match self.span.as_task() {
                Some(task) => task.drop_future(|| self.inner = None),
                None => self.inner = None,
            }
        }
    }
}

/// The place of the first `X.file()` among these fields, which is `X`.
#[doc(hidden)]
#[macro_export]
macro_rules! __place {
    (loc.file = $($rest:tt)*) => { $crate::__place!(@place [] $($rest)*) };
    (@place [$($place:tt)*] .file() $($rest:tt)*) => { $($place)* };
    (@place [$($place:tt)*] $next:tt $($rest:tt)*) => {
        $crate::__place!(@place [$($place)* $next] $($rest)*)
    };
    ($other:tt $($rest:tt)*) => { $crate::__place!($($rest)*) };
}

#[macro_export]
macro_rules! trace_span {
    ($(parent: None,)? "runtime.resource", concrete_type = "Mutex", $($rest:tt)*) => {
        $crate::lockcheck::lock($crate::lockcheck::Request::Mutex)
    };
    ($(parent: None,)? "runtime.resource", concrete_type = "RwLock", $($rest:tt)*) => {
        $crate::lockcheck::lock($crate::lockcheck::Request::Write)
    };
    ("runtime.resource.async_op", source = $source:expr $(, $($rest:tt)*)?) => {
        $crate::lockcheck::asks($source)
    };
    (target: $target:literal, $(parent: None,)? "runtime.spawn", %$kind:ident, $($rest:tt)*) => {
        $crate::lockcheck::task($crate::__place!($($rest)*), $kind)
    };
    (target: $target:literal, $(parent: None,)? "runtime.spawn", kind = %$kind:expr, $($rest:tt)*) => {
        $crate::lockcheck::task($crate::__place!($($rest)*), $kind)
    };
    ($($other:tt)*) => { $crate::Span::nothing() };
}

#[macro_export]
macro_rules! trace {
    (target: "runtime::resource::state_update", locked = $locked:expr $(,)?) => {
        $crate::lockcheck::has($crate::lockcheck::Request::Mutex, $locked)
    };
    (target: "runtime::resource::state_update", write_locked = $locked:expr, $($rest:tt)*) => {
        $crate::lockcheck::has($crate::lockcheck::Request::Write, $locked)
    };
    (target: "runtime::resource::state_update", current_readers = 1, current_readers.op = "add" $(,)?) => {
        $crate::lockcheck::has($crate::lockcheck::Request::Read, true)
    };
    (target: "runtime::resource::state_update", current_readers = 1, current_readers.op = "sub" $(,)?) => {
        $crate::lockcheck::has($crate::lockcheck::Request::Read, false)
    };
    ($($other:tt)*) => { () };
}
