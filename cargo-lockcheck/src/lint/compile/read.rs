//! Reads the MIR of targets while cargo still checks others.
//!
//! Cargo tells first of what has not changed, which is most of a workspace that was checked before.
//! While the compiler is at work on the rest, other processors would have nothing to do.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};

use rayon::prelude::*;

use super::manifest::renamed;
use super::target::Checked;
use crate::lint::mir;
use crate::lint::program::{Part, Target};

/// The part of the program in a file of MIR, if that could be read.
type Read = (PathBuf, Option<Part<'static>>);

/// What is being read.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Where relative paths begin.
    root: PathBuf,
    /// Whether cargo compiles targets as tests of themselves too.
    has_tests: bool,
    begun: usize,
    done: (Sender<Read>, Receiver<Read>),
}

impl Reader {
    /// Reads nothing yet.
    pub(crate) fn new(root: &Path, has_tests: bool) -> Reader {
        Reader { root: root.to_owned(), has_tests, begun: 0, done: mpsc::channel() }
    }

    /// Begins to read the MIR of a target, unless its own test is to come, which has all of it.
    pub(crate) fn begin(&mut self, target: &Checked) {
        if self.has_tests && target.is_tested && !target.is_test {
            return;
        }
        self.begun += 1;
        let (target, root, done) = (target.clone(), self.root.clone(), self.done.0.clone());
        rayon::spawn(move || {
            let part = read(&target, &root);
            // When the check has failed, nobody waits for it.
            let _ = done.send((target.mir, part));
        });
    }

    /// The parts of those of `targets` whose MIR can be read.
    pub(crate) fn finish(&self, targets: Vec<&Checked>) -> Vec<Part<'static>> {
        let mut known: HashMap<_, _> = self.done.1.iter().take(self.begun).collect();
        let known: Vec<_> =
            targets.into_iter().map(|target| (target, known.remove(&target.mir))).collect();
        let root = &self.root;
        let part = |(target, part): (_, Option<_>)| part.unwrap_or_else(|| read(target, root));
        known.into_par_iter().filter_map(part).collect()
    }
}

/// Reads the MIR of a target. Its text stays to the end of the process, as everything refers to it.
fn read(target: &Checked, root: &Path) -> Option<Part<'static>> {
    let text = fs::read_to_string(&target.mir).ok()?.leak();
    // The file of a target that no other can name is called by what no path has in it.
    let file = target.mir.file_stem().unwrap_or_default().to_string_lossy();
    Some(Part::new(Target {
        prefix: if target.is_lib { target.name.clone() } else { file.into_owned() },
        is_library: target.is_lib,
        root: root.to_owned(),
        files: target.files.clone(),
        mir: mir::parse(text),
        renamed: renamed(Path::new(&target.manifest)),
    }))
}
