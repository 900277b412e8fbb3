//! Has cargo check the workspace, and reads the MIR that the compiler writes meanwhile.

mod cargo;
mod manifest;
mod read;
mod target;

pub use cargo::{Compiled, WRAPPER, run, unknown_compiler, wrap};
pub use target::Checked;
