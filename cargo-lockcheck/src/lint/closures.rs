//! What becomes of a closure that is handed to code outside of the program: whether that code calls
//! it, and when. Code that is not known keeps it.

use super::mir::callee::Callee;
use super::mir::types;

/// Whether a call runs its closure only when the option it is called on holds nothing.
pub(super) fn run_on_nothing(callee: &Callee<'_>) -> bool {
    types::last(callee.owner()) == "Option"
        && matches!(
            callee.name(),
            "unwrap_or_else" | "or_else" | "ok_or_else" | "get_or_insert_with"
        )
}

/// Whether code outside the program is known to call the closures it is given before it returns.
pub(super) fn are_called(callee: &Callee<'_>) -> bool {
    let path = match callee.self_ty {
        Some(_) => callee.text.split(" as ").nth(1).unwrap_or(""),
        None => &callee.path,
    };
    let crates = [
        "std::",
        "core::",
        "alloc::",
        "rayon::",
        "rayon_core::",
        "parking_lot::",
        "lock_api::",
        "once_cell::",
        "hashbrown::",
        "indexmap::",
        "itertools::",
        "dashmap::",
    ];
    crates.iter().any(|name| path.starts_with(name))
        && !matches!(callee.name(), "drop" | "forget" | "replace" | "set_hook" | "size_of_val")
}

/// The generic arguments that closures stand in which a call may run: the function's own, and for
/// an iterator those of its type. A closure in the type of a container is only kept.
pub(super) fn text<'a>(callee: &Callee<'a>) -> &'a str {
    let is_iterator = matches!(
        callee.trait_name,
        Some("Iterator" | "DoubleEndedIterator" | "ParallelIterator" | "IndexedParallelIterator")
    );
    if is_iterator {
        return callee.text;
    }
    let name = callee.name();
    match callee.text.rfind(&format!("::{name}::<")) {
        Some(at) => &callee.text[at..],
        None => "",
    }
}
