//! What is late at one moment, and the finding about it.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use std::time::Duration;

use crate::hooks::Mode;
use crate::model::finding::{Finding, Rule, Tier};
use crate::model::held::HeldLock;
use crate::model::ids::ThreadId;
use crate::model::word::HoldWord;
use crate::observer::Observer;
use crate::thread_state::registry;
use crate::thread_state::snapshot::{self, ThreadSnapshot};
use crate::thread_state::wait::{Awaited, SeenWait};
use crate::waits::times;
use crate::watchdog::pulse::Pulse;

/// What a look at the process has shown.
pub(super) struct Looked {
    /// What has become late since the look before.
    pub(super) late: Vec<Late>,
    /// When something is late next, if nothing moves; `None` while there is nothing to watch.
    pub(super) next: Option<u64>,
}

/// Something that is late, and how long it took until now, in nanoseconds.
#[derive(Debug)]
pub(super) enum Late {
    Hold { thread: ThreadId, held: HeldLock, time: u64 },
    Wait { thread: ThreadId, lock: HoldWord, wait: SeenWait, time: u64 },
    Heartbeat { pulse: Arc<Pulse>, time: u64 },
}

/// A thread that has begun to acquire a lock has it on its stack after this time, or has failed.
const AWAKE: Duration = Duration::from_secs(1);

/// What tells one late thing from another: who, what, since when.
type Key = (u64, u64, u64);

/// Looks for what is late at `now`; `reported` is what was late already.
pub(super) fn look(
    now: u64,
    holds: Option<Duration>,
    waits: Option<Duration>,
    pulses: &[Arc<Pulse>],
    reported: &mut Vec<Key>,
) -> Looked {
    let mut watch = Watch { now, late: Vec::new(), next: None, seen: Vec::new(), reported };
    if holds.is_some() || waits.is_some() {
        for record in registry::records().filter(|r| r.in_use.load(Acquire)) {
            let thread = record.thread.load(Relaxed);
            if let (Some(limit), Some(wait @ SeenWait { awaited: Awaited::Lock(lock), .. })) =
                (waits, record.wait.seen())
            {
                let key = (u64::from(thread), 0, wait.sequence);
                watch.one(key, wait.since, limit, |time| Late::Wait { thread, lock, wait, time });
            }
            if let Some(limit) = holds {
                // Before the stack, onto which the lock may come now.
                if now.saturating_sub(record.asked_at.load(SeqCst)) < nanos(AWAKE) {
                    watch.again(now.saturating_add(nanos(limit)));
                }
                record.held.each_held(|held, since| {
                    let key = |since| (u64::from(thread), held.word.lock(), since);
                    if let Some(since) = since {
                        // What the thread has spent in the detector is no hold.
                        let begin = since.saturating_add(record.detector_time.load(Relaxed));
                        watch.one(key(since), begin, limit, |time| Late::Hold {
                            thread,
                            held,
                            time,
                        });
                    }
                });
            }
        }
    }
    for pulse in pulses {
        let last = pulse.last.load(Relaxed);
        let key = (u64::MAX, Arc::as_ptr(pulse).addr() as u64, last);
        watch.one(key, last, Duration::from_nanos(pulse.deadline), |time| Late::Heartbeat {
            pulse: Arc::clone(pulse),
            time,
        });
    }
    let Watch { late, next, seen, reported, .. } = watch;
    *reported = seen;
    Looked { late, next }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

struct Watch<'a> {
    now: u64,
    late: Vec<Late>,
    next: Option<u64>,
    /// What is late and is still the same.
    seen: Vec<Key>,
    reported: &'a mut Vec<Key>,
}

impl Watch<'_> {
    fn one(&mut self, key: Key, since: u64, limit: Duration, late: impl FnOnce(u64) -> Late) {
        let limit = nanos(limit);
        let due = since.saturating_add(limit);
        let after = if due > self.now {
            due
        } else {
            self.seen.push(key);
            if !self.reported.contains(&key) {
                self.late.push(late(self.now.saturating_sub(since)));
            }
            // It may end, and begin anew, right now.
            self.now.saturating_add(limit)
        };
        self.again(after);
    }

    /// Asks for another look at this time at the latest.
    fn again(&mut self, at: u64) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

impl Late {
    /// The finding, which the observer keeps if it has none like it.
    pub(super) fn find(&self, o: &mut Observer) -> Arc<Finding> {
        match self {
            Late::Hold { thread, held, time } => slow_hold(o, *thread, held, *time),
            Late::Wait { thread, lock, wait, time } => slow_wait(o, *thread, (*lock, wait), *time),
            Late::Heartbeat { pulse, time } => missed_heartbeat(o, pulse, *time),
        }
    }
}

fn finding(rule: Rule, template: String) -> Finding {
    Finding::new(rule, Tier::Happened, template)
}

/// `1.2 s`
fn text(nanos: u64) -> String {
    format!("{:.1?}", Duration::from_nanos(nanos))
}

fn slow_hold(o: &mut Observer, thread: ThreadId, held: &HeldLock, time: u64) -> Arc<Finding> {
    let who = o.thread(thread);
    let threads = snapshot::threads();
    let waiters = threads.iter().filter(|t| wants(t, held.word)).count();
    let others = match waiters {
        0 => String::new(),
        1 => "; one thread waits for it".to_owned(),
        n => format!("; {n} threads wait for it"),
    };
    let template = format!("{who} has held {{0}} for {}{others}", text(time));
    let mut finding = finding(Rule::SlowHold, template);
    finding.locks.push(o.lock(held.word.lock()));
    finding.sites.push((held.site, "acquired here, and still held"));
    if let Some(wait) = threads.iter().find(|t| t.thread == thread).and_then(|t| t.wait) {
        finding.sites.push((wait.site, "the holder waits here"));
    }
    let waits = threads.iter().filter(|t| wants(t, held.word)).filter_map(|t| t.wait);
    finding.sites.extend(waits.map(|w| (w.site, "another thread waits for it here")));
    o.keep(&[thread], [held.site], finding)
}

fn wants(thread: &ThreadSnapshot, lock: HoldWord) -> bool {
    matches!(thread.awaited(), Some(Awaited::Lock(wanted)) if wanted.lock() == lock.lock())
}

fn slow_wait(
    o: &mut Observer,
    thread: ThreadId,
    (asked, wait): (HoldWord, &SeenWait),
    time: u64,
) -> Arc<Finding> {
    let who = o.thread(thread);
    let holders: Vec<(ThreadId, HeldLock)> = snapshot::threads()
        .into_iter()
        .filter(|t| t.thread != thread)
        .flat_map(|t| t.held.into_iter().map(move |h| (t.thread, h)))
        .filter(|(_, h)| h.word.lock() == asked.lock())
        .collect();
    let held = match holders.as_slice() {
        [] => String::new(),
        [(holder, _)] => format!(", which {} holds", o.thread(*holder)),
        [(holder, _), rest @ ..] => {
            format!(", which {} and {} more hold", o.thread(*holder), rest.len())
        }
    };
    let how = if asked.mode() == Mode::Write { "" } else { "to read " };
    let others = match times::bypassed(asked, wait) {
        0 => String::new(),
        1 => "; another thread has had it meanwhile".to_owned(),
        n => format!("; others have had it {n} times meanwhile"),
    };
    let template = format!("{who} has waited {how}for {{0}} for {}{held}{others}", text(time));
    let mut finding = finding(Rule::SlowWait, template);
    finding.locks.push(o.lock(asked.lock()));
    finding.sites.push((wait.site, "waits for the lock here"));
    finding.sites.extend(holders.iter().map(|(_, h)| (h.site, "acquired here, and still held")));
    let mut threads = vec![thread];
    threads.extend(holders.iter().map(|(t, _)| *t));
    o.keep(&threads, [wait.site], finding)
}

fn missed_heartbeat(o: &mut Observer, pulse: &Pulse, time: u64) -> Arc<Finding> {
    let thread = pulse.thread();
    let who = o.thread(thread);
    let mut finding = finding(Rule::MissedHeartbeat, String::new());
    finding.sites.push((pulse.site, "promised here"));
    let standing = snapshot::threads().into_iter().find(|t| t.thread == thread);
    let mut state = "it runs";
    if let Some(standing) = &standing {
        if let Some(wait) = standing.wait {
            state = "it waits";
            finding.sites.push((wait.site, "it waits here"));
        }
        for held in &standing.held {
            finding.locks.push(o.lock(held.word.lock()));
            finding.sites.push((held.site, "it holds a lock that it acquired here"));
        }
    } else {
        state = "it has ended";
    }
    let locks: Vec<String> = (0..finding.locks.len()).map(|i| format!("{{{i}}}")).collect();
    let holds =
        if locks.is_empty() { String::new() } else { format!(" and holds {}", locks.join(", ")) };
    // Braces of the name are no places for locks.
    let name = pulse.name.replace(['{', '}'], "");
    finding.template = format!(
        "`{name}` has given no sign of life for {}, {} was promised: {who} gave the last one, and {state}{holds}",
        text(time),
        text(pulse.deadline),
    );
    o.keep(&[thread], [pulse.site], finding)
}
