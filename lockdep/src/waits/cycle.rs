//! A cycle of threads that wait for each other's locks, permits or ends, closed by the one that is about
//! to block.
//!
//! A cycle of locks and joins is certain at once, as each thread on it holds what the one before it
//! waits for, and none of them moved while that was read.

use std::sync::Arc;
use std::time::Duration;
use std::{ptr, thread};

use crate::engine::{WaitGraph, WaitsFor};
use crate::model::finding::Finding;
use crate::observer::facts::StuckThread;
use crate::process::{is_sendable, know_thread, observe, observer};
use crate::thread_state::current::Busy;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::snapshot::ThreadSnapshot;
use crate::thread_state::wait::Awaited;
use crate::waits::look::{know_polled, look, sleeps, stuck};

/// How long a reader must be seen waiting behind a queued writer before it counts as blocked: before
/// that it may be about to try the lock. A thread that waits for permits must be asleep after this
/// time; where the system is slow, after twice as long, for up to [`SETTLE_ROUNDS`] rounds.
const SETTLE: Duration = Duration::from_millis(20);
/// See [`SETTLE`].
const SETTLE_ROUNDS: u32 = 6;

/// The finding about the cycle that this thread's wait closes, if there is one.
pub(crate) fn closed_by(me: OwnRecord) -> Option<Arc<Finding>> {
    let busy = Busy::new();
    let (mut graph, seen) = look();
    let my_index = seen.iter().position(|s| ptr::eq(s.record, me.shared()))?;
    let mut cycle = graph.cycle(my_index)?;
    if without_sendable(&mut graph) {
        cycle = graph.cycle(my_index)?;
    }
    // A reader behind a queued writer may not have queued itself yet.
    let queues = |waits: &WaitsFor| matches!(waits, WaitsFor::Lock { mode, .. } if mode.queues());
    let behind_writer = cycle.iter().any(|&i| queues(&graph.threads()[i].waits));
    let behind = graph.behind(my_index);
    let semaphore = |i: usize| match seen[i].awaited() {
        Some(Awaited::Lock(lock)) => {
            observer().as_ref().is_some_and(|o| o.is_semaphore(lock.lock()))
        }
        Some(Awaited::Permits(_)) => true,
        _ => false,
    };
    let permits = behind.iter().chain(&cycle).any(|&i| semaphore(i));
    // A holder of permits that moves may free every thread that waits for them, so no holder may have
    // moved. A thread whose semaphore was closed is not asleep any more.
    let stay = |how: fn(&ThreadSnapshot) -> bool| {
        let others = behind.iter().filter(|_| permits);
        others.chain(&cycle).all(|&i| i == my_index || how(&seen[i]))
    };
    let asleep = |s: &ThreadSnapshot| s.still() && sleeps(s.record);
    if behind_writer || permits {
        thread::sleep(SETTLE);
    }
    for round in 0..SETTLE_ROUNDS {
        if !permits || stay(asleep) || !stay(ThreadSnapshot::still) {
            break;
        }
        thread::sleep(SETTLE * (1 << round));
    }
    if !stay(if permits { asleep } else { ThreadSnapshot::still }) {
        return None;
    }
    let threads: Vec<StuckThread> = cycle.iter().filter_map(|&i| stuck(&seen[i])).collect();
    drop(busy);
    observe(|o| {
        // Of several threads that see the cycle at once, the first one here ends it for the others.
        if !stay(ThreadSnapshot::still) {
            return None;
        }
        know_thread(o, me, None);
        know_polled(o, &seen);
        let finding = o.deadlock(&threads);
        me.wait.end();
        Some(finding)
    })
}

/// Counts each thread as running that waits for a lock with sendable guards: any other thread may drop
/// the guard. Returns whether there is such a thread.
fn without_sendable(graph: &mut WaitGraph) -> bool {
    graph.let_go_on(|waits| match *waits {
        WaitsFor::Lock { lock, .. } => is_sendable(lock),
        _ => false,
    })
}
