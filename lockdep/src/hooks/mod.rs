//! The hooks that an instrumented primitive calls: everything a lock, a thread or an event tells
//! the engine goes through here.
//!
//! [`crate::sync`] and [`crate::thread`] are written on these hooks alone, and so can any other
//! lock be: keep a [`LockTag`] beside the real lock, call [`LockTag::acquire`] around the real
//! acquisition and [`LockTag::release`] just before the real release. A hook never panics, but for
//! what would hang or go round for ever (`deadlock`, `double-lock`, `livelock`, ...), as configured.

#[cfg(feature = "instrument")]
pub(crate) use declared::takes_in_order;
pub use event::{EventKind, EventTag};
pub use lock::{Initializer, Initializing};
pub use threads::{Child, Entered, park, unpark};

pub use crate::model::lock::{Conversion, LockKind, LockType, Mode, Site};
pub use crate::model::tag::LockTag;

mod declared;
mod event;
mod lock;
mod threads;
