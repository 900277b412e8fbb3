//! Each body with what is held where, callees before callers.
//!
//! Bodies that call each other in a circle are analysed until what they tell each other no longer
//! changes, for a few rounds; what a longer round would add is not seen.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::call::{DROPPED, Effect, Plan, location, parameter_bit, plan};
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::moves::is_drop;
use crate::lint::apis::through_traits::{formatted, is_comparison};
use crate::lint::dataflow::alias::{Frame, type_of};
use crate::lint::dataflow::class_of::class_of;
use crate::lint::dataflow::flow::{Flow, components};
use crate::lint::dataflow::guards::{self, Held, Holder, State, Tokens, Transfer, tokens_in};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{BodyKind, Operand, Place, Rvalue, StatementKind, Step, Terminator};
use crate::lint::mir::types;
use crate::lint::program::{BodyId, Function, Program, is_parameter};
use crate::lint::summary::path::{Path, Root};
use crate::lint::summary::{
    Acquired, Callback, Chain, Foreign, LIMIT, Location, LockUse, OpenEdge, Origin, Returned,
    Summaries, Summary,
};
use crate::report::model::Mode;

/// A lock that a body holds at some point.
#[derive(Clone, Debug)]
pub(crate) struct HeldLock {
    pub(crate) lock: LockUse,
    /// The calls to its acquisition.
    pub(crate) chain: Chain,
    /// Whether it belongs to an earlier round of a loop, so that an equal path is another object.
    pub(crate) stale: bool,
    /// The source's name of the variable that holds its guard; none for a temporary.
    pub(crate) holder: Option<Arc<str>>,
}

/// Something that happens in a body, and what is held meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) block: u32,
    pub(crate) here: Location,
    pub(crate) held: Vec<HeldLock>,
    pub(crate) kind: EventKind,
}

/// What happens.
#[derive(Clone, Debug)]
pub(crate) enum EventKind {
    /// An effect of a call or drop.
    Effect(Effect),
    /// A successful attempt to take a lock without waiting.
    Tried(LockUse),
    /// A coroutine suspends.
    Await,
}

/// What is known of a body.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    pub(crate) events: Vec<Event>,
    pub(crate) open_edges: Vec<OpenEdge>,
    /// The number of the loop that each block is in.
    pub(crate) cycle: Vec<Option<u32>>,
}

/// The program with its bodies' summaries and analyses.
pub(crate) struct Analyzed<'p, 'a> {
    pub(crate) program: &'p Program<'a>,
    pub(crate) summaries: Vec<Option<Summary>>,
    pub(crate) analyses: Vec<Analysis>,
    callees: Vec<Vec<u32>>,
    /// The bodies that may run each body.
    pub(crate) callers: Vec<Vec<u32>>,
}

impl<'p, 'a> Analyzed<'p, 'a> {
    /// Analyses all bodies.
    pub(crate) fn new(program: &'p Program<'a>) -> Analyzed<'p, 'a> {
        let count = program.functions.len();
        let mut summaries: Vec<Option<Summary>> = vec![None; count];
        let mut analyses: Vec<Analysis> = Vec::new();
        analyses.resize_with(count, Analysis::default);
        let callees: Vec<Vec<u32>> =
            (0..count).into_par_iter().map(|id| callees(program, id)).collect();
        for level in levels(&callees) {
            let known = Summaries { callees: &callees, known: &summaries };
            let done: Vec<_> =
                level.single.par_iter().map(|&id| (id, analyze(program, id, known))).collect();
            for (id, (analysis, summary)) in done {
                analyses[id] = analysis;
                summaries[id] = Some(summary);
            }
            for component in level.circles {
                for _ in 0..ROUNDS {
                    let mut changed = false;
                    for &id in &component {
                        let (analysis, summary) = analyze(
                            program,
                            id,
                            Summaries { callees: &callees, known: &summaries },
                        );
                        analyses[id] = analysis;
                        if summaries[id].as_ref() != Some(&summary) {
                            summaries[id] = Some(summary);
                            changed = true;
                        }
                    }
                    if !changed {
                        break;
                    }
                }
            }
        }
        let mut callers = vec![Vec::new(); count];
        for (id, callees) in callees.iter().enumerate() {
            callees.iter().for_each(|callee| callers[*callee as usize].push(id as u32));
        }
        Analyzed { program, summaries, analyses, callees, callers }
    }

    /// A frame to look at a body with.
    pub(crate) fn frame(&self, id: BodyId) -> Frame<'_, 'a> {
        let summaries = Summaries { callees: &self.callees, known: &self.summaries };
        Frame::new(self.program, id, summaries)
    }
}

/// How often bodies that call each other in a circle are analysed.
const ROUNDS: usize = 4;

/// Bodies that call none but those of earlier levels, and each other in circles.
#[derive(Default)]
struct Level {
    single: Vec<BodyId>,
    circles: Vec<Vec<BodyId>>,
}

/// All bodies, by the longest way to one that calls none.
fn levels(callees: &[Vec<u32>]) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    let mut level_of = vec![0; callees.len()];
    for component in components(callees.len(), &|id| &callees[id]) {
        let called = component.iter().flat_map(|id| &callees[*id]).map(|id| *id as usize);
        // A member of the component itself is at no level yet, which counts as the first.
        let level = called.map(|id| level_of[id]).max().unwrap_or(0);
        component.iter().for_each(|id| level_of[*id] = level + 1);
        levels.resize_with(levels.len().max(level + 1), Level::default);
        match component.as_slice() {
            [id] if !callees[*id].contains(&(*id as u32)) => levels[level].single.push(*id),
            _ => levels[level].circles.push(component),
        }
    }
    levels
}

/// The bodies that a body may run, and the constants that it names: all whose summaries or values its
/// analysis asks for, which [`Summaries`] sees to.
fn callees(program: &Program<'_>, id: BodyId) -> Vec<u32> {
    let function = &program.functions[id];
    let unit = function.unit;
    let mut found = HashSet::new();
    for block in function.body.blocks.iter().filter(|block| !block.cleanup) {
        for statement in &block.statements {
            let StatementKind::Assign(_, value) = &statement.kind else { continue };
            match value {
                Rvalue::Aggregate(ty, _) if ty.starts_with('{') => {
                    found.extend(program.closure(unit, ty));
                }
                // A function in a table of them.
                Rvalue::Cast(Operand::Const(path), _) if function.body.kind != BodyKind::Fn => {
                    found.extend(program.resolve(unit, &Callee::new(path)));
                }
                _ => {}
            }
            value.operands().for_each(|operand| constant(program, function, operand, &mut found));
        }
        match &block.terminator {
            Terminator::Call(call) => {
                call.args.iter().for_each(|arg| constant(program, function, arg, &mut found));
                let Some(callee) = call.callee() else { continue };
                called(program, unit, callee, &mut found);
                if is_drop(callee) {
                    for place in call.args.iter().filter_map(Operand::place) {
                        let ty = type_of(&function.body, place);
                        dropped(program, unit, ty, DROPPED, &mut found);
                    }
                }
            }
            Terminator::Drop(place, _) => {
                dropped(program, unit, type_of(&function.body, place), DROPPED, &mut found);
            }
            _ => {}
        }
    }
    let mut found: Vec<u32> = found.into_iter().map(|id| id as u32).collect();
    found.sort_unstable();
    found
}

/// What a call by name may run.
fn called(program: &Program<'_>, unit: usize, callee: &Callee<'_>, found: &mut HashSet<BodyId>) {
    found.extend(program.resolve(unit, callee));
    for ty in types::closures(callee.text) {
        found.extend(program.closure(unit, ty));
    }
    let mut implements = |ty: &str, path: &str| {
        let text = format!("<{ty} as std::{path}");
        found.extend(program.resolve(unit, &Callee::new(&text)));
    };
    if let Some(ty) = formatted(callee) {
        implements(ty, "fmt::Debug>::fmt");
        implements(ty, "fmt::Display>::fmt");
    }
    if let (Some(ty), Some(name)) = (callee.self_ty, callee.trait_name) {
        if is_comparison(callee) {
            implements(types::peel(ty), &format!("cmp::{name}>::{}", callee.name()));
        }
        if types::peel(ty).starts_with("dyn ") {
            found.extend(program.only_impl(name, callee.name()));
        }
    }
}

/// What dropping a value of a type may run.
fn dropped(program: &Program<'_>, unit: usize, ty: &str, depth: u32, found: &mut HashSet<BodyId>) {
    match program.drop_of(unit, ty) {
        Some(id) => {
            found.insert(id);
        }
        None if depth > 0 => {
            for argument in types::arguments(ty) {
                dropped(program, unit, argument, depth - 1, found);
            }
        }
        None => {}
    }
}

/// The constant or static that an operand names, if it is no place and no literal.
fn constant(
    program: &Program<'_>,
    function: &Function<'_>,
    operand: &Operand<'_>,
    found: &mut HashSet<BodyId>,
) {
    let Operand::Const(text) = operand else { return };
    if !text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '<' | '{')) {
        return;
    }
    let id = if text.contains("::promoted[") {
        program.promoted(function, text)
    } else {
        let name = program.units[function.unit].static_at(text).unwrap_or(text);
        program.constant(function.unit, name)
    };
    found.extend(id);
}

/// Analyses one body.
fn analyze(program: &Program<'_>, id: BodyId, summaries: Summaries<'_>) -> (Analysis, Summary) {
    let frame = Frame::new(program, id, summaries);
    let body = &frame.function.body;
    if body.kind != BodyKind::Fn {
        return (Analysis::default(), Summary::default());
    }
    let graph = Flow::new(&frame);
    let mut plans: Vec<Plan> =
        (0..body.blocks.len() as u32).map(|block| plan(&frame, block)).collect();

    // The tokens: one for each guard a call makes, and one for each guard handed in.
    let mut locks: Vec<(LockUse, Chain)> = Vec::new();
    let mut initial = State::new();
    let mut params = Vec::new();
    let mut unknown = HashSet::new();
    for number in 1..=body.params as u32 {
        let ty = body.locals[number as usize].ty;
        let is_guard = program.owns_guard(ty);
        let is_captures = number == 1 && frame.function.is_closure();
        // A value of a generic type may be a guard; what becomes of it is the caller's to know.
        if is_guard || is_captures || is_value_parameter(ty) {
            for fields in guard_fields(program, frame.function, number) {
                let token = locks.len() as u32;
                let lock = LockUse {
                    path: Path::new(Root::Param(number)),
                    class: None,
                    ty: Arc::from(types::peel(ty)),
                    mode: Mode::Write,
                    wait: Waiting::Blocking,
                    is_async: false,
                    is_nested: false,
                    origin: Origin::HandedIn,
                };
                locks.push((lock, vec![location(&frame, body.span)]));
                initial.insert(Held::new(token, Holder::Local(number), fields.clone()));
                params.push((token, number, fields));
                if !is_guard && !is_captures {
                    unknown.insert(token);
                }
            }
        }
    }
    for plan in &mut plans {
        for (lock, chain, fields) in std::mem::take(&mut plan.result) {
            plan.transfer.made.push((locks.len() as u32, fields));
            locks.push((lock, chain));
        }
    }
    let transfers: Vec<Transfer> = plans.iter().map(|plan| plan.transfer.clone()).collect();
    let paths: Vec<Path> = locks.iter().map(|lock| lock.0.path.clone()).collect();
    let is_generic = !unknown.is_empty();
    let owns =
        |ty: &str| program.owns_guard(ty) || is_generic && types::owns(ty, &is_value_parameter);
    let tokens = Tokens { paths: &paths, initial, transfers: &transfers, owns: &owns };
    let is_flat = locks.is_empty();
    let states = if is_flat {
        vec![State::new(); body.blocks.len()]
    } else {
        guards::flow(&frame, &graph, &tokens)
    };

    let mut builder = Builder {
        frame: &frame,
        locks: &locks,
        params: &params,
        unknown: &unknown,
        analysis: Analysis { cycle: graph.cycle.clone(), ..Analysis::default() },
        summary: Summary { returned: returned(&frame), ..Summary::default() },
        acquired: HashMap::new(),
    };
    for (at, plan) in plans.into_iter().enumerate() {
        builder.block(at as u32, plan, &states[at], &tokens);
        if graph.suspensions.contains(&(at as u32)) {
            let span = suspension_span(&frame, at);
            let here = location(&frame, span);
            builder.event(at as u32, here, &states[at], EventKind::Await);
        } else if matches!(body.blocks[at].terminator, Terminator::Return) {
            builder.returns(&states[at]);
        }
    }
    (builder.analysis, builder.summary)
}

/// Where the `.await` of a suspension stands.
fn suspension_span<'a>(frame: &Frame<'_, 'a>, block: usize) -> crate::lint::mir::model::Span<'a> {
    let block = &frame.function.body.blocks[block];
    let named = block.statements.iter().find(|statement| match &statement.kind {
        StatementKind::Assign(dest, _) => dest.local == 0,
        _ => false,
    });
    named.map_or(block.span, |statement| statement.span)
}

/// What a body returns, in terms of its parameters.
fn returned(frame: &Frame<'_, '_>) -> Option<Returned> {
    let path = frame.local(0);
    match path.root {
        Root::Param(_) | Root::Static(_) => Some(Returned::Path(path)),
        Root::Aggregate(block, statement) if path.parts.is_empty() => {
            let body = &frame.function.body;
            let statement = body.blocks.get(block as usize)?.statements.get(statement as usize)?;
            let StatementKind::Assign(_, Rvalue::Aggregate(_, values)) = &statement.kind else {
                return None;
            };
            let fields = values.iter().map(|value| {
                let path = frame.operand(value);
                matches!(path.root, Root::Param(_) | Root::Static(_)).then_some(path)
            });
            Some(Returned::Fields(fields.collect()))
        }
        _ => None,
    }
}

/// The fields of a parameter that hold guards of their own, as far as the body touches them or the
/// type's declaration shows them; else the parameter as a whole. Of a closure's captures, those that
/// the body touches.
fn guard_fields(program: &Program<'_>, function: &Function<'_>, number: u32) -> Vec<Vec<u32>> {
    let (body, is_captures) = (&function.body, number == 1 && function.is_closure());
    let mut found: Vec<Vec<u32>> = Vec::new();
    if !program.locks.is_guard(types::head(body.locals[number as usize].ty)) {
        let mut look = |place: &Place<'_>| {
            let Some(Step::Field(_, ty)) = place.steps.last() else { return };
            if place.local == number && program.owns_guard(ty) {
                let fields = guards::fields(&place.steps);
                if !found.contains(&fields) {
                    found.push(fields);
                }
            }
        };
        for block in body.blocks.iter().filter(|block| !block.cleanup) {
            for statement in &block.statements {
                let StatementKind::Assign(_, value) = &statement.kind else { continue };
                match value {
                    Rvalue::Use(Operand::Move(place)) => look(place),
                    // `slot.take()` of what an `FnMut` owns, and what a closure hands to another.
                    Rvalue::Ref(place) if is_captures => look(place),
                    Rvalue::Aggregate(_, values) if is_captures => {
                        values.iter().filter_map(Operand::place).for_each(&mut look);
                    }
                    _ => {}
                }
            }
            match &block.terminator {
                Terminator::Call(call) => {
                    call.args.iter().filter_map(Operand::place).for_each(&mut look)
                }
                Terminator::Drop(place, _) => look(place),
                _ => {}
            }
        }
    }
    // What the body only hands on as a whole may have several guards too.
    let head = types::head(body.locals[number as usize].ty);
    if let Some(item) = program.units[function.unit].sources.type_item(head)
        && let [(_, fields)] = item.variants.as_slice()
    {
        for (index, _) in fields.iter().enumerate().filter(|(_, field)| field.ty.contains("Guard"))
        {
            if !found.iter().any(|known| known.first() == Some(&(index as u32))) {
                found.push(vec![index as u32]);
            }
        }
    }
    if found.is_empty() && !is_captures { vec![Vec::new()] } else { found }
}

/// Whether a type is a parameter that is passed by value.
fn is_value_parameter(ty: &str) -> bool {
    !types::is_reference(ty) && is_parameter(ty) && !ty.starts_with("impl ")
}

struct Builder<'f, 'p, 'a> {
    frame: &'f Frame<'p, 'a>,
    locks: &'f [(LockUse, Chain)],
    /// Tokens of guards handed in, with the parameter's number and field.
    params: &'f [(u32, u32, Vec<u32>)],
    /// Tokens of values that may be no guards.
    unknown: &'f HashSet<u32>,
    analysis: Analysis,
    summary: Summary,
    acquired: HashMap<AcquiredKey, usize>,
}

/// Acquisitions that a caller need not tell apart: lock, mode, class, and the guards released.
type AcquiredKey = (Path, Mode, Option<Arc<str>>, u64);

impl<'a> Builder<'_, '_, 'a> {
    fn block(&mut self, at: u32, plan: Plan, state: &State, tokens: &Tokens<'_>) {
        let block = &self.frame.function.body.blocks[at as usize];
        let frame = self.frame;
        let here = LazyCell::new(|| location(frame, block.span));
        for (token, _) in &plan.transfer.made {
            let (lock, chain) = &self.locks[*token as usize];
            if lock.wait == Waiting::Try && chain.len() == 1 {
                let kind = EventKind::Tried(lock.clone());
                self.event(at, here.clone(), state, kind);
            }
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
            self.summarize(&effect, state);
            // What is held here while a callee runs the caller's code belongs to the event too.
            self.event(at, here.clone(), state, EventKind::Effect(effect));
        }
        for edge in plan.open_edges {
            let is_open = edge.held.0.class.is_none() || edge.asked.0.class.is_none();
            if is_open
                && self.summary.open_edges.len() < LIMIT
                && let (Some(held), Some(asked)) = (exported(&edge.held.0), exported(&edge.asked.0))
            {
                let edge = OpenEdge {
                    held: (held, edge.held.1.clone()),
                    asked: (asked, edge.asked.1.clone()),
                };
                self.summary.open_edges.push(edge);
            }
            self.analysis.open_edges.push(edge);
        }
    }

    /// The guards that a wait is given, by value or by reference, and those that stay.
    fn given(&self, at: u32, state: &State, tokens: &Tokens<'_>) -> (State, State) {
        let block = &self.frame.function.body.blocks[at as usize];
        let mut given = State::new();
        if let Terminator::Call(call) = &block.terminator {
            for place in call.args.iter().skip(1).filter_map(Operand::place) {
                given.extend(tokens_in(self.frame, tokens, state, place));
                let mut behind = place.clone();
                behind.steps.push(Step::Deref);
                given.extend(tokens_in(self.frame, tokens, state, &behind));
            }
        }
        let rest = state.difference(&given).cloned().collect();
        (given, rest)
    }

    /// The state without the guards in the arguments that the callee has released by then.
    fn without(&self, at: u32, state: &State, tokens: &Tokens<'_>, released: u64) -> Option<State> {
        let block = &self.frame.function.body.blocks[at as usize];
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
                behind.steps.push(Step::Deref);
                for place in [place, &behind] {
                    for held in tokens_in(self.frame, tokens, &state, place) {
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
        let names = &self.frame.function.body.names;
        let locks = by_token.into_iter().map(|(token, held)| {
            let (lock, chain) = self.locks[token as usize].clone();
            let name = names
                .iter()
                .find(|(_, place)| guards::key(self.frame, place) == (held.holder(), Vec::new()));
            let holder = name.map(|(name, _)| Arc::from(*name));
            HeldLock { lock, chain, stale: held.stale, holder }
        });
        locks.collect()
    }

    fn event(&mut self, block: u32, here: Location, state: &State, kind: EventKind) {
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
        if self.frame.function.is_closure() {
            // Which of the guards that it captures a lock belongs to is not followed to the caller.
            kept &= !parameter_bit(1);
        }
        // Of any other value with several guards, all must be gone.
        gone & !kept
    }

    /// Adds what a caller must know of an effect.
    fn summarize(&mut self, effect: &Effect, state: &State) {
        let released = self.released(state);
        match effect {
            Effect::Acquire(acquired, extra) => {
                let Some(lock) = exported(&acquired.lock) else { return };
                if lock.class.is_none()
                    || self
                        .held(state)
                        .iter()
                        .any(|h| h.lock.class.is_none() && !h.lock.is_handed_in())
                {
                    self.open_edges(state, &acquired.lock, &acquired.chain, extra);
                }
                let class = lock.class.as_ref().map(|class| Arc::clone(&class.key));
                let key = (lock.path.clone(), lock.mode, class, released);
                let entry = Acquired { lock, released, ..acquired.clone() };
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
            Effect::Block(blocks, _) => {
                let known = self.summary.blocks.iter().any(|other| other.what == blocks.what);
                if !known {
                    let mut blocks = blocks.clone();
                    blocks.released = released;
                    self.summary.blocks.push(blocks);
                }
            }
            Effect::Callback(callback) => {
                let known = self.summary.callbacks.iter();
                if !matches!(callback.callee.root, Root::Param(_) | Root::Unknown)
                    || known.clone().count() >= LIMIT
                    || known.clone().any(|other| {
                        other.callee == callback.callee
                            && other.held.len() >= callback.held.len() + state.len()
                    })
                {
                    return;
                }
                let mut held: Vec<(LockUse, Chain)> = callback.held.clone();
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
                self.summary.callbacks.push(Callback { held, released, ..callback.clone() });
            }
            Effect::Force(forces) => {
                if matches!(forces.path.root, Root::Static(_) | Root::Param(_))
                    && self.summary.forces.len() < LIMIT
                    && !self.summary.forces.iter().any(|other| other.path == forces.path)
                {
                    self.summary.forces.push(forces.clone());
                }
            }
            Effect::Wait { .. } | Effect::Notify(_) => {}
        }
    }

    /// Orders that only a caller can name: one of the locks is a parameter.
    fn open_edges(
        &mut self,
        state: &State,
        asked: &LockUse,
        chain: &Chain,
        extra: &[(LockUse, Chain)],
    ) {
        let Some(asked_out) = exported(asked) else { return };
        let own = self.held(state).into_iter().filter(|h| !h.stale).map(|h| (h.lock, h.chain));
        for (held, held_chain) in own.chain(extra.iter().cloned()) {
            let Some(held_out) = exported(&held) else { continue };
            let from_caller =
                |lock: &LockUse| lock.class.is_none() && matches!(lock.path.root, Root::Param(_));
            if (from_caller(&held_out) || from_caller(&asked_out))
                && self.summary.open_edges.len() < LIMIT
            {
                self.summary.open_edges.push(OpenEdge {
                    held: (held_out, held_chain),
                    asked: (asked_out.clone(), chain.clone()),
                });
            }
        }
    }

    /// What a return passes to the caller.
    fn returns(&mut self, state: &State) {
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

/// A lock as callers can know it: by a parameter or static, else by its class alone.
fn exported(lock: &LockUse) -> Option<LockUse> {
    if lock.is_handed_in() {
        return None;
    }
    let mut lock = lock.clone();
    if !matches!(lock.path.root, Root::Param(_) | Root::Static(_)) {
        lock.path = Path { root: Root::Unknown, parts: Vec::new() };
        lock.class.as_ref()?;
    }
    Some(lock)
}

/// The class of what a path leads to, for rules that look at other things than locks.
pub(crate) fn class_name(frame: &Frame<'_, '_>, path: &Path) -> Option<Arc<str>> {
    class_of(frame, path).map(|class| class.key)
}
