//! A way in which a finding comes about, step by step: the schedule that was found for it, or else each
//! thread takes its first lock, then none gets its second.

use lockdep::finding::awaited;

use super::model::{Edge, Finding, Held, Mode, Place, Sort, Wait};
use super::witness::{Deed, Witness};
use super::wording;

/// The steps to a deadlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule<'f> {
    /// The threads by name, each once; one that would have to be in two places has another word.
    pub threads: Vec<String>,
    /// What they do, one after the other.
    pub steps: Vec<Step<'f>>,
}

/// One step of one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'f> {
    /// The thread, as an index of the schedule's threads.
    pub thread: usize,
    /// Whether it gets what it asks for.
    pub does: Does,
    /// The lock, as an index of the finding's locks; none for what has no name.
    pub lock: Option<usize>,
    /// What it does, in words without a subject.
    pub text: String,
    /// Where it does so.
    pub place: &'f Place,
    /// The frames around that place, innermost first; empty where they are not known.
    pub stack: &'f [String],
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It takes a lock, and has it from now on.
    Takes,
    /// It waits, and goes on no more.
    Waits,
    /// Something else that others depend on.
    Acts,
}

impl Schedule<'_> {
    /// The steps to what `finding` is about, whether it has happened or is warned of; nothing where
    /// no thread is known to wait.
    pub fn of(finding: &Finding) -> Option<Schedule<'_>> {
        let schedule = match finding.waits.as_slice() {
            [] => match &finding.witness {
                Some(witness) => of_witness(witness),
                None => of_edges(finding),
            },
            waits => of_waits(finding, waits),
        };
        (!schedule.steps.is_empty()).then_some(schedule)
    }
}

/// Whether the links of `finding` are a cycle of several threads that has not come about.
pub fn is_to_come(finding: &Finding) -> bool {
    let edges = &finding.edges;
    edges.len() > 1
        && finding.waits.is_empty()
        && edges.iter().zip(edges.iter().cycle().skip(1)).all(|(edge, next)| edge.to == next.from)
}

fn of_witness(witness: &Witness) -> Schedule<'_> {
    let mut threads: Vec<String> = Vec::new();
    let mut steps = Vec::with_capacity(witness.steps.len());
    for step in &witness.steps {
        let known = threads.iter().position(|thread| *thread == step.thread);
        let thread = known.unwrap_or_else(|| {
            threads.push(step.thread.clone());
            threads.len() - 1
        });
        let does = match step.does {
            Deed::Locks | Deed::Reads => Does::Takes,
            Deed::WaitsFor | Deed::WaitsToRead | Deed::WaitsToWrite => Does::Waits,
            _ => Does::Acts,
        };
        let text = step.does.words(&step.what);
        steps.push(Step { thread, does, lock: step.lock, text, place: &step.site, stack: &[] });
    }
    Schedule { threads, steps }
}

fn of_edges(finding: &Finding) -> Schedule<'_> {
    let mut threads: Vec<String> = Vec::new();
    for edge in &finding.edges {
        let known = threads.contains(&edge.thread);
        threads.push(if known { wording::ANOTHER.to_owned() } else { edge.thread.clone() });
    }
    // Nobody holds an event; who completes it has just not done so yet.
    let is_held = |(_, edge): &(usize, &Edge)| !wording::is_event(&finding.locks[edge.from]);
    let takes = finding.edges.iter().enumerate().filter(is_held).map(|(thread, edge)| Step {
        thread,
        does: Does::Takes,
        lock: Some(edge.from),
        text: taking(finding, edge.from, edge.from_mode),
        place: &edge.from_site,
        stack: &edge.from_stack,
    });
    let waits = finding.edges.iter().enumerate().map(|(thread, edge)| Step {
        thread,
        does: Does::Waits,
        lock: Some(edge.to),
        text: waiting(finding, edge.to, edge.to_mode),
        place: &edge.to_site,
        stack: &edge.stack,
    });
    Schedule { threads, steps: takes.chain(waits).collect() }
}

fn of_waits<'f>(finding: &'f Finding, waits: &'f [Wait]) -> Schedule<'f> {
    let is_awaited = |held: &&Held| waits.iter().any(|wait| wait.lock == Some(held.lock));
    let threads = waits.iter().map(|wait| wait.thread.clone()).collect();
    let takes = waits.iter().enumerate().flat_map(|(thread, wait)| {
        wait.held.iter().filter(is_awaited).map(move |held| Step {
            thread,
            does: Does::Takes,
            lock: Some(held.lock),
            text: taking(finding, held.lock, held.mode),
            place: &held.site,
            stack: &[],
        })
    });
    let waiting = waits.iter().enumerate().map(|(thread, wait)| Step {
        thread,
        does: Does::Waits,
        lock: wait.lock,
        text: match wording::tries(wait, finding) {
            true => format!("tries {} in vain", wording::awaited_by(wait, finding)),
            false => format!("waits for {}", wording::awaited_by(wait, finding)),
        },
        place: &wait.site,
        stack: &wait.stack,
    });
    Schedule { threads, steps: takes.chain(waiting).collect() }
}

fn taking(finding: &Finding, lock: usize, mode: Mode) -> String {
    let lock = &finding.locks[lock];
    let verb = match (lock.sort(), mode) {
        (Sort::ReadWrite, Mode::Read) => "reads",
        (Sort::ReadWrite, _) => "writes",
        _ => "locks",
    };
    format!("{verb} `{}`", lock.name)
}

fn waiting(finding: &Finding, lock: usize, mode: Mode) -> String {
    let lock = &finding.locks[lock];
    let verb = match (lock.sort(), mode) {
        (Sort::ReadWrite, Mode::Read) => "waits to read",
        (Sort::ReadWrite, Mode::Write) => "waits to write",
        _ => "waits for",
    };
    format!("{verb} {}", awaited(&lock.kind, &format!("`{}`", lock.name)))
}
