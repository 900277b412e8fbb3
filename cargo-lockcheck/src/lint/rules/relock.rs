//! `double-lock`, `recursive-read`, `same-class-nesting`, `drop-under-lock`, and `wait-while-holding` for
//! permits: a lock is asked for while the same one, or one of the same class, is held.
//!
//! Two locks are the same if they have the same path from the same parameter, static or local; through
//! an element of a collection, only if it is picked once for both. Reported where the body that holds the lock calls what takes it again.

use lockdep::finding::Rule;

use super::handles::drops_nothing;
use super::one_object::are_one;
use super::report::{chain_sites, edit, finding, held, let_go, lock, quoted, site, why_alive};
use crate::lint::apis::locks::Waiting;
use crate::lint::dataflow::facts::value;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::mir::model::{Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::fact::Value;
use crate::lint::summary::path::{Part, Path, Pick, Root};
use crate::lint::summary::{Acquired, LockUse};
use crate::report::model::{Finding, Mode};

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        for event in &analysis.events {
            let EventKind::Effect(Effect::Acquire(acquired, extra)) = &event.kind else { continue };
            if acquired.lock.wait != Waiting::Blocking {
                continue;
            }
            let extra: Vec<HeldLock> = extra
                .iter()
                .map(|(lock, chain)| HeldLock {
                    lock: lock.clone(),
                    chain: chain.clone(),
                    stale: false,
                    holder: None,
                })
                .collect();
            for held in held(event).chain(&extra) {
                findings.extend(pair(analyzed, id, event, held, acquired));
            }
        }
        for edge in &analysis.deferred_edges {
            let (held, asked) = (&edge.held, &edge.asked);
            if held.0.is_same(&asked.0) && asked.0.wait == Waiting::Blocking {
                let held = HeldLock {
                    lock: held.0.clone(),
                    chain: held.1.clone(),
                    stale: false,
                    holder: None,
                };
                let acquired = Acquired {
                    lock: asked.0.clone(),
                    chain: asked.1.clone(),
                    released: 0,
                    dropped: None,
                    needs: Vec::new(),
                };
                let Some(here) = asked.1.first().cloned() else { continue };
                let kind = EventKind::Await;
                let event = Event { block: 0, here, held: Vec::new(), kind };
                findings.extend(pair(analyzed, id, &event, &held, &acquired));
            }
        }
    }
}

fn pair(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    held: &HeldLock,
    acquired: &Acquired,
) -> Option<Finding> {
    let asked = &acquired.lock;
    if acquired.dropped.is_some() && drops_nothing(analyzed, id, event.block) {
        return None;
    }
    let is_other_way = || {
        held.lock.ty == asked.ty
            && held.lock.path != asked.path
            && !held.lock.is_handed_in()
            && are_one(analyzed, &held.lock.path, &asked.path)
    };
    let rule = if !held.stale && (held.lock.is_same(asked) || is_other_way()) {
        if acquired.chain.len() > 1 && lends_guard(analyzed, id, event.block) {
            return None;
        }
        conflict(&held.lock, asked)?
    } else if let Some(dropped) = &acquired.dropped {
        let may_be_same = match (&held.lock.class, &asked.class) {
            (Some(held), Some(asked)) => held == asked,
            _ => held.lock.ty == asked.ty,
        };
        let comes_from_it = may_be_same
            && held.lock.ty == asked.ty
            && !held.lock.is_handed_in()
            && (dropped.names.iter().any(|name| types::mentions(&held.lock.ty, name))
                || held.lock.class.is_some()
                    && !dropped.is_object
                    && is_shared(analyzed, id, asked));
        comes_from_it.then_some(Rule::DropUnderLock)?
    } else {
        is_unordered(analyzed, id, held, asked).then_some(Rule::SameClassNesting)?
    };
    let is_dropped = acquired.dropped.is_some() && rule != Rule::SameClassNesting;
    let rule = if is_dropped { Rule::DropUnderLock } else { rule };
    Some(worded(analyzed, id, event, held, acquired, rule))
}

/// Whether a lock is reached through a handle in a field, so that it may be one that others have too.
fn is_shared(analyzed: &Analyzed<'_, '_>, id: BodyId, lock: &LockUse) -> bool {
    let view = analyzed.view(id);
    lock.path.parts.iter().any(|part| match part {
        Part::Field { owner: Some(owner), variant, index } => {
            view.is_handle_field(owner, variant, *index)
        }
        _ => false,
    })
}

/// Whether a call is given a reference to a guard: the callee then knows what is held, and may
/// take the lock only when it is given none.
fn lends_guard(analyzed: &Analyzed<'_, '_>, id: BodyId, block: u32) -> bool {
    let view = analyzed.view(id);
    let Terminator::Call(call) = &view.function.body.blocks[block as usize].terminator else {
        return false;
    };
    call.args.iter().any(|arg| {
        let Some(ty) = view.operand_type(arg) else { return false };
        if value(&view, arg) == Value::Known(0) {
            return false;
        }
        let mut lent = ty.match_indices('&').map(|(at, _)| types::peel(&ty[at..]));
        lent.any(|ty| analyzed.program.owns_guard(ty.trim_end_matches('>')))
            || ty.contains('&') && ty.contains("Guard<")
    })
}

/// What taking a lock again that is held means.
fn conflict(held: &LockUse, asked: &LockUse) -> Option<Rule> {
    match (held.mode, asked.mode) {
        (Mode::Read, Mode::Read) if held.ty.contains("RwLock") => Some(Rule::RecursiveRead),
        (Mode::Read, Mode::Read) if held.ty.contains("Semaphore") => Some(Rule::WaitWhileHolding),
        (Mode::Read, Mode::Read) => None,
        (Mode::Upgradable, Mode::Read) | (Mode::Read, Mode::Upgradable) => None,
        _ => Some(Rule::DoubleLock),
    }
}

fn worded(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    held: &HeldLock,
    acquired: &Acquired,
    rule: Rule,
) -> Finding {
    let function = &analyzed.program.functions[id].display;
    let lock_name = quoted(&acquired.lock);
    let verb = |mode: Mode| match mode {
        Mode::Read => "reads",
        Mode::Write | Mode::Upgradable => "locks",
    };
    let through = match acquired.chain.get(1) {
        Some(next) => format!(" through `{}`", next.function),
        None => String::new(),
    };
    let asks = verb(acquired.lock.mode);
    let dropped = acquired.dropped.as_ref();
    let message = match rule {
        Rule::DropUnderLock => format!(
            "`{function}` drops a `{}`, whose `Drop` {asks} {lock_name}, while it holds {}",
            dropped.and_then(|dropped| dropped.names.first()).map_or("value", |name| name),
            quoted(&held.lock),
        ),
        Rule::SameClassNesting => format!(
            "`{function}` {asks} {lock_name} of one value{through} while it holds that of another, \
             in no order that is the same for all threads"
        ),
        Rule::RecursiveRead => format!(
            "`{function}` reads {lock_name} again{through} while it reads it already; it blocks \
             once a writer waits in between"
        ),
        Rule::WaitWhileHolding => format!(
            "`{function}` waits for permits of {lock_name}{through} while it holds some: once all \
             are held by those who wait so, none is given back"
        ),
        _ => format!(
            "`{function}` {asks} {lock_name}{through} while it holds it already, which blocks for \
             ever"
        ),
    };
    let mut sites = Vec::new();
    sites.extend(
        held.chain.first().map(|at| site(at, format!("{} is taken here", quoted(&held.lock)))),
    );
    let end = match rule {
        Rule::SameClassNesting => "asks for the other one here",
        _ => "asks for it again here",
    };
    sites.extend(chain_sites(&acquired.chain, end));
    let mut finding = finding(rule, message, vec![lock(analyzed, id, &acquired.lock)], sites);
    finding.notes.push(why_alive(analyzed, id, held));
    if rule != Rule::SameClassNesting {
        finding.suggestion = edit(analyzed, id, held, &event.here);
    }
    let help = match rule {
        Rule::SameClassNesting => {
            "lock the two in an order of their own, such as by address or by a key, and return \
             early when they are the same"
                .to_owned()
        }
        _ => let_go(held, &event.here, finding.suggestion.as_ref()),
    };
    finding.help.push(help);
    finding
}

/// The locals with the numbers of two elements of one collection, whose same lock two paths are.
fn two_elements(held: &Path, asked: &Path) -> Option<[u32; 2]> {
    if held.root != asked.root || held.parts.len() != asked.parts.len() {
        return None;
    }
    let mut found = None;
    for pair in held.parts.iter().zip(&asked.parts).filter(|(a, b)| a != b) {
        match pair {
            (Part::Element(Pick::Number(a)), Part::Element(Pick::Number(b))) if found.is_none() => {
                found = Some([*a, *b]);
            }
            _ => return None,
        }
    }
    found
}

/// Two values of one type, both handed in, or two elements by numbers that are, or that begin again from
/// the front, whose same lock is taken: `a == b` and `b == a` take them in either order. Silent when the body compares the two in any way, or when the inner one is
/// said to be of another level.
fn is_unordered(analyzed: &Analyzed<'_, '_>, id: BodyId, held: &HeldLock, asked: &LockUse) -> bool {
    if asked.is_nested {
        return false;
    }
    let (Some(held_class), Some(asked_class)) = (&held.lock.class, &asked.class) else {
        return false;
    };
    if let Some(elements) = two_elements(&held.lock.path, &asked.path) {
        let params = analyzed.program.functions[id].body.params as u32;
        let view = analyzed.view(id);
        let is_free = |number: &u32| (1..=params).contains(number) || view.wraps_around(*number);
        return held_class == asked_class
            && !held.stale
            && elements.iter().all(is_free)
            && !compares(analyzed, id, &held.lock.path, elements);
    }
    let (Root::Param(first), Root::Param(second)) = (&held.lock.path.root, &asked.path.root) else {
        return false;
    };
    let single = |path: &Path| path.is_single() && !path.parts.is_empty();
    if held_class != asked_class
        || first == second
        || held.lock.path.parts != asked.path.parts
        || !single(&asked.path)
    {
        return false;
    }
    let body = &analyzed.program.functions[id].body;
    let ty =
        |number: u32| types::peel(body.locals.get(number as usize).map_or("", |local| local.ty));
    ty(*first) == ty(*second) && !compares(analyzed, id, &held.lock.path, [*first, *second])
}

/// Whether a body compares addresses, or values that may stand for an order of the two in whose lock
/// `held` is. What the lock itself protects is known only when it is held, and what neither of the two
/// has says nothing of them.
fn compares(analyzed: &Analyzed<'_, '_>, id: BodyId, held: &Path, two: [u32; 2]) -> bool {
    let view = analyzed.view(id);
    let body = &view.function.body;
    let is_apart = |operand: &Operand<'_>| {
        let path = view.operand(operand);
        let is_protected = path.root == held.root
            && path
                .parts
                .strip_prefix(held.parts.as_slice())
                .is_some_and(|rest| rest.first() == Some(&Part::Protected));
        let is_of_third = matches!(path.root, Root::Param(number) if !two.contains(&number));
        is_protected || is_of_third
    };
    body.blocks.iter().filter(|block| !block.cleanup).any(|block| {
        block.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Aggregate(name, values)) => {
                matches!(*name, "Lt" | "Gt" | "Le" | "Ge" | "Eq" | "Ne")
                    && values
                        .iter()
                        .filter_map(|value| view.operand_type(value))
                        .any(|ty| ty.starts_with('*'))
                    || matches!(*name, "Lt" | "Gt" | "Le" | "Ge") && !values.iter().any(is_apart)
            }
            _ => false,
        })
    }) || body.calls().any(|(_, call)| {
        let Some(text) = call.callee().map(|callee| callee.text) else { return false };
        let is_order = text.contains("PartialOrd") || text.ends_with("::cmp");
        ["ptr_eq", "ptr::eq", "::addr_eq"].iter().any(|name| text.contains(name))
            || is_order && !call.args.iter().any(is_apart)
    })
}
