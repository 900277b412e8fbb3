//! How sure a pattern is: what keeps its threads apart, or a schedule that leads to it.
//!
//! Cheap questions come first, and whatever makes the pattern impossible names itself.

use lockdep::finding::Tier;

use super::check::{Checker, Schedule};
use super::clocks::Clocks;
use super::constraints::Constraints;
use super::cut;
use super::dependencies::{Awaited, Dependencies, Dependency};
use super::history::History;
use super::incoming::Incoming;
use super::instances::{Ways, ways};
use super::nearby;
use super::patterns::{Obstacle, Pattern};
use super::recording::{EventId, LockId, ThreadId};
use super::release_order::release_order;
use super::saturation::{Contradiction, Failure, Layer, Prefix, Question};
use super::witness::Search;
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
    checker: Checker<'a>,
    work: u64,
}

/// Ways that are looked at in full where these cannot be all.
const IN_FULL: usize = 2;

/// What a schedule is to keep to, from little to all.
struct Layers {
    life: Layer,
    sure: Layer,
    signals: Layer,
    data: Layer,
    all: Layer,
}

/// What one way has come to; later ones are surer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Came {
    Impossible(Contradiction),
    Apart(Apart),
    Unknown,
    /// A schedule that keeps to everything but what was read and who was woken.
    WithoutData(Schedule),
    Witnessed(Schedule),
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
        let life = Clocks::of(history, &Incoming::of(history, &constraints.life)).ok()?;
        let sure = [&constraints.life[..], &constraints.sure].concat();
        let signals = [&sure[..], &constraints.unsure].concat();
        let data = [&signals[..], &constraints.data].concat();
        let all = [&data[..], &constraints.awake].concat();
        let layers = Layers {
            life: Layer::new(history, &constraints.life),
            sure: Layer::new(history, &sure),
            signals: Layer::new(history, &signals),
            data: Layer::new(history, &data),
            all: Layer::new(history, &all),
        };
        let checker = Checker::new(history);
        let (releases, work) = (None, 0);
        let limits = Limits {
            work: limits.work + limits.work_per_step * history.recording.events.len() as u64,
            ..limits
        };
        Some(Judge {
            history,
            dependencies,
            constraints,
            limits,
            life,
            releases,
            layers,
            checker,
            work,
        })
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
        let locks: Vec<Vec<LockId>> = links.iter().map(|link| held_locks(link)).collect();
        for way in &ways {
            if let Some(schedule) = self.nearby(way, &locks) {
                let witnessed = Came::Witnessed(schedule);
                return (self.sureness(witnessed, &way[..links.len()], false), way.clone());
            }
        }
        let mut best: Option<(Came, Vec<EventId>)> = None;
        let mut is_cut = !are_all;
        let in_full = if are_all { ways.len() } else { IN_FULL };
        for way in ways.into_iter().take(in_full) {
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
            Came::Witnessed(schedule) => {
                return Sureness { schedule: Some(schedule), ..Sureness::of(Tier::Predicted) };
            }
            Came::WithoutData(schedule) => {
                return Sureness { schedule: Some(schedule), ..Sureness::of(Tier::Reachable) };
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

    /// A schedule that goes with the run for as long as it can, and was checked.
    fn nearby(&mut self, requests: &[EventId], locks: &[Vec<LockId>]) -> Option<Schedule> {
        let (history, incoming) = (self.history, &self.layers.all.incoming);
        if !self.checker.is_run() {
            return None;
        }
        let backtracks = self.limits.backtracks;
        let constraints = &self.constraints;
        let found = nearby::schedule(
            history,
            requests,
            locks,
            incoming,
            constraints,
            backtracks,
            &mut self.work,
        )?;
        self.checker.check(&found, requests, locks.len(), incoming, true).then_some(found)
    }

    /// What one way comes to.
    fn way(&mut self, requests: &[EventId], circle: usize) -> Came {
        let mut work = 0;
        let came = self.look(requests, circle, &mut work);
        self.work += work;
        came
    }

    fn look(&self, requests: &[EventId], circle: usize, work: &mut u64) -> Came {
        let Layers { life, sure, signals, data: with_data, all } = &self.layers;
        let data = Some(&self.constraints);
        let history = self.history;
        let ask =
            |layer, data, work: &mut u64| Question { history, requests, layer, data }.answer(work);
        if let Ok(prefix) = ask(all, data, work)
            && let Some(schedule) = self.schedule(&prefix, all, true, requests, circle, work)
        {
            return Came::Witnessed(schedule);
        }
        let plain = match ask(life, None, work) {
            Err(Failure::Impossible(contradiction)) => return Came::Impossible(contradiction),
            Err(Failure::TooLarge) => return Came::Unknown,
            Ok(plain) => plain,
        };
        let is_impossible = |answer| matches!(answer, Err(Failure::Impossible(_)));
        if is_impossible(ask(sure, None, work)) {
            return Came::Apart(Apart::Signals { other: false });
        }
        let by_signals = ask(signals, None, work);
        if is_impossible(by_signals.clone()) {
            return Came::Apart(Apart::Signals { other: true });
        }
        if is_impossible(ask(with_data, data, work)) {
            return Came::Apart(Apart::Data);
        }
        let (prefix, layer) = match &by_signals {
            Ok(prefix) => (prefix, signals),
            Err(_) => (&plain, life),
        };
        let found = self.schedule(prefix, layer, false, requests, circle, work);
        found.map_or(Came::Unknown, Came::WithoutData)
    }

    /// A schedule of the steps of `prefix` that was checked.
    fn schedule(
        &self,
        prefix: &Prefix,
        layer: &Layer,
        with_data: bool,
        requests: &[EventId],
        circle: usize,
        work: &mut u64,
    ) -> Option<Schedule> {
        let history = self.history;
        let incoming = layer.incoming.with(history, &prefix.added);
        let done = vec![0; history.steps.len()];
        let counts = &prefix.counts;
        let constraints = &self.constraints;
        let search =
            Search::new(history, EventId(0), done, counts, &incoming, constraints, with_data);
        let then = search.run(self.limits.backtracks, work)?;
        let schedule = Schedule { first: 0, then };
        let is_right = self.checker.check(&schedule, requests, circle, &layer.incoming, with_data);
        is_right.then_some(schedule)
    }

    fn releases(&mut self) -> Option<&Clocks> {
        let (history, life) = (self.history, &self.constraints.life);
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

/// The locks that a link holds.
fn held_locks(link: &Dependency) -> Vec<LockId> {
    let locks = link.held.iter().filter_map(|hold| match hold.what {
        Awaited::Lock(lock) => Some(lock),
        _ => None,
    });
    locks.collect()
}

/// Whether it is nothing that a thread holds.
pub(super) fn is_signal(what: Awaited) -> bool {
    matches!(what, Awaited::Signal(_) | Awaited::Room(_))
}
