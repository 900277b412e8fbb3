//! The threads and tasks behind handles, and what they take: started in the body that waits, by one of its
//! closures, or by another body that has put the handle into a field.

use crate::lint::apis::channels::{bounded_messages, makes_channel};
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::threads::is_spawn;
use crate::lint::apis::waits::Blocking;
use crate::lint::dataflow::class_of::class_of;
use crate::lint::dataflow::facts::value as known;
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::mir::model::{Call, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::class::Class;
use crate::lint::summary::fact::Value;
use crate::lint::summary::path::{Part, Path, Root};
use crate::lint::summary::{BlockingCall, LockUse, Returned};
use crate::report::model::Mode;

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
        let found = found.or_else(|| {
            let taken = taken_by_closures(analyzed, &view);
            held.iter().find(|held| is_among(&taken, held))
        });
        if found.is_some() {
            return found;
        }
    }
    // A handle out of a field that another body has put it in.
    let threads = put_into_field(analyzed, view.function.unit, handle.last_field()?);
    threads.into_iter().find_map(|(id, block)| {
        let (view, block) = (analyzed.view(id), block?);
        let Terminator::Call(call) = &view.function.body.blocks[block as usize].terminator else {
            return None;
        };
        let taken = taken_by(analyzed, &view, call)?;
        held.iter().find(|held| is_among(&taken, held))
    })
}

/// The threads and tasks whose handles are put into a field: the bodies that put them there, and the
/// blocks that start them, where they are started in the same body.
fn put_into_field(
    analyzed: &Analyzed<'_, '_>,
    unit: usize,
    field: &Part,
) -> Vec<(BodyId, Option<u32>)> {
    let functions = analyzed.program.functions.iter().enumerate();
    let near = functions.filter(|(_, function)| function.unit == unit);
    let found = near.flat_map(|(id, function)| {
        let starts = |at: &u32| match &function.body.blocks[*at as usize].terminator {
            Terminator::Call(call) => call.callee().is_some_and(is_spawn),
            _ => false,
        };
        let put = put_into(&analyzed.view(id), field).into_iter();
        put.map(|at| (id, at.filter(starts))).collect::<Vec<_>>()
    });
    found.collect()
}

/// Whether the thread behind a handle out of a field is known to end without any of some locks: all that
/// are put there are known, with all that they wait for.
pub(super) fn needs_none_of(
    analyzed: &Analyzed<'_, '_>,
    unit: usize,
    field: &Part,
    held: &[HeldLock],
) -> bool {
    let threads = put_into_field(analyzed, unit, field);
    !threads.is_empty()
        && threads.into_iter().all(|(id, block)| {
            let view = analyzed.view(id);
            let Some(block) = block else { return false };
            let body = match &view.function.body.blocks[block as usize].terminator {
                Terminator::Call(call) => call
                    .args
                    .last()
                    .and_then(|given| view.operand_type(given))
                    .and_then(|ty| analyzed.program.closure(view.function.unit, ty)),
                _ => None,
            };
            let summary = body.and_then(|body| Some((body, analyzed.summaries[body].as_ref()?)));
            summary.is_some_and(|(body, summary)| {
                let only_sleeps = summary.blocking.iter().all(|blocks| {
                    blocks.what == Blocking::Sleep || !may_wait(analyzed, unit, blocks)
                });
                let is_other = |class: &Class| {
                    held.iter().all(|held| {
                        held.lock.class.as_ref().is_some_and(|held| held.key != class.key)
                    })
                };
                only_sleeps
                    && summary.callbacks.is_empty()
                    && summary.acquired.iter().all(|acquired| match &acquired.lock.class {
                        Some(class) => is_other(class),
                        None => {
                            let known = analyzed.classes_by_callers(body, &acquired.lock.path);
                            !known.is_empty() && known.iter().all(is_other)
                        }
                    })
            })
        })
}

/// Whether a call waits: one that sends does not through a channel that has room for all messages.
pub(super) fn may_wait(analyzed: &Analyzed<'_, '_>, unit: usize, blocks: &BlockingCall) -> bool {
    match (blocks.what, &blocks.about) {
        (Blocking::BoundedSend, Some(message)) => is_bounded(analyzed, unit, message),
        _ => true,
    }
}

/// Whether all channels for messages of a type that a target makes have room for a number of them.
fn is_bounded(analyzed: &Analyzed<'_, '_>, unit: usize, message: &str) -> bool {
    let functions = analyzed.program.functions.iter().filter(|function| function.unit == unit);
    let callees =
        functions.flat_map(|function| function.body.calls()).filter_map(|(_, call)| call.callee());
    let makers = callees
        .filter(|callee| makes_channel(callee) && callee.text.ends_with(&format!("::<{message}>")));
    let mut are_bounded = makers.map(|callee| bounded_messages(callee).is_some()).peekable();
    are_bounded.peek().is_some() && are_bounded.all(|is_bounded| is_bounded)
}

/// The locks that threads or tasks take which the closures of a body start, as `|host| spawn(probe(host))`
/// does for each of some.
fn taken_by_closures(analyzed: &Analyzed<'_, '_>, view: &BodyView<'_, '_>) -> Vec<LockUse> {
    let statements = view.function.body.blocks.iter().flat_map(|block| &block.statements);
    let closures = statements.filter_map(|statement| match &statement.kind {
        StatementKind::Assign(_, Rvalue::Aggregate(ty, _)) if ty.starts_with("{closure@") => {
            Some((analyzed.program.closure(view.function.unit, ty)?, view.closure_site(ty)?))
        }
        _ => None,
    });
    let taken = closures.flat_map(|(closure, site)| {
        let inner = analyzed.view(closure);
        let calls = inner.function.body.calls();
        let starts = calls.filter(|(_, call)| call.callee().is_some_and(is_spawn));
        let taken = starts.filter_map(|(_, call)| taken_by(analyzed, &inner, call)).flatten();
        let named = taken.map(|lock| {
            let path = view.substitute_with(&lock.path, &|number| match number {
                1 => site.clone(),
                _ => Path::new(Root::Unknown),
            });
            let class = lock.class.clone().or_else(|| class_of(view, &path));
            LockUse { path, class, ..lock }
        });
        named.collect::<Vec<_>>()
    });
    taken.collect()
}

/// Whether a held lock is of the class of one of several, and not shared with it.
pub(super) fn is_among(taken: &[LockUse], held: &HeldLock) -> bool {
    let is_it = |taken: &LockUse| {
        taken.class == held.lock.class && (taken.mode, held.lock.mode) != (Mode::Read, Mode::Read)
    };
    held.lock.class.is_some() && !held.stale && taken.iter().any(is_it)
}

/// What a body puts into a field, other than `None`: the blocks whose calls have returned it; nothing
/// where it comes from elsewhere.
fn put_into<'a>(view: &BodyView<'_, 'a>, field: &Part) -> Vec<Option<u32>> {
    let Part::Field { owner: Some(owner), index, .. } = field else { return Vec::new() };
    let is_field = |path: &Path| path.last_field() == Some(field);
    let mut found = Vec::new();
    let mut add = |value: &Operand<'a>| {
        let value = behind_new_lock(view, value).unwrap_or_else(|| value.clone());
        if known(view, &value) != Value::Known(0) {
            found.push(match view.operand(&value) {
                Path { root: Root::Call(block), parts } if parts.is_empty() => Some(block),
                _ => None,
            });
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

/// What a lock is given that is made for a value: `x` of `Arc::new(Mutex::new(x))`.
fn behind_new_lock<'a>(view: &BodyView<'_, 'a>, value: &Operand<'a>) -> Option<Operand<'a>> {
    let Path { root: Root::Local(local), parts } = view.operand(value) else { return None };
    let [block] = view.blocks_that_make(local)[..] else { return None };
    match &view.function.body.blocks[block as usize].terminator {
        Terminator::Call(call) if parts.is_empty() => call.args.first().cloned(),
        _ => None,
    }
}

/// Whether a block drops what is nothing yet: a variable that is still `None`, or what was behind a lock,
/// where the body has made the value that the lock is in, and is the only place that puts something there,
/// once.
pub(super) fn drops_nothing(analyzed: &Analyzed<'_, '_>, id: BodyId, block: u32) -> bool {
    let function = &analyzed.program.functions[id];
    let Terminator::Drop(place, _) = &function.body.blocks[block as usize].terminator else {
        return false;
    };
    if place.steps.is_empty() {
        let view = analyzed.view(id);
        return view.is_none_at(&Flow::new(&view), place.local, block);
    }
    let is_in_loop = analyzed.analyses[id].cycle.get(block as usize).copied().flatten().is_some();
    let view = analyzed.view(id);
    let path = view.place(place);
    let ([.., field @ Part::Field { owner: Some(_), .. }, Part::Protected], false) =
        (path.parts.as_slice(), is_in_loop)
    else {
        return false;
    };
    let is_made = match path.root {
        Root::Aggregate(..) => true,
        Root::Call(at) => match &function.body.blocks[at as usize].terminator {
            Terminator::Call(call) => {
                let resolve = |callee| analyzed.program.resolve(function.unit, callee);
                let maker = call.callee().and_then(resolve);
                let summary = maker.and_then(|maker| analyzed.summaries[maker].as_ref());
                summary.is_some_and(|known| !matches!(known.returned, Some(Returned::Path(_))))
            }
            _ => false,
        },
        _ => false,
    };
    is_made
        && matches!(put_into_field(analyzed, function.unit, field)[..], [(only, _)] if only == id)
}

/// Whether the thread behind a handle out of a field needs a held lock no more: it takes that once, outside
/// of any loop, and the body has waited under the lock, in a loop, for what the thread says there.
pub(super) fn has_done_with(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    field: &Part,
) -> bool {
    let unit = analyzed.program.functions[id].unit;
    let threads = put_into_field(analyzed, unit, field);
    let graph = Flow::new(&analyzed.view(id));
    let has_waited = |held: &HeldLock| {
        analyzed.analyses[id].events.iter().any(|other| match &other.kind {
            EventKind::Effect(Effect::Wait { mutexes, .. }) => {
                let cycle = graph.cycle[other.block as usize];
                cycle.is_some()
                    && cycle != graph.cycle[event.block as usize]
                    && mutexes.iter().any(|mutex| held.lock.is_same(mutex))
                    && graph.leads(other.block, event.block, &[])
            }
            _ => false,
        })
    };
    !threads.is_empty()
        && threads.into_iter().all(|(starter, block)| {
            let view = analyzed.view(starter);
            let Some(Terminator::Call(call)) =
                block.map(|at| &view.function.body.blocks[at as usize].terminator)
            else {
                return false;
            };
            let closure = call.args.last().and_then(|given| view.operand_type(given));
            let body = closure.and_then(|ty| analyzed.program.closure(view.function.unit, ty));
            let (Some(body), Some(taken)) = (body, taken_by(analyzed, &view, call)) else {
                return false;
            };
            event.held.iter().all(|held| {
                let may_be = |lock: &LockUse| match (&lock.class, &held.lock.class) {
                    (Some(own), Some(held)) => own == held,
                    _ => lock.ty == held.lock.ty,
                };
                !taken.iter().any(may_be)
                    || has_waited(held) && takes_once(analyzed, body, &held.lock)
            })
        })
}

/// Whether a thread takes a lock at one place at most, and in no loop.
fn takes_once(analyzed: &Analyzed<'_, '_>, thread: BodyId, lock: &LockUse) -> bool {
    let reached = analyzed.reached_from(thread);
    let mut direct = 0;
    for analysis in reached.into_iter().map(|id| &analyzed.analyses[id]) {
        for event in &analysis.events {
            let EventKind::Effect(Effect::Acquire(acquired, _)) = &event.kind else { continue };
            let may_be = match (&acquired.lock.class, &lock.class) {
                (Some(own), Some(lock)) => own == lock,
                _ => acquired.lock.ty == lock.ty,
            };
            if may_be {
                direct += usize::from(acquired.chain.len() == 1);
                if direct > 1 || analysis.cycle[event.block as usize].is_some() {
                    return false;
                }
            }
        }
    }
    true
}

/// The locks that the thread or task takes which a call starts, as the body names them.
pub(super) fn taken_by(
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
