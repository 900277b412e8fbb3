//! Parts of `lockdep` that threads read while others write them, under [loom], which runs a test in
//! every order that the memory model allows. The sources are the runtime's own, with loom's atomics.
//!
//! loom takes a `SeqCst` access for an acquire or a release, so what must be seen by the last of
//! several threads is shown here for those that are ordered by a fence.
//!
//! [loom]: https://docs.rs/loom

#![cfg(test)]

mod waits;

/// What the sources call their atomics.
mod atomic {
    pub(crate) use loom::sync::atomic::*;
}

#[allow(dead_code, reason = "the runtime needs more of it than the models")]
#[path = "../../lockdep/src/thread_state/wait.rs"]
mod wait;
