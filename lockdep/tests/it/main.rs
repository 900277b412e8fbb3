//! The integration tests of the crate, one module a topic.

#![cfg(feature = "instrument")]

mod allocator;
mod banker;
mod isolated;
mod peers;
mod process;
