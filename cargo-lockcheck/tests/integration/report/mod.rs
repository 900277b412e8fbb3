//! From traces to reports.
//!
//! Each directory beside this file is a case: `*.lctrace` and the sources they speak of, and the
//! report expected in `report.txt`. `UPDATE_EXPECTED=1 cargo test` writes what is there now.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_lockcheck::report::belonging::{self, Member};
use cargo_lockcheck::report::classify::{Levels, classify};
use cargo_lockcheck::report::model::Report;
use cargo_lockcheck::report::naming::Syntax;
use cargo_lockcheck::report::render::{Format, Look, Show, render};
use cargo_lockcheck::report::sources::Sources;
use cargo_lockcheck::traces::trace::Trace;
use cargo_lockcheck::traces::{self, analyze::analyze};

use crate::synthetic::no_sources;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/report")
}

/// The report on the traces of a case.
fn report(case: &Path, sources: &Sources) -> Report {
    let (merged, unread) = traces::read(&[case.to_owned()], sources, &|_, _| {});
    let warnings = unread.warnings;
    let mut analysis = analyze(&merged, sources, &[]);
    let members = [Member { name: "case".to_owned(), directory: String::new() }];
    belonging::settle(&mut analysis.findings, &members, sources, &Syntax::new(sources));
    let mut report = classify(analysis.findings, &Levels::default());
    report.coverage = merged.coverage();
    report.order_graph = analysis.order_graph;
    report.times = analysis.times;
    report.notes = analysis.notes;
    let here = format!("{}/", case.display());
    report.notes.extend(warnings.iter().map(|warning| warning.0.replace(&here, "")));
    report
}

pub(crate) fn printed(report: &Report, format: Format, sources: &Sources, show: &Show) -> String {
    let mut out = Vec::new();
    let look = Look { sources, show, color: false, width: 80, repository: "" };
    render(report, format, &mut out, &look).expect("memory can be written to");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// The directories of the cases.
fn directories() -> Vec<PathBuf> {
    let entries = fs::read_dir(cases()).expect("the cases are there");
    let paths = entries.map(|entry| entry.expect("the cases can be listed").path());
    let mut directories: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    directories.sort();
    assert!(directories.len() > 5, "only {} cases were found", directories.len());
    directories
}

/// The traces of all cases, as bytes; not those that are none.
pub(crate) fn case_texts() -> Vec<Vec<u8>> {
    let files = directories().into_iter().flat_map(|case| fs::read_dir(case).expect("it is there"));
    let paths = files.map(|entry| entry.expect("the case can be listed").path());
    let mut traces: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "lctrace")).collect();
    traces.sort();
    let texts = traces.iter().map(|path| fs::read(path).expect("the trace can be read"));
    texts.filter(|text| text.starts_with(b"{\"t\":\"trace\"")).collect()
}

/// The traces of all cases, read.
pub(crate) fn case_traces() -> Vec<Trace> {
    let sources = no_sources();
    let texts = case_texts();
    texts.iter().filter_map(|text| Trace::parse(&mut &**text, "test", &sources).0).collect()
}

/// All cases: the name and sources of each, and its report.
pub(crate) fn case_reports_with_sources() -> Vec<(String, Sources, Report)> {
    let case = |case: PathBuf| {
        let sources = Sources::new(&case, None);
        let report = report(&case, &sources);
        (case.display().to_string(), sources, report)
    };
    directories().into_iter().map(case).collect()
}

/// The reports of all cases as JSON, by name.
pub(crate) fn case_reports() -> Vec<(String, String)> {
    let report = |case: PathBuf| {
        let sources = Sources::new(&case, None);
        let show = Show::default();
        let json = printed(&report(&case, &sources), Format::Json, &sources, &show);
        (case.display().to_string(), json)
    };
    directories().into_iter().map(report).collect()
}

#[test]
fn every_case_gives_its_report() {
    let mut wrong = Vec::new();
    for case in directories() {
        let sources = Sources::new(&case, None);
        let mut show = Show::default();
        if case.join("show").is_file() {
            show.add("all").expect("`all` is known");
        }
        let text = printed(&report(&case, &sources), Format::Text, &sources, &show);
        let expected = case.join("report.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &text).expect("the case can be written to");
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            wrong.push(format!("{}:\n{text}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "other reports than expected:\n{}", wrong.join("\n"));
}

#[test]
fn colours_only_colour() {
    for case in directories() {
        let sources = Sources::new(&case, None);
        let report = report(&case, &sources);
        let show = Show::default();
        let mut colored = Vec::new();
        let look = Look { sources: &sources, show: &show, color: true, width: 80, repository: "" };
        render(&report, Format::Text, &mut colored, &look).expect("memory can be written to");
        let colored = String::from_utf8(colored).expect("reports are UTF-8");
        assert_eq!(plain(&colored), printed(&report, Format::Text, &sources, &show));
        let diagnostics = report.findings.len() + report.notes.len();
        assert_eq!(colored.contains('\u{1b}'), diagnostics > 0);
    }
}

/// Without the sequences that colour.
fn plain(colored: &str) -> String {
    let mut parts = colored.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += part.split_once('m').map_or("", |(_, text)| text);
    }
    plain
}
