//! `same-class-nesting` around a ring: each of several threads holds an element of a collection and asks
//! for the one beside it, where the last one's neighbour is the first.

use lockdep::finding::Rule;

use super::report::{chain_sites, finding, lock, quoted, site};
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::mir::model::{Rvalue, StatementKind, Terminator};
use crate::lint::program::BodyId;
use crate::lint::summary::DeferredEdge;
use crate::lint::summary::path::{Part, Path, Pick};
use crate::report::model::Finding;

/// What is wrong with orders that a body's threads bring about, of two elements of one collection.
pub(super) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        for edge in &analysis.deferred_edges {
            let is_reversed = |other: &DeferredEdge| {
                other.held.0.path == edge.asked.0.path && other.asked.0.path == edge.held.0.path
            };
            let runs_often = edge.trail.first().is_some_and(|step| {
                step.starts && analysis.cycle.get(step.block as usize).copied().flatten().is_some()
            });
            // Where some take the two the other way around, not all wait in one direction.
            if runs_often && !analysis.deferred_edges.iter().any(is_reversed) {
                findings.extend(around(analyzed, id, edge));
            }
        }
    }
}

fn around(analyzed: &Analyzed<'_, '_>, id: BodyId, edge: &DeferredEdge) -> Option<Finding> {
    let ((held, taken), (asked, chain)) = (&edge.held, &edge.asked);
    let view = analyzed.view(id);
    let numbers = [number(&view, &held.path)?, number(&view, &asked.path)?];
    let is_wrapped = numbers.map(|local| is_remainder(&view, local));
    let is_of_one = held.class.is_some() && held.class == asked.class;
    if !is_of_one || is_wrapped[0] == is_wrapped[1] || decides_by_equality(&view) {
        return None;
    }
    let step = edge.trail.get(1)?;
    let function = &analyzed.program.functions[step.body].display;
    let message = format!(
        "`{function}` locks an element of {} while it holds the one beside it, on several threads: \
         each can hold one and wait for the next, around to the first",
        quoted(asked)
    );
    let mut sites = Vec::new();
    sites.extend(
        taken.last().map(|at| site(at, format!("an element of {} is taken", quoted(held)))),
    );
    sites.extend(chain_sites(chain, "asks for the one beside it here"));
    let locks = vec![lock(analyzed, id, asked)];
    let mut found = finding(Rule::SameClassNesting, message, locks, sites);
    found.help.push("take the one with the lower number first, whichever side it is on".to_owned());
    Some(found)
}

/// The local with the number of the element that a path leads to.
fn number(view: &BodyView<'_, '_>, path: &Path) -> Option<u32> {
    let pick = path.parts.iter().rev().find_map(|part| match part {
        Part::Element(pick) => Some(pick),
        _ => None,
    })?;
    match *pick {
        Pick::Number(local) => Some(local),
        // A clone of the element: which one it was stands where it was cloned.
        Pick::Call(block) => {
            let blocks = &view.function.body.blocks;
            let Terminator::Call(call) = &blocks.get(block as usize)?.terminator else {
                return None;
            };
            let cloned = view.operand(call.args.first()?);
            match cloned.parts.last()? {
                Part::Element(Pick::Number(local)) => Some(*local),
                _ => None,
            }
        }
        Pick::Any | Pick::Constant(_) | Pick::FromEnd(_) => None,
    }
}

/// Whether a local is the remainder of a division.
fn is_remainder(view: &BodyView<'_, '_>, local: u32) -> bool {
    let statements = view.function.body.blocks.iter().flat_map(|block| &block.statements);
    statements.into_iter().any(|statement| {
        matches!(&statement.kind, StatementKind::Assign(dest, Rvalue::Aggregate("Rem", _))
            if dest.steps.is_empty() && dest.local == local)
    })
}

/// Whether a body asks if a number is another, as for the one thread that goes the other way around.
fn decides_by_equality(view: &BodyView<'_, '_>) -> bool {
    let body = &view.function.body;
    let statements = body.blocks.iter().filter(|b| !b.cleanup).flat_map(|block| &block.statements);
    statements.into_iter().any(|statement| match &statement.kind {
        StatementKind::Assign(
            dest,
            Rvalue::Aggregate("Eq" | "Ne" | "Lt" | "Le" | "Gt" | "Ge", _),
        ) => {
            // What only guards an index, or a division by zero, decides nothing.
            body.blocks.iter().any(|block| {
                matches!(&block.terminator, Terminator::Switch(value, ..)
                    if value.place().is_some_and(|place| place == dest))
            })
        }
        _ => false,
    })
}
