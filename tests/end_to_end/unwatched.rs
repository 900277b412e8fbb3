//! What is not watched is said, and nothing is claimed of it.

use cargo_lockcheck::report::model::WhyUnwatched;
use lockcheck_tests::Project;

/// Two async locks in both orders, which a run does and cannot see.
#[test]
fn async_locks_are_said_not_to_be_watched() {
    let project = Project::fixture("unwatched", "unwatched");
    let ran = project.check(&["test", "--lib"]);
    assert_eq!(ran.code, 0, "{ran}");
    let [unwatched] = &*ran.report().unwatched else { panic!("tokio alone: {ran}") };
    assert_eq!((&*unwatched.package, unwatched.why), ("tokio", WhyUnwatched::AsyncLocks));
    assert!(ran.stderr.contains("lockcheck: not watched: async locks (tokio)"), "{ran}");

    let joined = project.check(&["check", "--with-trace"]);
    let found = joined.report().findings.iter().find(|finding| finding.rule.code() == "lock-order");
    let notes = &found.unwrap_or_else(|| panic!("the source shows it: {joined}")).notes;
    assert!(notes.iter().any(|note| note.starts_with("runs do not watch `Bank.")), "{joined}");
    assert!(!joined.stderr.contains("no recorded run has taken"), "{joined}");
}
