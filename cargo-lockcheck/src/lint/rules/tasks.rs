//! `wait-while-holding` of tasks: a task awaits something while it holds a lock, or permits, that whoever
//! brings it about takes too. What is only slow is not reported: to await under a lock of tasks is what
//! such locks are for.

use lockdep::finding::Rule;

use super::report::{quoted, under};
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::threads::is_spawn;
use crate::lint::apis::waits::Blocking;
use crate::lint::dataflow::class_of::class_of;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::mir::model::{Call, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::path::{Part, Path, Root};
use crate::lint::summary::{BlockingCall, LockUse};
use crate::report::model::{Finding, Mode};

/// What is wrong with an await of a task, whose locks the event has.
pub(super) fn across_await(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    blocks: &BlockingCall,
    on: Option<&Path>,
) -> Option<Finding> {
    let function = &analyzed.program.functions[id].display;
    let (held, message, end) = match blocks.what {
        Blocking::Join => {
            let taken = taken_by_thread(analyzed, id, on?, &event.held)?;
            let message = format!(
                "`{function}` awaits the end of a task while it holds {}, which that task takes",
                quoted(&taken.lock)
            );
            (taken, message, "awaits the task here")
        }
        Blocking::BoundedSend => {
            let of = blocks.about.as_deref()?;
            let (held, reader) = event.held.iter().find_map(|held| {
                let reader = reader_that_takes(analyzed, id, of, held)?;
                Some((held, reader))
            })?;
            let message = format!(
                "`{function}` awaits room in a bounded channel while it holds {}, which `{}` takes \
                 between two messages",
                quoted(&held.lock),
                analyzed.program.functions[reader].display,
            );
            (held, message, "awaits room for a message here")
        }
        _ => return None,
    };
    let rule = Rule::WaitWhileHolding;
    Some(under(analyzed, id, rule, message, held, event, &blocks.chain, end))
}

/// The body that receives messages of a type in a loop, and takes a lock in each round. There must be
/// only one channel of such messages, or it could be another's.
fn reader_that_takes(
    analyzed: &Analyzed<'_, '_>,
    sender: BodyId,
    of: &str,
    held: &HeldLock,
) -> Option<BodyId> {
    let makes = |text: &str| text.contains("mpsc::") && text.ends_with(&format!("channel::<{of}>"));
    // Another program has channels of its own.
    let unit = analyzed.program.functions[sender].unit;
    let is_near = |other: usize| other == unit || analyzed.program.units[other].is_library;
    let functions = analyzed.program.functions.iter().filter(|function| is_near(function.unit));
    let calls = functions.flat_map(|function| function.body.calls());
    let makers = calls.filter(|(_, call)| call.callee().is_some_and(|callee| makes(callee.text)));
    if makers.count() != 1 {
        return None;
    }
    let class = held.lock.class.as_ref()?;
    let reads = |event: &&Event| match &event.kind {
        EventKind::Effect(Effect::Block(blocks, _)) => {
            blocks.what == Blocking::Receive && blocks.about.as_deref() == Some(of)
        }
        _ => false,
    };
    let bodies = analyzed.analyses.iter().enumerate();
    let mut near = bodies.filter(|(id, _)| is_near(analyzed.program.functions[*id].unit));
    let found = near.find(|(id, analysis)| {
        let cycle_of = |event: &Event| analysis.cycle.get(event.block as usize).copied().flatten();
        let mut loops = analysis.events.iter().filter(reads).filter_map(cycle_of);
        loops.any(|cycle| {
            analysis.events.iter().any(|event| match &event.kind {
                EventKind::Effect(Effect::Acquire(acquired, _)) => {
                    cycle_of(event) == Some(cycle)
                        && acquired.lock.wait == Waiting::Blocking
                        && match &acquired.lock.class {
                            Some(own) => own == class,
                            None => analyzed
                                .classes_by_callers(*id, &acquired.lock.path)
                                .contains(class),
                        }
                }
                _ => false,
            })
        })
    });
    found.map(|(id, _)| id)
}

/// The held lock that the thread or task behind a join handle takes.
pub(super) fn taken_by_thread<'h>(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    handle: &Path,
    held: &'h [HeldLock],
) -> Option<&'h HeldLock> {
    let view = analyzed.view(id);
    let blocks = &view.function.body.blocks;
    let starts = |call: &Call<'_>| call.callee().is_some_and(is_spawn);
    if let Root::Call(block) = handle.root
        && let Terminator::Call(call) = &blocks.get(block as usize)?.terminator
        && starts(call)
    {
        let taken = taken_by(analyzed, &view, call)?;
        let is_taken = |held: &&HeldLock| {
            held.lock.path.is_single() && taken.iter().any(|taken| taken.path == held.lock.path)
        };
        return held.iter().find(is_taken);
    }
    // A handle out of a collection of those that the body has started.
    if handle.parts.iter().any(|part| matches!(part, Part::Element(_))) {
        let mut started = view.function.body.calls().filter(|(_, call)| starts(call));
        let found = started.find_map(|(_, call)| {
            let taken = taken_by(analyzed, &view, call)?;
            held.iter().find(|held| is_among(&taken, held))
        });
        if found.is_some() {
            return found;
        }
    }
    // A handle out of a field that another body has put it in.
    let field = last_field(handle)?;
    let unit = view.function.unit;
    let functions = analyzed.program.functions.iter().enumerate();
    functions.filter(|(_, function)| function.unit == unit).find_map(|(id, function)| {
        if !function.body.calls().any(|(_, call)| starts(call)) {
            return None;
        }
        let view = analyzed.view(id);
        put_into(&view, field).into_iter().find_map(|block| {
            let Terminator::Call(call) = &function.body.blocks[block as usize].terminator else {
                return None;
            };
            let taken = starts(call).then(|| taken_by(analyzed, &view, call))??;
            held.iter().find(|held| is_among(&taken, held))
        })
    })
}

/// Whether a held lock is of the class of one of several, and not shared with it.
fn is_among(taken: &[LockUse], held: &HeldLock) -> bool {
    let is_it = |taken: &LockUse| {
        taken.class == held.lock.class && (taken.mode, held.lock.mode) != (Mode::Read, Mode::Read)
    };
    held.lock.class.is_some() && !held.stale && taken.iter().any(is_it)
}

/// The last field of a type of the program on a path.
fn last_field(path: &Path) -> Option<&Part> {
    path.parts.iter().rev().find(|part| matches!(part, Part::Field { owner: Some(_), .. }))
}

/// The blocks whose calls return what a body puts into a field.
fn put_into(view: &BodyView<'_, '_>, field: &Part) -> Vec<u32> {
    let Part::Field { owner: Some(owner), index, .. } = field else { return Vec::new() };
    let is_field = |path: &Path| last_field(path) == Some(field);
    let mut found = Vec::new();
    let mut add = |value: &Operand<'_>| {
        if let Path { root: Root::Call(block), parts } = view.operand(value)
            && parts.is_empty()
        {
            found.push(block);
        }
    };
    for block in view.function.body.blocks.iter().filter(|block| !block.cleanup) {
        for statement in &block.statements {
            let StatementKind::Assign(dest, value) = &statement.kind else { continue };
            match value {
                Rvalue::Aggregate(name, values)
                    if types::short(view.type_of(dest)) == types::last(owner)
                        && name.starts_with(char::is_alphabetic) =>
                {
                    values.get(*index as usize).into_iter().for_each(&mut add);
                }
                // `Some(handle)` may be put together where it is assigned.
                Rvalue::Aggregate(_, values)
                    if !dest.steps.is_empty() && is_field(&view.place(dest)) =>
                {
                    values.first().into_iter().for_each(&mut add);
                }
                Rvalue::Use(value) if !dest.steps.is_empty() && is_field(&view.place(dest)) => {
                    add(value);
                }
                _ => {}
            }
        }
        // `field.replace(handle)`, `field.push(handle)`.
        if let Terminator::Call(call) = &block.terminator
            && call.callee().is_some_and(|callee| types::is_library(callee.owner()))
            && let [place, .., value] = call.args.as_slice()
            && is_field(&view.operand(place))
        {
            add(value);
        }
    }
    found
}

/// The locks that the thread or task takes which a call starts, as the body names them.
fn taken_by(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    call: &Call<'_>,
) -> Option<Vec<LockUse>> {
    let closure = call.args.last()?;
    let ty = view.operand_type(closure)?;
    let body = analyzed.program.closure(view.function.unit, ty)?;
    let captures = view.operand(closure);
    let acquired = analyzed.summaries[body].as_ref()?.acquired.iter();
    let waited = acquired.filter(|acquired| acquired.lock.wait == Waiting::Blocking);
    let taken = waited.map(|acquired| {
        let path = view.substitute_with(&acquired.lock.path, &|_| captures.clone());
        let class = acquired.lock.class.clone().or_else(|| class_of(view, &path));
        LockUse { path, class, ..acquired.lock.clone() }
    });
    Some(taken.collect())
}
