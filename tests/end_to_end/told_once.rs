//! What hangs is told once, by the names of the report; the process itself says only that there will be
//! one, and where it stopped.

use std::fs;

use cargo_lockcheck::report::model::Finding;
use lockcheck_tests::Project;
use lockdep::finding::Rule;

#[test]
fn a_thread_that_is_stopped_says_where_and_the_report_says_why() {
    let project = Project::fixture("hangs", "hangs");
    let text = fs::read_to_string(project.root().join("src/lib.rs")).expect("it is there");
    for test in ["deadlock", "twice", "message", "notification"] {
        let mark = format!("// stopped: {test}");
        let lines = text.lines().zip(1..).filter(|(line, _)| line.ends_with(&mark));
        let places: Vec<String> =
            lines.map(|(_, line)| format!("panicked at src/lib.rs:{line}:")).collect();
        let args = ["test", "--lib", "--", "--exact", &format!("tests::{test}")];
        let checked = project.check(&args);
        assert_eq!(checked.code, 100, "{checked}");
        let printed = format!("{}{}", checked.stdout, checked.stderr);
        assert!(places.iter().any(|place| printed.contains(place)), "{places:?}: {checked}");
        for vocabulary in [" created at ", "/lockcheck/lockdep/process"] {
            assert!(!printed.contains(vocabulary), "{vocabulary}: {checked}");
        }
        assert_eq!(checked.report().findings.len(), 1, "{checked}");
        assert_eq!(printed.matches("report follows").count(), 2, "{checked}");
    }
}

#[test]
fn a_guard_across_an_await_is_told_once_where_it_is_taken() {
    let checked = Project::fixture("awaits", "awaits").check(&["check"]);
    let first = |finding: &Finding| (finding.rule, finding.sites[0].place.line);
    let mut found: Vec<_> = checked.report().findings.iter().map(first).collect();
    found.sort();
    assert_eq!(found, [(Rule::GuardAcrossAwait, 11), (Rule::BlockingLockInAsync, 16)], "{checked}");
}
