//! Ways that are never taken, because what is compiled says so: `if cfg!(…)`.

use std::collections::HashSet;

use super::view::{BodyView, Definition};
use crate::lint::mir::model::{Operand, Rvalue, StatementKind, Terminator};

/// How many negations are looked through.
const NEGATIONS: u32 = 4;

/// Takes the ways out of a body's successors that are never taken, and gives the blocks to which none
/// is left.
pub(super) fn fold(view: &BodyView<'_, '_>, next: &mut [Vec<u32>]) -> HashSet<u32> {
    let blocks = &view.function.body.blocks;
    let mut folded = Vec::new();
    for (at, block) in blocks.iter().enumerate().filter(|(_, block)| !block.cleanup) {
        let Terminator::Switch(value, cases, otherwise) = &block.terminator else { continue };
        let Some(value) = known(view, value, NEGATIONS) else { continue };
        let case = cases.iter().find(|case| case.0 == u128::from(value)).map(|case| case.1);
        folded.extend(case.or(*otherwise).map(|target| (at, target)));
    }
    if folded.is_empty() {
        return HashSet::new();
    }
    let before = reached(next);
    for (at, target) in folded {
        next[at] = vec![target];
    }
    let after = reached(next);
    before.difference(&after).copied().collect()
}

/// The blocks that a body comes to.
fn reached(next: &[Vec<u32>]) -> HashSet<u32> {
    let mut seen = HashSet::new();
    let mut work = vec![0];
    while let Some(at) = work.pop() {
        if seen.insert(at) {
            work.extend(next.get(at as usize).into_iter().flatten());
        }
    }
    seen
}

/// The value of a condition that is a constant.
fn known(view: &BodyView<'_, '_>, value: &Operand<'_>, left: u32) -> Option<bool> {
    let place = match value {
        Operand::Const("true") => return Some(true),
        Operand::Const("false") => return Some(false),
        Operand::Const(_) => return None,
        Operand::Copy(place) | Operand::Move(place) => place,
    };
    if !place.steps.is_empty() || view.is_changed_elsewhere(place.local) {
        return None;
    }
    let [Definition::Statement(block, index)] = view.definitions[place.local as usize].as_slice()
    else {
        return None;
    };
    let statement = &view.function.body.blocks[*block as usize].statements[*index as usize];
    match &statement.kind {
        StatementKind::Assign(_, Rvalue::Use(value)) => known(view, value, left.checked_sub(1)?),
        StatementKind::Assign(_, Rvalue::Aggregate("Not", values)) => match values.as_slice() {
            [value] => known(view, value, left.checked_sub(1)?).map(|value| !value),
            _ => None,
        },
        _ => None,
    }
}
