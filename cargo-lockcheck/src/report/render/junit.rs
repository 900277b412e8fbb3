//! The report in JUnit's XML, the form in which build servers show tests.
//!
//! Each finding is a test case with its id: one at level `deny` has failed, one at `warn` is skipped,
//! which is how this format shows something without failing. Each rule with no finding is a test case
//! that has passed.

use std::io::{self, Write};

use lockdep::finding::Rule;
use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::look::Look;
use super::text;
use crate::report::model::{Finding, Level, Report};
use crate::report::rules::{self, By};

pub(super) fn render(report: &Report, out: &mut dyn Write, look: &Look<'_>) -> io::Result<()> {
    let mut suite = TestSuite::new("lockcheck");
    suite.add_test_cases(report.findings.iter().map(|finding| case(finding, look)));
    let coverage = &report.coverage;
    let is_looked_for = |rule: Rule| match rules::info(rule).by {
        By::Run => coverage.processes > 0,
        By::Source => coverage.functions_analyzed > 0,
        By::Both => coverage.processes > 0 || coverage.functions_analyzed > 0,
    };
    let has_passed = |rule: &Rule| {
        report.findings.iter().all(|finding| finding.rule != *rule) && is_looked_for(*rule)
    };
    suite.add_test_cases(Rule::ALL.iter().copied().filter(has_passed).map(|rule| {
        let mut case = TestCase::new(rule.code(), TestCaseStatus::success());
        case.set_classname(format!("lockcheck.{rule}"));
        case
    }));
    let mut xml = Xml::new("lockcheck");
    xml.add_test_suite(suite);
    xml.serialize(&mut *out).map_err(io::Error::other)?;
    writeln!(out)
}

fn case(finding: &Finding, look: &Look<'_>) -> TestCase {
    let mut status = match finding.level {
        Level::Deny => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Level::Warn | Level::Allow => TestCaseStatus::skipped(),
    };
    status.set_type(format!("{} ({})", finding.rule, finding.tier));
    status.set_message(finding.message.as_str());
    status.set_description(text::finding(finding, look));
    let mut case = TestCase::new(finding.id.as_str(), status);
    case.set_classname(format!("lockcheck.{}", finding.rule));
    case
}
