//! A stack as return addresses, which become names and places only when a report is read.

use std::fmt;
use std::sync::Arc;

use crate::platform::unwind;

/// Frames that are kept of a stack, a few of them of the hooks: the unwinder takes some 90 ns for each.
const DEPTH: usize = 48;

/// Functions that are not the program's own begin with one of these: the runtime, the standard library,
/// what starts a thread.
const FOREIGN: [&str; 13] = [
    "lockdep::",
    "parking_lot::",
    "lock_api::",
    "std::",
    "core::",
    "alloc::",
    "test::",
    "__rust",
    "rust_begin_unwind",
    "_start",
    "__libc_start",
    "start_thread",
    "clone3",
];

/// The return addresses of one thread at one moment, innermost first.
///
/// The trace has them as numbers, with the files that are mapped, and the command finds the names. In the
/// process itself [`FoundStack::frames`] does that, with the feature `backtrace`.
///
/// # Examples
/// ```
/// use lockdep::config::{Config, Print};
/// use lockdep::sync::RwLock;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().print(Print::None).stacks(true));
/// let names = RwLock::new(vec!["a"]);
/// let (first, again) = (names.read(), names.read());
///
/// let findings = lockdep::findings();
/// for frame in findings[0].edges[0].stack.frames() {
///     println!("{frame}");
/// }
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct FoundStack(Arc<[usize]>);

impl FoundStack {
    /// The stack of the calling thread.
    pub(crate) fn capture() -> FoundStack {
        let mut addresses = [0; DEPTH];
        let taken = unwind::return_addresses(&mut addresses);
        FoundStack(Arc::from(&addresses[..taken]))
    }

    /// The return addresses, innermost first; empty where none were taken.
    pub fn addresses(&self) -> &[usize] {
        &self.0
    }

    /// The frames of the program itself, innermost first, as `function at file:line:column`; those that
    /// are inlined as well. Empty without the feature `backtrace`, and for a program without debug
    /// information.
    ///
    /// # Cost
    /// The first call reads the debug information of the program: many milliseconds.
    pub fn frames(&self) -> Vec<String> {
        resolve::frames(&self.0)
    }

    /// Whether a function, by its demangled name, is of the program itself or of one of its dependencies,
    /// and not of the runtime, the standard library or what starts a thread.
    ///
    /// # Example
    /// ```
    /// use lockdep::finding::FoundStack;
    ///
    /// assert!(FoundStack::is_of_program("bank::transfer"));
    /// assert!(FoundStack::is_of_program("<alloc::vec::Vec<u8> as bank::Pay>::pay"));
    /// assert!(!FoundStack::is_of_program("<std::sync::Mutex<T>>::lock"));
    /// ```
    pub fn is_of_program(function: &str) -> bool {
        let is_foreign = |path: &str| {
            FOREIGN.iter().any(|foreign| path.trim_start_matches('<').starts_with(foreign))
        };
        // A trait of the program for a type of another crate is the program's.
        !is_foreign(function) || trait_of(function).is_some_and(|of| !is_foreign(of))
    }
}

/// From the trait on, the name of a function of `<Type as Trait>`.
fn trait_of(function: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let inner = function.strip_prefix('<')?;
    for (at, char) in inner.char_indices() {
        match char {
            '<' => depth += 1,
            // Not that of `->`.
            '>' if !inner[..at].ends_with('-') => depth = depth.checked_sub(1)?,
            ' ' if depth == 0 => {
                if let Some(of) = inner[at..].strip_prefix(" as ") {
                    return Some(of);
                }
            }
            _ => {}
        }
    }
    None
}

impl fmt::Debug for FoundStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|address| format!("{address:#x}"))).finish()
    }
}

#[cfg(feature = "backtrace")]
mod resolve {
    use std::ffi::c_void;
    use std::ptr;

    use super::FoundStack;

    pub(super) fn frames(addresses: &[usize]) -> Vec<String> {
        let mut frames = Vec::new();
        for &address in addresses {
            // The call is before the place that it returns to.
            let call: *mut c_void = ptr::without_provenance_mut(address.wrapping_sub(1));
            backtrace::resolve(call, |symbol| frames.extend(frame(symbol)));
        }
        frames
    }

    fn frame(symbol: &backtrace::Symbol) -> Option<String> {
        let function = format!("{:#}", symbol.name()?);
        if !FoundStack::is_of_program(&function) {
            return None;
        }
        let (file, line) = (symbol.filename()?, symbol.lineno()?);
        let column = symbol.colno().map_or(String::new(), |column| format!(":{column}"));
        Some(format!("{function} at {}:{line}{column}", file.display()))
    }
}

#[cfg(not(feature = "backtrace"))]
mod resolve {
    pub(super) fn frames(_addresses: &[usize]) -> Vec<String> {
        Vec::new()
    }
}
