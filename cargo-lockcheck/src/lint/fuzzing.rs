//! What the fuzz targets reach of the lint, in their builds (`cfg(fuzzing)`) alone: the compiler's
//! text as it is read and analysed, and the comments that allow findings.

use std::path::{Path, PathBuf};

use super::program::{Part, Target};
use super::{Linted, lint, mir, output};
use crate::cli::user_config;

/// What was read of the compiler's text.
#[derive(Debug, PartialEq, Eq)]
pub struct Read {
    /// The names of the bodies, in their order.
    pub bodies: Vec<String>,
    /// How many bodies could not be read.
    pub skipped: u64,
}

/// Reads the MIR of a crate.
pub fn mir(text: &str) -> Read {
    let read = mir::parse(text);
    let bodies = read.bodies.iter().map(|body| body.name.to_owned()).collect();
    Read { bodies, skipped: read.skipped }
}

/// Lints the MIR of a crate of which there is no source.
pub fn linted(text: &str, told: &user_config::Lint) -> Linted {
    let root = PathBuf::from("/nowhere");
    let mir = mir::parse(text);
    let target = Target { prefix: "fuzzed".to_owned(), root, files: Vec::new(), mir };
    lint(vec![Part::new(target)], Path::new("/nowhere"), told)
}

/// The comments of a source file that allow something: the line of each, the line that it is for,
/// the rules and the reason.
pub fn allowances(text: &str) -> Vec<(u32, u32, Vec<String>, String)> {
    output::suppress::read(text)
}
