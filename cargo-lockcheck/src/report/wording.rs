//! The sentences of findings: what is wrong, with the names of locks and threads, and what to do.
//!
//! The rules that have a form of their own are worded here, in one manner for the runtime, the
//! merged traces and the source. For any other rule the sentence of whoever found it stands.

use std::collections::BTreeSet;

use lockdep::finding::{Rule, Tier, awaited, completes};

use super::advice::Link;
use super::model::{
    Awaited, Confirmation, Edge, Finding, Held, Lock, Mode, Place, Site, Sort, Wait, can_happen,
};
use super::naming::Syntax;
use super::rules;

/// A thread that would have to be there for one that cannot be in two places at once.
pub const ANOTHER: &str = "another thread";

/// Words `finding`: its message where its form is known here, and what to do about it.
/// `links` are those of its cycle, if it is one.
pub fn word(finding: &mut Finding, links: &[Link], syntax: &Syntax<'_>) {
    match finding.rule {
        Rule::LockOrder if finding.edges.len() > 1 => lock_order(finding, links, syntax),
        Rule::Deadlock if !finding.waits.is_empty() => deadlock(finding, links, syntax),
        Rule::Livelock if !finding.waits.is_empty() => livelock(finding),
        Rule::DoubleLock | Rule::RecursiveRead if finding.edges.len() == 1 => {
            same_lock(finding, syntax);
        }
        Rule::SameClassNesting if !finding.edges.is_empty() => nesting(finding),
        Rule::DeclaredOrder if finding.edges.len() == 1 => declared_order(finding, syntax),
        Rule::WaitWhileHolding if finding.edges.len() > 1 => waits_in_a_cycle(finding),
        Rule::WaitWhileHolding | Rule::StuckWait if !finding.waits.is_empty() => stuck(finding),
        Rule::Futurelock if !finding.waits.is_empty() => futurelock(finding),
        _ => {}
    }
    if finding.message.is_empty() {
        let names = list(finding.locks.iter().map(|lock| code(&lock.name)));
        finding.message = format!("{} on {names}", finding.rule);
    }
}

/// A thread in a sentence: `` thread `name` ``, or where it was spawned if it has no name.
pub fn thread(label: &str) -> String {
    if is_description(label) { format!("the {label}") } else { format!("thread {}", code(label)) }
}

/// A thread as the subject of a clause in which it is plain that a thread is meant: its name alone.
pub fn subject(label: &str) -> String {
    if label == ANOTHER {
        label.to_owned()
    } else if is_description(label) {
        format!("the {label}")
    } else {
        code(label)
    }
}

/// Several threads in a sentence, each once.
pub fn threads<'a>(labels: impl Iterator<Item = &'a String>) -> String {
    let mut distinct: Vec<&String> = Vec::new();
    for label in labels {
        if !distinct.contains(&label) {
            distinct.push(label);
        }
    }
    let spawned = |kind: &str| -> Option<Vec<String>> {
        let places = distinct
            .iter()
            .map(|label| label.strip_prefix(kind)?.strip_prefix(SPAWNED).map(str::to_owned));
        places.collect()
    };
    let places = KINDS.iter().find_map(|kind| Some((kind, spawned(kind)?)));
    match (distinct.as_slice(), places) {
        ([one], _) => thread(one),
        (_, Some((kind, places))) => format!("the {kind}s{SPAWNED}{}", list(places)),
        (many, _) if many.iter().any(|label| is_description(label)) => {
            list(many.iter().map(|label| thread(label)))
        }
        (many, _) => format!("threads {}", list(many.iter().map(|label| code(label)))),
    }
}

/// Whether it is no name but a description that the reader of traces has made.
fn is_description(label: &str) -> bool {
    let number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    KINDS
        .iter()
        .filter_map(|kind| label.strip_prefix(kind))
        .any(|rest| rest.starts_with(SPAWNED) || rest.strip_prefix(" ").is_some_and(number))
}

/// What a thread is called by the reader of traces where it has no name, followed by where it was spawned or
/// by its number.
const KINDS: [&str; 2] = ["thread", "task"];
/// See [`KINDS`].
const SPAWNED: &str = " spawned at ";

fn lock_order(finding: &mut Finding, links: &[Link], syntax: &Syntax<'_>) {
    let names = list(finding.edges.iter().map(|edge| code(&finding.locks[edge.from].name)));
    let by = threads(finding.edges.iter().map(|edge| &edge.thread));
    finding.message = match finding.edges.len() {
        2 => format!("{names} are locked in opposite orders by {by}"),
        _ => format!("{names} are locked in a cycle by {by}"),
    };

    let programs: BTreeSet<&String> =
        finding.edges.iter().filter_map(|edge| edge.process.as_ref()).collect();
    let mut notes = Vec::new();
    if !programs.is_empty() {
        let runs = if programs.len() == 1 { "runs" } else { "programs" };
        let programs = list(programs.into_iter().map(|program| code(program)));
        notes.push(format!(
            "no process did all of this: it is put together from different {runs}, {programs}"
        ));
    }
    let only_reads = finding
        .edges
        .iter()
        .zip(finding.edges.iter().cycle().skip(1))
        .any(|(edge, next)| (edge.to_mode, next.from_mode) == (Mode::Read, Mode::Read));
    if finding.tier == Tier::Potential && only_reads {
        notes.push("both sides of one lock only read: it blocks once a writer queues".to_owned());
    }
    notes.extend(certainty(finding.tier).map(str::to_owned));
    finding.notes.append(&mut notes);
    if can_happen(finding.tier) {
        finding.help.extend(break_cycle(finding, links.last(), Some(syntax)));
    }
}

/// Notes what came of runs that were to come to it, in place of what was noted of earlier ones.
pub fn confirmed(finding: &mut Finding, confirmation: Confirmation) {
    let before = finding.confirmation.replace(confirmation).map(came_of);
    finding.notes.retain(|note| Some(note) != before.as_ref());
    if confirmation.reached {
        let less = certainty(finding.tier);
        finding.notes.retain(|note| Some(note.as_str()) != less);
        finding.tier = finding.tier.max(Tier::Confirmed);
    }
    finding.notes.push(came_of(confirmation));
}

fn came_of(Confirmation { runs, reached }: Confirmation) -> String {
    match (reached, runs) {
        (true, 1) => "a run under control has come to it, at the first attempt".to_owned(),
        (true, _) => format!("a run under control has come to it, at attempt {runs}"),
        (false, 1) => "1 run under control has not come to it, which proves nothing".to_owned(),
        (false, _) => {
            format!("{runs} runs under control have not come to it, which proves nothing")
        }
    }
}

/// What a tier means for the reader, where that is not plain.
fn certainty(tier: Tier) -> Option<&'static str> {
    match tier {
        Tier::Reachable => Some("nothing seen in this run keeps these threads apart"),
        Tier::Predicted => {
            Some("this schedule is made of steps of the recorded run, and was checked step by step")
        }
        Tier::NeedsThread => Some(
            "one thread did all of this, which is safe; it blocks when two threads do it at once",
        ),
        Tier::NeedsWriter => Some("all of these only read: it blocks once a writer queues"),
        _ => None,
    }
}

/// Names the link to change: the last of the cycle, so that the order of the others stays; `link` says where
/// it is taken.
pub fn break_cycle(
    finding: &Finding,
    link: Option<&Link>,
    syntax: Option<&Syntax<'_>>,
) -> Option<String> {
    let last = finding.edges.last()?;
    let sites = |edge: &Edge| (edge.from_site.clone(), edge.to_site.clone());
    let (held, asked) = (&finding.locks[last.from].name, &finding.locks[last.to].name);
    let within = match holder(last, syntax).or(last.function.clone()) {
        Some(holder) => format!("in `{holder}` "),
        None => String::new(),
    };
    let elsewhere = link.map(|link| link.elsewhere(&last.to_site)).unwrap_or_default();
    let elsewhere: Vec<String> =
        elsewhere.into_iter().map(|(file, line)| format!("{file}:{line}")).collect();
    let also = match elsewhere.as_slice() {
        [] => String::new(),
        [one] => format!("; the same at {one}"),
        [most @ .., last] => format!("; the same at {} and {last}", most.join(", ")),
    };
    Some(if finding.edges.iter().all(|edge| sites(edge) == sites(last)) {
        format!(
            "the same two lines, {} and {}, take these locks in either order: sort the locks by a \
             key of their own before locking them",
            last.from_site,
            line_of(&last.to_site, &last.from_site),
        )
    } else if finding.edges.len() > 2 {
        format!(
            "break one link of the cycle: {within}release `{held}` (locked at {}) before \
             `{asked}` is locked at {}, or lock `{asked}` first{also}",
            last.from_site,
            line_of(&last.to_site, &last.from_site),
        )
    } else {
        let swap = swap(finding, last, syntax);
        format!("take `{asked}` before `{held}` everywhere: {swap}{also}")
    })
}

/// The function that holds the first lock, which may call the one that asks for the other: for a run
/// `syntax` tells it, a finding of the source names it.
fn holder(edge: &Edge, syntax: Option<&Syntax<'_>>) -> Option<String> {
    match syntax {
        Some(syntax) => syntax.function(&taken_at(edge, Some(syntax))),
        None => Some(edge.thread.clone()),
    }
}

/// Where the function that holds the first lock got it: for a run the call that led there, where the lock was
/// acquired by a function that has returned.
fn taken_at(edge: &Edge, syntax: Option<&Syntax<'_>>) -> Place {
    let call = || Place::of_frame(edge.frames_before().last()?);
    syntax.and_then(|_| call()).unwrap_or_else(|| edge.from_site.clone())
}

/// How to take the lock that is asked for before the one that is held.
fn swap(finding: &Finding, edge: &Edge, syntax: Option<&Syntax<'_>>) -> String {
    let (held, asked) = (&finding.locks[edge.from].name, &finding.locks[edge.to].name);
    let taken_at = taken_at(edge, syntax);
    let from = line_of(&taken_at, &edge.to_site);
    let holder = holder(edge, syntax);
    if let (Some(holder), Some(function)) = (&holder, &edge.function)
        && holder != function
    {
        return format!(
            "in `{holder}` lock `{asked}` (now {}, in `{function}`) before `{held}` (now {from}), or \
             release `{held}` before `{function}` is called",
            edge.to_site,
        );
    }
    let within = match &edge.function {
        Some(function) => format!("in `{function}` "),
        None => String::new(),
    };
    if taken_at.file == edge.to_site.file && taken_at.line == edge.to_site.line {
        format!("{within}swap the two at {}, or release `{held}` first", edge.to_site)
    } else {
        format!(
            "{within}lock `{asked}` (now {}) before `{held}` (now {from}), or release `{held}` first",
            edge.to_site,
        )
    }
}

/// The runtime says what is declared; the thread is called as everywhere in the report.
fn declared_order(finding: &mut Finding, syntax: &Syntax<'_>) {
    let edge = &finding.edges[0];
    if let Some((_, asks)) = finding.message.split_once(" asks for ") {
        finding.message = format!("{} asks for {asks}", thread(&edge.thread));
    }
    if finding.message.ends_with("which `lock_all!` takes after it") {
        let held = code(&finding.locks[finding.edges[0].from].name);
        finding.help.push(format!(
            "take all of these locks in one `lock_all!`, or release {held} before this one"
        ));
    } else {
        in_declared_order(finding, Some(syntax));
    }
}

/// How to keep to the declared order, or to change it.
pub fn in_declared_order(finding: &mut Finding, syntax: Option<&Syntax<'_>>) {
    let help = swap(finding, &finding.edges[0], syntax);
    finding.help.push(match finding.sites.first() {
        Some(site) => format!("{help}; or change what is declared at {}", site.place),
        None => help,
    });
}

/// `line 7` when it is in the file just named, else the place.
fn line_of(place: &Place, named: &Place) -> String {
    if place.file == named.file { format!("line {}", place.line) } else { place.to_string() }
}

fn deadlock(finding: &mut Finding, links: &[Link], syntax: &Syntax<'_>) {
    let waiting = threads(finding.waits.iter().map(|wait| &wait.thread));
    let awaited = awaited_locks(finding);
    let on = match awaited.len() {
        0 => String::new(),
        _ => format!(" on {}", list(awaited.iter().map(|lock| code(&finding.locks[*lock].name)))),
    };
    finding.message = match finding.waits.len() {
        1 => format!("{waiting} waits for itself{on}"),
        _ => format!("{waiting} wait for each other{on}"),
    };
    release_first(finding);
    if finding.edges.len() > 1 && finding.edges.len() == finding.waits.len() {
        finding.help.extend(break_cycle(finding, links.last(), Some(syntax)));
    }
    if finding.waits.iter().all(|wait| wait.awaited == Awaited::Join) {
        let cure = "let one thread that none of these waits for join the others";
        finding.help.push(cure.to_owned());
    }
}

/// The locks that are waited for, in the order of the threads that do.
fn awaited_locks(finding: &Finding) -> Vec<usize> {
    let mut awaited: Vec<usize> = Vec::new();
    for lock in finding.waits.iter().filter_map(|wait| wait.lock) {
        if !awaited.contains(&lock) {
            awaited.push(lock);
        }
    }
    awaited
}

fn livelock(finding: &mut Finding) {
    let names = list(awaited_locks(finding).iter().map(|lock| code(&finding.locks[*lock].name)));
    let by = threads(finding.waits.iter().map(|wait| &wait.thread));
    if !finding.waits.iter().all(|wait| tries(wait, finding)) {
        finding.message = format!("{by} wait for each other on {names}, which is tried in vain");
        release_first(finding);
        return;
    }
    finding.message = format!("{by} keep failing on each other's locks, {names}");
    // How many exactly says more of the machine than of the program.
    finding.notes.push(
        "dozens of rounds in a row brought none of them further; with a random pause between \
         rounds hardly any thread has more than three"
            .to_owned(),
    );
    finding.help.push(
        "block for the locks in one order, or let each thread wait for a random time before it \
         tries again"
            .to_owned(),
    );
}

/// Names the locks that are held by threads that wait for no lock.
fn release_first(finding: &mut Finding) {
    let needed = |held: &&Held| finding.waits.iter().any(|wait| wait.lock == Some(held.lock));
    for wait in finding.waits.iter().filter(|wait| wait.lock.is_none()) {
        if let Some(held) = wait.held.iter().find(needed) {
            let name = &finding.locks[held.lock].name;
            let before = match wait.awaited {
                Awaited::Task => format!("the end of the task spawned at {} is awaited", wait.site),
                _ => format!("the wait at {}", wait.site),
            };
            finding.help.push(format!("release `{name}` before {before}"));
        }
    }
}

/// Whether the thread does not block for the lock but tries it again and again.
pub fn tries(wait: &Wait, finding: &Finding) -> bool {
    let here = |site: &Site| site.place == wait.site && site.label.starts_with("tries ");
    finding.sites.iter().any(here)
}

/// Whether it is something that threads wait for and nobody holds.
pub fn is_event(lock: &Lock) -> bool {
    completes(&lock.kind).is_some()
}

/// Whether the place of the wait is that where what is waited for was created, as the other is not known.
pub fn is_of_creation(wait: &Wait, finding: &Finding) -> bool {
    let created = wait.lock.map(|lock| &finding.locks[lock].created);
    wait.awaited == Awaited::Event && created == Some(&wait.site)
}

/// What the thread of `wait` waits for, after "waits for".
pub fn awaited_by(wait: &Wait, finding: &Finding) -> String {
    match (wait.lock, wait.awaited) {
        (Some(lock), _) => {
            let lock = &finding.locks[lock];
            awaited(&lock.kind, &code(&lock.name))
        }
        (None, Awaited::Join) if finding.waits.len() == 2 => "the other to end".to_owned(),
        (None, Awaited::Join) => "a thread to end".to_owned(),
        (None, Awaited::Task) => format!("the end of the task spawned at {}", wait.site),
        (None, Awaited::Lock) => "a lock".to_owned(),
        (None, Awaited::Event) => "an unpark".to_owned(),
    }
}

/// A thread waits for an event with a lock that is needed for the event; the one that waits is put
/// first.
fn waits_in_a_cycle(finding: &mut Finding) {
    let Some(at) = finding.edges.iter().position(|edge| is_event(&finding.locks[edge.to])) else {
        return;
    };
    finding.edges.rotate_left(at);
    let (waiter, other) = (&finding.edges[0], &finding.edges[1]);
    let [held, event, needed] = [waiter.from, waiter.to, other.to].map(|lock| &finding.locks[lock]);
    let needs = match held == needed {
        true => format!(", which {} needs before it", thread(&other.thread)),
        false => format!(", and {} needs `{}` before it", thread(&other.thread), needed.name),
    };
    finding.message = format!(
        "{} waits for {} while it holds `{}`{needs} {}",
        thread(&waiter.thread),
        awaited(&event.kind, &code(&event.name)),
        held.name,
        completes(&event.kind).unwrap_or("completes that"),
    );
    finding.help.push(format!(
        "release `{}` (locked at {}) before the wait at {}",
        held.name,
        waiter.from_site,
        line_of(&waiter.to_site, &waiter.from_site),
    ));
}

/// Threads wait, one of them for an event, and nobody is left to bring that about.
fn futurelock(finding: &mut Finding) {
    let wait = &finding.waits[0];
    let Some(lock) = wait.lock.map(|lock| code(&finding.locks[lock].name)) else { return };
    finding.message = format!(
        "{} waits for {lock}, which was given to another of its futures, one that it polls no more",
        thread(&wait.thread)
    );
    if finding.sites.iter().all(|site| site.place == wait.site) {
        finding.notes.push("both futures have asked for it at this place".to_owned());
    }
    finding.notes.push(format!(
        "only a poll of that future could take {lock} and release it, and nothing wakes the task for that"
    ));
}

fn stuck(finding: &mut Finding) {
    let needed = |lock: usize| finding.waits.iter().any(|wait| wait.lock == Some(lock));
    let blocks = |wait: &Wait| wait.held.iter().find(|held| needed(held.lock)).cloned();
    let mut events = finding.waits.iter().filter(|wait| wait.awaited == Awaited::Event);
    let waiting = finding.waits.iter().filter(|wait| wait.awaited != Awaited::Lock);
    let holder = { waiting }.find_map(|wait| Some((wait, blocks(wait)?)));
    if let Some((wait, held)) = holder.filter(|_| finding.rule == Rule::WaitWhileHolding) {
        let name = &finding.locks[held.lock].name;
        let needing = finding.waits.iter().filter(|other| other.lock == Some(held.lock));
        let verb = if needing.clone().count() > 1 { "need" } else { "needs" };
        finding.message = format!(
            "{} waits for {} while it holds `{name}`, which {} {verb} first: none can go on",
            thread(&wait.thread),
            awaited_by(wait, finding),
            threads(needing.map(|other| &other.thread)),
        );
        let before = match wait.awaited {
            Awaited::Task => "the end of that task is awaited".to_owned(),
            _ if is_of_creation(wait, finding) => "that wait".to_owned(),
            _ => format!("the wait at {}", line_of(&wait.site, &held.site)),
        };
        finding.help.push(format!("release `{name}` (locked at {}) before {before}", held.site));
        return;
    }
    let Some(wait) = events.next().or(finding.waits.first()) else { return };
    let event = wait.lock.map(|lock| finding.locks[lock].sort());
    let (nobody, cure) = match event {
        Some(Sort::Condvar) => (
            "to notify it",
            "check the predicate, in a loop and under the mutex, before each wait, as `wait_while` \
             does: a notification that comes before the wait is lost",
        ),
        Some(Sort::Channel) => (
            "at that end",
            "drop every sender, and every receiver, that its owner does not use any more: the \
             others then see the end of the channel instead of waiting",
        ),
        Some(Sort::Barrier) => {
            ("to get there", "make the barrier for as many threads as come to it in each round")
        }
        None if wait.awaited == Awaited::Event => (
            "to unpark it",
            "park in a loop over a flag that the other thread sets before it unparks: several \
             unparks before one park count as one",
        ),
        _ => ("to bring that about", rules::info(finding.rule).cure),
    };
    finding.message = format!(
        "{} waits for {}, and no thread is left {nobody}",
        thread(&wait.thread),
        awaited_by(wait, finding),
    );
    finding.help.push(cure.to_owned());
}

fn nesting(finding: &mut Finding) {
    let name = class_name(&finding.locks[0].name);
    let by = threads(finding.edges.iter().map(|edge| &edge.thread));
    finding.message =
        format!("several locks called `{name}` are held together in no consistent order by {by}");
}

/// The name of a lock without the number that tells it from others of its class.
pub fn class_name(name: &str) -> &str {
    name.rsplit_once(" #").map_or(name, |(name, _)| name)
}

fn same_lock(finding: &mut Finding, syntax: &Syntax<'_>) {
    let Edge { thread: label, from_mode, to_mode, from_site, to_site, stack, .. } =
        &finding.edges[0];
    let (thread, name) = (thread(label), &finding.locks[finding.edges[0].to].name);
    finding.message = match (finding.rule, from_mode, to_mode) {
        (Rule::RecursiveRead, ..) => format!("{thread} reads `{name}` while it reads it already"),
        (_, Mode::Read, Mode::Write) => {
            format!("{thread} asks to write `{name}` while it reads it")
        }
        (_, Mode::Write, Mode::Read) => {
            format!("{thread} asks to read `{name}` while it writes it")
        }
        _ => format!("{thread} locks `{name}`, which it holds already"),
    };
    if finding.rule == Rule::RecursiveRead {
        finding.notes.push(
            "a writer that queues between the two reads blocks the second, and waits for the first"
                .to_owned(),
        );
    }
    // The guard must end where its own function goes on to what locks again.
    let holder = syntax.function(from_site);
    let leaves = stack
        .iter()
        .filter_map(|frame| Place::of_frame(frame))
        .find(|place| holder.is_some() && syntax.function(place) == holder)
        .unwrap_or_else(|| to_site.clone());
    let same_line = (&leaves.file, leaves.line) == (&from_site.file, from_site.line);
    finding.help.push(if from_site == to_site {
        format!(
            "one thread comes to {from_site} a second time while its first guard lives: end the \
             guard before anything that can lead there again"
        )
    } else if same_line {
        format!(
            "both guards live at once at {from_site}, for a temporary lives to the end of its \
             statement: take what you need of the first in a statement of its own"
        )
    } else {
        format!(
            "end the guard taken at {from_site} before {}, or, where it is needed after that, hand it \
             on instead of locking again",
            line_of(&leaves, from_site),
        )
    });
}

fn code(name: &str) -> String {
    format!("`{name}`")
}

/// `a`, `a and b`, `a, b and 3 more`.
pub fn list(items: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 4;
    let items: Vec<String> = items.into_iter().collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if items.len() <= SHOWN => format!("{} and {last}", first.join(", ")),
        many => format!("{} and {} more", many[..SHOWN - 1].join(", "), many.len() - SHOWN + 1),
    }
}
