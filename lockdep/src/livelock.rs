//! Finds threads that keep retrying for each other's locks and never get on.
//!
//! A thread counts only its own failed `try_` acquisitions; one that never fails pays nothing. A
//! failure is *fruitless* while the thread has, since the failure before, sent or received nothing
//! and acquired nothing but what it holds at this failure again: it went round in a circle. After
//! every [`ROUNDS`] such failures in a row it writes down what it asks for and holds, and at most
//! once in a [`TICK`] it looks at the others. A livelock is a circle of threads that all have been
//! stuck like this since the look before: each retries, or blocks, for what the next one holds. So
//! the threads find it themselves, after [`ROUNDS`] rounds and [`TICK`] at least; threads with a
//! random back-off have hardly ever more than three fruitless rounds in a row.
//!
//! A thread that goes on failing alone is a matter of [`crate::starvation`].
//!
//! Not seen: threads that retry without acquiring (an atomic, a `try_recv`), and waits for an event
//! that only the retrying thread would complete. A holder that works is never called stuck, however
//! long others poll its lock, and neither is a thread that blocks on a lock which a retrying thread
//! releases in each round: it gets its turn. A program that gives up by itself after a number of
//! rounds that takes longer than [`TICK`] is reported nonetheless.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::engine::{ThreadId, WaitGraph, Waiter, WaitsFor};
use crate::instrument::Site;
use crate::observer::{RETRY, StuckThread};
use crate::process::{self, Busy};
use crate::record::{HeldLock, Record, SeenWait, WaitKind};
use crate::starvation::Vain;
use crate::waiting;
use crate::word::Word;

/// Fruitless failures in a row that tell a livelock from bad luck.
const ROUNDS: u64 = 32;
/// The time between two looks, which a livelock outlasts.
const TICK: Duration = Duration::from_millis(100);

/// What a thread keeps of its failures; the cells are its own.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    /// Fruitless failures in a row.
    rounds: AtomicU64,
    /// How often the row was broken.
    row: AtomicU64,
    acquisitions: Cell<u64>,
    /// The round in which something held was acquired again.
    regained: Cell<u64>,
    looked: Cell<u64>,
    vain: Vain,
    /// What it asked for and held at the last multiple of [`ROUNDS`].
    asks: Mutex<Option<Asks>>,
}

/// What a retrying thread asks for.
#[derive(Clone, Debug)]
struct Asks {
    lock: Word,
    site: Site,
    held: Vec<HeldLock>,
    /// It has held these since [`ROUNDS`] rounds at least.
    kept: bool,
}

/// How far a thread was when it was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    thread: ThreadId,
    /// The row of failures and its rounds.
    row: (u64, u64),
    /// The sequence number of its wait, if it waited.
    wait: Option<u64>,
}

impl Retries {
    /// Whether the thread has failed since it last got on.
    #[inline(always)]
    pub(crate) fn in_a_row(&self) -> bool {
        self.rounds.load(Relaxed) != 0
    }

    /// The thread has got on.
    #[inline]
    pub(crate) fn progress(&self) {
        if self.in_a_row() {
            self.end_row();
        }
    }

    #[cold]
    fn end_row(&self) {
        self.row.store(self.row.load(Relaxed) + 1, Relaxed);
        self.rounds.store(0, Relaxed);
        self.regained.set(0);
        self.vain.reset();
    }

    /// One more failure, after this many acquisitions of the thread in all, of which `regained` are
    /// held and new since the failure before. Returns the fruitless rounds in a row.
    fn failed(&self, acquisitions: u64, regained: u64) -> u64 {
        if acquisitions.wrapping_sub(self.acquisitions.replace(acquisitions)) > regained {
            self.end_row();
        }
        let rounds = self.rounds.load(Relaxed) + 1;
        self.rounds.store(rounds, Relaxed);
        if regained > 0 {
            self.regained.set(rounds);
        }
        rounds
    }

    /// Writes down what the thread asks for and holds. Whether it is time to look at the others.
    fn publish(&self, lock: Word, site: Site, held: Vec<HeldLock>, now: u64) -> bool {
        let kept = self.rounds.load(Relaxed) - self.regained.get() >= ROUNDS;
        *self.asks() = Some(Asks { lock, site, held, kept });
        let due = now.saturating_sub(self.looked.get()) >= TICK.as_nanos() as u64;
        if due {
            self.looked.set(now);
        }
        due
    }

    fn asks(&self) -> MutexGuard<'_, Option<Asks>> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fruitless failures in a row.
    fn rounds(&self) -> u64 {
        self.rounds.load(Relaxed)
    }

    fn row(&self) -> (u64, u64) {
        (self.row.load(Relaxed), self.rounds.load(Relaxed))
    }

    /// Another thread takes the record over.
    pub(crate) fn reset(&self) {
        self.end_row();
        self.acquisitions.set(0);
        *self.asks() = None;
    }
}

/// A `try_` acquisition has failed. Reports a livelock if this thread is part of one.
///
/// # Panics
/// Where threads keep failing on each other's locks, as configured.
#[cold]
pub(crate) fn failed(record: &Record, asked: Word, site: Site) {
    let regained = record.mark_tried_under();
    let rounds = record.retries.failed(record.acquisitions(), regained);
    record.retries.vain.failed(asked, site, regained > 0);
    if rounds.is_multiple_of(ROUNDS) {
        fruitless(record, asked, site);
    }
}

fn fruitless(me: &Record, asked: Word, site: Site) {
    let thread = me.thread.load(Relaxed);
    let (circle, futile) = {
        let _busy = Busy::new();
        let mut held = Vec::new();
        me.held_into(&mut held);
        let now = waiting::now();
        let futile = me.retries.vain.look(asked, &held, now).map(|f| (f, held.last().copied()));
        let due = me.retries.publish(asked, site, held, now);
        let circle = if due { look(thread, &mut me.own.borrow_mut().marks) } else { None };
        (circle, futile)
    };
    let Some(circle) = circle else {
        if let Some((futile, own)) = futile {
            process::observe(|o| {
                process::know_thread(o, me, None);
                o.futile(thread, (asked, site), own.as_ref(), futile);
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
    retries: bool,
    waits: WaitsFor,
    since: u64,
    kept: bool,
}

/// Looks at all threads, and leaves in `marks` how far they are now. Returns the circle that the
/// thread called `me` is on, if all on it were as stuck as now when `marks` were left.
fn look(me: ThreadId, marks: &mut Vec<Mark>) -> Option<Vec<StuckThread>> {
    let before = std::mem::take(marks);
    let mut stuck = Vec::new();
    for record in process::records().filter(|r| r.in_use.load(Acquire)) {
        let thread = record.thread.load(Relaxed);
        let wait = record.wait.seen();
        let mark = Mark { thread, row: record.retries.row(), wait: wait.map(|w| w.sequence) };
        if let Some(before) = before.iter().find(|b| b.thread == thread) {
            stuck.extend(mark.stuck(before, record, wait));
        }
        marks.push(mark);
    }
    circle(me, stuck)
}

impl Mark {
    /// What the thread is stuck at, if it has come no further than `before`.
    fn stuck(&self, before: &Mark, record: &Record, wait: Option<SeenWait>) -> Option<Stuck> {
        let retries =
            self.row.0 == before.row.0 && before.row.1 >= ROUNDS && self.row.1 > before.row.1;
        if retries && let Some(asks) = record.retries.asks().clone() {
            return Some(Stuck {
                waits: WaitsFor::Lock { lock: asks.lock.lock(), mode: asks.lock.mode() },
                since: u64::MAX,
                kept: asks.kept,
                retries: true,
                found: StuckThread {
                    thread: self.thread,
                    what: RETRY,
                    lock: Some(asks.lock),
                    event: None,
                    site: asks.site,
                    held: asks.held,
                },
            });
        }
        let wait = wait.filter(|_| self.wait == before.wait)?;
        let (waits, what, lock) = match wait.kind {
            WaitKind::Lock => {
                let word = Word(wait.target);
                (WaitsFor::Lock { lock: word.lock(), mode: word.mode() }, "lock", Some(word))
            }
            WaitKind::Join => (WaitsFor::End(wait.target as ThreadId), "join", None),
            WaitKind::Event | WaitKind::Permits | WaitKind::Park | WaitKind::Timed => return None,
        };
        let mut held = Vec::new();
        record.held_into(&mut held);
        record.wait.still(wait.sequence).then_some(Stuck {
            waits,
            since: wait.since,
            kept: true,
            retries: false,
            found: StuckThread {
                thread: self.thread,
                what,
                lock,
                event: None,
                site: wait.site,
                held,
            },
        })
    }
}

fn circle(me: ThreadId, stuck: Vec<Stuck>) -> Option<Vec<StuckThread>> {
    let start = stuck.iter().position(|s| s.found.thread == me)?;
    let graph = WaitGraph::new(stuck.iter().map(Stuck::waiter).collect());
    let cycle = graph.cycle(start)?;
    // Whoever blocks on a lock that the next thread releases in each round gets it in the end.
    let starved = |i: usize| {
        let (at, next) = (&stuck[cycle[i]], &stuck[cycle[(i + 1) % cycle.len()]]);
        !at.retries && at.found.lock.is_some() && !next.kept
    };
    // A guard that may be sent is with the next thread if that has nothing else, and gets it anew in
    // each round; otherwise any thread may have it.
    let elsewhere = |i: usize| {
        let (at, next) = (&stuck[cycle[i]], &stuck[cycle[(i + 1) % cycle.len()]]);
        let is_sendable = at.found.lock.is_some_and(|lock| process::may_be_sent(lock.lock()));
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
            thread: self.found.thread,
            waits: self.waits.clone(),
            since: self.since,
            held: self.found.held.iter().map(|h| (h.word.lock(), h.word.mode())).collect(),
            permits: Vec::new(),
            ended: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ROUNDS, Retries};

    #[test]
    fn polling_and_stepping_back_are_fruitless() {
        let retries = Retries::default();
        for round in 1..ROUNDS {
            assert_eq!(retries.failed(7, 0), round, "nothing acquired");
        }
        retries.progress();
        for round in 1..ROUNDS {
            assert_eq!(retries.failed(7 + round, 1), round, "the first lock, each time anew");
        }
    }

    #[test]
    fn an_acquisition_that_is_over_is_progress() {
        let retries = Retries::default();
        assert_eq!(retries.failed(1, 1), 1);
        assert_eq!(retries.failed(2, 1), 2);
        assert_eq!(retries.failed(4, 1), 1, "a section in between");
        assert_eq!(retries.failed(4, 0), 2);
        retries.progress();
        assert_eq!(retries.failed(4, 0), 1, "a message in between");
    }
}
