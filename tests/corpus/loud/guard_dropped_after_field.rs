//! A value made after a guard is dropped before it, with a `Drop` that locks.
use std::sync::{Mutex, MutexGuard, OnceLock};

static AUDIT: OnceLock<Mutex<Vec<String>>> = OnceLock::new();

fn audit() -> &'static Mutex<Vec<String>> {
    AUDIT.get_or_init(Mutex::default)
}

struct Step(&'static str);

impl Drop for Step {
    fn drop(&mut self) {
        audit().lock().unwrap().push(self.0.to_owned());
    }
}

fn run() {
    let entries: MutexGuard<'_, Vec<String>> = audit().lock().unwrap(); // found: drop-under-lock
    let _step = Step("run");
    println!("{}", entries.len());
}

fn main() {
    run();
}
