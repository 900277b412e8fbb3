//! Windows: the numbers and names of threads, the end of the process, and where its code lies.
//!
//! What it misses: `std::process::exit` ends the process without a call, so the trace of one that ends so lacks
//! the totals; all orders and findings are written before. What no thread is reported as stuck for is as in
//! [`super::other`].

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;
use std::{env, ptr};

use super::ProcessEvents;
use super::unwind::Module;

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    fn CloseHandle(handle: *mut c_void) -> c_int;
    fn GetCurrentThreadId() -> u32;
    fn GetModuleHandleW(name: *const u16) -> *mut c_void;
    fn GetThreadDescription(thread: *mut c_void, description: *mut *mut u16) -> i32;
    fn LocalFree(memory: *mut c_void) -> *mut c_void;
    fn OpenThread(access: u32, inherits: c_int, number: u32) -> *mut c_void;
}

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> c_int;
}

/// `THREAD_QUERY_LIMITED_INFORMATION`.
const QUERY: u32 = 0x0800;

/// `IMAGE_SCN_MEM_EXECUTE`: the section holds code.
const EXECUTE: u32 = 0x2000_0000;

/// The system's number of this thread.
pub(crate) fn system_thread() -> u32 {
    // SAFETY: it takes nothing and always succeeds.
    unsafe { GetCurrentThreadId() }
}

/// The name that the system has for the thread with this number.
pub(crate) fn thread_name(number: u32) -> Option<String> {
    // SAFETY: any number may be asked for; null says that there is no such thread.
    let thread = unsafe { OpenThread(QUERY, 0, number) };
    if thread.is_null() {
        return None;
    }
    let mut text: *mut u16 = ptr::null_mut();
    // SAFETY: the handle is open, and the text is written to a valid place.
    let result = unsafe { GetThreadDescription(thread, &mut text) };
    let name = (result >= 0 && !text.is_null()).then(|| {
        // SAFETY: the system has written a text that ends with zero.
        let length = (0..).take_while(|&at| unsafe { *text.add(at) } != 0).count();
        // SAFETY: so long is the text, and it is freed below.
        String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) })
    });
    // SAFETY: the text was allocated for this call, and null is let be; the handle is not used any more.
    unsafe {
        LocalFree(text.cast());
        CloseHandle(thread);
    }
    name.filter(|name| !name.is_empty())
}

static WATCHED: OnceLock<ProcessEvents> = OnceLock::new();

/// The code of the program, read when the process is first watched. Asking for its path takes the lock of the
/// system's loader, which a thread that ends holds around its destructors; these wait for the observer, within
/// which [`modules`] is called.
static CODE: OnceLock<Vec<Module>> = OnceLock::new();

/// Calls the `exit` of these when `main` returns. Nothing forks here. Only the first call counts.
pub(crate) fn watch_process(events: ProcessEvents) {
    extern "C" fn at_exit() {
        if let Some(events) = WATCHED.get() {
            (events.exit)();
        }
    }
    if WATCHED.set(events).is_ok() {
        CODE.get_or_init(code);
        // SAFETY: the function lives as long as the program, and never unwinds.
        unsafe { atexit(at_exit) };
    }
}

/// The sections of the program that hold code; none before [`watch_process`]. Other libraries have no part in
/// a program of Rust.
pub(crate) fn modules() -> Vec<Module> {
    CODE.get().cloned().unwrap_or_default()
}

fn code() -> Vec<Module> {
    // SAFETY: without a name it is the program's own, which stays.
    let base = unsafe { GetModuleHandleW(ptr::null()) }.addr();
    let Ok(path) = env::current_exe() else { return Vec::new() };
    let mut header = Vec::new();
    // The headers of all sections lie in its first page.
    let read = File::open(&path).and_then(|file| file.take(4096).read_to_end(&mut header));
    if read.is_err() {
        return Vec::new();
    }
    let path = path.display().to_string();
    let module = |section: Section| Module {
        path: path.clone(),
        start: base + section.address as usize,
        end: base + section.address as usize + section.length as usize,
        offset: section.offset.into(),
        size: 0,
        modified: 0,
    };
    sections(&header)
        .filter(|section| section.is_code)
        .map(module)
        .map(Module::identified)
        .collect()
}

/// A part of a file that is mapped at an address, in the words of "PE Format", section headers.
struct Section {
    /// Its first byte, from the base of the program.
    address: u32,
    /// Its length in memory, in bytes.
    length: u32,
    /// Where it begins in the file, in bytes.
    offset: u32,
    is_code: bool,
}

/// The sections that the headers of a file list, as far as the bytes go.
fn sections(header: &[u8]) -> impl Iterator<Item = Section> {
    let long = |at: usize| {
        header.get(at..at + 4).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)))
    };
    let short = |at: usize| long(at).map(|word| word & 0xffff);
    let coff = long(0x3c).map_or(usize::MAX / 2, |at| at as usize + 4);
    let count = short(coff + 2).unwrap_or(0);
    let first = coff + 20 + short(coff + 16).unwrap_or(0) as usize;
    (0..count as usize).filter_map(move |number| {
        let at = first + number * 40;
        Some(Section {
            length: long(at + 8)?,
            address: long(at + 12)?,
            offset: long(at + 20)?,
            is_code: long(at + 36)? & EXECUTE != 0,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{code, system_thread, thread_name};
    use crate::platform::unwind;

    #[test]
    fn a_thread_has_a_number_and_a_name() {
        let named = thread::Builder::new().name("teller".to_owned());
        let numbers = named.spawn(|| (system_thread(), thread_name(system_thread())));
        let (number, name) = numbers.expect("it starts").join().expect("it ends");
        assert_ne!(number, system_thread());
        assert_eq!(name.as_deref(), Some("teller"));
        assert_eq!(thread_name(0), None);
    }

    #[test]
    fn the_program_knows_where_its_code_lies() {
        let mut addresses = [0; 16];
        let taken = unwind::return_addresses(&mut addresses);
        assert!(taken > 1, "{taken}");
        let modules = code();
        assert!(
            modules.iter().any(|module| module.has(addresses[0])),
            "{addresses:x?} {modules:x?}"
        );
        assert!(modules.iter().all(|module| module.path.ends_with(".exe")));
    }
}
