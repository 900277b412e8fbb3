//! The runtime and the crate named `std`, and how each compiler call of a checked build gets them.
//!
//! [`runtime`] compiles lockdep for the toolchain in use, with what its `std` has
//! ([`std_library`]), once for all workspaces ([`cache`]). Cargo calls this program in the place of
//! `rustc` ([`wrapper`], [`rustc_call`]), which adds the runtime to crates that use the standard library
//! ([`std_use`]) and compiles patched sources of crates that bring their own locks
//! ([`crate_patches`], [`patch_lock_api`], `patch_tokio`). What it sees nothing of is known by package ([`unwatched`]).

pub mod cache;
pub mod crate_patches;
pub mod patch_lock_api;
pub mod patch_tokio;
mod rewriting;
pub mod runtime;
pub mod rustc_call;
pub mod std_library;
pub mod std_use;
pub mod unwatched;
pub mod wrapper;
