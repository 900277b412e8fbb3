//! How long locks were waited for and held, by class, and a sentence for each; empty unless the
//! processes were asked to count.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::report::model::Place;
use crate::report::times::{LockTimes, Longest};
use crate::traces::lock_names::Names;
use crate::traces::merge::Process;
use crate::traces::trace::{Class, ProcessKey, Times};

/// As many classes are shown: those that were waited for most.
const SHOWN: usize = 20;

/// The times of all processes together, those of the classes that were waited for most first.
pub(super) struct Contention<'m>(Vec<(&'m Arc<Class>, Times)>);

impl Contention<'_> {
    pub(super) fn of(processes: &BTreeMap<ProcessKey, Process>) -> Contention<'_> {
        let mut all: BTreeMap<&Arc<Class>, Times> = BTreeMap::new();
        for (class, times) in processes.values().flat_map(|process| &process.times) {
            add(all.entry(class).or_default(), times);
        }
        let mut all: Vec<(&Arc<Class>, Times)> = all.into_iter().collect();
        all.sort_by_key(|(_, times)| Reverse((times.contended, times.acquisitions)));
        Contention(all)
    }

    pub(super) fn notes(&self, names: &Names) -> Vec<String> {
        let more = self.0.len().saturating_sub(SHOWN);
        let shown = self.0.iter().take(SHOWN);
        let mut notes: Vec<String> =
            shown.map(|(class, times)| sentence(&names.get(class).unique, times)).collect();
        if more > 0 {
            notes.push(format!("{more} more classes of locks were waited for less"));
        }
        notes
    }

    pub(super) fn times(&self, names: &Names) -> Vec<LockTimes> {
        let longest = |known: &Option<(u64, Arc<Place>)>| {
            let (ns, site) = known.as_ref()?;
            Some(Longest { ns: *ns, site: Place::clone(site) })
        };
        let times = |(class, times): &(&Arc<Class>, Times)| LockTimes {
            lock: names.get(class).unique,
            acquisitions: times.acquisitions,
            contended: times.contended,
            wait: times.wait.clone(),
            hold: times.hold.clone(),
            longest_wait: longest(&times.longest_wait),
            longest_hold: longest(&times.longest_hold),
        };
        self.0.iter().map(times).collect()
    }
}

fn add(sum: &mut Times, times: &Times) {
    sum.acquisitions += times.acquisitions;
    sum.contended += times.contended;
    for (sum, counts) in [(&mut sum.wait, &times.wait), (&mut sum.hold, &times.hold)] {
        sum.resize(sum.len().max(counts.len()), 0);
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    for (sum, most) in [
        (&mut sum.longest_wait, &times.longest_wait),
        (&mut sum.longest_hold, &times.longest_hold),
        (&mut sum.most_bypassed, &times.most_bypassed),
    ] {
        *sum = most.clone().max(sum.take());
    }
}

fn sentence(name: &str, times: &Times) -> String {
    let Times { acquisitions, contended, .. } = times;
    let waits = match &times.longest_wait {
        Some(longest) if *contended == 1 => format!("1 had to wait, {}", at(longest)),
        Some(longest) => {
            let half =
                half_of(&times.wait, longest.0, |half| format!("half of them less than {half}"));
            format!("{contended} had to wait, {half}the longest {}", at(longest))
        }
        None => "none had to wait".to_owned(),
    };
    let bypassed = times.most_bypassed.as_ref().map_or(String::new(), |(times, place)| {
        format!("; others went first {times} times during one wait, at {place}")
    });
    let holds = times.longest_hold.as_ref().map_or(String::new(), |longest| {
        let half =
            half_of(&times.hold, longest.0, |half| format!("for less than {half} half the time"));
        format!("; held {half}the longest {}", at(longest))
    });
    format!("`{name}` was acquired {acquisitions} times: {waits}{bypassed}{holds}")
}

fn at((nanos, place): &(u64, Arc<Place>)) -> String {
    format!("{:.1?} at {place}", Duration::from_nanos(*nanos))
}

/// What is said of half of the times; nothing where that is no less than the longest.
fn half_of(counts: &[u64], longest: u64, say: impl FnOnce(String) -> String) -> String {
    match median(counts) {
        half if half < longest => say(format!("{:.1?}", Duration::from_nanos(half))) + ", ",
        _ => String::new(),
    }
}

/// The end of the power of two that the middle one is in.
fn median(counts: &[u64]) -> u64 {
    let half = counts.iter().sum::<u64>().div_ceil(2).max(1);
    let mut below = 0;
    let middle = counts.iter().position(|count| {
        below += count;
        below >= half
    });
    2_u64.saturating_pow(middle.unwrap_or(0) as u32 + 1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Place, Times, add, sentence};

    #[test]
    fn processes_are_added_up() {
        let place = |line| Arc::new(Place { file: "src/a.rs".to_owned(), line, column: 5 });
        let mut sum = Times::default();
        let longest_wait = Some((9, place(1)));
        let longest_hold = Some((7, place(2)));
        let one = Times {
            acquisitions: 2,
            contended: 1,
            wait: vec![0, 0, 0, 1],
            hold: vec![0, 2],
            longest_wait,
            longest_hold,
            most_bypassed: Some((3, place(1))),
        };
        add(&mut sum, &one);
        let others = "; others went first 3 times during one wait, at src/a.rs:1; held for less than \
                      4.0ns half the time, the longest 7.0ns at src/a.rs:2";
        assert_eq!(
            sentence("Bank.accounts", &sum),
            format!(
                "`Bank.accounts` was acquired 2 times: 1 had to wait, 9.0ns at src/a.rs:1{others}"
            )
        );
        let two = Times { contended: 2, wait: vec![0, 2], ..Times::default() };
        add(&mut sum, &two);
        assert_eq!(
            sentence("Bank.accounts", &sum),
            format!(
                "`Bank.accounts` was acquired 2 times: 3 had to wait, half of them less than 4.0ns, \
                 the longest 9.0ns at src/a.rs:1{others}"
            )
        );
    }
}
