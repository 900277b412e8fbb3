//! In which forms reports are printed, and for whom.

use std::str::FromStr;

use lockdep::finding::Tier;

use crate::report::model::{Level, Place, Suppressed};
use crate::report::sources::Sources;

/// A form in which a report can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// For people, in the manner of the compiler's own messages.
    Text,
    /// One object, as `docs/report.schema.json` has it.
    Json,
    /// For people, as one page for a browser.
    Html,
    /// For code scanning, in SARIF 2.1.0.
    Sarif,
    /// For GitHub Actions, as annotations.
    Github,
    /// For build servers, as tests.
    Junit,
    /// For GitLab, as code quality issues.
    Gitlab,
    /// For a comment on a pull request.
    Markdown,
    /// The order graph for Graphviz.
    Dot,
    /// The order graph in GraphML.
    Graphml,
}

impl Format {
    /// All of them.
    pub const ALL: &[Format] = &[
        Format::Text,
        Format::Json,
        Format::Html,
        Format::Sarif,
        Format::Github,
        Format::Junit,
        Format::Gitlab,
        Format::Markdown,
        Format::Dot,
        Format::Graphml,
    ];

    /// Its name in options.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Html => "html",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Junit => "junit",
            Format::Gitlab => "gitlab",
            Format::Markdown => "markdown",
            Format::Dot => "dot",
            Format::Graphml => "graphml",
        }
    }

    /// The file that it is written to where none is named, below `target/lockcheck`; none for what is
    /// made to be printed.
    pub const fn file(self) -> Option<&'static str> {
        match self {
            Format::Text => Some("report.txt"),
            Format::Json => Some("report.json"),
            Format::Html => Some("report.html"),
            Format::Sarif => Some("report.sarif"),
            Format::Github => None,
            Format::Junit => Some("junit.xml"),
            Format::Gitlab => Some("gl-code-quality-report.json"),
            Format::Markdown => Some("report.md"),
            Format::Dot => Some("lock-order.dot"),
            Format::Graphml => Some("lock-order.graphml"),
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
    /// The way from the root of the repository to the workspace: empty, or with `/` at its end.
    pub repository: &'a str,
}

impl Look<'_> {
    /// The path of a place from the root of the repository on; none for one that is not in it.
    pub(super) fn in_repository(&self, place: &Place) -> Option<String> {
        if !self.sources.is_own(&place.file) {
            return None;
        }
        let mut parts: Vec<&str> =
            self.repository.split('/').filter(|part| !part.is_empty()).collect();
        for part in place.file.split('/') {
            match part {
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }
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
        assert!(
            error
                .starts_with("`pdf` is no format of reports; there are: text, json, html, sarif, ")
        );
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
