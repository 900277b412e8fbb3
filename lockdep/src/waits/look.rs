//! All threads that have not ended, as a wait graph and as parts of findings.
//!
//! Each is read on its own, without stopping it: a thread that moves meanwhile counts as running.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::{mem, process};

use crate::engine::{WaitGraph, Waiter, WaitsFor};
use crate::model::held::Hold;
use crate::model::word::HoldWord;
use crate::observer::Observer;
use crate::observer::facts::{Doing, Orphan, StuckThread};
use crate::platform;
use crate::process::observer;
use crate::thread_state::record::Record;
use crate::thread_state::registry::records;
use crate::thread_state::snapshot::{Role, ThreadSnapshot};
use crate::thread_state::wait::{Awaited, SeenWait};

/// Reads what all threads wait for and hold. A thread that moves meanwhile counts as running.
pub(super) fn look() -> (WaitGraph, Vec<ThreadSnapshot>) {
    let mut seen: Vec<ThreadSnapshot> = alive().map(ThreadSnapshot::of_waiting).collect();
    give_to_tasks(&mut seen);
    (WaitGraph::new(seen.iter().map(waiter).collect()), seen)
}

/// What a thread holds that waits as a task does, because it polls it or waits for it in `block_on`, is kept
/// for as long as that task waits.
fn give_to_tasks(seen: &mut [ThreadSnapshot]) {
    for thread in 0..seen.len() {
        if seen[thread].held.is_empty() || !matches!(seen[thread].role, Role::ByTask | Role::Idle) {
            continue;
        }
        let is_task =
            |task: &ThreadSnapshot| task.wait.is_some() && seen[thread].stands_behind(task);
        if let Some(task) = seen.iter().position(is_task) {
            let stays = match seen[thread].role {
                // The rest is of other futures that the thread polls, which it may go on with.
                Role::Idle => seen[task].record.outer_holds.load(Relaxed),
                _ => usize::MAX,
            };
            let held = &mut seen[thread].held;
            let rest = held.split_off(stays.min(held.len()));
            let held = mem::replace(held, rest);
            seen[task].held.extend(held);
        }
    }
}

fn waiter(seen: &ThreadSnapshot) -> Waiter {
    Waiter {
        thread: seen.thread,
        polls: seen.polls.map(|(task, _)| task),
        waits: seen.awaited().map_or(WaitsFor::Nothing, |awaited| waits_for(awaited, seen)),
        since: seen.wait.map_or(u64::MAX, |wait| wait.since),
        held: seen.held.iter().map(|h| (h.word.lock(), h.word.mode())).collect(),
        permits: seen.permits.iter().map(|h| (h.semaphore.lock(), h.count)).collect(),
    }
}

fn waits_for(awaited: Awaited, seen: &ThreadSnapshot) -> WaitsFor {
    match awaited {
        Awaited::Lock(word) => WaitsFor::Lock { lock: word.lock(), mode: word.mode() },
        Awaited::End(thread) | Awaited::TaskEnd(thread) => WaitsFor::End(thread),
        Awaited::Permits(word) => WaitsFor::Permits {
            semaphore: word.lock(),
            count: seen.asked.count,
            total: seen.asked.total,
        },
        Awaited::Event(_) | Awaited::Unpark { .. } | Awaited::Timed(_) => WaitsFor::Nothing,
    }
}

/// The thread as one that waits for ever; `None` if it runs, or another record tells what it waits for.
pub(super) fn stuck(seen: &ThreadSnapshot) -> Option<StuckThread> {
    if matches!(seen.role, Role::Idle | Role::ByTask) {
        return None;
    }
    let SeenWait { awaited, site, .. } = seen.wait?;
    let held = seen.held.iter().copied().chain(seen.permits.iter().map(Hold::as_lock)).collect();
    let thread = seen.polls.map_or(seen.thread, |(task, _)| task);
    Some(StuckThread { thread, doing: Doing::Waits(awaited), site, held })
}

/// Introduces the tasks that threads poll among these.
pub(super) fn know_polled(observer: &mut Observer, seen: &[ThreadSnapshot]) {
    for (task, site) in seen.iter().filter_map(|s| s.polls) {
        observer.know_task(task, site);
    }
}

/// Whether the system does not run the thread. A task that no thread polls is run by none.
pub(super) fn sleeps(record: &Record) -> bool {
    record.rests() || platform::sleeps(record.system.load(Relaxed))
}

/// The hold of this lock that a thread has left behind when it ended, whose guard may be elsewhere.
pub(super) fn abandoned(lock: HoldWord) -> Option<Orphan> {
    let observer = observer();
    observer.as_ref()?.abandoned.iter().find(|orphan| orphan.held.bars(lock)).cloned()
}

/// The main thread of a test harness only waits for its tests, in code that is not instrumented. A
/// main thread that has spawned nothing and used nothing while other threads do is taken for one.
pub(super) fn is_harness(record: &Record) -> bool {
    record.is_bystander() && is_main(record)
}

pub(super) fn is_main(record: &Record) -> bool {
    record.system.load(Relaxed) == process::id()
}

/// The records of threads that have not ended.
pub(super) fn alive() -> impl Iterator<Item = &'static Record> {
    records().filter(|r| is_alive(r))
}

pub(super) fn is_alive(record: &Record) -> bool {
    record.in_use.load(SeqCst) && !record.ended.load(SeqCst)
}
