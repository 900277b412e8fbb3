//! Stacks: taken unresolved when an order is new, turned into text only for a finding.

use std::backtrace::Backtrace;
use std::sync::Arc;
use std::thread;

/// A stack that nobody has looked at yet.
#[derive(Clone, Debug)]
pub(crate) struct Stack(Option<Arc<Backtrace>>);

/// Frames whose function contains one of these are this crate's own, or the runtime's.
const OWN: [&str; 16] = [
    "lockdep",
    "parking_lot::",
    "lock_api::",
    "std::backtrace",
    "std::sync::",
    "std::panicking",
    "std::panic::",
    "std::rt::",
    "std::sys::",
    "std::thread::",
    "core::ops::function",
    "core::panicking",
    "__rust_",
    "__libc_start",
    "rust_begin_unwind",
    "_start",
];

impl Stack {
    /// The calling thread's stack. A thread that panics may be printing a stack at this moment,
    /// under a lock of the standard library that another stack would need; it gets none.
    ///
    /// # Cost
    /// A walk over the frames: microseconds. Names are looked up by [`Stack::frames`] only.
    pub(crate) fn capture() -> Stack {
        Stack((!thread::panicking()).then(|| Arc::new(Backtrace::force_capture())))
    }

    /// No stack.
    pub(crate) const fn none() -> Stack {
        Stack(None)
    }

    /// The frames of the program itself, innermost first, as `function at file:line:column`.
    pub(crate) fn frames(&self) -> Vec<String> {
        let Some(backtrace) = &self.0 else { return Vec::new() };
        frames_of(&backtrace.to_string())
    }
}

/// Reads the standard library's text: a numbered line with the function, then one with the place.
fn frames_of(text: &str) -> Vec<String> {
    let mut frames: Vec<(String, Option<String>)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(frame) = frames.last_mut() {
                frame.1 = Some(place.trim_start_matches("./").to_owned());
            }
        } else if let Some((number, function)) = line.split_once(": ")
            && number.bytes().all(|b| b.is_ascii_digit())
        {
            frames.push((function.to_owned(), None));
        }
    }
    // What stands before the last frame of this crate's hooks is the hook itself.
    let start = frames
        .iter()
        .take_while(|(f, p)| {
            OWN.iter().any(|own| f.contains(own))
                || p.as_deref().is_some_and(|p| p.starts_with("/rustc/"))
        })
        .count();
    frames
        .into_iter()
        .skip(start)
        .filter(|(f, p)| {
            !OWN.iter().any(|own| f.starts_with(own) || f.starts_with(&format!("<{own}")))
                && p.as_deref().is_some_and(|p| !p.starts_with("/rustc/"))
        })
        .map(|(function, place)| match place {
            Some(place) => format!("{function} at {place}"),
            None => function,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::frames_of;

    #[test]
    fn only_the_programs_frames_are_kept() {
        let text = "   0: std::backtrace_rs::backtrace::trace\n             at /rustc/1/b.rs:1:2\n   \
                    1: lockdep::process::request\n             at ./lockdep/src/process.rs:3:4\n   \
                    2: bank::transfer\n             at ./src/bank.rs:5:6\n   3: bank::main\n          \
                    at ./src/main.rs:7:8\n   4: std::rt::lang_start\n      at /rustc/1/rt.rs:9:1\n";
        assert_eq!(
            frames_of(text),
            ["bank::transfer at src/bank.rs:5:6", "bank::main at src/main.rs:7:8"]
        );
    }
}
