//! What the lint costs beside `cargo check` on crates of growing size, and what it finds in them.
//!
//! Each crate is checked plain and linted: once from nothing, with all dependencies; then several
//! times after its `lib.rs` was touched; then with nothing changed. The least processor time of the
//! command, cargo and the compilers together is printed, which says the same on a busy machine; what
//! runs on several processors at once takes less time than that.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::run::{self, Run};
use crate::source;
use crate::suite::Suite;

/// The target directory of the plain checks, below the crate's own.
const PLAIN: &str = "target/plain";

/// Lints each crate and prints a table, then the findings.
pub(crate) fn survey(suites: &[&Suite], lockcheck: &Path, runs: usize) -> ExitCode {
    println!(
        "| crate | lines | functions | from nothing: check, lint | ratio | lib.rs touched: check, \
         lint | nothing changed: check, lint | memory | deny | warn |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut good = true;
    let mut told = String::new();
    for suite in suites {
        match one(suite, lockcheck, runs) {
            Ok((row, findings)) => {
                println!("{row}");
                told += &findings;
            }
            Err(problem) => {
                println!("| {} | could not be linted: {problem} |", suite.directory());
                good = false;
            }
        }
    }
    print!("{told}");
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(suite: &Suite, lockcheck: &Path, runs: usize) -> Result<(String, String), String> {
    let work = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/linted");
    let sources = source::unpack(suite, &work)?;
    // It may ask for a toolchain that is not there.
    for name in ["rust-toolchain", "rust-toolchain.toml"] {
        let _ = fs::remove_file(sources.join(name));
    }
    let mut args = vec!["--lib"];
    args.extend(suite.cargo);
    let check = |lints: bool| {
        let report: &[&str] = &["--output", "json=target/report.json"];
        let more = if lints { report } else { &[] };
        check(lints.then_some(lockcheck), &sources, &[&args, more].concat())
    };
    for built in [PLAIN, "target/lockcheck"] {
        let _ = fs::remove_dir_all(sources.join(built));
    }
    let cold = [processor(&check(false)?), processor(&check(true)?)];
    let root = sources.join("src/lib.rs");
    let measure = |touches: bool| -> Result<[Vec<Run>; 2], String> {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..runs {
            for (lints, times) in [false, true].into_iter().zip(&mut times) {
                if touches {
                    touch(&root)?;
                }
                times.push(check(lints)?);
            }
        }
        Ok(times)
    };
    let (touched, same) = (measure(true)?, measure(false)?);
    let least = |runs: &[Run]| {
        let times = runs.iter().map(processor);
        format!("{:.1} s", times.fold(f64::INFINITY, f64::min))
    };
    let memory = same[1].iter().filter_map(|run| kibibytes(&run.text)).max();
    let memory = memory.map_or_else(|| "?".to_owned(), |kib| format!("{} MiB", kib / 1024));
    let report = sources.join("target/report.json");
    let findings = run::findings(&report)?;
    let count = |level: &str| findings.iter().filter(|f| f.kind.starts_with(level)).count();
    let row = format!(
        "| {} {} | {} | {} | {}, {} | {:.2} | {}, {} | {}, {} | {memory} | {} | {} |",
        suite.name,
        suite.version,
        lines(&sources.join("src")),
        run::functions(&report)?,
        format_args!("{:.1} s", cold[0]),
        format_args!("{:.1} s", cold[1]),
        cold[1] / cold[0].max(0.01),
        least(&touched[0]),
        least(&touched[1]),
        least(&same[0]),
        least(&same[1]),
        count("deny"),
        count("warn"),
    );
    let told = findings
        .iter()
        .map(|f| format!("\n{} `{}` {}\n  {}\n", suite.name, f.id, f.kind, f.message))
        .collect();
    Ok((row, told))
}

/// Has cargo check a directory, or, where one is given, this command lint it.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn check(
    lockcheck: Option<&Path>,
    directory: &Path,
    args: &[&str],
) -> Result<Run, String> {
    let mut command = timed(lockcheck.unwrap_or(Path::new("cargo")));
    match lockcheck {
        Some(_) => command.args(["lockcheck", "check"]),
        None => command.args(["check", "-q", "--target-dir", PLAIN]),
    };
    command.args(args).current_dir(directory).env_remove("CARGO_TARGET_DIR");
    // Lints that a crate denies would stop it; the command says nothing of them.
    command.env("RUSTFLAGS", "--cap-lints warn");
    let run = run::run(&mut command)?;
    match run.code {
        Some(0 | 100) => Ok(run),
        _ => Err(format!("it cannot be checked\n{}", run.text)),
    }
}

/// Gives a file the time of now.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn touch(file: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", file.display());
    let text = fs::read(file).map_err(failed)?;
    fs::write(file, text).map_err(failed)
}

/// A command under `time`, where there is one, for the time and memory that it needs.
fn timed(program: &Path) -> Command {
    let time = Path::new("/usr/bin/time");
    if !time.exists() {
        return Command::new(program);
    }
    let mut command = Command::new(time);
    command.args(["-f", "maximum %M KiB\nprocessor %U %S"]).arg(program);
    command
}

/// The memory in what `time` has printed. With nothing changed no compiler is run, so that it is
/// the command's own or cargo's.
pub(crate) fn kibibytes(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("maximum "))?;
    line.strip_suffix(" KiB")?.parse().ok()
}

/// The processor time in what `time` has printed, in seconds; else the time that has passed.
pub(crate) fn processor(run: &Run) -> f64 {
    let line = run.text.lines().find_map(|line| line.strip_prefix("processor "));
    let parts = line.map(|line| line.split(' ').filter_map(|part| part.parse::<f64>().ok()));
    parts.map_or(run.wall.as_secs_f64(), Iterator::sum)
}

/// The lines of all sources below a directory.
pub(crate) fn lines(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let count = |path: &Path| {
        fs::read(path).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
    };
    entries
        .map(|entry| entry.path())
        .map(|path| match path.extension() {
            _ if path.is_dir() => lines(&path),
            Some(extension) if extension == "rs" => count(&path),
            _ => 0,
        })
        .sum()
}
