//! Steps that come after steps of other threads, by thread.

use super::history::History;
use super::recording::EventId;

/// That a step comes before a step of another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Before {
    pub(super) first: EventId,
    pub(super) then: EventId,
}

/// [`Before`]s by the thread of the later step: its position, with the earlier step; sorted.
#[derive(Clone, Debug)]
pub(super) struct Incoming(Vec<Vec<(u32, EventId)>>);

impl Incoming {
    pub(super) fn of(history: &History<'_>, before: &[Before]) -> Incoming {
        Incoming(vec![Vec::new(); history.steps.len()]).with(history, before)
    }

    /// These and more.
    pub(super) fn with(&self, history: &History<'_>, more: &[Before]) -> Incoming {
        let mut all = self.clone();
        for edge in more {
            let thread = history.thread(edge.then).index();
            all.0[thread].push((history.position(edge.then), edge.first));
        }
        // What is sorted already costs little.
        all.0.iter_mut().for_each(|edges| edges.sort());
        all
    }

    /// Adds one.
    pub(super) fn add(&mut self, history: &History<'_>, edge: Before) {
        let edges = &mut self.0[history.thread(edge.then).index()];
        let entry = (history.position(edge.then), edge.first);
        let at = edges.partition_point(|known| *known < entry);
        edges.insert(at, entry);
    }

    /// All of a thread.
    pub(super) fn of_thread(&self, thread: usize) -> &[(u32, EventId)] {
        &self.0[thread]
    }

    /// Those of a thread whose later step is at `from` or after it, and before `to`.
    pub(super) fn between(&self, thread: usize, from: u32, to: u32) -> &[(u32, EventId)] {
        let edges = &self.0[thread];
        let begin = edges.partition_point(|(at, _)| *at < from);
        let end = begin + edges[begin..].partition_point(|(at, _)| *at < to);
        &edges[begin..end]
    }

    /// The steps that come before `event`.
    pub(super) fn before(
        &self,
        history: &History<'_>,
        event: EventId,
    ) -> impl Iterator<Item = EventId> {
        let position = history.position(event);
        let edges = self.between(history.thread(event).index(), position, position + 1);
        edges.iter().map(|(_, first)| *first)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}
