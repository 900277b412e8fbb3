//! How sure a pattern is: what keeps its threads apart, or a schedule that leads to it.
//!
//! Cheap questions come first, and whatever makes the pattern impossible names itself.

use lockdep::finding::Tier;

use super::clocks::{Before, Clocks};
use super::constraints::Constraints;
use super::cut;
use super::dependencies::{Awaited, Dependencies, Dependency};
use super::history::History;
use super::instances::{Ways, ways};
use super::patterns::{Obstacle, Pattern};
use super::recording::{EventId, LockId, ThreadId};
use super::release_order::release_order;
use super::saturation::{Contradiction, Failure, Prefix, Question};
use super::witness::{self, Search};
use super::{Apart, Limits, Sureness};

/// Everything that patterns of one recording are judged by.
pub(super) struct Judge<'a> {
    history: &'a History<'a>,
    dependencies: &'a Dependencies,
    constraints: Constraints,
    limits: Limits,
    /// What spawns and joins order.
    life: Clocks,
    /// What locks order beside that; made when it is first needed.
    releases: Option<Option<Clocks>>,
    layers: Layers,
    work: u64,
}

/// What a schedule is to keep to, from little to all.
struct Layers {
    life: Vec<Before>,
    sure: Vec<Before>,
    signals: Vec<Before>,
    all: Vec<Before>,
}

/// What one way has come to; later ones are surer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Came {
    Impossible(Contradiction),
    Apart(Apart),
    Unknown,
    /// A schedule that keeps to everything but what was read and who was woken.
    WithoutData(Vec<EventId>),
    Witnessed(Vec<EventId>),
}

impl Came {
    fn rank(&self) -> u8 {
        match self {
            Came::Impossible(_) => 0,
            Came::Apart(Apart::Signals { other: false }) => 1,
            Came::Apart(_) => 2,
            Came::Unknown => 3,
            Came::WithoutData(_) => 4,
            Came::Witnessed(_) => 5,
        }
    }
}

impl<'a> Judge<'a> {
    /// Nothing where there are too many threads and steps that wait for others.
    pub(super) fn new(
        history: &'a History<'a>,
        dependencies: &'a Dependencies,
        limits: Limits,
    ) -> Option<Judge<'a>> {
        let constraints = Constraints::of(history);
        let life = Clocks::of(history, &constraints.life).ok()?;
        let sure = [&constraints.life[..], &constraints.sure].concat();
        let signals = [&sure[..], &constraints.unsure].concat();
        let all = [&signals[..], &constraints.data, &constraints.awake].concat();
        let layers = Layers { life: constraints.life.clone(), sure, signals, all };
        let work = 0;
        let releases = None;
        Some(Judge { history, dependencies, constraints, limits, life, releases, layers, work })
    }

    /// Whether no more work is to be done.
    pub(super) fn is_out_of_budget(&self) -> bool {
        self.work >= self.limits.work
    }

    /// How sure `pattern` is, of whose links only these `requests` are looked at, and those at which its
    /// threads stand then: those of the circle, then those of the writers.
    pub(super) fn judge(
        &mut self,
        pattern: &Pattern,
        requests: &[Vec<EventId>],
    ) -> (Sureness, Vec<EventId>) {
        let all = &self.dependencies.all;
        let links: Vec<&Dependency> = pattern.links.iter().map(|link| &all[*link]).collect();
        let lists: Vec<&[EventId]> = requests.iter().map(Vec::as_slice).collect();
        let first: Vec<EventId> = lists.iter().map(|list| list[0]).collect();
        match pattern.obstacle {
            Some(Obstacle::OneThread) => return (Sureness::of(Tier::NeedsThread), first),
            Some(Obstacle::Gate(lock)) => {
                return (Sureness::apart(Tier::Guarded, Apart::Gate(lock)), first);
            }
            None => {}
        }
        let Some(at) = cut::earliest(self.history, &self.life, &lists) else {
            return (Sureness::apart(Tier::Ordered, Apart::SpawnAndJoin), first);
        };
        let earliest: Vec<EventId> = at.iter().zip(&lists).map(|(at, list)| list[*at]).collect();
        let waits_for_signals = links.iter().any(|link| is_signal(link.asked));
        if waits_for_signals {
            return (Sureness::of(Tier::Potential), earliest);
        }
        let mut behind: Vec<(LockId, &[EventId])> = Vec::new();
        for link in &pattern.behind_writers {
            let Awaited::Lock(lock) = links[*link].asked else { continue };
            let Some(writers) = self.dependencies.writers.get(&lock) else {
                return (Sureness::of(Tier::NeedsWriter), earliest);
            };
            behind.push((lock, writers));
        }
        let history = self.history;
        if let Some(releases) = self.releases()
            && cut::earliest(history, releases, &lists).is_none()
        {
            return (Sureness::apart(Tier::Ordered, Apart::Releases), earliest);
        }
        let Ways { ways, are_all } =
            ways(self.history, &self.life, &lists, &behind, self.limits.ways);
        if ways.is_empty() {
            let tier = if are_all { Tier::Refuted } else { Tier::Potential };
            return (Sureness::apart(tier, Apart::NoWriter), earliest);
        }
        let mut best: Option<(Came, Vec<EventId>)> = None;
        let mut is_cut = !are_all;
        for way in ways {
            if self.is_out_of_budget() {
                is_cut = true;
                break;
            }
            let came = self.way(&way, links.len());
            if best.as_ref().is_none_or(|(known, _)| known.rank() < came.rank()) {
                best = Some((came, way));
            }
            if matches!(best, Some((Came::Witnessed(_), _))) {
                break;
            }
        }
        let Some((came, way)) = best else {
            return (Sureness { is_cut: true, ..Sureness::of(Tier::Reachable) }, earliest);
        };
        (self.sureness(came, &way[..links.len()], is_cut), way)
    }

    fn sureness(&self, came: Came, circle: &[EventId], is_cut: bool) -> Sureness {
        // What was not tried may be possible: it is not called impossible, nor told as if it were shown.
        let unless_cut = |tier| if is_cut { Tier::Potential } else { tier };
        let sureness = match came {
            Came::Witnessed(steps) => {
                return Sureness { schedule: steps, ..Sureness::of(Tier::Predicted) };
            }
            Came::WithoutData(steps) => {
                return Sureness { schedule: steps, ..Sureness::of(Tier::Reachable) };
            }
            Came::Unknown => Sureness::of(Tier::Reachable),
            Came::Apart(apart @ Apart::Signals { other: false }) => {
                Sureness::apart(unless_cut(Tier::Ordered), apart)
            }
            Came::Apart(apart) => Sureness::apart(Tier::Potential, apart),
            Came::Impossible(contradiction) => match self.gate_of_others(circle) {
                Some((lock, thread)) => {
                    Sureness::apart(unless_cut(Tier::Guarded), Apart::GateOf(lock, thread))
                }
                None => {
                    Sureness::apart(unless_cut(Tier::Refuted), Apart::Contradiction(contradiction))
                }
            },
        };
        Sureness { is_cut, ..sureness }
    }

    /// What one way comes to.
    fn way(&mut self, requests: &[EventId], circle: usize) -> Came {
        let layers = [&self.layers.all, &self.layers.signals, &self.layers.sure, &self.layers.life];
        let [all, signals, sure, life] = layers;
        let (history, backtracks) = (self.history, self.limits.backtracks);
        let data = Some(&self.constraints);
        let mut work = self.work;
        let mut ask = |before: &[Before], data| {
            Question { history, requests, before, data }.answer(&mut work)
        };
        let full = ask(all, data);
        let mut unseen = None;
        if let Ok(prefix) = &full {
            match self.schedule(prefix, all, data, requests, circle, backtracks) {
                (Some(steps), more) => {
                    self.work = work + more;
                    return Came::Witnessed(steps);
                }
                (None, more) => unseen = Some(more),
            }
        }
        let came = match ask(life, None) {
            Err(Failure::Impossible(contradiction)) => Came::Impossible(contradiction),
            Err(Failure::TooLarge) => Came::Unknown,
            Ok(plain) => {
                let is_impossible = |answer| matches!(answer, Err(Failure::Impossible(_)));
                let with_data = [&signals[..], &self.constraints.data].concat();
                if is_impossible(ask(sure, None)) {
                    Came::Apart(Apart::Signals { other: false })
                } else if is_impossible(ask(signals, None)) {
                    Came::Apart(Apart::Signals { other: true })
                } else if is_impossible(ask(&with_data, data)) {
                    Came::Apart(Apart::Data)
                } else {
                    let signals = ask(signals, None).ok();
                    let (prefix, before) = match &signals {
                        Some(prefix) => (prefix, &self.layers.signals),
                        None => (&plain, life),
                    };
                    let found = self.schedule(prefix, before, None, requests, circle, backtracks);
                    unseen = Some(unseen.unwrap_or(0) + found.1);
                    found.0.map_or(Came::Unknown, Came::WithoutData)
                }
            }
        };
        self.work = work + unseen.unwrap_or(0);
        came
    }

    /// A schedule that was checked, with the work that it was.
    fn schedule(
        &self,
        prefix: &Prefix,
        before: &[Before],
        data: Option<&Constraints>,
        requests: &[EventId],
        circle: usize,
        backtracks: u32,
    ) -> (Option<Vec<EventId>>, u64) {
        let mut work = 0;
        let steps = Search::new(self.history, prefix, before, data).run(backtracks, &mut work);
        let is_right = |steps: &Vec<EventId>| {
            witness::check(self.history, steps, requests, circle, before, data.is_some())
        };
        (steps.filter(is_right), work)
    }

    fn releases(&mut self) -> Option<&Clocks> {
        let (history, life) = (self.history, &self.layers.life);
        self.releases.get_or_insert_with(|| release_order(history, life).ok()).as_ref()
    }

    /// A lock that another thread holds around one of `requests`, so that none of the others can hold it
    /// then, with that thread.
    fn gate_of_others(&self, requests: &[EventId]) -> Option<(LockId, ThreadId)> {
        let history = self.history;
        let around = |request: EventId, lock: LockId| {
            let others = history.holds[lock.index()].iter();
            others.filter(move |holds| holds.thread != history.thread(request)).find_map(
                move |holds| {
                    let known = self.life.count(history, request, holds.thread);
                    let begun = holds
                        .sections
                        .partition_point(|section| history.position(section.acquired) < known);
                    let section = holds.sections[..begun].last()?;
                    let ends = section.released?;
                    self.life.before(history, request, ends).then_some((holds.thread, *section))
                },
            )
        };
        for (lock, _) in (0..).map(LockId).zip(&history.holds) {
            for &request in requests {
                let Some((owner, section)) = around(request, lock) else { continue };
                let shut_out = requests.iter().filter(|other| **other != request).any(|&other| {
                    let own =
                        history.hold_at(lock, other).filter(|_| history.thread(other) != owner);
                    let by_other = around(other, lock).map(|(_, section)| section);
                    own.copied()
                        .or(by_other.filter(|one| one.acquired != section.acquired))
                        .is_some_and(|one| one.mode.excludes(section.mode))
                });
                if shut_out {
                    return Some((lock, owner));
                }
            }
        }
        None
    }
}

/// Whether it is nothing that a thread holds.
pub(super) fn is_signal(what: Awaited) -> bool {
    matches!(what, Awaited::Signal(_) | Awaited::Room(_))
}
