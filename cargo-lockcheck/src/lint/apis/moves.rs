//! What calls do to values that they are given, or given a reference to.

use super::aliases::has_elements;
use super::functions::{Functions, Of, any, first, of_types};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// What a call does to the `Some` or `Ok` around a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// It is still there, or another takes its place.
    Kept,
    /// It is taken off.
    Removed,
    /// Nobody knows.
    Unknown,
}

/// Functions that keep or take off a wrapper, of those with `Option` or `Result` in their paths.
const WRAPPINGS: &[(Functions, Wrapping)] = &[
    (
        Functions { of: Of::Anything, names: &["map_err", "branch", "ok", "ok_or", "ok_or_else"] },
        Wrapping::Kept,
    ),
    (Functions { of: Of::Anything, names: &["unwrap", "expect"] }, Wrapping::Removed),
];

/// Functions that move a value out from behind the reference that they are given.
const TAKERS: &[&str] =
    &["take", "replace", "remove", "pop", "pop_front", "pop_back", "swap_remove"];

/// Methods of collections that drop elements before they return.
const DROPPING: &[&str] = &["clear", "truncate", "retain", "retain_mut", "dedup"];

/// Questions whether an option or result is the variant of number 0 when the answer is yes, or that of 1.
const TESTS: &[(Functions, u128)] = &[
    (of_types(&["Option"], &["is_none"]), 0),
    (of_types(&["Result"], &["is_ok"]), 0),
    (of_types(&["Option"], &["is_some"]), 1),
    (of_types(&["Result"], &["is_err"]), 1),
];

/// Types whose values lead to a value that they share.
const HANDLES: &[&str] = &["Arc", "Rc", "Weak"];

/// Types of the library that are data, if what is in them is.
const DATA: &[&str] = &[
    "Bound",
    "Option",
    "Result",
    "Range",
    "RangeInclusive",
    "RangeFrom",
    "RangeTo",
    "String",
    "Vec",
    "Box",
    "Duration",
    "Instant",
    "SystemTime",
    "Path",
    "PathBuf",
    "OsStr",
    "OsString",
    "Ordering",
    "SocketAddr",
    "IpAddr",
    "NonZero",
];

/// Functions whose argument is never dropped.
const FORGETTING: &[&str] = &["mem::forget", "ManuallyDrop"];

/// Types whose values do not drop what they hold, or are not surely the last to hold it.
const NOT_DROPPING: &[&str] = &["Arc", "Rc", "Weak", "ManuallyDrop", "MaybeUninit"];

/// Whether a type is a handle of a value that others may have handles of too.
pub(crate) fn is_handle(ty: &str) -> bool {
    HANDLES.contains(&types::short(ty))
}

/// Whether a type is made of primitives and the library's types of data alone.
pub(crate) fn is_data(ty: &str) -> bool {
    ty.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|name| name.starts_with(char::is_uppercase))
        .all(|name| DATA.contains(&name))
}

/// What a call does to the `Some` or `Ok` around a value.
pub(crate) fn wrapping(callee: &Callee<'_>) -> Wrapping {
    if !callee.text.contains("Result") && !callee.text.contains("Option") {
        return Wrapping::Unknown;
    }
    first(WRAPPINGS, callee).unwrap_or(Wrapping::Unknown)
}

/// Whether a call drops all that the collection behind its reference holds.
pub(crate) fn empties(callee: &Callee<'_>) -> bool {
    callee.name() == "clear" && types::is_library(callee.owner())
}

/// Whether a call drops elements of the collection behind its reference.
pub(crate) fn drops_elements(callee: &Callee<'_>) -> bool {
    DROPPING.contains(&callee.name())
        && callee.trait_name.is_none()
        && types::is_library(callee.owner())
        && has_elements(callee.owner())
}

/// Whether a call gives out what was behind its reference, with something else in its place or not.
pub(crate) fn gives_out(callee: &Callee<'_>) -> bool {
    takes_out(callee) || callee.name() == "insert"
}

/// Whether a call moves a value out from behind its reference.
pub(crate) fn takes_out(callee: &Callee<'_>) -> bool {
    any(&[Functions { of: Of::Anything, names: TAKERS }], callee)
}

/// The variant, by number, that an option or result is when the call says yes.
pub(crate) fn tested_variant(callee: &Callee<'_>) -> Option<u128> {
    first(TESTS, callee)
}

/// Whether a call drops its argument at once.
pub(crate) fn is_drop(callee: &Callee<'_>) -> bool {
    callee.path.ends_with("mem::drop")
}

/// Whether what a call is given is never dropped.
pub(crate) fn forgets(callee: &Callee<'_>) -> bool {
    FORGETTING.iter().any(|word| callee.text.contains(word))
}

/// Whether dropping a value of a type surely drops what it holds.
pub(crate) fn drops_content(ty: &str) -> bool {
    !NOT_DROPPING.contains(&types::short(ty))
}
