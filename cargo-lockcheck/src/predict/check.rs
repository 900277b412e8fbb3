//! Whether a schedule is one of the recorded program, and ends with threads that wait for each other.
//!
//! It is judged by what was recorded alone: who spawned whom, who held what, which write each read saw. How
//! the schedule was found is of no account.

use super::history::History;
use super::incoming::Incoming;
use super::recording::{Action, EventId, LockId, Mode, Recording, ThreadId};

/// A schedule: so many steps of the run as they were recorded, then others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// How many steps of the run come first.
    pub first: u32,
    /// What comes then.
    pub then: Vec<EventId>,
}

/// Judges schedules of one recording.
pub(super) struct Checker<'a> {
    history: &'a History<'a>,
    recording: &'a Recording,
    /// For each thread, the step that spawns it.
    forks: Vec<Option<EventId>>,
    /// For each read, the write that it saw.
    saw: Vec<(EventId, Option<EventId>)>,
    /// What the world was like in the run, each time after so many steps.
    worlds: Vec<World>,
    every: u32,
    /// Whether the run itself is a schedule that can be.
    is_run: bool,
}

/// Where all threads are, who holds what, and who has written each variable last.
#[derive(Clone, Debug)]
struct World {
    done: Vec<u32>,
    held: Vec<Vec<(ThreadId, Mode, u32)>>,
    last: Vec<Option<EventId>>,
}

/// Fewest steps between two worlds that are kept.
const APART: u32 = 1 << 15;

/// Most worlds that are kept.
const KEPT: u32 = 128;

impl<'a> Checker<'a> {
    pub(super) fn new(history: &'a History<'a>) -> Checker<'a> {
        let recording = history.recording;
        let steps = recording.events.len() as u32;
        let mut checker = Checker {
            history,
            recording,
            forks: vec![None; history.steps.len()],
            saw: Vec::new(),
            worlds: Vec::new(),
            every: APART.max(steps / KEPT),
            is_run: true,
        };
        let mut last: Vec<Option<EventId>> = vec![None; recording.variables.len()];
        for (id, event) in recording.numbered() {
            match event.action {
                Action::Fork(child)
                    if history.steps[child.index()].first().is_some_and(|first| *first > id) =>
                {
                    checker.forks[child.index()] = Some(id);
                }
                Action::Read(variable) => checker.saw.push((id, last[variable.0 as usize])),
                Action::Write(variable) => last[variable.0 as usize] = Some(id),
                _ => {}
            }
        }
        let mut world = World {
            done: vec![0; history.steps.len()],
            held: vec![Vec::new(); recording.locks.len()],
            last: vec![None; recording.variables.len()],
        };
        for step in (0..steps).map(EventId) {
            if step.0 % checker.every == 0 {
                checker.worlds.push(world.clone());
            }
            if !world.step(&checker, step, None, false) {
                checker.is_run = false;
                break;
            }
        }
        checker
    }

    /// Whether the run may stand at the beginning of a schedule.
    pub(super) fn is_run(&self) -> bool {
        self.is_run
    }

    /// The world after so many steps of the run.
    fn after(&self, steps: u32) -> Option<World> {
        let kept = steps / self.every;
        let mut world = self.worlds.get(kept as usize)?.clone();
        let rest = kept * self.every..steps;
        rest.map(EventId).all(|step| world.step(self, step, None, false)).then_some(world)
    }

    /// Whether `schedule` can be, and every thread of `requests` then waits for ever: those of the first
    /// `circle` for what the next of them holds, the last for what the first holds; the others are writers
    /// that wait for a lock that one of the circle reads and another would. `awaited` are steps that wait for
    /// others; with `with_data` each read must see what it saw.
    pub(super) fn check(
        &self,
        schedule: &Schedule,
        requests: &[EventId],
        circle: usize,
        awaited: &Incoming,
        with_data: bool,
    ) -> bool {
        if schedule.first > 0 && !self.is_run {
            return false;
        }
        let Some(mut world) = self.after(schedule.first) else { return false };
        let steps = schedule.then.iter();
        if !steps.into_iter().all(|step| world.step(self, *step, Some(awaited), with_data)) {
            return false;
        }
        let chain = &requests[..circle];
        requests.iter().all(|request| world.stands(self, *request))
            && chain
                .iter()
                .zip(chain.iter().cycle().skip(1))
                .all(|(one, next)| world.waits(self, *one, *next, &requests[circle..]))
    }

    /// The lock that is asked for with a step.
    fn asked(&self, request: EventId) -> Option<(LockId, Mode)> {
        match self.recording.event(request).action {
            Action::Request(lock, mode) | Action::Acquire(lock, mode, _) => Some((lock, mode)),
            _ => None,
        }
    }
}

impl World {
    fn is_done(&self, checker: &Checker<'_>, event: EventId) -> bool {
        let history = checker.history;
        history.position(event) < self.done[history.thread(event).index()]
    }

    /// Does a step; whether it can be.
    fn step(
        &mut self,
        checker: &Checker<'_>,
        step: EventId,
        awaited: Option<&Incoming>,
        with_data: bool,
    ) -> bool {
        let Checker { history, recording, .. } = checker;
        let event = recording.event(step);
        let thread = event.thread;
        let own = &history.steps[thread.index()];
        let at = self.done[thread.index()] as usize;
        if own.get(at) != Some(&step) {
            return false;
        }
        let fork = checker.forks[thread.index()];
        if at == 0 && fork.is_some_and(|fork| !self.is_done(checker, fork)) {
            return false;
        }
        let previous = at.checked_sub(1).map(|at| recording.event(own[at]).action);
        if let Some(Action::Join(child)) = previous
            && let ends = history.ends_of(child, own[at - 1])
            && ends.iter().any(|end| !self.is_done(checker, *end))
        {
            return false;
        }
        if let Some(awaited) = awaited
            && awaited.before(history, step).any(|first| !self.is_done(checker, first))
        {
            return false;
        }
        match event.action {
            Action::Acquire(lock, mode, _) => {
                let holders = &mut self.held[lock.index()];
                if holders.iter().any(|(who, with, _)| *who != thread && with.excludes(mode)) {
                    return false;
                }
                match holders.iter_mut().find(|(who, ..)| *who == thread) {
                    Some((_, with, times)) if *with <= mode => *times += 1,
                    Some((_, with, _)) => *with = mode,
                    None => holders.push((thread, mode, 1)),
                }
            }
            Action::Release(lock) => {
                let holders = &mut self.held[lock.index()];
                if let Some(own) = holders.iter().position(|(who, ..)| *who == thread) {
                    holders[own].2 -= 1;
                    if holders[own].2 == 0 {
                        holders.remove(own);
                    }
                }
            }
            Action::Read(variable) if with_data => {
                let saw = checker.saw.binary_search_by_key(&step, |(read, _)| *read);
                let saw = saw.ok().and_then(|at| checker.saw[at].1);
                if saw != self.last[variable.0 as usize] {
                    return false;
                }
            }
            Action::Write(variable) => self.last[variable.0 as usize] = Some(step),
            _ => {}
        }
        self.done[thread.index()] += 1;
        true
    }

    /// Whether the next step of its thread is `request`.
    fn stands(&self, checker: &Checker<'_>, request: EventId) -> bool {
        let thread = checker.history.thread(request).index();
        let fork = checker.forks[thread];
        let next = checker.history.steps[thread].get(self.done[thread] as usize);
        let is_spawned = fork.is_none_or(|fork| self.is_done(checker, fork));
        next == Some(&request) && is_spawned
    }

    /// Whether the thread of `request` waits for that of `next`, perhaps behind one of `writers`.
    fn waits(
        &self,
        checker: &Checker<'_>,
        request: EventId,
        next: EventId,
        writers: &[EventId],
    ) -> bool {
        let holder = checker.history.thread(next);
        if let Action::Join(child) = checker.recording.event(request).action {
            let end = checker.history.ends.get(&child);
            return child == holder && end.is_some_and(|end| !self.is_done(checker, *end));
        }
        let Some((lock, mode)) = checker.asked(request) else { return false };
        let mut holders = self.held[lock.index()].iter();
        let Some((_, held, _)) = holders.find(|(who, ..)| *who == holder) else { return false };
        let is_queued = |writer: &EventId| {
            checker.asked(*writer) == Some((lock, Mode::Write))
                && checker.history.thread(*writer) != holder
        };
        let prefers_readers = checker.recording.locks[lock.index()].prefers_readers;
        held.excludes(mode) || !prefers_readers && writers.iter().any(is_queued)
    }
}
