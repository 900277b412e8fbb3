//! Where a report is written, and in which form.

use std::path::{Path, PathBuf};

use super::args::Written;
use crate::report::render::Format;

/// A form that the report is written in, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// In which form.
    pub format: Format,
    /// Where.
    pub to: Destination,
    /// Whether the user has asked for it.
    pub was_asked_for: bool,
}

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A file that the user has named.
    Named(PathBuf),
    /// The file of this form, below `target/lockcheck`.
    Kept(PathBuf),
    /// It is printed to stdout.
    Printed,
}

impl Output {
    /// What the arguments ask for; `directory` is lockcheck's own.
    pub fn asked_for(written: Written, directory: &Path) -> Output {
        match written.path {
            None => Output::by_default(written.format, directory, true),
            Some(path) => {
                let to = Destination::Named(path);
                Output { format: written.format, to, was_asked_for: true }
            }
        }
    }

    /// A form at the place of its own.
    pub fn by_default(format: Format, directory: &Path, was_asked_for: bool) -> Output {
        let file = format.file().map(|name| Destination::Kept(directory.join(name)));
        Output { format, to: file.unwrap_or(Destination::Printed), was_asked_for }
    }
}
