//! A class of locks: the field, static or variable that its locks live in.

use std::sync::Arc;

/// A class of locks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Class {
    /// Unique in the program.
    pub(crate) key: Arc<str>,
    /// The name for a reader.
    pub(crate) name: Arc<str>,
}
