//! Parts of `lockdep` that threads read while others write them, under [loom], which runs a model in
//! every order that the memory model allows. The sources are the runtime's own, with loom's atomics.
//!
//! loom takes a `SeqCst` access for an acquire or a release, so what must be seen by the last of
//! several threads is shown here for those that are ordered by a fence.
//!
//! The models are functions of a library, which `models.rs` runs as tests: the sources have tests of
//! their own, which know nothing of loom.
//!
//! [loom]: https://docs.rs/loom

#![cfg(not(test))]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the runtime needs more of its sources than the models"
)]

/// What the sources call their atomics.
mod atomic {
    pub(crate) use loom::sync::atomic::*;
}

#[path = "../../lockdep/src/hash.rs"]
mod hash;

#[path = "../../lockdep/src/model"]
mod model {
    pub(crate) mod held;
    pub(crate) mod ids;
    pub(crate) mod lock;
    pub(crate) mod word;
}

#[path = "../../lockdep/src/thread_state"]
mod thread_state {
    pub(crate) mod held_stack;
    pub(crate) mod polling;
    pub(crate) mod remote_release;
    pub(crate) mod wait;

    // Here, as only the thread's own state may change a stack.
    #[path = "../../../tests/models/holds.rs"]
    pub mod holds;
    #[path = "../../../tests/models/waits.rs"]
    pub mod waits;
}

pub use thread_state::{holds, waits};
