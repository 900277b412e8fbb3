//! The short way to a schedule: the run as it was up to the first hold of a circle, and from there only what
//! its threads must do to come to their requests.
//!
//! Most deadlocks of a run are near to it. What is not found so is looked for by saturation, which sees all.

use super::check::Schedule;
use super::constraints::Constraints;
use super::history::History;
use super::incoming::Incoming;
use super::recording::{EventId, LockId};
use super::witness::Search;

/// More steps than this are no short way.
const SHORT: u32 = 20_000;

/// A schedule to `requests`, of which the first `locks.len()` hold the locks of each list. It is not checked.
pub(super) fn schedule(
    history: &History<'_>,
    requests: &[EventId],
    locks: &[Vec<LockId>],
    incoming: &Incoming,
    constraints: &Constraints,
    backtracks: u32,
    work: &mut u64,
) -> Option<Schedule> {
    let held = requests.iter().zip(locks).flat_map(|(request, locks)| {
        locks.iter().filter_map(|lock| history.hold_at(*lock, *request))
    });
    let first = held.map(|section| section.acquired).chain(requests.iter().copied()).min()?;
    let done: Vec<u32> = history
        .steps
        .iter()
        .map(|steps| steps.partition_point(|step| *step < first) as u32)
        .collect();
    let mut counts = done.clone();
    let stop = |thread: usize| {
        let of_thread = requests.iter().find(|request| history.thread(**request).index() == thread);
        of_thread.map(|request| history.position(*request))
    };
    let mut wanted: Vec<EventId> = Vec::new();
    for &request in requests {
        let thread = history.thread(request).index();
        let before = history.position(request).checked_sub(1);
        wanted.extend(before.map(|before| history.steps[thread][before as usize]));
        wanted.extend(incoming.before(history, request));
    }
    let mut length = 0;
    while let Some(event) = wanted.pop() {
        let (thread, position) = (history.thread(event).index(), history.position(event));
        let has = counts[thread];
        if position < has {
            continue;
        }
        length += position + 1 - has;
        if length > SHORT || stop(thread).is_some_and(|stop| position >= stop) {
            return None;
        }
        counts[thread] = position + 1;
        let edges = incoming.between(thread, has, position + 1);
        wanted.extend(edges.iter().map(|(_, first)| *first));
    }
    let search = Search::new(history, first, done, &counts, incoming, constraints, true);
    let then = search.run(backtracks, work)?;
    Some(Schedule { first: first.0, then })
}
