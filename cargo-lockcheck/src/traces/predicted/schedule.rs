//! The schedule of a circle, from the first lock that matters on.

use super::subjects::Subjects;
use crate::predict::recording::{Action, EventId, Mode};
use crate::predict::{Awaited, Circle};
use crate::report::witness::{Deed, Witness, WitnessStep};

/// Most steps that are listed.
const LISTED: usize = 400;

/// The steps of `circle`'s schedule that matter, where it has one; `locks` are those of the finding.
pub(super) fn witness(
    subjects: &Subjects<'_>,
    circle: &Circle,
    locks: &[Awaited],
) -> Option<Witness> {
    let schedule = circle.sureness.schedule.as_ref()?;
    let waits = circle.writers.iter().chain(circle.links.iter().map(|link| &link.request));
    let is_first = |event: &EventId| circle.links.iter().any(|link| link.held_at == *event);
    let begin = schedule.then.iter().position(is_first).unwrap_or(schedule.then.len());
    let mut steps: Vec<WitnessStep> =
        schedule.then[begin..].iter().filter_map(|event| step(subjects, *event, locks)).collect();
    let left_out = steps.len().saturating_sub(LISTED);
    steps.drain(..left_out);
    steps.extend(waits.filter_map(|event| wait(subjects, *event, locks)));
    Some(Witness { earlier: u64::from(schedule.first) + (begin + left_out) as u64, steps })
}

fn step(subjects: &Subjects<'_>, event: EventId, locks: &[Awaited]) -> Option<WitnessStep> {
    let (does, what) = match subjects.recording.event(event).action {
        Action::Acquire(lock, Mode::Read, _) => (Deed::Reads, Awaited::Lock(lock)),
        Action::Acquire(lock, ..) => (Deed::Locks, Awaited::Lock(lock)),
        Action::Release(lock) => (Deed::Releases, Awaited::Lock(lock)),
        Action::Fork(thread) => (Deed::Spawns, Awaited::End(thread)),
        Action::Join(thread) => (Deed::Joins, Awaited::End(thread)),
        Action::Wait(signal) => (Deed::Awaits, Awaited::Signal(signal)),
        Action::Notify(signal) | Action::NotifyAll(signal) => {
            (Deed::Notifies, Awaited::Signal(signal))
        }
        Action::Send(signal) => (Deed::Sends, Awaited::Signal(signal)),
        Action::Receive(signal) => (Deed::Receives, Awaited::Signal(signal)),
        Action::Arrive(signal) => (Deed::Arrives, Awaited::Signal(signal)),
        Action::Request(..) | Action::Read(_) | Action::Write(_) => return None,
    };
    Some(told(subjects, event, does, what, locks))
}

/// The step at which a thread stands at the end.
fn wait(subjects: &Subjects<'_>, event: EventId, locks: &[Awaited]) -> Option<WitnessStep> {
    let (does, what) = match subjects.recording.event(event).action {
        Action::Request(lock, mode) | Action::Acquire(lock, mode, _) => {
            let what = Awaited::Lock(lock);
            let is_read = subjects.is_read[lock.0 as usize];
            let does = match mode {
                _ if !is_read => Deed::WaitsFor,
                Mode::Read => Deed::WaitsToRead,
                Mode::Write | Mode::Upgradable => Deed::WaitsToWrite,
            };
            (does, what)
        }
        Action::Join(thread) => (Deed::WaitsFor, Awaited::End(thread)),
        _ => return None,
    };
    Some(told(subjects, event, does, what, locks))
}

fn told(
    subjects: &Subjects<'_>,
    event: EventId,
    does: Deed,
    what: Awaited,
    locks: &[Awaited],
) -> WitnessStep {
    WitnessStep {
        thread: subjects.thread(subjects.recording.event(event).thread).to_owned(),
        does,
        what: subjects.name(what).to_owned(),
        lock: locks.iter().position(|known| *known == what),
        site: subjects.place(event),
    }
}
