//! Why two acquisitions cannot overlap: one thread owns the locks exclusively, it is joined before the
//! other begins, or every caller of one holds a lock (a gate).

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::edges::Witness;
use super::meeting::{Meeting, makers, meet};
use super::threads;
use crate::lint::apis::moves::is_data;
use crate::lint::apis::threads::is_spawn;
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::ownership::{hands_on, has_no_handle, is_made, is_whole};
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::EventKind;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{Body, Call, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::LockUse;
use crate::lint::summary::path::{Path, Root};
use crate::report::model::Mode;

/// How many callers deep is looked.
const DEPTH: u32 = 4;

/// What is known of a program's threads, found when it is asked for.
pub(crate) struct Exclusion<'x, 'p, 'a> {
    analyzed: &'x Analyzed<'p, 'a>,
    /// The bodies that start threads, or run ones that do.
    starting: OnceCell<HashSet<BodyId>>,
    /// Those of them of which nothing is unknown.
    spawning: OnceCell<HashSet<BodyId>>,
    /// The functions that are used as values.
    values: OnceCell<HashSet<BodyId>>,
    gates: RefCell<HashMap<BodyId, Vec<LockUse>>>,
}

impl<'x, 'p, 'a> Exclusion<'x, 'p, 'a> {
    pub(crate) fn new(analyzed: &'x Analyzed<'p, 'a>) -> Exclusion<'x, 'p, 'a> {
        Exclusion {
            analyzed,
            starting: OnceCell::new(),
            spawning: OnceCell::new(),
            values: OnceCell::new(),
            gates: RefCell::default(),
        }
    }

    /// The program.
    pub(super) fn analyzed(&self) -> &'x Analyzed<'p, 'a> {
        self.analyzed
    }

    /// Whether the body of a witness has one of the locks for itself, so that no other thread holds it
    /// or waits for it: it is a field of what the body was given by `&mut` or by value, or of what it
    /// has made and not yet shared, with nothing shared on the way.
    pub(crate) fn owns_exclusively(&self, witness: &Witness) -> bool {
        let locks = [&witness.held.0, &witness.asked.0];
        let view = self.analyzed.view(witness.body);
        let is_own = |lock: &LockUse| {
            has_no_handle(&view, lock)
                && match lock.path.root {
                    Root::Param(number) => self.owns_param(witness.body, number, DEPTH),
                    _ => self.has_made(&view, witness, &lock.path),
                }
        };
        self.is_opening(&view, witness, &locks.map(|lock| &lock.path))
            || locks.into_iter().any(is_own)
    }

    /// Whether the body has made what a lock is in, and has not given it away before it asks.
    fn has_made(&self, view: &BodyView<'_, '_>, witness: &Witness, path: &Path) -> bool {
        let function = view.function;
        if function.is_coroutine() || !is_made(view, path) {
            return false;
        }
        let mut shared = (0..function.body.blocks.len() as u32).filter(|from| {
            let is_asking = Some(*from) == witness.block;
            self.gives_away(view, *from, &path.root, is_asking)
                && !(is_asking && self.consumes(view, *from))
        });
        let Some(block) = witness.block else { return shared.next().is_none() };
        // What is made anew is another value.
        let made = match path.root {
            Root::Call(at) | Root::Aggregate(at, _) => Some(at),
            _ => None,
        };
        let around: Vec<u32> = made.into_iter().collect();
        let graph = Flow::new(view);
        shared.all(|from| {
            let mut next = graph.next[from as usize].iter();
            from != block && !next.any(|next| graph.leads(*next, block, &around))
        })
    }

    /// Whether a block gives values away to a function of the program that starts no thread, and whose
    /// own they are from then on.
    fn consumes(&self, view: &BodyView<'_, '_>, block: u32) -> bool {
        let Terminator::Call(call) = &view.function.body.blocks[block as usize].terminator else {
            return false;
        };
        let resolve = |callee| view.program.resolve(view.function.unit, callee);
        call.callee().and_then(resolve).is_some_and(|id| !self.spawning().contains(&id))
    }

    /// Whether a block hands a value of the body's own to code that may give it to another thread, be it
    /// only for as long as a call lasts if `meanwhile`.
    fn gives_away(
        &self,
        view: &BodyView<'_, '_>,
        block: u32,
        root: &Root,
        meanwhile: bool,
    ) -> bool {
        // What a thread of a scope has by a reference it has no more when the scope has ended.
        hands_on(view, block, root, &[], &|callee| !meanwhile || !self.starting().contains(&callee))
    }

    /// Whether a block hands something behind handles to code that may give it to another thread, other
    /// than by putting it into one of some values that the body has itself.
    pub(super) fn gives_away_but(
        &self,
        view: &BodyView<'_, '_>,
        block: u32,
        root: &Root,
        own: &[Root],
    ) -> bool {
        hands_on(view, block, root, own, &|callee| !self.starting().contains(&callee))
    }

    /// The bodies that start threads, or run ones that do, or code that nobody knows with what may lead
    /// such code to a value.
    pub(super) fn starting(&self) -> &HashSet<BodyId> {
        self.starting.get_or_init(|| {
            self.leading_to(&|body, call| match call.callee() {
                Some(callee) if starts_threads(callee) => true,
                Some(callee) if !is_of_object(callee) => false,
                // It may start one with what it is given.
                _ => call
                    .args
                    .iter()
                    .skip(1)
                    .any(|arg| arg.place().is_some_and(|place| !is_plain(body.type_of(place)))),
            })
        })
    }

    /// The bodies that start threads, or run ones that do.
    fn spawning(&self) -> &HashSet<BodyId> {
        self.spawning
            .get_or_init(|| self.leading_to(&|_, call| call.callee().is_some_and(starts_threads)))
    }

    /// The bodies with such a call, and those that run them.
    fn leading_to(&self, is_it: &dyn Fn(&Body<'_>, &Call<'_>) -> bool) -> HashSet<BodyId> {
        let functions = self.analyzed.program.functions.iter().enumerate();
        let first = functions.filter(|(_, function)| {
            function.body.calls().any(|(_, call)| is_it(&function.body, call))
        });
        let mut work: Vec<BodyId> = first.map(|(id, _)| id).collect();
        let mut found = HashSet::new();
        while let Some(id) = work.pop() {
            if found.insert(id) {
                work.extend(self.analyzed.callers[id].iter().map(|caller| *caller as usize));
            }
        }
        found
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
        let calls = self.calls_in_program(id).filter(|calls| !calls.is_empty());
        let Some(calls) = calls else { return false };
        calls.into_iter().all(|(caller, block)| {
            let view = self.analyzed.view(caller);
            let Some(given) = argument(&view, block, number) else { return false };
            match given.root {
                Root::Param(outer) if given.parts.is_empty() => {
                    self.owns_param(caller, outer, depth - 1)
                }
                Root::Aggregate(..) if given.parts.is_empty() => {
                    self.is_unshared(&view, &given.root, block)
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

/// Whether a call starts threads that run what it is given.
fn starts_threads(callee: &Callee<'_>) -> bool {
    is_spawn(callee) || callee.owner().starts_with("rayon")
}

/// Whether a call is one of an object of a trait.
fn is_of_object(callee: &Callee<'_>) -> bool {
    callee.self_ty.is_some_and(|ty| types::peel(ty).starts_with("dyn "))
}

/// Whether values of a type are numbers, texts and the like: made of primitives alone.
fn is_plain(ty: &str) -> bool {
    is_data(ty) && is_whole(types::peel(ty).trim_matches(['(', ')', ',', '&']))
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
