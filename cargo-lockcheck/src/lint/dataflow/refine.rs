//! What the way that is taken at a switch says of the tokens: where a variant or drop flag tells that a
//! value is gone, what it held is not held.

use super::flow::{Condition, condition};
use super::tokens::{State, Tokens, remove};
use super::view::BodyView;
use crate::lint::mir::model::Terminator;
use crate::lint::mir::types;

/// Takes out what the way from a switch to a target rules out.
pub(super) fn refine<'a>(
    view: &BodyView<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &mut State,
    at: u32,
    target: u32,
) {
    if state.is_empty() {
        return;
    }
    let Some(condition) = condition(view, at) else { return };
    let blocks = &view.function.body.blocks;
    let Terminator::Switch(_, cases, otherwise) = &blocks[at as usize].terminator else { return };
    let case = cases.iter().find(|case| case.1 == target).map(|case| case.0);
    let by_default = *otherwise == Some(target);
    match condition {
        Condition::Variant(place) => {
            // Of two variants, what is not the one that is listed is the other.
            let variant = match cases.as_slice() {
                [(only @ (0 | 1), at)] if by_default && *at != target => Some(1 - only),
                _ => case.filter(|_| !by_default),
            };
            if variant.is_some_and(|variant| is_empty(tokens, view.type_of(place), variant)) {
                remove(view, tokens, state, place);
            }
        }
        Condition::Value if view.is_tested(at).is_some() => {
            // `is_none()` and the like: what is tested holds nothing on one way.
            let Some((place, variant)) = view.is_tested(at) else { return };
            let variant = if case == Some(0) { 1 - variant } else { variant };
            if is_empty(tokens, view.type_of(&place), variant) {
                remove(view, tokens, state, &place);
            }
        }
        Condition::Value if case == Some(0) && !by_default => {
            // A drop flag: the other way leads straight to a drop of what is gone on this one.
            for other in cases.iter().map(|case| case.1).chain(*otherwise) {
                let block = &blocks[other as usize];
                if other != target
                    && block.statements.is_empty()
                    && let Terminator::Drop(place, _) = &block.terminator
                {
                    remove(view, tokens, state, place);
                }
            }
        }
        Condition::Value => {}
    }
}

/// Whether a variant of `Option`, `Result` and their like has nothing in it that holds a token.
fn is_empty(tokens: &Tokens<'_>, ty: &str, variant: u128) -> bool {
    let part = match (types::short(ty), variant) {
        ("Option", 0) | ("Poll", 1) => return true,
        ("Result", _) => variant,
        // `ControlFlow` has what goes on first; `branch` puts what breaks in variant 1.
        ("ControlFlow", 0 | 1) => 1 - variant,
        _ => return false,
    };
    let part = types::arguments(ty).get(part as usize).copied();
    part.is_some_and(|ty| ty.contains("TryLockError") || !(tokens.owns)(ty))
}
