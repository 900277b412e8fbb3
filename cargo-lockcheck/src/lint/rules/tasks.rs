//! `wait-while-holding` of tasks: a task awaits something while it holds a lock, or permits, that whoever
//! brings it about takes too. What is only slow is not reported: to await under a lock of tasks is what
//! such locks are for.

use lockdep::finding::Rule;

use super::handles::{is_among, taken_by, taken_by_thread};
use super::report::{quoted, under};
use super::self_send::{end_of, ends_in};
use crate::lint::apis::channels::makes_oneshot;
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::threads::is_spawn;
use crate::lint::apis::waits::Blocking;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::mir::model::Terminator;
use crate::lint::program::BodyId;
use crate::lint::summary::BlockingCall;
use crate::lint::summary::path::{Path, Root};
use crate::report::model::Finding;

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
        Blocking::Receive => {
            let (taken, sender) = taken_by_sender(analyzed, id, on?, &event.held)?;
            let message = format!(
                "`{function}` awaits a message while it holds {}, which `{}` takes before it sends it",
                quoted(&taken.lock),
                analyzed.program.functions[sender].display,
            );
            (taken, message, "awaits the message here")
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
    let classes = match &held.lock.class {
        Some(class) => vec![class.clone()],
        None => analyzed.classes_by_callers(sender, &held.lock.path),
    };
    if classes.is_empty() {
        return None;
    }
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
                            Some(own) => classes.contains(own),
                            None => analyzed
                                .classes_by_callers(*id, &acquired.lock.path)
                                .iter()
                                .any(|class| classes.contains(class)),
                        }
                }
                _ => false,
            })
        })
    });
    found.map(|(id, _)| id)
}

/// The held lock that the task takes which has been given the only sender of a message.
fn taken_by_sender<'h>(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    receiver: &Path,
    held: &'h [HeldLock],
) -> Option<(&'h HeldLock, BodyId)> {
    let view = analyzed.view(id);
    let Root::Call(channel) = receiver.root else { return None };
    let Terminator::Call(maker) = &view.function.body.blocks.get(channel as usize)?.terminator
    else {
        return None;
    };
    if end_of(receiver, channel) != Some(1) || !maker.callee().is_some_and(makes_oneshot) {
        return None;
    }
    let mut starts =
        view.function.body.calls().filter(|(_, call)| call.callee().is_some_and(is_spawn));
    starts.find_map(|(_, call)| {
        let given = call.args.last()?;
        if !ends_in(&view, &view.operand(given), channel).contains(&0) {
            return None;
        }
        let taken = taken_by(analyzed, &view, call)?;
        let held = held.iter().find(|held| is_among(&taken, held))?;
        let ty = view.operand_type(given)?;
        Some((held, analyzed.program.closure(view.function.unit, ty)?))
    })
}
