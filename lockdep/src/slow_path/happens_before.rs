//! The order that events show: what a thread did before it sent a message happened before what another
//! did after it received the message (Lamport, 1978).
//!
//! Unlike a spawn or a join, a message may have come from this thread by chance. So this order makes
//! nothing impossible: a cycle whose threads only events kept apart is `potential`.
//!
//! It costs nothing where no lock is nested: a thread publishes its clock only after the order graph
//! has recorded something of it, and at most [`MOST`] times. What it does after that counts as not
//! ordered by events, which may make a cycle look surer than it is, never less sure.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::hash::fold;
use crate::model::word;
use crate::model::word::LockWord;
use crate::process::observe;
use crate::thread_state::current::Busy;
use crate::thread_state::position;
use crate::thread_state::record::OwnRecord;

/// How often a thread publishes its clock.
const MOST: u32 = 8;

/// The thread has something that it has not published: the order graph has recorded something of it, or it
/// has observed an event.
pub(crate) fn has_unpublished(record: OwnRecord) {
    let _busy = Busy::new();
    record.mine().version.set(record.mine().version.get().wrapping_add(1));
    record.mine().last_published.set(0);
    record.mine().may_publish.set(record.mine().own.borrow().published_epochs < MOST);
}

/// Whether the thread would publish nothing new with the event.
#[inline(always)]
pub(crate) fn is_published(record: OwnRecord, event: LockWord) -> bool {
    !record.mine().may_publish.get() || record.mine().last_published.get() == event.lock()
}

/// The thread is about to complete an event: publishes its clock with it. Called only where
/// `Mine::may_publish` says so.
#[inline]
pub(crate) fn publish(record: OwnRecord, id: &AtomicU64, event: LockWord, published: &AtomicU32) {
    let key = key(event, u64::from(record.mine().version.get()) << 32);
    if !record.mine().known.has(key) {
        publish_new(record, id, event, published, key);
    }
    record.mine().last_published.set(event.lock());
}

#[cold]
fn publish_new(
    record: OwnRecord,
    id: &AtomicU64,
    event: LockWord,
    published: &AtomicU32,
    key: u64,
) {
    let busy = Busy::new();
    record.mine().known.add(key);
    drop(busy);
    let at = position::thread_point(record);
    observe(|o| o.publish(event.lock(), &at));
    id.fetch_or(word::IN_GRAPH, Relaxed);
    published.fetch_add(1, Relaxed);
    let _busy = Busy::new();
    {
        let mut own = record.mine().own.borrow_mut();
        own.at.epoch += 1;
        own.published_epochs += 1;
        record.mine().may_publish.set(own.published_epochs < MOST);
    }
    position::clock_changed(record);
}

/// The event has come for this thread. `published` counts the clocks that were published with it.
#[inline]
pub(crate) fn observe_event(record: OwnRecord, event: LockWord, published: u32) {
    if published != 0 {
        let key = key(event, u64::from(published));
        if !record.mine().known.has(key) {
            observe_new(record, key, event);
        }
    }
}

#[cold]
fn observe_new(record: OwnRecord, key: u64, event: LockWord) {
    let before = record.mine().own.borrow().at.observed.clone();
    let observed = observe(|o| {
        let mut observed = before.clone();
        o.join(&mut observed, o.published(event.lock())?);
        Some(observed)
    });
    let _busy = Busy::new();
    record.mine().known.add(key);
    let Some(observed) = observed.filter(|observed| *observed != before) else { return };
    {
        let mut own = record.mine().own.borrow_mut();
        own.at.observed = observed;
        (own.brood, own.kin) = (0, 0);
    }
    has_unpublished(record);
}

/// A key for [`Known`](crate::thread_state::known::Known): this event, with this number; never zero.
fn key(event: LockWord, what: u64) -> u64 {
    fold(event.lock() ^ 0x6a09_e667_f3bc_c909, what ^ 0xbb67_ae85_84ca_a73b) | 1
}
