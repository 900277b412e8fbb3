//! How much threads contend for the locks of each class; kept only when asked for.
//!
//! Ask with `LOCKDEP_STATS=1` in the environment or [`Config::stats`](crate::Config::stats); it
//! costs nothing otherwise. Read with [`stats`], or from the trace, which ends with the same numbers.

use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

use crate::finding::FoundLock;
use crate::instrument::Site;
use crate::process;
use crate::timing::{self, ClassTimes};

/// Powers of two of nanoseconds that are told apart: up to nine minutes.
const BUCKETS: usize = 40;

/// How often something took how long, to a factor of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: [0; BUCKETS] }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, nanos: u64) {
        let bucket = nanos.checked_ilog2().unwrap_or(0) as usize;
        self.counts[bucket.min(BUCKETS - 1)] += 1;
    }

    pub(crate) fn join(&mut self, other: &Histogram) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    /// The counts: the one at `i` is of times from 2^`i` ns to twice that. The first has the shorter
    /// ones too, the last the longer ones.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many times there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// A time that this share of all, from 0 to 1, do not exceed; `None` where there are none.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let wanted = ((self.total() as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        let bucket = self.counts.iter().position(|&count| {
            below += count;
            below >= wanted
        })?;
        Some(Duration::from_nanos(2 << bucket))
    }
}

/// The longest time of its kind.
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
    /// The wait that others went before most often; `None` where nobody went before anybody.
    pub most_bypassed: Option<Bypassed>,
}

/// What was counted so far, the class with most waits first; empty where nobody asked.
///
/// # Cost
/// A walk over all threads, which go on meanwhile.
pub fn stats() -> Vec<ClassStats> {
    let mut all = process::observe(|o| {
        let mut times = o.times.clone();
        for record in process::records().filter(|r| r.in_use.load(Acquire)) {
            timing::join_into(record, &mut times);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Histogram;

    #[test]
    fn a_time_is_counted_within_a_factor_of_two() {
        let mut times = Histogram::default();
        assert_eq!(times.quantile(0.5), None);
        for nanos in [0, 1, 3, 1000, u64::MAX] {
            times.add(nanos);
        }
        assert_eq!((times.counts()[0], times.counts()[1], times.counts()[9]), (2, 1, 1));
        assert_eq!(times.counts()[39], 1);
        assert_eq!(times.total(), 5);
        assert_eq!(times.quantile(0.5), Some(Duration::from_nanos(4)));
        assert_eq!(times.quantile(0.8), Some(Duration::from_nanos(1024)));
    }
}
