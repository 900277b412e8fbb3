//! One body: its guards, where they are alive, and what happens meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::call::plan;
use super::effect::{Plan, location};
use super::events::{Analysis, EventKind};
use super::handed_in::{guard_fields, is_value_parameter};
use super::summarize::{Builder, returned};
use crate::lint::apis::locks::Waiting;
use crate::lint::dataflow::facts::Facts;
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::guards;
use crate::lint::dataflow::tokens::{Held, Holder, State, Tokens, Transfer};
use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::model::{BodyKind, Span, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::{BodyId, Program};
use crate::lint::summary::path::{Path, Root};
use crate::lint::summary::{CallPath, LockUse, Origin, Summaries, Summary};
use crate::report::model::Mode;

/// Analyses one body.
pub(super) fn analyze(
    program: &Program<'_>,
    id: BodyId,
    summaries: Summaries<'_>,
) -> (Analysis, Summary) {
    let view = BodyView::new(program, id, summaries);
    let body = &view.function.body;
    if body.kind != BodyKind::Fn {
        return (Analysis::default(), Summary::default());
    }
    let graph = Flow::new(&view);
    let mut plans: Vec<Plan> = (0..body.blocks.len() as u32)
        .map(|block| match graph.dead.contains(&block) {
            true => Plan::default(),
            false => plan(&view, block),
        })
        .collect();

    // The tokens: one for each guard a call makes, and one for each guard handed in.
    let mut locks: Vec<(LockUse, CallPath)> = Vec::new();
    let mut initial = State::new();
    let mut params = Vec::new();
    let mut unknown = HashSet::new();
    let mut lent = Vec::new();
    for number in 1..=body.params as u32 {
        let ty = body.locals[number as usize].ty;
        let is_guard = program.owns_guard(ty);
        let is_captures = number == 1 && view.function.is_closure();
        // What is lent may be let go of, which is the caller's to know.
        let is_lent = types::is_mutable(ty) && program.owns_guard(types::peel(ty));
        // A value of a generic type may be a guard; what becomes of it is the caller's to know.
        if is_guard || is_captures || is_lent || is_value_parameter(ty) {
            for fields in guard_fields(program, view.function, number) {
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
                locks.push((lock, vec![location(&view, body.span)]));
                initial.insert(Held::new(token, Holder::Local(number), fields.clone()));
                params.push((token, number, fields.clone()));
                if !is_guard && !is_captures {
                    unknown.insert(token);
                }
                if is_lent {
                    lent.push((token, number, fields));
                }
            }
        }
    }
    let mut makers = HashMap::new();
    for (at, plan) in plans.iter_mut().enumerate() {
        for (lock, chain, fields) in std::mem::take(&mut plan.result) {
            makers.insert(locks.len() as u32, at as u32);
            plan.transfer.made.push((locks.len() as u32, fields));
            locks.push((lock, chain));
        }
    }
    let transfers: Vec<Transfer> = plans.iter().map(|plan| plan.transfer.clone()).collect();
    let paths: Vec<Path> = locks.iter().map(|lock| lock.0.path.clone()).collect();
    let is_generic = unknown.len() > lent.len();
    let owns =
        |ty: &str| program.owns_guard(ty) || is_generic && types::owns(ty, &is_value_parameter);
    let tokens = Tokens { paths: &paths, initial, transfers: &transfers, owns: &owns };
    let is_flat = locks.is_empty();
    let has_effects = !is_flat || plans.iter().any(|plan| !plan.effects.is_empty());
    let facts = if has_effects { Facts::new(&view, &graph) } else { Facts::default() };
    let mut states = if is_flat {
        vec![State::new(); body.blocks.len()]
    } else {
        guards::flow(&view, &graph, &tokens)
    };
    // What is taken on one way is not held on another, though the two meet between.
    for (at, state) in states.iter_mut().enumerate() {
        state.retain(|held| {
            let made = makers.get(&held.token);
            made.is_none_or(|made| !facts.exclude(*made, at as u32))
        });
    }

    let mut builder = Builder {
        view: &view,
        locks: &locks,
        params: &params,
        unknown: &unknown,
        analysis: Analysis { cycle: graph.cycle.clone(), ..Analysis::default() },
        summary: Summary { returned: returned(&view), ..Summary::default() },
        acquired: HashMap::new(),
        facts: &facts,
        flow: &graph,
    };
    for (at, plan) in plans.into_iter().enumerate() {
        builder.block(at as u32, plan, &states[at], &tokens);
        if graph.suspensions.contains(&(at as u32)) {
            let span = suspension_span(&view, at);
            let here = location(&view, span);
            builder.event(at as u32, here, &states[at], EventKind::Await);
        } else if matches!(body.blocks[at].terminator, Terminator::Return) {
            builder.returns(&states[at]);
        }
    }
    let returns = body.blocks.iter().zip(&states);
    let returned: Vec<&State> = returns
        .filter(|(block, _)| matches!(block.terminator, Terminator::Return))
        .map(|(_, state)| state)
        .collect();
    let mut summary = builder.summary;
    summary.released = lent
        .into_iter()
        .filter(|(token, ..)| {
            !returned.is_empty()
                && returned.iter().all(|state| state.iter().all(|held| held.token != *token))
        })
        .map(|(_, number, fields)| (number - 1, fields))
        .collect();
    (builder.analysis, summary)
}

/// Where the `.await` of a suspension stands.
fn suspension_span<'a>(view: &BodyView<'_, 'a>, block: usize) -> Span<'a> {
    let block = &view.function.body.blocks[block];
    let named = block.statements.iter().find(|statement| match &statement.kind {
        StatementKind::Assign(dest, _) => dest.local == 0,
        _ => false,
    });
    named.map_or(block.span, |statement| statement.span)
}
