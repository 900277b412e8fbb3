//! Runs cargo with every lock instrumented, and gathers what the processes leave behind.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::time::SystemTime;

use super::interrupts;
use super::orphans::Watch;
use super::progress::{self, Harness, Progress, Stalled};
use crate::build::runtime::Runtime;
use crate::build::wrapper::{PLAN, Plan};
use crate::cli::failure::Failure;
use crate::cli::outcome::TESTS_FAILED;
use crate::cli::phase::Phase;
use crate::cli::settings::{PATIENCE, Settings};
use crate::cli::status;
use crate::report::render::Format;
use crate::traces::merge::trace_files;

/// Names the directory in which an instrumented process writes its trace.
const TRACE: &str = "LOCKDEP_TRACE";

/// Tells a process where the root of its workspace is, so that its trace can be read on another machine.
const WORKSPACE: &str = "LOCKDEP_WORKSPACE";
/// Has an instrumented process count and time waits and holds.
const STATS: &str = "LOCKDEP_STATS";
/// What an instrumented process says itself of what it finds.
const PRINT: &str = "LOCKDEP_PRINT";

/// What an instrumented process does that would hang.
const ON_DEADLOCK: &str = "LOCKDEP_ON_DEADLOCK";
/// Names the plan by which the threads of an instrumented process are made to meet.
const CONFIRM: &str = "LOCKDEP_CONFIRM";

/// The directory of a run's traces, within the run's own.
const TRACES: &str = "traces";

/// How many runs are kept, beside those that are still going on.
const KEPT: usize = 8;

/// A build that fails with less than this on its disk, in bytes, has most likely failed for that.
const SPACE: u64 = 64 << 20;

/// nextest's code for tests that have failed. It is that of a finding, and not to be taken for one.
const NEXTEST_FAILED: u8 = 100;

/// What cargo did, and where the traces are.
#[derive(Debug)]
pub struct Collected {
    /// The directory of the traces.
    pub traces: PathBuf,
    /// cargo's exit code; 128 and the signal's number when a signal ended it.
    pub code: u8,
    /// Whether a checked crate did not compile.
    pub build_failed: bool,
    /// Whether cargo refuses to build anything: for its arguments, its manifest, or its lock file. It
    /// is asked only where it has failed and no process has left a trace.
    pub refused: bool,
    /// Processes that were ended because nothing got on.
    pub stalled: Vec<Stalled>,
    /// What cargo and the program have printed, where it was not shown.
    pub output: Option<PathBuf>,
    /// The bytes that were left on the build directory's disk, if that is known.
    pub space: Option<u64>,
    /// The run's directory is not removed while this is locked.
    _lock: File,
}

impl Collected {
    /// Sentences on the processes that were ended because nothing got on.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        self.stalled.iter().map(|Stalled { processes, time }| {
            let who = match processes {
                1 => "1 process was".to_owned(),
                count => format!("{count} processes were"),
            };
            format!(
                "{who} ended, as nothing had got on for {} s: `--timeout` sets another time, and \
                 `--timeout 0` none",
                time.as_secs()
            )
        })
    }

    /// Why nothing was checked, when that is cargo's fault or the build's.
    pub fn nothing_ran(&self) -> Option<Failure> {
        if !self.build_failed && !self.refused || has_traces(&self.traces) {
            return None;
        }
        if self.build_failed
            && let Some(space) = self.space.filter(|space| *space < SPACE)
        {
            return Some(Failure::new(
                format!(
                    "the build failed with {} MiB left on the disk, so nothing was checked: \
                     errors above such as `No space left on device`, or a linker that was killed \
                     by a bus error, come from that",
                    space >> 20
                ),
                "Make space, or choose a directory on another disk with `--target-dir`; \
                 `target/lockcheck/build` can be removed at any time.",
            ));
        }
        Some(if self.build_failed {
            Failure::new(
                "the build failed, so nothing was checked",
                "Repair what the compiler reports above; if the code compiles without lockcheck, \
                 report that as a fault of cargo-lockcheck.",
            )
        } else {
            Failure::new(
                "cargo ran nothing, so nothing was checked",
                "Mend what cargo reports above. All arguments but lockcheck's own are cargo's; \
                 `cargo lockcheck --help` lists those.",
            )
        })
    }
}

fn has_traces(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut all| all.next().is_some())
}

/// A run in which threads are made to meet. It is none that a later report is about.
#[derive(Debug)]
pub struct Control<'a> {
    /// All of cargo's arguments.
    pub cargo_args: Vec<OsString>,
    /// Where the threads are to meet, as the runtime reads it.
    pub plan: &'a str,
    /// What a process does whose threads deadlock.
    pub then: Then<'a>,
}

/// What a process does whose threads deadlock.
#[derive(Clone, Copy)]
pub enum Then<'a> {
    /// It ends. Nothing that it or cargo prints is shown.
    End,
    /// It stands still, until it is ended from outside. The function is given the directory of the traces,
    /// before any process begins.
    Stand(&'a dyn Fn(&Path)),
}

impl fmt::Debug for Then<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Then::End => "End",
            Then::Stand(_) => "Stand",
        })
    }
}

/// Runs cargo until it ends; Ctrl-C, or a signal to terminate, ends cargo and the program, but not
/// the check.
///
/// # Errors
/// When cargo cannot be started, or `target/lockcheck` cannot be written.
pub fn run(
    settings: &Settings,
    runtime: &Runtime,
    control: Option<&Control<'_>>,
) -> Result<Collected, Failure> {
    let _using = claim_build(settings, &runtime.edition)?;
    let runs = settings.directory.join(if control.is_some() { "confirm" } else { "runs" });
    let directory = new_run(&runs).map_err(|error| unwritable(&runs, &error))?;
    let lock = lock_run(&directory).map_err(|error| unwritable(&directory, &error))?;
    prune(&runs, &directory);

    let traces = directory.join(TRACES);
    let failed = directory.join("build-failed");
    let plan_path = directory.join("plan.json");
    let rustdoc = settings.toolchain.rustdoc.clone();
    let plan = Plan::new(runtime, settings.wrapper.clone(), rustdoc, failed.clone());
    fs::create_dir_all(&traces)
        .and_then(|()| plan.write(&plan_path))
        .map_err(|error| unwritable(&plan_path, &error))?;

    if let Some(invocation) = settings.invocation.as_ref().filter(|_| control.is_none()) {
        invocation.keep(&directory).map_err(|error| unwritable(&directory, &error))?;
    }

    let this = env::current_exe().map_err(|error| {
        Failure::new(
            format!("the path of this program is not known: {error}"),
            "Start it by its full path.",
        )
    })?;
    // Where the system refuses a watch, a run that is killed leaves its processes behind.
    let watch = Watch::begin(TRACE, &traces).ok();
    let asked = traces.clone();
    let ask = move || progress::ask_all(TRACE, &asked);
    if interrupts::outlive(watch.as_ref().and_then(Watch::process), ask).is_err() {
        status::warning("an interrupt will end the check without a report");
    }
    let call = |args: &[OsString]| {
        let mut command = Command::new(&settings.cargo);
        command.args(args).env("RUSTC_WRAPPER", &this).env("RUSTDOC", &this).env(PLAN, &plan_path);
        command
    };
    let cargo_args = control.map_or(&settings.cargo_args, |control| &control.cargo_args);
    let mut command = call(cargo_args);
    let output = match control {
        Some(control) => take_control(&mut command, control, &directory, &traces)?,
        None => None,
    };
    if control.is_none() && settings.format != Format::Text {
        // The report goes to stdout, and is not to be mixed with what the program prints.
        command.stdout(io::stderr());
    }
    if settings.stats {
        command.env(STATS, "1");
    }
    if control.is_none() && env::var_os(PRINT).is_none() {
        // The report says the rest, and better.
        command.env(PRINT, "places");
    }
    let harness = match settings.cargo_args.first() {
        Some(verb) if verb == "run" => Harness::None,
        _ => Harness::Tests,
    };
    let timeout = match control.map(|control| control.then) {
        None => settings.timeout,
        Some(Then::End) => settings.timeout.or(Some(PATIENCE)),
        Some(Then::Stand(_)) => None,
    };
    let watched = Progress::watch(TRACE, &traces, timeout, harness);
    command.env(TRACE, &traces).env(WORKSPACE, &settings.workspace);
    let status = command.status().map_err(|error| {
        Failure::new(
            format!("cannot start `{}`: {error}", settings.cargo.display()),
            "Install cargo with rustup, or set `CARGO` to it.",
        )
    })?;
    let stalled = watched.map(Progress::finish).unwrap_or_default();
    if is_killed(status) {
        // What cargo had started does not know of it.
        Watch::end_orphans(TRACE, &traces);
    }
    if let Some(watch) = watch {
        watch.finish();
    }
    // A build script may try what the compiler takes; what then fails is no failure of the build.
    let build_failed = !status.success() && failed.exists();
    // A process that has taken no lock leaves no trace, and one that has failed did run.
    let refused = !status.success()
        && !is_killed(status)
        && !build_failed
        && !has_traces(&traces)
        && settings.only_compiling.as_ref().is_some_and(|args| is_refused(call(args)));
    Ok(Collected {
        code: runner_code(code(status), cargo_args),
        traces,
        output,
        build_failed,
        refused,
        stalled,
        space: space(&settings.build),
        _lock: lock,
    })
}

/// Has the threads of what `command` starts meet. Returns the file that gets what it prints, where that is not
/// shown.
fn take_control(
    command: &mut Command,
    control: &Control<'_>,
    directory: &Path,
    traces: &Path,
) -> Result<Option<PathBuf>, Failure> {
    let plan = directory.join("positions");
    fs::write(&plan, control.plan).map_err(|error| unwritable(&plan, &error))?;
    command.env(CONFIRM, &plan).stdin(Stdio::null());
    if let Then::Stand(begin) = control.then {
        command.env(ON_DEADLOCK, "report").env(PRINT, "none");
        begin(traces);
        return Ok(None);
    }
    command.env(ON_DEADLOCK, "exit").env(PRINT, "none");
    let output = directory.join("output");
    let open = || {
        let file = File::create(&output)?;
        Ok((file.try_clone()?, file))
    };
    let (stdout, stderr) = open().map_err(|error| unwritable(&output, &error))?;
    command.stdout(stdout).stderr(stderr);
    Ok(Some(output))
}

/// The directory of the last run.
///
/// # Errors
/// When there was none.
pub fn last_run(settings: &Settings) -> Result<PathBuf, Failure> {
    let runs = settings.directory.join("runs");
    let all = fs::read_dir(&runs).into_iter().flatten().flatten().map(|run| run.path());
    all.max().ok_or_else(|| {
        Failure::new(
            format!("there was no run yet: `{}` is empty", runs.display()),
            "Run `cargo lockcheck test` first.",
        )
    })
}

/// The traces that are named, or those of the last run.
///
/// # Errors
/// When there are none.
pub fn stored(settings: &Settings) -> Result<Vec<PathBuf>, Failure> {
    let runs = settings.directory.join("runs");
    let places = if settings.traces.is_empty() {
        last_run(settings).ok().map(|run| run.join(TRACES)).into_iter().collect()
    } else {
        settings.traces.clone()
    };
    if let Some(missing) = places.iter().find(|place| !place.exists()) {
        return Err(Failure::new(
            format!("there is no `{}`", missing.display()),
            "Name directories or files that `cargo lockcheck test` has left, below \
             `target/lockcheck/runs`.",
        ));
    }
    let mut unreadable = Vec::new();
    if places.iter().all(|place| trace_files(place, &mut unreadable).is_empty()) {
        let looked: Vec<String> = places
            .iter()
            .chain([&runs].into_iter().filter(|_| places.is_empty()))
            .map(|place| format!("`{}`", place.display()))
            .collect();
        return Err(Failure::new(
            format!("no process has left a trace in {}", looked.join(", ")),
            "Run `cargo lockcheck test` first, or name the directories with the traces.",
        ));
    }
    Ok(places)
}

/// Sees that the build directory belongs to this version of the runtime, and keeps it so until the
/// result is dropped: cargo does not know that a crate must be compiled again when only the
/// runtime under it has changed.
fn claim_build(settings: &Settings, edition: &str) -> Result<File, Failure> {
    let Settings { directory, build, voice, .. } = settings;
    let path = directory.join("lock");
    let owner = build.join(".lockcheck-runtime");
    let is_ours = || fs::read_to_string(&owner).is_ok_and(|found| found == edition);
    let claim = || -> io::Result<File> {
        fs::create_dir_all(directory)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        loop {
            supported(file.lock_shared())?;
            if is_ours() {
                return Ok(file);
            }
            file.unlock()?;
            if let Err(TryLockError::WouldBlock) = file.try_lock() {
                let _phase =
                    Phase::begin("waiting for a check with another version to end", *voice);
                supported(file.lock())?;
            }
            if !is_ours() {
                match fs::remove_dir_all(build) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
                fs::create_dir_all(build)?;
                fs::write(&owner, edition)?;
            }
            file.unlock()?;
        }
    };
    claim().map_err(|error| unwritable(directory, &error))
}

/// A file system without locks does without: only a change of version during a check is unsafe.
fn supported(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        other => other,
    }
}

/// A new directory, named so that runs sort by their start.
fn new_run(runs: &Path) -> io::Result<PathBuf> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let directory = runs.join(format!("{:013}-{}", now.as_millis(), process::id()));
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

fn lock_run(directory: &Path) -> io::Result<File> {
    let file = File::create(directory.join("lock"))?;
    supported(file.lock())?;
    Ok(file)
}

/// Removes old runs that are over. What cannot be removed is left for the next time.
fn prune(runs: &Path, current: &Path) {
    let Ok(entries) = fs::read_dir(runs) else { return };
    let mut old: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    old.retain(|path| path != current);
    old.sort();
    let surplus = old.len().saturating_sub(KEPT);
    for path in old.iter().take(surplus) {
        let is_over = match File::open(path.join("lock")) {
            Ok(file) => file.try_lock().is_ok(),
            Err(_) => false,
        };
        if is_over {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// The bytes that are left for `path`.
#[cfg(unix)]
fn space(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn space(_path: &Path) -> Option<u64> {
    None
}

/// Whether cargo does not do what it is told, to compile and run nothing.
fn is_refused(mut compile: Command) -> bool {
    let silent = compile.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    !silent.status().is_ok_and(|status| status.success())
}

/// The code of a runner of tests, where it has one of its own for tests that failed.
fn runner_code(code: u8, cargo_args: &[OsString]) -> u8 {
    let is_nextest = cargo_args.first().is_some_and(|verb| verb == "nextest");
    if is_nextest && code == NEXTEST_FAILED { TESTS_FAILED } else { code }
}

/// Whether it was ended by a signal that it had no time to tell others of.
fn is_killed(status: ExitStatus) -> bool {
    signal(status) == Some(9)
}

fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = status.code().filter(|_| false);
    signal
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or(signal(status).map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(101)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot write `{}`: {error}", path.display()),
        "Make that place writable and see that there is space, or choose another directory with \
         `--target-dir`.",
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Collected, KEPT, lock_run, prune, runner_code};

    #[test]
    fn a_full_disk_is_said() {
        let directory = tempfile::tempdir().expect("a directory");
        let said = |space| {
            let collected = Collected {
                traces: directory.path().join("none"),
                code: 101,
                build_failed: true,
                refused: false,
                stalled: Vec::new(),
                output: None,
                space,
                _lock: lock_run(directory.path()).expect("a lock"),
            };
            collected.nothing_ran().expect("nothing ran").to_string()
        };
        assert!(said(Some(3 << 20)).contains("3 MiB left on the disk"));
        assert_eq!(said(Some(1 << 40)), "the build failed, so nothing was checked");
        assert_eq!(said(None), "the build failed, so nothing was checked");
    }

    #[test]
    fn tests_that_fail_have_one_code_with_every_runner() {
        let code = |verb: &str, code| runner_code(code, &[verb.into(), "run".into()]);
        assert_eq!((code("nextest", 100), code("nextest", 4), code("run", 100)), (101, 4, 100));
    }

    /// Ends a run. A child that another test starts has a copy of the file until it executes its
    /// program, so that closing the file does not unlock it at once.
    fn end(run: &fs::File) {
        run.unlock().expect("it is unlocked");
    }

    #[test]
    fn old_runs_are_removed_unless_they_go_on() {
        let runs = tempfile::tempdir().expect("a directory");
        let directory = |number: usize| runs.path().join(format!("{number:013}-1"));
        for number in 0..KEPT + 3 {
            fs::create_dir(directory(number)).expect("it is made");
            end(&lock_run(&directory(number)).expect("it is locked"));
        }
        let going_on = lock_run(&directory(1)).expect("it is locked");
        prune(runs.path(), &directory(KEPT + 2));
        assert!(!directory(0).exists());
        assert!(directory(1).exists());
        assert!(directory(2).exists());
        end(&going_on);
        prune(runs.path(), &directory(KEPT + 2));
        assert!(!directory(1).exists());
    }
}
