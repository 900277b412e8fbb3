//! What has been declared about the order of locks, as the observer keeps it.

use std::collections::HashMap;

use crate::engine::DeclaredOrder;
use crate::hash::Map;
use crate::model::ids::{LockId, PlaceId};
use crate::model::lock::{LockKind, Site};
use crate::observer::declarations::{Declaration, Lock};

/// What has been declared.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) order: DeclaredOrder<Site>,
    pub(super) places: Vec<Place>,
    pub(super) index: HashMap<Key, PlaceId>,
    /// The newest declaration that has been read.
    pub(super) newest: Option<&'static Declaration>,
    /// Statics that lead to no lock yet.
    pub(super) later: Vec<(PlaceId, &'static Lock)>,
    /// The keys that order locks of one place.
    pub(super) keys: Map<LockId, u64>,
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) lock: &'static Lock,
    /// The classes of its locks, by kind and type; the first entry has no type until the first lock comes.
    pub(super) classes: Vec<(Option<(LockKind, &'static str)>, u32)>,
}

/// The identity of a place.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Field(&'static str, &'static str),
    Static(usize),
}

pub(super) fn key(lock: &Lock) -> Key {
    match lock.of {
        Some(lock) => Key::Static(std::ptr::from_ref(lock).cast::<()>().addr()),
        None => Key::Field(lock.owner, lock.name),
    }
}
