//! Bad input: a sentence on what is wrong, one on what to do, the right code, and no false report.

use std::fs;
use std::process::Command;
use std::time::Duration;

use lockcheck_tests::{Checked, Project, command_path};

/// It could not be checked: the code says so, there is no report, and the user is helped on.
fn assert_refused(checked: &Checked, parts: &[&str]) {
    assert_eq!(checked.code, 102, "{checked}");
    assert!(checked.report.is_none(), "{checked}");
    for part in parts.iter().chain(&["error: ", "help: "]) {
        assert!(checked.stderr.contains(part), "`{part}` is missing: {checked}");
    }
    assert!(!checked.stderr.contains("nothing found"), "{checked}");
}

#[test]
fn no_manifest() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = Command::new(command_path())
        .args(["lockcheck", "test"])
        .current_dir(directory.path())
        .output()
        .expect("the command starts");
    let checked = Checked::new(output, &directory.path().join("no.json"));
    assert_refused(&checked, &["could not find `Cargo.toml`", "--manifest-path"]);
}

#[test]
fn a_build_that_fails() {
    let project = Project::fixture("single", "broken");
    let checked = project.check(&["test", "--features=broken"]);
    assert_refused(&checked, &["broken on purpose", "the build failed, so nothing was checked"]);
}

#[test]
fn arguments_that_cargo_refuses() {
    let project = Project::fixture("single", "refused");
    let checked = project.check(&["run", "--bin", "no-such-program"]);
    assert_refused(&checked, &["no-such-program"]);
}

#[test]
fn options_that_are_nobodys() {
    let project = Project::fixture("single", "nobodys");
    for verb in ["test", "run", "check"] {
        let checked = project.check(&[verb, "--no-such-option"]);
        assert_refused(
            &checked,
            &["unexpected argument '--no-such-option'", "nothing was checked"],
        );
    }
    for args in [&["test", "-p", "no-such-package"][..], &["check", "-p", "no-such-package"]] {
        assert_refused(&project.check(args), &["no-such-package", "nothing was checked"]);
    }
    assert_refused(&project.check(&["test", "-p"]), &["-p", "nothing was checked"]);
    let checked = project.check(&["test", "--deny"]);
    assert_eq!(checked.code, 2, "{checked}");
    assert!(checked.stderr.contains("a value is required for '--deny"), "{checked}");
}

/// A program with two locks, each taken alone.
const TWO_LOCKS: &str = "use std::sync::Mutex;\n\
    static ACCOUNTS: Mutex<u8> = Mutex::new(0);\n\
    static AUDIT: Mutex<u8> = Mutex::new(0);\n\
    fn main() { *ACCOUNTS.lock().unwrap() += 1; *AUDIT.lock().unwrap() += 1; }\n";

#[test]
fn an_order_of_locks_that_do_not_exist() {
    let project = Project::binaries("order", "2024", &[("two".to_owned(), TWO_LOCKS.to_owned())]);
    let order = |first: &str| {
        let text = format!("[lint]\norder = [[\"{first}\", \"AUDIT\"]]\n");
        fs::write(project.root().join("lockcheck.toml"), text).expect("it can be written");
        project.check(&["check"])
    };
    let checked = order("ACCOUNT");
    assert_refused(&checked, &["`ACCOUNT`", "is no lock", "`ACCOUNTS`"]);
    let checked = order("ACCOUNTS");
    assert_eq!(checked.code, 0, "{checked}");
}

#[test]
fn the_report_is_in_colour_where_cargo_would_be() {
    let project = Project::fixture("single", "colour");
    let is_colored = |args: &[&str], variable: &str| {
        let mut command = project.lockcheck(args);
        command.env("CARGO_TERM_COLOR", variable);
        project.finish(command).stderr.contains("\u{1b}[")
    };
    assert!(is_colored(&["run", "-q"], "always"));
    assert!(is_colored(&["run", "-q", "--color", "always"], "never"));
    assert!(!is_colored(&["run", "-q", "--color=never"], "always"));
}

/// A signal while the runtime is compiled leaves no compiler and no files.
#[cfg(unix)]
#[test]
fn an_end_while_the_runtime_is_built() {
    use rustix::process::{Pid, Signal, kill_process};

    let project = Project::fixture("single", "unfinished");
    let cache = project.root().join("target/unfinished");
    // While the compiler is asked for what it has, and while the runtime is compiled.
    for milliseconds in [0, 600, 2_000] {
        let _ = fs::remove_dir_all(&cache);
        let mut command = project.lockcheck(&["run", "-q"]);
        command.env("LOCKCHECK_CACHE_DIR", &cache);
        let mut child = command.spawn().expect("the command starts");
        let entries = || fs::read_dir(&cache).map_or(0, |entries| entries.count());
        // The lock of what is made, and what is made.
        while entries() < 2 {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(milliseconds));
        let process = Pid::from_raw(child.id() as i32).expect("a process");
        kill_process(process, Signal::TERM).expect("it can be sent");
        assert!(!child.wait().expect("it ends").success());
        assert_eq!(entries(), 0, "something is left behind after {milliseconds} ms");
    }
}

/// The program ran, and has nothing that could have been checked.
#[test]
fn what_fails_without_a_lock_has_failed_by_itself() {
    let program = "fn main() { std::process::exit(7) }\n\
                   #[test]\nfn fails() { panic!(\"it was told to\") }\n";
    let files = [("fails".to_owned(), program.to_owned())];
    let project = Project::binaries("lockless", "2024", &files);
    for (args, code) in [(&["test", "-q"][..], 101), (&["run", "-q"], 7), (&["test", "no_test"], 0)]
    {
        let checked = project.check(args);
        assert_eq!(checked.code, code, "{checked}");
        assert!(checked.stderr.contains("nothing to check"), "{checked}");
        assert!(!checked.stderr.contains("nothing found"), "{checked}");
    }
}

#[test]
fn another_target_and_another_std() {
    let project = Project::fixture("single", "targets");
    let checked = project.check(&["test", "--target", "wasm32-wasip1"]);
    assert_refused(
        &checked,
        &["programs for `wasm32-wasip1` do not run on this host", "--target host-tuple"],
    );
    let checked = project.check(&["test", "-Zbuild-std"]);
    assert_refused(&checked, &["-Zbuild-std"]);
}

#[test]
fn traces_of_which_none_can_be_used() {
    let project = Project::fixture("single", "unusable");
    let traces: [(&str, &[u8]); 4] = [
        ("newer.lctrace", b"{\"t\":\"trace\",\"version\":99,\"tool\":\"x\",\"pid\":1}\n"),
        ("foreign.lctrace", b"{\"kind\":\"another tool's\"}\n"),
        ("random.lctrace", &[0, 159, 146, 150, 10, 255]),
        ("empty.lctrace", b""),
    ];
    for (name, text) in traces {
        fs::write(project.root().join(name), text).expect("it can be written");
        let checked = project.check(&["report", name]);
        assert_refused(&checked, &["the trace could not be used", name]);
    }
    // Beside others they are named, and the report is not taken for a whole one unless that is asked for.
    assert_eq!(project.check(&["run", "-q"]).code, 0);
    let run = fs::read_dir(project.root().join("target/lockcheck/runs")).expect("there are runs");
    let run = run.map(|run| run.expect("it can be read").path()).max().expect("there is one");
    let run = run.to_str().expect("UTF-8");
    let partly = project.check(&["report", run, "random.lctrace"]);
    assert_eq!(partly.code, 102, "{partly}");
    assert_eq!(partly.report().coverage.processes, 1, "{partly}");
    assert!(partly.stderr.contains("random.lctrace does not begin like a lock trace"), "{partly}");
    assert!(partly.stderr.contains("1 trace could not be used"), "{partly}");
    let partly = project.check(&["report", run, "random.lctrace", "--keep-going"]);
    assert_eq!(partly.code, 0, "{partly}");
    // A process that was killed at once has left nothing.
    assert_eq!(project.check(&["report", run, "empty.lctrace"]).code, 0);
    let all: Vec<&str> = traces.iter().map(|(name, _)| *name).collect();
    let checked = project.check(&[&["report"], all.as_slice()].concat());
    assert_refused(&checked, &["none of the 4 traces could be used"]);
}

#[test]
fn bad_arguments() {
    let project = Project::fixture("single", "arguments");
    let checked = project.check(&["test", "--deny", "no-such-rule"]);
    assert_eq!(checked.code, 2, "{checked}");
    assert!(checked.stderr.contains("lock-order"), "the rules are listed: {checked}");
}

#[test]
fn a_target_directory_that_cannot_be_written() {
    let project = Project::fixture("single", "unwritable");
    fs::write(project.root().join("file"), "").expect("it can be written");
    let checked = project.check(&["test", "--target-dir", "file"]);
    assert_refused(&checked, &["cannot write `", "--target-dir"]);
}

#[test]
fn an_output_that_cannot_be_written() {
    let project = Project::fixture("single", "output");
    let after = project.root().join("after.json");
    _ = fs::remove_file(&after);
    let outputs = ["--output", "json=Cargo.toml/report.json", "--output", "json=after.json"];
    let checked = project.check(&[&["run"][..], &outputs].concat());
    assert_eq!(checked.code, 102, "{checked}");
    assert!(checked.stderr.contains("lockcheck: 1 warn"), "the report is printed: {checked}");
    assert!(after.exists(), "the other file is written: {checked}");
    assert!(checked.stderr.contains("cannot be written to `Cargo.toml/report.json`"), "{checked}");
}

#[test]
fn two_at_once() {
    let project = Project::fixture("single", "twice");
    let mut runs: Vec<_> = (0..2)
        .map(|number| {
            let output = format!("json=report-{number}.json");
            let mut command = project.lockcheck(&["run", "-q", "--output", &output]);
            command.env("LOCKCHECK_CACHE_DIR", project.root().join("target/runtime"));
            command.spawn().expect("the command starts")
        })
        .collect();
    for (number, run) in runs.iter_mut().enumerate() {
        assert_eq!(run.wait().expect("it ends").code(), Some(0));
        let report = fs::read_to_string(project.root().join(format!("report-{number}.json")));
        assert!(report.expect("it is written").contains("\"processes\": 1"));
    }
}
