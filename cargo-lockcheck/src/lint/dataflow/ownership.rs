//! Whether a lock is a part of a value that the body owns, with no handle on the way by which another
//! thread could get to it.

use super::flow::Flow;
use super::view::BodyView;
use crate::lint::apis::aliases::{CallAlias, call_alias};
use crate::lint::apis::moves::is_drop;
use crate::lint::mir::model::{Call, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::fields::field_type;
use crate::lint::program::{BodyId, is_parameter};
use crate::lint::summary::LockUse;
use crate::lint::summary::path::{Part, Path, Root};

/// Whether each step to a lock leads to a part of the value before it: none is a handle of something
/// else, be it by a name for such a type, or by a `Deref` of its own.
pub(crate) fn has_no_handle(view: &BodyView<'_, '_>, lock: &LockUse) -> bool {
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
pub(crate) fn is_whole(ty: &str) -> bool {
    !["Arc<", "Rc<", "Weak<", "&", "*", "dyn "].iter().any(|word| ty.contains(word))
}

/// Whether a body has made the value that a path begins with, or was returned it whole.
pub(crate) fn is_made(view: &BodyView<'_, '_>, path: &Path) -> bool {
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

/// Whether a block hands something on, other than by a reference to a function that `keeps_none` of it.
pub(crate) fn hands_on(
    view: &BodyView<'_, '_>,
    block: u32,
    root: &Root,
    own: &[Root],
    keeps_none: &dyn Fn(BodyId) -> bool,
) -> bool {
    let block_info = &view.function.body.blocks[block as usize];
    if block_info.cleanup {
        return false;
    }
    match &block_info.terminator {
        _ if puts_elsewhere(view, block, root, own) => true,
        Terminator::Call(call) => {
            let is_given = call.args.iter().any(|arg| is_of(&view.operand(arg), root));
            is_given && !gives_back(view, call, root, keeps_none)
        }
        _ => false,
    }
}

/// Whether a path leads to what is at a root, and not into what a lock of it protects.
fn is_of(path: &Path, root: &Root) -> bool {
    path.root == *root && !path.parts.contains(&Part::Protected)
}

/// Whether a block's statements put something into another value than some of the body's own.
fn puts_elsewhere(view: &BodyView<'_, '_>, block: u32, root: &Root, own: &[Root]) -> bool {
    let is_it = |path: &Path| is_of(path, root);
    let block = &view.function.body.blocks[block as usize];
    block.statements.iter().any(|statement| {
        let StatementKind::Assign(dest, value) = &statement.kind else { return false };
        let is_given = match value {
            Rvalue::Use(operand) | Rvalue::Cast(operand, _) => is_it(&view.operand(operand)),
            Rvalue::Ref(place) => is_it(&view.place(place)),
            Rvalue::Aggregate(_, values) => values.iter().any(|v| is_it(&view.operand(v))),
            Rvalue::Discriminant(_) | Rvalue::Static(_) | Rvalue::Other => false,
        };
        // In a variable that is known to be it, it is not given away.
        let is_own = |of: &Root| of == root || own.contains(of);
        let is_kept =
            dest.steps.is_empty() && (dest.local == 0 || is_own(&view.local(dest.local).root));
        is_given && !is_kept
    })
}

/// Whether no other thread has what a call was given, once it returns: it was lent by a reference to a
/// function that `keeps_none` of it.
fn gives_back(
    view: &BodyView<'_, '_>,
    call: &Call<'_>,
    root: &Root,
    keeps_none: &dyn Fn(BodyId) -> bool,
) -> bool {
    let Some(callee) = call.callee() else { return false };
    let program = view.program;
    if program.locks.is_lock(callee.owner()) || is_drop(callee) {
        return true;
    }
    if let Some(id) = program.resolve(view.function.unit, callee) {
        let is_lent = call.args.iter().all(|arg| {
            let is_plain_reference = |ty: &str| ty.starts_with('&') && is_whole(types::peel(ty));
            view.operand(arg).root != *root
                || view.operand_type(arg).is_some_and(is_plain_reference)
        });
        return is_lent && keeps_none(id);
    }
    call_alias(callee) != CallAlias::Other
        && call.dest.steps.is_empty()
        && view.local(call.dest.local).root == *root
}

/// Whether a lock that a block asks for is in a value that the body makes for itself, and that no other
/// thread can come to until then: it is lent by references, and given to functions of the program that take
/// it whole.
pub(crate) fn is_own(view: &BodyView<'_, '_>, flow: &Flow, lock: &LockUse, asked: u32) -> bool {
    let root = &lock.path.root;
    let (Root::Call(made) | Root::Aggregate(made, _)) = *root else { return false };
    if lock.class.is_none()
        || view.function.is_coroutine()
        || !is_made(view, &lock.path)
        || !has_no_handle(view, lock)
    {
        return false;
    }
    let blocks = &view.function.body.blocks;
    (0..blocks.len() as u32).all(|at| {
        let is_taken_whole = || match &blocks[at as usize].terminator {
            Terminator::Call(call) => {
                let resolve = |callee| view.program.resolve(view.function.unit, callee);
                let is_whole = |arg: &Operand<'_>| {
                    let path = view.operand(arg);
                    path.root != *root || path.parts.is_empty() && matches!(arg, Operand::Move(_))
                };
                call.callee().and_then(resolve).is_some() && call.args.iter().all(is_whole)
            }
            _ => false,
        };
        // What is made anew is another value.
        let leads =
            at == asked || flow.next[at as usize].iter().any(|to| flow.leads(*to, asked, &[made]));
        !leads
            || !hands_on(view, at, root, &[], &|_| true)
            || !puts_elsewhere(view, at, root, &[]) && is_taken_whole()
    })
}
