//! `wait-while-holding` of condition variables: a waiter holds a lock, other than the one that it waits
//! with, that whoever wakes it takes first.

use std::collections::HashMap;
use std::sync::Arc;

use lockdep::finding::Rule;

use super::report::{quoted, site, under};
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::threads::is_spawn;
use crate::lint::dataflow::class_of::class_name;
use crate::lint::dataflow::flow::Flow;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::{Effect, location_of};
use crate::lint::effects::events::{Event, EventKind};
use crate::lint::mir::types;
use crate::lint::program::{BodyId, is_parameter};
use crate::lint::summary::{CallPath, Location, LockUse};
use crate::report::model::Finding;

/// Who wakes the waiters of which condition variables.
pub(super) struct Wakers<'x, 'p, 'a> {
    analyzed: &'x Analyzed<'p, 'a>,
    /// For each class of condition variables, the bodies that wake, or call what does, and in which
    /// blocks.
    by_class: HashMap<Arc<str>, Vec<(BodyId, u32)>>,
}

impl<'x, 'p, 'a> Wakers<'x, 'p, 'a> {
    /// The wakers of a program.
    pub(super) fn new(analyzed: &'x Analyzed<'p, 'a>) -> Wakers<'x, 'p, 'a> {
        let mut by_class: HashMap<Arc<str>, Vec<(BodyId, u32)>> = HashMap::new();
        for (id, analysis) in analyzed.analyses.iter().enumerate() {
            for event in &analysis.events {
                let EventKind::Effect(Effect::Notify(condvar)) = &event.kind else { continue };
                let Some(class) = class_name(&analyzed.view(id), condvar) else { continue };
                let found = by_class.entry(class).or_default();
                found.push((id, event.block));
                for &caller in &analyzed.callers[id] {
                    let caller = caller as usize;
                    let function = &analyzed.program.functions[caller];
                    let calls = function.body.calls().filter(|(_, call)| {
                        let callee = call.callee();
                        callee.and_then(|callee| analyzed.program.resolve(function.unit, callee))
                            == Some(id)
                    });
                    found.extend(calls.map(|(block, _)| (caller, block)));
                }
            }
        }
        Wakers { analyzed, by_class }
    }

    /// What is wrong with a wait, whose locks the event has, for a condition variable of a class.
    pub(super) fn across_wait(
        &self,
        id: BodyId,
        event: &Event,
        class: Option<&str>,
        chain: &CallPath,
    ) -> Option<Finding> {
        let wakers = self.by_class.get(class?).filter(|_| !event.held.is_empty())?;
        for (waker, block) in wakers.iter().filter(|(waker, _)| *waker != id) {
            let taken = taken_before(self.analyzed, *waker, *block);
            let is_taken = |lock: &LockUse| taken.iter().any(|taken| may_be_same(lock, taken));
            let Some(held) = event.held.iter().find(|held| is_taken(&held.lock)) else { continue };
            let functions = &self.analyzed.program.functions;
            let message = format!(
                "`{}` waits to be woken while it holds {}, which `{}` takes to wake it",
                functions[id].display,
                quoted(&held.lock),
                functions[*waker].display,
            );
            let rule = Rule::WaitWhileHolding;
            let mut finding =
                under(self.analyzed, id, rule, message, held, event, chain, "waits here");
            finding.sites.push(site(&self.place(*waker, *block), "is woken here"));
            return Some(finding);
        }
        None
    }

    fn place(&self, id: BodyId, block: u32) -> Location {
        location_of(&self.analyzed.view(id), block)
    }
}

/// The locks that a body takes on the way to a block. What it takes before it starts threads says
/// nothing of the time when others wait.
pub(super) fn taken_before(analyzed: &Analyzed<'_, '_>, id: BodyId, block: u32) -> Vec<LockUse> {
    let view = analyzed.view(id);
    let body = &view.function.body;
    if body.calls().any(|(_, call)| call.callee().is_some_and(is_spawn)) {
        return Vec::new();
    }
    let graph = Flow::new(&view);
    let events = analyzed.analyses[id].events.iter();
    let taken = events.filter_map(|event| match &event.kind {
        EventKind::Effect(Effect::Acquire(acquired, _))
            if acquired.lock.wait == Waiting::Blocking && graph.leads(event.block, block, &[]) =>
        {
            Some(acquired.lock.clone())
        }
        _ => None,
    });
    taken.collect()
}

/// Whether two locks are of one class; or both parameters, of the one type of lock around a type
/// of the program.
pub(super) fn may_be_same(held: &LockUse, taken: &LockUse) -> bool {
    match (&held.class, &taken.class) {
        (Some(held), Some(taken)) => held.key == taken.key,
        (None, None) if held.ty == taken.ty && !held.is_handed_in() => {
            let inner = types::arguments(&held.ty).first().copied().unwrap_or("");
            let head = types::head(inner);
            !is_parameter(inner) && !types::is_library(head) && {
                // A primitive's name is in small letters and has no path.
                head.contains("::") || head.starts_with(|c: char| c.is_uppercase())
            }
        }
        _ => false,
    }
}
