//! The one observer of the process, and the steps that need it.
//!
//! A thread inside these steps is *busy*: the locks that it takes meanwhile, in the global allocator for
//! instance, pass through untracked, so the engine never waits for itself. Such a lock stays untracked
//! for good: the engine needs it, so tracking it would recurse.

mod detector_time;
mod fork;
mod inquiry;

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{mem, thread};

use crate::model::finding::{Finding, FoundThread, ThreadKind};
use crate::model::ids::{LockId, ThreadId};
use crate::model::inventory::{Counts, ThreadInfo};
use crate::model::lock::Site;
use crate::observer::Observer;
use crate::observer::config::{Config, OnDeadlock, Print};
use crate::platform::{self, ProcessEvents};
use crate::process::detector_time::InDetector;
use crate::thread_state::current::{Busy, current};
use crate::thread_state::demand::{self, Asker};
use crate::thread_state::record::{OwnRecord, TaskOrigin};
use crate::thread_state::registry::records;
use crate::thread_state::snapshot;

static OBSERVER: Mutex<Option<Box<Observer>>> = Mutex::new(None);

/// Whether there is an observer, for those who look without its lock.
static OBSERVING: AtomicBool = AtomicBool::new(false);

/// Whether anything was ever observed in this process.
pub(crate) fn is_observing() -> bool {
    OBSERVING.load(Relaxed)
}

/// The one observer, once there is one. The caller is busy and stays so while it has the guard.
pub(crate) fn observer() -> MutexGuard<'static, Option<Box<Observer>>> {
    OBSERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `step` on the observer, while this thread is busy, then hands out what it found.
pub(crate) fn observe<R>(step: impl FnOnce(&mut Observer) -> R) -> R {
    let (result, new, config) = {
        let busy = Busy::new();
        let _time = InDetector::begin(busy.record());
        let mut guard = observer();
        if guard.is_none() {
            platform::watch_process(ProcessEvents {
                exit: process_end,
                before_fork: fork::before,
                forked_in_parent: fork::in_parent,
                forked_in_child: fork::in_child,
            });
            OBSERVING.store(true, Relaxed);
        }
        let observer = guard.get_or_insert_with(|| {
            let observer = Box::new(Observer::new());
            take_statistics(&observer.config);
            if observer.config.confirm.is_some() {
                demand::set(Asker::Rendezvous);
                records().for_each(|r| r.held.force_slow_path());
            }
            inquiry::answer_into(observer.trace_file());
            observer
        });
        let before = observer.findings().len();
        let result = step(observer);
        observer.flush();
        let new = observer.findings()[before..].to_vec();
        let config = if new.is_empty() { None } else { Some(observer.config.clone()) };
        (result, new, config)
    };
    if let Some(config) = config {
        for finding in new {
            deliver(&config, &finding);
        }
    }
    result
}

/// Whether a thread may drop a guard of this lock that another one has acquired; for a busy thread.
pub(crate) fn is_sendable(lock: LockId) -> bool {
    observer().as_ref().is_some_and(|observer| observer.is_sendable(lock))
}

/// Runs `step` on the observer where no callback of the program may run: what it finds is only in
/// [`findings`] and in the trace.
pub(crate) fn note(step: impl FnOnce(&mut Observer)) {
    let _busy = Busy::new();
    if let Some(observer) = observer().as_mut() {
        step(observer);
        observer.flush();
    }
}

/// Prints a finding and calls the program's callback.
fn deliver(config: &Config, finding: &Finding) {
    let print = match config.print {
        Print::Deadlocks | Print::Places => finding.would_hang(),
        // The watchdog prints for itself.
        Print::All => finding.tier.is_shown() && current().is_some(),
        Print::None => false,
    };
    if print {
        let busy = Busy::new();
        let _time = InDetector::begin(busy.record());
        let text = match config.print {
            Print::Places => format!("{}; its report follows", finding.headline()),
            _ => finding.to_string(),
        };
        platform::print(&format!("\nlockdep: {text}\n"));
    }
    // Whatever the program does there may need thread-locals.
    let is_over = current().is_some_and(|record| record.mine().locals_gone.get());
    if let Some(callback) = config.on_finding.as_ref().filter(|_| !is_over) {
        callback(finding);
    }
}

/// The code of a process that ends itself because of a deadlock: that of a program which panics.
pub(crate) const STOPPED: i32 = 101;

/// Whether a thread or task that would hang ends by a panic.
pub(crate) fn ends_by_panic() -> bool {
    observe(|o| o.config.on_deadlock == OnDeadlock::Panic)
}

/// Goes on as configured after a finding that would hang: returns only for `report`.
///
/// # Panics
/// Where it is so configured, at the place of the program that the thread has come from.
#[track_caller]
pub(crate) fn halt(finding: &Finding) {
    halt_at(finding, None);
}

/// As [`halt`], where the task that was polled came to rest at this place of the program.
///
/// # Panics
/// As [`halt`].
#[track_caller]
pub(crate) fn halt_at(finding: &Finding, rests: Option<Site>) {
    let (on_deadlock, print) = observe(|o| (o.config.on_deadlock, o.config.print));
    match on_deadlock {
        OnDeadlock::Report => {}
        OnDeadlock::Abort => std::process::abort(),
        OnDeadlock::Exit => platform::end_process(STOPPED),
        OnDeadlock::Panic => {
            let text = {
                let _busy = Busy::new();
                match print {
                    Print::Places => {
                        format!("{}: this would never end; its report follows", finding.rule)
                    }
                    _ => format!("{}: {}", finding.rule, finding.message()),
                }
            };
            match rests {
                Some(site) => panic!("{text} ({site})"),
                None => panic!("{text}"),
            }
        }
    }
}

/// Introduces the thread or task of this record, if it is new.
pub(crate) fn know_thread(
    observer: &mut Observer,
    record: OwnRecord,
    spawned: Option<(ThreadId, Site)>,
) {
    let id = record.thread.load(Relaxed);
    let task = {
        let mut own = record.mine().own.borrow_mut();
        own.is_known = true;
        own.task
    };
    if observer.knows_thread(id) {
        return;
    }
    let (parent, spawned, kind) = match task {
        Some(TaskOrigin { parent, site }) => (parent, Some(site), ThreadKind::Task),
        None => (spawned.map(|s| s.0), spawned.map(|s| s.1), ThreadKind::Thread),
    };
    let name = match (kind, record.mine().locals_gone.get()) {
        (ThreadKind::Task, _) => None,
        (_, false) => thread::current().name().map(str::to_owned),
        (_, true) => platform::thread_name(record.system.load(Relaxed)),
    };
    let thread = FoundThread { id, name, spawned, kind };
    observer.add_thread(ThreadInfo { thread, parent, spawned });
}

/// Introduces the thread or task of this record, which tells of a dependency from here on.
pub(crate) fn know_witness(observer: &mut Observer, record: OwnRecord) {
    know_thread(observer, record, None);
    record.mine().own.borrow_mut().is_witness = true;
}

/// Writes who the thread of this record is into the trace, the first time that others may have to name it.
pub(crate) fn introduce(record: OwnRecord) {
    if !record.mine().introduced.replace(true) {
        observe(|o| {
            know_thread(o, record, None);
            o.trace_thread(record.thread.load(Relaxed));
        });
    }
}

/// The process ends by itself.
fn process_end() {
    let me = current().map(|r| r.thread.load(Relaxed));
    let _busy = Busy::new();
    let Ok(mut guard) = OBSERVER.try_lock() else { return };
    if let Some(observer) = guard.as_mut() {
        let mut counts = Counts::default();
        for record in records().filter(|r| r.in_use.load(Relaxed)) {
            counts.add(record.counts());
            record.add_times_to(&mut observer.times);
        }
        let mut blocked = snapshot::threads();
        blocked.retain(|t| t.is_blocked() && Some(t.thread) != me);
        observer.end(counts, &blocked);
    }
}

/// Sets what happens when something is found, from now on.
///
/// # Examples
/// ```
/// use lockdep::config::{Config, Print};
///
/// lockdep::configure(Config::from_env().print(Print::All));
/// ```
pub fn configure(config: Config) {
    // In this order: the first look at the observer makes it, with what the environment says.
    observe(|o| {
        take_statistics(&config);
        let before = mem::replace(&mut o.config, config);
        if before.confirm.is_some() {
            // Whoever has threads meet says what then happens.
            o.config.on_deadlock = before.on_deadlock;
        }
    });
}

fn take_statistics(config: &Config) {
    if config.stats {
        demand::set(Asker::Statistics);
        records().for_each(|r| r.held.force_slow_path());
    } else {
        demand::clear(Asker::Statistics);
    }
}

/// Everything that was found so far in this process, in the order it was found.
///
/// # Examples
/// At the end of a test, the findings that could happen:
///
/// ```
/// let shown: Vec<String> = lockdep::findings()
///     .iter()
///     .filter(|finding| finding.tier.is_shown())
///     .map(|finding| finding.to_string())
///     .collect();
/// assert!(shown.is_empty(), "{}", shown.join("\n"));
/// ```
pub fn findings() -> Vec<Arc<Finding>> {
    observe(|o| o.findings().to_vec())
}
