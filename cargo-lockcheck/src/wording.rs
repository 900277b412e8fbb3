//! The sentences of findings: what is wrong, with the names of locks and threads, and what to do.
//!
//! The rules that have a form of their own are worded here, in one manner for the runtime, the
//! merged traces and the source. For any other rule the sentence of whoever found it stands.

use std::collections::BTreeSet;

use lockdep::finding::{Rule, Tier};

use crate::model::{Edge, Finding, Mode};

/// Words `finding`: its message where its form is known here, and what to do about it.
pub fn word(finding: &mut Finding) {
    match finding.rule {
        Rule::LockOrder if finding.edges.len() > 1 => lock_order(finding),
        Rule::Deadlock if !finding.waits.is_empty() => deadlock(finding),
        Rule::DoubleLock | Rule::RecursiveRead if finding.edges.len() == 1 => same_lock(finding),
        _ => {}
    }
    if finding.message.is_empty() {
        let names = list(finding.locks.iter().map(|lock| &lock.name));
        finding.message = format!("{} on {names}", finding.rule);
    }
}

fn lock_order(finding: &mut Finding) {
    let name = |index: usize| &finding.locks[index].name;
    let names = list(finding.edges.iter().map(|edge| name(edge.from)));
    let threads: BTreeSet<&String> = finding.edges.iter().map(|edge| &edge.thread).collect();
    let by = match threads.len() {
        1 => format!("thread {}", list(threads)),
        _ => format!("threads {}", list(finding.edges.iter().map(|edge| &edge.thread))),
    };
    finding.message = match finding.edges.len() {
        2 => format!("{names} are locked in opposite orders by {by}"),
        _ => format!("{names} are locked in a cycle by {by}"),
    };

    let mut notes = Vec::new();
    let across = finding.edges.iter().filter_map(|edge| edge.process.as_ref());
    if across.clone().next().is_some() {
        let programs: BTreeSet<&String> = across.collect();
        let runs = if programs.len() == 1 { "runs" } else { "programs" };
        notes.push(format!(
            "no process did all of this: it is put together from different {runs} of {}",
            list(programs)
        ));
    }
    if finding.tier == Tier::Potential
        && finding.edges.iter().enumerate().any(|(at, edge)| {
            let next = &finding.edges[(at + 1) % finding.edges.len()];
            edge.to_mode == Mode::Read && next.from_mode == Mode::Read
        })
    {
        notes.push("both ends of a link only read: it blocks once a writer queues".to_owned());
    }
    if let Some(certainty) = certainty(finding.tier) {
        notes.push(certainty.to_owned());
    }
    if let Some(help) = break_cycle(finding) {
        finding.help.push(help);
    }
    finding.notes.append(&mut notes);
}

/// What a tier means for the reader, where that is not plain.
fn certainty(tier: Tier) -> Option<&'static str> {
    match tier {
        Tier::Reachable => Some("nothing seen in this run keeps these threads apart"),
        Tier::NeedsThread => Some(
            "one thread did all of this, which is safe; it blocks when two threads do it at once",
        ),
        Tier::NeedsWriter => Some("all of these only read: it blocks once a writer queues"),
        _ => None,
    }
}

/// Names the link to change: the last of the cycle, so that the order of the others stays.
fn break_cycle(finding: &Finding) -> Option<String> {
    let last = finding.edges.last()?;
    let held = &finding.locks[last.from].name;
    let asked = &finding.locks[last.to].name;
    let within = match &last.function {
        Some(function) => format!("in `{function}` "),
        None => String::new(),
    };
    if finding.edges.len() == 2 {
        Some(format!(
            "take `{asked}` before `{held}` everywhere: {within}lock `{asked}` (now {}) before \
             `{held}` (now {}), or release `{held}` first",
            last.to_site,
            line_of(&last.from_site, &last.to_site),
        ))
    } else {
        Some(format!(
            "break one link of the cycle: {within}release `{held}` (locked at {}) before \
             `{asked}` is locked at {}, or lock `{asked}` first",
            last.from_site,
            line_of(&last.to_site, &last.from_site),
        ))
    }
}

/// `line 7` when it is in the file just named, else the place.
fn line_of(place: &crate::model::Place, named: &crate::model::Place) -> String {
    if place.file == named.file { format!("line {}", place.line) } else { place.to_string() }
}

fn deadlock(finding: &mut Finding) {
    let threads = list(finding.waits.iter().map(|wait| &wait.thread));
    let mut awaited: Vec<&String> = Vec::new();
    for wait in &finding.waits {
        if let Some(lock) = wait.lock {
            awaited.push(&finding.locks[lock].name);
        }
    }
    let on = if awaited.is_empty() { String::new() } else { format!(" on {}", list(awaited)) };
    finding.message = match finding.waits.len() {
        1 => format!("thread {threads} waits for itself{on}"),
        _ => format!("threads {threads} wait for each other{on}"),
    };
    if finding.help.is_empty() {
        finding.help.push(
            "take these locks in one order in all threads, or release the first before waiting \
             for the next"
                .to_owned(),
        );
    }
}

fn same_lock(finding: &mut Finding) {
    let Edge { thread, from_mode, to_mode, from_site, to_site, .. } = &finding.edges[0];
    let name = &finding.locks[finding.edges[0].to].name;
    finding.message = match (finding.rule, from_mode, to_mode) {
        (Rule::RecursiveRead, ..) => format!("thread `{thread}` reads `{name}` twice at once"),
        (_, Mode::Read, Mode::Write) => {
            format!("thread `{thread}` asks to write `{name}` while it reads it")
        }
        (_, Mode::Write, Mode::Read) => {
            format!("thread `{thread}` asks to read `{name}` while it writes it")
        }
        _ => format!("thread `{thread}` locks `{name}`, which it holds already"),
    };
    if finding.rule == Rule::RecursiveRead {
        finding.notes.push(
            "a writer that queues between the two reads blocks the second, and waits for the first"
                .to_owned(),
        );
    }
    let first = line_of(from_site, to_site);
    finding.help.push(format!(
        "end the guard of {first} before {to_site} (`drop` it, or give it a block of its own), or \
         hand it on instead of locking again"
    ));
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and 3 more ``.
fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    const SHOWN: usize = 4;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= SHOWN => format!("{} and {last}", first.join(", ")),
        many => format!("{} and {} more", many[..SHOWN - 1].join(", "), many.len() - SHOWN + 1),
    }
}
