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
    // What was moved away on the way that is left is not dropped behind it.
    for (at, target) in by_flags(view, next) {
        next[at] = vec![target];
    }
    let after = reached(next);
    before.difference(&after).copied().collect()
}

/// The switches on flags that have one value on all ways that lead there, with where they go.
fn by_flags(view: &BodyView<'_, '_>, next: &[Vec<u32>]) -> Vec<(usize, u32)> {
    let blocks = &view.function.body.blocks;
    let live = reached(next);
    let switches = blocks.iter().enumerate().filter_map(|(at, block)| {
        let Terminator::Switch(value, cases, otherwise) = &block.terminator else { return None };
        let place = value.place().filter(|place| place.steps.is_empty())?;
        live.contains(&(at as u32)).then_some((at, place.local, cases, *otherwise))
    });
    let decided = switches.filter_map(|(at, flag, cases, otherwise)| {
        let value = value_at(view, next, flag, at as u32)?;
        let case = cases.iter().find(|case| case.0 == u128::from(value)).map(|case| case.1);
        Some((at, case.or(otherwise)?))
    });
    decided.collect()
}

/// The one value that a flag has where a block ends, if it is only ever given constants.
fn value_at(view: &BodyView<'_, '_>, next: &[Vec<u32>], flag: u32, end: u32) -> Option<bool> {
    let blocks = &view.function.body.blocks;
    let definitions = &view.definitions[flag as usize];
    if definitions.len() < 2 || view.is_changed_elsewhere(flag) {
        return None;
    }
    let given = |definition: &Definition| match definition {
        Definition::Statement(block, index) => {
            match &blocks[*block as usize].statements[*index as usize].kind {
                StatementKind::Assign(_, Rvalue::Use(Operand::Const("true"))) => Some(true),
                StatementKind::Assign(_, Rvalue::Use(Operand::Const("false"))) => Some(false),
                _ => None,
            }
        }
        Definition::Call(_) => None,
    };
    let given: Option<Vec<bool>> = definitions.iter().map(given).collect();
    let given = given?;
    // The last value that each block gives it.
    let last = |at: u32| {
        let mut own = definitions.iter().zip(&given).rev().filter(
            |(definition, _)| matches!(definition, Definition::Statement(block, _) if *block == at),
        );
        own.next().map(|(_, value)| *value)
    };
    let mut found = None;
    let mut seen = HashSet::new();
    let mut work = vec![(0, None)];
    while let Some((at, before)) = work.pop() {
        if !seen.insert((at, before)) {
            continue;
        }
        let value = last(at).or(before);
        if at == end {
            match (found, value) {
                (_, None) => return None,
                (Some(known), Some(value)) if known != value => return None,
                _ => found = value,
            }
        }
        work.extend(next[at as usize].iter().map(|to| (*to, value)));
    }
    found
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
