//! Source lines with marks under the places that matter.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level as Mark, Origin, Snippet};

use super::schedule::wrap;
use crate::report::model::Place;
use crate::report::sources::Sources;

/// Columns that a quoted line needs beside what is between two marks: its number, dots at both ends,
/// and the marked call.
const BESIDE: usize = 30;

/// How a place is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Where it goes wrong.
    Main,
    /// What led there.
    Other,
}

/// The places of one thread, under a title.
pub(super) struct Quote<'a> {
    sources: &'a Sources,
    width: usize,
    title: String,
    files: Vec<(String, Option<Arc<str>>, Vec<Marked>)>,
    notes: Vec<String>,
}

struct Marked {
    place: Place,
    kind: Kind,
    label: String,
    /// What follows the label where there is room.
    more: &'static str,
}

impl<'a> Quote<'a> {
    pub(super) fn new(sources: &'a Sources, title: String, width: usize) -> Quote<'a> {
        Quote { sources, width, title, files: Vec::new(), notes: Vec::new() }
    }

    /// Marks a place with `label`, and `more` where there is room. Places of one file are quoted
    /// together.
    pub(super) fn add(&mut self, place: &Place, kind: Kind, label: String, more: &'static str) {
        let marked = Marked { place: place.clone(), kind, label, more };
        match self.files.iter_mut().find(|(file, ..)| *file == place.file) {
            Some((.., places)) => places.push(marked),
            None => {
                let text = self.sources.text(&place.file);
                self.files.push((place.file.clone(), text, vec![marked]));
            }
        }
    }

    /// Adds a sentence below the lines.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The quote as a part of a diagnostic.
    pub(super) fn group(&self) -> Group<'_> {
        let mut group = Group::with_title(Mark::NOTE.secondary_title(self.title.as_str()));
        let mut below = Vec::new();
        for (file, text, places) in &self.files {
            let spans: Option<Vec<Range<usize>>> = text
                .as_ref()
                .and_then(|text| places.iter().map(|marked| span(text, &marked.place)).collect());
            match (text, spans) {
                (Some(text), Some(spans)) => {
                    let mut snippet = Snippet::source(&**text).path(file.as_str());
                    for (marked, span) in places.iter().zip(spans) {
                        if self.is_far_from_main(marked, places) {
                            let Marked { place, label, more, .. } = marked;
                            below.push(format!("{label}{more}, at {place}:{}", place.column));
                            continue;
                        }
                        let label = self.label(marked, span.len(), &mut below);
                        snippet = snippet.annotation(marked.kind.mark().span(span).label(label));
                    }
                    group = group.element(snippet);
                }
                _ => {
                    for marked in places {
                        let label = format!("{}{}", marked.label, marked.more);
                        let label = Mark::NOTE.no_name().message(label);
                        group = group.element(origin(&marked.place)).element(label);
                    }
                }
            }
        }
        for note in below.iter().chain(&self.notes) {
            let note = wrap(note, self.width.saturating_sub("   = ".len()));
            group = group.element(Mark::NOTE.no_name().message(note));
        }
        group
    }

    /// Whether the page is too narrow for both this place and the one on its line where it goes
    /// wrong.
    fn is_far_from_main(&self, marked: &Marked, places: &[Marked]) -> bool {
        let room = self.width.saturating_sub(BESIDE);
        let far = |main: &Marked| {
            main.kind == Kind::Main
                && main.place.line == marked.place.line
                && main.place.column.abs_diff(marked.place.column) as usize > room
        };
        marked.kind == Kind::Other && places.iter().any(far)
    }

    /// As much of the label as there is room for behind the place; else a number, and the label
    /// under that number below.
    fn label(&self, marked: &Marked, length: usize, below: &mut Vec<String>) -> String {
        let margin = marked.place.line.to_string().len() + " | ".len();
        let before = margin + marked.place.column as usize + length;
        let whole = format!("{}{}", marked.label, marked.more);
        let fits = |label: &str| before + label.chars().count() <= self.width;
        if fits(&whole) {
            whole
        } else if fits(&marked.label) {
            marked.label.clone()
        } else {
            let number = below.len() + 1;
            below.push(format!("({number}) {whole}"));
            format!("({number})")
        }
    }
}

impl Kind {
    fn mark(self) -> AnnotationKind {
        match self {
            Kind::Main => AnnotationKind::Primary,
            Kind::Other => AnnotationKind::Context,
        }
    }
}

/// The place alone.
pub(super) fn origin(place: &Place) -> Origin<'_> {
    let origin = Origin::path(place.file.as_str());
    origin.line(place.line as usize).char_column(place.column as usize)
}

/// The bytes of `text` to mark for `place`: the call or name that begins there. Nothing, when the
/// text has no such place, for it must have changed since it was compiled.
fn span(text: &str, place: &Place) -> Option<Range<usize>> {
    let line = text.split_inclusive('\n').nth(place.line.checked_sub(1)? as usize)?;
    let before = line.as_ptr() as usize - text.as_ptr() as usize;
    let (column, _) = line.char_indices().nth(place.column.checked_sub(1)? as usize)?;
    let rest = line[column..].trim_end();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let within = line[..column].ends_with(is_name) && rest.starts_with(is_name);
    // The examples of a documentation are code.
    let is_comment = line.trim_start().strip_prefix("//").is_some_and(|rest| {
        let is_document = rest.starts_with(['/', '!']) && !rest.starts_with("//");
        !is_document || line[..column].trim_start().len() < 3
    });
    if is_comment || rest.is_empty() || within {
        return None;
    }
    let start = before + column;
    Some(start..start + call_length(rest).max(1).min(rest.len().max(1)))
}

/// The length of `a.b.c(..)` at the start of `text`, up to the end of its first call.
fn call_length(text: &str) -> usize {
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    let end = text.find(|c| !name(c)).unwrap_or(text.len());
    let end = text[..end].trim_end_matches(['.', ':']).len();
    if !text[end..].starts_with('(') {
        return if end == 0 { text.chars().next().map_or(0, char::len_utf8) } else { end };
    }
    let mut depth = 0usize;
    for (index, c) in text[end..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return end + index + 1;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::span;
    use crate::report::model::Place;

    #[test]
    fn the_call_at_a_place_is_marked() {
        let text = "fn f() {\n    let ä = self.a.lock().unwrap();\n    g(h(1), 2); x\n}";
        let marked = |line, column| {
            span(text, &Place { file: String::new(), line, column }).map(|span| &text[span])
        };
        assert_eq!(marked(2, 20), Some("lock()"));
        assert_eq!(marked(2, 13), Some("self.a.lock()"));
        assert_eq!(marked(3, 5), Some("g(h(1), 2)"));
        assert_eq!(marked(3, 17), Some("x"));
        assert_eq!(marked(4, 1), Some("}"));
        let text = "/// let a = lock();\nlet b = lock();\n// lock()\n//// lock()\n";
        let marked = |line, column| span(text, &Place { file: String::new(), line, column });
        assert_eq!(
            (marked(1, 13), marked(2, 10), marked(2, 9)),
            (Some(12..18), None, Some(28..34))
        );
        assert_eq!((marked(1, 1), marked(3, 4), marked(4, 6)), (None, None, None));
        for (line, column) in [(0, 1), (1, 0), (5, 1), (2, 500), (u32::MAX, u32::MAX)] {
            assert_eq!(marked(line, column), None, "{line}:{column}");
        }
    }
}
