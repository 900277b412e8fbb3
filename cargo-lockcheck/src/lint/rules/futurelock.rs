//! `futurelock` in the source: a task polls a future by reference, goes on without it while it lives, and
//! awaits a lock that this future may hold, or be the next to get.
//!
//! The future is a coroutine of the program that a `select!`, a `timeout` or a buffering stream polls. From
//! there on all ways are followed on which the other side has ended, up to the next mention of the future.
//! Only a lock that is the same object by its path is told of, and only one that others can keep long
//! enough for the future to wait for it. A future or stream whose type is not known is not looked at.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lockdep::finding::Rule;

use super::report::{chain_sites, finding, lock, quoted, site};
use crate::lint::apis::futures::{Polled, behind_reference, is_push, kept_by_stream, polled};
use crate::lint::apis::locks::Waiting;
use crate::lint::dataflow::class_of::class_of;
use crate::lint::dataflow::flow::{Condition, Flow, condition};
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::{Effect, location_of};
use crate::lint::effects::events::EventKind;
use crate::lint::mir::model::{Call, Operand, Place, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::path::{Path, Root};
use crate::lint::summary::{Acquired, LockUse, innermost};
use crate::report::model::{Finding, Mode};

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let mut contended = None;
    for (id, function) in analyzed.program.functions.iter().enumerate() {
        if !function.is_coroutine() || !asks_for_locks(analyzed, id) {
            continue;
        }
        let view = analyzed.view(id);
        for left in left_alive(analyzed, &view) {
            let contended = contended.get_or_insert_with(|| Contended::new(analyzed));
            findings.extend(told(analyzed, &view, &left, contended));
        }
    }
}

/// Whether a body awaits a lock of tasks, itself or in what it awaits.
fn asks_for_locks(analyzed: &Analyzed<'_, '_>, id: BodyId) -> bool {
    analyzed.analyses[id].events.iter().any(|event| match &event.kind {
        EventKind::Effect(Effect::Acquire(acquired, _)) => is_awaited(acquired),
        _ => false,
    })
}

fn is_awaited(acquired: &Acquired) -> bool {
    acquired.lock.is_async && acquired.lock.wait == Waiting::Blocking
}

/// A future that lives on, and may be unfinished, when what has polled it ends.
struct Left {
    /// The block that polls what polls it.
    block: u32,
    /// The variants, by number, of the result of that in which it may be unfinished.
    unfinished: Unfinished,
    /// What it is or is in, as an object of the body.
    root: Root,
    /// The futures that it is or has.
    futures: Vec<Future>,
    /// How it is polled.
    how: Polled,
}

/// A future of the program, in the words of a body that has it.
struct Future {
    /// Its body.
    body: BodyId,
    /// Where it is made.
    made: Made,
}

/// Where a future is made.
enum Made {
    /// In the body itself, as this object.
    Here(Path),
    /// By a closure of the body, as this object of the closure's; then the closure's captures.
    ByClosure(BodyId, Path, Path),
}

impl Future {
    /// The locks of tasks that it waits for, as a body knows them that has it.
    fn locks(&self, analyzed: &Analyzed<'_, '_>, view: &BodyView<'_, '_>) -> Vec<Acquired> {
        let summary = analyzed.summaries[self.body].as_ref();
        let acquired = summary.into_iter().flat_map(|summary| &summary.acquired);
        let put = |view: &BodyView<'_, '_>, path: &Path, first: &Path| {
            view.substitute_with(path, &|number| match number {
                1 => first.clone(),
                _ => Path::new(Root::Unknown),
            })
        };
        let named = acquired.filter(|acquired| is_awaited(acquired)).map(|acquired| {
            let path = match &self.made {
                Made::Here(made) => put(view, &acquired.lock.path, made),
                Made::ByClosure(closure, made, captures) => {
                    let inner = put(&analyzed.view(*closure), &acquired.lock.path, made);
                    put(view, &inner, captures)
                }
            };
            let class = acquired.lock.class.clone().or_else(|| class_of(view, &path));
            let lock = LockUse { path, class, ..acquired.lock.clone() };
            Acquired { lock, ..acquired.clone() }
        });
        named.collect()
    }
}

/// In which variants of a result a future may be unfinished.
#[derive(Clone, Copy)]
enum Unfinished {
    /// In all but this one.
    AllBut(u128),
    /// In this one.
    Only(u128),
}

impl Unfinished {
    fn has(self, variant: u128) -> bool {
        match self {
            Unfinished::AllBut(other) => variant != other,
            Unfinished::Only(only) => variant == only,
        }
    }
}

/// The futures that a body leaves alive behind something that has polled them.
fn left_alive(analyzed: &Analyzed<'_, '_>, view: &BodyView<'_, '_>) -> Vec<Left> {
    let blocks = &view.function.body.blocks;
    let mut found = Vec::new();
    for (block, call) in view.function.body.calls() {
        let Some(callee) = call.callee() else { continue };
        if (callee.trait_name, callee.name()) != (Some("Future"), "poll") {
            continue;
        }
        let Some(Path { root: Root::Call(made), parts }) =
            call.args.first().map(|future| view.operand(future))
        else {
            continue;
        };
        let Terminator::Call(maker) = &blocks[made as usize].terminator else { continue };
        let Some(how) = maker.callee().and_then(polled).filter(|_| parts.is_empty()) else {
            continue;
        };
        let mut add = |future: &Operand<'_>, unfinished| {
            let ty = view.operand_type(future).and_then(behind_reference);
            let body = ty.and_then(|ty| analyzed.program.closure(view.function.unit, ty));
            let path = view.operand(future);
            if let Some(body) = body.filter(|_| is_kept(&path)) {
                let root = path.root.clone();
                let futures = vec![Future { body, made: Made::Here(path) }];
                found.push(Left { block, unfinished, root, futures, how });
            }
        };
        match how {
            Polled::Captured => {
                for (number, future) in captured(view, maker) {
                    add(&future, Unfinished::AllBut(number));
                }
            }
            Polled::Arguments => {
                for (number, future) in (0..).zip(&maker.args) {
                    add(future, Unfinished::AllBut(number));
                }
            }
            Polled::Limited => {
                if let Some(future) = maker.args.get(1) {
                    add(future, Unfinished::AllBut(0));
                }
            }
            Polled::Stream => found.extend(of_stream(analyzed, view, block, maker)),
        }
    }
    found
}

/// Whether a path is of something that the body has made, so that all that is done with it is seen.
fn is_kept(path: &Path) -> bool {
    path.parts.is_empty() && matches!(path.root, Root::Call(_) | Root::Aggregate(..))
}

/// The futures that a closure polls, with the numbers of their variants.
fn captured<'a>(view: &BodyView<'_, 'a>, maker: &Call<'a>) -> Vec<(u128, Operand<'a>)> {
    let aggregate = |path: Path| {
        let Path { root: Root::Aggregate(block, index), parts } = path else { return None };
        let block = view.function.body.blocks.get(block as usize)?;
        match &block.statements.get(index as usize)?.kind {
            StatementKind::Assign(_, Rvalue::Aggregate(name, values)) if parts.is_empty() => {
                Some((*name, values.clone()))
            }
            _ => None,
        }
    };
    let closure = maker.args.first().and_then(|closure| aggregate(view.operand(closure)));
    let Some((_, captures)) = closure.filter(|(name, _)| name.starts_with('{')) else {
        return Vec::new();
    };
    let tuples = captures.iter().filter_map(|value| {
        // The tuple is behind references: what those lead to is it.
        let is_tuple = view.operand_type(value).is_some_and(|ty| types::peel(ty).starts_with('('));
        aggregate(view.operand(value)).filter(|(name, _)| is_tuple && name.is_empty())
    });
    let of_tuple: Vec<_> = tuples.flat_map(|(_, values)| (0..).zip(values)).collect();
    match of_tuple.is_empty() {
        true => (0..).zip(captures).collect(),
        false => of_tuple,
    }
}

/// The futures that a stream has begun when it gives out an item.
fn of_stream(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    block: u32,
    maker: &Call<'_>,
) -> Option<Left> {
    let program = analyzed.program;
    let unit = view.function.unit;
    let stream = maker.args.first()?;
    let path = view.operand(stream);
    if !is_kept(&path) {
        return None;
    }
    let mut futures = Vec::new();
    // A future that a closure makes, out of what the closure has captured.
    let made_by = |closure: &str, wanted: Option<BodyId>| {
        let (body, site) = (program.closure(unit, closure)?, view.closure_site(closure)?);
        let inner = analyzed.view(body);
        let future = program.closure(unit, inner.function.body.locals[0].ty)?;
        let made = Made::ByClosure(body, inner.local(0), site);
        wanted.is_none_or(|wanted| wanted == future).then_some(Future { body: future, made })
    };
    for ty in kept_by_stream(view.operand_type(stream)?) {
        if ty.starts_with("{closure@") {
            futures.extend(made_by(ty, None));
            continue;
        }
        let Some(future) = program.closure(unit, ty) else { continue };
        for (_, call) in view.function.body.calls() {
            let Some(callee) = call.callee() else { continue };
            if is_push(callee)
                && let Some(given) = call.args.get(1)
            {
                let made = Made::Here(view.operand(given));
                futures.push(Future { body: future, made });
            }
            for closure in types::closures(callee.text) {
                futures.extend(made_by(closure, Some(future)));
            }
        }
    }
    let (unfinished, how) = (Unfinished::Only(1), Polled::Stream);
    (!futures.is_empty()).then_some(Left { block, unfinished, root: path.root, futures, how })
}

/// What a body awaits while a future is left alive is told, if the future may be given that lock.
fn told(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    left: &Left,
    contended: &Contended,
) -> Option<Finding> {
    let without = blocks_without(view, left);
    let events = analyzed.analyses[view.id()].events.iter();
    for event in events.filter(|event| without.contains(&event.block)) {
        let EventKind::Effect(Effect::Acquire(asked, _)) = &event.kind else { continue };
        if !is_awaited(asked) {
            continue;
        }
        for future in &left.futures {
            let is_it = |wanted: &&Acquired| {
                wanted.lock.is_same(&asked.lock)
                    && (wanted.lock.mode, asked.lock.mode) != (Mode::Read, Mode::Read)
                    && contended.has(analyzed, future.body, wanted, asked)
            };
            if let Some(wanted) = future.locks(analyzed, view).iter().find(is_it) {
                return Some(worded(analyzed, view, left, future, (wanted, asked)));
            }
        }
    }
    None
}

/// The blocks that a body comes to while a future is left alive and not polled.
fn blocks_without(view: &BodyView<'_, '_>, left: &Left) -> HashSet<u32> {
    let graph = Flow::new(view);
    let blocks = &view.function.body.blocks;
    let Terminator::Call(poll) = &blocks[left.block as usize].terminator else {
        return HashSet::new();
    };
    // `Poll<Output>`.
    let output = types::arguments(view.type_of(&poll.dest)).first().copied().unwrap_or("");
    let is_output = |place: &Place<'_>| view.type_of(place) == output;
    let mut found = HashSet::new();
    let mut seen = HashSet::new();
    let mut work: Vec<(u32, bool)> =
        graph.next[left.block as usize].iter().map(|next| (*next, false)).collect();
    while let Some((at, is_ended)) = work.pop() {
        if !seen.insert((at, is_ended)) || at == left.block || mentions(view, at, left) {
            continue;
        }
        if is_ended {
            found.insert(at);
            work.extend(graph.next[at as usize].iter().map(|next| (*next, true)));
            continue;
        }
        let variants = match (&blocks[at as usize].terminator, condition(view, at)) {
            (Terminator::Switch(_, cases, otherwise), Some(Condition::Variant(place)))
                if is_output(place) =>
            {
                let named = cases.iter().map(|case| (case.0, case.1));
                // Of what is left, the first that has no way of its own stands for all.
                let is_named = |variant: &u128| cases.iter().any(|case| case.0 == *variant);
                let rest = otherwise.and_then(|to| {
                    let mut others = (0..=cases.len() as u128).filter(|other| !is_named(other));
                    Some((others.next()?, to))
                });
                Some(named.chain(rest).collect::<Vec<_>>())
            }
            (Terminator::Switch(_, cases, otherwise), Some(Condition::Value)) => {
                let tested = view.is_tested(at).filter(|(place, _)| is_output(place));
                tested.map(|(_, variant)| {
                    let to = |answer: u128| {
                        let case = cases.iter().find(|case| case.0 == answer);
                        case.map(|case| case.1).or(*otherwise)
                    };
                    let [no, yes] = [(1 - variant, to(0)), (variant, to(1))];
                    [no, yes].into_iter().filter_map(|(v, to)| Some((v, to?))).collect()
                })
            }
            _ => None,
        };
        match variants {
            Some(variants) => {
                let unfinished = variants.into_iter().filter(|(v, _)| left.unfinished.has(*v));
                work.extend(unfinished.map(|(_, to)| (to, true)));
            }
            None => work.extend(graph.next[at as usize].iter().map(|next| (*next, false))),
        }
    }
    found
}

/// Whether a block does something with the future or stream, which may be to poll it on, or to drop it.
fn mentions(view: &BodyView<'_, '_>, at: u32, left: &Left) -> bool {
    let is_it = |path: Path| path.root == left.root;
    let block = &view.function.body.blocks[at as usize];
    let in_statements = block.statements.iter().any(|statement| match &statement.kind {
        StatementKind::Assign(_, Rvalue::Ref(place)) => is_it(view.place(place)),
        StatementKind::Assign(_, value) => {
            value.operands().any(|operand| is_it(view.operand(operand)))
        }
        _ => false,
    });
    in_statements
        || match &block.terminator {
            Terminator::Call(call) => {
                let is_pushed = call.callee().is_some_and(is_push);
                !is_pushed && call.args.iter().any(|arg| is_it(view.operand(arg)))
            }
            Terminator::Drop(place, _) => is_it(view.place(place)),
            _ => false,
        }
}

/// Which locks are kept long enough for others to have to wait for them.
struct Contended {
    /// The classes that some task holds while it awaits something else.
    over_await: HashSet<Arc<str>>,
    /// The bodies that take a class themselves.
    takers: HashMap<Arc<str>, HashSet<BodyId>>,
}

impl Contended {
    fn new(analyzed: &Analyzed<'_, '_>) -> Contended {
        let (mut over_await, mut takers) = (HashSet::new(), HashMap::new());
        for (id, analysis) in analyzed.analyses.iter().enumerate() {
            for event in &analysis.events {
                match &event.kind {
                    EventKind::Await => {
                        let classes = event.held.iter().filter_map(|held| held.lock.class.as_ref());
                        over_await.extend(classes.map(|class| Arc::clone(&class.key)));
                    }
                    EventKind::Effect(Effect::Acquire(acquired, _))
                        if acquired.chain.len() == 1 =>
                    {
                        if let Some(class) = &acquired.lock.class {
                            let known: &mut HashSet<BodyId> =
                                takers.entry(Arc::clone(&class.key)).or_default();
                            known.insert(id);
                        }
                    }
                    _ => {}
                }
            }
        }
        Contended { over_await, takers }
    }

    /// Whether a future may have to wait for a lock, or holds it while it waits for something else.
    fn has(
        &self,
        analyzed: &Analyzed<'_, '_>,
        future: BodyId,
        wanted: &Acquired,
        asked: &Acquired,
    ) -> bool {
        let Some(class) = &wanted.lock.class else {
            // Known by a parameter of the future: what it holds over an await is seen in itself.
            let events = analyzed.analyses[future].events.iter();
            let mut awaits = events.filter(|event| matches!(event.kind, EventKind::Await));
            return awaits.any(|event| {
                event.held.iter().any(|held| held.chain.first() == wanted.chain.first())
            });
        };
        let of_two = [wanted, asked].map(|acquired| innermost(&acquired.chain));
        let is_other = |id: &BodyId| {
            let display = &analyzed.program.functions[*id].display;
            of_two.iter().flatten().all(|at| *at.function != **display)
        };
        self.over_await.contains(&class.key)
            || self.takers.get(&class.key).is_some_and(|takers| takers.iter().any(is_other))
    }
}

fn worded(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    left: &Left,
    future: &Future,
    (wanted, asked): (&Acquired, &Acquired),
) -> Finding {
    let name = &analyzed.program.functions[future.body].display;
    let lock_name = quoted(&asked.lock);
    let message = format!(
        "`{}` awaits {lock_name} while it does not poll the future of `{name}`, which may hold that lock \
         or be the next to get it: then it awaits for ever",
        view.function.display,
    );
    let (polled, help) = match left.how {
        Polled::Stream => (
            "takes what is ready here, and leaves the others of the stream alone meanwhile",
            "take the lock when the stream is at its end, or in the futures themselves, or spawn each of \
             them as a task, which goes on by itself",
        ),
        Polled::Captured | Polled::Arguments | Polled::Limited => (
            "polls that future by reference here, and goes on without it when something else is ready",
            "drop the future before the lock is asked for, or spawn it as a task, which goes on by itself, \
             and await its handle here",
        ),
    };
    let mut sites = vec![site(&location_of(view, left.block), polled)];
    sites.extend(innermost(&wanted.chain).map(|at| site(at, "that future asks for the lock here")));
    sites.extend(chain_sites(&asked.chain, "the task awaits the lock here"));
    let locks = vec![lock(analyzed, view.id(), &asked.lock)];
    let mut found = finding(Rule::Futurelock, message, locks, sites);
    found.help.push(help.to_owned());
    found
}
