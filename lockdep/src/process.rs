//! The process-wide instance: every `static` and `thread_local!` of the crate, and the few steps
//! that need them.
//!
//! A thread that is inside these steps is *busy*: whatever it locks meanwhile (in the global
//! allocator, for instance) passes through untracked, so the engine never waits for itself. Such a
//! lock is left out for good: the engine needs it, so it could not be watched without recursion.
//!
//! A thread whose thread-locals are being destroyed is tracked to the end of the destructors where
//! the platform lets us know that end, and passes through after it. A forked child keeps the one
//! thread it has, with a trace of its own.

use std::cell::Cell;
use std::io::{self, Write};
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::{Config, OnDeadlock, Print};
use crate::engine::{Clock, LockId, ThreadId, WaitGraph, Waiter, WaitsFor};
use crate::finding::{Finding, FoundThread, Tier};
use crate::hash::fold;
use crate::instrument::{LockKind, LockType, Mode, Site};
use crate::observer::{Observer, Request, StuckThread};
use crate::record::{ClassEntry, EARLIER, HeldLock, Own, Record, SeenWait, WaitKind};
use crate::trace::{Counts, ThreadLine};
use crate::word::{self, SERIAL_BLOCK, Word};

/// Classes that a thread remembers, as a power of two.
const CLASS_SLOT_BITS: u32 = 6;
/// How long a reader must have been seen waiting behind a writer before that counts as a wait: it
/// is told apart from a reader that is only about to look.
const SETTLE: Duration = Duration::from_millis(20);
/// Threads that all wait count as stuck once nothing has moved for this long, and twice as long
/// again, and so on for so many rounds: two thirds of a second together. The first looks come soon
/// because a thread that waits in its turn for one that it has just woken should lose no time.
const PATIENCE: Duration = Duration::from_micros(10);
const PATIENCE_ROUNDS: u32 = 16;

static OBSERVER: Mutex<Option<Box<Observer>>> = Mutex::new(None);
static RECORDS: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());
static THREADS: AtomicU32 = AtomicU32::new(0);
static SERIALS: AtomicU64 = AtomicU64::new(SERIAL_BLOCK);
static JOINING: AtomicUsize = AtomicUsize::new(0);
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// Threads that were spawned and have not yet begun.
static STARTING: AtomicUsize = AtomicUsize::new(0);
static SIGNALS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
static ORPHANED: AtomicUsize = AtomicUsize::new(0);
static START: OnceLock<Instant> = OnceLock::new();
static OBSERVING: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// This thread's record while it may be used; null before the first use, while the thread is
    /// busy, and after the end.
    static CURRENT: Cell<*const Record> = const { Cell::new(ptr::null()) };
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Fresh) };
}

/// Where a thread stands; see [`CURRENT`].
#[derive(Clone, Copy)]
enum Phase {
    Fresh,
    Ready,
    Busy,
    Over,
}

/// This thread's record.
#[inline(always)]
pub(crate) fn current() -> Option<&'static Record> {
    let record = CURRENT.get();
    // SAFETY: records are never freed, and only this thread's own is ever stored.
    if record.is_null() { None } else { Some(unsafe { &*record }) }
}

/// This thread's record, made if this is its first use; `None` where the thread must pass through.
#[cold]
pub(crate) fn begin() -> Option<&'static Record> {
    if !matches!(PHASE.get(), Phase::Fresh) {
        return None;
    }
    PHASE.set(Phase::Busy);
    let record = take_record();
    let thread = THREADS.fetch_add(1, Relaxed) + 1;
    record.thread.store(thread, Relaxed);
    start_segments(record, thread, Clock::new());
    record.system.store(platform::system_thread(), Relaxed);
    platform::watch_thread_end();
    PHASE.set(Phase::Ready);
    CURRENT.set(record);
    Some(record)
}

fn start_segments(record: &Record, thread: ThreadId, clock: Clock) {
    let asked = Vec::with_capacity(EARLIER);
    let own = Own { clock: Arc::new(clock), epoch: 1, asked, ..Own::default() };
    *record.own.borrow_mut() = own;
    record.set_segment(fold(u64::from(thread) ^ 0x2545_f491_4f6c_dd1d, 0x9e37_79b9_7f4a_7c15));
}

/// A record that no thread uses, or a new one.
fn take_record() -> &'static Record {
    for record in records() {
        if !record.in_use.load(Relaxed)
            && record.in_use.compare_exchange(false, true, Acquire, Relaxed).is_ok()
        {
            record.reset();
            return record;
        }
    }
    let record: &'static Record = Box::leak(Box::new(Record::new()));
    let mut first = RECORDS.load(Relaxed);
    loop {
        record.next.store(first, Relaxed);
        let new = ptr::from_ref(record).cast_mut();
        match RECORDS.compare_exchange_weak(first, new, Release, Relaxed) {
            Ok(_) => return record,
            Err(now) => first = now,
        }
    }
}

/// All records, in use or not.
fn records() -> impl Iterator<Item = &'static Record> {
    let mut next = RECORDS.load(Acquire);
    std::iter::from_fn(move || {
        // SAFETY: records are never freed, and are complete before they are linked.
        let record = unsafe { next.as_ref() }?;
        next = record.next.load(Relaxed);
        Some(record)
    })
}

/// Marks the thread as busy until dropped.
struct Busy {
    record: *const Record,
    phase: Phase,
}

impl Busy {
    fn new() -> Busy {
        let busy = Busy { record: CURRENT.get(), phase: PHASE.get() };
        PHASE.set(Phase::Busy);
        CURRENT.set(ptr::null());
        busy
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        PHASE.set(self.phase);
        CURRENT.set(self.record);
    }
}

fn observer() -> MutexGuard<'static, Option<Box<Observer>>> {
    OBSERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `step` on the observer, while this thread is busy, then hands out what it found.
fn observe<R>(step: impl FnOnce(&mut Observer) -> R) -> R {
    let (result, new, config) = {
        let _busy = Busy::new();
        let mut guard = observer();
        if guard.is_none() {
            platform::watch_process();
            OBSERVING.store(true, Relaxed);
        }
        let observer = guard.get_or_insert_with(|| Box::new(Observer::new()));
        let before = observer.findings().len();
        let result = step(observer);
        observer.flush();
        let new = observer.findings()[before..].to_vec();
        let config = if new.is_empty() { None } else { Some(observer.config.clone()) };
        (result, new, config)
    };
    if let Some(config) = config {
        for finding in new {
            deliver(&config, &finding);
        }
    }
    result
}

/// Prints a finding and calls the program's callback.
fn deliver(config: &Config, finding: &Finding) {
    let print = match config.print {
        Print::Deadlocks => would_hang(finding),
        Print::All => finding.tier.is_shown(),
        Print::None => false,
    };
    if print {
        let _busy = Busy::new();
        let text = finding.to_string();
        let mut err = io::stderr().lock();
        let _ = write!(err, "\nlockdep: {text}\n");
    }
    if let Some(callback) = &config.on_finding {
        callback(finding);
    }
}

fn would_hang(finding: &Finding) -> bool {
    finding.tier == Tier::Happened
        && (!finding.waits.is_empty() || finding.edges.iter().any(|e| e.from == e.to))
}

/// Goes on as configured after a finding that would hang: returns only for `report`.
fn halt(finding: &Finding) {
    match observe(|o| o.config.on_deadlock) {
        OnDeadlock::Report => {}
        OnDeadlock::Abort => std::process::abort(),
        OnDeadlock::Panic => {
            let text = {
                let _busy = Busy::new();
                format!("{}: {}", finding.rule, finding.message())
            };
            panic!("{text}");
        }
    }
}

/// Gives a lock its number, or finds out that it must be left alone.
pub(crate) fn identify(
    record: &Record,
    id: &AtomicU64,
    created: Site,
    ty: &'static LockType,
) -> Word {
    let now = Word(id.load(Relaxed));
    let slot = class_slot(created, ty);
    let known = {
        let own = record.own.borrow();
        own.classes.get(slot).filter(|e| e.many && e.is(created, ty)).map(|e| e.class)
    };
    let class = known.unwrap_or_else(|| class(record, slot, created, ty));
    let new = match now.0 {
        0 => Word::new(class, serial(record)),
        _ => now.classified(class),
    };
    match id.compare_exchange(now.0, new.0, Relaxed, Relaxed) {
        Ok(_) => {
            record.count_lock();
            new
        }
        Err(now) => Word(now),
    }
}

/// The number of a lock that this thread creates now; zero where it gets one later.
#[cfg(lockdep_creation_order)]
pub(crate) fn creation() -> u64 {
    current().or_else(begin).map_or(0, |record| Word::new(0, serial(record)).0)
}

fn class_slot(created: Site, ty: &'static LockType) -> usize {
    let key = (ptr::from_ref(created) as usize) ^ (ptr::from_ref(ty) as usize).rotate_left(7);
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize) >> (usize::BITS - CLASS_SLOT_BITS)
}

#[inline]
fn serial(record: &Record) -> u64 {
    let mut own = record.own.borrow_mut();
    own.serials.next().unwrap_or_else(|| {
        let first = SERIALS.fetch_add(SERIAL_BLOCK, Relaxed);
        own.serials = first + 1..first + SERIAL_BLOCK;
        first
    })
}

#[cold]
fn class(record: &Record, slot: usize, created: Site, ty: &'static LockType) -> u32 {
    let entry = record.own.borrow().classes.get(slot).filter(|e| e.is(created, ty)).copied();
    match entry {
        Some(entry) if entry.many => entry.class,
        Some(entry) => {
            observe(|o| o.many(entry.class));
            set_class(record, slot, ClassEntry { many: true, ..entry });
            entry.class
        }
        None => {
            let class = observe(|o| {
                let class = o.class(created, ty.kind(), ty.name());
                if o.met(class) {
                    o.many(class);
                }
                class
            });
            set_class(record, slot, ClassEntry { created, ty, class, many: false });
            class
        }
    }
}

fn set_class(record: &Record, slot: usize, entry: ClassEntry) {
    let _busy = Busy::new();
    let mut own = record.own.borrow_mut();
    if own.classes.is_empty() {
        own.classes = vec![entry; 1 << CLASS_SLOT_BITS];
    }
    own.classes[slot] = entry;
}

/// A lock that the engine itself needed, while this thread was busy.
#[cold]
pub(crate) fn leave_alone(id: &AtomicU64) {
    if matches!(PHASE.get(), Phase::Busy) {
        id.fetch_or(word::UNTRACKED, Relaxed);
    }
}

/// Judges an acquisition whose situation is new to this thread, before it can block.
///
/// # Panics
/// Where the thread would wait for itself, as configured.
#[cold]
pub(crate) fn request(record: &Record, id: &AtomicU64, asked: Word, chain: u64, site: Site) {
    let mut held = take_scratch(record);
    record.held_into(&mut held);
    let (clock, epoch) = clock_of(record);
    let request = Request {
        thread: record.thread.load(Relaxed),
        epoch,
        clock: &clock,
        word: asked,
        site,
        address: ptr::from_ref(id) as usize,
        held: &held,
    };
    let hang = observe(|o| {
        know_thread(o, record, None);
        let first = held
            .iter()
            .rev()
            .find(|h| h.word.lock() == asked.lock() && conflict(h.word.mode(), asked.mode()))
            .or_else(|| held.iter().rev().find(|h| h.word.lock() == asked.lock()));
        let hang = first.and_then(|first| o.relock(&request, first));
        if hang.is_none() {
            o.request(&request);
        }
        hang
    });
    give_scratch(record, held);
    match hang {
        Some(finding) => halt(&finding),
        None => learned(record, id, chain),
    }
}

fn conflict(held: Mode, asked: Mode) -> bool {
    held != Mode::Read || asked != Mode::Read
}

fn take_scratch(record: &Record) -> Vec<HeldLock> {
    std::mem::take(&mut record.own.borrow_mut().scratch)
}

fn give_scratch(record: &Record, held: Vec<HeldLock>) {
    record.own.borrow_mut().scratch = held;
}

/// Introduces the thread of this record, if it is new.
fn know_thread(observer: &mut Observer, record: &Record, spawned: Option<(ThreadId, Site)>) {
    let id = record.thread.load(Relaxed);
    if !observer.knows_thread(id) {
        let name = thread::current().name().map(str::to_owned);
        observer.add_thread(ThreadLine {
            thread: FoundThread { id, name },
            parent: spawned.map(|s| s.0),
            spawned: spawned.map(|s| s.1),
        });
    }
}

/// Makes room for more held locks.
#[cold]
pub(crate) fn make_room(record: &Record) {
    let _busy = Busy::new();
    record.grow_stack();
}

/// A lock that the order graph knows is gone.
#[cold]
pub(crate) fn remove(lock: LockId) {
    if !matches!(PHASE.get(), Phase::Busy) {
        observe(|o| o.remove(lock));
    }
}

/// A wait that other threads can see, until dropped.
pub(crate) struct Wait {
    record: &'static Record,
    kind: WaitKind,
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.record.end_wait();
        match self.kind {
            WaitKind::Join => _ = JOINING.fetch_sub(1, SeqCst),
            WaitKind::Event => _ = WAITING.fetch_sub(1, SeqCst),
            WaitKind::Lock | WaitKind::Timed => {}
        }
    }
}

/// The thread is about to block. Reports a deadlock if that completes one.
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
    match kind {
        WaitKind::Join => _ = JOINING.fetch_add(1, SeqCst),
        WaitKind::Event => _ = WAITING.fetch_add(1, SeqCst),
        WaitKind::Lock | WaitKind::Timed => {}
    }
    if !record.introduced.replace(true) {
        // Others may have to name this thread while it waits.
        observe(|o| know_thread(o, record, None));
    }
    record.begin_wait(kind, target, now(), site);
    let wait = Wait { record, kind };
    if let Some(finding) = stuck(record, kind) {
        record.end_wait();
        halt(&finding);
        record.begin_wait(kind, target, now(), site);
    }
    wait
}

/// The thread is about to block on an event; zero for one that nobody is seen to signal.
pub(crate) fn wait_for_event(
    record: &'static Record,
    event: Word,
    timed: bool,
    site: Site,
) -> Wait {
    let kind = if timed { WaitKind::Timed } else { WaitKind::Event };
    wait(record, kind, (event.0, signals(event).load(SeqCst)), site)
}

/// How often an event was signalled; several events may share a count.
fn signals(event: Word) -> &'static AtomicU64 {
    &SIGNALS[(event.0 >> 4) as usize % SIGNALS.len()]
}

/// Whoever waited for the event until now may be awake.
#[inline]
pub(crate) fn woken(event: Word) {
    // Whoever waits made itself known before it did, and was woken after that.
    if WAITING.load(SeqCst) > 0 {
        signals(event).fetch_add(1, SeqCst);
    }
}

/// The thread waits, or could have to wait, for an event while it holds locks.
#[inline]
pub(crate) fn wait_holding(record: &Record, id: &AtomicU64, event: Word, site: Site) {
    let event = event.held(Mode::Write, false);
    let chain = record.chain(event, site);
    if !record.knows(chain) {
        wait_holding_new(record, id, event, chain, site);
    }
}

#[cold]
fn wait_holding_new(record: &Record, id: &AtomicU64, event: Word, chain: u64, site: Site) {
    let mut held = take_scratch(record);
    record.held_into(&mut held);
    let (clock, epoch) = clock_of(record);
    observe(|o| {
        know_thread(o, record, None);
        o.event_awaited(&Request {
            thread: record.thread.load(Relaxed),
            epoch,
            clock: &clock,
            word: event,
            site,
            address: 0,
            held: &held,
        });
    });
    give_scratch(record, held);
    learned(record, id, chain);
}

/// The thread completes an event; it had to pass what is in its window first.
#[inline]
pub(crate) fn signal(record: &Record, id: &AtomicU64, event: Word, site: Site) {
    if record.window.is_empty() {
        return;
    }
    let digest = record.window.digest(event.lock() ^ (std::ptr::from_ref(site) as u64) << 20);
    if !record.knows(digest) {
        signal_new(record, id, event, digest, site);
    }
}

#[cold]
fn signal_new(record: &Record, id: &AtomicU64, event: Word, digest: u64, site: Site) {
    let (clock, epoch) = clock_of(record);
    let held = [HeldLock { word: event.held(Mode::Write, true), site, address: 0 }];
    observe(|o| {
        know_thread(o, record, None);
        for (word, asked_at) in record.window.iter() {
            o.event_completed(&Request {
                thread: record.thread.load(Relaxed),
                epoch,
                clock: &clock,
                word,
                site: asked_at,
                address: 0,
                held: &held,
            });
        }
    });
    let _busy = Busy::new();
    record.learn(digest);
    id.fetch_or(word::IN_GRAPH, Relaxed);
}

fn clock_of(record: &Record) -> (Arc<Clock>, u32) {
    let own = record.own.borrow();
    (Arc::clone(&own.clock), own.epoch)
}

/// What was judged under this chain need not be judged again.
fn learned(record: &Record, id: &AtomicU64, chain: u64) {
    let _busy = Busy::new();
    record.learn(chain);
    record.mark_graphed();
    id.fetch_or(word::IN_GRAPH, Relaxed);
}

/// Nanoseconds since the first wait of the process.
fn now() -> u64 {
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Whether this thread, which is about to block, can never go on.
fn stuck(me: &'static Record, kind: WaitKind) -> Option<Arc<Finding>> {
    // A cycle leads through what this thread holds, or through a thread that waits for its end.
    let on_cycle = matches!(kind, WaitKind::Lock | WaitKind::Join)
        && (!me.holds_nothing() || JOINING.load(SeqCst) > 0);
    let on_orphan = kind == WaitKind::Lock && ORPHANED.load(Relaxed) > 0;
    if on_cycle && let Some(finding) = on_a_cycle(me) {
        return Some(finding);
    }
    if on_orphan && let Some(finding) = behind_an_orphan(me) {
        return Some(finding);
    }
    let alone = kind != WaitKind::Timed && nobody_runs(me, None);
    if alone { nobody_will(me, None) } else { None }
}

/// Threads that hold what the next one waits for, this one among them.
fn on_a_cycle(me: &'static Record) -> Option<Arc<Finding>> {
    let busy = Busy::new();
    let (graph, seen) = look();
    let my_index = seen.iter().position(|s| ptr::eq(s.record, me))?;
    let cycle = graph.cycle(my_index)?;
    // Each of these threads waits for one that holds what it wants, and none of them moved
    // while that was read. Only a reader behind a queued writer may not have queued yet.
    let behind_writer = cycle
        .iter()
        .any(|&i| matches!(graph.threads()[i].waits, WaitsFor::Lock { mode: Mode::Read, .. }));
    if behind_writer {
        thread::sleep(SETTLE);
    }
    if !cycle.iter().all(|&i| i == my_index || seen[i].still()) {
        return None;
    }
    let threads: Vec<StuckThread> = cycle.iter().filter_map(|&i| seen[i].stuck()).collect();
    drop(busy);
    Some(observe(|o| {
        know_thread(o, me, None);
        o.deadlock(&threads)
    }))
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
        let same =
            |h: &HeldLock| h.word.lock() == target.lock() && conflict(h.word.mode(), target.mode());
        let orphan = o.orphans.iter().find(|p| same(&p.held)).cloned()?;
        Some(o.orphaned(&mine, &orphan))
    })
}

/// Whether every other thread waits for something that does not come by itself. `ending` is this
/// thread's number if it ends now, which is what some may wait for.
fn nobody_runs(me: &'static Record, ending: Option<ThreadId>) -> bool {
    let lives = |thread: u64| {
        ending.is_none_or(|e| u64::from(e) != thread)
            && records()
                .any(|r| r.in_use.load(Acquire) && u64::from(r.thread.load(Relaxed)) == thread)
    };
    let stays = |wait: SeenWait| match wait.kind {
        WaitKind::Lock => true,
        WaitKind::Join => lives(wait.target),
        WaitKind::Event => {
            wait.target == 0 || signals(Word(wait.target)).load(SeqCst) == wait.signals
        }
        WaitKind::Timed => false,
    };
    STARTING.load(SeqCst) == 0
        && records()
            .filter(|r| r.in_use.load(Acquire) && !ptr::eq(*r, me))
            .all(|r| r.waiting().is_some_and(stays))
}

/// Every thread waits, so nobody completes what they wait for: reported once nothing has moved for
/// a while, as a thread that was just woken may not have run yet.
fn nobody_will(me: &'static Record, ending: Option<ThreadId>) -> Option<Arc<Finding>> {
    let busy = Busy::new();
    let (_, seen) = look();
    let same = || seen.iter().all(|s| ptr::eq(s.record, me) || s.still());
    for round in 0..PATIENCE_ROUNDS {
        thread::sleep(PATIENCE * (1 << round));
        if !same() || !nobody_runs(me, ending) {
            return None;
        }
    }
    let known = |system| seen.iter().any(|s| s.record.system.load(Relaxed) == system);
    if platform::others_run(&known) || !same() {
        return None;
    }
    let threads: Vec<StuckThread> = seen.iter().filter_map(Seen::stuck).collect();
    if threads.is_empty() {
        return None;
    }
    // A lock that nobody here holds is about to be handed over.
    let held =
        |word: Word| threads.iter().any(|t| t.held.iter().any(|h| h.word.lock() == word.lock()));
    if threads.iter().any(|t| t.lock.is_some_and(|word| !held(word))) {
        return None;
    }
    drop(busy);
    Some(observe(|o| {
        know_thread(o, me, None);
        o.stuck(&threads)
    }))
}

/// A thread as it was seen.
struct Seen {
    record: &'static Record,
    thread: ThreadId,
    wait: Option<SeenWait>,
    held: Vec<HeldLock>,
}

impl Seen {
    fn of(record: &'static Record) -> Seen {
        let mut held = Vec::new();
        let wait = record.waiting().filter(|wait| {
            record.held_into(&mut held);
            record.still_waiting(wait.sequence)
        });
        if wait.is_none() {
            held.clear();
        }
        Seen { record, thread: record.thread.load(Relaxed), wait, held }
    }

    /// Whether the thread is still in the wait that it was seen in.
    fn still(&self) -> bool {
        self.wait.is_some_and(|w| self.record.still_waiting(w.sequence))
    }

    fn stuck(&self) -> Option<StuckThread> {
        let wait = self.wait?;
        let (what, lock) = match wait.kind {
            WaitKind::Lock => ("lock", Some(Word(wait.target))),
            WaitKind::Join => ("join", None),
            WaitKind::Event | WaitKind::Timed => ("event", None),
        };
        let event = (wait.kind == WaitKind::Event && wait.target != 0).then_some(Word(wait.target));
        Some(StuckThread {
            thread: self.thread,
            what,
            lock,
            event,
            site: wait.site,
            held: self.held.clone(),
        })
    }
}

/// Reads what all threads wait for and hold. A thread that moves meanwhile counts as running.
fn look() -> (WaitGraph, Vec<Seen>) {
    let mut threads = Vec::new();
    let mut seen = Vec::new();
    for record in records().filter(|r| r.in_use.load(Acquire)) {
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
                _ => WaitsFor::Nothing,
            },
            since: one.wait.map_or(u64::MAX, |w| w.since),
            held: one.held.iter().map(|h| (h.word.lock(), h.word.mode())).collect(),
            ended: false,
        });
        seen.push(one);
    }
    (WaitGraph::new(threads), seen)
}

/// What a spawned thread and those that may join it share.
#[derive(Debug)]
pub(crate) struct Spawned {
    thread: ThreadId,
    parent: ThreadId,
    site: Site,
    clock: Clock,
    started: AtomicBool,
    end: Mutex<Option<End>>,
}

/// What a thread leaves to those that join it.
#[derive(Clone, Debug)]
struct End {
    /// What was over when it ended, itself included.
    clock: Clock,
    epoch: u32,
    /// The locks that it asked for.
    asked: Vec<(Word, Site)>,
}

/// What a thread was before it joined another, if it held locks then.
pub(crate) struct BeforeJoin {
    clock: Arc<Clock>,
    epoch: u32,
    held: Vec<HeldLock>,
    site: Site,
}

/// The current thread is about to spawn one.
pub(crate) fn spawn(site: Site) -> Option<Arc<Spawned>> {
    let record = current().or_else(begin)?;
    let parent = record.thread.load(Relaxed);
    let (mut clock, epoch) = {
        let own = record.own.borrow();
        (Clock::clone(&own.clock), own.epoch)
    };
    observe(|o| {
        clock.retain(|t| o.remembers(t));
        if o.remembers(parent) {
            clock.advance(parent, epoch);
        }
    });
    let _busy = Busy::new();
    record.own.borrow_mut().epoch += 1;
    next_segment(record);
    let thread = THREADS.fetch_add(1, Relaxed) + 1;
    STARTING.fetch_add(1, SeqCst);
    let started = AtomicBool::new(false);
    Some(Arc::new(Spawned { thread, parent, site, clock, started, end: Mutex::new(None) }))
}

fn next_segment(record: &Record) {
    let mut own = record.own.borrow_mut();
    own.segment += 1;
    let thread = u64::from(record.thread.load(Relaxed));
    record.set_segment(fold(
        thread ^ own.segment.rotate_left(32) ^ 0x2545_f491_4f6c_dd1d,
        0x9e37_79b9_7f4a_7c15,
    ));
}

impl Spawned {
    /// The new thread starts.
    pub(crate) fn enter(&self) {
        if let Some(record) = current().or_else(begin) {
            {
                let _busy = Busy::new();
                record.thread.store(self.thread, Relaxed);
                start_segments(record, self.thread, self.clock.clone());
            }
            observe(|o| know_thread(o, record, Some((self.parent, self.site))));
            record.introduced.set(true);
        }
        self.begun();
    }

    fn begun(&self) {
        if !self.started.swap(true, SeqCst) {
            STARTING.fetch_sub(1, SeqCst);
        }
    }

    /// The new thread's closure has returned.
    pub(crate) fn leave(&self) {
        let Some(record) = current() else { return };
        let _busy = Busy::new();
        record.window.close(&record.own);
        let own = record.own.borrow();
        let mut clock = Clock::clone(&own.clock);
        clock.advance(self.thread, own.epoch);
        let end = End { clock, epoch: own.epoch, asked: own.asked.clone() };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    pub(crate) fn thread(&self) -> ThreadId {
        self.thread
    }

    /// The current thread is about to wait for the end of this one.
    pub(crate) fn before_join(&self, record: &Record, site: Site) -> Option<BeforeJoin> {
        if record.holds_nothing() {
            return None;
        }
        let _busy = Busy::new();
        let mut held = Vec::new();
        record.held_into(&mut held);
        let (clock, epoch) = clock_of(record);
        Some(BeforeJoin { clock, epoch, held, site })
    }

    /// The current thread knows that this one has ended.
    pub(crate) fn joined(&self, before: Option<BeforeJoin>) {
        let Some(record) = current() else { return };
        let end = {
            let _busy = Busy::new();
            self.end.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let Some(mut end) = end else { return };
        observe(|o| {
            if let Some(before) = before {
                know_thread(o, record, None);
                self.joined_holding(o, record, &before, &end);
            }
            end.clock.retain(|t| o.remembers(t));
        });
        let _busy = Busy::new();
        {
            let mut own = record.own.borrow_mut();
            let mut clock = Clock::clone(&own.clock);
            clock.join(&end.clock);
            own.clock = Arc::new(clock);
        }
        next_segment(record);
    }

    /// To the order graph a thread is a lock that it holds from its first step to its last, and
    /// that whoever joins it asks for (Sulzmann, "Cross-thread critical sections", 2025).
    fn joined_holding(&self, o: &mut Observer, record: &Record, before: &BeforeJoin, end: &End) {
        if end.asked.is_empty() {
            return;
        }
        let class = o.class(self.site, LockKind::Thread, "()");
        let life = Word::new(class, serial(record));
        let clock = Arc::new(end.clock.clone());
        let alive = [HeldLock { word: life.held(Mode::Write, true), site: self.site, address: 0 }];
        for &(word, site) in &end.asked {
            o.event_completed(&Request {
                thread: self.thread,
                epoch: end.epoch,
                clock: &clock,
                word,
                site,
                address: 0,
                held: &alive,
            });
        }
        o.event_awaited(&Request {
            thread: record.thread.load(Relaxed),
            epoch: before.epoch,
            clock: &before.clock,
            word: life.held(Mode::Write, false),
            site: before.site,
            address: 0,
            held: &before.held,
        });
        o.remove(life.lock());
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // The system made no thread.
        self.begun();
    }
}

/// The thread is over: what it still holds is orphaned, and its record is free.
fn thread_end() {
    let Some(record) = current() else { return };
    let mut held = Vec::new();
    {
        let _busy = Busy::new();
        record.held_into(&mut held);
    }
    if !held.is_empty() {
        ORPHANED.fetch_add(held.len(), Relaxed);
    }
    let thread = record.thread.load(Relaxed);
    let counts = record.counts();
    if OBSERVING.load(Relaxed) || !held.is_empty() {
        observe(|o| {
            if !held.is_empty() {
                know_thread(o, record, None);
            }
            o.thread_ended(thread, &held, counts);
        });
    }
    let last =
        nobody_runs(record, Some(thread)).then(|| nobody_will(record, Some(thread))).flatten();
    PHASE.set(Phase::Over);
    CURRENT.set(ptr::null());
    record.in_use.store(false, Release);
    if last.is_some_and(|_| {
        observer().as_ref().is_some_and(|o| o.config.on_deadlock != OnDeadlock::Report)
    }) {
        // A panic here would end only this thread, which ends anyway; the others wait for ever.
        std::process::abort();
    }
}

/// The process ends by itself.
fn process_end() {
    let _busy = Busy::new();
    let Ok(mut guard) = OBSERVER.try_lock() else { return };
    if let Some(observer) = guard.as_mut() {
        let mut counts = Counts::default();
        for record in records().filter(|r| r.in_use.load(Relaxed)) {
            counts.add(record.counts());
        }
        observer.end(counts);
    }
}

/// Sets what happens when something is found, from now on.
pub fn configure(config: Config) {
    observe(|o| o.config = config);
}

/// Everything that was found so far in this process, in the order it was found.
pub fn findings() -> Vec<Arc<Finding>> {
    observe(|o| o.findings().to_vec())
}

#[cfg(unix)]
mod platform {
    //! How POSIX tells us of the end of a thread, of the process, and of a fork.

    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::sync::OnceLock;
    use std::sync::atomic::Ordering::{Relaxed, SeqCst};

    use super::{Busy, JOINING, MutexGuard, Observer, observer, records};

    #[cfg(not(target_vendor = "apple"))]
    type Key = u32;
    #[cfg(target_vendor = "apple")]
    type Key = std::ffi::c_ulong;

    unsafe extern "C" {
        fn pthread_key_create(
            key: *mut Key,
            destructor: Option<unsafe extern "C" fn(*mut c_void)>,
        ) -> c_int;
        fn pthread_setspecific(key: Key, value: *const c_void) -> c_int;
        fn pthread_atfork(
            prepare: Option<unsafe extern "C" fn()>,
            parent: Option<unsafe extern "C" fn()>,
            child: Option<unsafe extern "C" fn()>,
        ) -> c_int;
        fn atexit(function: extern "C" fn()) -> c_int;
    }

    static KEY: OnceLock<Option<Key>> = OnceLock::new();

    /// POSIX runs the destructors of all keys again while any of them sets its value, four times
    /// at least. The third time is after the destructors of Rust's thread-locals, and of whatever
    /// those made.
    const LAST_ROUND: usize = 3;

    fn key() -> Option<Key> {
        *KEY.get_or_init(|| {
            let mut key: Key = 0;
            // SAFETY: the key is written through a valid pointer, and the destructor never unwinds.
            let result = unsafe { pthread_key_create(&mut key, Some(destructor)) };
            (result == 0).then_some(key)
        })
    }

    /// The system's number of this thread, or zero.
    pub(super) fn system_thread() -> u32 {
        let path = std::fs::read_link("/proc/thread-self").unwrap_or_default();
        let number = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok());
        number.unwrap_or(0)
    }

    /// Whether a thread may run that `known` does not know. A main thread that has never used
    /// anything instrumented is the test harness's, which only waits for its tests.
    pub(super) fn others_run(known: &dyn Fn(u32) -> bool) -> bool {
        let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return true };
        let main = std::process::id();
        tasks.flatten().any(|task| {
            let number = task.file_name().to_str().and_then(|n| n.parse().ok());
            number.is_none_or(|n: u32| n != main && !known(n))
        })
    }

    pub(super) fn watch_thread_end() {
        if let Some(key) = key() {
            // SAFETY: the key exists; the value is only a number.
            unsafe { pthread_setspecific(key, std::ptr::without_provenance(1)) };
        }
    }

    unsafe extern "C" fn destructor(round: *mut c_void) {
        let round = round.addr();
        match key() {
            Some(key) if round < LAST_ROUND => {
                // SAFETY: as in `watch_thread_end`.
                unsafe { pthread_setspecific(key, std::ptr::without_provenance(round + 1)) };
            }
            _ => super::thread_end(),
        }
    }

    pub(super) fn watch_process() {
        extern "C" fn at_exit() {
            super::process_end();
        }
        // SAFETY: the functions live as long as the program and never unwind.
        unsafe {
            atexit(at_exit);
            pthread_atfork(Some(before_fork), Some(after_fork), Some(in_child));
        }
    }

    thread_local! {
        /// The engine is held still while the process is copied.
        static FORKING: Cell<Option<Fork>> = const { Cell::new(None) };
    }

    struct Fork {
        _busy: Busy,
        observer: MutexGuard<'static, Option<Box<Observer>>>,
    }

    unsafe extern "C" fn before_fork() {
        if !matches!(super::PHASE.get(), super::Phase::Busy) {
            FORKING.set(Some(Fork { _busy: Busy::new(), observer: observer() }));
        }
    }

    unsafe extern "C" fn after_fork() {
        drop(FORKING.take());
    }

    unsafe extern "C" fn in_child() {
        let Some(mut fork) = FORKING.take() else { return };
        for record in records() {
            let mine = std::ptr::eq(record, fork._busy.record);
            if record.in_use.load(Relaxed) && !mine {
                // The other threads do not exist here, but what they held is held for ever.
                record.end_wait();
            }
        }
        JOINING.store(0, SeqCst);
        if let Some(observer) = fork.observer.as_mut() {
            observer.forked();
        }
        drop(fork);
    }
}

#[cfg(not(unix))]
mod platform {
    //! Elsewhere the end of a thread is when its thread-locals are destroyed, and the end of the
    //! process goes unnoticed: its trace lacks the totals.

    struct End;

    impl Drop for End {
        fn drop(&mut self) {
            super::thread_end();
        }
    }

    thread_local! {
        static END: End = const { End };
    }

    pub(super) fn system_thread() -> u32 {
        0
    }

    /// Not known here, so nobody is ever called stuck on an event.
    pub(super) fn others_run(_known: &dyn Fn(u32) -> bool) -> bool {
        true
    }

    pub(super) fn watch_thread_end() {
        let _ = END.try_with(|_| ());
    }

    pub(super) fn watch_process() {}
}
