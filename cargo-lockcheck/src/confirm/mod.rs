//! Runs the tests of a finding again until what it tells of comes about, each thread held where the others are
//! to meet it.
//!
//! What a run has come to is told by the runtime as in any run: the threads did wait for each other, and the
//! process was ended there. So nothing is confirmed that did not happen. That no run has come to it proves
//! nothing; that the tests run and the finding is not there any more shows that it was cured.

pub mod positions;

mod standstill;

use std::collections::BTreeSet;
use std::fs;
use std::slice;

use lockdep::finding::{Rule, Tier};

use crate::build::runtime::Runtime;
use crate::cli::failure::Failure;
use crate::cli::phase::Phase;
use crate::cli::settings::Settings;
use crate::confirm::positions::Positions;
use crate::confirm::standstill::Standstill;
use crate::explain;
use crate::report::graph::LockOrder;
use crate::report::model::{Confirmation, Edge, Finding, Place, Report, can_happen};
use crate::report::naming::Syntax;
use crate::report::render::{self, Look};
use crate::report::sources::Sources;
use crate::report::wording;
use crate::run::collect::{self, Collected, Control, Then};
use crate::run::interrupts;
use crate::traces::analyze::{Analysis, analyze};
use crate::traces::lock_names::Names;
use crate::traces::merge::Merged;
use crate::traces::{self, symbols};

/// In so many runs the finding must be missing before it counts as cured.
const CURED: u32 = 3;

/// What came of the runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// A run has come to it.
    Reached,
    /// None has.
    NotReached,
    /// The tests do not show it any more; with a sentence on why, or on what holds now.
    Cured(String),
    /// The tests took none of its locks.
    NotTaken,
    /// Somebody has interrupted this process before.
    Interrupted,
}

impl Verdict {
    /// The verdict on `finding`, for people.
    pub fn text(&self, finding: &Finding, look: &Look<'_>) -> String {
        let id = &finding.id;
        match self {
            Verdict::Reached => {
                format!("{}\n{}", render::finding(finding, look), explain::stacks(finding))
            }
            Verdict::NotReached => {
                let runs = finding.confirmation.map_or(0, |confirmation| confirmation.runs);
                let runs = if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
                format!("{id}: not reached in {runs}, which proves nothing")
            }
            Verdict::Cured(why) => format!("{id}: cannot come about any more: {why}"),
            Verdict::Interrupted => format!("{id}: not known, as this was interrupted"),
            Verdict::NotTaken => {
                format!("{id}: the tests that have shown it do not take all of its locks any more")
            }
        }
    }
}

/// The findings of a report that are to be confirmed: those with these ids, or all that a run can come to.
///
/// # Errors
/// When there is none with such an id.
pub fn choose<'r>(report: &'r mut Report, ids: &[String]) -> Result<Vec<&'r mut Finding>, Failure> {
    if ids.is_empty() {
        let worth_it = |finding: &&mut Finding| Positions::are_worth_it(finding);
        return Ok(report.findings.iter_mut().filter(worth_it).collect());
    }
    let known = |report: &Report, id: &String| {
        let hidden = report.suppressed.iter().map(|hidden| &hidden.finding);
        report.findings.iter().chain(hidden).any(|finding| finding.id == *id)
    };
    if let Some(unknown) = ids.iter().find(|id| !known(report, id)) {
        return Err(explain::unknown(report, unknown));
    }
    let hidden = report.suppressed.iter_mut().map(|hidden| &mut hidden.finding);
    let all = report.findings.iter_mut().chain(hidden);
    Ok(all.filter(|finding| ids.contains(&finding.id)).collect())
}

/// Where and how tests are run again.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The check that they are a part of.
    pub settings: &'a Settings,
    /// The runtime under the program.
    pub runtime: &'a Runtime,
    /// The program's source.
    pub sources: &'a Sources,
    /// How many runs are made at most for a finding.
    pub runs: u32,
}

impl Ground<'_> {
    /// Runs the tests of `finding` until they come to it, and notes in it what came of that.
    ///
    /// # Errors
    /// When no run can come to it, or none can be made.
    pub fn confirm(&self, finding: &mut Finding) -> Result<Verdict, Failure> {
        if interrupts::is_interrupted() {
            return Ok(Verdict::Interrupted);
        }
        let mut positions = self.positions(finding)?;
        let mut latest = finding.clone();
        let mut missing: Option<(u32, Verdict)> = None;
        for run in 1..=self.runs {
            let what = format!("confirming {}: run {run} of {}", finding.id, self.runs);
            let phase = Phase::begin(what, self.settings.voice);
            let collected = self.run(&finding.tests, &positions.plan(run))?;
            let (merged, analysis) = self.analysis(&collected);
            if let Some(hang) = hang_of(&latest, &analysis) {
                // With the names of functions, which all other runs do without.
                _ = symbols::append(&collected.traces);
                let (_, analysis) = self.analysis(&collected);
                take_stacks(finding, &latest, hang_of(&latest, &analysis).unwrap_or(hang));
                wording::confirmed(finding, Confirmation { runs: run, reached: true });
                return Ok(Verdict::Reached);
            }
            drop(phase);
            if interrupts::is_interrupted() {
                return Ok(Verdict::Interrupted);
            }
            let now = analysis.findings.iter().find(|found| found.id == finding.id);
            // One that cannot happen anyway is tried all the same.
            let still = |now: &&Finding| can_happen(now.tier) || !can_happen(finding.tier);
            if let Some(now) = now.filter(still) {
                if let Ok(newer) = Positions::of(now) {
                    positions = newer;
                    latest = now.clone();
                }
                missing = None;
                continue;
            }
            if merged.processes.values().any(|process| !process.ended) {
                // It may only not have come so far.
                continue;
            }
            let times = missing.take().map_or(1, |(times, _)| times + 1);
            let verdict = self.without(finding, now, &merged, &analysis);
            if times >= CURED.min(self.runs) {
                return Ok(verdict);
            }
            missing = Some((times, verdict));
        }
        wording::confirmed(finding, Confirmation { runs: self.runs, reached: false });
        Ok(Verdict::NotReached)
    }

    /// Brings the finding about once more, and lets it stand until somebody ends this program or that. Returns
    /// whether it came about.
    ///
    /// # Errors
    /// When no run can come to it, or none can be made.
    pub fn replay(&self, finding: &Finding) -> Result<bool, Failure> {
        let positions = self.positions(finding)?;
        let first = finding.confirmation.filter(|it| it.reached).map_or(1, |it| it.runs);
        for run in (first..).take(self.runs as usize) {
            let standstill = Standstill::new(self.settings.workspace.clone());
            let control = Control {
                cargo_args: self.settings.cargo_args_for(&finding.tests),
                plan: &positions.plan(run),
                then: Then::Stand(&|traces| standstill.watch(traces)),
            };
            let collected = collect::run(self.settings, self.runtime, Some(&control))?;
            if let Some(failure) = collected.nothing_ran() {
                return Err(failure);
            }
            if standstill.was_seen() || interrupts::is_interrupted() {
                return Ok(standstill.was_seen());
            }
        }
        Ok(false)
    }

    fn positions(&self, finding: &Finding) -> Result<Positions, Failure> {
        Positions::of(finding).map_err(|why| {
            Failure::new(
                format!("`{}` cannot be brought about: {why}", finding.id),
                "`cargo lockcheck explain ID` has all that is known of a finding.",
            )
        })
    }

    fn run(&self, tests: &[String], plan: &str) -> Result<Collected, Failure> {
        let cargo_args = self.settings.cargo_args_for(tests);
        let control = Control { cargo_args, plan, then: Then::End };
        let collected = collect::run(self.settings, self.runtime, Some(&control))?;
        if let Some(failure) = collected.nothing_ran() {
            let said = collected.output.as_deref().and_then(|path| fs::read(path).ok());
            anstream::eprint!("{}", String::from_utf8_lossy(&said.unwrap_or_default()));
            return Err(failure);
        }
        Ok(collected)
    }

    fn analysis(&self, collected: &Collected) -> (Merged, Analysis) {
        let traces = slice::from_ref(&collected.traces);
        let (merged, _) = traces::read(traces, self.sources, &|_, _| {});
        let analysis = analyze(&merged, self.sources, &self.settings.lint.order);
        (merged, analysis)
    }

    /// What a run says that did not show the finding, or showed it as impossible (`now`).
    fn without(
        &self,
        finding: &Finding,
        now: Option<&Finding>,
        merged: &Merged,
        analysis: &Analysis,
    ) -> Verdict {
        if let Some(now) = now {
            let why = now.reason.clone();
            let why = why.unwrap_or_else(|| format!("its tier is `{}` now", now.tier));
            return Verdict::Cured(why);
        }
        let names = Names::of(&merged.classes, &Syntax::new(self.sources));
        let taken: BTreeSet<String> =
            merged.classes.iter().map(|class| names.get(class).unique).collect();
        let of_finding: BTreeSet<&str> =
            finding.locks.iter().map(|lock| without_number(&lock.name)).collect();
        if !of_finding.iter().all(|name| taken.contains(*name)) {
            return Verdict::NotTaken;
        }
        let graph = &analysis.order_graph;
        let name = |lock: usize| graph.locks.get(lock).map_or("", |lock| &*lock.name);
        let is_of_finding = |order: &&LockOrder| {
            of_finding.contains(name(order.from)) && of_finding.contains(name(order.to))
        };
        let orders = graph.orders.iter().filter(is_of_finding).map(|order| {
            let (from, to) = (name(order.from), name(order.to));
            let another = if from == to { "another " } else { "" };
            format!("`{from}` before {another}`{to}` (at {})", order.to_site)
        });
        let orders: Vec<String> = orders.collect();
        Verdict::Cured(match orders.as_slice() {
            [] => "none of its locks is taken under another any more".to_owned(),
            orders => format!("its locks are taken in one order: {}", orders.join(", ")),
        })
    }
}

/// A lock's name without the number that tells several of one class apart.
fn without_number(name: &str) -> &str {
    let Some((before, number)) = name.rsplit_once(" #") else { return name };
    if number.bytes().all(|byte| byte.is_ascii_digit()) { before } else { name }
}

/// The places of each thread of a circle: where it has its lock, and where it asks for the next. Several
/// threads may be at the same places.
fn links(finding: &Finding) -> Vec<(&Place, &Place)> {
    let mut links: Vec<(&Place, &Place)> =
        finding.edges.iter().map(|edge| (&edge.from_site, &edge.to_site)).collect();
    links.sort_unstable();
    links
}

/// The hang of a run that is the one which `finding` tells of.
fn hang_of<'a>(finding: &Finding, analysis: &'a Analysis) -> Option<&'a Finding> {
    let has_hung = |found: &&Finding| found.tier == Tier::Happened && !found.waits.is_empty();
    let asks: BTreeSet<&Place> = finding.edges.iter().map(|edge| &edge.to_site).collect();
    let is_it = |found: &&Finding| match finding.rule {
        Rule::LockOrder => links(finding) == links(found),
        _ => {
            let waits: BTreeSet<&Place> = found.waits.iter().map(|wait| &wait.site).collect();
            asks.is_subset(&waits)
        }
    };
    analysis.findings.iter().filter(has_hung).find(is_it)
}

/// Gives the finding what was last seen of it, and the stacks of the hang.
fn take_stacks(finding: &mut Finding, latest: &Finding, hang: &Finding) {
    if links(finding) != links(latest) {
        finding.edges.clone_from(&latest.edges);
        finding.locks.clone_from(&latest.locks);
        finding.message.clone_from(&latest.message);
        finding.at.clone_from(&latest.at);
    }
    for edge in &mut finding.edges {
        let place =
            |edge: &Edge| (edge.thread.clone(), edge.from_site.clone(), edge.to_site.clone());
        let mut seen = hang.edges.iter().filter(|seen| !seen.stack.is_empty());
        if let Some(seen) = seen.find(|seen| place(seen) == place(edge)) {
            edge.stack.clone_from(&seen.stack);
            edge.from_stack.clone_from(&seen.from_stack);
        }
    }
}
