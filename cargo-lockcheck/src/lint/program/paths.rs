//! One path for each item, whatever crate names it.
//!
//! In its own crate an item is printed by where it is defined, in another by the shortest way on which
//! it is visible there: through re-exports, renamed or not, of its own crate or of one between.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Unit;
use crate::lint::source::modules::{Inner, Module};

/// How many re-exports are followed to an item.
const REEXPORTS: u32 = 16;

/// What is known of the paths of a program.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// The targets that others can name, by their names.
    libraries: HashMap<String, usize>,
    /// The defining paths that were found, by the visible ones.
    known: RwLock<HashMap<String, String>>,
}

/// An item or module: its target, and its path there.
#[derive(Clone, Debug)]
struct Found {
    unit: usize,
    path: Vec<String>,
    /// Whether it is a module; an item else.
    module: Option<Arc<Module>>,
}

impl Paths {
    /// The paths of these targets.
    pub(super) fn of(units: &[Unit<'_>]) -> Paths {
        let libraries = units.iter().enumerate().map(|(at, unit)| (unit.prefix.clone(), at));
        Paths { libraries: libraries.collect(), known: RwLock::default() }
    }

    /// The path by which an item is defined that another target than its own calls `path`.
    pub(super) fn defining(&self, units: &[Unit<'_>], unit: usize, path: String) -> String {
        let Some((krate, rest)) = path.split_once("::") else { return path };
        let Some(&owner) = self.libraries.get(krate).filter(|owner| **owner != unit) else {
            return path;
        };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        if let Some(known) = known {
            return known;
        }
        let found = self.find(units, owner, rest).unwrap_or_else(|| path.clone());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(path, found.clone());
        found
    }

    fn find(&self, units: &[Unit<'_>], owner: usize, rest: &str) -> Option<String> {
        let mut at =
            Found { unit: owner, path: Vec::new(), module: Some(units[owner].sources.root()?) };
        let mut names = rest.split("::");
        while let Some(module) = at.module.clone() {
            let name = names.next()?;
            at = self.named(units, &at, &module, name, REEXPORTS)?;
        }
        let mut path = units[at.unit].prefix.clone();
        for name in at.path.iter().map(String::as_str).chain(names) {
            path = path + "::" + name;
        }
        Some(path)
    }

    /// What a name means in a module.
    fn named(
        &self,
        units: &[Unit<'_>],
        at: &Found,
        module: &Module,
        name: &str,
        left: u32,
    ) -> Option<Found> {
        let left = left.checked_sub(1)?;
        let inner = |module| {
            let path = at.path.iter().cloned().chain([name.to_owned()]).collect();
            Found { unit: at.unit, path, module }
        };
        if let Some(child) = module.modules.get(name) {
            let child = match child {
                Inner::Here(module) => Some(Arc::clone(module)),
                Inner::File(files) => units[at.unit].sources.module(files),
            };
            return child.map(|child| inner(Some(child)));
        }
        if module.items.contains(name) {
            return Some(inner(None));
        }
        // An item that is renamed where it is visible may be printed by its own name there.
        let renamed = |(_, path): &&(String, Vec<String>)| path.last().is_some_and(|l| l == name);
        let by_name = module.uses.iter().filter(|(known, _)| known == name);
        let mut used = by_name.chain(module.uses.iter().filter(renamed));
        let found = used.find_map(|(_, path)| self.path(units, at, module, path, left));
        found.or_else(|| {
            module.globs.iter().find_map(|path| {
                let of = self.path(units, at, module, path, left)?;
                self.named(units, &of, of.module.as_deref()?, name, left)
            })
        })
    }

    /// What a path means that a module uses.
    fn path(
        &self,
        units: &[Unit<'_>],
        at: &Found,
        module: &Module,
        path: &[String],
        left: u32,
    ) -> Option<Found> {
        let root = |unit: usize| {
            Some(Found { unit, path: Vec::new(), module: Some(units[unit].sources.root()?) })
        };
        let (first, mut rest) = path.split_first()?;
        let mut found = match first.as_str() {
            "crate" => root(at.unit)?,
            "self" => at.clone(),
            "super" => {
                let mut up = at.path.len().checked_sub(1)?;
                while rest.first().is_some_and(|name| name == "super") {
                    up = up.checked_sub(1)?;
                    rest = &rest[1..];
                }
                at.path[..up].iter().try_fold(root(at.unit)?, |at, name| {
                    self.named(units, &at, at.module.as_deref()?, name, left)
                })?
            }
            name => {
                // `use a::b` where `a` is a crate, unless the module has its own `a`.
                let is_itself =
                    |(known, path): &(String, Vec<String>)| known == name && path.len() == 1;
                let own = match module.uses.iter().any(is_itself) {
                    true => None,
                    false => self.named(units, at, module, name, left),
                };
                match own {
                    Some(own) => own,
                    None => {
                        let name = units[at.unit].renamed.get(name).map_or(name, String::as_str);
                        root(*self.libraries.get(name)?)?
                    }
                }
            }
        };
        for name in rest {
            let module = found.module.clone()?;
            found = self.named(units, &found, &module, name, left)?;
        }
        Some(found)
    }
}
