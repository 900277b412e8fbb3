//! What a body's callers must know of it, and its events, out of what is held at each block.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::effect::{Effect, Plan, location_of, parameter_bit};
use super::events::{Analysis, Event, EventKind, HeldLock};
use crate::lint::apis::atomics::{LOADS, is_operation};
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::waits::Blocking;
use crate::lint::dataflow::attempts::is_made_until_it_succeeds;
use crate::lint::dataflow::class_of::class_name;
use crate::lint::dataflow::facts::Facts;
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::ownership::is_own;
use crate::lint::dataflow::tokens::{self, Held, Holder, State, Tokens, tokens_in};
use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{self, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::summary::fact::Fact;
use crate::lint::summary::path::{Path, Root};
use crate::lint::summary::trail::Step;
use crate::lint::summary::{
    Acquired, BlockingCall, CallPath, Callback, DeferredEdge, Foreign, LIMIT, Location, LockUse,
    Returned, Scoped, Summary, Waiter,
};
use crate::report::model::Mode;

/// Collects the events and the summary of a body, block by block.
pub(super) struct Builder<'f, 'p, 'a> {
    pub(super) view: &'f BodyView<'p, 'a>,
    pub(super) locks: &'f [(LockUse, CallPath)],
    /// Tokens of guards handed in, with the parameter's number and field.
    pub(super) params: &'f [(u32, u32, Vec<u32>)],
    /// Tokens of values that may be no guards.
    pub(super) unknown: &'f HashSet<u32>,
    pub(super) analysis: Analysis,
    pub(super) summary: Summary,
    pub(super) acquired: HashMap<AcquiredKey, usize>,
    pub(super) facts: &'f Facts,
    pub(super) flow: &'f Flow,
}

/// Acquisitions that a caller need not tell apart: lock, mode, class, the guards released, and what it
/// takes to come to them.
type AcquiredKey = (Path, Mode, Option<Arc<str>>, u64, Vec<Fact>);

impl<'a> Builder<'_, '_, 'a> {
    /// Adds what a block does.
    pub(super) fn block(&mut self, at: u32, plan: Plan, state: &State, tokens: &Tokens<'_>) {
        let view = self.view;
        let here = LazyCell::new(|| location_of(view, at));
        for (token, _) in &plan.transfer.made {
            let (lock, chain) = &self.locks[*token as usize];
            if lock.wait == Waiting::Try && chain.len() == 1 {
                if is_made_until_it_succeeds(view, self.flow, at) {
                    self.retried(at, lock, chain, state);
                }
                let kind = EventKind::Tried(lock.clone());
                self.event(at, here.clone(), state, kind);
            }
        }
        if !state.is_empty() && self.flow.cycle[at as usize].is_some() && looks_at_atomic(view, at)
        {
            self.event(at, here.clone(), state, EventKind::Polled);
        }
        for mut effect in plan.effects {
            let released = effect.released_mut().map_or(0, |released| *released);
            let reduced = match &mut effect {
                Effect::Wait { mutexes, .. } => {
                    let (given, rest) = self.given(at, state, tokens);
                    mutexes.extend(self.held(&given).into_iter().map(|held| held.lock));
                    Some(rest)
                }
                _ => self.without(at, state, tokens, released),
            };
            let state = reduced.as_ref().unwrap_or(state);
            self.summarize(at, &effect, state);
            // What is held here while a callee runs the caller's code belongs to the event too.
            self.event(at, here.clone(), state, EventKind::Effect(effect));
        }
        for mut edge in plan.deferred_edges {
            if !edge.trail.first().is_some_and(|step| step.starts) {
                let held = self.held(state).into_iter().filter(|held| !held.lock.is_handed_in());
                edge.gates.extend(held.map(|held| held.lock));
            }
            let is_open = [&edge.held.0, &edge.asked.0]
                .into_iter()
                .any(|lock| lock.class.is_none() || matches!(lock.path.root, Root::Param(_)));
            if is_open
                && self.summary.deferred_edges.len() < LIMIT
                && let (Some(held), Some(asked)) = (exported(&edge.held.0), exported(&edge.asked.0))
            {
                let edge = DeferredEdge {
                    held: (held, edge.held.1.clone()),
                    asked: (asked, edge.asked.1.clone()),
                    gates: edge.gates.iter().filter_map(exported).collect(),
                    trail: edge.trail.clone(),
                };
                self.summary.deferred_edges.push(edge);
            }
            self.analysis.deferred_edges.push(edge);
        }
    }

    /// An attempt that is made until it succeeds, as callers have to know of it.
    fn retried(&mut self, at: u32, lock: &LockUse, chain: &CallPath, state: &State) {
        let acquired = Acquired {
            lock: LockUse { wait: Waiting::Retried, ..lock.clone() },
            chain: chain.clone(),
            released: 0,
            dropped: None,
            needs: Vec::new(),
        };
        self.summarize(at, &Effect::Acquire(acquired, Vec::new()), state);
    }

    /// The guards that a wait is given, by value or by reference, and those that stay.
    fn given(&self, at: u32, state: &State, tokens: &Tokens<'_>) -> (State, State) {
        let block = &self.view.function.body.blocks[at as usize];
        let mut given = State::new();
        if let Terminator::Call(call) = &block.terminator {
            for place in call.args.iter().skip(1).filter_map(Operand::place) {
                given.extend(tokens_in(self.view, tokens, state, place));
                let mut behind = place.clone();
                behind.steps.push(model::Step::Deref);
                given.extend(tokens_in(self.view, tokens, state, &behind));
            }
        }
        let rest = state.difference(&given).cloned().collect();
        (given, rest)
    }

    /// The state without the guards in the arguments that the callee has released by then.
    fn without(&self, at: u32, state: &State, tokens: &Tokens<'_>, released: u64) -> Option<State> {
        let block = &self.view.function.body.blocks[at as usize];
        let Terminator::Call(call) = &block.terminator else { return None };
        if released == 0 || state.is_empty() {
            return None;
        }
        let mut state = state.clone();
        for (index, arg) in call.args.iter().enumerate() {
            if released & parameter_bit(index as u32 + 1) != 0
                && let Some(place) = arg.place()
            {
                // A closure may be called through a reference.
                let mut behind = place.clone();
                behind.steps.push(model::Step::Deref);
                for place in [place, &behind] {
                    for held in tokens_in(self.view, tokens, &state, place) {
                        state.remove(&held);
                    }
                }
            }
        }
        Some(state)
    }

    fn held(&self, state: &State) -> Vec<HeldLock> {
        let mut by_token: BTreeMap<u32, &Held> = BTreeMap::new();
        for held in state.iter().filter(|held| !self.unknown.contains(&held.token)) {
            let entry = by_token.entry(held.token).or_insert(held);
            if entry.stale && !held.stale {
                *entry = held;
            }
        }
        let names = &self.view.function.body.names;
        let locks = by_token.into_iter().map(|(token, held)| {
            let (lock, chain) = self.locks[token as usize].clone();
            let name = names
                .iter()
                .find(|(_, place)| tokens::key(self.view, place) == (held.holder(), Vec::new()));
            let holder = name.map(|(name, _)| Arc::from(*name));
            HeldLock { lock, chain, stale: held.stale, holder }
        });
        locks.collect()
    }

    /// Adds an event.
    pub(super) fn event(&mut self, block: u32, here: Location, state: &State, kind: EventKind) {
        let held = self.held(state);
        self.analysis.events.push(Event { block, here, held, kind });
    }

    /// The parameters whose guards are not held at a state, as bits.
    fn released(&self, state: &State) -> u64 {
        let is_held = |token: u32| state.iter().any(|held| held.token == token);
        let (mut gone, mut kept) = (0u64, 0u64);
        for (token, number, _) in self.params {
            let bits = if is_held(*token) { &mut kept } else { &mut gone };
            *bits |= parameter_bit(*number);
        }
        if self.view.function.is_closure() {
            // Which of the guards that it captures a lock belongs to is not followed to the caller.
            kept &= !parameter_bit(1);
        }
        // Of any other value with several guards, all must be gone.
        gone & !kept
    }

    /// What must be true of the parameters so that the body comes to a block, and the block's callee
    /// to what it does.
    fn needed(&self, at: u32, of_callee: &[Fact]) -> Vec<Fact> {
        let params = self.view.function.body.params as u32;
        let own = self.facts.at(at).iter().filter(|fact| fact.local <= params);
        let mut needed: Vec<Fact> = own.copied().collect();
        for fact in of_callee {
            if !needed.contains(fact) {
                needed.push(*fact);
            }
        }
        needed
    }

    /// Adds what a caller must know of an effect.
    fn summarize(&mut self, at: u32, effect: &Effect, state: &State) {
        let released = self.released(state);
        match effect {
            Effect::Acquire(acquired, extra) => {
                // What nobody else can hold is nothing to callers.
                if is_own(self.view, self.flow, &acquired.lock, at) {
                    return;
                }
                let Some(lock) = exported(&acquired.lock) else { return };
                let is_callers = |lock: &LockUse| {
                    lock.class.is_none() && !lock.is_handed_in()
                        || matches!(lock.path.root, Root::Param(_))
                            && self.view.is_behind_handle(&lock.path)
                };
                if is_callers(&lock) || self.held(state).iter().any(|held| is_callers(&held.lock)) {
                    self.deferred_edges(at, state, &acquired.lock, &acquired.chain, extra);
                }
                let class = lock.class.as_ref().map(|class| Arc::clone(&class.key));
                let needs = self.needed(at, &acquired.needs);
                let key = (lock.path.clone(), lock.mode, class, released, needs.clone());
                let entry = Acquired { lock, released, needs, ..acquired.clone() };
                match self.acquired.get(&key) {
                    Some(&known) => {
                        let known = &mut self.summary.acquired[known];
                        if known.chain.len() > entry.chain.len() {
                            *known = entry;
                        }
                    }
                    None if self.summary.acquired.len() < LIMIT => {
                        self.acquired.insert(key, self.summary.acquired.len());
                        self.summary.acquired.push(entry);
                    }
                    None => {}
                }
            }
            Effect::Scoped(scoped) => {
                let known = &mut self.summary.scoped;
                let Some(lock) = exported(&scoped.acquired.lock) else { return };
                let acquired = Acquired { lock, ..scoped.acquired.clone() };
                let is_known = known.iter().any(|other| {
                    other.acquired.lock == acquired.lock && other.has_ended == scoped.has_ended
                });
                if !is_known && known.len() < LIMIT {
                    known.push(Scoped { acquired, has_ended: scoped.has_ended });
                }
            }
            Effect::Block(blocks, _) => {
                self.blocks(BlockingCall { released, ..blocks.clone() });
            }
            Effect::Wait { condvar, forever: true, .. } => {
                self.blocks(BlockingCall {
                    what: Blocking::Signal,
                    waiter: Waiter::Thread,
                    about: class_name(self.view, condvar),
                    handle: None,
                    chain: vec![location_of(self.view, at)],
                    released,
                });
            }
            Effect::Callback(callback) => {
                let known = self.summary.callbacks.iter();
                if !matches!(callback.callee.root, Root::Param(_) | Root::Unknown)
                    || known.clone().count() >= LIMIT
                    || known.clone().any(|other| {
                        other.callee == callback.callee
                            && other.given == callback.given
                            && other.needs.is_empty()
                            && other.held.len() >= callback.held.len() + state.len()
                    })
                {
                    return;
                }
                let mut held: Vec<(LockUse, CallPath)> = callback.held.clone();
                for lock in self.held(state) {
                    held.extend(exported(&lock.lock).map(|exported| (exported, lock.chain)));
                }
                if matches!(callback.callee.root, Root::Unknown) {
                    // Code that no caller knows better; reported where the lock is held.
                    let count = known.filter(|other| other.callee.root == Root::Unknown).count();
                    if count > 0 || callback.what != Foreign::Waker {
                        return;
                    }
                }
                let needs = self.needed(at, &callback.needs);
                self.summary.callbacks.push(Callback { held, released, needs, ..callback.clone() });
            }
            Effect::LazyInit(lazy) => {
                if matches!(lazy.path.root, Root::Static(_) | Root::Param(_))
                    && self.summary.lazy_inits.len() < LIMIT
                    && !self.summary.lazy_inits.iter().any(|other| other.path == lazy.path)
                {
                    self.summary.lazy_inits.push(lazy.clone());
                }
            }
            Effect::Wait { .. } | Effect::Notify(_) => {}
        }
    }

    /// Adds a wait, unless callers know of one like it.
    fn blocks(&mut self, blocks: BlockingCall) {
        let key = |of: &BlockingCall| (of.what, of.waiter, of.about.clone(), of.handle.clone());
        if !self.summary.blocking.iter().any(|other| key(other) == key(&blocks)) {
            self.summary.blocking.push(blocks);
        }
    }

    /// Orders that only a caller can name: one of the locks is a parameter.
    fn deferred_edges(
        &mut self,
        at: u32,
        state: &State,
        asked: &LockUse,
        chain: &CallPath,
        extra: &[(LockUse, CallPath)],
    ) {
        let Some(asked_out) = exported(asked) else { return };
        let own = self.held(state).into_iter().filter(|h| !h.stale).map(|h| (h.lock, h.chain));
        let all: Vec<_> = own.chain(extra.iter().cloned()).collect();
        for (index, (held, held_chain)) in all.iter().enumerate() {
            let others = all.iter().enumerate().filter(|(other, _)| *other != index);
            let gates = others.filter_map(|(_, (lock, _))| exported(lock)).collect();
            let Some(held_out) = exported(held) else { continue };
            let from_caller = |lock: &LockUse| {
                matches!(lock.path.root, Root::Param(_))
                    && (lock.class.is_none() || self.view.is_behind_handle(&lock.path))
            };
            // What is one lock here is told here.
            let is_told = held.path == asked.path && held.path.is_picked();
            if !is_told
                && (from_caller(&held_out) || from_caller(&asked_out))
                && self.summary.deferred_edges.len() < LIMIT
            {
                self.summary.deferred_edges.push(DeferredEdge {
                    held: (held_out, held_chain.clone()),
                    asked: (asked_out.clone(), chain.clone()),
                    gates,
                    trail: vec![Step { body: self.view.id(), block: at, starts: false }],
                });
            }
        }
    }

    /// What a return passes to the caller.
    pub(super) fn returns(&mut self, state: &State) {
        for held in state.iter().filter(|held| held.holder() == Holder::Local(0)) {
            let (lock, chain) = &self.locks[held.token as usize];
            let param = self.params.iter().find(|(token, ..)| *token == held.token);
            if let Some((_, number, fields)) = param {
                let passed = (number - 1, fields.clone());
                if !self.summary.passed_guards.contains(&passed) {
                    self.summary.passed_guards.push(passed);
                }
            } else if let Some(lock) = exported(lock)
                && !self.summary.guards.iter().any(|(other, ..)| *other == lock)
                && self.summary.guards.len() < LIMIT
            {
                self.summary.guards.push((lock, chain.clone(), held.fields().to_vec()));
            }
        }
    }
}

/// Whether a block ends with a look at an atomic value, be it by a method that does nothing else.
fn looks_at_atomic(view: &BodyView<'_, '_>, at: u32) -> bool {
    let Terminator::Call(call) = &view.function.body.blocks[at as usize].terminator else {
        return false;
    };
    let is_load = |callee: &Callee<'_>| is_operation(callee, LOADS);
    call.callee().is_some_and(|callee| {
        is_load(callee)
            || view.program.resolve(view.function.unit, callee).is_some_and(|method| {
                let body = &view.program.functions[method].body;
                let mut calls = body.calls();
                let only = calls.next().and_then(|(_, call)| call.callee());
                only.is_some_and(is_load) && calls.next().is_none()
            })
    })
}

/// A lock as callers can know it: by a parameter or static, else by its class alone.
fn exported(lock: &LockUse) -> Option<LockUse> {
    if lock.is_handed_in() {
        return None;
    }
    let mut lock = LockUse { path: lock.path.erased(), ..lock.clone() };
    if !matches!(lock.path.root, Root::Param(_) | Root::Static(_)) {
        lock.path = Path { root: Root::Unknown, parts: Vec::new() };
        lock.class.as_ref()?;
    }
    Some(lock)
}

/// What a body returns, in terms of its parameters.
pub(super) fn returned(view: &BodyView<'_, '_>) -> Option<Returned> {
    let path = view.local(0);
    match path.root {
        Root::Param(_) | Root::Static(_) => Some(Returned::Path(path.erased())),
        Root::Aggregate(block, statement) if path.parts.is_empty() => {
            let body = &view.function.body;
            let statement = body.blocks.get(block as usize)?.statements.get(statement as usize)?;
            let StatementKind::Assign(_, Rvalue::Aggregate(_, values)) = &statement.kind else {
                return None;
            };
            let fields = values.iter().map(|value| {
                let path = view.operand(value);
                matches!(path.root, Root::Param(_) | Root::Static(_)).then(|| path.erased())
            });
            Some(Returned::Fields(fields.collect()))
        }
        _ => None,
    }
}
