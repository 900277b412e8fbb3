//! Which guards may be alive where: a forward dataflow over a body's blocks.
//!
//! A token stands for something that is released when the value that holds it is dropped: a lock
//! through its guard, a channel's sender. The flow follows it through moves, fields, returns and
//! one-armed drops. Drop flags and the variants of `Option`, `Result` and `Poll` are followed, so
//! that a path on which the value is gone does not carry it. Unwinding is not followed.

use std::collections::VecDeque;

use super::flow::Flow;
use super::refine::refine;
use super::tokens::{Held, Holder, State, Tokens, key, remove, saved_as_whole, tokens_in};
use super::view::BodyView;
use crate::lint::apis::moves::{Wrapping, empties, forgets, takes_out, wrapping};
use crate::lint::mir::model::{Call, Operand, Place, Rvalue, StatementKind, Step, Terminator};
use crate::lint::mir::types;
use crate::lint::summary::path::{Path, Pick, Root};

/// The tokens alive at each block's terminator.
pub(crate) fn flow(view: &BodyView<'_, '_>, graph: &Flow, tokens: &Tokens<'_>) -> Vec<State> {
    let blocks = &view.function.body.blocks;
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
                    assign(view, tokens, &mut state, dest, value);
                    let saved = saved_as_whole(view, dest);
                    let number = Pick::Number(dest.local);
                    renew(tokens, &mut state, |path| {
                        dest.steps.is_empty() && path.has(&number)
                            || match &path.root {
                                Root::Aggregate(b, i) => (*b, *i) == (at, index as u32),
                                Root::Local(local) => dest.steps.is_empty() && *local == dest.local,
                                Root::Saved(known) => saved == Some(*known),
                                _ => false,
                            }
                    });
                }
                StatementKind::StorageDead(local) => {
                    state.retain(|held| held.holder() != Holder::Local(*local))
                }
                StatementKind::SetDiscriminant(..) => {}
            }
        }
        at_end[at as usize].clone_from(&state);
        match &block.terminator {
            Terminator::Call(call) => {
                apply_call(view, tokens, &mut state, at, call);
                let saved = saved_as_whole(view, &call.dest);
                let picks = [Pick::Call(at), Pick::Number(call.dest.local)];
                renew(tokens, &mut state, |path| {
                    picks.iter().any(|pick| path.has(pick))
                        || match &path.root {
                            Root::Call(block) => *block == at,
                            Root::Local(local) => {
                                call.dest.steps.is_empty() && *local == call.dest.local
                            }
                            Root::Saved(known) => saved == Some(*known),
                            _ => false,
                        }
                });
                for (token, steps) in &tokens.transfers[at as usize].made {
                    let (holder, mut prefix) = key(view, &call.dest);
                    prefix.extend(steps);
                    state.insert(Held::new(*token, holder, prefix));
                }
            }
            Terminator::Drop(place, _) => remove(view, tokens, &mut state, place),
            _ => {}
        }
        for target in &graph.next[at as usize] {
            let mut state = state.clone();
            refine(view, tokens, &mut state, at, *target);
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

fn assign<'a>(
    view: &BodyView<'_, 'a>,
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
            let moved = carried(view, tokens, state, from);
            remove(view, tokens, state, dest);
            let (holder, steps) = key(view, dest);
            insert_all(state, moved, holder, &steps);
        }
        Rvalue::Aggregate(_, values) => {
            let mut moved = Vec::new();
            for (index, value) in values.iter().enumerate() {
                if let Operand::Move(from) = value {
                    moved.push((index as u32, carried(view, tokens, state, from)));
                }
            }
            remove(view, tokens, state, dest);
            let (holder, mut steps) = key(view, dest);
            for (index, held) in moved {
                steps.push(index);
                insert_all(state, held, holder, &steps);
                steps.pop();
            }
        }
        _ => remove(view, tokens, state, dest),
    }
}

/// Takes the tokens of a place out of the state, with what follows the place's own fields.
fn carried<'a>(
    view: &BodyView<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &mut State,
    from: &Place<'a>,
) -> Vec<(u32, bool, Vec<u32>)> {
    let (_, from_steps) = key(view, from);
    let mut taken = Vec::new();
    for held in tokens_in(view, tokens, state, from) {
        state.remove(&held);
        let rest = held.fields().get(from_steps.len()..).unwrap_or(&[]).to_vec();
        taken.push((held.token, held.stale, rest));
    }
    taken
}

fn insert_all(state: &mut State, moved: Vec<(u32, bool, Vec<u32>)>, holder: Holder, steps: &[u32]) {
    for (token, stale, rest) in moved {
        // A guard nested deeper than this is in no program; the bound keeps the states finite.
        let steps = steps.iter().copied().chain(rest).take(8).collect();
        let mut held = Held::new(token, holder, steps);
        held.stale = stale;
        state.insert(held);
    }
}

/// Moves the tokens of a call's arguments to where the call leaves them.
fn apply_call<'a>(
    view: &BodyView<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &mut State,
    at: u32,
    call: &Call<'a>,
) {
    if state.is_empty() {
        return;
    }
    let transfer = &tokens.transfers[at as usize];
    let callee = call.callee();
    let result_holds = (tokens.owns)(view.type_of(&call.dest));
    let mut to_result = Vec::new();
    let mut left = Vec::new();
    for (index, arg) in call.args.iter().enumerate() {
        match arg {
            Operand::Move(from) => {
                let ty = view.type_of(from);
                if types::is_reference(ty) {
                    // `Option::take(&mut slot)`: what the reference leads to comes out by value.
                    let behind = Place {
                        local: from.local,
                        steps: from.steps.iter().copied().chain([Step::Deref]).collect(),
                    };
                    let (holder, fields) = key(view, &behind);
                    for (_, part) in
                        transfer.released.iter().filter(|(number, _)| *number == index as u32)
                    {
                        let part: Vec<u32> = fields.iter().chain(part).copied().collect();
                        state.retain(|held| {
                            held.holder() != holder || !held.fields().starts_with(&part)
                        });
                    }
                    let mutable = ty.contains("mut ");
                    if mutable && callee.is_some_and(empties) {
                        remove(view, tokens, state, &behind);
                    }
                    if mutable
                        && result_holds
                        && transfer.passed.is_none()
                        && callee.is_some_and(takes_out)
                    {
                        to_result.extend(carried(view, tokens, state, &behind));
                    }
                    continue;
                }
                let moved = carried(view, tokens, state, from);
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
    remove(view, tokens, state, &call.dest);
    let (holder, steps) = key(view, &call.dest);
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
            let ty = view.type_of(place);
            let takes = ty.contains("mut ") && types::is_reference(ty);
            (takes && (tokens.owns)(types::peel(ty))).then(|| Place {
                local: place.local,
                steps: place.steps.iter().copied().chain([Step::Deref]).collect(),
            })
        });
        if let Some(taker) = taker {
            let (holder, _) = key(view, &taker);
            let whole = left.into_iter().map(|(token, _, _)| (token, true, Vec::new())).collect();
            insert_all(state, whole, holder, &[]);
        }
    }
}

/// Marks the tokens of objects that a definition replaces by those of the next round.
fn renew(tokens: &Tokens<'_>, state: &mut State, is_replaced: impl Fn(&Path) -> bool) {
    let replaced: Vec<Held> = state
        .iter()
        .filter(|held| {
            !held.stale && tokens.paths.get(held.token as usize).is_some_and(&is_replaced)
        })
        .cloned()
        .collect();
    for mut held in replaced {
        state.remove(&held);
        held.stale = true;
        state.insert(held);
    }
}
