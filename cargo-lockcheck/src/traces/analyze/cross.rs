//! Cycles that no single process saw: one process takes A then B, another B then A.
//!
//! The search is over classes, since the locks of different processes are never the same objects.
//! That makes every result a potential one. A cycle whose links were all seen within one process is
//! left to that process, which knows instances and decides exactly.
//!
//! A result is held back as `guarded` only where it is certain: the gate is one lock in each of the
//! processes. What it may miss: cycles longer than [`LONGEST`], nestings within one class, and
//! whatever lies beyond the search's budget, which is then said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockdep::finding::{Rule, Tier};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::report::model::Mode;
use crate::traces::merge::{Merged, ProcessSet, Seen, Witnesses};
use crate::traces::trace::{Class, Edge, Found, Hold, Order, Stack, Thread};

/// Longer cycles are not looked for.
const LONGEST: usize = 6;

/// Steps of the whole search, each a few set operations.
const BUDGET: u32 = 1_000_000;

/// Ways to take one link that are tried, and results that are kept.
const WAYS: usize = 64;
const RESULTS: usize = 200;

/// The cycles found, and whether the search came to its end.
#[derive(Debug)]
pub(super) struct Cycles {
    pub(super) found: Vec<Found>,
    pub(super) complete: bool,
}

/// Looks for cycles over the dependencies of at least two processes, the shortest first.
pub(super) fn cycles(merged: &Merged) -> Cycles {
    let mut graph = DiGraph::<&Arc<Class>, ()>::new();
    let mut nodes: BTreeMap<&Arc<Class>, NodeIndex> = BTreeMap::new();
    let edges = merged.edges();
    for (from, to) in edges.keys().filter(|(from, to)| from != to) {
        let [from, to] =
            [*from, *to].map(|class| *nodes.entry(class).or_insert_with(|| graph.add_node(class)));
        graph.update_edge(from, to, ());
    }
    let mut part_of = vec![0; graph.node_count()];
    for (part, members) in tarjan_scc(&graph).iter().enumerate() {
        members.iter().for_each(|member| part_of[member.index()] = part);
    }
    graph.retain_edges(|graph, edge| {
        let (from, to) = graph.edge_endpoints(edge).expect("the edge is there");
        part_of[from.index()] == part_of[to.index()]
    });

    let mut search = Search {
        merged,
        edges,
        links: links(merged),
        graph: &graph,
        budget: BUDGET,
        possible: Vec::new(),
        found: Vec::new(),
    };
    for length in 2..=LONGEST {
        for start in graph.node_indices() {
            search.extend(&mut vec![start], length);
        }
    }
    Cycles { complete: search.budget > 0 && search.found.len() < RESULTS, found: search.found }
}

/// One way to ask for the second class while the first is held.
struct Link<'a> {
    order: &'a Order,
    held: &'a Hold,
    threads: &'a Witnesses,
}

type Links<'a> = BTreeMap<(&'a Arc<Class>, &'a Arc<Class>), Vec<Link<'a>>>;

fn links(merged: &Merged) -> Links<'_> {
    let mut links: Links<'_> = BTreeMap::new();
    for (order, Seen { threads, .. }) in &merged.orders {
        for held in &order.held {
            let ways = links.entry((&held.class, &order.lock.class)).or_default();
            if ways.len() < WAYS {
                ways.push(Link { order, held, threads });
            }
        }
    }
    links
}

struct Search<'a> {
    merged: &'a Merged,
    edges: BTreeMap<(&'a Arc<Class>, &'a Arc<Class>), ProcessSet>,
    links: Links<'a>,
    graph: &'a DiGraph<&'a Arc<Class>, ()>,
    budget: u32,
    /// The classes of cycles that are possible: a longer cycle over them tells nothing new.
    possible: Vec<BTreeSet<NodeIndex>>,
    found: Vec<Found>,
}

impl<'a> Search<'a> {
    /// Extends `path` to all cycles of `length` through it whose first node is the least.
    fn extend(&mut self, path: &mut Vec<NodeIndex>, length: usize) {
        let (Some(&start), Some(&last)) = (path.first(), path.last()) else { return };
        for next in self.graph.neighbors(last) {
            if self.budget == 0 || self.found.len() >= RESULTS {
                return;
            }
            self.budget -= 1;
            if path.len() == length {
                if next == start {
                    self.close(path);
                }
            } else if next > start && !path.contains(&next) {
                path.push(next);
                if !self.is_known(path) {
                    self.extend(path, length);
                }
                path.pop();
            }
        }
    }

    fn is_known(&self, path: &[NodeIndex]) -> bool {
        self.possible.iter().any(|known| known.iter().all(|node| path.contains(node)))
    }

    /// Judges the cycle over the classes of `path`.
    fn close(&mut self, path: &[NodeIndex]) {
        let classes: Vec<&'a Arc<Class>> = path.iter().map(|node| self.graph[*node]).collect();
        let steps = (0..classes.len()).map(|at| (classes[at], classes[(at + 1) % classes.len()]));
        let keys: Vec<(&'a Arc<Class>, &'a Arc<Class>)> = steps.collect();
        if self.seen_by_one_process(&keys) {
            return;
        }
        let mut choice = Choice { search: self, best: None, picked: Vec::new(), budget: 10_000 };
        choice.pick(&keys);
        let spent = 10_000 - choice.budget;
        let best = choice.best;
        self.budget = self.budget.saturating_sub(spent);
        if let Some(best) = best {
            if best.found.tier != Tier::Guarded {
                self.possible.push(path.iter().copied().collect());
            }
            self.found.push(best.found);
        }
    }

    fn seen_by_one_process(&self, keys: &[(&'a Arc<Class>, &'a Arc<Class>)]) -> bool {
        let sets: Vec<&ProcessSet> = keys.iter().filter_map(|key| self.edges.get(key)).collect();
        ProcessSet::have_one_in_common(&sets)
    }

    /// A lock that both links hold, that cannot be held by both at once, and that is a single one
    /// in every process concerned.
    fn gate(&self, one: &Link<'a>, other: &Link<'a>) -> Option<&'a Arc<Class>> {
        let single = |class: &Arc<Class>| {
            self.merged.many.get(class).is_none_or(|processes| {
                let threads = || one.threads.iter().chain(other.threads);
                !threads().any(|(thread, _)| processes.contains(&thread.process))
            })
        };
        one.order.held.iter().find_map(|held| {
            let excluded = other
                .order
                .held
                .iter()
                .any(|theirs| theirs.class == held.class && conflict(theirs.mode, held.mode));
            (excluded && single(&held.class)).then_some(&held.class)
        })
    }
}

/// Whether one thread with `held` keeps another from getting `asked` at once.
fn conflict(held: Mode, asked: Mode) -> bool {
    match (held, asked) {
        (Mode::Read, Mode::Read | Mode::Upgradable) | (Mode::Upgradable, Mode::Read) => false,
        (Mode::Write, _) | (_, Mode::Write) | (Mode::Upgradable, Mode::Upgradable) => true,
    }
}

/// The search for the ways to take the links of one cycle that speak most for it.
struct Choice<'s, 'a> {
    search: &'s Search<'a>,
    picked: Vec<&'s Link<'a>>,
    best: Option<Judged>,
    budget: u32,
}

/// A judged choice: the least `doubt` wins.
struct Judged {
    doubt: (bool, bool, bool),
    found: Found,
}

impl<'s, 'a> Choice<'s, 'a> {
    fn pick(&mut self, keys: &[(&'a Arc<Class>, &'a Arc<Class>)]) {
        if self.picked.len() == keys.len() {
            self.judge();
            return;
        }
        let search = self.search;
        for link in search.links.get(&keys[self.picked.len()]).into_iter().flatten() {
            let certain = |best: &Judged| best.doubt == (false, false, false);
            if self.budget == 0 || self.best.as_ref().is_some_and(certain) {
                return;
            }
            self.budget -= 1;
            self.picked.push(link);
            self.pick(keys);
            self.picked.pop();
        }
    }

    fn judge(&mut self) {
        let picked = &self.picked;
        let count = picked.len();
        let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
        let mut pairs = pairs.map(|(one, other)| self.search.gate(picked[one], picked[other]));
        let gate = pairs.find_map(|gate| gate);
        let threads = distinct(picked.iter().map(|link| link.threads));
        let reads = (0..count)
            .any(|at| !conflict(picked[(at + 1) % count].held.mode, picked[at].order.lock.mode));
        let doubt = (gate.is_some(), threads.is_none(), reads);
        if self.best.as_ref().is_some_and(|best| best.doubt <= doubt) {
            return;
        }
        let tier = match doubt {
            (true, ..) => Tier::Guarded,
            (_, true, _) => Tier::NeedsThread,
            _ => Tier::Potential,
        };
        let threads = threads.unwrap_or_else(|| {
            picked.iter().filter_map(|link| link.threads.keys().next().map(|t| &**t)).collect()
        });
        let seen = |link: &Link<'_>, thread: &Thread| {
            link.threads.get(thread).cloned().unwrap_or_default()
        };
        let text = |stack: &Stack| stack.iter().map(ToString::to_string).collect();
        let edge = |(at, (link, thread)): (usize, (&&Link<'_>, &&Thread))| Edge {
            from: at,
            to: (at + 1) % count,
            thread: Thread::clone(thread),
            from_mode: link.held.mode,
            to_mode: link.order.lock.mode,
            from_site: Arc::clone(&link.held.site),
            to_site: Arc::clone(&link.order.lock.site),
            stack: text(&seen(link, thread).asked),
            from_stack: {
                let at = link.order.held.iter().position(|held| held == link.held);
                at.and_then(|at| seen(link, thread).held.get(at).map(text)).unwrap_or_default()
            },
        };
        let mut locks: Vec<Arc<Class>> =
            picked.iter().map(|link| Arc::clone(&link.held.class)).collect();
        let reason = gate.map(|gate| {
            let at = locks.iter().position(|lock| lock == gate).unwrap_or_else(|| {
                locks.push(Arc::clone(gate));
                count
            });
            format!("gate lock {{{at}}}")
        });
        let found = Found {
            rule: Rule::LockOrder,
            tier,
            message: String::new(),
            edges: picked.iter().zip(&threads).enumerate().map(edge).collect(),
            locks,
            sites: Vec::new(),
            waits: Vec::new(),
            reason,
            notes: Vec::new(),
            instances: Vec::new(),
            apart: Vec::new(),
        };
        self.best = Some(Judged { doubt, found });
    }
}

/// A different thread out of each set, if there is such a choice.
fn distinct<'t>(sets: impl Iterator<Item = &'t Witnesses>) -> Option<Vec<&'t Thread>> {
    fn fill<'t>(sets: &[&'t Witnesses], chosen: &mut Vec<&'t Thread>) -> bool {
        let Some(set) = sets.get(chosen.len()) else { return true };
        for thread in set.keys().map(|thread| &**thread) {
            if !chosen.contains(&thread) {
                chosen.push(thread);
                if fill(sets, chosen) {
                    return true;
                }
                chosen.pop();
            }
        }
        false
    }
    let sets: Vec<&Witnesses> = sets.collect();
    let mut chosen = Vec::with_capacity(sets.len());
    fill(&sets, &mut chosen).then_some(chosen)
}
