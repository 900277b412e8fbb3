//! The classes of the process's locks, by number.

use std::collections::{HashMap, HashSet};
use std::panic::Location;

use crate::model::finding::FoundLock;
use crate::model::ids::PlaceId;
use crate::model::inventory::Class;
use crate::model::lock::{LockKind, Site};
use crate::model::word::CLASSES;

/// The kind and type of a lock, and where it was created: file, line, column.
type ClassKey = (LockKind, &'static str, &'static str, u32, u32);

/// Class zero is for locks beyond the last number.
#[derive(Debug)]
pub(super) struct Classes {
    known: Vec<Class>,
    index: HashMap<ClassKey, u32>,
    met: HashSet<u32>,
}

impl Classes {
    pub(super) fn new() -> Classes {
        let beyond = Class {
            class: 0,
            kind: LockKind::Mutex,
            type_name: "?",
            created: Location::caller(),
            anonymous: true,
            place: None,
        };
        Classes { known: vec![beyond], index: HashMap::new(), met: HashSet::new() }
    }

    /// The class of the locks of this type that are created here, where one is known.
    pub(super) fn find(
        &self,
        created: Site,
        kind: LockKind,
        type_name: &'static str,
    ) -> Option<u32> {
        self.index.get(&key(created, kind, type_name)).copied()
    }

    /// Gives the class of the locks of this type that are created here its number.
    pub(super) fn add_created(
        &mut self,
        created: Site,
        kind: LockKind,
        type_name: &'static str,
    ) -> u32 {
        let anonymous = is_anonymous(created.file());
        let new = Class { class: 0, kind, type_name, created, anonymous, place: None };
        let class = self.add(new);
        if class != 0 {
            self.index.insert(key(created, kind, type_name), class);
        }
        class
    }

    /// Gives a new class its number; zero beyond the last.
    pub(super) fn add(&mut self, new: Class) -> u32 {
        if self.known.len() >= CLASSES as usize {
            return 0;
        }
        let class = self.known.len() as u32;
        self.known.push(Class { class, ..new });
        class
    }

    /// Of which type the locks of a declared place are, which was not known as it got its class.
    pub(super) fn is_of_type(&mut self, class: u32, kind: LockKind, type_name: &'static str) {
        let class = &mut self.known[class as usize];
        (class.kind, class.type_name) = (kind, type_name);
    }

    /// Whether a thread has met this class before.
    pub(super) fn met(&mut self, class: u32) -> bool {
        !self.met.insert(class)
    }

    /// All but class zero.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Class> {
        self.known.iter().skip(1)
    }

    pub(super) fn get(&self, class: u32) -> Option<&Class> {
        self.known.get(class as usize)
    }

    pub(super) fn kind(&self, class: u32) -> LockKind {
        self.known[class as usize].kind
    }

    /// Whether the place of creation says nothing about the locks of this class.
    pub(super) fn is_anonymous(&self, class: u32) -> bool {
        self.known[class as usize].anonymous
    }

    /// Whether these locks have no data, by their type.
    pub(super) fn protects_nothing(&self, class: u32) -> bool {
        self.known[class as usize].type_name == "()"
    }

    /// The number of the declared place whose locks are of this class.
    pub(super) fn place(&self, class: u32) -> Option<PlaceId> {
        self.known[class as usize].place.map(|(place, _)| place)
    }

    /// Any lock of this class.
    pub(super) fn lock(&self, class: u32) -> FoundLock {
        let known = &self.known[class as usize];
        FoundLock {
            kind: known.kind.code(),
            type_name: known.type_name,
            created: known.created,
            class,
            instance: 0,
            gone: false,
            place: known.place.map(|(_, name)| name),
        }
    }
}

fn key(created: Site, kind: LockKind, type_name: &'static str) -> ClassKey {
    (kind, type_name, created.file(), created.line(), created.column())
}

/// Whether the place of creation says nothing about a lock, as many unrelated ones are created in this file:
/// in the standard library, wherever its sources are, and in `lock_api`, where it makes its
/// `ReentrantMutex`es.
fn is_anonymous(file: &str) -> bool {
    let file = file.replace('\\', "/");
    let is_of_lock_api = |part: &str| part == "lock_api" || part.starts_with("lock_api-");
    file.starts_with("/rustc/")
        || file.contains("/lib/rustlib/src/rust/library/")
        || file.split('/').any(is_of_lock_api)
}

#[cfg(test)]
mod tests {
    use super::is_anonymous;

    #[test]
    fn places_in_the_standard_library_are_nobodys() {
        let rust_src =
            "/home/me/.rustup/toolchains/stable/lib/rustlib/src/rust/library/core/tuple.rs";
        assert!(is_anonymous(rust_src));
        assert!(is_anonymous(&rust_src.replace('/', "\\")));
        assert!(is_anonymous("/rustc/59807616e1fa/library/core/src/tuple.rs"));
        assert!(is_anonymous("/registry/src/index/lock_api-0.4.14/src/remutex.rs"));
        assert!(!is_anonymous("src/library/core.rs"));
        assert!(!is_anonymous("src/my_lock_api.rs"));
    }
}
