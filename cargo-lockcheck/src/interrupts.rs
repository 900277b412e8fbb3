//! Interrupts end cargo and the program, while this process lives on to report what was learnt.
//!
//! An interrupt from a terminal reaches the whole process group by itself. A signal to terminate, or
//! to hang up, is sent to one process only (by a job runner, or by `timeout`), so it is handed on to
//! everything that this process has started. A second signal ends this process at once.

#[cfg(not(unix))]
use std::io;

#[cfg(unix)]
pub use unix::outlive;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::{process, thread};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, Signal, System};

    /// From now on such a signal does not end this process.
    ///
    /// # Errors
    /// When the system does not let signals be handled.
    pub fn outlive() -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for (seen, signal) in signals.forever().enumerate() {
                if seen > 0 {
                    process::exit(128 + signal);
                }
                if signal != SIGINT {
                    terminate_descendants();
                }
            }
        })?;
        Ok(())
    }

    /// Asks all processes that this one has started, and those that they have, to end.
    fn terminate_descendants() {
        let Ok(mut system) = System::new() else { return };
        system.refresh_processes_specifics(
            ProcessesToUpdate::All,
            true,
            ProcessRefreshKind::nothing(),
        );
        let mut parents = vec![Pid::from_u32(process::id())];
        while let Some(parent) = parents.pop() {
            for (&pid, child) in system.processes() {
                // A thread is listed as a child of its process.
                if child.parent() == Some(parent) && child.thread_kind().is_none() {
                    parents.push(pid);
                    let _ = child.kill_with(Signal::Term);
                }
            }
        }
    }
}

/// From now on an interrupt does not end this process.
///
/// # Errors
/// When the system does not let interrupts be handled.
#[cfg(not(unix))]
pub fn outlive() -> io::Result<()> {
    use std::process;
    use std::sync::atomic::{AtomicBool, Ordering};

    static SEEN: AtomicBool = AtomicBool::new(false);
    let handler = || {
        if SEEN.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(io::Error::other)
}
