//! What is found, how it is reported, and the exit code.

use std::fs;

use cargo_lockcheck::model::Level;
use lockcheck_tests::Project;

#[test]
fn the_first_example_is_reported_though_its_tests_pass() {
    let project = Project::example("01-abba");
    let checked = project.check(&["test", "--lib"]);
    assert_eq!(checked.code, 100, "{checked}");
    assert!(checked.stdout.contains("test result: ok. 1 passed"), "{checked}");
    assert_eq!(checked.found(), ["lock-order reachable"]);

    let finding = &checked.report().findings[0];
    assert_eq!(finding.level, Level::Deny);
    let mut names: Vec<&str> = finding.locks.iter().map(|lock| &*lock.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["Bank.accounts", "Bank.audit"]);
    for edge in &finding.edges {
        assert!(["teller", "auditor"].contains(&&*edge.thread), "{}", edge.thread);
        assert_eq!(edge.to_site.file, "src/lib.rs");
    }
    for part in ["error[lock-order]", "Bank.audit", "src/lib.rs:", "   Lockcheck"] {
        assert!(checked.stderr.contains(part), "{part} is missing: {checked}");
    }
}

#[test]
fn formats_outputs_and_levels_are_as_asked_for() {
    let project = Project::fixture("single", "formats");
    let checked = project.check(&["run", "--format", "json", "-q", "--output=text=out/report.txt"]);
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.stderr, "done\n", "the program's own output is kept apart");
    let printed: serde_json::Value = serde_json::from_str(&checked.stdout).expect("JSON alone");
    assert_eq!(printed["schema"], "lockcheck-report/1");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);
    let text = fs::read_to_string(project.root().join("out/report.txt")).expect("it is written");
    assert!(text.contains("lock-order") && !text.contains('\x1b'), "{text}");

    let denied = project.check(&["run", "-q", "--deny=needs-thread"]);
    assert_eq!(denied.code, 100, "{denied}");
    let allowed = project.check(&["run", "-q", "--allow", "needs-thread"]);
    assert_eq!((allowed.code, allowed.report().findings.len()), (0, 0), "{allowed}");
    assert_eq!(allowed.report().suppressed.len(), 1);
}

#[test]
fn a_deadlock_ends_and_is_reported() {
    let project = Project::fixture("single", "deadlock");
    let checked = project.check(&["run", "--", "together"]);
    assert_eq!(checked.code, 100, "{checked}");
    let found = checked.found();
    assert!(found.contains(&"deadlock happened".to_owned()), "{found:?}");
    // The barrier before it is no problem: its last thread does not wait.
    assert!(!found.iter().any(|pair| pair.contains("stuck-wait")), "{found:?}");
}

#[test]
fn a_failing_program_keeps_its_code_and_is_reported() {
    let project = Project::fixture("single", "failing");
    let mut command = project.lockcheck(&["test", "--lib"]);
    command.env("FAIL", "1");
    let checked = project.finish(command);
    assert_eq!(checked.code, 101, "{checked}");
    assert!(checked.stdout.contains("it was told to fail"), "{checked}");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);

    let checked = project.check(&["run", "code"]);
    assert_eq!(checked.code, 7, "{checked}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_reported() {
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Command, Output, Stdio};

    use lockcheck_tests::Checked;

    let project = Project::fixture("single", "interrupted");
    let mut command = project.lockcheck(&["run", "--", "wait"]);
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("it can be read");
    assert_eq!(line, "waiting\n");
    // As a terminal does on Ctrl-C: to the whole group.
    let group = format!("-{}", child.id());
    let sent = Command::new("kill").args(["-INT", "--", &group]).status().expect("it starts");
    assert!(sent.success());
    let mut stderr = Vec::new();
    child.stderr.take().expect("it is piped").read_to_end(&mut stderr).expect("it can be read");
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), None);
    let output = Output { status, stdout: Vec::new(), stderr };
    let checked = Checked::new(output, &project.report_path());
    assert_eq!(checked.code, 130, "{checked}");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);
}
