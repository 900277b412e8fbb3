//! A class of locks and a thread as findings and traces describe them, and the totals of a process.

use crate::model::finding::FoundThread;
use crate::model::ids::PlaceId;
use crate::model::lock::{LockKind, Site};

/// A class of locks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class {
    pub(crate) class: u32,
    pub(crate) kind: LockKind,
    pub(crate) type_name: &'static str,
    pub(crate) created: Site,
    pub(crate) anonymous: bool,
    /// The place that the program has declared for these locks, with its name.
    pub(crate) place: Option<(PlaceId, &'static str)>,
}

/// A thread, with where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct ThreadInfo {
    pub(crate) thread: FoundThread,
    pub(crate) parent: Option<u32>,
    pub(crate) spawned: Option<Site>,
}

/// What has been counted so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) threads: u64,
    pub(crate) locks: u64,
    pub(crate) edges: u64,
    pub(crate) acquisitions: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Counts) {
        self.threads += other.threads;
        self.locks += other.locks;
        self.edges += other.edges;
        self.acquisitions += other.acquisitions;
    }
}
