//! Copies of a crate's sources in which pieces of text are replaced.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use syn::spanned::Spanned;

/// Pieces of a text to replace.
pub(super) struct Edits<'a> {
    text: &'a str,
    found: Vec<(Range<usize>, String)>,
}

impl<'a> Edits<'a> {
    /// None yet, of this text.
    pub(super) fn of(text: &'a str) -> Edits<'a> {
        Edits { text, found: Vec::new() }
    }

    /// The text as it was.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Puts `new` before the byte at `at`, after what was put there before.
    pub(super) fn insert(&mut self, at: usize, new: &str) {
        self.replace(at..at, new);
    }

    /// Puts `new` in the place of these bytes. Ranges that are replaced do not overlap.
    pub(super) fn replace(&mut self, range: Range<usize>, new: impl Into<String>) {
        self.found.push((range, new.into()));
    }

    /// The function knows its caller.
    pub(super) fn track_caller(
        &mut self,
        attributes: &[syn::Attribute],
        visibility: &syn::Visibility,
        signature: &syn::Signature,
    ) {
        if attributes.iter().any(|attribute| attribute.path().is_ident("track_caller")) {
            return;
        }
        let first = match visibility {
            syn::Visibility::Inherited => signature.span(),
            visibility => visibility.span(),
        };
        self.insert(first.byte_range().start, "#[track_caller] ");
    }

    /// The text with the edits made.
    pub(super) fn applied(mut self) -> String {
        self.found.sort_by_key(|(range, _)| range.start);
        let mut result = self.text.to_owned();
        for (range, new) in self.found.into_iter().rev() {
            result.replace_range(range, &new);
        }
        result
    }
}

/// Copies the sources below `from` into `to`; `rewritten` is given the path of each below `from`, with its
/// text.
///
/// # Errors
/// When a file cannot be read or written, or is no Rust.
pub(super) fn rewrite_with(
    from: &Path,
    to: &Path,
    rewritten: &dyn Fn(&Path, &str) -> syn::Result<String>,
) -> io::Result<()> {
    copy(from, to, Path::new(""), rewritten)
}

fn copy(
    from: &Path,
    to: &Path,
    below: &Path,
    rewritten: &dyn Fn(&Path, &str) -> syn::Result<String>,
) -> io::Result<()> {
    fs::create_dir_all(to.join(below))?;
    for entry in fs::read_dir(from.join(below))? {
        let below = below.join(entry?.file_name());
        let path = from.join(&below);
        if path.is_dir() {
            copy(from, to, &below, rewritten)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = rewritten(&below, &fs::read_to_string(&path)?).map_err(io::Error::other)?;
            fs::write(to.join(&below), text)?;
        }
    }
    Ok(())
}
