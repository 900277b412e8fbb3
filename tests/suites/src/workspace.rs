//! What the lint costs in a workspace that grows: some of the linted crates as members of one.
//!
//! A workspace of a third of the members, of two thirds and of all is checked plain and linted: from
//! nothing, with all dependencies, by processor time; then, by the time that passes, after the
//! `lib.rs` of the member with the least MIR and of the one with the most was touched, and with
//! nothing changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::lint::{check, kibibytes, lines, processor, touch};
use crate::median;
use crate::source;
use crate::suite::Suite;

/// Under which name the versions of all dependencies are kept.
const LOCK: &str = "workspace";

/// Lints workspaces of growing size and prints a table.
pub(crate) fn survey(suites: &[&Suite], lockcheck: &Path, runs: usize, locks: bool) -> ExitCode {
    println!(
        "| members | lines | MIR | from nothing: check, lint | ratio | touched | check, lint | more \
         | memory |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for share in 1..=3 {
        let members = &suites[..(suites.len() * share / 3).max(1)];
        if let Err(problem) = grown(members, lockcheck, runs, locks && share == 3) {
            println!("| {} | could not be linted: {problem} |", members.len());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn grown(suites: &[&Suite], lockcheck: &Path, runs: usize, locks: bool) -> Result<(), String> {
    let work = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/linted/workspace");
    let members = suites.iter().map(|suite| source::unpack_member(suite, &work));
    let members: Vec<PathBuf> = members.collect::<Result<_, _>>()?;
    let names: Vec<String> =
        suites.iter().map(|suite| format!("{:?}", suite.directory())).collect();
    let manifest = format!("[workspace]\nresolver = \"2\"\nmembers = [{}]\n", names.join(", "));
    let path = work.join("Cargo.toml");
    fs::write(&path, manifest).map_err(|e| format!("{}: {e}", path.display()))?;
    source::use_lock(LOCK, &work)?;
    let features: Vec<String> = suites.iter().flat_map(|suite| suite.member_features()).collect();
    let features = features.join(",");
    let args = ["--lib", "--workspace", "--features", &features];
    let check = |lints: bool| check(lints.then_some(lockcheck), &work, &args);
    let _ = fs::remove_dir_all(work.join("target"));
    let cold = [processor(&check(false)?), processor(&check(true)?)];
    if locks {
        source::keep_lock(LOCK, &work)?;
    }
    let mut sizes: Vec<(u64, usize)> = (0..members.len())
        .map(|at| (mir_of(&work, Some(&suites[at].name.replace('-', "_"))), at))
        .collect();
    sizes.sort_unstable();
    let (least, most) = (sizes[0].1, sizes[sizes.len() - 1].1);
    let mut memory = 0;
    for (row, touched) in [Some(least), Some(most), None].into_iter().enumerate() {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..runs {
            for (lints, times) in [false, true].into_iter().zip(&mut times) {
                if let Some(at) = touched {
                    touch(&members[at].join("src/lib.rs"))?;
                }
                times.push(check(lints)?);
            }
        }
        memory = times[1].iter().filter_map(|run| kibibytes(&run.text)).max().unwrap_or(memory);
        let [plain, ours] = times.map(|times| median(&times, |run| run.wall));
        let whole = match row {
            0 => format!(
                "{} | {} | {} MB | {:.1} s, {:.1} s | {:.2}",
                members.len(),
                members.iter().map(|member| lines(&member.join("src"))).sum::<usize>(),
                mir_of(&work, None) / 1_000_000,
                cold[0],
                cold[1],
                cold[1] / cold[0].max(0.01),
            ),
            _ => " | | | | ".to_owned(),
        };
        let touched = touched.map_or("nothing", |at| suites[at].name);
        let more = ours.saturating_sub(plain);
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        println!(
            "| {whole} | {touched} | {}, {} | {} | {} MiB |",
            seconds(plain),
            seconds(ours),
            seconds(more),
            memory / 1024,
        );
    }
    Ok(())
}

/// The size of the MIR of a crate, or of all.
fn mir_of(work: &Path, name: Option<&str>) -> u64 {
    let written = fs::read_dir(work.join("target/lockcheck/lint/debug/deps"));
    let files = written.into_iter().flatten().flatten().filter(|entry| {
        let file = entry.file_name();
        let stem = file.to_str().and_then(|file| file.strip_suffix(".mir"));
        let of = stem.and_then(|stem| stem.rsplit_once('-')).map(|split| split.0);
        of.is_some_and(|of| name.is_none_or(|name| name == of))
    });
    files.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}
