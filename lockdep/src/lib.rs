//! Instrumented locks that find deadlocks.

#![cfg_attr(lockdep_creation_order, feature(core_intrinsics, const_eval_select))]
#![cfg_attr(lockdep_creation_order, expect(internal_features, reason = "see `creation`"))]

#[cfg(feature = "parking_lot")]
pub mod parking_lot;
#[cfg(feature = "instrument")]
pub mod sync;
#[cfg(feature = "instrument")]
pub mod thread;

pub mod instrument;

mod creation;
mod record;
mod word;

mod identity;
mod learning;
mod process;
mod spawning;
mod waiting;

mod platform;

pub mod config;
pub mod engine;
pub mod finding;
mod hash;
mod observer;
mod stack;
mod trace;

pub mod banker;
pub mod ordered;

#[cfg(feature = "macros")]
mod macros;

#[cfg(feature = "sources")]
pub mod sources;

pub use config::Config;
pub use finding::Finding;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub use lockdep_macros as __macros;
pub use process::{configure, findings};
#[cfg(not(feature = "instrument"))]
pub use std::{sync, thread};
