//! Runs the body of a test in a process of its own, as the engine's findings are the process's.

use std::env;
use std::path::PathBuf;
use std::process::{self, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lockdep::Finding;
use lockdep::finding::{Rule, Tier};

const BODY: &str = "LOCKDEP_TEST_BODY";
/// A body that hangs is killed after this, which none needs on a machine that is slow and busy.
const PATIENCE: Duration = Duration::from_secs(600);

/// How a body ended.
pub(crate) struct Ended {
    pub(crate) ok: bool,
    pub(crate) stderr: String,
    /// The lines of all traces that it left.
    pub(crate) trace: String,
}

impl Ended {
    /// The body must have ended well.
    pub(crate) fn well(self) -> Ended {
        assert!(self.ok, "{}", self.stderr);
        self
    }
}

/// Runs `body` in a process that runs nothing but the test called `name`, which is the caller.
pub(crate) fn run(name: &str, body: fn()) -> Ended {
    run_with(name, &[], body)
}

/// The same, with these variables in the environment.
pub(crate) fn run_with(name: &str, variables: &[(&str, &str)], body: fn()) -> Ended {
    if env::var(BODY).is_ok_and(|n| n == name) {
        body();
        // The harness's own threads are of no interest.
        process::exit(0);
    }
    let traces = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name.replace("::", "-"));
    let _ = std::fs::remove_dir_all(&traces);
    let mut child = Command::new(env::current_exe().expect("the path of this test"))
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(BODY, name)
        .env("LOCKDEP_TRACE", &traces)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test again");
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the state of the child") {
            break Some(status);
        }
        if begin.elapsed() > PATIENCE {
            let _ = child.kill();
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let Output { stderr, .. } = child.wait_with_output().expect("the output of the child");
    let mut trace = String::new();
    for file in std::fs::read_dir(&traces).into_iter().flatten().flatten() {
        trace += &std::fs::read_to_string(file.path()).unwrap_or_default();
    }
    Ended {
        ok: status.is_some_and(|s| s.success()),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        trace,
    }
}

/// The rules and tiers of what was found so far.
pub(crate) fn found() -> Vec<(Rule, Tier)> {
    lockdep::findings().iter().map(|f: &std::sync::Arc<Finding>| (f.rule, f.tier)).collect()
}

/// Those that are shown by default.
pub(crate) fn shown() -> Vec<(Rule, Tier)> {
    found().into_iter().filter(|(_, tier)| tier.is_shown()).collect()
}
