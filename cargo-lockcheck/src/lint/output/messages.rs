//! Findings as messages of the compiler, one JSON object a line, for editors.
//!
//! rust-analyzer and its like run a check command and read the messages of `cargo check` from its
//! output. The findings follow these in the same form: a diagnostic with spans, labels and help.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::lint::compile::Compiled;
use crate::report::model::{Edit, Finding, Level, Place, Report, Suggestion};
use crate::report::render::{self, Look, Show};
use crate::report::rules;
use crate::report::sources::Sources;

/// The width of the texts for people, in columns: nobody knows the reader's.
const WIDTH: usize = 80;

/// Writes the findings of a report that are at `warn` or `deny`, then cargo's last message.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(
    report: &Report,
    compiled: &Compiled,
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in report.findings.iter().filter(|finding| finding.level > Level::Allow) {
        let places = places(finding);
        let file = places.first().map_or("", |(place, ..)| &place.file);
        let targets = &compiled.targets;
        let Some(target) = targets
            .iter()
            .find(|target| target.files.iter().any(|known| known == file))
            .or(targets.first())
        else {
            continue;
        };
        let message = json!({
            "reason": "compiler-message",
            "package_id": target.package,
            "manifest_path": target.manifest,
            "target": target.described,
            "message": diagnostic(finding, &places, sources),
        });
        writeln!(out, "{message}")?;
    }
    match &compiled.finished {
        Some(message) => writeln!(out, "{message}"),
        None => Ok(()),
    }
}

/// The places of a finding with labels; the last is where it shows.
fn places(finding: &Finding) -> Vec<(Place, String, bool)> {
    let mut places: Vec<(Place, String, bool)> = Vec::new();
    let mut add = |place: &Place, label: String| {
        if !places.iter().any(|(known, ..)| known == place) {
            places.push((place.clone(), label, false));
        }
    };
    for edge in &finding.edges {
        add(&edge.from_site, format!("holds `{}` since here", finding.locks[edge.from].name));
        add(&edge.to_site, format!("then waits for `{}`", finding.locks[edge.to].name));
    }
    for site in &finding.sites {
        add(&site.place, site.label.clone());
    }
    if let Some(last) = places.last_mut() {
        last.2 = true;
    }
    places.sort_by_key(|(.., is_primary)| !is_primary);
    places
}

fn diagnostic(finding: &Finding, places: &[(Place, String, bool)], sources: &Sources) -> Value {
    let level = if finding.level == Level::Deny { "error" } else { "warning" };
    let spans: Vec<Value> = places
        .iter()
        .map(|(place, label, is_primary)| span(place, label, *is_primary, sources))
        .collect();
    let child = |level: &str, text: &str| json!({"message": text, "code": null, "level": level, "spans": [], "children": [], "rendered": null});
    let cure = rules::info(finding.rule).cure;
    let help = finding.help.iter().map(String::as_str);
    let help = help.chain(finding.help.is_empty().then_some(cure));
    let notes = finding.notes.iter().map(|note| child("note", note));
    let mut children: Vec<Value> = notes.chain(help.map(|help| child("help", help))).collect();
    if let Some(suggestion) = &finding.suggestion {
        let mut child = child("help", &suggestion.message);
        let edits = suggestion.edits.iter();
        child["spans"] = edits.map(|edit| replacement(edit, suggestion, sources)).collect();
        children.push(child);
    }
    let look = Look { sources, show: &Show::default(), color: false, width: WIDTH, repository: "" };
    let rendered = render::finding(finding, &look) + "\n\n";
    json!({
        "$message_type": "diagnostic",
        "message": finding.message,
        "code": {"code": format!("lockcheck::{}", finding.rule), "explanation": null},
        "level": level,
        "spans": spans,
        "children": children,
        "rendered": rendered,
    })
}

/// The word at a place.
fn span(place: &Place, label: &str, is_primary: bool, sources: &Sources) -> Value {
    let text = sources.text(&place.file);
    let line =
        text.as_deref().and_then(|text| text.lines().nth(place.line.saturating_sub(1) as usize));
    let rest = line.unwrap_or("").chars().skip(place.column.saturating_sub(1) as usize);
    let length = rest.take_while(|c| c.is_alphanumeric() || *c == '_').count().max(1) as u32;
    let end = Place { column: place.column + length, ..place.clone() };
    let mut span = between(place, &end, is_primary, sources);
    span["label"] = label.into();
    span
}

/// What an edit replaces, and by what.
fn replacement(edit: &Edit, suggestion: &Suggestion, sources: &Sources) -> Value {
    let mut span = between(&edit.place, &edit.end, true, sources);
    span["suggested_replacement"] = edit.text.as_str().into();
    let is_certain = suggestion.is_certain;
    let applicability = if is_certain { "MachineApplicable" } else { "MaybeIncorrect" };
    span["suggestion_applicability"] = applicability.into();
    span
}

fn between(place: &Place, end: &Place, is_primary: bool, sources: &Sources) -> Value {
    let text = sources.text(&place.file);
    let text = text.as_deref().map_or("", |text| text);
    let line = |number: u32| text.lines().nth(number.saturating_sub(1) as usize).unwrap_or("");
    let offset = |place: &Place| {
        let before = text.split_inclusive('\n').take(place.line.saturating_sub(1) as usize);
        let within = line(place.line).chars().take(place.column.saturating_sub(1) as usize);
        before.map(str::len).sum::<usize>() + within.map(char::len_utf8).sum::<usize>()
    };
    let shown: Vec<Value> = (place.line..=end.line)
        .map(|number| {
            let text = line(number);
            let start = if number == place.line { place.column } else { 1 };
            let whole = text.chars().count() as u32 + 1;
            let stop = if number == end.line { end.column } else { whole };
            json!({"text": text, "highlight_start": start, "highlight_end": stop})
        })
        .collect();
    json!({
        "file_name": place.file,
        "byte_start": offset(place),
        "byte_end": offset(end),
        "line_start": place.line,
        "line_end": end.line,
        "column_start": place.column,
        "column_end": end.column,
        "is_primary": is_primary,
        "text": shown,
        "label": null,
        "suggested_replacement": null,
        "suggestion_applicability": null,
        "expansion": null,
    })
}
