//! Which operations of atomic values read them, and which change them.

use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// The operations that change a value.
pub(crate) const WRITES: &[&str] = &[
    "store",
    "swap",
    "fetch_add",
    "fetch_sub",
    "fetch_or",
    "fetch_and",
    "fetch_xor",
    "fetch_max",
    "fetch_min",
    "fetch_update",
    "compare_exchange",
    "compare_exchange_weak",
];

/// The operation that only reads a value.
pub(crate) const LOADS: &[&str] = &["load"];

/// The operations by which a value is usually looked at when it is also taken.
pub(crate) const READS: &[&str] = &["load", "swap", "compare_exchange", "fetch_and"];

/// Whether a call is one of these operations of an atomic value.
pub(crate) fn is_operation(callee: &Callee<'_>, names: &[&str]) -> bool {
    types::last(callee.owner()).starts_with("Atomic") && names.contains(&callee.name())
}
