//! How long the prediction of deadlocks takes, and how that grows with the run.
//!
//! Runs are made by a program of so many threads, each of which takes locks of a hierarchy in its order,
//! with a few that do not. Beside the prediction stands what comparing all pairs of requests takes, which says
//! less (no schedule, no order of spawns, two threads alone); it is only tried on small runs.
//!
//! `cargo bench -p cargo-lockcheck --bench predict [-- EVENTS...]`

mod measure;

use std::collections::HashMap;

use cargo_lockcheck::predict::recording::{
    Action, Event, Lock, LockId, Manner, Mode, Recording, SiteId, ThreadId, VariableId,
};
use cargo_lockcheck::predict::{Limits, predict};
use measure::{peak, time};

/// What a run is like.
#[derive(Clone, Copy)]
struct Shape {
    events: usize,
    threads: u32,
    locks: u32,
    /// One of so many sections takes its locks in the wrong order; none with nought.
    wrong: u64,
}

/// A run: sections of two locks under a third or none, in turn by random threads, with data under them.
fn generate(shape: Shape) -> Recording {
    let mut recording = Recording {
        threads: (0..=shape.threads).map(|thread| format!("T{thread}")).collect(),
        locks: (0..shape.locks)
            .map(|lock| Lock { name: format!("L{lock}"), prefers_readers: false })
            .collect(),
        variables: (0..shape.locks).map(|variable| format!("V{variable}")).collect(),
        sites: (0..64).map(|site| site.to_string()).collect(),
        ..Recording::default()
    };
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |bound: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % bound
    };
    let mut push = |thread: u32, action, site: u64| {
        let event = Event { thread: ThreadId(thread), action, site: SiteId(site as u32) };
        recording.events.push(event);
        recording.events.len()
    };
    for thread in 1..=shape.threads {
        push(0, Action::Fork(ThreadId(thread)), 0);
    }
    let mut count = 0;
    while count < shape.events {
        let thread = 1 + next(u64::from(shape.threads)) as u32;
        let outer = next(u64::from(shape.locks - 1)) as u32;
        let inner = outer + 1 + next(u64::from(shape.locks - outer - 1)) as u32;
        let is_wrong = shape.wrong > 0 && next(shape.wrong) == 0;
        let pair = if is_wrong { [inner, outer] } else { [outer, inner] };
        let site = 2 * next(16) + if is_wrong { 32 } else { 0 };
        for (at, lock) in pair.into_iter().enumerate() {
            push(thread, Action::Request(LockId(lock), Mode::Write), site + at as u64);
            let acquire = Action::Acquire(LockId(lock), Mode::Write, Manner::Blocking);
            push(thread, acquire, site + at as u64);
        }
        // Some read, few write: what all write is the same order for all.
        let data = VariableId(inner);
        push(thread, if next(64) == 0 { Action::Write(data) } else { Action::Read(data) }, site);
        for lock in pair.into_iter().rev() {
            count = push(thread, Action::Release(LockId(lock)), site);
        }
    }
    recording
}

/// The plain way: every pair of requests of which each holds what the other asks for, under no common lock.
fn plain(recording: &Recording) -> usize {
    let mut held: HashMap<ThreadId, Vec<LockId>> = HashMap::new();
    let mut requests: Vec<(ThreadId, LockId, Vec<LockId>)> = Vec::new();
    for event in &recording.events {
        let own = held.entry(event.thread).or_default();
        match event.action {
            Action::Request(lock, _) if !own.is_empty() => {
                requests.push((event.thread, lock, own.clone()));
            }
            Action::Acquire(lock, ..) => own.push(lock),
            Action::Release(lock) => own.retain(|held| *held != lock),
            _ => {}
        }
    }
    let mut found = 0;
    for (number, (thread, lock, held)) in requests.iter().enumerate() {
        for (other, asked, holds) in &requests[number + 1..] {
            let is_pair = thread != other && holds.contains(lock) && held.contains(asked);
            found += usize::from(is_pair && !held.iter().any(|lock| holds.contains(lock)));
        }
    }
    found
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes };
    println!("| run | steps | prediction | circles | predicted | pairs compared | peak memory |");
    println!("|---|---|---|---|---|---|---|");
    for &events in &sizes {
        for (name, threads, locks, wrong) in [
            ("8 threads, 20 locks, some in the wrong order", 8, 20, 500),
            ("8 threads, 2,000 locks, all in order", 8, 2_000, 0),
            ("32 threads, 200 locks, few in the wrong order", 32, 200, 5_000),
        ] {
            let recording = generate(Shape { events, threads, locks, wrong });
            let (prediction, took) = time(|| predict(&recording, Limits::default()));
            let sure = prediction.circles.iter();
            let sure = sure.filter(|circle| circle.sureness.tier.code() == "predicted").count();
            let compared = match events {
                0..=100_000 => format!("{:.2?}", time(|| plain(&recording)).1),
                _ => "–".to_owned(),
            };
            let memory = peak();
            let circles = prediction.circles.len();
            println!(
                "| {name} | {events} | {took:.2?} | {circles} | {sure} | {compared} | {memory} |"
            );
        }
    }
}
