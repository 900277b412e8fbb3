//! [`scope`] and the threads in it.
//!
//! The wait of `std` for the threads of a scope cannot be observed. So a scope here keeps a list of its
//! threads, and waits for each of them through the hooks just before `std` waits.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Result;
use std::{fmt, io, mem, process};

use crate::hooks::{Child, Site};
use crate::thread::Thread;
use crate::thread::builder::entering;

/// Runs `f`, which may spawn threads that borrow, and waits for them; see [`std::thread::scope`].
///
/// # Panics
///
/// `f` panics, or a thread that was not joined by its handle did.
///
/// # Aborts
///
/// When the end of the scope, after a panic of `f` too, completes a deadlock and the engine is
/// configured to panic then: a panic could not leave the scope while its threads run.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let site = Location::caller();
    // Out here, because threads may use it until `std`'s scope has ended.
    let place = OnceCell::<Scope<'static, 'static>>::new();
    std::thread::scope(|inner| {
        // SAFETY: only the lifetimes change, to those of the `place`. It is used with the real
        // ones below, and after that only dropped, which does not look at `inner`.
        let inner = unsafe {
            mem::transmute::<&std::thread::Scope<'_, 'env>, &std::thread::Scope<'static, 'static>>(
                inner,
            )
        };
        let scope =
            place.get_or_init(|| Scope { inner, threads: Threads::new(), scope: PhantomData });
        // SAFETY: these are the lifetimes that `inner` came with. `place` is neither moved nor
        // dropped until `std::thread::scope` has returned or unwound, which ends `'scope`.
        let scope = unsafe { mem::transmute::<&Scope<'static, 'static>, &Scope<'_, 'env>>(scope) };
        let _end = End { threads: &scope.threads, site };
        f(scope)
    })
}

/// The end of a scope, which waits for its threads, however its function ended.
struct End<'a> {
    threads: &'a Threads,
    site: Site,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.threads.wait(self.site);
    }
}

/// What [`scope`] gives to its function to spawn threads with: [`std::thread::Scope`].
pub struct Scope<'scope, 'env: 'scope> {
    inner: &'scope std::thread::Scope<'scope, 'env>,
    threads: Threads,
    scope: PhantomData<&'scope mut &'scope ()>,
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Runs `f` in a new thread of this scope; see [`std::thread::Scope::spawn`].
    ///
    /// # Panics
    ///
    /// The operating system makes no thread; [`Builder::spawn_scoped`] returns the error instead.
    ///
    /// [`Builder::spawn_scoped`]: crate::thread::Builder::spawn_scoped
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.spawn_with(std::thread::Builder::new(), Child::spawn(Location::caller()), f)
            .expect("failed to spawn thread")
    }

    pub(super) fn spawn_with<F, T>(
        &'scope self,
        builder: std::thread::Builder,
        child: Child,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let run = entering(&child, f);
        let member = Arc::new(Member::new(child));
        let ending = Ending { member: Arc::clone(&member), threads: &self.threads };
        let inner = builder.spawn_scoped(self.inner, move || {
            let _ending = ending;
            run()
        })?;
        self.threads.add(&member);
        Ok(ScopedJoinHandle { inner, member })
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// The right to wait for the end of a thread of a scope: [`std::thread::ScopedJoinHandle`], with
/// the wait recorded.
pub struct ScopedJoinHandle<'scope, T> {
    inner: std::thread::ScopedJoinHandle<'scope, T>,
    member: Arc<Member>,
}

impl<'scope, T> ScopedJoinHandle<'scope, T> {
    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        Thread::of(self.inner.thread())
    }

    /// Waits for the thread to end; see [`std::thread::ScopedJoinHandle::join`].
    ///
    /// # Errors
    ///
    /// The thread panicked. The payload is the error.
    ///
    /// # Panics
    ///
    /// The thread waits for this one, and the engine is configured to panic then.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let ScopedJoinHandle { inner, member } = self;
        let result = member.child.join(Location::caller(), inner.is_finished(), || inner.join());
        member.joined.store(true, Ordering::Relaxed);
        result
    }

    /// Whether the thread has run its function to the end; never blocks.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<'scope, T> fmt::Debug for ScopedJoinHandle<'scope, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// The threads of a scope.
///
/// It takes no handle of the thread that the scope belongs to, which a thread that is ending no
/// longer has.
struct Threads {
    /// The threads that are not known to have been joined. A thread that is spawned by one of them is
    /// added before that one ends.
    members: Mutex<Vec<Arc<Member>>>,
    /// Notified when one has ended.
    changed: Condvar,
}

/// A thread of a scope.
struct Member {
    child: Child,
    /// Whether its function has returned or unwound. Set with [`Threads::members`] locked.
    ended: AtomicBool,
    /// Whether its handle was joined.
    joined: AtomicBool,
}

/// Held by a thread of a scope while its function runs.
struct Ending<'scope> {
    member: Arc<Member>,
    threads: &'scope Threads,
}

impl Threads {
    fn new() -> Threads {
        Threads { members: Mutex::new(Vec::new()), changed: Condvar::new() }
    }

    fn members(&self) -> MutexGuard<'_, Vec<Arc<Member>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, member: &Arc<Member>) {
        let mut members = self.members();
        if members.len() == members.capacity() {
            members.retain(|member| !member.joined.load(Ordering::Relaxed));
        }
        members.push(Arc::clone(member));
    }

    fn next(&self) -> Option<Arc<Member>> {
        self.members().pop()
    }

    /// Waits for all threads; called at the end of the scope.
    #[track_caller]
    fn wait(&self, site: Site) {
        let no_way_out = AbortOnUnwind;
        while let Some(member) = self.next() {
            let has_ended = member.ended.load(Ordering::Acquire);
            member.child.join(site, has_ended, || {
                let runs = |_: &mut Vec<_>| !member.ended.load(Ordering::Acquire);
                drop(self.changed.wait_while(self.members(), runs));
            });
        }
        mem::forget(no_way_out);
    }
}

impl Member {
    fn new(child: Child) -> Member {
        Member { child, ended: AtomicBool::new(false), joined: AtomicBool::new(false) }
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let members = self.threads.members();
        self.member.ended.store(true, Ordering::Release);
        drop(members);
        self.threads.changed.notify_all();
    }
}

/// Ends the process when it is dropped.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        process::abort();
    }
}
