//! How long the locks of one class were waited for and held.

use std::time::Duration;

use crate::model::lock::Site;

/// Powers of two of nanoseconds that are told apart: up to nine minutes.
const BUCKETS: usize = 40;

/// How often something took how long, to a factor of two.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use lockdep::stats::Histogram;
///
/// fn print(times: &Histogram) {
///     for (power, count) in times.counts().iter().enumerate().filter(|(_, count)| **count > 0) {
///         println!("{count} took less than {:?}", Duration::from_nanos(2 << power));
///     }
/// }
/// # print(&Histogram::default());
/// ```
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

pub(crate) fn longest(known: &mut Option<(u64, Site)>, time: u64, site: Site) {
    if known.is_none_or(|(longest, _)| time > longest) {
        *known = Some((time, site));
    }
}

/// What is known of the locks of one class; times in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClassTimes {
    pub(crate) acquisitions: u64,
    pub(crate) contended: u64,
    pub(crate) wait: Histogram,
    pub(crate) hold: Histogram,
    pub(crate) longest_wait: Option<(u64, Site)>,
    pub(crate) longest_hold: Option<(u64, Site)>,
    /// How many holds of others have ended during one wait, at most.
    pub(crate) most_bypassed: Option<(u64, Site)>,
}

impl ClassTimes {
    pub(crate) fn join(&mut self, other: &ClassTimes) {
        self.acquisitions += other.acquisitions;
        self.contended += other.contended;
        self.wait.join(&other.wait);
        self.hold.join(&other.hold);
        for (mine, theirs) in [
            (&mut self.longest_wait, other.longest_wait),
            (&mut self.longest_hold, other.longest_hold),
            (&mut self.most_bypassed, other.most_bypassed),
        ] {
            if let Some((time, site)) = theirs {
                longest(mine, time, site);
            }
        }
    }
}
