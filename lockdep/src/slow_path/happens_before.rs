//! The order that events show: what a thread did before it sent a message was over when another had
//! received it.
//!
//! Unlike spawn and join, a message may have come from this thread by chance, so nothing is taken
//! for impossible because of it: a cycle that only events kept apart is `potential`. To cost nothing
//! where nothing is nested, a thread publishes only what the order graph learnt from it, and only
//! [`MOST`] times; what it does after that counts as not kept apart by events.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::engine::VectorClock;
use crate::hash::fold;
use crate::model::word;
use crate::model::word::Word;
use crate::process::observe;
use crate::thread_state::current::Busy;
use crate::thread_state::position;
use crate::thread_state::record::OwnRecord;

/// How often a thread publishes what it did.
const MOST: u32 = 8;

/// The order graph has learnt something from this thread, or it has heard from another.
pub(crate) fn has_news(record: OwnRecord) {
    let _busy = Busy::new();
    record.mine().version.set(record.mine().version.get().wrapping_add(1));
    record.mine().last_published.set(0);
    record.mine().publishes.set(record.mine().own.borrow().published_epochs < MOST);
}

/// Whether the event, if it was the last one that this thread told, knows all that it did.
#[inline(always)]
pub(crate) fn is_old_news(record: OwnRecord, event: Word) -> bool {
    !record.mine().publishes.get() || record.mine().last_published.get() == event.lock()
}

/// The thread is about to complete an event: others will know what it did until now. Called only
/// where [`Record::publishes`] says so.
#[inline]
pub(crate) fn publish(record: OwnRecord, id: &AtomicU64, event: Word, published: &AtomicU32) {
    let key = key(event, u64::from(record.mine().version.get()) << 32);
    if !record.mine().known.has(key) {
        publish_new(record, id, event, published, key);
    }
    record.mine().last_published.set(event.lock());
}

#[cold]
fn publish_new(record: OwnRecord, id: &AtomicU64, event: Word, published: &AtomicU32, key: u64) {
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
        record.mine().publishes.set(own.published_epochs < MOST);
    }
    position::clock_changed(record);
}

/// The event has come for this thread, after so many had published something with it.
#[inline]
pub(crate) fn hear(record: OwnRecord, event: Word, published: u32) {
    if published != 0 {
        let key = key(event, u64::from(published));
        if !record.mine().known.has(key) {
            hear_new(record, key, event);
        }
    }
}

#[cold]
fn hear_new(record: OwnRecord, key: u64, event: Word) {
    let news = observe(|o| o.published(event.lock()));
    let _busy = Busy::new();
    record.mine().known.add(key);
    let Some(news) = news else { return };
    let mut own = record.mine().own.borrow_mut();
    let mut seen = VectorClock::clone(&own.at.observed);
    seen.join(&news);
    if seen != *own.at.observed {
        own.at.observed = Arc::new(seen);
        drop(own);
        has_news(record);
    }
}

/// A number for what may be known of an event; never zero.
fn key(event: Word, what: u64) -> u64 {
    fold(event.lock() ^ 0x6a09_e667_f3bc_c909, what ^ 0xbb67_ae85_84ca_a73b) | 1
}
