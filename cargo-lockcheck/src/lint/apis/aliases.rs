//! Whether the result of a call is its first argument, or a part of it, in another form.
//!
//! By this `self.accounts`, a reference to it, a clone of its `Arc` and a guard of it are one object.

use super::functions::{Functions, first, of_traits, of_types};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// What the result of a call has to do with its first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallAlias {
    /// It is the same object.
    Same,
    /// It is an element of it.
    Element,
    /// It is something else.
    Other,
}

use CallAlias::{Element, Same};

/// Methods of traits.
const TRAITS: &[(Functions, CallAlias)] = &[
    (
        of_traits(
            &[
                "Deref",
                "DerefMut",
                "__Deref",
                "Clone",
                "Borrow",
                "BorrowMut",
                "AsRef",
                "AsMut",
                "IntoFuture",
                "Try",
                "ToOwned",
                "IntoIterator",
            ],
            &[],
        ),
        Same,
    ),
    (of_traits(&["FutureExt", "StreamExt"], &["fuse", "boxed", "boxed_local"]), Same),
    (of_traits(&["Index", "IndexMut"], &[]), Element),
    (
        of_traits(&["Iterator", "DoubleEndedIterator"], &["next", "next_back", "last", "nth"]),
        Element,
    ),
    (
        of_traits(
            &["Iterator", "DoubleEndedIterator"],
            &[
                "enumerate",
                "rev",
                "skip",
                "take",
                "peekable",
                "cloned",
                "copied",
                "chain",
                "step_by",
                "by_ref",
                "fuse",
            ],
        ),
        Same,
    ),
];

/// Functions of types.
const TYPES: &[(Functions, CallAlias)] = &[
    (
        of_types(
            &["Option", "Result", "Poll"],
            &[
                "unwrap",
                "expect",
                "as_ref",
                "as_mut",
                "as_deref",
                "as_deref_mut",
                "cloned",
                "copied",
                "unwrap_or_else",
                "ok_or",
                "ok_or_else",
                "ok",
                "map_err",
                "as_pin_mut",
                "unwrap_unchecked",
                "insert",
                "get_or_insert_with",
                "into_inner",
                "unwrap_or",
                "or",
                "or_else",
                "take",
                "filter",
                "inspect",
            ],
        ),
        Same,
    ),
    (
        of_types(
            &["Arc", "Rc", "Box", "Weak", "Pin", "ManuallyDrop", "NonNull"],
            &[
                "new",
                "new_unchecked",
                "pin",
                "as_ref",
                "as_mut",
                "downgrade",
                "upgrade",
                "clone",
                "get_mut",
                "get_ref",
                "leak",
                "into_inner",
                "from_raw",
                "into_raw",
                "as_ptr",
                "get_unchecked_mut",
                "into_ref",
                "get_mut_unchecked",
                "from_mut",
                "make_mut",
            ],
        ),
        Same,
    ),
    (of_types(&["LazyLock", "Lazy", "LazyCell"], &["force", "get"]), Same),
    (
        of_types(
            &["OnceLock", "OnceCell", "OnceBox", "SyncOnceCell"],
            &["get", "get_or_init", "get_mut", "wait", "get_unchecked", "force"],
        ),
        Same,
    ),
    (of_types(&["PoisonError"], &["into_inner", "get_ref", "get_mut"]), Same),
    (of_types(&["CachePadded"], &["new"]), Same),
    (
        of_types(
            COLLECTIONS,
            &[
                "get",
                "get_mut",
                "first",
                "last",
                "front",
                "back",
                "first_mut",
                "last_mut",
                "get_unchecked",
                "back_mut",
                "front_mut",
            ],
        ),
        Element,
    ),
    (
        of_types(
            COLLECTIONS,
            &[
                "iter",
                "iter_mut",
                "values",
                "values_mut",
                "as_slice",
                "as_mut_slice",
                "into_boxed_slice",
                "entry",
            ],
        ),
        Same,
    ),
    (of_types(&["Entry"], &["or_default", "or_insert_with", "or_insert"]), Element),
    (
        of_types(
            &["OwnedMutexGuard", "MutexGuard", "RwLockReadGuard", "RwLockWriteGuard"],
            &["map", "downgrade", "deref"],
        ),
        Same,
    ),
];

const COLLECTIONS: &[&str] = &[
    "Vec",
    "VecDeque",
    "HashMap",
    "BTreeMap",
    "slice",
    "IndexMap",
    "LinkedList",
    "Slab",
    "SmallVec",
    "ArrayVec",
    "HashSet",
    "BTreeSet",
    "BinaryHeap",
];

/// Whether values of a type are collections of others.
pub(crate) fn has_elements(ty: &str) -> bool {
    COLLECTIONS.contains(&types::short(ty))
}

/// What the result of a call has to do with its first argument.
pub(crate) fn call_alias(callee: &Callee<'_>) -> CallAlias {
    let rows = if callee.trait_name.is_some() { TRAITS } else { TYPES };
    first(rows, callee).unwrap_or(CallAlias::Other)
}
