//! Parking: a wait that any thread with a handle of the parked one can end.
//!
//! Any thread may have such a handle. So a parked thread counts as stuck only when no thread of the process
//! runs, and at least one waits for something else than an unpark: a process in which all threads are
//! parked may be meant to stay like that until it is killed.
//!
//! A thread that was unparked before it parks does not block. It is not known which unpark a return of
//! `park` consumed. But a thread that was not unparked since its last return stays parked; any other
//! counts as running until it is seen asleep, and checks for itself before it is reported.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use crate::model::lock::Site;
use crate::thread_state::counters::{number, unparks};
use crate::thread_state::record::OwnRecord;
use crate::thread_state::wait::Awaited;
use crate::waits::block;

/// The thread parks: `block` must be the primitive's park.
///
/// # Panics
/// Where the thread would wait for ever, as configured.
#[track_caller]
pub(crate) fn park(record: OwnRecord, timed: bool, site: Site, block: impl FnOnce()) {
    let thread = number(thread::current().id());
    let count = || unparks(thread).load(SeqCst);
    let (known, begin) = (record.mine().unparks.get(), count());
    let wait = match (timed, begin == known) {
        (true, _) => block::show(record, Awaited::Timed(None), site),
        (false, false) => block::show(record, Awaited::Unpark { thread, unparks: begin }, site),
        (false, true) => block::wait(record, Awaited::Unpark { thread, unparks: begin }, site),
    };
    block();
    drop(wait);
    let end = count();
    // One unpark ended this wait. If several came meanwhile, the last one may still end the next wait.
    let answered = end == begin || end.wrapping_sub(known) <= 1;
    record.mine().unparks.set(if answered { end } else { end.wrapping_sub(1) });
}
