//! Instrumented locks that find deadlocks.

pub mod instrument;

mod record;
mod word;

mod process;

pub mod config;
pub mod engine;
pub mod finding;
mod hash;
mod observer;
mod stack;
mod trace;

pub use config::Config;
pub use finding::Finding;
pub use process::{configure, findings};
