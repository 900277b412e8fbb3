//! Which parts of the crate ask for the slow path: for times, which statistics and the watchdog need, or to
//! hold threads at a rendezvous. Without one, no clock is read and no thread is held.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::SeqCst;

/// A part of the crate that asks for the slow path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Asker {
    /// Statistics are kept.
    Statistics = 1,
    /// The watchdog looks at holds.
    Watchdog = 2,
    /// Threads are held where a plan has them meet.
    Rendezvous = 4,
}

impl Asker {
    /// Those that ask for times.
    const FOR_TIMES: u8 = Asker::Statistics as u8 | Asker::Watchdog as u8;
}

/// A bit for each [`Asker`].
static ASKED: AtomicU8 = AtomicU8::new(0);

/// Whether any asks for times.
#[inline]
pub(crate) fn is_asked() -> bool {
    ASKED.load(SeqCst) & Asker::FOR_TIMES != 0
}

/// Whether every acquisition is to take the slow path.
#[inline]
pub(crate) fn wants_slow_path() -> bool {
    ASKED.load(SeqCst) != 0
}

/// Whether this one asks.
#[inline]
pub(crate) fn is_asked_by(asker: Asker) -> bool {
    ASKED.load(SeqCst) & asker as u8 != 0
}

/// Notes that this one asks. [`times::ask`](crate::waits::times::ask) also makes running threads notice.
pub(crate) fn set(asker: Asker) {
    ASKED.fetch_or(asker as u8, SeqCst);
}

/// This one asks no more. Each thread notices at its next acquisition.
pub(crate) fn clear(asker: Asker) {
    ASKED.fetch_and(!(asker as u8), SeqCst);
}
