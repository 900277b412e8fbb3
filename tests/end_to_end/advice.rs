//! The order that a report advises: the same by a run and by the lint, and in every run.

use std::collections::BTreeMap;
use std::fs;

use cargo_lockcheck::report::model::{Finding, Report};
use lockcheck_tests::Project;
use lockdep::finding::Rule;

/// What is to be taken before what, and where to look first, by the id of the finding.
fn advised(report: &Report) -> BTreeMap<String, (String, String)> {
    let is_order = |finding: &&Finding| finding.rule == Rule::LockOrder;
    // A run has one for each place, with a number behind the id.
    let is_first = |finding: &&Finding| finding.id.matches('-').count() == 2;
    let orders = report.findings.iter().filter(is_order).filter(is_first);
    orders
        .map(|finding| {
            let help = finding.help.first().expect("there is advice");
            let (order, _) = help.split_once(" everywhere").expect("it is on all places");
            let place = &finding.edges[0].to_site;
            let place = format!("{}:{}", place.file, place.line);
            (finding.id.clone(), (order.to_owned(), place))
        })
        .collect()
}

/// What both ways to check advise.
fn advised_by_both(project: &Project) -> Vec<String> {
    let run = advised(project.check(&["test", "--lib"]).report());
    let again = advised(project.check(&["test", "--lib"]).report());
    let lint = advised(project.check(&["check"]).report());
    assert_eq!(run, again);
    assert_eq!(run, lint);
    let mut orders: Vec<String> = run.into_values().map(|(order, _)| order).collect();
    orders.sort();
    orders
}

#[test]
fn a_run_and_the_lint_advise_one_order_the_declared_one_if_there_is_one() {
    let project = Project::fixture("siblings", "advice");
    let told = project.root().join("lockcheck.toml");
    _ = fs::remove_file(&told);
    assert_eq!(
        advised_by_both(&project),
        [
            "take `Ledger.credit` before `Ledger.debit`",
            "take `Pair.left` before `Pair.right`",
            "take `Settings.limits` before `Settings.quotas`",
            // Two places do so, and one does the other.
            "take `Slots.free` before `Slots.busy`",
        ]
    );
    let order = "[lint]\norder = [[\"Ledger.debit\", \"Ledger.credit\"], [\"Slots.busy\", \"Slots.free\"]]\n";
    fs::write(&told, order).expect("it can be written");
    assert_eq!(
        advised_by_both(&project),
        [
            "take `Ledger.debit` before `Ledger.credit`",
            "take `Pair.left` before `Pair.right`",
            "take `Settings.limits` before `Settings.quotas`",
            "take `Slots.busy` before `Slots.free`",
        ]
    );
}
