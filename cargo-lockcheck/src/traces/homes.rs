//! Gives the locks of a trace the field or static that they live in, where the place of their creation
//! makes locks of several.
//!
//! The process knows a lock's class by where it is created. Where that says too little, the places at which
//! it is taken say more, and the class becomes that of the field. A lock that is taken at places that say
//! nothing, or different things, keeps the class that it has.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lockdep::finding::Rule;

use super::trace::{Class, Found, Hold, Trace};
use crate::report::model::Place;
use crate::report::naming::Syntax;

/// What is known of the homes of locks; the source is read once for all traces.
pub(super) struct Homes<'a> {
    syntax: &'a Syntax<'a>,
    known: HashMap<Acquired, Option<Arc<Class>>>,
}

/// A class by its creation, and a place where locks of it are taken.
type Acquired = (Arc<Class>, Arc<Place>);

impl<'a> Homes<'a> {
    pub(super) fn new(syntax: &'a Syntax<'a>) -> Homes<'a> {
        Homes { syntax, known: HashMap::new() }
    }

    /// The trace, with each class of which more can be known as that of a home.
    pub(super) fn tell(&mut self, mut trace: Trace) -> Trace {
        for taken in &mut trace.orders {
            let order = &mut taken.order;
            order.held.iter_mut().chain([&mut order.lock]).for_each(|hold| self.hold(hold));
        }
        for found in &mut trace.findings {
            self.found(found);
        }
        trace.findings.retain(|found| !self.is_of_several_fields(found));
        for blocked in &mut trace.blocked {
            if let Some(class) = &mut blocked.class {
                self.taken(class, &blocked.site);
            }
        }
        self.list(&mut trace);
        trace
    }

    /// Lists the homes among the trace's classes, in place of those of which nothing else is left.
    fn list(&self, trace: &mut Trace) {
        let holds = trace.orders.iter().flat_map(|taken| {
            let order = &taken.order;
            order.held.iter().chain([&order.lock]).map(|hold| &hold.class)
        });
        let used = holds
            .chain(trace.findings.iter().flat_map(|found| &found.locks))
            .chain(trace.blocked.iter().filter_map(|blocked| blocked.class.as_ref()))
            .chain(trace.times.iter().map(|(class, _)| class));
        let used: BTreeSet<Arc<Class>> = used.cloned().collect();
        let known = self.known.iter();
        let homes = known.filter_map(|((class, _), home)| Some((class, home.as_ref()?)));
        let homes: BTreeSet<(&Arc<Class>, &Arc<Class>)> =
            homes.filter(|(_, home)| used.contains(*home)).collect();
        // Locks of several fields are many of the class that they had.
        let many: BTreeSet<Arc<Class>> = trace.many.iter().cloned().collect();
        for (class, home) in &homes {
            if many.contains(*class) {
                trace.many.push(Arc::clone(home));
            }
        }
        trace
            .classes
            .retain(|class| used.contains(class) || !homes.iter().any(|(told, _)| *told == class));
        let new: BTreeSet<&Arc<Class>> = homes.into_iter().map(|(_, home)| home).collect();
        trace.classes.extend(new.into_iter().cloned());
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
