//! Joins what the source shows with what recorded runs have shown.
//!
//! A finding of the source and one of a run are the same when rule and locks are, by name or by the
//! lines where they are taken. Of the two one remains, with both kinds of evidence and the surer
//! tier. A run that kept both sides apart says so of itself alone: what the source shows remains.
//! A cycle of the source whose orders were all taken by some run is marked as well, and where that
//! is not so, it says which have not run.

use std::collections::BTreeSet;

use lockdep::finding::Rule;

use crate::lint::Linted;
use crate::report::model::{Edge, Evidence, Finding, Place, Site, can_happen};
use crate::report::naming;
use crate::report::wording::class_name;
use crate::traces::analyze::Analysis;
use crate::traces::lock_names::Names;
use crate::traces::merge::Merged;

/// Orders that are named in the note on those that have not run.
const NAMED: usize = 5;

/// A line of a file.
type Line = (String, u32);

/// The orders of locks that runs have taken, by names and by the lines of both ends: a lock may have
/// another name in a run, such as that of a variable.
#[derive(Default)]
struct Taken {
    names: BTreeSet<(String, String)>,
    lines: BTreeSet<(Line, Line)>,
}

impl Taken {
    fn has(&self, from: &str, to: &str, from_site: &Place, to_site: &Place) -> bool {
        self.names.contains(&(from.to_owned(), to.to_owned()))
            || self.lines.contains(&(line(from_site), line(to_site)))
    }
}

fn line(place: &Place) -> Line {
    (place.file.clone(), place.line)
}

/// Adds what recorded runs show to what the lint has found.
pub fn join(linted: &mut Linted, recorded: Analysis, merged: &Merged, names: &Names) {
    let taken = taken(merged, names);
    for finding in &mut linted.findings {
        if finding.rule == Rule::LockOrder {
            mark(finding, &taken);
        }
    }
    for mut finding in recorded.findings {
        finding.evidence = vec![Evidence::Run];
        let key = key(&finding);
        let is_same =
            |known: &&mut Finding| self::key(known) == key || takes_the_same(known, &finding);
        match linted.findings.iter_mut().find(is_same) {
            Some(known) => *known = both(known, finding),
            None => linted.findings.push(finding),
        }
    }
    for finding in &mut linted.findings {
        finding.id.truncate(base(finding).len());
    }
    naming::number_namesakes(&mut linted.findings);
    for order in &mut linted.orders {
        order.seen = taken.has(&order.from, &order.to, &order.from_site, &order.to_site);
    }
    linted.notes.extend(recorded.notes);
    linted.notes.extend(never_run(linted));
    let lint = linted.coverage;
    linted.coverage = merged.coverage();
    linted.coverage.functions_analyzed = lint.functions_analyzed;
    linted.coverage.functions_skipped = lint.functions_skipped;
}

fn taken(merged: &Merged, names: &Names) -> Taken {
    let mut taken = Taken::default();
    for order in merged.orders.keys() {
        for held in &order.held {
            taken.names.insert((names.get(&held.class).plain, names.get(&order.lock.class).plain));
            taken.lines.insert((line(&held.site), line(&order.lock.site)));
        }
    }
    taken
}

/// The id without the number that tells namesakes apart.
fn base(finding: &Finding) -> &str {
    let length = finding.rule.code().len() + "-01234567".len();
    finding.id.get(..length).unwrap_or(&finding.id)
}

/// What two findings of the same locks have in common: the rule, and the cycle of their names. A
/// hang is the cycle that has come about. One about no lock has only its id.
fn key(finding: &Finding) -> (Rule, Vec<String>) {
    let hung = finding.rule == Rule::Deadlock && !finding.edges.is_empty();
    let in_edges = hung || finding.rule == Rule::LockOrder && !finding.edges.is_empty();
    let name = |lock: usize| class_name(&finding.locks[lock].name).to_owned();
    let names: Vec<String> = if in_edges {
        finding.edges.iter().map(|edge| name(edge.from)).collect()
    } else if finding.locks.is_empty() {
        vec![base(finding).to_owned()]
    } else {
        (0..finding.locks.len()).map(name).collect()
    };
    let rule = match (hung, names.len()) {
        (true, 1) => Rule::DoubleLock,
        (true, _) => Rule::LockOrder,
        _ => finding.rule,
    };
    (rule, naming::canonical(&names))
}

/// Marks a cycle of the source by which of its orders have run.
fn mark(finding: &mut Finding, taken: &Taken) {
    let name = |lock: usize| finding.locks[lock].name.clone();
    let has_run =
        |edge: &Edge| taken.has(&name(edge.from), &name(edge.to), &edge.from_site, &edge.to_site);
    let unwatched = finding.locks.iter().find(|lock| lock.unwatched);
    if let Some(lock) = unwatched {
        finding.notes.push(format!("runs do not watch `{}`, so none can show this", lock.name));
        return;
    }
    let unseen: Vec<&Edge> = finding.edges.iter().filter(|edge| !has_run(edge)).collect();
    let note = match unseen.as_slice() {
        [] => "recorded runs have taken each of these orders".to_owned(),
        unseen => {
            let orders = unseen.iter().map(|edge| {
                let (from, to) = (name(edge.from), name(edge.to));
                format!("`{to}` under `{from}`, as `{}` does", edge.thread)
            });
            let orders: Vec<String> = orders.collect();
            format!("no recorded run has taken {}", orders.join(", nor "))
        }
    };
    if unseen.is_empty() {
        finding.evidence.push(Evidence::Run);
    }
    finding.notes.push(note);
}

/// Whether two cycles are taken on the same lines.
fn takes_the_same(source: &Finding, run: &Finding) -> bool {
    let lines = |finding: &Finding| -> BTreeSet<(Line, Line)> {
        finding.edges.iter().map(|edge| (line(&edge.from_site), line(&edge.to_site))).collect()
    };
    let is_cycle = source.rule == Rule::LockOrder
        && matches!(run.rule, Rule::LockOrder | Rule::Deadlock)
        && !run.edges.is_empty();
    is_cycle && lines(source) == lines(run)
}

/// One finding out of one of the source and one of a run, which knows threads and a way there.
fn both(source: &Finding, mut run: Finding) -> Finding {
    let evidence = vec![Evidence::Source, Evidence::Run];
    if !can_happen(run.tier) {
        let mut both = Finding { evidence, ..source.clone() };
        let why = run.reason.unwrap_or_else(|| format!("it is `{}`", run.tier));
        both.notes.push(format!("in the recorded run it could not happen: {why}"));
        return both;
    }
    run.evidence = evidence;
    run.tier = run.tier.max(source.tier);
    run.notes.push("the source shows it too, without a run".to_owned());
    let ran: BTreeSet<Line> = run
        .edges
        .iter()
        .flat_map(|edge| [&edge.from_site, &edge.to_site])
        .chain(run.sites.iter().map(|site| &site.place))
        .chain(run.waits.iter().map(|wait| &wait.site))
        .map(line)
        .collect();
    let of_edges = source.edges.iter().map(|edge| {
        let [from, to] = [edge.from, edge.to].map(|lock| &source.locks[lock].name);
        let label = format!("in the source, `{}` takes `{to}` under `{from}`", edge.thread);
        Site { place: edge.to_site.clone(), label }
    });
    let of_sites = source.sites.iter().cloned();
    let is_new = |site: &Site| !ran.contains(&line(&site.place));
    let sites: Vec<Site> = of_edges.chain(of_sites).filter(is_new).collect();
    run.sites.extend(sites);
    run
}

/// A sentence on the orders of the source that no run has taken.
fn never_run(linted: &Linted) -> Option<String> {
    let unseen: Vec<String> = linted
        .orders
        .iter()
        .filter(|order| !order.seen && !order.unwatched)
        .map(|order| {
            let place = &order.to_site;
            format!("`{}` under `{}` ({}:{})", order.to, order.from, place.file, place.line)
        })
        .collect();
    if linted.orders.is_empty() {
        return None;
    }
    let unwatched = linted.orders.iter().filter(|order| order.unwatched).count();
    let all = linted.orders.len() - unwatched;
    let count = all - unseen.len();
    let mut note =
        format!("the recorded runs have taken {count} of the {all} orders of the source");
    if unwatched > 0 {
        note += &format!(" that runs can show ({unwatched} are of locks that they do not watch)");
    }
    if !unseen.is_empty() {
        note += &format!("; not {}", unseen[..unseen.len().min(NAMED)].join(", "));
    }
    if unseen.len() > NAMED {
        note += &format!(" and {} more, which the JSON report lists", unseen.len() - NAMED);
    }
    Some(note)
}
