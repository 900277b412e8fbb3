//! Fields of one struct whose locks one expression makes: each is a lock of its own, by its name.

use std::collections::BTreeSet;

use cargo_lockcheck::report::model::{Finding, Report};
use lockcheck_tests::Project;
use lockdep::finding::Rule;

/// What a finding is known by, and the names of its locks.
fn known(finding: &Finding) -> (String, Vec<String>) {
    let names = finding.locks.iter().map(|lock| match lock.name.split_once(" #") {
        Some((class, _)) => class.to_owned(),
        None => lock.name.clone(),
    });
    let names: BTreeSet<String> = names.collect();
    (finding.id.clone(), names.into_iter().collect())
}

fn all(report: &Report) -> Vec<(String, Vec<String>)> {
    // A run has one for each place, with a number behind the id.
    let is_first = |finding: &&Finding| {
        let id = finding.id.strip_prefix(finding.rule.code()).unwrap_or_default();
        id.matches('-').count() == 1
    };
    let mut all: Vec<_> = report.findings.iter().filter(is_first).map(known).collect();
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all
}

#[test]
fn fields_that_one_expression_makes_are_told_apart_by_a_run_as_by_the_lint() {
    let project = Project::fixture("siblings", "siblings");
    let run = project.check(&["test", "--lib"]);
    let found = all(run.report());
    let names: Vec<Vec<&str>> =
        found.iter().map(|(_, names)| names.iter().map(String::as_str).collect()).collect();
    assert_eq!(
        names,
        [
            vec!["Account.balance"],
            vec!["Ledger.credit", "Ledger.debit"],
            vec!["Pair.left", "Pair.right"],
            vec!["Settings.limits", "Settings.quotas"],
            vec!["Slots.busy", "Slots.free"],
        ],
        "{run}"
    );
    let nestings = run.report().findings.iter().filter(|f| f.rule == Rule::SameClassNesting);
    assert_eq!(nestings.count(), 1, "the one of one field with itself: {run}");

    let lint = project.check(&["check"]);
    assert_eq!(all(lint.report()), found, "{lint}");
}
