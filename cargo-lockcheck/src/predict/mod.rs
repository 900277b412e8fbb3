//! Deadlocks that another schedule of a recorded run leads to: events in, verdicts out.
//!
//! A [`Recording`] is the steps of one run. [`predict`] finds the circles of threads in which each asks for
//! what the next one holds, and says of each how sure it is. For `predicted` there is a schedule of what was
//! recorded, checked step by step, at the end of which the threads wait for each other. What is called
//! impossible (`guarded`, `ordered`, `refuted`) is so in every schedule of the recorded steps; why is said.
//!
//! Only what was recorded is known: a variable that is not recorded may keep threads apart, and what this
//! run did not do is not seen. Circles through signals are `potential` at most.
//!
//! After Bensalem and Havelund (lock graphs), Cai and Chan (what cannot be on a circle is left out), Zhou and
//! others (signals as what is held on the way to them), Sulzmann (the order that releases make). What decides
//! is the saturation of what must be before the last holds, and the search for a schedule in what is left.

mod check;
mod clocks;
mod constraints;
mod cut;
mod dependencies;
mod history;
mod incoming;
mod instances;
mod judge;
mod nearby;
mod patterns;
mod places;
pub mod recording;
mod release_order;
mod saturation;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use lockdep::finding::Tier;

pub use self::check::Schedule;
pub use self::dependencies::Awaited;
pub use self::saturation::Contradiction;

use self::dependencies::{Dependencies, Dependency, held_at};
use self::history::History;
use self::judge::{Judge, is_signal};
use self::patterns::{Bounds, Obstacle, Pattern, find};
use self::recording::{EventId, LockId, Mode, Recording, SignalKind, ThreadId};

/// How much is done before the search gives up, which the result says.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most threads of a circle.
    pub length: usize,
    /// Most steps of the search for circles among locks that hang together, for each length.
    pub steps: usize,
    /// Most circles among locks that hang together.
    pub circles: usize,
    /// Most ways in which one circle can come about that are tried.
    pub ways: usize,
    /// Most choices that the search for one schedule takes back.
    pub backtracks: u32,
    /// Most work altogether: about one for each step of the recording that is looked at for a circle.
    pub work: u64,
    /// What is added to that for each step of the recording.
    pub work_per_step: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            length: 6,
            steps: 1_000_000,
            circles: 10_000,
            ways: 16,
            backtracks: 3_000,
            work: 20_000_000,
            work_per_step: 4,
        }
    }
}

/// What was found in one recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prediction {
    /// The circles, surest first.
    pub circles: Vec<Circle>,
    /// All circles of up to so many threads were looked at.
    pub complete_to: usize,
    /// Circles that nothing more could be found out about, as the work was more than is allowed.
    pub undecided: usize,
    /// Circles left out as another thread gives the signal too, and needs none of these locks for it.
    pub given_by_others: usize,
    /// Whether a thread did so much before a signal that not all of that was looked at.
    pub is_cut: bool,
    /// What was looked at.
    pub counts: Counts,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Threads with steps of their own.
    pub threads: u64,
    /// Locks that were taken.
    pub locks: u64,
    /// Acquisitions.
    pub acquisitions: u64,
    /// Pairs of locks of which one was asked for while the other was held.
    pub orders: u64,
}

/// A circle: each link's thread asks for what the next link's thread holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The links.
    pub links: Vec<Link>,
    /// Steps at which writers wait that make a read of the circle wait.
    pub writers: Vec<EventId>,
    /// How sure it is.
    pub sureness: Sureness,
}

/// One thread's part in a circle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The thread.
    pub thread: ThreadId,
    /// What it holds that the one before waits for.
    pub held: Awaited,
    /// How.
    pub held_mode: Mode,
    /// The step with which it came to hold that. For a signal, the last step before which it must be given:
    /// the first signal after the request.
    pub held_at: EventId,
    /// What it asks for.
    pub asked: Awaited,
    /// How.
    pub asked_mode: Mode,
    /// The step with which it asks.
    pub request: EventId,
}

/// How sure a circle is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sureness {
    /// The tier.
    pub tier: Tier,
    /// What keeps the threads apart, in every schedule or in this run.
    pub apart: Option<Apart>,
    /// Steps after which the threads stand at their requests. For `reachable` they keep to locks, spawns,
    /// joins and signals, and not to what was read from variables.
    pub schedule: Option<Schedule>,
    /// Whether there are more ways in which it may come about than were tried.
    pub is_cut: bool,
}

impl Sureness {
    fn of(tier: Tier) -> Sureness {
        Sureness { tier, apart: None, schedule: None, is_cut: false }
    }

    fn apart(tier: Tier, apart: Apart) -> Sureness {
        Sureness { apart: Some(apart), ..Sureness::of(tier) }
    }
}

/// What keeps the threads of a circle apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Two of them hold this lock.
    Gate(LockId),
    /// This thread holds the lock while one of them runs, and another needs it too.
    GateOf(LockId, ThreadId),
    /// One has ended before the other is spawned, or comes after it.
    SpawnAndJoin,
    /// The order in which locks that they have in common are given back.
    Releases,
    /// A notification, a message or a barrier; with `other`, one that another thread could have given.
    Signals {
        /// Whether another thread could have given it.
        other: bool,
    },
    /// What one of them read from a variable that the other wrote.
    Data,
    /// No writer can wait while they read.
    NoWriter,
    /// What must have happened before contradicts itself.
    Contradiction(Contradiction),
}

/// Finds the circles of `recording`.
pub fn predict(recording: &Recording, limits: Limits) -> Prediction {
    let history = History::of(recording);
    let dependencies = Dependencies::of(&history);
    let bounds = Bounds { length: limits.length, steps: limits.steps, circles: limits.circles };
    let found = find(recording, &dependencies.all, bounds);
    let mut prediction = Prediction {
        complete_to: found.complete_to,
        is_cut: dependencies.is_cut,
        counts: counts(&history, &dependencies),
        ..Prediction::default()
    };
    if found.patterns.is_empty() {
        return prediction;
    }
    let Some(mut judge) = Judge::new(&history, &dependencies, limits) else {
        prediction.undecided = found.patterns.len();
        return prediction;
    };
    for pattern in &found.patterns {
        if !is_worth_a_word(&dependencies.all, pattern) {
            continue;
        }
        if is_given_by_others(recording, &dependencies, pattern) {
            prediction.given_by_others += 1;
            continue;
        }
        for requests in places::parts(&history, &dependencies.all, pattern) {
            prediction.undecided += usize::from(judge.is_out_of_budget());
            let (sureness, at) = judge.judge(pattern, &requests);
            prediction.circles.push(circle(&history, &dependencies.all, pattern, sureness, at));
        }
    }
    leave_out_what_is_told(&mut prediction.circles);
    prediction.circles.sort_by_key(|circle| {
        let requests: Vec<EventId> = circle.links.iter().map(|link| link.request).collect();
        (std::cmp::Reverse(circle.sureness.tier), circle.links.len(), requests)
    });
    prediction
}

/// Signals are no locks: who waits for one and gives it himself, or behind a writer, makes no circle, and
/// one that a common lock forbids comes about at that lock.
fn is_worth_a_word(all: &[Dependency], pattern: &Pattern) -> bool {
    let links = || pattern.links.iter().map(|link| &all[*link]);
    let has_no_lock = |link: &Dependency| !matches!(link.asked, Awaited::Lock(_));
    match pattern.obstacle {
        Some(Obstacle::OneThread) => !links().any(has_no_lock) && pattern.behind_writers.is_empty(),
        Some(Obstacle::Gate(_)) => !links().any(|link| is_signal(link.asked)),
        None => pattern.behind_writers.is_empty() || !links().any(|link| is_signal(link.asked)),
    }
}

/// Whether a thread that is not of the circle gives a signal of it without need of its locks. A barrier
/// waits for all.
fn is_given_by_others(
    recording: &Recording,
    dependencies: &Dependencies,
    pattern: &Pattern,
) -> bool {
    let by_one = |what: Awaited| match what {
        Awaited::Signal(signal) => {
            !matches!(recording.signals[signal.0 as usize].kind, SignalKind::Barrier(_))
        }
        what => is_signal(what),
    };
    let links: Vec<&Dependency> = pattern.links.iter().map(|at| &dependencies.all[*at]).collect();
    let asked: BTreeSet<Awaited> = links.iter().map(|link| link.asked).collect();
    links.iter().filter(|link| by_one(link.asked)).any(|link| {
        let givers = dependencies.givers.get(&link.asked);
        givers.into_iter().flatten().any(|(thread, needs)| {
            links.iter().all(|link| link.thread != *thread) && needs.is_disjoint(&asked)
        })
    })
}

fn circle(
    history: &History<'_>,
    all: &[Dependency],
    pattern: &Pattern,
    sureness: Sureness,
    requests: Vec<EventId>,
) -> Circle {
    let count = pattern.links.len();
    let link = |at: usize| {
        let dependency = &all[pattern.links[at]];
        let held = all[pattern.links[(at + count - 1) % count]].asked;
        let mode = dependency.held.iter().find(|hold| hold.what == held).map(|hold| hold.mode);
        Link {
            thread: dependency.thread,
            held,
            held_mode: mode.unwrap_or(Mode::Write),
            held_at: held_at(history, held, requests[at]),
            asked: dependency.asked,
            asked_mode: dependency.mode,
            request: requests[at],
        }
    };
    let links = (0..count).map(link).collect();
    Circle { links, writers: requests[count..].to_vec(), sureness }
}

/// Of the same locks, what needs another thread says nothing beside what does not.
fn leave_out_what_is_told(circles: &mut Vec<Circle>) {
    let locks = |circle: &Circle| -> BTreeSet<Awaited> {
        circle.links.iter().map(|link| link.asked).collect()
    };
    let mut told: BTreeMap<BTreeSet<Awaited>, Tier> = BTreeMap::new();
    for circle in circles.iter() {
        let tier = circle.sureness.tier;
        let known = told.entry(locks(circle)).or_insert(tier);
        *known = (*known).max(tier);
    }
    circles.retain(|circle| {
        circle.sureness.tier != Tier::NeedsThread || told[&locks(circle)] <= Tier::NeedsThread
    });
}

fn counts(history: &History<'_>, dependencies: &Dependencies) -> Counts {
    let orders: BTreeSet<(Awaited, Awaited)> = dependencies
        .all
        .iter()
        .flat_map(|one| one.held.iter().map(|hold| (hold.what, one.asked)))
        .filter(|(held, asked)| matches!((held, asked), (Awaited::Lock(_), Awaited::Lock(_))))
        .collect();
    Counts {
        threads: history.steps.iter().filter(|steps| !steps.is_empty()).count() as u64,
        locks: history.holds.iter().filter(|holds| !holds.is_empty()).count() as u64,
        acquisitions: dependencies.acquisitions,
        orders: orders.len() as u64,
    }
}
