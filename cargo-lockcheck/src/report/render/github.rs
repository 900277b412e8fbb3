//! The report as workflow commands of GitHub Actions: an annotation beside the line for each finding.
//!
//! GitHub shows ten errors and ten warnings of a step, and drops the rest without a word; so the worst
//! are printed, and one line says how many more there are. The job's summary has them all.

use std::borrow::Cow;
use std::io::{self, Write};

use super::look::Look;
use crate::report::model::{Finding, Level, Report};
use crate::report::rules;

/// As many annotations of each level are shown for a step.
const SHOWN: usize = 10;

/// As many bytes of an annotation's text are kept.
const LENGTH: usize = 4096;

pub(super) fn render(report: &Report, out: &mut dyn Write, look: &Look<'_>) -> io::Result<()> {
    let mut left = 0;
    for (command, level) in [("error", Level::Deny), ("warning", Level::Warn)] {
        let of_level: Vec<&Finding> =
            report.findings.iter().filter(|finding| finding.level == level).collect();
        for finding in of_level.iter().take(SHOWN) {
            annotate(command, finding, out, look)?;
        }
        left += of_level.len().saturating_sub(SHOWN);
    }
    if left > 0 {
        let findings = if left == 1 { "finding is" } else { "findings are" };
        writeln!(
            out,
            "::notice title=lockcheck::{left} more {findings} in the summary of the job: GitHub shows \
             {SHOWN} errors and {SHOWN} warnings of a step"
        )?;
    }
    Ok(())
}

fn annotate(
    command: &str,
    finding: &Finding,
    out: &mut dyn Write,
    look: &Look<'_>,
) -> io::Result<()> {
    let mut properties = Vec::new();
    if let Some(place) = finding.at.as_ref()
        && let Some(path) = look.in_repository(place)
    {
        properties.push(format!("file={}", property(&path)));
        properties.push(format!("line={},col={}", place.line, place.column));
    }
    let title = format!("{} ({})", finding.rule.code(), finding.tier);
    properties.push(format!("title={}", property(&title)));
    let cure = rules::info(finding.rule).cure;
    let help = finding.help.first().map_or(cure, String::as_str);
    let text = format!("{}\nhelp: {help}\nid: {}", finding.message, finding.id);
    writeln!(out, "::{command} {}::{}", properties.join(","), data(shortened(&text)))
}

/// `text` up to [`LENGTH`] bytes.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= LENGTH {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(LENGTH)]).into()
}

/// A text as the data of a command.
fn data(text: Cow<'_, str>) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A text as a property of a command.
fn property(text: &str) -> String {
    data(text.into()).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, data, property, shortened};

    #[test]
    fn what_would_end_a_text_is_escaped() {
        assert_eq!(data("100 %\r\nof `a, b`".into()), "100 %25%0D%0Aof `a, b`");
        assert_eq!(property("a:b, c%"), "a%3Ab%2C c%25");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = "ä".repeat(LENGTH);
        let cut = shortened(&long);
        assert_eq!(cut.len(), LENGTH + "…".len());
    }
}
