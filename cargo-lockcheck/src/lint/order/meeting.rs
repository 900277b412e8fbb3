//! Whether two things that a body leads to can happen at one time, on two threads: one of them runs on
//! a thread that is started before the other, and not waited for in between.
//!
//! This is about one run of that body. Whoever asks has to know that another run means other objects.

use std::collections::HashSet;

use super::threads;
use crate::lint::apis::atomics::{LOADS, is_operation};
use crate::lint::apis::threads::{has_handle, is_parallel, is_scope as scope};
use crate::lint::apis::waits::{Blocking, blocking_call, is_condvar_wait};
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::ownership::is_made;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::Terminator;
use crate::lint::summary::path::{Path, Root};
use crate::lint::summary::trail::{Step, Trail};

/// How sure it is that two things can happen at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meeting {
    /// They cannot.
    Never,
    /// One thread does both here, with code that could run on two.
    Alone,
    /// They can, unless one of the messages or signals that are waited for keeps them apart.
    Unless,
    /// Nothing keeps them apart.
    Free,
}

/// Whether two things can happen at one time, in one run of the body that their trails begin with.
/// What is made in that body, at one of `made`, is another object when the body makes it again.
pub(crate) fn meet(analyzed: &Analyzed<'_, '_>, a: &Trail, b: &Trail, made: &[u32]) -> Meeting {
    let mut best = Meeting::Never;
    for (at, (first, second)) in a.iter().zip(b).enumerate() {
        if first.body != second.body {
            break;
        }
        let made = if at == 0 { made } else { &[] };
        best = best.max(later(analyzed, &a[at..], second.block, made)).max(later(
            analyzed,
            &b[at..],
            first.block,
            made,
        ));
        if first != second {
            break;
        }
        if !first.starts && is_call(analyzed, *first, is_parallel) {
            return Meeting::Free;
        }
    }
    best
}

/// Whether what a trail leads to can still be going on when its first body comes to another block.
fn later(analyzed: &Analyzed<'_, '_>, trail: &[Step], to: u32, made: &[u32]) -> Meeting {
    let Some(step) = trail.first() else { return Meeting::Never };
    let outlives = if step.starts {
        entered(analyzed, &trail[1..])
    } else if is_scope(analyzed, *step) {
        Meeting::Never
    } else {
        outlives(analyzed, &trail[1..])
    };
    if outlives == Meeting::Never {
        return Meeting::Never;
    }
    outlives.min(reached(analyzed, *step, Some(to), made))
}

/// Whether what a trail leads to may go on when its first body has returned.
fn outlives(analyzed: &Analyzed<'_, '_>, trail: &[Step]) -> Meeting {
    let Some(step) = trail.first() else { return Meeting::Never };
    let further = if step.starts {
        entered(analyzed, &trail[1..])
    } else if is_scope(analyzed, *step) {
        Meeting::Never
    } else {
        outlives(analyzed, &trail[1..])
    };
    if further == Meeting::Never {
        return Meeting::Never;
    }
    further.min(reached(analyzed, *step, None, &[]))
}

/// Whether a thread that was started comes to what it is about without being told.
fn entered(analyzed: &Analyzed<'_, '_>, trail: &[Step]) -> Meeting {
    let Some(step) = trail.first() else { return Meeting::Free };
    let view = analyzed.view(step.body);
    let graph = Flow::new(&view);
    let (once, each) = waits(&view, &graph, Some(step.block));
    let comes = |around: &HashSet<u32>| {
        !around.contains(&0)
            && (step.block == 0 || leads(&graph, 0, &|at| at == step.block, around))
    };
    if !comes(&once) {
        Meeting::Never
    } else if comes(&once.union(&each).copied().collect()) {
        Meeting::Free
    } else {
        Meeting::Unless
    }
}

/// Whether control comes from the end of a step's block to another block, or to the body's end, with
/// the thread that was started in the step not waited for.
fn reached(analyzed: &Analyzed<'_, '_>, step: Step, to: Option<u32>, made: &[u32]) -> Meeting {
    let view = analyzed.view(step.body);
    let graph = Flow::new(&view);
    let blocks = &view.function.body.blocks;
    let is_end = |at: u32| match to {
        Some(to) => at == to,
        None => matches!(blocks[at as usize].terminator, Terminator::Return),
    };
    let mut around: HashSet<u32> = made.iter().copied().filter(|at| Some(*at) != to).collect();
    around.extend(joins(&view, step.block));
    let (once, each) = waits(&view, &graph, to);
    around.extend(once);
    if !leads(&graph, step.block, &is_end, &around) {
        return Meeting::Never;
    }
    around.extend(each);
    if leads(&graph, step.block, &is_end, &around) { Meeting::Free } else { Meeting::Unless }
}

/// Whether a block leads, by at least one step, to another around some.
fn leads(graph: &Flow, from: u32, is_end: &dyn Fn(u32) -> bool, around: &HashSet<u32>) -> bool {
    let mut seen = HashSet::new();
    let mut work = graph.next[from as usize].clone();
    while let Some(at) = work.pop() {
        if is_end(at) {
            return true;
        }
        if !around.contains(&at) && seen.insert(at) {
            work.extend(&graph.next[at as usize]);
        }
    }
    false
}

/// The blocks after which the thread that a block has started, or what is called there, is over: they
/// wait for it, or for threads of which it may be one.
fn joins(view: &BodyView<'_, '_>, start: u32) -> Vec<u32> {
    let calls = view.function.body.calls();
    let found = calls.filter(|(at, call)| {
        if *at == start {
            return false;
        }
        match threads::handle(view, call) {
            Some(Root::Call(other)) => other == start || !is_start(view, other),
            Some(_) => true,
            None => false,
        }
    });
    found.map(|(at, _)| at).collect()
}

/// Whether a block starts a thread, or calls what may hand out a thread's handle.
fn is_start(view: &BodyView<'_, '_>, block: u32) -> bool {
    match &view.function.body.blocks[block as usize].terminator {
        Terminator::Call(call) => has_handle(view.type_of(&call.dest)),
        _ => false,
    }
}

/// The blocks that wait for something that another thread may do: those that do so once before a block,
/// after which there is an order, and those that do so again and again around it, as for messages.
fn waits(
    view: &BodyView<'_, '_>,
    graph: &Flow,
    before: Option<u32>,
) -> (HashSet<u32>, HashSet<u32>) {
    let calls = view.function.body.calls().filter(|(_, call)| {
        call.callee().is_some_and(|callee| {
            let what = blocking_call(callee, None);
            is_condvar_wait(callee)
                || is_operation(callee, LOADS)
                || what.is_some_and(|what| !matches!(what, Blocking::Join | Blocking::Sleep))
        })
    });
    let around = before.and_then(|block| graph.cycle[block as usize]);
    calls.map(|(at, _)| at).partition(|at| around.is_none() || graph.cycle[*at as usize] != around)
}

/// Whether a step is a call that returns when all threads started in it have ended.
fn is_scope(analyzed: &Analyzed<'_, '_>, step: Step) -> bool {
    is_call(analyzed, step, scope)
}

/// Whether a step is a call of such a function.
fn is_call(analyzed: &Analyzed<'_, '_>, step: Step, is_it: fn(&Callee<'_>) -> bool) -> bool {
    let blocks = &analyzed.program.functions[step.body].body.blocks;
    match blocks.get(step.block as usize).map(|block| &block.terminator) {
        Some(Terminator::Call(call)) => call.callee().is_some_and(is_it),
        _ => false,
    }
}

/// The blocks of a body that make what is at the root of a path, if they are known.
pub(crate) fn makers(view: &BodyView<'_, '_>, path: &Path) -> Vec<u32> {
    match path.root {
        Root::Local(local) => view.blocks_that_make(local),
        Root::Call(block) | Root::Aggregate(block, _) if is_made(view, path) => vec![block],
        _ => Vec::new(),
    }
}
