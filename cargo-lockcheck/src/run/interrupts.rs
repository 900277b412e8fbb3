//! Interrupts end cargo and the program, while this process lives on to report what was learnt.
//!
//! An interrupt from a terminal reaches the whole process group by itself. Any other signal is sent to
//! one process only (by a job runner, or by `kill`), so it is handed on to everything that this process
//! has started. Whoever interrupts the group without a terminal has ended cargo a moment later, and
//! then there is nobody to hand it on to. A second signal ends this process.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(unix)]
use unix as system;
#[cfg(unix)]
pub use unix::{CleanUp, clean_up};

/// This process outlives interrupts.
static OUTLIVES: AtomicBool = AtomicBool::new(false);

/// An interrupt has come that this process has outlived.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on such a signal does not end this process, and is not handed on to `watch`, which takes the place
/// of that of an earlier run. Before the signal is handed on, the processes of the first run are asked what they
/// do, by `ask`.
///
/// # Errors
/// When the system does not let signals be handled.
pub fn outlive(watch: Option<u32>, ask: impl Fn() + Send + 'static) -> io::Result<()> {
    system::keep_from(watch);
    if OUTLIVES.swap(true, Ordering::Relaxed) { Ok(()) } else { system::outlive(ask) }
}

/// Whether somebody has interrupted this process, which has outlived that.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io;
    use std::sync::atomic::Ordering::Relaxed;
    use std::sync::{Mutex, PoisonError};
    use std::thread::JoinHandle;
    use std::time::Duration;
    use std::{process, thread};

    use rustix::process::getpgrp;
    use rustix::termios::tcgetpgrp;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::{Handle, Signals};
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, Signal, System};

    use super::INTERRUPTED;

    /// How long cargo has to end by a signal that it got by itself. What comes meanwhile is the same
    /// signal: `timeout` sends it to the process and then to the group.
    const MOMENT: Duration = Duration::from_millis(300);

    /// A process that signals are not handed on to.
    static WATCH: Mutex<Option<u32>> = Mutex::new(None);

    /// Signals are not handed on to this process, if there is one.
    pub(super) fn keep_from(watch: Option<u32>) {
        *WATCH.lock().unwrap_or_else(PoisonError::into_inner) = watch;
    }

    /// See the function of this name outside.
    pub(super) fn outlive(ask: impl Fn() + Send + 'static) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let Some(first) = signals.forever().next() else { return };
            INTERRUPTED.store(true, Relaxed);
            let from_terminal = matches!(first, SIGINT | SIGQUIT);
            if !from_terminal {
                ask();
                hand_on(Signal::Term);
            }
            thread::sleep(MOMENT);
            signals.pending().for_each(drop);
            if from_terminal && !is_in_foreground() {
                ask();
                hand_on(Signal::Interrupt);
            }
            if let Some(signal) = signals.forever().next() {
                process::exit(128 + signal);
            }
        })?;
        Ok(())
    }

    /// While this lives, a signal that ends this process has it clean up first.
    #[derive(Debug)]
    pub struct CleanUp(Option<(Handle, JoinHandle<()>)>);

    impl Drop for CleanUp {
        fn drop(&mut self) {
            if let Some((handle, thread)) = self.0.take() {
                handle.close();
                // Where a signal has come, this process ends there: what it has started fails meanwhile, and
                // that is not to end it before all is cleaned up.
                let _ = thread.join();
            }
        }
    }

    /// Until the result is dropped, a signal ends what this process has started, then calls `remove`, then
    /// ends the process.
    pub fn clean_up(remove: impl Fn() + Send + 'static) -> CleanUp {
        // Where the system lets no signal be handled, something is left behind.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT]) else {
            return CleanUp(None);
        };
        let handle = signals.handle();
        let wait = move || {
            if let Some(signal) = signals.forever().next() {
                hand_on(Signal::Kill);
                thread::sleep(MOMENT);
                // What was started meanwhile.
                hand_on(Signal::Kill);
                remove();
                process::exit(128 + signal);
            }
        };
        let thread = thread::Builder::new().name("clean-up".to_owned()).spawn(wait);
        CleanUp(thread.ok().map(|thread| (handle, thread)))
    }

    /// Whether the keys of a terminal reach this process, and with it all that it has started.
    fn is_in_foreground() -> bool {
        File::open("/dev/tty").is_ok_and(|tty| tcgetpgrp(tty).is_ok_and(|group| group == getpgrp()))
    }

    /// Sends `signal` to all processes that this one has started but the watch, and to those that they
    /// have.
    fn hand_on(signal: Signal) {
        let watch = *WATCH.lock().unwrap_or_else(PoisonError::into_inner);
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
                let is_watch = watch.is_some_and(|watch| pid == Pid::from_u32(watch));
                if child.parent() == Some(parent) && child.thread_kind().is_none() && !is_watch {
                    parents.push(pid);
                    let _ = child.kill_with(signal);
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::sync::atomic::Ordering;
    use std::{io, process};

    use super::INTERRUPTED;

    /// Nothing is handed on here.
    pub(super) fn keep_from(_watch: Option<u32>) {}

    /// See the function of this name outside.
    pub(super) fn outlive(_ask: impl Fn() + Send + 'static) -> io::Result<()> {
        let handler = || {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                process::exit(130);
            }
        };
        ctrlc::set_handler(handler).map_err(io::Error::other)
    }
}

/// Nothing is cleaned up here: an interrupt ends the process at once.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct CleanUp(());

/// Nothing is cleaned up here.
#[cfg(not(unix))]
pub fn clean_up(_remove: impl Fn() + Send + 'static) -> CleanUp {
    CleanUp(())
}
