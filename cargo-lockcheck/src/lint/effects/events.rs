//! What happens in a body, and what is held meanwhile: what the rules look at.

use std::sync::Arc;

use super::effect::Effect;
use crate::lint::summary::{CallPath, DeferredEdge, Location, LockUse};

/// A lock that a body holds at some point.
#[derive(Clone, Debug)]
pub(crate) struct HeldLock {
    pub(crate) lock: LockUse,
    /// The calls to its acquisition.
    pub(crate) chain: CallPath,
    /// Whether it belongs to an earlier round of a loop, so that an equal path is another object.
    pub(crate) stale: bool,
    /// The source's name of the variable that holds its guard; none for a temporary.
    pub(crate) holder: Option<Arc<str>>,
}

/// Something that happens in a body, and what is held meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) block: u32,
    pub(crate) here: Location,
    pub(crate) held: Vec<HeldLock>,
    pub(crate) kind: EventKind,
}

/// What happens.
#[derive(Clone, Debug)]
pub(crate) enum EventKind {
    /// An effect of a call or drop.
    Effect(Effect),
    /// A successful attempt to take a lock without waiting.
    Tried(LockUse),
    /// A coroutine suspends.
    Await,
    /// An atomic value is looked at in a loop, under a lock.
    Polled,
}

/// What is known of a body.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    pub(crate) events: Vec<Event>,
    pub(crate) deferred_edges: Vec<DeferredEdge>,
    /// The number of the loop that each block is in.
    pub(crate) cycle: Vec<Option<u32>>,
}
