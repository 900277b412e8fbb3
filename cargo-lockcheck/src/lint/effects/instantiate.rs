//! What a callee's summary says in terms of its caller: whose parameters are what, which closures it is
//! given, and what it holds while it calls them.

use std::cell::OnceCell;

use super::effect::{Effect, Plan, location_of, parameter_bit};
use crate::lint::apis::locks::Waiting;
use crate::lint::dataflow::class_of::class_of;
use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::model::{Rvalue, StatementKind};
use crate::lint::program::BodyId;
use crate::lint::summary::fact::{Value, needed_of_caller};
use crate::lint::summary::path::{Path, Root};
use crate::lint::summary::trail::{Step, Trail};
use crate::lint::summary::{
    Acquired, BlockingCall, CallPath, Callback, DEPTH, DeferredEdge, DroppedTypes, LIMIT, LazyInit,
    Location, LockUse, Scoped, Summary,
};

/// Where, in the argument list of a call, the closure is that the call runs, and the values that the
/// closure is passed; counted from one.
#[derive(Clone, Copy)]
pub(super) struct ClosureArgs {
    pub(super) closure: Option<u32>,
    pub(super) arguments: Option<u32>,
}

/// What a parameter of a callee is here.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    /// The object.
    pub(super) path: Path,
    /// What is known of its value, where that decides something.
    pub(super) value: Value,
}

impl Argument {
    /// One of which nothing is known.
    pub(super) fn unknown() -> Argument {
        Path::new(Root::Unknown).into()
    }
}

impl From<Path> for Argument {
    fn from(path: Path) -> Argument {
        Argument { path, value: Value::Unknown }
    }
}

/// `FnOnce::call_once(closure, (arguments))`.
pub(super) const CALLED: ClosureArgs = ClosureArgs { closure: Some(1), arguments: Some(2) };

/// Finds what the terminator of a block does.
pub(super) struct Planner<'f, 'p, 'a> {
    pub(super) view: &'f BodyView<'p, 'a>,
    /// The block whose end it is.
    pub(super) block: u32,
    pub(super) plan: &'f mut Plan,
}

impl<'a> Planner<'_, '_, 'a> {
    /// Where it stands in the source.
    pub(super) fn here(&self) -> Location {
        location_of(self.view, self.block)
    }

    /// Runs a closure whose value is made in this body, if the path leads to one.
    pub(super) fn known_closure(
        &mut self,
        path: &Path,
        args: &[Argument],
        at: ClosureArgs,
    ) -> bool {
        let Root::Aggregate(block, statement) = path.root else { return false };
        let blocks = &self.view.function.body.blocks;
        let statement = blocks
            .get(block as usize)
            .and_then(|block| block.statements.get(statement as usize))
            .filter(|_| path.parts.is_empty());
        let Some(StatementKind::Assign(_, Rvalue::Aggregate(ty, _))) =
            statement.map(|statement| &statement.kind)
        else {
            return false;
        };
        match self.view.program.closure(self.view.function.unit, ty) {
            Some(id) => {
                self.closure_body(id, path, args, at);
                true
            }
            None => false,
        }
    }

    /// What a closure does, whose value and arguments are these.
    pub(super) fn closure_body(
        &mut self,
        id: BodyId,
        closure: &Path,
        args: &[Argument],
        at: ClosureArgs,
    ) {
        let param = |number: u32| match number {
            1 => closure.clone().into(),
            _ => args.get(number as usize - 2).cloned().unwrap_or(Argument::unknown()),
        };
        let before = self.plan.effects.len();
        self.body(id, &param, false, None);
        for released in self.plan.effects[before..].iter_mut().filter_map(Effect::released_mut) {
            let of = |bits: u64, number: Option<u32>| match (*released & bits, number) {
                (0, _) | (_, None) => 0,
                (_, Some(number)) => parameter_bit(number),
            };
            let captures = parameter_bit(1);
            *released = of(captures, at.closure) | of(!captures, at.arguments);
        }
    }

    /// What a body of the program does, with its parameters as they are here.
    pub(super) fn body(
        &mut self,
        id: BodyId,
        argument: &dyn Fn(u32) -> Argument,
        returns: bool,
        dropped: Option<&DroppedTypes>,
    ) {
        if let Some(summary) = self.view.summary(id) {
            self.summary(summary, argument, returns, dropped);
        }
    }

    /// What a summary says, with the parameters as they are here.
    pub(super) fn summary(
        &mut self,
        summary: &Summary,
        argument: &dyn Fn(u32) -> Argument,
        returns: bool,
        dropped: Option<&DroppedTypes>,
    ) {
        let view = self.view;
        let here = OnceCell::new();
        let param = &|number| argument(number).path;
        let value = |number| argument(number).value;
        let block = self.block;
        let longer = |chain: &CallPath| {
            let mut longer = Vec::with_capacity(chain.len() + 1);
            longer.push(here.get_or_init(|| location_of(view, block)).clone());
            longer.extend_from_slice(chain);
            longer
        };
        let rebase = |lock: &LockUse| {
            let path = view.substitute_with(&lock.path, param);
            let class = lock.class.clone().or_else(|| class_of(view, &path));
            LockUse { path, class, ..lock.clone() }
        };
        for acquired in &summary.acquired {
            if acquired.chain.len() >= DEPTH || self.plan.effects.len() >= LIMIT {
                continue;
            }
            let Some(needs) = needed_of_caller(&acquired.needs, &value) else { continue };
            let acquired = Acquired {
                lock: rebase(&acquired.lock),
                chain: longer(&acquired.chain),
                released: acquired.released,
                dropped: dropped.cloned().or_else(|| acquired.dropped.clone()),
                needs,
            };
            self.plan.effects.push(Effect::Acquire(acquired, Vec::new()));
        }
        for scoped in &summary.scoped {
            if scoped.acquired.chain.len() >= DEPTH || self.plan.effects.len() >= LIMIT {
                continue;
            }
            self.plan.effects.push(Effect::Scoped(Scoped {
                acquired: Acquired {
                    lock: rebase(&scoped.acquired.lock),
                    chain: longer(&scoped.acquired.chain),
                    ..scoped.acquired.clone()
                },
                has_ended: scoped.has_ended,
            }));
        }
        for blocks in &summary.blocking {
            if blocks.chain.len() < DEPTH && self.plan.effects.len() < LIMIT {
                let blocks = BlockingCall { chain: longer(&blocks.chain), ..blocks.clone() };
                self.plan.effects.push(Effect::Block(blocks, None));
            }
        }
        for lazy in &summary.lazy_inits {
            if lazy.chain.len() < DEPTH && self.plan.effects.len() < LIMIT {
                let path = view.substitute_with(&lazy.path, param);
                let chain = longer(&lazy.chain);
                self.plan.effects.push(Effect::LazyInit(LazyInit { path, chain }));
            }
        }
        for callback in &summary.callbacks {
            if callback.chain.len() < DEPTH && self.plan.effects.len() < LIMIT {
                let Some(needs) = needed_of_caller(&callback.needs, &value) else { continue };
                let callee = view.substitute_with(&callback.callee, param);
                let closure = match callback.callee.root {
                    Root::Param(number) => Some(number),
                    _ => None,
                };
                let held: Vec<(LockUse, CallPath)> = callback
                    .held
                    .iter()
                    .map(|(lock, chain)| (rebase(lock), longer(chain)))
                    .collect();
                let callback = Callback {
                    callee,
                    what: callback.what,
                    chain: longer(&callback.chain),
                    held,
                    released: callback.released,
                    given: callback.given.iter().map(|given| given.of_caller(&value)).collect(),
                    needs,
                };
                self.run_callback(callback, ClosureArgs { closure, arguments: None });
            }
        }
        for edge in summary.deferred_edges.iter().filter(|edge| edge.trail.len() < DEPTH) {
            self.plan.deferred_edges.push(DeferredEdge {
                held: (rebase(&edge.held.0), longer(&edge.held.1)),
                asked: (rebase(&edge.asked.0), longer(&edge.asked.1)),
                gates: edge.gates.iter().map(rebase).collect(),
                trail: self.longer_trail(&edge.trail, false),
            });
        }
        if returns {
            self.plan.result.extend(
                summary
                    .guards
                    .iter()
                    .map(|(lock, chain, fields)| (rebase(lock), longer(chain), fields.clone())),
            );
            self.plan.transfer.passed = Some(summary.passed_guards.clone());
            self.plan.transfer.released.clone_from(&summary.released);
        }
    }

    /// What a closure or coroutine does that is run on a thread or task of its own: only the orders of
    /// locks that it cannot name are of interest here.
    pub(super) fn started(&mut self, id: BodyId, closure: &Path) {
        let view = self.view;
        let Some(summary) = view.summary(id) else { return };
        let param = |number: u32| match number {
            1 => closure.clone(),
            _ => Path::new(Root::Unknown),
        };
        let rebase = |lock: &LockUse| {
            let path = view.substitute_with(&lock.path, &param);
            let class = lock.class.clone().or_else(|| class_of(view, &path));
            LockUse { path, class, ..lock.clone() }
        };
        for edge in summary.deferred_edges.iter().filter(|edge| edge.trail.len() < DEPTH) {
            self.plan.deferred_edges.push(DeferredEdge {
                held: (rebase(&edge.held.0), edge.held.1.clone()),
                asked: (rebase(&edge.asked.0), edge.asked.1.clone()),
                gates: edge.gates.iter().map(rebase).collect(),
                trail: self.longer_trail(&edge.trail, true),
            });
        }
    }

    /// The locks that a closure takes which is run on a thread of a scope.
    pub(super) fn scoped(&mut self, id: BodyId, closure: &Path) {
        let before = self.plan.effects.len();
        let param = |number: u32| match number {
            1 => closure.clone().into(),
            _ => Argument::unknown(),
        };
        let edges = self.plan.deferred_edges.len();
        self.body(id, &param, false, None);
        self.plan.deferred_edges.truncate(edges);
        let effects = self.plan.effects.split_off(before);
        self.plan.effects.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Acquire(acquired, _) if acquired.lock.wait == Waiting::Blocking => {
                Some(Effect::Scoped(Scoped { acquired, has_ended: false }))
            }
            _ => None,
        }));
    }

    fn longer_trail(&self, trail: &Trail, starts: bool) -> Trail {
        let step = Step { body: self.view.id(), block: self.block, starts };
        std::iter::once(step).chain(trail.iter().copied()).collect()
    }

    /// A callee calls what it was given: a closure of this body, or again something unknown.
    fn run_callback(&mut self, callback: Callback, at: ClosureArgs) {
        let before = self.plan.effects.len();
        let args = callback
            .given
            .iter()
            .map(|value| Argument { path: Path::new(Root::Unknown), value: *value });
        let args: Vec<Argument> = args.collect();
        if !self.known_closure(&callback.callee, &args, at) {
            self.plan.effects.push(Effect::Callback(callback));
            return;
        }
        // What the callee holds while it calls comes on top of what is held here.
        for effect in &mut self.plan.effects[before..] {
            if let Some(released) = effect.released_mut() {
                *released |= callback.released;
            }
            effect.run_under(&callback.held);
            match effect {
                Effect::Acquire(Acquired { needs, .. }, _)
                | Effect::Callback(Callback { needs, .. }) => needs.extend(&callback.needs),
                _ => {}
            }
        }
    }
}
