//! Runs the published tests of well-known crates plain and under `cargo lockcheck test`, in turns,
//! and compares: the same tests must end the same way, and the time is printed side by side.
//!
//! See `README.md` beside this package.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

mod lint;
mod run;
mod source;
mod suite;
mod tasks;
mod workspace;

use crate::run::{Finding, Run};
use crate::suite::{LINTED, SUITES, Suite, TOGETHER};

/// What a suite showed over all its runs.
struct Outcome {
    tests: usize,
    /// Whole commands, then the tests alone; plain, then instrumented.
    wall: [Duration; 2],
    alone: [Duration; 2],
    findings: BTreeMap<String, (Finding, usize)>,
    /// Tests that failed instrumented, and do so now and then without.
    races: Vec<String>,
    problems: Vec<String>,
}

/// How often a test that failed instrumented is tried alone and plain.
const ALONE: usize = 100;

fn main() -> ExitCode {
    let mut runs = 3_usize;
    let mut locks = false;
    let mut command = None;
    let mut chosen = Vec::new();
    let mut words = env::args().skip(1).peekable();
    let linting = words.next_if(|word| word == "lint").is_some();
    let of_tasks = words.next_if(|word| word == "tasks").is_some();
    let growing = linting && words.next_if(|word| word == "workspace").is_some();
    let known = if linting { LINTED } else { SUITES };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--runs" => match words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0) {
                Some(n) => runs = n,
                None => return usage("--runs takes the number of runs"),
            },
            "--update-locks" => locks = true,
            "--command" => match words.next() {
                Some(path) => command = Some(PathBuf::from(path)),
                None => return usage("--command takes the path of a cargo-lockcheck"),
            },
            name => {
                let before = chosen.len();
                chosen.extend(known.iter().filter(|suite| suite.name == name));
                if chosen.len() == before {
                    return usage(&format!("no suite has the name {name}"));
                }
            }
        }
    }
    if chosen.is_empty() && growing {
        chosen.extend(known.iter().filter(|suite| TOGETHER.contains(&suite.name)));
    } else if chosen.is_empty() {
        chosen.extend(known);
    }
    let lockcheck = match command.map_or_else(build_command, Ok) {
        Ok(path) => path,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    if of_tasks {
        return tasks::measure(&lockcheck, runs);
    }
    if growing {
        return workspace::survey(&chosen, &lockcheck, runs, locks);
    }
    if linting {
        return lint::survey(&chosen, &lockcheck, runs);
    }
    println!("| crate | tests | plain | instrumented | ratio | tests alone | ratio | findings |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut good = true;
    let mut explained = Vec::new();
    for suite in chosen {
        match check(suite, &lockcheck, runs, locks) {
            Ok(outcome) => {
                print_row(suite, &outcome);
                good &= outcome.problems.is_empty();
                explained.push((suite, outcome));
            }
            Err(problem) => {
                println!("| {} | could not be run: {problem} |", suite.directory());
                good = false;
            }
        }
    }
    for (suite, outcome) in &explained {
        for (finding, times) in outcome.findings.values() {
            println!(
                "\n{} `{}` {}, in {times} of {runs} runs\n  {}",
                suite.name, finding.id, finding.kind, finding.message
            );
        }
        for problem in outcome.races.iter().chain(&outcome.problems) {
            println!("\n{}: {problem}", suite.name);
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage(problem: &str) -> ExitCode {
    let names =
        |suites: &[Suite]| suites.iter().map(|suite| suite.name).collect::<Vec<_>>().join(", ");
    eprintln!(
        "{problem}\nusage: [--runs N] [--command PATH] [--update-locks] [NAME…], of {}\n   or: lint \
         [workspace] [--runs N] [--command PATH] [NAME…], of {}\n   or: tasks [--runs N] \
         [--command PATH]",
        names(SUITES),
        names(LINTED),
    );
    ExitCode::from(2)
}

fn print_row(suite: &Suite, outcome: &Outcome) {
    let pair = |times: [Duration; 2]| {
        let [plain, ours] = times.map(|time| time.as_secs_f64());
        (plain, ours, ours / plain.max(0.01))
    };
    let (plain, ours, ratio) = pair(outcome.wall);
    let (plain_alone, ours_alone, ratio_alone) = pair(outcome.alone);
    println!(
        "| {} {} | {} | {plain:.2} s | {ours:.2} s | {ratio:.2} | {plain_alone:.2} s, \
         {ours_alone:.2} s | {ratio_alone:.2} | {} |",
        suite.name,
        suite.version,
        outcome.tests,
        outcome.findings.len(),
    );
}

/// Builds the command from this checkout, and says where it is.
fn build_command() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let status = Command::new("cargo")
        .args(["build", "--release", "-p", "cargo-lockcheck"])
        .current_dir(&root)
        .status()
        .map_err(|e| format!("cargo cannot be run: {e}"))?;
    if !status.success() {
        return Err("cargo-lockcheck does not build".to_owned());
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let path = target.join("release/cargo-lockcheck");
    path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))
}

fn check(suite: &Suite, lockcheck: &Path, runs: usize, locks: bool) -> Result<Outcome, String> {
    let work = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/suites");
    let sources = source::unpack(suite, &work)?;
    let report = sources.join("report.json");
    let command = |instrumented: bool, build: bool| {
        let mut command = Command::new(if instrumented { lockcheck } else { Path::new("cargo") });
        if instrumented {
            command.arg("lockcheck");
        }
        command.args(["test", "--tests", "--no-fail-fast"]).args(suite.cargo);
        if instrumented && !build {
            command.arg("--output").arg(format!("json={}", report.display()));
        }
        if build {
            command.arg("--no-run");
        }
        // A target directory of the caller's would be shared by all suites.
        command.current_dir(&sources).env_remove("CARGO_TARGET_DIR");
        command
    };
    for instrumented in [false, true] {
        let built = run::run(&mut command(instrumented, true))?;
        if built.code != Some(0) {
            return Err(format!(
                "it does not build (instrumented: {instrumented})\n{}",
                built.text
            ));
        }
    }
    if locks {
        source::keep_lock(&suite.directory(), &sources)?;
    }
    let mut times: [Vec<Run>; 2] = [Vec::new(), Vec::new()];
    let mut findings = BTreeMap::new();
    for at in 0..runs {
        for (instrumented, times) in [false, true].into_iter().zip(&mut times) {
            let _ = fs::remove_file(&report);
            let run = run::run(&mut command(instrumented, false))?;
            let kind = if instrumented { "instrumented" } else { "plain" };
            fs::write(sources.join(format!("{kind}-{at}.log")), &run.text)
                .map_err(|e| format!("the log cannot be written: {e}"))?;
            times.push(run);
            if instrumented {
                for finding in run::findings(&report)? {
                    let known = findings.entry(finding.id.clone()).or_insert((finding, 0));
                    known.1 += 1;
                }
            }
        }
    }
    let (mut problems, failed) = compare(&times);
    let mut races = Vec::new();
    for (name, at) in failed {
        let problem = format!("test {name} failed in instrumented run {at}");
        match fails_plain(&mut command(false, false), &name)? {
            Some(runs) => races.push(format!("{problem}, and alone in plain run {runs}")),
            None => problems.push(problem),
        }
    }
    let [plain, ours] = &times;
    let tests = ours.first().map_or(0, |run| run.outcomes.values().sum());
    Ok(Outcome {
        tests,
        wall: [median(plain, |run| run.wall), median(ours, |run| run.wall)],
        alone: [median(plain, |run| run.tests), median(ours, |run| run.tests)],
        findings,
        races,
        problems,
    })
}

/// Runs one test plain, over and over, and says in which run it failed.
fn fails_plain(command: &mut Command, name: &str) -> Result<Option<usize>, String> {
    command.args(["--", "--exact", name]);
    for at in 1..=ALONE {
        if run::run(command)?.code != Some(0) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// The median of a time over runs.
pub(crate) fn median(runs: &[Run], time: impl Fn(&Run) -> Duration) -> Duration {
    let mut times: Vec<_> = runs.iter().map(time).collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// What differs between the plain and the instrumented runs, and the tests that failed in one of the
/// latter and in none of the former.
fn compare([plain, ours]: &[Vec<Run>; 2]) -> (Vec<String>, Vec<(String, usize)>) {
    let mut problems = Vec::new();
    let mut failed = Vec::new();
    let names = |run: &Run| {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for ((name, _), times) in &run.outcomes {
            *names.entry(name.clone()).or_default() += times;
        }
        names
    };
    let passes = |run: &Run, name: &str| {
        !run.outcomes.keys().any(|k| k.0 == name && k.1 != "ok" && k.1 != "ignored")
    };
    let Some(reference) = plain.first() else { return (problems, failed) };
    for (at, run) in ours.iter().enumerate() {
        match run.code {
            None => problems.push(format!("instrumented run {at} hung or was killed by a signal")),
            Some(0 | 100) => {}
            // The loop below tells which.
            Some(_) if run.outcomes.keys().any(|key| key.1 == "FAILED") => {}
            Some(code) => problems.push(format!("instrumented run {at} ended with {code}")),
        }
        if names(run) != names(reference) {
            problems.push(format!("instrumented run {at} ran other tests than the plain one"));
        }
        for (name, outcome) in run.outcomes.keys() {
            if outcome == "FAILED" && plain.iter().all(|run| passes(run, name)) {
                failed.push((name.clone(), at));
            }
        }
    }
    (problems, failed)
}
