//! The serial numbers of locks: none is given twice within 2⁴⁰ locks.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::model::word::{LockWord, SERIAL_BLOCK};
use crate::thread_state::record::OwnRecord;

static SERIALS: AtomicU64 = AtomicU64::new(SERIAL_BLOCK);

/// The next number of this thread, which takes them in blocks.
#[inline]
pub(crate) fn serial(record: OwnRecord) -> u64 {
    let next = record.mine().next_serial.get();
    let serial = if next % SERIAL_BLOCK == 0 { take_serials() } else { next };
    record.mine().next_serial.set(serial + 1);
    serial
}

#[cold]
fn take_serials() -> u64 {
    SERIALS.fetch_add(SERIAL_BLOCK, Relaxed)
}

/// Gives a static its number and this class. Returns whether it had none before.
pub(crate) fn declare_static(id: &AtomicU64, class: u32) -> bool {
    let now = LockWord(id.load(Relaxed));
    let new = match now.0 {
        0 => LockWord::new(class, take_serials()),
        _ => now.classified(class),
    };
    now.is_new() && id.compare_exchange(now.0, new.0, Relaxed, Relaxed).is_ok()
}
