//! `try-lock-spin`, `spin-no-progress`: loops that may turn for ever.
//!
//! The first: a loop takes a lock, tries another, lets go and begins again, with nothing in it that
//! waits, counts or gives way. The second: a function posts to an atomic and turns until another
//! one changes, which only a function changes that it calls itself, but not in the loop.

use std::collections::HashSet;
use std::sync::Arc;

use lockdep::finding::Rule;

use super::condvars::atomics;
use super::relock::is_same;
use super::report::{finding, lock, quoted, site};
use crate::lint::apis::atomics::{LOADS, READS, WRITES};
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::threads;
use crate::lint::dataflow::flow::{Condition, condition};
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::{Effect, location};
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::Terminator;
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::LockUse;
use crate::report::model::{Finding, Mode};

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    for id in 0..analyzed.analyses.len() {
        try_lock_spin(analyzed, id, findings);
        spin_no_progress(analyzed, id, findings);
    }
}

fn try_lock_spin(analyzed: &Analyzed<'_, '_>, id: BodyId, findings: &mut Vec<Finding>) {
    let analysis = &analyzed.analyses[id];
    let mut seen = HashSet::new();
    for event in &analysis.events {
        let EventKind::Tried(tried) = &event.kind else { continue };
        let Some(cycle) = analysis.cycle[event.block as usize] else { continue };
        if let Some(found) = tries_under(analyzed, id, event, tried, cycle) {
            if seen.insert(cycle) {
                findings.push(found);
            }
            continue;
        }
        let taken_inside = |other: &&Event| {
            analysis.cycle[other.block as usize] == Some(cycle)
                && matches!(&other.kind, EventKind::Effect(Effect::Acquire(acquired, _))
                    if acquired.lock.wait == Waiting::Blocking && acquired.chain.len() == 1)
        };
        let Some(taken) = analysis.events.iter().find(taken_inside) else { continue };
        let is_held = event.held.iter().any(|held| held.chain.first() == Some(&taken.here));
        if !is_held || gives_way(analyzed, id, cycle) || !seen.insert(cycle) {
            continue;
        }
        let message = format!(
            "`{}` tries a lock under another, lets go and retries at once: two threads that do so \
             from both sides can keep each other from ever getting both",
            analyzed.program.functions[id].display
        );
        let sites = vec![
            site(&taken.here, "each round takes this lock"),
            site(&event.here, "and tries this one"),
        ];
        let locks = vec![lock(analyzed, id, tried)];
        findings.push(finding(Rule::TryLockSpin, message, locks, sites));
    }
}

/// Whether the loop goes on when the attempt that a block makes has failed.
fn retries(analyzed: &Analyzed<'_, '_>, id: BodyId, block: u32, cycle: u32) -> bool {
    let analysis = &analyzed.analyses[id];
    let view = analyzed.view(id);
    let blocks = &view.function.body.blocks;
    let Terminator::Call(call) = &blocks[block as usize].terminator else { return false };
    let dest = &call.dest;
    (0..blocks.len() as u32).any(|at| {
        let Terminator::Switch(_, cases, otherwise) = &blocks[at as usize].terminator else {
            return false;
        };
        // What the switch looks at when the attempt has failed.
        let failed = match condition(&view, at) {
            Some(Condition::Variant(place)) if place == dest => {
                Some(u128::from(types::short(view.type_of(dest)) != "Option"))
            }
            Some(Condition::Value) => match view.is_tested(at) {
                Some((place, variant)) if place == *dest => {
                    let failure = u128::from(types::short(view.type_of(dest)) != "Option");
                    Some(u128::from(variant == failure))
                }
                _ => None,
            },
            _ => None,
        };
        failed.is_some_and(|failed| {
            let case = cases.iter().find(|case| case.0 == failed).map(|case| case.1);
            case.or(*otherwise).is_some_and(|to| analysis.cycle[to as usize] == Some(cycle))
        })
    })
}

/// A loop that tries a lock which its own function holds, or turns for it without a pause under another
/// that is taken before the loop.
fn tries_under(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    tried: &LockUse,
    cycle: u32,
) -> Option<Finding> {
    let analysis = &analyzed.analyses[id];
    let function = &analyzed.program.functions[id];
    let in_loop = |at: u32| analysis.cycle[at as usize] == Some(cycle);
    let counts = function.body.calls().any(|(at, call)| {
        let is_next = |callee: &Callee<'_>| callee.name() == "next" && callee.trait_name.is_some();
        in_loop(at) && call.callee().is_some_and(is_next)
    });
    if counts || !retries(analyzed, id, event.block, cycle) {
        return None;
    }
    let held = event.held.iter().filter(|held| !held.stale && !held.lock.is_handed_in());
    // Whoever has a permit can be given another.
    let may_be_given = tried.mode == Mode::Read;
    let own = held.clone().find(|held| is_same(&held.lock, tried) && !may_be_given);
    let taken_before = |held: &&HeldLock| {
        held.lock.wait == Waiting::Blocking
            && analysis
                .events
                .iter()
                .all(|other| !in_loop(other.block) || Some(&other.here) != held.chain.first())
    };
    let (rule, message, held) = if let Some(held) = own {
        let message = format!(
            "`{}` tries {} again and again while it holds it itself, so that it is never free",
            function.display,
            quoted(tried)
        );
        (Rule::SpinNoProgress, message, held)
    } else {
        let held = held.clone().find(taken_before)?;
        if gives_way(analyzed, id, cycle) {
            return None;
        }
        let message = format!(
            "`{}` turns without a pause until {} is free, while it holds {}: who has the one may \
             wait for the other",
            function.display,
            quoted(tried),
            quoted(&held.lock)
        );
        (Rule::TryLockSpin, message, held)
    };
    let mut sites = Vec::new();
    sites.extend(held.chain.first().map(|at| site(at, "this lock is held all the while")));
    sites.push(site(&event.here, "each round tries this one"));
    Some(finding(rule, message, vec![lock(analyzed, id, tried)], sites))
}

/// Whether a loop has something in it that waits, gives way or counts.
fn gives_way(analyzed: &Analyzed<'_, '_>, id: BodyId, cycle: u32) -> bool {
    let analysis = &analyzed.analyses[id];
    let body = &analyzed.program.functions[id].body;
    let waits = analysis.events.iter().any(|event| {
        analysis.cycle[event.block as usize] == Some(cycle)
            && matches!(
                &event.kind,
                EventKind::Effect(Effect::Block(..) | Effect::Wait { .. }) | EventKind::Await
            )
    });
    waits
        || body.calls().any(|(at, call)| {
            analysis.cycle[at as usize] == Some(cycle)
                && call.callee().is_some_and(threads::gives_way)
        })
}

fn spin_no_progress(analyzed: &Analyzed<'_, '_>, id: BodyId, findings: &mut Vec<Finding>) {
    let analysis = &analyzed.analyses[id];
    if !analysis.cycle.iter().any(Option::is_some) {
        return;
    }
    let view = analyzed.view(id);
    let body = &view.function.body;
    let posts = atomics(analyzed, id, WRITES);
    if posts.is_empty() {
        return;
    }
    for (block, awaited, at) in atomics(analyzed, id, LOADS) {
        let Some(cycle) = analysis.cycle[block as usize] else { continue };
        let in_loop = |at: usize| analysis.cycle[at] == Some(cycle);
        // Only looks and hints may be in the loop.
        let is_bare = body
            .calls()
            .filter(|(at, _)| in_loop(*at as usize))
            .all(|(_, call)| call.callee().is_some_and(threads::only_looks));
        if !is_bare {
            continue;
        }
        for (other, call) in body.calls().filter(|(at, _)| !in_loop(*at as usize)) {
            let resolve = |callee| analyzed.program.resolve(view.function.unit, callee);
            let called = call.callee().and_then(resolve);
            let Some(service) = called.filter(|service| *service != id) else { continue };
            let classes = |names: &[&str]| -> HashSet<Arc<str>> {
                atomics(analyzed, service, names).into_iter().map(|found| found.1).collect()
            };
            let reads = classes(READS);
            let answers = classes(WRITES).contains(&awaited);
            if answers && posts.iter().any(|(_, posted, _)| reads.contains(posted)) {
                let message = format!(
                    "`{}` waits for an answer that another thread gives only in `{}`, which this \
                     one runs only after its own wait: two that wait so never answer each other",
                    view.function.display, analyzed.program.functions[service].display
                );
                let here = location(&view, body.blocks[other as usize].span);
                let sites = vec![
                    site(&at, "turns here until the answer comes"),
                    site(&here, "answers others only here"),
                ];
                findings.push(finding(Rule::SpinNoProgress, message, Vec::new(), sites));
                break;
            }
        }
    }
}
