//! Systems of which nothing is known but what the standard library has; Windows takes from here what it has
//! nothing better for.
//!
//! What it misses: the end of a thread is where its thread-locals are destroyed, so destructors that run
//! after that pass through; the end of the process is not noticed, so the trace lacks the totals; and no
//! thread is reported as stuck on an event.

use std::ffi::c_int;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::thread::{self, Thread};
use std::time::Duration;

struct End;

impl Drop for End {
    fn drop(&mut self) {
        if let Some(end) = AT_THREAD_END.get() {
            end();
        }
    }
}

static AT_THREAD_END: OnceLock<fn()> = OnceLock::new();

thread_local! {
    static END: End = const { End };
}

#[cfg(any(not(windows), lockdep_portable))]
pub(crate) use unknown::{modules, system_thread, thread_name, watch_process};

/// What no other system takes from here.
#[cfg(any(not(windows), lockdep_portable))]
mod unknown {
    use crate::platform::ProcessEvents;
    use crate::platform::unwind::Module;

    /// Not known here.
    pub(crate) fn system_thread() -> u32 {
        0
    }

    /// Not known here.
    pub(crate) fn thread_name(_number: u32) -> Option<String> {
        None
    }

    /// The end of the process cannot be noticed here, and nothing forks.
    pub(crate) fn watch_process(_events: ProcessEvents) {}

    /// Not known here.
    pub(crate) fn modules() -> Vec<Module> {
        Vec::new()
    }
}

/// Ends the process with this code.
pub(crate) fn end_process(code: i32) -> ! {
    std::process::exit(code)
}

/// Nobody asks here.
pub(crate) fn on_inquiry(_answer: fn()) {}

pub(crate) fn print(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

pub(crate) fn sleeps(_number: u32) -> bool {
    false
}

/// Not known here, so no thread is ever reported as stuck on an event.
pub(crate) fn others_run(_known: &dyn Fn(u32) -> bool) -> bool {
    true
}

/// Not known here.
pub(crate) fn catches_signals() -> bool {
    true
}

/// Calls `end` at the end of this thread. All threads have one `end`.
pub(crate) fn watch_thread_end(end: fn()) {
    AT_THREAD_END.get_or_init(|| end);
    let _ = END.try_with(|_| ());
}

/// The thread that sleeps.
static SLEEPER: OnceLock<Thread> = OnceLock::new();

pub(crate) fn prepare_alarm() -> io::Result<()> {
    Ok(())
}

/// Sleeps until [`ring`] is called, for this long at most. Only the watchdog's thread calls it.
pub(crate) fn sleep(at_most: Option<Duration>) {
    let first = SLEEPER.get().is_none();
    SLEEPER.get_or_init(thread::current);
    match at_most {
        // A ring before this thread was known is noticed by another look.
        _ if first => {}
        Some(time) => thread::park_timeout(time),
        None => thread::park(),
    }
}

/// Ends the sleep, or the next one.
pub(crate) fn ring() {
    if let Some(sleeper) = SLEEPER.get() {
        sleeper.unpark();
    }
}

/// There are no signals here.
pub(crate) fn on_signal(_number: c_int, _handler: fn()) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system sends no signals: call `lockdep::dump` instead",
    ))
}
