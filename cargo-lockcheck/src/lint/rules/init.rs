//! `init-cycle`: a value that is made on first use needs itself, or another that needs it.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use lockdep::finding::Rule;

use super::report::{chain_sites, finding};
use crate::lint::analysis::{Analyzed, EventKind};
use crate::lint::effects::Effect;
use crate::lint::mir::types;
use crate::lint::summary::Chain;
use crate::lint::values::Root;
use crate::model::Finding;

pub(super) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let needs = needs(analyzed);
    let mut seen = HashSet::new();
    for first in needs.keys() {
        let Some(cycle) = cycle(&needs, first) else { continue };
        let mut key = cycle.clone();
        key.sort();
        if !seen.insert(key) {
            continue;
        }
        let names: Vec<String> =
            cycle.iter().map(|name| format!("`{}`", types::last(name))).collect();
        let message = match names.as_slice() {
            [one] => format!("the initialisation of {one} uses {one}"),
            _ => format!(
                "the initialisations of {} use each other: two threads that begin with different \
                 ones block each other, and one thread re-enters",
                names.join(" and ")
            ),
        };
        let mut sites = Vec::new();
        for (at, name) in cycle.iter().enumerate() {
            let next = &cycle[(at + 1) % cycle.len()];
            let label = format!("`{}` needs `{}`", types::last(name), types::last(next));
            if let Some(chain) = needs[name].get(next) {
                sites.extend(chain_sites(chain, &label));
            }
        }
        findings.push(finding(Rule::InitCycle, message, Vec::new(), sites));
    }
}

type Needs = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Chain>>;

/// Which values the initialisation of each value uses.
fn needs(analyzed: &Analyzed<'_, '_>) -> Needs {
    let mut needs = Needs::new();
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        let function = &analyzed.program.functions[id];
        let unit = &analyzed.program.units[function.unit];
        let owner = function
            .body
            .name
            .split_once("::{closure#")
            .map(|split| split.0)
            .filter(|name| analyzed.program.constant(function.unit, name).is_some())
            .map(|name| Arc::<str>::from(unit.global(name)));
        let mut block = None;
        for event in &analysis.events {
            let EventKind::Effect(Effect::Force(forces)) = &event.kind else { continue };
            let Root::Static(name) = &forces.path.root else { continue };
            if let Some(owner) = &owner {
                let entry = needs.entry(Arc::clone(owner)).or_default();
                entry.entry(Arc::clone(name)).or_insert_with(|| forces.chain.clone());
            }
            // What one call forces first is the cell; the rest, its closure forces.
            match &block {
                Some((at, outer)) if *at == event.block => {
                    let entry = needs.entry(Arc::clone(outer)).or_default();
                    entry.entry(Arc::clone(name)).or_insert_with(|| forces.chain.clone());
                }
                _ if forces.chain.len() == 1 => block = Some((event.block, Arc::clone(name))),
                _ => block = None,
            }
        }
    }
    needs
}

/// The shortest way from a value back to itself.
fn cycle(needs: &Needs, first: &Arc<str>) -> Option<Vec<Arc<str>>> {
    let mut came_from: BTreeMap<&Arc<str>, &Arc<str>> = BTreeMap::new();
    let mut work = VecDeque::from([first]);
    while let Some(at) = work.pop_front() {
        for next in needs.get(at).into_iter().flat_map(BTreeMap::keys) {
            if next == first {
                let mut cycle = vec![Arc::clone(at)];
                let mut at = at;
                while at != first {
                    at = came_from[at];
                    cycle.push(Arc::clone(at));
                }
                cycle.reverse();
                return Some(cycle);
            }
            if next != first && !came_from.contains_key(next) {
                came_from.insert(next, at);
                work.push_back(next);
            }
        }
    }
    None
}
