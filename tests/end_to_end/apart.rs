//! Orders that were kept apart by spawning and joining: by the program, or only by its tests.

use cargo_lockcheck::report::model::{Finding, Level};
use lockcheck_tests::Project;

#[test]
fn what_only_a_test_kept_apart_is_told_with_the_reason() {
    let project = Project::fixture("apart", "apart");
    let checked = project.check(&["test", "--lib"]);
    let told = |finding: &Finding| {
        let types = finding.locks[0].name.split('.').next().unwrap_or_default().to_owned();
        (types, format!("{} {}", finding.rule, finding.tier), finding.level)
    };
    let mut found: Vec<_> = checked.report().findings.iter().map(told).collect();
    found.sort();
    let warned = |name: &str| (name.to_owned(), "lock-order potential".to_owned(), Level::Warn);
    assert_eq!(found, [warned("Joined"), warned("SetUp")], "{checked}");
    for finding in &checked.report().findings {
        assert!(
            finding.notes.iter().any(|note| note.starts_with("only what the test itself spawns")),
            "{checked}"
        );
    }
    let kept = |tier: &str| {
        let all = checked.report().suppressed.iter();
        all.filter(|entry| entry.finding.tier.code() == tier).count()
    };
    assert_eq!(kept("ordered"), 2, "those of the program: {checked}");
}
