//! What the page shows, as data: the report, and what is told of it that is not in the report itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lockdep::finding::{Rule, Tier};
use pulldown_cmark::{Options, Parser, html};
use serde::Serialize;

use crate::report::model::{Coverage, Finding, Level, Place, Report, Standstill, Tool};
use crate::report::render::look::Look;
use crate::report::render::text;
use crate::report::rules::{self, RULES};
use crate::report::schedule::{Does, Schedule};
use crate::report::tiers;
use crate::report::times::LockTimes;
use crate::report::wording::class_name;

/// As many lines are quoted before and after a place.
const AROUND: usize = 3;

/// Everything that the page shows.
#[derive(Serialize)]
pub(super) struct Page<'r> {
    tool: &'r Tool,
    summary: String,
    coverage: &'r Coverage,
    findings: Vec<Shown<'r>>,
    rules: BTreeMap<&'static str, RuleText>,
    tiers: BTreeMap<&'static str, &'static str>,
    graph: Graph<'r>,
    times: &'r [LockTimes],
    standstills: &'r [Standstill],
    warnings: &'r [String],
    notes: &'r [String],
    /// The lines around each place that is named, by the place's text.
    sources: BTreeMap<String, Excerpt>,
}

/// A finding, with what the page says of it.
#[derive(Serialize)]
struct Shown<'r> {
    #[serde(flatten)]
    finding: &'r Finding,
    /// Why it is not counted, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    uncounted: Option<&'r str>,
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<ShownSchedule<'r>>,
    /// What to do.
    advice: Vec<&'r str>,
    /// Its locks in the graph; none where they are not in it.
    nodes: Vec<Option<usize>>,
}

#[derive(Serialize)]
struct ShownSchedule<'r> {
    threads: Vec<String>,
    steps: Vec<ShownStep<'r>>,
}

#[derive(Serialize)]
struct ShownStep<'r> {
    thread: usize,
    waits: bool,
    lock: Option<&'r str>,
    text: String,
    place: String,
    stack: &'r [String],
}

/// What there is to say of a rule.
#[derive(Serialize)]
struct RuleText {
    level: Level,
    found: &'static str,
    summary: &'static str,
    /// The explanation, as HTML.
    html: String,
}

#[derive(Serialize)]
struct Graph<'r> {
    locks: Vec<Node<'r>>,
    orders: Vec<Link>,
}

#[derive(Serialize)]
struct Node<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cycle: Option<usize>,
}

#[derive(Serialize)]
struct Link {
    from: usize,
    to: usize,
    held: String,
    asked: String,
    ways: u64,
    cycle: bool,
}

/// Lines of a file.
#[derive(Serialize)]
struct Excerpt {
    first: usize,
    lines: Vec<String>,
}

impl<'r> Page<'r> {
    pub(super) fn of(report: &'r Report, look: &Look<'_>) -> Page<'r> {
        let nodes = nodes_by_name(report);
        let show = |finding, uncounted| shown(finding, uncounted, &nodes);
        let counted = report.findings.iter().map(|finding| show(finding, None));
        let others = report.suppressed.iter();
        let others = others.map(|one| show(&one.finding, Some(one.reason.as_str())));
        let findings: Vec<Shown<'r>> = counted.chain(others).collect();
        let used: BTreeSet<Rule> = findings.iter().map(|shown| shown.finding.rule).collect();
        let rules = RULES.iter().filter(|info| used.contains(&info.rule)).map(|info| {
            let text = RuleText {
                level: info.level,
                found: info.by.words(),
                summary: info.summary,
                html: as_html(info.explanation),
            };
            (info.rule.code(), text)
        });
        Page {
            tool: &report.tool,
            summary: text::summary(report, look.show),
            coverage: &report.coverage,
            sources: excerpts(&findings, look),
            rules: rules.collect(),
            tiers: Tier::ALL.iter().map(|tier| (tier.code(), tiers::meaning(*tier))).collect(),
            graph: graph(report),
            times: &report.times,
            standstills: &report.standstills,
            warnings: &report.warnings,
            notes: &report.notes,
            findings,
        }
    }
}

/// The indices of the graph's locks, by name.
fn nodes_by_name(report: &Report) -> HashMap<&str, usize> {
    let names = report.order_graph.locks.iter().enumerate();
    names.map(|(index, lock)| (lock.name.as_str(), index)).collect()
}

fn shown<'r>(
    finding: &'r Finding,
    uncounted: Option<&'r str>,
    nodes: &HashMap<&str, usize>,
) -> Shown<'r> {
    let place = finding.at.as_ref().or_else(|| finding.place());
    let schedule = Schedule::of(finding).map(|schedule| {
        let steps = schedule.steps.into_iter().map(|step| ShownStep {
            thread: step.thread,
            waits: step.does == Does::Waits,
            lock: step.lock.map(|lock| finding.locks[lock].name.as_str()),
            text: step.text,
            place: step.place.to_string(),
            stack: step.stack,
        });
        ShownSchedule { threads: schedule.threads, steps: steps.collect() }
    });
    let advice = match finding.help.as_slice() {
        [] => vec![rules::info(finding.rule).cure],
        help => help.iter().map(String::as_str).collect(),
    };
    let node = |name: &str| nodes.get(name).or_else(|| nodes.get(class_name(name))).copied();
    Shown {
        finding,
        uncounted,
        place: place.map(ToString::to_string),
        schedule,
        advice,
        nodes: finding.locks.iter().map(|lock| node(&lock.name)).collect(),
    }
}

fn graph(report: &Report) -> Graph<'_> {
    let marked = report.order_graph.marked();
    let locks = marked.node_weights().map(|marked| Node {
        name: &marked.lock.name,
        kind: marked.lock.kind.as_deref(),
        package: marked.lock.package.as_deref(),
        created: marked.lock.created.as_ref().map(ToString::to_string),
        cycle: marked.cycle,
    });
    let orders = marked.edge_weights().map(|marked| Link {
        from: marked.order.from,
        to: marked.order.to,
        held: marked.order.from_site.to_string(),
        asked: marked.order.to_site.to_string(),
        ways: marked.order.ways,
        cycle: marked.is_in_cycle,
    });
    Graph { locks: locks.collect(), orders: orders.collect() }
}

/// The lines around all places that findings name.
fn excerpts(findings: &[Shown<'_>], look: &Look<'_>) -> BTreeMap<String, Excerpt> {
    let places: BTreeSet<&Place> =
        findings.iter().flat_map(|shown| shown.finding.places()).collect();
    let quoted = places.into_iter().filter_map(|place| {
        let text = look.sources.text(&place.file)?;
        let line = (place.line as usize).checked_sub(1)?;
        let first = line.saturating_sub(AROUND);
        let lines: Vec<String> =
            text.lines().skip(first).take(line - first + AROUND + 1).map(str::to_owned).collect();
        // A place behind the end of its file is one of another version of it.
        (lines.len() > line - first)
            .then(|| (place.to_string(), Excerpt { first: first + 1, lines }))
    });
    quoted.collect()
}

fn as_html(markdown: &str) -> String {
    let mut text = String::new();
    html::push_html(&mut text, Parser::new_ext(markdown, Options::ENABLE_TABLES));
    text
}
