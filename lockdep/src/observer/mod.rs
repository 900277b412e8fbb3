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
    CriticalSection, Cycle, Dependency, Detector, Held, InheritedLocks, Link, ThreadPoint,
    VectorClock,
};
use crate::finding::{Rule, Tier};
use crate::hash::{Map, NumberHasher};
use crate::model::finding::{
    Finding, FoundEdge, FoundHold, FoundLock, FoundThread, awaited, completes,
};
use crate::model::held::HeldLock;
use crate::model::ids::{LockId, SiteId, ThreadId};
use crate::model::inventory::{Class, Counts, ThreadInfo};
use crate::model::lock::{LockKind, Site};
use crate::model::stack::FoundStack;
use crate::model::times::ClassTimes;
use crate::model::word::{CLASSES, LockWord, class_of};
use crate::observer::config::Config;
use crate::observer::declared_places::Declared;
use crate::observer::facts::{Orphan, Request, RequestStack};
use crate::observer::first_stacks::{BothStacks, FirstStacks, STACKS};
use crate::observer::nestings::Nestings;
use crate::observer::ordered_calls::OrderedCalls;
use crate::observer::parts::{found_hold, held_of, kind_of, list, signature, site_number};
use crate::observer::trace::Trace;
use crate::thread_state::snapshot::ThreadSnapshot;

/// How many ended threads are kept at least before those without a witness in the detector are forgotten.
const ENDED: usize = 1024;

/// How many links of a cycle a finding lists.
const LISTED: usize = 128;

/// See the module.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) config: Config,
    trace: Option<Trace>,
    detector: Detector,
    classes: Vec<Class>,
    class_index: HashMap<ClassKey, u32>,
    met: HashSet<u32>,
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

type ClassKey = (LockKind, &'static str, &'static str, u32, u32);

impl Observer {
    pub(crate) fn new() -> Observer {
        let config = Config::from_env();
        let trace = config.trace.as_deref().and_then(Trace::create);
        Observer {
            config,
            trace,
            detector: Detector::new(),
            // Class zero is for locks beyond the last number.
            classes: vec![Class {
                class: 0,
                kind: LockKind::Mutex,
                type_name: "?",
                created: Location::caller(),
                anonymous: true,
                place: None,
            }],
            class_index: HashMap::new(),
            met: HashSet::new(),
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
        let key = (kind, type_name, created.file(), created.line(), created.column());
        if let Some(&class) = self.class_index.get(&key) {
            return class;
        }
        let anonymous = is_anonymous(created.file());
        let new = Class { class: 0, kind, type_name, created, anonymous, place: None };
        let class = self.add_class(new);
        if class != 0 {
            self.class_index.insert(key, class);
        }
        class
    }

    /// Gives a new class its number; zero beyond the last.
    fn add_class(&mut self, new: Class) -> u32 {
        if self.classes.len() >= CLASSES as usize {
            return 0;
        }
        let class = self.classes.len() as u32;
        self.classes.push(Class { class, ..new });
        // Who asks what the threads hold has to know it.
        self.trace_class(class);
        class
    }

    /// Whether a thread has met this class before.
    pub(crate) fn met(&mut self, class: u32) -> bool {
        !self.met.insert(class)
    }

    /// Whether this is a semaphore, which may be closed while threads wait for it.
    pub(crate) fn is_semaphore(&self, lock: LockId) -> bool {
        let class = self.classes.get(class_of(lock) as usize);
        class.is_some_and(|class| class.kind == LockKind::Semaphore)
    }

    /// A second lock of this class was acquired.
    pub(crate) fn many(&mut self, class: u32) {
        if let (Some(trace), Some(class)) = (&mut self.trace, self.classes.get(class as usize)) {
            trace.many(class);
        }
    }

    pub(crate) fn knows_thread(&self, thread: ThreadId) -> bool {
        self.threads.contains_key(&thread)
    }

    pub(crate) fn add_thread(&mut self, info: ThreadInfo) {
        self.threads.insert(info.thread.id, info);
    }

    /// Whether vector clocks must mention the thread.
    pub(crate) fn remembers(&self, thread: ThreadId) -> bool {
        self.detector.remembers(thread)
    }

    /// Adds to `clock` what is completed in `other`, as far as the threads are remembered.
    pub(crate) fn join(&self, clock: &mut VectorClock, other: &VectorClock) {
        self.detector.join(clock, other);
    }

    pub(crate) fn thread(&self, thread: ThreadId) -> FoundThread {
        match self.threads.get(&thread) {
            Some(info) => info.thread.clone(),
            None => FoundThread { id: thread, name: None, spawned: None },
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

    /// Records a dependency on an event: the thread waits for it while it holds locks, or it asked
    /// for a lock on its way to the event, which then stands alone in `held`.
    pub(crate) fn event(&mut self, request: &Request<'_>) {
        let held: Vec<Held> = request.held.iter().map(held_of).collect();
        self.intern_sites(request);
        self.keep_stack(request);
        self.depend(request, &held);
    }

    /// Tells the detector, and reports the cycles that it finds.
    fn depend(&mut self, request: &Request<'_>, held: &[Held]) {
        let cycles = self.detector.request(&Dependency {
            at: request.at,
            lock: request.word.lock(),
            mode: request.word.mode(),
            site: site_number(request.site),
            held,
        });
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
    pub(crate) fn published(&self, event: LockId) -> Option<&VectorClock> {
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

    fn cycle(&mut self, cycle: &Cycle) {
        let n = cycle.links.len().min(LISTED);
        let mut parts: Vec<u64> = cycle
            .links
            .iter()
            .map(|l| {
                let mut h = NumberHasher::default();
                let ends = [l.held, l.asked];
                ends.map(|e| (class_of(e.lock), e.site, e.mode)).hash(&mut h);
                h.finish()
            })
            .collect();
        parts.sort_unstable();
        let event = cycle.links[..n].iter().position(|l| self.is_event(l.asked.lock));
        // Not reported: an event that one thread both waits for and completes; one that needs a writer to
        // queue just then; what a program does after a panic has ended its hang; and cycles of more than
        // two links, whose threads the event itself may keep apart.
        let vague = matches!(cycle.tier, Tier::NeedsThread | Tier::NeedsWriter);
        if event.is_some() && (vague || n > 2 || self.hung) {
            return;
        }
        let rule = if event.is_some() { Rule::WaitWhileHolding } else { Rule::LockOrder };
        // Other holders may have permits, or units, enough to give back.
        let counts = event.is_some_and(|at| {
            let class = class_of(cycle.links[at].asked.lock);
            matches!(self.classes[class as usize].kind, LockKind::Permits | LockKind::Resource)
        });
        let tier = if counts { cycle.tier.min(Tier::Potential) } else { cycle.tier };
        // What the outermost threads alone keep apart is told beside what all keep apart.
        let sign = signature(rule, parts.into_iter().chain([u64::from(cycle.by_outermost)]));
        if self.reported.get(&sign).is_some_and(|&known| known >= tier) {
            return;
        }
        let mut threads: Vec<FoundThread> = Vec::new();
        for link in &cycle.links[..n] {
            let thread = self.thread(link.thread);
            if !threads.contains(&thread) {
                threads.push(thread);
            }
        }
        let who = list(&threads.iter().map(ToString::to_string).collect::<Vec<_>>());
        let names: Vec<String> = (0..n).map(|i| format!("{{{i}}}")).collect();
        let template = match (n, threads.len()) {
            _ if let Some(at) = event => {
                let (waiter, holder) = (&cycle.links[at], &cycle.links[(at + 1) % n]);
                let kind = self.lock(waiter.asked.lock).kind;
                format!(
                    "{} waits for {} while it holds {{{at}}}, and {} needs {{{}}} before it {}",
                    self.thread(waiter.thread),
                    awaited(kind, &format!("{{{}}}", (at + 1) % n)),
                    self.thread(holder.thread),
                    (at + 2) % n,
                    completes(kind).unwrap_or("completes that"),
                )
            }
            (2, 1) => format!("{{0}} and {{1}} are locked in opposite orders, both by {who}"),
            (2, _) => format!("{{0}} and {{1}} are locked in opposite orders by {who}"),
            (LISTED, _) if cycle.links.len() > n => format!(
                "{} locks are locked in a cycle by {who}, of which the first {n} are listed",
                cycle.links.len()
            ),
            _ => format!("{} are locked in a cycle by {who}", list(&names)),
        };
        let mut finding = Finding::new(rule, tier, template);
        finding.locks = cycle.links[..n].iter().map(|l| self.lock(l.held.lock)).collect();
        for (i, link) in cycle.links[..n].iter().enumerate() {
            finding.locks[i].gone = !self.detector.knows(link.held.lock);
            finding.edges.push(self.edge(link, i, (i + 1) % n));
        }
        if cycle.by_events && cycle.tier == Tier::Potential {
            let by = "a message, a notification or a barrier kept these threads apart in this run";
            finding.notes.push(by.to_owned());
        }
        if cycle.by_outermost {
            finding.apart = self.spawned_by_outermost(&cycle.links[..n]);
        }
        finding.reason = match cycle.tier {
            Tier::Guarded => cycle.gate.map(|gate| {
                finding.locks.push(self.lock(gate));
                format!("gate lock {{{}}} is held on both sides", finding.locks.len() - 1)
            }),
            Tier::Ordered => Some("spawn and join order keeps the threads apart".to_owned()),
            _ => None,
        };
        self.report(sign, finding);
    }

    /// Where the threads of these links, or those that they descend from, were spawned by threads that
    /// nobody spawned; empty where that is not known of all.
    fn spawned_by_outermost(&self, links: &[Link]) -> Vec<Site> {
        let mut sites: Vec<Site> = Vec::new();
        for link in links {
            let (mut thread, mut spawned) = (link.thread, None);
            loop {
                let Some(info) = self.threads.get(&thread) else { return Vec::new() };
                let Some(parent) = info.parent else { break };
                (thread, spawned) = (parent, info.spawned);
            }
            if let Some(site) = spawned
                && !sites.contains(&site)
            {
                sites.push(site);
            }
        }
        sites
    }

    fn is_event(&self, lock: LockId) -> bool {
        self.classes[class_of(lock) as usize].kind.is_event()
    }

    fn edge(&mut self, link: &Link, from: usize, to: usize) -> FoundEdge {
        self.trace_thread(link.thread);
        let (from_site, to_site) = (self.site(link.held.site), self.site(link.asked.site));
        let stacks = self.stacks_between(link.thread, from_site, to_site);
        FoundEdge {
            from,
            to,
            thread: self.thread(link.thread),
            from_mode: link.held.mode,
            to_mode: link.asked.mode,
            from_site,
            to_site,
            guards: link
                .guards
                .iter()
                .map(|g| FoundHold {
                    class: class_of(g.lock),
                    instance: g.lock,
                    mode: g.mode,
                    tried: g.tried,
                    site: self.site(g.site),
                })
                .collect(),
            from_stack: stacks.from,
            stack: stacks.to,
        }
    }

    pub(crate) fn lock(&self, lock: LockId) -> FoundLock {
        FoundLock { instance: lock, ..self.class_lock(class_of(lock)) }
    }

    /// Any lock of this class.
    pub(crate) fn class_lock(&self, class: u32) -> FoundLock {
        let known = &self.classes[class as usize];
        FoundLock {
            kind: known.kind.code(),
            type_name: known.type_name,
            created: known.created,
            class,
            instance: 0,
            gone: false,
            place: known.place.map(|(_, name)| name),
        }
    }

    /// Where `thread` was when it held a lock since the one place and asked for another at the other;
    /// of another thread that did so where it is not known of this one.
    fn stacks_between(&self, thread: ThreadId, from: Site, to: Site) -> BothStacks {
        let known = self.stacks.get(&(site_number(from), site_number(to)));
        known.map_or(BothStacks::default(), |known| known.of(thread))
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
        if let (Some(trace), Some(class)) = (&mut self.trace, self.classes.get(class as usize)) {
            trace.class(class);
        }
    }

    /// Writes who the thread is, if the trace does not have it yet: who asks what the threads do has to know
    /// those that wait or hold something.
    pub(crate) fn trace_thread(&mut self, thread: ThreadId) {
        if let Some(trace) = &mut self.trace {
            let found = FoundThread { id: thread, name: None, spawned: None };
            let unknown = ThreadInfo { thread: found, parent: None, spawned: None };
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
                self.classes.iter().skip(1).for_each(|class| trace.class(class));
                self.threads.values().for_each(|thread| trace.thread(thread));
            }
        }
    }
}

/// Whether the place of creation says nothing about a lock, as many unrelated ones are created in this file:
/// in the standard library, wherever its sources are, and in `lock_api`, where it makes its
/// `ReentrantMutex`es.
fn is_anonymous(file: &str) -> bool {
    let file = file.replace('\\', "/");
    let is_of_lock_api = |part: &str| part == "lock_api" || part.starts_with("lock_api-");
    file.starts_with("/rustc/")
        || file.contains("/lib/rustlib/src/rust/library/")
        || file.split('/').any(is_of_lock_api)
}

#[cfg(test)]
mod tests {
    use super::is_anonymous;

    #[test]
    fn places_in_the_standard_library_are_nobodys() {
        let rust_src =
            "/home/me/.rustup/toolchains/stable/lib/rustlib/src/rust/library/core/tuple.rs";
        assert!(is_anonymous(rust_src));
        assert!(is_anonymous(&rust_src.replace('/', "\\")));
        assert!(is_anonymous("/rustc/59807616e1fa/library/core/src/tuple.rs"));
        assert!(is_anonymous("/registry/src/index/lock_api-0.4.14/src/remutex.rs"));
        assert!(!is_anonymous("src/library/core.rs"));
        assert!(!is_anonymous("src/my_lock_api.rs"));
    }
}
