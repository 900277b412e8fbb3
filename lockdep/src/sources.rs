//! The sources of this crate as text, for `cargo lockcheck`.
//!
//! The command compiles them under the program that it checks, with the compiler of that program.
//! It depends on exactly this version of this crate, so what it compiles is what was published,
//! and it needs neither a checkout nor the network for it. This file and `std_items.rs` are not among them:
//! they are compiled with the feature `sources` alone, which the runtime does not have.

macro_rules! sources {
    ($($path:literal,)*) => {
        [$(($path, include_str!($path)),)*]
    };
}

/// The oldest Rust that compiles them, as `1.85`.
pub const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// Each file with its path inside of `src/`.
pub const SOURCES: &[(&str, &str)] = &sources! {
    "banker/error.rs",
    "banker/live.rs",
    "banker/mod.rs",
    "banker/queue.rs",
    "banker/reduction.rs",
    "banker/semaphores.rs",
    "banker/state.rs",
    "banker/table.rs",
    "banker/units.rs",
    "banker/watch.rs",
    "engine/vector_clock.rs",
    "engine/inherited_locks.rs",
    "engine/declared.rs",
    "engine/detector.rs",
    "engine/mod.rs",
    "engine/thread_point.rs",
    "engine/oracle.rs",
    "engine/order_graph.rs",
    "engine/scenarios.rs",
    "engine/search.rs",
    "engine/wait_graph.rs",
    "hash.rs",
    "hooks/declared.rs",
    "hooks/event.rs",
    "hooks/lock.rs",
    "hooks/mod.rs",
    "hooks/threads.rs",
    "lib.rs",
    "macros.rs",
    "model/finding.rs",
    "model/held.rs",
    "model/ids.rs",
    "model/inventory.rs",
    "model/lock.rs",
    "model/mod.rs",
    "model/stack.rs",
    "model/tag.rs",
    "model/times.rs",
    "model/word.rs",
    "observer/classes.rs",
    "observer/config.rs",
    "observer/cycles.rs",
    "observer/declarations.rs",
    "observer/declared.rs",
    "observer/declared_places.rs",
    "observer/facts.rs",
    "observer/first_stacks.rs",
    "observer/hang.rs",
    "observer/in_order.rs",
    "observer/mod.rs",
    "observer/nesting.rs",
    "observer/nestings.rs",
    "observer/ordered_calls.rs",
    "observer/parts.rs",
    "observer/sendable.rs",
    "observer/starvation.rs",
    "observer/trace.rs",
    "order/declaration.rs",
    "order/level.rs",
    "order/locks.rs",
    "order/mod.rs",
    "order/nested.rs",
    "ordered/acquire.rs",
    "ordered/foreign.rs",
    "ordered/key.rs",
    "ordered/lockable.rs",
    "ordered/mod.rs",
    "ordered/set.rs",
    "parking_lot/condvar.rs",
    "parking_lot/lock_api_0_4.rs",
    "parking_lot/lock_api_0_5.rs",
    "parking_lot/mod.rs",
    "parking_lot/nested.rs",
    "parking_lot/once.rs",
    "parking_lot/places.rs",
    "parking_lot/raw.rs",
    "parking_lot/types.rs",
    "platform/clock.rs",
    "platform/maps.rs",
    "platform/mod.rs",
    "platform/other.rs",
    "platform/unix.rs",
    "platform/unwind.rs",
    "platform/windows.rs",
    "process/detector_time.rs",
    "process/fork.rs",
    "process/inquiry.rs",
    "process/mod.rs",
    "rendezvous/meeting.rs",
    "rendezvous/mod.rs",
    "rendezvous/plan.rs",
    "slow_path/acquire.rs",
    "slow_path/creation.rs",
    "slow_path/happens_before.rs",
    "slow_path/identity.rs",
    "slow_path/life.rs",
    "slow_path/mod.rs",
    "slow_path/spawn.rs",
    "snapshot.rs",
    "stats.rs",
    "sync/barrier.rs",
    "sync/claims.rs",
    "sync/condvar.rs",
    "sync/held.rs",
    "sync/lazy_lock.rs",
    "sync/mod.rs",
    "sync/mpsc.rs",
    "sync/mutex.rs",
    "sync/once.rs",
    "sync/once_lock.rs",
    "sync/outcome.rs",
    "sync/rwlock.rs",
    "sync/semaphore.rs",
    "tasks/event.rs",
    "tasks/executor.rs",
    "tasks/leaf.rs",
    "tasks/lock.rs",
    "tasks/mod.rs",
    "tasks/poll.rs",
    "tasks/state.rs",
    "tasks/task.rs",
    "tasks/waker.rs",
    "thread/builder.rs",
    "thread/handle.rs",
    "thread/mod.rs",
    "thread/park.rs",
    "thread/scoped.rs",
    "thread_state/bell.rs",
    "thread_state/captured.rs",
    "thread_state/counters.rs",
    "thread_state/current.rs",
    "thread_state/demand.rs",
    "thread_state/familiar.rs",
    "thread_state/held_stack.rs",
    "thread_state/known.rs",
    "thread_state/mod.rs",
    "thread_state/pending.rs",
    "thread_state/permits.rs",
    "thread_state/polling.rs",
    "thread_state/position.rs",
    "thread_state/recent.rs",
    "thread_state/record.rs",
    "thread_state/registry.rs",
    "thread_state/remote_release.rs",
    "thread_state/retries.rs",
    "thread_state/serials.rs",
    "thread_state/sleeper.rs",
    "thread_state/snapshot.rs",
    "thread_state/wait.rs",
    "waits/block.rs",
    "waits/cycle.rs",
    "waits/hang.rs",
    "waits/livelock.rs",
    "waits/look.rs",
    "waits/mod.rs",
    "waits/orphan.rs",
    "waits/parking.rs",
    "waits/starvation.rs",
    "waits/times.rs",
    "watchdog/heartbeat.rs",
    "watchdog/late.rs",
    "watchdog/mod.rs",
    "watchdog/pulse.rs",
    "watchdog/restart.rs",
    "watchdog/watcher.rs",
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::SOURCES;

    fn files(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("the directory is read") {
            let path = entry.expect("the entry is read").path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }

    #[test]
    fn every_file_of_the_crate_is_listed() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        files(&src, &mut found);
        let found: BTreeSet<String> = found
            .iter()
            .map(|path| path.strip_prefix(&src).expect("it is inside"))
            .map(|path| path.display().to_string().replace('\\', "/"))
            .filter(|path| !["sources.rs", "std_items.rs"].contains(&path.as_str()))
            .collect();
        let listed: BTreeSet<String> = SOURCES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(listed, found, "keep the list in `sources.rs` in step with the files of `src/`");
    }
}
