//! Runs in which threads are made to meet: what is possible comes about, and what is not never does.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use cargo_lockcheck::report::model::{Finding, Report};
use lockcheck_tests::{Checked, Project, workspace};
use lockdep::finding::{Rule, Tier};

/// Programs whose findings no run comes to, each with the reason.
const NEVER: &[(&str, &str)] = &[
    ("order-polled-finish", "one thread asks again and again whether the other has ended"),
    ("phil-four-seats", "a count, which is no lock, keeps one of five away"),
];

/// Has all programs tried, 10 and 50 times, instead of a few.
const ALL: &str = "LOCKCHECK_CONFIRM_ALL";

fn programs(package: &str, few: &[&str]) -> Vec<String> {
    if env::var_os(ALL).is_none() {
        return few.iter().map(|name| (*name).to_owned()).collect();
    }
    let directory = workspace().join("tests/scenarios").join(package).join("src/bin");
    let files = fs::read_dir(directory).expect("the programs are there");
    let name = |file: fs::DirEntry| Some(file.path().file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> =
        files.filter_map(|file| name(file.expect("it can be listed"))).collect();
    names.retain(|name| NEVER.iter().all(|(never, _)| name != never));
    names.sort_unstable();
    names
}

fn has_tier(finding: &Finding, tiers: &[Tier]) -> bool {
    let is_order = matches!(finding.rule, Rule::LockOrder | Rule::WaitWhileHolding);
    is_order && tiers.contains(&finding.tier)
}

fn confirm(project: &Project, args: &[&str]) -> Checked {
    let mut command = project.lockcheck(&["confirm", "-q"]);
    command.args(args);
    Checked::new(command.output().expect("the command starts"), &project.report_path())
}

/// What was `reachable` of these programs must be confirmed, and in how many runs.
#[expect(clippy::print_stdout, reason = "the figures are for who has all programs tried")]
fn come_about(package: &str, few: &[&str]) {
    let project = Project::scenarios(package);
    let (mut runs, mut wrong) = (Vec::new(), Vec::new());
    for name in programs(package, few) {
        let checked = project.check(&["run", "-q", "--bin", &name]);
        let reachable =
            |report: &Report| report.findings.iter().any(|it| has_tier(it, &[Tier::Reachable]));
        if !checked.report.as_ref().is_some_and(reachable) {
            assert!(env::var_os(ALL).is_some(), "{name} shows nothing: {checked}");
            continue;
        }
        let confirmed = confirm(&project, &[]);
        if reachable(confirmed.report()) || confirmed.code != 100 {
            wrong.push(format!("{name}: {confirmed}"));
        }
        let reached = confirmed.report().findings.iter().filter_map(|it| it.confirmation);
        runs.extend(reached.filter(|it| it.reached).map(|it| it.runs));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let at_once = runs.iter().filter(|runs| **runs == 1).count();
    println!("{package}: {} confirmed, {at_once} of them by the first run", runs.len());
    assert!(at_once * 100 >= runs.len() * 95, "{runs:?}");
}

#[test]
fn what_can_happen_to_standard_locks_comes_about() {
    let few = [
        "bulk-100th-vs-first",
        "cycle-6-mixed",
        "gate-one-side-only",
        "join-holding-lucky",
        "k-rw-abba1",
    ];
    come_about("run-std", &few);
}

#[test]
fn what_can_happen_to_locks_of_parking_lot_comes_about() {
    come_about("run-pl", &["pl-reentrant-abba", "pl-upgradable-abba"]);
}

/// What these programs' locks or threads make impossible is tried all the same.
#[expect(clippy::print_stdout, reason = "the figures are for who has all programs tried")]
fn never_come_about(package: &str, few: &[&str]) {
    let project = Project::scenarios(package);
    let runs = if env::var_os(ALL).is_some() { "50" } else { "2" };
    let mut tried = 0;
    for name in programs(package, few) {
        let checked = project.check(&["run", "-q", "--bin", &name]);
        let Some(report) = &checked.report else { continue };
        let hidden = report.suppressed.iter().map(|hidden| &hidden.finding);
        let impossible = hidden.filter(|it| has_tier(it, &[Tier::Guarded, Tier::Ordered]));
        let ids: Vec<&str> = impossible.map(|finding| &*finding.id).collect();
        if ids.is_empty() {
            assert!(env::var_os(ALL).is_some(), "{name} shows nothing: {checked}");
            continue;
        }
        let confirmed = confirm(&project, &[&["--runs", runs], ids.as_slice()].concat());
        assert_eq!(confirmed.code, 0, "{name}: {confirmed}");
        let said = confirmed.stderr.matches("not reached in").count();
        assert_eq!(said, ids.len(), "{name}: {confirmed}");
        tried += ids.len();
    }
    println!("{package}: {tried} not reached in {runs} runs each");
    assert!(tried > 0);
}

#[test]
fn what_cannot_happen_to_standard_locks_never_comes_about() {
    never_come_about("run-std", &["bulk-100th-vs-first", "order-after-join"]);
}

#[test]
fn what_cannot_happen_to_locks_of_parking_lot_never_comes_about() {
    never_come_about("run-pl", &["pl-mixed-gate"]);
}

/// Has an example go all the way: its deadlock is possible, is confirmed, is cured by having `broken` do what
/// another module does, and is not found any more.
fn goes_all_the_way(name: &str, broken: &str, cured: &str) {
    let project = Project::example(name);
    let test = ["test", "-q", "--lib", "--", "broken"];
    let possible = project.check(&test);
    assert_eq!(possible.found(), ["lock-order reachable"], "{possible}");
    let id = possible.report().findings[0].id.clone();

    let confirmed = confirm(&project, &[&id]);
    assert_eq!(confirmed.code, 100, "{confirmed}");
    assert_eq!(confirmed.found(), ["lock-order confirmed"], "{confirmed}");
    let reached = confirmed.report().findings[0].confirmation.expect("it says how");
    assert!(reached.reached && reached.runs == 1, "{reached:?}");
    let explained = project.lockcheck(&["explain", &id]).output().expect("it starts");
    let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(explained.contains("tier confirmed"), "{explained}");

    let source = project.root().join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("it is there");
    assert!(text.contains(broken), "{name} does not call {broken}");
    fs::write(&source, text.replace(broken, cured)).expect("it can be written");
    let again = confirm(&project, &[&id]);
    assert_eq!(again.code, 0, "{again}");
    assert!(again.stderr.contains("cannot come about any more"), "{again}");
    assert_eq!(project.check(&test).found(), [""; 0]);
}

#[test]
fn the_bank_goes_from_possible_to_confirmed_to_cured() {
    goes_all_the_way("10-bank-transfer", "super::broken::transfer", "super::sorted::transfer");
}

#[test]
fn the_philosophers_go_from_possible_to_confirmed_to_cured() {
    goes_all_the_way("11-philosophers", "super::broken::eat", "super::ordered::eat");
}

#[test]
fn a_check_confirms_what_it_finds_when_it_is_asked_to() {
    let project = Project::scenarios("run-std");
    let checked = project.check(&["run", "-q", "--bin", "k-abba-mutex", "--confirm"]);
    assert_eq!(checked.code, 100, "{checked}");
    assert_eq!(checked.found(), ["lock-order confirmed"], "{checked}");
    assert!(checked.stderr.contains("a run under control has come to it"), "{checked}");
}

#[test]
fn what_is_not_there_cannot_be_confirmed() {
    let project = Project::scenarios("run-std");
    project.check(&["run", "-q", "--bin", "ok-diamond"]);
    let unknown = confirm(&project, &["lock-order-00000000"]);
    assert_eq!(unknown.code, 102, "{unknown}");
    assert!(unknown.stderr.contains("has no finding `lock-order-00000000`"), "{unknown}");
    let nothing = confirm(&project, &[]);
    assert_eq!(nothing.code, 0, "{nothing}");
    assert!(nothing.stderr.contains("no finding of the last report is left"), "{nothing}");
}

/// What a deadlock is given to come about, a compiler and a busy machine included.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
#[cfg(target_os = "linux")]
fn a_deadlock_stands_until_somebody_ends_it() {
    let project = Project::scenarios("run-std");
    let checked = project.check(&["run", "-q", "--bin", "k-abba-mutex"]);
    let id = &checked.report().findings[0].id;
    let mut command = project.lockcheck(&["replay", id]);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the command starts");
    let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let lines = stderr.lines().map(|line| line.expect("it is text"));
    let process = lines.take_while(|line| !line.contains("Ctrl-C")).find_map(|line| {
        let (number, _) = line.split_once("gdb -p ")?.1.split_once(' ')?;
        number.parse::<u32>().ok()
    });
    let stands = |process: u32| fs::metadata(format!("/proc/{process}")).is_ok();
    let stood = process.is_some_and(stands);
    child.kill().expect("it can be ended");
    child.wait().expect("it has ended");
    assert!(stood, "{process:?}");
    let begun = Instant::now();
    while process.is_some_and(stands) {
        assert!(begun.elapsed() < PATIENCE, "it goes on after the command");
        thread::sleep(Duration::from_millis(50));
    }
}
