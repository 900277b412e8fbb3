//! Findings that the program's people accept: by a comment at one of their places, by their id or by what
//! they have in common in `lockcheck.toml`, or as known from before in the baseline.
//!
//! What is accepted is taken out of the findings, counted and kept with the reason. What accepts
//! nothing (misspelt, out of date, or for what is no longer there) is said, so that it does not pile up.

pub mod baseline;
pub mod comments;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::slice;

use jiff::civil::Date;
use lockdep::finding::Rule;
use walkdir::WalkDir;

use crate::cli::user_config::{Accepted, Which, near};
use crate::report::model::{Finding, Place, Suppressed};
use crate::report::pattern::Pattern;
use crate::report::rules::{self, By};
use crate::report::sources::Sources;
use baseline::{Baseline, Entry};
use comments::{Allowance, Comments};

/// As many ids of the baseline that are not found are named.
const NAMED: usize = 3;

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

/// Takes the accepted findings out: those that `listed` is for, those that a comment in `files` or at one
/// of their own places allows, and those of the baseline.
pub fn part(
    findings: Vec<Finding>,
    listed: &[Accepted],
    baseline: &Baseline,
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
    // What is accepted on purpose is not as well known from before.
    baseline.entries.iter().for_each(|entry| ways.add_known(entry));
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
    let unused = ways.0.iter().filter(|way| !way.is_used);
    let (known, unused): (Vec<&Way>, Vec<&Way>) =
        unused.partition(|way| matches!(way.accepts, What::Known(_)));
    parted.notes.extend(not_found(&known));
    for way in unused {
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

/// A sentence on what is in the baseline and was not found.
fn not_found(known: &[&Way]) -> Option<String> {
    let ids = known.iter().filter_map(|way| match &way.accepts {
        What::Known(id) => Some(format!("`{id}`")),
        _ => None,
    });
    let mut named: Vec<String> = ids.take(NAMED).collect();
    let more = known.len() - named.len();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let findings = if known.len() == 1 { "finding" } else { "findings" };
    (!known.is_empty()).then(|| {
        format!(
            "{} {findings} of `{}` not found this time: {}; `cargo lockcheck baseline --prune` takes out \
             what is cured",
            known.len(),
            baseline::NAME,
            named.join(", "),
        )
    })
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
    /// The finding of the baseline with this id.
    Known(String),
    /// The findings that are alike.
    Like(Box<Pattern>),
    /// What is found of these rules on these lines of the file.
    Lines(Vec<Rule>, RangeInclusive<u32>),
}

impl Ways {
    fn add_listed(&mut self, entry: &Accepted, today: Date, warnings: &mut Vec<String>) {
        let Accepted { which, reason, until, written } = entry;
        let accepts = match which {
            Which::Like(pattern) => What::Like(pattern.clone()),
            Which::Id(id) => match rule_of(id) {
                Some(rule) => What::Id(id.clone(), rule),
                None => {
                    let name = id.trim_end_matches(|c: char| c.is_ascii_hexdigit() || c == '-');
                    warnings.push(format!(
                        "{written} allows `{id}`, which is no id: copy it from the report, where it \
                         follows `id:` and begins with a rule{}",
                        spelt_alike(name)
                    ));
                    return;
                }
            },
        };
        if let Some(until) = until.filter(|until| *until < today) {
            let what = match which {
                Which::Id(id) => format!(", `{id}`,"),
                Which::Like(_) => String::new(),
            };
            warnings.push(format!(
                "what {written} accepts{what} was accepted until {until}: cure it, or set another date"
            ));
            return;
        }
        let (written, reason) = (written.clone(), reason.clone());
        self.0.push(Way { written, reason, accepts, is_used: false });
    }

    fn add_known(&mut self, Entry { id, reason, line, .. }: &Entry) {
        let written = Place { file: baseline::NAME.to_owned(), line: *line, column: 1 };
        let (accepts, reason) = (What::Known(id.clone()), reason.clone());
        self.0.push(Way { written, reason, accepts, is_used: false });
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
                let near = spelt_alike(rule);
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
            What::Id(id, _) | What::Known(id) => *id == finding.id,
            What::Like(pattern) => pattern.fits(finding),
            What::Lines(rules, lines) => {
                let is_here = |at: &Place| at.file == self.written.file && lines.contains(&at.line);
                rules.contains(&finding.rule) && finding.places().any(is_here)
            }
        }
    }

    /// The rules whose findings it may accept.
    fn rules(&self) -> &[Rule] {
        match &self.accepts {
            What::Id(_, rule) => slice::from_ref(rule),
            What::Like(pattern) => pattern.rule.as_ref().map_or(Rule::ALL, slice::from_ref),
            What::Known(_) => Rule::ALL,
            What::Lines(rules, _) => rules,
        }
    }

    /// What it accepts, and where that is written, as the beginning of a sentence.
    fn subject(&self) -> String {
        let at = &self.written;
        match &self.accepts {
            What::Id(id, _) | What::Known(id) => format!("{at} allows `{id}`"),
            What::Like(pattern) => match pattern.rule {
                Some(rule) => format!("{at} allows some `{rule}`"),
                None => format!("{at} allows some findings"),
            },
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
fn spelt_alike(code: &str) -> String {
    near(code).map_or(String::new(), |rule| format!(": `{rule}` is one that is spelt alike"))
}

#[cfg(test)]
mod tests {
    use lockdep::finding::Rule;

    use super::rule_of;

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
}
