//! The dependencies behind the orders, the cycles they form, and how sure each cycle is.
//!
//! A *dependency* is "this thread asked for this lock while it held those". Cycles are chains of
//! dependencies, as in Goodlock (Havelund 2000; Bensalem and Havelund 2005) and iGoodlock (Joshi et
//! al. 2009): each asks for a lock that the next one holds. The tier of a cycle says what keeps its
//! threads apart, if anything: a common gate lock, spawn and join order, one thread that would have
//! to be in two places, or readers that exclude nobody until a writer queues.
//!
//! A cycle is looked for when a new dependency arrives whose locks lie in one component of the
//! [`OrderGraph`], so a program without inversions never pays for a search. It is the dependency
//! that is new, not the edge: an order first seen under a gate lock and later without it adds no
//! edge, but a cycle.
//!
//! What it may miss: beyond [`LONGEST`] locks only a shortest cycle through the new dependency is
//! looked at, and one search gives up after [`STEPS`] steps. What it never reports: a cycle whose
//! locks were not all waited for, or of instances that are not the same objects.

use std::collections::VecDeque;
use std::sync::Arc;

use super::clock::Clock;
use super::order_graph::OrderGraph;
use super::{LockId, SiteId, ThreadId};
use crate::finding::Tier;
use crate::hash::Map;
use crate::instrument::Mode;

/// Cycles of up to this many locks are enumerated.
const LONGEST: usize = 6;
/// How many dependencies one search looks at.
const STEPS: usize = 4096;
/// How many cycles one search returns.
const CYCLES: usize = 16;
/// For cycles of more locks the newest witnesses are taken as they are.
const LONG: usize = 64;
/// How many threads are kept for one dependency.
const WITNESSES: usize = 8;
/// How many locks that are gone a remembered order may lead through.
const GONE_LINKS: usize = 8;

/// A lock that a thread holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The lock.
    pub lock: LockId,
    /// How it is held.
    pub mode: Mode,
    /// Whether it was acquired without blocking, so that no order leads into it.
    pub tried: bool,
    /// Where it was acquired.
    pub site: SiteId,
}

/// A thread asks for a lock while it holds others.
#[derive(Clone, Copy, Debug)]
pub struct Dependency<'a> {
    /// The thread that asks.
    pub thread: ThreadId,
    /// The thread's spawn epoch, counted from one.
    pub epoch: u32,
    /// What is over by spawn and join order.
    pub clock: &'a Arc<Clock>,
    /// The lock that is asked for.
    pub lock: LockId,
    /// The mode it is asked for in.
    pub mode: Mode,
    /// Where it is asked for.
    pub site: SiteId,
    /// What the thread holds, outermost first.
    pub held: &'a [Held],
}

/// One step of a cycle: a thread holds one lock and waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The thread.
    pub thread: ThreadId,
    /// The lock that it holds.
    pub held: Held,
    /// The lock that it asks for; it does not hold it.
    pub asked: Held,
    /// What else it holds.
    pub guards: Vec<Held>,
}

/// A cycle in the order graph: each link's `asked` lock is the next link's `held` one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// How sure it is that it can happen.
    pub tier: Tier,
    /// The links in cycle order; the one of the newest dependency first.
    pub links: Vec<Link>,
    /// The lock that makes it impossible, where the tier is [`Tier::Guarded`].
    pub gate: Option<LockId>,
}

/// An order through locks that are gone: the links that made it, in order.
#[derive(Clone, Debug)]
pub struct Gone {
    links: Vec<Link>,
}

type Chain = u32;
type Dep = u32;

/// The chain of nothing held.
const ROOT: Chain = 0;

/// A held stack, as a path in a tree: this lock on top of the parent's.
#[derive(Debug)]
struct ChainData {
    parent: Chain,
    held: Held,
    children: Vec<Chain>,
    deps: Vec<Dep>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct DepKey {
    chain: Chain,
    lock: LockId,
    mode: Mode,
    site: SiteId,
}

#[derive(Debug)]
struct DepData {
    key: DepKey,
    witnesses: Vec<Witness>,
}

#[derive(Clone, Debug)]
struct Witness {
    thread: ThreadId,
    epoch: u32,
    clock: Arc<Clock>,
}

impl Witness {
    fn before(&self, later: &Witness) -> bool {
        later.clock.over(self.thread) >= self.epoch
    }
}

#[derive(Debug, Default)]
struct LockData {
    /// Chains with this lock on top.
    chains: Vec<Chain>,
    /// Dependencies that ask for it.
    deps: Vec<Dep>,
    /// Locks that an order leads to through locks that are gone.
    gone: Vec<(LockId, Gone)>,
}

/// All dependencies seen, and the cycles they form.
#[derive(Debug)]
pub struct Detector {
    graph: OrderGraph,
    locks: Map<LockId, LockData>,
    chains: Vec<ChainData>,
    free_chains: Vec<Chain>,
    chain_index: Map<(Chain, Held), Chain>,
    deps: Vec<DepData>,
    free_deps: Vec<Dep>,
    dep_index: Map<DepKey, Dep>,
    witnesses: Map<ThreadId, u32>,
}

impl Default for Detector {
    fn default() -> Detector {
        Detector::new()
    }
}

impl Detector {
    /// A detector that has seen nothing.
    pub fn new() -> Detector {
        let nothing = Held { lock: 0, mode: Mode::Read, tried: true, site: 0 };
        Detector {
            graph: OrderGraph::new(),
            locks: Map::default(),
            chains: vec![ChainData {
                parent: ROOT,
                held: nothing,
                children: Vec::new(),
                deps: Vec::new(),
            }],
            free_chains: Vec::new(),
            chain_index: Map::default(),
            deps: Vec::new(),
            free_deps: Vec::new(),
            dep_index: Map::default(),
            witnesses: Map::default(),
        }
    }

    /// The number of orders between pairs of locks that were ever learnt.
    pub fn added_edges(&self) -> u64 {
        self.graph.added_edges()
    }

    /// The number of dependencies known.
    pub fn dependencies(&self) -> usize {
        self.dep_index.len()
    }

    /// Whether the lock appears in any dependency.
    pub fn knows(&self, lock: LockId) -> bool {
        self.locks.contains_key(&lock)
    }

    /// Whether anything that this thread did is still known; if not, clocks need not mention it.
    pub fn remembers(&self, thread: ThreadId) -> bool {
        self.witnesses.contains_key(&thread)
    }

    /// Records a dependency and returns the cycles that it closes, shortest first.
    ///
    /// # Cost
    /// A few map accesses per held lock; a search only where the locks can lie on a cycle.
    pub fn request(&mut self, seen: &Dependency<'_>) -> Vec<Cycle> {
        let mut chain = ROOT;
        for &held in seen.held {
            chain = self.chain(chain, held);
        }
        // A blocking acquisition has an order from everything below it already, so reachability
        // needs only the orders down to the first one.
        for held in seen.held.iter().rev() {
            if held.lock != seen.lock {
                self.graph.add(held.lock, seen.lock);
            }
            if !held.tried {
                break;
            }
        }
        let key = DepKey { chain, lock: seen.lock, mode: seen.mode, site: seen.site };
        let dep = self.dep(key);
        let witness =
            Witness { thread: seen.thread, epoch: seen.epoch, clock: Arc::clone(seen.clock) };
        self.witness(dep, witness);
        if !self.graph.on_cycle(seen.lock)
            || !seen.held.iter().any(|h| self.graph.cyclic(h.lock, seen.lock))
        {
            return Vec::new();
        }
        Search::new(self, dep).run()
    }

    /// Forgets a lock that is gone. Orders that lead through it stay.
    pub fn remove(&mut self, lock: LockId) {
        let Some(data) = self.locks.remove(&lock) else { return };
        let before = self.graph.predecessors(lock);
        for (from, to) in self.graph.remove(lock) {
            let orders = (self.order_into(from, lock, &data), self.order_out(lock, to, &data));
            let (Some(mut links), Some(then)) = orders else { continue };
            links.extend(then);
            if links.len() <= GONE_LINKS {
                self.locks.entry(from).or_default().gone.push((to, Gone { links }));
            }
        }
        for before in before {
            if let Some(data) = self.locks.get_mut(&before) {
                data.gone.retain(|(to, _)| *to != lock);
            }
        }
        for dep in data.deps {
            self.drop_dep(dep);
        }
        for chain in data.chains {
            self.splice(chain);
        }
    }

    /// The links of an order that leads from `from` into `lock`, whose data this is.
    fn order_into(&self, from: LockId, lock: LockId, data: &LockData) -> Option<Vec<Link>> {
        let direct = data.deps.iter().find_map(|&dep| self.bare_link(dep, from));
        direct.map(|link| vec![link]).or_else(|| {
            let gone = &self.locks.get(&from)?.gone;
            gone.iter().find(|(to, _)| *to == lock).map(|(_, gone)| gone.links.clone())
        })
    }

    /// The links of an order that leads from `lock`, whose data this is, to `to`.
    fn order_out(&self, lock: LockId, to: LockId, data: &LockData) -> Option<Vec<Link>> {
        let deps = self.locks.get(&to).map_or(&[][..], |to| &to.deps);
        let direct = deps.iter().find_map(|&dep| self.bare_link(dep, lock));
        direct.map(|link| vec![link]).or_else(|| {
            data.gone.iter().find(|(l, _)| *l == to).map(|(_, gone)| gone.links.clone())
        })
    }

    /// The dependency as a link from `from`, if that is held there, without what else is held.
    fn bare_link(&self, dep: Dep, from: LockId) -> Option<Link> {
        let held = self.held_of(dep).find(|h| h.lock == from)?;
        let DepKey { lock, mode, site, .. } = self.deps[dep as usize].key;
        Some(Link {
            thread: self.deps[dep as usize].witnesses.last().map_or(0, |w| w.thread),
            held,
            asked: Held { lock, mode, tried: false, site },
            guards: Vec::new(),
        })
    }

    fn chain(&mut self, parent: Chain, held: Held) -> Chain {
        if let Some(&chain) = self.chain_index.get(&(parent, held)) {
            return chain;
        }
        let data = ChainData { parent, held, children: Vec::new(), deps: Vec::new() };
        let chain = match self.free_chains.pop() {
            Some(chain) => {
                self.chains[chain as usize] = data;
                chain
            }
            None => {
                self.chains.push(data);
                (self.chains.len() - 1) as Chain
            }
        };
        self.chain_index.insert((parent, held), chain);
        self.add_child(parent, chain);
        self.locks.entry(held.lock).or_default().chains.push(chain);
        chain
    }

    /// Nobody asks what stands on the root, which is everything.
    fn add_child(&mut self, parent: Chain, chain: Chain) {
        if parent != ROOT {
            self.chains[parent as usize].children.push(chain);
        }
    }

    fn dep(&mut self, key: DepKey) -> Dep {
        if let Some(&dep) = self.dep_index.get(&key) {
            return dep;
        }
        let data = DepData { key, witnesses: Vec::new() };
        let dep = match self.free_deps.pop() {
            Some(dep) => {
                self.deps[dep as usize] = data;
                dep
            }
            None => {
                self.deps.push(data);
                (self.deps.len() - 1) as Dep
            }
        };
        self.dep_index.insert(key, dep);
        self.chains[key.chain as usize].deps.push(dep);
        self.locks.entry(key.lock).or_default().deps.push(dep);
        dep
    }

    /// Keeps who was seen. A witness that is over when the new one acts can be left out: whatever
    /// comes later and could overlap it can overlap the new one.
    fn witness(&mut self, dep: Dep, new: Witness) {
        let kept = &mut self.deps[dep as usize].witnesses;
        let same = kept.iter().position(|w| w.thread == new.thread);
        let full = kept.len() >= WITNESSES;
        let replaced = same
            .or_else(|| kept.iter().position(|w| w.before(&new)).filter(|_| full))
            .or(full.then_some(0));
        *self.witnesses.entry(new.thread).or_insert(0) += 1;
        match replaced {
            Some(at) => {
                let old = kept.remove(at);
                kept.push(new);
                self.forget_witness(old.thread);
            }
            None => kept.push(new),
        }
    }

    fn forget_witness(&mut self, thread: ThreadId) {
        if let Some(count) = self.witnesses.get_mut(&thread) {
            *count -= 1;
            if *count == 0 {
                self.witnesses.remove(&thread);
            }
        }
    }

    /// What was held at a dependency, innermost first.
    fn held_of(&self, dep: Dep) -> impl Iterator<Item = Held> + '_ {
        let mut chain = self.deps[dep as usize].key.chain;
        std::iter::from_fn(move || {
            let data = &self.chains[chain as usize];
            (chain != ROOT).then(|| {
                chain = data.parent;
                data.held
            })
        })
    }

    /// The dependencies of a chain and of all chains on top of it.
    fn deps_above(&self, chain: Chain) -> Vec<Dep> {
        let mut deps = Vec::new();
        let mut open = vec![chain];
        while let Some(chain) = open.pop() {
            let data = &self.chains[chain as usize];
            deps.extend(&data.deps);
            open.extend(&data.children);
        }
        deps
    }

    /// The dependency as a link from one of its held locks.
    fn link(&self, dep: Dep, held: Held, witness: usize) -> Link {
        let data = &self.deps[dep as usize];
        let key = data.key;
        let mut guards: Vec<Held> =
            self.held_of(dep).filter(|h| h.lock != held.lock && h.lock != key.lock).collect();
        guards.reverse();
        Link {
            thread: data.witnesses.get(witness).map_or(0, |w| w.thread),
            held,
            asked: Held { lock: key.lock, mode: key.mode, tried: false, site: key.site },
            guards,
        }
    }

    fn drop_dep(&mut self, dep: Dep) {
        let data = &mut self.deps[dep as usize];
        let key = data.key;
        let witnesses = std::mem::take(&mut data.witnesses);
        self.dep_index.remove(&key);
        remove_item(&mut self.chains[key.chain as usize].deps, dep);
        if let Some(lock) = self.locks.get_mut(&key.lock) {
            remove_item(&mut lock.deps, dep);
        }
        for w in witnesses {
            self.forget_witness(w.thread);
        }
        self.free_deps.push(dep);
    }

    /// Takes one chain link out: what was on top of it is now on top of its parent.
    fn splice(&mut self, chain: Chain) {
        let data = &mut self.chains[chain as usize];
        let (parent, held) = (data.parent, data.held);
        let children = std::mem::take(&mut data.children);
        let deps = std::mem::take(&mut data.deps);
        self.chain_index.remove(&(parent, held));
        if parent != ROOT {
            remove_item(&mut self.chains[parent as usize].children, chain);
        }
        for dep in deps {
            self.move_dep(dep, parent);
        }
        for child in children {
            self.move_chain(child, chain, parent);
        }
        self.free_chains.push(chain);
    }

    fn move_chain(&mut self, chain: Chain, from: Chain, to: Chain) {
        let held = self.chains[chain as usize].held;
        self.chain_index.remove(&(from, held));
        let Some(&same) = self.chain_index.get(&(to, held)) else {
            self.chain_index.insert((to, held), chain);
            self.chains[chain as usize].parent = to;
            self.add_child(to, chain);
            return;
        };
        let data = &mut self.chains[chain as usize];
        let children = std::mem::take(&mut data.children);
        let deps = std::mem::take(&mut data.deps);
        for dep in deps {
            self.move_dep(dep, same);
        }
        for child in children {
            self.move_chain(child, chain, same);
        }
        if let Some(lock) = self.locks.get_mut(&held.lock) {
            remove_item(&mut lock.chains, chain);
        }
        self.free_chains.push(chain);
    }

    fn move_dep(&mut self, dep: Dep, to: Chain) {
        let old = self.deps[dep as usize].key;
        self.dep_index.remove(&old);
        let key = DepKey { chain: to, ..old };
        let same = self.dep_index.get(&key).copied();
        if to != ROOT && same.is_none() {
            self.dep_index.insert(key, dep);
            self.deps[dep as usize].key = key;
            self.chains[to as usize].deps.push(dep);
            return;
        }
        let witnesses = std::mem::take(&mut self.deps[dep as usize].witnesses);
        if let Some(lock) = self.locks.get_mut(&old.lock) {
            remove_item(&mut lock.deps, dep);
        }
        self.free_deps.push(dep);
        for w in witnesses {
            let thread = w.thread;
            if let Some(same) = same {
                self.witness(same, w);
            }
            self.forget_witness(thread);
        }
    }
}

fn remove_item(list: &mut Vec<u32>, item: u32) {
    if let Some(at) = list.iter().position(|&n| n == item) {
        list.swap_remove(at);
    }
}

/// One step of a cycle while it is searched for: an order from a held lock to another.
#[derive(Clone, Debug)]
enum Step {
    Dep { dep: Dep, held: Held },
    Gone { from: LockId, to: LockId, links: Vec<Link> },
}

impl Step {
    fn from(&self) -> LockId {
        match self {
            Step::Dep { held, .. } => held.lock,
            Step::Gone { from, .. } => *from,
        }
    }
}

/// The search for the cycles that one dependency closes.
struct Search<'a> {
    detector: &'a Detector,
    start: Dep,
    target: Vec<Held>,
    steps: usize,
    path: Vec<Step>,
    found: Vec<Cycle>,
}

impl<'a> Search<'a> {
    fn new(detector: &'a Detector, start: Dep) -> Search<'a> {
        let asked = detector.deps[start as usize].key.lock;
        let target: Vec<Held> = detector
            .held_of(start)
            .filter(|h| h.lock != asked && detector.graph.cyclic(h.lock, asked))
            .collect();
        Search { detector, start, target, steps: STEPS, path: Vec::new(), found: Vec::new() }
    }

    fn run(mut self) -> Vec<Cycle> {
        let asked = self.detector.deps[self.start as usize].key.lock;
        for length in 2..=LONGEST {
            self.extend(asked, length - 1);
        }
        if self.found.is_empty() {
            self.shortest(asked);
        }
        self.found
    }

    /// Tries every order out of `at`, with `left` links to go.
    fn extend(&mut self, at: LockId, left: usize) {
        for step in self.steps_from(at) {
            if self.steps == 0 || self.found.len() >= CYCLES {
                return;
            }
            self.steps -= 1;
            let to = self.end(&step);
            let closes = self.target.iter().any(|h| h.lock == to);
            if closes != (left == 1) || self.path.iter().any(|s| s.from() == to) {
                continue;
            }
            self.path.push(step);
            if left == 1 {
                self.close(to);
            } else {
                self.extend(to, left - 1);
            }
            self.path.pop();
        }
    }

    fn end(&self, step: &Step) -> LockId {
        match step {
            Step::Dep { dep, .. } => self.detector.deps[*dep as usize].key.lock,
            Step::Gone { to, .. } => *to,
        }
    }

    fn steps_from(&self, at: LockId) -> Vec<Step> {
        let Some(data) = self.detector.locks.get(&at) else { return Vec::new() };
        let mut steps = Vec::new();
        for &chain in &data.chains {
            let held = self.detector.chains[chain as usize].held;
            for dep in self.detector.deps_above(chain) {
                let to = self.detector.deps[dep as usize].key.lock;
                if dep != self.start && to != at && self.detector.graph.cyclic(at, to) {
                    steps.push(Step::Dep { dep, held });
                }
            }
        }
        for (to, gone) in &data.gone {
            if self.detector.graph.cyclic(at, *to) {
                steps.push(Step::Gone { from: at, to: *to, links: gone.links.clone() });
            }
        }
        steps
    }

    /// Beyond the lengths that are enumerated: one shortest cycle.
    fn shortest(&mut self, asked: LockId) {
        let mut came: Map<LockId, Step> = Map::default();
        let mut queue = VecDeque::from([asked]);
        while let Some(at) = queue.pop_front() {
            if self.target.iter().any(|h| h.lock == at) {
                let mut back = at;
                while back != asked {
                    let step = came[&back].clone();
                    back = step.from();
                    self.path.push(step);
                }
                self.path.reverse();
                self.close(at);
                self.path.clear();
                return;
            }
            for step in self.steps_from(at) {
                let to = self.end(&step);
                if to != asked && !came.contains_key(&to) {
                    came.insert(to, step);
                    queue.push_back(to);
                }
            }
        }
    }

    /// The path leads back to `to`, which the new dependency holds.
    fn close(&mut self, to: LockId) {
        let Some(&held) = self.target.iter().find(|h| h.lock == to) else { return };
        let mut steps = vec![Step::Dep { dep: self.start, held }];
        steps.extend(self.path.iter().cloned());
        // A lock of the cycle that a second link holds as well makes a shorter cycle without the
        // links in between, which is found by itself.
        let shortcut = |gate: LockId| steps.iter().any(|s| s.from() == gate);
        if let Some(cycle) = self.judge(&steps)
            && !cycle.gate.is_some_and(shortcut)
        {
            self.found.push(cycle);
        }
    }

    /// What keeps the threads of a cycle apart; `None` where one of them would not even wait.
    fn judge(&self, steps: &[Step]) -> Option<Cycle> {
        let sets: Vec<Vec<Held>> = steps
            .iter()
            .map(|s| match s {
                Step::Dep { dep, .. } => self.detector.held_of(*dep).collect(),
                Step::Gone { .. } => Vec::new(),
            })
            .collect();
        let gate = common_gate(&sets);
        let (choice, apart) = self.choose(steps);
        let links: Vec<Link> = steps
            .iter()
            .zip(&choice)
            .flat_map(|(s, &w)| match s {
                Step::Dep { dep, held } => vec![self.detector.link(*dep, *held, w)],
                Step::Gone { links, .. } => links.clone(),
            })
            .collect();
        let gone = steps.iter().any(|s| matches!(s, Step::Gone { .. }));
        let one_thread = links.iter().all(|l| l.thread == links[0].thread);
        let mut readers = false;
        for (i, link) in links.iter().enumerate() {
            let (held, asked) = (links[(i + 1) % links.len()].held.mode, link.asked.mode);
            if !Mode::conflicts(held, asked) {
                if !Mode::conflicts_behind_writer(held, asked) {
                    return None;
                }
                readers = true;
            }
        }
        let tier = match apart {
            _ if gate.is_some() => Tier::Guarded,
            Apart::Ordered => Tier::Ordered,
            _ if readers => Tier::NeedsWriter,
            _ if gone && one_thread => Tier::NeedsThread,
            _ if gone => Tier::Potential,
            Apart::Never => Tier::Reachable,
            Apart::OneThread => Tier::NeedsThread,
        };
        Some(Cycle { tier, links, gate })
    }

    /// Chooses a witness for each step: distinct threads that can overlap if there are such, else
    /// witnesses of which only those of one thread cannot, else any.
    fn choose(&self, steps: &[Step]) -> (Vec<usize>, Apart) {
        let witnesses: Vec<&[Witness]> = steps
            .iter()
            .map(|s| match s {
                Step::Dep { dep, .. } => &self.detector.deps[*dep as usize].witnesses[..],
                Step::Gone { .. } => &[],
            })
            .collect();
        if steps.len() > LONG {
            return newest(&witnesses);
        }
        for distinct in [true, false] {
            if let Some(choice) = assign(&witnesses, distinct) {
                return (choice, if distinct { Apart::Never } else { Apart::OneThread });
            }
        }
        (vec![0; steps.len()], Apart::Ordered)
    }
}

/// What keeps the threads of a cycle apart.
#[derive(Clone, Copy)]
enum Apart {
    Never,
    OneThread,
    Ordered,
}

/// One witness for each step so that all of them can overlap pairwise, by backtracking.
fn assign(witnesses: &[&[Witness]], distinct: bool) -> Option<Vec<usize>> {
    // The newest witnesses stand last and are the likeliest to overlap, so they come first.
    let candidate = |at: usize, tried: usize| {
        let list = witnesses[at];
        list.len().checked_sub(tried + 1).map(|i| &list[i])
    };
    let mut tried: Vec<usize> = vec![0];
    let mut budget = STEPS;
    while let Some(at) = tried.len().checked_sub(1) {
        let gone = witnesses[at].is_empty() && tried[at] == 0;
        let next = candidate(at, tried[at]);
        if next.is_none() && !gone {
            tried.pop();
            if let Some(last) = tried.last_mut() {
                *last += 1;
            }
            continue;
        }
        budget = budget.checked_sub(1)?;
        let chosen = tried[..at].iter().enumerate().filter_map(|(i, &t)| candidate(i, t));
        if next.is_none_or(|new| chosen.into_iter().all(|old| overlap(old, new, distinct))) {
            if at + 1 == witnesses.len() {
                let index = |(at, t): (usize, &usize)| witnesses[at].len().saturating_sub(t + 1);
                return Some(tried.iter().enumerate().map(index).collect());
            }
            tried.push(0);
        } else {
            tried[at] += 1;
        }
    }
    None
}

/// The newest witness for each step, where there are too many steps to choose.
fn newest(witnesses: &[&[Witness]]) -> (Vec<usize>, Apart) {
    let choice = witnesses.iter().map(|list| list.len().saturating_sub(1)).collect();
    let all = || witnesses.iter().filter_map(|list| list.last());
    let mut different: Vec<&Witness> = all().collect();
    different.sort_unstable_by_key(|w| (w.thread, w.epoch));
    different.dedup_by_key(|w| (w.thread, w.epoch));
    let ordered = different
        .iter()
        .enumerate()
        .any(|(i, a)| different[..i].iter().any(|b| !overlap(a, b, false)));
    let threads = different.chunk_by(|a, b| a.thread == b.thread).count();
    let apart = match ordered {
        true => Apart::Ordered,
        false if threads == all().count() => Apart::Never,
        false => Apart::OneThread,
    };
    (choice, apart)
}

fn overlap(a: &Witness, b: &Witness, distinct: bool) -> bool {
    if a.thread == b.thread { !distinct } else { !a.before(b) && !b.before(a) }
}

/// A lock that two of the sets hold in modes that exclude each other.
fn common_gate(sets: &[Vec<Held>]) -> Option<LockId> {
    let mut seen: Map<LockId, Mode> = Map::default();
    sets.iter().find_map(|set| {
        let gate = set
            .iter()
            .find(|h| seen.get(&h.lock).is_some_and(|&mode| Mode::conflicts(mode, h.mode)));
        for held in set {
            let mode = seen.entry(held.lock).or_insert(held.mode);
            // A writer excludes all, and an upgradable holder more than a reader does.
            if held.mode == Mode::Write || mode.is_read() {
                *mode = held.mode;
            }
        }
        gate.map(|g| g.lock)
    })
}
