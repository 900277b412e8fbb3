//! Sees that nothing a run has started goes on when the run itself is gone.
//!
//! A signal that ends this process at once leaves cargo and the program behind, and a program that
//! hangs would do so for ever. So each run has a watch beside it: this program once more, in a process
//! group of its own, which waits for the run's last word. If the run ends without one, the watch ends
//! all processes that have the run's variable in their environment: whoever is between them and the run
//! may be gone too, and with it the way by which one would find them. A process whose environment was
//! cleared on the way is not found.
//!
//! On Windows the processes are in one job, which ends with this process.

use std::io;
use std::path::Path;
use std::process::ExitCode;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Tells this program that it is the watch of the run whose traces are in this directory.
pub const WATCHED: &str = "LOCKCHECK_WATCHED_RUN";

/// The watch of a run. Unless the run says that it is over, all that it has started is ended.
#[derive(Debug)]
pub struct Watch {
    #[cfg(any(unix, windows))]
    system: system::Watch,
}

#[cfg(any(unix, windows))]
impl Watch {
    /// Watches a run whose processes have `variable` set to `traces`.
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn begin(variable: &str, traces: &Path) -> io::Result<Watch> {
        Ok(Watch { system: system::Watch::begin(variable, traces)? })
    }

    /// The watching process, if there is one.
    pub fn process(&self) -> Option<u32> {
        self.system.process()
    }

    /// The run is over: what it has left on purpose may go on.
    pub fn finish(self) {
        self.system.finish();
    }

    /// Ends all that the run has started and that goes on, as cargo was ended without a word to it.
    pub fn end_orphans(variable: &str, traces: &Path) {
        system::end_orphans(variable, traces);
    }
}

#[cfg(not(any(unix, windows)))]
impl Watch {
    /// Watches nothing on this system.
    ///
    /// # Errors
    /// Always.
    pub fn begin(_variable: &str, _traces: &Path) -> io::Result<Watch> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The watching process, if there is one.
    pub fn process(&self) -> Option<u32> {
        None
    }

    /// The run is over.
    pub fn finish(self) {}

    /// Ends nothing on this system.
    pub fn end_orphans(_variable: &str, _traces: &Path) {}
}

/// Watches a run, as the process beside it, until it is over. `watched` is the value of [`WATCHED`].
#[cfg(unix)]
pub fn stand_by(watched: &std::ffi::OsStr) -> ExitCode {
    unix::stand_by(watched)
}

/// There is no such process on this system.
#[cfg(not(unix))]
pub fn stand_by(_watched: &std::ffi::OsStr) -> ExitCode {
    ExitCode::FAILURE
}

#[cfg(unix)]
mod unix {
    use std::env;
    use std::ffi::{OsStr, OsString};
    use std::io::{self, Read, Write};
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Child, Command, ExitCode, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use sysinfo::{
        ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, Signal, System, UpdateKind,
    };

    use super::WATCHED;

    /// What a run says when it is over.
    const OVER: u8 = b'.';

    /// How long new processes of a run that is gone are looked for: one may just be starting another.
    const LONGEST: Duration = Duration::from_secs(20);

    /// How often they are looked for meanwhile.
    const PAUSE: Duration = Duration::from_millis(50);

    #[derive(Debug)]
    pub(super) struct Watch {
        child: Child,
    }

    impl Watch {
        pub(super) fn begin(variable: &str, traces: &Path) -> io::Result<Watch> {
            let child = Command::new(env::current_exe()?)
                .env(WATCHED, setting(variable, traces))
                // What is sent to the run's group is not for the watch, which has to outlive it.
                .process_group(0)
                .current_dir("/")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            Ok(Watch { child })
        }

        pub(super) fn process(&self) -> Option<u32> {
            Some(self.child.id())
        }

        pub(super) fn finish(mut self) {
            if let Some(mut stdin) = self.child.stdin.take() {
                // If nobody reads it, there is no watch any more.
                let _ = stdin.write_all(&[OVER]);
            }
            let _ = self.child.wait();
        }
    }

    pub(super) fn stand_by(watched: &OsStr) -> ExitCode {
        let mut word = [0];
        // The end of the pipe, or an error of it, is the end of the run.
        if io::stdin().read(&mut word).is_ok_and(|length| length == 1 && word == [OVER]) {
            return ExitCode::SUCCESS;
        }
        end_all(watched);
        ExitCode::SUCCESS
    }

    pub(super) fn end_orphans(variable: &str, traces: &Path) {
        end_all(&setting(variable, traces));
    }

    /// A variable as an environment has it.
    fn setting(variable: &str, value: &Path) -> OsString {
        let mut setting = OsString::from(variable);
        setting.push("=");
        setting.push(value);
        setting
    }

    /// Ends all processes that have this in their environment, until there are none.
    fn end_all(setting: &OsStr) {
        let Ok(mut system) = System::new() else { return };
        let begin = Instant::now();
        while begin.elapsed() < LONGEST {
            system.refresh_processes_specifics(
                ProcessesToUpdate::All,
                true,
                ProcessRefreshKind::nothing().without_tasks().with_environ(UpdateKind::Always),
            );
            let has = |process: &&sysinfo::Process| {
                // One that nobody has asked for its code yet is over, and a thread is listed like a
                // process.
                let is_over =
                    matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead);
                !is_over
                    && process.thread_kind().is_none()
                    && process.environ().iter().any(|other| other == setting)
            };
            let mut found = system.processes().values().filter(has).peekable();
            if found.peek().is_none() {
                return;
            }
            found.for_each(|process| {
                let _ = process.kill_with(Signal::Kill);
            });
            thread::sleep(PAUSE);
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::path::Path;

    use win32job::{ExtendedLimitInfo, Job};

    #[derive(Debug)]
    pub(super) struct Watch {
        job: Job,
    }

    impl Watch {
        /// Puts this process, and with it all that it starts, into a job that ends with its last handle,
        /// which this process has.
        pub(super) fn begin(_variable: &str, _traces: &Path) -> io::Result<Watch> {
            let mut limits = ExtendedLimitInfo::new();
            limits.limit_kill_on_job_close();
            let job = Job::create_with_limit_info(&limits).map_err(io::Error::other)?;
            job.assign_current_process().map_err(io::Error::other)?;
            Ok(Watch { job })
        }

        pub(super) fn process(&self) -> Option<u32> {
            None
        }

        pub(super) fn finish(self) {
            // Without the limit, the job goes on without its handle.
            let _ = self.job.set_extended_limit_info(&ExtendedLimitInfo::new());
        }
    }

    /// The job has them until this process ends.
    pub(super) fn end_orphans(_variable: &str, _traces: &Path) {}
}
