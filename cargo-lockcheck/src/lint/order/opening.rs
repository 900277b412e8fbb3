//! What a function opens has nobody else yet: it is put together there, behind handles of its own, until a
//! thread is started with it.

use super::edges::Witness;
use super::exclusion::Exclusion;
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::model::{Operand, Rvalue, StatementKind};
use crate::lint::mir::types;
use crate::lint::summary::path::{Part, Path, Root};

impl Exclusion<'_, '_, '_> {
    /// Whether the body puts together what the locks are in, be it behind handles, and nobody else has
    /// it when it asks: none that it is given has a part of it, and it has started no thread with it.
    pub(super) fn is_opening(
        &self,
        view: &BodyView<'_, '_>,
        witness: &Witness,
        paths: &[&Path],
    ) -> bool {
        let function = view.function;
        let (Some(block), [held, asked]) = (witness.block, paths) else { return false };
        let Root::Aggregate(..) = held.root else { return false };
        if function.is_coroutine() || function.is_closure() || held.root != asked.root {
            return false;
        }
        // What is given may be handles of other objects, but none of a type on the way.
        let owners = paths.iter().flat_map(|path| &path.parts).filter_map(|part| match part {
            Part::Field { owner: Some(owner), .. } => Some(types::last(owner)),
            _ => None,
        });
        let owners: Vec<&str> = owners.collect();
        let given = &function.body.locals[1..=function.body.params];
        let has_part = |ty: &str| owners.iter().any(|owner| types::mentions(ty, owner));
        if given.iter().any(|local| has_part(local.ty)) {
            return false;
        }
        let wholes = wholes(view, &held.root);
        let graph = Flow::new(view);
        (0..function.body.blocks.len() as u32)
            .filter(|at| wholes.iter().any(|whole| self.gives_away_but(view, *at, whole, &wholes)))
            .all(|at| !graph.leads(at, block, &[]))
    }

    /// Whether nobody else has a value that a body puts together when it gives the value to the function
    /// that a block calls: nothing in it was given to the body, and no thread was started with it.
    pub(super) fn is_unshared(&self, view: &BodyView<'_, '_>, root: &Root, block: u32) -> bool {
        let function = view.function;
        let Root::Aggregate(at, index) = *root else { return false };
        let statement = &function.body.blocks[at as usize].statements[index as usize];
        let StatementKind::Assign(_, Rvalue::Aggregate(name, values)) = &statement.kind else {
            return false;
        };
        let is_given = |value: &Operand<'_>| {
            matches!(view.operand(value).root, Root::Param(_) | Root::Static(_))
        };
        if function.is_coroutine() || name.starts_with('{') || values.iter().any(is_given) {
            return false;
        }
        let wholes = wholes(view, root);
        let graph = Flow::new(view);
        (0..function.body.blocks.len() as u32)
            .filter(|at| *at != block)
            .filter(|at| wholes.iter().any(|whole| self.gives_away_but(view, *at, whole, &wholes)))
            .all(|at| !graph.leads(at, block, &[]))
    }
}

/// The values that a body puts together of others, one of which is at a root.
fn wholes(view: &BodyView<'_, '_>, root: &Root) -> Vec<Root> {
    let mut found = vec![root.clone()];
    let mut at = 0;
    while at < found.len() {
        for (number, block) in (0..).zip(&view.function.body.blocks) {
            for (index, statement) in (0..).zip(&block.statements) {
                let StatementKind::Assign(_, Rvalue::Aggregate(name, values)) = &statement.kind
                else {
                    continue;
                };
                let whole = Root::Aggregate(number, index);
                // A closure is given away with what it has captured.
                let is_plain = !block.cleanup && !name.starts_with('{');
                if is_plain
                    && !found.contains(&whole)
                    && values.iter().any(|value| view.operand(value).root == found[at])
                {
                    found.push(whole);
                }
            }
        }
        at += 1;
    }
    found
}
