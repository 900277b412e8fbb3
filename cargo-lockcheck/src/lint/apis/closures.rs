//! What becomes of a closure that is handed to code outside of the program: whether that code calls
//! it, and when. Code that is not known keeps it.

use super::functions::{Functions, Of, any, first, of_traits, of_types, of_types_in};
use crate::cli::user_config::CallEffect;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// Functions that run their closure only when the option they are called on holds nothing.
const ON_NOTHING: Functions =
    of_types(&["Option"], &["unwrap_or_else", "or_else", "ok_or_else", "get_or_insert_with"]);

/// Traits whose methods are called on iterators.
const ITERATORS: Functions = of_traits(
    &[
        "Iterator",
        "DoubleEndedIterator",
        "ExactSizeIterator",
        "Itertools",
        "ParallelIterator",
        "IndexedParallelIterator",
    ],
    &[],
);

/// Crates whose use of the closures that they are given is known.
const CRATES: &[&str] = &[
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
    "crossbeam::",
    "crossbeam_utils::",
];

/// Functions of other crates that run their closure before they return.
const RUNNING: &[Functions] = &[
    Functions { of: Of::Path("tokio::task"), names: &["block_in_place"] },
    of_types_in(&["tokio::task"], &["LocalKey"], &["with", "try_with", "sync_scope"]),
    of_types_in(&["tracing"], &["Span"], &["in_scope"]),
    Functions { of: Of::Crates(&["tracing"]), names: &["with_default"] },
    Functions { of: Of::Path("stacker"), names: &["grow", "maybe_grow"] },
    Functions { of: Of::Crates(&["async_std::task"]), names: &["block_in_place"] },
];

/// Modules of theirs whose functions move or look at a value of any type, or make a lazy iterator or
/// future.
const KEEPERS: &[&str] =
    &["any", "boxed", "convert", "future", "hint", "iter", "mem", "pin", "ptr", "task"];

/// Functions of theirs that keep a closure for later.
const KEEPING: &[&str] = &["set_hook"];

/// Methods of iterators that take items, without `try_`; all others only wrap the iterator.
const ITEM_TAKERS: &[&str] = &[
    "next",
    "next_back",
    "nth",
    "nth_back",
    "for_each",
    "for_each_with",
    "for_each_init",
    "foreach",
    "reduce",
    "reduce_with",
    "rfold",
    "fold_ok",
    "fold_while",
    "all",
    "any",
    "all_equal",
    "find",
    "rfind",
    "find_map",
    "find_any",
    "find_first",
    "find_last",
    "find_map_any",
    "find_map_first",
    "find_map_last",
    "position",
    "rposition",
    "position_any",
    "position_first",
    "position_last",
    "max",
    "max_by",
    "max_by_key",
    "min",
    "min_by",
    "min_by_key",
    "minmax",
    "sum",
    "product",
    "count",
    "counts",
    "counts_by",
    "last",
    "collect",
    "collect_vec",
    "collect_into",
    "collect_into_vec",
    "into_group_map",
    "into_group_map_by",
    "join",
    "partition",
    "partition_map",
    "sorted",
    "sorted_by",
    "sorted_by_key",
    "sorted_unstable",
    "sorted_unstable_by",
    "sorted_unstable_by_key",
    "unzip",
    "cmp",
    "partial_cmp",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "is_sorted",
    "is_sorted_by",
    "is_sorted_by_key",
    "is_partitioned",
];

/// Where the types of adapters are: running one runs the closures in its type.
const ADAPTERS: &[&str] = &["std::iter::", "core::iter::", "rayon::iter::", "itertools::"];

/// Types there that run none of what is in their types.
const PLAIN_ITERATORS: &[&str] = &["Once", "Repeat", "RepeatN", "Empty"];

/// What a function hands to its closure, by functions whose closure gets something of the first
/// argument.
const HANDED: &[(Functions, ClosureArgument)] = &[
    (of_types(&["Option", "Result"], &[]), ClosureArgument::Content),
    (of_types(&["LocalKey"], &["with"]), ClosureArgument::Content),
    (
        Functions { of: Of::Anything, names: &["for_each", "any", "all", "find", "position"] },
        ClosureArgument::Element,
    ),
];

/// What a closure is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosureArgument {
    /// What the function's first argument wraps, which counts as the same object.
    Content,
    /// An element of the function's first argument.
    Element,
}

/// What a call hands to its closure, as far as that is known.
pub(crate) fn closure_argument(callee: &Callee<'_>) -> Option<ClosureArgument> {
    first(HANDED, callee)
}

/// Whether a call is one of `Option` or `Result`, whose closures get what is in it.
pub(crate) fn is_option(callee: &Callee<'_>) -> bool {
    matches!(types::last(callee.owner()), "Option" | "Result")
}

/// Whether a call runs its closure only when the option it is called on holds nothing.
pub(crate) fn run_on_nothing(callee: &Callee<'_>) -> bool {
    ON_NOTHING.have(callee)
}

/// The types whose values a call of code outside the program runs before it returns, as far as that
/// is known. They stand among the function's own generic arguments, or in the type of an iterator
/// that the call takes items from; in the type of anything else a closure is only kept.
pub(crate) fn run<'a>(callee: &Callee<'a>) -> Vec<&'a str> {
    let mut found = Vec::new();
    let is_iterator = ITERATORS.have(callee);
    if !is_known(callee) || is_iterator && !takes_items(callee) {
        return found;
    }
    if let Some(iterator) = callee.self_ty.filter(|_| is_iterator) {
        within(iterator, &mut found);
    }
    let name = format!("::{}::<", callee.name());
    let own = callee.text.rfind(&name).and_then(|at| {
        let own = &callee.text[at + name.len()..];
        own.strip_suffix('>')
    });
    types::split(own.unwrap_or(""), b',').for_each(|ty| within(ty, &mut found));
    found
}

/// Whether a call only wraps an iterator, with a closure that runs when items are taken.
pub(crate) fn wraps(callee: &Callee<'_>) -> bool {
    is_known(callee) && ITERATORS.have(callee) && !takes_items(callee)
}

/// Whether a call is of code whose use of the closures it is given is known.
fn is_known(callee: &Callee<'_>) -> bool {
    if let Some(does) = callee.told {
        return does == CallEffect::Runs;
    }
    if any(RUNNING, callee) {
        return true;
    }
    let path = match callee.self_ty {
        Some(_) => callee.text.split(" as ").nth(1).unwrap_or(""),
        None => &callee.path,
    };
    let is_keeper = || {
        let module = path.split_once("::").and_then(|(_, rest)| rest.split("::").next());
        module.is_some_and(|module| KEEPERS.contains(&module))
    };
    CRATES.iter().any(|name| path.starts_with(name))
        && (callee.self_ty.is_some() || !is_keeper())
        && !KEEPING.contains(&callee.name())
}

/// Whether a method of an iterator takes items from it; all others only wrap it.
fn takes_items(callee: &Callee<'_>) -> bool {
    let name = callee.name();
    let is_parallel = callee.trait_name.is_some_and(|name| name.contains("Parallel"));
    let name = name.strip_prefix("try_").unwrap_or(name);
    ITEM_TAKERS.contains(&name) || name == "fold" && !is_parallel
}

/// The closures and parameters that running a value of a type runs: the value itself, and those
/// inside of an adapter.
fn within<'a>(ty: &'a str, found: &mut Vec<&'a str>) {
    let ty = types::peel(ty);
    let head = types::head(ty);
    let is_adapter = ADAPTERS.iter().any(|path| head.starts_with(path))
        && !PLAIN_ITERATORS.contains(&types::last(head))
        || head == "std::panic::AssertUnwindSafe";
    if is_adapter {
        types::arguments(ty).into_iter().for_each(|inner| within(inner, found));
    } else {
        found.push(ty);
    }
}
