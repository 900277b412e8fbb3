//! `guard-across-await`, `blocking-lock-in-async`: locks of threads in the code of tasks.

use std::collections::HashMap;
use std::sync::Arc;

use lockdep::finding::Rule;

use super::report::{chain_sites, edit, finding, let_go, lock, quoted, site, why_alive};
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::waits::Blocking;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::EventKind;
use crate::lint::summary::{Location, Waiter};
use crate::report::model::Finding;

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let long = held_long(analyzed);
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        let function = &analyzed.program.functions[id];
        let awaits = analysis.events.iter().filter(|event| matches!(event.kind, EventKind::Await));
        let held = awaits.flat_map(|event| event.held.iter().filter(|held| !held.lock.is_async));
        let awaiting: Vec<&Location> = held.filter_map(|held| held.chain.first()).collect();
        for event in &analysis.events {
            match &event.kind {
                EventKind::Await => {
                    for held in event.held.iter().filter(|held| !held.lock.is_async) {
                        let message = format!(
                            "`{}` awaits while it holds {}, a lock that blocks the whole thread",
                            function.display,
                            quoted(&held.lock)
                        );
                        let taken = format!("{} is taken here", quoted(&held.lock));
                        let mut sites: Vec<_> =
                            held.chain.first().map(|at| site(at, taken)).into_iter().collect();
                        sites.push(site(&event.here, "awaits here"));
                        let locks = vec![lock(analyzed, id, &held.lock)];
                        let mut found = finding(Rule::GuardAcrossAwait, message, locks, sites);
                        found.notes.push(why_alive(analyzed, id, held));
                        found.suggestion = edit(analyzed, id, held, &event.here);
                        found.help.push(let_go(held, &event.here, found.suggestion.as_ref()));
                        findings.push(found);
                    }
                }
                EventKind::Effect(Effect::Acquire(acquired, _))
                    if function.is_coroutine()
                        && acquired.lock.wait == Waiting::Blocking
                        && !acquired.lock.is_async
                        && acquired.chain.len() <= 2 =>
                {
                    let Some(class) = &acquired.lock.class else { continue };
                    let Some((holder, why)) = long.get(&class.key) else { continue };
                    // What this very acquisition holds over an await is told already.
                    if acquired.chain.first().is_some_and(|at| awaiting.contains(&at)) {
                        continue;
                    }
                    let message = format!(
                        "`{}` is async and blocks its thread for {}, which `{}` holds while it \
                         {why}",
                        function.display,
                        quoted(&acquired.lock),
                        holder.function,
                    );
                    let mut sites = chain_sites(&acquired.chain, "blocks for the lock here");
                    sites.push(site(holder, format!("it is held while this {why}")));
                    let locks = vec![lock(analyzed, id, &acquired.lock)];
                    findings.push(finding(Rule::BlockingLockInAsync, message, locks, sites));
                }
                _ => {}
            }
        }
    }
}

/// The classes that are held while a thread waits for something, or over a suspension.
fn held_long(analyzed: &Analyzed<'_, '_>) -> HashMap<Arc<str>, (Location, &'static str)> {
    let mut long = HashMap::new();
    for analysis in &analyzed.analyses {
        for event in &analysis.events {
            let why = match &event.kind {
                EventKind::Await => "awaits",
                EventKind::Effect(Effect::Wait { .. }) => "waits to be woken",
                EventKind::Effect(Effect::Block(blocks, _))
                    if blocks.what != Blocking::Sleep && blocks.waiter == Waiter::Thread =>
                {
                    blocks.what.describe()
                }
                _ => continue,
            };
            // A waiter's own mutex is free while it waits, but its holders come in long queues.
            let mutexes = match &event.kind {
                EventKind::Effect(Effect::Wait { mutexes, .. }) => mutexes.as_slice(),
                _ => &[],
            };
            let held = event.held.iter().map(|held| &held.lock).chain(mutexes);
            for lock in held.filter(|lock| !lock.is_async) {
                if let Some(class) = &lock.class {
                    long.entry(Arc::clone(&class.key)).or_insert((event.here.clone(), why));
                }
            }
        }
    }
    long
}
