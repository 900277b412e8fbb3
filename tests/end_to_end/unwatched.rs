//! What is not watched is said, and nothing is claimed of it.

use std::fs;

use cargo_lockcheck::report::model::WhyUnwatched;
use lockcheck_tests::Project;

/// Two async locks in both orders, which a run does and cannot see.
#[test]
fn async_locks_are_said_not_to_be_watched() {
    let project = Project::fixture("unwatched", "unwatched");
    let ran = project.check(&["test", "--lib"]);
    assert_eq!(ran.code, 0, "{ran}");
    let unwatched: Vec<(&str, WhyUnwatched)> =
        ran.report().unwatched.iter().map(|u| (&*u.package, u.why)).collect();
    let expected = [("async-lock", WhyUnwatched::AsyncLocks), ("tokio", WhyUnwatched::AsyncWaits)];
    assert_eq!(unwatched, expected, "{ran}");
    assert!(ran.stderr.contains("lockcheck: not watched: async locks (async-lock)"), "{ran}");

    // A later report on the same traces says it too.
    let again = project.check(&["report"]);
    assert_eq!(again.report().unwatched, ran.report().unwatched, "{again}");

    let joined = project.check(&["check", "--with-trace"]);
    let found = joined.report().findings.iter().find(|finding| finding.rule.code() == "lock-order");
    let notes = &found.unwrap_or_else(|| panic!("the source shows it: {joined}")).notes;
    assert!(notes.iter().any(|note| note.starts_with("runs do not watch `Bank.")), "{joined}");
    assert!(!joined.stderr.contains("no recorded run has taken"), "{joined}");
}

/// The source and a run say one thing of the locks of tasks, under one id.
#[test]
fn locks_of_tasks_are_watched() {
    let project = Project::fixture("tasks", "tasks");
    let ran = project.check(&["test", "--lib"]);
    assert_eq!(ran.code, 100, "{ran}");
    assert_eq!(ran.found(), ["lock-order reachable"], "{ran}");
    let joined = project.check(&["check", "--with-trace"]);
    let (run, source) = (&ran.report().findings[0], &joined.report().findings[0]);
    assert_eq!((&run.id, run.tier), (&source.id, source.tier), "{ran}\n{joined}");
    let notes = &source.notes;
    assert!(notes.iter().any(|note| note == "the source shows it too, without a run"), "{joined}");
}

/// Older versions park their threads in other ways, and have other private parts to tell of.
#[test]
fn tasks_of_older_versions_of_tokio_are_watched() {
    let project = Project::fixture("tasks", "older");
    let manifest = project.root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the fixture has a manifest");
    for version in ["1.38.2", "1.44.0"] {
        let exact = text.replace("version = \"1\"", &format!("version = \"={version}\""));
        fs::write(&manifest, exact).expect("it can be written");
        let _ = fs::remove_file(project.root().join("Cargo.lock"));
        let checked = project.check(&["test", "--lib"]);
        assert_eq!(checked.found(), ["lock-order reachable"], "tokio {version}: {checked}");
        assert_eq!(checked.code, 100, "tokio {version}: {checked}");
        let mut locks: Vec<&str> =
            checked.report().findings[0].locks.iter().map(|lock| &*lock.name).collect();
        locks.sort_unstable();
        assert_eq!(locks, ["Bank.accounts", "Bank.audit"], "tokio {version}: {checked}");
        assert!(!checked.stderr.contains("does not compile"), "tokio {version}: {checked}");
    }
}
