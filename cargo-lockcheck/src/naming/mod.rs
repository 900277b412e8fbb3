//! What locks, functions and findings are called.
//!
//! A lock whose place the program has declared is called by that. Any other is called by what it is created in: `Bank.accounts` for a field, `REGISTRY` for a
//! static, `queue` for a variable. That is read from the source; where the source is gone, is not
//! Rust any more, or says nothing (the lock is an argument), the lock is called `src/bank.rs:10`.
//! So is a lock of a dependency, whatever its source says: its name must not depend on which
//! machine makes the report.

mod creation;
mod function;
mod paths;

pub use paths::{short_function, short_type};

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use lockdep::finding::Rule;

use crate::model::{Finding, Place};
use crate::sources::Sources;
use crate::trace::Class;

/// The names of a set of classes.
#[derive(Debug, Default)]
pub struct Names {
    names: BTreeMap<Arc<Class>, Name>,
}

/// What one class is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// By its source alone.
    pub plain: String,
    /// Told apart from other classes with the same plain name.
    pub unique: String,
}

impl Names {
    /// Names all `classes`, which are told apart from each other.
    pub fn of(classes: &BTreeSet<Arc<Class>>, syntax: &Syntax<'_>) -> Names {
        let plain: Vec<(&Arc<Class>, String)> =
            classes.iter().map(|class| (class, plain(class, syntax))).collect();
        let mut namesakes: HashMap<&str, Vec<&Class>> = HashMap::new();
        for (class, name) in &plain {
            namesakes.entry(name).or_default().push(class);
        }
        let unique = |class: &Class, name: &str| {
            let all = &namesakes[name];
            let place = &class.created;
            let differs = |differ: fn(&Class, &Class) -> bool| {
                all.iter().all(|other| *other == class || differ(other, class))
            };
            if all.len() == 1 {
                name.to_owned()
            } else if differs(|a, b| a.kind != b.kind) {
                format!("{name} ({})", class.kind)
            } else if class.anonymous.is_some() {
                let position = all.iter().position(|other| *other == class).unwrap_or_default();
                format!("{name} ({})", position + 1)
            } else if differs(|a, b| a.created.to_string() != b.created.to_string()) {
                format!("{name} ({place})")
            } else {
                format!("{name} ({place}:{})", place.column)
            }
        };
        let names = plain
            .iter()
            .map(|(class, plain)| {
                let unique = unique(class, plain);
                (Arc::clone(class), Name { plain: plain.clone(), unique })
            })
            .collect();
        Names { names }
    }

    /// The name of `class`; its place if it was not among those named.
    pub fn get(&self, class: &Class) -> Name {
        self.names.get(class).cloned().unwrap_or_else(|| {
            let place = class.created.to_string();
            Name { plain: place.clone(), unique: place }
        })
    }
}

fn plain(class: &Class, syntax: &Syntax<'_>) -> String {
    if let Some(declared) = &class.place {
        return declared.clone();
    }
    let place = &class.created;
    if class.anonymous.is_some() {
        // Its place is one in the standard library and says nothing.
        return format!("{}<{}>", class.kind, short_type(&class.ty));
    }
    if !syntax.sources.is_own(&place.file) {
        return place.to_string();
    }
    syntax
        .file(&place.file)
        .and_then(|file| creation::name(&file, place, &class.kind, &class.ty))
        .unwrap_or_else(|| place.to_string())
}

/// The parsed source files of a workspace, each parsed once.
pub struct Syntax<'a> {
    sources: &'a Sources,
    files: RefCell<HashMap<String, Option<Rc<syn::File>>>>,
}

impl<'a> Syntax<'a> {
    /// Parses files of `sources` when they are asked for.
    pub fn new(sources: &'a Sources) -> Syntax<'a> {
        Syntax { sources, files: RefCell::default() }
    }

    /// The function around `place`, as `Type::function`, if it is in the workspace's own source.
    pub fn function(&self, place: &Place) -> Option<String> {
        if !self.sources.is_own(&place.file) {
            return None;
        }
        function::around(&*self.file(&place.file)?, place)
    }

    fn file(&self, file: &str) -> Option<Rc<syn::File>> {
        if let Some(known) = self.files.borrow().get(file) {
            return known.clone();
        }
        let parsed =
            self.sources.text(file).and_then(|text| syn::parse_file(&text).ok()).map(Rc::new);
        self.files.borrow_mut().insert(file.to_owned(), parsed.clone());
        parsed
    }
}

/// The identity of a finding: its rule, and a hash of the names of its locks as a cycle, wherever
/// the cycle begins. It is the same on every machine and does not change when lines move.
pub fn id(rule: Rule, locks: &[&str]) -> String {
    let rotation = |start: usize| locks.iter().cycle().skip(start).take(locks.len()).copied();
    let first = (0..locks.len()).min_by(|a, b| rotation(*a).cmp(rotation(*b))).unwrap_or(0);
    let mut hash = Fnv::new();
    hash.add(rule.code());
    rotation(first).for_each(|name| hash.add(name));
    format!("{rule}-{:08x}", hash.fold())
}

/// Gives findings with the same id a number, in their present order.
pub fn number_namesakes(findings: &mut [Finding]) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    for finding in findings {
        let count = seen.entry(finding.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding.id = format!("{}-{count}", finding.id);
        }
    }
}

/// FNV-1a, which is the same in every version of every compiler.
struct Fnv(u64);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        // The zero keeps `ab`, `c` and `a`, `bc` apart.
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn fold(&self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }
}

#[cfg(test)]
mod tests {
    use lockdep::finding::Rule;

    use super::id;

    #[test]
    fn an_id_is_that_of_the_cycle() {
        let abc = id(Rule::LockOrder, &["A", "B", "C"]);
        assert_eq!(abc, id(Rule::LockOrder, &["B", "C", "A"]));
        assert_ne!(abc, id(Rule::LockOrder, &["A", "C", "B"]));
        assert_ne!(abc, id(Rule::Deadlock, &["A", "B", "C"]));
        assert_ne!(id(Rule::LockOrder, &["ab", "c"]), id(Rule::LockOrder, &["a", "bc"]));
        // Baselines of users hold it: it must never change.
        assert_eq!(id(Rule::LockOrder, &["Bank.accounts", "Bank.audit"]), "lock-order-9d76b978");
    }
}
