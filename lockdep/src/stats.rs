//! How much threads contend for the locks of each class; kept only when asked for.
//!
//! Ask with `LOCKDEP_STATS=1` in the environment or [`Config::stats`](crate::Config::stats); it
//! costs nothing otherwise. Read with [`stats`], or from the trace, which ends with the same numbers.
//!
//! # Examples
//! ```
//! use lockdep::config::Config;
//! use lockdep::sync::Mutex;
//!
//! # if cfg!(not(feature = "instrument")) { return }
//! lockdep::configure(Config::from_env().stats(true));
//! let jobs = Mutex::new(vec![1]);
//! for job in 2..12 {
//!     jobs.lock().unwrap().push(job);
//! }
//! let class = &lockdep::stats()[0];
//! println!("{}: {} of {} waited", class.lock, class.contended, class.acquisitions);
//! assert_eq!((class.contended, class.acquisitions), (0, 10));
//! ```

use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

use crate::model::finding::FoundLock;
use crate::model::lock::Site;
use crate::model::times::ClassTimes;
pub use crate::model::times::Histogram;
use crate::process;
use crate::thread_state::registry;

/// The longest time of its kind.
///
/// # Examples
/// ```
/// use std::thread::sleep;
/// use std::time::Duration;
///
/// use lockdep::config::Config;
/// use lockdep::sync::Mutex;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().stats(true));
/// let jobs = Mutex::new(vec![1]);
/// {
///     let _held = jobs.lock();
///     sleep(Duration::from_millis(2));
/// }
/// drop(jobs.lock());
///
/// let longest = lockdep::stats()[0].longest_hold.unwrap();
/// println!("held for {:?} from {} on", longest.time, longest.site);
/// assert!(longest.time >= Duration::from_millis(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Longest {
    /// How long it took.
    pub time: Duration,
    /// Where the lock was asked for.
    pub site: Site,
}

impl Longest {
    fn of(longest: Option<(u64, Site)>) -> Option<Longest> {
        longest.map(|(nanos, site)| Longest { time: Duration::from_nanos(nanos), site })
    }
}

/// The wait during which others had the lock most often.
///
/// # Examples
/// ```
/// use lockdep::stats::Bypassed;
///
/// fn starves(most: Option<Bypassed>) -> Option<String> {
///     let most = most.filter(|most| most.times > 100)?;
///     Some(format!("overtaken {} times while it waited at {}", most.times, most.site))
/// }
/// # assert_eq!(starves(None), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bypassed {
    /// How many holds of others have ended meanwhile, at least: the *bypass count*. What counts
    /// from the hundreds on, with a wait of many milliseconds, is *starvation*.
    pub times: u64,
    /// Where the lock was asked for.
    pub site: Site,
}

/// What was counted for the locks of one class.
///
/// # Examples
/// ```
/// use lockdep::config::Config;
/// use lockdep::sync::RwLock;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().stats(true));
/// let names = RwLock::new(vec!["a"]);
/// names.write().unwrap().push("b");
/// drop(names.read());
///
/// let class = &lockdep::stats()[0];
/// assert_eq!((class.lock.kind, class.acquisitions, class.hold.total()), ("RwLock", 2, 2));
/// println!("99 of 100 holds take at most {:?}", class.hold.quantile(0.99).unwrap());
/// assert_eq!(class.longest_wait, None);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClassStats {
    /// The class; the instance is zero.
    pub lock: FoundLock,
    /// Acquisitions whose hold has ended.
    pub acquisitions: u64,
    /// Acquisitions that had to wait.
    pub contended: u64,
    /// The times of those waits.
    pub wait: Histogram,
    /// The times of the holds.
    pub hold: Histogram,
    /// The longest wait.
    pub longest_wait: Option<Longest>,
    /// The longest hold.
    pub longest_hold: Option<Longest>,
    /// The wait that was overtaken most often; `None` where no wait was overtaken.
    pub most_bypassed: Option<Bypassed>,
}

/// What was counted so far, the class with most waits first; empty while statistics are off.
///
/// # Cost
/// A walk over all threads, which go on meanwhile.
pub fn stats() -> Vec<ClassStats> {
    let mut all = process::observe(|o| {
        let mut times = o.times.clone();
        for record in registry::records().filter(|r| r.in_use.load(Acquire)) {
            record.add_times_to(&mut times);
        }
        let of = |(class, times): (u32, ClassTimes)| ClassStats {
            lock: o.class_lock(class),
            acquisitions: times.acquisitions,
            contended: times.contended,
            wait: times.wait,
            hold: times.hold,
            longest_wait: Longest::of(times.longest_wait),
            longest_hold: Longest::of(times.longest_hold),
            most_bypassed: times.most_bypassed.map(|(times, site)| Bypassed { times, site }),
        };
        times.into_iter().map(of).collect::<Vec<ClassStats>>()
    });
    all.sort_by_key(|s| (std::cmp::Reverse((s.contended, s.acquisitions)), s.lock.class));
    all
}
