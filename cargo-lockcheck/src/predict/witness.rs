//! The search for a schedule: the steps of a prefix in an order in which each can be done.
//!
//! The step that came first in the run is tried first; where no step is possible any more, earlier choices
//! are taken back, a bounded number of times. The schedule may begin with the run itself, up to some step;
//! then only what comes after is searched for.

use std::collections::HashMap;

use super::constraints::Constraints;
use super::history::History;
use super::incoming::Incoming;
use super::recording::{Action, EventId, LockId, Mode, VariableId};

/// What a schedule is searched in.
pub(super) struct Search<'a> {
    history: &'a History<'a>,
    /// The step of the run before which all that came is done.
    begin: EventId,
    /// Of each thread, how many steps are to be done.
    counts: &'a [u32],
    incoming: &'a Incoming,
    constraints: &'a Constraints,
    /// Whether each read is to see what it saw.
    with_data: bool,
    threads: Vec<usize>,
    done: Vec<u32>,
    /// Who has each lock; nothing for one that was not looked at yet.
    locks: Vec<Option<LockNow>>,
    last_write: HashMap<VariableId, Option<EventId>>,
}

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
    /// A search that begins after all steps of the run before `begin`, of which `done` are of each thread.
    pub(super) fn new(
        history: &'a History<'a>,
        begin: EventId,
        done: Vec<u32>,
        counts: &'a [u32],
        incoming: &'a Incoming,
        constraints: &'a Constraints,
        with_data: bool,
    ) -> Search<'a> {
        Search {
            history,
            begin,
            counts,
            incoming,
            constraints,
            with_data,
            threads: (0..done.len()).filter(|&thread| counts[thread] > done[thread]).collect(),
            done,
            locks: vec![None; history.recording.locks.len()],
            last_write: HashMap::new(),
        }
    }

    /// The steps after the beginning, unless none are found with so many choices taken back.
    pub(super) fn run(mut self, mut backtracks: u32, work: &mut u64) -> Option<Vec<EventId>> {
        let left = |thread: &usize| (self.counts[*thread] - self.done[*thread]) as usize;
        let length: usize = self.threads.iter().map(left).sum();
        let mut steps: Vec<EventId> = Vec::with_capacity(length);
        let mut trail: Vec<Done> = Vec::with_capacity(length);
        // What is tried at this point of the schedule must have come after this in the run.
        let mut tried = None;
        while steps.len() < length {
            *work += 1;
            match self.next(tried) {
                Some(step) => {
                    trail.push(self.take(step));
                    steps.push(step);
                    tried = None;
                }
                None => {
                    backtracks = backtracks.checked_sub(1)?;
                    let back = trail.pop()?;
                    tried = steps.pop();
                    self.take_back(back);
                }
            }
        }
        Some(steps)
    }

    /// The step that is possible now and came first in the run, of those after `tried`.
    fn next(&mut self, tried: Option<EventId>) -> Option<EventId> {
        let mut best: Option<EventId> = None;
        for number in 0..self.threads.len() {
            let thread = self.threads[number];
            let at = self.done[thread];
            if at >= self.counts[thread] {
                continue;
            }
            let step = self.history.steps[thread][at as usize];
            let is_better = best.is_none_or(|best| step < best);
            if is_better && tried.is_none_or(|tried| step > tried) && self.is_possible(step) {
                best = Some(step);
            }
        }
        best
    }

    fn is_possible(&mut self, step: EventId) -> bool {
        let history = self.history;
        let is_done = |first: EventId| {
            first < self.begin || history.position(first) < self.done[history.thread(first).index()]
        };
        if !self.incoming.before(history, step).all(is_done) {
            return false;
        }
        match history.recording.event(step).action {
            Action::Acquire(lock, mode, _) if history.turns[step.index()].begins => {
                let mut now = *self.lock(lock);
                if history.turns[step.index()].ends {
                    now.remove(self.mode_before(lock, step));
                }
                now.admits(mode)
            }
            Action::Read(variable) if self.with_data => {
                let reads = &self.constraints.reads;
                let Ok(at) = reads.binary_search_by_key(&step, |read| read.read) else {
                    return true;
                };
                reads[at].write == *self.last_write(variable)
            }
            _ => true,
        }
    }

    /// Who has `lock`.
    fn lock(&mut self, lock: LockId) -> &mut LockNow {
        let (history, begin) = (self.history, self.begin);
        self.locks[lock.index()].get_or_insert_with(|| {
            let mut now = LockNow::default();
            for holds in &history.holds[lock.index()] {
                let begun = holds.sections.partition_point(|section| section.acquired < begin);
                if let Some(section) = holds.sections[..begun].last()
                    && section.released.is_none_or(|released| released >= begin)
                {
                    now.add(section.mode);
                }
            }
            now
        })
    }

    /// The last write of `variable`, of those that matter.
    fn last_write(&mut self, variable: VariableId) -> &mut Option<EventId> {
        let (writes, begin) = (&self.constraints.writes, self.begin);
        self.last_write.entry(variable).or_insert_with(|| {
            let of_threads = writes.get(&variable).into_iter().flatten();
            let last = of_threads.filter_map(|(_, writes)| {
                let before = writes.partition_point(|write| *write < begin);
                writes[..before].last().copied()
            });
            last.max()
        })
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
                    self.lock(lock).remove(before);
                }
                if turn.begins {
                    self.lock(lock).add(mode);
                }
            }
            Action::Release(lock) if turn.ends => {
                let mode = self.mode_before(lock, step);
                self.lock(lock).remove(mode);
            }
            Action::Write(variable) if self.with_data => {
                let last = self.last_write(variable).replace(step);
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
                    self.lock(lock).remove(mode);
                }
                if turn.ends {
                    let before = self.mode_before(lock, step);
                    self.lock(lock).add(before);
                }
            }
            Action::Release(lock) if turn.ends => {
                let mode = self.mode_before(lock, step);
                self.lock(lock).add(mode);
            }
            _ => {}
        }
        if let Some((variable, last)) = overwritten {
            *self.last_write(variable) = last;
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
