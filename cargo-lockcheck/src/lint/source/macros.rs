//! The macros that the source defines, and where a function invokes the one that a place is in.
//!
//! The compiler prints what a macro writes by its place in the definition, which says nothing of who
//! invoked it.

use std::ops::{Range, RangeInclusive};

use proc_macro2::{TokenStream, TokenTree};

use super::{SourceFile, Sources};

/// Most macros that are looked at on the way from a definition to an invocation.
const MACROS: usize = 16;

/// A macro that a file defines.
#[derive(Debug)]
pub(super) struct Definition {
    name: String,
    /// The bytes of its rules.
    rules: Range<usize>,
}

/// The macros that a text defines by `macro_rules!`.
pub(super) fn definitions(text: &str) -> Vec<Definition> {
    let mut found = Vec::new();
    // To read the tokens takes a while.
    if text.contains("macro_rules!") {
        collect(text.parse().unwrap_or_default(), &mut found);
    }
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<Definition>) {
    let mut before: Vec<String> = Vec::new();
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            match before.as_slice() {
                [.., keyword, mark, name] if keyword == "macro_rules" && mark == "!" => {
                    let rules = group.span().byte_range();
                    found.push(Definition { name: name.clone(), rules });
                }
                _ => collect(group.stream(), found),
            }
            before.clear();
        } else {
            before.push(token.to_string());
        }
    }
}

/// Macros of the standard library that functions invoke.
const OF_LIBRARY: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "matches",
    "panic",
    "print",
    "println",
    "thread_local",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// The macros that a text invokes, each with where its name begins.
fn invoked(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('!').filter_map(|(mark, _)| {
        let after = text[mark + 1..].trim_start();
        let before = &text[..mark];
        let begin = before.rfind(|c: char| !c.is_alphanumeric() && c != '_');
        let begin =
            begin.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let name = &text[begin..mark];
        (!name.is_empty() && after.starts_with(['(', '[', '{'])).then_some((begin, name))
    })
}

impl SourceFile {
    /// The macro in whose rules a byte is.
    fn macro_at(&self, at: usize) -> Option<&str> {
        let mut found = self.macros().iter().filter(|of| of.rules.contains(&at));
        found.next().map(|of| of.name.as_str())
    }

    /// Where a macro is invoked in some bytes.
    fn invocations<'s>(
        &'s self,
        name: &str,
        within: Range<usize>,
    ) -> impl Iterator<Item = usize> + use<'s> {
        let call = format!("{name}!");
        let text = self.text().get(within.clone()).unwrap_or("");
        let found: Vec<usize> = text.match_indices(&call).map(|(at, _)| at).collect();
        found.into_iter().filter_map(move |at| {
            let before = text[..at].chars().next_back();
            let is_whole = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
            is_whole.then_some(within.start + at)
        })
    }
}

impl Sources {
    /// Where, in the lines of a function, the macro is invoked in whose definition a line of a file
    /// stands: by itself, or else by other macros that the function invokes.
    pub(crate) fn invocations(
        &self,
        defined: (&str, u32),
        function: &str,
        lines: RangeInclusive<u32>,
    ) -> Vec<(u32, u32)> {
        self.find_invocations(defined, function, lines).unwrap_or_default()
    }

    /// Where, in the lines of a function, macros are invoked whose definitions no file has that was read,
    /// if a line of a file stands in the rules of a macro: what they write may come from there.
    pub(crate) fn foreign_invocations(
        &self,
        defined: (&str, u32),
        function: &str,
        lines: RangeInclusive<u32>,
    ) -> Vec<(u32, u32)> {
        self.find_foreign(defined, function, lines).unwrap_or_default()
    }

    fn find_foreign(
        &self,
        defined: (&str, u32),
        function: &str,
        lines: RangeInclusive<u32>,
    ) -> Option<Vec<(u32, u32)>> {
        let inside = self.file(defined.0)?;
        inside.macro_at(inside.offset(defined.1, 1)?)?;
        let file = self.file(function)?;
        let within = file.offset(*lines.start(), 1)?
            ..file.offset(lines.end() + 1, 1).unwrap_or(file.text().len());
        let known = self.texts();
        let is_foreign = |name: &str| {
            !OF_LIBRARY.contains(&name)
                && known.iter().all(|(_, file)| file.macros().iter().all(|of| of.name != name))
        };
        let found = invoked(&file.text()[within.clone()]).filter(|(_, name)| is_foreign(name));
        Some(found.map(|(at, _)| file.position(within.start + at)).collect())
    }

    fn find_invocations(
        &self,
        defined: (&str, u32),
        function: &str,
        lines: RangeInclusive<u32>,
    ) -> Option<Vec<(u32, u32)>> {
        let inside = self.file(defined.0)?;
        let mut names = vec![inside.macro_at(inside.offset(defined.1, 1)?)?.to_owned()];
        let file = self.file(function)?;
        let within = file.offset(*lines.start(), 1)?
            ..file.offset(lines.end() + 1, 1).unwrap_or(file.text().len());
        let mut next = 0;
        while let Some(name) = names.get(next).cloned().filter(|_| next < MACROS) {
            next += 1;
            let found = file.invocations(&name, within.clone()).map(|at| file.position(at));
            let found: Vec<(u32, u32)> = found.collect();
            if !found.is_empty() {
                return Some(found);
            }
            for (_, other) in self.texts() {
                for at in other.invocations(&name, 0..other.text().len()) {
                    names.extend(
                        other
                            .macro_at(at)
                            .filter(|around| !names.iter().any(|known| known == around))
                            .map(str::to_owned),
                    );
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_are_found_with_their_rules() {
        let text =
            "mod a { macro_rules! one { () => { two!() }; } }\nmacro_rules! two ( () => (3); );";
        let file = SourceFile::new(text.to_owned());
        let at = |word: &str| text.find(word).map(|at| file.macro_at(at));
        assert_eq!(at("two!()"), Some(Some("one")));
        assert_eq!(at("3"), Some(Some("two")));
        assert_eq!(at("mod"), Some(None));
        let calls: Vec<usize> = file.invocations("two", 0..text.len()).collect();
        assert_eq!(calls, [text.find("two!").expect("a call")]);
    }

    #[test]
    fn what_a_text_invokes_is_found() {
        let text = "if !(a != b) { krate::with_all!(x, |y| { y }); log! [\"é\"]; }";
        let names: Vec<&str> = invoked(text).map(|found| found.1).collect();
        assert_eq!(names, ["with_all", "log"]);
    }
}
