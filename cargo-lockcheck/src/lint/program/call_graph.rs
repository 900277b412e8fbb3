//! Which bodies a body may run, and in which order bodies are looked at: callees before callers.
//!
//! A body that is missing here is not analysed before its caller, which then is not told of it at all.

use std::collections::HashSet;

use super::dropped::Handles;
use super::{BodyId, Function, Program};
use crate::lint::apis::moves::{drops_elements, is_drop};
use crate::lint::apis::through_traits::{formatted, is_comparison};
use crate::lint::graphs::components;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{BodyKind, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;

/// The bodies that a body may run, and the constants that it names: all whose summaries or values its
/// analysis asks for, which [`Summaries`] sees to.
pub(crate) fn callees(program: &Program<'_>, id: BodyId) -> Vec<u32> {
    let function = &program.functions[id];
    let unit = function.unit;
    let mut found = HashSet::new();
    for block in function.body.blocks.iter().filter(|block| !block.cleanup) {
        for statement in &block.statements {
            let StatementKind::Assign(_, value) = &statement.kind else { continue };
            match value {
                Rvalue::Aggregate(ty, _) if ty.starts_with('{') => {
                    found.extend(program.closure(unit, ty));
                }
                // A function in a table of them.
                Rvalue::Cast(Operand::Const(path), _) if function.body.kind != BodyKind::Fn => {
                    found.extend(program.resolve(unit, &Callee::new(path)));
                }
                _ => {}
            }
            value.operands().for_each(|operand| constant(program, function, operand, &mut found));
        }
        match &block.terminator {
            Terminator::Call(call) => {
                call.args.iter().for_each(|arg| constant(program, function, arg, &mut found));
                let Some(callee) = call.callee() else { continue };
                called(program, unit, callee, &mut found);
                if is_drop(callee) || drops_elements(callee) {
                    for place in call.args.iter().filter_map(Operand::place).take(1) {
                        let ty = types::peel(function.body.type_of(place));
                        found.extend(dropped(program, unit, ty));
                    }
                }
            }
            Terminator::Drop(place, _) => {
                found.extend(dropped(program, unit, function.body.type_of(place)));
            }
            _ => {}
        }
    }
    let mut found: Vec<u32> = found.into_iter().map(|id| id as u32).collect();
    found.sort_unstable();
    found
}

/// What a call by name may run.
fn called(program: &Program<'_>, unit: usize, callee: &Callee<'_>, found: &mut HashSet<BodyId>) {
    let body = program.resolve(unit, callee);
    found.extend(body);
    // Whoever is given a boxed future may run it.
    found.extend(body.and_then(|body| program.boxed_coroutine(body)));
    for ty in types::closures(callee.text) {
        found.extend(program.closure(unit, ty));
    }
    let mut implements = |ty: &str, path: &str| {
        let text = format!("<{ty} as std::{path}");
        found.extend(program.resolve(unit, &Callee::new(&text)));
    };
    if let Some(ty) = formatted(callee) {
        implements(ty, "fmt::Debug>::fmt");
        implements(ty, "fmt::Display>::fmt");
    }
    if let (Some(ty), Some(name)) = (callee.self_ty, callee.trait_name) {
        if is_comparison(callee) {
            implements(types::peel(ty), &format!("cmp::{name}>::{}", callee.name()));
        }
        if types::peel(ty).starts_with("dyn ") {
            found.extend(program.only_impl(unit, name, callee.name()));
        }
    }
}

/// What dropping a value of a type may run.
fn dropped(program: &Program<'_>, unit: usize, ty: &str) -> impl Iterator<Item = BodyId> {
    program.dropped(unit, ty, Handles::MayBeLast).into_iter().map(|dropped| dropped.body)
}

/// The constant or static that an operand names, if it is no place and no literal.
fn constant(
    program: &Program<'_>,
    function: &Function<'_>,
    operand: &Operand<'_>,
    found: &mut HashSet<BodyId>,
) {
    let Operand::Const(text) = operand else { return };
    if !text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '<' | '{')) {
        return;
    }
    let id = if text.contains("::promoted[") {
        program.promoted(function, text)
    } else {
        let name = program.units[function.unit].static_at(text).unwrap_or(text);
        program.constant(function.unit, name)
    };
    found.extend(id);
}

/// Bodies that call none but those of earlier levels, and each other in circles.
#[derive(Default)]
pub(crate) struct Level {
    /// Those that call none of this level.
    pub(crate) single: Vec<BodyId>,
    /// Those that call each other.
    pub(crate) circles: Vec<Vec<BodyId>>,
}

/// All bodies, by the longest way to one that calls none.
pub(crate) fn levels(callees: &[Vec<u32>]) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    let mut level_of = vec![0; callees.len()];
    for component in components(callees) {
        let called = component.iter().flat_map(|id| &callees[*id]).map(|id| *id as usize);
        // A member of the component itself is at no level yet, which counts as the first.
        let level = called.map(|id| level_of[id]).max().unwrap_or(0);
        component.iter().for_each(|id| level_of[*id] = level + 1);
        levels.resize_with(levels.len().max(level + 1), Level::default);
        match component.as_slice() {
            [id] if !callees[*id].contains(&(*id as u32)) => levels[level].single.push(*id),
            _ => levels[level].circles.push(component),
        }
    }
    levels
}
