//! Threads that wait for an event which nobody is left to bring about.
//!
//! That is certain when every thread of the process waits and stays so. A thread that was just woken but
//! has not run yet is told apart by the count of those that were woken ([`counters`]), by a second look
//! later, and by what the system says of it.

use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::{Duration, Instant};
use std::{ptr, thread};

use crate::engine::WaitGraph;
use crate::model::finding::Finding;
use crate::model::held::HeldLock;
use crate::model::lock::Mode;
use crate::model::word::Word;
use crate::observer::facts::StuckThread;
use crate::platform;
use crate::platform::clock::now;
use crate::process::{is_sendable, know_thread, observe};
use crate::thread_state::counters::STARTING;
use crate::thread_state::current::Busy;
use crate::thread_state::record::{OwnRecord, Record};
use crate::thread_state::registry::{records, records_after};
use crate::thread_state::snapshot::ThreadSnapshot;
use crate::thread_state::wait::{Awaited, SeenWait};
use crate::thread_state::{bell, counters};
use crate::waits::look::{abandoned, alive, is_alive, is_harness, is_main, look, sleeps, stuck};

/// Threads that all wait count as stuck once nothing has moved for this long, and twice as long
/// again, and so on for so many rounds: two thirds of a second together. The first looks come soon
/// because a thread that waits in its turn for one that it has just woken should lose no time.
const PATIENCE: Duration = Duration::from_micros(10);
/// See [`PATIENCE`].
const PATIENCE_ROUNDS: u32 = 16;
/// A thread that sleeps, so long after it began to wait, was not woken, whatever was counted: events
/// share their counts, and a notification may come to nothing.
const LONG: Duration = Duration::from_secs(1);
/// How often a thread looks whether others have come to an end, or to an end of their looking.
const LOOK: Duration = Duration::from_millis(1);
/// How long it looks whether they have come to the end of their looking.
const OTHERS: Duration = Duration::from_secs(10);
/// A parked thread that has not been unparked for so long was not unparked.
const PARKED: Duration = Duration::from_millis(50);

/// A thread that ran when somebody looked last.
static RUNNER: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());

/// Whether every thread waits for something that does not come by itself.
///
/// Every thread that blocks asks, and mostly the one that ran when the last one asked runs still:
/// that costs one look. Otherwise the next one that runs is looked for from there on, and not among
/// the many that wait already, so that a thousand threads that come to one barrier do not each look
/// at all that came before.
pub(crate) fn nobody_runs() -> bool {
    let runs = |r: &&Record| {
        is_alive(r) && !is_harness(r) && !r.wait.seen().is_some_and(|wait| stays(r, wait))
    };
    // SAFETY: null, or stored below from a `&'static Record`.
    let last: Option<&'static Record> = unsafe { RUNNER.load(Acquire).as_ref() };
    if last.is_some_and(|r| runs(&r)) {
        return false;
    }
    let on_from_last = last.into_iter().flat_map(records_after);
    if let Some(runner) = on_from_last.chain(records()).find(runs) {
        RUNNER.store(ptr::from_ref(runner).cast_mut(), Release);
        return false;
    }
    // A test harness goes on with its next test, unless it waits for one of these.
    let is_test = |r: &Record| r.foreign.load(Relaxed) && !is_main(r);
    let goes_on = !alive().any(|r| is_test(r) || is_main(r) && !is_harness(r));
    // A process of which nothing is left but parked threads may be meant to stay like that until it
    // is killed; with no thread at all there is nobody who could be stuck.
    let somebody = || {
        let mut waits = alive().filter(|r| !is_harness(r)).filter_map(|r| r.wait.seen());
        waits.any(|wait| !matches!(wait.awaited, Awaited::Unpark { .. }))
    };
    !goes_on && STARTING.load(SeqCst) == 0 && somebody()
}

/// Whether nothing tells that the thread, which is in this wait, is about to go on.
fn stays(record: &Record, wait: SeenWait) -> bool {
    match wait.awaited {
        Awaited::Lock(_) => true,
        // Whoever waits for a thread that has ended is about to go on.
        Awaited::End(thread) => alive().any(|r| r.thread.load(Relaxed) == thread),
        Awaited::Event(event) | Awaited::Permits(event) => {
            let is_old = || now().saturating_sub(wait.since) > LONG.as_nanos() as u64;
            !counters::may_be_woken(event) || is_old() && sleeps(record)
        }
        Awaited::Unpark { thread, unparks } => counters::unparks(thread).load(SeqCst) == unparks,
        Awaited::Timed(_) => false,
    }
}

/// Whether the thread with this number of the system is one that is watched, or watches.
fn is_known(system: u32) -> bool {
    system == bell::system_thread()
        || records().any(|r| r.in_use.load(Acquire) && r.system.load(Relaxed) == system)
}

/// Every thread waits, so nobody completes what they wait for: reported once nothing has moved for
/// a while, as a thread that was just woken may not have run yet, and unless this one's event `came`.
pub(crate) fn nobody_will(me: OwnRecord, mut came: impl FnMut() -> bool) -> Option<Arc<Finding>> {
    let busy = Busy::new();
    let (graph, seen) = look();
    let scene = Scene { me, seen };
    if scene.a_lock_is_handed_over() {
        return None;
    }
    me.looks.store(true, SeqCst);
    let is_hang = scene.stays_so_for_a_while()
        && scene.no_other_thread_runs()
        && scene.everybody_sleeps()
        && scene.others_have_looked()
        && scene.stays_so()
        && scene.nobody_unparks();
    me.looks.store(false, SeqCst);
    if !is_hang || came() {
        return None;
    }
    let threads: Vec<StuckThread> = scene.seen.iter().filter_map(stuck).collect();
    if threads.is_empty() {
        return None;
    }
    let cycle = scene.cycle(&graph);
    drop(busy);
    Some(observe(|o| {
        know_thread(o, me, None);
        o.without_a_way_out(&threads, cycle.as_deref())
    }))
}

/// All threads, as they were when one of them found that nobody runs.
struct Scene {
    me: OwnRecord,
    seen: Vec<ThreadSnapshot>,
}

impl Scene {
    fn is_me(&self, seen: &ThreadSnapshot) -> bool {
        ptr::eq(seen.record, self.me.shared())
    }

    /// A lock that nobody here holds is about to be handed over, maybe by this very thread: whoever
    /// waits for a condition variable has not let go of the mutex yet.
    fn a_lock_is_handed_over(&self) -> bool {
        let held =
            |lock: Word| self.seen.iter().any(|s| s.holds(lock)) || abandoned(lock).is_some();
        self.seen.iter().filter_map(ThreadSnapshot::wanted).any(|lock| !held(lock))
    }

    /// Whether all threads are in the waits that they were seen in. A thread that is new, because it came
    /// from code that is not instrumented, is not among them.
    fn stays_so(&self) -> bool {
        let still = |s: &ThreadSnapshot| self.is_me(s) || is_harness(s.record) || s.still();
        let is_seen = |r: &Record| self.seen.iter().any(|s| ptr::eq(s.record, r));
        self.seen.iter().all(still) && alive().all(is_seen) && nobody_runs()
    }

    fn stays_so_for_a_while(&self) -> bool {
        (0..PATIENCE_ROUNDS).all(|round| {
            thread::sleep(PATIENCE * (1 << round));
            self.stays_so()
        })
    }

    /// Whether no thread runs that is not watched, and none that has told of its end: it may still run
    /// destructors, and nobody would look after those.
    fn no_other_thread_runs(&self) -> bool {
        let ends =
            |system| !is_known(system) && records().any(|r| r.system.load(Relaxed) == system);
        if platform::others_run(&|system| is_known(system) || ends(system)) {
            return false;
        }
        let begin = Instant::now();
        while begin.elapsed() < LONG && platform::others_run(&|system| !ends(system)) {
            thread::sleep(LOOK);
        }
        !platform::others_run(&is_known)
    }

    /// Whether no thread was woken that has not run yet: it does not sleep any more. Some locks spin, but
    /// nobody gets one that is held.
    fn everybody_sleeps(&self) -> bool {
        let is_quiet = |s: &ThreadSnapshot| {
            self.is_me(s)
                || is_harness(s.record)
                || s.record.looks.load(SeqCst)
                || self.is_barred(s)
                || sleeps(s.record)
        };
        self.seen.iter().all(is_quiet)
    }

    /// Whether the guard that keeps the thread waiting is somewhere, of a lock whose guards may be sent.
    /// Whoever has an upgradable hold may be about to have it upgraded.
    fn is_barred(&self, seen: &ThreadSnapshot) -> bool {
        let Some(lock) = seen.wanted().filter(|lock| is_sendable(lock.lock())) else {
            return false;
        };
        let upgrades = |by: &ThreadSnapshot, h: &HeldLock| {
            ptr::eq(by.record, seen.record) && h.word.mode() == Mode::Upgradable
        };
        let bars = |by: &ThreadSnapshot| by.held.iter().any(|h| h.bars(lock) && !upgrades(by, h));
        self.seen.iter().any(bars) || abandoned(lock).is_some()
    }

    /// Whether every other thread that looks as this one does has come to an end of that, and waits. What
    /// came for it before its wait was visible was not counted, and it looks for that at its end. Of
    /// several that look, all give way to the one with the greatest number.
    fn others_have_looked(&self) -> bool {
        let my_number = self.me.thread.load(Relaxed);
        let begin = Instant::now();
        loop {
            let looks = |s: &&ThreadSnapshot| !self.is_me(s) && s.record.looks.load(SeqCst);
            match self.seen.iter().filter(looks).map(|s| s.thread).max() {
                None if self.everybody_sleeps() => return true,
                // It has just come to its end, and is about to sleep.
                None if begin.elapsed() > LONG || !self.stays_so() => return false,
                Some(number) if number > my_number => return false,
                Some(_) if begin.elapsed() > OTHERS => return false,
                None | Some(_) => thread::sleep(LOOK),
            }
        }
    }

    /// Whether no parked thread of these is about to be unparked. A handler of a signal that is still to
    /// come may do that.
    fn nobody_unparks(&self) -> bool {
        let is_parked = |s: &ThreadSnapshot| matches!(s.awaited(), Some(Awaited::Unpark { .. }));
        if !self.seen.iter().any(is_parked) {
            return true;
        }
        let i_park = self.seen.iter().any(|s| self.is_me(s) && is_parked(s));
        !(platform::catches_signals() || i_park && is_unparked())
    }

    /// A cycle of threads among them.
    fn cycle(&self, graph: &WaitGraph) -> Option<Vec<StuckThread>> {
        let cycle = (0..self.seen.len()).find_map(|i| graph.cycle(i))?;
        Some(cycle.iter().filter_map(|&i| stuck(&self.seen[i])).collect())
    }
}

/// Whether this thread was unparked and has not parked since; that remains so.
fn is_unparked() -> bool {
    let begin = Instant::now();
    thread::park_timeout(PARKED);
    let unparked = begin.elapsed() < PARKED;
    if unparked {
        thread::current().unpark();
    }
    unparked
}
