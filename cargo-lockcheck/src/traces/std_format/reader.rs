//! From lines to a recording.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::consistency::Consistency;
use super::operation::Operation;
use crate::predict::recording::{
    Action, Event, Lock, LockId, Manner, Recording, Signal, SignalId, SignalKind, SiteId, ThreadId,
    VariableId,
};
use crate::traces::trace::Warning;

/// Longest line that is looked at, in bytes.
const LONGEST: usize = 64 << 10;

/// A run that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StdTrace {
    /// What the file is called in reports.
    pub name: String,
    /// The steps.
    pub recording: Recording,
    /// Of each step, the number of its line.
    pub lines: Vec<u32>,
}

impl StdTrace {
    /// Reads a file.
    pub fn read(path: &Path, name: &str) -> (Option<StdTrace>, Vec<Warning>) {
        match File::open(path) {
            Ok(file) => StdTrace::parse(&mut BufReader::new(file), name),
            Err(error) => {
                let why = format!("{name} could not be opened, so it is left out: {error}");
                (None, vec![Warning(why)])
            }
        }
    }

    /// Reads lines; nothing where none of them is a step.
    pub fn parse(input: &mut dyn BufRead, name: &str) -> (Option<StdTrace>, Vec<Warning>) {
        let mut reader = Reader::new(name);
        let mut line = Vec::new();
        let mut number = 0_u32;
        loop {
            line.clear();
            number = number.saturating_add(1);
            match read_line(input, &mut line) {
                Ok(0) => break,
                Ok(_) => reader.line(&line, number),
                Err(error) => {
                    let after = number - 1;
                    reader.warn(format!(
                        "{name} could not be read beyond line {after}, and what is before is used: \
                         {error}"
                    ));
                    break;
                }
            }
        }
        reader.finish()
    }
}

/// A line without its end; what is longer than [`LONGEST`] is cut.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut taken = 0;
    loop {
        let there = input.fill_buf()?;
        if there.is_empty() {
            return Ok(taken);
        }
        let end = memchr::memchr(b'\n', there);
        let part = &there[..end.unwrap_or(there.len())];
        let room = LONGEST.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(there.len(), |end| end + 1);
        taken += used;
        input.consume(used);
        if end.is_some() {
            return Ok(taken);
        }
    }
}

/// Names with their numbers.
#[derive(Debug, Default)]
struct Names(HashMap<String, u32>);

impl Names {
    /// The number of `name`, and whether it is new.
    fn number(&mut self, name: &str) -> (u32, bool) {
        match self.0.get(name) {
            Some(&number) => (number, false),
            None => {
                let number = self.0.len() as u32;
                self.0.insert(name.to_owned(), number);
                (number, true)
            }
        }
    }
}

#[derive(Debug)]
struct Reader<'n> {
    trace: StdTrace,
    name: &'n str,
    threads: Names,
    locks: Names,
    variables: Names,
    signals: Names,
    sites: Names,
    consistency: Consistency,
    warnings: Vec<Warning>,
    /// The lines that were not understood: how many, and the first.
    strange: u64,
    first_strange: Option<(u32, String)>,
}

impl<'n> Reader<'n> {
    fn new(name: &'n str) -> Reader<'n> {
        Reader {
            trace: StdTrace { name: name.to_owned(), ..StdTrace::default() },
            name,
            threads: Names::default(),
            locks: Names::default(),
            variables: Names::default(),
            signals: Names::default(),
            sites: Names::default(),
            consistency: Consistency::default(),
            warnings: Vec::new(),
            strange: 0,
            first_strange: None,
        }
    }

    fn warn(&mut self, sentence: String) {
        self.warnings.push(Warning(sentence));
    }

    fn line(&mut self, line: &[u8], number: u32) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        let understood = str::from_utf8(line).ok().and_then(|line| self.step(line));
        match understood {
            Some(Some(event)) => {
                self.consistency.add(&event, number, &self.trace.recording);
                self.trace.recording.events.push(event);
                self.trace.lines.push(number);
            }
            Some(None) => {}
            None => {
                self.strange += 1;
                if self.first_strange.is_none() {
                    let text: String = String::from_utf8_lossy(line).chars().take(40).collect();
                    self.first_strange = Some((number, text));
                }
            }
        }
    }

    /// The step of a line; nothing inside for one of no meaning, nothing at all for one that is not
    /// understood.
    fn step(&mut self, line: &str) -> Option<Option<Event>> {
        let (thread, rest) = line.split_once('|')?;
        let (what, site) = rest.rsplit_once('|').unwrap_or((rest, ""));
        let (name, of) = match what.split_once('(') {
            Some((name, of)) => (name, of.trim_end().strip_suffix(')')?.trim()),
            None => (what, ""),
        };
        let operation = Operation::named(name.trim())?;
        let thread = thread.trim();
        let needs_name = operation != Operation::Nothing;
        if thread.is_empty() || (needs_name && of.is_empty()) {
            return None;
        }
        let thread = self.thread(thread);
        let action = match operation {
            Operation::Nothing => return Some(None),
            Operation::Request(mode) => Action::Request(self.lock(of), mode),
            Operation::Acquire(mode) => Action::Acquire(self.lock(of), mode, Manner::Blocking),
            Operation::Try(mode) => Action::Acquire(self.lock(of), mode, Manner::Try),
            Operation::Release => Action::Release(self.lock(of)),
            Operation::Fork => Action::Fork(self.thread(of)),
            Operation::Join => Action::Join(self.thread(of)),
            Operation::Read => Action::Read(self.variable(of)),
            Operation::Write => Action::Write(self.variable(of)),
            Operation::Wait => Action::Wait(self.signal(of, SignalKind::Condvar)?),
            Operation::Notify => Action::Notify(self.signal(of, SignalKind::Condvar)?),
            Operation::NotifyAll => Action::NotifyAll(self.signal(of, SignalKind::Condvar)?),
            Operation::Send | Operation::Receive => {
                let (of, room) = with_number(of)?;
                let channel = self.signal(of, SignalKind::Channel(room))?;
                if operation == Operation::Send {
                    Action::Send(channel)
                } else {
                    Action::Receive(channel)
                }
            }
            Operation::Barrier => {
                let (of, parties) = with_number(of)?;
                let parties = parties.filter(|&parties| parties > 0)?;
                Action::Arrive(self.signal(of, SignalKind::Barrier(parties))?)
            }
        };
        let (site, is_new) = self.sites.number(site.trim());
        if is_new {
            self.trace
                .recording
                .sites
                .push(rest.rsplit_once('|').map_or("", |(_, at)| at).trim().to_owned());
        }
        Some(Some(Event { thread, action, site: SiteId(site) }))
    }

    /// A thread: `T9`, which a `fork` or `join` may call `9`.
    fn thread(&mut self, name: &str) -> ThreadId {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        let full = if is_number { format!("T{name}") } else { name.to_owned() };
        let (number, is_new) = self.threads.number(&full);
        if is_new {
            self.trace.recording.threads.push(full);
        }
        ThreadId(number)
    }

    fn lock(&mut self, name: &str) -> LockId {
        let (number, is_new) = self.locks.number(name);
        if is_new {
            let lock = Lock { name: name.to_owned(), prefers_readers: false };
            self.trace.recording.locks.push(lock);
        }
        LockId(number)
    }

    fn variable(&mut self, name: &str) -> VariableId {
        let (number, is_new) = self.variables.number(name);
        if is_new {
            self.trace.recording.variables.push(name.to_owned());
        }
        VariableId(number)
    }

    /// The signal of this name, which must always be of one kind. A line may leave out a channel's room.
    fn signal(&mut self, name: &str, kind: SignalKind) -> Option<SignalId> {
        let (number, is_new) = self.signals.number(name);
        let signals = &mut self.trace.recording.signals;
        if is_new {
            signals.push(Signal { name: name.to_owned(), kind });
        }
        let known = &mut signals[number as usize].kind;
        match (*known, kind) {
            (SignalKind::Channel(None), SignalKind::Channel(_)) => *known = kind,
            (SignalKind::Channel(_), SignalKind::Channel(None)) => {}
            (one, other) if one == other => {}
            _ => return None,
        }
        Some(SignalId(number))
    }

    fn finish(mut self) -> (Option<StdTrace>, Vec<Warning>) {
        let name = self.name;
        if self.trace.recording.events.is_empty() {
            let why = match &self.first_strange {
                Some(_) => format!(
                    "{name} has no line like `T1|acq(lock)|12`, so it is no trace in the STD format; \
                     it is left out"
                ),
                None => format!("{name} is empty"),
            };
            self.warn(why);
            return (None, self.warnings);
        }
        if let Some((line, text)) = self.first_strange.take() {
            let (count, used) = (self.strange, self.trace.recording.events.len());
            let lines = match count {
                1 => format!("line {line} of {name} is no step of the STD format and is"),
                _ => format!("{count} lines of {name} are no steps of the STD format and are"),
            };
            self.warn(format!("{lines} left out, {used} are used; it begins `{text}`"));
        }
        self.warnings.extend(self.consistency.warning(name).map(Warning));
        (Some(self.trace), self.warnings)
    }
}

/// `name` or `name,number`.
fn with_number(of: &str) -> Option<(&str, Option<u32>)> {
    match of.split_once(',') {
        None => Some((of, None)),
        Some((name, number)) => {
            let name = name.trim();
            (!name.is_empty()).then_some((name, Some(number.trim().parse().ok()?)))
        }
    }
}
