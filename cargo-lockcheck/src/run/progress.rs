//! Sees whether the processes of a run get on, and asks those that do not what their threads do.
//!
//! A process gets on while it, or what it has started, uses processor time. One that has not for a moment
//! is asked (`docs/trace.md` has the answer), so that the answer is in its trace when somebody ends it a
//! little later. Where there is a limit and nothing has got on for so long, it is ended, and the report
//! says what its threads did; unless a thread has slept all the time and will wake by itself.
//!
//! A question is a signal, which can end a wait for a file or socket early (`EINTR`). So a process that is
//! not about to be ended is asked only while its main thread waits for a lock or the like.
//!
//! What it misses: processes whose environment was cleared, and other systems than Linux.

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

/// What runs the threads of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harness {
    /// The main thread waits for tests, each in a thread of its own.
    Tests,
    /// The program itself.
    None,
}

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
        harness: Harness,
    ) -> Option<Progress> {
        let mut processes = system::Processes::of_run(variable, traces, harness)?;
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(move || {
            let mut look = Look::new(Vec::new());
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
    if let Some(mut processes) = system::Processes::of_run(variable, traces, Harness::None) {
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
    /// How often each thread had been put to sleep when nothing got on for the first time since.
    pauses: Option<system::Pauses>,
    asked: bool,
}

impl Look {
    fn new(last: Vec<(u32, Duration)>) -> Look {
        Look { since: Instant::now(), last, pauses: None, asked: false }
    }

    fn again(
        &mut self,
        processes: &mut system::Processes,
        limit: Option<Duration>,
    ) -> Option<Stalled> {
        let now = processes.look();
        if !processes.has_watched() || gets_on(&self.last, &now) {
            *self = Look::new(now);
            return None;
        }
        let time = self.since.elapsed();
        let pauses = self.pauses.get_or_insert_with(|| processes.pauses());
        if limit.is_some_and(|limit| time >= limit) {
            if processes.has_sleeper(pauses) {
                *self = Look::new(now);
                return None;
            }
            processes.ask(system::Whom::All);
            thread::sleep(ANSWER);
            let ended = processes.end_watched();
            *self = Look::new(Vec::new());
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

#[cfg(target_os = "linux")]
mod system {
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};
    use std::time::Duration;
    use std::{fs, io};

    use super::Harness;
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

    /// When a wait in the system ends by itself. The numbers count the arguments of the call from one.
    enum Ends {
        /// In any case.
        Always,
        /// Unless this argument, which points to a time, is null.
        UnlessNull(usize),
        /// Unless this argument, a number of milliseconds, is negative.
        UnlessNegative(usize),
    }

    /// The calls of the system that wait for some time, by number.
    const TIMED: &[(&str, Ends)] = match () {
        () if cfg!(target_arch = "x86_64") => &[
            ("202", Ends::UnlessNull(4)),     // futex
            ("35", Ends::Always),             // nanosleep
            ("230", Ends::Always),            // clock_nanosleep
            ("7", Ends::UnlessNegative(3)),   // poll
            ("271", Ends::UnlessNull(3)),     // ppoll
            ("23", Ends::UnlessNull(5)),      // select
            ("270", Ends::UnlessNull(5)),     // pselect6
            ("232", Ends::UnlessNegative(4)), // epoll_wait
            ("281", Ends::UnlessNegative(4)), // epoll_pwait
            ("441", Ends::UnlessNull(4)),     // epoll_pwait2
        ],
        () if cfg!(any(target_arch = "aarch64", target_arch = "riscv64")) => &[
            ("98", Ends::UnlessNull(4)),     // futex
            ("101", Ends::Always),           // nanosleep
            ("115", Ends::Always),           // clock_nanosleep
            ("73", Ends::UnlessNull(3)),     // ppoll
            ("72", Ends::UnlessNull(5)),     // pselect6
            ("22", Ends::UnlessNegative(4)), // epoll_pwait
            ("441", Ends::UnlessNull(4)),    // epoll_pwait2
        ],
        () => &[],
    };

    /// How often each thread had given up its processor of itself, by number.
    pub(super) type Pauses = BTreeMap<u32, u64>;

    /// Whether a thread that is in this call of the system, as `/proc/PID/syscall` has it, goes on by itself
    /// some time.
    pub(super) fn is_timed(call: &str) -> bool {
        let words: Vec<&str> = call.split_whitespace().collect();
        let number =
            |at: usize| u64::from_str_radix(words.get(at)?.trim_start_matches("0x"), 16).ok();
        let ends = words.first().and_then(|word| TIMED.iter().find(|(call, _)| call == word));
        ends.is_some_and(|(_, ends)| match *ends {
            Ends::Always => true,
            Ends::UnlessNull(at) => number(at).is_some_and(|time| time != 0),
            // A C `int`: the upper half of the register means nothing.
            Ends::UnlessNegative(at) => number(at).is_some_and(|time| (time as i32) >= 0),
        })
    }

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
        harness: Harness,
    }

    impl Processes {
        pub(super) fn of_run(variable: &str, traces: &Path, harness: Harness) -> Option<Processes> {
            let mut setting = OsString::from(variable);
            setting.push("=");
            setting.push(traces);
            let system = System::new().ok()?;
            Some(Processes { system, setting, traces: traces.to_owned(), harness })
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

        /// How often each thread of them has paused until now.
        pub(super) fn pauses(&self) -> Pauses {
            self.all()
                .flat_map(|process| threads(process.pid().as_u32()))
                .filter_map(pauses)
                .collect()
        }

        /// Whether a thread has been in one wait since these were counted, and that wait ends by itself.
        ///
        /// The main thread of a program of tests does not count, where it has others: it waits for a while
        /// only to say that they take long.
        pub(super) fn has_sleeper(&self, before: &Pauses) -> bool {
            self.all().any(|process| {
                let main = process.pid().as_u32();
                let threads: Vec<PathBuf> = threads(main).collect();
                let runs_tests = self.harness == Harness::Tests && threads.len() > 1;
                threads.iter().any(|thread| {
                    let call = fs::read_to_string(thread.join("syscall")).unwrap_or_default();
                    let paused = pauses(thread.clone());
                    let is_main = paused.is_some_and(|(number, _)| number == main);
                    let has_slept =
                        paused.is_some_and(|(number, count)| before.get(&number) == Some(&count));
                    has_slept && is_timed(&call) && !(is_main && runs_tests)
                })
            })
        }

        /// Ends them, and returns how many.
        pub(super) fn end_watched(&self) -> usize {
            let watched = self.watched();
            let ended =
                watched.iter().filter(|process| process.kill_with(Signal::Kill) == Some(true));
            ended.count()
        }
    }

    /// The directories of a process's threads.
    fn threads(process: u32) -> impl Iterator<Item = PathBuf> {
        let all = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        all.map(|thread| thread.path())
    }

    /// A thread's number, and how often it has paused.
    fn pauses(thread: PathBuf) -> Option<(u32, u64)> {
        let number = thread.file_name()?.to_str()?.parse().ok()?;
        let status = fs::read_to_string(thread.join("status")).ok()?;
        let count =
            status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        Some((number, count.trim().parse().ok()?))
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

#[cfg(not(target_os = "linux"))]
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

    /// Nothing is counted here.
    pub(super) type Pauses = ();

    impl Processes {
        pub(super) fn of_run(
            _variable: &str,
            _traces: &Path,
            _harness: super::Harness,
        ) -> Option<Processes> {
            None
        }
        pub(super) fn pauses(&self) -> Pauses {}
        pub(super) fn has_sleeper(&self, _before: &Pauses) -> bool {
            false
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

    #[cfg(target_os = "linux")]
    #[test]
    fn a_wait_with_a_time_ends_by_itself() {
        let (futex, sleep, poll) = match () {
            () if cfg!(target_arch = "x86_64") => ("202", "230", "232"),
            () if cfg!(target_arch = "aarch64") => ("98", "115", "22"),
            () => return,
        };
        let call = |number: &str, fourth: &str| {
            super::system::is_timed(&format!(
                "{number} 0x7f00 0x80 0x2 {fourth} 0x0 0x0 0x7ffe 0x7fb8"
            ))
        };
        assert!(call(futex, "0x7ffe41791a00") && !call(futex, "0x0"));
        assert!(call(sleep, "0x0"));
        assert!(
            call(poll, "0x3e8") && !call(poll, "0xffffffff") && !call(poll, "0xffffffffffffffff")
        );
        assert!(!call("0", "0x1") && !super::system::is_timed("running"));
        assert!(!super::system::is_timed(""));
    }

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
