//! From a recording to lines.

use std::io::{self, Write};

use super::operation::Operation;
use crate::predict::recording::{Action, Manner, Recording, SignalId, SignalKind};

/// Writes `recording`, a line for each step. Which locks let readers in before writers is not written: the
/// format has no word for it. A character that a line gives a meaning to is written as `_`.
///
/// # Errors
/// Those of `to`.
pub fn write(recording: &Recording, to: &mut dyn Write) -> io::Result<()> {
    let thread = |thread: u32| plain(&recording.threads[thread as usize]);
    let variable = |variable: u32| plain(&recording.variables[variable as usize]);
    let lock = |lock: u32| plain(&recording.locks[lock as usize].name);
    let signal = |signal: SignalId| plain(&recording.signals[signal.0 as usize].name);
    for event in &recording.events {
        let (operation, of) = match event.action {
            Action::Request(id, mode) => (Operation::Request(mode), lock(id.0)),
            Action::Acquire(id, mode, Manner::Blocking) => (Operation::Acquire(mode), lock(id.0)),
            Action::Acquire(id, mode, Manner::Try) => (Operation::Try(mode), lock(id.0)),
            Action::Release(id) => (Operation::Release, lock(id.0)),
            Action::Fork(id) => (Operation::Fork, thread(id.0)),
            Action::Join(id) => (Operation::Join, thread(id.0)),
            Action::Read(id) => (Operation::Read, variable(id.0)),
            Action::Write(id) => (Operation::Write, variable(id.0)),
            Action::Wait(id) => (Operation::Wait, signal(id)),
            Action::Notify(id) => (Operation::Notify, signal(id)),
            Action::NotifyAll(id) => (Operation::NotifyAll, signal(id)),
            Action::Send(id) => (Operation::Send, with_number(recording, id, &signal(id))),
            Action::Receive(id) => (Operation::Receive, with_number(recording, id, &signal(id))),
            Action::Arrive(id) => (Operation::Barrier, with_number(recording, id, &signal(id))),
        };
        let by = thread(event.thread.0);
        let at = recording.sites[event.site.0 as usize].replace(['|', '\n', '\r'], "_");
        writeln!(to, "{by}|{}({of})|{at}", operation.name())?;
    }
    Ok(())
}

fn with_number(recording: &Recording, signal: SignalId, name: &str) -> String {
    match recording.signals[signal.0 as usize].kind {
        SignalKind::Channel(Some(room)) => format!("{name},{room}"),
        SignalKind::Barrier(parties) => format!("{name},{parties}"),
        SignalKind::Channel(None) | SignalKind::Condvar => name.to_owned(),
    }
}

fn plain(name: &str) -> String {
    let plain = name.trim().replace(['|', '(', ')', ',', '\n', '\r'], "_");
    if plain.is_empty() { "_".to_owned() } else { plain }
}
