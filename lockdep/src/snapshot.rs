//! All threads at one moment: what each holds and waits for, since when and where.
//!
//! [`dump`] is that as text, [`assert_quiescent`] demands that no thread holds or waits for anything, and
//! a trace ends with the threads that still wait. A thread that waits is described exactly; what a
//! thread that runs holds is read while it moves and may be out of date by a few locks. Threads that
//! have never used anything of this crate are not seen.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::{fmt, thread};

use crate::model::finding::{FoundLock, FoundThread, Short};
use crate::model::held::HeldLock;
use crate::model::ids::ThreadId;
use crate::model::lock::{Mode, Site};
use crate::observer::Observer;
use crate::platform::clock;
use crate::process;
use crate::slow_path::life;
use crate::thread_state::current;
use crate::thread_state::current::Busy;
use crate::thread_state::snapshot::{ThreadSnapshot, threads};
use crate::thread_state::wait::Awaited;

/// [`assert_quiescent`] looks again after this long, then after twice as long, and so on: threads
/// that were just woken or joined get time to leave.
const SETTLE: Duration = Duration::from_micros(100);

const SETTLE_ROUNDS: u32 = 10;

/// What every thread holds and waits for, since when and where, as text for people.
///
/// Call it from anywhere: from a debugger, an admin page, a test that is late.
///
/// # Cost
/// A walk over all threads, which go on meanwhile.
///
/// # Examples
/// ```
/// use lockdep::sync::Mutex;
///
/// let jobs = Mutex::new(vec![1]);
/// let held = jobs.lock().unwrap();
/// let all = lockdep::dump();
/// # if cfg!(not(feature = "instrument")) { return }
/// assert!(all.contains("holds Mutex created at"), "{all}");
/// ```
pub fn dump() -> String {
    let _ = introduce();
    process::observe(|o| describe(o, &threads(), clock::now()))
}

/// Sees to it that the calling thread has a name in what follows.
fn introduce() -> Option<ThreadId> {
    let record = current::current().or_else(life::begin)?;
    process::observe(|o| process::know_thread(o, record, None));
    Some(record.thread.load(Relaxed))
}

fn describe(observer: &Observer, threads: &[ThreadSnapshot], now: u64) -> String {
    let mut text = match threads.len() {
        1 => "1 thread".to_owned(),
        n => format!("{n} threads"),
    };
    for thread in threads {
        let described = Described { observer, thread, now };
        let _ = write!(text, "\n{described}");
    }
    text.push('\n');
    text
}

/// A thread in words.
struct Described<'a> {
    observer: &'a Observer,
    thread: &'a ThreadSnapshot,
    now: u64,
}

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Described { observer, thread, now } = *self;
        write!(f, "{}", Subject(&observer.thread(thread.thread)))?;
        match thread.wait {
            Some(wait) => {
                let since = Duration::from_nanos(now.saturating_sub(wait.since));
                match (wait.awaited, wait.awaited.object()) {
                    (Awaited::End(other) | Awaited::TaskEnd(other), _) => {
                        write!(f, " waits for the end of {}", observer.thread(other))?;
                    }
                    (_, Some(word)) => write!(f, " waits for {}", observer.lock(word.lock()))?,
                    (_, None) => f.write_str(" waits to be unparked")?,
                }
                write!(f, " since {since:.1?}\n    at {}", Short(wait.site))?;
            }
            None => f.write_str(" runs")?,
        }
        for held in &thread.held {
            write!(f, "\n  {}", Holding::of(observer, held))?;
        }
        for held in &thread.permits {
            let (count, semaphore) = (held.count, observer.lock(held.semaphore.lock()));
            let permits = if count == 1 { "permit" } else { "permits" };
            write!(f, "\n  holds {count} {permits} of {semaphore}")?;
            write!(f, "\n    acquired at {}", Short(held.site))?;
        }
        Ok(())
    }
}

/// A thread at the beginning of a line.
struct Subject<'a>(&'a FoundThread);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.name {
            Some(name) => write!(f, "thread {} `{name}`", self.0.id),
            None => write!(f, "thread {}", self.0.id),
        }
    }
}

/// `holds X, acquired at ...`
struct Holding {
    lock: FoundLock,
    mode: Mode,
    site: Site,
}

impl Holding {
    fn of(observer: &Observer, held: &HeldLock) -> Holding {
        Holding { lock: observer.lock(held.word.lock()), mode: held.word.mode(), site: held.site }
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holding { lock, mode, site } = self;
        write!(f, "holds {lock} ({})\n    acquired at {}", mode.code(), Short(site))
    }
}

/// Checks that no other thread waits for anything that does not come by itself, and that no lock is
/// held: by any thread, by one that has ended, or through a guard that was leaked.
///
/// Call it at the end of a test. Threads that are about to end get a tenth of a second for it. The
/// locks and threads of the whole process count, so tests that run beside each other in one process
/// must agree on what they leave behind.
///
/// # Panics
/// Where there are such threads or guards, with a list of them.
///
/// # Examples
///
/// ```
/// use lockdep::sync::Mutex;
///
/// let jobs = Mutex::new(vec![1]);
/// jobs.lock().unwrap().push(2);
/// lockdep::assert_quiescent();
/// ```
#[track_caller]
pub fn assert_quiescent() {
    let me = introduce();
    let mut left = left_behind(me);
    for round in 0..SETTLE_ROUNDS {
        if left.is_none() {
            return;
        }
        {
            let _busy = Busy::new();
            thread::sleep(SETTLE * (1 << round));
        }
        left = left_behind(me);
    }
    if let Some(left) = left {
        panic!("threads still wait or locks are still held:\n{left}");
    }
}

/// What [`assert_quiescent`] objects to.
fn left_behind(me: Option<ThreadId>) -> Option<String> {
    process::observe(|o| {
        let mut text = String::new();
        for thread in threads() {
            let blocked = thread.is_blocked() && Some(thread.thread) != me;
            if blocked || !thread.held.is_empty() || !thread.permits.is_empty() {
                let described = Described { observer: o, thread: &thread, now: clock::now() };
                let _ = writeln!(text, "{described}");
            }
        }
        for orphan in o.orphans.iter().chain(&o.abandoned) {
            let holding = Holding::of(o, &orphan.held);
            let _ = writeln!(text, "{} has ended\n  {holding}", Subject(&orphan.thread));
        }
        (!text.is_empty()).then_some(text)
    })
}
