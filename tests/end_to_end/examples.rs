//! The examples: each does what its README says, and none hangs.
//!
//! A README has a block, ```` ```console ````, that begins with `$ cargo lockcheck …` and holds the
//! report; `UPDATE_EXPECTED=1 cargo test` writes what is printed now. One of an example that uses the
//! library has indented lines as well, or instead, `cargo test` or `cargo run …`, which must succeed.

use std::env;
use std::fs;
use std::io::{self, BufRead};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lockcheck_tests::{Project, command_path, workspace};

const BEGIN: &str = "```console\n$ cargo lockcheck ";
const END: &str = "\n```\n";
/// What separates the output of the program from the report.
const STAGE: &str = "looking for deadlocks in what was recorded\n";
/// An example that takes longer hangs; the compiler's time on a slow and busy machine is included.
const PATIENCE: Duration = Duration::from_secs(1800);

/// How a command ended, with what it wrote to stderr.
fn finish(mut command: Command, name: &str) -> Result<(bool, String), String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let stderr = child.stderr.take().expect("it is piped");
    let stderr = thread::spawn(move || io::read_to_string(stderr));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            break status;
        }
        if started.elapsed() > PATIENCE {
            child.kill().expect("it can be ended");
            return Err(format!("{name} hangs"));
        }
        thread::sleep(Duration::from_millis(20));
    };
    let stderr = stderr.join().expect("the reader ends").expect("the output is UTF-8");
    Ok((status.success(), stderr))
}

/// The report on an example, without its last lines, which say how to accept a finding and count what was
/// looked at.
fn report(name: &str, args: &[&str]) -> Result<String, String> {
    let project = Project::example(name);
    let mut command = project.lockcheck(args);
    command.env("COLUMNS", "80").env("RUST_BACKTRACE", "0");
    let (_, stderr) = finish(command, name)?;
    let (_, report) =
        stderr.split_once(STAGE).ok_or_else(|| format!("{name}: no report:\n{stderr}"))?;
    let ends = ["\nhelp: to accept a finding, ", "\nlockcheck: "];
    let report =
        &report[..ends.iter().filter_map(|end| report.find(end)).min().unwrap_or(report.len())];
    Ok(report.trim_end().to_owned())
}

/// Compares the README of an example with what its command prints.
fn check(name: &str) -> Result<(), String> {
    let directory = workspace().join("examples").join(name);
    let readme = directory.join("README.md");
    let text =
        fs::read_to_string(&readme).map_err(|error| format!("{name}: README.md: {error}"))?;
    // Not those that run the command from elsewhere.
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    cargo "))
        .filter(|line| !line.contains("lockcheck"))
        .collect();
    succeed(&directory, &commands, name)?;
    let Some(start) = text.find(BEGIN).map(|at| at + BEGIN.len()) else {
        let nothing =
            || format!("{name}: its README has neither {BEGIN:?} nor a command of cargo's");
        return if commands.is_empty() { Err(nothing()) } else { Ok(()) };
    };
    let end = text[start..].find(END).ok_or_else(|| format!("{name}: its block has no end"))?;
    let end = start + end;
    let (command, expected) = text[start..end].split_once('\n').unwrap_or((&text[start..end], ""));
    let args: Vec<&str> = command.split_whitespace().collect();
    let report = report(name, &args)?;
    if env::var_os("UPDATE_EXPECTED").is_some() {
        let updated = format!("{}{command}\n{report}{}", &text[..start], &text[end..]);
        fs::write(readme, updated).map_err(|error| format!("{name}: README.md: {error}"))
    } else if report == expected {
        Ok(())
    } else {
        Err(format!("{name} gives another report than its README has:\n{report}"))
    }
}

/// Runs commands of a README.
fn succeed(directory: &Path, commands: &[&str], name: &str) -> Result<(), String> {
    let target = command_path().ancestors().nth(2).expect("it is in `target/debug`");
    for line in commands {
        let mut command = Command::new(env!("CARGO"));
        command.args(line.split_whitespace()).current_dir(directory);
        command.env("CARGO_TARGET_DIR", target.join("end-to-end/library"));
        let (success, stderr) = finish(command, name)?;
        if !success {
            return Err(format!("{name}: `cargo {line}` fails:\n{stderr}"));
        }
    }
    Ok(())
}

/// What `.ci/toolchains` has done with each compiler.
#[test]
fn the_first_example_does_what_its_readme_says() {
    assert_eq!(check("01-abba"), Ok(()));
}

#[test]
fn every_example_does_what_its_readme_says() {
    let examples = workspace().join("examples");
    let entries = fs::read_dir(&examples).expect("the examples are there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("they can be listed"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    assert!(names.len() > 1, "{names:?}");
    let wrong: Vec<String> = names.iter().filter_map(|name| check(name).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Those that hang without the tool.
const HANGS: [&str; 5] = [
    "02-join-under-lock",
    "03-channel-and-lock",
    "04-lost-wake-up",
    "06-forgotten-guard",
    "08-polite-philosophers",
];
/// From the first watched step of a process to its report: the rules promise two thirds of a second,
/// and a slow machine adds to it.
const AT_ONCE: Duration = Duration::from_secs(2);

/// When the process that has found something began, by its trace.
fn begun(traces: &Path) -> Option<SystemTime> {
    let mut files = fs::read_dir(traces).ok()?.map(|file| file.expect("it is listed").path());
    files.find_map(|path| {
        if path.is_dir() {
            return begun(&path);
        }
        let text = fs::read_to_string(&path).ok()?;
        let first: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
        let begun = UNIX_EPOCH + Duration::from_millis(first["time"].as_u64()?);
        text.contains(r#""t":"finding""#).then_some(begun)
    })
}

/// How long the tests of the example, built already, run until their first report.
fn time_of_report(project: &Project) -> Duration {
    let traces = project.root().join("target/lockcheck/runs");
    let _ = fs::remove_dir_all(&traces);
    let mut command = project.lockcheck(&["test", "-q"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut reported = None;
    for line in io::BufReader::new(child.stderr.take().expect("it is piped")).lines() {
        if line.is_ok_and(|line| line.starts_with("lockdep: ")) {
            reported = reported.or_else(|| Some(SystemTime::now()));
        }
    }
    child.wait().expect("it ends");
    let reported = reported.expect("something is reported by the process itself");
    reported.duration_since(begun(&traces).expect("it has a trace")).unwrap_or_default()
}

/// A busy machine may take its time, so the best of some runs counts.
#[test]
fn a_hang_is_reported_at_once() {
    for name in HANGS {
        let project = Project::example(name);
        let mut best = Duration::MAX;
        for _ in 0..20 {
            best = best.min(time_of_report(&project));
            if best <= AT_ONCE {
                break;
            }
        }
        assert!(best <= AT_ONCE, "{name}: {best:?}");
    }
}

/// The report on the first page is the one of the first example.
#[test]
fn the_first_page_shows_the_first_report() {
    let page = fs::read_to_string(workspace().join("README.md")).expect("it is there");
    let example = fs::read_to_string(workspace().join("examples/01-abba/README.md"))
        .expect("the example has a README");
    let report = |text: &str| -> Option<String> {
        let start = text.find("error[lock-order]")?;
        Some(text[start..start + text[start..].find(END)?].to_owned())
    };
    assert!(report(&page).is_some(), "the first page has no report");
    assert_eq!(report(&page), report(&example));
}
