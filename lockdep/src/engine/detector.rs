//! The dependencies behind the orders, the cycles they form, and how sure each cycle is.
//!
//! A *dependency* is "this thread asked for this lock while it held those". Cycles are made of
//! dependencies, as in Goodlock (Havelund 2000; Bensalem and Havelund 2005) and iGoodlock (Joshi et
//! al. 2009): each asks for a lock that the next one holds. The tier of a cycle says what excludes it, if
//! anything does: a common gate lock, spawn and join order, one thread that would have to be in two
//! places, or readers that exclude no other until a writer queues.
//!
//! A cycle is looked for when a new dependency arrives whose locks lie in one component of the
//! [`OrderGraph`], so a program without inversions never pays for a search. It is the dependency
//! that is new, not the edge: an order first seen under a gate lock and later without it adds no
//! edge, but a cycle.
//!
//! What it never reports: a cycle whose locks were not all waited for, or of instances that are not
//! the same objects.

use std::collections::VecDeque;
use std::sync::Arc;

use super::ThreadPoint;
use super::inherited_locks::{CriticalSection, InheritedLocks};
use super::order_graph::OrderGraph;
use super::search::Search;
use super::vector_clock::{SharedClock, VectorClock};
use crate::hash::Map;
use crate::model::finding::Tier;
use crate::model::ids::{LockId, SiteId, ThreadId};
use crate::model::lock::Mode;

/// How many threads are kept for one dependency.
const WITNESSES: usize = 8;
/// How many locks that are gone a remembered order may lead through.
const GONE_LINKS: usize = 8;
/// How many locks are kept that are known from ways to events alone.
const ON_THE_WAY: usize = 1_024;

/// A lock that a thread holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Held {
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
pub(crate) struct Dependency<'a> {
    /// The thread that asks, at this step.
    pub at: &'a ThreadPoint,
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
pub(crate) struct Link {
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
pub(crate) struct Cycle {
    /// How sure it is that it can happen.
    pub tier: Tier,
    /// The links in cycle order; the one of the newest dependency first.
    pub links: Vec<Link>,
    /// The lock that makes it impossible, where the tier is [`Tier::Guarded`].
    pub gate: Option<LockId>,
    /// Whether only events in this run exclude it.
    pub by_events: bool,
    /// Where the tier is [`Tier::Ordered`]: whether that is so only by what threads do that nobody spawned.
    pub by_outermost: bool,
}

/// An order through locks that are gone: the links that made it, in order.
#[derive(Clone, Debug)]
pub(crate) struct Gone {
    pub(super) links: Vec<Link>,
}

/// The number of a [`HeldSetData`].
pub(super) type HeldSet = u32;
/// The number of a [`DepData`].
pub(super) type Dep = u32;

/// The empty set.
const NOTHING: HeldSet = 0;

/// The locks that a thread held, in the order of acquisition: this one, and those of the parent before
/// it. All sets that were seen form a tree.
#[derive(Debug)]
pub(super) struct HeldSetData {
    parent: HeldSet,
    pub(super) held: Held,
    children: Vec<HeldSet>,
    deps: Vec<Dep>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DepKey {
    held_set: HeldSet,
    pub(super) lock: LockId,
    mode: Mode,
    site: SiteId,
}

#[derive(Debug)]
pub(super) struct DepData {
    pub(super) key: DepKey,
    pub(super) witnesses: Vec<ThreadPoint>,
}

#[derive(Debug, Default)]
pub(super) struct LockData {
    /// Sets of which this lock is the last.
    pub(super) held_sets: Vec<HeldSet>,
    /// Dependencies that ask for it.
    deps: Vec<Dep>,
    /// Locks that an order leads to through locks that are gone.
    pub(super) gone: Vec<(LockId, Gone)>,
    /// Whether it is known from ways to events alone.
    on_the_way: bool,
}

/// All dependencies seen, and the cycles they form.
#[derive(Debug)]
pub(crate) struct Detector {
    pub(super) graph: OrderGraph,
    pub(super) locks: Map<LockId, LockData>,
    pub(super) held_sets: Vec<HeldSetData>,
    free_held_sets: Vec<HeldSet>,
    held_set_index: Map<(HeldSet, Held), HeldSet>,
    pub(super) deps: Vec<DepData>,
    free_deps: Vec<Dep>,
    dep_index: Map<DepKey, Dep>,
    witnesses: Map<ThreadId, u32>,
    /// Dependencies whose cycles are guarded only if a thread is joined before a hold ends.
    unsettled: Vec<(Arc<CriticalSection>, Dep)>,
    stamps: u64,
    /// The clocks that threads published with an event, joined.
    published: Map<LockId, SharedClock>,
    /// Locks that are, or were, known from ways to events alone, the oldest first.
    on_the_way: VecDeque<LockId>,
}

impl Default for Detector {
    fn default() -> Detector {
        Detector::new()
    }
}

impl Detector {
    /// A detector that has seen nothing.
    pub(crate) fn new() -> Detector {
        let nothing = Held { lock: 0, mode: Mode::Read, tried: true, site: 0 };
        Detector {
            graph: OrderGraph::new(),
            locks: Map::default(),
            held_sets: vec![HeldSetData {
                parent: NOTHING,
                held: nothing,
                children: Vec::new(),
                deps: Vec::new(),
            }],
            free_held_sets: Vec::new(),
            held_set_index: Map::default(),
            deps: Vec::new(),
            free_deps: Vec::new(),
            dep_index: Map::default(),
            witnesses: Map::default(),
            unsettled: Vec::new(),
            stamps: 0,
            published: Map::default(),
            on_the_way: VecDeque::new(),
        }
    }

    /// The number of edges that were ever added.
    pub(crate) fn added_edges(&self) -> u64 {
        self.graph.added_edges()
    }

    /// Whether the lock appears in any dependency.
    pub(crate) fn knows(&self, lock: LockId) -> bool {
        self.locks.contains_key(&lock)
    }

    /// Whether the thread is a witness of anything; if not, clocks need not mention it.
    pub(crate) fn remembers(&self, thread: ThreadId) -> bool {
        self.witnesses.contains_key(&thread)
    }

    /// Adds to `clock` what is completed in `other`, as far as the threads are remembered.
    pub(crate) fn join(&self, clock: &mut SharedClock, other: &SharedClock) {
        clock.join_kept(other, |thread| self.remembers(thread));
    }

    /// Adds to `clock` that the first `epochs` epochs of `thread` are completed, if it is remembered.
    pub(crate) fn advance(&self, clock: &mut SharedClock, thread: ThreadId, epochs: u32) {
        clock.advance_kept(thread, epochs, |thread| self.remembers(thread));
    }

    /// Records a dependency and returns the cycles that it closes, shortest first.
    ///
    /// # Cost
    /// A few map accesses per held lock; a search only where the locks can lie on a cycle.
    pub(crate) fn request(&mut self, seen: &Dependency<'_>) -> Vec<Cycle> {
        for lock in seen.held.iter().map(|held| held.lock).chain([seen.lock]) {
            if let Some(data) = self.locks.get_mut(&lock) {
                data.on_the_way = false;
            }
        }
        self.record(seen)
    }

    /// Like [`Detector::request`], for a lock that a thread asked for on its way to an event, which it holds in
    /// the words of the graph. Such a lock need not be [removed](Detector::remove) when it is gone: of those that
    /// are known so alone, the oldest are forgotten when there are more than [`ON_THE_WAY`].
    pub(crate) fn request_on_the_way(&mut self, seen: &Dependency<'_>) -> Vec<Cycle> {
        if !self.knows(seen.lock) {
            if self.on_the_way.len() == ON_THE_WAY {
                let oldest = self.on_the_way.pop_front();
                let forgotten = oldest.filter(|l| self.locks.get(l).is_some_and(|d| d.on_the_way));
                forgotten.into_iter().for_each(|lock| self.remove(lock));
            }
            self.on_the_way.push_back(seen.lock);
            self.locks.entry(seen.lock).or_default().on_the_way = true;
        }
        self.record(seen)
    }

    fn record(&mut self, seen: &Dependency<'_>) -> Vec<Cycle> {
        let mut held_set = NOTHING;
        for &held in seen.held {
            held_set = self.held_set(held_set, held);
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
        let key = DepKey { held_set, lock: seen.lock, mode: seen.mode, site: seen.site };
        let dep = self.dep(key);
        self.witness(dep, seen.at.clone());
        if !self.graph.on_cycle(seen.lock)
            || !seen.held.iter().any(|h| self.graph.cyclic(h.lock, seen.lock))
        {
            return Vec::new();
        }
        self.search(dep)
    }

    fn search(&mut self, dep: Dep) -> Vec<Cycle> {
        let (cycles, unsettled) = Search::new(self, dep).run();
        for section in unsettled {
            let known =
                |(s, d): &(Arc<CriticalSection>, Dep)| *d == dep && Arc::ptr_eq(s, &section);
            if !self.unsettled.iter().any(known) {
                self.unsettled.push((section, dep));
            }
        }
        cycles
    }

    /// The next number in the order of joins and releases.
    fn stamp(&mut self) -> u64 {
        self.stamps += 1;
        self.stamps
    }

    /// A thread at this point completes an event: a thread that gets the event from now on comes after
    /// that point.
    pub(crate) fn publish(&mut self, event: LockId, at: &ThreadPoint) {
        let known = &self.witnesses;
        let is_known = |thread| known.contains_key(&thread);
        let published = self.published.entry(event).or_default();
        published.join_kept(&at.clock, is_known);
        published.join_kept(&at.observed, is_known);
        published.advance_kept(at.thread, at.epoch, is_known);
    }

    /// The clocks that were published with the event, joined: a thread that gets it comes after them.
    pub(crate) fn published(&self, event: LockId) -> Option<&SharedClock> {
        self.published.get(&event)
    }

    /// `thread` has joined the one that has inherited these locks.
    pub(crate) fn joined(&mut self, inherited: &InheritedLocks, thread: ThreadId) {
        let stamp = self.stamp();
        inherited.join(thread, stamp);
    }

    /// The hold has ended, with `completed` before its end. Returns the cycles that it does not keep
    /// from happening after all.
    pub(crate) fn released(
        &mut self,
        section: &Arc<CriticalSection>,
        completed: VectorClock,
    ) -> Vec<Cycle> {
        let stamp = self.stamp();
        section.release(stamp, completed);
        self.settle(|s| Arc::ptr_eq(s, section))
    }

    /// A thread has ended without having joined its children, which have inherited these locks. Returns the
    /// cycles that can happen after all.
    pub(crate) fn detached(&mut self, children: &[Arc<InheritedLocks>]) -> Vec<Cycle> {
        children.iter().for_each(|child| child.detach());
        self.settle(|s| children.iter().any(|c| c.sections().any(|other| Arc::ptr_eq(s, other))))
    }

    /// Judges the cycles again that were taken for guarded by these sections.
    fn settle(&mut self, of: impl Fn(&Arc<CriticalSection>) -> bool) -> Vec<Cycle> {
        let mut again: Vec<Dep> = Vec::new();
        self.unsettled.retain(|(section, dep)| {
            let settled = of(section);
            if settled {
                again.push(*dep);
            }
            !settled
        });
        again.sort_unstable();
        again.dedup();
        again.into_iter().flat_map(|dep| self.search(dep)).collect()
    }

    /// Forgets a lock that is gone. Orders that lead through it stay.
    pub(crate) fn remove(&mut self, lock: LockId) {
        self.published.remove(&lock);
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
        for held_set in data.held_sets {
            self.splice(held_set);
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

    fn held_set(&mut self, parent: HeldSet, held: Held) -> HeldSet {
        if let Some(&held_set) = self.held_set_index.get(&(parent, held)) {
            return held_set;
        }
        let data = HeldSetData { parent, held, children: Vec::new(), deps: Vec::new() };
        let held_set = match self.free_held_sets.pop() {
            Some(held_set) => {
                self.held_sets[held_set as usize] = data;
                held_set
            }
            None => {
                self.held_sets.push(data);
                (self.held_sets.len() - 1) as HeldSet
            }
        };
        self.held_set_index.insert((parent, held), held_set);
        self.add_child(parent, held_set);
        self.locks.entry(held.lock).or_default().held_sets.push(held_set);
        held_set
    }

    /// Those of the empty set are kept nowhere, as nothing asks for them.
    fn add_child(&mut self, parent: HeldSet, held_set: HeldSet) {
        if parent != NOTHING {
            self.held_sets[parent as usize].children.push(held_set);
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
        self.held_sets[key.held_set as usize].deps.push(dep);
        self.locks.entry(key.lock).or_default().deps.push(dep);
        dep
    }

    /// Adds a witness. One that is completed before the new one can be replaced: every later step that
    /// could overlap the old one can overlap the new one.
    fn witness(&mut self, dep: Dep, new: ThreadPoint) {
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
    pub(super) fn held_of(&self, dep: Dep) -> impl Iterator<Item = Held> + '_ {
        let mut held_set = self.deps[dep as usize].key.held_set;
        std::iter::from_fn(move || {
            let data = &self.held_sets[held_set as usize];
            (held_set != NOTHING).then(|| {
                held_set = data.parent;
                data.held
            })
        })
    }

    /// The dependencies of a set and of all that begin with it.
    pub(super) fn deps_above(&self, held_set: HeldSet) -> Vec<Dep> {
        let mut deps = Vec::new();
        let mut open = vec![held_set];
        while let Some(held_set) = open.pop() {
            let data = &self.held_sets[held_set as usize];
            deps.extend(&data.deps);
            open.extend(&data.children);
        }
        deps
    }

    /// The dependency as a link from one of its held locks.
    pub(super) fn link(&self, dep: Dep, held: Held, witness: usize) -> Link {
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
        remove_item(&mut self.held_sets[key.held_set as usize].deps, dep);
        if let Some(lock) = self.locks.get_mut(&key.lock) {
            remove_item(&mut lock.deps, dep);
        }
        for w in witnesses {
            self.forget_witness(w.thread);
        }
        self.free(dep, None);
    }

    /// What waits to be settled by `dep` waits for `same` from now on, which has taken its place, if
    /// anything has.
    fn settle_by(&mut self, dep: Dep, same: Option<Dep>) {
        match same {
            Some(same) => {
                let waiting = self.unsettled.iter_mut().filter(|(_, waiting)| *waiting == dep);
                waiting.for_each(|(_, waiting)| *waiting = same);
            }
            None => self.unsettled.retain(|(_, waiting)| *waiting != dep),
        }
    }

    /// The number of `dep` may be given to another dependency, as nothing is left that has it. `same` has
    /// taken its place, if anything has.
    fn free(&mut self, dep: Dep, same: Option<Dep>) {
        self.settle_by(dep, same);
        self.free_deps.push(dep);
    }

    /// Takes the last lock of a set out of all sets that begin with it: they begin with its parent now.
    fn splice(&mut self, held_set: HeldSet) {
        let data = &mut self.held_sets[held_set as usize];
        let (parent, held) = (data.parent, data.held);
        let children = std::mem::take(&mut data.children);
        let deps = std::mem::take(&mut data.deps);
        self.held_set_index.remove(&(parent, held));
        if parent != NOTHING {
            remove_item(&mut self.held_sets[parent as usize].children, held_set);
        }
        for dep in deps {
            self.move_dep(dep, parent);
        }
        for child in children {
            self.move_held_set(child, held_set, parent);
        }
        self.free_held_sets.push(held_set);
    }

    fn move_held_set(&mut self, held_set: HeldSet, from: HeldSet, to: HeldSet) {
        let held = self.held_sets[held_set as usize].held;
        self.held_set_index.remove(&(from, held));
        let Some(&same) = self.held_set_index.get(&(to, held)) else {
            self.held_set_index.insert((to, held), held_set);
            self.held_sets[held_set as usize].parent = to;
            self.add_child(to, held_set);
            return;
        };
        let data = &mut self.held_sets[held_set as usize];
        let children = std::mem::take(&mut data.children);
        let deps = std::mem::take(&mut data.deps);
        for dep in deps {
            self.move_dep(dep, same);
        }
        for child in children {
            self.move_held_set(child, held_set, same);
        }
        if let Some(lock) = self.locks.get_mut(&held.lock) {
            remove_item(&mut lock.held_sets, held_set);
        }
        self.free_held_sets.push(held_set);
    }

    fn move_dep(&mut self, dep: Dep, to: HeldSet) {
        let old = self.deps[dep as usize].key;
        self.dep_index.remove(&old);
        let key = DepKey { held_set: to, ..old };
        let same = self.dep_index.get(&key).copied();
        if to != NOTHING && same.is_none() {
            self.dep_index.insert(key, dep);
            self.deps[dep as usize].key = key;
            self.held_sets[to as usize].deps.push(dep);
            return;
        }
        let witnesses = std::mem::take(&mut self.deps[dep as usize].witnesses);
        if let Some(lock) = self.locks.get_mut(&old.lock) {
            remove_item(&mut lock.deps, dep);
        }
        self.free(dep, same);
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
