//! What all threads do, written into the trace when the command asks for it: of a process that hangs, or
//! is about to be ended.
//!
//! The command asks by a signal, and the answer is written in the handler, whatever the interrupted thread
//! was doing. So nothing here takes a lock, allocates or touches a thread-local: records are read as other
//! threads always read them, and a line is put together on the stack. A program that handles the signal
//! itself is left alone, and then there is no answer.
//!
//! What it misses: permits of a semaphore that has several, and what is beyond the length of a line.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Write as _;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use crate::model::lock::Site;
use crate::model::word::class_of;
use crate::platform::{self, clock};
use crate::thread_state::record::Record;
use crate::thread_state::registry::records;
use crate::thread_state::wait::Awaited;

/// The file of the trace, which is never closed; null where there is none.
static TRACE: AtomicPtr<File> = AtomicPtr::new(ptr::null_mut());

/// The length of a line, in bytes: little enough for the stack of any thread.
const LENGTH: usize = 3072;

/// One more held lock is at most this long, in bytes, unless its path is very long.
const HELD: usize = 512;

/// From now on the process answers into this trace.
pub(super) fn answer_into(trace: Option<&'static File>) {
    let new = trace.map_or(ptr::null_mut(), |file| ptr::from_ref(file).cast_mut());
    let had_one = !TRACE.swap(new, SeqCst).is_null();
    if trace.is_some() && !had_one {
        // The clock begins with its first reader, which a handler must not be.
        clock::now();
        platform::on_inquiry(answer);
    }
}

fn answer() {
    // SAFETY: null, or stored by `answer_into` from a `&'static File`.
    let Some(trace) = (unsafe { TRACE.load(SeqCst).as_ref() }) else { return };
    let now = clock::now();
    let mut line = Line::new();
    let _ = write!(line, r#"{{"t":"look","ns":{now}}}"#);
    line.write_to(trace);
    for record in records().filter(|record| record.in_use.load(Acquire)) {
        let mut line = Line::new();
        if standing(&mut line, record, now).is_ok() {
            line.write_to(trace);
        }
    }
}

/// What one thread holds and waits for. [`fmt::Error`] where that is longer than a line.
fn standing(line: &mut Line, record: &Record, now: u64) -> fmt::Result {
    let wait = record.wait.seen();
    write!(line, r#"{{"t":"standing","thread":{}"#, record.thread.load(Relaxed))?;
    if let Some(site) = record.task() {
        line.write_str(r#","task":"#)?;
        place(line, site)?;
    }
    if let Some(wait) = wait {
        let what = match wait.awaited {
            Awaited::Lock(_) => "lock",
            Awaited::End(_) | Awaited::TaskEnd(_) => "join",
            Awaited::Event(_) | Awaited::Permits(_) => "event",
            Awaited::Unpark { .. } => "unpark",
            Awaited::Timed(_) => "time",
        };
        write!(line, r#","for":"{what}","ns":{}"#, now.saturating_sub(wait.since))?;
        if let Some(object) = wait.awaited.object() {
            write!(line, r#","class":{}"#, object.class())?;
        }
        if let Some(other) = wait.awaited.end() {
            write!(line, r#","ends":{other}"#)?;
        }
        line.write_str(r#","at":"#)?;
        place(line, wait.site)?;
    }
    line.write_str(r#","held":["#)?;
    let mut result = Ok(());
    let mut separator = "";
    record.held.each_held(|held, _| {
        if result.is_ok() && line.room() > HELD {
            let (class, mode) = (class_of(held.word.lock()), held.word.mode().code());
            result = write!(line, r#"{separator}{{"class":{class},"mode":"{mode}","at":"#)
                .and_then(|()| place(line, held.site))
                .and_then(|()| line.write_str("}"));
            separator = ",";
        }
    });
    result?;
    line.write_str("]}")
}

fn place(line: &mut Line, site: Site) -> fmt::Result {
    line.write_str(r#"{"file":""#)?;
    for c in site.file().chars() {
        match c {
            '"' | '\\' => write!(line, "\\{c}")?,
            c if c < ' ' => write!(line, "\\u{:04x}", c as u32)?,
            c => line.write_char(c)?,
        }
    }
    write!(line, r#"","line":{},"column":{}}}"#, site.line(), site.column())
}

/// A line that is written at once.
struct Line {
    text: [u8; LENGTH],
    length: usize,
}

impl Line {
    fn new() -> Line {
        Line { text: [0; LENGTH], length: 0 }
    }

    /// What is left of it, without its end.
    fn room(&self) -> usize {
        LENGTH - 1 - self.length
    }

    /// Writes it with one call of the system, as far as that can be done.
    fn write_to(mut self, mut file: &File) {
        self.text[self.length] = b'\n';
        let _ = file.write_all(&self.text[..=self.length]);
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > self.room() {
            return Err(fmt::Error);
        }
        self.text[self.length..self.length + text.len()].copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}
