//! All schedules of a recorded run, tried one by one: which threads can come to wait for each other.
//!
//! It shares nothing with what it is to judge but the recording itself.

use std::collections::{BTreeSet, HashMap, HashSet};

use cargo_lockcheck::predict::Awaited;
use cargo_lockcheck::predict::recording::{
    Action, EventId, LockId, Manner, Mode, Recording, ThreadId,
};

/// A circle by what its threads ask for, beginning with its least link.
pub(super) type Key = Vec<(ThreadId, Awaited, Mode)>;

/// The circle of these links in the form of a key.
pub(super) fn key(mut links: Key) -> Key {
    let least = (0..links.len()).min_by_key(|at| links[*at]).unwrap_or_default();
    links.rotate_left(least);
    links
}

/// Which circles come about, and at which steps their threads then wait.
#[derive(Debug, Default)]
pub(super) struct Deadlocks(pub(super) HashMap<Key, HashSet<BTreeSet<EventId>>>);

/// What a recording does, by thread.
struct Program<'r> {
    recording: &'r Recording,
    steps: Vec<Vec<EventId>>,
    /// What each read saw.
    saw: HashMap<EventId, Option<EventId>>,
    forked: HashMap<ThreadId, EventId>,
    with_data: bool,
}

/// Where all threads are, and which write each variable has last seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    at: Vec<usize>,
    last: Vec<Option<EventId>>,
}

/// Everything that can come about; with `with_data`, as long as each read sees what it saw.
pub(super) fn deadlocks(recording: &Recording, with_data: bool) -> Deadlocks {
    let program = Program::new(recording, with_data);
    let mut deadlocks = Deadlocks::default();
    let begin =
        State { at: vec![0; recording.threads.len()], last: vec![None; recording.variables.len()] };
    let mut seen = HashSet::from([begin.clone()]);
    let mut open = vec![begin];
    while let Some(state) = open.pop() {
        program.circles(&state, &mut deadlocks);
        for thread in 0..state.at.len() {
            if let Some(next) = program.step(&state, thread)
                && seen.insert(next.clone())
            {
                open.push(next);
            }
        }
    }
    deadlocks
}

impl<'r> Program<'r> {
    fn new(recording: &'r Recording, with_data: bool) -> Program<'r> {
        let mut program = Program {
            recording,
            steps: vec![Vec::new(); recording.threads.len()],
            saw: HashMap::new(),
            forked: HashMap::new(),
            with_data,
        };
        let mut last = HashMap::new();
        for (number, event) in recording.events.iter().enumerate() {
            let id = EventId(number as u32);
            program.steps[event.thread.0 as usize].push(id);
            match event.action {
                Action::Fork(child) => _ = program.forked.insert(child, id),
                Action::Read(variable) => {
                    program.saw.insert(id, last.get(&variable).copied());
                }
                Action::Write(variable) => _ = last.insert(variable, id),
                _ => {}
            }
        }
        program
    }

    fn action(&self, thread: usize, at: usize) -> Option<Action> {
        let step = self.steps[thread].get(at)?;
        Some(self.recording.event(*step).action)
    }

    fn is_done(&self, state: &State, event: EventId) -> bool {
        let thread = self.recording.event(event).thread.0 as usize;
        self.steps[thread][..state.at[thread]].contains(&event)
    }

    /// How a thread has a lock, if it has.
    fn holds(&self, state: &State, thread: usize, lock: LockId) -> Option<Mode> {
        let mut held: Vec<Mode> = Vec::new();
        for step in &self.steps[thread][..state.at[thread]] {
            match self.recording.event(*step).action {
                Action::Acquire(of, mode, _) if of == lock => held.push(mode),
                Action::Release(of) if of == lock => _ = held.pop(),
                _ => {}
            }
        }
        held.into_iter().min()
    }

    /// The lock that a thread has asked for and has not got.
    fn asks(&self, state: &State, thread: usize) -> Option<(LockId, Mode)> {
        match self.action(thread, state.at[thread])? {
            Action::Acquire(lock, mode, Manner::Blocking) => Some((lock, mode)),
            _ => None,
        }
    }

    /// The thread whose end a thread waits for.
    fn joins(&self, state: &State, thread: usize) -> Option<usize> {
        let previous = state.at[thread].checked_sub(1)?;
        match self.action(thread, previous)? {
            Action::Join(child) => {
                let child = child.0 as usize;
                let is_at_end = state.at[child] == self.steps[child].len();
                // One whose last step is a join has not ended before that goes on.
                (!is_at_end || self.joins(state, child).is_some()).then_some(child)
            }
            _ => None,
        }
    }

    /// The threads that keep `thread` from the lock by what they hold.
    fn blockers(&self, state: &State, thread: usize, lock: LockId, mode: Mode) -> Vec<usize> {
        (0..state.at.len())
            .filter(|other| *other != thread)
            .filter(|other| self.holds(state, *other, lock).is_some_and(|held| held.excludes(mode)))
            .collect()
    }

    /// The threads that wait to write the lock.
    fn writers(&self, state: &State, thread: usize, lock: LockId) -> Vec<usize> {
        let is_writer = |other: &usize| self.asks(state, *other) == Some((lock, Mode::Write));
        (0..state.at.len()).filter(|other| *other != thread).filter(is_writer).collect()
    }

    fn waits_behind_writers(&self, lock: LockId, mode: Mode) -> bool {
        mode == Mode::Read && !self.recording.locks[lock.0 as usize].prefers_readers
    }

    fn step(&self, state: &State, thread: usize) -> Option<State> {
        let step = *self.steps[thread].get(state.at[thread])?;
        let is_first = state.at[thread] == 0;
        let fork = self.forked.get(&ThreadId(thread as u32));
        if is_first && fork.is_some_and(|fork| !self.is_done(state, *fork)) {
            return None;
        }
        if self.joins(state, thread).is_some() {
            return None;
        }
        let mut next = state.clone();
        next.at[thread] += 1;
        match self.recording.event(step).action {
            Action::Acquire(lock, mode, manner) => {
                let behind = manner == Manner::Blocking
                    && self.waits_behind_writers(lock, mode)
                    && !self.writers(state, thread, lock).is_empty();
                if behind || !self.blockers(state, thread, lock, mode).is_empty() {
                    return None;
                }
            }
            Action::Read(variable)
                if self.with_data && self.saw[&step] != state.last[variable.0 as usize] =>
            {
                return None;
            }
            Action::Write(variable) => next.last[variable.0 as usize] = Some(step),
            _ => {}
        }
        Some(next)
    }

    /// Whom a thread waits for, and for what.
    fn waits(&self, state: &State, thread: usize) -> Vec<(usize, Awaited, Mode, Option<usize>)> {
        if let Some(child) = self.joins(state, thread) {
            let end = Awaited::End(ThreadId(child as u32));
            return vec![(child, end, Mode::Write, None)];
        }
        let Some((lock, mode)) = self.asks(state, thread) else { return Vec::new() };
        let what = Awaited::Lock(lock);
        let by_holds = self.blockers(state, thread, lock, mode);
        let mut waits: Vec<_> =
            by_holds.into_iter().map(|other| (other, what, mode, None)).collect();
        if self.waits_behind_writers(lock, mode) {
            for writer in self.writers(state, thread, lock) {
                let readers = (0..state.at.len()).filter(|other| *other != writer);
                let readers =
                    readers.filter(|other| self.holds(state, *other, lock) == Some(Mode::Read));
                waits.extend(readers.map(|reader| (reader, what, mode, Some(writer))));
            }
        }
        waits
    }

    fn circles(&self, state: &State, into: &mut Deadlocks) {
        for start in 0..state.at.len() {
            self.extend(state, start, &mut Vec::new(), start, into);
        }
    }

    fn extend(
        &self,
        state: &State,
        start: usize,
        path: &mut Vec<(usize, Awaited, Mode, Option<usize>)>,
        thread: usize,
        into: &mut Deadlocks,
    ) {
        for (next, what, mode, writer) in self.waits(state, thread) {
            let on_path = |thread: usize| path.iter().any(|(known, ..)| *known == thread);
            if path.iter().any(|(_, asked, ..)| *asked == what) {
                continue;
            }
            if next != start && (next < start || on_path(next) || next == thread) {
                continue;
            }
            path.push((thread, what, mode, writer));
            if next == start {
                self.add(state, path, into);
            } else {
                self.extend(state, start, path, next, into);
            }
            path.pop();
        }
    }

    fn add(
        &self,
        state: &State,
        path: &[(usize, Awaited, Mode, Option<usize>)],
        into: &mut Deadlocks,
    ) {
        let writers: Vec<usize> = path.iter().filter_map(|(.., writer)| *writer).collect();
        let is_member = |thread: &usize| path.iter().any(|(member, ..)| member == thread);
        if writers.iter().any(is_member) {
            return;
        }
        let links =
            path.iter().map(|(thread, what, mode, _)| (ThreadId(*thread as u32), *what, *mode));
        let waits_at = |thread: usize| self.steps[thread][state.at[thread] - 1];
        let members = path.iter().map(|(thread, ..)| waits_at(*thread));
        into.0.entry(key(links.collect())).or_default().insert(members.collect());
    }
}
