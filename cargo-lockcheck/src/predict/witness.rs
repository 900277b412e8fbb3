//! A schedule: the steps of a prefix in an order in which each can be done, and at the end of which the
//! threads stand at their requests.
//!
//! The step that came first in the run is tried first; where no step is possible any more, earlier choices
//! are taken back, a bounded number of times. What comes out is judged by `check`, which shares nothing
//! with the search.

use super::clocks::Before;
use super::constraints::Constraints;
use super::history::History;
use super::recording::{Action, EventId, LockId, Mode, ThreadId, VariableId};
use super::saturation::Prefix;

/// What a schedule is searched in.
pub(super) struct Search<'a> {
    history: &'a History<'a>,
    /// Of each thread, how many steps there are.
    counts: &'a [u32],
    /// By thread: steps that come after steps of others, by their positions.
    incoming: Vec<Vec<(u32, EventId)>>,
    /// The write that each read is to see; nothing where that is not kept to.
    reads: Option<Reads>,
    threads: Vec<usize>,
    done: Vec<u32>,
    locks: Vec<LockNow>,
    last_write: Vec<Option<EventId>>,
}

/// For each read, the write that it saw.
struct Reads(Vec<(EventId, Option<EventId>)>);

/// Who has a lock.
#[derive(Clone, Copy, Debug, Default)]
struct LockNow {
    readers: u32,
    upgradable: bool,
    writer: bool,
}

/// What is needed to take a step back.
struct Done {
    thread: usize,
    overwritten: Option<(VariableId, Option<EventId>)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        history: &'a History<'a>,
        prefix: &'a Prefix,
        before: &[Before],
        data: Option<&Constraints>,
    ) -> Search<'a> {
        let threads = history.steps.len();
        let mut incoming: Vec<Vec<(u32, EventId)>> = vec![Vec::new(); threads];
        for edge in before.iter().chain(&prefix.added) {
            let thread = history.thread(edge.then).index();
            incoming[thread].push((history.position(edge.then), edge.first));
        }
        incoming.iter_mut().for_each(|edges| edges.sort_unstable());
        let reads = data.map(|data| Reads(data.reads.iter().map(|r| (r.read, r.write)).collect()));
        Search {
            history,
            counts: &prefix.counts,
            incoming,
            reads,
            threads: (0..threads).filter(|&thread| prefix.counts[thread] > 0).collect(),
            done: vec![0; threads],
            locks: vec![LockNow::default(); history.recording.locks.len()],
            last_write: vec![None; history.recording.variables.len()],
        }
    }

    /// A schedule, unless none is found with so many choices taken back.
    pub(super) fn run(mut self, mut backtracks: u32, work: &mut u64) -> Option<Vec<EventId>> {
        let length: u32 = self.counts.iter().sum();
        let mut schedule: Vec<EventId> = Vec::with_capacity(length as usize);
        let mut trail: Vec<Done> = Vec::with_capacity(length as usize);
        // What is tried at this point of the schedule must have come after this in the run.
        let mut tried = None;
        while schedule.len() < length as usize {
            *work += 1;
            match self.next(tried) {
                Some(step) => {
                    trail.push(self.take(step));
                    schedule.push(step);
                    tried = None;
                }
                None => {
                    backtracks = backtracks.checked_sub(1)?;
                    let back = trail.pop()?;
                    tried = schedule.pop();
                    self.take_back(back);
                }
            }
        }
        Some(schedule)
    }

    /// The step that is possible now and came first in the run, of those after `tried`.
    fn next(&self, tried: Option<EventId>) -> Option<EventId> {
        let next = |thread: &usize| {
            let at = self.done[*thread];
            (at < self.counts[*thread]).then(|| self.history.steps[*thread][at as usize])
        };
        let mut best: Option<EventId> = None;
        for step in self.threads.iter().filter_map(next) {
            let is_better = best.is_none_or(|best| step < best);
            if is_better && tried.is_none_or(|tried| step > tried) && self.is_possible(step) {
                best = Some(step);
            }
        }
        best
    }

    fn is_possible(&self, step: EventId) -> bool {
        let history = self.history;
        let position = history.position(step);
        let incoming = &self.incoming[history.thread(step).index()];
        let begin = incoming.partition_point(|(at, _)| *at < position);
        let mut edges = incoming[begin..].iter().take_while(|(at, _)| *at == position);
        let is_done =
            |first: EventId| history.position(first) < self.done[history.thread(first).index()];
        if !edges.all(|(_, first)| is_done(*first)) {
            return false;
        }
        match history.recording.event(step).action {
            Action::Acquire(lock, mode, _) if history.turns[step.index()].begins => {
                let mut now = self.locks[lock.index()];
                if history.turns[step.index()].ends {
                    now.remove(self.mode_before(lock, step));
                }
                now.admits(mode)
            }
            Action::Read(variable) => match &self.reads {
                Some(Reads(reads)) => {
                    let at = reads.binary_search_by_key(&step, |(read, _)| *read);
                    at.is_err()
                        || at.is_ok_and(|at| reads[at].1 == self.last_write[variable.0 as usize])
                }
                None => true,
            },
            _ => true,
        }
    }

    /// The mode of the hold that ends with `step`.
    fn mode_before(&self, lock: LockId, step: EventId) -> Mode {
        self.history.hold_at(lock, step).map_or(Mode::Read, |section| section.mode)
    }

    fn take(&mut self, step: EventId) -> Done {
        let history = self.history;
        let event = history.recording.event(step);
        let thread = event.thread.index();
        self.done[thread] += 1;
        let turn = history.turns[step.index()];
        let mut overwritten = None;
        match event.action {
            Action::Acquire(lock, mode, _) => {
                if turn.ends {
                    let before = self.mode_before(lock, step);
                    self.locks[lock.index()].remove(before);
                }
                if turn.begins {
                    self.locks[lock.index()].add(mode);
                }
            }
            Action::Release(lock) if turn.ends => {
                let mode = self.mode_before(lock, step);
                self.locks[lock.index()].remove(mode);
            }
            Action::Write(variable) => {
                let last = self.last_write[variable.0 as usize].replace(step);
                overwritten = Some((variable, last));
            }
            _ => {}
        }
        Done { thread, overwritten }
    }

    fn take_back(&mut self, back: Done) {
        let history = self.history;
        let Done { thread, overwritten } = back;
        self.done[thread] -= 1;
        let step = history.steps[thread][self.done[thread] as usize];
        let turn = history.turns[step.index()];
        match history.recording.event(step).action {
            Action::Acquire(lock, mode, _) => {
                if turn.begins {
                    self.locks[lock.index()].remove(mode);
                }
                if turn.ends {
                    let before = self.mode_before(lock, step);
                    self.locks[lock.index()].add(before);
                }
            }
            Action::Release(lock) if turn.ends => {
                let mode = self.mode_before(lock, step);
                self.locks[lock.index()].add(mode);
            }
            _ => {}
        }
        if let Some((variable, last)) = overwritten {
            self.last_write[variable.0 as usize] = last;
        }
    }
}

impl LockNow {
    fn admits(self, mode: Mode) -> bool {
        let modes = [
            (self.writer, Mode::Write),
            (self.upgradable, Mode::Upgradable),
            (self.readers > 0, Mode::Read),
        ];
        !modes.into_iter().any(|(is_held, held)| is_held && held.excludes(mode))
    }

    fn add(&mut self, mode: Mode) {
        match mode {
            Mode::Write => self.writer = true,
            Mode::Upgradable => self.upgradable = true,
            Mode::Read => self.readers += 1,
        }
    }

    fn remove(&mut self, mode: Mode) {
        match mode {
            Mode::Write => self.writer = false,
            Mode::Upgradable => self.upgradable = false,
            Mode::Read => self.readers = self.readers.saturating_sub(1),
        }
    }
}

/// Whether `schedule` is one of the recorded program at the end of which every thread of `requests` waits
/// for ever: those of the first `circle` for what the next of them holds, the last for what the first
/// holds; the others are writers that wait for a lock that one of the circle reads and another would.
///
/// It is judged by what was recorded alone. `awaited` are steps that wait for others; with `with_data` each
/// read must see what it saw.
pub(super) fn check(
    history: &History<'_>,
    schedule: &[EventId],
    requests: &[EventId],
    circle: usize,
    awaited: &[Before],
    with_data: bool,
) -> bool {
    let recording = history.recording;
    let mut saw: Vec<Option<EventId>> = Vec::new();
    let mut last: Vec<Option<EventId>> = vec![None; recording.variables.len()];
    if with_data {
        saw = vec![None; recording.events.len()];
        for (id, event) in recording.numbered() {
            match event.action {
                Action::Read(variable) => saw[id.index()] = last[variable.0 as usize],
                Action::Write(variable) => last[variable.0 as usize] = Some(id),
                _ => {}
            }
        }
        last = vec![None; recording.variables.len()];
    }
    let mut first_needs: Vec<Option<EventId>> = vec![None; history.steps.len()];
    for (id, event) in recording.numbered() {
        if let Action::Fork(child) = event.action
            && history.steps[child.index()].first().is_some_and(|first| *first > id)
        {
            first_needs[child.index()] = Some(id);
        }
    }
    let mut awaited = awaited.to_vec();
    awaited.sort_unstable_by_key(|edge| (edge.then, edge.first));
    let mut held: Vec<Vec<(ThreadId, Mode, u32)>> = vec![Vec::new(); recording.locks.len()];
    let mut done = vec![0_usize; history.steps.len()];
    let is_done = |done: &[usize], event: EventId| {
        (history.position(event) as usize) < done[history.thread(event).index()]
    };
    for &step in schedule {
        let event = recording.event(step);
        let thread = event.thread;
        let own = &history.steps[thread.index()];
        let at = done[thread.index()];
        if own.get(at) != Some(&step) {
            return false;
        }
        let spawned = first_needs[thread.index()];
        if at == 0 && spawned.is_some_and(|fork| !is_done(&done, fork)) {
            return false;
        }
        let previous = at.checked_sub(1).map(|at| recording.event(own[at]).action);
        if let Some(Action::Join(child)) = previous
            && history.ends_of(child, own[at - 1]).iter().any(|end| !is_done(&done, *end))
        {
            return false;
        }
        let begin = awaited.partition_point(|edge| edge.then < step);
        let mut edges = awaited[begin..].iter().take_while(|edge| edge.then == step);
        if edges.any(|edge| !is_done(&done, edge.first)) {
            return false;
        }
        match event.action {
            Action::Acquire(lock, mode, _) => {
                let holders = &mut held[lock.index()];
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
                let holders = &mut held[lock.index()];
                if let Some(own) = holders.iter().position(|(who, ..)| *who == thread) {
                    holders[own].2 -= 1;
                    if holders[own].2 == 0 {
                        holders.remove(own);
                    }
                }
            }
            Action::Read(variable)
                if with_data && saw[step.index()] != last[variable.0 as usize] =>
            {
                return false;
            }
            Action::Write(variable) if with_data => last[variable.0 as usize] = Some(step),
            _ => {}
        }
        done[thread.index()] += 1;
    }
    let stands = |request: EventId| {
        let thread = history.thread(request).index();
        let is_spawned = first_needs[thread].is_none_or(|fork| is_done(&done, fork));
        history.steps[thread].get(done[thread]) == Some(&request)
            && (history.position(request) > 0 || is_spawned)
    };
    let asks = |request: EventId| match recording.event(request).action {
        Action::Request(lock, mode) | Action::Acquire(lock, mode, _) => Some((lock, mode)),
        _ => None,
    };
    // Whether the one of `request` waits for the one of `next`.
    let waits = |request: EventId, next: EventId| {
        let holder = history.thread(next);
        match recording.event(request).action {
            Action::Join(child) => {
                let end = history.ends.get(&child);
                child == holder && end.is_some_and(|end| !is_done(&done, *end))
            }
            _ => asks(request).is_some_and(|(lock, mode)| {
                let holders = &held[lock.index()];
                let Some(hold) = holders.iter().find(|(who, ..)| *who == holder) else {
                    return false;
                };
                let queued = |writer: &EventId| {
                    asks(*writer) == Some((lock, Mode::Write)) && hold.0 != history.thread(*writer)
                };
                let behind = || {
                    !recording.locks[lock.index()].prefers_readers
                        && requests[circle..].iter().any(queued)
                };
                hold.1.excludes(mode) || behind()
            }),
        }
    };
    let chain = &requests[..circle];
    requests.iter().all(|request| stands(*request))
        && chain.iter().zip(chain.iter().cycle().skip(1)).all(|(one, next)| waits(*one, *next))
}
