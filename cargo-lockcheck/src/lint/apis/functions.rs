//! The rows of the tables: functions by their names and by what they belong to.

use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// Some functions: those of these names that belong to one thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Functions {
    /// What they belong to.
    pub(crate) of: Of,
    /// Their names without any path; none stands for all.
    pub(crate) names: &'static [&'static str],
}

/// What functions belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    /// Traits of these names, for whatever type.
    Traits(&'static [&'static str]),
    /// Types of these names, of any crate.
    Types(&'static [&'static str]),
    /// Types in modules whose paths begin so, by the types' names.
    TypesIn(&'static [&'static str], &'static [&'static str]),
    /// Types with one of these words in their paths, by the types' names.
    TypesAmong(&'static [&'static str], &'static [&'static str]),
    /// Just this module, or this type by its path.
    Path(&'static str),
    /// Anything whose path begins with one of these.
    Crates(&'static [&'static str]),
    /// Whatever has functions of such names.
    Anything,
}

/// Functions of types, whatever the crate.
pub(crate) const fn of_types(
    types: &'static [&'static str],
    names: &'static [&'static str],
) -> Functions {
    Functions { of: Of::Types(types), names }
}

/// Functions of traits.
pub(crate) const fn of_traits(
    traits: &'static [&'static str],
    names: &'static [&'static str],
) -> Functions {
    Functions { of: Of::Traits(traits), names }
}

/// Functions of types in certain modules.
pub(crate) const fn of_types_in(
    modules: &'static [&'static str],
    types: &'static [&'static str],
    names: &'static [&'static str],
) -> Functions {
    Functions { of: Of::TypesIn(modules, types), names }
}

impl Functions {
    /// Whether a called function is one of them.
    pub(crate) fn have(&self, callee: &Callee<'_>) -> bool {
        let is_named = || self.names.is_empty() || self.names.contains(&callee.name());
        let owner = callee.owner();
        let is_of = match self.of {
            Of::Traits(traits) => callee.trait_name.is_some_and(|name| traits.contains(&name)),
            Of::Types(names) => names.contains(&types::last(owner)),
            Of::TypesIn(modules, names) => {
                names.contains(&types::last(owner))
                    && modules.iter().any(|module| owner.starts_with(module))
            }
            Of::TypesAmong(words, names) => {
                names.contains(&types::last(owner)) && words.iter().any(|word| owner.contains(word))
            }
            Of::Path(path) => owner == path,
            Of::Crates(crates) => crates.iter().any(|name| owner.starts_with(name)),
            Of::Anything => true,
        };
        is_of && is_named()
    }
}

/// Whether one of several rows has a function.
pub(crate) fn any(rows: &[Functions], callee: &Callee<'_>) -> bool {
    rows.iter().any(|row| row.have(callee))
}

/// What the first row that has a function says of it.
pub(crate) fn first<T: Copy>(rows: &[(Functions, T)], callee: &Callee<'_>) -> Option<T> {
    rows.iter().find(|(functions, _)| functions.have(callee)).map(|(_, says)| *says)
}

#[cfg(test)]
mod tests {
    use super::{Callee, Functions, Of, first, of_traits, of_types, of_types_in};

    #[test]
    fn a_row_has_functions_by_name_and_owner() {
        let has = |row: Functions, text: &str| row.have(&Callee::new(text));
        let lock = of_types_in(&["std::sync::"], &["Mutex"], &["lock"]);
        assert!(has(lock, "std::sync::Mutex::<u8>::lock"));
        assert!(!has(lock, "std::sync::Mutex::<u8>::try_lock"));
        assert!(!has(lock, "own::Mutex::<u8>::lock"));
        assert!(has(of_types(&["Mutex"], &[]), "own::Mutex::<u8>::lock"));
        let next = of_traits(&["Iterator"], &["next"]);
        assert!(has(next, "<std::vec::IntoIter<u8> as std::iter::Iterator>::next"));
        assert!(!has(next, "own::Iterator::next"));
        let sleep = Functions { of: Of::Path("std::thread"), names: &["sleep"] };
        assert!(has(sleep, "std::thread::sleep"));
        assert!(!has(sleep, "std::thread::inner::sleep"));
        let rows = [(lock, 1), (of_types(&["Mutex"], &[]), 2)];
        assert_eq!(first(&rows, &Callee::new("std::sync::Mutex::<u8>::lock")), Some(1));
        assert_eq!(first(&rows, &Callee::new("std::sync::Mutex::<u8>::new")), Some(2));
    }
}
