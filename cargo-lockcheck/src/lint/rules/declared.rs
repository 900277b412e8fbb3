//! `declared-order`: a lock that is taken under one that is declared to come after it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use lockdep::declared_order::Reason;
use lockdep::finding::{Rule, Tier};

use super::report::{edge, lock};
use crate::lint::dataflow::class_of::declaration;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::order::declarations::Declared;
use crate::lint::order::edges::{Graph, Witness};
use crate::lint::order::exclusion::Exclusion;
use crate::lint::summary::class::Class;
use crate::report::model::Finding;
use crate::report::wording;

/// Pairs of classes: of the first, under which the second is taken, the declared order says that it
/// comes later.
pub(crate) type Against = HashSet<(Arc<str>, Arc<str>)>;

/// Adds the findings, and gives the orders that what is declared speaks against.
pub(crate) fn check(
    analyzed: &Analyzed<'_, '_>,
    exclusion: &Exclusion<'_, '_, '_>,
    graph: &Graph,
    declared: &Declared,
    findings: &mut Vec<Finding>,
) -> Against {
    let mut against = Against::new();
    for steps in &declared.contradictions {
        let orders: Vec<String> = steps
            .iter()
            .map(|s| format!("`{}` before `{}`", declared.name(s.first), declared.name(s.then)))
            .collect();
        let message =
            format!("the declared orders contradict each other: {}", orders.join(" and "));
        let sites = declared.sites(steps);
        findings
            .push(Finding { sites, ..Finding::new(Rule::DeclaredOrder, Tier::Potential, message) });
    }
    // A name that several locks have means none of them.
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for witness in graph.values().flatten() {
        for class in [&witness.held.0.class, &witness.asked.0.class].into_iter().flatten() {
            keys.entry(&class.name).or_default().insert(&class.key);
        }
    }
    for witness in graph.values().flatten() {
        let unit = analyzed.program.functions[witness.body].unit;
        let place = |class: &Class| {
            let file = declaration(analyzed.program, unit, class).map(|place| place.file);
            let is_known = file.is_some() || keys.get(&*class.name).is_none_or(|k| k.len() == 1);
            declared.place(&class.name, file.as_deref()).filter(|_| is_known)
        };
        let classes = witness.held.0.class.as_ref().zip(witness.asked.0.class.as_ref());
        let Some((held, asked)) = classes else { continue };
        let Some((then, first)) = place(held).zip(place(asked)) else { continue };
        let Some(steps) = declared.steps(first, then) else { continue };
        against.insert((Arc::clone(&held.key), Arc::clone(&asked.key)));
        if exclusion.owns_exclusively(witness) {
            continue;
        }
        let how = match steps.as_slice() {
            [step] if let Reason::Ranks { ranks: [first, then], .. } = step.reason => {
                format!("has the greater rank, {then} after {first}")
            }
            _ => "is declared to come after it".to_owned(),
        };
        findings.push(finding(analyzed, witness, (held, asked), &how, declared.sites(&steps)));
    }
    against
}

fn finding(
    analyzed: &Analyzed<'_, '_>,
    witness: &Witness,
    (held, asked): (&Class, &Class),
    how: &str,
    sites: Vec<crate::report::model::Site>,
) -> Finding {
    let function = &analyzed.program.functions[witness.body].display;
    let message =
        format!("`{function}` takes `{}` while it holds `{}`, which {how}", asked.name, held.name);
    let locks = [&witness.held.0, &witness.asked.0];
    let locks = locks.map(|of| lock(analyzed, witness.body, of)).to_vec();
    let (held, asked) = (&witness.held, &witness.asked);
    let edges = vec![edge((0, &held.0, &held.1), (1, &asked.0, &asked.1), function)];
    let mut finding = Finding {
        locks,
        edges,
        sites,
        ..Finding::new(Rule::DeclaredOrder, Tier::Potential, message)
    };
    wording::in_declared_order(&mut finding, None);
    finding
}
