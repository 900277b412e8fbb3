//! Finds threads that keep retrying for each other's locks without progress.
//!
//! A thread counts only its own failed `try_` acquisitions; one that never fails pays nothing. A failure is
//! a *round without progress* if the thread, since the failure before, has sent or received nothing and has
//! acquired only locks that it holds again at this failure. After every [`ROUNDS`] such rounds in a row the
//! thread publishes what it asks for and holds, and at most once in a [`TICK`] it looks at the others. A
//! livelock is a circle of threads that have all been stuck like this since the look before: each retries,
//! or blocks, for what the next one holds. Threads with a random back-off hardly ever have more than three
//! rounds without progress in a row.
//!
//! A thread that keeps failing alone is a matter of [`starvation`](super::starvation).
//!
//! What it may miss: threads that retry without acquiring (an atomic, a `try_recv`), and waits for an event
//! that only the retrying thread would complete. A holder that works is never called stuck, however
//! long others poll its lock, and neither is a thread that blocks on a lock which a retrying thread
//! releases in each round: it gets its turn. A program that gives up by itself after a number of
//! rounds that takes longer than [`TICK`] is reported nonetheless.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use crate::engine::{WaitGraph, Waiter, WaitsFor};
use crate::model::ids::ThreadId;
use crate::model::lock::Site;
use crate::model::word::HoldWord;
use crate::observer::facts::{Doing, StuckThread};
use crate::platform::clock;
use crate::process;
use crate::thread_state::current::Busy;
use crate::thread_state::record::{OwnRecord, Record};
use crate::thread_state::registry;
use crate::thread_state::retries::{Mark, ROUNDS};
use crate::thread_state::wait::{Awaited, SeenWait};

/// A `try_` acquisition has failed. Reports a livelock if this thread is part of one.
///
/// # Panics
/// Where threads keep failing on each other's locks, as configured.
#[cold]
#[track_caller]
pub(crate) fn failed(record: OwnRecord, asked: HoldWord, site: Site) {
    let regained = record.mark_tried_under();
    let rounds = record.retries.failed(record.held.pushed(), regained);
    record.retries.failed.failed(asked, site, regained > 0);
    if rounds % ROUNDS == 0 {
        failed_too_often(record, asked, site);
    }
}

#[track_caller]
fn failed_too_often(me: OwnRecord, asked: HoldWord, site: Site) {
    let thread = me.thread.load(Relaxed);
    let (circle, starvation) = {
        let _busy = Busy::new();
        let mut held = Vec::new();
        me.held.held_into(&mut held);
        let now = clock::now();
        let starvation =
            me.retries.failed.look(asked, &held, now).map(|f| (f, held.last().copied()));
        let due = me.retries.publish(asked, site, held, now);
        let circle = if due { look(thread, &mut me.mine().own.borrow_mut().marks) } else { None };
        (circle, starvation)
    };
    let Some(circle) = circle else {
        if let Some((starvation, own)) = starvation {
            process::observe(|o| {
                process::know_thread(o, me, None);
                o.starves(thread, (asked, site), own.as_ref(), starvation);
            });
        }
        return;
    };
    let finding = process::observe(|o| {
        process::know_thread(o, me, None);
        o.livelock(&circle, me.retries.rounds())
    });
    if let Some(finding) = finding {
        me.retries.progress();
        process::halt(&finding);
    }
}

/// A thread that has been stuck since the look before.
struct Stuck {
    found: StuckThread,
    /// When its wait began, if it waits.
    since: u64,
    /// It keeps what it holds all the time.
    kept: bool,
}

/// Looks at all threads, and leaves in `marks` how far they are now. Returns the circle that the
/// thread called `me` is on, if all on it were as stuck as now when `marks` were left.
fn look(me: ThreadId, marks: &mut Vec<Mark>) -> Option<Vec<StuckThread>> {
    let before = std::mem::take(marks);
    let mut stuck = Vec::new();
    for record in registry::records().filter(|r| r.in_use.load(Acquire)) {
        let thread = record.thread.load(Relaxed);
        let wait = record.wait.seen();
        let mark = Mark { thread, row: record.retries.row(), wait: wait.map(|w| w.sequence) };
        if let Some(before) = before.iter().find(|b| b.thread == thread) {
            stuck.extend(stuck_since(before, &mark, record, wait));
        }
        marks.push(mark);
    }
    circle(me, stuck)
}

/// The thread of this record as a stuck one, if it has made no progress from `before` to `now`.
fn stuck_since(
    before: &Mark,
    now: &Mark,
    record: &'static Record,
    wait: Option<SeenWait>,
) -> Option<Stuck> {
    let retries = now.row.0 == before.row.0 && before.row.1 >= ROUNDS && now.row.1 > before.row.1;
    let asks = if retries { record.retries.asks().clone() } else { None };
    if let Some(asks) = asks {
        let found = StuckThread {
            thread: now.thread,
            doing: Doing::Retries(asks.lock),
            site: asks.site,
            held: asks.held,
        };
        return Some(Stuck { since: u64::MAX, kept: asks.kept, found });
    }
    let wait = wait.filter(|_| now.wait == before.wait)?;
    let (Awaited::Lock(_) | Awaited::End(_)) = wait.awaited else { return None };
    let mut held = Vec::new();
    record.held.held_into(&mut held);
    let doing = Doing::Waits(wait.awaited);
    let found = StuckThread { thread: now.thread, doing, site: wait.site, held };
    let stuck = Stuck { since: wait.since, kept: true, found };
    record.wait.still(wait.sequence).then_some(stuck)
}

fn circle(me: ThreadId, stuck: Vec<Stuck>) -> Option<Vec<StuckThread>> {
    let start = stuck.iter().position(|s| s.found.thread == me)?;
    let graph = WaitGraph::new(stuck.iter().map(Stuck::waiter).collect());
    let cycle = graph.cycle(start)?;
    // A thread that blocks on a lock which the next thread releases in each round gets it in the end.
    let starved = |i: usize| {
        let (at, next) = (&stuck[cycle[i]], &stuck[cycle[(i + 1) % cycle.len()]]);
        matches!(at.found.doing, Doing::Waits(Awaited::Lock(_))) && !next.kept
    };
    // Of a lock with sendable guards it is certain that the next thread has the guard only if that thread
    // holds nothing else and acquires it anew in each round.
    let elsewhere = |i: usize| {
        let (at, next) = (&stuck[cycle[i]], &stuck[cycle[(i + 1) % cycle.len()]]);
        let is_sendable = at.found.lock().is_some_and(|lock| process::is_sendable(lock.lock()));
        is_sendable && (next.kept || next.found.held.len() > 1)
    };
    if (0..cycle.len()).any(|i| starved(i) || elsewhere(i)) {
        return None;
    }
    let mut stuck: Vec<Option<Stuck>> = stuck.into_iter().map(Some).collect();
    Some(cycle.into_iter().filter_map(|i| stuck[i].take()).map(|s| s.found).collect())
}

impl Stuck {
    fn waiter(&self) -> Waiter {
        Waiter {
            polls: None,
            thread: self.found.thread,
            waits: match self.found.doing {
                Doing::Waits(Awaited::End(thread)) => WaitsFor::End(thread),
                _ => self.found.lock().map_or(WaitsFor::Nothing, |lock| WaitsFor::Lock {
                    lock: lock.lock(),
                    mode: lock.mode(),
                }),
            },
            since: self.since,
            held: self.found.held.iter().map(|h| (h.word.lock(), h.word.mode())).collect(),
            permits: Vec::new(),
        }
    }
}
