//! The recording by thread and by lock: who did what after what, and which stretches of each thread held
//! which lock.

use std::collections::HashMap;

use super::recording::{Action, EventId, LockId, Mode, Recording, ThreadId};

/// A stretch of a thread during which it held a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// Where it begins.
    pub(super) acquired: EventId,
    /// Where it ends; nothing where the run ended before.
    pub(super) released: Option<EventId>,
    /// How the lock was held.
    pub(super) mode: Mode,
}

/// The holds of one lock by one thread, in their order.
#[derive(Clone, Debug)]
pub(super) struct Holds {
    pub(super) thread: ThreadId,
    pub(super) sections: Vec<Section>,
    /// Those that are no plain reads, as indices of `sections`.
    pub(super) strict: Vec<usize>,
}

impl Holds {
    fn begin(&mut self, acquired: EventId, mode: Mode) {
        if mode != Mode::Read {
            self.strict.push(self.sections.len());
        }
        self.sections.push(Section { acquired, released: None, mode });
    }

    fn end(&mut self, released: EventId) {
        if let Some(last) = self.sections.last_mut() {
            last.released = Some(released);
        }
    }

    /// The last one that begins before the step `bound` of its thread and cannot be at once with one of
    /// `mode`.
    pub(super) fn last_against(
        &self,
        history: &History<'_>,
        mode: Mode,
        bound: u32,
    ) -> Option<&Section> {
        let begins_before = |section: &Section| history.position(section.acquired) < bound;
        if mode == Mode::Write {
            let before = self.sections.partition_point(begins_before);
            return self.sections[..before].last();
        }
        let before = self.strict.partition_point(|at| begins_before(&self.sections[*at]));
        let strict = self.strict[..before].iter().rev().map(|at| &self.sections[*at]);
        strict.into_iter().find(|section| section.mode.excludes(mode))
    }
}

/// A lock that a thread holds at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    lock: LockId,
    mode: Mode,
    /// How often it was acquired without being released.
    times: u32,
    /// Where its holds are, among those of the lock.
    slot: usize,
}

/// What each thread did, and who held what when.
#[derive(Debug)]
pub(super) struct History<'r> {
    pub(super) recording: &'r Recording,
    /// The steps of each thread.
    pub(super) steps: Vec<Vec<EventId>>,
    /// Of each step, which of its thread's it is.
    pub(super) position: Vec<u32>,
    /// For each lock its holds, by thread.
    pub(super) holds: Vec<Vec<Holds>>,
    /// Where the holds of a lock by a thread are, among those of the lock.
    slots: HashMap<(LockId, ThreadId), usize>,
    /// The last step of each thread whose end was waited for.
    pub(super) ends: HashMap<ThreadId, EventId>,
    /// What each step does to the holds of its thread.
    pub(super) turns: Vec<Turn>,
}

/// What a step does to a hold. An acquisition of what the thread has already does nothing; an upgrade ends
/// one hold and begins another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) begins: bool,
    pub(super) ends: bool,
}

impl<'r> History<'r> {
    pub(super) fn of(recording: &'r Recording) -> History<'r> {
        let mut steps: Vec<Vec<EventId>> = vec![Vec::new(); recording.threads.len()];
        let mut position = Vec::with_capacity(recording.events.len());
        let mut holds: Vec<Vec<Holds>> = vec![Vec::new(); recording.locks.len()];
        let mut held: Vec<Vec<Held>> = vec![Vec::new(); recording.threads.len()];
        let mut slots = HashMap::new();
        let mut turns = vec![Turn::default(); recording.events.len()];
        for (id, event) in recording.numbered() {
            let thread = event.thread;
            let own = &mut steps[thread.index()];
            position.push(own.len() as u32);
            own.push(id);
            let held = &mut held[thread.index()];
            match event.action {
                Action::Acquire(lock, mode, _) => {
                    let of_lock = &mut holds[lock.index()];
                    match held.iter_mut().find(|held| held.lock == lock) {
                        Some(again) if again.mode <= mode => again.times += 1,
                        Some(weaker) => {
                            // An upgrade: one hold ends where the stronger one begins.
                            weaker.mode = mode;
                            of_lock[weaker.slot].end(id);
                            of_lock[weaker.slot].begin(id, mode);
                            turns[id.index()] = Turn { begins: true, ends: true };
                        }
                        None => {
                            let slot = *slots.entry((lock, thread)).or_insert_with(|| {
                                let (sections, strict) = (Vec::new(), Vec::new());
                                of_lock.push(Holds { thread, sections, strict });
                                of_lock.len() - 1
                            });
                            held.push(Held { lock, mode, times: 1, slot });
                            of_lock[slot].begin(id, mode);
                            turns[id.index()].begins = true;
                        }
                    }
                }
                Action::Release(lock) => {
                    let Some(at) = held.iter().position(|held| held.lock == lock) else { continue };
                    held[at].times -= 1;
                    if held[at].times == 0 {
                        let Held { slot, .. } = held.remove(at);
                        holds[lock.index()][slot].end(id);
                        turns[id.index()].ends = true;
                    }
                }
                _ => {}
            }
        }
        let mut ends = HashMap::new();
        for (id, event) in recording.numbered() {
            if let Action::Join(thread) = event.action
                && let Some(&last) = steps[thread.index()].last()
                && last < id
            {
                ends.insert(thread, last);
            }
        }
        History { recording, steps, position, holds, slots, ends, turns }
    }

    /// The thread of a step.
    pub(super) fn thread(&self, event: EventId) -> ThreadId {
        self.recording.event(event).thread
    }

    /// Which of its thread's a step is, from zero.
    pub(super) fn position(&self, event: EventId) -> u32 {
        self.position[event.index()]
    }

    /// The steps that are over when a join of `thread` before `joined` goes on: its last one, and what that
    /// has waited for, if it was a join.
    pub(super) fn ends_of(&self, thread: ThreadId, joined: EventId) -> Vec<EventId> {
        let mut ends: Vec<EventId> = Vec::new();
        let mut next = Some(thread);
        while let Some(&end) = next.and_then(|thread| self.ends.get(&thread))
            && end < ends.last().copied().unwrap_or(joined)
        {
            ends.push(end);
            next = match self.recording.event(end).action {
                Action::Join(child) => Some(child),
                _ => None,
            };
        }
        ends
    }

    /// The next step of the same thread.
    pub(super) fn after(&self, event: EventId) -> Option<EventId> {
        self.steps[self.thread(event).index()].get(self.position(event) as usize + 1).copied()
    }

    /// The holds of `lock` by `thread`.
    pub(super) fn holds_of(&self, lock: LockId, thread: ThreadId) -> &[Section] {
        let slot = self.slots.get(&(lock, thread));
        slot.map_or(&[], |slot| &self.holds[lock.index()][*slot].sections)
    }

    /// The hold of `lock` that `thread` has at `event`, one of its own steps.
    pub(super) fn hold_at(&self, lock: LockId, event: EventId) -> Option<&Section> {
        let sections = self.holds_of(lock, self.thread(event));
        let after = sections.partition_point(|section| section.acquired < event);
        let section = sections[..after].last()?;
        section.released.is_none_or(|released| released >= event).then_some(section)
    }
}
