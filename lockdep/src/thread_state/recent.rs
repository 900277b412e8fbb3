//! The *window*: the locks that a thread has asked for since it last waited for an event.
//!
//! What it may miss: two of the locks that share a slot, of which the later displaces the earlier.

use std::cell::Cell;
use std::panic::Location;
use std::ptr;

use crate::hash::fold;
use crate::model::lock::Site;
use crate::model::word::HoldWord;

/// Locks that a window has room for.
const WINDOW: usize = 8;

/// The locks that a thread asked for since it last waited for an event, as far as they fit: a lock
/// has one place, where a later one displaces it.
#[derive(Debug)]
pub(crate) struct RecentAcquisitions {
    asked: [Cell<(u64, *const Location<'static>)>; WINDOW],
    is_empty: Cell<bool>,
}

impl RecentAcquisitions {
    pub(super) fn new() -> RecentAcquisitions {
        let asked = [const { Cell::new((0, ptr::null())) }; WINDOW];
        RecentAcquisitions { asked, is_empty: Cell::new(true) }
    }

    /// Adds the lock, and returns whether it was not there yet as asked for at this place.
    #[inline(always)]
    pub(crate) fn add(&self, word: HoldWord, site: Site) -> bool {
        // A store costs more than the comparison: the lock's own atomic instruction waits for it.
        let slot = &self.asked[(word.0 >> 4) as usize % WINDOW];
        let is_new = slot.get() != (word.0, ptr::from_ref(site));
        if is_new {
            slot.set((word.0, site));
            self.is_empty.set(false);
        }
        is_new
    }

    /// Moves what is in the window to `asked`, without repetition and as far as there is room.
    #[cold]
    pub(super) fn close_into(&self, asked: &mut Vec<(HoldWord, Site)>) {
        for (word, site) in self.iter() {
            // The capacity was reserved with the record, so this never allocates.
            if asked.len() < asked.capacity() && !asked.iter().any(|a| a.0 == word) {
                asked.push((word, site));
            }
        }
        self.clear();
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty.get()
    }

    pub(crate) fn clear(&self) {
        for slot in &self.asked {
            slot.set((0, ptr::null()));
        }
        self.is_empty.set(true);
    }

    /// The locks, with their modes and where they were asked for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (HoldWord, Site)> + '_ {
        self.asked.iter().map(Cell::get).filter(|slot| slot.0 != 0).map(|(word, site)| {
            // SAFETY: only `add` stores sites, and it takes a `&'static Location`.
            (HoldWord(word), unsafe { &*site })
        })
    }

    /// A number for what is in the window together with `event`; never zero.
    pub(crate) fn digest(&self, event: u64) -> u64 {
        self.asked.iter().fold(event | 1, |digest, slot| {
            let (word, site) = slot.get();
            fold(digest.rotate_left(23) ^ word, site as u64 ^ 0x9e37_79b9_7f4a_7c15)
        }) | 1
    }
}
