//! Which locks can be waited for under which: an order graph that knows its cycles at every moment.
//!
//! An edge `a → b` says that `b` was waited for while `a` was held. The strongly connected
//! components are kept in a topological order under insertion, after Pearce and Kelly, "A dynamic
//! topological sort algorithm for directed acyclic graphs" (2007); an edge that closes a cycle is
//! kept, and what it connects becomes one component. So whether two locks lie on a common cycle is
//! one comparison, and an edge that agrees with the order costs no search.
//!
//! A lock that is gone leaves its reachability behind: [`OrderGraph::remove`] connects what came
//! before it to what came after it. A component never splits again when it loses a member, so
//! [`OrderGraph::cyclic`] may say yes too often, never no too often.

use std::collections::HashSet;

use crate::hash::Map;
use crate::model::ids::LockId;

type Node = u32;
type Component = u32;

/// The order graph over lock instances.
#[derive(Debug, Default)]
pub(crate) struct OrderGraph {
    index: Map<LockId, Node>,
    nodes: Vec<NodeData>,
    components: Vec<ComponentData>,
    free: Vec<Node>,
    highest: i64,
    lowest: i64,
    added: u64,
}

#[derive(Debug, Default)]
struct NodeData {
    lock: LockId,
    component: Component,
    /// Where it stands among the component's members.
    position: u32,
    successors: Vec<Node>,
    predecessors: Vec<Node>,
}

/// A component is named by a number of the same slab as its first node.
#[derive(Debug, Default)]
struct ComponentData {
    /// The place in the topological order; unique among components in use.
    rank: i64,
    /// Empty for a component of one node, which then has the component's number.
    members: Vec<Node>,
}

impl OrderGraph {
    /// A graph without locks.
    pub(crate) fn new() -> OrderGraph {
        OrderGraph::default()
    }

    /// The number of edges that were ever added, those of locks that are gone included.
    pub(crate) fn added_edges(&self) -> u64 {
        self.added
    }

    /// Records `from → to`. Returns whether the edge is new and closes a cycle.
    ///
    /// # Cost
    /// Constant when the edge agrees with the orders known so far, else O(δ log δ) in the size δ of
    /// the part of the graph whose order must change.
    pub(crate) fn add(&mut self, from: LockId, to: LockId) -> bool {
        if from == to {
            return false;
        }
        // A lock first seen outside others goes to the front of the order, one first seen inside
        // others to its end: the common case needs no search.
        let head = self.node(from, true);
        let tail = self.node(to, false);
        if self.has_edge(head, tail) {
            return false;
        }
        self.insert_edge(head, tail);
        let (a, b) = (self.component(head), self.component(tail));
        a == b || self.reorder(a, b)
    }

    /// Whether the two locks may lie on a common cycle.
    pub(crate) fn cyclic(&self, a: LockId, b: LockId) -> bool {
        match (self.index.get(&a), self.index.get(&b)) {
            (Some(&a), Some(&b)) => self.component(a) == self.component(b),
            _ => false,
        }
    }

    /// Whether the lock may lie on a cycle.
    pub(crate) fn on_cycle(&self, lock: LockId) -> bool {
        self.index
            .get(&lock)
            .is_some_and(|&n| !self.components[self.component(n) as usize].members.is_empty())
    }

    /// The locks that were held when `lock` was waited for.
    pub(crate) fn predecessors(&self, lock: LockId) -> Vec<LockId> {
        let Some(&node) = self.index.get(&lock) else { return Vec::new() };
        let before = &self.nodes[node as usize].predecessors;
        before.iter().map(|&n| self.nodes[n as usize].lock).collect()
    }

    /// Forgets a lock that is gone, after connecting what was waited for before it with what was
    /// waited for under it. Returns the edges that had to be added.
    pub(crate) fn remove(&mut self, lock: LockId) -> Vec<(LockId, LockId)> {
        let Some(node) = self.index.remove(&lock) else { return Vec::new() };
        let data = std::mem::take(&mut self.nodes[node as usize]);
        for &p in &data.predecessors {
            remove_item(&mut self.nodes[p as usize].successors, node);
        }
        for &s in &data.successors {
            remove_item(&mut self.nodes[s as usize].predecessors, node);
        }
        let mut bridges = Vec::new();
        for &p in &data.predecessors {
            for &s in &data.successors {
                if p != s && !self.has_edge(p, s) {
                    self.insert_edge(p, s);
                    bridges.push((self.nodes[p as usize].lock, self.nodes[s as usize].lock));
                }
            }
        }
        self.leave_component(node, data.component, data.position);
        bridges
    }

    fn leave_component(&mut self, node: Node, component: Component, position: u32) {
        let members = &mut self.components[component as usize].members;
        if !members.is_empty() {
            members.swap_remove(position as usize);
            if let Some(&moved) = members.get(position as usize) {
                self.nodes[moved as usize].position = position;
            }
        }
        if node != component {
            self.free.push(node);
        }
        match members.len() {
            // The node was alone, or the last member: its number is free with the component's.
            0 => self.free.push(component),
            1 if members[0] == component => members.clear(),
            _ => {}
        }
    }

    fn node(&mut self, lock: LockId, outer: bool) -> Node {
        if let Some(&n) = self.index.get(&lock) {
            return n;
        }
        let rank = if outer {
            self.lowest -= 1;
            self.lowest
        } else {
            self.highest += 1;
            self.highest
        };
        let n = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(NodeData::default());
            self.components.push(ComponentData::default());
            (self.nodes.len() - 1) as Node
        });
        let data = &mut self.nodes[n as usize];
        data.lock = lock;
        data.component = n;
        self.components[n as usize].rank = rank;
        self.index.insert(lock, n);
        n
    }

    fn has_edge(&self, from: Node, to: Node) -> bool {
        let (out, into) =
            (&self.nodes[from as usize].successors, &self.nodes[to as usize].predecessors);
        if out.len() <= into.len() { out.contains(&to) } else { into.contains(&from) }
    }

    fn insert_edge(&mut self, from: Node, to: Node) {
        self.nodes[from as usize].successors.push(to);
        self.nodes[to as usize].predecessors.push(from);
        self.added += 1;
    }

    fn component(&self, node: Node) -> Component {
        self.nodes[node as usize].component
    }

    fn rank(&self, component: Component) -> i64 {
        self.components[component as usize].rank
    }

    /// Restores the order after an edge from component `a` to component `b`. Returns whether the
    /// edge closed a cycle, which makes one component of all that lies on it.
    fn reorder(&mut self, a: Component, b: Component) -> bool {
        let (low, high) = (self.rank(b), self.rank(a));
        if high < low {
            return false;
        }
        let after = self.region(b, true, |rank| rank <= high);
        let before = self.region(a, false, |rank| rank >= low);
        let mut ranks: Vec<i64> = after.iter().chain(&before).map(|&c| self.rank(c)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let reaches: HashSet<Component> = before.iter().copied().collect();
        let (cyclic, after): (Vec<_>, Vec<_>) =
            after.into_iter().partition(|c| reaches.contains(c));
        let merged: HashSet<Component> = cyclic.iter().copied().collect();
        let one = self.merge(&cyclic);
        // What comes before may only move down and what comes after only up, as locks outside of
        // the region stand between them; the merged component may be anywhere between.
        let before = before.into_iter().filter(|c| !merged.contains(c)).chain(one);
        for (component, &rank) in before.zip(&ranks) {
            self.components[component as usize].rank = rank;
        }
        for (component, &rank) in after.into_iter().rev().zip(ranks.iter().rev()) {
            self.components[component as usize].rank = rank;
        }
        one.is_some()
    }

    /// The components that can be reached from `start` (or reach it) without leaving the ranks that
    /// `within` allows, in topological order.
    fn region(
        &self,
        start: Component,
        forward: bool,
        within: impl Fn(i64) -> bool,
    ) -> Vec<Component> {
        let mut found = vec![start];
        let mut seen: Map<Component, ()> = Map::default();
        seen.insert(start, ());
        let mut next = 0;
        while next < found.len() {
            let component = found[next];
            next += 1;
            let members = &self.components[component as usize].members;
            let alone = [component];
            for &node in if members.is_empty() { &alone[..] } else { members } {
                let data = &self.nodes[node as usize];
                for &n in if forward { &data.successors } else { &data.predecessors } {
                    let c = self.component(n);
                    if within(self.rank(c)) && seen.insert(c, ()).is_none() {
                        found.push(c);
                    }
                }
            }
        }
        found.sort_unstable_by_key(|&c| self.rank(c));
        found
    }

    /// Makes one component of several, under the number of the largest.
    fn merge(&mut self, parts: &[Component]) -> Option<Component> {
        let size = |g: &Self, c: Component| g.components[c as usize].members.len();
        let into = *parts.iter().max_by_key(|&&c| size(self, c))?;
        let mut members = std::mem::take(&mut self.components[into as usize].members);
        if members.is_empty() {
            members.push(into);
            self.nodes[into as usize].position = 0;
        }
        for &part in parts.iter().filter(|&&p| p != into) {
            let moved = std::mem::take(&mut self.components[part as usize].members);
            let moved = if moved.is_empty() { vec![part] } else { moved };
            // A number whose node is gone but whose component lived on is free from here.
            if !moved.contains(&part) {
                self.free.push(part);
            }
            for (at, &node) in (members.len()..).zip(&moved) {
                self.nodes[node as usize].component = into;
                self.nodes[node as usize].position = at as u32;
            }
            members.extend(moved);
        }
        self.components[into as usize].members = members;
        Some(into)
    }
}

fn remove_item(list: &mut Vec<Node>, item: Node) {
    if let Some(at) = list.iter().position(|&n| n == item) {
        list.swap_remove(at);
    }
}
