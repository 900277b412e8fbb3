//! At which places locks of one class are taken under those of another, and which of that goes against an
//! order that is declared: in the program, as its process has told, or in `lockcheck.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockdep::declared_order::DeclaredOrder;
use lockdep::finding::Rule;

use crate::report::advice::Link;
use crate::report::model::Place;
use crate::traces::lock_names::Names;
use crate::traces::merge::Merged;
use crate::traces::trace::Class;

/// Two classes: of the lock that is held, and of the one that is asked for.
type Classes<'a> = (&'a Class, &'a Class);

/// What is known of each pair of classes.
pub(super) struct Ways<'a> {
    places: BTreeMap<Classes<'a>, BTreeSet<[Place; 2]>>,
    against: BTreeSet<Classes<'a>>,
    /// Where locks were taken against a declared order.
    against_at: BTreeSet<[Place; 2]>,
}

impl<'a> Ways<'a> {
    /// Each list of `told` has names of locks in the order in which they are to be taken.
    pub(super) fn of(merged: &'a Merged, names: &Names, told: &[Vec<String>]) -> Ways<'a> {
        let mut places: BTreeMap<Classes<'a>, BTreeSet<[Place; 2]>> = BTreeMap::new();
        for order in merged.orders.keys() {
            for held in &order.held {
                let sites = [&held.site, &order.lock.site].map(|site| Place::clone(site));
                places.entry((&held.class, &order.lock.class)).or_default().insert(sites);
            }
        }
        let (mut against, mut against_at) = (BTreeSet::new(), BTreeSet::new());
        for merged in merged.findings.values().filter(|m| m.found.rule == Rule::DeclaredOrder) {
            let locks = &merged.found.locks;
            for edge in &merged.found.edges {
                against.insert((&*locks[edge.from], &*locks[edge.to]));
                against_at.insert([&edge.from_site, &edge.to_site].map(|site| Place::clone(site)));
            }
        }
        let mut declared = DeclaredOrder::<()>::default();
        let mut known = BTreeMap::new();
        for list in told {
            let list: Vec<_> = list
                .iter()
                .map(|name| *known.entry(name.clone()).or_insert_with(|| declared.place()))
                .collect();
            for two in list.windows(2) {
                // The lint tells of orders that contradict each other.
                _ = declared.declare(two[0], two[1], ());
            }
        }
        let place = |class: &Arc<Class>| known.get(&names.get(class).plain).copied();
        let classes: Vec<_> = merged.classes.iter().filter_map(|c| Some((c, place(c)?))).collect();
        for (held, then) in &classes {
            let first = classes.iter().filter(|(_, first)| declared.steps(*first, *then).is_some());
            against.extend(first.map(|(asked, _)| (&***held, &***asked)));
        }
        Ways { places, against, against_at }
    }

    /// What is known of the link from the first class to the second, which is taken at these places. Within
    /// one class it is of the places alone, for the class has no order.
    pub(super) fn link(&self, (from, to): Classes<'_>, at: [Place; 2], names: [String; 2]) -> Link {
        if from == to {
            let is_against = self.against_at.contains(&at);
            return Link { names, places: [at].into(), is_against };
        }
        let mut places = self.places.get(&(from, to)).cloned().unwrap_or_default();
        places.insert(at);
        Link { names, places, is_against: self.against.contains(&(from, to)) }
    }
}
