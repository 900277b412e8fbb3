//! The library `lockdep` of a checked program: the runtime that watches the program.
//!
//! What the program declares and configures with its library is so declared to the runtime, and each
//! of its locks is watched once. The macros need crates that the runtime does not have, so they are
//! compiled here.

pub use std::__lockdep::*;

/// The declared order.
pub mod order {
    pub use std::__lockdep::order::*;

    #[cfg(feature = "macros")]
    pub use lockdep_macros::LockOrder;
}

#[cfg(feature = "macros")]
#[path = "lockdep/macros.rs"]
mod macros;

#[cfg(feature = "macros")]
#[doc(hidden)]
pub use lockdep_macros as __macros;
#[cfg(feature = "macros")]
pub use lockdep_macros::{lock_rank, locks};
#[cfg(feature = "macros")]
pub use order::LockOrder;
