//! What becomes of a closure that is handed to code outside of the program: whether that code calls
//! it, and when. Code that is not known keeps it.

use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// Whether a call runs its closure only when the option it is called on holds nothing.
pub(crate) fn run_on_nothing(callee: &Callee<'_>) -> bool {
    types::last(callee.owner()) == "Option"
        && matches!(
            callee.name(),
            "unwrap_or_else" | "or_else" | "ok_or_else" | "get_or_insert_with"
        )
}

/// The types whose values a call of code outside the program runs before it returns, as far as that
/// is known. They stand among the function's own generic arguments, or in the type of an iterator
/// that the call takes items from; in the type of anything else a closure is only kept.
pub(crate) fn run<'a>(callee: &Callee<'a>) -> Vec<&'a str> {
    let mut found = Vec::new();
    let is_iterator = matches!(
        callee.trait_name,
        Some(
            "Iterator"
                | "DoubleEndedIterator"
                | "ExactSizeIterator"
                | "Itertools"
                | "ParallelIterator"
                | "IndexedParallelIterator"
        )
    );
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

/// Whether a call is of code whose use of the closures it is given is known.
fn is_known(callee: &Callee<'_>) -> bool {
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
    // Modules whose functions move or look at a value of any type, or make a lazy iterator or future.
    let keepers =
        ["any", "boxed", "convert", "future", "hint", "iter", "mem", "pin", "ptr", "task"];
    let is_keeper = || {
        let module = path.split_once("::").and_then(|(_, rest)| rest.split("::").next());
        module.is_some_and(|module| keepers.contains(&module))
    };
    crates.iter().any(|name| path.starts_with(name))
        && (callee.self_ty.is_some() || !is_keeper())
        && callee.name() != "set_hook"
}

/// Whether a method of an iterator takes items from it; all others only wrap it.
fn takes_items(callee: &Callee<'_>) -> bool {
    let name = callee.name();
    let is_parallel = callee.trait_name.is_some_and(|name| name.contains("Parallel"));
    let name = name.strip_prefix("try_").unwrap_or(name);
    matches!(
        name,
        "next"
            | "next_back"
            | "nth"
            | "nth_back"
            | "for_each"
            | "for_each_with"
            | "for_each_init"
            | "foreach"
            | "reduce"
            | "reduce_with"
            | "rfold"
            | "fold_ok"
            | "fold_while"
            | "all"
            | "any"
            | "all_equal"
            | "find"
            | "rfind"
            | "find_map"
            | "find_any"
            | "find_first"
            | "find_last"
            | "find_map_any"
            | "find_map_first"
            | "find_map_last"
            | "position"
            | "rposition"
            | "position_any"
            | "position_first"
            | "position_last"
            | "max"
            | "max_by"
            | "max_by_key"
            | "min"
            | "min_by"
            | "min_by_key"
            | "minmax"
            | "sum"
            | "product"
            | "count"
            | "counts"
            | "counts_by"
            | "last"
            | "collect"
            | "collect_vec"
            | "collect_into"
            | "collect_into_vec"
            | "into_group_map"
            | "into_group_map_by"
            | "join"
            | "partition"
            | "partition_map"
            | "sorted"
            | "sorted_by"
            | "sorted_by_key"
            | "sorted_unstable"
            | "sorted_unstable_by"
            | "sorted_unstable_by_key"
            | "unzip"
            | "cmp"
            | "partial_cmp"
            | "eq"
            | "ne"
            | "lt"
            | "le"
            | "gt"
            | "ge"
            | "is_sorted"
            | "is_sorted_by"
            | "is_sorted_by_key"
            | "is_partitioned"
    ) || name == "fold" && !is_parallel
}

/// The closures and parameters that running a value of a type runs: the value itself, and those
/// inside of an adapter.
fn within<'a>(ty: &'a str, found: &mut Vec<&'a str>) {
    let ty = types::peel(ty);
    let head = types::head(ty);
    let is_adapter = ["std::iter::", "core::iter::", "rayon::iter::", "itertools::"]
        .iter()
        .any(|path| head.starts_with(path))
        && !matches!(types::last(head), "Once" | "Repeat" | "RepeatN" | "Empty")
        || head == "std::panic::AssertUnwindSafe";
    if is_adapter {
        types::arguments(ty).into_iter().for_each(|inner| within(inner, found));
    } else {
        found.push(ty);
    }
}
