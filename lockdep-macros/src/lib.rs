//! Macros of the `lockdep` crate.
