//! What a schedule must keep to: that a thread is spawned before it runs and has ended before its join
//! goes on, that what was waited for comes before the wait ends, that a read sees the write that it saw.

use std::collections::{HashMap, VecDeque};

use super::history::History;
use super::incoming::Before;
use super::recording::{Action, EventId, SignalId, SignalKind, ThreadId, VariableId};

/// What orders steps of different threads, by why it does.
#[derive(Clone, Debug, Default)]
pub(super) struct Constraints {
    /// Spawns and joins.
    pub(super) life: Vec<Before>,
    /// Notifications, messages and barriers that only one thread could have given.
    pub(super) sure: Vec<Before>,
    /// Those that another thread could have given as well.
    pub(super) unsure: Vec<Before>,
    /// That a wait begins before the notification that ends it.
    pub(super) awake: Vec<Before>,
    /// That a read comes after the write whose value it saw.
    pub(super) data: Vec<Before>,
    /// For each read of a variable that several threads use, the write whose value it saw; nothing for the
    /// value that was there before.
    pub(super) reads: Vec<ReadFrom>,
    /// The writes of these variables, by variable and thread.
    pub(super) writes: HashMap<VariableId, Vec<(ThreadId, Vec<EventId>)>>,
}

/// A read, and what it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReadFrom {
    pub(super) read: EventId,
    pub(super) variable: VariableId,
    pub(super) write: Option<EventId>,
}

impl Constraints {
    pub(super) fn of(history: &History<'_>) -> Constraints {
        let mut constraints = Constraints::default();
        constraints.add_life(history);
        constraints.add_signals(history);
        constraints.add_data(history);
        constraints
    }

    fn add_life(&mut self, history: &History<'_>) {
        for (id, event) in history.recording.numbered() {
            match event.action {
                Action::Fork(child) => {
                    let first = history.steps[child.index()].first();
                    self.life.extend(
                        first.filter(|&&then| then > id).map(|&then| Before { first: id, then }),
                    );
                }
                // The join itself is where the wait begins.
                Action::Join(child) => {
                    let ends = history.ends_of(child, id).into_iter();
                    let goes_on = history.after(id);
                    self.life
                        .extend(ends.filter_map(|first| Some(Before { first, then: goes_on? })));
                }
                _ => {}
            }
        }
    }

    fn add_signals(&mut self, history: &History<'_>) {
        let recording = history.recording;
        let mut condvars: HashMap<SignalId, Vec<Sleeper>> = HashMap::new();
        let mut channels: HashMap<SignalId, Channel> = HashMap::new();
        let mut barriers: HashMap<SignalId, Vec<EventId>> = HashMap::new();
        for (id, event) in recording.numbered() {
            match event.action {
                Action::Wait(condvar) => {
                    let wakes = history.after(id);
                    let sleeper = Sleeper { waits: id, wakes, by: Vec::new() };
                    condvars.entry(condvar).or_default().push(sleeper);
                }
                Action::Notify(condvar) | Action::NotifyAll(condvar) => {
                    let sleepers = condvars.entry(condvar).or_default();
                    sleepers.retain(|sleeper| match sleeper.wakes {
                        Some(wakes) if wakes < id => {
                            self.wake(history, sleeper);
                            false
                        }
                        _ => true,
                    });
                    sleepers.iter_mut().for_each(|sleeper| sleeper.by.push(id));
                }
                Action::Send(channel) => {
                    let queue = channels.entry(channel).or_default();
                    if let SignalKind::Channel(Some(room)) =
                        recording.signals[channel.0 as usize].kind
                        && let Some(before) = queue.sent.checked_sub(room as usize)
                        && let Some(&first) = queue.received.get(before)
                    {
                        self.unsure.push(Before { first, then: id });
                    }
                    queue.sent += 1;
                    queue.waiting.push_back(id);
                    if !queue.senders.contains(&event.thread) {
                        queue.senders.push(event.thread);
                    }
                }
                Action::Receive(channel) => {
                    let queue = channels.entry(channel).or_default();
                    queue.received.push(id);
                    if let Some(first) = queue.waiting.pop_front() {
                        queue.messages.push(Before { first, then: id });
                    }
                }
                Action::Arrive(barrier) => {
                    let SignalKind::Barrier(parties) = recording.signals[barrier.0 as usize].kind
                    else {
                        continue;
                    };
                    let round = barriers.entry(barrier).or_default();
                    round.push(id);
                    if round.len() >= parties as usize {
                        for &first in &*round {
                            let passed = round.iter().filter(|&&other| other != first);
                            let after = passed.filter_map(|&other| history.after(other));
                            self.sure.extend(after.map(|then| Before { first, then }));
                        }
                        round.clear();
                    }
                }
                _ => {}
            }
        }
        let rest: Vec<Sleeper> = condvars.into_values().flatten().collect();
        rest.iter().for_each(|sleeper| self.wake(history, sleeper));
        for queue in channels.into_values() {
            let kind = if queue.senders.len() > 1 { &mut self.unsure } else { &mut self.sure };
            kind.extend(queue.messages);
        }
        for edges in [&mut self.sure, &mut self.unsure, &mut self.awake] {
            edges.retain(|edge| history.thread(edge.first) != history.thread(edge.then));
            edges.sort_unstable();
            edges.dedup();
        }
    }

    /// One that slept has gone on, after the first notification that could have woken it.
    fn wake(&mut self, history: &History<'_>, sleeper: &Sleeper) {
        let (Some(wakes), Some(&first)) = (sleeper.wakes, sleeper.by.first()) else { return };
        let by = history.thread(first);
        let only = sleeper.by.iter().all(|other| history.thread(*other) == by);
        let edges = if only { &mut self.sure } else { &mut self.unsure };
        edges.push(Before { first, then: wakes });
        self.awake.push(Before { first: sleeper.waits, then: first });
    }

    fn add_data(&mut self, history: &History<'_>) {
        let recording = history.recording;
        let mut users: Vec<Option<ThreadId>> = vec![None; recording.variables.len()];
        let mut is_shared = vec![false; recording.variables.len()];
        let mut is_written = vec![false; recording.variables.len()];
        for event in &recording.events {
            let (Action::Read(variable) | Action::Write(variable)) = event.action else { continue };
            let at = variable.0 as usize;
            is_shared[at] |= *users[at].get_or_insert(event.thread) != event.thread;
            is_written[at] |= matches!(event.action, Action::Write(_));
        }
        let mut last: HashMap<VariableId, EventId> = HashMap::new();
        let matters = |variable: VariableId| {
            is_shared[variable.0 as usize] && is_written[variable.0 as usize]
        };
        for (id, event) in recording.numbered() {
            match event.action {
                Action::Read(variable) if matters(variable) => {
                    let write = last.get(&variable).copied();
                    self.reads.push(ReadFrom { read: id, variable, write });
                    self.data.extend(
                        write
                            .filter(|&write| history.thread(write) != event.thread)
                            .map(|first| Before { first, then: id }),
                    );
                }
                Action::Write(variable) if matters(variable) => {
                    last.insert(variable, id);
                    let writers = self.writes.entry(variable).or_default();
                    match writers.iter_mut().find(|(thread, _)| *thread == event.thread) {
                        Some((_, own)) => own.push(id),
                        None => writers.push((event.thread, vec![id])),
                    }
                }
                _ => {}
            }
        }
    }
}

/// A thread that waits to be notified.
#[derive(Debug)]
struct Sleeper {
    waits: EventId,
    /// Its next step.
    wakes: Option<EventId>,
    /// The notifications since.
    by: Vec<EventId>,
}

/// What went through a channel so far.
#[derive(Debug, Default)]
struct Channel {
    sent: usize,
    waiting: VecDeque<EventId>,
    received: Vec<EventId>,
    senders: Vec<ThreadId>,
    messages: Vec<Before>,
}
