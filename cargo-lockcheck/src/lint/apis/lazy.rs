//! Values that are made when they are first used, while other threads that use them wait.

use super::functions::{Functions, any, of_types_in};
use crate::lint::mir::callee::Callee;

/// How a call has a value made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LazyCall {
    /// By the function that was given to the value when it was declared.
    ByOwnFunction,
    /// By a closure that the call is given.
    ByArgument,
}

/// Crates of whose types it is known that another thread waits meanwhile; a type of the program may
/// have such a name too.
const CRATES: &[&str] = &[
    "std::sync::",
    "lockdep::",
    "once_cell::sync::",
    "lazy_static::",
    "parking_lot::",
    "spin::",
    "tokio::sync::",
];

/// Calls that use a value with its own function.
const OWN: &[Functions] = &[of_types_in(CRATES, &["LazyLock", "Lazy"], &["force"])];

/// Calls that are given the function.
const GIVEN: &[Functions] = &[
    of_types_in(CRATES, &["OnceLock", "OnceCell", "OnceBox"], &["get_or_init", "get_or_try_init"]),
    of_types_in(CRATES, &["Once"], &["call_once", "call_once_force"]),
    of_types_in(CRATES, &["Lazy"], &["get"]),
];

/// Types whose values are made by any dereference.
const DEREFERENCED: Functions = of_types_in(CRATES, &["LazyLock", "Lazy"], &[]);

/// How a call has a value made, if it may be the first to use one.
pub(crate) fn lazy_call(callee: &Callee<'_>) -> Option<LazyCall> {
    let is_deref = matches!(callee.trait_name, Some("Deref" | "__Deref"));
    if any(GIVEN, callee) {
        Some(LazyCall::ByArgument)
    } else if any(OWN, callee) || is_deref && DEREFERENCED.have(callee) {
        Some(LazyCall::ByOwnFunction)
    } else {
        None
    }
}
