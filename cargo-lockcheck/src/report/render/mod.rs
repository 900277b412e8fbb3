//! Prints reports: one file for each format. Nothing here decides what is worth showing.

mod json;
mod text;

use std::io::{self, Write};
use std::str::FromStr;

use lockdep::finding::Tier;

use super::model::{Finding, Level, Report, Suppressed};
use super::sources::Sources;

/// A form in which a report can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// For people, in the manner of the compiler's own messages.
    Text,
    /// One object, as `docs/report.schema.json` has it.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: &[Format] = &[Format::Text, Format::Json];

    /// Its name in options.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        Format::ALL.iter().copied().find(|format| format.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
            format!("`{name}` is no format of reports; there are: {}", names.join(", "))
        })
    }
}

/// Which of the suppressed findings to show as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Show {
    codes: Vec<String>,
}

impl Show {
    /// What `--show` takes.
    pub const CODES: &[&str] = &["guarded", "ordered", "refuted", "accepted", "allow", "all"];

    /// Shows what this code stands for, too.
    ///
    /// # Errors
    /// With a sentence, when it is none of [`Show::CODES`].
    pub fn add(&mut self, code: &str) -> Result<(), String> {
        if !Show::CODES.contains(&code) {
            let known = Show::CODES.join(", ");
            return Err(format!("`--show {code}` is not known; there are: {known}"));
        }
        self.codes.push(code.to_owned());
        Ok(())
    }

    /// Whether it is shown.
    pub fn has(&self, suppressed: &Suppressed) -> bool {
        let code = Show::code(suppressed);
        self.codes.iter().any(|known| known == code || known == "all")
    }

    /// The code that shows it.
    pub fn code(suppressed: &Suppressed) -> &'static str {
        match suppressed.finding.tier {
            _ if suppressed.accepted.is_some() => "accepted",
            tier @ (Tier::Guarded | Tier::Ordered | Tier::Refuted) => tier.code(),
            _ => Level::Allow.code(),
        }
    }
}

/// For whom a report is printed.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The sources to quote from.
    pub sources: &'a Sources,
    /// Which of the suppressed findings to show.
    pub show: &'a Show,
    /// Whether to use colours.
    pub color: bool,
    /// The width of the terminal, in columns.
    pub width: usize,
}

/// Prints `report` as `format` to `out`.
///
/// # Errors
/// Those of `out`.
pub fn render(
    report: &Report,
    format: Format,
    out: &mut dyn Write,
    look: &Look<'_>,
) -> io::Result<()> {
    match format {
        Format::Text => text::render(report, out, look),
        Format::Json => json::render(report, out),
    }
}

/// One finding as the text report shows it.
pub fn finding(finding: &Finding, look: &Look<'_>) -> String {
    text::finding(finding, look)
}

#[cfg(test)]
mod tests {
    use lockdep::finding::{Rule, Tier};

    use super::{Format, Show};
    use crate::report::model::{Finding, Suppressed};

    #[test]
    fn formats_have_names() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(*format));
        }
        let error = "pdf".parse::<Format>().expect_err("it is no format");
        assert_eq!(error, "`pdf` is no format of reports; there are: text, json");
    }

    #[test]
    fn what_is_shown_is_chosen_by_code() {
        let suppressed = |rule, tier| Suppressed {
            finding: Finding::new(rule, tier, ""),
            reason: String::new(),
            accepted: None,
        };
        let guarded = suppressed(Rule::LockOrder, Tier::Guarded);
        let allowed = suppressed(Rule::LockInDebug, Tier::Potential);
        let shows = |codes: &[&str]| {
            let mut show = Show::default();
            codes.iter().for_each(|code| show.add(code).expect("the code is known"));
            (show.has(&guarded), show.has(&allowed))
        };
        assert_eq!(shows(&[]), (false, false));
        assert_eq!(shows(&["guarded"]), (true, false));
        assert_eq!(shows(&["allow"]), (false, true));
        assert_eq!(shows(&["ordered", "refuted"]), (false, false));
        assert_eq!(shows(&["all"]), (true, true));
        assert!(Show::default().add("everything").is_err());
    }
}
