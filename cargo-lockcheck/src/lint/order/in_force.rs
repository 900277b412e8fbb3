//! Declared orders that no run checks, as nobody puts them in force.

use super::declarations::Declared;
use super::edges::Graph;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;
use crate::lint::program::is_parameter;

/// The methods of `LockOrder` that give the locks of a value their places.
const METHODS: [&str; 2] = ["in_order", "place_locks"];

/// A sentence on each struct that declares the order of its locks, of which the program takes one under
/// another, and for which it never calls what makes a run check that.
pub(crate) fn missing(
    analyzed: &Analyzed<'_, '_>,
    graph: &Graph,
    declared: &Declared,
) -> Vec<String> {
    let is_nested = |name: &str| {
        let classes = graph.values().flatten().flat_map(|w| [&w.held.0.class, &w.asked.0.class]);
        classes
            .flatten()
            .any(|class| class.name.strip_prefix(name).is_some_and(|field| field.starts_with('.')))
    };
    let mut called: Vec<&str> = Vec::new();
    for function in &analyzed.program.functions {
        for (_, call) in function.body.calls() {
            let Some(callee) = call.callee().filter(|callee| is_method(callee)) else { continue };
            let owner = callee.self_ty.unwrap_or_default();
            // Which type it is called for only its callers know.
            if owner.is_empty() || is_parameter(owner) {
                return Vec::new();
            }
            called.push(types::short(types::head(owner)));
        }
    }
    let structs = declared.structs.iter();
    structs
        .filter(|(name, _)| !called.contains(&name.as_str()) && is_nested(name))
        .map(|(name, place)| {
            format!(
                "the order of the locks of `{name}` is declared ({place}) and checked in the source \
                 alone: call `in_order()` on each new `{name}`, so that runs check it too"
            )
        })
        .collect()
}

fn is_method(callee: &Callee<'_>) -> bool {
    METHODS.contains(&callee.name()) && callee.trait_name == Some("LockOrder")
}
