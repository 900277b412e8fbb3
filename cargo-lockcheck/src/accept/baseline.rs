//! `lockcheck-baseline.toml`: the findings that a program had when its people began to check it.
//!
//! They are accepted until they are cured, so that a check fails for new ones alone. The file is written
//! by `cargo lockcheck baseline` and may be edited: reasons stay.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::cli::failure::Failure;
use crate::report::model::{Finding, Report};

/// The file's name, at the root of the workspace.
pub const NAME: &str = "lockcheck-baseline.toml";

/// The version of the file that is written and read.
const VERSION: u64 = 1;

/// The findings that are accepted for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// By their ids, in the order of the file.
    pub entries: Vec<Entry>,
}

/// A finding that is accepted for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Why it is accepted.
    pub reason: String,
    /// What it is about, for whoever reads the file.
    pub about: Option<String>,
    /// The line of the file that has the id; counted from one.
    pub line: u32,
}

/// What bringing a baseline up to date has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Findings that are new in it.
    pub added: usize,
    /// Findings that were in it and still are found.
    pub kept: usize,
    /// Findings that were in it and were not found.
    pub gone: usize,
}

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: u64,
    #[serde(default)]
    finding: Vec<Written>,
}

/// An entry, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Spanned<String>,
    #[serde(default)]
    about: Option<String>,
    reason: String,
}

/// The version alone, which a later file has as well.
#[derive(Deserialize)]
struct Version {
    version: u64,
}

impl Baseline {
    /// Reads the baseline of a workspace; without a file it is empty.
    ///
    /// # Errors
    /// When there is a file that cannot be read.
    pub fn load(workspace: &Path) -> Result<Baseline, Failure> {
        match fs::read_to_string(workspace.join(NAME)) {
            Ok(text) => Baseline::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Baseline::default()),
            Err(error) => Err(Failure::new(
                format!("cannot read `{NAME}`: {error}"),
                "Make the file readable, or remove it.",
            )),
        }
    }

    /// Reads the text of a baseline.
    ///
    /// # Errors
    /// When it is of another version, or none.
    pub fn parse(text: &str) -> Result<Baseline, Failure> {
        // A later version may have keys that this one does not know.
        if let Ok(Version { version }) = toml::from_str(text)
            && version != VERSION
        {
            return Err(Failure::new(
                format!(
                    "`{NAME}` is of version {version}, and this cargo-lockcheck reads {VERSION}"
                ),
                "Update cargo-lockcheck, or write the file anew with `cargo lockcheck baseline` after \
                 removing it.",
            ));
        }
        let File { finding, .. } = toml::from_str(text).map_err(|error| {
            Failure::new(
                format!("`{NAME}` is not understood: {error}"),
                "Mend it, or remove it and write it anew with `cargo lockcheck baseline`.",
            )
        })?;
        let entry = |Written { id, about, reason }: Written| {
            let before = text.get(..id.span().start).unwrap_or_default();
            let line = before.matches('\n').count() as u32 + 1;
            Entry { id: id.into_inner(), reason, about, line }
        };
        Ok(Baseline { entries: finding.into_iter().map(entry).collect() })
    }

    /// Adds what `report` shows and nobody has accepted, for this reason. What is in the baseline and was
    /// not found stays unless it is to be pruned.
    pub fn update(&mut self, report: &Report, reason: &str, prune: bool) -> Change {
        let suppressed = report.suppressed.iter().map(|suppressed| &suppressed.finding);
        let found: BTreeSet<&str> =
            report.findings.iter().chain(suppressed).map(|finding| &*finding.id).collect();
        let mut change = Change::default();
        let (kept, gone): (Vec<Entry>, Vec<Entry>) =
            self.entries.drain(..).partition(|entry| found.contains(&*entry.id));
        (change.kept, change.gone) = (kept.len(), gone.len());
        self.entries = kept;
        if !prune {
            self.entries.extend(gone);
        }
        let known: BTreeSet<String> = self.entries.iter().map(|entry| entry.id.clone()).collect();
        for finding in report.findings.iter().filter(|finding| !known.contains(&finding.id)) {
            change.added += 1;
            self.entries.push(Entry {
                id: finding.id.clone(),
                reason: reason.to_owned(),
                about: Some(about(finding)),
                line: 0,
            });
        }
        self.entries.sort_by(|a, b| a.id.cmp(&b.id));
        self.entries.dedup_by(|a, b| a.id == b.id);
        change
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = format!(
            "# Findings of cargo-lockcheck that are accepted until they are cured.\n\
             # `cargo lockcheck baseline` adds to it, `cargo lockcheck baseline --prune` takes out what is gone.\n\
             version = {VERSION}\n"
        );
        let quoted = |text: &str| toml::Value::from(text).to_string();
        for Entry { id, reason, about, .. } in &self.entries {
            let _ = write!(text, "\n[[finding]]\nid = {}\n", quoted(id));
            if let Some(about) = about {
                let _ = writeln!(text, "about = {}", quoted(about));
            }
            let _ = writeln!(text, "reason = {}", quoted(reason));
        }
        text
    }

    /// Writes the file of a workspace.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, workspace: &Path) -> Result<(), Failure> {
        fs::write(workspace.join(NAME), self.text()).map_err(|error| {
            Failure::new(
                format!("`{NAME}` cannot be written: {error}"),
                "Make the root of the workspace writable.",
            )
        })
    }
}

fn about(finding: &Finding) -> String {
    let place = finding.at.as_ref().or_else(|| finding.place());
    place.map_or_else(String::new, |place| format!("{}: ", place.file)) + &finding.message
}

#[cfg(test)]
mod tests {
    use lockdep::finding::{Rule, Tier};

    use super::{Baseline, Change};
    use crate::report::model::{Finding, Report};

    fn report(ids: &[&str]) -> Report {
        let finding = |id: &&str| Finding {
            id: (*id).to_owned(),
            ..Finding::new(Rule::LockOrder, Tier::Reachable, "`a\"` and\n`b\\` are locked")
        };
        Report { findings: ids.iter().map(finding).collect(), ..Report::default() }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut baseline = Baseline::default();
        let change = baseline.update(&report(&["b", "a"]), "known \"before\"", false);
        assert_eq!(change, Change { added: 2, kept: 0, gone: 0 });
        let read = Baseline::parse(&baseline.text()).expect("it is right");
        let entries: Vec<_> =
            read.entries.iter().map(|entry| (&*entry.id, &*entry.reason)).collect();
        assert_eq!(entries, [("a", "known \"before\""), ("b", "known \"before\"")]);
        assert_eq!(read.entries[0].about.as_deref(), Some("`a\"` and\n`b\\` are locked"));
        assert_eq!(read.entries[0].line, 6);
        assert_eq!(read.text(), baseline.text());
    }

    #[test]
    fn reasons_stay_and_what_is_gone_is_taken_out_when_it_is_asked_for() {
        let mut baseline = Baseline::default();
        baseline.update(&report(&["a", "b"]), "old", false);
        let change = baseline.update(&report(&["b", "c"]), "new", false);
        assert_eq!(change, Change { added: 1, kept: 1, gone: 1 });
        let reasons: Vec<&str> = baseline.entries.iter().map(|entry| &*entry.reason).collect();
        assert_eq!(reasons, ["old", "old", "new"]);
        let change = baseline.update(&report(&["b", "c"]), "newer", true);
        assert_eq!(change, Change { added: 0, kept: 2, gone: 1 });
        let ids: Vec<&str> = baseline.entries.iter().map(|entry| &*entry.id).collect();
        assert_eq!(ids, ["b", "c"]);
    }

    #[test]
    fn another_version_and_no_baseline_at_all_are_refused() {
        let newer =
            Baseline::parse("version = 2\nsomething = \"else\"\n").expect_err("it is newer");
        assert!(
            newer.to_string().contains("version 2") && newer.next().contains("Update"),
            "{newer}"
        );
        for text in ["", "version = 1\n[[finding]]\nid = \"a\"\n", "[[", "version = 1\nx = 1\n"] {
            let error = Baseline::parse(text).expect_err(text);
            assert!(error.to_string().contains("is not understood"), "{error}");
        }
    }
}
