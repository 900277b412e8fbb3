//! The hooks of what threads wait for that is not a lock.

use std::mem;
use std::panic::Location;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::hooks::lock::Waited;
use crate::model::held::{Asked, Hold};
use crate::model::lock::{LockKind, LockType, Mode, Site};
use crate::model::word;
use crate::model::word::LockWord;
use crate::slow_path::{acquire, happens_before, identity, life};
use crate::thread_state::counters::Woken;
use crate::thread_state::current::Busy;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::wait::Awaited;
use crate::thread_state::{counters, current, serials};
use crate::waits::block::Wait;
use crate::waits::{block, livelock};

/// What a thread can wait for that is not a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A notification of a condition variable.
    Condvar,
    /// A message, or the end of all senders.
    Receive,
    /// Room in a bounded channel, or the end of the receiver.
    Send,
    /// The other participants of a barrier.
    Barrier,
    /// Permits of a semaphore that has several.
    Permit,
    /// Units of a banker's resource.
    Units,
    /// The end of one of several tasks.
    End,
}

impl EventKind {
    const fn ty(self) -> &'static LockType {
        match self {
            EventKind::Condvar => const { &LockType::of::<()>(LockKind::Condvar) },
            EventKind::Receive | EventKind::Send => {
                const { &LockType::of::<()>(LockKind::Channel) }
            }
            EventKind::Barrier => const { &LockType::of::<()>(LockKind::Barrier) },
            EventKind::Permit => const { &LockType::of::<()>(LockKind::Permits) },
            EventKind::Units => const { &LockType::of::<()>(LockKind::Resource) },
            EventKind::End => const { &LockType::of::<()>(LockKind::Thread) },
        }
    }

    /// Whether the thread that gets it comes after the one that completes it. Room and permits may have
    /// been made by any thread, so they order nothing.
    #[inline(always)]
    const fn carries_order(self) -> bool {
        !matches!(self, EventKind::Send | EventKind::Permit)
    }
}

/// The identity of a thing that threads wait on and signal: a condition variable, a channel, a
/// barrier.
///
/// To the order graph an event is a lock that no thread ever acquires. A thread that waits for the
/// event asks for that lock. A thread that completes the event "holds" it from its own last wait on,
/// because it must get every lock that it asks for until then. A cycle through both is a thread that
/// waits for an event while it holds a lock that the completing thread takes first (event windows,
/// after Zhou et al., "SUnhang", ISSTA 2022).
#[derive(Debug)]
pub struct EventTag {
    /// `None` where it is not known: the site of the first use stands in.
    created: Option<Site>,
    /// A [`LockWord`], zero until first needed; the second is the room in a channel.
    ids: [AtomicU64; 2],
    /// How often threads have published their clocks with it.
    published: AtomicU32,
}

impl EventTag {
    /// A tag for an event that is created where the caller's caller is.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "a default would hide the caller")]
    pub const fn new() -> EventTag {
        let ids = [AtomicU64::new(0), AtomicU64::new(0)];
        EventTag { created: Some(Location::caller()), ids, published: AtomicU32::new(0) }
    }

    /// As [`LockTag::unplaced`](super::LockTag::unplaced).
    pub const fn unplaced() -> EventTag {
        let ids = [AtomicU64::new(0), AtomicU64::new(0)];
        EventTag { created: None, ids, published: AtomicU32::new(0) }
    }

    /// As [`LockTag::CREATED`](super::LockTag::CREATED).
    pub const CREATED: usize = mem::offset_of!(EventTag, created);

    #[inline]
    fn id(&self, kind: EventKind) -> &AtomicU64 {
        &self.ids[usize::from(matches!(kind, EventKind::Send))]
    }

    #[inline]
    fn word(&self, record: OwnRecord, kind: EventKind, site: Site) -> LockWord {
        let id = self.id(kind);
        let word = LockWord(id.load(Relaxed));
        if word.0 != 0 {
            return word;
        }
        identity::identify(record, id, self.created.unwrap_or(site), kind.ty())
    }

    /// The event's number: the same for its whole life, and never another's. Given now if it has
    /// none yet; zero for one that is not watched. Where nothing is watched it has one all the
    /// same, and no class.
    pub fn number(&self, kind: EventKind, site: Site) -> u64 {
        if !life::WATCHES {
            serials::declare_static(self.id(kind), 0);
            return LockWord(self.id(kind).load(Relaxed)).lock();
        }
        match current::current().or_else(life::begin) {
            Some(record) => self.word(record, kind, site).lock(),
            None => LockWord(self.id(kind).load(Relaxed)).lock(),
        }
    }

    /// Whether some thread or task has waited for it, or signalled it.
    #[inline]
    pub(crate) fn is_used(&self, kind: EventKind) -> bool {
        self.id(kind).load(Relaxed) != 0
    }

    /// What the task, or the thread that polls it, waits for where it comes to rest. `None` where it passes through.
    pub(crate) fn word_for_task(&self, kind: EventKind, site: Site) -> Option<LockWord> {
        let record = current::current().or_else(life::begin)?;
        let word = self.word(record, kind, site);
        // The task may tell of it when this cannot be reached any more.
        self.id(kind).fetch_or(word::IN_GRAPH, Relaxed);
        Some(word)
    }

    /// This thread may have to wait for the event now. Records the orders; the wait itself stays
    /// invisible to other threads.
    pub(crate) fn ask(&self, kind: EventKind, site: Site) {
        let Some(record) = current::current().or_else(life::begin) else { return };
        if !record.held.is_empty() {
            acquire::wait_holding(record, self.id(kind), self.word(record, kind, site), site);
        }
    }

    /// Only this thread can complete the event, and it had to get the locks first that it has asked for
    /// since the window began.
    pub(crate) fn passed(&self, kind: EventKind, site: Site) {
        let Some(record) = current::current() else { return };
        acquire::signal(record, self.id(kind), self.word(record, kind, site), site);
    }

    /// A new window begins: what this thread has asked for so far delays no event any more.
    pub(crate) fn begin_window() {
        if let Some(record) = current::current() {
            record.close_window();
        }
    }

    /// Waits for the event: `attempt` must be the primitive's non-blocking operation, `block` the
    /// blocking one; `timed` when it gives up by itself.
    ///
    /// # Panics
    /// Where the thread would wait for ever, unless configured otherwise.
    // Always: a result that is handed on through memory costs as much as the whole hook.
    #[inline(always)]
    #[track_caller]
    pub fn wait<R>(
        &self,
        kind: EventKind,
        timed: bool,
        site: Site,
        mut attempt: impl FnMut() -> Option<R>,
        block: impl FnOnce() -> R,
    ) -> R {
        let Some(record) = current::current().or_else(life::begin) else {
            return attempt().unwrap_or_else(block);
        };
        if !timed && !record.held.is_empty() && !record.is_idle.load(Relaxed) {
            acquire::wait_holding(record, self.id(kind), self.word(record, kind, site), site);
        }
        // A receiver makes room for the threads that wait to send.
        if kind == EventKind::Receive
            && self.id(EventKind::Send).load(Relaxed) != 0
            && !self.changes_nothing(record, EventKind::Send)
        {
            self.complete(record, EventKind::Send, Woken::One, site);
        }
        match attempt() {
            Some(result) => {
                record.close_window();
                self.came(record, kind);
                result
            }
            None => {
                let mut result = None;
                // What came since the attempt has not been counted for this thread.
                let came = || {
                    // A thread comes to a barrier once.
                    result = if kind == EventKind::Barrier { None } else { attempt() };
                    result.is_some()
                };
                let waits = self.begin(record, kind, timed, site, came);
                let result = result.unwrap_or_else(block);
                drop(waits);
                self.came(record, kind);
                result
            }
        }
    }

    /// The event has come for this thread.
    #[inline]
    fn came(&self, record: OwnRecord, kind: EventKind) {
        let published = self.published.load(Relaxed);
        happens_before::observe_event(record, LockWord(self.id(kind).load(Relaxed)), published);
    }

    /// Like [`EventTag::wait`], for a caller that knows that the event has not come yet.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(super) fn block<R>(
        &self,
        record: OwnRecord,
        kind: EventKind,
        timed: bool,
        site: Site,
        block: impl FnOnce() -> R,
    ) -> Waited<R> {
        let wait = self.begin(record, kind, timed, site, || false);
        let result = block();
        drop(wait);
        self.came(record, kind);
        Waited(result)
    }

    /// The thread is about to block; `came` looks for the event once more.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn begin(
        &self,
        record: OwnRecord,
        kind: EventKind,
        timed: bool,
        site: Site,
        came: impl FnMut() -> bool,
    ) -> Wait {
        let event = self.word(record, kind, site);
        if kind == EventKind::Barrier {
            acquire::signal(record, self.id(kind), event, site);
            self.publish(record, kind, event);
        }
        // An executor's thread waits for any task, not for this event.
        if matches!(kind, EventKind::Condvar | EventKind::Barrier)
            && !timed
            && !record.held.is_empty()
            && !record.is_idle.load(Relaxed)
        {
            acquire::wait_holding(record, self.id(kind), event, site);
        }
        record.close_window();
        let awaited = match kind {
            _ if timed => Awaited::Timed(Some(event)),
            EventKind::Permit => Awaited::Permits(event),
            _ => Awaited::Event(event),
        };
        block::wait_unless(record, awaited, site, came)
    }

    /// Waits for `count` of the `total` permits of a semaphore that has several, without a timeout;
    /// as [`EventTag::wait`].
    ///
    /// # Panics
    /// Where the thread would wait for ever, unless configured otherwise.
    #[track_caller]
    pub fn wait_for_permits<R>(
        &self,
        (count, total): (usize, usize),
        site: Site,
        attempt: impl FnMut() -> Option<R>,
        block: impl FnOnce() -> R,
    ) -> R {
        if let Some(record) = current::current().or_else(life::begin) {
            record.permits.ask(Asked { count, total });
        }
        self.wait(EventKind::Permit, false, site, attempt, block)
    }

    /// This thread has taken permits, which only this thread gives back.
    pub fn hold_permits(&self, count: usize, site: Site) {
        if let Some(record) = current::current().or_else(life::begin) {
            let semaphore = self.word(record, EventKind::Permit, site);
            let _busy = Busy::new();
            record.permits.take(Hold { semaphore, count, site });
        }
    }

    /// This thread gives back permits that it holds. Call it *before* it really does.
    pub fn release_permits(&self, count: usize, site: Site) {
        if let Some(record) = current::current() {
            record.permits.give(self.word(record, EventKind::Permit, site), count);
        }
        if count > 1 {
            self.signal_all(EventKind::Permit, site);
        } else {
            self.signal(EventKind::Permit, site);
        }
    }

    #[inline]
    fn complete(&self, record: OwnRecord, kind: EventKind, who: Woken, site: Site) {
        let event = self.word(record, kind, site);
        counters::woken(event, who);
        acquire::signal(record, self.id(kind), event, site);
        self.publish(record, kind, event);
    }

    /// This thread has no part in completing the event any more. `last` if no other thread has one
    /// either, which completes it. Call it just *before* the primitive's own step.
    #[inline]
    pub fn leave(&self, kind: EventKind, last: bool, site: Site) {
        if last {
            self.signal_all(kind, site);
            return;
        }
        let Some(record) = current::current() else { return };
        if record.mine().may_publish.get() {
            self.publish(record, kind, self.word(record, kind, site));
        }
    }

    /// Publishes this thread's clock with the event, if events of this kind order threads.
    #[inline]
    fn publish(&self, record: OwnRecord, kind: EventKind, event: LockWord) {
        if record.mine().may_publish.get() && kind.carries_order() {
            happens_before::publish(record, self.id(kind), event, &self.published);
        }
    }

    /// Signals the other side before a non-blocking operation of which it is not yet known whether it
    /// succeeds: a `try_recv` makes room for a sender, if it finds a message. As [`EventTag::signal`].
    #[inline]
    pub fn offer(&self, kind: EventKind, site: Site) {
        let Some(record) = current::current() else { return };
        self.complete(record, kind, Woken::One, site);
        record.close_window();
    }

    /// Whether the event had come when this thread looked for it without waiting.
    #[inline]
    #[track_caller]
    pub fn looked(&self, kind: EventKind, came: bool, site: Site) {
        let Some(record) = current::current() else { return };
        if came || !record.held.is_empty() {
            record.retries.progress();
        } else {
            livelock::failed(record, self.word(record, kind, site).held(Mode::Write, false), site);
        }
    }

    /// Completes the event for one thread: a notification, a message sent or taken. Call it just
    /// *before* the primitive's own step, which wakes a waiter.
    #[inline]
    pub fn signal(&self, kind: EventKind, site: Site) {
        let Some(record) = current::current() else { return };
        if !self.changes_nothing(record, kind) {
            self.signal_slow_path(record, kind, Woken::One, site);
        }
    }

    /// As [`EventTag::signal`], for all that wait for the event: a notification of all, the end of all
    /// senders.
    #[inline]
    pub fn signal_all(&self, kind: EventKind, site: Site) {
        let Some(record) = current::current() else { return };
        if !self.changes_nothing(record, kind) {
            self.signal_slow_path(record, kind, Woken::All, site);
        }
    }

    /// Whether a signal now would change nothing: no thread waits for the event, and this thread has asked
    /// for no lock and has nothing to publish since the last one.
    #[inline(always)]
    fn changes_nothing(&self, record: OwnRecord, kind: EventKind) -> bool {
        let event = LockWord(self.id(kind).load(Relaxed));
        event.0 != 0
            && record.mine().recent.is_empty()
            && !record.retries.in_a_row()
            && !counters::is_waited_for(event)
            && (!kind.carries_order() || happens_before::is_published(record, event))
    }

    #[cold]
    #[inline(never)]
    fn signal_slow_path(&self, record: OwnRecord, kind: EventKind, who: Woken, site: Site) {
        if kind != EventKind::Barrier {
            record.retries.progress();
        }
        self.complete(record, kind, who, site);
        if kind != EventKind::Condvar {
            // The next message is another event: what was passed on the way to this one need not be
            // passed again.
            record.close_window();
        }
    }
}

impl Drop for EventTag {
    fn drop(&mut self) {
        for id in &mut self.ids {
            let word = LockWord(*id.get_mut());
            if word.0 & word::IN_GRAPH != 0 {
                acquire::remove(word.lock());
            }
        }
    }
}
