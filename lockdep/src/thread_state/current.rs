//! The record of the calling thread, and whether the thread may be tracked now.
//!
//! A thread that is busy, or that has ended, has none: its acquisitions pass through.

use std::cell::Cell;
use std::ptr;

#[cfg(feature = "library")]
use crate::model::ids::ThreadId;
use crate::thread_state::record::{OwnRecord, Record};

thread_local! {
    /// This thread's record while it may be used; null before the first use, while the thread is
    /// busy, and after the end.
    static CURRENT: Cell<*const Record> = const { Cell::new(ptr::null()) };
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Fresh) };
}

#[cfg(feature = "library")]
thread_local! {
    /// The number of a thread that never has a record; zero before the first use.
    static BARE_NUMBER: Cell<ThreadId> = const { Cell::new(0) };
}

/// The number of this thread, which has no record where nothing is watched; `new` makes it.
#[cfg(feature = "library")]
pub(crate) fn bare_number(new: impl FnOnce() -> ThreadId) -> ThreadId {
    if BARE_NUMBER.get() == 0 {
        BARE_NUMBER.set(new());
    }
    BARE_NUMBER.get()
}

/// Where a thread stands.
#[derive(Clone, Copy)]
enum Phase {
    /// It has no record yet.
    Fresh,
    /// Its record is in [`CURRENT`].
    Ready,
    /// It is inside the engine: the engine needs the locks that it takes now.
    Busy,
    /// It passes through: it has ended, or its wrapper has recorded the acquisition already.
    Over,
}

/// This thread's record; `None` where the thread has none yet, is busy or has ended.
#[inline(always)]
pub(crate) fn current() -> Option<OwnRecord> {
    own(CURRENT.get())
}

#[inline(always)]
fn own(record: *const Record) -> Option<OwnRecord> {
    // SAFETY: what is not null came from an `OwnRecord` of this very thread, in `begin_with` or `Acting::by`,
    // and stays in this thread; `end` removes it before the record is given up.
    if record.is_null() { None } else { Some(unsafe { OwnRecord::new(&*record) }) }
}

/// Whether the thread is inside of the engine.
pub(crate) fn is_busy() -> bool {
    matches!(PHASE.get(), Phase::Busy)
}

/// Gives the thread the record that `make` makes, if it never had one. The thread is busy meanwhile.
pub(crate) fn begin_with(make: impl FnOnce() -> OwnRecord) -> Option<OwnRecord> {
    if !matches!(PHASE.get(), Phase::Fresh) {
        return None;
    }
    PHASE.set(Phase::Busy);
    let record = make();
    PHASE.set(Phase::Ready);
    CURRENT.set(record.shared());
    Some(record)
}

/// The thread passes through from now on.
pub(crate) fn end() {
    PHASE.set(Phase::Over);
    CURRENT.set(ptr::null());
}

/// What the thread does is done by a task with this record, until dropped.
#[derive(Debug)]
pub(crate) struct Acting {
    before: *const Record,
}

impl Acting {
    /// From here on the calling thread, which is not busy, acts by this record; `None` where it passes
    /// through.
    pub(crate) fn by(record: OwnRecord) -> Option<Acting> {
        matches!(PHASE.get(), Phase::Ready).then(|| {
            let before = CURRENT.replace(record.shared());
            if let Some(before) = own(before) {
                before.set_acts_by(Some(record.shared()));
            }
            Acting { before }
        })
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        // Null where the thread has ended meanwhile.
        if !CURRENT.get().is_null() {
            CURRENT.set(self.before);
            if let Some(before) = own(self.before) {
                before.set_acts_by(None);
            }
        }
    }
}

/// Marks the thread as busy until dropped.
pub(crate) struct Busy {
    record: *const Record,
    phase: Phase,
}

impl Busy {
    pub(crate) fn new() -> Busy {
        Busy::in_phase(Phase::Busy)
    }

    /// Suspends tracking while a wrapper performs an acquisition that was already recorded. Unlike
    /// during [`Busy::new`], locks taken meanwhile are not marked as needed by the engine.
    #[cfg(feature = "parking_lot")]
    pub(crate) fn recorded() -> Busy {
        Busy::in_phase(Phase::Over)
    }

    fn in_phase(phase: Phase) -> Busy {
        let busy = Busy { record: CURRENT.get(), phase: PHASE.get() };
        PHASE.set(phase);
        CURRENT.set(ptr::null());
        busy
    }

    /// The record that the thread had when it became busy.
    pub(crate) fn record(&self) -> Option<OwnRecord> {
        own(self.record)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        PHASE.set(self.phase);
        CURRENT.set(self.record);
    }
}
