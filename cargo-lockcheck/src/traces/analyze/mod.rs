//! From merged traces to findings: those of single processes, and those that only several processes
//! together show.
//!
//! A pure function of the traces; the source is read only to name things. What is shown and how
//! severe it is gets decided later, in [`crate::report::classify`].

mod contention;
mod cross;
mod gone;
mod standing;
mod still_waiting;
mod told_once;
mod ways;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use lockdep::finding::Rule;

use super::merge::{Merged, MergedFound, Process};
use super::trace::{self, Class, Found, Order, ProcessKey, Thread};
use crate::report::advice::{Link, link_to_change};
use crate::report::graph::{GraphLock, OrderGraph};
use crate::report::model::{Awaited, Edge, Finding, Held, Lock, Place, Site, Standstill, Wait};
use crate::report::naming::{self, Syntax};
use crate::report::sources::Sources;
use crate::report::times::LockTimes;
use crate::report::wording;
use crate::traces::lock_names::Names;
use contention::Contention;
use ways::Ways;

/// What was found, and what limits it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// The findings, without levels.
    pub findings: Vec<Finding>,
    /// The locks that were taken together, and in which orders.
    pub order_graph: OrderGraph,
    /// How long locks were waited for and held, where the processes have counted.
    pub times: Vec<LockTimes>,
    /// Processes that did not end by themselves.
    pub standstills: Vec<Standstill>,
    /// Sentences on what could not be recorded or searched.
    pub notes: Vec<String>,
}

/// Turns everything that `merged` holds into findings. Each list of `told` has names of locks in the order
/// in which they are to be taken.
pub fn analyze(merged: &Merged, sources: &Sources, told: &[Vec<String>]) -> Analysis {
    let syntax = Syntax::new(sources);
    let names = Names::of(&merged.classes, &syntax);
    let builder = Builder {
        processes: &merged.processes,
        names: &names,
        syntax: &syntax,
        ways: Ways::of(merged, &names, told),
    };
    let cross = cross::cycles(merged);
    let single = merged
        .findings
        .values()
        .map(|MergedFound { found, counts }| builder.finding(found, counts.values().sum()));
    let across = cross.found.iter().map(|found| builder.finding(found, 1));
    let mut findings: Vec<Finding> = single.chain(across).collect();
    findings.sort_by_cached_key(order);
    told_once::join_cycles(&mut findings);
    told_once::fold(&mut findings);
    naming::number_namesakes(&mut findings);
    findings.sort_by_cached_key(order);
    let mut notes = merged.notes();
    if !cross.complete {
        notes.push(
            "the search for cycles across processes stopped at its bound: there may be more, \
             longer ones"
                .to_owned(),
        );
    }
    notes.extend(gone::note(&findings, sources));
    notes.extend(still_waiting::note(&merged.processes, &names));
    let contention = Contention::of(&merged.processes);
    notes.extend(contention.notes(&names));
    let times = contention.times(&names);
    let standstills = standing::standstills(&merged.processes, &names);
    let order_graph = order_graph(merged, &names);
    Analysis { findings, order_graph, times, standstills, notes }
}

/// Every order that was seen, whether or not a finding is about it.
fn order_graph(merged: &Merged, names: &Names) -> OrderGraph {
    let classes: Vec<&Arc<Class>> = merged.classes.iter().collect();
    let index = |class: &Arc<Class>| classes.binary_search(&class).unwrap_or_default();
    let lock = |class: &&Arc<Class>| GraphLock {
        name: names.get(class).unique,
        kind: Some(class.kind.clone()),
        created: Some(class.created.clone()),
        package: None,
    };
    let locks: Vec<GraphLock> = classes.iter().map(lock).collect();
    let mut links = Vec::new();
    for Order { lock: asked, held } in merged.orders.keys() {
        let to = index(&asked.class);
        links.extend(
            held.iter().map(|held| ([index(&held.class), to], [&*held.site, &*asked.site])),
        );
    }
    OrderGraph::of(&locks, &mut links)
}

/// An order of findings, by their places in the source, that does not depend on that of traces.
fn order(finding: &Finding) -> impl Ord + use<> {
    let edges = finding.edges.iter().map(|edge| [edge.from_site.clone(), edge.to_site.clone()]);
    let sites = finding.sites.iter().map(|site| site.place.clone());
    (edges.collect::<Vec<_>>(), sites.collect::<Vec<_>>(), finding.id.clone())
}

struct Builder<'a> {
    processes: &'a BTreeMap<ProcessKey, Process>,
    names: &'a Names,
    syntax: &'a Syntax<'a>,
    ways: Ways<'a>,
}

impl Builder<'_> {
    fn finding(&self, found: &Found, count: u64) -> Finding {
        let threads = Threads::of(found);
        let mut classes = found.locks.clone();
        let waits = self.waits(found, &threads, &mut classes);
        let names = self.names(found, &classes);
        let program = |thread: &Thread| {
            let process = self.processes.get(&thread.process)?;
            threads.of_several_processes.then(|| process.program.clone())
        };
        let edges = found.edges.iter().map(|edge| Edge {
            from: edge.from,
            to: edge.to,
            thread: threads.name(&edge.thread),
            process: program(&edge.thread),
            function: self.syntax.function(&edge.to_site),
            from_mode: edge.from_mode,
            to_mode: edge.to_mode,
            from_site: Place::clone(&edge.from_site),
            to_site: Place::clone(&edge.to_site),
            stack: edge.stack.clone(),
            from_stack: edge.from_stack.clone(),
        });
        let sites = found.sites.iter().map(|(place, label)| {
            let place = Place::clone(place);
            Site { place, label: fill(label, &names) }
        });
        let mut finding = Finding {
            edges: edges.collect(),
            sites: sites.collect(),
            waits,
            count,
            reason: found.reason.as_ref().map(|reason| fill(reason, &names)),
            notes: found.notes.iter().map(|note| fill(note, &names)).collect(),
            message: fill(&found.message, &names),
            locks: classes.iter().zip(names).map(|(class, name)| lock(class, name)).collect(),
            ..Finding::new(found.rule, found.tier, "")
        };
        steady(&mut finding);
        let links = self.change_last(found, &mut finding);
        wording::word(&mut finding, &links, self.syntax);
        let keys = found.locks.iter().map(|class| self.names.get(class).key);
        naming::identify(&mut finding, &keys.collect::<Vec<_>>(), self.syntax);
        finding
    }

    /// Turns a cycle of locks so that the link to change is the last one; gives its links.
    fn change_last(&self, found: &Found, finding: &mut Finding) -> Vec<Link> {
        let edges = &mut finding.edges;
        let next = edges.iter().cycle().skip(1);
        let is_cycle = edges.len() > 1 && edges.iter().zip(next).all(|(a, b)| a.to == b.from);
        if !is_cycle || !matches!(finding.rule, Rule::LockOrder | Rule::Deadlock) {
            return Vec::new();
        }
        let link = |edge: &Edge| {
            let classes = (&*found.locks[edge.from], &*found.locks[edge.to]);
            let names = [edge.from, edge.to].map(|lock| finding.locks[lock].name.clone());
            self.ways.link(classes, [edge.from_site.clone(), edge.to_site.clone()], names)
        };
        let mut links: Vec<Link> = edges.iter().map(link).collect();
        let turn = (link_to_change(&links) + 1) % links.len();
        edges.rotate_left(turn);
        links.rotate_left(turn);
        links
    }

    fn waits(
        &self,
        found: &Found,
        threads: &Threads<'_>,
        classes: &mut Vec<Arc<Class>>,
    ) -> Vec<Wait> {
        let mut index = |class: &Arc<Class>| {
            classes.iter().position(|known| known == class).unwrap_or_else(|| {
                classes.push(Arc::clone(class));
                classes.len() - 1
            })
        };
        let edge_of = |wait: &trace::Wait| {
            found.edges.iter().find(|edge| edge.thread == wait.thread && edge.to_site == wait.site)
        };
        let wait = |wait: &trace::Wait| Wait {
            thread: threads.name(&wait.thread),
            awaited: wait.awaited,
            lock: wait.lock,
            function: self.syntax.function(&wait.site),
            site: Place::clone(&wait.site),
            held: wait
                .held
                .iter()
                .map(|(hold, among)| Held {
                    lock: among.unwrap_or_else(|| index(&hold.class)),
                    mode: hold.mode,
                    site: Place::clone(&hold.site),
                })
                .collect(),
            stack: edge_of(wait).map(|edge| edge.stack.clone()).unwrap_or_default(),
        };
        found.waits.iter().map(wait).collect()
    }

    /// The names of the locks of one finding; several of one class are told apart by number.
    fn names(&self, found: &Found, classes: &[Arc<Class>]) -> Vec<String> {
        let lock = |at: usize| (&classes[at], found.instances.get(at).copied().unwrap_or(0));
        let mut names = Vec::with_capacity(classes.len());
        for at in 0..classes.len() {
            let name = self.names.get(&classes[at]).unique;
            let mut namesakes: Vec<_> =
                (0..classes.len()).map(lock).filter(|other| other.0 == lock(at).0).collect();
            let mut seen = BTreeSet::new();
            namesakes.retain(|other| seen.insert(other.1));
            let number = namesakes.iter().position(|other| *other == lock(at));
            names.push(match number {
                Some(number) if namesakes.len() > 1 => format!("{name} #{}", number + 1),
                _ => name,
            });
        }
        names
    }
}

/// Puts the threads of a hang into an order that does not depend on which of them came last: a cycle
/// stays a cycle, and of other threads those that wait for an event come first.
fn steady(finding: &mut Finding) {
    if finding.rule == Rule::Deadlock {
        rotate(&mut finding.waits, |wait| (wait.site.clone(), wait.thread.clone()));
        rotate(&mut finding.edges, |edge| (edge.to_site.clone(), edge.thread.clone()));
    } else {
        let key =
            |wait: &Wait| (wait.awaited != Awaited::Event, wait.site.clone(), wait.thread.clone());
        finding.waits.sort_by_key(key);
    }
}

/// Begins a cycle with its least part.
fn rotate<T, K: Ord>(cycle: &mut [T], key: impl Fn(&T) -> K) {
    if let Some(first) = (0..cycle.len()).min_by_key(|&at| key(&cycle[at])) {
        cycle.rotate_left(first);
    }
}

fn lock(class: &Class, name: String) -> Lock {
    let Class { created, kind, ty, .. } = class.clone();
    Lock { name, kind, ty, created, unwatched: false }
}

/// Puts names for `{0}`, `{1}`, ... of a sentence.
fn fill(sentence: &str, names: &[String]) -> String {
    let mut filled = sentence.to_owned();
    for (index, name) in names.iter().enumerate() {
        for placeholder in [format!("`{{{index}}}`"), format!("{{{index}}}")] {
            filled = filled.replace(&placeholder, &format!("`{name}`"));
        }
    }
    filled
}

/// The threads of one finding, told apart by number when they have the same name.
struct Threads<'a> {
    threads: Vec<&'a Thread>,
    of_several_processes: bool,
}

impl<'a> Threads<'a> {
    fn of(found: &'a Found) -> Threads<'a> {
        let all = || {
            let edges = found.edges.iter().map(|edge| &edge.thread);
            edges.chain(found.waits.iter().map(|wait| &wait.thread))
        };
        let mut threads: Vec<&Thread> = Vec::new();
        for thread in all() {
            if !threads.contains(&thread) {
                threads.push(thread);
            }
        }
        let of_several_processes =
            threads.windows(2).any(|pair| pair[0].process != pair[1].process);
        Threads { threads, of_several_processes }
    }

    fn name(&self, thread: &Thread) -> String {
        let mut namesakes = self.threads.iter().filter(|other| other.label == thread.label);
        if namesakes.clone().count() < 2 {
            return thread.label.clone();
        }
        let position = namesakes.position(|other| *other == thread).unwrap_or_default();
        format!("{} #{}", thread.label, position + 1)
    }
}
