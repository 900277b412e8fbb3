//! One poll of a task by the calling thread: which record the two act by, and what is left at its end.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;
use std::{mem, ptr};

use crate::model::finding::Finding;
use crate::model::ids::ThreadId;
use crate::model::inventory::Counts;
use crate::model::lock::Site;
use crate::model::word::HoldWord;
use crate::observer::facts::{Doing, StuckThread};
use crate::process::{halt_at, is_observing, know_thread, observe};
use crate::slow_path::{acquire, life, spawn};
use crate::tasks::leaf::{Leaf, Leaves, PolledBy};
use crate::tasks::state::{Runs, State, Waiting};
use crate::tasks::waker::TaskWaker;
use crate::thread_state::current::{self, Acting, Busy};
use crate::thread_state::position::{start_at, thread_point};
use crate::thread_state::record::OwnRecord;
use crate::thread_state::registry::{self, Resting};
use crate::thread_state::wait::Awaited;
use crate::waits::block::{self, Wait};
use crate::waits::cycle;

thread_local! {
    /// The innermost poll that this thread is in, or null.
    static INNERMOST: Cell<*const Polled> = const { Cell::new(ptr::null()) };
}

/// See the module.
pub(super) struct Polled {
    task: Arc<State>,
    thread: OwnRecord,
    /// How many locks the thread held at the beginning of the poll.
    held_before: usize,
    waker: Option<TaskWaker>,
    /// The record that the task acts by, where it has one of its own.
    record: Cell<Option<OwnRecord>>,
    acting: Cell<Option<Acting>>,
    /// How many locks the task has kept since an earlier poll.
    kept: Cell<usize>,
    /// How many clones of the waker there were when the task got its last lock in this poll, or at the
    /// beginning.
    clones_at_last: Cell<usize>,
    /// What futures of the task wait for that is not a lock, as this poll has found.
    leaves: RefCell<Leaves>,
    /// The hang that another thread has found the task in.
    ends_with: RefCell<Option<Arc<Finding>>>,
    outer: *const Polled,
    /// The task that the thread polls around this.
    polled_before: Option<(ThreadId, Site)>,
}

/// What alone can wake a task.
enum Only {
    Lock(HoldWord, Site),
    Leaf(Leaf),
}

/// See [`Polled::futurelock`].
struct Given {
    word: HoldWord,
    waits_at: Site,
    given_at: Site,
}

/// Runs `body` as part of a poll of this task, with the waker of the executor, or of the destruction of its
/// future. `None` where the thread passes through.
pub(super) fn during<R>(
    task: &Arc<State>,
    executor: Option<&Waker>,
    body: impl FnOnce(&Polled) -> R,
) -> Option<R> {
    let Some(thread) = current::current().or_else(life::begin) else {
        pass_by(task);
        return None;
    };
    let (waker, record) = {
        let _busy = Busy::new();
        let (kept, record) = {
            let mut rest = task.rest();
            rest.polls += 1;
            (rest.waker.take(), rest.record.take())
        };
        (executor.map(|executor| waker_over(task, executor, kept)), record)
    };
    let clones = waker.as_ref().map_or(0, TaskWaker::clones);
    let polled = Polled {
        task: Arc::clone(task),
        thread,
        held_before: thread.held.len(),
        waker,
        record: Cell::new(None),
        acting: Cell::new(None),
        kept: Cell::new(0),
        clones_at_last: Cell::new(clones),
        leaves: RefCell::default(),
        ends_with: RefCell::default(),
        outer: INNERMOST.get(),
        polled_before: thread.polls.get(),
    };
    // What the thread has locked for other tasks delays nothing that this one does, and the reverse.
    if task.runs == Runs::Spawned {
        thread.close_window();
        thread.polls.set(Some((task.number(), task.site())));
    }
    polled.begin(record);
    let scope = Scope(&polled);
    INNERMOST.set(&raw const polled);
    let result = body(&polled);
    drop(scope);
    if let Some(waker) = polled.waker {
        let mut rest = task.rest();
        // It keeps the task that it wakes: one that has ended would keep itself.
        if !rest.has_ended {
            rest.waker = Some(waker);
        }
    }
    Some(result)
}

/// The task's waker for this one of the executor: the one that it had in its last poll, if that is over the
/// same.
fn waker_over(task: &State, executor: &Waker, kept: Option<TaskWaker>) -> TaskWaker {
    match kept {
        Some(kept) if kept.is_over(executor) => kept,
        Some(kept) => {
            if kept.clones() > 0 {
                task.rest().has_uncounted_wakers = true;
            }
            TaskWaker::new(executor)
        }
        None => TaskWaker::new(executor),
    }
}

/// The task is polled, or dropped, by a thread that passes through: what it holds and waits for is not known
/// from here on.
fn pass_by(task: &State) {
    let record = task.rest().record.take();
    if let Some(record) = record.map(Resting::resume) {
        record.sleeper.gets_up();
        record.wait.end();
        record.forget_holds();
        registry::give_up(record);
    }
}

/// Ends the poll, also where it unwinds.
struct Scope<'a>(&'a Polled);

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        INNERMOST.set(self.0.outer);
        self.0.end();
        if self.0.task.runs == Runs::Spawned {
            self.0.thread.close_window();
            self.0.thread.polls.set(self.0.polled_before);
        }
    }
}

/// Calls `step` with the innermost poll of this thread, if it is in one.
#[inline]
pub(super) fn innermost<R>(step: impl FnOnce(&Polled) -> R) -> Option<R> {
    // SAFETY: null, or set by `during` to a value of its own, which it takes back before that value is gone,
    // in the same thread.
    unsafe { INNERMOST.get().as_ref() }.map(step)
}

/// The innermost task that this thread polls acts by its own record from here on.
pub(super) fn attach() {
    innermost(Polled::attach);
}

/// The record of the task or thread that spawns a task here, if anything is known that comes before that.
pub(super) fn parent() -> Option<OwnRecord> {
    let has_past = |record: &OwnRecord| {
        let own = record.mine().own.borrow();
        own.shows_orders || !own.at.clock.is_empty() || !own.sections.is_empty()
    };
    let has_begun = innermost(|polled| match polled.task.runs {
        Runs::Spawned => polled.is_attached() || polled.task.has_begun(),
        Runs::BlockOn => has_past(&polled.thread),
    });
    match has_begun {
        Some(true) => innermost(Polled::attach).flatten(),
        Some(false) => None,
        None => current::current().filter(has_past),
    }
}

impl Only {
    fn awaited(self) -> Option<(Awaited, Site)> {
        match self {
            Only::Lock(word, site) => Some((Awaited::Lock(word), site)),
            Only::Leaf(Leaf::Event(event, site)) => Some((Awaited::Event(event?), site)),
            Only::Leaf(Leaf::End(task)) => Some((Awaited::TaskEnd(task.number()), task.site())),
        }
    }
}

impl Polled {
    /// The task's waker, while it is polled.
    pub(super) fn waker(&self) -> Option<&Waker> {
        self.waker.as_ref().map(TaskWaker::waker)
    }

    pub(super) fn task(&self) -> &Arc<State> {
        &self.task
    }

    fn begin(&self, record: Option<Resting>) {
        if let Some(waker) = &self.waker {
            waker.begin_poll();
        }
        let Some(record) = record.map(Resting::resume) else { return };
        *self.ends_with.borrow_mut() = record.sleeper.gets_up();
        drop(Wait::of_resting(record));
        self.kept.set(record.held.len());
        match self.task.runs {
            Runs::Spawned => self.act_by(record),
            Runs::BlockOn => {
                acquire::drain_remote_releases(record);
                let _busy = Busy::new();
                record.move_holds(0, self.thread);
                let is_witness = record.mine().own.borrow().is_witness;
                self.thread.mine().own.borrow_mut().is_witness |= is_witness;
                registry::put_by(record);
            }
        }
    }

    fn act_by(&self, record: OwnRecord) {
        record.system.store(self.thread.system.load(Relaxed), Relaxed);
        if let Some(acting) = Acting::by(record) {
            self.record.set(Some(record));
            self.acting.set(Some(acting));
        }
    }

    /// Whether the task acts by its own record, or has no need to.
    pub(super) fn is_attached(&self) -> bool {
        self.task.runs == Runs::BlockOn || self.record.get().is_some()
    }

    /// The record that the task acts by from here on; `None` where this thread passes through.
    #[inline]
    pub(super) fn attach(&self) -> Option<OwnRecord> {
        if self.task.runs == Runs::BlockOn {
            return current::current();
        }
        self.record.get().or_else(|| self.attach_first())
    }

    #[cold]
    fn attach_first(&self) -> Option<OwnRecord> {
        current::current()?;
        let record = {
            let _busy = Busy::new();
            registry::take_for_task()
        };
        self.task.enter(record);
        {
            // What the thread has locked in this poll is the task's as well.
            let _busy = Busy::new();
            self.thread.move_holds(self.held_before, record);
        }
        self.act_by(record);
        self.record.get()
    }

    /// The task has got a lock.
    #[inline]
    pub(super) fn got_lock(&self) {
        self.clones_at_last.set(self.waker.as_ref().map_or(0, TaskWaker::clones));
    }

    /// Whether no other future of the task can be waiting, so that it holds what it holds until it gets the
    /// lock that it asks for now.
    #[inline]
    pub(super) fn is_one_future(&self) -> bool {
        let clones = self.waker.as_ref().map_or(0, TaskWaker::clones);
        let is_counted = !self.task.has_sets.load(Relaxed);
        is_counted && (clones == 0 || self.kept.get() == 0 && clones <= self.clones_at_last.get())
    }

    /// An acquisition is polled with this waker. One that is not the task's own is that of a future in a set
    /// that gives each a waker: how many of those wait is not known.
    #[inline]
    pub(super) fn is_polled_with(&self, waker: &Waker) {
        if !self.is_own_waker(waker) {
            self.task.has_sets.store(true, Relaxed);
        }
    }

    /// Whether this is the waker that the task itself is polled with, and not that of a set of futures in it.
    #[inline]
    pub(super) fn is_own_waker(&self, waker: &Waker) -> bool {
        self.waker().is_some_and(|own| own.will_wake(waker))
    }

    /// The task takes no further step.
    pub(super) fn finish(&self) {
        let is_again = mem::replace(&mut self.task.rest().has_ended, true);
        let Some(life) = self.task.life.get() else { return };
        let has_acted = self.is_attached() || self.task.rest().own.is_some();
        if is_again || self.task.runs == Runs::BlockOn || !has_acted {
            return;
        }
        let Some(record) = self.attach() else { return };
        life.finish(record);
        let mut held = Vec::new();
        record.held.held_into(&mut held);
        let thread = record.thread.load(Relaxed);
        let is_known = record.mine().own.borrow().is_known;
        if is_known && is_observing() || !held.is_empty() {
            observe(|o| {
                // The guards are elsewhere, or were leaked.
                if !held.is_empty() {
                    know_thread(o, record, None);
                    o.abandon(thread, held);
                }
                o.thread_ended(thread, &[], Counts::default());
            });
        }
        record.forget_holds();
    }

    /// Ends the task where it was woken for that.
    ///
    /// # Panics
    /// Where that is so.
    pub(super) fn end_if_roused(&self) {
        let finding = self.ends_with.take();
        if let Some(finding) = finding {
            let id = self.attach().map(|record| record.thread.load(Relaxed));
            if let Some(wait) = finding.waits.iter().find(|wait| Some(wait.thread.id) == id) {
                halt_at(&finding, Some(wait.site));
            }
        }
    }

    /// A future of the task waits for something that is not a lock.
    pub(super) fn leaves_pending(&self, leaf: Leaf, polled_by: PolledBy) {
        let mut leaves = self.leaves.borrow_mut();
        *leaves = match (&*leaves, polled_by) {
            (Leaves::None, PolledBy::Task) => Leaves::One(leaf),
            _ => Leaves::Several,
        };
    }

    /// A future that was found waiting before may not wait any more, or be gone with its waker: what is left of the
    /// wakers could be another's.
    pub(super) fn leaf_has_moved(&self) {
        let mut leaves = self.leaves.borrow_mut();
        if matches!(*leaves, Leaves::One(_)) {
            *leaves = Leaves::Several;
        }
    }

    /// What was found before, which then counts as nothing.
    pub(super) fn take_leaves(&self) -> Leaves {
        self.leaves.take()
    }

    pub(super) fn set_leaves(&self, leaves: Leaves) {
        *self.leaves.borrow_mut() = leaves;
    }

    /// Whether others are told what the task waits for: they may wait for it, or it is a thread's own.
    pub(super) fn is_told(&self) -> bool {
        self.task.runs == Runs::BlockOn
            || self.record.get().is_some_and(|record| !record.held.is_empty())
    }

    /// The poll has left the task unfinished: reports if it can never go on.
    ///
    /// # Panics
    /// Where that is so, as configured.
    pub(super) fn rest(&self) {
        let only = self.only_wait();
        if !matches!(only, Some(Only::Lock(..))) {
            // What it asks for after this wait delays what it then completes, and nothing before.
            self.record.get().unwrap_or(self.thread).close_window();
        }
        let record = match self.task.runs {
            Runs::Spawned => match only {
                Some(Only::Lock(..)) => self.attach(),
                Some(Only::Leaf(_)) if self.is_told() => self.attach(),
                Some(Only::Leaf(_)) | None => None,
            },
            Runs::BlockOn => {
                let has_any = only.is_some() || self.thread.held.len() > self.held_before;
                has_any.then(|| self.set_apart())
            }
        };
        let mut stuck = None;
        let only = only.and_then(Only::awaited);
        if let Some(((awaited, site), record)) = only.zip(record) {
            stuck = self.show(record, awaited, site);
        }
        if let (Some(record), Runs::BlockOn) = (record, self.task.runs) {
            // SAFETY: it was taken for this rest alone, and is not used below.
            self.task.rest().record = Some(unsafe { Resting::new(record) });
        }
        if let Some(finding) = stuck {
            halt_at(&finding, only.map(|(_, site)| site));
        } else if let Some(given) = self.given() {
            self.futurelock(given);
        }
    }

    /// Shows what the task of this record waits for, which alone can wake it. Returns the finding where that is
    /// for ever.
    fn show(&self, record: OwnRecord, awaited: Awaited, site: Site) -> Option<Arc<Finding>> {
        // What the thread of a future has held before stays held as well.
        let is_thread = self.task.runs == Runs::BlockOn && self.held_before > 0;
        let holds = !record.held.is_empty() || is_thread;
        match awaited {
            Awaited::Event(event) if !record.held.is_empty() => {
                acquire::wait_holding(record, &AtomicU64::new(0), event, site);
            }
            Awaited::TaskEnd(task) if !record.held.is_empty() => {
                let before = spawn::before_join(record, site);
                self.task.rest().before_join = before.map(|before| Box::new((task, before)));
            }
            _ => {}
        }
        let wait = block::show_rest(record, awaited, site, holds);
        if let Some(waker) = &self.waker {
            record.sleeper.lies_down(waker.executor().clone());
        }
        let on_itself = match awaited {
            Awaited::Lock(word) => acquire::waits_for_itself(record, word, site),
            _ => None,
        };
        let is_in_cycles = holds && matches!(awaited, Awaited::Lock(_) | Awaited::TaskEnd(_));
        let stuck =
            on_itself.or_else(|| if is_in_cycles { cycle::closed_by(record) } else { None });
        if stuck.is_none() {
            wait.go_on();
        }
        stuck
    }

    /// The task waits for a lock that another future of its own was given, which it polls no more, and nothing
    /// but that lock can wake it.
    fn futurelock(&self, Given { word, waits_at, given_at }: Given) {
        let Some(record) = self.attach() else { return };
        let finding = {
            let _busy = Busy::new();
            let mut held = Vec::new();
            record.held.held_into(&mut held);
            let (thread, doing) = (record.thread.load(Relaxed), Doing::Waits(Awaited::Lock(word)));
            let me = StuckThread { thread, doing, site: waits_at, held };
            observe(|o| {
                know_thread(o, record, None);
                o.futurelock(&me, given_at)
            })
        };
        halt_at(&finding, Some(waits_at));
    }

    /// Whether the task is in such a wait. All its requests have been in their queues, and all clones of its waker
    /// but one are gone: that one is of the request which was polled just now, so all others have been answered,
    /// and only a poll of their futures could take what they were given. Futures that may have been sent to
    /// another task are left out.
    fn given(&self) -> Option<Given> {
        let waker = self.waker.as_ref()?;
        let rest = self.task.rest();
        let is_counted = !rest.has_uncounted_wakers && !self.task.has_sets.load(Relaxed);
        let is_own = |waiting: &Waiting| waiting.by_task && waiting.queued && !waiting.owned;
        if rest.waiting.len() < 2 || !is_counted || !rest.waiting.iter().all(is_own) {
            return None;
        }
        let (now, before): (Vec<_>, Vec<_>) =
            rest.waiting.iter().partition(|waiting| waiting.polled == rest.polls);
        let [waits] = now[..] else { return None };
        let given = before.iter().find(|given| given.word.lock() == waits.word.lock())?;
        let given = Given { word: waits.word, waits_at: waits.site, given_at: given.site };
        (waker.clones() == 1 && !waker.is_woken()).then_some(given)
    }

    /// What alone can wake the task, if that is known.
    fn only_wait(&self) -> Option<Only> {
        let waker = self.waker.as_ref()?;
        let rest = self.task.rest();
        let only = match (&*rest.waiting, self.leaves.take()) {
            ([only], Leaves::None) if only.by_task => Only::Lock(only.word, only.site),
            ([], Leaves::One(leaf)) => Only::Leaf(leaf),
            _ => return None,
        };
        let is_only = !rest.has_uncounted_wakers && waker.clones() == 1 && !waker.is_woken();
        is_only.then_some(only)
    }

    /// Puts what the thread's own future holds into a record for as long as it rests.
    fn set_apart(&self) -> OwnRecord {
        let at = thread_point(self.thread);
        let _busy = Busy::new();
        let record = registry::take_for_task();
        record.thread.store(at.thread, Relaxed);
        record.foreign.store(self.thread.foreign.load(Relaxed), Relaxed);
        start_at(record, at);
        self.thread.move_holds(self.held_before, record);
        record.outer_holds.store(self.held_before, Relaxed);
        record
    }

    /// The poll is over.
    fn end(&self) {
        if let Some(record) = self.record.take() {
            drop(self.acting.take());
            acquire::drain_remote_releases(record);
            record.system.store(0, Relaxed);
            if let Some(life) = self.task.life.get() {
                life.rests(record);
            }
            if record.held.is_empty() && !record.wait.is_on() {
                self.task.leave(record);
            } else {
                // Others may have to name it.
                if !record.mine().own.borrow().is_known {
                    observe(|o| know_thread(o, record, None));
                }
                // SAFETY: `acting` was the only way by which this thread came to it, and it is gone.
                self.task.rest().record = Some(unsafe { Resting::new(record) });
            }
        }
    }
}
