//! Threads of [`std::thread`], instrumented: who spawned whom, who waits for whose end.
//!
//! What makes, joins, parks or unparks a thread is defined here, with the signatures of `std`;
//! everything else is `std`'s own.
//!
//! # Examples
//! ```
//! use lockdep::sync::Mutex;
//! use lockdep::thread;
//!
//! let total = Mutex::new(0);
//! thread::scope(|s| {
//!     for part in 1..4 {
//!         let total = &total;
//!         s.spawn(move || *total.lock().unwrap() += part);
//!     }
//! });
//! assert_eq!(total.into_inner().unwrap(), 6);
//! ```

// The glob keeps what `std` has and this module does not define, now and in later versions.
pub use std::thread::*;

mod builder;
mod handle;
mod park;
mod scoped;

pub use self::builder::{Builder, spawn};
pub use self::handle::JoinHandle;
#[expect(deprecated, reason = "std still exports it")]
pub use self::park::park_timeout_ms;
pub use self::park::{Thread, current, park, park_timeout};
pub use self::scoped::{Scope, ScopedJoinHandle, scope};
