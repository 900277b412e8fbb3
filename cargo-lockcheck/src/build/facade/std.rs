//! The standard library, with the locks and threads of `lockdep` in the place of its own.
//!
//! Compiled under the name `std` and given to the compiler of every checked crate, so that the
//! crate's own `std::sync::Mutex` is an instrumented one. All that is not named here is the real
//! thing: an explicit item hides the one of the same name that the glob brings in, and both modules
//! of `lockdep` have in turn all that they do not replace.

#![no_std]

extern crate std as real_std;

// For the library `lockdep` of a checked program.
#[doc(hidden)]
pub use lockdep as __lockdep;
pub use lockdep::{sync, thread};
pub use real_std::*;
