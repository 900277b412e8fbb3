//! A scan that pauses the writer by a handle with a guard in it.
use std::sync::{Mutex, MutexGuard};

struct Log {
    lines: Mutex<Vec<String>>,
}

struct Halt<'a> {
    guard: Option<MutexGuard<'a, Vec<String>>>,
}

impl<'a> Halt<'a> {
    fn of(log: &'a Log) -> Self {
        Halt { guard: Some(log.lines.lock().unwrap()) }
    }
    fn resume(&mut self) {
        self.guard = None;
    }
    fn lines(&self) -> usize {
        self.guard.as_ref().map_or(0, |g| g.len())
    }
}

impl Log {
    fn write(&self, line: &str) {
        self.lines.lock().unwrap().push(line.into());
    }
    fn scan(&self) {
        let mut pause = Halt::of(self);
        let lines = pause.lines();
        pause.resume();
        self.write(&format!("scanned {lines}"));
    }
}

fn main() {
    let log = Log { lines: Mutex::default() };
    log.write("start");
    log.scan();
}
