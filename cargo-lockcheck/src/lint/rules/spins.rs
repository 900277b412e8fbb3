//! `try-lock-spin`, `spin-no-progress`: loops that may turn for ever.
//!
//! The first: a loop takes a lock, tries another, lets go and begins again, with nothing in it that
//! waits, counts or gives way. The second: a function posts to an atomic and turns until another
//! one changes, which only a function changes that it calls itself, but not in the loop.

use std::collections::HashSet;
use std::sync::Arc;

use lockdep::finding::Rule;

use super::condvars::atomics;
use super::report::{finding, lock, quoted, site, under};
use crate::lint::apis::atomics::{LOADS, READS, WRITES};
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::threads;
use crate::lint::dataflow::attempts::is_made_until_it_succeeds;
use crate::lint::dataflow::flow::Flow;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::{Effect, location};
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::program::BodyId;
use crate::lint::summary::{Acquired, LockUse, innermost};
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
        let tried = match &event.kind {
            EventKind::Tried(tried) => tried,
            EventKind::Effect(Effect::Acquire(acquired, _))
                if acquired.lock.wait == Waiting::Retried =>
            {
                findings.extend(tries_in_callee(analyzed, id, event, acquired));
                continue;
            }
            _ => continue,
        };
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

/// A callee tries a lock again and again which its caller holds.
fn tries_in_callee(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    acquired: &Acquired,
) -> Option<Finding> {
    let held = event.held.iter().find(|held| is_own(held, &acquired.lock))?;
    let trying = innermost(&acquired.chain)?;
    let message = format!(
        "`{}` holds {} while it calls `{}`, which tries that lock again and again, so that it is never \
         free",
        analyzed.program.functions[id].display,
        quoted(&held.lock),
        trying.function,
    );
    let (rule, end) = (Rule::SpinNoProgress, "each round tries it here");
    Some(under(analyzed, id, rule, message, held, event, &acquired.chain, end))
}

/// Whether a held lock is the very one that is tried, so that no attempt can succeed.
fn is_own(held: &HeldLock, tried: &LockUse) -> bool {
    // Whoever has a permit can be given another.
    let may_be_given = tried.mode == Mode::Read;
    !held.stale && !held.lock.is_handed_in() && held.lock.is_same(tried) && !may_be_given
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
    let view = analyzed.view(id);
    if !is_made_until_it_succeeds(&view, &Flow::new(&view), event.block) {
        return None;
    }
    let held = event.held.iter().filter(|held| !held.stale && !held.lock.is_handed_in());
    let own = held.clone().find(|held| is_own(held, tried));
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
