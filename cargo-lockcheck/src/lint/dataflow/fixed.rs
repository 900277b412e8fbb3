//! Whether something is the same in each round of a loop: nothing in the loop changes what it is made of.

use super::flow::Flow;
use super::view::{BodyView, Definition};
use crate::lint::apis::fixed::is_fixed;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{
    BodyKind, Called, Operand, Place, Rvalue, StatementKind, Step, Terminator,
};
use crate::lint::mir::types;
use crate::lint::program::{BodyId, Program};

/// How many steps a value is followed back.
const STEPS: u32 = 12;

/// How many calls deep a function of the program is looked into.
const CALLS: u32 = 3;

/// Whether what a call asks for is the same in each round of a loop: the function looks at nothing but what
/// it is given, and that stays what it is.
pub(crate) fn is_asked_the_same(view: &BodyView<'_, '_>, graph: &Flow, block: u32) -> bool {
    let Some(cycle) = graph.cycle[block as usize] else { return false };
    let Terminator::Call(call) = &view.function.body.blocks[block as usize].terminator else {
        return false;
    };
    let depends_on_nothing_else = call
        .callee()
        .is_some_and(|callee| says_the_same(view.program, view.function.unit, callee, CALLS));
    view.coroutine().is_none()
        && depends_on_nothing_else
        && !call.args.is_empty()
        && call.args.iter().all(|arg| stays(view, graph, cycle, arg, STEPS))
}

/// Whether an operand has one value in all rounds of a loop.
fn stays(
    view: &BodyView<'_, '_>,
    graph: &Flow,
    cycle: u32,
    operand: &Operand<'_>,
    steps: u32,
) -> bool {
    match operand {
        Operand::Const(text) => !text.starts_with("{alloc"),
        Operand::Copy(place) | Operand::Move(place) => {
            place_stays(view, graph, cycle, place, steps)
        }
    }
}

fn place_stays(
    view: &BodyView<'_, '_>,
    graph: &Flow,
    cycle: u32,
    place: &Place<'_>,
    steps: u32,
) -> bool {
    let Some(steps) = steps.checked_sub(1) else { return false };
    let in_loop = |at: u32| graph.cycle[at as usize] == Some(cycle);
    let local = place.local;
    // Other threads may change what is behind a raw pointer, and a step by another local's number is not
    // followed.
    if place.steps.iter().any(|step| matches!(step, Step::Index(_)))
        || view.function.body.locals[local as usize].ty.starts_with('*')
        || is_changed(view, &in_loop, local)
    {
        return false;
    }
    view.definitions_of(local).iter().all(|definition| match definition {
        Definition::Statement(at, index) if in_loop(*at) => {
            let statement = &view.function.body.blocks[*at as usize].statements[*index as usize];
            let StatementKind::Assign(_, value) = &statement.kind else { return false };
            match value {
                Rvalue::Use(operand) | Rvalue::Cast(operand, _) => {
                    stays(view, graph, cycle, operand, steps)
                }
                Rvalue::Ref(of) => place_stays(view, graph, cycle, of, steps),
                _ => false,
            }
        }
        Definition::Call(at) if in_loop(*at) => {
            match &view.function.body.blocks[*at as usize].terminator {
                Terminator::Call(call) => {
                    call.callee().is_some_and(|of| {
                        says_the_same(view.program, view.function.unit, of, CALLS)
                    }) && call.args.iter().all(|arg| stays(view, graph, cycle, arg, steps))
                }
                _ => false,
            }
        }
        _ => true,
    })
}

/// Whether a loop writes to a part of a local, or lends it to what may.
fn is_changed(view: &BodyView<'_, '_>, in_loop: &dyn Fn(u32) -> bool, local: u32) -> bool {
    let body = &view.function.body;
    let blocks = (0..).zip(&body.blocks).filter(|(at, block)| in_loop(*at) && !block.cleanup);
    blocks.into_iter().any(|(_, block)| {
        let writes = block.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Assign(dest, value) => {
                let is_lent = matches!(value, Rvalue::Ref(of) if of.local == local) && {
                    let ty = view.type_of(dest);
                    types::is_mutable(ty) || ty.starts_with('*')
                };
                is_lent || dest.local == local && !dest.steps.is_empty()
            }
            StatementKind::SetDiscriminant(place, _) => place.local == local,
            StatementKind::StorageDead(_) => false,
        });
        let is_filled = matches!(&block.terminator, Terminator::Call(call)
            if call.dest.local == local && !call.dest.steps.is_empty());
        writes || is_filled
    })
}

/// Whether a function's answer depends on nothing but what it is given.
fn says_the_same(program: &Program<'_>, unit: usize, callee: &Callee<'_>, depth: u32) -> bool {
    match program.resolve(unit, callee) {
        Some(id) => depth > 0 && is_function_of_arguments(program, id, depth - 1),
        None => is_fixed(callee),
    }
}

/// Whether a function of the program reads what it is given and nothing else, and writes to nothing of it.
fn is_function_of_arguments(program: &Program<'_>, id: BodyId, depth: u32) -> bool {
    let function = &program.functions[id];
    let body = &function.body;
    let params = 1..=body.params;
    let is_given = |local: u32| params.contains(&(local as usize));
    let is_read_only = params.clone().all(|number| {
        let ty = body.locals[number].ty;
        !ty.contains("&mut ") && !ty.contains('*') && !ty.contains("dyn ") && !ty.contains("impl ")
    });
    let reads_others = |operand: &Operand<'_>| matches!(operand, Operand::Const(text) if text.starts_with("{alloc"));
    body.kind == BodyKind::Fn
        && !function.is_coroutine()
        && !function.is_closure()
        && is_read_only
        && body.blocks.iter().filter(|block| !block.cleanup).all(|block| {
            let is_plain = block.statements.iter().all(|statement| match &statement.kind {
                StatementKind::Assign(dest, value) => {
                    let is_written = is_given(dest.local) && dest.steps.contains(&Step::Deref);
                    let is_read =
                        matches!(value, Rvalue::Static(_)) || value.operands().any(reads_others);
                    !is_written && !is_read
                }
                _ => true,
            });
            is_plain
                && match &block.terminator {
                    Terminator::Call(call) => match &call.called {
                        Called::Function(callee) => {
                            !call.args.iter().any(reads_others)
                                && says_the_same(program, function.unit, callee, depth)
                        }
                        Called::Pointer(_) => false,
                    },
                    _ => true,
                }
        })
}
