//! The edits that the lint offers to editors: they are in the compiler's form, what they make
//! compiles, and what they were offered for is no longer found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

use cargo_metadata::Message;
use cargo_metadata::diagnostic::{Applicability, Diagnostic};
use lockcheck_tests::{Project, workspace};

/// What is called long enough after a guard is needed.
const CASES: &str = r#"use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;

pub struct Shop {
    stock: Mutex<Vec<u32>>,
    prices: Arc<RwLock<Vec<u32>>>,
    log: Mutex<Vec<String>>,
}

impl Shop {
    fn note(&self, what: &str) {
        self.log.lock().unwrap().push(what.to_owned());
    }

    pub fn sell(&self, item: u32) -> usize {
        let mut stock = self.stock.lock().unwrap();
        stock.retain(|known| *known != item);
        let left = stock.len();
        left + self.stock.lock().unwrap().len()
    }

    pub fn raise(&self, by: u32) {
        let prices = self.prices.read().unwrap();
        if prices.iter().all(|price| *price < 100) {
            self.prices.write().unwrap().iter_mut().for_each(|price| *price += by);
        }
    }

    pub fn told(&self, orders: &Receiver<u32>) -> u32 {
        let stock = self.stock.lock().unwrap();
        let wanted = stock.first().copied().unwrap_or_default();
        wanted.max(orders.recv().unwrap_or_default())
    }

    pub fn closes(&self, clerk: JoinHandle<()>) {
        let mut log = self.log.lock().unwrap(); log.push("closing".to_owned()); clerk.join().unwrap();
    }

    pub async fn later(&self) {
        let mut log = self.log.lock().unwrap();
        log.push("later".to_owned());
        std::future::ready(()).await;
    }

    pub fn first(&self) {
        match self.stock.lock().unwrap().first().copied() {
            Some(0) => self.stock.lock().unwrap().clear(),
            _ => self.note("nothing"),
        }
    }

    pub fn last(&self) {
        if let Some(text) = self.log.lock().unwrap().last().cloned() {
            self.note(&text);
        }
    }

    /// What is matched borrows from the guard.
    pub fn longer(&self) -> usize {
        match self.log.lock().unwrap().last() {
            Some(text) => {
                self.note("longer");
                text.len()
            }
            None => 0,
        }
    }

    /// Its guard is for what it keeps out, so that nobody but the author knows.
    pub fn alone(&self, clerk: JoinHandle<()>) {
        let _log = self.log.lock().unwrap();
        clerk.join().unwrap();
    }

    /// The guard is needed to the end.
    pub fn needed(&self) {
        let mut log = self.log.lock().unwrap();
        self.note("needed");
        log.clear();
    }
}

fn main() {}
"#;

/// The places and texts of edits by file, with what they are for.
#[derive(Default)]
struct Edits {
    by_file: BTreeMap<String, Vec<(Range<usize>, String)>>,
    cured: BTreeSet<String>,
    uncertain: usize,
}

impl Edits {
    fn of(output: &str) -> Edits {
        let mut edits = Edits::default();
        for message in Message::parse_stream(output.as_bytes()) {
            let Message::CompilerMessage(message) = message.expect("each line is a message") else {
                continue;
            };
            let is_ours = |diagnostic: &Diagnostic| {
                diagnostic.code.as_ref().is_some_and(|code| code.code.starts_with("lockcheck::"))
            };
            if is_ours(&message.message) {
                edits.add(&message.message);
            }
        }
        edits
    }

    fn add(&mut self, diagnostic: &Diagnostic) {
        // The words name no edit that is not sure to compile.
        let names_edit = diagnostic.children.iter().any(|child| child.message.contains("`drop("));
        let has_edit = diagnostic.children.iter().any(|child| !child.spans.is_empty());
        assert!(!names_edit || has_edit, "{diagnostic:?}");
        for span in diagnostic.children.iter().flat_map(|child| &child.spans) {
            let new = span.suggested_replacement.clone().expect("a child's span is an edit");
            match span.suggestion_applicability {
                Some(Applicability::MachineApplicable) => {
                    let edits = self.by_file.entry(span.file_name.clone()).or_default();
                    edits.push((span.byte_start as usize..span.byte_end as usize, new));
                    self.cured.insert(diagnostic.message.clone());
                }
                Some(Applicability::MaybeIncorrect) => self.uncertain += 1,
                ref other => panic!("{other:?} in {diagnostic:?}"),
            }
        }
    }

    fn apply(&self, project: &Project) {
        for (file, edits) in &self.by_file {
            let path = project.root().join(file);
            let mut text = fs::read_to_string(&path).expect("it is there");
            let mut edits = edits.clone();
            edits.sort_by_key(|(at, _)| at.start);
            edits.dedup();
            edits.into_iter().rev().for_each(|(at, new)| text.replace_range(at, &new));
            fs::write(path, text).expect("it can be written");
        }
    }
}

/// Makes all certain edits, and says how many findings they cured and how many edits are left to
/// the author.
fn cured(user: &str, files: &[(String, String)]) -> (usize, usize) {
    let project = Project::binaries(user, "2024", files);
    let found = project.check(&["check", "--message-format=json"]);
    let edits = Edits::of(&found.stdout);
    edits.apply(&project);
    let checked = project.check(&["check"]);
    assert!(!checked.stderr.contains("not everything compiles"), "{checked}");
    for finding in &checked.report().findings {
        assert!(!edits.cured.contains(&finding.message), "it is still found: {checked}");
    }
    (edits.cured.len(), edits.uncertain)
}

#[test]
fn guards_that_nobody_misses_are_dropped_where_they_hurt() {
    let (cured, uncertain) = cured("suggestions", &[("shop".to_owned(), CASES.to_owned())]);
    assert_eq!((cured, uncertain), (7, 1));
}

#[test]
fn edits_of_the_corpus_compile_and_cure() {
    let corpus = workspace().join("tests/corpus");
    let names = fs::read_dir(&corpus).expect("the corpus is there");
    let files = names.filter_map(|entry| {
        let entry = entry.ok()?;
        let text = fs::read_to_string(entry.path().join("buggy.rs")).ok()?;
        Some((entry.file_name().into_string().ok()?, text))
    });
    let files: Vec<(String, String)> = files.collect();
    assert!(files.len() > 20, "the corpus is not seen");
    let (cured, _) = cured("suggestions-corpus", &files);
    assert!(cured > 0, "no edit is offered");
}
