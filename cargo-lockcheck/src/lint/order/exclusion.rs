//! Why two acquisitions cannot overlap: one thread owns the locks exclusively, it is joined before the
//! other begins, or every caller of one holds a lock (a gate).

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::edges::Witness;
use super::meeting::{Meeting, makers, meet};
use super::ownership::{has_no_handle, is_made, is_whole};
use super::threads;
use crate::lint::apis::aliases::{CallAlias, call_alias};
use crate::lint::apis::moves::is_drop;
use crate::lint::apis::threads::is_spawn;
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::EventKind;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{Call, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::LockUse;
use crate::lint::summary::path::{Part, Path, Root};
use crate::report::model::Mode;

/// How many callers deep is looked.
const DEPTH: u32 = 4;

/// What is known of a program's threads, found when it is asked for.
pub(crate) struct Exclusion<'x, 'p, 'a> {
    analyzed: &'x Analyzed<'p, 'a>,
    /// The bodies that start threads, or run ones that do.
    starting: OnceCell<HashSet<BodyId>>,
    /// The functions that are used as values.
    values: OnceCell<HashSet<BodyId>>,
    gates: RefCell<HashMap<BodyId, Vec<LockUse>>>,
}

impl<'x, 'p, 'a> Exclusion<'x, 'p, 'a> {
    pub(crate) fn new(analyzed: &'x Analyzed<'p, 'a>) -> Exclusion<'x, 'p, 'a> {
        Exclusion {
            analyzed,
            starting: OnceCell::new(),
            values: OnceCell::new(),
            gates: RefCell::default(),
        }
    }

    /// The program.
    pub(super) fn analyzed(&self) -> &'x Analyzed<'p, 'a> {
        self.analyzed
    }

    /// Whether the body of a witness has the locks for itself: they are fields of what it was given
    /// by `&mut` or by value, or of what it has made and not yet shared, with nothing shared on the
    /// way.
    pub(crate) fn owns_exclusively(&self, witness: &Witness) -> bool {
        let locks = [&witness.held.0, &witness.asked.0];
        let paths = locks.map(|lock| &lock.path);
        let view = self.analyzed.view(witness.body);
        self.is_opening(&view, witness, &paths)
            || locks.iter().all(|lock| has_no_handle(&view, lock))
                && (paths.iter().all(|path| match path.root {
                    Root::Param(number) => self.owns_param(witness.body, number, DEPTH),
                    _ => false,
                }) || self.has_made(&view, witness, &paths))
    }

    /// Whether the body has made what the locks are in, and has not given it away before it asks.
    fn has_made(&self, view: &BodyView<'_, '_>, witness: &Witness, paths: &[&Path]) -> bool {
        let function = view.function;
        if function.is_coroutine() || !paths.iter().all(|path| is_made(view, path)) {
            return false;
        }
        let shared = (0..function.body.blocks.len() as u32)
            .filter(|block| paths.iter().any(|path| self.gives_away(view, *block, &path.root)));
        let shared: Vec<u32> = shared.collect();
        match witness.block {
            _ if shared.is_empty() => true,
            Some(block) => {
                let graph = Flow::new(view);
                shared.iter().all(|from| !graph.leads(*from, block, &[]))
            }
            None => false,
        }
    }

    /// Whether a block hands something to code that may give it to another thread.
    fn gives_away(&self, view: &BodyView<'_, '_>, block: u32, root: &Root) -> bool {
        self.gives_away_but(view, block, root, &[])
    }

    /// The same, but for what is put into one of some values that the body has itself.
    pub(super) fn gives_away_but(
        &self,
        view: &BodyView<'_, '_>,
        block: u32,
        root: &Root,
        own: &[Root],
    ) -> bool {
        let is_it = |path: &Path| path.root == *root && !path.parts.contains(&Part::Protected);
        let block = &view.function.body.blocks[block as usize];
        if block.cleanup {
            return false;
        }
        for statement in &block.statements {
            let StatementKind::Assign(dest, value) = &statement.kind else { continue };
            let is_given = match value {
                Rvalue::Use(operand) | Rvalue::Cast(operand, _) => is_it(&view.operand(operand)),
                Rvalue::Ref(place) => is_it(&view.place(place)),
                Rvalue::Aggregate(_, values) => values.iter().any(|v| is_it(&view.operand(v))),
                Rvalue::Discriminant(_) | Rvalue::Static(_) | Rvalue::Other => false,
            };
            // In a variable that is known to be it, it is not given away.
            let is_own = |of: &Root| of == root || own.contains(of);
            let is_kept =
                dest.steps.is_empty() && (dest.local == 0 || is_own(&view.local(dest.local).root));
            if is_given && !is_kept {
                return true;
            }
        }
        match &block.terminator {
            Terminator::Call(call) => {
                let is_given = call.args.iter().any(|arg| is_it(&view.operand(arg)));
                is_given && !self.gives_back(view, call, root)
            }
            _ => false,
        }
    }

    /// Whether no other thread has what a call was given, once it returns.
    fn gives_back(&self, view: &BodyView<'_, '_>, call: &Call<'_>, root: &Root) -> bool {
        let Some(callee) = call.callee() else { return false };
        let program = view.program;
        if program.locks.is_lock(callee.owner()) || is_drop(callee) {
            return true;
        }
        if let Some(id) = program.resolve(view.function.unit, callee) {
            let is_lent = call.args.iter().all(|arg| {
                let is_plain_reference =
                    |ty: &str| ty.starts_with('&') && is_whole(types::peel(ty));
                view.operand(arg).root != *root
                    || view.operand_type(arg).is_some_and(is_plain_reference)
            });
            return is_lent && !self.starting().contains(&id);
        }
        call_alias(callee) != CallAlias::Other
            && call.dest.steps.is_empty()
            && view.local(call.dest.local).root == *root
    }

    /// The bodies that start threads, or run ones that do.
    pub(super) fn starting(&self) -> &HashSet<BodyId> {
        self.starting.get_or_init(|| {
            let functions = self.analyzed.program.functions.iter().enumerate();
            let starts = functions.filter(|(_, function)| {
                let body = &function.body;
                body.calls().any(|(_, call)| match call.callee() {
                    Some(callee) if is_spawn(callee) || callee.owner().starts_with("rayon") => true,
                    Some(callee) if !is_of_object(callee) => false,
                    // Code that nobody knows: it may start one with what it is given.
                    _ => {
                        call.args.iter().skip(1).any(|arg| {
                            arg.place().is_some_and(|place| !is_plain(body.type_of(place)))
                        })
                    }
                })
            });
            let mut work: Vec<BodyId> = starts.map(|(id, _)| id).collect();
            let mut found = HashSet::new();
            while let Some(id) = work.pop() {
                if found.insert(id) {
                    work.extend(self.analyzed.callers[id].iter().map(|caller| *caller as usize));
                }
            }
            found
        })
    }

    /// Whether a parameter is given to the body alone: by `&mut`, by value, or, to a function that
    /// only the crate can call, by callers that all have it so themselves.
    fn owns_param(&self, id: BodyId, number: u32, depth: u32) -> bool {
        let function = &self.analyzed.program.functions[id];
        let ty = function.body.locals.get(number as usize).map_or("", |local| local.ty);
        if function.is_closure() || function.is_coroutine() || ty.contains("Arc<") {
            return false;
        }
        if !ty.starts_with(['&', '*']) || ty.starts_with('&') && types::is_mutable(ty) {
            return true;
        }
        if depth == 0 {
            return false;
        }
        let Some(calls) = self.calls(id).filter(|calls| !calls.is_empty()) else { return false };
        calls.into_iter().all(|(caller, block)| {
            let view = self.analyzed.view(caller);
            let Some(given) = argument(&view, block, number) else { return false };
            match given.root {
                Root::Param(outer) if given.parts.is_empty() => {
                    self.owns_param(caller, outer, depth - 1)
                }
                _ => false,
            }
        })
    }

    /// All calls of a function, if it is made for no others: it is private to its crate.
    fn calls(&self, id: BodyId) -> Option<Vec<(BodyId, u32)>> {
        if self.is_public(id) { None } else { self.calls_in_program(id) }
    }

    /// All calls of a function, if only those that are seen can be. No other crate calls what is
    /// public in a program.
    pub(super) fn calls_in_program(&self, id: BodyId) -> Option<Vec<(BodyId, u32)>> {
        let program = self.analyzed.program;
        let function = &program.functions[id];
        let is_free = function.is_closure() || function.is_coroutine();
        if is_free
            || function.trait_name.is_some()
            || program.units[function.unit].is_library && self.is_public(id)
            || self.values().contains(&id)
        {
            return None;
        }
        let mut found = Vec::new();
        for &caller in &self.analyzed.callers[id] {
            let caller = caller as usize;
            let other = &program.functions[caller];
            for (at, call) in other.body.calls() {
                let resolve = |callee| program.resolve(other.unit, callee);
                if call.callee().and_then(resolve) == Some(id) {
                    found.push((caller, at));
                }
            }
        }
        Some(found)
    }

    /// Whether a function is made for others to call: its header says `pub`, or cannot be found.
    pub(super) fn is_public(&self, id: BodyId) -> bool {
        let function = &self.analyzed.program.functions[id];
        let span = function.body.span;
        let sources = &self.analyzed.program.units[function.unit].sources;
        let Some(file) = sources.file(span.file()) else { return true };
        let header = format!("fn {}", types::last(function.body.name));
        let lines = (span.line().saturating_sub(16)..=span.line()).rev();
        let found = lines.filter_map(|line| file.line(line)).find(|line| line.contains(&header));
        found.is_none_or(|line| line.trim_start().starts_with("pub ") || line.contains("extern "))
    }

    /// The functions that are used as values somewhere, so that anything may call them.
    fn values(&self) -> &HashSet<BodyId> {
        self.values.get_or_init(|| {
            let program = self.analyzed.program;
            let named = |unit: usize, operand: &Operand<'_>| match operand {
                Operand::Const(text)
                    if text.starts_with(|c: char| c.is_alphabetic() || c == '<') =>
                {
                    program.resolve(unit, &Callee::new(text))
                }
                _ => None,
            };
            let all = program.functions.par_iter().flat_map_iter(|function| {
                let mut found = Vec::new();
                let statements = function.body.blocks.iter().flat_map(|block| &block.statements);
                for statement in statements {
                    let StatementKind::Assign(_, value) = &statement.kind else { continue };
                    match value {
                        Rvalue::Use(operand) | Rvalue::Cast(operand, _) => {
                            found.extend(named(function.unit, operand));
                        }
                        Rvalue::Aggregate(_, values) => {
                            found.extend(values.iter().filter_map(|v| named(function.unit, v)));
                        }
                        _ => {}
                    }
                }
                let args = function.body.calls().flat_map(|(_, call)| &call.args);
                found.extend(args.filter_map(|arg| named(function.unit, arg)));
                found
            });
            all.collect()
        })
    }

    /// Whether the thread of a witness has ended before the other body asks for its locks, which it
    /// has made itself.
    pub(crate) fn is_ended(&self, witness: &Witness, other: &Witness) -> bool {
        let is_run = self.analyzed.callers[witness.body].contains(&(other.body as u32));
        let Some(block) = other.block.filter(|_| is_run) else { return false };
        let view = self.analyzed.view(other.body);
        let mine = [&witness.held.0.path, &witness.asked.0.path];
        let theirs = [&other.held.0, &other.asked.0];
        if !theirs.iter().all(|lock| is_made(&view, &lock.path) && has_no_handle(&view, lock)) {
            return false;
        }
        let graph = Flow::new(&view);
        let mut joins: HashMap<u32, Vec<u32>> = HashMap::new();
        for (at, call) in view.function.body.calls() {
            if let Some(start) = threads::joined(&view, call) {
                joins.entry(start).or_default().push(at);
            }
        }
        joins.iter().any(|(start, joins)| {
            let Some((_, captures)) = threads::run(self.analyzed, &view, *start)
                .filter(|(closure, _)| *closure == witness.body)
            else {
                return false;
            };
            let is_same = mine.iter().all(|path| {
                let path = view.substitute_with(path, &|_| captures.clone());
                theirs.iter().any(|other| other.path.root == path.root)
            });
            let after = |to: u32| {
                graph.next[*start as usize].iter().any(|next| graph.leads(*next, to, joins))
            };
            is_same && !after(block) && !after(*start)
        })
    }

    /// Whether the body of a witness has made both of its locks.
    pub(crate) fn are_made(&self, witness: &Witness) -> bool {
        let view = self.analyzed.view(witness.body);
        let locks = [&witness.held.0.path, &witness.asked.0.path];
        locks.iter().all(|path| path.is_single() && !makers(&view, path).is_empty())
    }

    /// How two witnesses can meet that are of one run of a body, because one of the locks of both is
    /// made in it; nothing where they may be of several runs.
    pub(crate) fn meeting(&self, a: &Witness, b: &Witness) -> Option<Meeting> {
        if a.body != b.body {
            return None;
        }
        let view = self.analyzed.view(a.body);
        let locks = [&a.held.0, &a.asked.0];
        let others = [&b.held.0, &b.asked.0];
        let common = locks.into_iter().filter(|lock| others.iter().any(|o| o.path == lock.path));
        let made: Vec<u32> = common.flat_map(|lock| makers(&view, &lock.path)).collect();
        (!made.is_empty()).then(|| meet(self.analyzed, &a.trail, &b.trail, &made))
    }

    /// The locks that are held whenever a body runs: all calls of it are known, and are made under
    /// them. In terms of its parameters.
    pub(crate) fn gates(&self, id: BodyId) -> Vec<LockUse> {
        if let Some(known) = self.gates.borrow().get(&id) {
            return known.clone();
        }
        let gates = self.find_gates(id, DEPTH);
        self.gates.borrow_mut().insert(id, gates.clone());
        gates
    }

    fn find_gates(&self, id: BodyId, depth: u32) -> Vec<LockUse> {
        let Some(calls) = (depth > 0).then(|| self.calls(id)).flatten() else { return Vec::new() };
        let mut common: Option<Vec<LockUse>> = None;
        for (caller, block) in calls {
            // Where it calls itself, what held it is still held.
            if caller == id {
                continue;
            }
            let mut held = self.held_at(caller, block);
            held.extend(self.find_gates(caller, depth - 1));
            let view = self.analyzed.view(caller);
            let held: Vec<LockUse> =
                held.into_iter().filter_map(|lock| handed_down(&view, block, lock)).collect();
            common = Some(match common {
                None => held,
                Some(known) => known.into_iter().filter_map(|gate| both(gate, &held)).collect(),
            });
        }
        common.unwrap_or_default()
    }

    /// The locks that a body holds at a call that takes more.
    fn held_at(&self, id: BodyId, block: u32) -> Vec<LockUse> {
        let events = self.analyzed.analyses[id].events.iter().filter(|event| {
            event.block == block && matches!(event.kind, EventKind::Effect(Effect::Acquire(..)))
        });
        let fewest = events.min_by_key(|event| event.held.len());
        let held = fewest.into_iter().flat_map(|event| &event.held);
        held.filter(|held| !held.stale && !held.lock.is_handed_in())
            .map(|held| LockUse { path: held.lock.path.erased(), ..held.lock.clone() })
            .collect()
    }
}

/// Whether a call is one of an object of a trait.
fn is_of_object(callee: &Callee<'_>) -> bool {
    callee.self_ty.is_some_and(|ty| types::peel(ty).starts_with("dyn "))
}

/// Whether values of a type are numbers, texts and the like: made of primitives alone.
fn is_plain(ty: &str) -> bool {
    !ty.contains(char::is_uppercase) && is_whole(types::peel(ty).trim_matches(['(', ')', ',', '&']))
}

/// A lock that is among others too, held as weakly as in either.
fn both(gate: LockUse, others: &[LockUse]) -> Option<LockUse> {
    let other = others.iter().find(|other| other.path == gate.path && other.class == gate.class)?;
    let mode = if other.mode == Mode::Read { Mode::Read } else { gate.mode };
    Some(LockUse { mode, ..gate })
}

/// A lock of the caller as the callee would name it.
fn handed_down(view: &BodyView<'_, '_>, block: u32, lock: LockUse) -> Option<LockUse> {
    let path = match &lock.path.root {
        Root::Static(_) => lock.path.clone(),
        Root::Unknown => return None,
        root => (1..=view.function.body.locals.len() as u32)
            .map_while(|number| Some((number, argument(view, block, number)?.erased())))
            .find_map(|(number, given)| {
                let rest = lock.path.parts.strip_prefix(given.parts.as_slice())?;
                (given.root == *root)
                    .then(|| Path { root: Root::Param(number), parts: rest.to_vec() })
            })?,
    };
    Some(LockUse { path, ..lock })
}

/// What a call is given as a parameter.
pub(super) fn argument(view: &BodyView<'_, '_>, block: u32, number: u32) -> Option<Path> {
    let Terminator::Call(call) = &view.function.body.blocks[block as usize].terminator else {
        return None;
    };
    Some(view.operand(call.args.get(number as usize - 1)?))
}
