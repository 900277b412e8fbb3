//! The report as a list of GitLab's code quality issues, which a merge request shows as changed.
//!
//! Every issue needs a file: a finding with no place in the repository is shown at the workspace's
//! `Cargo.lock`, which brings the dependency that it is in.

use std::io::{self, Write};

use lockdep::finding::Tier;
use serde_json::{Value, json};

use super::look::Look;
use super::text;
use crate::report::model::{Finding, Level, Report};

pub(super) fn render(report: &Report, out: &mut dyn Write, look: &Look<'_>) -> io::Result<()> {
    let issues: Vec<Value> = report.findings.iter().map(|finding| issue(finding, look)).collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

fn issue(finding: &Finding, look: &Look<'_>) -> Value {
    let place = finding.at.as_ref();
    let located = place.and_then(|place| Some((look.in_repository(place)?, place.line.max(1))));
    let (path, line) = located.unwrap_or_else(|| (format!("{}Cargo.lock", look.repository), 1));
    json!({
        "type": "issue",
        "check_name": finding.rule.code(),
        "description": finding.message,
        "content": { "body": format!("```text\n{}\n```", text::finding(finding, look)) },
        "categories": ["Bug Risk"],
        "severity": match (finding.level, finding.tier) {
            (Level::Deny, Tier::Happened) => "blocker",
            (Level::Deny, _) => "critical",
            (Level::Warn, _) => "major",
            (Level::Allow, _) => "info",
        },
        "fingerprint": finding.id,
        "location": { "path": path, "lines": { "begin": line, "end": line } },
    })
}
