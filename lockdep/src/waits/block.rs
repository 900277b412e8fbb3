//! A thread that is about to block: its wait is made visible to all, and it finds out whether it
//! could ever end.
//!
//! Whoever blocks last completes a deadlock, so whoever blocks looks. A cycle of locks and joins is
//! certain at once, as each thread on it holds what the one before it waits for. That nobody is left
//! to complete an event is certain when every thread of the process waits and stays so; a thread
//! that was just woken but has not run yet is told apart by the event's count of signals, by a
//! second look later, and by what the system says of it.

use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::{Duration, Instant};
use std::{process, ptr, thread};

use crate::engine::{WaitGraph, Waiter, WaitsFor};
use crate::model::finding::Finding;
use crate::model::held::{Asked, HeldLock, Hold};
use crate::model::ids::ThreadId;
use crate::model::lock::{Mode, Site};
use crate::model::word::Word;
use crate::observer::Orphan;
use crate::observer::hang::StuckThread;
use crate::platform;
use crate::platform::clock::now;
use crate::process::{halt, know_thread, may_be_sent, observe, observer};
use crate::thread_state::counters::{JOINING, LEAVING, ORPHANED, STARTING, WAITER, signals};
use crate::thread_state::current::Busy;
use crate::thread_state::record::Record;
use crate::thread_state::registry::{records, records_after};
use crate::thread_state::wait::{SeenWait, WaitKind};
use crate::thread_state::{bell, counters};
use crate::waits::{parking, times};

/// How long a reader must have been seen waiting behind a writer before that counts as a wait: it
/// is told apart from a reader that is only about to look. Whoever waits for permits must sleep after
/// that, or after twice as long, and so on for so many rounds, where the system is slow to let it.
const SETTLE: Duration = Duration::from_millis(20);

const SETTLE_ROUNDS: u32 = 6;

/// Threads that all wait count as stuck once nothing has moved for this long, and twice as long
/// again, and so on for so many rounds: two thirds of a second together. The first looks come soon
/// because a thread that waits in its turn for one that it has just woken should lose no time.
const PATIENCE: Duration = Duration::from_micros(10);

const PATIENCE_ROUNDS: u32 = 16;

/// How often somebody looks whether a thread whose closure has returned has ended, and how long.
const SHORT_END: Duration = Duration::from_millis(1);

const LONG_END: Duration = Duration::from_secs(1);

/// A thread that ran when somebody looked last.
static RUNNER: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());

/// A wait that other threads can see, until dropped.
pub(crate) struct Wait {
    record: &'static Record,
    kind: WaitKind,
    /// The target, and how often it had been signalled when the wait began.
    target: (u64, u64),
}

impl Drop for Wait {
    fn drop(&mut self) {
        times::waited(self.record, self.kind);
        self.record.wait.end();
        match self.kind {
            WaitKind::Join => _ = JOINING.fetch_sub(1, SeqCst),
            WaitKind::Event | WaitKind::Permits => {
                signals(Word(self.target.0)).fetch_sub(WAITER, SeqCst);
            }
            WaitKind::Lock | WaitKind::Park | WaitKind::Timed => {}
        }
    }
}

/// The thread is about to block. Reports a deadlock if that completes one. The target is as in a
/// [`SeenWait`], with how often it was signalled so far; for an event that is found out here.
///
/// # Panics
/// Where the thread would wait for ever, as configured.
#[cold]
pub(crate) fn wait(
    record: &'static Record,
    kind: WaitKind,
    target: (u64, u64),
    site: Site,
) -> Wait {
    wait_unless(record, kind, target, site, || false)
}

/// The same; `came` tells of what the thread waits for whether it is there after all, as something that
/// came before the wait was visible was not counted.
///
/// # Panics
/// As [`wait`].
pub(crate) fn wait_unless(
    record: &'static Record,
    kind: WaitKind,
    target: (u64, u64),
    site: Site,
    came: impl FnMut() -> bool,
) -> Wait {
    let wait = show(record, kind, target, site);
    if let Some(finding) = stuck(record, kind, came) {
        record.wait.end();
        halt(&finding);
        record.wait.begin(kind, wait.target, now(), site);
    }
    wait
}

/// The thread is about to block, and must not be told whether that is for ever.
pub(crate) fn show(
    record: &'static Record,
    kind: WaitKind,
    (target, mut signalled): (u64, u64),
    site: Site,
) -> Wait {
    match kind {
        WaitKind::Join => _ = JOINING.fetch_add(1, SeqCst),
        WaitKind::Event | WaitKind::Permits => {
            signalled = signals(Word(target)).fetch_add(WAITER, SeqCst) % WAITER;
        }
        WaitKind::Lock => signalled = times::ended(Word(target)),
        WaitKind::Park | WaitKind::Timed => {}
    }
    record.was_active.store(true, Relaxed);
    if !record.introduced.replace(true) {
        // Others may have to name this thread while it waits.
        observe(|o| know_thread(o, record, None));
    }
    record.wait.begin(kind, (target, signalled), now(), site);
    if kind == WaitKind::Lock {
        bell::something_to_watch();
    }
    Wait { record, kind, target: (target, signalled) }
}

/// Whether this thread, which is about to block, can never go on.
fn stuck(me: &'static Record, kind: WaitKind, came: impl FnMut() -> bool) -> Option<Arc<Finding>> {
    // A cycle leads through what this thread holds, or through a thread that waits for its end.
    let on_cycle = matches!(kind, WaitKind::Lock | WaitKind::Join | WaitKind::Permits)
        && (!me.holds_nothing() || !me.permits.is_empty() || JOINING.load(SeqCst) > 0);
    if kind == WaitKind::Lock && LEAVING.load(SeqCst) > 0 {
        until_holders_end(me);
    }
    let on_orphan = kind == WaitKind::Lock && ORPHANED.load(SeqCst) > 0;
    if on_cycle && let Some(finding) = on_a_cycle(me) {
        return Some(finding);
    }
    if on_orphan && let Some(finding) = behind_an_orphan(me) {
        return Some(finding);
    }
    let alone = kind != WaitKind::Timed && nobody_runs();
    if alone { nobody_will(me, came) } else { None }
}

/// Threads that hold what the next one waits for, this one among them.
fn on_a_cycle(me: &'static Record) -> Option<Arc<Finding>> {
    let busy = Busy::new();
    let (mut graph, seen) = look();
    let my_index = seen.iter().position(|s| ptr::eq(s.record, me))?;
    let mut cycle = graph.cycle(my_index)?;
    if without_sendable(&mut graph) {
        cycle = graph.cycle(my_index)?;
    }
    // Each of these threads waits for one that holds what it wants, and none of them moved
    // while that was read. Only a reader behind a queued writer may not have queued yet.
    let queues = |waits: &WaitsFor| matches!(waits, WaitsFor::Lock { mode, .. } if mode.queues());
    let behind_writer = cycle.iter().any(|&i| queues(&graph.threads()[i].waits));
    let behind = graph.behind(my_index);
    let semaphore = |i: usize| match graph.threads()[i].waits {
        WaitsFor::Lock { lock, .. } => observer().as_ref().is_some_and(|o| o.is_semaphore(lock)),
        _ => seen[i].waits_for_permits(),
    };
    let permits = behind.iter().chain(&cycle).any(|&i| semaphore(i));
    // A holder of permits that moves frees everybody who waits for them, so no holder may have; and
    // whoever finds his semaphore closed does not sleep any more.
    let stay = |how: fn(&Seen) -> bool| {
        let others = behind.iter().filter(|_| permits);
        others.chain(&cycle).all(|&i| i == my_index || how(&seen[i]))
    };
    let sleeps = |s: &Seen| s.still() && s.sleeps();
    if behind_writer || permits {
        thread::sleep(SETTLE);
    }
    for round in 0..SETTLE_ROUNDS {
        if !permits || stay(sleeps) || !stay(Seen::still) {
            break;
        }
        thread::sleep(SETTLE * (1 << round));
    }
    if !stay(if permits { sleeps } else { Seen::still }) {
        return None;
    }
    let threads: Vec<StuckThread> = cycle.iter().filter_map(|&i| seen[i].stuck()).collect();
    drop(busy);
    Some(observe(|o| {
        know_thread(o, me, None);
        o.deadlock(&threads)
    }))
}

/// Counts each thread as running that waits for a lock of which another thread may have the guard.
/// Whether there is one.
fn without_sendable(graph: &mut WaitGraph) -> bool {
    graph.let_go_on(|waits| match *waits {
        WaitsFor::Lock { lock, .. } => may_be_sent(lock),
        _ => false,
    })
}

/// Of the thread that holds the lock nothing is left but its end, which is near: what it holds then
/// is orphaned.
fn until_holders_end(me: &'static Record) {
    let _busy = Busy::new();
    let Some(lock) = me.wait.seen().map(|wait| Word(wait.target).lock()) else { return };
    let begin = Instant::now();
    while begin.elapsed() < LONG_END && alive().any(|r| r.left.load(Relaxed) && r.holds(lock)) {
        thread::sleep(SHORT_END);
    }
}

/// A thread that has ended has left these locks held: finds somebody who waits for one of them, and
/// has not found that out himself.
pub(crate) fn behind_these(held: &[HeldLock]) -> Option<Arc<Finding>> {
    let waits_for_one = |seen: &Seen| {
        let wanted = seen.stuck().and_then(|stuck| stuck.lock);
        wanted.is_some_and(|word| held.iter().any(|h| h.bars(word)))
    };
    let waiter = {
        let _busy = Busy::new();
        let waiter = alive().filter(|_| !held.is_empty()).map(Seen::of).find(waits_for_one)?;
        thread::sleep(100 * SHORT_END);
        waiter.still().then(|| waiter.stuck()).flatten()?
    };
    let target = waiter.lock?;
    observe(|o| {
        let orphan = o.orphans.iter().find(|orphan| orphan.held.bars(target)).cloned()?;
        Some(o.orphaned(&waiter, &orphan))
    })
}

/// The lock is held by a thread that has ended.
fn behind_an_orphan(me: &'static Record) -> Option<Arc<Finding>> {
    let mine = {
        let _busy = Busy::new();
        Seen::of(me).stuck()?
    };
    let target = mine.lock?;
    observe(|o| {
        know_thread(o, me, None);
        let orphan = o.orphans.iter().find(|orphan| orphan.held.bars(target)).cloned()?;
        Some(o.orphaned(&mine, &orphan))
    })
}

/// Whether every thread waits for something that does not come by itself.
///
/// Every thread that blocks asks, and mostly the one that ran when the last one asked runs still:
/// that costs one look. Otherwise the next one that runs is looked for from there on, and not among
/// the many that wait already, so that a thousand threads that come to one barrier do not each look
/// at all that came before.
pub(crate) fn nobody_runs() -> bool {
    let stays = |wait: SeenWait| match wait.kind {
        WaitKind::Lock => true,
        // Whoever waits for a thread that has ended is about to go on.
        WaitKind::Join => alive().any(|r| u64::from(r.thread.load(Relaxed)) == wait.target),
        WaitKind::Event | WaitKind::Permits => {
            signals(Word(wait.target)).load(SeqCst) % WAITER == wait.signals
        }
        WaitKind::Park => counters::unparks(wait.target).load(SeqCst) == wait.signals,
        WaitKind::Timed => false,
    };
    let runs = |r: &&Record| is_alive(r) && !is_harness(r) && !r.wait.seen().is_some_and(stays);
    // SAFETY: records are never freed, and are complete before they are linked.
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
        waits.any(|wait| wait.kind != WaitKind::Park)
    };
    !goes_on && STARTING.load(SeqCst) == 0 && somebody()
}

/// Whether the thread with this number of the system is one that is watched, or watches.
fn known(system: u32) -> bool {
    system == bell::system_thread()
        || records().any(|r| r.in_use.load(Acquire) && r.system.load(Relaxed) == system)
}

/// Every thread waits, so nobody completes what they wait for: reported once nothing has moved for
/// a while, as a thread that was just woken may not have run yet, and unless this one's event `came`.
pub(crate) fn nobody_will(
    me: &'static Record,
    mut came: impl FnMut() -> bool,
) -> Option<Arc<Finding>> {
    let busy = Busy::new();
    let (graph, seen) = look();
    // A lock that nobody here holds is about to be handed over, maybe by this very thread: whoever
    // waits for a condition variable has not let go of the mutex yet.
    let held = |lock: Word| seen.iter().any(|s| s.holds(lock)) || was_left(lock).is_some();
    if seen.iter().filter_map(Seen::wanted).any(|lock| !held(lock)) {
        return None;
    }
    // A thread that is new, because it came from code that is not instrumented, is not among them.
    let same = || {
        seen.iter().all(|s| ptr::eq(s.record, me) || is_harness(s.record) || s.still())
            && alive().all(|r| seen.iter().any(|s| ptr::eq(s.record, r)))
    };
    for round in 0..PATIENCE_ROUNDS {
        thread::sleep(PATIENCE * (1 << round));
        if !same() || !nobody_runs() {
            return None;
        }
    }
    // A thread that has told of its end may still run destructors, and nobody would look after those.
    let ends = |system| !known(system) && records().any(|r| r.system.load(Relaxed) == system);
    if platform::others_run(&|system| known(system) || ends(system)) {
        return None;
    }
    let begin = Instant::now();
    while begin.elapsed() < LONG_END && platform::others_run(&|system| !ends(system)) {
        thread::sleep(SHORT_END);
    }
    // Somebody who was woken and has not run yet does not sleep any more. Some locks spin, but nobody
    // gets one that is held; whoever has an upgradable hold may be about to have it upgraded.
    let barred = |s: &Seen| {
        let wanted = s.wanted().filter(|lock| may_be_sent(lock.lock()));
        let upgrades = |by: &Seen, h: &HeldLock| {
            ptr::eq(by.record, s.record) && h.word.mode() == Mode::Upgradable
        };
        let bars = |by: &Seen, lock| by.held.iter().any(|h| h.bars(lock) && !upgrades(by, h));
        wanted.is_some_and(|lock| seen.iter().any(|by| bars(by, lock)) || was_left(lock).is_some())
    };
    let stays = |s: &Seen| ptr::eq(s.record, me) || is_harness(s.record) || barred(s) || s.sleeps();
    if !seen.iter().all(stays) {
        return None;
    }
    if platform::others_run(&known) || !same() || !nobody_runs() {
        return None;
    }
    // A handler of a signal that is still to come may unpark a thread.
    if seen.iter().any(Seen::is_parked) && platform::catches_signals() {
        return None;
    }
    let parks = seen.iter().any(|s| ptr::eq(s.record, me) && s.is_parked());
    if parks && parking::is_unparked() {
        return None;
    }
    let threads: Vec<StuckThread> = seen.iter().filter_map(Seen::stuck).collect();
    if threads.is_empty() {
        return None;
    }
    if came() {
        return None;
    }
    let cycle = (0..seen.len()).find_map(|i| graph.cycle(i));
    let cycle = cycle.map(|c| c.iter().filter_map(|&i| seen[i].stuck()).collect::<Vec<_>>());
    drop(busy);
    Some(observe(|o| {
        know_thread(o, me, None);
        o.without_a_way_out(&threads, cycle.as_deref())
    }))
}

/// The hold of a thread that has ended, with a guard of this lock that may be anywhere.
fn was_left(lock: Word) -> Option<Orphan> {
    let observer = observer();
    observer.as_ref()?.left.iter().find(|left| left.held.bars(lock)).cloned()
}

/// The main thread of a test harness only waits for its tests, in code that is not instrumented. A
/// main thread that has spawned nothing and used nothing while other threads do is taken for one.
fn is_harness(record: &Record) -> bool {
    record.is_bystander() && is_main(record)
}

fn is_main(record: &Record) -> bool {
    record.system.load(Relaxed) == process::id()
}

/// The records of threads that have not ended.
fn alive() -> impl Iterator<Item = &'static Record> {
    records().filter(|r| is_alive(r))
}

fn is_alive(record: &Record) -> bool {
    record.in_use.load(SeqCst) && !record.ended.load(SeqCst)
}

/// A thread as it was seen.
struct Seen {
    record: &'static Record,
    thread: ThreadId,
    wait: Option<SeenWait>,
    held: Vec<HeldLock>,
    permits: Vec<Hold>,
    asked: Asked,
}

impl Seen {
    fn of(record: &'static Record) -> Seen {
        let mut held = Vec::new();
        let (mut permits, mut asked) = (Vec::new(), Asked::default());
        let wait = record.wait.seen().filter(|wait| {
            record.held_into(&mut held);
            (permits, asked) = (record.permits.held(), record.permits.asked());
            record.wait.still(wait.sequence)
        });
        if wait.is_none() {
            held.clear();
            permits.clear();
        }
        Seen { record, thread: record.thread.load(Relaxed), wait, held, permits, asked }
    }

    /// Whether the thread is still in the wait that it was seen in.
    fn still(&self) -> bool {
        self.wait.is_some_and(|w| self.record.wait.still(w.sequence))
    }

    /// The lock or semaphore that the thread waits for.
    fn wanted(&self) -> Option<Word> {
        let wait = self.wait?;
        matches!(wait.kind, WaitKind::Lock | WaitKind::Permits).then_some(Word(wait.target))
    }

    fn holds(&self, wanted: Word) -> bool {
        self.held.iter().any(|h| h.word.lock() == wanted.lock())
            || self.permits.iter().any(|h| h.semaphore.lock() == wanted.lock())
    }

    fn is_parked(&self) -> bool {
        self.wait.is_some_and(|w| w.kind == WaitKind::Park)
    }

    fn waits_for_permits(&self) -> bool {
        self.wait.is_some_and(|w| w.kind == WaitKind::Permits)
    }

    /// Whether the system does not run the thread.
    fn sleeps(&self) -> bool {
        platform::sleeps(self.record.system.load(Relaxed))
    }

    fn stuck(&self) -> Option<StuckThread> {
        let wait = self.wait?;
        let (what, lock) = match wait.kind {
            WaitKind::Lock | WaitKind::Permits => ("lock", Some(Word(wait.target))),
            WaitKind::Join => ("join", None),
            WaitKind::Event | WaitKind::Park | WaitKind::Timed => ("event", None),
        };
        let event = (wait.kind == WaitKind::Event).then_some(Word(wait.target));
        Some(StuckThread {
            thread: self.thread,
            what,
            lock,
            event,
            site: wait.site,
            held: self.held.iter().copied().chain(self.permits.iter().map(Hold::as_lock)).collect(),
        })
    }
}

/// Reads what all threads wait for and hold. A thread that moves meanwhile counts as running.
fn look() -> (WaitGraph, Vec<Seen>) {
    let mut threads = Vec::new();
    let mut seen = Vec::new();
    for record in alive() {
        let one = Seen::of(record);
        threads.push(Waiter {
            thread: one.thread,
            waits: match one.wait {
                Some(SeenWait { kind: WaitKind::Lock, target, .. }) => {
                    let word = Word(target);
                    WaitsFor::Lock { lock: word.lock(), mode: word.mode() }
                }
                Some(SeenWait { kind: WaitKind::Join, target, .. }) => {
                    WaitsFor::End(target as ThreadId)
                }
                Some(SeenWait { kind: WaitKind::Permits, target, .. }) => WaitsFor::Permits {
                    semaphore: Word(target).lock(),
                    count: one.asked.count,
                    total: one.asked.total,
                },
                _ => WaitsFor::Nothing,
            },
            since: one.wait.map_or(u64::MAX, |w| w.since),
            held: one.held.iter().map(|h| (h.word.lock(), h.word.mode())).collect(),
            permits: one.permits.iter().map(|h| (h.semaphore.lock(), h.count)).collect(),
        });
        seen.push(one);
    }
    (WaitGraph::new(threads), seen)
}
