//! Where an example of the documentation really is.
//!
//! rustdoc makes a program of each example, or one of all, and the compiler counts its lines. For an example
//! compiled alone, their numbers stand beside the name of the file that has the documentation. What rustdoc
//! puts in front of an example is not written down anywhere, so examples are told by their text: at each
//! place that the process has recorded there must be a call, in one example, at one distance. Where none
//! fits, or two do, a place keeps its number and says that it is an example's.

use std::collections::BTreeSet;

use walkdir::WalkDir;

use super::trace::Header;
use crate::report::model::Place;
use crate::report::sources::Sources;

/// How many lines rustdoc may put in front of an example that is compiled alone.
const ALONE: u32 = 12;
/// What the program that rustdoc makes of all examples is called, up to the edition.
const BUNDLE: &str = "doctest_bundle";
/// How the words behind the fence of an example in Rust may begin.
const RUST: [&str; 7] =
    ["rust", "should_panic", "no_run", "edition", "standalone", "ignore", "test_harness"];

/// What the places of one process mean that runs an example, or several.
pub(super) struct DocExamples {
    /// The example that all unknown places are of, and the number of the line before its first one.
    found: Option<(Example, u32)>,
    sources: BTreeSet<(String, u32, u32)>,
}

/// An example as it stands in a file.
#[derive(Clone)]
struct Example {
    file: String,
    /// The line of its fence.
    fence: u32,
    lines: Vec<CodeLine>,
}

/// A line of an example.
#[derive(Clone)]
struct CodeLine {
    /// As rustdoc takes it.
    code: String,
    /// How much stands before it in the file, in characters.
    indent: u32,
}

impl DocExamples {
    /// Whether the process that left a trace with this first line runs examples.
    pub(super) fn is_one(header: &Header) -> bool {
        let mut parts = header.exe.rsplit(['/', '\\']);
        parts.next().is_some_and(|program| matches!(program, "rust_out" | "rust_out.exe"))
            && parts.any(|directory| directory.starts_with("rustdoctest"))
    }

    /// Of the process that left a trace with this first line, and runs examples. `places` are all that it has
    /// recorded, by short names.
    pub(super) fn of(header: &Header, places: &[Place], sources: &Sources) -> DocExamples {
        let is_code_there = |place: &Place| {
            sources.text(&place.file).is_none_or(|text| {
                let line = text.lines().nth((place.line as usize).saturating_sub(1));
                line.is_some_and(|line| is_code(line) && begins_call(line, place.column))
            })
        };
        let is_source = |place: &&Place| !is_bundle(&place.file) && is_code_there(place);
        let (own, examples): (Vec<&Place>, Vec<&Place>) = places.iter().partition(is_source);
        let found = Self::find(header, &examples, sources);
        let own = own.into_iter().map(|place| (place.file.clone(), place.line, place.column));
        DocExamples { found, sources: own.collect() }
    }

    fn find(header: &Header, places: &[&Place], sources: &Sources) -> Option<(Example, u32)> {
        let first = places.first()?;
        if places.iter().any(|place| place.file != first.file) {
            return None;
        }
        let in_bundle = is_bundle(&first.file);
        let files = if in_bundle { documents(header, sources) } else { vec![first.file.clone()] };
        let mut fitting = files
            .into_iter()
            .filter_map(|file| Some((sources.text(&file)?, file)))
            .flat_map(|(text, file)| examples(&text, &file))
            .flat_map(|example| {
                let least = places.iter().map(|place| place.line).min().unwrap_or(0);
                let before = if in_bundle { 0..least } else { 0..least.min(ALONE) };
                let fits: Vec<u32> =
                    before.filter(|before| example.fits(places, *before)).collect();
                fits.into_iter().map(move |before| (example.clone(), before))
            });
        let only = fitting.next()?;
        fitting.next().is_none().then_some(only)
    }

    /// Where a place is that the process has recorded.
    pub(super) fn place(&self, place: Place) -> Place {
        if self.sources.contains(&(place.file.clone(), place.line, place.column)) {
            return place;
        }
        let in_example = self.found.as_ref().and_then(|(example, before)| {
            let index = place.line.checked_sub(before + 1)?;
            let line = example.lines.get(index as usize)?;
            let (line, column) = (example.fence + 1 + index, place.column + line.indent);
            Some(Place { file: example.file.clone(), line, column })
        });
        in_example.unwrap_or_else(|| match is_bundle(&place.file) {
            true => place,
            false => Place { file: format!("example in {}", place.file), ..place },
        })
    }

    /// What the thread is called that runs the example, if that is known.
    pub(super) fn name(&self) -> Option<String> {
        self.found
            .as_ref()
            .map(|(example, _)| format!("example at {}:{}", example.file, example.fence))
    }
}

impl Example {
    /// Whether there is a call at each of these places, when `before` lines stand before the first.
    fn fits(&self, places: &[&Place], before: u32) -> bool {
        places.iter().all(|place| {
            let index = place.line.checked_sub(before + 1);
            let line = index.and_then(|index| self.lines.get(index as usize));
            line.is_some_and(|line| begins_call(&line.code, place.column))
        })
    }
}

fn is_bundle(file: &str) -> bool {
    file.starts_with(BUNDLE)
}

/// The files of the process's package that can have documentation, by short names.
fn documents(header: &Header, sources: &Sources) -> Vec<String> {
    let hidden = |name: &str| name.starts_with('.') && name.len() > 1 || name == "target";
    let files = WalkDir::new(&header.cwd).sort_by_file_name().into_iter();
    files
        .filter_entry(|entry| entry.depth() == 0 || !entry.file_name().to_str().is_some_and(hidden))
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "rs" || end == "md"))
        .map(|entry| sources.shorten(&entry.path().to_string_lossy()))
        .collect()
}

/// Whether this line of a source file is not a comment alone.
fn is_code(line: &str) -> bool {
    !line.trim_start().starts_with("//")
}

/// Whether a call, a macro or a derived implementation can begin at this column, counted from one in
/// characters.
fn begins_call(line: &str, column: u32) -> bool {
    let from = line.chars().skip((column as usize).saturating_sub(1));
    let mut rest = from.collect::<String>();
    if line.trim_start().starts_with("#[derive(") {
        return rest.starts_with(char::is_alphabetic);
    }
    if !rest.starts_with(|first: char| first.is_alphabetic() || first == '_' || first == '<') {
        return false;
    }
    // A path, with what stands in angle brackets.
    let mut depth = 0_u32;
    let end = rest.find(|c: char| {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && !(c.is_alphanumeric() || matches!(c, '_' | ':' | '>'))
    });
    rest.drain(..end.unwrap_or(rest.len()));
    rest.starts_with(['(', '!', '.'])
}

/// An example that has begun.
struct Open {
    example: Example,
    /// What ends it.
    fence: &'static str,
    /// How many blanks stand before the fence. All lines of an example in a list have those.
    indent: usize,
    is_rust: bool,
}

/// The examples in a file of Rust or Markdown.
fn examples(text: &str, file: &str) -> Vec<Example> {
    let is_markdown = file.ends_with(".md");
    let mut found: Vec<Example> = Vec::new();
    let mut open: Option<Open> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(document) = (if is_markdown { Some(line) } else { documentation(line) }) else {
            open = None;
            continue;
        };
        let bare = document.trim_start();
        match &mut open {
            Some(Open { fence, .. }) if bare.starts_with(*fence) => {
                found.extend(open.take().filter(|open| open.is_rust).map(|open| open.example));
            }
            Some(Open { example, indent, .. }) => {
                example.lines.push(code(line, document, *indent));
            }
            None => {
                let Some(fence) = ["```", "~~~"].into_iter().find(|f| bare.starts_with(f)) else {
                    continue;
                };
                let mut words = bare[fence.len()..].split([',', ' ', '{', '}']);
                let is_rust = words.all(|word| {
                    word.is_empty() || RUST.iter().any(|known| word.starts_with(known))
                });
                let lines = Vec::new();
                let example = Example { file: file.to_owned(), fence: number, lines };
                let indent = document.len() - bare.len();
                open = Some(Open { example, fence, indent, is_rust });
            }
        }
    }
    found
}

/// What a line says in a comment of documentation.
fn documentation(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
    Some(text.strip_prefix(' ').unwrap_or(text))
}

/// A line of an example whose fence has `indent` blanks before it.
fn code(line: &str, document: &str, indent: usize) -> CodeLine {
    let start = line.chars().count() - document.chars().count();
    let shift = document.chars().take(indent).take_while(|c| *c == ' ').count();
    let text: String = document.chars().skip(shift).collect();
    let indent = (start + shift) as u32;
    // Lines that readers do not see.
    match text.trim_start() {
        "#" => CodeLine { code: String::new(), indent },
        hidden if hidden.starts_with("# ") => {
            let blank = text.len() - hidden.len();
            CodeLine { code: format!("{}{}", &text[..blank], &hidden[2..]), indent: indent + 2 }
        }
        doubled if doubled.starts_with("##") => {
            CodeLine { code: text.replacen('#', "", 1), indent: indent + 1 }
        }
        _ => CodeLine { code: text, indent },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{DocExamples, Header, Place, Sources, begins_call, examples};

    const SOURCE: &str = "\
//! Words.

/// Uses one.
///
/// ```
/// let a = Mutex::new(1);
/// # let b = Mutex::new(2);
/// drop(a.lock().unwrap());
/// ```
///
/// * In a list:
///
///   ```should_panic
///   let two = RwLock::<u8>::default();
///   two.write();
///   ```
///
/// ```text
/// let a = Mutex::new(1);
/// ```
fn one() {
    let own = Mutex::new(3);
}
";

    fn place(file: &str, line: u32, column: u32) -> Place {
        Place { file: file.into(), line, column }
    }

    #[test]
    fn examples_are_what_stands_between_fences() {
        let found = examples(SOURCE, "src/lib.rs");
        let starts: Vec<(u32, Vec<&str>)> = found
            .iter()
            .map(|e| (e.fence, e.lines.iter().map(|line| &*line.code).collect()))
            .collect();
        let first =
            vec!["let a = Mutex::new(1);", "let b = Mutex::new(2);", "drop(a.lock().unwrap());"];
        let second = vec!["let two = RwLock::<u8>::default();", "two.write();"];
        assert_eq!(starts, [(5, first), (13, second)]);
    }

    #[test]
    fn calls_begin_with_names() {
        for (line, column, expected) in [
            ("let a = Mutex::new(1);", 9, true),
            ("let a = RwLock::<Vec<u8>>::default();", 9, true),
            ("let a = Mutex::new(1);", 1, false),
            ("let a = Mutex::new(1);", 8, false),
            ("let a = Mutex::new(1);", 90, false),
            ("    a.lock().unwrap();", 7, true),
            ("#[derive(Default, Debug)]", 10, true),
            ("vec![1]", 1, true),
            ("", 1, false),
        ] {
            assert_eq!(begins_call(line, column), expected, "{line} {column}");
        }
    }

    #[test]
    fn places_of_an_example_are_lines_of_the_documentation() {
        let root = tempfile::tempdir().expect("it can be made");
        let path = root.path().join("src/lib.rs");
        fs::create_dir_all(root.path().join("src")).expect("it can be made");
        fs::write(&path, SOURCE).expect("it can be written");
        let sources = Sources::new(root.path(), None);
        let header = |exe: &str| Header {
            exe: exe.into(),
            cwd: root.path().to_string_lossy().into_owned(),
            ..Header::default()
        };
        let example = header("/tmp/rustdoctestAb1/rust_out");
        let moved = |places: &[Place]| -> Vec<Place> {
            let known = DocExamples::of(&example, places, &sources);
            places.iter().cloned().map(|p| known.place(p)).collect()
        };
        let own = place("src/lib.rs", 22, 15);
        for file in ["src/lib.rs", "doctest_bundle_2024.rs"] {
            // Three lines before the first, and one of the file's own.
            let first = [place(file, 4, 9), place(file, 5, 9), own.clone(), place(file, 6, 8)];
            let expected = [
                place("src/lib.rs", 6, 13),
                place("src/lib.rs", 7, 15),
                own.clone(),
                place("src/lib.rs", 8, 12),
            ];
            assert_eq!(moved(&first), expected, "{file}");
            let second = [place(file, 3, 11), place(file, 4, 5)];
            assert_eq!(moved(&second), [place("src/lib.rs", 14, 17), place("src/lib.rs", 15, 11)]);
        }
        // One place fits two examples.
        assert_eq!(moved(&[place("src/lib.rs", 4, 9)])[0].file, "example in src/lib.rs");
        let bundle = place("doctest_bundle_2024.rs", 40, 9);
        assert_eq!(moved(std::slice::from_ref(&bundle)), [bundle]);
        assert!(
            DocExamples::is_one(&example) && !DocExamples::is_one(&header("/home/me/rust_out"))
        );
    }
}
