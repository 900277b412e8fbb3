//! Two reports side by side: which findings are new, which are gone, and which are in both.
//!
//! Findings are told apart by their ids, so that it does not matter on which machine, or from how many
//! traces, either report was made. What one of them has as accepted, or as not counted, is no new finding
//! of the other.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use crate::report::model::{Finding, Level, Report};
use crate::report::render::{self, Look};

/// The `schema` of a comparison as JSON.
const SCHEMA: &str = "lockcheck-diff/1";

/// How a report differs from an earlier one.
#[derive(Debug, Serialize)]
pub struct Difference<'r> {
    schema: &'static str,
    /// Findings that the earlier one has not.
    pub new: Vec<&'r Finding>,
    /// Findings that the later one has not.
    pub gone: Vec<&'r Finding>,
    /// Findings of the later one that were there before.
    pub same: Vec<&'r Finding>,
}

impl<'r> Difference<'r> {
    /// Compares `old` with `new`.
    pub fn of(old: &'r Report, new: &'r Report) -> Difference<'r> {
        let (in_old, in_new) = (ids(old), ids(new));
        let (same, added) = new.findings.iter().partition(|finding| in_old.contains(&*finding.id));
        let gone = old.findings.iter().filter(|finding| !in_new.contains(&*finding.id));
        Difference { schema: SCHEMA, new: added, gone: gone.collect(), same }
    }

    /// Whether something at level `deny` is new.
    pub fn has_new_deny(&self) -> bool {
        self.new.iter().any(|finding| finding.level == Level::Deny)
    }

    /// The difference for people: what is new in full, what is gone in a line.
    pub fn text(&self, look: &Look<'_>) -> String {
        let mut text = String::new();
        for finding in &self.new {
            let _ = writeln!(text, "{}\n", render::finding(finding, look));
        }
        for finding in &self.gone {
            let _ = writeln!(text, "gone: {}: {}", finding.id, finding.message);
        }
        let Difference { new, gone, same, .. } = self;
        let _ = writeln!(
            text,
            "lockcheck: {} new, {} gone, {} in both",
            new.len(),
            gone.len(),
            same.len()
        );
        text
    }
}

impl Difference<'_> {
    /// The difference as one JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The ids of all that is known in a report.
fn ids(report: &Report) -> BTreeSet<&str> {
    let suppressed = report.suppressed.iter().map(|suppressed| &suppressed.finding);
    report.findings.iter().chain(suppressed).map(|finding| &*finding.id).collect()
}

#[cfg(test)]
mod tests {
    use lockdep::finding::{Rule, Tier};

    use super::Difference;
    use crate::report::model::{Finding, Level, Report, Suppressed};

    fn finding(id: &str, level: Level) -> Finding {
        let finding = Finding::new(Rule::LockOrder, Tier::Reachable, "a message");
        Finding { id: id.to_owned(), level, ..finding }
    }

    fn report(ids: &[&str]) -> Report {
        let findings = ids.iter().map(|id| finding(id, Level::Deny)).collect();
        Report { findings, ..Report::default() }
    }

    fn names<'r>(findings: &[&'r Finding]) -> Vec<&'r str> {
        findings.iter().map(|finding| &*finding.id).collect()
    }

    #[test]
    fn findings_are_told_apart_by_their_ids() {
        let (old, new) = (report(&["a", "b"]), report(&["b", "c"]));
        let difference = Difference::of(&old, &new);
        assert_eq!(names(&difference.new), ["c"]);
        assert_eq!(names(&difference.gone), ["a"]);
        assert_eq!(names(&difference.same), ["b"]);
        assert!(difference.has_new_deny());
        assert!(!Difference::of(&old, &old).has_new_deny());
    }

    #[test]
    fn what_is_accepted_is_neither_new_nor_gone() {
        let mut accepted = report(&[]);
        accepted.suppressed.push(Suppressed {
            finding: finding("a", Level::Deny),
            reason: "accepted".to_owned(),
            accepted: None,
        });
        let open = report(&["a"]);
        assert_eq!(names(&Difference::of(&accepted, &open).new), [""; 0]);
        assert_eq!(names(&Difference::of(&open, &accepted).gone), [""; 0]);
    }

    #[test]
    fn a_warning_that_is_new_does_not_fail() {
        let new = Report { findings: vec![finding("a", Level::Warn)], ..Report::default() };
        assert!(!Difference::of(&Report::default(), &new).has_new_deny());
    }
}
