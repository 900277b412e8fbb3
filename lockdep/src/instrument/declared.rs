//! The hooks for what a program declares about its locks: places, nesting levels, and what it
//! asserts to hold.

use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use super::{LockTag, LockType, Mode, Site, attempt_or_wait};
use crate::hash::fold;
use crate::order::Place;
use crate::process::{self, Busy, observe};
use crate::record::{Prepared, Record};
use crate::word::{self, Word};
use crate::{identity, learning};

impl LockTag {
    /// The lock is in a declared place from now on, with this key among those of the place. A lock
    /// that was acquired before is left as it is: it has no place.
    pub(crate) fn declare(&self, ty: &'static LockType, place: &'static Place, key: Option<u64>) {
        let Some(record) = process::current().or_else(process::begin) else { return };
        identity::declare(record, &self.id, place, ty);
        if let Some(key) = key {
            // The first mark has the engine told when the lock is gone, and with it the key.
            let word = Word(self.id.fetch_or(word::IN_GRAPH | word::KEYED, Relaxed));
            observe(|o| o.set_key(word.lock(), key));
        }
    }

    /// What orders the lock: its [number](LockTag::id), and the key that orders it among those of
    /// its class, if it has one.
    #[cfg(feature = "instrument")]
    #[track_caller]
    pub(crate) fn number(&self, ty: &'static LockType) -> (u64, Option<u64>) {
        let number = self.id(ty);
        let word = Word(self.id.load(Relaxed));
        let is_keyed = word.0 & word::KEYED != 0;
        (number, is_keyed.then(|| observe(|o| o.key(word.lock()))).flatten())
    }

    /// The lock's number, if it has got one and no key; 0 otherwise.
    #[cfg(feature = "instrument")]
    #[inline(always)]
    pub(crate) fn known_number(&self) -> u64 {
        let word = Word(self.id.load(Relaxed));
        if word.is_new() || word.0 & word::KEYED != 0 { 0 } else { word.lock() }
    }

    /// The same for a static, which is of this class now; `false` if it has been acquired before.
    pub(crate) fn declare_static(&self, class: u32) -> bool {
        identity::declare_static(&self.id, class)
    }

    /// Whether this thread holds the lock; `None` where it is not watched.
    pub fn is_held(&self, ty: &'static LockType, site: Site) -> Option<bool> {
        let (record, word) = self.track(ty, site)?;
        let _busy = Busy::new();
        let mut is_held = false;
        record.each_held(|held, _| is_held |= held.word.lock() == word.lock());
        Some(is_held)
    }

    /// Records what would follow from an acquisition here, without one: code that takes the lock
    /// only now and then shows its order every time.
    ///
    /// # Panics
    /// Where the acquisition would wait for this thread itself, unless configured otherwise.
    pub fn might_acquire(&self, ty: &'static LockType, mode: Mode, site: Site) {
        let Some((record, word)) = self.track(ty, site) else { return };
        let word = word.held(mode, false);
        if !record.has_room() {
            learning::forget_given(record);
        }
        let chain = record.chain(word, site);
        if !record.holds_nothing() && !record.known.has(chain) {
            learning::request(record, &self.id, word, (false, 0), chain, site);
        }
    }

    /// As [`LockTag::acquire`], at a nesting level: of two locks of one class that are held
    /// together, the one of the lesser level is acquired first. [`LockTag::acquire`] is at level
    /// zero.
    ///
    /// # Panics
    /// Where the thread would wait for ever, unless configured otherwise.
    pub fn acquire_nested<R>(
        &self,
        ty: &'static LockType,
        (mode, level): (Mode, u8),
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        block: impl FnOnce() -> R,
    ) -> R {
        let tracked = self.track(ty, site).map(|(record, word)| {
            let word = word.held(mode, false);
            record.window.add(word, site);
            let held = if record.has_room() { word } else { learning::long_way(record, word) };
            // The same places at other levels are another situation.
            let chain = fold(record.chain(word, site), u64::from(level) | 1 << 32);
            if !record.holds_nothing() && !record.known.has(chain) {
                learning::request(record, &self.id, word, (false, level), chain, site);
            }
            (record, Prepared { word: held, chain })
        });
        let result = attempt_or_wait(tracked, site, attempt, block);
        if let Some((record, prepared)) = tracked {
            record.push_at_level(prepared, site, ptr::from_ref(self).cast(), level);
        }
        result
    }
}

/// Locks of these classes are taken at `site` in the order of their numbers, from now on.
#[cfg(feature = "instrument")]
#[inline(always)]
pub(crate) fn takes_in_order(site: Site, classes: impl Iterator<Item = u32>) {
    let Some(record) = process::current().or_else(process::begin) else { return };
    if !ptr::eq(record.in_order_at.get(), site) {
        tell_of_order(record, site, classes);
    }
}

#[cfg(feature = "instrument")]
#[cold]
#[inline(never)]
fn tell_of_order(record: &Record, site: Site, classes: impl Iterator<Item = u32>) {
    let digest = fold(ptr::from_ref(site) as u64, 0xd6e8_feb8_6659_fd93);
    if !record.known.has(digest) {
        let _busy = Busy::new();
        let classes: Vec<u32> = classes.collect();
        observe(|o| o.takes_in_order(site, &classes));
        record.known.add(digest);
    }
    record.in_order_at.set(site);
}
