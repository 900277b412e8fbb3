//! The order graph of the classes: which lock is asked for while which is held, with the bodies that do
//! so.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lint::apis::locks::Waiting;
use crate::lint::apis::locks::is_watched;
use crate::lint::dataflow::class_of::{class_of, class_of_element};
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::{Analysis, EventKind, HeldLock};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::class::Class;
use crate::lint::summary::path::{Part, Root};
use crate::lint::summary::trail::{Step, Trail};
use crate::lint::summary::{CallPath, LockUse, innermost};
use crate::report::model::{Place, SourceOrder};

/// Witnesses kept of each pair of classes.
const WITNESSES: usize = 12;

/// One place where one lock is asked for under another.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    pub(crate) body: BodyId,
    /// The block of the body that asks, unless a callee does whose locks only this body can name.
    pub(crate) block: Option<u32>,
    pub(crate) held: (LockUse, CallPath),
    pub(crate) asked: (LockUse, CallPath),
    /// The other locks held.
    pub(crate) gates: Vec<LockUse>,
    /// The way from the body to where it is asked for.
    pub(crate) trail: Trail,
}

/// A body, and a block of it.
type At = (BodyId, Option<u32>);

/// A lock, and the calls to where it is taken.
type Taken = (LockUse, CallPath);

pub(crate) type Graph = BTreeMap<(Arc<str>, Arc<str>), Vec<Witness>>;

/// All orders of two classes that the bodies show.
pub(crate) fn graph(analyzed: &Analyzed<'_, '_>) -> Graph {
    let mut graph = Graph::new();
    let mut add = |(body, block): At, trail, held: &Taken, asked: &Taken, gates: Vec<LockUse>| {
        let Some((held, asked)) = told_apart(held, asked) else { return };
        let (Some(from), Some(to)) = (&held.0.class, &asked.0.class) else { return };
        if asked.0.wait != Waiting::Blocking {
            return;
        }
        let witnesses = graph.entry((Arc::clone(&from.key), Arc::clone(&to.key))).or_default();
        let is_known = witnesses.iter().any(|known: &Witness| {
            innermost(&known.held.1) == innermost(&held.1)
                && innermost(&known.asked.1) == innermost(&asked.1)
                && (!is_variable(&held.0) || known.trail == trail)
        });
        if witnesses.len() < WITNESSES && !is_known {
            let (held, asked) = (held.into_owned(), asked.into_owned());
            witnesses.push(Witness { body, block, held, asked, gates, trail });
        }
    };
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        for event in &analysis.events {
            let at = (id, Some(event.block));
            let trail = || vec![Step { body: id, block: event.block, starts: false }];
            let (acquired, extra) = match &event.kind {
                EventKind::Effect(Effect::Acquire(acquired, extra)) => (acquired, extra),
                // A wait takes its mutex again, under what else is held.
                EventKind::Effect(Effect::Wait { mutexes, .. }) => {
                    for mutex in mutexes {
                        let asked = (
                            LockUse { wait: Waiting::Blocking, ..mutex.clone() },
                            vec![event.here.clone()],
                        );
                        for held in &event.held {
                            add(
                                at,
                                trail(),
                                &(held.lock.clone(), held.chain.clone()),
                                &asked,
                                Vec::new(),
                            );
                        }
                    }
                    continue;
                }
                _ => continue,
            };
            if acquired.lock.wait != Waiting::Blocking {
                continue;
            }
            // What is held already is another mistake, and an order with nothing.
            if event.held.iter().any(|held| !held.stale && held.lock.keeps_out(&acquired.lock)) {
                continue;
            }
            let asked = (acquired.lock.clone(), acquired.chain.clone());
            let held: Vec<Taken> = event
                .held
                .iter()
                // A variable's lock of an earlier round is not the one that it has now.
                .filter(|held| !held.stale || !is_variable(&held.lock))
                .filter(|held| !is_asked_again(analysis, event.block, held))
                .map(|held| (held.lock.clone(), held.chain.clone()))
                .chain(extra.iter().cloned())
                .collect();
            for (index, lock) in held.iter().enumerate() {
                let others = held.iter().enumerate().filter(|(other, _)| *other != index);
                let gates = others.map(|(_, (lock, _))| lock.clone()).collect();
                add(at, trail(), lock, &asked, gates);
            }
        }
        for deferred in &analysis.deferred_edges {
            let gates = deferred.gates.clone();
            let view = analyzed.view(id);
            let [held, asked] = [&deferred.held, &deferred.asked].map(|taken| origin(&view, taken));
            add((id, None), deferred.trail.clone(), &held, &asked, gates);
        }
    }
    graph
}

/// Whether the call at the end of a block asks for the very lock too that is held there. That is one
/// mistake, whatever else the call asks for under it: an order of the two is told once it is cured.
fn is_asked_again(analysis: &Analysis, block: u32, held: &HeldLock) -> bool {
    !held.stale
        && analysis.events.iter().filter(|event| event.block == block).any(|event| {
            matches!(&event.kind, EventKind::Effect(Effect::Acquire(acquired, _))
                if acquired.lock.wait == Waiting::Blocking
                    && acquired.needs.is_empty()
                    && held.lock.keeps_out(&acquired.lock))
        })
}

/// A lock that a caller knows better than by the field that it is behind: by what it has put there.
fn origin<'t>(view: &BodyView<'_, '_>, taken: &'t Taken) -> Cow<'t, Taken> {
    let is_named = |part: &Part| matches!(part, Part::Field { owner: Some(_), .. });
    if taken.0.path.parts.iter().any(is_named) {
        return Cow::Borrowed(taken);
    }
    match class_of(view, &taken.0.path) {
        Some(class) if taken.0.class.as_ref() != Some(&class) => {
            Cow::Owned((LockUse { class: Some(class), ..taken.0.clone() }, taken.1.clone()))
        }
        _ => Cow::Borrowed(taken),
    }
}

/// Two locks of different classes; two of one class as elements of a collection, where both are known
/// by their constant numbers.
fn told_apart<'t>(held: &'t Taken, asked: &'t Taken) -> Option<(Cow<'t, Taken>, Cow<'t, Taken>)> {
    let (from, to) = (held.0.class.as_ref()?, asked.0.class.as_ref()?);
    if from != to {
        return Some((Cow::Borrowed(held), Cow::Borrowed(asked)));
    }
    let from = class_of_element(from, &held.0.path)?;
    let to = class_of_element(to, &asked.0.path)?;
    let of = |taken: &Taken, class: Class| {
        Cow::Owned((LockUse { class: Some(class), ..taken.0.clone() }, taken.1.clone()))
    };
    (from != to).then(|| (of(held, from), of(asked, to)))
}

/// Whether a lock is known as a variable of a function.
fn is_variable(lock: &LockUse) -> bool {
    matches!(lock.path.root, Root::Local(_)) && lock.path.parts.is_empty()
}

/// The orders as the report lists them, each with its first witness.
pub(crate) fn shown(analyzed: &Analyzed<'_, '_>, graph: &Graph) -> Vec<SourceOrder> {
    let place_of = |chain| innermost(chain).map(Place::from).unwrap_or_default();
    let shown = graph.values().filter_map(|witnesses| {
        let witness = witnesses.first()?;
        Some(SourceOrder {
            from: witness.held.0.class.as_ref()?.name.to_string(),
            to: witness.asked.0.class.as_ref()?.name.to_string(),
            function: analyzed.program.functions[witness.body].display.clone(),
            from_site: place_of(&witness.held.1),
            to_site: place_of(&witness.asked.1),
            seen: false,
            unwatched: ![&witness.held.0, &witness.asked.0]
                .iter()
                .all(|lock| is_watched(types::head(&lock.ty))),
        })
    });
    shown.collect()
}
