//! The state of a coroutine under one name.
//!
//! A step of a coroutine reaches its state through its parameter, `(_1.0: &mut {async fn body of f()})`. Newer
//! compilers copy that reference once and go on from the copy; older ones copy it anew for each use, and name
//! variables by the parameter. Here the first copy stands for all of them, as newer compilers write it.

use super::model::{Body, Called, Operand, Place, Rvalue, StatementKind, Step, Terminator};

/// Has all of the body go to the state of its coroutine by one local, if it is a step of one.
pub(super) fn unite(body: &mut Body<'_>) {
    let parameter = body.locals.get(1).map_or("", |local| local.ty);
    if body.params == 0 || !parameter.starts_with("std::pin::Pin<&mut {") {
        return;
    }
    let copies: Vec<u32> = body
        .blocks
        .iter()
        .flat_map(|block| &block.statements)
        .filter_map(|statement| copy_of_state(&statement.kind))
        .collect();
    let Some(&state) = copies.first() else { return };
    let mut is_first = true;
    for block in &mut body.blocks {
        block.statements.retain(|statement| match &statement.kind {
            StatementKind::StorageDead(local) => !copies.contains(local),
            kind => copy_of_state(kind).is_none() || std::mem::take(&mut is_first),
        });
    }
    let unite = |place: &mut Place<'_>| {
        if copies.contains(&place.local) {
            place.local = state;
        } else if is_of_state(place) {
            place.local = state;
            place.steps.remove(0);
        }
    };
    body.names.iter_mut().for_each(|(_, place)| unite(place));
    for block in &mut body.blocks {
        for statement in &mut block.statements {
            if copy_of_state(&statement.kind).is_some() {
                continue;
            }
            match &mut statement.kind {
                StatementKind::Assign(dest, value) => {
                    unite(dest);
                    places_of(value).into_iter().for_each(unite);
                }
                StatementKind::SetDiscriminant(place, _) => unite(place),
                StatementKind::StorageDead(_) => {}
            }
        }
        match &mut block.terminator {
            Terminator::Switch(operand, ..) => place_of(operand).into_iter().for_each(unite),
            Terminator::Call(call) => {
                unite(&mut call.dest);
                if let Called::Pointer(place) = &mut call.called {
                    unite(place);
                }
                call.args.iter_mut().filter_map(place_of).for_each(unite);
            }
            Terminator::Drop(place, _) => unite(place),
            Terminator::Goto(_) | Terminator::Return | Terminator::Stop => {}
        }
    }
}

/// The local that the statement makes a copy of the reference to the state.
fn copy_of_state(statement: &StatementKind<'_>) -> Option<u32> {
    let StatementKind::Assign(dest, Rvalue::Use(Operand::Copy(from))) = statement else {
        return None;
    };
    (dest.steps.is_empty() && from.steps.len() == 1 && is_of_state(from)).then_some(dest.local)
}

/// Whether the place begins with the parameter's reference to the state.
fn is_of_state(place: &Place<'_>) -> bool {
    let is_reference =
        |step: &Step<'_>| matches!(step, Step::Field(0, ty) if ty.starts_with("&mut {"));
    place.local == 1 && place.steps.first().is_some_and(is_reference)
}

fn place_of<'m, 'a>(operand: &'m mut Operand<'a>) -> Option<&'m mut Place<'a>> {
    match operand {
        Operand::Copy(place) | Operand::Move(place) => Some(place),
        Operand::Const(_) => None,
    }
}

fn places_of<'m, 'a>(value: &'m mut Rvalue<'a>) -> Vec<&'m mut Place<'a>> {
    match value {
        Rvalue::Use(operand) | Rvalue::Cast(operand, _) => place_of(operand).into_iter().collect(),
        Rvalue::Ref(place) | Rvalue::Discriminant(place) => vec![place],
        Rvalue::Aggregate(_, operands) => operands.iter_mut().filter_map(place_of).collect(),
        Rvalue::Static(_) | Rvalue::Other => Vec::new(),
    }
}
