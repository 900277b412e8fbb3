//! Reads the MIR of targets while cargo still checks others.
//!
//! Cargo tells first of what has not changed, which is most of a workspace that was checked before.
//! While the compiler is at work on the rest, other processors would have nothing to do.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};

use rayon::prelude::*;

use super::compile::Checked;
use super::mir::{self, model::MirCrate};

/// The MIR of a file, if it could be read.
type Read = (PathBuf, Option<MirCrate<'static>>);

/// What is being read.
#[derive(Debug)]
pub(super) struct Reader {
    /// Whether cargo compiles targets as tests of themselves too.
    has_tests: bool,
    begun: usize,
    done: (Sender<Read>, Receiver<Read>),
}

impl Reader {
    /// Reads nothing yet.
    pub(super) fn new(has_tests: bool) -> Reader {
        Reader { has_tests, begun: 0, done: mpsc::channel() }
    }

    /// Begins to read the MIR of a target, unless its own test is to come, which has all of it.
    pub(super) fn begin(&mut self, target: &Checked) {
        if self.has_tests && target.is_tested && !target.is_test {
            return;
        }
        self.begun += 1;
        let (path, done) = (target.mir.clone(), self.done.0.clone());
        rayon::spawn(move || {
            let mir = read(&path);
            // When the check has failed, nobody waits for it.
            let _ = done.send((path, mir));
        });
    }

    /// The MIR of those of `targets` that can be read.
    pub(super) fn finish<'t>(
        &self,
        targets: Vec<&'t Checked>,
    ) -> Vec<(&'t Checked, MirCrate<'static>)> {
        let mut known: HashMap<_, _> = self.done.1.iter().take(self.begun).collect();
        let known: Vec<_> =
            targets.into_iter().map(|target| (target, known.remove(&target.mir))).collect();
        let all = known.into_par_iter().filter_map(|(target, known)| {
            let mir = known.unwrap_or_else(|| read(&target.mir));
            Some((target, mir?))
        });
        all.collect()
    }
}

/// Reads a file of MIR. Its text stays to the end of the process, as everything refers to it.
fn read(path: &Path) -> Option<MirCrate<'static>> {
    fs::read_to_string(path).ok().map(|text| mir::parse(text.leak()))
}
