//! Turns what threads do into findings: it has the detector, the names for the engine's numbers, what was
//! reported before, and the trace.
//!
//! One observer serves a process; `process` keeps it behind one lock, which is taken only for what is new.
//! Under that lock no code of the program runs, with one exception: `Locks::each_lock` of a declared
//! static, see `declared`.

pub mod config;

pub(crate) mod declarations;
pub(crate) mod facts;
pub(crate) mod parts;
pub(crate) mod starvation;
pub(crate) mod trace;

mod classes;
mod cycles;
mod declared;
mod declared_places;
mod first_stacks;
mod hang;
mod in_order;
mod nesting;
mod nestings;
mod ordered_calls;
mod sendable;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::panic::Location;
use std::sync::Arc;

use crate::engine::{
    CriticalSection, Cycle, Detector, Held, InheritedLocks, SharedClock, ThreadPoint, VectorClock,
};
use crate::finding::{Rule, Tier};
use crate::hash::{Map, NumberHasher};
use crate::model::finding::{Finding, FoundHold, FoundLock, FoundThread, ThreadKind};
use crate::model::held::HeldLock;
use crate::model::ids::{LockId, SiteId, ThreadId};
use crate::model::inventory::{Counts, ThreadInfo};
use crate::model::lock::{LockKind, Site};
use crate::model::stack::FoundStack;
use crate::model::times::ClassTimes;
use crate::model::word::{LockWord, class_of};
use crate::observer::classes::Classes;
use crate::observer::config::Config;
use crate::observer::declared_places::Declared;
use crate::observer::facts::{Orphan, Request, RequestStack};
use crate::observer::first_stacks::{BothStacks, FirstStacks, STACKS};
use crate::observer::nestings::Nestings;
use crate::observer::ordered_calls::OrderedCalls;
use crate::observer::parts::{dependency, found_hold, held_of, kind_of, signature, site_number};
use crate::observer::trace::Trace;
use crate::thread_state::snapshot::ThreadSnapshot;

/// How many ended threads are kept at least before those without a witness in the detector are forgotten.
const ENDED: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) config: Config,
    trace: Option<Trace>,
    detector: Detector,
    classes: Classes,
    nestings: Map<u32, Nestings>,
    declared: Declared,
    in_order: OrderedCalls,
    threads: Map<ThreadId, ThreadInfo>,
    ended: Vec<ThreadId>,
    /// How many there may be before those without a witness are forgotten.
    most_ended: usize,
    /// Dependencies by class and place that the trace has.
    orders: HashSet<u64, BuildHasherDefault<NumberHasher>>,
    /// By two places, the stacks of threads that were seen to hold a lock since the one and to ask for another
    /// at the other.
    stacks: HashMap<(SiteId, SiteId), FirstStacks>,
    /// By place, how many threads have taken a stack there as they acquired a lock.
    acquiring: Map<SiteId, usize>,
    reported: Map<u64, Tier>,
    findings: Vec<Arc<Finding>>,
    /// Locks that a thread held when it ended.
    pub(crate) orphans: Vec<Orphan>,
    /// Classes of locks whose guards may be sent to other threads.
    sendable: HashSet<u32>,
    /// Such locks that a thread had acquired when it ended: their guards may be elsewhere.
    pub(crate) abandoned: Vec<Orphan>,
    /// A thread has found that it would hang.
    hung: bool,
    retired: Counts,
    /// How long the locks of each class were waited for and held, by threads that have ended.
    pub(crate) times: Map<u32, ClassTimes>,
    scratch: Vec<Held>,
    /// The sites that the engine knows by number.
    sites: Map<SiteId, Site>,
}

impl Observer {
    pub(crate) fn new() -> Observer {
        let config = Config::from_env();
        let trace = config.trace.as_deref().and_then(Trace::create);
        Observer {
            config,
            trace,
            detector: Detector::new(),
            classes: Classes::new(),
            nestings: Map::default(),
            declared: Declared::default(),
            in_order: OrderedCalls::default(),
            threads: Map::default(),
            ended: Vec::new(),
            most_ended: ENDED,
            orders: HashSet::default(),
            stacks: HashMap::new(),
            acquiring: Map::default(),
            reported: Map::default(),
            findings: Vec::new(),
            orphans: Vec::new(),
            sendable: HashSet::new(),
            abandoned: Vec::new(),
            hung: false,
            retired: Counts::default(),
            times: Map::default(),
            scratch: Vec::new(),
            sites: Map::default(),
        }
    }

    /// The number of a class.
    pub(crate) fn class(&mut self, created: Site, kind: LockKind, type_name: &'static str) -> u32 {
        self.read_declarations();
        if let Some(class) = self.classes.find(created, kind, type_name) {
            return class;
        }
        let class = self.classes.add_created(created, kind, type_name);
        // Who asks what the threads hold has to know it.
        self.trace_class(class);
        class
    }

    /// Whether a thread has met this class before.
    pub(crate) fn met(&mut self, class: u32) -> bool {
        self.classes.met(class)
    }

    /// Whether this is a semaphore, which may be closed while threads wait for it.
    pub(crate) fn is_semaphore(&self, lock: LockId) -> bool {
        let class = self.classes.get(class_of(lock));
        class.is_some_and(|class| class.kind == LockKind::Semaphore)
    }

    /// A second lock of this class was acquired.
    pub(crate) fn many(&mut self, class: u32) {
        if let (Some(trace), Some(class)) = (&mut self.trace, self.classes.get(class)) {
            trace.many(class);
        }
    }

    pub(crate) fn knows_thread(&self, thread: ThreadId) -> bool {
        self.threads.contains_key(&thread)
    }

    pub(crate) fn add_thread(&mut self, info: ThreadInfo) {
        self.threads.insert(info.thread.id, info);
    }

    /// There is a task of this number, spawned there.
    pub(crate) fn know_task(&mut self, id: ThreadId, site: Site) {
        if !self.knows_thread(id) {
            let thread =
                FoundThread { id, name: None, spawned: Some(site), kind: ThreadKind::Task };
            self.add_thread(ThreadInfo { thread, parent: None, spawned: Some(site) });
        }
    }

    /// Whether vector clocks must mention the thread.
    pub(crate) fn remembers(&self, thread: ThreadId) -> bool {
        self.detector.remembers(thread)
    }

    /// Adds to `clock` what is completed in `other`, as far as the threads are remembered.
    pub(crate) fn join(&self, clock: &mut SharedClock, other: &SharedClock) {
        self.detector.join(clock, other);
    }

    /// Adds to `clock` that a thread has completed so many epochs, if it is remembered.
    pub(crate) fn advance(&self, clock: &mut SharedClock, thread: ThreadId, epochs: u32) {
        self.detector.advance(clock, thread, epochs);
    }

    pub(crate) fn thread(&self, thread: ThreadId) -> FoundThread {
        match self.threads.get(&thread) {
            Some(info) => info.thread.clone(),
            None => unknown(thread),
        }
    }

    /// A thread has ended, with these locks still held.
    pub(crate) fn thread_ended(&mut self, thread: ThreadId, held: &[HeldLock], counts: Counts) {
        self.retired.add(counts);
        for &held in held {
            let found = self.thread(thread);
            self.trace_thread(thread);
            let mut finding = Finding::new(
                Rule::OrphanedLock,
                Tier::Happened,
                format!("{found} ended while it held {{0}}, which nobody can release any more"),
            );
            finding.locks.push(self.lock(held.word.lock()));
            finding.sites.push((held.site, "acquired here, and never released"));
            self.orphans.push(Orphan { thread: found, held });
            let sign = signature(Rule::OrphanedLock, [site_number(held.site)]);
            self.report(sign, finding);
        }
        self.ended.push(thread);
        if self.ended.len() >= self.most_ended {
            self.ended.retain(|&thread| {
                let remembered = self.detector.remembers(thread);
                if !remembered {
                    self.threads.remove(&thread);
                }
                remembered
            });
            self.most_ended = ENDED.max(2 * self.ended.len());
        }
    }

    /// A lock is gone.
    pub(crate) fn remove(&mut self, lock: LockId) {
        self.detector.remove(lock);
        self.forget_key(lock);
        self.abandoned.retain(|hold| hold.held.word.lock() != lock);
    }

    /// Records a dependency and reports what follows from it.
    pub(crate) fn request(&mut self, request: &Request<'_>) {
        let mut held = std::mem::take(&mut self.scratch);
        held.clear();
        held.extend(request.held.iter().map(held_of));
        self.order(request, &held);
        self.depend(request, &held);
        self.nesting(request, &held);
        self.against_declared(request);
        self.scratch = held;
    }

    /// Records a dependency on an event: the thread waits for it while it holds locks.
    pub(crate) fn event(&mut self, request: &Request<'_>) {
        let held = self.keep_places(request);
        self.depend(request, &held);
    }

    /// Keeps where the thread is, and gives what it holds there.
    fn keep_places(&mut self, request: &Request<'_>) -> Vec<Held> {
        self.intern_sites(request);
        self.keep_stack(request);
        request.held.iter().map(held_of).collect()
    }

    /// Records that the thread asked for a lock on its way to an event, which stands alone in `held`. The lock
    /// may be gone already.
    pub(crate) fn on_the_way(&mut self, request: &Request<'_>) {
        let held = self.keep_places(request);
        let cycles = self.detector.request_on_the_way(&dependency(request, &held));
        self.cycles(&cycles);
    }

    /// Tells the detector, and reports the cycles that it finds.
    fn depend(&mut self, request: &Request<'_>, held: &[Held]) {
        let cycles = self.detector.request(&dependency(request, held));
        self.cycles(&cycles);
    }

    /// `thread` has joined the one that has inherited these locks.
    pub(crate) fn joined(&mut self, inherited: &InheritedLocks, thread: ThreadId) {
        self.detector.joined(inherited, thread);
    }

    /// A thread that gets this event from now on comes after that point of another.
    pub(crate) fn publish(&mut self, event: LockId, at: &ThreadPoint) {
        self.detector.publish(event, at);
    }

    /// The clocks that were published with the event.
    pub(crate) fn published(&self, event: LockId) -> Option<&SharedClock> {
        self.detector.published(event)
    }

    /// A hold under which threads were spawned has ended, with `completed` before its end.
    pub(crate) fn released(&mut self, section: &Arc<CriticalSection>, completed: VectorClock) {
        let cycles = self.detector.released(section, completed);
        self.cycles(&cycles);
    }

    /// A thread ends without having joined its children, which have inherited these locks.
    pub(crate) fn detached(&mut self, children: &[Arc<InheritedLocks>]) {
        let cycles = self.detector.detached(children);
        self.cycles(&cycles);
    }

    fn cycles(&mut self, cycles: &[Cycle]) {
        cycles.iter().for_each(|cycle| self.cycle(cycle));
    }

    /// The site with this number; where nothing is known of it, some place in this crate.
    fn site(&self, number: SiteId) -> Site {
        self.sites.get(&number).copied().unwrap_or(Location::caller())
    }

    /// Notes which sites the numbers in this request stand for.
    fn intern_sites(&mut self, request: &Request<'_>) {
        let held = request.held.iter().map(|h| h.site);
        self.sites.extend(held.chain([request.site]).map(|site| (site_number(site), site)));
    }

    /// The number of this site, which [`Observer::site`] resolves from now on.
    #[cfg(feature = "instrument")]
    fn intern(&mut self, site: Site) -> SiteId {
        self.sites.insert(site_number(site), site);
        site_number(site)
    }

    /// Keeps the calling thread's stack for each held lock, unless it has one of this thread for this
    /// request, or enough of others. `None` where nothing was new.
    fn keep_stack(&mut self, request: &Request<'_>) -> Option<FoundStack> {
        if !self.config.stacks || matches!(request.stack, RequestStack::Unknown) {
            return None;
        }
        let mut taken = None;
        let thread = request.at.thread;
        for (depth, held) in request.held.iter().enumerate() {
            let places = (site_number(held.site), site_number(request.site));
            let known = self.stacks.entry(places).or_default();
            known.add(thread, || BothStacks {
                from: request.acquired_with(depth),
                to: taken.get_or_insert_with(FoundStack::capture).clone(),
            });
        }
        taken
    }

    /// Whether a thread that acquires a lock at this place for the first time should take a stack.
    pub(crate) fn wants_stack(&mut self, site: Site) -> bool {
        let taken = self.acquiring.entry(site_number(site)).or_default();
        *taken += 1;
        self.config.stacks && *taken <= STACKS
    }

    /// Writes the order if it is new by class and place, with a stack for it.
    fn order(&mut self, request: &Request<'_>, held: &[Held]) {
        let class = |lock: LockId| u64::from(class_of(lock));
        let mut key = NumberHasher::default();
        let kind = |h: &Held| (class(h.lock), h.mode, h.tried, h.site);
        for h in held.chunk_by(|a, b| kind(a) == kind(b)) {
            kind(&h[0]).hash(&mut key);
        }
        (class(request.word.lock()), request.word.mode(), site_number(request.site)).hash(&mut key);
        let stack = self.keep_stack(request);
        if !self.orders.insert(key.finish()) {
            return;
        }
        self.intern_sites(request);
        if self.trace.is_some() {
            let asked = found_hold(request.word, request.site);
            // Many locks of one kind, taken in a loop, are written as one.
            let thread = request.at.thread;
            let mut depth = 0;
            let holds: Vec<(FoundHold, FoundStack)> = request
                .held
                .chunk_by(|a, b| kind(&held_of(a)) == kind(&held_of(b)))
                .map(|h| {
                    let first = (found_hold(h[0].word, h[0].site), request.acquired_with(depth));
                    depth += h.len();
                    first
                })
                .collect();
            self.trace_thread(thread);
            for hold in holds.iter().map(|(hold, _)| hold).chain([&asked]) {
                self.trace_class(hold.class);
            }
            if let Some(trace) = &mut self.trace {
                trace.order(thread, &asked, &holds, &stack.unwrap_or_default());
            }
        }
    }

    pub(crate) fn lock(&self, lock: LockId) -> FoundLock {
        FoundLock { instance: lock, ..self.class_lock(class_of(lock)) }
    }

    /// Any lock of this class.
    pub(crate) fn class_lock(&self, class: u32) -> FoundLock {
        self.classes.lock(class)
    }

    /// Keeps a finding about these threads, unless there was one of its rule at the same places.
    pub(crate) fn keep(
        &mut self,
        threads: &[ThreadId],
        sites: impl IntoIterator<Item = Site>,
        finding: Finding,
    ) -> Arc<Finding> {
        let sign = signature(finding.rule, sites.into_iter().map(site_number));
        if self.reported.contains_key(&sign) {
            return Arc::new(finding);
        }
        for &thread in threads {
            self.trace_thread(thread);
        }
        self.report(sign, finding)
    }

    fn report(&mut self, sign: u64, finding: Finding) -> Arc<Finding> {
        self.reported.insert(sign, finding.tier);
        self.hung |= finding.would_hang();
        let classes: Vec<u32> = finding
            .locks
            .iter()
            .map(|l| l.class)
            .chain(finding.edges.iter().flat_map(|e| &e.guards).map(|g| g.class))
            .chain(finding.waits.iter().flat_map(|w| &w.held).map(|g| g.class))
            .collect();
        for class in classes {
            self.trace_class(class);
        }
        if let Some(trace) = &mut self.trace {
            trace.finding(&finding);
        }
        let finding = Arc::new(finding);
        self.findings.push(Arc::clone(&finding));
        finding
    }

    fn trace_class(&mut self, class: u32) {
        if let (Some(trace), Some(class)) = (&mut self.trace, self.classes.get(class)) {
            trace.class(class);
        }
    }

    /// Writes who the thread is, if the trace does not have it yet: who asks what the threads do has to know
    /// those that wait or hold something.
    pub(crate) fn trace_thread(&mut self, thread: ThreadId) {
        if let Some(trace) = &mut self.trace {
            let unknown = ThreadInfo { thread: unknown(thread), parent: None, spawned: None };
            trace.thread(self.threads.get(&thread).unwrap_or(&unknown));
        }
    }

    /// Everything reported so far.
    pub(crate) fn findings(&self) -> &[Arc<Finding>] {
        &self.findings
    }

    pub(crate) fn flush(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.flush();
        }
    }

    /// Writes the totals, and which threads still wait; `running` is what the threads that still
    /// run add to the totals.
    pub(crate) fn end(&mut self, running: Counts, blocked: &[ThreadSnapshot]) {
        for thread in blocked {
            self.blocked(thread);
        }
        self.write_times();
        self.retired.add(running);
        self.retired.edges = self.detector.added_edges();
        let counts = self.retired;
        if let Some(trace) = &mut self.trace {
            trace.counts(counts);
            trace.end();
            trace.flush();
        }
    }

    /// Writes what was counted of each class.
    fn write_times(&mut self) {
        let mut times: Vec<(u32, ClassTimes)> = self.times.drain().collect();
        times.sort_unstable_by_key(|&(class, _)| class);
        for (class, times) in times {
            self.trace_class(class);
            if let Some(trace) = &mut self.trace {
                trace.times(class, &times);
            }
        }
    }

    fn blocked(&mut self, thread: &ThreadSnapshot) {
        let Some(wait) = thread.wait else { return };
        self.trace_thread(thread.thread);
        let held: Vec<FoundHold> = thread.held.iter().map(|h| found_hold(h.word, h.site)).collect();
        let target = wait.awaited.object();
        for class in held.iter().map(|h| h.class).chain(target.map(LockWord::class)) {
            self.trace_class(class);
        }
        if let Some(trace) = &mut self.trace {
            trace.blocked(
                thread.thread,
                kind_of(wait.awaited),
                target.map(LockWord::class),
                wait.site,
                &held,
            );
        }
    }

    /// The number of the trace's file, where there is one.
    pub(crate) fn trace_file(&self) -> Option<&'static File> {
        self.trace.as_ref().and_then(Trace::file)
    }

    /// This process was forked off another: it writes a trace of its own.
    pub(crate) fn forked(&mut self) {
        if let Some(trace) = &self.trace {
            self.trace = trace.fork();
            self.orders.clear();
            if let Some(trace) = &mut self.trace {
                self.classes.iter().for_each(|class| trace.class(class));
                self.threads.values().for_each(|thread| trace.thread(thread));
            }
        }
    }
}

/// A thread of which only the number is known.
fn unknown(id: ThreadId) -> FoundThread {
    FoundThread { id, name: None, spawned: None, kind: ThreadKind::Thread }
}
