//! The synchronisation types of [`std::sync`], instrumented.
//!
//! Each type has the name, methods, bounds, auto traits, variance, poisoning and `Debug` text of
//! the one in `std` and differs in one thing: it reports what threads do with it to the engine,
//! through [`crate::hooks`]. No type here decides anything about orders; each hooks, calls
//! `std`, and wraps the result.
//!
//! Everything that is not defined here is `std`'s own, so `use lockdep::sync` replaces
//! `use std::sync` as a whole. What is unstable in `std` (mapped guards, `mpmc`, `ReentrantLock`)
//! is not instrumented.
//!
//! Here and not in `std` is [`Semaphore`], with [`PermitClaim`].
//!
//! Without the feature `instrument` all types but those two are `std`'s, and those work as with it; they are
//! watched only where the feature `parking_lot` is on.
//!
//! # Differences
//!
//! - A type here is larger than `std`'s: it carries a [`LockTag`] or an [`EventTag`].
//! - A lock tells the engine that it is gone, so it needs to be dropped even if its value does
//!   not: a `const fn` cannot drop a `Mutex<u8>`, and a `thread_local!` that holds one cannot be
//!   used any more once the thread has dropped it.
//! - A function such as [`Mutex::new`] that is passed as a pointer does not know its caller: all
//!   the locks that are made through it have the place of the function itself.
//! - The name that [`std::any::type_name`] gives is another.
//!
//! [`LockTag`]: crate::hooks::LockTag
//! [`EventTag`]: crate::hooks::EventTag

// The glob keeps what `std` has and this module does not define, now and in later versions.
pub use std::sync::*;

#[cfg(feature = "instrument")]
mod held;
#[cfg(feature = "instrument")]
mod outcome;

#[cfg(feature = "instrument")]
mod condvar;
#[cfg(feature = "instrument")]
mod mutex;
#[cfg(feature = "instrument")]
mod rwlock;

#[cfg(feature = "instrument")]
mod lazy_lock;
#[cfg(feature = "instrument")]
mod once;
#[cfg(feature = "instrument")]
mod once_lock;

#[cfg(feature = "instrument")]
mod barrier;
#[cfg(feature = "library")]
mod claims;
#[cfg(feature = "instrument")]
pub mod mpsc;
#[cfg(feature = "library")]
mod semaphore;

#[cfg(feature = "instrument")]
pub use self::barrier::Barrier;
#[cfg(feature = "library")]
pub use self::claims::{ClaimError, PermitClaim};
#[cfg(feature = "instrument")]
pub use self::condvar::{Condvar, WaitTimeoutResult};
#[cfg(feature = "instrument")]
pub use self::lazy_lock::LazyLock;
#[cfg(feature = "instrument")]
pub use self::mutex::{Mutex, MutexGuard};
#[cfg(feature = "instrument")]
#[expect(deprecated, reason = "std still exports it")]
pub use self::once::ONCE_INIT;
#[cfg(feature = "instrument")]
pub use self::once::Once;
#[cfg(feature = "instrument")]
pub use self::once_lock::OnceLock;
#[cfg(feature = "instrument")]
pub use self::rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
#[cfg(feature = "library")]
pub use self::semaphore::{AcquireError, Permit, ReleaseError, Semaphore};
