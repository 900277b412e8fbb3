//! What `tokio` tells, as calls of the runtime's hooks.
//!
//! Compiled under the name `tracing` and given to the compiler of the crate `tokio` alone, which reports its
//! tasks by that crate where its feature `tracing` is on. The program's own `tracing` is another crate and hears
//! nothing of it. The macros take what is about tasks, and leave out the rest. What is told of locks and of other
//! waits is added to the sources of `tokio`, and calls the module `lockcheck`.

use lockdep::tasks::Task;

#[doc(hidden)]
pub mod lockcheck {
    use std::future::Future;
    use std::panic::Location;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use lockdep::tasks::{Acquisition, Runs, Task};
    pub use lockdep::tasks::{Around, Driver, EventKind, PolledBy, Source, called_at, idle};
    pub use lockdep::tasks::{AsyncEvent as Event, AsyncLock as Lock, AsyncLockKind as Kind};
    pub use lockdep::tasks::{leaf_has_moved, within};

    use crate::instrument::Instrumented;
    use crate::{Id, Instrument, Span};

    /// The lock of a semaphore's queue, which is not watched: nobody but the semaphore ever has it.
    #[derive(Debug)]
    pub struct Mutex<T>(std::sync::Mutex<T>);

    pub use std::sync::MutexGuard;

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Mutex<T> {
            Mutex(std::sync::Mutex::new(value))
        }

        pub const fn const_new(value: T) -> Mutex<T> {
            Mutex::new(value)
        }

        #[inline]
        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }

    /// The future by which a semaphore is asked for permits.
    pub trait Queues {
        /// Whether it has a place in the semaphore's queue.
        fn is_queued(&self) -> bool;
    }

    /// The future that asks for so many permits of this lock.
    #[inline]
    pub fn acquire<F>(lock: &Lock, permits: usize, future: F) -> Acquire<'_, F> {
        Acquire { future, lock, request: Acquisition::of(permits) }
    }

    /// See [`acquire`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Acquire<'a, F> {
        future: F,
        lock: &'a Lock,
        request: Acquisition,
    }

    impl<E, F: Queues + Future<Output = Result<(), E>>> Future for Acquire<'_, F> {
        type Output = F::Output;

        #[inline]
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
            // SAFETY: `future` is not moved, here or anywhere else; the other fields are not pinned.
            let (future, lock, request) = unsafe {
                let this = self.get_unchecked_mut();
                (Pin::new_unchecked(&mut this.future), this.lock, &mut this.request)
            };
            request.poll(lock, cx, future, F::is_queued)
        }
    }

    /// As `future`, which asks for permits of this lock. Where it is none, the task waits for the event.
    pub async fn permits<F: Future>(event: &Event, lock: &Lock, future: F) -> F::Output {
        match lock.is_lock() {
            true => future.await,
            false => around(event, EventKind::Permit, future).await,
        }
    }

    /// An attempt to get so many permits of this lock, with its result.
    #[inline]
    #[track_caller]
    pub fn taken<E>(lock: &Lock, permits: usize, result: Result<(), E>) -> Result<(), E> {
        if result.is_ok() {
            lock.taken(permits);
        }
        result
    }

    /// The future of a thread that waits until it is finished.
    #[track_caller]
    pub fn blocking<F: Future>(future: F) -> Instrumented<F> {
        let site = called_at().unwrap_or(Location::caller());
        future.instrument(task(site, "block_on"))
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

    /// A poll had this result, by way of futures within: where it is none, the future waits for the event.
    pub fn polled_around<R>(around: Around, event: &Event, kind: EventKind, poll: Poll<R>) -> Poll<R> {
        around.end(event, kind, &poll);
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
        std::future::poll_fn(|cx| {
            let around = Around::begin(cx);
            let result = future.as_mut().poll(cx);
            around.end(event, kind, &result);
            result
        })
        .await
    }

    /// A future that may have been found waiting, until it is gone.
    struct Moves;

    impl Drop for Moves {
        fn drop(&mut self) {
            leaf_has_moved();
        }
    }

    /// The future of a call at `site`; whether the guard that it gives owns its lock.
    #[inline]
    pub fn called<F: Future>(
        site: &'static Location<'static>,
        owned: bool,
        future: F,
    ) -> impl Future<Output = F::Output> {
        Called { future, site, owned }
    }

    struct Called<F> {
        future: F,
        site: &'static Location<'static>,
        owned: bool,
    }

    impl<F: Future> Future for Called<F> {
        type Output = F::Output;

        #[inline]
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
            let _here = within(self.site, self.owned);
            // SAFETY: `future` is not moved, here or anywhere else; the other field is not pinned.
            let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
            future.poll(cx)
        }
    }

    pub fn task(site: &'static Location<'static>, kind: impl AsRef<str>) -> Span {
        let runs = if kind.as_ref() == "block_on" { Runs::BlockOn } else { Runs::Spawned };
        Span(Some(Task::new(site, runs)))
    }
}

/// A task, or nothing that is watched.
#[derive(Clone, Debug)]
pub struct Span(Option<Task>);

impl Span {
    pub const fn none() -> Span {
        Span(None)
    }

    pub fn in_scope<R>(&self, step: impl FnOnce() -> R) -> R {
        step()
    }

    pub fn enter(&self) -> Entered {
        Entered
    }

    pub fn entered(self) -> Entered {
        Entered
    }

    pub fn id(&self) -> Option<Id> {
        self.0.clone().map(Id)
    }
}

/// Held while this thread is in a span.
#[derive(Debug)]
pub struct Entered;

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
            match &this.span.0 {
                Some(task) => task.poll(cx, |cx| inner.poll(cx)),
                None => inner.poll(cx),
            }
        }
    }

    impl<T> Drop for Instrumented<T> {
        fn drop(&mut self) {
            // An assignment drops in place.
            match &self.span.0 {
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
    (target: $target:literal, $(parent: None,)? "runtime.spawn", %$kind:ident, $($rest:tt)*) => {
        $crate::lockcheck::task($crate::__place!($($rest)*), $kind)
    };
    (target: $target:literal, $(parent: None,)? "runtime.spawn", kind = %$kind:expr, $($rest:tt)*) => {
        $crate::lockcheck::task($crate::__place!($($rest)*), $kind)
    };
    ($($other:tt)*) => { $crate::Span::none() };
}

#[macro_export]
macro_rules! trace {
    ($($other:tt)*) => { () };
}
