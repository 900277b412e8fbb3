//! Whether the locks exist that `lockcheck.toml` puts into an order.

use std::collections::BTreeSet;

use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::EventKind;
use crate::lint::summary::LockUse;

/// A name is told instead that is at least so much like the one that is written.
const ALIKE: f64 = 0.8;

/// A sentence on each name of `order` that is no lock's.
pub(crate) fn unknown(analyzed: &Analyzed<'_, '_>, order: &[Vec<String>]) -> Vec<String> {
    let mut named: Vec<&String> = order.iter().flatten().collect();
    named.sort();
    named.dedup();
    if named.is_empty() {
        return Vec::new();
    }
    let taken = taken(analyzed);
    let unknown = named
        .into_iter()
        .filter(|name| !taken.contains(name.as_str()) && !is_declared(analyzed, name));
    let sentence = |name: &String| {
        let alike = taken.iter().map(|known| (strsim::jaro_winkler(name, known), known));
        let nearest = alike.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(alike, _)| *alike > ALIKE);
        let nearest = nearest.map_or(String::new(), |(_, known)| {
            format!(": there is `{known}`, which is spelt alike")
        });
        format!("`{name}`, which `order` in `lockcheck.toml` names, is no lock{nearest}")
    };
    unknown.map(sentence).collect()
}

/// The names of all locks that are taken anywhere.
fn taken(analyzed: &Analyzed<'_, '_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |lock: &LockUse| {
        names.extend(lock.class.as_ref().map(|class| class.name.to_string()));
    };
    for event in analyzed.analyses.iter().flat_map(|analysis| &analysis.events) {
        event.held.iter().for_each(|held| add(&held.lock));
        match &event.kind {
            EventKind::Tried(lock) => add(lock),
            EventKind::Effect(Effect::Acquire(acquired, _)) => add(&acquired.lock),
            EventKind::Effect(_) | EventKind::Await | EventKind::Polled => {}
        }
    }
    names
}

/// Whether the sources declare a field or static of this name, which nothing may take yet.
fn is_declared(analyzed: &Analyzed<'_, '_>, name: &str) -> bool {
    analyzed.program.units.iter().any(|unit| match name.rsplit_once('.') {
        Some((owner, field)) => unit.sources.type_item(owner).is_some_and(|item| {
            item.variants.iter().any(|(_, fields)| fields.iter().any(|known| known.name == field))
        }),
        None => {
            let name = name.rsplit("::").next().unwrap_or(name);
            let statics = [format!("static {name}:"), format!("static ref {name}:")];
            unit.sources
                .texts()
                .iter()
                .any(|(_, file)| statics.iter().any(|declared| file.text().contains(declared)))
        }
    })
}
