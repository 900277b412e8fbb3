//! The hooks for what a program declares about its locks: places, and what it asserts to hold.

#[cfg(feature = "instrument")]
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

#[cfg(feature = "instrument")]
use crate::hash::fold;
use crate::model::held::Acquisition;
use crate::model::lock::{LockType, Mode, Site};
use crate::model::tag::LockTag;
use crate::model::word;
use crate::model::word::LockWord;
use crate::observer::declarations::PlaceClass;
use crate::process::observe;
use crate::slow_path::{acquire, identity, life};
use crate::thread_state::current;
use crate::thread_state::current::Busy;
#[cfg(feature = "instrument")]
use crate::thread_state::record::OwnRecord;

impl LockTag {
    /// Puts the lock in a declared place, with this key among those of the place. A lock that was acquired
    /// before stays without a place.
    pub(crate) fn declare(
        &self,
        ty: &'static LockType,
        place: &'static PlaceClass,
        key: Option<u64>,
    ) {
        let Some(record) = current::current().or_else(life::begin) else { return };
        identity::declare(record, &self.id, place, ty);
        if let Some(key) = key {
            // With the first mark the observer is called when the lock is gone, and forgets the key.
            let word = LockWord(self.id.fetch_or(word::IN_GRAPH | word::KEYED, Relaxed));
            observe(|o| o.set_key(word.lock(), key));
        }
    }

    /// What orders the lock: its [number](LockTag::id), and the key that orders it among those of
    /// its class, if it has one.
    #[cfg(feature = "instrument")]
    #[track_caller]
    pub(crate) fn number(&self, ty: &'static LockType) -> (u64, Option<u64>) {
        let number = self.id(ty);
        let word = LockWord(self.id.load(Relaxed));
        let is_keyed = word.0 & word::KEYED != 0;
        (number, is_keyed.then(|| observe(|o| o.key(word.lock()))).flatten())
    }

    /// The lock's number, if it has got one and no key; 0 otherwise.
    #[cfg(feature = "instrument")]
    #[inline(always)]
    pub(crate) fn known_number(&self) -> u64 {
        let word = LockWord(self.id.load(Relaxed));
        if word.is_new() || word.0 & word::KEYED != 0 { 0 } else { word.lock() }
    }

    /// Whether this thread holds the lock; `None` where it is not watched.
    pub fn is_held(&self, ty: &'static LockType, site: Site) -> Option<bool> {
        let (record, word) = self.track(ty, site)?;
        let _busy = Busy::new();
        let mut is_held = false;
        record.held.each_held(|held, _| is_held |= held.word.lock() == word.lock());
        Some(is_held)
    }

    /// Records what would follow from an acquisition here, without one: code that takes the lock
    /// only now and then shows its order every time.
    ///
    /// # Panics
    /// Where the acquisition would wait for this thread itself, unless configured otherwise.
    #[track_caller]
    pub fn might_acquire(&self, ty: &'static LockType, mode: Mode, site: Site) {
        let Some((record, word)) = self.track(ty, site) else { return };
        let word = word.held(mode, false);
        if !record.has_room() {
            acquire::drain_remote_releases(record);
        }
        let context = record.context(word, site, 0);
        if !record.held.is_empty() && !record.mine().known.has(context) {
            let how = Acquisition::new(mode);
            acquire::record_dependency(record, &self.id, word, how, context, site);
        }
    }
}

/// Locks of these classes are taken at `site` in the order of their numbers, from now on.
#[cfg(feature = "instrument")]
#[inline(always)]
pub(crate) fn takes_in_order(site: Site, classes: impl Iterator<Item = u32>) {
    let Some(record) = current::current().or_else(life::begin) else { return };
    if !ptr::eq(record.mine().in_order_at.get(), site) {
        record_order(record, site, classes);
    }
}

#[cfg(feature = "instrument")]
#[cold]
#[inline(never)]
fn record_order(record: OwnRecord, site: Site, classes: impl Iterator<Item = u32>) {
    let digest = fold(ptr::from_ref(site) as u64, 0xd6e8_feb8_6659_fd93);
    if !record.mine().known.has(digest) {
        let _busy = Busy::new();
        let classes: Vec<u32> = classes.collect();
        observe(|o| o.takes_in_order(site, &classes));
        record.mine().known.add(digest);
    }
    record.mine().in_order_at.set(site);
}
