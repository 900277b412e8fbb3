//! `init-cycle`: a value that is made on first use needs itself, or another that needs it.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use lockdep::finding::Rule;

use super::report::{chain_sites, finding};
use crate::lint::dataflow::class_of::class_of;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::EventKind;
use crate::lint::graphs::shortest_way;
use crate::lint::mir::types;
use crate::lint::order::threads;
use crate::lint::program::BodyId;
use crate::lint::summary::CallPath;
use crate::lint::summary::path::{Part, Path, Root};
use crate::report::model::Finding;

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let needs = needs(analyzed);
    let mut seen = HashSet::new();
    for first in needs.keys() {
        // What a value needs of itself through another is said with the other.
        let next = |at| {
            needs.get(at).into_iter().flat_map(BTreeMap::keys).filter(move |needed| *needed != at)
        };
        let needs_itself = || needs[first].contains_key(first).then(|| vec![first]);
        let cycle = shortest_way(first, first, usize::MAX, next).or_else(needs_itself);
        let Some(cycle) = cycle else { continue };
        let mut key = cycle.clone();
        key.sort();
        if !seen.insert(key) {
            continue;
        }
        let names: Vec<String> = cycle.iter().map(|value| format!("`{}`", value.name)).collect();
        let message = match names.as_slice() {
            [one] => format!("the initialisation of {one} uses {one}"),
            _ => format!(
                "the initialisations of {} use each other: two threads that begin with different \
                 ones block each other, and one thread re-enters",
                names.join(" and ")
            ),
        };
        let mut sites = Vec::new();
        for (at, value) in cycle.iter().enumerate() {
            let next = &cycle[(at + 1) % cycle.len()];
            let label = format!("`{}` needs `{}`", value.name, next.name);
            if let Some(chain) = needs[value].get(next) {
                sites.extend(chain_sites(chain, &label));
            }
        }
        findings.push(finding(Rule::InitCycle, message, Vec::new(), sites));
    }
}

/// A value that is made on first use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Lazy {
    /// A static or a part of one; else the field alone, of whatever value both are fields of.
    path: Path,
    /// Its name for a reader.
    name: Arc<str>,
}

type Needs = BTreeMap<Lazy, BTreeMap<Lazy, CallPath>>;

/// Which values the initialisation of each value uses.
fn needs(analyzed: &Analyzed<'_, '_>) -> Needs {
    let initialisers = initialisers(analyzed);
    let mut needs = Needs::new();
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        let owner = initialisers.get(&id);
        let view = LazyCell::new(|| analyzed.view(id));
        let mut block = None;
        for event in &analysis.events {
            let EventKind::Effect(Effect::LazyInit(lazy)) = &event.kind else { continue };
            let path = &lazy.path;
            if !matches!(path.root, Root::Static(_) | Root::Param(_)) || !path.is_single() {
                continue;
            }
            let mut add = |outer: &Path| {
                let Some((outer, inner)) = of_one_value(outer, path) else { return };
                let [outer, inner] = [outer, inner].map(|path| named(&view, path));
                needs.entry(outer).or_default().entry(inner).or_insert_with(|| lazy.chain.clone());
            };
            owner.into_iter().for_each(&mut add);
            // The first value that a call makes is the one it is called on; the others are made by its closure.
            match &block {
                Some((at, outer)) if *at == event.block => add(outer),
                _ if lazy.chain.len() == 1 => block = Some((event.block, path.clone())),
                _ => block = None,
            }
        }
    }
    needs
}

/// Two values by paths that mean one and the same whenever a body runs: two statics, or two fields of one
/// value that the body is given.
fn of_one_value(outer: &Path, inner: &Path) -> Option<(Path, Path)> {
    match (&outer.root, &inner.root) {
        (Root::Static(_), Root::Static(_)) => Some((outer.clone(), inner.clone())),
        (Root::Param(a), Root::Param(b)) if a == b => {
            let (outer, value) = outer.parts.split_last()?;
            let (inner, other) = inner.parts.split_last()?;
            let field = |part: &Part| Path { root: Root::Unknown, parts: vec![part.clone()] };
            let are_fields = [outer, inner]
                .into_iter()
                .all(|part| matches!(part, Part::Field { owner: Some(_), .. }));
            (value == other && are_fields).then(|| (field(outer), field(inner)))
        }
        _ => None,
    }
}

/// A value with the name that it has for a reader.
fn named(view: &BodyView<'_, '_>, path: Path) -> Lazy {
    let name = match &path.root {
        Root::Static(name) if path.parts.is_empty() => Arc::from(types::last(name)),
        _ => class_of(view, &path).map_or(Arc::from("a value"), |class| class.name),
    };
    Lazy { path, name }
}

/// The closures that run while a static is initialised: its own, and those of the threads that
/// these wait for. What a closure only keeps, or lets another thread run, is none of them.
fn initialisers(analyzed: &Analyzed<'_, '_>) -> HashMap<BodyId, Path> {
    let mut found = HashMap::new();
    for (id, function) in analyzed.program.functions.iter().enumerate() {
        let Some((name, rest)) = function.body.name.split_once("::{closure#") else { continue };
        let is_inner = rest.contains("::");
        if is_inner || analyzed.program.constant(function.unit, name).is_none() {
            continue;
        }
        let name = Arc::from(analyzed.program.global(function.unit, name));
        let owner = Path::new(Root::Static(name));
        let mut work = vec![id];
        while let Some(id) = work.pop() {
            if found.insert(id, owner.clone()).is_none() {
                work.extend(threads::awaited(analyzed, id));
            }
        }
    }
    found
}
