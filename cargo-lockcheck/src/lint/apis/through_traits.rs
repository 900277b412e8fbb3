//! Calls of the library that lead to code of the program by a trait.

use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// The type whose value `Argument::new_debug` and its like format.
pub(crate) fn formatted<'a>(callee: &Callee<'a>) -> Option<&'a str> {
    let is_argument = callee.path.contains("fmt::rt::Argument");
    let (_, generic) = callee.text.rsplit_once("::<").filter(|_| is_argument)?;
    generic.strip_suffix('>').map(types::peel)
}

/// Whether a call compares two values, maybe behind references.
pub(crate) fn is_comparison(callee: &Callee<'_>) -> bool {
    matches!(callee.trait_name, Some("PartialEq" | "PartialOrd" | "Ord"))
}

/// Whether a call wakes a task, which is code of the executor.
pub(crate) fn is_wake(callee: &Callee<'_>) -> bool {
    callee.path.ends_with("Waker::wake") || callee.path.ends_with("Waker::wake_by_ref")
}
