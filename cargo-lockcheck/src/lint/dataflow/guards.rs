//! Which guards may be alive where: a forward dataflow over a body's blocks.
//!
//! A token stands for something that is released when the value that holds it is dropped: a lock
//! through its guard, a channel's sender. The flow follows it through moves, fields, returns and
//! one-armed drops. Drop flags and the variants of `Option`, `Result` and `Poll` are followed, so
//! that a path on which the value is gone does not carry it. Unwinding is not followed.

use std::collections::{BTreeSet, VecDeque};

use super::alias::Frame;
use super::flow::{Condition, Flow, condition};
use crate::lint::apis::moves::{Wrapping, empties, forgets, takes_out, wrapping};
use crate::lint::mir::model::{Operand, Place, Rvalue, StatementKind, Step, Terminator};
use crate::lint::mir::types;
use crate::lint::summary::path::{Path, Root, SavedLocal};

/// What holds tokens, itself or in its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// A local of the body.
    Local(u32),
    /// A local that a coroutine keeps over its suspensions.
    Saved(SavedLocal),
    /// No place: the value was forgotten, and is never dropped.
    Forgotten,
}

/// A token in a place. A stale one belongs to an object of an earlier round of a loop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) token: u32,
    holder: Holder,
    steps: Vec<u32>,
    pub(crate) stale: bool,
}

impl Held {
    /// A token in a field of a holder; no fields for the holder itself.
    pub(crate) fn new(token: u32, holder: Holder, steps: Vec<u32>) -> Held {
        Held { token, holder, steps, stale: false }
    }

    /// The fields of the holder that hold it; none for the holder itself.
    pub(crate) fn fields(&self) -> &[u32] {
        &self.steps
    }

    /// What holds it.
    pub(crate) fn holder(&self) -> Holder {
        self.holder
    }
}

/// All tokens that may be alive at a point.
pub(crate) type State = BTreeSet<Held>;

/// What a call does to tokens, beside what its types say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transfer {
    /// The tokens that its result holds, with the field of the result.
    pub(crate) made: Vec<(u32, Vec<u32>)>,
    /// The arguments, by index and field, whose tokens the result holds; nothing if only the types
    /// tell.
    pub(crate) passed: Option<Vec<(u32, Vec<u32>)>>,
}

/// What the flow must know of the tokens.
pub(crate) struct Tokens<'t> {
    /// The objects that the tokens stand for.
    pub(crate) paths: &'t [Path],
    /// The tokens that are there from the beginning.
    pub(crate) initial: State,
    /// What each block's call does.
    pub(crate) transfers: &'t [Transfer],
    /// Whether a type's values can hold a token.
    pub(crate) owns: &'t dyn Fn(&str) -> bool,
}

/// The tokens alive at each block's terminator.
pub(crate) fn flow(frame: &Frame<'_, '_>, graph: &Flow, tokens: &Tokens<'_>) -> Vec<State> {
    let blocks = &frame.function.body.blocks;
    let mut entry: Vec<Option<State>> = vec![None; blocks.len()];
    let mut at_end = vec![State::new(); blocks.len()];
    entry[0] = Some(tokens.initial.clone());
    let mut work = VecDeque::from([0u32]);
    let mut queued = vec![false; blocks.len()];
    // Every round grows some entry state; the bound is only against a mistake in that.
    let mut fuel = blocks.len() * 64 + 1024;
    while let Some(at) = work.pop_front() {
        queued[at as usize] = false;
        let Some(left) = fuel.checked_sub(1) else { break };
        fuel = left;
        let mut state = entry[at as usize].clone().unwrap_or_default();
        let block = &blocks[at as usize];
        for (index, statement) in block.statements.iter().enumerate() {
            match &statement.kind {
                StatementKind::Assign(dest, value) => {
                    assign(frame, tokens, &mut state, dest, value);
                    let saved = saved_as_whole(frame, dest);
                    renew(tokens, &mut state, |root| match root {
                        Root::Aggregate(b, i) => (*b, *i) == (at, index as u32),
                        Root::Local(local) => dest.steps.is_empty() && *local == dest.local,
                        Root::Saved(known) => saved == Some(*known),
                        _ => false,
                    });
                }
                StatementKind::StorageDead(local) => {
                    state.retain(|held| held.holder != Holder::Local(*local))
                }
                StatementKind::SetDiscriminant(..) => {}
            }
        }
        at_end[at as usize].clone_from(&state);
        match &block.terminator {
            Terminator::Call(call) => {
                apply_call(frame, tokens, &mut state, at, call);
                let saved = saved_as_whole(frame, &call.dest);
                renew(tokens, &mut state, |root| match root {
                    Root::Call(block) => *block == at,
                    Root::Local(local) => call.dest.steps.is_empty() && *local == call.dest.local,
                    Root::Saved(known) => saved == Some(*known),
                    _ => false,
                });
                for (token, steps) in &tokens.transfers[at as usize].made {
                    let (holder, mut prefix) = key(frame, &call.dest);
                    prefix.extend(steps);
                    state.insert(Held::new(*token, holder, prefix));
                }
            }
            Terminator::Drop(place, _) => remove(frame, tokens, &mut state, place),
            _ => {}
        }
        for target in &graph.next[at as usize] {
            let mut state = state.clone();
            refine(frame, tokens, &mut state, at, *target);
            let known = &mut entry[*target as usize];
            let grows = match known {
                Some(known) => {
                    let before = known.len();
                    known.extend(state);
                    known.len() > before
                }
                None => {
                    *known = Some(state);
                    true
                }
            };
            if grows && !std::mem::replace(&mut queued[*target as usize], true) {
                work.push_back(*target);
            }
        }
    }
    at_end
}

/// The saved local of a coroutine that a place is the whole of.
fn saved_as_whole(frame: &Frame<'_, '_>, place: &Place<'_>) -> Option<SavedLocal> {
    SavedLocal::of(place, frame.coroutine()?).filter(|_| place.steps.len() == 3)
}

/// The holder and fields that a place is, behind the references made in this body.
pub(crate) fn key<'a>(frame: &Frame<'_, 'a>, place: &Place<'a>) -> (Holder, Vec<u32>) {
    let place = frame.canonical(place);
    match frame.coroutine().and_then(|coroutine| SavedLocal::of(&place, coroutine)) {
        Some(saved) => (Holder::Saved(saved), fields(&place.steps[3..])),
        None => (Holder::Local(place.local), fields(&place.steps)),
    }
}

pub(crate) fn fields(steps: &[Step<'_>]) -> Vec<u32> {
    let numbers = steps.iter().filter_map(|step| match step {
        Step::Field(number, _) => Some(*number),
        Step::Deref | Step::Variant(_) | Step::Index => None,
    });
    numbers.collect()
}

/// The tokens that a place holds, as they stand in the state.
pub(crate) fn tokens_in<'a>(
    frame: &Frame<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &State,
    place: &Place<'a>,
) -> Vec<Held> {
    let (holder, steps) = key(frame, place);
    let may_hold = std::cell::OnceCell::new();
    let found = state.iter().filter(|held| {
        held.holder == holder
            && (held.steps.starts_with(&steps)
                || steps.starts_with(&held.steps)
                    && *may_hold.get_or_init(|| (tokens.owns)(frame.type_of(place))))
    });
    found.cloned().collect()
}

fn remove<'a>(frame: &Frame<'_, 'a>, tokens: &Tokens<'_>, state: &mut State, place: &Place<'a>) {
    if !state.is_empty() {
        for held in tokens_in(frame, tokens, state, place) {
            state.remove(&held);
        }
    }
}

fn assign<'a>(
    frame: &Frame<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &mut State,
    dest: &Place<'a>,
    value: &Rvalue<'a>,
) {
    if state.is_empty() {
        return;
    }
    match value {
        Rvalue::Use(Operand::Move(from)) | Rvalue::Cast(Operand::Move(from), _) => {
            let moved = carried(frame, tokens, state, from);
            remove(frame, tokens, state, dest);
            let (holder, steps) = key(frame, dest);
            insert_all(state, moved, holder, &steps);
        }
        Rvalue::Aggregate(_, values) => {
            let mut moved = Vec::new();
            for (index, value) in values.iter().enumerate() {
                if let Operand::Move(from) = value {
                    moved.push((index as u32, carried(frame, tokens, state, from)));
                }
            }
            remove(frame, tokens, state, dest);
            let (holder, mut steps) = key(frame, dest);
            for (index, held) in moved {
                steps.push(index);
                insert_all(state, held, holder, &steps);
                steps.pop();
            }
        }
        _ => remove(frame, tokens, state, dest),
    }
}

/// Takes the tokens of a place out of the state, with what follows the place's own fields.
fn carried<'a>(
    frame: &Frame<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &mut State,
    from: &Place<'a>,
) -> Vec<(u32, bool, Vec<u32>)> {
    let (_, from_steps) = key(frame, from);
    let mut taken = Vec::new();
    for held in tokens_in(frame, tokens, state, from) {
        state.remove(&held);
        let rest = held.steps.get(from_steps.len()..).unwrap_or(&[]).to_vec();
        taken.push((held.token, held.stale, rest));
    }
    taken
}

fn insert_all(state: &mut State, moved: Vec<(u32, bool, Vec<u32>)>, holder: Holder, steps: &[u32]) {
    for (token, stale, rest) in moved {
        // A guard nested deeper than this is in no program; the bound keeps the states finite.
        let steps = steps.iter().copied().chain(rest).take(8).collect();
        state.insert(Held { token, holder, steps, stale });
    }
}

/// Moves the tokens of a call's arguments to where the call leaves them.
fn apply_call<'a>(
    frame: &Frame<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &mut State,
    at: u32,
    call: &crate::lint::mir::model::Call<'a>,
) {
    if state.is_empty() {
        return;
    }
    let transfer = &tokens.transfers[at as usize];
    let callee = call.callee();
    let result_holds = (tokens.owns)(frame.type_of(&call.dest));
    let mut to_result = Vec::new();
    let mut left = Vec::new();
    for (index, arg) in call.args.iter().enumerate() {
        match arg {
            Operand::Move(from) => {
                let ty = frame.type_of(from);
                if types::is_reference(ty) {
                    // `Option::take(&mut slot)`: what the reference leads to comes out by value.
                    let behind = Place {
                        local: from.local,
                        steps: from.steps.iter().copied().chain([Step::Deref]).collect(),
                    };
                    let mutable = ty.contains("mut ");
                    if mutable && callee.is_some_and(empties) {
                        remove(frame, tokens, state, &behind);
                    }
                    if mutable
                        && result_holds
                        && transfer.passed.is_none()
                        && callee.is_some_and(takes_out)
                    {
                        to_result.extend(carried(frame, tokens, state, &behind));
                    }
                    continue;
                }
                let moved = carried(frame, tokens, state, from);
                if callee.is_some_and(forgets) {
                    insert_all(state, moved, Holder::Forgotten, &[]);
                } else if result_holds {
                    to_result.extend(moved.into_iter().filter(|(_, _, fields)| {
                        transfer.passed.as_ref().is_none_or(|passed| {
                            passed.iter().any(|(number, part)| {
                                *number == index as u32
                                    && (fields.starts_with(part) || part.starts_with(fields))
                            })
                        })
                    }));
                } else if transfer.passed.is_none() {
                    left.extend(moved);
                }
            }
            Operand::Copy(_) | Operand::Const(_) => {}
        }
    }
    remove(frame, tokens, state, &call.dest);
    let (holder, steps) = key(frame, &call.dest);
    // The inner structure is the callee's affair: the result as a whole holds what came in. Only of
    // the library's own wrappers is it known.
    let inner = to_result.into_iter().map(|(token, stale, fields)| {
        let fields = match callee.map_or(Wrapping::Unknown, wrapping) {
            Wrapping::Kept => fields,
            Wrapping::Removed => fields.get(1..).unwrap_or(&[]).to_vec(),
            Wrapping::Unknown => Vec::new(),
        };
        (token, stale, fields)
    });
    insert_all(state, inner.collect(), holder, &steps);
    if !left.is_empty() {
        // `guards.push(guard)`: the value behind another argument takes it.
        let taker = call.args.iter().find_map(|arg| {
            let place = arg.place()?;
            let ty = frame.type_of(place);
            let takes = ty.contains("mut ") && types::is_reference(ty);
            (takes && (tokens.owns)(types::peel(ty))).then(|| Place {
                local: place.local,
                steps: place.steps.iter().copied().chain([Step::Deref]).collect(),
            })
        });
        if let Some(taker) = taker {
            let (holder, _) = key(frame, &taker);
            let whole = left.into_iter().map(|(token, _, _)| (token, true, Vec::new())).collect();
            insert_all(state, whole, holder, &[]);
        }
    }
}

/// Marks the tokens of objects that a definition replaces by those of the next round.
fn renew(tokens: &Tokens<'_>, state: &mut State, is_replaced: impl Fn(&Root) -> bool) {
    let replaced: Vec<Held> = state
        .iter()
        .filter(|held| {
            !held.stale
                && tokens.paths.get(held.token as usize).is_some_and(|path| is_replaced(&path.root))
        })
        .cloned()
        .collect();
    for mut held in replaced {
        state.remove(&held);
        held.stale = true;
        state.insert(held);
    }
}

/// Takes out what the way from a switch to a target rules out.
fn refine<'a>(frame: &Frame<'_, 'a>, tokens: &Tokens<'_>, state: &mut State, at: u32, target: u32) {
    if state.is_empty() {
        return;
    }
    let Some(condition) = condition(frame, at) else { return };
    let blocks = &frame.function.body.blocks;
    let Terminator::Switch(_, cases, otherwise) = &blocks[at as usize].terminator else { return };
    let case = cases.iter().find(|case| case.1 == target).map(|case| case.0);
    let by_default = *otherwise == Some(target);
    match condition {
        Condition::Variant(place) => {
            // Of two variants, what is not the one that is listed is the other.
            let variant = match cases.as_slice() {
                [(only @ (0 | 1), at)] if by_default && *at != target => Some(1 - only),
                _ => case.filter(|_| !by_default),
            };
            if variant.is_some_and(|variant| is_empty(tokens, frame.type_of(place), variant)) {
                remove(frame, tokens, state, place);
            }
        }
        Condition::Value if frame.is_tested(at).is_some() => {
            // `is_none()` and the like: what is tested holds nothing on one way.
            let Some((place, variant)) = frame.is_tested(at) else { return };
            let variant = if case == Some(0) { 1 - variant } else { variant };
            if is_empty(tokens, frame.type_of(&place), variant) {
                remove(frame, tokens, state, &place);
            }
        }
        Condition::Value if case == Some(0) && !by_default => {
            // A drop flag: the other way leads straight to a drop of what is gone on this one.
            for other in cases.iter().map(|case| case.1).chain(*otherwise) {
                let block = &blocks[other as usize];
                if other != target
                    && block.statements.is_empty()
                    && let Terminator::Drop(place, _) = &block.terminator
                {
                    remove(frame, tokens, state, place);
                }
            }
        }
        Condition::Value => {}
    }
}

/// Whether a variant of `Option`, `Result` and their like has nothing in it that holds a token.
fn is_empty(tokens: &Tokens<'_>, ty: &str, variant: u128) -> bool {
    let part = match (types::short(ty), variant) {
        ("Option", 0) | ("Poll", 1) => return true,
        ("Result", _) => variant,
        // `ControlFlow` has what goes on first; `branch` puts what breaks in variant 1.
        ("ControlFlow", 0 | 1) => 1 - variant,
        _ => return false,
    };
    let part = types::arguments(ty).get(part as usize).copied();
    part.is_some_and(|ty| ty.contains("TryLockError") || !(tokens.owns)(ty))
}
