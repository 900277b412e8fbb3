//! Has cargo check the workspace, and reads the MIR that the compiler writes meanwhile.

mod cargo;
mod manifest;
mod read;
mod target;

pub use cargo::{Compiled, WRAPPER, run, unread, wrap};
pub use target::Checked;
