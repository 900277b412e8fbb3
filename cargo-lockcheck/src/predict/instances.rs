//! The ways in which one pattern can come about: which of the requests of each of its threads, and which
//! writer where a read waits behind one.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::clocks::Clocks;
use super::cut;
use super::history::History;
use super::recording::{EventId, LockId, ThreadId};

/// Combinations of requests that are all looked at.
const ALL: usize = 4096;

/// Writers that are tried for one read.
const WRITERS: usize = 4;

/// Some of the ways.
pub(super) struct Ways {
    /// The requests of the circle in its order, then those of writers; first those that are near each other
    /// in the run.
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
    let product = lists.iter().map(|list| list.len()).fold(1_usize, usize::saturating_mul);
    let mut choices = if product <= ALL {
        from(begin, lists)
    } else {
        ways.are_all = false;
        near(begin, lists, most)
    };
    choices.retain(|requests| cut::are_concurrent(history, clocks, requests));
    choices.sort_by_cached_key(|requests| (span(requests), requests.clone()));
    for requests in choices {
        if ways.ways.len() >= most {
            ways.are_all = false;
            break;
        }
        ways.add(history, clocks, requests, behind, most);
    }
    ways
}

/// How far apart in the run requests are.
fn span(requests: &[EventId]) -> u32 {
    let first = requests.iter().min().map_or(0, |event| event.0);
    requests.iter().max().map_or(0, |event| event.0) - first
}

fn chosen(at: &[usize], lists: &[&[EventId]]) -> Vec<EventId> {
    at.iter().zip(lists).map(|(at, list)| list[*at]).collect()
}

/// All choices that take no earlier request than `begin` of any list.
fn from(begin: Vec<usize>, lists: &[&[EventId]]) -> Vec<Vec<EventId>> {
    let mut seen: HashSet<Vec<usize>> = HashSet::from([begin.clone()]);
    let mut queue = VecDeque::from([begin]);
    let mut choices = Vec::new();
    while let Some(at) = queue.pop_front() {
        choices.push(chosen(&at, lists));
        for link in 0..lists.len() {
            let mut next = at.clone();
            next[link] += 1;
            if next[link] < lists[link].len() && seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    choices
}

/// `begin`, and about `most` choices that are near each other: for each least request the nearest others.
fn near(begin: Vec<usize>, lists: &[&[EventId]], most: usize) -> Vec<Vec<EventId>> {
    let mut at = begin;
    let mut nearest: BTreeSet<(u32, Vec<EventId>)> = BTreeSet::new();
    let first = chosen(&at, lists);
    loop {
        let requests = chosen(&at, lists);
        nearest.insert((span(&requests), requests));
        // Twice as many, as some of them may not be concurrent.
        if nearest.len() > 2 * most {
            nearest.pop_last();
        }
        let least = (0..lists.len()).min_by_key(|link| lists[*link][at[*link]]);
        let Some(least) = least else { break };
        at[least] += 1;
        if at[least] >= lists[least].len() {
            break;
        }
    }
    nearest.into_iter().map(|(_, requests)| requests).chain([first]).collect()
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
        // Those that come next in the run are tried first.
        let next = writers.partition_point(|writer| *writer < requests[0]);
        let in_order = writers[next..].iter().chain(writers[..next].iter().rev());
        for (tried, writer) in in_order.filter(can_wait).enumerate() {
            if tried >= WRITERS {
                self.are_all = false;
                break;
            }
            let requests = [requests.as_slice(), &[*writer]].concat();
            self.add(history, clocks, requests, rest, most);
        }
    }
}
