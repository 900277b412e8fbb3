//! What watching costs tokio's locks, channels and tasks: the program in `tasks/`, plain and under
//! `cargo lockcheck run`, row by row in turns.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::run::run;

/// What the names of the rows begin with, each in a process of its own.
const PARTS: &[&str] = &[
    "lock, unlock",
    "two locks nested",
    "read, unlock",
    "bounded send, recv",
    "unbounded send, recv",
    "spawn, join",
    "spawn, lock, join",
    "one of 10000 tasks",
    "one of 100000 tasks",
    "memory of an idle task",
    "memory of an idle one",
];

/// Prints a table of the least of `runs` runs each.
pub(crate) fn measure(lockcheck: &Path, runs: usize) -> ExitCode {
    match rows(lockcheck, runs) {
        Ok(rows) => {
            println!("| tokio, nanoseconds or bytes each | plain | watched | ratio |");
            println!("|---|---|---|---|");
            for (name, [plain, watched]) in rows {
                let ratio = watched / plain;
                println!("| {name} | {plain:.0} | {watched:.0} | {ratio:.2} |");
            }
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn rows(lockcheck: &Path, runs: usize) -> Result<Vec<(String, [f64; 2])>, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks");
    let manifest = directory.join("Cargo.toml");
    let plain = |part: &str| {
        let mut command = Command::new("cargo");
        command
            .args(["run", "-q", "--release", "--manifest-path"])
            .arg(&manifest)
            .args(["--", part]);
        command
    };
    let watched = |part: &str| {
        let mut command = Command::new(lockcheck);
        command.args(["lockcheck", "run", "-q", "--release", "--manifest-path"]).arg(&manifest);
        command.args(["--", part]);
        command
    };
    let mut order = Vec::new();
    let mut least: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for part in PARTS {
        for _ in 0..runs {
            for (way, mut command) in [plain(part), watched(part)].into_iter().enumerate() {
                let run = run(&mut command)?;
                if run.code != Some(0) {
                    return Err(format!("{command:?} did not succeed:\n{}", run.text));
                }
                for (name, value) in run.text.lines().filter_map(|line| line.split_once('\t')) {
                    let Ok(value) = value.parse::<f64>() else { continue };
                    let both = least.entry(name.to_owned()).or_insert_with(|| {
                        order.push(name.to_owned());
                        [f64::INFINITY; 2]
                    });
                    both[way] = both[way].min(value);
                }
            }
        }
    }
    Ok(order.into_iter().map(|name| (name.clone(), least[&name])).collect())
}
