//! Which functions make channels, and which take messages until there are none to come.

use super::functions::{Functions, Of, any, of_traits};
use crate::lint::mir::callee::Callee;

/// Functions that return the two ends of a channel: the sender, then the receiver.
const MAKERS: &[Functions] = &[
    Functions { of: Of::Path("std::sync::mpsc"), names: &["channel", "sync_channel"] },
    Functions { of: Of::Crates(&["crossbeam", "flume"]), names: &["unbounded", "bounded"] },
];

/// Those of them whose channels have room for a number of messages.
const BOUNDED: &[Functions] = &[
    Functions { of: Of::Path("std::sync::mpsc"), names: &["sync_channel"] },
    Functions { of: Of::Crates(&["crossbeam", "flume", "async_channel"]), names: &["bounded"] },
    Functions { of: Of::Path("tokio::sync::mpsc"), names: &["channel"] },
];

/// Functions that make a channel for one message.
const ONESHOTS: Functions = Functions {
    of: Of::Crates(&["tokio::sync::oneshot", "futures::channel::oneshot", "oneshot"]),
    names: &["channel"],
};

/// Functions that wait for room in a bounded channel.
const SENDS: Functions = Functions {
    of: Of::TypesAmong(&["mpsc", "crossbeam", "flume", "kanal"], &["Sender", "SyncSender"]),
    names: &["send", "blocking_send"],
};

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

/// The type of the messages of the bounded channel that a call makes.
pub(crate) fn bounded_messages<'a>(callee: &Callee<'a>) -> Option<&'a str> {
    if !any(BOUNDED, callee) {
        return None;
    }
    callee.text.strip_suffix('>')?.split_once("::<").map(|(_, message)| message)
}

/// Whether a call makes a channel for one message.
pub(crate) fn makes_oneshot(callee: &Callee<'_>) -> bool {
    ONESHOTS.have(callee)
}

/// Whether a call waits for room in its channel, if that is a bounded one.
pub(crate) fn is_send(callee: &Callee<'_>) -> bool {
    SENDS.have(callee)
}

/// Whether a call takes messages until the channel is closed.
pub(crate) fn drains(callee: &Callee<'_>) -> bool {
    let has = |words: &[&str]| {
        callee.self_ty.is_some_and(|ty| words.iter().any(|word| ty.contains(word)))
    };
    DRAINS.have(callee) && has(MESSAGES) && !has(SHORTENING)
}
