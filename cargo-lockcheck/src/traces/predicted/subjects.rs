//! What the threads, locks and places of a trace are called.

use crate::predict::Awaited;
use crate::predict::recording::{Action, EventId, Mode, Recording, SignalKind, ThreadId};
use crate::report::model::{Lock, Place};
use crate::traces::std_format::StdTrace;

/// The names of one trace.
pub(super) struct Subjects<'a> {
    trace: &'a StdTrace,
    pub(super) recording: &'a Recording,
    /// Of each lock, whether it is ever read.
    pub(super) is_read: Vec<bool>,
}

impl<'a> Subjects<'a> {
    pub(super) fn of(trace: &'a StdTrace) -> Subjects<'a> {
        let recording = &trace.recording;
        let mut is_read = vec![false; recording.locks.len()];
        for event in &recording.events {
            if let Action::Acquire(lock, mode, _) = event.action {
                is_read[lock.0 as usize] |= mode != Mode::Write;
            }
        }
        Subjects { trace, recording, is_read }
    }

    pub(super) fn thread(&self, thread: ThreadId) -> &str {
        &self.recording.threads[thread.0 as usize]
    }

    /// What something is called that is waited for.
    pub(super) fn name(&self, what: Awaited) -> &str {
        match what {
            Awaited::Lock(lock) => &self.recording.locks[lock.0 as usize].name,
            Awaited::End(thread) => self.thread(thread),
            Awaited::Signal(signal) | Awaited::Room(signal) => {
                &self.recording.signals[signal.0 as usize].name
            }
        }
    }

    pub(super) fn lock(&self, what: Awaited) -> Lock {
        let kind = match what {
            Awaited::Lock(lock) if self.is_read[lock.0 as usize] => "RwLock",
            Awaited::Lock(_) => "Mutex",
            Awaited::End(_) => "thread",
            Awaited::Signal(signal) | Awaited::Room(signal) => {
                match self.recording.signals[signal.0 as usize].kind {
                    SignalKind::Condvar => "Condvar",
                    SignalKind::Channel(_) => "channel",
                    SignalKind::Barrier(_) => "Barrier",
                }
            }
        };
        Lock {
            name: self.name(what).to_owned(),
            kind: kind.to_owned(),
            ty: String::new(),
            created: Place::default(),
            unwatched: false,
        }
    }

    /// The place of a step: the one in the source that the trace tells, or else its line of the trace.
    pub(super) fn place(&self, event: EventId) -> Place {
        let site = self.recording.event(event).site.0 as usize;
        let told = &self.recording.sites[site];
        source_place(told).unwrap_or_else(|| Place {
            file: self.trace.name.clone(),
            line: self.trace.lines[event.0 as usize],
            column: 1,
        })
    }
}

/// `file:line:column` or `file:line`.
fn source_place(text: &str) -> Option<Place> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|&number| number > 0);
    let (rest, last) = text.rsplit_once(':')?;
    let last = number(last)?;
    let (file, line, column) = match rest.rsplit_once(':') {
        Some((file, line)) if number(line).is_some() => (file, number(line)?, last),
        _ => (rest, last, 1),
    };
    (!file.is_empty()).then(|| Place { file: file.to_owned(), line, column })
}
