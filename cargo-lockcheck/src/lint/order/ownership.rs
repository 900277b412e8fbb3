//! Whether a lock is a part of a value that the body owns, with no handle on the way by which another
//! thread could get to it.

use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::model::{Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::fields::field_type;
use crate::lint::program::is_parameter;
use crate::lint::summary::LockUse;
use crate::lint::summary::path::{Part, Path, Root};

/// Whether each step to a lock leads to a part of the value before it: none is a handle of something
/// else, be it by a name for such a type, or by a `Deref` of its own.
pub(super) fn has_no_handle(view: &BodyView<'_, '_>, lock: &LockUse) -> bool {
    let function = view.function;
    let ty = |local: u32| function.body.locals.get(local as usize).map(|local| local.ty);
    let block = |at: u32| function.body.blocks.get(at as usize);
    let root = match lock.path.root {
        Root::Param(local) | Root::Local(local) => ty(local),
        Root::Call(at) => block(at).and_then(|block| match &block.terminator {
            Terminator::Call(call) => Some(view.type_of(&call.dest)),
            _ => None,
        }),
        Root::Aggregate(at, index) => block(at)
            .and_then(|block| block.statements.get(index as usize))
            .and_then(|statement| match &statement.kind {
                StatementKind::Assign(dest, _) => Some(view.type_of(dest)),
                _ => None,
            }),
        Root::Saved(_) | Root::Static(_) | Root::Unknown => None,
    };
    let Some(root) = root else { return false };
    let mut around = root.to_owned();
    for part in &lock.path.parts {
        match part {
            Part::Field { owner: Some(owner), variant, index } => {
                if !types::mentions(&around, types::last(owner)) {
                    return false;
                }
                match field_type(view.program, function.unit, owner, variant, *index) {
                    Some(ty) if is_whole(&ty) => around = ty,
                    _ => return false,
                }
            }
            Part::Field { owner: None, .. } => {}
            Part::Element(_) | Part::Protected => return false,
        }
    }
    types::mentions(&around, types::last(types::head(&lock.ty)))
}

/// Whether values of a type, as text, are no handles of others.
pub(super) fn is_whole(ty: &str) -> bool {
    !["Arc<", "Rc<", "Weak<", "&", "*", "dyn "].iter().any(|word| ty.contains(word))
}

/// Whether a body has made the value that a path begins with, or was returned it whole.
pub(super) fn is_made(view: &BodyView<'_, '_>, path: &Path) -> bool {
    let body = &view.function.body;
    let block = |block: u32| body.blocks.get(block as usize);
    match path.root {
        Root::Local(local) => {
            local as usize > body.params && is_whole(body.locals[local as usize].ty)
        }
        Root::Call(at) => match block(at).map(|block| &block.terminator) {
            Some(Terminator::Call(call)) => {
                let ty = view.type_of(&call.dest);
                is_whole(ty) && !is_parameter(ty)
            }
            _ => false,
        },
        Root::Aggregate(at, index) => {
            let statement = block(at).and_then(|block| block.statements.get(index as usize));
            match statement.map(|statement| &statement.kind) {
                Some(StatementKind::Assign(_, Rvalue::Aggregate(name, values))) => {
                    !name.starts_with('{')
                        && values.iter().all(|value| view.operand_type(value).is_none_or(is_whole))
                }
                _ => false,
            }
        }
        _ => false,
    }
}
