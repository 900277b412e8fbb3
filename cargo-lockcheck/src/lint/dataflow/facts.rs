//! Which values a block needs: of booleans, options and enums of two that keep theirs, so that `if ordered { … }`
//! twice is the same way twice.

use std::collections::{BTreeMap, HashSet};

use super::flow::{Condition, Flow, condition};
use super::view::{BodyView, Definition};
use crate::lint::mir::model::{Operand, Place, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::fields::{has_two, one_of_two};
use crate::lint::summary::fact::{Fact, Value};

/// How many values are looked at in one body.
const VALUES: usize = 16;

/// How many copies and negations are looked through.
const COPIES: u32 = 8;

/// The facts that each block of a body needs.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    by_block: Vec<Vec<Fact>>,
}

/// A switch on a local.
struct Decision {
    block: u32,
    /// Whether it looks at the opposite.
    is_negated: bool,
}

impl Facts {
    /// The facts of a body's blocks.
    pub(crate) fn new(view: &BodyView<'_, '_>, graph: &Flow) -> Facts {
        let blocks = &view.function.body.blocks;
        if view.coroutine().is_some() {
            return Facts::default();
        }
        let mut decisions: BTreeMap<u32, Vec<Decision>> = BTreeMap::new();
        for at in 0..blocks.len() as u32 {
            if blocks[at as usize].cleanup {
                continue;
            }
            if let Some((local, is_negated)) = decided_by(view, graph, at) {
                decisions.entry(local).or_default().push(Decision { block: at, is_negated });
            }
        }
        let is_param = |local: u32| local as usize <= view.function.body.params;
        decisions.retain(|local, decisions| is_param(*local) || decisions.len() > 1);
        let mut by_block = vec![Vec::new(); if decisions.is_empty() { 0 } else { blocks.len() }];
        for (local, decisions) in decisions.into_iter().take(VALUES) {
            let [if_not, if_so] = [0, 1].map(|value| reached(view, graph, &decisions, value));
            for (at, facts) in by_block.iter_mut().enumerate() {
                match (if_not.contains(&(at as u32)), if_so.contains(&(at as u32))) {
                    (true, false) => facts.push(Fact { local, value: 0 }),
                    (false, true) => facts.push(Fact { local, value: 1 }),
                    _ => {}
                }
            }
        }
        Facts { by_block }
    }

    /// What must be true where a block is come to.
    pub(crate) fn at(&self, block: u32) -> &[Fact] {
        self.by_block.get(block as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether no run of the body comes to both blocks.
    pub(crate) fn exclude(&self, a: u32, b: u32) -> bool {
        self.at(a)
            .iter()
            .any(|fact| self.at(b).contains(&Fact { local: fact.local, value: 1 - fact.value }))
    }
}

/// The blocks that a body comes to when a local has a value.
fn reached(
    view: &BodyView<'_, '_>,
    graph: &Flow,
    decisions: &[Decision],
    value: u128,
) -> HashSet<u32> {
    let blocks = &view.function.body.blocks;
    let mut seen = HashSet::new();
    let mut work = vec![0];
    while let Some(at) = work.pop() {
        if !seen.insert(at) {
            continue;
        }
        let decision = decisions.iter().find(|decision| decision.block == at);
        match (decision, &blocks[at as usize].terminator) {
            (Some(decision), Terminator::Switch(_, cases, otherwise)) => {
                let asked = value ^ u128::from(decision.is_negated);
                let case = cases.iter().find(|case| case.0 == asked).map(|case| case.1);
                work.extend(case.or(*otherwise));
            }
            _ => work.extend(&graph.next[at as usize]),
        }
    }
    seen
}

/// The local whose value decides where a block goes, and whether it is the opposite that does.
fn decided_by(view: &BodyView<'_, '_>, graph: &Flow, block: u32) -> Option<(u32, bool)> {
    let Terminator::Switch(value, cases, _) = &view.function.body.blocks[block as usize].terminator
    else {
        return None;
    };
    if cases.iter().any(|case| case.0 > 1) {
        return None;
    }
    match condition(view, block)? {
        Condition::Variant(place) => {
            let local = kept(view, graph, place)?.0;
            let ty = view.function.body.locals[local as usize].ty;
            let is_known = types::short(ty) == "Option"
                || !types::is_reference(ty) && has_two(view.program, view.function.unit, ty);
            is_known.then_some((local, false))
        }
        Condition::Value => match view.is_tested(block) {
            Some((place, variant)) => {
                let local = kept(view, graph, &place)?.0;
                let is_option =
                    types::short(view.function.body.locals[local as usize].ty) == "Option";
                is_option.then_some((local, variant == 0))
            }
            None => {
                let (local, is_negated) = kept(view, graph, value.place()?)?;
                let is_bool = view.function.body.locals[local as usize].ty == "bool";
                is_bool.then_some((local, is_negated))
            }
        },
    }
}

/// The local of which a place is a copy, or the opposite, if that keeps one value while the body runs.
fn kept<'a>(view: &BodyView<'_, 'a>, graph: &Flow, place: &Place<'a>) -> Option<(u32, bool)> {
    let mut local = place.steps.is_empty().then_some(place.local)?;
    let mut is_negated = false;
    for _ in 0..COPIES {
        if !view.is_set_once(local) || view.is_changed_elsewhere(local) {
            return None;
        }
        let [definition] = view.definitions_of(local) else { return Some((local, is_negated)) };
        let of = match definition {
            Definition::Statement(block, index) => {
                let statement =
                    &view.function.body.blocks[*block as usize].statements[*index as usize];
                match &statement.kind {
                    StatementKind::Assign(_, Rvalue::Use(operand)) => {
                        operand.place().map(|of| (of, false))
                    }
                    StatementKind::Assign(_, Rvalue::Aggregate("Not", values)) => {
                        values.first().and_then(Operand::place).map(|of| (of, true))
                    }
                    _ => None,
                }
            }
            Definition::Call(_) => None,
        };
        match of.filter(|(of, _)| of.steps.is_empty()) {
            Some((of, is_opposite)) => {
                local = of.local;
                is_negated ^= is_opposite;
            }
            None => {
                let (Definition::Statement(at, _) | Definition::Call(at)) = definition;
                let is_made_once = graph.cycle[*at as usize].is_none();
                return is_made_once.then_some((local, is_negated));
            }
        }
    }
    None
}

/// What is known of an operand that decides something where it is given.
pub(crate) fn value(view: &BodyView<'_, '_>, operand: &Operand<'_>) -> Value {
    let mut operand = operand;
    for _ in 0..COPIES {
        let place = match operand {
            Operand::Const("true") => return Value::Known(1),
            Operand::Const("false") => return Value::Known(0),
            Operand::Const(text) if is_variant(text, "None") => return Value::Known(0),
            Operand::Const(_) => return Value::Unknown,
            Operand::Copy(place) | Operand::Move(place) => place,
        };
        let local = place.local;
        let is_kept = view.is_set_once(local) && !view.is_changed_elsewhere(local);
        if !place.steps.is_empty() || !is_kept {
            return Value::Unknown;
        }
        let definition = match view.definitions_of(local) {
            [] => return Value::Param(local),
            [Definition::Statement(block, index)] => {
                &view.function.body.blocks[*block as usize].statements[*index as usize].kind
            }
            _ => return Value::Unknown,
        };
        match definition {
            StatementKind::Assign(_, Rvalue::Use(of)) => operand = of,
            StatementKind::Assign(_, Rvalue::Aggregate(name, _)) if is_variant(name, "None") => {
                return Value::Known(0);
            }
            StatementKind::Assign(_, Rvalue::Aggregate(name, _)) if is_variant(name, "Some") => {
                return Value::Known(1);
            }
            StatementKind::Assign(dest, Rvalue::Aggregate(name, _)) => {
                let (ty, variant) = (view.type_of(dest), types::last(name));
                let number = one_of_two(view.program, view.function.unit, ty, variant);
                return number.map_or(Value::Unknown, Value::Known);
            }
            _ => return Value::Unknown,
        }
    }
    Value::Unknown
}

/// What is known of the values that a call through `Fn` passes, which come as one tuple.
pub(crate) fn values_of_tuple(view: &BodyView<'_, '_>, tuple: &Operand<'_>) -> Vec<Value> {
    let made = tuple.place().filter(|place| place.steps.is_empty()).and_then(|place| {
        let [Definition::Statement(block, index)] = view.definitions_of(place.local) else {
            return None;
        };
        Some(&view.function.body.blocks[*block as usize].statements[*index as usize].kind)
    });
    match made {
        Some(StatementKind::Assign(_, Rvalue::Aggregate("", values))) => {
            values.iter().map(|operand| value(view, operand)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a path is that of a variant of `Option`.
fn is_variant(path: &str, name: &str) -> bool {
    types::last(path) == name && path.contains("Option")
}
