//! [`spawn`] and [`Builder`].

use std::panic::Location;
use std::{fmt, io};

use crate::hooks::Child;
use crate::thread::{JoinHandle, Scope, ScopedJoinHandle};

/// Runs `f` in a new thread; see [`std::thread::spawn`].
///
/// # Panics
///
/// The operating system makes no thread; [`Builder::spawn`] returns the error instead.
///
/// # Examples
///
/// ```
/// let answer = lockdep::thread::spawn(|| 42);
/// assert_eq!(answer.join().unwrap(), 42);
/// ```
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T,
    F: Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// The name and stack size of a thread to be: [`std::thread::Builder`].
///
/// # Examples
/// A report calls a thread by its name:
///
/// ```
/// use lockdep::thread;
///
/// let teller = thread::Builder::new().name("teller".to_owned()).spawn(|| 42)?;
/// assert_eq!(teller.thread().name(), Some("teller"));
/// assert_eq!(teller.join().unwrap(), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    inner: std::thread::Builder,
}

impl Builder {
    /// No name, and the default stack size.
    #[expect(clippy::new_without_default, reason = "std's has no `Default` either")]
    pub fn new() -> Builder {
        Builder { inner: std::thread::Builder::new() }
    }

    /// Names the thread.
    pub fn name(self, name: String) -> Builder {
        Builder { inner: self.inner.name(name) }
    }

    /// Sets the size of the thread's stack, in bytes.
    pub fn stack_size(self, size: usize) -> Builder {
        Builder { inner: self.inner.stack_size(size) }
    }

    /// Runs `f` in a new thread; see [`std::thread::Builder::spawn`].
    ///
    /// # Errors
    ///
    /// The operating system makes no thread.
    ///
    /// # Panics
    ///
    /// The name has a zero byte.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T,
        F: Send + 'static,
        T: Send + 'static,
    {
        let child = Child::spawn(Location::caller());
        let inner = self.inner.spawn(entering(&child, f))?;
        Ok(JoinHandle::new(inner, child))
    }

    /// Runs `f`, which may borrow, in a new thread; see
    /// [`std::thread::Builder::spawn_unchecked`].
    ///
    /// # Errors
    ///
    /// The operating system makes no thread.
    ///
    /// # Panics
    ///
    /// The name has a zero byte.
    ///
    /// # Safety
    ///
    /// The thread must end before what `f` and its result borrow does.
    #[track_caller]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T,
        F: Send,
        T: Send,
    {
        let child = Child::spawn(Location::caller());
        // SAFETY: the closure borrows what `f` does, and the caller promises that for `f`.
        let inner = unsafe { self.inner.spawn_unchecked(entering(&child, f)) }?;
        Ok(JoinHandle::new(inner, child))
    }

    /// Runs `f` in a new thread of `scope`; see [`std::thread::Builder::spawn_scoped`].
    ///
    /// # Errors
    ///
    /// The operating system makes no thread.
    ///
    /// # Panics
    ///
    /// The name has a zero byte.
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        scope.spawn_with(self.inner, Child::spawn(Location::caller()), f)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// `f`, run as the thread `child`.
pub(super) fn entering<F, T>(child: &Child, f: F) -> impl FnOnce() -> T + use<F, T>
where
    F: FnOnce() -> T,
{
    let child = child.clone();
    move || {
        let _entered = child.enter();
        f()
    }
}
