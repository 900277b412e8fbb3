//! The declared order: a run and the lint say the same.

use std::collections::BTreeSet;

use cargo_lockcheck::report::model::Level;
use lockcheck_tests::{Checked, Project};
use lockdep::finding::Rule;

/// The findings about the declared order: their ids, and where they are.
fn declared(checked: &Checked) -> BTreeSet<(String, u32)> {
    let findings = checked.report().findings.iter();
    let findings = findings.filter(|finding| finding.rule == Rule::DeclaredOrder);
    findings
        .map(|finding| {
            assert_eq!(finding.level, Level::Deny);
            assert!(finding.sites.iter().any(|site| site.label.contains("declared here")));
            (finding.id.clone(), finding.edges[0].to_site.line)
        })
        .collect()
}

#[test]
fn locks_of_std_keep_to_what_is_declared_with_the_library() {
    let project = Project::fixture("declared", "declared");
    let run = project.check(&["test", "--lib"]);
    assert_eq!(run.code, 100, "{run}");
    assert_eq!(run.report().coverage.processes, 1, "the library watches nothing for itself");
    let found = declared(&run);
    let lines: BTreeSet<u32> = found.iter().map(|(_, line)| *line).collect();
    assert_eq!(lines, BTreeSet::from([27, 32, 38]), "{run}");
    for (held, asked) in [("LOG (Mutex)", "REGISTRY"), ("Bank.audit", "Bank.accounts")] {
        let message = format!("asks for `{asked}` while it holds `{held}`, which is declared to");
        assert!(run.report().findings.iter().any(|f| f.message.contains(&message)), "{run}");
    }
    // Of the orders of a cycle, the one to change is the one that was not declared.
    let help = "take `Bank.accounts` before `Bank.audit` everywhere: in `fields`";
    let lint = project.check(&["check"]);
    assert_eq!(lint.code, 100, "{lint}");
    for checked in [&run, &lint] {
        let cycles = checked.report().findings.iter().filter(|f| f.rule == Rule::LockOrder);
        let helps: Vec<&String> = cycles.flat_map(|cycle| &cycle.help).collect();
        assert!(helps.iter().any(|text| text.starts_with(help)), "{helps:?}");
    }
    assert_eq!(declared(&lint), found, "{lint}");
    // That of `Bank` is in force.
    let warnings = &lint.report().warnings;
    let [warning] = &**warnings else { panic!("one warning: {lint}") };
    let expected = "the order of the locks of `Ledger` is declared (src/lib.rs:";
    assert!(warning.starts_with(expected) && warning.contains("call `in_order()`"), "{warning}");
}

#[test]
fn levels_of_parking_lot_are_known_to_both() {
    let project = Project::fixture("levels", "levels");
    let run = project.check(&["test", "--lib"]);
    assert_eq!(run.found(), ["lock-order needs-thread"], "{run}");
    let lint = project.check(&["check"]);
    let findings = &lint.report().findings;
    let rules: Vec<Rule> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, [Rule::LockOrder, Rule::SameClassNesting], "{lint}");
    assert!(findings[0].message.contains("by `Index::remove` and `Index::insert`"), "{lint}");
    assert!(findings[1].message.contains("`Node::plain`"), "{lint}");
}

#[test]
fn the_library_can_have_another_name() {
    let project = Project::fixture("renamed", "renamed");
    let run = project.check(&["test", "--lib"]);
    assert_eq!(run.code, 100, "{run}");
    let found = declared(&run);
    let lines: BTreeSet<u32> = found.iter().map(|(_, line)| *line).collect();
    assert_eq!(lines, BTreeSet::from([34]), "{run}");
    let lint = project.check(&["check"]);
    assert_eq!(declared(&lint), found, "{lint}");
}

#[test]
fn the_example_is_found_by_both() {
    let project = Project::example("13-declared-order");
    let run = project.check(&["test", "--lib"]);
    let found = declared(&run);
    assert_eq!(found.len(), 1, "{run}");
    let lint = project.check(&["check"]);
    assert_eq!(declared(&lint), found, "{lint}");
}
