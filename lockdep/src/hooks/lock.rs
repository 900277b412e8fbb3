//! The hooks of a lock.

use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::{fmt, mem, ptr};

use crate::hooks::{EventKind, EventTag};
use crate::model::held::{Acquisition, Prepared};
use crate::model::lock::{Conversion, LockType, Mode, Site};
use crate::model::tag::LockTag;
use crate::model::word;
use crate::model::word::{HoldWord, LockWord};
use crate::slow_path::{acquire, creation, identity, life};
use crate::thread_state::current;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::wait::Awaited;
use crate::waits::{block, livelock};

impl LockTag {
    /// A tag for a lock of this type that is created where the caller's caller is.
    #[track_caller]
    pub const fn new(ty: &'static LockType) -> LockTag {
        let created = Location::caller();
        LockTag { created: Some(created), id: AtomicU64::new(creation::number(created, ty)) }
    }

    /// A tag for a lock whose place of creation is not known: the value of a constant, for instance. The
    /// site of its first use stands in for that place.
    pub const fn unplaced() -> LockTag {
        LockTag { created: None, id: AtomicU64::new(0) }
    }

    /// The offset in bytes of the place of creation, an `Option<Site>`, in a tag. Code that copies an
    /// [unplaced](LockTag::unplaced) tag out of a constant may write it there.
    pub const CREATED: usize = mem::offset_of!(LockTag, created);

    /// The lock's number: the same for its whole life, and never another lock's. Given now if it
    /// has none yet; zero for a lock that is not watched.
    #[inline]
    #[track_caller]
    pub fn id(&self, ty: &'static LockType) -> u64 {
        let word = LockWord(self.id.load(Relaxed));
        if word.is_new() { self.new_id(ty, Location::caller()) } else { word.lock() }
    }

    #[cold]
    fn new_id(&self, ty: &'static LockType, site: Site) -> u64 {
        match current::current().or_else(life::begin) {
            Some(record) => self.word(record, ty, site).map_or(0, LockWord::lock),
            None => LockWord(self.id.load(Relaxed)).lock(),
        }
    }

    /// The lock's word; `None` for an untracked lock.
    #[inline(always)]
    fn word(&self, record: OwnRecord, ty: &'static LockType, site: Site) -> Option<LockWord> {
        let mut word = LockWord(self.id.load(Relaxed));
        if word.is_new() {
            word = identity::identify(record, &self.id, self.created.unwrap_or(site), ty);
        }
        (word.0 & word::UNTRACKED == 0).then_some(word)
    }

    /// This thread's record and the lock's word; `None` when the acquisition must pass through.
    #[inline(always)]
    pub(crate) fn track(&self, ty: &'static LockType, site: Site) -> Option<(OwnRecord, LockWord)> {
        let Some(record) = current::current().or_else(life::begin) else {
            identity::mark_untracked(&self.id);
            return None;
        };
        Some((record, self.word(record, ty, site)?))
    }

    /// Records the acquisition before it can block.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn prepare(
        &self,
        record: OwnRecord,
        word: LockWord,
        how: Acquisition,
        site: Site,
    ) -> Prepared {
        let word = word.held(how.mode, false);
        if record.mine().recent.add(word, site) {
            acquire::at_place(record, site);
        }
        let held = match record.has_room() {
            true => word,
            false => acquire::slow_path_before_blocking(record, word, site),
        };
        // The slow path may take something off the stack.
        let mut context = record.context(word, site, how.level);
        if !record.held.is_empty() && !record.mine().known.has(context) {
            context = acquire::record_dependency(record, &self.id, word, how, context, site);
        }
        Prepared { word: held, context }
    }

    /// Begins the hold that was prepared.
    #[inline(always)]
    pub(crate) fn hold(&self, record: OwnRecord, prepared: Prepared, site: Site, level: u8) {
        record.push(prepared, site, ptr::from_ref(self).addr(), level);
    }

    /// Acquires in `mode`: `attempt` must be the primitive's non-blocking acquisition, `block` its
    /// blocking one. Orders are recorded first; a wait that can never end is reported before it
    /// begins. The lock counts as held by this thread from the return to [`LockTag::release`].
    ///
    /// # Panics
    /// Where the thread would wait for ever, unless configured otherwise.
    ///
    /// # Cost
    /// Loads and stores in memory of this thread alone, once the order is known to it.
    // Always: a guard that is handed on through memory costs as much as the whole hook.
    #[inline(always)]
    #[track_caller]
    pub fn acquire<R>(
        &self,
        ty: &'static LockType,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        block: impl FnOnce() -> R,
    ) -> R {
        // Not by way of `acquire_nested`, through which the guard would go by memory.
        #[expect(clippy::manual_map, reason = "a closure might not be inlined")]
        let tracked = match self.track(ty, site) {
            Some((record, word)) => {
                Some((record, self.prepare(record, word, Acquisition::new(mode), site)))
            }
            None => None,
        };
        let result = attempt_or_wait(tracked, site, attempt, block);
        if let Some((record, prepared)) = tracked {
            self.hold(record, prepared, site, 0);
        }
        result
    }

    /// As [`LockTag::acquire`], at a nesting level: of two locks of one class that are held
    /// together, the one of the lesser level is acquired first. [`LockTag::acquire`] is at level
    /// zero.
    ///
    /// # Panics
    /// Where the thread would wait for ever, unless configured otherwise.
    #[inline(always)]
    #[track_caller]
    pub fn acquire_nested<R>(
        &self,
        ty: &'static LockType,
        mode: Mode,
        level: u8,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        block: impl FnOnce() -> R,
    ) -> R {
        if level == 0 {
            // Known where it is inlined: the guard then stays in registers.
            return self.acquire(ty, mode, site, attempt, block);
        }
        #[expect(clippy::manual_map, reason = "a closure might not be inlined")]
        let tracked = match self.track(ty, site) {
            Some((record, word)) => {
                Some((record, self.prepare(record, word, Acquisition::at_level(mode, level), site)))
            }
            None => None,
        };
        let result = attempt_or_wait(tracked, site, attempt, block);
        if let Some((record, prepared)) = tracked {
            self.hold(record, prepared, site, level);
        }
        result
    }

    /// Acquires in `mode` without blocking: a success is held, but adds no order into this lock; a
    /// failure only counts towards a livelock. A timed acquisition is this too: it ends by itself.
    ///
    /// # Panics
    /// Where threads have kept failing on each other's locks, unless configured otherwise.
    #[inline]
    #[track_caller]
    pub fn try_acquire<R>(
        &self,
        ty: &'static LockType,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
    ) -> Option<R> {
        self.try_acquire_at(ty, Acquisition::new(mode), site, attempt)
    }

    #[inline(always)]
    #[track_caller]
    fn try_acquire_at<R>(
        &self,
        ty: &'static LockType,
        how: Acquisition,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
    ) -> Option<R> {
        let Some((record, word)) = self.track(ty, site) else { return attempt() };
        let word = word.held(how.mode, true);
        let held = if record.has_room() { word } else { acquire::slow_path(record, word) };
        let Some(result) = attempt() else {
            livelock::failed(record, word, site);
            return None;
        };
        acquire::at_place(record, site);
        let context = record.context(word, site, how.level);
        self.hold(record, Prepared { word: held, context }, site, how.level);
        Some(result)
    }

    /// The thread or task of this record has got the lock that it had asked for, maybe after others.
    pub(crate) fn hold_now(&self, record: OwnRecord, word: HoldWord, site: Site) {
        let held = if record.has_room() { word } else { acquire::slow_path(record, word) };
        let context = record.context(word, site, 0);
        self.hold(record, Prepared { word: held, context }, site, 0);
    }

    /// Ends the hold that this thread began in `mode` last; [`Mode::Read`] stands for both kinds of
    /// readers. Call it *before* the real release. A lock that this thread is not known to hold is
    /// ignored.
    #[inline]
    pub fn release(&self, mode: Mode) {
        let Some(record) = current::current() else { return };
        let lock = LockWord(self.id.load(Relaxed));
        if !record.pop(lock, mode) {
            acquire::release_slow_path(record, &self.id, mode);
        }
    }

    /// The nesting level of the hold that this thread began in `mode` last.
    fn level(&self, mode: Mode) -> u8 {
        let lock = LockWord(self.id.load(Relaxed));
        current::current().map_or(0, |record| record.level_held(lock, mode))
    }

    /// Turns a hold of this thread into one that excludes fewer others: `convert` must be the primitive's own
    /// downgrade, which never blocks.
    #[inline]
    pub fn downgrade<R>(
        &self,
        ty: &'static LockType,
        modes: Conversion,
        site: Site,
        convert: impl FnOnce() -> R,
    ) -> R {
        let Ok(result) =
            self.convert(ty, modes, site, || Ok::<R, std::convert::Infallible>(convert()));
        result
    }

    /// Turns a hold of this thread into one in another mode: `convert` must be the primitive's own conversion,
    /// which does not block for ever.
    ///
    /// # Errors
    /// What `convert` says; the lock is then held as before.
    #[inline]
    pub fn convert<R, E>(
        &self,
        ty: &'static LockType,
        Conversion { from, to }: Conversion,
        site: Site,
        convert: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let result = convert()?;
        let level = self.level(from);
        self.release(from);
        // The acquisition has happened, so this only begins the hold.
        _ = self.try_acquire_at(ty, Acquisition::at_level(to, level), site, || Some(()));
        Ok(result)
    }

    /// Lets others have the lock, held in `mode`, and acquires it again: `bump` must be the
    /// primitive's own way to do so.
    ///
    /// Whether it lets go of the lock at all is the primitive's own business, so it adds no order,
    /// and this thread counts as running meanwhile.
    pub fn bump(&self, ty: &'static LockType, mode: Mode, site: Site, bump: impl FnOnce()) {
        let level = self.level(mode);
        self.release(mode);
        self.try_acquire_at(ty, Acquisition::at_level(mode, level), site, || {
            bump();
            Some(())
        });
    }

    /// Turns the hold that this thread has in [`Mode::Upgradable`] into one in [`Mode::Write`], as
    /// [`LockTag::acquire`] does it: all readers must go first, and one of them may be this thread.
    ///
    /// # Panics
    /// Where the thread would wait for ever, unless configured otherwise.
    #[track_caller]
    pub fn upgrade<R, E>(
        &self,
        ty: &'static LockType,
        site: Site,
        attempt: impl FnOnce() -> Result<R, E>,
        block: impl FnOnce(E) -> R,
    ) -> R {
        let tracked = current::current()
            .or_else(life::begin)
            .and_then(|record| Some((record, self.word(record, ty, site)?)));
        let Some((record, word)) = tracked else { return attempt().unwrap_or_else(block) };
        let level = self.level(Mode::Upgradable);
        let prepared = self.prepare(record, word, Acquisition::upgrade(level), site);
        let result = match attempt() {
            Ok(result) => result,
            Err(rest) => {
                let _wait = block::wait(record, Awaited::Lock(prepared.word), site);
                block(rest)
            }
        };
        self.release(Mode::Upgradable);
        self.hold(record, prepared, site, level);
        result
    }

    /// A condition-variable wait on `event` that releases this lock (held in `Mode::Write`) and
    /// acquires it again: `wait` must be the primitive's wait. The orders of the re-acquisition are
    /// recorded before it blocks. If `wait` panics, the hold has ended.
    #[track_caller]
    pub fn wait<R>(
        &self,
        ty: &'static LockType,
        event: &EventTag,
        timed: bool,
        site: Site,
        wait: impl FnOnce() -> R,
    ) -> R {
        let Some(record) = current::current().or_else(life::begin) else { return wait() };
        let Some(word) = self.word(record, ty, site) else { return wait() };
        let level = self.level(Mode::Write);
        self.release(Mode::Write);
        let prepared = self.prepare(record, word, Acquisition::at_level(Mode::Write, level), site);
        acquire::forget_captured(record);
        let Waited(result) = event.block(record, EventKind::Condvar, timed, site, wait);
        self.hold(record, prepared, site, level);
        result
    }

    /// Records what would follow from a [`LockTag::wait`] here, without one: a wait whose condition is true
    /// already is still a wait of the code. The lock is held in `Mode::Write`, and stays so.
    pub fn might_wait(&self, ty: &'static LockType, event: &EventTag, site: Site) {
        let Some(record) = current::current().filter(|record| record.held.len() > 1) else {
            return;
        };
        if self.word(record, ty, site).is_none() {
            return;
        }
        let level = self.level(Mode::Write);
        self.release(Mode::Write);
        event.ask(EventKind::Condvar, site);
        _ = self.try_acquire_at(ty, Acquisition::at_level(Mode::Write, level), site, || Some(()));
    }

    /// A one-time initialisation. `call` must be the primitive's `call_once` (or the like), whose
    /// initialiser must hold the result of [`Initializer::enter`] for as long as it runs. Skip this
    /// hook when the value is known to be there.
    ///
    /// # Panics
    /// Where the thread would wait for ever, unless configured otherwise.
    #[track_caller]
    pub fn initialize<R>(
        &self,
        ty: &'static LockType,
        site: Site,
        call: impl FnOnce(Initializer<'_>) -> R,
    ) -> R {
        let Some((record, word)) = self.track(ty, site) else {
            return call(Initializer { tag: self, hold: None });
        };
        let prepared = self.prepare(record, word, Acquisition::new(Mode::Write), site);
        let wait = block::wait(record, Awaited::Lock(prepared.word), site);
        let result = call(Initializer { tag: self, hold: Some((record, prepared, site)) });
        drop(wait);
        acquire::forget_captured(record);
        result
    }
}

/// What `attempt` acquires, or else `block`, with a wait that other threads can see.
#[inline(always)]
#[track_caller]
fn attempt_or_wait<R>(
    tracked: Option<(OwnRecord, Prepared)>,
    site: Site,
    attempt: impl FnOnce() -> Option<R>,
    block: impl FnOnce() -> R,
) -> R {
    match attempt() {
        Some(result) => result,
        None => {
            // Taken apart, so that a result that did not wait never goes through memory.
            let Waited(result) = wait_for(tracked, site, block);
            result
        }
    }
}

/// Blocks until the lock is acquired, visibly to other threads.
#[cold]
#[inline(never)]
#[track_caller]
fn wait_for<R>(
    tracked: Option<(OwnRecord, Prepared)>,
    site: Site,
    block: impl FnOnce() -> R,
) -> Waited<R> {
    let _wait = match tracked {
        Some((record, prepared)) => {
            // The wait may end with a panic, and never with the lock.
            acquire::forget_captured(record);
            Some(block::wait(record, Awaited::Lock(prepared.word), site))
        }
        None => None,
    };
    Waited(block())
}

/// What a wait ended with.
pub(super) struct Waited<R>(pub(super) R);

impl Drop for LockTag {
    #[inline]
    fn drop(&mut self) {
        let word = LockWord(*self.id.get_mut());
        // If this thread still has it on its stack, a guard was leaked.
        let record = current::current().filter(|record| !record.held.is_empty());
        if let Some(record) = record.filter(|_| !word.is_new()) {
            acquire::end_leaked_holds(record, word);
        }
        if word.0 & word::IN_GRAPH != 0 {
            acquire::remove(word.lock());
        }
    }
}

/// One call of an initialising function; see [`LockTag::initialize`]. It stays in its thread.
///
/// ```compile_fail
/// # use lockdep::instrument::{LockKind, LockTag, LockType};
/// # let ty = const { &LockType::of::<u8>(LockKind::Once) };
/// # let tag = LockTag::new(ty);
/// tag.initialize(ty, std::panic::Location::caller(), |initializer| {
///     std::thread::scope(|s| {
///         s.spawn(move || initializer.enter());
///     });
/// });
/// ```
pub struct Initializer<'a> {
    tag: &'a LockTag,
    hold: Option<(OwnRecord, Prepared, Site)>,
}

/// Held while an initialiser runs, by the thread that runs it.
pub struct Initializing<'a> {
    tag: &'a LockTag,
    stays: PhantomData<*const ()>,
}

impl<'a> Initializer<'a> {
    /// This thread runs the initialiser, until the result is dropped.
    pub fn enter(self) -> Initializing<'a> {
        if let Some((record, prepared, site)) = self.hold {
            record.wait.end();
            self.tag.hold(record, prepared, site, 0);
        }
        Initializing { tag: self.tag, stays: PhantomData }
    }
}

impl fmt::Debug for Initializer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initializer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Initializing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initializing").finish_non_exhaustive()
    }
}

impl Drop for Initializing<'_> {
    fn drop(&mut self) {
        self.tag.release(Mode::Write);
    }
}
