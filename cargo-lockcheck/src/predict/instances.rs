//! The ways in which one pattern can come about: which of the requests of each of its threads, and which
//! writer where a read waits behind one.

use std::collections::{HashSet, VecDeque};

use super::clocks::Clocks;
use super::cut;
use super::history::History;
use super::recording::{EventId, LockId, ThreadId};

/// Combinations of requests that are looked at for one pattern.
const VISITED: usize = 4096;

/// Writers that are tried for one read.
const WRITERS: usize = 4;

/// Some of the ways, the one that came first in the run first.
pub(super) struct Ways {
    /// The requests of the circle in its order, then those of writers.
    pub(super) ways: Vec<Vec<EventId>>,
    /// Whether these are all.
    pub(super) are_all: bool,
}

/// Up to `most` ways in which no request comes before another by `clocks`. `behind` are the locks that are
/// read at both ends of a link, with the steps at which writers ask for them.
pub(super) fn ways(
    history: &History<'_>,
    clocks: &Clocks,
    lists: &[&[EventId]],
    behind: &[(LockId, &[EventId])],
    most: usize,
) -> Ways {
    let mut ways = Ways { ways: Vec::new(), are_all: true };
    let Some(begin) = cut::earliest(history, clocks, lists) else { return ways };
    let mut seen: HashSet<Vec<usize>> = HashSet::from([begin.clone()]);
    let mut queue = VecDeque::from([begin]);
    while let Some(at) = queue.pop_front() {
        let requests: Vec<EventId> = at.iter().zip(lists).map(|(at, list)| list[*at]).collect();
        if cut::are_concurrent(history, clocks, &requests) {
            ways.add(history, clocks, requests, behind, most);
        }
        for link in 0..lists.len() {
            let mut next = at.clone();
            next[link] += 1;
            if next[link] < lists[link].len() && !seen.contains(&next) {
                if seen.len() >= VISITED || ways.ways.len() >= most {
                    ways.are_all = false;
                } else {
                    seen.insert(next.clone());
                    queue.push_back(next);
                }
            }
        }
    }
    ways
}

impl Ways {
    fn add(
        &mut self,
        history: &History<'_>,
        clocks: &Clocks,
        requests: Vec<EventId>,
        behind: &[(LockId, &[EventId])],
        most: usize,
    ) {
        let Some((&(_, writers), rest)) = behind.split_first() else {
            if self.ways.len() < most {
                self.ways.push(requests);
            } else {
                self.are_all = false;
            }
            return;
        };
        let threads: Vec<ThreadId> =
            requests.iter().map(|request| history.thread(*request)).collect();
        let can_wait = |writer: &&EventId| {
            !threads.contains(&history.thread(**writer))
                && requests
                    .iter()
                    .all(|request| cut::are_concurrent(history, clocks, &[*request, **writer]))
        };
        for (tried, writer) in writers.iter().filter(can_wait).enumerate() {
            if tried >= WRITERS {
                self.are_all = false;
                break;
            }
            let requests = [requests.as_slice(), &[*writer]].concat();
            self.add(history, clocks, requests, rest, most);
        }
    }
}
