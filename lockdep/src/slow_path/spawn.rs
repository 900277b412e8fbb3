//! Spawning, ending and joining: the order between threads, and the wait for their end.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, OnceLock};

use crate::engine::{CriticalSection, InheritedLocks, SharedClock, ThreadPoint};
use crate::model::finding::ThreadKind;
use crate::model::held::HeldLock;
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::{LockKind, Mode, Site};
use crate::model::word::{HoldWord, LockWord};
use crate::observer::Observer;
use crate::observer::facts::{Request, RequestStack};
use crate::process::{know_thread, observe};
use crate::slow_path::life::begin;
use crate::thread_state::counters::{LEAVING, STARTING};
use crate::thread_state::current::{Busy, current};
use crate::thread_state::position::{clock_changed, event_point, start_at, thread_point};
use crate::thread_state::record::{Own, OwnRecord, TaskOrigin};
use crate::thread_state::registry;
use crate::thread_state::serials::serial;

/// How many acquisitions of a new thread are compared with the locks that it has inherited.
const FIRST_STEPS: u32 = 64;

/// What a spawned thread, or task, and those that may join it share.
#[derive(Debug)]
pub(crate) struct Spawned {
    /// Its first step.
    first: ThreadPoint,
    /// Who spawned it, where that is known.
    parent: Option<ThreadId>,
    site: Site,
    /// See [`Own::kin`]; zero for a thread.
    kin: u64,
    started: AtomicBool,
    /// Whether it is a thread, or a task that has told of a dependency.
    may_be_witness: AtomicBool,
    end: OnceLock<Box<End>>,
}

/// What a thread that has ended tells the one that joins it.
#[derive(Debug)]
struct End {
    /// Its last step, which is completed.
    at: ThreadPoint,
    /// The locks that it asked for.
    asked: Vec<(HoldWord, Site)>,
}

/// Where a thread was when it began to join another while it held locks.
#[derive(Debug)]
pub(crate) struct BeforeJoin {
    at: ThreadPoint,
    held: Vec<HeldLock>,
    site: Site,
}

/// The thread or task of this record is about to wait for the end of another.
pub(crate) fn before_join(record: OwnRecord, site: Site) -> Option<BeforeJoin> {
    if record.held.is_empty() {
        return None;
    }
    let _busy = Busy::new();
    let mut held = Vec::new();
    record.held.held_into(&mut held);
    Some(BeforeJoin { at: event_point(record), held, site })
}

/// The current thread is about to spawn one.
pub(crate) fn spawn(site: Site) -> Option<Arc<Spawned>> {
    let record = current().or_else(begin)?;
    record.was_active.store(true, Relaxed);
    let (first, parent, _) = descend(record);
    let _busy = Busy::new();
    STARTING.fetch_add(1, SeqCst);
    Some(Arc::new(Spawned::new(first, Some(parent), site, ThreadKind::Thread)))
}

/// The thread or task of this record is about to spawn a task.
pub(crate) fn spawn_task(record: OwnRecord, site: Site) -> Arc<Spawned> {
    let (first, parent, kin) = descend(record);
    let _busy = Busy::new();
    Arc::new(Spawned::new(first, Some(parent), site, ThreadKind::Task).among(kin))
}

/// The task of this number, which nothing is known to come before.
pub(crate) fn first_task(number: ThreadId, site: Site) -> Arc<Spawned> {
    let _busy = Busy::new();
    let first = ThreadPoint { thread: number, epoch: 1, ..ThreadPoint::default() };
    Arc::new(Spawned::new(first, None, site, ThreadKind::Task).among(registry::ORPHANS))
}

/// The first step of what the thread of this record spawns now, and the number of that thread, which is one
/// step further from here on; and what number those have that it spawns with the same clocks.
fn descend(record: OwnRecord) -> (ThreadPoint, ThreadId, u64) {
    let parent = record.thread.load(Relaxed);
    let at = thread_point(record);
    let is_outermost = record.foreign.load(Relaxed);
    let inherited = inherit(record, &at);
    let Own { task, is_known, is_witness, .. } = *record.mine().own.borrow();
    if task.is_some() && !is_known {
        observe(|o| know_thread(o, record, None));
    }
    let is_remembered = is_witness && observe(|o| o.remembers(parent));
    let _busy = Busy::new();
    let (clock, without_outermost) = {
        let mut own = record.mine().own.borrow_mut();
        own.at.epoch += 1;
        let epochs = |is_known: bool| if is_known { at.epoch } else { 0 };
        (
            own.at.clock.descend(parent, epochs(is_remembered)),
            own.at.without_outermost.descend(parent, epochs(is_remembered && !is_outermost)),
        )
    };
    // What was asked for before the new thread existed cannot keep it waiting.
    record.close_window();
    // A spawner that is not remembered is in no clock of what it spawns.
    let brood = match (is_remembered, &inherited, record.mine().own.borrow().brood) {
        (true, ..) | (_, Some(_), _) => 0,
        (false, None, 0) => registry::next_brood(),
        (false, None, brood) => brood,
    };
    let kin = record.mine().own.borrow().kin;
    clock_changed(record);
    {
        let mut own = record.mine().own.borrow_mut();
        (own.brood, own.kin) = (brood, kin);
    }
    let first = ThreadPoint {
        thread: registry::next_thread(),
        epoch: 1,
        clock,
        without_outermost,
        observed: at.observed,
        inherited,
    };
    (first, parent, brood)
}

/// What a thread inherits that this one, being at `at`, spawns.
fn inherit(record: OwnRecord, at: &ThreadPoint) -> Option<Arc<InheritedLocks>> {
    let _busy = Busy::new();
    let mut own = record.mine().own.borrow_mut();
    if !record.held.is_empty() {
        record.watch_releases();
        record.held.each_held(|held, _| {
            let lock = held.word.lock();
            if !own.sections.iter().any(|s| s.lock == lock) {
                own.sections.push(Arc::new(CriticalSection::new(
                    at.thread,
                    lock,
                    held.word.mode(),
                )));
            }
        });
    }
    let inherited = InheritedLocks::new(at.thread, own.sections.clone(), at.inherited.as_ref())?;
    if own.children.len() == own.children.capacity() {
        own.children.retain(|child| child.is_open());
    }
    own.children.push(Arc::clone(&inherited));
    Some(inherited)
}

/// On the slow path of an acquisition: notes whether the lock is one that the thread has inherited. Returns
/// whether later acquisitions must be looked at too.
pub(crate) fn looks_for_inherited(record: OwnRecord, word: HoldWord) -> bool {
    let mut own = record.mine().own.borrow_mut();
    let Own { at, entered, first_steps, .. } = &mut *own;
    let Some(inherited) = at.inherited.as_ref().filter(|_| *first_steps > 0) else { return false };
    *first_steps -= 1;
    let new = |s: &&Arc<CriticalSection>| {
        let bars = s.lock == word.lock() && Mode::conflicts(s.mode, word.mode());
        !word.tried() && bars && !entered.iter().any(|(t, _)| Arc::ptr_eq(s, t))
    };
    let found: Vec<_> = inherited.sections().filter(new).cloned().collect();
    entered.extend(found.into_iter().map(|section| (section, record.held.pushed())));
    *first_steps > 0
}

/// The thread has released one hold of a lock under which it has spawned threads.
pub(crate) fn released(record: OwnRecord, lock: LockId) {
    let (section, completed) = {
        let _busy = Busy::new();
        let mut own = record.mine().own.borrow_mut();
        let Some(at) = own.sections.iter().position(|s| s.lock == lock) else { return };
        if record.held.holds(lock) {
            return;
        }
        let section = own.sections.swap_remove(at);
        let completed = own.at.completed();
        own.at.epoch += 1;
        (section, completed)
    };
    clock_changed(record);
    observe(|o| o.released(&section, completed));
}

impl Spawned {
    fn new(first: ThreadPoint, parent: Option<ThreadId>, site: Site, kind: ThreadKind) -> Spawned {
        let started = AtomicBool::new(kind == ThreadKind::Task);
        let may_be_witness = AtomicBool::new(kind == ThreadKind::Thread);
        let end = OnceLock::new();
        Spawned { first, parent, site, kin: 0, started, may_be_witness, end }
    }

    fn among(mut self, kin: u64) -> Spawned {
        self.kin = kin;
        self
    }

    /// The new thread starts.
    pub(crate) fn enter(&self) {
        if let Some(record) = current().or_else(begin) {
            self.start(record);
            observe(|o| know_thread(o, record, self.parent.map(|parent| (parent, self.site))));
        }
        self.begun();
    }

    /// The new task starts, and acts by this record.
    pub(crate) fn enter_as_task(&self, record: OwnRecord) {
        self.start(record);
        let origin = TaskOrigin { parent: self.parent, site: self.site };
        let mut own = record.mine().own.borrow_mut();
        (own.task, own.kin) = (Some(origin), self.kin);
    }

    /// Whether this of the task says what it said when the task began, but for the locks that it has asked for since.
    pub(crate) fn is_as_spawned(&self, own: &Own) -> bool {
        let Own { at, published_epochs, sections, children, entered, clock_changes, .. } = own;
        let Own { first_steps, pending, shows_orders, is_known, is_witness, kin, .. } = own;
        // A number of its own lasts as long as the task's clocks are those that it began with.
        *kin != 0
            && *kin == self.kin
            && (at.epoch, *published_epochs, *clock_changes, *first_steps) == (1, 0, 0, 0)
            && !(*shows_orders || *is_known || *is_witness)
            && (sections.is_empty() && children.is_empty())
            && (entered.is_empty() && pending.is_empty())
    }

    /// The task, which acts by this record, takes no step for now.
    pub(crate) fn rests(&self, record: OwnRecord) {
        if record.mine().own.borrow().is_witness {
            self.may_be_witness.store(true, Relaxed);
        }
    }

    fn start(&self, record: OwnRecord) {
        let _busy = Busy::new();
        record.thread.store(self.first.thread, Relaxed);
        record.foreign.store(false, Relaxed);
        start_at(record, self.first.clone());
        if self.first.inherited.is_some() {
            record.mine().own.borrow_mut().first_steps = FIRST_STEPS;
            record.held.force_slow_path();
        }
    }

    fn begun(&self) {
        if !self.started.swap(true, SeqCst) {
            STARTING.fetch_sub(1, SeqCst);
        }
    }

    /// The new thread's closure has returned.
    pub(crate) fn leave(&self) {
        let Some(record) = current() else { return };
        self.finish(record);
        let _busy = Busy::new();
        if !record.held.is_empty() && !record.is_leaving.swap(true, Relaxed) {
            LEAVING.fetch_add(1, SeqCst);
        }
    }

    /// What the thread or task of this record has done is all that it does.
    pub(crate) fn finish(&self, record: OwnRecord) {
        let at = thread_point(record);
        let unjoined = {
            let _busy = Busy::new();
            let mut children = std::mem::take(&mut record.mine().own.borrow_mut().children);
            children.retain(|child| child.is_open());
            children
        };
        if !unjoined.is_empty() {
            observe(|o| o.detached(&unjoined));
        }
        let _busy = Busy::new();
        record.close_window();
        let asked = record.mine().own.borrow().asked.clone();
        // It ends once.
        _ = self.end.set(Box::new(End { at, asked }));
    }

    pub(crate) fn thread(&self) -> ThreadId {
        self.first.thread
    }

    /// The current thread knows that this one has ended.
    pub(crate) fn joined(&self, before: Option<BeforeJoin>) {
        let Some(record) = current() else { return };
        let Some(end) = self.end.get() else { return };
        // What it knew when it was spawned, whoever spawned it knows.
        let is_spawner = self.parent == Some(record.thread.load(Relaxed));
        let is_news = |at: &SharedClock, first: &SharedClock| !is_spawner || !at.is(first);
        let is_nothing_new = !self.may_be_witness.load(Relaxed)
            && before.is_none()
            && self.first.inherited.is_none()
            && !is_news(&end.at.clock, &self.first.clock)
            && !is_news(&end.at.without_outermost, &self.first.without_outermost)
            && !is_news(&end.at.observed, &self.first.observed);
        if is_nothing_new {
            return;
        }
        observe(|o| {
            if let Some(inherited) = &self.first.inherited {
                o.joined(inherited, record.thread.load(Relaxed));
            }
            if let Some(before) = before {
                know_thread(o, record, None);
                self.joined_holding(o, record, &before, end);
            }
            let mut own = record.mine().own.borrow_mut();
            let ThreadPoint { clock, without_outermost, observed, .. } = &mut own.at;
            if is_news(&end.at.clock, &self.first.clock) {
                o.join(clock, &end.at.clock);
            }
            o.advance(clock, end.at.thread, end.at.epoch);
            if !record.foreign.load(Relaxed) {
                if is_news(&end.at.without_outermost, &self.first.without_outermost) {
                    o.join(without_outermost, &end.at.without_outermost);
                }
                o.advance(without_outermost, end.at.thread, end.at.epoch);
            }
            if is_news(&end.at.observed, &self.first.observed) {
                o.join(observed, &end.at.observed);
            }
        });
        clock_changed(record);
    }

    /// To the order graph a thread is a lock that it holds from its first step to its last, and that a
    /// joining thread asks for (Sulzmann, "Cross-thread critical sections", 2025).
    fn joined_holding(&self, o: &mut Observer, record: OwnRecord, before: &BeforeJoin, end: &End) {
        if end.asked.is_empty() {
            return;
        }
        let class = o.class(self.site, LockKind::Thread, "()");
        let life = LockWord::new(class, serial(record));
        let alive = [HeldLock {
            word: life.held(Mode::Write, true),
            site: self.site,
            address: 0,
            level: 0,
        }];
        // As in `event_point`.
        let at = ThreadPoint { observed: SharedClock::default(), ..end.at.clone() };
        for &(word, site) in &end.asked {
            let (level, stack) = (0, RequestStack::Unknown);
            o.on_the_way(&Request { at: &at, word, site, address: 0, level, held: &alive, stack });
        }
        o.event(&Request {
            at: &before.at,
            word: life.held(Mode::Write, false),
            site: before.site,
            address: 0,
            level: 0,
            held: &before.held,
            stack: RequestStack::Current(&[]),
        });
        o.remove(life.lock());
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // The system may have made no thread.
        self.begun();
    }
}
