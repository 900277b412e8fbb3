//! Drops of an `Option` that the way there has found to be `None`.
//!
//! Newer compilers leave such a drop out; older ones keep it where the way is the default of the switch.

use super::model::{Block, Body, Operand, Rvalue, StatementKind, Terminator};
use super::types;

/// Takes them out.
pub(super) fn take_out(body: &mut Body<'_>) {
    let mut found = Vec::new();
    for (at, block) in body.blocks.iter().enumerate().filter(|(_, block)| !block.cleanup) {
        let Some((of, target)) = way_to_none(body, block) else { continue };
        let leads_there = |(other, block): (usize, &Block<'_>)| {
            other != at && block.terminator.targets().any(|to| to == target)
        };
        let Some(there) = body.blocks.get(target as usize) else { continue };
        let is_only_way = !body.blocks.iter().enumerate().any(leads_there);
        if let (true, Terminator::Drop(place, Some(next))) = (is_only_way, &there.terminator)
            && there.statements.is_empty()
            && place.local == of
            && place.steps.is_empty()
        {
            found.push((target, *next));
        }
    }
    for (block, next) in found {
        body.blocks[block as usize].terminator = Terminator::Goto(vec![next]);
    }
}

/// The local that a block looks at the variant of, and the block to which it goes for `None` alone.
fn way_to_none(body: &Body<'_>, block: &Block<'_>) -> Option<(u32, u32)> {
    let Terminator::Switch(Operand::Move(value) | Operand::Copy(value), cases, otherwise) =
        &block.terminator
    else {
        return None;
    };
    let of = block.statements.iter().rev().find_map(|statement| match &statement.kind {
        StatementKind::Assign(dest, Rvalue::Discriminant(of)) if dest == value => Some(of),
        _ => None,
    })?;
    let is_whole =
        of.steps.is_empty() && types::short(body.locals[of.local as usize].ty) == "Option";
    let none = cases.iter().find(|case| case.0 == 0).map(|case| case.1);
    let some = cases.iter().find(|case| case.0 == 1).map(|case| case.1);
    let target = none.or(some.and(*otherwise)).filter(|target| Some(*target) != some)?;
    is_whole.then_some((of.local, target))
}
