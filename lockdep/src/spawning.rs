//! Spawning, ending and joining: the order between threads, and the wait for their end.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::{Clock, ThreadId};
use crate::hash::fold;
use crate::identity::serial;
use crate::instrument::{LockKind, Mode, Site};
use crate::learning::clock_of;
use crate::observer::{Observer, Request};
use crate::process::{
    Busy, STARTING, THREADS, begin, current, know_thread, observe, start_segments,
};
use crate::record::{HeldLock, Record};
use crate::word::Word;

/// What a spawned thread and those that may join it share.
#[derive(Debug)]
pub(crate) struct Spawned {
    thread: ThreadId,
    parent: ThreadId,
    site: Site,
    clock: Clock,
    started: AtomicBool,
    end: Mutex<Option<End>>,
}

/// What a thread leaves to those that join it.
#[derive(Clone, Debug)]
struct End {
    /// What was over when it ended, itself included.
    clock: Clock,
    epoch: u32,
    /// The locks that it asked for.
    asked: Vec<(Word, Site)>,
}

/// What a thread was before it joined another, if it held locks then.
pub(crate) struct BeforeJoin {
    clock: Arc<Clock>,
    epoch: u32,
    held: Vec<HeldLock>,
    site: Site,
}

/// The current thread is about to spawn one.
pub(crate) fn spawn(site: Site) -> Option<Arc<Spawned>> {
    let record = current().or_else(begin)?;
    record.was_active.store(true, Relaxed);
    let parent = record.thread.load(Relaxed);
    let (mut clock, epoch) = {
        let own = record.own.borrow();
        (Clock::clone(&own.clock), own.epoch)
    };
    observe(|o| {
        clock.retain(|t| o.remembers(t));
        if o.remembers(parent) {
            clock.advance(parent, epoch);
        }
    });
    let _busy = Busy::new();
    record.own.borrow_mut().epoch += 1;
    next_segment(record);
    let thread = THREADS.fetch_add(1, Relaxed) + 1;
    STARTING.fetch_add(1, SeqCst);
    let started = AtomicBool::new(false);
    Some(Arc::new(Spawned { thread, parent, site, clock, started, end: Mutex::new(None) }))
}

fn next_segment(record: &Record) {
    let mut own = record.own.borrow_mut();
    own.segment += 1;
    let thread = u64::from(record.thread.load(Relaxed));
    record.set_segment(fold(
        thread ^ own.segment.rotate_left(32) ^ 0x2545_f491_4f6c_dd1d,
        0x9e37_79b9_7f4a_7c15,
    ));
}

impl Spawned {
    /// The new thread starts.
    pub(crate) fn enter(&self) {
        if let Some(record) = current().or_else(begin) {
            {
                let _busy = Busy::new();
                record.thread.store(self.thread, Relaxed);
                start_segments(record, self.thread, self.clock.clone());
            }
            observe(|o| know_thread(o, record, Some((self.parent, self.site))));
            record.introduced.set(true);
        }
        self.begun();
    }

    fn begun(&self) {
        if !self.started.swap(true, SeqCst) {
            STARTING.fetch_sub(1, SeqCst);
        }
    }

    /// The new thread's closure has returned.
    pub(crate) fn leave(&self) {
        let Some(record) = current() else { return };
        let _busy = Busy::new();
        record.window.close(&record.own);
        let own = record.own.borrow();
        let mut clock = Clock::clone(&own.clock);
        clock.advance(self.thread, own.epoch);
        let end = End { clock, epoch: own.epoch, asked: own.asked.clone() };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    pub(crate) fn thread(&self) -> ThreadId {
        self.thread
    }

    /// The current thread is about to wait for the end of this one.
    pub(crate) fn before_join(&self, record: &Record, site: Site) -> Option<BeforeJoin> {
        if record.holds_nothing() {
            return None;
        }
        let _busy = Busy::new();
        let mut held = Vec::new();
        record.held_into(&mut held);
        let (clock, epoch) = clock_of(record);
        Some(BeforeJoin { clock, epoch, held, site })
    }

    /// The current thread knows that this one has ended.
    pub(crate) fn joined(&self, before: Option<BeforeJoin>) {
        let Some(record) = current() else { return };
        let end = {
            let _busy = Busy::new();
            self.end.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let Some(mut end) = end else { return };
        observe(|o| {
            if let Some(before) = before {
                know_thread(o, record, None);
                self.joined_holding(o, record, &before, &end);
            }
            end.clock.retain(|t| o.remembers(t));
        });
        let _busy = Busy::new();
        {
            let mut own = record.own.borrow_mut();
            let mut clock = Clock::clone(&own.clock);
            clock.join(&end.clock);
            own.clock = Arc::new(clock);
        }
        next_segment(record);
    }

    /// To the order graph a thread is a lock that it holds from its first step to its last, and
    /// that whoever joins it asks for (Sulzmann, "Cross-thread critical sections", 2025).
    fn joined_holding(&self, o: &mut Observer, record: &Record, before: &BeforeJoin, end: &End) {
        if end.asked.is_empty() {
            return;
        }
        let class = o.class(self.site, LockKind::Thread, "()");
        let life = Word::new(class, serial(record));
        let clock = Arc::new(end.clock.clone());
        let alive = [HeldLock { word: life.held(Mode::Write, true), site: self.site, address: 0 }];
        for &(word, site) in &end.asked {
            o.event(&Request {
                thread: self.thread,
                epoch: end.epoch,
                clock: &clock,
                word,
                site,
                address: 0,
                held: &alive,
            });
        }
        o.event(&Request {
            thread: record.thread.load(Relaxed),
            epoch: before.epoch,
            clock: &before.clock,
            word: life.held(Mode::Write, false),
            site: before.site,
            address: 0,
            held: &before.held,
        });
        o.remove(life.lock());
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // The system made no thread.
        self.begun();
    }
}
