//! POSIX: the ends of threads and of the process, forks and signals, with Linux's `/proc` for the rest.
//!
//! What it misses: without `/proc`, no thread is reported as stuck on an event.

#[cfg(any(target_os = "linux", target_os = "android"))]
use std::ffi::c_long;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::ProcessEvents;

#[cfg(not(target_vendor = "apple"))]
type Key = u32;
#[cfg(target_vendor = "apple")]
type Key = std::ffi::c_ulong;

unsafe extern "C" {
    fn pthread_key_create(
        key: *mut Key,
        destructor: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> c_int;
    fn pthread_setspecific(key: Key, value: *const c_void) -> c_int;
    fn pthread_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> c_int;
    fn atexit(function: extern "C" fn()) -> c_int;
    fn _exit(code: c_int) -> !;
    fn signal(number: c_int, handler: usize) -> usize;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn syscall(number: c_long, ...) -> c_long;
}

// Linux's numbers: elsewhere there is no `/proc`, and no thread is reported as stuck on an event.
const SIGBUS: u32 = 7;
const SIGSEGV: u32 = 11;

/// What `signal` returns for an error (`SIG_ERR`).
const SIGNAL_ERROR: usize = usize::MAX;

/// What a signal does that the program does not handle (`SIG_DFL`), and one that it ignores (`SIG_IGN`).
#[cfg(target_os = "linux")]
const SIGNAL_DEFAULT: usize = 0;
#[cfg(target_os = "linux")]
const SIGNAL_IGNORED: usize = 1;

/// Ends the process at once, with this code: nothing of the program runs any more.
pub(crate) fn end_process(code: i32) -> ! {
    // SAFETY: it takes any number, and does not return.
    unsafe { _exit(code) }
}

/// Wakes the watchdog's thread: it sleeps on the first socket, and a byte for the second wakes it.
/// A signal handler may write one, where it must not touch a lock.
static ALARM: OnceLock<(UnixStream, UnixStream)> = OnceLock::new();

/// Called before [`sleep`], [`ring`] and [`on_signal`].
pub(crate) fn prepare_alarm() -> io::Result<()> {
    if ALARM.get().is_none() {
        let (sleeper, bell) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        let _ = ALARM.set((sleeper, bell));
    }
    Ok(())
}

/// Sleeps until [`ring`] is called, for this long at most. Only the watchdog's thread calls it.
pub(crate) fn sleep(at_most: Option<Duration>) {
    let Some((sleeper, _)) = ALARM.get() else { return };
    // No time at all would mean for ever.
    let timeout = at_most.map(|time| time.max(Duration::from_millis(1)));
    if sleeper.set_read_timeout(timeout).is_ok() {
        let _ = (&mut &*sleeper).read(&mut [0; 64]);
    }
}

/// Ends the sleep, or the next one.
pub(crate) fn ring() {
    if let Some((_, bell)) = ALARM.get() {
        let _ = (&mut &*bell).write(&[0]);
    }
}

static ON_SIGNAL: OnceLock<fn()> = OnceLock::new();
/// The signals for which [`on_signal`] was called, a bit each.
static HANDLED: AtomicU64 = AtomicU64::new(0);

fn bit(number: c_int) -> u64 {
    1_u64.checked_shl((number - 1) as u32).unwrap_or(0)
}

/// Calls `handler` at each signal of this number; it must be safe to call in a signal handler. All
/// signals have the same one.
pub(crate) fn on_signal(number: c_int, handler: fn()) -> io::Result<()> {
    extern "C" fn handle(_number: c_int) {
        if let Some(handler) = ON_SIGNAL.get() {
            handler();
        }
    }
    ON_SIGNAL.get_or_init(|| handler);
    // SAFETY: `handle` reads a cell that was set before, and calls what is safe in a handler.
    let before = unsafe { signal(number, handle as extern "C" fn(c_int) as usize) };
    if before == SIGNAL_ERROR {
        return Err(io::Error::last_os_error());
    }
    HANDLED.fetch_or(bit(number), SeqCst);
    Ok(())
}

/// The signal of an inquiry. A process that does not handle it does not notice it, and programs have
/// hardly a use for it: it tells of urgent data at a socket.
#[cfg(target_os = "linux")]
const SIGURG: c_int = 23;

#[cfg(target_os = "linux")]
static ON_INQUIRY: OnceLock<fn()> = OnceLock::new();

/// Calls `answer` at each inquiry, in a signal handler, where it must be safe; unless the program handles
/// that signal itself. Only the command on Linux makes inquiries.
#[cfg(target_os = "linux")]
pub(crate) fn on_inquiry(answer: fn()) {
    unsafe extern "C" {
        fn __errno_location() -> *mut c_int;
    }
    extern "C" fn handle(_number: c_int) {
        // SAFETY: it is the calling thread's own, for as long as the thread lives. What is interrupted may
        // be about to read it.
        let errno = unsafe { __errno_location() };
        // SAFETY: as above; `answer` leaves it where it is.
        let before = unsafe { errno.read() };
        if let Some(answer) = ON_INQUIRY.get() {
            answer();
        }
        // SAFETY: as above.
        unsafe { errno.write(before) };
    }
    // MIPS and SPARC have numbers of their own.
    let has_this_number =
        !cfg!(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64"));
    if !has_this_number || ON_INQUIRY.set(answer).is_err() {
        return;
    }
    let handle = handle as extern "C" fn(c_int) as usize;
    // SAFETY: `handle` reads a cell that was set before, and calls what is safe in a handler.
    let before = unsafe { signal(SIGURG, handle) };
    if matches!(before, SIGNAL_DEFAULT | SIGNAL_IGNORED) {
        HANDLED.fetch_or(bit(SIGURG), SeqCst);
    } else if before != SIGNAL_ERROR {
        // SAFETY: this is what was there before.
        unsafe { signal(SIGURG, before) };
    }
}

/// Nobody asks here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn on_inquiry(_answer: fn()) {}

static KEY: OnceLock<Option<Key>> = OnceLock::new();

/// POSIX repeats the destructors of all keys as long as any of them sets its value again, at least four
/// times. The third round comes after the destructors of Rust's thread-locals, and of the thread-locals
/// that those made.
const LAST_ROUND: usize = 3;

fn key() -> Option<Key> {
    *KEY.get_or_init(|| {
        let mut key: Key = 0;
        // SAFETY: the key is written through a valid pointer, and the destructor never unwinds.
        let result = unsafe { pthread_key_create(&mut key, Some(destructor)) };
        (result == 0).then_some(key)
    })
}

/// The number of the system call `gettid`, for which not every C library has a function; from the kernel's
/// tables of system calls.
#[cfg(any(target_os = "linux", target_os = "android"))]
const GETTID: Option<c_long> = match () {
    () if cfg!(target_arch = "x86_64") => {
        Some(if cfg!(target_pointer_width = "64") { 186 } else { 0x4000_0000 + 186 })
    }
    () if cfg!(any(target_arch = "x86", target_arch = "arm")) => Some(224),
    () if cfg!(any(
        target_arch = "aarch64",
        target_arch = "riscv32",
        target_arch = "riscv64",
        target_arch = "loongarch64"
    )) =>
    {
        Some(178)
    }
    () if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) => Some(207),
    () if cfg!(target_arch = "s390x") => Some(236),
    () => None,
};

/// The system's number of this thread, or zero.
pub(crate) fn system_thread() -> u32 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(number) = GETTID {
        // SAFETY: this call takes no arguments and always succeeds.
        return unsafe { syscall(number) } as u32;
    }
    let path = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    let number = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok());
    number.unwrap_or(0)
}

/// The name that the system has for the thread with this number, which is cut short. One that its
/// spawner has not named would have another's, but a test harness names all of its threads.
pub(crate) fn thread_name(number: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/self/task/{number}/comm")).ok()?;
    Some(name.trim_end().to_owned()).filter(|name| !name.is_empty())
}

/// Writes to stderr. A thread may have no thread-locals any more, which `std`'s own stream needs.
pub(crate) fn print(text: &str) {
    // SAFETY: the descriptor is not closed, as the file is never dropped.
    let mut stderr = ManuallyDrop::new(unsafe { File::from_raw_fd(2) });
    let _ = stderr.write_all(text.as_bytes());
}

/// Whether the thread with this number sleeps, as far as the system tells.
pub(crate) fn sleeps(number: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{number}/stat"));
    // The state is the first field after the name, which stands in parentheses.
    stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" S")))
}

/// Whether a thread may run that `known` does not know. A main thread that has never used
/// anything instrumented is the test harness's, which only waits for its tests.
pub(crate) fn others_run(known: &dyn Fn(u32) -> bool) -> bool {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return true };
    let main = std::process::id();
    tasks.flatten().any(|task| {
        let number = task.file_name().to_str().and_then(|n| n.parse().ok());
        number.is_none_or(|n: u32| n != main && !known(n))
    })
}

/// Whether the program has handlers of its own for signals that may come from outside.
pub(crate) fn catches_signals() -> bool {
    /// The signals that Rust's own runtime handles, and those that the C library reserves.
    const ORDINARY: u64 = 1 << (SIGBUS - 1) | 1 << (SIGSEGV - 1) | 1 << 31 | 1 << 32;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_none_or(|mask| mask & !ORDINARY & !HANDLED.load(SeqCst) != 0)
}

static AT_THREAD_END: OnceLock<fn()> = OnceLock::new();

/// Calls `end` at the end of this thread, after the destructors of its thread-locals. All threads have
/// one `end`.
pub(crate) fn watch_thread_end(end: fn()) {
    AT_THREAD_END.get_or_init(|| end);
    if let Some(key) = key() {
        // SAFETY: the key exists; the value is only a number.
        unsafe { pthread_setspecific(key, std::ptr::without_provenance(1)) };
    }
}

unsafe extern "C" fn destructor(round: *mut c_void) {
    let round = round.addr();
    match key() {
        Some(key) if round < LAST_ROUND => {
            // SAFETY: the key exists; the value is only a number.
            unsafe { pthread_setspecific(key, std::ptr::without_provenance(round + 1)) };
        }
        _ => {
            if let Some(end) = AT_THREAD_END.get() {
                end();
            }
        }
    }
}

static WATCHED: OnceLock<ProcessEvents> = OnceLock::new();

/// Calls `events` from now on, until the process ends and in all that are forked off it. Only the
/// first call counts.
pub(crate) fn watch_process(events: ProcessEvents) {
    extern "C" fn at_exit() {
        call(|events| events.exit);
    }
    unsafe extern "C" fn before_fork() {
        call(|events| events.before_fork);
    }
    unsafe extern "C" fn in_parent() {
        call(|events| events.forked_in_parent);
    }
    unsafe extern "C" fn in_child() {
        call(|events| events.forked_in_child);
    }
    fn call(which: fn(&ProcessEvents) -> fn()) {
        if let Some(events) = WATCHED.get() {
            which(events)();
        }
    }
    if WATCHED.set(events).is_ok() {
        // SAFETY: the functions live as long as the program; what they call never unwinds, and would
        // abort the process at this ABI if it did.
        unsafe {
            atexit(at_exit);
            pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child));
        }
    }
}
