//! Runs that other tools have recorded: read, predicted from, and reported on like the command's own.

use std::fs;

use lockcheck_tests::Project;

/// Two threads that take two locks in opposite orders; with `gate`, under a third.
fn run(gate: bool) -> String {
    let thread = |name: &str, [first, second]: [&str; 2], line: usize| {
        let around = |step: &str| match gate {
            true => format!("{name}|{step}(gate)|src/lib.rs:{line}:5\n"),
            false => String::new(),
        };
        format!(
            "{}{name}|acq({first})|src/lib.rs:{line}:9\n{name}|acq({second})|src/lib.rs:{}:9\n\
             {name}|rel({second})|1\n{name}|rel({first})|1\n{}",
            around("acq"),
            line + 1,
            around("rel"),
        )
    };
    let (one, other) = (["accounts", "audit"], ["audit", "accounts"]);
    format!("T0|fork(T1)|1\nT0|fork(T2)|1\n{}{}", thread("T1", one, 10), thread("T2", other, 20))
}

#[test]
fn a_recorded_run_is_predicted_from() {
    let project = Project::binaries("std-runs", "2024", &[("main".into(), "fn main() {}".into())]);
    for (name, text) in [("ungated.std", run(false)), ("gated.std", run(true))] {
        fs::write(project.root().join(name), text).expect("it can be written");
    }
    fs::write(project.root().join("odd.std"), "no steps\n").expect("it can be written");

    let checked = project.check(&["report", "ungated.std"]);
    assert_eq!(checked.code, 100, "{checked}");
    assert_eq!(checked.found(), ["lock-order predicted"], "{checked}");
    let finding = &checked.report().findings[0];
    let witness = finding.witness.as_ref().expect("there is a schedule");
    assert_eq!(witness.steps.len(), 4, "{witness:?}");
    assert!(checked.stderr.contains("it can come about like this:"), "{checked}");

    let checked = project.check(&["report", "gated.std", "--show", "guarded"]);
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.found(), [""; 0], "{checked}");
    assert!(checked.stderr.contains("gate lock `gate` is held on both sides"), "{checked}");

    // What cannot be used is no check, unless it is said that the rest will do.
    let checked = project.check(&["report", "gated.std", "odd.std"]);
    assert_eq!(checked.code, 102, "{checked}");
    assert!(checked.stderr.contains("odd.std has no line like `T1|acq(lock)|12`"), "{checked}");
    let checked = project.check(&["report", "gated.std", "odd.std", "--keep-going"]);
    assert_eq!(checked.code, 0, "{checked}");
}
