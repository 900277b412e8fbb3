//! How several locks are taken: in order, or with back-off.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use crate::ordered::key::{Entry, Tie, taken_in_order};
use crate::ordered::set::Set;

/// How the locks of a set are called in messages.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Names, RequestLock, try_lock_all};
/// use lockdep::sync::Mutex;
///
/// let (jobs, done) = (Mutex::new(1), Mutex::new(2));
/// let held = done.lock();
/// let refused =
///     try_lock_all((jobs.lock_request(), done.lock_request()), Names::Written(&["jobs", "done"]));
/// assert!(refused.unwrap_err().to_string().starts_with("`done` is held"));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Names {
    /// By what was written for each.
    Written(&'static [&'static str]),
    /// By their places.
    Indexed,
}

impl Names {
    fn of(self, place: usize) -> Cow<'static, str> {
        match self {
            Names::Written(names) => names.get(place).copied().unwrap_or("a lock").into(),
            Names::Indexed => format!("locks[{place}]").into(),
        }
    }
}

/// Why several locks were not taken; none of them is then held.
///
/// # Examples
/// ```
/// use lockdep::ordered::{LockAllError, try_lock_slice};
/// use lockdep::sync::Mutex;
///
/// let jobs = Mutex::new(1);
/// let twice = try_lock_slice([&jobs, &jobs]).unwrap_err();
/// assert!(matches!(twice, LockAllError::Duplicate { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockAllError {
    /// Two of the locks are one.
    Duplicate {
        /// How the first is called.
        first: Cow<'static, str>,
        /// How the second is called.
        second: Cow<'static, str>,
    },
    /// A lock is held.
    WouldBlock {
        /// How it is called.
        lock: Cow<'static, str>,
    },
    /// A lock was held for too long.
    Timeout {
        /// How it is called.
        lock: Cow<'static, str>,
    },
}

impl fmt::Display for LockAllError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockAllError::Duplicate { first, second } => write!(
                f,
                "`{first}` and `{second}` are the same lock, which cannot be locked twice at once; \
                 pass different locks, or use a `_unique` form to lock each once"
            ),
            LockAllError::WouldBlock { lock } => {
                write!(f, "`{lock}` is held; try again later, or wait with `lock_all!`")
            }
            LockAllError::Timeout { lock } => {
                write!(f, "`{lock}` was held for too long; release what is held and try again")
            }
        }
    }
}

impl std::error::Error for LockAllError {}

/// Waits for all locks of `set`; `lock_all!` as a function.
///
/// # Panics
/// If two of the locks are one.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Names, RequestLock, RequestRwLock, lock_all};
/// use lockdep::sync::{Mutex, RwLock};
///
/// let (jobs, limit) = (Mutex::new(vec![1]), RwLock::new(8));
/// let requests = (jobs.lock_request(), limit.read_request());
/// let (jobs, limit) = lock_all(requests, Names::Written(&["jobs", "limit"]));
/// assert!(jobs.unwrap().len() < *limit.unwrap());
/// ```
#[track_caller]
#[inline(always)]
pub fn lock_all<S: Set>(set: S, names: Names) -> S::Output {
    set.acquire_all(names)
}

/// As [`lock_all`], for any number of locks and all kinds of keys.
#[track_caller]
#[cold]
#[inline(never)]
pub(super) fn by_keys<S: Set>(set: &S, names: Names) -> S::Output {
    let mut keys = set.keys();
    match sorted(keys.as_mut(), names) {
        Ok(keys) => {
            report_order(keys);
            S::output(in_order(set, keys))
        }
        Err(duplicate) => panic!("{duplicate}"),
    }
}

/// Waits for each lock of `set` once: a later request for the same lock gives `None`.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Names, RequestLock, lock_all_unique};
/// use lockdep::sync::Mutex;
///
/// let jobs = Mutex::new(1);
/// let (first, again) =
///     lock_all_unique((jobs.lock_request(), jobs.lock_request()), Names::Indexed);
/// assert!(first.is_some() && again.is_none());
/// ```
#[track_caller]
pub fn lock_all_unique<S: Set>(set: S, _names: Names) -> S::Slots {
    let mut keys = set.keys();
    let keys = keys.as_mut();
    sort(keys);
    let mut kept = 0;
    for next in 0..keys.len() {
        let again = kept > 0 && keys[kept - 1].is_same(&keys[next]);
        if !again {
            keys[kept] = keys[next];
            kept += 1;
        }
    }
    report_order(&keys[..kept]);
    in_order(&set, &keys[..kept])
}

/// Takes all locks of `set` if that is possible at once.
///
/// # Errors
/// One of them is held, or there twice.
///
/// # Examples
/// ```
/// use lockdep::ordered::{LockAllError, Names, RequestLock, try_lock_all};
/// use lockdep::sync::Mutex;
///
/// let (jobs, done) = (Mutex::new(1), Mutex::new(0));
/// let (jobs, done) = try_lock_all((jobs.lock_request(), done.lock_request()), Names::Indexed)?;
/// assert!(jobs.is_ok() && done.is_ok());
/// # Ok::<(), LockAllError>(())
/// ```
#[track_caller]
pub fn try_lock_all<S: Set>(set: S, names: Names) -> Result<S::Output, LockAllError> {
    let mut keys = set.keys();
    let keys = sorted(keys.as_mut(), names)?;
    report_order(keys);
    let count = keys.len();
    let mut slots = set.slots();
    for place in 0..count {
        if !set.try_acquire(place, &mut slots) {
            return Err(LockAllError::WouldBlock { lock: names.of(place) });
        }
    }
    Ok(S::output(slots))
}

/// Waits for all locks of `set`, but not longer than `timeout`.
///
/// # Errors
/// One of them is held for longer, or there twice.
///
/// # Cost
/// A lock that is held is tried again and again, with pauses of at most 500 µs.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use lockdep::ordered::{LockAllError, Names, RequestLock, lock_all_for};
/// use lockdep::sync::Mutex;
///
/// let jobs = Mutex::new(1);
/// let held = jobs.lock();
/// let late = lock_all_for((jobs.lock_request(),), Names::Indexed, Duration::from_millis(1));
/// assert!(matches!(late, Err(LockAllError::Timeout { .. })));
/// ```
#[track_caller]
pub fn lock_all_for<S: Set>(
    set: S,
    names: Names,
    timeout: Duration,
) -> Result<S::Output, LockAllError> {
    let start = Instant::now();
    let mut keys = set.keys();
    let keys = sorted(keys.as_mut(), names)?;
    report_order(keys);
    let mut slots = set.slots();
    for Entry { place, .. } in keys {
        let mut pause = Pause::new(Duration::from_micros(500));
        while !set.try_acquire(*place, &mut slots) {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(LockAllError::Timeout { lock: names.of(*place) });
            }
            pause.wait(left);
        }
    }
    Ok(S::output(slots))
}

/// Waits for all locks of `set`, which may be taken in any order elsewhere: waits for one while it
/// holds none, tries the others, and if one of these is held, releases all and waits for that one
/// first, after a pause that is random and grows.
///
/// # Panics
/// If two of the locks are one.
///
/// # Examples
/// ```
/// use lockdep::ordered::{Names, RequestLock, lock_all_backoff};
/// use lockdep::sync::Mutex;
///
/// let (jobs, done) = (Mutex::new(1), Mutex::new(0));
/// let (jobs, done) = lock_all_backoff((jobs.lock_request(), done.lock_request()), Names::Indexed);
/// assert!(jobs.is_ok() && done.is_ok());
/// ```
#[track_caller]
pub fn lock_all_backoff<S: Set>(set: S, names: Names) -> S::Output {
    let mut keys = set.keys();
    let count = match sorted(keys.as_mut(), names) {
        Ok(keys) => keys.len(),
        Err(duplicate) => panic!("{duplicate}"),
    };
    let mut pause = Pause::new(Duration::from_millis(1));
    let mut first = 0;
    'rounds: while first < count {
        let mut slots = set.slots();
        set.acquire(first, &mut slots);
        for place in (0..count).filter(|place| *place != first) {
            if !set.try_acquire(place, &mut slots) {
                drop(slots);
                pause.wait(Duration::MAX);
                first = place;
                continue 'rounds;
            }
        }
        return S::output(slots);
    }
    S::output(set.slots())
}

/// Tells the engine that several locks are taken in this order.
#[track_caller]
#[inline]
fn report_order(keys: &[Entry]) {
    if keys.len() > 1 {
        taken_in_order(keys.iter().map(|entry| entry.key.first()));
    }
}

/// Waits for the locks that `keys` tells, one after the other; those of an equal key under their
/// tie lock.
#[track_caller]
#[inline]
fn in_order<S: Set>(set: &S, keys: &[Entry]) -> S::Slots {
    let mut slots = set.slots();
    let mut rest = keys;
    while let [first, others @ ..] = rest {
        rest = others;
        if others.first().is_none_or(|other| other.key != first.key) {
            set.acquire(first.place, &mut slots);
            continue;
        }
        let tie = Tie::of(first.key);
        let _turn = tie.lock();
        set.acquire(first.place, &mut slots);
        let equal = rest.iter().take_while(|other| other.key == first.key).count();
        let (tied, others) = rest.split_at(equal);
        tied.iter().for_each(|other| set.acquire(other.place, &mut slots));
        rest = others;
    }
    slots
}

/// Sorts `keys`: mostly two or three, for which a call costs more than the sorting.
#[inline]
fn sort(keys: &mut [Entry]) {
    if keys.len() > 4 {
        keys.sort_unstable();
        return;
    }
    for end in 1..keys.len() {
        let mut place = end;
        while place > 0 && keys[place] < keys[place - 1] {
            keys.swap(place, place - 1);
            place -= 1;
        }
    }
}

/// `keys` in order, if no two are one lock.
#[inline]
fn sorted(keys: &mut [Entry], names: Names) -> Result<&[Entry], LockAllError> {
    sort(keys);
    match keys.windows(2).find(|pair| pair[0].is_same(&pair[1])) {
        None => Ok(keys),
        Some(pair) => {
            let (first, second) = (names.of(pair[0].place), names.of(pair[1].place));
            Err(LockAllError::Duplicate { first, second })
        }
    }
}

/// Pauses that grow from nothing to a limit, each cut at random, so that threads that failed
/// together do not try again together.
struct Pause {
    random: u64,
    round: u32,
    limit: Duration,
}

impl Pause {
    fn new(limit: Duration) -> Pause {
        Pause { random: 0, round: 0, limit }
    }

    fn wait(&mut self, left: Duration) {
        if self.random == 0 {
            self.random = RandomState::new().build_hasher().finish() | 1;
        }
        self.round += 1;
        if self.round <= 3 {
            thread::yield_now();
            return;
        }
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let most = Duration::from_micros(1 << self.round.min(20)).min(self.limit);
        let share = (self.random >> 32) as f64 / f64::from(u32::MAX);
        thread::sleep(most.mul_f64(share).min(left));
    }
}
