//! What several stages ask of a graph: its circles.

use std::collections::{BTreeMap, VecDeque};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

/// The strongly connected components of a graph, each after those that it leads to.
pub(crate) fn components(next: &[Vec<u32>]) -> Vec<Vec<usize>> {
    let links = next.iter().zip(0u32..).flat_map(|(to, from)| to.iter().map(move |to| (from, *to)));
    let mut graph: DiGraph<(), ()> = DiGraph::from_edges(links);
    // A node behind the last with a link is in no link.
    while graph.node_count() < next.len() {
        graph.add_node(());
    }
    let components = tarjan_scc(&graph).into_iter();
    components.map(|nodes| nodes.into_iter().map(|node| node.index()).collect()).collect()
}

/// The shortest way from one node to another, by at least one link, without the other itself; none
/// where it has more than `longest` nodes.
pub(crate) fn shortest_way<N: Copy + Ord, I: IntoIterator<Item = N>>(
    from: N,
    to: N,
    longest: usize,
    next: impl Fn(N) -> I,
) -> Option<Vec<N>> {
    let mut came_from: BTreeMap<N, N> = BTreeMap::new();
    let mut work = VecDeque::from([(from, 1)]);
    while let Some((at, length)) = work.pop_front() {
        if length > longest {
            return None;
        }
        for target in next(at) {
            if target == to {
                let back = std::iter::successors(Some(at), |at| came_from.get(at).copied());
                let mut way: Vec<N> = back.collect();
                way.reverse();
                return Some(way);
            }
            if target != from && !came_from.contains_key(&target) {
                came_from.insert(target, at);
                work.push_back((target, length + 1));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{components, shortest_way};

    #[test]
    fn a_component_comes_after_those_it_leads_to() {
        let next = [vec![1], vec![2], vec![1], vec![0], vec![]];
        let mut found = components(&next);
        found.iter_mut().for_each(|nodes| nodes.sort_unstable());
        let place = |nodes: &[usize]| found.iter().position(|other| other == nodes);
        assert!(place(&[1, 2]) < place(&[0]) && place(&[0]) < place(&[3]));
        assert!(place(&[4]).is_some());
    }

    #[test]
    fn the_shortest_way_may_lead_back() {
        let next = [vec![1], vec![2, 3], vec![3], vec![0]];
        let way = |from, to, longest| shortest_way(from, to, longest, |at: usize| next[at].clone());
        assert_eq!(way(0, 0, 9), Some(vec![0, 1, 3]));
        assert_eq!(way(0, 0, 2), None);
        assert_eq!(way(2, 1, 9), Some(vec![2, 3, 0]));
    }
}
