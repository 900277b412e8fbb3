//! What a request to the banker costs, and how that grows with tasks and resources.
//!
//! Every state is a chain: each task can finish only after the one before. `near` asks for a task
//! that could finish at once, `far` for one that is the last to be able to, `full` checks the whole
//! state. The first line is a bare atomic load, to compare machines by.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lockdep::banker::{BankerState, Resource, TaskId};

/// Nanoseconds per call: the best of several batches, so that other load on the machine shows
/// less.
fn measure(mut call: impl FnMut()) -> f64 {
    let mut calls = 1_u32;
    let batch = |calls: u32, call: &mut dyn FnMut()| -> Duration {
        let start = Instant::now();
        for _ in 0..calls {
            call();
        }
        start.elapsed()
    };
    while batch(calls, &mut call) < Duration::from_millis(5) && calls < 1 << 24 {
        calls *= 2;
    }
    let best = (0..7).map(|_| batch(calls, &mut call)).min().unwrap_or_default();
    best.as_nanos() as f64 / f64::from(calls)
}

/// A chain: with what is free only the first task can finish, with what it gives back only the
/// second, and so on. Returns the state, its first task and its last.
fn chain(tasks: usize, resources: usize) -> (BankerState, TaskId, TaskId) {
    let all: Vec<Resource> = (0..resources).map(Resource::at).collect();
    let (held, spare) = (2_u64, 2_u64);
    let total = held * tasks as u64 + spare;
    let mut state = BankerState::new((0..resources).map(|r| (format!("resource {r}"), total)));
    let ids: Vec<TaskId> = (0..tasks)
        .map(|task| {
            let claim = held + (held * task as u64 + spare - 1);
            let claims: Vec<_> = all.iter().map(|r| (*r, claim)).collect();
            let id = state.claim(format!("task {task}"), &claims).expect("no more than the totals");
            let part: Vec<_> = all.iter().map(|r| (*r, held)).collect();
            state.allocate(id, &part).expect("the totals are enough for all");
            id
        })
        .collect();
    assert!(state.is_safe());
    (state, ids[0], ids[tasks - 1])
}

#[expect(clippy::print_stdout, reason = "the figures are the output")]
fn main() {
    let atomic = AtomicU64::new(0);
    println!("atomic load {:.1} ns", measure(|| _ = black_box(&atomic).load(Ordering::Acquire)));
    println!(
        "{:>7} {:>4} {:>14} {:>14} {:>14}",
        "tasks", "m", "near [ns]", "far [ns]", "full [ns]"
    );
    for (tasks, resources) in
        [(10, 8), (100, 8), (1_000, 1), (1_000, 8), (1_000, 64), (10_000, 8), (10_000, 64)]
    {
        let (mut state, first, last) = chain(tasks, resources);
        let one = [(Resource::at(0), 1)];
        let mut request = |task| {
            measure(|| {
                state.request(task, &one).expect("the state stays safe");
                state.release(task, &one).expect("it was just granted");
            })
        };
        let (near, far) = (request(first), request(last));
        let full = measure(|| assert!(black_box(&state).is_safe()));
        println!("{tasks:>7} {resources:>4} {near:>14.0} {far:>14.0} {full:>14.0}");
    }
}
