//! Loops that try to take a lock until they have it.

use super::flow::{Condition, Flow, condition};
use super::view::BodyView;
use crate::lint::mir::model::Terminator;
use crate::lint::mir::types;

/// What `TryLockError` is, by number, where the lock is held by somebody.
const WOULD_BLOCK: u128 = 1;

/// Whether the attempt that a block makes is made again for as long as it fails: each way on which it
/// has failed leads to the next one, and none counts the rounds.
pub(crate) fn is_made_until_it_succeeds(view: &BodyView<'_, '_>, graph: &Flow, block: u32) -> bool {
    let Some(cycle) = graph.cycle[block as usize] else { return false };
    let in_loop = |at: u32| graph.cycle[at as usize] == Some(cycle);
    let body = &view.function.body;
    let Terminator::Call(call) = &body.blocks[block as usize].terminator else { return false };
    let counts = body.calls().any(|(at, call)| {
        let is_next = |name: &str, of_trait: bool| name == "next" && of_trait;
        in_loop(at)
            && call
                .callee()
                .is_some_and(|callee| is_next(callee.name(), callee.trait_name.is_some()))
    });
    if counts {
        return false;
    }
    // `None` and `Err` are what an attempt is that has failed.
    let failure = u128::from(types::short(view.type_of(&call.dest)) != "Option");
    let mut is_looked_at = false;
    let mut seen = vec![false; body.blocks.len()];
    let mut work: Vec<u32> = graph.next[block as usize].clone();
    while let Some(at) = work.pop() {
        if at == block || std::mem::replace(&mut seen[at as usize], true) {
            continue;
        }
        let terminator = &body.blocks[at as usize].terminator;
        if matches!(terminator, Terminator::Stop) {
            continue;
        }
        if !in_loop(at) {
            return false;
        }
        let Terminator::Switch(_, cases, otherwise) = terminator else {
            work.extend(&graph.next[at as usize]);
            continue;
        };
        let case = |wanted: u128| {
            let case = cases.iter().find(|case| case.0 == wanted).map(|case| case.1);
            case.or(*otherwise)
        };
        match condition(view, at) {
            Some(Condition::Variant(place)) if *place == call.dest => {
                is_looked_at = true;
                work.extend(case(failure));
            }
            Some(Condition::Variant(place))
                if types::short(view.type_of(place)) == "TryLockError" =>
            {
                work.extend(case(WOULD_BLOCK));
            }
            Some(Condition::Value) => match view.is_tested(at) {
                Some((place, variant)) if place == call.dest => {
                    is_looked_at = true;
                    work.extend(case(u128::from(variant == failure)));
                }
                _ => work.extend(&graph.next[at as usize]),
            },
            _ => work.extend(&graph.next[at as usize]),
        }
    }
    is_looked_at
}
