//! What `tokio` tells through the crate `tracing`, as calls of the runtime's hooks.
//!
//! Compiled under the name `tracing` and given to the compiler of the crate `tokio` alone, which reports its
//! tasks and locks by that crate where its feature `tracing` is on. The program's own `tracing` is another
//! crate and hears nothing of it. The macros look at the names of spans and fields, take what is about tasks,
//! mutexes and reader-writer locks, and leave out the rest.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use lockdep::tasks::{AsyncLock, Request, Task};

#[doc(hidden)]
pub mod lockcheck {
    use std::future::Future;
    use std::panic::Location;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use lockdep::tasks::Acquisition;
    pub use lockdep::tasks::{Request, Runs, Task, here};

    use crate::{Id, Span};

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

    /// The task of this number is known to have ended, where the poll of its handle says so.
    pub fn joined<R>(id: Option<&Id>, poll: Poll<R>) -> Poll<R> {
        if let (Some(Id(task)), Poll::Ready(_)) = (id, &poll) {
            task.joined();
        }
        poll
    }

    #[track_caller]
    pub fn lock(request: Request) -> Span {
        Span::lock(request)
    }

    pub fn task(site: &'static Location<'static>, kind: impl AsRef<str>) -> Span {
        let runs = if kind.as_ref() == "block_on" { Runs::BlockOn } else { Runs::Spawned };
        Span::task(Task::new(site, runs))
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
            _ => return Span::none(),
        };
        crate::entered(|lock| lock.ask(request, owned));
        Span::none()
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
fn entered(step: impl FnOnce(&Arc<AsyncLock>)) {
    // SAFETY: null, or set by `Entered` to a span that outlives it, in this thread; it takes that back.
    let span = unsafe { ENTERED.get().as_ref() };
    if let Some(lock) = span.and_then(Span::as_lock) {
        step(lock);
    }
}

/// A task, a lock, or nothing that is watched.
#[derive(Debug)]
pub struct Span(Kind);

#[derive(Debug)]
enum Kind {
    /// Nothing; or a lock that was made where no function can be called, once it is used.
    None(OnceLock<Arc<AsyncLock>>),
    Lock(Arc<AsyncLock>),
    Task(Task),
}

impl Span {
    pub const fn none() -> Span {
        Span(Kind::None(OnceLock::new()))
    }

    #[track_caller]
    fn lock(request: Request) -> Span {
        Span(Kind::Lock(Arc::new(AsyncLock::new(request))))
    }

    fn task(task: Task) -> Span {
        Span(Kind::Task(task))
    }

    fn as_lock(&self) -> Option<&Arc<AsyncLock>> {
        match &self.0 {
            Kind::None(lock) => Some(lock.get_or_init(|| Arc::new(AsyncLock::unplaced()))),
            Kind::Lock(lock) => Some(lock),
            Kind::Task(_) => None,
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
    pub fn entered(self) -> EnteredSpan {
        EnteredSpan
    }

    pub fn id(&self) -> Option<Id> {
        match &self.0 {
            Kind::Task(task) => Some(Id(task.clone())),
            Kind::None(_) | Kind::Lock(_) => None,
        }
    }
}

impl Clone for Span {
    fn clone(&self) -> Span {
        match &self.0 {
            // A guard has such a copy: it is to be that of one lock.
            Kind::None(_) => match self.as_lock() {
                Some(lock) => Span(Kind::Lock(Arc::clone(lock))),
                None => Span::none(),
            },
            Kind::Lock(lock) => Span(Kind::Lock(Arc::clone(lock))),
            Kind::Task(task) => Span(Kind::Task(task.clone())),
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

impl Drop for EnteredSpan {
    fn drop(&mut self) {}
}

/// The task of a span.
#[derive(Clone, Debug)]
pub struct Id(Task);

impl Id {
    pub fn into_u64(&self) -> u64 {
        0
    }
}

pub mod span {
    pub use crate::{Entered, EnteredSpan, Id, Span};
}

pub use instrument::Instrument;

pub mod instrument {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use crate::{Kind, Span};

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
                Kind::Task(task) => task.poll(cx, |cx| inner.poll(cx)),
                Kind::None(_) | Kind::Lock(_) => inner.poll(cx),
            }
        }
    }

    impl<T> Drop for Instrumented<T> {
        fn drop(&mut self) {
            match &self.span.0 {
                // An assignment drops in place.
                Kind::Task(task) => task.drop_future(|| self.inner = None),
                Kind::None(_) | Kind::Lock(_) => self.inner = None,
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
    ($($other:tt)*) => { $crate::Span::none() };
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
