//! Which element of a collection a body means by an index or a call.

use super::flow::Flow;
use super::view::{BodyView, Definition};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{Operand, Rvalue, StatementKind};
use crate::lint::mir::types;
use crate::lint::summary::path::Pick;

/// How many copies of a number are looked through.
const COPIES: u32 = 8;

impl<'a> BodyView<'_, 'a> {
    /// The element that an index means, as printed.
    pub(super) fn pick_at(&self, which: &str) -> Pick {
        match which.strip_prefix('_').and_then(|number| number.parse().ok()) {
            Some(local) => self.pick_of_local(local),
            None => constant(which).unwrap_or(Pick::Any),
        }
    }

    /// The element that a call at the end of a block gives.
    pub(super) fn pick_by(&self, block: u32, callee: &Callee<'_>, args: &[Operand<'a>]) -> Pick {
        if !matches!(callee.trait_name, Some("Index" | "IndexMut")) {
            return Pick::Call(block);
        }
        match args.get(1) {
            Some(Operand::Copy(place) | Operand::Move(place))
                if place.steps.is_empty() && self.type_of(place) == "usize" =>
            {
                self.pick_of_local(place.local)
            }
            Some(Operand::Const(text)) => {
                self.unit().number(text).map_or(Pick::Call(block), Pick::Constant)
            }
            _ => Pick::Call(block),
        }
    }

    /// The element whose number a local is. The local is another's copy where that stays what it was.
    fn pick_of_local(&self, mut local: u32) -> Pick {
        for _ in 0..COPIES {
            if self.is_changed_elsewhere(local) {
                return Pick::Any;
            }
            let [Definition::Statement(block, index)] = self.definitions_of(local) else { break };
            let statement = &self.function.body.blocks[*block as usize].statements[*index as usize];
            match &statement.kind {
                StatementKind::Assign(_, Rvalue::Use(Operand::Copy(of) | Operand::Move(of)))
                    if of.steps.is_empty() && self.is_set_once(of.local) =>
                {
                    local = of.local;
                }
                StatementKind::Assign(_, Rvalue::Use(Operand::Const(text))) => {
                    return self.unit().number(text).map_or(Pick::Number(local), Pick::Constant);
                }
                _ => break,
            }
        }
        Pick::Number(local)
    }

    /// Whether a number begins again from the front after the last, as `(at + 1) % count` does.
    pub(crate) fn wraps_around(&self, local: u32) -> bool {
        let [Definition::Statement(block, index)] = self.definitions_of(local) else {
            return false;
        };
        let statement = &self.function.body.blocks[*block as usize].statements[*index as usize];
        matches!(&statement.kind, StatementKind::Assign(_, Rvalue::Aggregate("Rem", _)))
    }

    pub(super) fn definitions_of(&self, local: u32) -> &[Definition] {
        self.definitions.get(local as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether a local has one value: a parameter's, or that of its only definition.
    pub(super) fn is_set_once(&self, local: u32) -> bool {
        let is_param = (1..=self.function.body.params).contains(&(local as usize));
        self.definitions_of(local).len() == usize::from(!is_param)
    }

    /// Whether a local is `None` whenever a block is come to: it was set to nothing else on the way.
    pub(crate) fn is_none_at(&self, graph: &Flow, local: u32, block: u32) -> bool {
        let is_none = |definition: &Definition| {
            let Definition::Statement(at, index) = *definition else { return false };
            match &self.function.body.blocks[at as usize].statements[index as usize].kind {
                StatementKind::Assign(
                    _,
                    Rvalue::Aggregate(name, _) | Rvalue::Use(Operand::Const(name)),
                ) => name.contains("Option") && types::last(name) == "None",
                _ => false,
            }
        };
        let mut leading = self.definitions_of(local).iter().filter(|definition| {
            let (Definition::Statement(at, _) | Definition::Call(at)) = **definition;
            graph.leads(at, block, &[])
        });
        !self.is_changed_elsewhere(local)
            && leading.clone().next().is_some()
            && leading.all(is_none)
    }

    /// Whether a reference may change a local.
    pub(super) fn is_changed_elsewhere(&self, local: u32) -> bool {
        let statements = self.function.body.blocks.iter().flat_map(|block| &block.statements);
        statements.into_iter().any(|statement| match &statement.kind {
            StatementKind::Assign(dest, Rvalue::Ref(of)) => {
                let ty = self.type_of(dest);
                of.local == local && (types::is_mutable(ty) || ty.starts_with('*'))
            }
            _ => false,
        })
    }
}

/// The element that a pattern means: `0 of 3` from the front, `-1 of 3` from the end.
fn constant(which: &str) -> Option<Pick> {
    let (number, _) = which.split_once(" of ")?;
    match number.strip_prefix('-') {
        Some(number) => number.parse().ok().map(Pick::FromEnd),
        None => number.parse().ok().map(Pick::Constant),
    }
}
