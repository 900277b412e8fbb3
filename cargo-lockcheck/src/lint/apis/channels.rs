//! Which functions make channels, and which take messages until there are none to come.

use super::functions::{Functions, Of, any, of_traits};
use crate::lint::mir::callee::Callee;

/// Functions that return the two ends of a channel: the sender, then the receiver.
const MAKERS: &[Functions] = &[
    Functions { of: Of::Path("std::sync::mpsc"), names: &["channel", "sync_channel"] },
    Functions { of: Of::Crates(&["crossbeam", "flume"]), names: &["unbounded", "bounded"] },
];

/// Methods of iterators that go on until an iterator ends.
const DRAINS: Functions = of_traits(
    &["Iterator"],
    &["sum", "for_each", "count", "collect", "fold", "last", "max", "min", "product"],
);

/// Iterators over the messages of a channel, which end with it.
const MESSAGES: &[&str] = &["mpsc::IntoIter", "mpsc::Iter", "channel::IntoIter", "channel::Iter"];

/// Adapters that may end before what they adapt.
const SHORTENING: &[&str] = &["Take<", "TakeWhile<", "MapWhile<", "Scan<", "Zip<"];

/// Whether a call makes a channel.
pub(crate) fn makes_channel(callee: &Callee<'_>) -> bool {
    any(MAKERS, callee)
}

/// Whether a call takes messages until the channel is closed.
pub(crate) fn drains(callee: &Callee<'_>) -> bool {
    let has = |words: &[&str]| {
        callee.self_ty.is_some_and(|ty| words.iter().any(|word| ty.contains(word)))
    };
    DRAINS.have(callee) && has(MESSAGES) && !has(SHORTENING)
}
