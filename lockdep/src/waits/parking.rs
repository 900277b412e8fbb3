//! Parking: a wait that whoever has a handle of the thread can end.
//!
//! Anybody may have a handle, so a parked thread counts as stuck only when no thread of the process is
//! left that runs, and something else than parked threads waits: a process of which nothing is left
//! but parked threads may be meant to stay like that until it is killed.
//!
//! A thread that was unparked before it parks does not block. Which of the unparks a return of `park`
//! answers is not known, but a thread that was not unparked since it returned has no reason to
//! return; any other one is taken for one that goes on, until it is seen to sleep. Before anything is
//! said the thread looks for itself whether it was unparked.

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
    // It was one of them that ended this wait. Of several that came meanwhile the last may still end
    // the next one.
    let answered = end == begin || end.wrapping_sub(known) <= 1;
    record.mine().unparks.set(if answered { end } else { end.wrapping_sub(1) });
}
