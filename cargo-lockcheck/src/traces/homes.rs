//! Gives the locks of traces the field or static that they live in, where the place of their creation
//! makes locks of several.
//!
//! The process knows a lock's class by where it is created. Where that says too little, the places at which
//! it is taken say more, and the class becomes that of the field. A lock that is taken at places that say
//! nothing, or different things, keeps the class that it has.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;

use lockdep::finding::Rule;

use super::merge::{Merged, MergedFound};
use super::trace::{Class, Found, Hold};
use crate::report::model::Place;
use crate::report::naming::Syntax;

/// What is known of the homes of locks.
struct Homes<'a> {
    syntax: &'a Syntax<'a>,
    known: HashMap<Acquired, Option<Arc<Class>>>,
}

/// A class by its creation, and a place where locks of it are taken.
type Acquired = (Arc<Class>, Arc<Place>);

/// Makes each class of which more can be known that of a home.
pub(super) fn tell(merged: &mut Merged, syntax: &Syntax<'_>) {
    let mut homes = Homes { syntax, known: HashMap::new() };
    for (mut order, seen) in mem::take(&mut merged.orders) {
        order.held.iter_mut().chain([&mut order.lock]).for_each(|hold| homes.hold(hold));
        merged.orders.entry(order).or_default().join(seen);
    }
    for MergedFound { mut found, counts } in mem::take(&mut merged.findings).into_values() {
        homes.found(&mut found);
        if !homes.is_of_several_fields(&found) {
            merged.add_found(MergedFound { found, counts });
        }
    }
    for process in merged.processes.values_mut() {
        for mut blocked in mem::take(&mut process.blocked) {
            if let Some(class) = &mut blocked.class {
                homes.taken(class, &blocked.site);
            }
            process.blocked.insert(blocked);
        }
    }
    homes.list(merged);
}

impl Homes<'_> {
    /// Lists the homes among the classes, in place of those of which nothing else is left.
    fn list(&self, merged: &mut Merged) {
        let holds = merged
            .orders
            .keys()
            .flat_map(|order| order.held.iter().chain([&order.lock]).map(|hold| &hold.class));
        let processes = || merged.processes.values();
        let blocked = processes().flat_map(|process| &process.blocked);
        let used = holds
            .chain(merged.findings.values().flat_map(|merged| &merged.found.locks))
            .chain(blocked.filter_map(|blocked| blocked.class.as_ref()))
            .chain(processes().flat_map(|process| process.times.keys()));
        let used: BTreeSet<Arc<Class>> = used.cloned().collect();
        let known = self.known.iter();
        let homes = known.filter_map(|((class, _), home)| Some((class, home.as_ref()?)));
        let homes: BTreeSet<(&Arc<Class>, &Arc<Class>)> =
            homes.filter(|(_, home)| used.contains(*home)).collect();
        for (class, home) in &homes {
            // Locks of several fields are many of the class that they had.
            if let Some(processes) = merged.many.get(*class).cloned() {
                merged.many.entry(Arc::clone(home)).or_default().extend(processes);
            }
            if !used.contains(*class) {
                merged.classes.remove(*class);
            }
            merged.classes.insert(Arc::clone(home));
        }
    }

    fn hold(&mut self, hold: &mut Hold) {
        self.taken(&mut hold.class, &hold.site);
    }

    /// Makes `class` that of the home of a lock that is taken at `site`.
    fn taken(&mut self, class: &mut Arc<Class>, site: &Arc<Place>) {
        if let Some(home) = self.home(class, site) {
            *class = home;
        }
    }

    fn home(&mut self, class: &Arc<Class>, site: &Arc<Place>) -> Option<Arc<Class>> {
        if class.place.is_some() {
            return None;
        }
        let syntax = self.syntax;
        let known = self.known.entry((Arc::clone(class), Arc::clone(site)));
        known
            .or_insert_with(|| {
                let Class { created, kind, ty, .. } = &**class;
                let home = syntax.home(created, kind, ty, site)?;
                Some(Arc::new(Class {
                    created: home.declared,
                    kind: kind.clone(),
                    ty: ty.clone(),
                    anonymous: None,
                    place: Some(home.name),
                }))
            })
            .clone()
    }

    /// A lock of a finding is one object, so that all places at which it is taken say the same of it.
    fn found(&mut self, found: &mut Found) {
        for lock in 0..found.locks.len() {
            let class = Arc::clone(&found.locks[lock]);
            let homes = sites(found, lock).into_iter().filter_map(|site| self.home(&class, &site));
            let homes: BTreeSet<Arc<Class>> = homes.collect();
            if let (1, Some(home)) = (homes.len(), homes.into_iter().next()) {
                found.locks[lock] = home;
            }
        }
        for (hold, among) in found.waits.iter_mut().flat_map(|wait| &mut wait.held) {
            match among {
                Some(lock) => hold.class = Arc::clone(&found.locks[*lock]),
                None => self.hold(hold),
            }
        }
    }

    /// Whether this says of locks of several fields that they are of one kind, or may do so.
    fn is_of_several_fields(&self, found: &Found) -> bool {
        let Some(first) = found.locks.first().filter(|_| found.rule == Rule::SameClassNesting)
        else {
            return false;
        };
        let Class { created, kind, ty, .. } = &**first;
        found.locks.iter().any(|lock| lock != first)
            || self.syntax.is_one_of_several(created, kind, ty)
    }
}

/// Where the lock of this number is taken.
fn sites(found: &Found, lock: usize) -> BTreeSet<Arc<Place>> {
    let edges = found.edges.iter();
    let ends = edges.flat_map(|edge| [(edge.from, &edge.from_site), (edge.to, &edge.to_site)]);
    let held = found.waits.iter().flat_map(|wait| &wait.held);
    let held = held.filter_map(|(hold, among)| Some(((*among)?, &hold.site)));
    let waits = found.waits.iter().filter_map(|wait| Some((wait.lock?, &wait.site)));
    let known = ends.chain(held).chain(waits).filter(|(known, _)| *known == lock);
    let mut sites: BTreeSet<Arc<Place>> = known.map(|(_, site)| Arc::clone(site)).collect();
    if sites.is_empty() && found.locks.len() == 1 {
        sites.extend(found.sites.iter().map(|(site, _)| Arc::clone(site)));
    }
    sites
}
