//! The search for the cycles that a new dependency closes, and the judgement of each: [`Search::judge`]
//! decides the tier.
//!
//! What it never reports: a cycle in which a thread would not wait, as readers do not exclude each other.
//!
//! What it may miss: beyond [`LONGEST`] locks only one shortest cycle through the new dependency is looked
//! at, and one search gives up after [`STEPS`] steps.

use std::collections::VecDeque;
use std::sync::Arc;

use super::ThreadPoint;
use super::detector::{Cycle, Dep, Detector, Held, Link};
use super::inherited_locks::CriticalSection;
use crate::hash::Map;
use crate::model::finding::Tier;
use crate::model::ids::LockId;
use crate::model::lock::Mode;

/// Cycles of up to this many locks are enumerated.
const LONGEST: usize = 6;
/// How many dependencies one search looks at.
const STEPS: usize = 4096;
/// How many cycles one search returns.
const CYCLES: usize = 16;
/// For cycles of more locks the newest witnesses are taken as they are.
const LONG: usize = 64;

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
pub(super) struct Search<'a> {
    detector: &'a Detector,
    start: Dep,
    target: Vec<Held>,
    steps: usize,
    path: Vec<Step>,
    found: Vec<Cycle>,
    /// Inherited holds by which a cycle counts as guarded, and which may yet turn out not to last.
    unsettled: Vec<Arc<CriticalSection>>,
}

impl<'a> Search<'a> {
    pub(super) fn new(detector: &'a Detector, start: Dep) -> Search<'a> {
        let asked = detector.deps[start as usize].key.lock;
        let target: Vec<Held> = detector
            .held_of(start)
            .filter(|h| h.lock != asked && detector.graph.cyclic(h.lock, asked))
            .collect();
        Search {
            detector,
            start,
            target,
            steps: STEPS,
            path: Vec::new(),
            found: Vec::new(),
            unsettled: Vec::new(),
        }
    }

    /// The cycles, shortest first, and the holds whose release makes it necessary to search again.
    pub(super) fn run(mut self) -> (Vec<Cycle>, Vec<Arc<CriticalSection>>) {
        let asked = self.detector.deps[self.start as usize].key.lock;
        for length in 2..=LONGEST {
            self.extend(asked, length - 1);
        }
        if self.found.is_empty() {
            self.shortest(asked);
        }
        (self.found, self.unsettled)
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
        for &held_set in &data.held_sets {
            let held = self.detector.held_sets[held_set as usize].held;
            for dep in self.detector.deps_above(held_set) {
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
        let found = self.judge(&steps).filter(|cycle| !cycle.gate.is_some_and(shortcut));
        self.found.extend(found);
    }

    /// What keeps the threads of a cycle apart; `None` where one of them would not even wait.
    fn judge(&mut self, steps: &[Step]) -> Option<Cycle> {
        let sets: Vec<Vec<Held>> = steps
            .iter()
            .map(|s| match s {
                Step::Dep { dep, .. } => self.detector.held_of(*dep).collect(),
                Step::Gone { .. } => Vec::new(),
            })
            .collect();
        let (choice, exclusion) = self.choose(steps, &sets);
        let gate = common_gate(&sets).or(match exclusion {
            Exclusion::Inherited(lock) => Some(lock),
            _ => None,
        });
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
        let tier = match exclusion {
            _ if gate.is_some() => Tier::Guarded,
            Exclusion::Ordered { .. } => Tier::Ordered,
            _ if readers => Tier::NeedsWriter,
            _ if gone && one_thread => Tier::NeedsThread,
            _ if gone => Tier::Potential,
            Exclusion::Events => Tier::Potential,
            Exclusion::OneThread => Tier::NeedsThread,
            Exclusion::None | Exclusion::Inherited(_) => Tier::Reachable,
        };
        let by_events = matches!(exclusion, Exclusion::Events);
        let by_outermost = matches!(exclusion, Exclusion::Ordered { by_outermost: true });
        Some(Cycle { tier, links, gate, by_events, by_outermost })
    }

    /// Chooses a witness for each step, and says what excludes the choice: distinct threads that can
    /// overlap if there are such, else distinct threads that events ordered, else witnesses of which some
    /// are of one thread, else any.
    fn choose(&mut self, steps: &[Step], sets: &[Vec<Held>]) -> (Vec<usize>, Exclusion) {
        let detector = self.detector;
        let witnesses: Vec<&[ThreadPoint]> = steps
            .iter()
            .map(|s| match s {
                Step::Dep { dep, .. } => &detector.deps[*dep as usize].witnesses[..],
                Step::Gone { .. } => &[],
            })
            .collect();
        if steps.len() > LONG {
            return newest(&witnesses);
        }
        let were_ordered =
            |a: &ThreadPoint, b: &ThreadPoint| a.observed_before(b) || b.observed_before(a);
        for (exclusion, distinct, events) in [
            (Exclusion::None, true, false),
            (Exclusion::Events, true, true),
            (Exclusion::OneThread, false, true),
        ] {
            let meet = |a: Side<'_>, b: Side<'_>| {
                overlap(a.witness, b.witness, distinct)
                    && inherited_gate(a, b).is_none()
                    && (events || !were_ordered(a.witness, b.witness))
            };
            if let Some(choice) = assign(&witnesses, sets, meet) {
                return (choice, exclusion);
            }
        }
        let meet = |a: Side<'_>, b: Side<'_>| overlap(a.witness, b.witness, false);
        let Some(choice) = assign(&witnesses, sets, meet) else {
            let meet = |a: Side<'_>, b: Side<'_>| {
                overlap_without_outermost(a.witness, b.witness) && inherited_gate(a, b).is_none()
            };
            return match assign(&witnesses, sets, meet) {
                Some(choice) => (choice, Exclusion::Ordered { by_outermost: true }),
                None => (vec![0; steps.len()], Exclusion::Ordered { by_outermost: false }),
            };
        };
        let side = |at: usize| {
            let witness = witnesses[at].get(choice[at])?;
            Some(Side { witness, held: &sets[at] })
        };
        let sides: Vec<Side<'_>> = (0..steps.len()).filter_map(side).collect();
        let mut gate = None;
        for (i, &a) in sides.iter().enumerate() {
            for (section, open) in sides[..i].iter().filter_map(|&b| inherited_gate(a, b)) {
                gate = gate.or(Some(section.lock));
                self.unsettled.extend(open.then_some(section));
            }
        }
        (choice, gate.map_or(Exclusion::None, Exclusion::Inherited))
    }
}

/// What keeps the threads of a cycle apart.
#[derive(Clone, Copy)]
enum Exclusion {
    /// Nothing.
    None,
    /// Events, in this run.
    Events,
    /// One thread would have to be at two of the steps.
    OneThread,
    /// Spawn and join order, or only what of it threads make that nobody spawned.
    Ordered { by_outermost: bool },
    /// This lock, which one of them has inherited.
    Inherited(LockId),
}

/// A thread at its step of a cycle, with what it holds there.
#[derive(Clone, Copy)]
struct Side<'a> {
    witness: &'a ThreadPoint,
    held: &'a [Held],
}

/// A hold that one of the threads has inherited and that excludes the other, if there is one; with
/// whether that may still turn out wrong.
fn inherited_gate(a: Side<'_>, b: Side<'_>) -> Option<(Arc<CriticalSection>, bool)> {
    if a.witness.thread == b.witness.thread {
        None
    } else {
        inherited_by(a, b).or_else(|| inherited_by(b, a))
    }
}

/// Such a hold that `inner` has inherited.
fn inherited_by(inner: Side<'_>, other: Side<'_>) -> Option<(Arc<CriticalSection>, bool)> {
    let bars = |s: &CriticalSection, lock, mode| s.lock == lock && Mode::conflicts(s.mode, mode);
    let elsewhere = |s: &Arc<CriticalSection>| {
        let mut all = other.witness.inherited.iter().flat_map(|c| c.holds());
        all.any(|(t, _)| !Arc::ptr_eq(s, t) && bars(s, t.lock, t.mode))
    };
    let excludes = |s: &Arc<CriticalSection>| {
        s.owner != other.witness.thread
            && (other.held.iter().any(|h| bars(s, h.lock, h.mode)) || elsewhere(s))
    };
    let inherited = inner.witness.inherited.as_ref()?;
    inherited.holds().find(|(s, _)| excludes(s)).map(|(section, open)| (Arc::clone(section), open))
}

/// One witness for each step so that all of them can meet pairwise, by backtracking.
fn assign(
    witnesses: &[&[ThreadPoint]],
    sets: &[Vec<Held>],
    meet: impl Fn(Side<'_>, Side<'_>) -> bool,
) -> Option<Vec<usize>> {
    // The newest witnesses stand last and are the likeliest to overlap, so they come first.
    let candidate = |at: usize, tried: usize| {
        let list = witnesses[at];
        let witness = list.len().checked_sub(tried + 1).map(|i| &list[i])?;
        Some(Side { witness, held: &sets[at] })
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
        if next.is_none_or(|new| chosen.into_iter().all(|old| meet(old, new))) {
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
fn newest(witnesses: &[&[ThreadPoint]]) -> (Vec<usize>, Exclusion) {
    let choice = witnesses.iter().map(|list| list.len().saturating_sub(1)).collect();
    let all = || witnesses.iter().filter_map(|list| list.last());
    let mut different: Vec<&ThreadPoint> = all().collect();
    different.sort_unstable_by_key(|w| (w.thread, w.epoch));
    different.dedup_by_key(|w| (w.thread, w.epoch));
    let ordered = different
        .iter()
        .enumerate()
        .any(|(i, a)| different[..i].iter().any(|b| !overlap(a, b, false)));
    let threads = different.chunk_by(|a, b| a.thread == b.thread).count();
    let exclusion = match ordered {
        true => Exclusion::Ordered { by_outermost: false },
        false if threads == all().count() => Exclusion::None,
        false => Exclusion::OneThread,
    };
    (choice, exclusion)
}

fn overlap(a: &ThreadPoint, b: &ThreadPoint, distinct: bool) -> bool {
    if a.thread == b.thread { !distinct } else { !a.before(b) && !b.before(a) }
}

fn overlap_without_outermost(a: &ThreadPoint, b: &ThreadPoint) -> bool {
    a.thread == b.thread || !a.before_without_outermost(b) && !b.before_without_outermost(a)
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
