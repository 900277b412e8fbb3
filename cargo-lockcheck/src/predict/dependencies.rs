//! Who asked for what while it held what: the parts that deadlocks are made of.
//!
//! Two things beside locks are waited for as if they were held. The end of a thread is held by that thread
//! from its first step to its last. A signal is held by a thread that is on its way to give it: from its
//! last wait, or its start, up to the signal. A signal is no lock, so nothing is kept out by it.

use std::collections::{BTreeSet, HashMap};

use super::history::{History, Holds, Section};
use super::recording::{Action, EventId, LockId, Manner, Mode, SignalId, SignalKind, ThreadId};

/// What a thread can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Awaited {
    /// A lock.
    Lock(LockId),
    /// The end of a thread.
    End(ThreadId),
    /// A notification, a message or the others at a barrier.
    Signal(SignalId),
    /// Room for one more message in a channel.
    Room(SignalId),
}

/// What a thread holds, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Hold {
    pub(super) what: Awaited,
    pub(super) mode: Mode,
}

/// A thread asked for something while it held something: once or many times.
#[derive(Clone, Debug)]
pub(super) struct Dependency {
    pub(super) thread: ThreadId,
    pub(super) asked: Awaited,
    pub(super) mode: Mode,
    /// All that it held, sorted.
    pub(super) held: Vec<Hold>,
    /// The steps at which it asked, in their order.
    pub(super) requests: Vec<EventId>,
}

/// Requests of a thread between two waits that are remembered, for the signal that it may give then.
const REMEMBERED: usize = 256;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    pub(super) all: Vec<Dependency>,
    /// The steps at which some lock that is also read was asked for by a writer.
    pub(super) writers: HashMap<LockId, Vec<EventId>>,
    /// Who gives each signal that is waited for by threads which hold something, and all that it asked for on
    /// the way; each once.
    pub(super) givers: HashMap<Awaited, BTreeSet<(ThreadId, BTreeSet<Awaited>)>>,
    /// Acquisitions.
    pub(super) acquisitions: u64,
    /// Whether a thread made so many requests before a signal that not all were remembered.
    pub(super) is_cut: bool,
    known: HashMap<(ThreadId, Awaited, Mode, Vec<Hold>), usize>,
}

/// What a thread holds at the moment.
#[derive(Debug, Default)]
struct Now {
    held: Vec<(Hold, u32)>,
    /// The request that it has made and not got yet.
    asking: Option<LockId>,
    /// What it asked for since it last waited.
    since: Vec<Asked>,
}

/// A request that a thread may make on the way to a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    what: Awaited,
    mode: Mode,
    held: Vec<Hold>,
    request: EventId,
}

impl Dependencies {
    pub(super) fn of(history: &History<'_>) -> Dependencies {
        let mut these = Dependencies::default();
        let waits = Waits::of(history);
        let read = read_locks(history);
        let is_read = |lock: LockId, mode| mode == Mode::Write && read[lock.index()];
        let mut threads: Vec<Now> =
            (0..history.steps.len() as u32).map(|id| Now::new(ThreadId(id), &waits)).collect();
        let mut sent: HashMap<SignalId, u32> = HashMap::new();
        for (id, event) in history.recording.numbered() {
            let now = &mut threads[event.thread.index()];
            match event.action {
                // A thread that goes on to something else did not wait here.
                Action::Request(lock, mode) if is_followed(history, id, lock) => {
                    now.asking = Some(lock);
                    these.ask(event.thread, now, Awaited::Lock(lock), mode, id, &waits);
                    if is_read(lock, mode) {
                        these.writers.entry(lock).or_default().push(id);
                    }
                }
                Action::Acquire(lock, mode, manner) => {
                    these.acquisitions += 1;
                    let asked = now.asking.take() == Some(lock);
                    if manner == Manner::Blocking && !asked {
                        these.ask(event.thread, now, Awaited::Lock(lock), mode, id, &waits);
                        if is_read(lock, mode) {
                            these.writers.entry(lock).or_default().push(id);
                        }
                    }
                    now.take(Awaited::Lock(lock), mode);
                }
                Action::Release(lock) => now.give(Awaited::Lock(lock)),
                Action::Join(child) if history.ends.get(&child).is_some_and(|end| *end < id) => {
                    these.wait(event.thread, now, Awaited::End(child), id, &waits);
                }
                Action::Wait(signal) => {
                    these.wait(event.thread, now, Awaited::Signal(signal), id, &waits);
                }
                Action::Receive(signal) => {
                    these.signal(event.thread, now, Awaited::Room(signal), &waits);
                    these.wait(event.thread, now, Awaited::Signal(signal), id, &waits);
                }
                Action::Notify(signal) | Action::NotifyAll(signal) => {
                    these.signal(event.thread, now, Awaited::Signal(signal), &waits);
                }
                Action::Send(signal) => {
                    these.signal(event.thread, now, Awaited::Signal(signal), &waits);
                    if may_wait(history, signal, sent.entry(signal).or_default()) {
                        these.wait(event.thread, now, Awaited::Room(signal), id, &waits);
                    }
                }
                Action::Arrive(signal) => {
                    these.signal(event.thread, now, Awaited::Signal(signal), &waits);
                    these.wait(event.thread, now, Awaited::Signal(signal), id, &waits);
                }
                Action::Request(..) | Action::Join(_) => {}
                Action::Fork(_) | Action::Read(_) | Action::Write(_) => {}
            }
        }
        these.known.clear();
        these
    }

    /// A thread asks for something.
    fn ask(
        &mut self,
        thread: ThreadId,
        now: &mut Now,
        what: Awaited,
        mode: Mode,
        request: EventId,
        waits: &Waits,
    ) {
        let held = now.holds();
        if !waits.signals.is_empty() && matches!(what, Awaited::Lock(_)) {
            let asked = Asked { what, mode, held: held.clone(), request };
            let known = |other: &Asked| Asked { request, ..other.clone() } == asked;
            if now.since.len() >= REMEMBERED {
                self.is_cut = true;
            } else if !now.since.iter().any(known) {
                now.since.push(asked);
            }
        }
        // A second read of the same lock waits for a writer between the two.
        if held.iter().any(|hold| hold.what != what || hold.mode == Mode::Read) {
            self.add(thread, what, mode, held, request);
        }
    }

    /// A thread waits for something that is no lock.
    fn wait(&mut self, thread: ThreadId, now: &mut Now, what: Awaited, id: EventId, waits: &Waits) {
        self.ask(thread, now, what, Mode::Write, id, waits);
        now.since.clear();
    }

    /// A thread gives a signal: what it asked for on the way to that, it may have to wait for.
    fn signal(&mut self, thread: ThreadId, now: &Now, what: Awaited, waits: &Waits) {
        if !waits.signals.contains(&what) {
            return;
        }
        let needs = now.since.iter().map(|asked| asked.what).collect();
        self.givers.entry(what).or_default().insert((thread, needs));
        for asked in &now.since {
            let mut held = asked.held.clone();
            held.push(Hold { what, mode: Mode::Write });
            held.sort_unstable();
            self.add(thread, asked.what, asked.mode, held, asked.request);
        }
    }

    fn add(&mut self, thread: ThreadId, asked: Awaited, mode: Mode, held: Vec<Hold>, id: EventId) {
        let key = (thread, asked, mode, held);
        let at = match self.known.get(&key) {
            Some(&at) => at,
            None => {
                let held = key.3.clone();
                self.all.push(Dependency { thread, asked, mode, held, requests: Vec::new() });
                self.known.insert(key, self.all.len() - 1);
                self.all.len() - 1
            }
        };
        let requests = &mut self.all[at].requests;
        if requests.last() != Some(&id) {
            requests.push(id);
        }
    }
}

impl Now {
    fn new(thread: ThreadId, waits: &Waits) -> Now {
        let mut now = Now::default();
        if waits.ends.contains(&thread) {
            now.take(Awaited::End(thread), Mode::Write);
        }
        now
    }

    fn holds(&self) -> Vec<Hold> {
        self.held.iter().map(|(hold, _)| *hold).collect()
    }

    fn take(&mut self, what: Awaited, mode: Mode) {
        match self.held.binary_search_by_key(&what, |(hold, _)| hold.what) {
            // Once more; or in a stronger mode, which is an upgrade and no second hold.
            Ok(at) if self.held[at].0.mode <= mode => self.held[at].1 += 1,
            Ok(at) => self.held[at].0.mode = mode,
            Err(at) => self.held.insert(at, (Hold { what, mode }, 1)),
        }
    }

    fn give(&mut self, what: Awaited) {
        if let Ok(at) = self.held.binary_search_by_key(&what, |(hold, _)| hold.what) {
            self.held[at].1 -= 1;
            if self.held[at].1 == 0 {
                self.held.remove(at);
            }
        }
    }
}

/// Where the thread of `request` came to hold `what`.
pub(super) fn held_at(history: &History<'_>, what: Awaited, request: EventId) -> EventId {
    let own = &history.steps[history.thread(request).index()];
    match what {
        Awaited::Lock(lock) => {
            history.hold_at(lock, request).map_or(request, |section| section.acquired)
        }
        Awaited::End(_) => own[0],
        Awaited::Signal(signal) => {
            let gives = |step: &&EventId| match history.recording.event(**step).action {
                Action::Notify(one) | Action::NotifyAll(one) => one == signal,
                Action::Send(one) | Action::Arrive(one) => one == signal,
                _ => false,
            };
            let after = &own[history.position(request) as usize..];
            after.iter().find(gives).copied().unwrap_or(request)
        }
        Awaited::Room(channel) => {
            let takes = |step: &&EventId| {
                history.recording.event(**step).action == Action::Receive(channel)
            };
            let after = &own[history.position(request) as usize..];
            after.iter().find(takes).copied().unwrap_or(request)
        }
    }
}

/// Whether the next that the thread of `request` does, if anything, is to acquire `lock`.
fn is_followed(history: &History<'_>, request: EventId, lock: LockId) -> bool {
    history.after(request).is_none_or(|next| {
        matches!(history.recording.event(next).action, Action::Acquire(of, ..) if of == lock)
    })
}

/// Whether a message waits for room, unless somebody receives one; it is counted.
fn may_wait(history: &History<'_>, channel: SignalId, sent: &mut u32) -> bool {
    *sent += 1;
    match history.recording.signals[channel.0 as usize].kind {
        SignalKind::Channel(Some(room)) => *sent > room,
        _ => false,
    }
}

/// Of each lock, whether it is ever read.
fn read_locks(history: &History<'_>) -> Vec<bool> {
    let is_read = |sections: &[Section]| sections.iter().any(|hold| hold.mode != Mode::Write);
    let any = |holds: &Vec<Holds>| holds.iter().any(|holds| is_read(&holds.sections));
    history.holds.iter().map(any).collect()
}

/// What is waited for by threads that hold something. Anything else can be on no cycle.
#[derive(Debug, Default)]
struct Waits {
    ends: BTreeSet<ThreadId>,
    signals: BTreeSet<Awaited>,
}

impl Waits {
    fn of(history: &History<'_>) -> Waits {
        let mut held = vec![0_u32; history.steps.len()];
        let mut sent: HashMap<SignalId, u32> = HashMap::new();
        let mut joins: Vec<(ThreadId, ThreadId)> = Vec::new();
        let mut signals: BTreeSet<(ThreadId, Awaited)> = BTreeSet::new();
        let mut waits = Waits::default();
        for event in &history.recording.events {
            let thread = event.thread;
            let what = match event.action {
                Action::Acquire(..) => {
                    held[thread.index()] += 1;
                    continue;
                }
                Action::Release(_) => {
                    held[thread.index()] = held[thread.index()].saturating_sub(1);
                    continue;
                }
                Action::Join(child) => Awaited::End(child),
                Action::Wait(it) | Action::Receive(it) | Action::Arrive(it) => Awaited::Signal(it),
                Action::Send(it) if may_wait(history, it, sent.entry(it).or_default()) => {
                    Awaited::Room(it)
                }
                _ => continue,
            };
            match (what, held[thread.index()] > 0) {
                (Awaited::End(child), true) => _ = waits.ends.insert(child),
                (Awaited::End(child), false) => joins.push((thread, child)),
                (signal, true) => _ = waits.signals.insert(signal),
                (signal, false) => _ = signals.insert((thread, signal)),
            }
        }
        // A thread whose own end is waited for holds that.
        loop {
            let known = waits.ends.len();
            for (thread, child) in &joins {
                if waits.ends.contains(thread) {
                    waits.ends.insert(*child);
                }
            }
            if waits.ends.len() == known {
                break;
            }
        }
        let by_awaited = signals.into_iter().filter(|(thread, _)| waits.ends.contains(thread));
        let by_awaited: Vec<Awaited> = by_awaited.map(|(_, signal)| signal).collect();
        waits.signals.extend(by_awaited);
        waits
    }
}
