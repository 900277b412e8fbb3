//! What must have happened, and in which order, for some threads to stand at given requests at once.
//!
//! A thread that stands at a request holds its locks for good. So every other hold of such a lock that
//! must have been before is over before the thread took it, whichever came first in the run. What follows
//! from that is added until nothing new does. Either it contradicts itself, and no schedule of what was
//! recorded comes there; or a prefix of each thread is left that a schedule must consist of.

use std::rc::Rc;

use super::clocks::{Clocks, NoOrder};
use super::constraints::{Constraints, ReadFrom};
use super::history::{History, Holds, Section};
use super::incoming::{Before, Incoming};
use super::recording::{EventId, LockId, ThreadId};

/// What a schedule must consist of.
#[derive(Clone, Debug)]
pub(super) struct Prefix {
    /// Of each thread, how many steps.
    pub(super) counts: Vec<u32>,
    /// Orders of steps that follow, beside those that were given.
    pub(super) added: Vec<Before>,
}

/// Why no schedule comes to the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// A thread would have to go on after the request that it is to stand at: with a step that must have
    /// been before.
    Passed {
        /// The request.
        request: EventId,
        /// The later step.
        needed: EventId,
        /// The lock that is to be given back by then, and the acquisition that waits for that; nothing
        /// where it is an order of another kind that needs the step.
        given_back: Option<(LockId, EventId)>,
    },
    /// Two threads would hold one lock at once.
    HeldTwice {
        /// The lock.
        lock: LockId,
        /// Where one acquires it.
        one: EventId,
        /// Where the other does.
        other: EventId,
    },
    /// Steps would have to come before themselves: of each pair the first before the second, and that is the
    /// thread of the next pair's first, before which it comes; so is the last for the first pair.
    Circle(Vec<[EventId; 2]>),
}

/// Why there is no prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Impossible(Contradiction),
    TooLarge,
}

/// A question: can the threads of these requests stand at them, under this order?
pub(super) struct Question<'a> {
    pub(super) history: &'a History<'a>,
    pub(super) requests: &'a [EventId],
    pub(super) layer: &'a Layer,
    /// With what reads saw, where that is to be kept to.
    pub(super) data: Option<&'a Constraints>,
}

/// Orders that a schedule is to keep to.
pub(super) struct Layer {
    pub(super) incoming: Incoming,
    clocks: Result<Rc<Clocks>, Failure>,
}

impl Layer {
    pub(super) fn new(history: &History<'_>, before: &[Before]) -> Layer {
        let incoming = Incoming::of(history, before);
        let clocks = ordered(history, &incoming).map(Rc::new);
        Layer { incoming, clocks }
    }
}

fn ordered(history: &History<'_>, incoming: &Incoming) -> Result<Clocks, Failure> {
    Clocks::of(history, incoming).map_err(|reason| match reason {
        NoOrder::TooLarge => Failure::TooLarge,
        NoOrder::Circle(edges) => {
            let steps = edges.iter().map(|edge| [edge.first, edge.then]).collect();
            Failure::Impossible(Contradiction::Circle(steps))
        }
    })
}

struct State<'a> {
    question: &'a Question<'a>,
    counts: Vec<u32>,
    /// Of each thread, the position of the request that it stands at.
    stops: Vec<Option<u32>>,
    incoming: Incoming,
    added: Vec<Before>,
    clocks: Rc<Clocks>,
}

impl Question<'_> {
    /// The prefix, and how much work it was: about one for each step that was looked at.
    pub(super) fn answer(&self, work: &mut u64) -> Result<Prefix, Failure> {
        let history = self.history;
        let threads = history.steps.len();
        let mut state = State {
            question: self,
            counts: vec![0; threads],
            stops: vec![None; threads],
            incoming: self.layer.incoming.clone(),
            added: Vec::new(),
            clocks: self.layer.clocks.clone()?,
        };
        for &request in self.requests {
            let thread = history.thread(request).index();
            state.stops[thread] = Some(history.position(request));
        }
        *work += state.incoming.len() as u64 / 8;
        let mut wanted = Vec::new();
        for &request in self.requests {
            if let Some(previous) = history.position(request).checked_sub(1) {
                wanted.push(history.steps[history.thread(request).index()][previous as usize]);
            }
            // What must come before the request itself has been when the thread stands at it.
            wanted.extend(state.incoming.before(history, request));
        }
        state.need(wanted, None)?;
        loop {
            let known = state.added.len();
            state.locks(work)?;
            if let Some(data) = self.data {
                state.data(data, work)?;
            }
            if state.added.len() == known {
                return Ok(Prefix { counts: state.counts, added: state.added });
            }
            *work += state.incoming.len() as u64;
            state.clocks = Rc::new(ordered(history, &state.incoming)?);
        }
    }
}

impl State<'_> {
    /// Takes `wanted` into the prefix, and what must come before them.
    fn need(
        &mut self,
        mut wanted: Vec<EventId>,
        given_back: Option<(LockId, EventId)>,
    ) -> Result<(), Failure> {
        let history = self.question.history;
        while let Some(event) = wanted.pop() {
            let (thread, position) = (history.thread(event).index(), history.position(event));
            let has = self.counts[thread];
            if position < has {
                continue;
            }
            if let Some(stop) = self.stops[thread].filter(|&stop| position >= stop) {
                let request = history.steps[thread][stop as usize];
                let passed = Contradiction::Passed { request, needed: event, given_back };
                return Err(Failure::Impossible(passed));
            }
            self.counts[thread] = position + 1;
            let edges = self.incoming.between(thread, has, position + 1);
            wanted.extend(edges.iter().map(|(_, first)| *first));
        }
        Ok(())
    }

    /// Whether a hold lasts, once it has begun: to the end of the run, or of the schedule.
    fn lasts(&self, thread: ThreadId, section: &Section) -> bool {
        let history = self.question.history;
        section.released.is_none_or(|released| {
            self.stops[thread.index()].is_some_and(|stop| history.position(released) > stop)
        })
    }

    fn locks(&mut self, work: &mut u64) -> Result<(), Failure> {
        let history = self.question.history;
        let mut found: Vec<(LockId, EventId, EventId)> = Vec::new();
        for (lock, holds) in (0..).map(LockId).zip(&history.holds) {
            if holds.len() < 2 {
                continue;
            }
            for own in holds {
                self.holds_of_thread(lock, own, holds, work, &mut found)?;
            }
        }
        for (lock, released, acquired) in found {
            self.order(released, acquired, Some(lock))?;
        }
        Ok(())
    }

    /// The other holds that must be over before one of `own` begins.
    fn holds_of_thread(
        &self,
        lock: LockId,
        own: &Holds,
        all: &[Holds],
        work: &mut u64,
        found: &mut Vec<(LockId, EventId, EventId)>,
    ) -> Result<(), Failure> {
        let history = self.question.history;
        let count = self.counts[own.thread.index()];
        // What follows from a mark has followed for an earlier hold that ended after the same mark.
        let mut seen = None;
        for section in &own.sections {
            if history.position(section.acquired) >= count {
                break;
            }
            *work += 1;
            let lasts = self.lasts(own.thread, section);
            let ends = section.released.map_or(u32::MAX, |end| history.position(end));
            let mark = (self.clocks.mark_at(own.thread, ends), section.mode);
            if !lasts && (mark.0.is_none() || seen == Some(mark)) {
                continue;
            }
            seen = Some(mark);
            for other in all.iter().filter(|other| other.thread != own.thread) {
                *work += 1;
                let has = self.counts[other.thread.index()];
                let bound = match section.released {
                    Some(end) if !lasts => has.min(self.clocks.count(history, end, other.thread)),
                    _ => has,
                };
                let Some(earlier) = other.last_against(history, section.mode, bound) else {
                    continue;
                };
                let Some(released) =
                    earlier.released.filter(|_| !self.lasts(other.thread, earlier))
                else {
                    let (one, other) = (earlier.acquired, section.acquired);
                    let twice = Contradiction::HeldTwice { lock, one, other };
                    return Err(Failure::Impossible(twice));
                };
                let is_known = self.clocks.before(history, released, section.acquired)
                    && history.position(released) < has;
                if !is_known {
                    found.push((lock, released, section.acquired));
                }
            }
        }
        Ok(())
    }

    /// Between a write and a read that saw it no other write may come.
    fn data(&mut self, constraints: &Constraints, work: &mut u64) -> Result<(), Failure> {
        let history = self.question.history;
        let counts = &self.counts;
        let is_in =
            |event: EventId| history.position(event) < counts[history.thread(event).index()];
        let mut found = Vec::new();
        for ReadFrom { read, variable, write } in &constraints.reads {
            *work += 1;
            if !is_in(*read) {
                continue;
            }
            let Some(writers) = constraints.writes.get(variable) else { continue };
            for (thread, writes) in writers {
                *work += 1;
                // The first write that comes after the one that was seen.
                let after = match write {
                    None => 0,
                    Some(write) if history.thread(*write) == *thread => {
                        writes.partition_point(|other| other <= write)
                    }
                    Some(write) => {
                        writes.partition_point(|other| !self.clocks.before(history, *write, *other))
                    }
                };
                if let Some(&later) = writes.get(after)
                    && is_in(later)
                    && !self.clocks.before(history, *read, later)
                {
                    found.push((*read, later));
                }
                // The last write that comes before the read.
                let bound = self.clocks.count(history, *read, *thread);
                let before = writes.partition_point(|other| history.position(*other) < bound);
                if let (Some(&earlier), Some(write)) = (writes[..before].last(), write)
                    && earlier != *write
                    && !self.clocks.before(history, earlier, *write)
                {
                    found.push((earlier, *write));
                }
            }
        }
        for (first, then) in found {
            self.order(first, then, None)?;
        }
        Ok(())
    }

    /// Adds that `first` comes before `then`.
    fn order(
        &mut self,
        first: EventId,
        then: EventId,
        lock: Option<LockId>,
    ) -> Result<(), Failure> {
        let history = self.question.history;
        if history.thread(first) == history.thread(then) {
            if history.position(first) < history.position(then) {
                return Ok(());
            }
            return Err(Failure::Impossible(Contradiction::Circle(vec![[first, then]])));
        }
        self.added.push(Before { first, then });
        self.incoming.add(history, Before { first, then });
        self.need(vec![first], lock.map(|lock| (lock, then)))
    }
}
