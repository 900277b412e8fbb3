//! Finds a thread that keeps failing on a lock without a deadlock: one that *starves*, as others always
//! get the lock first, and one that polls without a pause.
//!
//! Each of three observations tells such a thread from an unlucky one:
//!
//! - It retries and steps back: [`STARVED`] rounds in a row in which it let go of what it held, for
//!   longer than [`LONG`], while the lock was seen in the hands of one thread after another. A lock
//!   that one thread holds for long starves nobody. This is looked for always, as [`livelock`](super::livelock)
//!   counts the rounds anyway.
//! - It blocks: others have released the lock [`BYPASSED`] times during one wait of more than
//!   [`LONG`] (the *bypass count* of the literature on mutual exclusion). Looked for while times are taken.
//! - It polls: [`STORM`] failures in a row at one place, with nothing held, in less than
//!   [`STORM_TIME`] but more than [`LONG`]. What the thread does in between is not seen, and may be
//!   work, so this is reported only while statistics are kept.
//!
//! Not seen: starvation behind one other thread that takes the lock again and again, by a thread
//! that retries; loops over atomics, which are not watched.

use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::Duration;

use crate::model::held::HeldLock;
use crate::model::ids::ThreadId;
use crate::model::lock::{Mode, Site};
use crate::model::word::HoldWord;
use crate::observer::starvation::Starvation;
use crate::process;
use crate::thread_state::demand::Asker;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::retries::FailedRetries;
use crate::thread_state::{demand, registry};

/// Rounds of stepping back in a row: ten times what a livelock takes.
const STARVED: u64 = 320;

/// How often the lock must have been seen with another holder than at the look before.
const HANDOVERS: u64 = 4;

/// How many holds of others must have ended during one wait.
const BYPASSED: u64 = 1000;

/// A thread that has failed or waited for less time than this does not starve.
const LONG: Duration = Duration::from_millis(100);

/// So many failures in a row within [`STORM_TIME`] are polling without a pause.
const STORM: u64 = 10_000;

/// See [`STORM`].
const STORM_TIME: Duration = Duration::from_secs(1);

impl FailedRetries {
    /// How the thread, which holds these locks, starves, and since how long; `None` if it does not.
    pub(crate) fn look(
        &self,
        asked: HoldWord,
        held: &[HeldLock],
        now: u64,
    ) -> Option<(Starvation, Duration)> {
        if self.since.get() == 0 {
            self.since.set(now);
        }
        let time = Duration::from_nanos(now.saturating_sub(self.since.get()));
        if held.is_empty() {
            let failures = self.failures.get();
            if !demand::is_asked_by(Asker::Statistics) || failures < STORM || time < LONG {
                return None;
            }
            self.reset();
            return (time < STORM_TIME).then_some((Starvation::Polling { failures }, time));
        }
        let (thread, holder) = holder(asked)?;
        let before = self.holder.get();
        self.holder.set(thread.into());
        if before != u64::from(thread) {
            self.handovers.set(self.handovers.get() + 1);
        }
        let rounds = self.back_offs.get();
        // To the first holder nothing was handed over.
        let starves = rounds >= STARVED && self.handovers.get() > HANDOVERS && time >= LONG;
        starves.then(|| {
            self.reset();
            (Starvation::Bypassed { rounds, holder }, time)
        })
    }
}

/// A thread that holds the lock in a mode which conflicts with the request, and its hold.
fn holder(asked: HoldWord) -> Option<(ThreadId, HeldLock)> {
    registry::records().filter(|r| r.in_use.load(Acquire)).find_map(|record| {
        let mut found = None;
        record.held.each_held(|held, _| {
            if held.word.lock() == asked.lock() && Mode::conflicts(held.word.mode(), asked.mode()) {
                found = Some((record.thread.load(Relaxed), held));
            }
        });
        found
    })
}

/// The thread has waited for this lock for `time`, in nanoseconds, while `bypassed` holds of others ended.
pub(crate) fn waited(record: OwnRecord, asked: HoldWord, site: Site, time: u64, bypassed: u64) {
    let time = Duration::from_nanos(time);
    if bypassed >= BYPASSED && time >= LONG {
        // The thread has the lock by now, so no callback of the program may run here.
        process::note(|o| {
            process::know_thread(o, record, None);
            o.bypassed(record.thread.load(Relaxed), asked, site, time, bypassed);
        });
    }
}
