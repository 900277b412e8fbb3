//! A global deadlock: every thread of the process waits, so no thread is left to end any of the waits.
//!
//! What it never reports: a process in which a thread was just woken and has not run yet. The count of
//! woken threads ([`counters`]), a second look after a pause, and the state that the system gives each
//! thread tell that case from a deadlock.
//!
//! What it may miss: a process in which any thread runs or sleeps for a time, or with handlers for
//! signals that may unpark a thread.

use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::{Duration, Instant};
use std::{ptr, thread};

use crate::engine::WaitGraph;
use crate::model::finding::Finding;
use crate::model::held::HeldLock;
use crate::model::lock::Mode;
use crate::model::word::HoldWord;
use crate::observer::facts::StuckThread;
use crate::platform;
use crate::platform::clock::now;
use crate::process::{is_sendable, know_thread, observe};
use crate::thread_state::counters::{OUTSIDE, STARTING};
use crate::thread_state::current::{self, Busy};
use crate::thread_state::record::{OwnRecord, Record};
use crate::thread_state::registry::{records, records_after};
use crate::thread_state::snapshot::{Role, ThreadSnapshot};
use crate::thread_state::wait::{Awaited, SeenWait};
use crate::thread_state::{bell, counters};
use crate::waits::look::{
    abandoned, alive, is_alive, is_harness, is_main, know_polled, look, sleeps, stuck,
};

/// Threads that all wait count as stuck once nothing has moved for this long, and twice as long
/// again, and so on for so many rounds: two thirds of a second together. The first looks come soon
/// because a thread that waits in its turn for one that it has just woken should lose no time.
const PATIENCE: Duration = Duration::from_micros(10);
/// See [`PATIENCE`].
const PATIENCE_ROUNDS: u32 = 16;
/// A thread that still sleeps this long after its wait began was not woken, whatever was counted: events
/// share their counts, and a notification may reach no thread.
const LONG: Duration = Duration::from_secs(1);
/// The pause between looks at whether other threads have ended, or finished their checks.
const LOOK: Duration = Duration::from_millis(1);
/// How long a thread waits for the others to finish their checks.
const OTHERS: Duration = Duration::from_secs(10);
/// `park` returns within this time if the thread was unparked before.
const PARKED: Duration = Duration::from_millis(50);

/// A thread that was running at the last look.
static RUNNER: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());

/// Whether every thread waits for something that does not come by itself.
///
/// Every thread that blocks asks this. Mostly the thread that ran at the last look still runs, which
/// costs one check. Otherwise the search for a running thread continues from there, not from the
/// beginning: of a thousand threads that come to one barrier, none looks at all that came before.
pub(crate) fn all_threads_wait() -> bool {
    let runs = |r: &&Record| is_alive(r) && !is_harness(r) && !waits_on(r);
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
    // A test harness goes on with its next test, unless it waits for one of these threads.
    let is_test = |r: &Record| r.foreign.load(Relaxed) && !is_main(r);
    let goes_on = !alive().any(|r| is_test(r) || is_main(r) && !is_harness(r));
    // A process in which all threads are parked, or have no task to poll, may be meant to stay like that
    // until it is killed.
    let not_only_parked = || {
        let tells = |r: &&Record| !is_harness(r) && !r.is_idle.load(SeqCst);
        let mut waits = alive().filter(tells).filter_map(|r| r.wait.seen());
        waits.any(|wait| !matches!(wait.awaited, Awaited::Unpark { .. }))
    };
    !goes_on && STARTING.load(SeqCst) == 0 && OUTSIDE.load(SeqCst) == 0 && not_only_parked()
}

/// Whether the thread or task of this record does nothing by itself, as far as is known.
fn waits_on(record: &Record) -> bool {
    // It goes on when a thread polls it.
    if record.rests() {
        return true;
    }
    let acts = record.acts_by().unwrap_or(record);
    acts.wait.seen().is_some_and(|wait| stays(acts, wait))
}

/// Whether each thread but those of which `apart` is true waits for something that does not come by itself:
/// none of them does anything before one of those goes on.
pub(crate) fn all_wait_but(apart: &dyn Fn(&Record) -> bool) -> bool {
    let waits = |r: &Record| apart(r) || is_harness(r) || waits_on(r);
    STARTING.load(SeqCst) == 0 && alive().all(waits) && !platform::others_run(&is_known)
}

/// Whether the thread that is in this wait stays in it, as far as is known.
fn stays(record: &Record, wait: SeenWait) -> bool {
    match wait.awaited {
        // Where a thread and not a task waits for a task, the handle of that has its own wait.
        Awaited::Lock(_) | Awaited::TaskEnd(_) => true,
        // If the awaited thread has ended, this one is about to go on.
        Awaited::End(thread) => alive().any(|r| r.thread.load(Relaxed) == thread),
        Awaited::Event(event) | Awaited::Permits(event) => {
            let is_old = || now().saturating_sub(wait.since) > LONG.as_nanos() as u64;
            !counters::may_be_woken(event) || is_old() && sleeps(record)
        }
        Awaited::Unpark { thread, unparks } => counters::unparks(thread).load(SeqCst) == unparks,
        Awaited::Timed(_) => record.is_idle.load(SeqCst),
    }
}

/// Whether the system's thread of this number has a record, or is the watchdog's.
fn is_known(system: u32) -> bool {
    system == bell::system_thread()
        || records().any(|r| r.in_use.load(Acquire) && r.system.load(Relaxed) == system)
}

/// Every thread seems to wait. Reports that once nothing has moved for a while, as a thread that was just
/// woken may not have run yet, and unless the event of this thread `came`.
pub(crate) fn confirm_global_deadlock(
    me: OwnRecord,
    mut came: impl FnMut() -> bool,
) -> Option<Arc<Finding>> {
    let busy = Busy::new();
    let (graph, seen) = look();
    let scene = Scene { me, seen };
    if scene.is_a_lock_handed_over() {
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
        know_polled(o, &scene.seen);
        o.report_global_deadlock(&threads, cycle.as_deref())
    }))
}

/// All threads, as they were when one of them found that none runs.
struct Scene {
    me: OwnRecord,
    seen: Vec<ThreadSnapshot>,
}

impl Scene {
    fn is_me(&self, seen: &ThreadSnapshot) -> bool {
        ptr::eq(seen.record, self.me.shared())
    }

    /// Whether some thread waits for a lock that no thread holds: the lock is being handed over, maybe by
    /// this very thread, which waits for a condition variable and has not released the mutex yet.
    fn is_a_lock_handed_over(&self) -> bool {
        let held =
            |lock: HoldWord| self.seen.iter().any(|s| s.holds(lock)) || abandoned(lock).is_some();
        self.seen.iter().filter_map(ThreadSnapshot::wanted).any(|lock| !held(lock))
    }

    /// Whether all threads are in the waits that they were seen in. A thread that is new, because it came
    /// from code that is not instrumented, is not among them.
    fn stays_so(&self) -> bool {
        let still = |s: &ThreadSnapshot| {
            self.is_me(s)
                || is_harness(s.record)
                || match s.role {
                    Role::Itself | Role::Idle => s.still(),
                    Role::ByTask => s.record.acts_by().is_some(),
                    Role::Rests => s.record.rests() && (s.wait.is_none() || s.still()),
                }
        };
        let is_seen = |r: &Record| self.seen.iter().any(|s| ptr::eq(s.record, r));
        self.seen.iter().all(still) && alive().all(is_seen) && all_threads_wait()
    }

    fn stays_so_for_a_while(&self) -> bool {
        (0..PATIENCE_ROUNDS).all(|round| {
            thread::sleep(PATIENCE * (1 << round));
            self.stays_so()
        })
    }

    /// Whether no thread without a record runs, and none that has ended for this crate but may still run
    /// destructors: when those have run, no thread would look again.
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

    /// Whether the system has every thread asleep: one that was woken is not, even before it has run. A
    /// thread that spins on a lock that is held is as good as asleep.
    fn everybody_sleeps(&self) -> bool {
        let is_quiet = |s: &ThreadSnapshot| {
            self.is_me(s)
                || is_harness(s.record)
                || s.role == Role::ByTask
                || s.record.looks.load(SeqCst)
                || self.is_barred(s)
                || sleeps(s.record)
        };
        self.seen.iter().all(is_quiet)
    }

    /// Whether the thread waits for a lock with sendable guards, and such a guard exists that keeps it
    /// waiting. Its own upgradable hold does not: it may be about to be upgraded.
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

    /// Whether all other threads that are in this same check have finished it and sleep: each looks for
    /// its event once more at the end of the check. Of several that check at once, all but the one with
    /// the greatest number give up.
    fn others_have_looked(&self) -> bool {
        let my_number = self.me.thread.load(Relaxed);
        let begin = Instant::now();
        loop {
            let looks = |s: &&ThreadSnapshot| !self.is_me(s) && s.record.looks.load(SeqCst);
            match self.seen.iter().filter(looks).map(|s| s.thread).max() {
                None if self.everybody_sleeps() => return true,
                // A thread has just finished its check, and is about to sleep.
                None if begin.elapsed() > LONG || !self.stays_so() => return false,
                Some(number) if number > my_number => return false,
                Some(_) if begin.elapsed() > OTHERS => return false,
                None | Some(_) => thread::sleep(LOOK),
            }
        }
    }

    /// Whether no parked thread is about to be unparked, as a signal handler of the program could do.
    fn nobody_unparks(&self) -> bool {
        let is_parked = |s: &ThreadSnapshot| matches!(s.awaited(), Some(Awaited::Unpark { .. }));
        if !self.seen.iter().any(|s| is_parked(s) || s.role == Role::Idle) {
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

/// The calling thread has found this hang, and is no part of it: the threads that wait cannot be stopped, but a
/// task among them ends with the finding. Whether there is one.
pub(crate) fn end_task(finding: &Arc<Finding>) -> bool {
    let waits = |r: &Record| finding.waits.iter().any(|w| w.thread.id == r.thread.load(Relaxed));
    let mut tasks: Vec<&'static Record> = alive().filter(|r| r.rests() && waits(r)).collect();
    // Where it releases something, the others may go on.
    tasks.sort_by_key(|r| r.held.is_empty());
    let is_any = !tasks.is_empty();
    let finding = Arc::clone(finding);
    // By another thread: this one may be between its last look for work and its sleep, with a lock that the
    // executor needs to wake it.
    let name = thread::Builder::new().name("lockcheck".to_owned());
    _ = name.spawn(move || {
        current::end();
        tasks.into_iter().any(|task| task.sleeper.rouse(&finding))
    });
    is_any
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
