//! The guards that a body's parameters may hold.

use crate::lint::dataflow::tokens::fields;
use crate::lint::mir::model::{Operand, Place, Rvalue, StatementKind, Step, Terminator};
use crate::lint::mir::types;
use crate::lint::program::{Function, Program, is_parameter};

/// The fields of a parameter that hold guards of their own, as far as the body touches them or the
/// type's declaration shows them; else the parameter as a whole. Of a closure's captures, those that
/// the body touches.
pub(super) fn guard_fields(
    program: &Program<'_>,
    function: &Function<'_>,
    number: u32,
) -> Vec<Vec<u32>> {
    let (body, is_captures) = (&function.body, number == 1 && function.is_closure());
    let mut found: Vec<Vec<u32>> = Vec::new();
    if !program.locks.is_guard(types::head(body.locals[number as usize].ty)) {
        let mut look = |place: &Place<'_>| {
            let Some(Step::Field(_, ty)) = place.steps.last() else { return };
            if place.local == number && program.owns_guard(ty) {
                let fields = fields(&place.steps);
                if !found.contains(&fields) {
                    found.push(fields);
                }
            }
        };
        for block in body.blocks.iter().filter(|block| !block.cleanup) {
            for statement in &block.statements {
                let StatementKind::Assign(_, value) = &statement.kind else { continue };
                match value {
                    Rvalue::Use(Operand::Move(place)) => look(place),
                    // `slot.take()` of what an `FnMut` owns, and what a closure hands to another.
                    Rvalue::Ref(place) if is_captures => look(place),
                    Rvalue::Aggregate(_, values) if is_captures => {
                        values.iter().filter_map(Operand::place).for_each(&mut look);
                    }
                    _ => {}
                }
            }
            match &block.terminator {
                Terminator::Call(call) => {
                    call.args.iter().filter_map(Operand::place).for_each(&mut look)
                }
                Terminator::Drop(place, _) => look(place),
                _ => {}
            }
        }
    }
    // What the body only hands on as a whole may have several guards too.
    let head = types::head(body.locals[number as usize].ty);
    if let Some(item) = program.units[function.unit].sources.type_item(head)
        && let [(_, fields)] = item.variants.as_slice()
    {
        for (index, _) in fields.iter().enumerate().filter(|(_, field)| field.ty.contains("Guard"))
        {
            if !found.iter().any(|known| known.first() == Some(&(index as u32))) {
                found.push(vec![index as u32]);
            }
        }
    }
    if found.is_empty() && !is_captures { vec![Vec::new()] } else { found }
}

/// Whether a type is a parameter that is passed by value.
pub(super) fn is_value_parameter(ty: &str) -> bool {
    !types::is_reference(ty) && is_parameter(ty) && !ty.starts_with("impl ")
}
