//! The report in Markdown: a comment on a pull request, or the summary of a job.
//!
//! One line a finding, each of which opens to what the text report says of it. GitHub takes a comment of
//! 65,536 characters and a summary of 1 MiB, and shows nothing of a longer one; so the worst findings
//! are opened first, and where there is no room for more it is said how many are left out.

use std::io::{self, Write};

use super::look::Look;
use super::text;
use crate::report::model::{Finding, Level, Report};

/// By which a later comment finds this one, to take its place.
pub const MARKER: &str = "<!-- cargo-lockcheck -->";

/// The most bytes of a comment.
pub const COMMENT: usize = 60_000;

/// The most bytes of a job's summary.
pub const SUMMARY: usize = 1_000_000;

/// Where rules are explained.
const RULES_PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules.md");

/// Writes `report` in at most about `most` bytes.
///
/// # Errors
/// Those of `out`.
pub fn render(
    report: &Report,
    out: &mut dyn Write,
    look: &Look<'_>,
    most: usize,
) -> io::Result<()> {
    let mut page = format!("{MARKER}\n## {}\n", headline(report));
    let mut left = 0;
    for finding in &report.findings {
        let part = part(finding, look);
        // What is smaller and comes later is left out as well: the order is by weight.
        if left > 0 || page.len() + part.len() > most.saturating_sub(2_000) {
            left += 1;
        } else {
            page += &part;
        }
    }
    if left > 0 {
        let findings = if left == 1 { "finding is" } else { "findings are" };
        page += &format!("\n{left} more {findings} left out here, for want of room.\n");
    }
    for (mark, sentences) in [("Warning", &report.warnings), ("Note", &report.notes)] {
        for sentence in sentences {
            let line = format!("\n> {mark}: {}\n", inline(sentence));
            if page.len() + line.len() < most {
                page += &line;
            }
        }
    }
    let summary = text::summary(report, look.show);
    page += &format!("\n```text\n{summary}\n```\n");
    out.write_all(page.as_bytes())
}

fn headline(report: &Report) -> String {
    let counted = |level: Level, what: &str| match report.count(level) {
        0 => None,
        count => Some(format!("{count} {what}")),
    };
    let parts = [counted(Level::Deny, "denied"), counted(Level::Warn, "to look at")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.as_slice() {
        [] => "Lockcheck: nothing found".to_owned(),
        parts => format!("Lockcheck: {}", parts.join(", ")),
    }
}

fn part(finding: &Finding, look: &Look<'_>) -> String {
    let mark = match finding.level {
        Level::Deny => "🛑",
        Level::Warn => "⚠️",
        Level::Allow => "ℹ️",
    };
    let rule = finding.rule.code();
    let place = finding.at.as_ref().or_else(|| finding.place());
    let place = place
        .map_or(String::new(), |place| format!(" · <code>{}</code>", escaped(&place.to_string())));
    let body = text::finding(finding, look);
    let fence = fence(&body);
    format!(
        "\n<details>\n<summary>{mark} <a href=\"{RULES_PAGE}#{rule}\">{rule}</a> ({}): {}{place}</summary>\n\n\
         {fence}text\n{body}\n{fence}\n\n</details>\n",
        finding.tier,
        coded(&finding.message),
    )
}

/// A fence of backticks that is longer than any in `text`.
fn fence(text: &str) -> String {
    let mut longest = 2;
    let mut run = 0;
    for char in text.chars() {
        run = if char == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(longest + 1)
}

/// Text on one line, of which nothing is taken for HTML.
fn inline(text: &str) -> String {
    escaped(text).replace(['\n', '\r'], " ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// HTML of a sentence in which backticks are around code.
fn coded(text: &str) -> String {
    let mut parts = text.split('`');
    let mut html = escaped(parts.next().unwrap_or_default());
    let mut is_code = true;
    let rest: Vec<&str> = parts.collect();
    if !rest.len().is_multiple_of(2) {
        // A backtick that nothing closes is one.
        return escaped(text);
    }
    for part in rest {
        let part = escaped(part);
        html += &if is_code { format!("<code>{part}</code>") } else { part };
        is_code = !is_code;
    }
    html
}

#[cfg(test)]
mod tests {
    use super::{coded, fence};

    #[test]
    fn names_are_code_and_nothing_is_html() {
        assert_eq!(coded("`a<b>` is & `c`"), "<code>a&lt;b&gt;</code> is &amp; <code>c</code>");
        assert_eq!(coded("one ` alone"), "one ` alone");
    }

    #[test]
    fn a_fence_is_longer_than_what_is_in_it() {
        assert_eq!(fence("`a`"), "```");
        assert_eq!(fence("a ```` b"), "`````");
    }
}
