//! What is predicted of recorded runs, as findings: with names, places, and the schedule that leads there.
//!
//! Circles of the same places are one finding, and so are those that share a place and are of the same
//! locks, or of the same threads: one change mends them.

mod reasons;
mod schedule;
mod subjects;

use std::collections::BTreeSet;

use lockdep::finding::{Rule, Tier};
use subjects::Subjects;

use super::std_format::StdTrace;
use crate::predict::recording::{self, EventId, ThreadId};
use crate::predict::{Apart, Awaited, Circle, Limits, Link, Prediction, predict};
use crate::report::model::{Coverage, Edge, Finding, Mode, can_happen};
use crate::report::naming::{self, Syntax};
use crate::report::wording;

/// What was found in recorded runs, and what limits it.
#[derive(Clone, Debug, Default)]
pub struct Predicted {
    /// The findings, without levels.
    pub findings: Vec<Finding>,
    /// How much was looked at.
    pub coverage: Coverage,
    /// Sentences on what was not looked at.
    pub notes: Vec<String>,
}

/// Predicts from each of `traces`.
pub fn analyze(traces: &[StdTrace], syntax: &Syntax<'_>, limits: Limits) -> Predicted {
    let mut predicted = Predicted::default();
    for trace in traces {
        let prediction = predict(&trace.recording, limits);
        let counts = prediction.counts;
        predicted.coverage.processes += 1;
        predicted.coverage.threads += counts.threads;
        predicted.coverage.locks += counts.locks;
        predicted.coverage.classes += counts.locks;
        predicted.coverage.edges += counts.orders;
        predicted.coverage.acquisitions += counts.acquisitions;
        predicted.notes.extend(reasons::limits(&trace.name, &prediction, limits));
        predicted.findings.extend(Teller::new(trace, syntax).findings(&prediction));
    }
    naming::number_namesakes(&mut predicted.findings);
    predicted
}

/// What tells one trace.
struct Teller<'a> {
    subjects: Subjects<'a>,
    syntax: &'a Syntax<'a>,
}

/// A circle that is told, and what others are told with it.
struct Told<'p> {
    circle: &'p Circle,
    sites: BTreeSet<[u32; 2]>,
    asked: BTreeSet<Awaited>,
    threads: BTreeSet<ThreadId>,
    count: u64,
    others: u64,
}

impl<'a> Teller<'a> {
    fn new(trace: &'a StdTrace, syntax: &'a Syntax<'a>) -> Teller<'a> {
        Teller { subjects: Subjects::of(trace), syntax }
    }

    fn findings(&self, prediction: &Prediction) -> Vec<Finding> {
        let mut told: Vec<Told<'_>> = Vec::new();
        for circle in &prediction.circles {
            let new = self.told(circle);
            let is_possible = can_happen(circle.sureness.tier);
            let alike = told.iter_mut().find(|known| {
                let both = can_happen(known.circle.sureness.tier) == is_possible;
                both && known.sites == new.sites && known.is_like(&new)
            });
            if let Some(known) = alike {
                known.count += 1;
                continue;
            }
            let kin = told.iter_mut().find(|known| {
                let both = can_happen(known.circle.sureness.tier) && is_possible;
                let shares = !known.sites.is_disjoint(&new.sites);
                both && shares && (known.asked == new.asked || known.threads == new.threads)
            });
            match kin {
                Some(known) => known.others += 1,
                None => told.push(new),
            }
        }
        told.iter().map(|told| self.finding(told)).collect()
    }

    fn told<'p>(&self, circle: &'p Circle) -> Told<'p> {
        let site = |event: EventId| self.subjects.recording.event(event).site.0;
        let links = || circle.links.iter();
        Told {
            circle,
            sites: links().map(|link| [site(link.held_at), site(link.request)]).collect(),
            asked: links().map(|link| link.asked).collect(),
            threads: links().map(|link| link.thread).collect(),
            count: 1,
            others: 0,
        }
    }

    fn finding(&self, told: &Told<'_>) -> Finding {
        let circle = told.circle;
        let mut what: Vec<Awaited> = circle.links.iter().map(|link| link.held).collect();
        let gate = match circle.sureness.apart {
            Some(Apart::Gate(lock) | Apart::GateOf(lock, _)) => Some(Awaited::Lock(lock)),
            _ => None,
        };
        what.extend(gate.filter(|gate| !what.contains(gate)));
        let is_lock = |what: &Awaited| matches!(what, Awaited::Lock(_));
        let rule = match circle.links.as_slice() {
            [_] => Rule::RecursiveRead,
            links if links.iter().all(|link| is_lock(&link.asked)) => Rule::LockOrder,
            _ => Rule::WaitWhileHolding,
        };
        let index = |of: Awaited| what.iter().position(|known| *known == of).unwrap_or_default();
        let mut finding = Finding {
            locks: what.iter().map(|of| self.subjects.lock(*of)).collect(),
            edges: circle
                .links
                .iter()
                .map(|link| self.edge(link, index(link.held), index(link.asked)))
                .collect(),
            count: told.count,
            reason: reasons::reason(&self.subjects, circle),
            notes: reasons::notes(&self.subjects, circle, told.others),
            witness: schedule::witness(&self.subjects, circle, &what),
            ..Finding::new(rule, circle.sureness.tier, "")
        };
        wording::word(&mut finding, &[], self.syntax);
        let keys: Vec<String> = finding.locks.iter().map(|lock| lock.name.clone()).collect();
        naming::identify(&mut finding, &keys[..circle.links.len()], self.syntax);
        finding
    }

    fn edge(&self, link: &Link, from: usize, to: usize) -> Edge {
        Edge {
            from,
            to,
            thread: self.subjects.thread(link.thread).to_owned(),
            process: None,
            function: self.syntax.function(&self.subjects.place(link.request)),
            from_mode: mode(link.held_mode),
            to_mode: mode(link.asked_mode),
            from_site: self.subjects.place(link.held_at),
            to_site: self.subjects.place(link.request),
            stack: Vec::new(),
            from_stack: Vec::new(),
        }
    }
}

impl Told<'_> {
    /// Whether the locks have the same parts in both, whoever's they are.
    fn is_like(&self, other: &Told<'_>) -> bool {
        self.circle.links.len() == other.circle.links.len()
            && (self.circle.sureness.tier == Tier::NeedsThread)
                == (other.circle.sureness.tier == Tier::NeedsThread)
    }
}

fn mode(mode: recording::Mode) -> Mode {
    match mode {
        recording::Mode::Write => Mode::Write,
        recording::Mode::Upgradable => Mode::Upgradable,
        recording::Mode::Read => Mode::Read,
    }
}
