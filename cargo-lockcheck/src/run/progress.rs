//! Sees whether the processes of a run get on, and asks those that do not what their threads do.
//!
//! A process gets on while it, or what it has started, uses processor time. One that has not for a moment
//! is asked (`docs/trace.md` has the answer), so that the answer is in its trace when somebody ends it a
//! little later. Where there is a limit and nothing has got on for so long, it is ended, and the report
//! says what its threads did.
//!
//! A question is a signal, which can end a wait for a file or socket early (`EINTR`). So a process that is
//! not about to be ended is asked only while its main thread waits for a lock or the like.
//!
//! What it misses: processes whose environment was cleared, and other systems than Unix.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often processes are looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// After so long without progress they are asked.
const QUIET: Duration = Duration::from_secs(2);

/// A process needs this long to answer.
pub(super) const ANSWER: Duration = Duration::from_millis(250);

/// Less processor time than this between two looks is none: a thread that only looks at the clock needs
/// some as well.
const LEAST: Duration = Duration::from_millis(20);

/// Processes that are looked after, until told to stop.
#[derive(Debug)]
pub(super) struct Progress {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Vec<Stalled>>,
}

/// Processes that were ended because nothing got on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled {
    /// How many.
    pub processes: usize,
    /// For how long nothing had.
    pub time: Duration,
}

impl Progress {
    /// Looks after the processes that have `variable` set to `traces`, and ends those that do not get on
    /// within `limit`.
    pub(super) fn watch(
        variable: &str,
        traces: &Path,
        limit: Option<Duration>,
    ) -> Option<Progress> {
        let mut processes = system::Processes::of_run(variable, traces)?;
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(move || {
            let mut look = Look { since: Instant::now(), last: Vec::new(), asked: false };
            let mut ended = Vec::new();
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                ended.extend(look.again(&mut processes, limit));
            }
            ended
        });
        Some(Progress { stop, thread: thread.ok()? })
    }

    /// Ends the watch. Returns what was ended for want of progress.
    pub(super) fn finish(self) -> Vec<Stalled> {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

/// Asks all processes of a run that can answer, and gives them time to.
pub(super) fn ask_all(variable: &str, traces: &Path) {
    if let Some(mut processes) = system::Processes::of_run(variable, traces) {
        processes.look();
        if processes.ask(system::Whom::All) {
            thread::sleep(ANSWER);
        }
    }
}

/// What was seen of the processes.
struct Look {
    /// The last time that something got on.
    since: Instant,
    /// The processor time of each process.
    last: Vec<(u32, Duration)>,
    asked: bool,
}

impl Look {
    fn again(
        &mut self,
        processes: &mut system::Processes,
        limit: Option<Duration>,
    ) -> Option<Stalled> {
        let now = processes.look();
        if !processes.has_watched() || gets_on(&self.last, &now) {
            *self = Look { since: Instant::now(), last: now, asked: false };
            return None;
        }
        let time = self.since.elapsed();
        if limit.is_some_and(|limit| time >= limit) {
            processes.ask(system::Whom::All);
            thread::sleep(ANSWER);
            let ended = processes.end_watched();
            *self = Look { since: Instant::now(), last: Vec::new(), asked: false };
            return Some(Stalled { processes: ended, time }).filter(|_| ended > 0);
        }
        if time >= QUIET && !self.asked {
            processes.ask(system::Whom::Undisturbed);
            self.asked = true;
        }
        self.last = now;
        None
    }
}

/// Whether a process has begun, has ended or has used time between two looks.
fn gets_on(before: &[(u32, Duration)], now: &[(u32, Duration)]) -> bool {
    let used = |now: &(u32, Duration)| {
        let last = before.iter().find(|(process, _)| *process == now.0);
        last.is_none_or(|(_, last)| now.1.saturating_sub(*last) >= LEAST)
    };
    before.len() != now.len() || now.iter().any(used)
}

#[cfg(unix)]
mod system {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};
    use std::time::Duration;
    use std::{fs, io};

    use rustix::process::{Pid, kill_process};
    use sysinfo::{
        Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, Signal, System, UpdateKind,
    };

    /// The system call in which threads wait for locks and for each other.
    const FUTEX: Option<&str> = match () {
        () if cfg!(target_arch = "x86_64") => Some("202"),
        () if cfg!(any(target_arch = "aarch64", target_arch = "riscv64")) => Some("98"),
        () => None,
    };

    /// Which processes are asked.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) enum Whom {
        /// All that can answer.
        All,
        /// Those in which the question disturbs nothing.
        Undisturbed,
    }

    /// The processes of a run.
    pub(super) struct Processes {
        system: System,
        setting: OsString,
        traces: PathBuf,
    }

    impl Processes {
        pub(super) fn of_run(variable: &str, traces: &Path) -> Option<Processes> {
            let mut setting = OsString::from(variable);
            setting.push("=");
            setting.push(traces);
            Some(Processes { system: System::new().ok()?, setting, traces: traces.to_owned() })
        }

        /// Looks at all of them, and returns the processor time of each.
        pub(super) fn look(&mut self) -> Vec<(u32, Duration)> {
            let what = ProcessRefreshKind::nothing()
                .without_tasks()
                .with_cpu()
                .with_environ(UpdateKind::OnlyIfNotSet);
            self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
            let mut seen: Vec<(u32, Duration)> = self
                .all()
                .map(|process| {
                    let time = Duration::from_millis(process.accumulated_cpu_time());
                    (process.pid().as_u32(), time)
                })
                .collect();
            seen.sort_unstable();
            seen
        }

        fn all(&self) -> impl Iterator<Item = &Process> {
            let is_over = |process: &Process| {
                matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead)
            };
            self.system.processes().values().filter(move |process| {
                !is_over(process)
                    && process.thread_kind().is_none()
                    && process.environ().contains(&self.setting)
            })
        }

        /// Those that have a trace, and so can answer. One that a debugger has stopped cannot.
        fn watched(&self) -> Vec<&Process> {
            let files = fs::read_dir(&self.traces).into_iter().flatten().flatten();
            let names = files.filter_map(|file| file.file_name().into_string().ok());
            let traced: Vec<u32> =
                names.filter_map(|name| name.split_once('-')?.0.parse().ok()).collect();
            let is_stopped = |process: &&Process| {
                matches!(process.status(), ProcessStatus::Stop | ProcessStatus::Tracing)
            };
            let is_traced = |process: &&Process| traced.contains(&process.pid().as_u32());
            self.all().filter(is_traced).filter(|process| !is_stopped(process)).collect()
        }

        pub(super) fn has_watched(&self) -> bool {
            !self.watched().is_empty()
        }

        /// Whether any was asked.
        pub(super) fn ask(&self, whom: Whom) -> bool {
            let can_be =
                |process: &&&Process| whom == Whom::All || waits_for_a_lock(process.pid().as_u32());
            let watched = self.watched();
            let asked = watched.iter().filter(can_be);
            asked.filter(|process| question(process.pid().as_u32()).is_ok()).count() > 0
        }

        /// Ends them, and returns how many.
        pub(super) fn end_watched(&self) -> usize {
            let watched = self.watched();
            let ended =
                watched.iter().filter(|process| process.kill_with(Signal::Kill) == Some(true));
            ended.count()
        }
    }

    fn question(process: u32) -> io::Result<()> {
        let number = i32::try_from(process).ok().and_then(Pid::from_raw);
        let process = number.ok_or(io::ErrorKind::NotFound)?;
        Ok(kill_process(process, rustix::process::Signal::URG)?)
    }

    /// Whether a process's main thread, which gets the signals, is in a wait that goes on after one.
    fn waits_for_a_lock(process: u32) -> bool {
        let call = fs::read_to_string(format!("/proc/{process}/syscall")).unwrap_or_default();
        FUTEX.is_some_and(|futex| call.split(' ').next() == Some(futex))
    }
}

#[cfg(not(unix))]
mod system {
    use std::path::Path;
    use std::time::Duration;

    /// Which processes are asked.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) enum Whom {
        All,
        Undisturbed,
    }

    /// None are known here.
    pub(super) struct Processes;

    impl Processes {
        pub(super) fn of_run(_variable: &str, _traces: &Path) -> Option<Processes> {
            None
        }
        pub(super) fn look(&mut self) -> Vec<(u32, Duration)> {
            Vec::new()
        }
        pub(super) fn has_watched(&self) -> bool {
            false
        }
        pub(super) fn ask(&self, _whom: Whom) -> bool {
            false
        }
        pub(super) fn end_watched(&self) -> usize {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::gets_on;

    #[test]
    fn time_and_processes_that_come_and_go_are_progress() {
        let at = |process, ms| (process, Duration::from_millis(ms));
        assert!(!gets_on(&[at(1, 500), at(2, 0)], &[at(1, 510), at(2, 0)]));
        assert!(gets_on(&[at(1, 500)], &[at(1, 520)]));
        assert!(gets_on(&[at(1, 500)], &[at(1, 500), at(2, 0)]));
        assert!(gets_on(&[at(1, 500), at(2, 0)], &[at(1, 500)]));
        assert!(gets_on(&[at(1, 500)], &[at(2, 500)]));
    }
}
