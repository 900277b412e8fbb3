//! `lock-order`: a cycle in the order graph of the classes.
//!
//! Every acquisition under another lock is an edge, with the function in which the two meet as its
//! witness. A cycle is reported when each of its links has a witness such that no two share a gate
//! lock, and its ends exclude each other. It is `reachable` when the witnesses name the same
//! objects: all static, all fields of one value, or all made by the one body that leads to all links;
//! known only by class it is `potential`. Of locks that one body makes, a link counts only while
//! another may be under way on another thread.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use lockdep::finding::{Rule, Tier};

use super::declared::Against;
use super::report::{edge, lock, site, site_in_macro};
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::EventKind;
use crate::lint::graphs::{components, shortest_way};
use crate::lint::order::edges::{Graph, Witness};
use crate::lint::order::exclusion::Exclusion;
use crate::lint::order::meeting::Meeting;
use crate::lint::summary::class::Class;
use crate::lint::summary::path::Root;
use crate::lint::summary::trail::thread;
use crate::lint::summary::{LockUse, innermost};
use crate::report::advice::{Link, link_to_change};
use crate::report::model::{Finding, Mode, Place};
use crate::report::wording;

/// Longest cycle that is looked for.
const LENGTH: usize = 6;

pub(crate) fn check(
    analyzed: &Analyzed<'_, '_>,
    exclusion: &Exclusion<'_, '_, '_>,
    graph: &Graph,
    against: &Against,
    findings: &mut Vec<Finding>,
) {
    let written = written(analyzed);
    let names: Vec<Arc<str>> = graph
        .keys()
        .flat_map(|(from, to)| [Arc::clone(from), Arc::clone(to)])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let number: HashMap<&str, usize> =
        names.iter().enumerate().map(|(number, name)| (&**name, number)).collect();
    let mut next = vec![Vec::new(); names.len()];
    for (from, to) in graph.keys() {
        next[number[&**from]].push(number[&**to] as u32);
    }
    let mut cycles: BTreeSet<(usize, Vec<usize>, Vec<usize>)> = BTreeSet::new();
    for component in components(&next) {
        if component.len() < 2 {
            continue;
        }
        let members: HashSet<usize> = component.iter().copied().collect();
        for &from in &component {
            for &to in &next[from] {
                let Some(cycle) = cycle(&next, &members, from, to as usize) else { continue };
                let mut members = cycle.clone();
                members.sort_unstable();
                cycles.insert((cycle.len(), members, cycle));
            }
        }
    }
    // Short ones first: a longer cycle around a shorter one says nothing new.
    let mut reported: Vec<Vec<usize>> = Vec::new();
    for (_, members, cycle) in cycles {
        if reported.iter().any(|known| known.iter().all(|at| members.contains(at))) {
            continue;
        }
        let classes: Vec<Arc<str>> = cycle.iter().map(|at| Arc::clone(&names[*at])).collect();
        let links = links(&classes, graph, against);
        if let Some(finding) = judge(analyzed, exclusion, graph, &written, (&classes, links)) {
            findings.push(finding);
            reported.push(members);
        }
    }
}

/// What there is to know of the links of a cycle, to tell which one to change.
fn links(classes: &[Arc<str>], graph: &Graph, against: &Against) -> Vec<Link> {
    let pairs = classes.iter().zip(classes.iter().cycle().skip(1));
    let link = |(from, to): (&Arc<str>, &Arc<str>)| {
        let pair = (Arc::clone(from), Arc::clone(to));
        let witnesses = graph.get(&pair).into_iter().flatten();
        let places = witnesses.clone().filter_map(|witness| {
            let [held, asked] = [&witness.held.1, &witness.asked.1].map(innermost);
            Some([Place::from(held?), Place::from(asked?)])
        });
        let name = |lock: &LockUse| lock.class.as_ref().map(|class| class.name.to_string());
        let names = witnesses.clone().next().map(|witness| {
            [&witness.held.0, &witness.asked.0].map(|lock| name(lock).unwrap_or_default())
        });
        Link {
            names: names.unwrap_or_default(),
            places: places.collect(),
            is_against: against.contains(&pair),
        }
    };
    pairs.map(link).collect()
}

/// The classes that are somewhere taken for writing.
fn written(analyzed: &Analyzed<'_, '_>) -> HashSet<Arc<str>> {
    let mut written = HashSet::new();
    for analysis in &analyzed.analyses {
        for event in &analysis.events {
            if let EventKind::Effect(Effect::Acquire(acquired, _)) = &event.kind
                && acquired.lock.mode != Mode::Read
            {
                written.extend(acquired.lock.class.as_ref().map(|class| Arc::clone(&class.key)));
            }
        }
    }
    written
}

/// The shortest cycle through a link.
fn cycle(
    next: &[Vec<u32>],
    members: &HashSet<usize>,
    from: usize,
    to: usize,
) -> Option<Vec<usize>> {
    let within =
        |at: usize| next[at].iter().map(|to| *to as usize).filter(|to| members.contains(to));
    let mut cycle = shortest_way(to, from, LENGTH - 1, within)?;
    cycle.push(from);
    Some(cycle)
}

/// The best witnesses of a cycle, as a finding.
fn judge(
    analyzed: &Analyzed<'_, '_>,
    exclusion: &Exclusion<'_, '_, '_>,
    graph: &Graph,
    written: &HashSet<Arc<str>>,
    (classes, mut links): (&[Arc<str>], Vec<Link>),
) -> Option<Finding> {
    let witnesses: Option<Vec<Vec<Witness>>> = (0..classes.len())
        .map(|at| {
            let to = &classes[(at + 1) % classes.len()];
            let mut link = graph.get(&(Arc::clone(&classes[at]), Arc::clone(to)))?.clone();
            link.iter_mut().for_each(|witness| witness.gates.extend(exclusion.gates(witness.body)));
            Some(link)
        })
        .collect();
    let witnesses = witnesses?;
    let mut best: Option<(Tier, Vec<&Witness>)> = None;
    let mut choice = vec![0usize; witnesses.len()];
    for _ in 0..512 {
        let chosen: Vec<&Witness> =
            witnesses.iter().zip(&choice).map(|(link, index)| &link[*index]).collect();
        if let Some(tier) = tier(exclusion, written, classes, &chosen)
            && best.as_ref().is_none_or(|(known, _)| *known < tier)
        {
            best = Some((tier, chosen));
        }
        // The next combination, like a number with a digit for each link.
        let Some(digit) =
            (0..choice.len()).find(|digit| choice[*digit] + 1 < witnesses[*digit].len())
        else {
            break;
        };
        choice[..digit].fill(0);
        choice[digit] += 1;
    }
    let (tier, mut chosen) = best?;
    // The advice is on the last one.
    let turn = (link_to_change(&links) + 1) % links.len();
    chosen.rotate_left(turn);
    links.rotate_left(turn);
    let mut finding = worded(analyzed, tier, &chosen);
    finding.help.extend(wording::break_cycle(&finding, links.last(), None));
    Some(finding)
}

/// How sure it is that these witnesses can meet, or nothing if they cannot block each other.
fn tier(
    exclusion: &Exclusion<'_, '_, '_>,
    written: &HashSet<Arc<str>>,
    classes: &[Arc<str>],
    chosen: &[&Witness],
) -> Option<Tier> {
    let is_ended =
        |witness: &Witness| chosen.iter().any(|other| exclusion.is_ended(witness, other));
    if chosen.iter().any(|witness| exclusion.owns_exclusively(witness) || is_ended(witness)) {
        return Some(Tier::Ordered);
    }
    let mut meeting = Meeting::Free;
    for (at, witness) in chosen.iter().enumerate() {
        for other in &chosen[at + 1..] {
            let known = exclusion
                .meeting(witness, other)
                .or_else(|| exclusion.meeting_of_callers(witness, other));
            meeting = meeting.min(known.unwrap_or(Meeting::Free));
        }
    }
    if meeting == Meeting::Never {
        return Some(Tier::Ordered);
    }
    let mut needs_writer = false;
    for (at, witness) in chosen.iter().enumerate() {
        let before = &chosen[(at + chosen.len() - 1) % chosen.len()].asked.0;
        if (before.mode, witness.held.0.mode) == (Mode::Read, Mode::Read) {
            if !written.contains(&classes[at]) {
                return None;
            }
            needs_writer = true;
        }
    }
    for (at, witness) in chosen.iter().enumerate() {
        for other in &chosen[at + 1..] {
            if witness.gates.iter().any(|gate| {
                other.gates.iter().any(|known| {
                    gate.class.is_some()
                        && gate.class == known.class
                        && gate.path.erased().parts == known.path.erased().parts
                        && (gate.mode, known.mode) != (Mode::Read, Mode::Read)
                })
            }) {
                return Some(Tier::Guarded);
            }
        }
    }
    if needs_writer {
        return Some(Tier::NeedsWriter);
    }
    if meeting == Meeting::Alone {
        return Some(Tier::NeedsThread);
    }
    let is_linked = chosen.iter().enumerate().all(|(at, witness)| {
        let (held, asked) = (&witness.held.0.path, &witness.asked.0.path);
        let next = &chosen[(at + 1) % chosen.len()].held.0.path;
        let same_root = match (&held.root, &asked.root) {
            (Root::Static(_), Root::Static(_)) => true,
            (Root::Param(a), Root::Param(b)) => a == b,
            _ => false,
        };
        let is_one_run = meeting == Meeting::Free
            && chosen.iter().all(|other| witness.body == other.body)
            && exclusion.are_made(witness)
            && *next == witness.asked.0.path;
        is_one_run
            || meeting == Meeting::Free
                && same_root
                && held.is_single()
                && asked.is_single()
                && asked.parts == next.parts
    });
    Some(if is_linked { Tier::Reachable } else { Tier::Potential })
}

/// The function in which two locks meet, or that of the thread on which they do.
fn function<'a>(analyzed: &'a Analyzed<'_, '_>, witness: &Witness) -> &'a str {
    let body = thread(&witness.trail).unwrap_or(witness.body);
    &analyzed.program.functions[body].display
}

fn worded(analyzed: &Analyzed<'_, '_>, tier: Tier, witnesses: &[&Witness]) -> Finding {
    let locks =
        witnesses.iter().map(|witness| lock(analyzed, witness.body, &witness.held.0)).collect();
    let count = witnesses.len();
    let edges = witnesses
        .iter()
        .enumerate()
        .map(|(at, witness)| {
            let function = function(analyzed, witness);
            let (held, asked) = (&witness.held, &witness.asked);
            edge((at, &held.0, &held.1), ((at + 1) % count, &asked.0, &asked.1), function)
        })
        .collect();
    let names: Vec<String> = witnesses
        .iter()
        .filter_map(|witness| witness.held.0.class.as_ref())
        .map(|class: &Class| format!("`{}`", class.name))
        .collect();
    let mut functions: Vec<String> =
        witnesses.iter().map(|witness| format!("`{}`", function(analyzed, witness))).collect();
    functions.dedup();
    let how = if count == 2 { "in opposite orders" } else { "in a cycle" };
    let message =
        format!("{} are locked {how} by {}", wording::list(names), wording::list(functions));
    let mut finding = Finding { locks, edges, ..Finding::new(Rule::LockOrder, tier, message) };
    for witness in witnesses {
        // The place in the function where the two meet, when the locks are taken further down.
        for chain in [&witness.held.1, &witness.asked.1] {
            let call = chain.first().zip(chain.get(1));
            let call = call.map(|(at, next)| site(at, format!("calls `{}`", next.function)));
            let in_macro = innermost(chain).and_then(site_in_macro);
            for site in call.into_iter().chain(in_macro) {
                if !finding.sites.contains(&site) {
                    finding.sites.push(site);
                }
            }
        }
    }
    match tier {
        Tier::Guarded => {
            finding.reason = Some("a lock that both sides hold keeps them apart".to_owned());
        }
        Tier::Ordered => {
            finding.reason = Some("one side has the locks for itself by then".to_owned());
        }
        Tier::Potential if witnesses.iter().all(|witness| is_local(&witness.held.0)) => {
            let note = "it blocks if nothing that the threads wait for keeps them apart";
            finding.notes.push(note.to_owned());
        }
        Tier::Potential => finding.notes.push(
            "the locks are known by what they are fields of: it blocks if both sides mean the \
             same ones"
                .to_owned(),
        ),
        Tier::NeedsThread => {
            let note = "one thread does all of it: it blocks once two do so at once";
            finding.notes.push(note.to_owned());
        }
        Tier::NeedsWriter => {
            finding.notes.push("the readers block each other once a writer waits".to_owned());
        }
        _ => {}
    }
    finding
}

/// Whether a lock is known as a variable of a function.
fn is_local(lock: &LockUse) -> bool {
    matches!(lock.path.root, Root::Local(_)) && lock.path.parts.is_empty()
}
