//! [`JoinHandle`].

use std::fmt;
use std::panic::Location;
use std::thread::Result;

use crate::hooks::Child;
use crate::thread::Thread;

/// The right to wait for a thread's end: [`std::thread::JoinHandle`], with the wait recorded.
pub struct JoinHandle<T> {
    inner: std::thread::JoinHandle<T>,
    child: Child,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(inner: std::thread::JoinHandle<T>, child: Child) -> JoinHandle<T> {
        JoinHandle { inner, child }
    }

    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        Thread::of(self.inner.thread())
    }

    /// Waits for the thread to end; see [`std::thread::JoinHandle::join`].
    ///
    /// # Errors
    ///
    /// The thread panicked. The payload is the error.
    ///
    /// # Panics
    ///
    /// The thread is this one, or waits for this one, and the engine is configured to panic then.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let JoinHandle { inner, child } = self;
        child.join(Location::caller(), inner.is_finished(), || inner.join())
    }

    /// Whether the thread has run its function to the end; never blocks.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::thread::{JoinHandleExt, RawPthread};

    use super::JoinHandle;

    impl<T> JoinHandleExt for JoinHandle<T> {
        fn as_pthread_t(&self) -> RawPthread {
            self.inner.as_pthread_t()
        }

        fn into_pthread_t(self) -> RawPthread {
            self.inner.into_pthread_t()
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::os::windows::io::{
        AsHandle, AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle, RawHandle,
    };

    use super::JoinHandle;

    impl<T> AsRawHandle for JoinHandle<T> {
        fn as_raw_handle(&self) -> RawHandle {
            self.inner.as_raw_handle()
        }
    }

    impl<T> IntoRawHandle for JoinHandle<T> {
        fn into_raw_handle(self) -> RawHandle {
            self.inner.into_raw_handle()
        }
    }

    impl<T> AsHandle for JoinHandle<T> {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.inner.as_handle()
        }
    }

    impl<T> From<JoinHandle<T>> for OwnedHandle {
        fn from(handle: JoinHandle<T>) -> OwnedHandle {
            OwnedHandle::from(handle.inner)
        }
    }
}
