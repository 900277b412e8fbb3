//! Findings that the program's people accept, one by one: by a comment at one of their places, or by
//! their id in `lockcheck.toml`.
//!
//! What is accepted is taken out of the findings, counted and kept with the reason. What accepts
//! nothing (misspelt, out of date, or for what is no longer there) is said, so that it does not pile up.

pub mod comments;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::slice;

use jiff::civil::Date;
use lockdep::finding::Rule;
use walkdir::WalkDir;

use crate::cli::user_config::{Accepted, NAME};
use crate::report::model::{Finding, Place, Suppressed};
use crate::report::rules::{self, By};
use crate::report::sources::Sources;
use comments::{Allowance, Comments};

/// A rule that is named like what no rule is named is at least so much like it.
const ALIKE: f64 = 0.75;

/// What a check had to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The source.
    Source,
    /// Runs, each of which has done a part of what the program can do.
    Runs,
    /// Both.
    Both,
}

impl Evidence {
    /// Whether what was not found of `rule` is not there.
    fn is_all_of(self, rule: Rule) -> bool {
        match rules::info(rule).by {
            By::Source => self != Evidence::Runs,
            By::Both => self == Evidence::Both,
            By::Run => false,
        }
    }
}

/// Findings, parted by whether they are accepted.
#[derive(Debug, Default)]
pub struct Parted {
    /// Those that are not.
    pub left: Vec<Finding>,
    /// Those that are, each with the reason.
    pub accepted: Vec<Suppressed>,
    /// Sentences on what accepts nothing and should be mended.
    pub warnings: Vec<String>,
    /// Sentences on what had nothing to accept this time.
    pub notes: Vec<String>,
}

/// Takes the accepted findings out: those that `listed` has the ids of, and those that a comment in
/// `files` or at one of their own places allows.
pub fn part(
    findings: Vec<Finding>,
    listed: &[Accepted],
    mut files: BTreeSet<String>,
    sources: &Sources,
    evidence: Evidence,
    today: Date,
) -> Parted {
    let own = findings.iter().flat_map(Finding::places).map(|place| &place.file);
    files.extend(own.filter(|file| sources.is_own(file)).cloned());
    let mut parted = Parted::default();
    let mut ways = Ways::default();
    for entry in listed {
        ways.add_listed(entry, today, &mut parted.warnings);
    }
    for file in &files {
        ways.add_comments(file, sources, &mut parted.warnings);
    }
    for finding in findings {
        match ways.0.iter_mut().find(|way| way.accepts(&finding)) {
            Some(way) => {
                way.is_used = true;
                let because = match way.reason.as_str() {
                    "" => String::new(),
                    reason => format!(": {reason}"),
                };
                let reason = format!("accepted at {}{because}", way.written);
                parted.accepted.push(Suppressed {
                    finding,
                    reason,
                    accepted: Some(way.written.clone()),
                });
            }
            None => parted.left.push(finding),
        }
    }
    for way in ways.0.iter().filter(|way| !way.is_used) {
        let subject = way.subject();
        if way.rules().iter().all(|rule| evidence.is_all_of(*rule)) {
            parted.warnings.push(format!("{subject}, which is not found there: remove it"));
        } else {
            let which = match evidence {
                Evidence::Source => "which the source does not show; a run may",
                Evidence::Runs | Evidence::Both => "which was not found this time",
            };
            parted.notes.push(format!("{subject}, {which}"));
        }
    }
    parted
}

/// The source files below the root of a workspace, by their names in reports. What cargo has built is
/// left out, and what is hidden.
pub fn files_below(root: &Path) -> BTreeSet<String> {
    let entries = WalkDir::new(root).into_iter().filter_entry(|entry| {
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_built = || entry.path().join("CACHEDIR.TAG").exists();
        entry.depth() == 0 || !(is_hidden || entry.file_type().is_dir() && is_built())
    });
    let sources = entries.flatten().filter(|entry| {
        entry.file_type().is_file() && entry.path().extension().is_some_and(|end| end == "rs")
    });
    let names = sources.filter_map(|entry| {
        let path = entry.path().strip_prefix(root).ok()?;
        Some(path.to_str()?.replace('\\', "/"))
    });
    names.collect()
}

/// All that accepts findings.
#[derive(Debug, Default)]
struct Ways(Vec<Way>);

/// One comment, or one entry of the file.
#[derive(Debug)]
struct Way {
    /// Where it is written.
    written: Place,
    reason: String,
    accepts: What,
    is_used: bool,
}

/// What is accepted.
#[derive(Debug)]
enum What {
    /// The finding with this id.
    Id(String, Rule),
    /// What is found of these rules on these lines of the file.
    Lines(Vec<Rule>, RangeInclusive<u32>),
}

impl Ways {
    fn add_listed(&mut self, entry: &Accepted, today: Date, warnings: &mut Vec<String>) {
        let Accepted { id, reason, until, line } = entry;
        let written = Place { file: NAME.to_owned(), line: *line, column: 1 };
        let Some(rule) = rule_of(id) else {
            let near = near(id.trim_end_matches(|c: char| c.is_ascii_hexdigit() || c == '-'));
            warnings.push(format!(
                "{written} allows `{id}`, which is no id: copy it from the report, where it follows \
                 `id:` and begins with a rule{near}"
            ));
            return;
        };
        if let Some(until) = until.filter(|until| *until < today) {
            warnings.push(format!(
                "what {written} accepts, `{id}`, was accepted until {until}: cure it, or set another \
                 date"
            ));
            return;
        }
        let accepts = What::Id(id.clone(), rule);
        self.0.push(Way { written, reason: reason.clone(), accepts, is_used: false });
    }

    fn add_comments(&mut self, file: &str, sources: &Sources, warnings: &mut Vec<String>) {
        let Some(text) = sources.text(file) else { return };
        let Comments { allowances, mistakes } = comments::read(&text);
        for (line, mistake) in mistakes {
            warnings.push(format!(
                "the comment at {file}:{line} {}, so it allows nothing: write `// lockcheck: \
                 allow(rule) reason`",
                mistake.words()
            ));
        }
        for Allowance { line, lines, rules, reason } in allowances {
            for rule in rules.iter().filter(|rule| Rule::from_code(rule).is_none()) {
                let near = near(rule);
                warnings.push(format!(
                    "the comment at {file}:{line} allows `{rule}`, which is no rule{near}"
                ));
            }
            let rules: Vec<Rule> = rules.iter().filter_map(|rule| Rule::from_code(rule)).collect();
            if !rules.is_empty() {
                let written = Place { file: file.to_owned(), line, column: 1 };
                let accepts = What::Lines(rules, lines);
                self.0.push(Way { written, reason, accepts, is_used: false });
            }
        }
    }
}

impl Way {
    fn accepts(&self, finding: &Finding) -> bool {
        match &self.accepts {
            What::Id(id, _) => *id == finding.id,
            What::Lines(rules, lines) => {
                let is_here = |at: &Place| at.file == self.written.file && lines.contains(&at.line);
                rules.contains(&finding.rule) && finding.places().any(is_here)
            }
        }
    }

    fn rules(&self) -> &[Rule] {
        match &self.accepts {
            What::Id(_, rule) => slice::from_ref(rule),
            What::Lines(rules, _) => rules,
        }
    }

    /// What it accepts, and where that is written, as the beginning of a sentence.
    fn subject(&self) -> String {
        let at = &self.written;
        match &self.accepts {
            What::Id(id, _) => format!("{at} allows `{id}`"),
            What::Lines(rules, _) => {
                let codes: Vec<&str> = rules.iter().map(|rule| rule.code()).collect();
                format!("the comment at {at} allows `{}`", codes.join(", "))
            }
        }
    }
}

/// The rule of a finding's id: `lock-order-35d1f204`, perhaps with a number behind it.
fn rule_of(id: &str) -> Option<Rule> {
    let mut rules = Rule::ALL.iter().copied();
    rules.find(|rule| {
        let rest = id.strip_prefix(rule.code()).and_then(|rest| rest.strip_prefix('-'));
        let Some(rest) = rest else { return false };
        let (hash, number) = rest.split_once('-').unwrap_or((rest, "2"));
        hash.len() == 8
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The rule that is spelt most like `code`, as the end of a sentence.
fn near(code: &str) -> String {
    let rules = Rule::ALL.iter().map(|rule| (strsim::jaro_winkler(code, rule.code()), rule.code()));
    let best = rules.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(alike, _)| *alike > ALIKE);
    best.map_or(String::new(), |(_, rule)| format!(": `{rule}` is one that is spelt alike"))
}

#[cfg(test)]
mod tests {
    use lockdep::finding::Rule;

    use super::{near, rule_of};

    #[test]
    fn ids_are_told_from_what_is_none() {
        assert_eq!(rule_of("lock-order-35d1f204"), Some(Rule::LockOrder));
        assert_eq!(rule_of("double-lock-35d1f204-2"), Some(Rule::DoubleLock));
        for wrong in
            ["lock-order", "lock-order-35d1f2", "lock-odour-35d1f204", "lock-order-35d1f204-x"]
        {
            assert_eq!(rule_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_misspelt_rule_is_recognised() {
        assert_eq!(near("lock-odour"), ": `lock-order` is one that is spelt alike");
        assert_eq!(near("xyz"), "");
    }
}
