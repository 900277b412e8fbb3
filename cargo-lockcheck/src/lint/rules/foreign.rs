//! `guard-across-callback`, `guard-across-blocking`, `wait-while-holding`, `lock-in-debug`,
//! `join-in-drop`: a lock is held while something runs whose needs are not the holder's to know.
//!
//! A wait on an object that the held lock itself protects is not reported: a receiver shared
//! between workers behind a mutex is made for it. Nor is a sleep, which ends by itself.

use lockdep::finding::Rule;

use super::handles::{drops_nothing, has_done_with, may_wait, needs_none_of, taken_by_thread};
use super::report::{chain_sites, finding, lock, quoted, site, under, why_alive};
use super::tasks::across_await;
use super::wakers::Wakers;
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::threads::is_spawn;
use crate::lint::apis::waits::Blocking;
use crate::lint::dataflow::class_of::class_name;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::{Effect, location};
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{Body, Step, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::path::{Part, Path};
use crate::lint::summary::{Acquired, BlockingCall, Callback, Foreign, Waiter};
use crate::report::model::Finding;

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let wakers = Wakers::new(analyzed);
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        let function = &analyzed.program.functions[id];
        let is_format = matches!(function.trait_name.as_deref(), Some("Debug" | "Display"));
        let is_drop = function.trait_name.as_deref() == Some("Drop");
        for event in &analysis.events {
            match &event.kind {
                EventKind::Effect(Effect::Callback(callback)) => {
                    findings.extend(across_callback(analyzed, id, event, callback));
                }
                EventKind::Effect(Effect::Block(blocks, _)) if blocks.what == Blocking::Signal => {
                    let class = blocks.about.as_deref();
                    findings.extend(wakers.across_wait(id, event, class, &blocks.chain));
                }
                EventKind::Effect(Effect::Block(blocks, on)) => {
                    let is_thread = blocks.waiter == Waiter::Thread;
                    if is_drop && is_thread && blocks.what == Blocking::Join {
                        findings.extend(join_in_drop(analyzed, id, event, blocks));
                    } else {
                        findings.extend(across_blocking(analyzed, id, event, blocks, on.as_ref()));
                    }
                }
                EventKind::Effect(Effect::Wait { condvar, .. }) => {
                    let class = class_name(&analyzed.view(id), condvar);
                    let chain = vec![event.here.clone()];
                    findings.extend(wakers.across_wait(id, event, class.as_deref(), &chain));
                }
                EventKind::Effect(Effect::Scoped(scoped)) if scoped.has_ended => {
                    findings.extend(across_scope(analyzed, id, event, &scoped.acquired));
                }
                EventKind::Effect(Effect::Acquire(acquired, _))
                    if is_format && acquired.lock.wait == Waiting::Blocking =>
                {
                    let message = format!(
                        "`{}` waits for {}: printing the value blocks while anyone holds the lock",
                        function.display,
                        quoted(&acquired.lock)
                    );
                    let sites = chain_sites(&acquired.chain, "waits for the lock here");
                    let locks = vec![lock(analyzed, id, &acquired.lock)];
                    findings.push(finding(Rule::LockInDebug, message, locks, sites));
                }
                _ => {}
            }
        }
    }
}

/// A scope is waited for under a lock that one of its threads takes.
fn across_scope(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    acquired: &Acquired,
) -> Option<Finding> {
    let held = event.held.iter().find(|held| !held.stale && held.lock.keeps_out(&acquired.lock))?;
    let message = format!(
        "`{}` waits for the threads of a scope while it holds {}, which one of them takes",
        analyzed.program.functions[id].display,
        quoted(&held.lock)
    );
    let (rule, chain) = (Rule::WaitWhileHolding, &acquired.chain);
    Some(under(analyzed, id, rule, message, held, event, chain, "the thread asks for it here"))
}

fn across_callback(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    callback: &Callback,
) -> Option<Finding> {
    let held = event.held.first()?;
    if callback.what == Foreign::Future {
        return None;
    }
    let message = format!(
        "`{}` calls {} while it holds {}",
        analyzed.program.functions[id].display,
        callback.what.describe(),
        quoted(&held.lock)
    );
    Some(under(
        analyzed,
        id,
        Rule::GuardAcrossCallback,
        message,
        held,
        event,
        &callback.chain,
        "calls it here",
    ))
}

fn across_blocking(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    blocks: &BlockingCall,
    on: Option<&Path>,
) -> Option<Finding> {
    if blocks.waiter == Waiter::Task {
        return across_await(analyzed, id, event, blocks, on);
    }
    if drops_nothing(analyzed, id, event.block) {
        return None;
    }
    if !may_wait(analyzed, analyzed.program.functions[id].unit, blocks) {
        return None;
    }
    if blocks.what == Blocking::Sleep {
        return None;
    }
    if blocks.chain.len() > 1 && matches!(blocks.what, Blocking::Network | Blocking::Process) {
        return None;
    }
    let is_protected = |held: &HeldLock| {
        on.is_some_and(|on| {
            on.root == held.lock.path.root
                && on.parts.starts_with(&held.lock.path.parts)
                && on.parts.get(held.lock.path.parts.len()) == Some(&Part::Protected)
                || on.parts.contains(&Part::Protected)
        })
    };
    let function = &analyzed.program.functions[id].display;
    if blocks.what == Blocking::Join
        && let Some(on) = on
        && let Some(taken) = taken_by_thread(analyzed, id, on, &event.held)
    {
        let message = format!(
            "`{function}` waits for a thread to end while it holds {}, which that thread takes",
            quoted(&taken.lock)
        );
        let end = "waits for the thread here";
        return Some(under(
            analyzed,
            id,
            Rule::WaitWhileHolding,
            message,
            taken,
            event,
            &blocks.chain,
            end,
        ));
    }
    if blocks.what == Blocking::Join
        && let Some(field) = &blocks.handle
        && needs_none_of(analyzed, analyzed.program.functions[id].unit, field, &event.held)
    {
        return None;
    }
    let held = event.held.iter().find(|held| !is_protected(held) && !held.lock.is_async)?;
    let what = blocks.what.describe();
    let message = format!("`{function}` {what} while it holds {}", quoted(&held.lock));
    let label = format!("{what} here");
    Some(under(
        analyzed,
        id,
        Rule::GuardAcrossBlocking,
        message,
        held,
        event,
        &blocks.chain,
        &label,
    ))
}

/// `Drop` joins a thread: bad when it holds a lock meanwhile, when the thread never ends, or when
/// the thread itself may be the one that drops.
fn join_in_drop(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    blocks: &BlockingCall,
) -> Option<Finding> {
    let function = &analyzed.program.functions[id];
    let self_ty = function.self_ty.as_deref()?;
    let own = types::last(self_ty);
    let mut sites = Vec::new();
    let mut notes = Vec::new();
    let mut locks = Vec::new();
    // What of the held locks the thread is known not to need is no reason.
    let is_needless = |field: &Part| {
        needs_none_of(analyzed, function.unit, field, &event.held)
            || has_done_with(analyzed, id, event, field)
    };
    let held = event.held.first().filter(|_| !blocks.handle.as_ref().is_some_and(is_needless));
    let why = if let Some(held) = held {
        sites.extend(held.chain.first().map(|at| site(at, "the lock is taken here")));
        notes.push(why_alive(analyzed, id, held));
        locks.push(lock(analyzed, id, &held.lock));
        format!("while it holds {}, which the thread may need", quoted(&held.lock))
    } else {
        match thread_of(analyzed, id, own)? {
            Thread::Endless(at) => {
                sites.push(site(&at, "the thread is started here"));
                "that never ends".to_owned()
            }
            Thread::Owner(at) => {
                sites.push(site(&at, "the thread is started here, with a handle of the value"));
                "that may be the one that drops the value: it then waits for itself".to_owned()
            }
        }
    };
    sites.extend(chain_sites(&blocks.chain, "waits for the thread here"));
    let message = format!("the `Drop` of `{own}` waits for a thread {why}");
    let mut found = finding(Rule::JoinInDrop, message, locks, sites);
    found.notes = notes;
    Some(found)
}

enum Thread {
    /// It has no way out of its loop.
    Endless(crate::lint::summary::Location),
    /// It shares the ownership of the value.
    Owner(crate::lint::summary::Location),
}

/// What is wrong with a thread that works for values of a type, started by code of its target.
fn thread_of(analyzed: &Analyzed<'_, '_>, drop: BodyId, own: &str) -> Option<Thread> {
    let program = analyzed.program;
    let unit = program.functions[drop].unit;
    let checks_itself = program.functions[drop].body.calls().any(|(_, call)| {
        call.callee().is_some_and(|callee| callee.text.contains("thread::current"))
    });
    for (id, function) in program.functions.iter().enumerate() {
        if function.unit != unit {
            continue;
        }
        for (at, call) in function.body.calls() {
            if !call.callee().is_some_and(is_spawn) {
                continue;
            }
            let view = analyzed.view(id);
            let Some(closure) = call.args.last() else { continue };
            let body = view.operand_type(closure).and_then(|ty| program.closure(unit, ty));
            let Some(body) = body else { continue };
            let here = location(&view, function.body.blocks[at as usize].span);
            let thread = &program.functions[body].body;
            let is_same_type = function.self_ty == program.functions[drop].self_ty;
            if is_same_type && !returns(thread) {
                return Some(Thread::Endless(here));
            }
            // A weak handle owns the value as long as it is upgraded.
            let upgrades = || {
                let is_upgrade = |callee: &Callee<'_>| {
                    callee.name() == "upgrade" && types::mentions(callee.text, own)
                };
                analyzed.reached_from(body).into_iter().any(|id| {
                    let mut calls = program.functions[id].body.calls();
                    calls.any(|(_, call)| call.callee().is_some_and(is_upgrade))
                })
            };
            let owns = |ty: &str| match types::short(ty) {
                "Arc" => true,
                "Weak" => upgrades(),
                _ => false,
            };
            let has_handle = thread.names.iter().any(|(_, place)| {
                let of_own = |ty: &str| {
                    types::arguments(ty).first().is_some_and(|ty| types::short(ty) == own)
                };
                place.local == 1
                    && matches!(place.steps.last(), Some(Step::Field(_, ty))
                        if of_own(ty) && owns(ty))
            });
            if has_handle && !checks_itself {
                return Some(Thread::Owner(here));
            }
        }
    }
    None
}

/// Whether a body has a way to its end.
fn returns(body: &Body<'_>) -> bool {
    let mut seen = vec![false; body.blocks.len()];
    let mut work = vec![0u32];
    while let Some(at) = work.pop() {
        if std::mem::replace(&mut seen[at as usize], true) {
            continue;
        }
        let block = &body.blocks[at as usize];
        if matches!(block.terminator, Terminator::Return) {
            return true;
        }
        work.extend(block.terminator.targets());
    }
    false
}
