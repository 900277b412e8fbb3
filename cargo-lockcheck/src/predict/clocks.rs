//! Which steps come before which in every schedule that is looked at.
//!
//! A vector clock changes within a thread only where a step waits for one of another thread; those
//! steps are the *marks*, and only they have a clock of their own.

use super::history::History;
use super::incoming::{Before, Incoming};
use super::recording::{EventId, ThreadId};

/// The order of steps that some [`Before`]s and the threads themselves make.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    threads: usize,
    /// By thread: the positions of its marks, rising, and their clocks one after the other. A clock says of
    /// each thread how many of its steps come before the mark; of its own thread, nothing.
    of_thread: Vec<Marks>,
}

#[derive(Clone, Debug, Default)]
struct Marks {
    positions: Vec<u32>,
    clocks: Vec<u32>,
}

/// Why there are no clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoOrder {
    /// Some step would have to come before itself: by these, each of which leads to the next.
    Circle(Vec<Before>),
    /// It would take more memory than is allowed.
    TooLarge,
}

/// Most numbers that the clocks of one order may have.
const MOST: usize = 64 << 20;

impl Clocks {
    /// The order that `incoming` makes.
    pub(super) fn of(history: &History<'_>, incoming: &Incoming) -> Result<Clocks, NoOrder> {
        let threads = history.steps.len();
        if incoming.len().saturating_mul(threads) > MOST {
            return Err(NoOrder::TooLarge);
        }
        let incoming: Vec<&[(u32, EventId)]> =
            (0..threads).map(|thread| incoming.of_thread(thread)).collect();
        let mut clocks = Clocks { threads, of_thread: vec![Marks::default(); threads] };
        let mut next = vec![0; threads];
        loop {
            let mut moved = false;
            for thread in 0..threads {
                while let Some(&(position, _)) = incoming[thread].get(next[thread]) {
                    let edges = &incoming[thread][next[thread]..];
                    let edges = &edges[..edges.partition_point(|(at, _)| *at == position)];
                    // All marks up to the first step of each edge must have their clocks.
                    let ready = edges.iter().all(|(_, first)| {
                        let other = history.thread(*first).index();
                        let pending = incoming[other].get(next[other]);
                        other == thread
                            || pending.is_none_or(|(at, _)| *at > history.position(*first))
                    });
                    if !ready {
                        break;
                    }
                    clocks.mark(history, thread, position, edges);
                    next[thread] += edges.len();
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
        if (0..threads).all(|thread| next[thread] == incoming[thread].len()) {
            return Ok(clocks);
        }
        Err(NoOrder::Circle(circle(history, &incoming, &next)))
    }

    fn mark(&mut self, history: &History<'_>, thread: usize, at: u32, edges: &[(u32, EventId)]) {
        let mut clock = match self.of_thread[thread].positions.len() {
            0 => vec![0; self.threads],
            marks => {
                let begin = (marks - 1) * self.threads;
                self.of_thread[thread].clocks[begin..].to_vec()
            }
        };
        for (_, first) in edges {
            let other = history.thread(*first).index();
            let position = history.position(*first);
            if let Some(before) = self.clock_at(other, position) {
                clock.iter_mut().zip(before).for_each(|(own, other)| *own = (*own).max(*other));
            }
            clock[other] = clock[other].max(position + 1);
        }
        clock[thread] = 0;
        let marks = &mut self.of_thread[thread];
        marks.positions.push(at);
        marks.clocks.extend(clock);
    }

    fn clock_at(&self, thread: usize, position: u32) -> Option<&[u32]> {
        let marks = &self.of_thread[thread];
        let at = marks.positions.partition_point(|mark| *mark <= position).checked_sub(1)?;
        Some(&marks.clocks[at * self.threads..][..self.threads])
    }

    /// How many steps of `of` come before `event`.
    pub(super) fn count(&self, history: &History<'_>, event: EventId, of: ThreadId) -> u32 {
        let (thread, position) = (history.thread(event), history.position(event));
        if thread == of {
            return position;
        }
        self.clock_at(thread.index(), position).map_or(0, |clock| clock[of.index()])
    }

    /// Which mark of its thread is the last up to `position`; none where there is none.
    pub(super) fn mark_at(&self, thread: ThreadId, position: u32) -> Option<usize> {
        let marks = &self.of_thread[thread.index()].positions;
        marks.partition_point(|mark| *mark <= position).checked_sub(1)
    }

    /// The positions of the marks of `thread`.
    pub(super) fn marks(&self, thread: ThreadId) -> &[u32] {
        &self.of_thread[thread.index()].positions
    }

    /// Whether `first` comes before `then`.
    pub(super) fn before(&self, history: &History<'_>, first: EventId, then: EventId) -> bool {
        self.count(history, then, history.thread(first)) > history.position(first)
    }
}

/// A circle among what is still pending.
fn circle(history: &History<'_>, incoming: &[&[(u32, EventId)]], next: &[usize]) -> Vec<Before> {
    let Some(mut thread) = (0..next.len()).find(|&thread| next[thread] < incoming[thread].len())
    else {
        return Vec::new();
    };
    let mut seen: Vec<(usize, Before)> = Vec::new();
    loop {
        let (position, _) = incoming[thread][next[thread]];
        let blocking = incoming[thread][next[thread]..]
            .iter()
            .take_while(|(at, _)| *at == position)
            .find(|(_, first)| {
                let other = history.thread(*first).index();
                let pending = incoming[other].get(next[other]);
                pending.is_some_and(|(at, _)| *at <= history.position(*first))
            });
        let Some(&(position, first)) = blocking else { return Vec::new() };
        let then = history.steps[thread][position as usize];
        if let Some(begin) = seen.iter().position(|(known, _)| *known == thread) {
            let mut edges: Vec<Before> = seen[begin..].iter().map(|(_, edge)| *edge).collect();
            edges.reverse();
            return edges;
        }
        seen.push((thread, Before { first, then }));
        thread = history.thread(first).index();
    }
}
