//! `init-cycle`: a value that is made on first use needs itself, or another that needs it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use lockdep::finding::Rule;

use super::report::{chain_sites, finding};
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
        let next = |at| needs.get(at).into_iter().flat_map(BTreeMap::keys);
        let Some(cycle) = shortest_way(first, first, usize::MAX, next) else { continue };
        let mut key = cycle.clone();
        key.sort();
        if !seen.insert(key) {
            continue;
        }
        let names: Vec<String> = cycle.iter().map(|value| format!("`{}`", name(value))).collect();
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
            let label = format!("`{}` needs `{}`", name(value), name(next));
            if let Some(chain) = needs[value].get(next) {
                sites.extend(chain_sites(chain, &label));
            }
        }
        findings.push(finding(Rule::InitCycle, message, Vec::new(), sites));
    }
}

type Needs = BTreeMap<Path, BTreeMap<Path, CallPath>>;

/// Which values the initialisation of each value uses.
fn needs(analyzed: &Analyzed<'_, '_>) -> Needs {
    let initialisers = initialisers(analyzed);
    let mut needs = Needs::new();
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        let owner = initialisers.get(&id);
        let mut block = None;
        for event in &analysis.events {
            let EventKind::Effect(Effect::LazyInit(lazy)) = &event.kind else { continue };
            let path = &lazy.path;
            if !matches!(path.root, Root::Static(_)) || !path.is_single() {
                continue;
            }
            if let Some(owner) = owner {
                let entry = needs.entry(owner.clone()).or_default();
                entry.entry(path.clone()).or_insert_with(|| lazy.chain.clone());
            }
            // The first value that a call makes is the one it is called on; the others are made by its closure.
            match &block {
                Some((at, outer)) if *at == event.block => {
                    let entry = needs.entry(Path::clone(outer)).or_default();
                    entry.entry(path.clone()).or_insert_with(|| lazy.chain.clone());
                }
                _ if lazy.chain.len() == 1 => block = Some((event.block, path.clone())),
                _ => block = None,
            }
        }
    }
    needs
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

/// The name of a static value, or of its field, for a reader.
fn name(path: &Path) -> String {
    let mut name = match &path.root {
        Root::Static(name) => types::last(name).to_owned(),
        _ => String::new(),
    };
    for part in &path.parts {
        if let Part::Field { index, .. } = part {
            name = format!("{name}.{index}");
        }
    }
    name
}
