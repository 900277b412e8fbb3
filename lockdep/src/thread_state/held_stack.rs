//! The stack of the locks that a thread holds.
//!
//! A known order costs the owner a few loads and stores here and nothing else. The *context hash* of a
//! held lock is a hash of everything that is held up to it, with modes, sites and nesting levels; an
//! acquisition whose context hash is in the table of known ones has been seen in exactly this situation
//! before, so there is nothing to learn from it. Two situations share a hash with a probability of 2⁻⁶⁴.
//!
//! A held lock is pushed after it was really acquired, and popped before it is really released. So a lock
//! on the stack of a thread that waits is held by that thread.
//!
//! Only the owner writes, and not from a signal handler: one that interrupts a push or pop may leave the
//! stack inconsistent. Any thread may read at any time. What it reads of a thread that waits is exact, as
//! the wait's sequence number tells; what it reads of a running thread may be out of date or mixed. A
//! buffer is never freed, so a reader never meets freed memory; it may read old entries of an old buffer.

use std::marker::PhantomData;
use std::panic::Location;
use std::ptr;

use crate::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::atomic::{AtomicPtr, AtomicU8, AtomicU64, AtomicUsize};
use crate::hash::fold;
use crate::model::held::{HeldLock, Prepared};
use crate::model::ids::LockId;
use crate::model::lock::{Mode, Site};
use crate::model::word::{self, HoldWord, LockWord};
use crate::thread_state::remote_release::{Notes, RemoteReleases};

/// Held locks that fit before the stack grows.
const FIRST_CAPACITY: usize = 32;

/// One held lock; aligned, so that none lies in two cache lines.
#[derive(Debug)]
#[repr(align(32))]
struct Entry {
    /// The lock with the mode it is held in; zero while the entry is not in use.
    word: AtomicU64,
    context: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    /// A [`MarkedAddress`].
    address: AtomicUsize,
}

/// Where a held lock is, with marks in the bits that the alignment of a tag leaves free.
#[derive(Clone, Copy)]
struct MarkedAddress(usize);

impl MarkedAddress {
    /// A `try_` acquisition has failed under this hold.
    const TRIED_UNDER: usize = 1;
    /// The hold has a nesting level, which is in [`Buffer::levels`].
    const HAS_LEVEL: usize = 2;

    fn address(self) -> usize {
        self.0 & !(MarkedAddress::TRIED_UNDER | MarkedAddress::HAS_LEVEL)
    }

    fn has_level(self) -> bool {
        self.0 & MarkedAddress::HAS_LEVEL != 0
    }

    fn tried_under(self) -> bool {
        self.0 & MarkedAddress::TRIED_UNDER != 0
    }
}

/// The memory of a stack, for as long as it is large enough. Entry 0 is the bottom, which is no lock: its
/// context hash is that of holding nothing.
#[derive(Debug)]
struct Buffer {
    entries: Box<[Entry]>,
    /// Since when each hold lasts, in nanoseconds; zero where times were not taken.
    stamps: Box<[AtomicU64]>,
    /// The nesting levels of holds that have one.
    levels: Box<[AtomicU8]>,
}

impl Buffer {
    fn new(capacity: usize) -> &'static Buffer {
        let entry = |_| Entry {
            word: AtomicU64::new(0),
            context: AtomicU64::new(0),
            site: AtomicPtr::new(ptr::null_mut()),
            address: AtomicUsize::new(0),
        };
        Box::leak(Box::new(Buffer {
            entries: (0..capacity).map(entry).collect(),
            stamps: (0..capacity).map(|_| AtomicU64::new(0)).collect(),
            levels: (0..capacity).map(|_| AtomicU8::new(0)).collect(),
        }))
    }

    /// A pointer to the entry `at` that may be moved to any other of this buffer: it is made of that to all
    /// of them.
    fn at(&self, at: usize) -> *mut Entry {
        assert!(at < self.entries.len(), "there is such an entry");
        self.entries.as_ptr().wrapping_add(at).cast_mut()
    }

    fn level(&self, at: usize) -> u8 {
        match MarkedAddress(self.entries[at].address.load(Relaxed)).has_level() {
            false => 0,
            true => self.levels[at].load(Relaxed),
        }
    }

    /// Copies the entry at `from` of another buffer, or of this one, to `to`, but for its context hash.
    fn copy(&self, to: usize, other: &Buffer, from: usize) {
        let (new, old) = (&self.entries[to], &other.entries[from]);
        new.site.store(old.site.load(Relaxed), Relaxed);
        new.address.store(old.address.load(Relaxed), Relaxed);
        self.stamps[to].store(other.stamps[from].load(Relaxed), Relaxed);
        self.levels[to].store(other.levels[from].load(Relaxed), Relaxed);
        new.word.store(old.word.load(Relaxed), Release);
    }
}

/// A hold that has been taken off the stack from below others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// The lock with the mode it was held in, and the marks of the hold.
    pub(crate) word: HoldWord,
    /// Where it was acquired.
    pub(crate) site: Site,
    /// Since when it was held, in nanoseconds, where times were taken.
    pub(crate) since: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct HeldStack {
    /// A [`Buffer`] that was leaked.
    buffer: AtomicPtr<Buffer>,
    /// The first entry of that buffer, which is no lock, and its last one.
    bottom: AtomicPtr<Entry>,
    last: AtomicPtr<Entry>,
    /// The entry of the lock that was acquired last, or the first one while nothing is held: always within
    /// that buffer, from `bottom` on, and below `last` whenever the owner begins anything.
    top: AtomicPtr<Entry>,
    /// An acquisition takes the slow path unless `top` is below this: the entry before `last`, or null while
    /// every acquisition is to take the slow path.
    limit: AtomicPtr<Entry>,
    /// How many locks were ever put on the stack.
    pushed: AtomicU64,
    released_elsewhere: RemoteReleases,
    owns: PhantomData<&'static Buffer>,
}

impl HeldStack {
    pub(super) fn new() -> HeldStack {
        let stack = HeldStack {
            buffer: AtomicPtr::new(ptr::null_mut()),
            bottom: AtomicPtr::new(ptr::null_mut()),
            last: AtomicPtr::new(ptr::null_mut()),
            top: AtomicPtr::new(ptr::null_mut()),
            limit: AtomicPtr::new(ptr::null_mut()),
            pushed: AtomicU64::new(0),
            released_elsewhere: RemoteReleases::default(),
            owns: PhantomData,
        };
        stack.move_to(Buffer::new(FIRST_CAPACITY), 0);
        stack
    }

    /// For the owner: so many locks are held from now on in this buffer.
    fn move_to(&self, buffer: &'static Buffer, depth: usize) {
        self.bottom.store(buffer.at(0), Relaxed);
        self.last.store(buffer.at(buffer.entries.len() - 1), Relaxed);
        self.top.store(buffer.at(depth), Release);
        self.buffer.store(ptr::from_ref(buffer).cast_mut(), Release);
    }

    #[inline]
    fn buffer(&self) -> &'static Buffer {
        // SAFETY: only `move_to` stores here, a `&'static Buffer`, and does so in `new`.
        unsafe { &*self.buffer.load(Acquire) }
    }

    /// The entry on top, for the owner.
    #[inline(always)]
    fn top_entry(&self) -> &Entry {
        // SAFETY: `top` is within a buffer that is never freed.
        unsafe { &*self.top.load(Relaxed) }
    }

    /// How many locks are held; exact for the owner.
    pub(crate) fn len(&self) -> usize {
        self.depth_in(self.buffer()).unwrap_or(0)
    }

    /// How many locks are held, if they are in this buffer.
    fn depth_in(&self, buffer: &Buffer) -> Option<usize> {
        let bytes = self.top.load(Acquire).addr().wrapping_sub(buffer.entries.as_ptr().addr());
        Some(bytes / size_of::<Entry>()).filter(|depth| *depth < buffer.entries.len())
    }

    /// Sets the context hash of holding nothing, which makes every situation new.
    pub(super) fn set_context(&self, seed: u64) {
        self.buffer().entries[0].context.store(seed, Relaxed);
    }

    /// The context hash that acquiring `word` at `site` and this nesting level now has.
    #[inline(always)]
    pub(super) fn context(&self, word: HoldWord, site: Site, level: u8) -> u64 {
        let below = self.top_entry().context.load(Relaxed);
        context_above(below, word, ptr::from_ref(site), level)
    }

    /// Whether nothing is held; exact for the owner.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        ptr::eq(self.top.load(Relaxed), self.bottom.load(Relaxed))
    }

    /// Whether an acquisition may take the fast path: one more lock can be pushed without allocating, and
    /// the slow path is not demanded.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.top.load(Relaxed) < self.limit.load(Relaxed)
    }

    /// How many locks were ever put on the stack.
    #[inline]
    pub(crate) fn pushed(&self) -> u64 {
        self.pushed.load(Relaxed)
    }

    /// Makes room for one more lock, as an allocation must not be made once a lock is acquired, which may
    /// be the allocator's. For the owner, who is busy.
    pub(super) fn reserve(&self) {
        // With one more, `top` must still be below the last entry.
        if self.len() + 2 >= self.buffer().entries.len() {
            self.grow();
        }
    }

    /// Moves the held locks to a buffer of twice the size. The old one stays, as another thread may be
    /// reading it.
    ///
    /// The ABI says that it does not unwind: `push` then keeps the guard that was just acquired in
    /// registers.
    #[cold]
    #[inline(never)]
    extern "C" fn grow(&self) {
        let (old, depth) = (self.buffer(), self.len());
        let new = Buffer::new(old.entries.len() * 2);
        for at in 0..=depth {
            let context = old.entries[at].context.load(Relaxed);
            new.entries[at].context.store(context, Relaxed);
            new.copy(at, old, at);
        }
        let old_limit = self.highest_limit();
        self.move_to(new, depth);
        // A demand for the slow path stays.
        _ = self.limit.compare_exchange(old_limit, self.highest_limit(), SeqCst, Relaxed);
    }

    /// What `limit` is while the slow path is not demanded.
    fn highest_limit(&self) -> *mut Entry {
        let buffer = self.buffer();
        buffer.at(buffer.entries.len() - 2)
    }

    /// Lets acquisitions take the fast path again, unless the slow path is wanted. `SeqCst`: either
    /// `is_wanted`, called after the store, sees the demand, or the thread that demands stores later
    /// (Dekker).
    pub(super) fn leave_slow_path(&self, is_wanted: impl FnOnce() -> bool) {
        self.limit.store(self.highest_limit(), SeqCst);
        if is_wanted() || self.released_elsewhere.is_noted() {
            self.force_slow_path();
        }
    }

    /// From here on acquisitions take the slow path. Any thread may call this.
    pub(crate) fn force_slow_path(&self) {
        self.limit.store(ptr::null_mut(), SeqCst);
    }

    /// Puts a lock that was just acquired at this nesting level on the stack. Grows the stack if that fills
    /// it, which happens only without a [`HeldStack::reserve`] before.
    #[inline(always)]
    pub(super) fn push(&self, prepared: Prepared, site: Site, address: usize, level: u8) {
        // SAFETY: `top` is within its buffer and not the last entry of it, which the end of this function
        // sees to.
        let top = unsafe { self.top.load(Relaxed).add(1) };
        // SAFETY: within the buffer, which is never freed.
        let entry = unsafe { &*top };
        let mut address = address;
        if level != 0 {
            self.buffer().levels[self.len() + 1].store(level, Relaxed);
            address |= MarkedAddress::HAS_LEVEL;
        }
        self.top.store(top, Relaxed);
        entry.context.store(prepared.context, Relaxed);
        entry.site.store(ptr::from_ref(site).cast_mut(), Relaxed);
        entry.address.store(address, Relaxed);
        entry.word.store(prepared.word.0, Release);
        self.pushed.store(self.pushed.load(Relaxed).wrapping_add(1), Relaxed);
        if ptr::eq(top, self.last.load(Relaxed)) {
            self.grow();
        }
    }

    /// Takes the lock off if it is on top in this mode and the hold has no marks.
    #[inline(always)]
    pub(super) fn pop(&self, lock: LockWord, mode: Mode) -> bool {
        // Loaded once: the compiler must not make one load of two.
        let top = self.top.load(Relaxed);
        // SAFETY: `top` is within a buffer that is never freed.
        let entry = unsafe { &*top };
        // The bottom entry is zero, which is no lock.
        if !HoldWord(entry.word.load(Relaxed)).is_hold(lock, mode) {
            return false;
        }
        entry.word.store(0, Relaxed);
        // SAFETY: the entry is a lock's, so it is not the bottom one.
        self.top.store(unsafe { top.sub(1) }, Relaxed);
        true
    }

    /// Takes the lock out from just below the top if it is there in this mode, its hold has no marks, and
    /// the one on top has no time stamp or level: a thread that holds two locks often releases the first
    /// one first.
    #[inline(always)]
    pub(super) fn pop_below_top(&self, lock: LockWord, mode: Mode) -> bool {
        if self.is_empty() {
            return false;
        }
        let top = self.top.load(Relaxed);
        // SAFETY: `top` is above the bottom entry, within the same buffer.
        let (upper, to) = unsafe { (&*top, &*top.sub(1)) };
        let word = HoldWord(upper.word.load(Relaxed));
        let has_level = MarkedAddress(upper.address.load(Relaxed)).has_level();
        // The bottom entry is zero, which is no lock.
        if !HoldWord(to.word.load(Relaxed)).is_hold(lock, mode) || has_level || word.watched() {
            return false;
        }
        // SAFETY: `to` is a lock's entry, so it is not the bottom one either.
        let below = unsafe { &*top.sub(2) };
        let site = upper.site.load(Relaxed);
        to.word.store(0, Relaxed);
        let context = context_above(below.context.load(Relaxed), word.without_marks(), site, 0);
        to.context.store(context, Relaxed);
        to.site.store(site, Relaxed);
        to.address.store(upper.address.load(Relaxed), Relaxed);
        to.word.store(word.0, Release);
        upper.word.store(0, Relaxed);
        // SAFETY: as above.
        self.top.store(unsafe { top.sub(1) }, Relaxed);
        true
    }

    /// Takes the lock out from below others, the last one in this mode first, and recomputes their context
    /// hashes.
    #[cold]
    pub(super) fn remove(&self, lock: LockWord, mode: Mode) -> Option<Ended> {
        let (buffer, top) = (self.buffer(), self.len());
        let found = self.find(lock, mode)?;
        let entry = &buffer.entries[found];
        let ended = Ended {
            word: HoldWord(entry.word.load(Relaxed)),
            site: site_in(entry)?,
            since: Some(buffer.stamps[found].load(Relaxed)).filter(|&since| since != 0),
        };
        for at in found..top {
            let level = buffer.level(at + 1);
            let from = &buffer.entries[at + 1];
            let word = HoldWord(from.word.load(Relaxed)).without_marks();
            let below = buffer.entries[at - 1].context.load(Relaxed);
            let context = context_above(below, word, from.site.load(Relaxed), level);
            buffer.entries[at].word.store(0, Relaxed);
            buffer.entries[at].context.store(context, Relaxed);
            buffer.copy(at, buffer, at + 1);
        }
        buffer.entries[top].word.store(0, Relaxed);
        self.top.store(buffer.at(top - 1), Relaxed);
        Some(ended)
    }

    /// Takes off what is held above the outermost `depth` locks, the outermost of it first, each with the
    /// time since when it is held, in nanoseconds, where times were taken. For the owner.
    pub(super) fn take_above(&self, depth: usize) -> Vec<(HeldLock, u64)> {
        let buffer = self.buffer();
        let taken = self.held().skip(depth).filter_map(|(at, entry)| {
            let lock = HeldLock {
                word: HoldWord(entry.word.load(Relaxed)),
                site: site_in(entry)?,
                address: MarkedAddress(entry.address.load(Relaxed)).address(),
                level: buffer.level(at),
            };
            Some((lock, buffer.stamps[at].load(Relaxed)))
        });
        let taken: Vec<_> = taken.collect();
        for (_, entry) in self.held().skip(depth) {
            entry.word.store(0, Relaxed);
        }
        let depth = depth.min(self.len());
        self.top.store(buffer.at(depth), Relaxed);
        taken
    }

    /// The index of the last hold of the lock in this mode.
    fn find(&self, lock: LockWord, mode: Mode) -> Option<usize> {
        let word = |at: usize| HoldWord(self.buffer().entries[at].word.load(Relaxed));
        (1..=self.len()).rev().find(|&at| word(at).without_marks().is_hold(lock, mode))
    }

    /// The nesting level of the last hold of the lock in this mode.
    pub(super) fn level_held(&self, lock: LockWord, mode: Mode) -> u8 {
        self.find(lock, mode).map_or(0, |at| self.buffer().level(at))
    }

    /// The hold that this thread begins next has begun at `time`, or soon after.
    pub(super) fn stamp_next(&self, time: u64) {
        if let Some(stamp) = self.buffer().stamps.get(self.len() + 1) {
            stamp.store(time, Relaxed);
        }
    }

    /// Has the release of everything that is held take the slow path.
    pub(super) fn watch_releases(&self) {
        for (at, entry) in self.held() {
            let word = HoldWord(entry.word.load(Relaxed));
            if word.0 != 0 && !word.watched() {
                self.buffer().stamps[at].store(0, Relaxed);
                entry.word.store(word.0 | word::WATCHED, Relaxed);
            }
        }
    }

    /// Marks everything that is held as known to the order graph.
    pub(super) fn mark_graphed(&self) {
        for (_, entry) in self.held() {
            let word = entry.word.load(Relaxed);
            if word != 0 {
                entry.word.store(word | word::GRAPHED, Relaxed);
            }
        }
    }

    /// Marks everything that is held, and returns how many entries had no mark yet: those acquired
    /// since the last call.
    pub(super) fn mark_tried_under(&self) -> u64 {
        let mut new = 0;
        for (_, entry) in self.held() {
            let address = MarkedAddress(entry.address.load(Relaxed));
            new += u64::from(!address.tried_under());
            entry.address.store(address.0 | MarkedAddress::TRIED_UNDER, Relaxed);
        }
        new
    }

    /// The entries in use, with their indices, for the owner.
    fn held(&self) -> impl Iterator<Item = (usize, &'static Entry)> + use<> {
        self.buffer().entries.iter().enumerate().take(self.len() + 1).skip(1)
    }

    /// The locks that the thread holds, outermost first. Exact for the owner and for a thread that
    /// waits; of a running thread it may be out of date.
    pub(crate) fn held_into(&self, held: &mut Vec<HeldLock>) {
        held.clear();
        self.each_held(|lock, _| held.push(lock));
    }

    /// Whether the thread holds the lock; exact as [`HeldStack::held_into`] is.
    pub(crate) fn holds(&self, lock: LockId) -> bool {
        let mut holds = false;
        self.each_held(|held, _| holds |= held.word.lock() == lock);
        holds
    }

    /// Calls `each` with the locks that the thread holds, outermost first, and the time since when each is
    /// held, in nanoseconds, where that is known. Exact as [`HeldStack::held_into`] is.
    pub(crate) fn each_held(&self, mut each: impl FnMut(HeldLock, Option<u64>)) {
        let mut ended: Notes = self.released_elsewhere.read();
        let buffer = self.buffer();
        // The thread may have moved to a larger buffer between the loads.
        let Some(depth) = self.depth_in(buffer) else { return };
        for at in 1..=depth {
            let entry = &buffer.entries[at];
            let word = HoldWord(entry.word.load(Acquire));
            let Some(site) = site_in(entry).filter(|_| word.0 != 0 && !ended.has(word)) else {
                continue;
            };
            let since = word.watched().then(|| buffer.stamps[at].load(Relaxed));
            let lock = HeldLock {
                word: word.unwatched(),
                site,
                address: MarkedAddress(entry.address.load(Relaxed)).address(),
                level: buffer.level(at),
            };
            each(lock, since.filter(|&since| since != 0));
        }
    }

    /// Another thread is about to end a hold of this one: leaves a note of that. Whether there is such a
    /// hold. Nothing here allocates or locks, as it may be an allocator's lock.
    pub(crate) fn release_elsewhere(&self, lock: LockWord, mode: Mode) -> bool {
        let hold = lock.held(mode, false);
        let mut holds = false;
        self.each_held(|held, _| holds |= Notes::is_of(hold, held.word));
        let noted = holds && self.released_elsewhere.add(hold);
        if noted {
            self.force_slow_path();
        }
        noted
    }

    /// Takes the holds off that other threads have ended, and calls `each` with every one as it stood in the
    /// stack. For the owner.
    pub(super) fn take_released_elsewhere(&self, mut each: impl FnMut(Ended)) {
        self.released_elsewhere.take(|hold| {
            if let Some(ended) = self.remove(hold.lock_word(), hold.mode()) {
                each(ended);
            }
        });
    }

    /// Nothing is held any more: the record is given to another thread, which is its owner now.
    pub(super) fn reset(&self) {
        for (_, entry) in self.held() {
            entry.word.store(0, Relaxed);
        }
        self.top.store(self.bottom.load(Relaxed), Release);
        self.pushed.store(0, Relaxed);
        self.released_elsewhere.clear();
    }
}

/// Where the lock of an entry was acquired; `None` in one that was never used.
fn site_in(entry: &Entry) -> Option<Site> {
    // SAFETY: null, or stored by `push`, which takes a `&'static Location`, or copied from such an entry.
    unsafe { entry.site.load(Relaxed).as_ref() }
}

/// The context hash of a lock that is held at `site` and this nesting level, above what has the context
/// hash `below`.
#[inline(always)]
fn context_above(below: u64, word: HoldWord, site: *const Location<'static>, level: u8) -> u64 {
    let context = fold(below.rotate_left(29) ^ word.0, site as u64 ^ 0x9e37_79b9_7f4a_7c15);
    // Other levels at the same places are another situation.
    if level == 0 { context } else { fold(context, u64::from(level) | 1 << 32) }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::{FIRST_CAPACITY, HeldStack};
    use crate::model::held::Prepared;
    use crate::model::lock::Mode;
    use crate::model::word::{self, HoldWord, LockWord};

    fn push(stack: &HeldStack, (word, level): (HoldWord, u8)) {
        let site = Location::caller();
        let prepared = Prepared { word, context: stack.context(word, site, level) };
        stack.push(prepared, site, 0, level);
    }

    #[test]
    fn ends_of_holds_in_any_order_leave_what_the_rest_would_be() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below as u64) as usize
        };
        let rounds = if cfg!(miri) { 200 } else { 2_000 };
        let site = Location::caller();
        let push = |stack: &HeldStack, (word, level): (HoldWord, u8)| {
            let prepared = Prepared { word, context: stack.context(word, site, level) };
            stack.push(prepared, site, 0, level);
        };
        let stack = HeldStack::new();
        let mut held: Vec<(HoldWord, u8)> = Vec::new();
        for serial in 0..rounds {
            if held.is_empty() || (held.len() < 6 && next(2) == 0) {
                let mode = [Mode::Write, Mode::Read][next(2)];
                let word = LockWord::new(7, serial).held(mode, next(4) == 0);
                held.push((word, [0, 0, 1, 255][next(4)]));
                push(&stack, held[held.len() - 1]);
                if next(8) == 0 {
                    stack.mark_graphed();
                }
            } else {
                let (word, level) = held.remove(next(held.len()));
                let lock = word.lock_word();
                assert_eq!(stack.level_held(lock, word.mode()), level);
                let quickly =
                    stack.pop(lock, word.mode()) || stack.pop_below_top(lock, word.mode());
                assert!(quickly || stack.remove(lock, word.mode()).is_some());
            }
            let mut seen = Vec::new();
            stack.held_into(&mut seen);
            let seen = seen.iter().map(|held| (held.word.0 & !word::GRAPHED, held.level));
            assert!(seen.eq(held.iter().map(|&(word, level)| (word.0, level))));
            let anew = HeldStack::new();
            held.iter().for_each(|&hold| push(&anew, hold));
            assert_eq!(stack.context(HoldWord(16), site, 0), anew.context(HoldWord(16), site, 0));
        }
    }

    #[test]
    fn a_lock_for_which_nobody_has_made_room_is_held_nonetheless() {
        let stack = HeldStack::new();
        let locks = 5 * FIRST_CAPACITY as u64;
        for serial in 1..=locks {
            push(&stack, (LockWord::new(7, serial).held(Mode::Write, false), 0));
        }
        let mut held = Vec::new();
        stack.held_into(&mut held);
        let serials = held.iter().map(|held| word::parts(held.word.lock()).1);
        assert!(serials.eq(1..=locks));
        for serial in 1..=locks {
            assert!(stack.remove(LockWord::new(7, serial), Mode::Write).is_some());
        }
        assert!(stack.is_empty());
    }

    #[test]
    fn a_slow_path_that_is_demanded_while_the_stack_grows_is_taken() {
        let stack = HeldStack::new();
        stack.leave_slow_path(|| false);
        assert!(stack.has_room());
        stack.force_slow_path();
        for serial in 1..=FIRST_CAPACITY as u64 {
            push(&stack, (LockWord::new(7, serial).held(Mode::Write, false), 0));
        }
        assert!(!stack.has_room());
        stack.leave_slow_path(|| true);
        assert!(!stack.has_room());
    }

    #[test]
    fn a_hold_that_another_thread_has_ended_is_not_seen_and_then_taken_off() {
        let stack = HeldStack::new();
        let lock = LockWord::new(7, 1);
        push(&stack, (lock.held(Mode::Read, false), 0));
        push(&stack, (LockWord::new(7, 2).held(Mode::Write, false), 0));
        stack.leave_slow_path(|| false);
        assert!(stack.release_elsewhere(lock, Mode::Read));
        assert!(!stack.release_elsewhere(lock, Mode::Read), "it is over already");
        assert!(!stack.holds(lock.lock()));
        stack.leave_slow_path(|| false);
        assert!(!stack.has_room(), "the note is not lost");
        let mut over = Vec::new();
        stack.take_released_elsewhere(|ended| over.push(ended.word.lock()));
        assert_eq!(over, [lock.lock()]);
        stack.leave_slow_path(|| false);
        assert!(stack.has_room());
    }
}
