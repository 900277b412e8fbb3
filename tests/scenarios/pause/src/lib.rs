//! A pause that keeps threads apart on any machine, however slow and busy: after the time itself it
//! lasts until all other threads wait, be it for each other or for the end of a longer pause. Nothing
//! of it is seen by whoever watches locks.

use std::fs;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

/// A thread that is never at rest, such as one that polls, ends all pauses after this.
const PATIENCE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(1);

/// The threads that pause: when each is to go on, in milliseconds, and below that its number.
static PAUSES: [AtomicU64; 128] = [const { AtomicU64::new(0) }; 128];
/// When the last thread has gone on, as if no time passed but in pauses.
static NOW: AtomicU64 = AtomicU64::new(0);

/// Lets the others go first, for so many milliseconds at least.
pub fn pause(millis: u64) {
    let begin = Instant::now();
    let until = NOW.load(SeqCst) + millis;
    let mine = until << 32 | u64::from(number());
    let free = |place: &&AtomicU64| place.compare_exchange(0, mine, SeqCst, SeqCst).is_ok();
    let place = PAUSES.iter().find(free).expect("so many threads do not pause");
    thread::sleep(Duration::from_millis(millis));
    while begin.elapsed() < PATIENCE {
        let before = at_rest(mine);
        thread::sleep(MOMENT);
        if before.is_some() && before == at_rest(mine) {
            break;
        }
    }
    NOW.fetch_max(until, SeqCst);
    place.store(0, SeqCst);
}

/// The system's number of this thread.
fn number() -> u32 {
    let path = fs::read_link("/proc/thread-self").unwrap_or_default();
    let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
    number.unwrap_or(0)
}

/// How often each of the other threads has run, if none does now and none goes on before this one.
/// Where the system does not tell, time alone counts.
fn at_rest(mine: u64) -> Option<Vec<String>> {
    let pauses: Vec<u64> = PAUSES.iter().map(|place| place.load(SeqCst)).collect();
    if pauses.iter().any(|&other| other != 0 && other < mine) {
        return None;
    }
    let mut runs = Vec::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let number: u64 = task.file_name().to_str()?.parse().ok()?;
        if pauses.iter().any(|pause| pause & u64::from(u32::MAX) == number) {
            continue;
        }
        // One that has ended meanwhile has none.
        let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
        if !status.contains("State:\tS") {
            return None;
        }
        runs.extend(status.lines().filter(|line| line.contains("ctxt_switches")).map(Into::into));
    }
    Some(runs)
}
