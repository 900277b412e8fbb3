//! What tasks wait for that is not a lock: messages and room in channels, notifications, permits, the others at a
//! barrier, the end of one of several tasks.
//!
//! A poll that finds that the event has not come says so. That is told to others only where the task then rests
//! with nothing else that could wake it. Who completes the event had to get the locks first that it has asked
//! for since its own last wait, as with threads.

use std::panic::Location;
use std::task::{Context, Poll};

use crate::hooks::{EventKind, EventTag};
use crate::model::lock::Site;
use crate::tasks::leaf::{Leaf, Leaves, PolledBy};
use crate::tasks::lock::called_at;
use crate::tasks::poll::{self, Polled};

/// Something that tasks wait for and that is not a lock.
#[derive(Debug)]
pub struct AsyncEvent {
    tag: EventTag,
    created: Site,
}

impl AsyncEvent {
    /// One that is created where the caller's caller is.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "a default would hide the caller")]
    pub const fn new() -> AsyncEvent {
        AsyncEvent { tag: EventTag::new(), created: Location::caller() }
    }

    /// The future that is polled here waits for the event.
    pub fn pending(&self, kind: EventKind, polled_by: PolledBy) {
        poll::innermost(|polled| {
            let site = called_at().unwrap_or(self.created);
            let word = if polled.is_told() { self.tag.word_for_task(kind, site) } else { None };
            polled.leaves_pending(Leaf::Event(word, site), polled_by);
        });
    }

    /// This task or thread completes the event for one that waits. Call it just before.
    #[inline]
    #[track_caller]
    pub fn signal(&self, kind: EventKind) {
        // Nobody holds anything that waits for an event which has no number.
        if self.tag.is_used(kind) {
            self.tag.signal(kind, called_at().unwrap_or(Location::caller()));
        }
    }

    /// As [`AsyncEvent::signal`], for all that wait.
    #[inline]
    #[track_caller]
    pub fn signal_all(&self, kind: EventKind) {
        if self.tag.is_used(kind) {
            self.tag.signal_all(kind, called_at().unwrap_or(Location::caller()));
        }
    }
}

/// A poll of a future that waits for an event by way of futures within it: what those wait for is part of that.
#[must_use = "it is told at the end of the poll what the future waits for"]
pub struct Around {
    polled_by: PolledBy,
    /// What was found waiting before in this poll of the task.
    before: Option<Leaves>,
}

impl Around {
    /// The future is about to be polled.
    pub fn begin(cx: &Context<'_>) -> Around {
        let polled_by = PolledBy::of(cx);
        Around { polled_by, before: poll::innermost(Polled::take_leaves) }
    }

    /// The poll had this result: where it is none, the future waits for the event.
    pub fn end<R>(self, event: &AsyncEvent, kind: EventKind, result: &Poll<R>) {
        let Some(before) = self.before else { return };
        poll::innermost(|polled| polled.set_leaves(before));
        match result {
            Poll::Pending => event.pending(kind, self.polled_by),
            Poll::Ready(_) => leaf_has_moved(),
        }
    }
}

impl PolledBy {
    /// By the waker that the future is polled with.
    pub fn of(cx: &Context<'_>) -> PolledBy {
        match poll::innermost(|polled| polled.is_own_waker(cx.waker())) {
            Some(true) => PolledBy::Task,
            Some(false) | None => PolledBy::Other,
        }
    }
}

/// A future that was found waiting, by [`AsyncEvent::pending`] and the like, is ready or gone.
#[inline]
pub fn leaf_has_moved() {
    poll::innermost(Polled::leaf_has_moved);
}
