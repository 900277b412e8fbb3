//! `wait-while-holding` of atomic flags: a loop turns until one changes, under a lock that whoever changes
//! it takes first.
//!
//! The loop must have no other way out, and every body that changes the flag must take the lock on its way
//! there, as far as its own calls show.

use std::sync::Arc;

use lockdep::finding::Rule;

use super::condvars::atomics;
use super::report::{quoted, site, under};
use super::wakers::{may_be_same, taken_before};
use crate::lint::apis::atomics::{LOADS, WRITES};
use crate::lint::apis::locks::Waiting;
use crate::lint::dataflow::class_of::class_name;
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::events::{Event, EventKind};
use crate::lint::mir::model::{Call, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::Location;
use crate::report::model::{Finding, Mode};

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        for event in analysis.events.iter().filter(|event| matches!(event.kind, EventKind::Polled))
        {
            findings.extend(polled(analyzed, id, event));
        }
    }
}

fn polled(analyzed: &Analyzed<'_, '_>, id: BodyId, event: &Event) -> Option<Finding> {
    let view = analyzed.view(id);
    let Terminator::Call(load) = &view.function.body.blocks[event.block as usize].terminator else {
        return None;
    };
    if !decides_all_ways_out(&view, event.block) || gives_guards(&view, event.block) {
        return None;
    }
    let class = class_of_flag(analyzed, &view, load)?;
    let writers = writers(analyzed, id, &class);
    let changed = &writers.first()?.2;
    let held = event.held.iter().find(|held| {
        // What another round of the loop has taken is let go of with it.
        !held.stale
            && held.lock.wait == Waiting::Blocking
            && writers.iter().all(|(writer, block, _)| {
                taken_before(analyzed, *writer, *block).iter().any(|taken| {
                    may_be_same(&held.lock, taken)
                        && (held.lock.mode, taken.mode) != (Mode::Read, Mode::Read)
                })
            })
    })?;
    let message = format!(
        "`{}` turns until a value changes while it holds {}, which `{}` takes before it changes it",
        view.function.display,
        quoted(&held.lock),
        changed.function,
    );
    let (rule, chain) = (Rule::WaitWhileHolding, vec![event.here.clone()]);
    let end = "looks again and again here";
    let mut found = under(analyzed, id, rule, message, held, event, &chain, end);
    found.sites.push(site(changed, "is changed here"));
    Some(found)
}

/// The class of the atomic value that a call looks at, itself or in a method that does nothing else.
fn class_of_flag(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    call: &Call<'_>,
) -> Option<Arc<str>> {
    match view.program.resolve(view.function.unit, call.callee()?) {
        Some(method) => {
            atomics(analyzed, method, LOADS).into_iter().next().map(|(_, class, _)| class)
        }
        None => class_name(view, &view.operand(call.args.first()?)),
    }
}

/// Where other bodies change an atomic of a class.
fn writers(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    class: &Arc<str>,
) -> Vec<(BodyId, u32, Location)> {
    let others = (0..analyzed.program.functions.len()).filter(|other| *other != id);
    let writes = others.flat_map(|other| {
        let of_class = atomics(analyzed, other, WRITES).into_iter();
        of_class.filter(|(_, known, _)| known == class).map(move |(at, _, here)| (other, at, here))
    });
    writes.collect()
}

/// Whether each way out of the loop around a block depends on what the block has found.
fn decides_all_ways_out(view: &BodyView<'_, '_>, block: u32) -> bool {
    let graph = Flow::new(view);
    let blocks = &view.function.body.blocks;
    let Terminator::Call(load) = &blocks[block as usize].terminator else { return false };
    let cycle = graph.cycle[block as usize];
    let is_load = |operand: &Operand<'_>| operand.place().is_some_and(|place| *place == load.dest);
    graph.ways_out(&view.function.body, cycle).all(|at| {
        let Terminator::Switch(value, ..) = &blocks[at as usize].terminator else { return false };
        let is_derived = || {
            blocks[at as usize].statements.iter().any(|statement| match &statement.kind {
                StatementKind::Assign(dest, Rvalue::Aggregate(_, values)) => {
                    value.place() == Some(dest) && values.iter().any(is_load)
                }
                _ => false,
            })
        };
        is_load(value) || is_derived()
    })
}

/// Whether the loop around a block hands on a guard, to what may let go of the lock meanwhile.
fn gives_guards(view: &BodyView<'_, '_>, block: u32) -> bool {
    let graph = Flow::new(view);
    let cycle = graph.cycle[block as usize];
    let is_guard = |arg: &Operand<'_>| {
        view.operand_type(arg).is_some_and(|ty| view.program.owns_guard(types::peel(ty)))
    };
    view.function.body.calls().any(|(at, call)| {
        let only_looks = call
            .callee()
            .is_some_and(|callee| matches!(callee.trait_name, Some("Deref" | "DerefMut")));
        graph.cycle[at as usize] == cycle && !only_looks && call.args.iter().any(is_guard)
    })
}
