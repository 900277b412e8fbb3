//! Whether two fields lead to one object, because every value of a type is put together so:
//! `Service { index: index.clone(), backend: Box::new(Disk { index }) }` has one index by two ways.

use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::mir::model::{Operand, Rvalue, StatementKind};
use crate::lint::mir::types;
use crate::lint::summary::path::{Part, Path, Root};

/// Whether two paths of one body lead to one object by different fields of one value. All values of its
/// type that the program puts together must have it so.
pub(super) fn are_one(analyzed: &Analyzed<'_, '_>, held: &Path, asked: &Path) -> bool {
    if held.root != asked.root || !held.is_single() || !asked.is_single() {
        return false;
    }
    let common = held.parts.iter().zip(&asked.parts).take_while(|(a, b)| a == b).count();
    let (own, other) = (&held.parts[common..], &asked.parts[common..]);
    let owner = |parts: &[Part]| match parts.first() {
        Some(Part::Field { owner: Some(owner), .. }) => Some(owner.clone()),
        _ => None,
    };
    let Some(of) = owner(own).filter(|of| owner(other).as_ref() == Some(of)) else { return false };
    let mut is_made = false;
    for (id, function) in analyzed.program.functions.iter().enumerate() {
        let statements = function.body.blocks.iter().filter(|block| !block.cleanup);
        for statement in statements.flat_map(|block| &block.statements) {
            let StatementKind::Assign(dest, Rvalue::Aggregate(name, values)) = &statement.kind
            else {
                continue;
            };
            let is_named = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
            let ty = function.body.type_of(dest);
            if !is_named
                || types::short(ty) != types::last(&of)
                || analyzed.program.global(function.unit, types::head(ty)) != *of
            {
                continue;
            }
            let view = analyzed.view(id);
            match [own, other].map(|parts| object(&view, values, parts)) {
                [Some(one), Some(two)] if one == two => is_made = true,
                _ => return false,
            }
        }
    }
    is_made
}

/// The object to which fields lead of a value that is put together of others.
fn object(view: &BodyView<'_, '_>, values: &[Operand<'_>], parts: &[Part]) -> Option<Path> {
    let [Part::Field { index, .. }, rest @ ..] = parts else { return None };
    let path = view.operand(values.get(*index as usize)?);
    if rest.is_empty() {
        return (path.root != Root::Unknown && path.is_single()).then_some(path);
    }
    let Root::Aggregate(block, statement) = path.root else { return None };
    let blocks = &view.function.body.blocks;
    match &blocks.get(block as usize)?.statements.get(statement as usize)?.kind {
        StatementKind::Assign(_, Rvalue::Aggregate(_, values)) if path.parts.is_empty() => {
            object(view, values, rest)
        }
        _ => None,
    }
}
