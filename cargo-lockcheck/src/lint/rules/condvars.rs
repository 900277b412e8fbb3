//! `condvar-no-loop`, `condvar-unlocked-predicate`: waits that a wake-up can miss.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lockdep::finding::Rule;

use super::report::{finding, site};
use crate::lint::apis::atomics::{WRITES, is_operation};
use crate::lint::dataflow::class_of::class_name;
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::{Effect, location};
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::mir::model::{Operand, Terminator};
use crate::lint::program::BodyId;
use crate::lint::summary::path::Part;
use crate::lint::summary::{Acquired, Location, LockUse};
use crate::report::model::{Finding, Mode};

/// What the waiters of a condition variable look at, and under which lock.
#[derive(Debug, Default)]
struct Waiters {
    mutexes: HashSet<Arc<str>>,
    predicates: HashSet<Arc<str>>,
    /// Other locks, in which they look.
    inside: HashSet<Arc<str>>,
    at: Option<Location>,
}

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let mut waiters: HashMap<Arc<str>, Waiters> = HashMap::new();
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        for event in &analysis.events {
            let EventKind::Effect(Effect::Wait { condvar, forever, checks, mutexes }) = &event.kind
            else {
                continue;
            };
            let cycle = analysis.cycle.get(event.block as usize).copied().flatten();
            if cycle.is_none() && *forever && !checks && !hands_on(analyzed, id) {
                let message = format!(
                    "`{}` waits once and does not look again at what it waits for: a wake-up may \
                     come without cause, or before the wait",
                    analyzed.program.functions[id].display
                );
                let sites = vec![site(&event.here, "waits here, in no loop")];
                findings.push(finding(Rule::CondvarNoLoop, message, Vec::new(), sites));
            }
            let view = analyzed.view(id);
            if *forever && !checks {
                findings.extend(looked_before(analyzed, &view, event, mutexes));
            }
            let Some(class) = class_name(&view, condvar) else { continue };
            let known = waiters.entry(class).or_default();
            known.at.get_or_insert_with(|| event.here.clone());
            for mutex in mutexes {
                known.mutexes.extend(mutex.class.as_ref().map(|class| Arc::clone(&class.key)));
            }
            if *checks && *forever {
                known.predicates.extend(asked_by_closure(analyzed, &view, event.block));
            }
            if let Some(cycle) = cycle {
                let looked_at = atomics(analyzed, id, &["load"]).into_iter();
                let in_loop =
                    looked_at.filter(|(block, ..)| analysis.cycle[*block as usize] == Some(cycle));
                known.predicates.extend(in_loop.map(|(_, class, _)| class));
                // What is looked at under another lock, while the mutex is held.
                let looked_into = analysis.events.iter().filter_map(|other| match &other.kind {
                    EventKind::Effect(Effect::Acquire(acquired, _))
                        if analysis.cycle[other.block as usize] == Some(cycle) =>
                    {
                        let is_mutex = |held: &HeldLock| {
                            mutexes.iter().any(|mutex| mutex.class == held.lock.class)
                        };
                        let class = acquired.lock.class.as_ref()?;
                        other.held.iter().any(is_mutex).then(|| Arc::clone(&class.key))
                    }
                    _ => None,
                });
                known.inside.extend(looked_into);
            }
        }
    }
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        let mut changes = None;
        for event in &analysis.events {
            let EventKind::Effect(Effect::Notify(condvar)) = &event.kind else { continue };
            let view = analyzed.view(id);
            let known = class_name(&view, condvar).and_then(|class| waiters.get(&class));
            let Some(known) = known.filter(|known| !known.mutexes.is_empty()) else { continue };
            let locks = |key: &Arc<str>| known.mutexes.contains(key);
            let is_locked = analysis.events.iter().any(|other| match &other.kind {
                EventKind::Effect(Effect::Acquire(acquired, _)) => {
                    acquired.lock.class.as_ref().is_some_and(|class| locks(&class.key))
                }
                _ => false,
            }) || event.held.iter().any(|held| {
                held.lock.is_handed_in()
                    || held.lock.class.as_ref().is_some_and(|class| locks(&class.key))
            });
            if is_locked {
                continue;
            }
            let changes = changes.get_or_insert_with(|| atomics(analyzed, id, WRITES));
            let changed = changes.iter().find(|(_, class, _)| known.predicates.contains(class));
            let changed_inside = || {
                analysis.events.iter().find_map(|other| match &other.kind {
                    EventKind::Effect(Effect::Acquire(acquired, _))
                        if acquired.lock.mode != Mode::Read =>
                    {
                        let class = acquired.lock.class.as_ref()?;
                        known.inside.contains(&class.key).then_some(&other.here)
                    }
                    _ => None,
                })
            };
            let Some(at) = changed.map(|(_, _, at)| at).or_else(changed_inside) else { continue };
            let message = format!(
                "`{}` changes what the waiters look at without their mutex: the wake-up is lost \
                 when it comes between a waiter's look and its wait",
                analyzed.program.functions[id].display
            );
            let mut sites = vec![
                site(at, "is changed here, without the mutex"),
                site(&event.here, "wakes the waiters here"),
            ];
            sites.extend(known.at.as_ref().map(|at| site(at, "a waiter waits here")));
            findings.push(finding(Rule::CondvarUnlockedPredicate, message, Vec::new(), sites));
        }
    }
}

/// A wait right behind the lock of its mutex, for what the body has looked at before under the same mutex
/// and let go of: the wake-up may come in between.
fn looked_before(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    wait: &Event,
    mutexes: &[LockUse],
) -> Option<Finding> {
    let graph = Flow::new(view);
    let takes = analyzed.analyses[view.id()].events.iter().filter_map(|event| match &event.kind {
        EventKind::Effect(Effect::Acquire(acquired, _)) => {
            let is_mutex = |mutex: &LockUse| mutex.is_same(&acquired.lock);
            mutexes.iter().any(is_mutex).then_some((event, acquired))
        }
        _ => None,
    });
    let leads_straight = |from: u32| {
        let mut at = from;
        // Each block is come to once at most.
        for _ in 0..graph.next.len() {
            if at == wait.block {
                return true;
            }
            let [next] = graph.next[at as usize].as_slice() else { return false };
            at = *next;
        }
        false
    };
    let (taken, _) = takes.clone().find(|(event, _)| leads_straight(event.block))?;
    let mut looks = takes.filter(|(look, acquired)| {
        look.block != taken.block && is_asked(view, &graph, look.block, acquired, taken.block)
    });
    let (look, _) = looks.next()?;
    let message = format!(
        "`{}` waits for what it has looked at before it locked the mutex, and does not look again under \
         it: a wake-up in between is lost",
        view.function.display
    );
    let sites = vec![
        site(&look.here, "looks here, and lets go of the mutex"),
        site(&taken.here, "locks it again here"),
        site(&wait.here, "waits here"),
    ];
    let rule = Rule::CondvarUnlockedPredicate;
    let mut found = finding(rule, message, Vec::new(), sites);
    found.help.push("look at it under the guard that is given to the wait, in a loop".to_owned());
    Some(found)
}

/// Whether what a block finds out under a lock decides whether control comes to another block.
fn is_asked(
    view: &BodyView<'_, '_>,
    graph: &Flow,
    look: u32,
    acquired: &Acquired,
    then: u32,
) -> bool {
    let blocks = &view.function.body.blocks;
    // A method that takes the lock and answers, or a question to what the guard leads to.
    let answers = |at: u32| {
        let Terminator::Call(call) = &blocks[at as usize].terminator else { return false };
        let is_protected = |arg: &Operand<'_>| {
            let path = view.operand(arg);
            let lock = &acquired.lock.path;
            path.root == lock.root
                && path.parts.strip_prefix(lock.parts.as_slice()).and_then(<[Part]>::first)
                    == Some(&Part::Protected)
        };
        view.type_of(&call.dest) == "bool"
            && (at == look && acquired.chain.len() > 1 || call.args.iter().any(is_protected))
    };
    let mut at = look;
    let mut is_answered = false;
    for _ in 0..graph.next.len() {
        is_answered |= answers(at);
        match graph.next[at as usize].as_slice() {
            [next] => at = *next,
            [_, _] => {
                return is_answered
                    && graph.next[at as usize].iter().any(|next| graph.leads(*next, then, &[]))
                    && matches!(blocks[at as usize].terminator, Terminator::Switch(..));
            }
            _ => return false,
        }
    }
    false
}

/// The classes of the atomics that the closure looks at which a call is given.
fn asked_by_closure(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    block: u32,
) -> Vec<Arc<str>> {
    let Terminator::Call(call) = &view.function.body.blocks[block as usize].terminator else {
        return Vec::new();
    };
    let types = call.args.iter().filter_map(|arg| view.operand_type(arg));
    let closures = types
        .filter(|ty| ty.starts_with("{closure@"))
        .filter_map(|ty| analyzed.program.closure(view.function.unit, ty));
    let looks = closures.flat_map(|closure| atomics(analyzed, closure, &["load"]));
    looks.map(|(_, class, _)| class).collect()
}

/// The operations of these names on atomics with a class: block, class and place.
pub(crate) fn atomics(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    names: &[&str],
) -> Vec<(u32, Arc<str>, Location)> {
    let body = &analyzed.program.functions[id].body;
    let view = LazyCell::new(|| analyzed.view(id));
    let mut found = Vec::new();
    for (at, call) in body.calls() {
        let Some(callee) = call.callee() else { continue };
        if !is_operation(callee, names) {
            continue;
        }
        let class = call.args.first().and_then(|arg| class_name(&view, &view.operand(arg)));
        let span = body.blocks[at as usize].span;
        found.extend(class.map(|class| (at, class, location(&view, span))));
    }
    found
}

/// Whether a body waits for its caller, who loops: it is given a guard, or returns one.
fn hands_on(analyzed: &Analyzed<'_, '_>, id: BodyId) -> bool {
    let body = &analyzed.program.functions[id].body;
    let given = body.locals[1..=body.params].iter().any(|local| local.ty.contains("Guard"));
    given || body.locals[0].ty.contains("Guard")
}
