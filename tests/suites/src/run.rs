//! One run of one suite: the command, how long it took, what the tests and the report said.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a run may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(900);

/// What a run showed.
pub(crate) struct Run {
    /// Wall time of the whole command.
    pub(crate) wall: Duration,
    /// Wall time of the tests alone, as the test harnesses print it.
    pub(crate) tests: Duration,
    /// How often a test of this name ended in this way.
    pub(crate) outcomes: BTreeMap<(String, String), usize>,
    /// The exit code; `None` when the run hung or died.
    pub(crate) code: Option<i32>,
    /// Everything that was printed.
    pub(crate) text: String,
}

/// Runs a command to its end, or to the end of patience.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn run(command: &mut Command) -> Result<Run, String> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|e| format!("{command:?} cannot be run: {e}"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let group = child.id();
    let (ended, end) = mpsc::channel();
    let readers = thread::spawn(move || {
        let errors = thread::spawn(move || read(err));
        (read(out), errors.join().unwrap_or_default())
    });
    let waiter = thread::spawn(move || {
        let status = child.wait();
        let _ = ended.send(());
        status
    });
    let hung = end.recv_timeout(PATIENCE).is_err();
    if hung {
        let _ = Command::new("kill").args(["-9", "--", &format!("-{group}")]).status();
    }
    let status = waiter.join().map_err(|_| "the waiting thread panicked".to_owned())?;
    let wall = started.elapsed();
    let (out, err) = readers.join().unwrap_or_default();
    Ok(Run {
        wall,
        tests: out.lines().filter_map(finished_in).sum(),
        outcomes: outcomes(&out),
        code: status.ok().and_then(|status| status.code()).filter(|_| !hung),
        text: out + &err,
    })
}

fn read(from: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        let _ = from.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The time in `test result: ok. 3 passed; …; finished in 0.12s`.
fn finished_in(line: &str) -> Option<Duration> {
    let seconds = line.strip_prefix("test result: ")?.rsplit_once("finished in ")?.1;
    Duration::try_from_secs_f64(seconds.trim_end_matches('s').parse().ok()?).ok()
}

/// The tests in lines like `test channel::smoke ... ok`, whose name the test may have followed with
/// words of its own.
fn outcomes(out: &str) -> BTreeMap<(String, String), usize> {
    let mut found = BTreeMap::new();
    for line in out.lines() {
        let Some((name, rest)) = line.strip_prefix("test ").and_then(|l| l.split_once(" ... "))
        else {
            continue;
        };
        let outcome = ["ok", "FAILED", "ignored"].into_iter().find(|word| rest.contains(word));
        let key = (name.to_owned(), outcome.unwrap_or("?").to_owned());
        *found.entry(key).or_insert(0) += 1;
    }
    found
}

/// One finding of a report.
#[derive(Clone)]
pub(crate) struct Finding {
    /// Its identity over runs.
    pub(crate) id: String,
    /// Level, rule and tier.
    pub(crate) kind: String,
    /// The sentence.
    pub(crate) message: String,
}

/// The findings in the report at `path`.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn findings(path: &Path) -> Result<Vec<Finding>, String> {
    let text = fs::read_to_string(path)
        .map_err(|e| format!("there is no report at {}: {e}", path.display()))?;
    let report: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().into_iter().flatten();
    Ok(all
        .map(|f| Finding {
            id: word(&f["id"]),
            kind: format!("{} {} {}", word(&f["level"]), word(&f["rule"]), word(&f["tier"])),
            message: word(&f["message"]),
        })
        .collect())
}

/// How many functions the lint has analysed, by the report at `path`.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn functions(path: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(path)
        .map_err(|e| format!("there is no report at {}: {e}", path.display()))?;
    let report: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(report["coverage"]["functions_analyzed"].as_u64().unwrap_or_default())
}
