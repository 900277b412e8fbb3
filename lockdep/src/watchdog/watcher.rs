//! The one thread that watches: what it knows, and when it sleeps.
//!
//! It sleeps until the first deadline, and no longer than the shortest threshold, as a wait that
//! begins meanwhile may be due first. With nothing to watch it is *idle* and sleeps without end; a
//! wait or hold that begins then rings. Idleness is announced before the last look at the records,
//! and a wait, or the time of an acquisition, is in its record before it looks for idleness, so one of
//! both sees the other. An acquisition is on the stack a little later: until then, and for a while after
//! the last one, the thread does not go idle.

use std::ffi::c_int;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use crate::model::finding::Finding;
use crate::observer::config::Print;
use crate::platform::{self, clock};
use crate::slow_path::life;
use crate::thread_state::bell;
use crate::watchdog::late::{self, Late};
use crate::watchdog::pulse::Pulse;
use crate::watchdog::{Then, Watchdog};
use crate::{process, snapshot};

static STATE: Mutex<State> =
    Mutex::new(State { runs: false, number: 0, watchdog: None, pulses: Vec::new() });
static DUMP: AtomicBool = AtomicBool::new(false);

struct State {
    runs: bool,
    /// How often a watchdog was started.
    number: u64,
    watchdog: Option<Arc<Watchdog>>,
    pulses: Vec<Arc<Pulse>>,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on this watchdog counts. Returns the number of this start.
pub(super) fn set(watchdog: Option<Arc<Watchdog>>) -> io::Result<u64> {
    let mut state = state();
    run(&mut state)?;
    state.number += 1;
    state.watchdog = watchdog;
    let number = state.number;
    drop(state);
    platform::ring();
    Ok(number)
}

/// Ends the watchdog of this start; whether it was still the one that counted.
pub(super) fn unset(number: u64) -> bool {
    let mut state = state();
    let counts = state.number == number;
    if counts {
        state.watchdog = None;
    }
    counts
}

pub(super) fn add(pulse: Arc<Pulse>) {
    let mut state = state();
    state.pulses.push(pulse);
    if run(&mut state).is_ok() {
        drop(state);
        platform::ring();
    }
}

pub(super) fn remove(pulse: &Arc<Pulse>) {
    state().pulses.retain(|p| !Arc::ptr_eq(p, pulse));
}

/// Writes [`dump`](crate::dump) to stderr whenever the process gets this signal from now on:
/// `SIGQUIT` (3) or `SIGUSR1`, for instance, instead of what the signal did before.
///
/// The handler itself only wakes the watchdog's thread, so it may interrupt anything.
///
/// # Errors
/// The signal cannot be handled, or the system makes no thread. Signals are a thing of Unix:
/// elsewhere the error is [`io::ErrorKind::Unsupported`], and [`dump`](crate::dump) has to be called
/// by other means.
///
/// # Examples
/// ```
/// # if cfg!(not(unix)) { return Ok(()) }
/// const SIGQUIT: i32 = 3; // Ctrl-\ in a terminal
///
/// lockdep::watchdog::dump_on_signal(SIGQUIT)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn dump_on_signal(signal: c_int) -> io::Result<()> {
    run(&mut state())?;
    platform::on_signal(signal, || {
        // Rings once for any number of signals, so there is always room for the byte and `errno`
        // stays as it is.
        if !DUMP.swap(true, SeqCst) {
            platform::ring();
        }
    })
}

/// Starts the thread if there is none yet.
fn run(state: &mut State) -> io::Result<()> {
    if !state.runs {
        platform::prepare_alarm()?;
        thread::Builder::new().name("lockdep-watchdog".to_owned()).spawn(watch)?;
        state.runs = true;
    }
    Ok(())
}

fn watch() {
    life::pass_through();
    bell::set_system_thread(platform::system_thread());
    let mut reported = Vec::new();
    loop {
        bell::set_idle(true);
        let (watchdog, pulses) = {
            let state = state();
            (state.watchdog.clone(), state.pulses.clone())
        };
        // What was late after the signal is reported after the dump.
        if DUMP.swap(false, SeqCst) {
            print(&snapshot::dump());
        }
        let now = clock::now();
        let holds = watchdog.as_ref().and_then(|w| w.slow_hold);
        let waits = watchdog.as_ref().and_then(|w| w.slow_wait);
        let looked = late::look(now, holds, waits, &pulses, &mut reported);
        for late in &looked.late {
            expired(late, watchdog.as_deref());
        }
        let sleep = looked.next.map(|next| {
            bell::set_idle(false);
            let until = Duration::from_nanos(next.saturating_sub(now));
            [holds, waits].into_iter().flatten().fold(until, Duration::min)
        });
        if looked.late.is_empty() {
            platform::sleep(sleep);
        }
    }
}

/// Acts on what is late.
fn expired(late: &Late, watchdog: Option<&Watchdog>) {
    let (finding, prints) = process::observe(|o| (late.find(o), o.config.print != Print::None));
    let default = Watchdog::new();
    let watchdog = watchdog.unwrap_or(&default);
    if watchdog.log && prints {
        print(&finding.to_string());
    }
    if watchdog.dump {
        print(&snapshot::dump());
    }
    call(watchdog, &finding);
    match &watchdog.then {
        Then::Continue => {}
        Then::Abort => std::process::abort(),
        Then::Restart(restart) => {
            let why = restart.run();
            print(&format!("the process is aborted instead of restarted: {why}"));
            std::process::abort();
        }
    }
}

fn call(watchdog: &Watchdog, finding: &Finding) {
    if let Some(callback) = &watchdog.callback {
        // A callback that panics has said so; the watch goes on.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| callback(finding)));
    }
}

fn print(text: &str) {
    platform::print(&format!("\nlockdep: {text}\n"));
}
