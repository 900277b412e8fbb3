//! The order graph of a report: which locks there are, and in which orders they were taken.
//!
//! It is the whole of what was seen, findings or none; a cycle in it may be a deadlock.

use std::collections::BTreeSet;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};

use super::model::SourceOrder;
use super::place::Place;

/// Locks, and the orders in which they were taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderGraph {
    /// The locks that were taken together with others, by their classes.
    pub locks: Vec<GraphLock>,
    /// The orders, each once.
    pub orders: Vec<LockOrder>,
}

/// A lock of the order graph, by its class.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GraphLock {
    /// What it is called in findings.
    pub name: String,
    /// `Mutex`, `RwLock`, …, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where it is created, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Place>,
    /// The package that it is created in. The stage `belonging` fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

/// Two locks that were taken one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockOrder {
    /// The lock that is held, as an index of the graph's locks.
    pub from: usize,
    /// The lock that is asked for, as an index of the graph's locks.
    pub to: usize,
    /// A place where the first is acquired.
    pub from_site: Place,
    /// The place where the other is then asked for.
    pub to_site: Place,
    /// How many pairs of places do so.
    pub ways: u64,
}

impl OrderGraph {
    /// Whether no two locks were taken together.
    pub fn is_empty(&self) -> bool {
        self.locks.is_empty() && self.orders.is_empty()
    }

    /// The graph of these links, each the two locks, as indices of `locks`, and the places where both are
    /// taken. What is told several times counts once, and locks without a link are left out.
    pub fn of(locks: &[GraphLock], links: &mut Vec<([usize; 2], [&Place; 2])>) -> OrderGraph {
        let mut used: Vec<usize> = links.iter().flat_map(|(ends, _)| *ends).collect();
        used.sort_by_key(|lock| &locks[*lock]);
        used.dedup();
        let mut place_of = vec![0; locks.len()];
        used.iter().enumerate().for_each(|(place, lock)| place_of[*lock] = place);
        for (ends, _) in links.iter_mut() {
            *ends = ends.map(|lock| place_of[lock]);
        }
        links.sort_unstable();
        links.dedup();
        let mut orders: Vec<LockOrder> = Vec::new();
        for ([from, to], [from_site, to_site]) in links.drain(..) {
            match orders.last_mut() {
                Some(last) if (last.from, last.to) == (from, to) => last.ways += 1,
                _ => {
                    let [from_site, to_site] = [from_site, to_site].map(Place::clone);
                    orders.push(LockOrder { from, to, from_site, to_site, ways: 1 });
                }
            }
        }
        OrderGraph { locks: used.into_iter().map(|lock| locks[lock].clone()).collect(), orders }
    }

    /// The graph of what the source shows.
    pub fn of_source(orders: &[SourceOrder]) -> OrderGraph {
        let names: BTreeSet<&String> =
            orders.iter().flat_map(|order| [&order.from, &order.to]).collect();
        let names: Vec<&String> = names.into_iter().collect();
        let index = |name: &String| names.binary_search(&name).unwrap_or_default();
        let lock = |name: &&String| GraphLock {
            name: (*name).clone(),
            kind: None,
            created: None,
            package: None,
        };
        let locks: Vec<GraphLock> = names.iter().map(lock).collect();
        let link = |order: &SourceOrder| [index(&order.from), index(&order.to)];
        let mut links = Vec::with_capacity(orders.len());
        for order in orders {
            links.push((link(order), [&order.from_site, &order.to_site]));
        }
        OrderGraph::of(&locks, &mut links)
    }

    /// The graph in the form of a library of graphs, with what is part of a cycle marked.
    pub fn marked(&self) -> DiGraph<MarkedLock<'_>, MarkedOrder<'_>> {
        let mut graph = DiGraph::with_capacity(self.locks.len(), self.orders.len());
        for lock in &self.locks {
            graph.add_node(MarkedLock { lock, cycle: None });
        }
        let known = |order: &&LockOrder| order.from.max(order.to) < self.locks.len();
        for order in self.orders.iter().filter(known) {
            let ends = [order.from, order.to].map(NodeIndex::new);
            graph.add_edge(ends[0], ends[1], MarkedOrder { order, is_in_cycle: false });
        }
        let is_cycle = |component: &Vec<NodeIndex>| {
            component.len() > 1 || component.iter().any(|lock| graph.contains_edge(*lock, *lock))
        };
        let mut components = tarjan_scc(&graph);
        components.retain(is_cycle);
        for (number, component) in components.into_iter().enumerate() {
            component.into_iter().for_each(|lock| graph[lock].cycle = Some(number));
        }
        for edge in graph.edge_indices() {
            if let Some((from, to)) = graph.edge_endpoints(edge) {
                let cycle = graph[from].cycle;
                graph[edge].is_in_cycle = cycle.is_some() && cycle == graph[to].cycle;
            }
        }
        graph
    }
}

/// A lock of an order graph in which cycles are marked.
#[derive(Clone, Copy, Debug)]
pub struct MarkedLock<'g> {
    /// The lock.
    pub lock: &'g GraphLock,
    /// Which cycle it is part of: locks of one number can all be reached from each other.
    pub cycle: Option<usize>,
}

/// An order of an order graph in which cycles are marked.
#[derive(Clone, Copy, Debug)]
pub struct MarkedOrder<'g> {
    /// The order.
    pub order: &'g LockOrder,
    /// Whether it is a link of a cycle.
    pub is_in_cycle: bool,
}

#[cfg(test)]
mod tests {
    use super::{GraphLock, OrderGraph};
    use crate::report::place::Place;

    fn lock(name: &str) -> GraphLock {
        GraphLock { name: name.to_owned(), kind: None, created: None, package: None }
    }

    #[test]
    fn orders_are_counted_by_their_places_and_cycles_are_found() {
        let lines = [1, 5, 9, 20].map(|line| Place { file: "src/lib.rs".into(), line, column: 1 });
        let [one, five, nine, twenty] = &lines;
        let mut links = vec![
            ([1, 2], [nine, one]),
            ([2, 1], [one, five]),
            ([2, 1], [one, five]),
            ([2, 1], [five, nine]),
            ([3, 2], [twenty, one]),
        ];
        let graph = OrderGraph::of(&["D", "B", "A", "C"].map(lock), &mut links);
        let names: Vec<&str> = graph.locks.iter().map(|lock| &*lock.name).collect();
        assert_eq!(names, ["A", "B", "C"]);
        let orders: Vec<_> = graph.orders.iter().map(|o| (o.from, o.to, o.ways)).collect();
        assert_eq!(orders, [(0, 1, 2), (1, 0, 1), (2, 0, 1)]);
        let marked = graph.marked();
        let cycles: Vec<_> = marked.node_weights().map(|lock| lock.cycle).collect();
        assert_eq!(cycles, [Some(0), Some(0), None]);
        let in_cycle: Vec<bool> = marked.edge_weights().map(|order| order.is_in_cycle).collect();
        assert_eq!(in_cycle, [true, true, false]);
    }

    #[test]
    fn a_lock_nested_in_its_own_kind_is_a_cycle() {
        let place = Place::default();
        let graph = OrderGraph::of(&[lock("A")], &mut vec![([0, 0], [&place, &place])]);
        let cycles: Vec<_> = graph.marked().node_weights().map(|lock| lock.cycle).collect();
        assert_eq!(cycles, [Some(0)]);
    }
}
