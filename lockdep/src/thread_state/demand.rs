//! Which parts of the crate ask for times: statistics, the watchdog.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::SeqCst;

/// A part of the crate that asks for times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Asker {
    /// Statistics are kept.
    Statistics = 1,
    /// The watchdog looks at holds.
    Watchdog = 2,
}

/// A bit for each [`Asker`].
static ASKED: AtomicU8 = AtomicU8::new(0);

/// Whether any asks.
#[inline]
pub(crate) fn is_asked() -> bool {
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

/// This one needs no times any more. Each thread notices at its next acquisition.
pub(crate) fn clear(asker: Asker) {
    ASKED.fetch_and(!(asker as u8), SeqCst);
}
